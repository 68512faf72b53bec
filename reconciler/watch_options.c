/* watch_options.c - see watch_options.h. */
#define _GNU_SOURCE
#include "reconciler/watch_options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/core/limits.h"
#include "reconciler/watch/watch_check.h"
#include "reconciler/watch/watch_loop.h"

enum { COUNT_MAX = 4096, TIMEOUT_MAX_S = 3600 };

static const struct rc_probe_config defaults = {.sys = "/sys",
                                                .proc = "/proc",
                                                .etc = "/etc",
                                                .kmsg = "/dev/kmsg",
                                                .nvml = "libnvidia-ml.so.1",
                                                .boot_grace = 60};

static bool
read_count(const char *option, const char *text, uint32_t *ret)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (end == text || *end || text[0] == '-' || value > COUNT_MAX) {
        (void)fprintf(stderr, "nodewatch: --%s: expected a number up to %d, not \"%s\"\n", option,
                      COUNT_MAX, text);
        return false;
    }
    *ret = (uint32_t)value;
    return true;
}

/* "90", "90s", "10m", "2h" in seconds. */
static bool
read_seconds(const char *option, const char *text, int64_t *ret)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    unsigned long unit = strcmp(end, "m") == 0 ? 60 : strcmp(end, "h") == 0 ? 3600 : 1;

    if (end == text || text[0] == '-' || (*end && strcmp(end, "s") != 0 && unit == 1) ||
        value > 1000000) {
        (void)fprintf(stderr, "nodewatch: --%s: expected 90s, 10m or 1h, not \"%s\"\n", option,
                      text);
        return false;
    }
    *ret = (int64_t)(value * unit);
    return true;
}

static bool
read_probe_option(int option, const char *text, struct rc_probe_config *c)
{
    switch (option) {
    case 's':
        c->sys = text;
        return true;
    case 'p':
        c->proc = text;
        return true;
    case 'e':
        c->etc = text;
        return true;
    case 'k':
        c->kmsg = text;
        return true;
    case 'n':
        c->nvml = text;
        return true;
    case 'g':
        return read_count("gpus", text, &c->gpus);
    case 'f':
        return read_count("efas", text, &c->efas);
    case 'a':
        return read_seconds("since", text, &c->kmsg_max_age);
    case 'b':
        return read_seconds("boot-grace", text, &c->boot_grace);
    default:
        return false;
    }
}

int
rc_watch_check_main(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"prolog", no_argument, NULL, 'P'},
                                            {"sysfs", required_argument, NULL, 's'},
                                            {"proc", required_argument, NULL, 'p'},
                                            {"etc", required_argument, NULL, 'e'},
                                            {"kmsg", required_argument, NULL, 'k'},
                                            {"nvml", required_argument, NULL, 'n'},
                                            {"gpus", required_argument, NULL, 'g'},
                                            {"efas", required_argument, NULL, 'f'},
                                            {"since", required_argument, NULL, 'a'},
                                            {"timeout", required_argument, NULL, 't'},
                                            {"boot-grace", required_argument, NULL, 'b'},
                                            {NULL, 0, NULL, 0}};
    struct rc_check check = {.probe = defaults};
    int64_t timeout_s = 0;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'j') {
            check.json = true;
        } else if (c == 'P') {
            check.prolog = true;
        } else if (c == 't') {
            if (!read_seconds("timeout", optarg, &timeout_s)) {
                return -1;
            }
            check.timeout_ms =
                (uint32_t)(timeout_s < TIMEOUT_MAX_S ? timeout_s : TIMEOUT_MAX_S) * 1000;
        } else if (!read_probe_option(c, optarg, &check.probe)) {
            return -1;
        }
    }
    return optind == argc ? rc_watch_check(&check) : -1;
}

/* rc-slurm-helper lies beside this program. */
static const char *
helper_beside(void)
{
    static char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - sizeof "rc-slurm-helper");
    char *slash;

    if (len <= 0) {
        return "/usr/sbin/rc-slurm-helper";
    }
    path[len] = '\0';
    slash = strrchr(path, '/');
    memcpy(slash ? slash + 1 : path, "rc-slurm-helper", sizeof "rc-slurm-helper");
    return path;
}

static const char *
own_name(void)
{
    static char host[RC_NODE_LEN];

    if (gethostname(host, sizeof host) != 0) {
        return "";
    }
    host[sizeof host - 1] = '\0';
    host[strcspn(host, ".")] = '\0';
    return host;
}

int
rc_watch_loop_main(int argc, char **argv)
{
    static const struct option options[] = {{"node", required_argument, NULL, 'N'},
                                            {"helper", required_argument, NULL, 'H'},
                                            {"conf", required_argument, NULL, 'c'},
                                            {"state", required_argument, NULL, 'S'},
                                            {"no-probes", no_argument, NULL, 'x'},
                                            {"sysfs", required_argument, NULL, 's'},
                                            {"proc", required_argument, NULL, 'p'},
                                            {"etc", required_argument, NULL, 'e'},
                                            {"kmsg", required_argument, NULL, 'k'},
                                            {"nvml", required_argument, NULL, 'n'},
                                            {"gpus", required_argument, NULL, 'g'},
                                            {"efas", required_argument, NULL, 'f'},
                                            {"boot-grace", required_argument, NULL, 'b'},
                                            {"compare-clock", required_argument, NULL, 'C'},
                                            {NULL, 0, NULL, 0}};
    struct rc_watch_config w = {.probe = defaults,
                                .node = own_name(),
                                .helper = helper_beside(),
                                .state = "/run/nodewatch.state"};
    int64_t clock_s = -1;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'N') {
            w.node = optarg;
        } else if (c == 'H') {
            w.helper = optarg;
        } else if (c == 'c') {
            w.conf = optarg;
        } else if (c == 'S') {
            w.state = optarg;
        } else if (c == 'x') {
            w.no_probes = true;
        } else if (c == 'C') {
            if (!read_seconds("compare-clock", optarg, &clock_s)) {
                return -1;
            }
        } else if (!read_probe_option(c, optarg, &w.probe)) {
            return -1;
        }
    }
    w.clock_ms = clock_s * 1000;
    return optind == argc && *w.node ? rc_watch_loop(&w) : -1;
}
