/* health.h - what a node's own agent tells of it: which faults stand, and since when.
 *
 * A fault belongs to a boot. It stands until the agent's list has it no more, the node
 * boots anew, or a repair is done after the last news of it; what is neither certain nor a
 * lasting condition fades an hour after the last time. */
#ifndef RC_HEALTH_H
#define RC_HEALTH_H

#include "reconciler/core/turn.h"

/* A whole list replaces the one before; what both have keeps its history. */
void rc_health_tell(struct rc_state *s, uint32_t node, const struct rc_ev_node_faults *list);
/* slurmctld's row of the node is new: a job that was not known when its fault was told may be. */
void rc_health_see_job(struct rc_state *s, uint32_t node);
/* Nothing but the agent's list tells of this fault: what the list has no more is over. */
bool rc_fault_is_told(uint32_t fault);
bool rc_told_stands(const struct rc_state *s, uint32_t node, const struct rc_told *t);
/* What was told before now is mended. */
void rc_health_healed(struct rc_state *s, uint32_t node);
/* Counts anew which faults the node shows; by time alone it may be fewer. */
void rc_health_count(struct rc_state *s, uint32_t node);
/* When the next of them fades; RC_NEVER = none. */
int64_t rc_health_wake(const struct rc_state *s, uint32_t node);

/* aside.c: what a node's turn does beside its incident. */
void rc_turn_aside(struct rc_turn *t);

#endif
