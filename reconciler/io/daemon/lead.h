/* lead.h - this daemon's part in leading: takes, renews and gives back the lease,
 * reads the store before the core is told of a new epoch, and knows who leads.
 *
 * A lease that is ours while the store cannot be read, or says what cannot be, is kept
 * but not told to the core: nobody acts until a person has looked. A store that only
 * this daemon cannot reach is left to the other one after a term. */
#ifndef RC_LEAD_H
#define RC_LEAD_H

#include "reconciler/io/daemon/daemon.h"

struct rc_lead;

struct rc_lead *rc_lead_new(struct rc_daemon *d);
void rc_lead_free(struct rc_lead *l);

/* What is known of the lease, for people and metrics. */
struct rc_lead_view {
    char owner[RC_NODE_LEN]; /* who holds it; "" = nobody, or not known */
    uint64_t epoch;          /* 0 = not known */
    int64_t since_wall_ms;   /* since when it is held; 0 = not known */
    int64_t age_ms;          /* since the last good answer; -1 = none yet */
    const char *error;       /* why it cannot be asked or used; "" = well */
    bool yielding;           /* given back, left to the other one */
};
void rc_lead_view(const struct rc_lead *l, struct rc_lead_view *ret);

/* An orderly hand-over: a take-over of slurmctld that was asked for gets some seconds to end,
 * writes of the store that are under way a moment, then the lease is given back. done is
 * called once; RC_E_NO_LEASE: not ours. The daemon does not take it again for two terms
 * unless nobody else does. */
typedef void(rc_lead_yield_fn)(void *arg, enum rc_err code);
void rc_lead_yield(struct rc_lead *l, rc_lead_yield_fn *done, void *arg);
/* End of a turn: goes on with a hand-over. */
void rc_lead_follow(struct rc_lead *l);
/* A write of the store begins (+1) or has its answer (-1). */
void rc_lead_store_busy(struct rc_lead *l, int change);

#endif
