/* fleet.c - EC2 Fleet tells of an error or of an instance. We launch with
 * RunInstances, so this is about somebody else's fleet: counted, nothing done. */
#include "handlers/table.h"

static void
fleet_apply(struct rc_state *s, const struct rc_event *ev)
{
    (void)s;
    (void)ev;
}

const struct rc_handler rc_handler_fleet = {RC_EV_FLEET, fleet_apply};
