/* play_ec2.c - requests that reach EC2, with its own codes read as the daemon does. */
#include "simulator/check.h"
#include "simulator/cluster/play_private.h"
#include "simulator/model/model_launch.h"
#include "simulator/model/model_rows.h"

static void
launch_from(struct rc_play *p, struct rc_request *r)
{
    const struct rc_action *a = &r->action;
    const struct rc_group *g = rc_cluster_group(&p->cluster, a->u.launch.group);
    struct rc_sim_launch l;
    struct rc_sim_launched done = {0};

    rc_sim_launch_of(a, g, RC_PLAY_CLUSTER, &l);
    r->error = rc_sim_ec2_error(rc_sim_ec2_run(p->ec2, rc_play_wall(p), &l, &done));
    if (r->error == RC_OK) {
        rc_sim_launch_told(a, done.instance[0], rc_play_wall(p), &r->answer.u.completion);
        rc_check_regress_launched(p, a);
        if (!done.again) {
            rc_play_host_launched(p, rc_play_node_index(p, a->node), done.instance[0]);
        }
        rc_check_launched(p, &r->action, done.again ? NULL : done.instance[0]);
        if (!done.again && a->incident) { /* a controller's launch has limits of its own */
            rc_check_rates_launched(p, a);
        }
    }
}

static void
assign_spare(struct rc_play *p, struct rc_request *r)
{
    const struct rc_action *a = &r->action;
    struct rc_sim_instance *inst = rc_sim_ec2_find(p->ec2, rc_play_wall(p), a->instance);

    if (!inst || inst->state > RC_INST_STOPPED) {
        r->error = RC_E_NOT_FOUND;
        return;
    }
    rc_check_touched(p, a, inst);
    rc_check_assigned(p, a, inst);
    bool waits = rc_play_is_spare(inst);
    rc_sim_assign(a, inst);
    if (waits && inst->booted) { /* its slurmd may start as soon as slurm.conf names it */
        rc_sim_slurm_host(p->slurm, rc_play_wall(p), inst->addr, true, inst->running_ms);
    }
}

void
rc_effect_ec2(struct rc_play *p, struct rc_request *r)
{
    const struct rc_action *a = &r->action;
    struct rc_sim_instance *inst;
    enum rc_sim_verb verb;

    switch (a->kind) {
    case RC_ACT_LAUNCH:
        launch_from(p, r);
        return;
    case RC_ACT_ASSIGN:
        assign_spare(p, r);
        return;
    case RC_ACT_TERMINATE:
        verb = RC_SIM_TERMINATE;
        break;
    case RC_ACT_STOP:
        verb = RC_SIM_STOP;
        break;
    case RC_ACT_START:
        verb = RC_SIM_START;
        break;
    case RC_ACT_REBOOT:
        verb = RC_SIM_REBOOT;
        break;
    default:
        return;
    }
    inst = rc_sim_ec2_find(p->ec2, rc_play_wall(p), a->instance);
    if (!inst) {
        r->error = RC_E_NOT_FOUND;
        return;
    }
    if (a->kind == RC_ACT_STOP && p->now_ms < p->unfenced_until_ms &&
        rc_head_named(p, a->node) < RC_PLAY_CTLS) {
        r->error = RC_E_DENIED;
        return;
    }
    rc_check_touched(p, a, inst);
    r->error = rc_sim_ec2_error(rc_sim_ec2_do(p->ec2, rc_play_wall(p), inst, verb));
    if (r->error == RC_OK && verb == RC_SIM_TERMINATE) {
        rc_play_host_given_back(p, rc_play_node_index(p, a->node), inst);
    }
    if (r->error == RC_OK && verb == RC_SIM_REBOOT) {
        rc_check_rebooted(p, a, inst);
    }
    rc_play_changes(p);
}
