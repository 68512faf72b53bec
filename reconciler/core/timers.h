/* timers.h - one timer a node, in an indexed binary heap; and the queue of
 * nodes that the next decide must look at. Ties go by slot, so order is defined. */
#ifndef RC_TIMERS_H
#define RC_TIMERS_H

#include "reconciler/core/state.h"

/* RC_NEVER takes the node out. */
void rc_timer_set(struct rc_state *s, uint32_t node, int64_t wake_ms);
int64_t rc_timer_next(const struct rc_state *s); /* RC_NEVER when none */
/* Touches every node whose timer is due. */
void rc_timers_expire(struct rc_state *s);

void rc_touch(struct rc_state *s, uint32_t node); /* idempotent; slot 0 is ignored */
uint32_t rc_touch_pop(struct rc_state *s);        /* 0 = empty */

#endif
