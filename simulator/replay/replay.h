/* replay.h - what was recorded, through the same decoders and the same core.
 *
 * A daemon's journal: every recorded event is stepped; what the core decides now is held against
 * what the journal says was decided then. Without another policy both must be the same bytes: a
 * difference is a bug, or a core of another release. With another policy the differences are the
 * answer to "what would it have done?". A replay begins at the oldest record, or at the snapshot
 * that a restart wrote; each later snapshot takes the recorded state, because a restart folds and
 * does not decide anew.
 *
 * Messages (a folder, or lines with their arrivals) and the faults of a trace bring
 * neither a cluster nor the answers of the world: they are played in an obliging one
 * (replay_world.h). Held against a journal, messages are decoded anew and take the place
 * of the journal's own; all other facts are the journal's. */
#ifndef RC_REPLAY_H
#define RC_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "policies/load.h"
#include "reconciler/core/action.h"
#include "reconciler/io/fail.h"
#include "simulator/replay/replay_source.h"

enum { RC_REPLAY_NODES = 4096 /* names, where no cluster file gives any */ };

struct rc_replay_options {
    const char *path;
    const char *policy; /* file that takes the place of every recorded policy; NULL = as recorded */
    const char *cluster; /* file that takes the place of every recorded cluster; NULL */
    const char *against; /* journal whose decisions are compared; NULL = the path's own, or none */
    bool quiet;          /* no time-line, only the sum */
    bool is_cut;         /* a journal that ends inside a record, or before its last decisions, is
                          * replayed up to there */
};

struct rc_replay_result {
    uint64_t records, events, decisions;
    uint64_t same, other; /* decisions as recorded, or not */
    uint64_t more;        /* decided now, and nothing at that place then */
    uint64_t first_other; /* record number of the first difference, 0 = none */
    uint64_t state_hash;
    uint64_t messages, ignored, quarantined, duplicates; /* of messages; faults of a trace */
    uint64_t decoded, not_in_path, not_in_journal;       /* of messages against a journal */
    uint64_t asked[RC_ACTION__MAX];                      /* in the obliging world */
    uint64_t opened, closed, unknown;                    /* incidents; instances of strangers */
    char difference[1700]; /* of the first one: recorded, now, and the cause */
    char not_compared[80]; /* what only one of the two sides has; "" = both have all */
    char policy[64];       /* name and hash of the last one in force */
    uint64_t policy_hash;
};

/* Each prints the time-line on standard output. RC_OK also when decisions differ. Otherwise
 * e says what is wrong, with file and line or record: what was printed until then stands,
 * the sum does not come. errs: complaints about a policy or cluster file. */
/* kind: of the path; anything but RC_REPLAY_JOURNAL is messages, held against a journal. */
enum rc_err rc_replay_journal(const struct rc_replay_options *options, enum rc_replay_kind kind,
                              struct rc_replay_result *ret, struct rc_load_errors *errs,
                              struct rc_error *e);
/* kind: RC_REPLAY_LINES, RC_REPLAY_FOLDER or RC_REPLAY_ONE. */
enum rc_err rc_replay_queue(const struct rc_replay_options *options, enum rc_replay_kind kind,
                            struct rc_replay_result *ret, struct rc_load_errors *errs,
                            struct rc_error *e);
enum rc_err rc_replay_trace(const struct rc_replay_options *options, struct rc_replay_result *ret,
                            struct rc_load_errors *errs, struct rc_error *e);

/* simulate replay …; the usage text says the rest. Exit 0 as recorded (or nothing to hold it
 * against, or another policy was asked for), 1 different, or held against a journal that
 * ends elsewhere, 2 usage, 3 unreadable. */
int rc_replay_command(int argc, char **argv);

#endif
