/* turn.h - one node's turn in decide: its facts, its incident, and the few
 * verbs in which the phases are written. Inner header of the core. */
#ifndef RC_TURN_H
#define RC_TURN_H

#include "policies/rules.h"
#include "reconciler/core/state.h"

enum { RC_LOOK_EVERY_MS = 3000 }; /* DescribeInstances of one id while it boots or stops */

struct rc_turn {
    struct rc_state *s;
    struct rc_actions *out;
    uint32_t node;
    struct rc_node *n;
    uint32_t slot; /* of the incident */
    struct rc_incident *inc;
    struct rc_finding finding;
    int64_t wake_ms; /* earliest time at which this node must be looked at again */
};

/* A phase does what is missing and returns true when it has gone to another phase. */
typedef bool(rc_phase_fn)(struct rc_turn *t);
rc_phase_fn rc_phase_open, rc_phase_protect, rc_phase_wait_idle, rc_phase_reset, rc_phase_reboot,
    rc_phase_stop, rc_phase_start, rc_phase_launch, rc_phase_boot, rc_phase_register, rc_phase_join,
    rc_phase_gate, rc_phase_return, rc_phase_retire, rc_phase_quarantine;

void rc_turn_wake(struct rc_turn *t, int64_t at_ms);
/* Remembers why nothing is done, asks again at wake_ms; always false. */
bool rc_turn_block(struct rc_turn *t, enum rc_block block, int64_t wake_ms);
/* True when the phase's action may be sent now: none in flight, back-off over. */
bool rc_turn_ready(struct rc_turn *t);
/* The item stands in the store as it is here; irreversible actions wait for that. */
bool rc_turn_is_saved(struct rc_turn *t);
/* Ready, and the limits allow an action of this kind; its item is saved if it must be. */
bool rc_turn_may(struct rc_turn *t, enum rc_action_kind kind);
/* To another phase; writes the incident item. Always true. */
bool rc_turn_go(struct rc_turn *t, enum rc_phase to, const char *why);
/* The same with this instance as the replacement. */
bool rc_turn_go_with(struct rc_turn *t, enum rc_phase to, uint32_t instance, const char *why);
/* Out of service: to the drain, within the budgets or beside them (with_job). */
bool rc_turn_take_out(struct rc_turn *t, bool with_job);
/* Writes the item anew without a change of phase. */
void rc_turn_save(struct rc_turn *t, const char *why);
/* The item names this spare as the replacement: the intent, before its tags are changed. */
void rc_turn_name_new(struct rc_turn *t, const char *id, const char *why);
/* New tokens from now on, and no replacement; only through the item, so that a replay counts alike.
 */
void rc_turn_next_attempt(struct rc_turn *t, const char *why);
/* The same when a hold or an approval is not in the item yet. */
void rc_turn_save_words(struct rc_turn *t);
/* A worse fault answers to another rule; the ladder may begin anew. Where it takes the node out,
 * it may do so beside the budgets (with_job). */
void rc_turn_raise(struct rc_turn *t, const struct rc_rule *rule, bool restart_ladder,
                   bool with_job);
/* This try of the rung has failed: same rung again, next rung, or quarantine. Always true. */
bool rc_turn_fail(struct rc_turn *t, const char *why);
/* To another rung of the ladder without a try of the present one. Always true. */
bool rc_turn_to_rung(struct rc_turn *t, uint32_t rung, const char *why);
/* Drained, seen after the drain was accepted, and no job on it; or proved dead. */
bool rc_turn_idle(const struct rc_turn *t);
/* The first of these alone, also where the instance has ended since. */
bool rc_turn_drained_idle(const struct rc_turn *t);
/* The fold number after which what slurmctld shows of the node was read; 0 = never. */
uint64_t rc_node_fresh_at(const struct rc_state *s, const struct rc_node *n);
/* Its row was not read since we lead: of a process that stood still it lay in the line, is dated
 * when that woke up, and tells of a time in which another leader may have acted. */
bool rc_node_is_stale(const struct rc_state *s, const struct rc_node *n);
/* Sends the drain anew when it is gone; true while it is missing. */
bool rc_turn_drain_again(struct rc_turn *t);
/* Right before something destructive: back to waiting when the node is in use again
 * (an action may have waited for hours). True when it went back. */
bool rc_turn_busy_again(struct rc_turn *t);
/* Terminates a replacement that never served, if there is one. */
void rc_turn_end_replacement(struct rc_turn *t);
/* The phase's action was accepted, and its effect is still awaited. When it was not seen
 * in time, ACCEPTED is taken back: once more. */
bool rc_turn_awaits(struct rc_turn *t, int64_t timeout_ms);
/* leftover.c: instances that were launched for an incident and serve nobody. */
void rc_turn_end_leftovers(struct rc_turn *t);
/* Ends one such instance when whoever could want it has had its time. */
void rc_turn_end_leftover(struct rc_turn *t, const struct rc_instance *i, const char *why);
/* The same within an incident: those of its earlier tries. */
void rc_turn_end_earlier(struct rc_turn *t);
/* Time-out of the phase, measured from its begin. */
bool rc_turn_phase_over(struct rc_turn *t, int64_t timeout_ms);
/* Tells people once an incident (flag). */
void rc_turn_tell(struct rc_turn *t, enum rc_incident_flag once, const char *text);

/* u.host of an action: where, and which device of which boot. */
void rc_turn_host(const struct rc_turn *t, struct rc_action *a);

/* Build, then send: mints the id, appends to the output, notes the intent. */
void rc_act_init(const struct rc_turn *t, struct rc_action *a, enum rc_action_kind kind,
                 int64_t timeout_ms);
void rc_act_send(struct rc_state *s, struct rc_actions *out, struct rc_action *a);

/* The launch of a replacement, in its own phases or beside the wait for idle. */
enum rc_launch_step { RC_LAUNCH_BUSY, RC_LAUNCH_UP, RC_LAUNCH_LOST };
enum rc_launch_step rc_turn_launch(struct rc_turn *t);
/* early.c. The same where the rule does not wait for an idle node; true = lost. */
bool rc_turn_launch_early(struct rc_turn *t);
/* Make before break: may the node be drained now? */
enum rc_make_first { RC_MAKE_DONE, RC_MAKE_WAITS, RC_MAKE_LOST };
enum rc_make_first rc_turn_make_first(struct rc_turn *t);
/* The old instance goes before the new one is launched. */
bool rc_turn_stop_first(const struct rc_turn *t);
/* The incident is about a generation that is gone: another repair has replaced it. */
bool rc_turn_replaced_before(const struct rc_turn *t);
/* The instance that a rung on the old one would act on stands behind the name, and lives. */
bool rc_turn_old_serves(const struct rc_turn *t);
/* The old instance is not proved dead. */
bool rc_turn_old_lives(const struct rc_turn *t);
/* The node's attempts are used up, and this try is not one of them. */
bool rc_turn_used_up(const struct rc_turn *t);
/* The rung's pause before another try is not over: blocked by it. */
bool rc_turn_pauses(struct rc_turn *t);
/* Ask EC2 about an instance soon; at most one question in flight. */
void rc_turn_look(struct rc_turn *t, uint32_t instance);
/* How long what cannot be told yet waits for a look: for the next reading, and for what others
 * show. */
enum { RC_UNREAD_AGAIN_MS = 10 * 1000, RC_COMPANY_AGAIN_MS = 60 * 1000 };

/* decide.c. A person took the node back knowing of what it shows now. */
bool rc_turn_is_yielded(const struct rc_turn *t);
/* Has slurmd registered from the instance that stands behind the node now? */
bool rc_node_joined(const struct rc_node *n, int64_t not_before_wall_ms);
/* What the boot of a reboot that is asked for now comes after. */
int64_t rc_boot_after(const struct rc_node *n, int64_t asked_wall_ms);

/* decide.c */
void rc_decide(struct rc_state *s, struct rc_actions *out);
/* note.c: full jitter back-off, from the seed and the action id alone. */
int64_t rc_backoff_ms(const struct rc_state *s, uint64_t id, uint32_t retries);
/* ack.c */
void rc_ack_decide(struct rc_state *s, struct rc_actions *out);
/* One more part of the event's message is folded. */
void rc_ack_part(struct rc_state *s, const struct rc_event *ev);
void rc_ack_effect(struct rc_state *s, uint64_t msg);
/* An incident whose oldest unsaved write is this one gives way to what the store says of it:
 * what its messages told is decided anew, and they wait until that is saved. */
void rc_ack_anew(struct rc_state *s, uint64_t unsaved);
void rc_unsaved_add(struct rc_state *s, uint32_t slot, uint64_t id);
void rc_unsaved_done(struct rc_state *s, uint32_t slot);
int64_t rc_ack_wake(const struct rc_state *s);
void rc_retry_closed(struct rc_state *s, struct rc_actions *out);
/* budget.c */
void rc_rate_push(struct rc_rate *r, int64_t at_ms);
void rc_rate_insert(struct rc_rate *r, int64_t at_ms); /* not the newest, perhaps */
void rc_rate_remove(struct rc_rate *r, int64_t at_ms); /* nothing when it is not there */
void rc_budget_count(struct rc_state *s, uint32_t slot, bool out);
/* The incident came into quarantine, or out of it. */
void rc_budget_aside(struct rc_state *s, uint32_t slot);
void rc_budget_in_scope(struct rc_scope_row *r, const struct rc_incident *inc, bool in);
void rc_budget_action(struct rc_state *s, uint32_t node, enum rc_action_kind kind);
/* Does this launch stand in the rates already? A retry costs nothing, as at most one instance
 * comes of both; one that comes half an hour later (the daemon was away) counts anew. */
bool rc_budget_counted(const struct rc_state *s, const struct rc_incident *inc, uint32_t option);
/* The newest launch of the node's scopes did not happen. */
void rc_budget_refund(struct rc_state *s, uint32_t node);
bool rc_breaker_incident(struct rc_state *s); /* true: it opened the breaker */
int64_t rc_breaker_wake(const struct rc_state *s);

#endif
