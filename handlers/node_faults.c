/* node_faults.c - what the agent on a node says of it right now: the faults that its
 * Reason and its Extra name. The list is whole: what is not in it any more is over. */
#include "handlers/table.h"

#include "reconciler/core/health.h"
#include "reconciler/core/timers.h"

static void
node_faults_apply(struct rc_state *s, const struct rc_event *ev)
{
    uint32_t node = rc_node_get(s, ev->node);

    if (!node) {
        return; /* no room: counted, and nothing destructive happens until there is */
    }
    rc_health_tell(s, node, &ev->u.faults);
    rc_touch(s, node);
}

const struct rc_handler rc_handler_node_faults = {RC_EV_NODE_FAULTS, node_faults_apply};
