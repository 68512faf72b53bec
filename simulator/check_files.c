/* check_files.c - never: slurm.conf gets an address that is not the node's own: that
 * of another cluster's instance, of another node, or of one that has ended. */
#include <string.h>

#include "simulator/check.h"

void
rc_check_files(struct rc_play *p, const struct rc_action *a, uint32_t node)
{
    for (uint32_t slot = 0; slot < rc_sim_ec2_slots(p->ec2); slot++) {
        const struct rc_sim_instance *inst = rc_sim_ec2_at(p->ec2, slot);
        if (!inst || strcmp(inst->id, a->instance) != 0) {
            continue;
        }
        const char *name = rc_sim_ec2_tag_value(inst, "slurm-on-aws:node");
        const char *cluster = rc_sim_ec2_tag_value(inst, "slurm-on-aws:cluster");
        if (strcmp(inst->addr, a->u.reg.addr) == 0 && name && cluster &&
            strcmp(name, p->conf[node].name) == 0 && strcmp(cluster, RC_PLAY_CLUSTER) == 0) {
            return;
        }
    }
    rc_play_fail(p, RC_FOUND_FILES, "%s gets address %s, which is not that of %s", a->node,
                 a->u.reg.addr, a->instance);
}
