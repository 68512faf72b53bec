/* check_ours.c - never: an instance without this cluster's tags is touched; a node
 * with a MAINT reservation is acted on (with a hold: check_orders.c). */
#include <string.h>

#include "simulator/check.h"

void
rc_check_ours_touched(struct rc_play *p, const struct rc_action *a,
                      const struct rc_sim_instance *inst)
{
    const char *cluster = rc_sim_ec2_tag_value(inst, "slurm-on-aws:cluster");

    if (!cluster || strcmp(cluster, RC_PLAY_CLUSTER) != 0) {
        rc_play_fail(p, RC_FOUND_OURS, "%s of %s, which carries the tag of %s",
                     rc_action_name((enum rc_action_kind)a->kind), inst->id,
                     cluster ? cluster : "nobody");
    }
}

bool
rc_check_changes_node(uint32_t kind)
{
    return kind == RC_ACT_DRAIN || kind == RC_ACT_DOWN || kind == RC_ACT_RESUME ||
           kind == RC_ACT_JOBS_SIGNAL || kind == RC_ACT_JOBS_REQUEUE || kind == RC_ACT_LAUNCH ||
           kind == RC_ACT_STOP || kind == RC_ACT_REBOOT || kind == RC_ACT_REGISTER ||
           kind == RC_ACT_TERMINATE || kind == RC_ACT_START;
}

/* Judged at the decision: what waits for the disk was decided before. */
void
rc_check_ours_at_start(struct rc_ctl *c, const struct rc_action *a)
{
    uint32_t slot = rc_check_changes_node(a->kind) ? rc_node_find(c->s, a->node) : 0;

    if (!slot) {
        return;
    }
    const struct rc_node *n = rc_node_at(c->s, slot);
    if (n->flags & RC_SN_MAINT) {
        rc_play_fail(c->p, RC_FOUND_OURS, "head%u sends %s for %s, which is in a MAINT reservation",
                     c->index + 1, rc_action_name((enum rc_action_kind)a->kind), a->node);
    }
}
