/* history.c - what the store knows of a node's past (or of the cluster's: node ""),
 * told to a new leader before it decides anything. */
#include "handlers/table.h"
#include "reconciler/core/node_history.h"

static void
history_apply(struct rc_state *s, const struct rc_event *ev)
{
    uint32_t node = *ev->node ? rc_node_get(s, ev->node) : 0;

    if (node || !*ev->node) {
        rc_history_take(s, node, &ev->u.history);
    }
}

const struct rc_handler rc_handler_history = {RC_EV_HISTORY, history_apply};
