/* shrink.h - the shortest schedule that still fails the same checker. */
#ifndef RC_SHRINK_H
#define RC_SHRINK_H

#include "simulator/cluster/play.h"

/* Delta debugging over the rows, then a smaller cluster and a kinder network. plan is
 * changed in place, *result is that of the last play that failed. Returns the number
 * of plays it took. */
unsigned rc_shrink(struct rc_plan *plan, struct rc_play_result *result);

#endif
