/* ec2_state_change.c - EC2 tells of a new instance state. Out of order and
 * twice are normal, so nothing leaves the grave, and a running that is older
 * than a later stop is mended by the next sweep. */
#include "handlers/table.h"

#include "reconciler/core/fact.h"

static void
ec2_state_change_apply(struct rc_state *s, const struct rc_event *ev)
{
    uint32_t slot = rc_fact_instance(s, ev);

    if (!slot) {
        return;
    }
    rc_instance_set_state(s, slot, (enum rc_instance_state)ev->u.state_change.state);
    rc_fact_touch(s, ev, slot);
}

const struct rc_handler rc_handler_ec2_state_change = {RC_EV_EC2_STATE_CHANGE,
                                                       ec2_state_change_apply};
