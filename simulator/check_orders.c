/* check_orders.c - never: something is done to a node that a person holds, or to any while he has
 * paused us; a repair begins without the approval that its rule asks for.
 *
 * Judged by what people said, whatever a leader makes of it: a word binds the leader that took
 * it, and every other one from when the store was told. A word that the store never heard dies
 * with the memory of its leader. */
#include <string.h>

#include "policies/rules.h"
#include "simulator/check.h"

static void
note_said(struct rc_ctl *c, uint32_t at, uint32_t stands)
{
    struct rc_check_memory *m = &c->p->memory;

    m->order[at].stands = stands;
    m->order[at].stored = 0;
    m->order[at].action[1 - c->index] = 0;
    m->order[at].action[c->index] = c->out.count ? c->out.v[0].id : c->s->next_action;
}

static uint32_t *
find_approved(struct rc_play *p, uint32_t incident)
{
    for (uint32_t i = 0; i < RC_PLAY_ITEMS; i++) {
        if (p->memory.approved.incident[i] == incident) {
            return &p->memory.approved.incident[i];
        }
    }
    return NULL;
}

static void
note_word(struct rc_ctl *c, const struct rc_event *ev)
{
    struct rc_play *p = c->p;
    uint32_t node = rc_play_node_index(p, ev->node), nodes = (uint32_t)p->plan->nodes;

    switch ((enum rc_operator_verb)ev->u.operator_command.verb) {
    case RC_OP_HOLD:
    case RC_OP_RELEASE:
        if (node < nodes) {
            note_said(c, node, ev->u.operator_command.verb == RC_OP_HOLD);
        }
        break;
    case RC_OP_PAUSE:
    case RC_OP_RESUME:
        note_said(c, nodes, ev->u.operator_command.verb == RC_OP_PAUSE);
        break;
    case RC_OP_APPROVE:
        p->memory.approved.incident[p->memory.approved.count++ % RC_PLAY_ITEMS] =
            ev->u.operator_command.incident;
        break;
    case RC_OP_UNKNOWN:
    case RC_OP_BREAKER_RESET:
    case RC_OP_FAILOVER:
    case RC_OP__MAX:
        break;
    }
}

void
rc_check_orders_step(struct rc_ctl *c, const struct rc_event *ev)
{
    if (ev->kind == RC_EV_OPERATOR) {
        note_word(c, ev);
    }
}

void
rc_check_orders_closed(struct rc_play *p, uint32_t incident)
{
    uint32_t *approved = find_approved(p, incident);

    if (approved) {
        *approved = 0;
    }
}

static bool
binds(const struct rc_ctl *c, uint32_t at)
{
    const struct rc_check_memory *m = &c->p->memory;

    return m->order[at].stands && (m->order[at].stored || m->order[at].action[c->index]);
}

static bool
begins_repair(uint32_t kind)
{
    return kind == RC_ACT_GPU_RESET || kind == RC_ACT_REBOOT || kind == RC_ACT_STOP ||
           kind == RC_ACT_LAUNCH || kind == RC_ACT_TERMINATE || kind == RC_ACT_ASSIGN;
}

/* One that another has replaced under the name, by a repair that was approved: what is left. */
static bool
ends_remains(struct rc_play *p, const struct rc_action *a, uint32_t node)
{
    const struct rc_sim_instance *inst =
        a->kind == RC_ACT_TERMINATE ? rc_sim_ec2_find(p->ec2, rc_play_wall(p), a->instance) : NULL;

    return inst && strcmp(p->conf[node].addr, inst->addr) != 0;
}

void
rc_check_orders_at_start(struct rc_ctl *c, const struct rc_action *a)
{
    uint32_t node = rc_play_node_index(c->p, a->node), nodes = (uint32_t)c->p->plan->nodes;
    const char *what = rc_action_name((enum rc_action_kind)a->kind);
    bool changes = rc_check_changes_node(a->kind);

    if (node >= nodes) {
        return;
    }
    if (changes && binds(c, node)) {
        rc_play_fail(c->p, RC_FOUND_OURS, "head%u sends %s for %s, which is held by an operator",
                     c->index + 1, what, a->node);
    }
    if (changes && binds(c, nodes)) {
        rc_play_fail(c->p, RC_FOUND_OURS, "head%u sends %s for %s, and it is paused", c->index + 1,
                     what, a->node);
    }
    if (c->p->plan->approve && a->incident && begins_repair(a->kind) &&
        !ends_remains(c->p, a, node) && !find_approved(c->p, a->incident)) {
        rc_play_fail(c->p, RC_FOUND_OURS, "head%u sends %s for %s, and nobody has approved it",
                     c->index + 1, what, a->node);
    }
}

/* HISTORY_PUT: what was said of the node, or of the cluster, before it was decided. */
void
rc_check_orders_stored(struct rc_play *p, const struct rc_action *a, uint32_t ctl)
{
    uint32_t nodes = (uint32_t)p->plan->nodes;
    uint32_t at = *a->node ? rc_play_node_index(p, a->node) : nodes;
    bool known = *a->node ? at < nodes : true;

    if (known && p->memory.order[at].action[ctl] && p->memory.order[at].action[ctl] <= a->id) {
        p->memory.order[at].stored = 1;
    }
}

void
rc_check_orders_forget(struct rc_ctl *c)
{
    for (uint32_t i = 0; i <= c->p->plan->nodes; i++) {
        c->p->memory.order[i].action[c->index] = 0;
    }
}
