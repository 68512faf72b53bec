/* health.h - what a node's own agent tells of it: which faults stand, and since when.
 *
 * A fault belongs to a boot. It stands until the agent's list has it no more, the node
 * boots anew, or a repair was proved by the gate after the last news of it. */
#ifndef RC_HEALTH_H
#define RC_HEALTH_H

#include "reconciler/core/state.h"

/* A whole list replaces the one before; what both have keeps its history. */
void rc_health_tell(struct rc_state *s, uint32_t node, const struct rc_ev_node_faults *list);
bool rc_told_stands(const struct rc_state *s, uint32_t node, const struct rc_told *t);

#endif
