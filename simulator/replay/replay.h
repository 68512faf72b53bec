/* replay.h - a daemon's journal through the same core, decision by decision.
 *
 * Every recorded event is stepped; what the core decides now is held against what
 * the journal says was decided then. Without another policy both must be the same
 * bytes: a difference is a bug, or a core of another release. With another policy
 * the differences are the answer to "what would it have done?". A replay begins at
 * the oldest record, or at the snapshot that a restart wrote; each later snapshot
 * takes the recorded state, because a restart folds and does not decide anew. */
#ifndef RC_REPLAY_H
#define RC_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "policies/load.h"
#include "reconciler/io/fail.h"

struct rc_replay_options {
    const char *journal; /* folder */
    const char *policy; /* file that takes the place of every recorded policy; NULL = as recorded */
    const char *cluster; /* file that takes the place of every recorded cluster; NULL */
    bool quiet;          /* no time-line, only the sum */
};

struct rc_replay_result {
    uint64_t records, events, decisions;
    uint64_t same, other; /* decisions as recorded, or not */
    uint64_t first_other; /* record number of the first difference, 0 = none */
    uint64_t state_hash;
    char difference[512]; /* of the first one: recorded, now, and the likely cause */
};

/* Prints the time-line on standard output. RC_OK also when decisions differ; RC_E_PARSE with
 * file and record for a corrupt journal: what was printed until then stands, the sum does
 * not come. */
enum rc_err rc_replay_journal(const struct rc_replay_options *options, struct rc_replay_result *ret,
                              struct rc_load_errors *errs, struct rc_error *e);

/* simulate replay PATH [--policy FILE] [--cluster FILE] [--quiet] [--json]. Exit 0 as recorded
 * (or another policy was asked for), 1 different, 2 usage, 3 unreadable. */
int rc_replay_command(int argc, char **argv);

#endif
