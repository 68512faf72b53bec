/* standing.h - since when a node has shown a fault, for the time that a rule wants it to stand. */
#ifndef RC_STANDING_H
#define RC_STANDING_H

#include "reconciler/core/state.h"

/* This fault (enum rc_fault, NONE = none) is the worst that the node shows now. Returns since
 * when something at least as bad has stood without a break. */
int64_t rc_standing_note(struct rc_standing *st, uint32_t fault, int64_t now_ms);
/* Nothing worse than this stands now; since when it stands itself is not asked. */
void rc_standing_cut(struct rc_standing *st, uint32_t fault);

#endif
