/* gang.h - which running jobs have lost a node to us, and how many each.
 *
 * A job whose node we take out ends on all of its nodes, so the price of a node is the
 * whole gang, and a second node of the same gang costs that job nothing more. A job
 * stands here from the moment an incident takes a node from it until that incident
 * closes, whether it was started again meanwhile or not: a job that breaks one node
 * after the other stays one job. Counted are only rules that cut jobs short. */
#ifndef RC_GANG_H
#define RC_GANG_H

#include "reconciler/core/state.h"

/* The incident's node is taken out (its jobs are remembered) or given back. */
void rc_gang_take(struct rc_state *s, struct rc_incident *inc);
void rc_gang_give_back(struct rc_state *s, struct rc_incident *inc);
/* Nodes of this job that are out by us now. */
uint32_t rc_gang_out(const struct rc_state *s, uint32_t job);
/* After growth: the buckets anew. */
void rc_gang_hang_all(struct rc_state *s);

#endif
