/* stored.h - what the incident store says against what this controller remembers.
 *
 * A controller may come back with an old journal, or have been without the lease while
 * another one worked. With each new epoch the store's open items are told (ADOPT) before
 * the lease is: it is the truth about every incident that had once been saved. */
#ifndef RC_STORED_H
#define RC_STORED_H

#include "reconciler/core/state.h"

/* An item of the store as the event that tells the core of it. */
void rc_stored_event(struct rc_event *ret, const char node[RC_NODE_LEN], uint32_t incident,
                     const struct rc_act_incident *item);
/* A write of ours lost its condition: its epoch is over, and the core is told so. */
void rc_stored_refused(struct rc_event *ret, const struct rc_action *put);
/* The store names this incident now. */
void rc_stored_told(struct rc_state *s, uint32_t slot);
/* What the item says is what is remembered, or only what we know is newer. */
bool rc_stored_agrees(const struct rc_state *s, uint32_t slot, const struct rc_ev_adopt *item);
/* It has gone on elsewhere: forgotten without any action. */
void rc_stored_drop(struct rc_state *s, uint32_t slot);
/* The whole list has been told, in the new epoch: what was saved once and is not in it is
 * over, and so is what could not be saved before another controller led. */
void rc_stored_listed(struct rc_state *s, uint64_t epoch);

#endif
