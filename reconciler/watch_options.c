/* watch_options.c - see watch_options.h. */
#define _GNU_SOURCE
#include "reconciler/watch_options.h"

#include <sys/stat.h>

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/core/limits.h"
#include "reconciler/watch/watch_check.h"
#include "reconciler/watch/watch_loop.h"

enum { COUNT_MAX = 4096, TIMEOUT_MAX_S = 3600, WORDS_MAX = 64, DEFAULTS_ROOM = 4096 };

#define STATE_DIR  "/run/nodewatch"
#define STATE_FILE STATE_DIR "/state"
static const char defaults_file[] = "default/slurm-on-aws-node";
static const char defaults_key[] = "NODEWATCH_WATCH_OPTIONS=";

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

static const struct option watch_options[] = {{"node", required_argument, NULL, 'N'},
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

/* The last line of the file that sets the agent's options, as systemd reads it: its words. */
static int
words_of_defaults(const char *etc, char text[DEFAULTS_ROOM], char *words[WORDS_MAX])
{
    char path[PATH_MAX], line[DEFAULTS_ROOM], *save;
    static char name[] = "nodewatch";
    int count = 1;

    (void)snprintf(path, sizeof path, "%s/%s", etc, defaults_file);
    FILE *f = fopen(path, "re");
    text[0] = '\0';
    while (f && fgets(line, sizeof line, f)) {
        char *at = line + strspn(line, " \t");
        size_t len = sizeof defaults_key - 1;

        if (strncmp(at, defaults_key, len) == 0) {
            memcpy(text, at + len, strlen(at + len) + 1);
        }
    }
    if (f) {
        (void)fclose(f);
    }
    words[0] = name;
    for (char *word = strtok_r(text, " \t\r\n\"'", &save); word && count < WORDS_MAX - 1;
         word = strtok_r(NULL, " \t\r\n\"'", &save)) {
        words[count++] = word;
    }
    words[count] = NULL;
    return count;
}

/* What the agent of this node was told that it has, check is told too, whoever calls it. */
static void
read_defaults(struct rc_check *check)
{
    static char text[DEFAULTS_ROOM]; /* the options point into it */
    char *words[WORDS_MAX];
    int count = words_of_defaults(check->probe.etc, text, words), c;

    optind = 0; /* glibc: from the beginning */
    opterr = 0; /* the agent itself complains of what it cannot read */
    while ((c = getopt_long(count, words, "", watch_options, NULL)) != -1) {
        if (c == 'S') {
            check->state = optarg;
        } else if (c != '?') {
            (void)read_probe_option(c, optarg, &check->probe);
        }
    }
    optind = 0;
    opterr = 1;
}

static bool
read_check_options(int argc, char **argv, struct rc_check *check)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"prolog", no_argument, NULL, 'P'},
                                            {"news", no_argument, NULL, 'N'},
                                            {"state", required_argument, NULL, 'S'},
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
    int64_t timeout_s = 0;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'j') {
            check->json = true;
        } else if (c == 'P') {
            check->prolog = true;
        } else if (c == 'N') {
            check->news = true;
        } else if (c == 'S') {
            check->state = optarg;
        } else if (c == 't') {
            if (!read_seconds("timeout", optarg, &timeout_s)) {
                return false;
            }
            check->timeout_ms =
                (uint32_t)(timeout_s < TIMEOUT_MAX_S ? timeout_s : TIMEOUT_MAX_S) * 1000;
        } else if (!read_probe_option(c, optarg, &check->probe)) {
            return false;
        }
    }
    return optind == argc;
}

int
rc_watch_check_main(int argc, char **argv)
{
    struct rc_check told = {.probe = defaults, .state = STATE_FILE}, check = told;

    if (!read_check_options(argc, argv, &told)) { /* for --etc */
        return -1;
    }
    check.probe.etc = told.probe.etc;
    read_defaults(&check);
    check.probe.etc = told.probe.etc;
    (void)read_check_options(argc, argv, &check); /* these go before */
    return rc_watch_check(&check);
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
    struct rc_watch_config w = {
        .probe = defaults, .node = own_name(), .helper = helper_beside(), .state = STATE_FILE};
    int64_t clock_s = -1;
    int c;

    while ((c = getopt_long(argc, argv, "", watch_options, NULL)) != -1) {
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
    if (strcmp(w.state, STATE_FILE) == 0) {
        (void)mkdir(STATE_DIR, 0755); /* its unit has made it; by hand nobody has */
    }
    return optind == argc && *w.node ? rc_watch_loop(&w) : -1;
}
