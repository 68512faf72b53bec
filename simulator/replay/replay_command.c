/* replay_command.c - `simulate replay`; see replay.h. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "simulator/replay/replay.h"

static const char usage[] =
    "usage: simulate replay JOURNAL [--policy FILE] [--cluster FILE] [--quiet]\n"
    "  JOURNAL         folder of a daemon's journal\n"
    "  --policy FILE   what would this policy have decided?\n"
    "  --cluster FILE  the same for another cluster file\n"
    "  --quiet         only the sum\n"
    "exit: 0 as recorded (or with another policy or cluster), 1 different, 2 usage, 3 unreadable\n";

static void
print_sum(const struct rc_replay_options *o, const struct rc_replay_result *r)
{
    printf("%" PRIu64 " events, %" PRIu64 " decisions recorded: %" PRIu64 " the same", r->events,
           r->decisions, r->same);
    if (r->other) {
        printf(", %" PRIu64 " different; the first at %s", r->other, r->difference);
    }
    printf("\nstate %016" PRIx64 "%s%s\n", r->state_hash, o->policy ? ", policy " : "",
           o->policy ? o->policy : "");
}

int
rc_replay_command(int argc, char **argv)
{
    static const struct option options[] = {{"policy", required_argument, NULL, 'p'},
                                            {"cluster", required_argument, NULL, 'c'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {NULL, 0, NULL, 0}};
    static struct rc_load_errors errs;
    struct rc_replay_options o = {0};
    struct rc_replay_result result;
    struct rc_error e;
    int opt;

    optind = 1;
    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == 'p') {
            o.policy = optarg;
        } else if (opt == 'c') {
            o.cluster = optarg;
        } else if (opt == 'q') {
            o.quiet = true;
        } else {
            fputs(usage, stderr);
            return 2;
        }
    }
    if (optind + 1 != argc) {
        fputs(usage, stderr);
        return 2;
    }
    o.journal = argv[optind];
    if (rc_replay_journal(&o, &result, &errs, &e) != RC_OK) {
        for (uint32_t i = 0; i < errs.count && i < RC_LOAD_ERRORS_MAX; i++) {
            fprintf(stderr, "%s\n", errs.line[i]);
        }
        fprintf(stderr, "simulate replay: %s: %s\n", o.journal, e.text);
        return 3;
    }
    print_sum(&o, &result);
    return result.other && !o.policy && !o.cluster ? 1 : 0;
}
