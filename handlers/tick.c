/* tick.c - time has come: nothing but the time is folded, decide looks at
 * the timers that are due. */
#include "handlers/table.h"

static void
tick_apply(struct rc_state *s, const struct rc_event *ev)
{
    (void)s;
    (void)ev;
}

const struct rc_handler rc_handler_tick = {RC_EV_TICK, tick_apply};
