/* capacity_block.c - a Capacity Block was delivered or nears its end. The end is
 * a fact of every instance launched into that block: AWS begins to terminate
 * them 30 minutes before it. */
#include "handlers/table.h"

#include <string.h>

#include "reconciler/core/fact.h"

enum { ENDS_BEFORE_MS = 30 * 60 * 1000 };

static bool
in_block(const struct rc_state *s, const struct rc_node *n, const struct rc_event *ev)
{
    const struct rc_group *g = n->group ? &s->cluster.group[n->group - 1] : NULL;

    for (uint32_t i = 0; g && i < g->option_count; i++) {
        if (strcmp(g->option[i].reservation, ev->u.capacity.reservation) == 0) {
            return true;
        }
    }
    return false;
}

static void
mark(struct rc_state *s, const struct rc_event *ev, uint32_t slot)
{
    struct rc_instance_faults *f = &rc_instance_at(s, slot)->faults;

    f->capacity_ending = 1;
    f->capacity_end_wall_ms = ev->u.capacity.deadline_wall_ms - ENDS_BEFORE_MS;
    rc_text_set(f->code, sizeof f->code, ev->u.capacity.reservation);
    rc_fact_touch(s, ev, slot);
}

static void
capacity_block_apply(struct rc_state *s, const struct rc_event *ev)
{
    if (!ev->u.capacity.deadline_wall_ms || !*ev->u.capacity.reservation) {
        return; /* delivered: nothing ends */
    }
    for (uint32_t node = 1; node <= s->node_count; node++) {
        if (rc_node_at(s, node)->instance && in_block(s, rc_node_at(s, node), ev)) {
            mark(s, ev, rc_node_at(s, node)->instance);
        }
    }
}

const struct rc_handler rc_handler_capacity_block = {RC_EV_CAPACITY_BLOCK, capacity_block_apply};
