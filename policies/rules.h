/* rules.h - the rules that read a policy: what is wrong with a node, which rule
 * of the policy answers it, and which limit holds an action back. Pure. */
#ifndef RC_RULES_H
#define RC_RULES_H

#include "reconciler/core/state.h"

/* What the facts say of one node right now. */
struct rc_finding {
    enum rc_fault fault;
    bool known;             /* which instance stands behind the name is known, or that none does */
    bool dead;              /* the instance is proved dead: no rank lives */
    int64_t window_wall_ms; /* a scheduled fault: not before; 0 = now */
    int64_t deadline_wall_ms;   /* AWS acts by itself then; 0 = not told */
    const char *code;           /* points into the state */
    const struct rc_told *fact; /* what the agent told, NULL = the fault is of another source */
    bool company;               /* something was passed over because many nodes show it at once */
};

/* classify.c. Well is what is known to be without a fault; what cannot be told is not. */
bool rc_finding_well(const struct rc_finding *f);
struct rc_finding rc_diagnose(const struct rc_state *s, uint32_t node);
/* The first rule whose conditions hold, or NULL. */
const struct rc_rule *rc_policy_match(const struct rc_state *s, uint32_t node,
                                      const struct rc_finding *f);
/* judge.c: the worst of what the node's agent tells, when it is worse than the finding. */
void rc_judge_told(const struct rc_state *s, uint32_t node, struct rc_finding *f);
/* As many nodes show this fault at once as the limit says, or all of a small cluster. */
bool rc_in_company(const struct rc_state *s, enum rc_fault fault, const struct rc_limit *l);
/* A rule of the policy, or of the core, by its name; NULL = none has it. */
const struct rc_rule *rc_rule_named(const struct rc_state *s, const char *name);
bool rc_instance_dead(const struct rc_state *s, uint32_t instance);

/* ladder.c */
const struct rc_rung *rc_rung_now(const struct rc_incident *inc);
/* After a failed try: same rung again, or the next; false = the ladder is used up. */
bool rc_rung_next(const struct rc_incident *inc, uint32_t *ret_rung, uint32_t *ret_tries);
/* Since when its jobs have been treated by its present rule. */
int64_t rc_jobs_since(const struct rc_incident *inc);
/* When jobs are to be requeued (core time), RC_NEVER = never. */
int64_t rc_jobs_requeue_at(const struct rc_state *s, const struct rc_incident *inc);
/* When they are signalled once more before that, RC_NEVER = not. */
int64_t rc_jobs_last_signal_at(const struct rc_state *s, const struct rc_incident *inc);

/* limits.c: RC_BLOCK_NONE, or what holds it back; *ret_wake_ms = when to ask again. */
enum rc_block rc_may_touch(const struct rc_state *s, const struct rc_node *n);
/* The budgets limit what we choose to take out; what AWS takes is not ours to choose. */
struct rc_take {
    enum rc_block block;
    int64_t wake_ms; /* RC_NEVER = when something changes */
    bool with_job;   /* its jobs have all lost a node to us: the budgets of nodes do not count it */
};
struct rc_take rc_may_take_out(const struct rc_state *s, const struct rc_incident *inc,
                               const struct rc_finding *f);
/* Nodes of a scope's row that stand in its budget: those in quarantine only in part. */
uint32_t rc_out_of_scope(const struct rc_state *s, uint32_t row);
bool rc_fault_is_our_choice(uint32_t fault);
enum rc_block rc_may_act(const struct rc_state *s, const struct rc_node *n,
                         enum rc_action_kind kind, int64_t *ret_wake_ms);
bool rc_attempts_used_up(const struct rc_state *s, const struct rc_node *n);
bool rc_leads(const struct rc_state *s);
uint32_t rc_breaker_count(const struct rc_state *s); /* incidents opened in the breaker's window */
uint32_t rc_limit_allows(const struct rc_limit *l, uint32_t total);

#endif
