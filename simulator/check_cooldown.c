/* check_cooldown.c - never: a node's next incident opens sooner after its last one than the
 * policy's cool-down, unless its instance is gone. Part of the limits.
 *
 * A leader answers for what it closed itself since it last lost its memory, and for what the
 * store was told afterwards. */
#include "policies/rules.h"
#include "simulator/check.h"

static bool
has_no_host(uint32_t fault)
{
    return fault == RC_FAULT_INSTANCE_GONE || fault == RC_FAULT_INSTANCE_STOPPED;
}

static void
note_closed(struct rc_ctl *c, const struct rc_action *a, uint32_t node)
{
    struct rc_play *p = c->p;

    p->memory.cooldown[node].closed_ms = p->now_ms;
    p->memory.cooldown[node].action[1 - c->index] = 0;
    p->memory.cooldown[node].action[c->index] = a->id;
    p->memory.cooldown[node].stored = 0;
}

void
rc_check_cooldown(struct rc_ctl *c, const struct rc_action *a, bool opens)
{
    struct rc_play *p = c->p;
    uint32_t node = rc_play_node_index(p, a->node);

    if (node >= p->plan->nodes) {
        return;
    }
    int64_t closed_ms = p->memory.cooldown[node].closed_ms;
    int64_t rested_ms = p->now_ms - closed_ms + rc_check_clocks_set_ms(p);
    bool known = p->memory.cooldown[node].action[c->index] || p->memory.cooldown[node].stored;
    if (a->u.item.close) {
        note_closed(c, a, node);
    } else if (opens && closed_ms && known && !has_no_host(a->u.item.fault) &&
               rested_ms < p->policy.limits.cooldown_ms) {
        rc_play_fail(p, RC_FOUND_LIMITS, "head%u opens an incident of %s %lld ms after another",
                     c->index + 1, a->node, (long long)(p->now_ms - closed_ms));
    }
}

void
rc_check_cooldown_stored(struct rc_play *p, const struct rc_action *a, uint32_t ctl)
{
    uint32_t node = rc_play_node_index(p, a->node);
    uint64_t closed = node < p->plan->nodes ? p->memory.cooldown[node].action[ctl] : 0;

    if (closed && closed < a->id) {
        p->memory.cooldown[node].stored = 1;
    }
}

void
rc_check_cooldown_forget(struct rc_ctl *c)
{
    for (uint32_t i = 0; i < c->p->plan->nodes; i++) {
        c->p->memory.cooldown[i].action[c->index] = 0;
    }
}
