/* replay_command.c - `simulate replay`; see replay.h. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "simulator/replay/replay.h"
#include "simulator/report/commit.h"

enum { PATH_LEN = 4096 };

static const char usage[] =
    "usage: simulate replay PATH [--policy FILE] [--cluster FILE] [--against JOURNAL] [--cut]\n"
    "                            [--quiet]\n"
    "  PATH is one of\n"
    "    a daemon's journal       folder with journal-*.rcj, or one with such a folder journal/;\n"
    "                             each decision is held against it\n"
    "    messages                 folder of *.json bodies, one such file, or a file of lines\n"
    "                             {\"arrival\": UNIX-MS, \"body\": \"TEXT\"} in order of arrival\n"
    "                             (or \"2026-10-01T00:00:00Z\" for UNIX-MS)\n"
    "    a fault trace            JSON list of fault_start and fault_end records\n"
    "  --policy FILE      what would this policy decide? Without one: the recorded policy of a\n"
    "                     journal, the shipped p4d.json for messages and traces\n"
    "  --cluster FILE     a reconcilerd configuration; without one, instances of messages are\n"
    "                     given the names node-1, node-2, … as they are spoken of\n"
    "  --against JOURNAL  is each decision the recorded one? Messages take the place of the\n"
    "                     journal's own; the other facts are the journal's\n"
    "  --cut              a journal may end inside a record, or before the last decisions:\n"
    "                     replay it up to there (lines of messages are never replayed in part)\n"
    "  --quiet            only the sum\n"
    "exit: 0 as recorded (or nothing recorded, or another policy or cluster), 1 different,\n"
    "      or --against a journal that ends elsewhere or has other messages, 2 usage,\n"
    "      3 unreadable: what was printed then is not the whole\n";

static void
print_messages(const struct rc_replay_options *o, const struct rc_replay_result *r)
{
    if (o->against) {
        printf("%" PRIu64 " messages: %" PRIu64 " are in the journal, %" PRIu64 " are not; %" PRIu64
               " messages of the journal are not among them\n",
               r->messages, r->decoded, r->not_in_journal, r->not_in_path);
        return;
    }
    printf("%" PRIu64 " messages: %" PRIu64 " with events, %" PRIu64 " ignored, %" PRIu64
           " quarantined, %" PRIu64 " seen before\n",
           r->messages, r->messages - r->ignored - r->quarantined, r->ignored, r->quarantined,
           r->duplicates);
}

static void
print_asked(const struct rc_replay_result *r)
{
    printf("%" PRIu64 " incidents opened, %" PRIu64 " closed; asked for:", r->opened, r->closed);
    bool any = false;
    for (uint32_t k = 1; k < RC_ACTION__MAX; k++) {
        if (r->asked[k] && k != RC_ACT_LEASE && k != RC_ACT_INCIDENT_PUT &&
            k != RC_ACT_HISTORY_PUT && k != RC_ACT_MESSAGE_DELETE) {
            printf("%s %" PRIu64 " %s", any ? "," : "", r->asked[k],
                   rc_action_name((enum rc_action_kind)k));
            any = true;
        }
    }
    printf("%s\n", any ? "" : " nothing");
    if (r->unknown) {
        printf("%" PRIu64 " events of instances that are not in the cluster\n", r->unknown);
    }
}

static void
print_sum(const struct rc_replay_options *o, enum rc_replay_kind kind,
          const struct rc_replay_result *r)
{
    bool is_compared = kind == RC_REPLAY_JOURNAL || o->against;

    if (kind == RC_REPLAY_TRACE) {
        printf("%" PRIu64 " faults\n", r->messages);
    } else if (kind != RC_REPLAY_JOURNAL) {
        print_messages(o, r);
    }
    if (is_compared) {
        printf("%" PRIu64 " events, %" PRIu64 " decisions recorded: %" PRIu64 " the same",
               r->events, r->decisions, r->same);
        if (r->other) {
            printf(", %" PRIu64 " different", r->other);
        }
        if (r->more) {
            printf(", and %" PRIu64 " that were not made then", r->more);
        }
        if (r->first_other) {
            printf("; the first difference at %s", r->difference);
        }
        printf("\n");
        if (*r->not_compared) {
            printf("not the whole: %s\n", r->not_compared);
        }
    } else {
        print_asked(r);
    }
    printf("commit %s, policy %s, hash %016" PRIx64 "%s; state %016" PRIx64 "\n", rc_commit,
           *r->policy ? r->policy : "none", r->policy_hash,
           o->policy && is_compared ? ", not the recorded one" : "", r->state_hash);
}

static int
replay_path(const struct rc_replay_options *o)
{
    static struct rc_load_errors errs;
    struct rc_replay_result result = {0};
    struct rc_error e = {0};
    enum rc_replay_kind kind = rc_replay_kind_of(o->path, &e);
    enum rc_err err;

    if (kind == RC_REPLAY_TRACE && o->against) {
        fputs("simulate replay: a trace holds no decisions to compare with a journal\n", stderr);
        return 2;
    }
    if (kind == RC_REPLAY_NONE) {
        err = e.code;
    } else if (kind == RC_REPLAY_JOURNAL || o->against) {
        err = rc_replay_journal(o, kind, &result, &errs, &e);
    } else if (kind == RC_REPLAY_TRACE) {
        err = rc_replay_trace(o, &result, &errs, &e);
    } else {
        err = rc_replay_queue(o, kind, &result, &errs, &e);
    }
    if (err != RC_OK) {
        if (kind != RC_REPLAY_NONE) {
            printf("stopped here, this is not the whole: %s\n", e.text);
        }
        fflush(stdout);
        /* a journal's errors name only the segment */
        const char *where = kind == RC_REPLAY_JOURNAL ? o->path : o->against ? o->against : "";
        for (uint32_t i = 0; i < errs.count && i < RC_LOAD_ERRORS_MAX; i++) {
            fprintf(stderr, "%s\n", errs.line[i]);
        }
        fprintf(stderr, "simulate replay: %s%s%s\n", where, *where ? ": " : "", e.text);
        return 3;
    }
    print_sum(o, kind, &result);
    if (fflush(stdout) != 0) {
        perror("simulate replay: standard output");
        return 3;
    }
    return (result.first_other && !o->policy && !o->cluster) || *result.not_compared;
}

/* A journal is meant, most likely: but who recorded both may wait for the messages. */
static void
note_bodies(const char *folder, const struct rc_replay_options *o)
{
    struct rc_error ignored;
    uint32_t bodies = 0;

    if (rc_replay_kind_of(o->path, &ignored) == RC_REPLAY_JOURNAL) {
        bodies = rc_replay_bodies_beside(folder);
    }
    if (bodies) {
        fprintf(stderr,
                "simulate replay: %s: a journal, and %u message%s beside it (*.json): only the "
                "journal is replayed; expected messages in a folder of their own\n",
                folder, bodies, bodies == 1 ? "" : "s");
    }
}

int
rc_replay_command(int argc, char **argv)
{
    static const struct option options[] = {{"policy", required_argument, NULL, 'p'},
                                            {"cluster", required_argument, NULL, 'c'},
                                            {"against", required_argument, NULL, 'a'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"cut", no_argument, NULL, 'u'},
                                            {NULL, 0, NULL, 0}};
    struct rc_replay_options o = {0};
    char path[PATH_LEN], against[PATH_LEN];
    int opt;

    optind = 1;
    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == 'p') {
            o.policy = optarg;
        } else if (opt == 'c') {
            o.cluster = optarg;
        } else if (opt == 'a') {
            o.against = optarg;
        } else if (opt == 'u') {
            o.is_cut = true;
        } else if (opt == 'q') {
            o.quiet = true;
        } else {
            fputs(usage, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
    }
    if (optind + 1 != argc) {
        fputs(usage, stderr);
        return 2;
    }
    o.path = rc_replay_journal_in(argv[optind], path, sizeof path);
    if (o.against) {
        o.against = rc_replay_journal_in(o.against, against, sizeof against);
    }
    note_bodies(argv[optind], &o);
    return replay_path(&o);
}
