/* check_admission.c - never: two instances are admitted under one node name, or two
 * launches serve one incident attempt. */
#include <string.h>

#include "simulator/check.h"

static bool
same_tag(const struct rc_sim_instance *a, const struct rc_sim_instance *b, const char *key)
{
    const char *x = rc_sim_ec2_tag_value(a, key), *y = rc_sim_ec2_tag_value(b, key);

    return x && y && strcmp(x, y) == 0;
}

static bool
lives(const struct rc_sim_instance *i)
{
    return i->state == RC_INST_PENDING || i->state == RC_INST_RUNNING;
}

/* A person switched it on, perhaps while a launch in its place was under way. */
static bool
started_by_hand(const struct rc_play *p, const struct rc_sim_instance *i)
{
    return strcmp(p->head[0].by_hand, i->id) == 0 || strcmp(p->head[1].by_hand, i->id) == 0;
}

/* Nothing but a launch can make a second one, so this is where it is looked for, at the new one
 * alone: what a person starts again later is no launch. (A controller has no incident: each
 * launch in the place of another one is its first attempt.) */
void
rc_check_launched(struct rc_play *p, const struct rc_action *a, const struct rc_sim_instance *made)
{
    rc_check_order_launched(p, a);
    for (uint32_t i = 0; made && i < rc_sim_ec2_slots(p->ec2); i++) {
        const struct rc_sim_instance *x = rc_sim_ec2_at(p->ec2, i);
        if (x && x != made && lives(x) && same_tag(x, made, "slurm-on-aws:cluster") &&
            same_tag(x, made, "slurm-on-aws:node") && same_tag(x, made, "slurm-on-aws:incident") &&
            same_tag(x, made, "slurm-on-aws:attempt") && !started_by_hand(p, x)) {
            rc_play_fail(p, RC_FOUND_ADMISSION,
                         "%s and %s were both launched for attempt %u of incident %u", x->id,
                         made->id, a->u.launch.attempt, a->incident);
            return;
        }
    }
}

/* A spare is given one name, once. */
void
rc_check_assigned(struct rc_play *p, const struct rc_action *a, const struct rc_sim_instance *inst)
{
    const char *node = rc_sim_ec2_tag_value(inst, "slurm-on-aws:node");

    if (!node || (strncmp(node, "spare/", 6) != 0 && strcmp(node, a->node) != 0)) {
        rc_play_fail(p, RC_FOUND_ADMISSION, "%s, which is %s, is given to %s", inst->id,
                     node ? node : "nobody's", a->node);
    }
}

/* A node name answers from one address; two nodes must never share one. */
void
rc_check_admission_world(struct rc_play *p)
{
    if (p->conf_checked == p->conf_version) {
        return;
    }
    p->conf_checked = p->conf_version;
    for (uint32_t i = 0; i < p->plan->nodes; i++) {
        for (uint32_t j = i + 1; j < p->plan->nodes; j++) {
            if (strcmp(p->conf[i].addr, p->conf[j].addr) == 0) {
                rc_play_fail(p, RC_FOUND_ADMISSION, "%s and %s are both at %s", p->conf[i].name,
                             p->conf[j].name, p->conf[i].addr);
            }
        }
    }
}
