/* spare.h - hot spares: running instances without a name, kept ready to take one over.
 *
 * A spare stands in a place, a node row "spare/GROUP/K" that slurmctld never hears of
 * (no Slurm node name has a slash). An empty place is a fault like a lost instance: its own
 * incident launches into it, by the same machinery, limits and items as a node's. A node's
 * incident takes a spare in three steps: its item names the spare (saved before anything
 * is done, so a successor knows), the instance is tagged for the node (ec2.assign), and from
 * then on it is the incident's replacement, up already: register, join, gate. The place is
 * empty again, and fills.
 *
 * Invariants: an item names a spare before its tags do; one whose tags were asked for is never
 * taken by another incident, for the answer may be lost and the tags stand; a spare that an open
 * incident names is taken by no other; a row that tells the old tags (EC2 is consistent only in the
 * end) does not put an instance back into its place; none is given before it was seen in its place
 * since we lead. */
#ifndef RC_SPARE_H
#define RC_SPARE_H

#include "reconciler/core/turn.h"

/* The group (1-based) and place of "spare/GROUP/K"; 0 = no such name, or no such group. */
uint32_t rc_spare_group(const struct rc_cluster *c, const char *name, uint32_t *ret_place);
/* Makes the rows of all places that the policy wants; those that are there stay. */
void rc_spare_places(struct rc_state *s);
/* Does the policy want this place filled? */
bool rc_spare_wanted(const struct rc_state *s, const struct rc_node *n);
/* The running, healthy spare that this node may take now; 0 = none. */
uint32_t rc_spare_ready(const struct rc_state *s, const struct rc_node *n);
/* There may be one, but the place was not seen since we lead. */
bool rc_spare_unseen(const struct rc_state *s, const struct rc_node *n);

/* Within a launch: true when a spare answers for it (named, or on its way to the node). */
bool rc_spare_take(struct rc_turn *t);
/* The phase of a place's incident before its launch. */
bool rc_spare_open(struct rc_turn *t);
/* A place that is not wanted any more, or holds more than one. */
void rc_spare_end_extra(struct rc_turn *t);
/* The incident does not need the spare that it named, or has it: the name is free again. */
void rc_spare_release(struct rc_state *s, const struct rc_incident *inc);
/* Completion of ec2.assign: the tags stand. */
void rc_spare_assigned(struct rc_state *s, struct rc_incident *inc);

extern const struct rc_rule rc_spare_rule; /* answers every fault of a place */

#endif
