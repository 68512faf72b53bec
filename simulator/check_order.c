/* check_order.c - never: the old instance goes before its successor where the policy says
 * launch first, or the other way round; a node is drained before its replacement runs where
 * the policy says make before break. Part of the limits: a policy's word is kept. */
#include <string.h>

#include "policies/rules.h"
#include "simulator/check.h"

static bool
stops_first(const struct rc_plan *plan)
{
    return plan->order == RC_ORDER_STOP_FIRST || (plan->order == RC_ORDER_AUTO && plan->reserved);
}

static const struct rc_sim_instance *
instance_named(struct rc_play *p, const char *id)
{
    for (uint32_t slot = 0; slot < rc_sim_ec2_slots(p->ec2); slot++) {
        const struct rc_sim_instance *i = rc_sim_ec2_at(p->ec2, slot);
        if (i && strcmp(i->id, id) == 0) {
            return i;
        }
    }
    return NULL;
}

/* It has the name still; a spare that was given away leaves an empty place behind. */
static bool
has_name(const struct rc_sim_instance *i, const char *name)
{
    const char *tag = rc_sim_ec2_tag_value(i, "slurm-on-aws:node");

    return !tag || strcmp(tag, name) == 0;
}

/* Where notices come late, one about a stop may come after the start: the daemon was told,
 * and wrongly. Only schedules without them are judged. */
void
rc_check_order_launched(struct rc_play *p, const struct rc_action *a)
{
    const struct rc_sim_instance *old = *a->instance ? instance_named(p, a->instance) : NULL;

    if (stops_first(p->plan) && old && old->state == RC_INST_RUNNING && has_name(old, a->node) &&
        !p->plan->late_permille) {
        rc_play_fail(p, RC_FOUND_LIMITS, "a replacement of %s is launched while %s runs", a->node,
                     old->id);
    }
}

/* AWS's own deadline leaves the jobs no more time than they need. */
static bool
is_late(const struct rc_ctl *c, uint32_t node, const struct rc_incident *inc)
{
    struct rc_finding f = rc_diagnose(c->s, node);
    int64_t need_ms = inc->rule.jobs.before_deadline_ms + inc->rule.jobs.wait_ms;

    return f.deadline_wall_ms && f.deadline_wall_ms - need_ms <= c->s->now_wall_ms;
}

/* The node goes from service to its drain. */
void
rc_check_order_taken(struct rc_ctl *c, uint32_t node, const struct rc_incident *inc)
{
    const struct rc_node *n = rc_node_at(c->s, node);
    uint32_t away = RC_SN_DOWN | RC_SN_DRAIN | RC_SN_FAIL | RC_SN_NOT_RESPONDING;
    bool makes_first = inc->rule.launch_when == RC_LAUNCH_BEFORE_DRAIN &&
                       !stops_first(c->p->plan) && rc_rung_now(inc)->kind == RC_RUNG_REPLACE;

    if (!makes_first || n->flags & away || n->repair_count >= c->p->plan->attempts_max ||
        rc_instance_dead(c->s, n->instance) || is_late(c, node, inc)) {
        return;
    }
    const char *id = inc->new_instance ? rc_instance_at(c->s, inc->new_instance)->id : "";
    if (!*id || !instance_named(c->p, id)) {
        rc_play_fail(c->p, RC_FOUND_LIMITS, "head%u drains %s before its replacement runs",
                     c->index + 1, n->name);
    }
}
