/* check_gate.c - never: a node returns to service without its gate, or with one that proves
 * less than the policy says; a drain that is not ours is undone or overwritten. */
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

/* What loads GPUs or NICs is left out where a job runs on. */
static void
check_asked(struct rc_ctl *c, const struct rc_action *a)
{
    const struct rc_gate_policy *gate = &c->p->policy.gate;
    uint32_t slot = rc_node_find(c->s, a->node);
    bool busy = slot && rc_node_at(c->s, slot)->flags & (RC_SN_ALLOCATED | RC_SN_COMPLETING);
    uint64_t load =
        1U << RC_GATE_PROBE_DCGM | 1U << RC_GATE_PROBE_PINGPONG | 1U << RC_GATE_PROBE_NCCL;
    uint64_t must = gate->type_count ? gate->type[0].must & (busy ? ~load : UINT64_MAX) : 0;

    if (must & ~(uint64_t)(a->u.gate.must & a->u.gate.probes)) {
        rc_play_fail(c->p, RC_FOUND_GATE, "head%u asks %s for %#x, it must prove %#llx",
                     c->index + 1, a->node, a->u.gate.must, (unsigned long long)must);
    }
}

/* The helper would refuse; that the core asks at all is a bug. */
void
rc_check_gate_at_start(struct rc_ctl *c, const struct rc_action *a)
{
    if (a->kind == RC_ACT_GATE) {
        check_asked(c, a);
    }
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
