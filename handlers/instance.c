/* instance.c - one row of DescribeInstances (or of the RunInstances reply):
 * what an instance is, whose it is and which node name it is tagged for. */
#include "handlers/table.h"

#include "reconciler/core/fact.h"

static void
instance_apply(struct rc_state *s, const struct rc_event *ev)
{
    uint32_t slot = rc_fact_instance(s, ev);

    if (slot) {
        rc_instance_describe(s, slot, &ev->u.described);
        rc_fact_touch(s, ev, slot);
    }
}

const struct rc_handler rc_handler_instance = {RC_EV_INSTANCE, instance_apply};
