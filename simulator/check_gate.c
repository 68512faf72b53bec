/* check_gate.c - never: a node returns to service without its gate; a drain that is
 * not ours is undone or overwritten. */
#include <string.h>

#include "simulator/check.h"

void
rc_check_gate(struct rc_play *p, const struct rc_action *a, enum rc_err verdict)
{
    uint32_t node = rc_play_node_index(p, a->node);

    if (node < p->plan->nodes) {
        p->memory.gate.proved[node] = verdict == RC_OK;
    }
}

/* What was proved holds until something is done to the machine or the name. */
void
rc_check_gate_broken(struct rc_play *p, const char *name)
{
    uint32_t node = rc_play_node_index(p, name);

    if (node < p->plan->nodes) {
        p->memory.gate.proved[node] = 0;
    }
}

void
rc_check_resume(struct rc_play *p, const struct rc_action *a)
{
    uint32_t node = rc_play_node_index(p, a->node);

    if (node < p->plan->nodes && !p->memory.gate.proved[node]) {
        rc_play_fail(p, RC_FOUND_GATE, "%s is resumed, and no gate has proved it", a->node);
    }
}

/* The helper would refuse; that the core asks at all is a bug. */
void
rc_check_gate_at_start(struct rc_ctl *c, const struct rc_action *a)
{
    bool changes = a->kind == RC_ACT_RESUME || a->kind == RC_ACT_DOWN || a->kind == RC_ACT_DRAIN;
    uint32_t slot = changes ? rc_node_find(c->s, a->node) : 0;

    if (!slot) {
        return;
    }
    const struct rc_node *n = rc_node_at(c->s, slot);
    if (n->owner == RC_OWNER_FOREIGN && n->flags & (RC_SN_DRAIN | RC_SN_DOWN | RC_SN_FAIL)) {
        rc_play_fail(c->p, RC_FOUND_GATE, "head%u sends %s for %s, drained by somebody else",
                     c->index + 1, rc_action_name((enum rc_action_kind)a->kind), a->node);
    }
}
