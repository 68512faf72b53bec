/* instance.c - one row of DescribeInstances (or of the RunInstances reply):
 * what an instance is, whose it is and which node name it is tagged for; or that
 * a complete pass did not show an instance that was known. */
#include "handlers/table.h"

#include "reconciler/core/fact.h"

static void
instance_apply(struct rc_state *s, const struct rc_event *ev)
{
    uint32_t slot;

    if (ev->u.described.absent) {
        slot = rc_instance_find(s, ev->instance);
        if (slot) {
            rc_instance_absent(s, slot);
        }
        return;
    }
    slot = rc_fact_instance(s, ev);
    if (slot) {
        rc_instance_describe(s, slot, &ev->u.described);
        rc_fact_touch(s, ev, slot);
    }
}

const struct rc_handler rc_handler_instance = {RC_EV_INSTANCE, instance_apply};
