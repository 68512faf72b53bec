/* replay_core.h - the core inside a replay: its state, the policy and the cluster that it
 * was given, what it decided last. Inner header of simulator/replay. */
#ifndef RC_REPLAY_CORE_H
#define RC_REPLAY_CORE_H

#include "reconciler/core/state.h"
#include "reconciler/io/config/config.h"
#include "simulator/progress.h"
#include "simulator/replay/replay.h"

struct rc_replay {
    const struct rc_replay_options *options;
    struct rc_replay_result *result;
    struct rc_load_errors *errs;
    struct rc_error *e;
    struct rc_state *state; /* owned */
    struct rc_config config;
    struct rc_policy policy;
    struct rc_policy recorded_policy; /* that another one takes the place of */
    bool has_recorded_policy;
    struct rc_actions now; /* decided by the last step */
    struct rc_progress bar;
    uint64_t read_bytes, total_bytes; /* of what is recorded; total 0: no bar */
};

/* An empty state, large enough for most; it grows between steps. */
void rc_replay_begin(struct rc_replay *r);
void rc_replay_end(struct rc_replay *r);
/* A bar where no time-line is printed to a terminal; kind: of what is read at path. */
void rc_replay_bar(struct rc_replay *r, const char *path, enum rc_replay_kind kind);
void rc_replay_read(struct rc_replay *r, size_t bytes); /* so much more has been read */
void rc_replay_sum(struct rc_replay *r); /* state and policy into the result, at the end */
void rc_replay_grow(struct rc_replay *r);

#endif
