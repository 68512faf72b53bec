/* story.h - a core under test: a small cluster, a plain policy, events in,
 * actions out as one line each, and the completions of a friendly world. */
#ifndef RC_TEST_STORY_H
#define RC_TEST_STORY_H

#include "reconciler/core/state.h"

struct story {
    struct rc_state *s;
    struct rc_cluster cluster;
    struct rc_policy policy;
    struct rc_actions out;
    int64_t at_ms, wall_ms;
    uint64_t msg;
    char trace[8192]; /* every action since the last story_clear(), "kind node;" */
    struct rc_action last[RC_ACTION__MAX]; /* newest action of each kind */
    unsigned count[RC_ACTION__MAX];
    uint64_t put[1024]; /* item writes of this step, to be answered */
    unsigned put_count;
};

/* `nodes` nodes n1..nN in partition gpu, each with instance i-1.. at 10.0.0.N; leads. */
void story_begin(struct story *st, unsigned nodes);
void story_end(struct story *st);
void story_clear(struct story *st);
void story_load(struct story *st); /* delivers the (changed) policy */

void story_give(struct story *st, struct rc_event *ev); /* stamps and steps */
void story_wait(struct story *st, int64_t ms);          /* time passes; due ticks are delivered */
void story_message(struct story *st, uint64_t id_hash, struct rc_event *ev);
void story_state(struct story *st, const char *instance, enum rc_instance_state state);
void story_node(struct story *st, const char *node, const char *addr, uint32_t flags,
                enum rc_owner owner);
/* The node runs this job, which stands on so many nodes. */
void story_job(struct story *st, const char *node, const char *addr, uint32_t flags, uint32_t job,
               uint32_t nodes);
void story_instance(struct story *st, const char *id, const char *node, const char *addr,
                    enum rc_instance_state state);
/* Its status checks: that of the system, and a good one of the instance. */
void story_checks(struct story *st, const char *instance, enum rc_check system);
void story_sweep(struct story *st);
/* What a person says; node "" and incident 0 where the verb has none. */
void story_operate(struct story *st, enum rc_operator_verb verb, const char *node,
                   uint32_t incident);
/* What the store has of the node ("" = of the cluster), written by the leader of that epoch. */
void story_history(struct story *st, const char *node, const struct rc_history *h, uint64_t epoch);
void story_lose_lease(struct story *st);
void story_take_lease(struct story *st, uint64_t epoch);
/* Answers the newest action of this kind. */
void story_answer(struct story *st, enum rc_action_kind kind, enum rc_err error);
void story_launched(struct story *st, const char *id, const char *addr);
struct rc_incident *story_incident(struct story *st, const char *node); /* NULL = none */

#endif
