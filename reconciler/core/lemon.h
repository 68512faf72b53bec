/* lemon.h - hosts that fail again and again, and hosts that were bad before.
 *
 * Marks of 28 days, a digit a day (61 at most), in the manner of Meta's lemon nodes. All seven of
 * their signals are there: xid_cnt (xid), out_count (out), multi_node_node_fails (multi),
 * single_node_node_fails (single), single_node_node_failure_rate (rate: tenths of the jobs on
 * this node alone), excl_jobid_count (excluded), tickets (ticket); ours besides: jobs with a
 * program's fault, hosts replaced. From polls, not from accounting: a job that came and went
 * between two of them is not seen. Marks belong to the hardware: another host begins anew, and
 * only the times that a host was replaced stay with the name. A host is known by the serial numbers
 * of its GPUs, whatever EC2 calls it. */
#ifndef RC_LEMON_H
#define RC_LEMON_H

#include "reconciler/core/turn.h"

void rc_lemon_mark(struct rc_state *s, uint32_t node, enum rc_mark mark);
/* Weighted marks of the window; with_name: also those that stay with the name. */
uint32_t rc_lemon_score(const struct rc_state *s, uint32_t node, bool with_name);
/* These jobs (of a node's row) were lost with the node; began on it since the row before. */
void rc_lemon_lost(struct rc_state *s, uint32_t node, const struct rc_node_job *jobs);
void rc_lemon_began(struct rc_state *s, uint32_t node, const struct rc_node_job *jobs,
                    const struct rc_node_job *before);
/* Jobs whose owners excluded the node; each counts once, or is only remembered. */
void rc_lemon_excluded(struct rc_state *s, uint32_t node, const uint32_t *jobs, bool count);
/* A fault of the hardware, not of AWS's plans, of people or of programs. */
bool rc_fault_is_hardware(uint32_t fault);
/* The serial numbers of the host behind the node, as the gate or forensics read them. */
void rc_lemon_serials(struct rc_state *s, uint32_t node, const char *serials);
/* Another instance stands behind the name now. */
void rc_lemon_another_host(struct rc_state *s, uint32_t node);
/* The host behind the node is bad: it is known again under any name. */
void rc_lemon_bad_host(struct rc_state *s, uint32_t node, const char *instance);
/* What the store says of it. */
void rc_lemon_take(struct rc_state *s, uint32_t node, const struct rc_lemon *past);

/* Asks once an incident for the text that a person sends to AWS. */
void rc_turn_case(struct rc_turn *t, const char *why);
/* The rung to go to at once, because this host has had its chances; the present one = none. */
uint32_t rc_turn_lemon_rung(const struct rc_turn *t);

#endif
