/* nodewatch.c - the program on compute nodes; its help text is nodewatch_help.c.
 *
 *     classify   what kernel log lines say: watch_classify.h
 *     check      looks at the whole node once: watch_check.h has its exit status
 *     watch      runs, and drains the node when it is ill: watch_loop.h
 *     admit      goes before slurmd
 *
 * admit goes before slurmd, in its unit:
 *     ExecStartPre=/usr/sbin/nodewatch admit
 *     TimeoutStartSec=infinity
 * It ends with 0 when the configuration that slurmctld serves names one of this host's
 * addresses for the node, with 1 when it does not within the time-out (what was seen is on
 * stderr), with 2 when it was called wrongly. Without --conf-server and --conf it asks the
 * slurmctld that Slurm's own configuration on this host names. */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/admit.h"
#include "reconciler/nodewatch_help.h"
#include "reconciler/watch_classify.h"
#include "reconciler/watch_options.h"

enum { ADMIT_TIMEOUT_MS = 600 * 1000 };

/* "90", "90s", "10m", "1h". */
static bool
parse_duration(const char *text, uint32_t *ret_ms)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    unsigned long unit = strcmp(end, "m") == 0 ? 60 : strcmp(end, "h") == 0 ? 3600 : 1;

    if (end == text || text[0] == '-' || (*end && strcmp(end, "s") != 0 && unit == 1) ||
        value > 604800 / unit) {
        return false;
    }
    *ret_ms = (uint32_t)(value * unit * 1000);
    return true;
}

static bool
read_admit_options(int argc, char **argv, struct rc_admit *a)
{
    static const struct option options[] = {
        {"node", required_argument, NULL, 'n'},    {"conf-server", required_argument, NULL, 's'},
        {"conf", required_argument, NULL, 'c'},    {"addr", required_argument, NULL, 'a'},
        {"timeout", required_argument, NULL, 't'}, {0}};
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'n':
            a->node = optarg;
            break;
        case 's':
            a->conf_server = optarg;
            break;
        case 'c':
            a->conf = optarg;
            break;
        case 'a':
            a->addr = optarg;
            break;
        case 't':
            if (!parse_duration(optarg, &a->timeout_ms)) {
                fprintf(stderr, "nodewatch: --timeout: expected 90s, 10m or 1h, not \"%s\"\n",
                        optarg);
                return false;
            }
            break;
        default:
            return false;
        }
    }
    return optind == argc && !(a->conf && a->conf_server);
}

/* A node's name is by default its host name up to the first dot, as for slurmd. */
static bool
set_default_node(struct rc_admit *a, char host[RC_NODE_LEN])
{
    if (!a->node) {
        if (gethostname(host, RC_NODE_LEN) != 0) {
            return false;
        }
        host[RC_NODE_LEN - 1] = '\0';
        host[strcspn(host, ".")] = '\0';
        a->node = host;
    }
    return strlen(a->node) < RC_NODE_LEN &&
           a->node[strspn(a->node, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789._-")] == '\0' &&
           a->node[0] != '\0' && a->node[0] != '-';
}

static int
run_admit(int argc, char **argv)
{
    struct rc_admit a = {.timeout_ms = ADMIT_TIMEOUT_MS};
    struct rc_error e = {0};
    char host[RC_NODE_LEN];

    if (!read_admit_options(argc, argv, &a)) {
        fputs(rc_nodewatch_usage, stderr);
        return 2;
    }
    if (!set_default_node(&a, host)) {
        fprintf(stderr, "nodewatch: \"%s\" is not a node name\n", a.node ? a.node : "");
        return 2;
    }
    enum rc_err err = rc_admit_wait(&a, &e);
    if (err) {
        fprintf(stderr, "nodewatch: %s\n", e.text);
        return err == RC_E_INVALID ? 2 : 1;
    }
    return 0;
}

int
main(int argc, char **argv)
{
    int status = -1;

    if (argc == 2 && (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0)) {
        return fputs(rc_nodewatch_usage, stdout) < 0 || fputs(rc_nodewatch_help, stdout) < 0;
    }
    if (argc >= 2 && strcmp(argv[1], "admit") == 0) {
        return run_admit(argc - 1, argv + 1);
    }
    if (argc >= 2 && strcmp(argv[1], "classify") == 0 &&
        (argc == 2 || (argc == 3 && strcmp(argv[2], "-") == 0))) {
        return rc_watch_classify(STDIN_FILENO, STDOUT_FILENO);
    }
    if (argc >= 2 && strcmp(argv[1], "check") == 0) {
        status = rc_watch_check_main(argc - 1, argv + 1);
    } else if (argc >= 2 && strcmp(argv[1], "watch") == 0) {
        status = rc_watch_loop_main(argc - 1, argv + 1);
    }
    if (status >= 0) {
        return status;
    }
    fputs(rc_nodewatch_usage, stderr);
    return 2;
}
