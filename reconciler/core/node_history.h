/* node_history.h - one node's past, as the other controller must find it: what limits
 * and rules look back at. Wall-clock ms, because core time is each controller's own.
 *
 * Written by HISTORY_PUT when something of it has changed, told by HISTORY on a
 * take-over, before the open incidents are. The row of node "" is the cluster's own. */
#ifndef RC_NODE_HISTORY_H
#define RC_NODE_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "reconciler/core/limits.h"

enum {
    RC_HISTORY_HELD = 1U << 0,        /* a node: an operator holds it */
    RC_HISTORY_PAUSED = 1U << 1,      /* the cluster: no new action */
    RC_HISTORY_BREAKER_OPEN = 1U << 2 /* the cluster */
};

/* More can only have been written by hand; from there on it does not count. */
#define RC_HISTORY_WRITES_MAX ((uint64_t)1000000000)

/* What is counted against a host; see lemon.h. X(enum, name, weight that the loader defaults to) */
#define RC_MARKS(X)                                                                                \
    X(RC_MARK_XID, "xid", "1")           /* faults that its agent was certain of */                \
    X(RC_MARK_OUT, "out", "2")           /* taken out of service for its hardware */               \
    X(RC_MARK_MULTI, "multi", "2")       /* jobs of several nodes that were lost with it */        \
    X(RC_MARK_SINGLE, "single", "2")     /* jobs that stood on it alone and were lost */           \
    X(RC_MARK_RUNS, "rate", "1")         /* jobs that stood on it alone and began: see lemon.h */  \
    X(RC_MARK_SUSPECT, "suspect", "1")   /* jobs with a program's fault on it */                   \
    X(RC_MARK_EXCLUDED, "excluded", "1") /* jobs whose users excluded it */                        \
    X(RC_MARK_TICKET, "ticket", "4")     /* support cases */                                       \
    X(RC_MARK_REPLACED, "replaced", "3") /* hosts that the name has used up: stays with the name   \
                                          */
enum rc_mark {
#define RC_MARK_ENUM(mark, name, weight) mark,
    RC_MARKS(RC_MARK_ENUM)
#undef RC_MARK_ENUM
        RC_MARK__MAX
};

/* A host that was bad, by the serial numbers of its GPUs. */
struct rc_known_host {
    char instance[RC_ID_LEN];
    char serials[RC_SERIALS_LEN];
};

struct rc_lemon {
    int64_t day; /* since the epoch, of the first digits; 0 = no marks */
    char mark[RC_MARK__MAX][RC_LEMON_DAYS + 4];  /* a digit of base 62 a day, today first */
    char serials[RC_SERIALS_LEN];                /* of the host behind the node */
    struct rc_known_host bad[RC_NODE_BAD_HOSTS]; /* the latest first */
};

/* How a controller is launched anew. Stored before anything is launched by it, so that every
 * leader sends the same token, whatever it has seen of the lost one. */
struct rc_launch_plan {
    char instance[RC_ID_LEN]; /* that is to be replaced: the last that its daemon told */
    uint32_t attempt;         /* in tokens and tags, from 1; 0 = no plan yet */
    uint32_t option;          /* launch option on trial; at first that of the instance's zone */
};

/* Times oldest first; 0 = none. */
struct rc_history {
    uint64_t epoch;  /* of the leader that wrote it */
    uint64_t writes; /* of this item so far, with this one: of one epoch, more is newer */
    int64_t opened_wall_ms[RC_ATTEMPTS_MAX];
    int64_t repair_wall_ms[RC_ATTEMPTS_MAX];
    int64_t launch_wall_ms[RC_ATTEMPTS_MAX];      /* in the rates of its scopes */
    int64_t destructive_wall_ms[RC_ATTEMPTS_MAX]; /* the same */
    int64_t failover_wall_ms[RC_ATTEMPTS_MAX]; /* the cluster: of slurmctld, begun by ourselves */
    int64_t cooldown_until_wall_ms;
    uint32_t yielded_fault; /* enum rc_fault */
    uint32_t flags;         /* RC_HISTORY_* */
    struct rc_lemon lemon;
    struct rc_launch_plan controller[RC_CONTROLLERS_MAX]; /* the cluster */
};

struct rc_state;
struct rc_node;
struct rc_turn;
struct rc_actions;
struct rc_action;

/* Something that stands in the history of this node (slot; 0 = the cluster) has changed. */
void rc_history_dirty(struct rc_state *s, uint32_t node);
/* The same, by a person's word: hold, release, pause or resume. */
void rc_history_said(struct rc_state *s, uint32_t node);
/* End of a node's turn: writes what has changed, one write at a time. */
void rc_history_decide(struct rc_turn *t);
/* The same for the cluster's own row. */
void rc_history_decide_cluster(struct rc_state *s, struct rc_actions *out);
/* A write was sent; folded like every intent. */
void rc_history_note(struct rc_state *s, const struct rc_action *a);
/* Its answer; error = enum rc_err. */
void rc_history_done(struct rc_state *s, uint32_t node, uint64_t action, uint32_t error);
/* What the store says: the truth, unless this controller itself wrote last. */
void rc_history_take(struct rc_state *s, uint32_t node, const struct rc_history *h);
/* The node's partition or zone is known now: what was taken counts in its rates. */
void rc_history_scope_known(struct rc_state *s, struct rc_node *n);
/* The store has the cluster's row as it is here. */
bool rc_history_is_stored(const struct rc_state *s);
/* When the cluster's row must be looked at again; RC_NEVER = not. */
int64_t rc_history_wake(const struct rc_state *s);

#endif
