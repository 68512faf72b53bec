/* check.h - the checkers: what must never happen, one file each, and what must
 * always happen. They look at the truth of the virtual world, at what a controller
 * decided and at what it sent, never at what the core believes to be allowed.
 *
 * A checker that finds something calls rc_play_fail(); the first find ends the play. */
#ifndef RC_CHECK_H
#define RC_CHECK_H

#include "simulator/cluster/play_private.h"

/* After each step of a controller: c->out was decided. */
void rc_check_step(struct rc_ctl *c, const struct rc_event *ev);
/* An action leaves the controller. */
void rc_check_start(struct rc_ctl *c, const struct rc_action *a);
/* After each turn of the world. */
void rc_check_world(struct rc_play *p);
/* A controller died; amnesia: also what it remembered. */
void rc_check_forget(struct rc_ctl *c, bool amnesia);

/* Effects, right before they happen (launched: right after). */
void rc_check_touched(struct rc_play *p, const struct rc_action *a,
                      const struct rc_sim_instance *inst);
/* made: NULL = the same token again, nothing new. */
void rc_check_launched(struct rc_play *p, const struct rc_action *a,
                       const struct rc_sim_instance *made);
void rc_check_assigned(struct rc_play *p, const struct rc_action *a,
                       const struct rc_sim_instance *inst);
void rc_check_register(struct rc_play *p, const struct rc_action *a, uint32_t node);
void rc_check_jobs_down(struct rc_play *p, const struct rc_action *a); /* DOWN */
void rc_check_resume(struct rc_play *p, const struct rc_action *a);
void rc_check_gate(struct rc_play *p, const struct rc_action *a, enum rc_err verdict);
void rc_check_epoch(struct rc_play *p, const struct rc_ctl *c);
void rc_check_takeover(struct rc_play *p, const struct rc_action *a, uint32_t to);
void rc_check_writers(struct rc_play *p);
/* No slurmctld serves, and none will before a person has looked. */
bool rc_check_pair_is_for_people(const struct rc_ctl *c);
bool rc_check_pair_rests(const struct rc_play *p, const struct rc_ctl *c, char *why, size_t room);
/* By how much the wall clocks were set so far, all steps together. */
int64_t rc_check_clocks_set_ms(const struct rc_play *p);
void rc_check_delete(struct rc_ctl *c, const struct rc_held *h);

/* Nothing stood in the daemon's way since then (world time). */
bool rc_check_calm(const struct rc_play *p, int64_t from_ms);
int64_t rc_check_soon_ms(const struct rc_play *p);
/* As slurmctld has it, or NULL. */
const struct rc_sim_node *rc_check_sim_node(const struct rc_play *p, const char *name);
const struct rc_item *rc_check_item(const struct rc_play *p, uint32_t incident); /* or NULL */
const struct rc_rule *rc_check_rule(const struct rc_play *p, const char *name);  /* or NULL */

/* HISTORY_PUT: the store has it. */
void rc_check_stored(struct rc_play *p, const struct rc_action *a, uint32_t ctl);

/* Has the cluster come to rest where it should? why: what is still missing. */
bool rc_check_rest(struct rc_play *p, char *why, size_t room);

/* One a file; called from the above. */
void rc_check_lease_at_start(struct rc_ctl *c, const struct rc_action *a);
void rc_check_ours_at_start(struct rc_ctl *c, const struct rc_action *a);
void rc_check_ours_touched(struct rc_play *p, const struct rc_action *a,
                           const struct rc_sim_instance *inst);
void rc_check_running_job_at_start(struct rc_play *p, const struct rc_action *a);
void rc_check_running_job(struct rc_play *p, const struct rc_action *a,
                          const struct rc_sim_instance *inst);
void rc_check_admission_world(struct rc_play *p);
void rc_check_files(struct rc_play *p, const struct rc_action *a, uint32_t node);
void rc_check_gate_broken(struct rc_play *p, const char *node);
void rc_check_gate_at_start(struct rc_ctl *c, const struct rc_action *a);
/* A replacement that never served is ended whatever rates and approvals say: it costs money. */
bool rc_check_is_cleanup(const struct rc_action *a);
/* The store was told that it is closed: until then another leader goes on with its approval. */
void rc_check_orders_closed(struct rc_play *p, uint32_t incident);
void rc_check_orders_step(struct rc_ctl *c, const struct rc_event *ev);
void rc_check_orders_at_start(struct rc_ctl *c, const struct rc_action *a);
void rc_check_orders_stored(struct rc_play *p, const struct rc_action *a, uint32_t ctl);
void rc_check_orders_forget(struct rc_ctl *c);
bool rc_check_changes_node(uint32_t kind);
void rc_check_attempts_step(struct rc_ctl *c, const struct rc_event *ev);
void rc_check_attempts_stored(struct rc_play *p, const struct rc_action *a, uint32_t ctl);
void rc_check_attempts_forget(struct rc_ctl *c);
void rc_check_cooldown(struct rc_ctl *c, const struct rc_action *a, bool opens);
void rc_check_cooldown_stored(struct rc_play *p, const struct rc_action *a, uint32_t ctl);
void rc_check_cooldown_forget(struct rc_ctl *c);
void rc_check_jobs_step(struct rc_ctl *c);
void rc_check_jobs_at_start(struct rc_ctl *c, const struct rc_action *a);
void rc_check_owed_step(struct rc_ctl *c);
void rc_check_owed_world(struct rc_play *p);
void rc_check_confirm_step(struct rc_ctl *c, const struct rc_event *ev);
void rc_check_confirm_world(struct rc_play *p);
void rc_check_confirm_forget(struct rc_ctl *c);
/* INCIDENT_PUT: row is what the store has of it. */
void rc_check_regress(struct rc_play *p, const struct rc_item *row, const struct rc_action *a);
void rc_check_regress_launched(struct rc_play *p, const struct rc_action *a);
void rc_check_person_resumes(struct rc_play *p, uint32_t node);
void rc_check_person_forget(struct rc_ctl *c);
void rc_check_person_world(struct rc_play *p);
void rc_check_person_stored(struct rc_play *p, const struct rc_action *a);
void rc_check_person_step(struct rc_ctl *c);
void rc_check_return_read(struct rc_ctl *c, uint32_t node);
void rc_check_return_led(struct rc_ctl *c);
void rc_check_return_step(struct rc_ctl *c);
/* GATE, FORENSICS: its serial numbers are read, by this controller. */
void rc_check_return_serials(struct rc_play *p, uint32_t node, uint32_t ctl);
void rc_check_return_forget(struct rc_ctl *c);
void rc_check_rebooted(struct rc_play *p, const struct rc_action *a,
                       const struct rc_sim_instance *inst);
/* DRAIN: right before slurmctld takes it. */
void rc_check_shut(struct rc_play *p, const struct rc_action *a);
void rc_check_rates_decided(struct rc_ctl *c, const struct rc_action *a, bool is_free);
void rc_check_rates_answered(struct rc_ctl *c, const struct rc_event *ev); /* COMPLETION */
/* HISTORY: of this node. */
void rc_check_rates_told(struct rc_ctl *c, const char *node);
void rc_check_rates_found(struct rc_ctl *c);
void rc_check_rates_sent(struct rc_ctl *c, const struct rc_action *a);
void rc_check_rates_launched(struct rc_play *p, const struct rc_action *a);
void rc_check_rates_stored(struct rc_play *p, const struct rc_action *a, uint32_t ctl);
void rc_check_limits_stored(struct rc_play *p, const struct rc_action *a, uint32_t ctl);
void rc_check_rates_forget(struct rc_ctl *c);
void rc_check_order_launched(struct rc_play *p, const struct rc_action *a);
void rc_check_order_taken(struct rc_ctl *c, uint32_t node, const struct rc_incident *inc);
void rc_check_limits_out(struct rc_ctl *c, const struct rc_action *a, bool adopting);
/* It starts, with what its journal says. */
void rc_check_limits_start(struct rc_ctl *c);
void rc_check_limits_end(struct rc_ctl *c);
void rc_check_limits_step(struct rc_ctl *c, const struct rc_event *ev);
void rc_check_messages_step(struct rc_ctl *c, const struct rc_event *ev);
/* A life has ended, and its journal is whole; twin: as that life began. */
void rc_check_same_decision(struct rc_ctl *c, struct rc_state *twin);
void rc_check_company(struct rc_ctl *c, const struct rc_action *a);

#endif
