/* play_ec2.c - requests that reach EC2, with its own codes read as the daemon does. */
#include <stdio.h>
#include <string.h>

#include "simulator/check.h"
#include "simulator/cluster/play_private.h"
#include "simulator/model/model_rows.h"

static void
add_tag(struct rc_sim_launch *l, const char *key, const char *value)
{
    rc_text_set(l->tag[l->tag_count].key, RC_SIM_TAG_KEY_LEN, key);
    rc_text_set(l->tag[l->tag_count++].value, RC_SIM_TAG_VALUE_LEN, value);
}

static void
fill_answer(struct rc_play *p, struct rc_request *r, const struct rc_sim_instance *inst)
{
    struct rc_ev_completion *done = &r->answer.u.completion;
    const struct rc_action *a = &r->action;

    memcpy(done->instance, inst->id, sizeof done->instance);
    done->launched.state = (uint32_t)inst->state;
    done->launched.ours = 1;
    done->launched.tag_incident = a->incident;
    done->launched.tag_attempt = a->u.launch.attempt;
    done->launched.launched_wall_ms = inst->launched_ms ? inst->launched_ms : rc_play_wall(p);
    memcpy(done->launched.node, a->node, RC_NODE_LEN);
    memcpy(done->launched.addr, inst->addr, RC_ADDR_LEN);
    memcpy(done->launched.subnet, inst->subnet, RC_ID_LEN);
    memcpy(done->launched.az, inst->az, RC_AZ_LEN);
    memcpy(done->launched.type, inst->type, RC_TYPE_LEN);
}

static void
launch_from(struct rc_play *p, struct rc_request *r)
{
    const struct rc_action *a = &r->action;
    const struct rc_group *g = rc_cluster_group(&p->cluster, a->u.launch.group);
    const struct rc_launch_option *o = &g->option[a->u.launch.option];
    struct rc_sim_launch l = {.min = 1, .max = 1, .version = (int32_t)g->template_version};
    struct rc_sim_launched done = {0};
    char number[16];

    rc_text_set(l.token, sizeof l.token, a->u.launch.token);
    rc_text_set(l.template_id, sizeof l.template_id, g->template_id);
    rc_text_set(l.subnet, sizeof l.subnet, o->subnet);
    rc_text_set(l.reservation, sizeof l.reservation, o->reservation);
    add_tag(&l, "slurm-on-aws:cluster", RC_PLAY_CLUSTER);
    add_tag(&l, "slurm-on-aws:node", a->node);
    snprintf(number, sizeof number, "%u", a->incident);
    add_tag(&l, "slurm-on-aws:incident", number);
    snprintf(number, sizeof number, "%u", a->u.launch.attempt);
    add_tag(&l, "slurm-on-aws:attempt", number);
    r->error = rc_sim_ec2_error(rc_sim_ec2_run(p->ec2, rc_play_wall(p), &l, &done));
    if (r->error == RC_OK) {
        fill_answer(p, r, done.instance[0]);
        rc_check_launched(p, &r->action);
        if (!done.again && a->incident) { /* a controller's launch has limits of its own */
            rc_check_limits_launched(&p->ctl[r->ctl]);
        }
    }
}

static void
assign_spare(struct rc_play *p, struct rc_request *r)
{
    const struct rc_action *a = &r->action;
    struct rc_sim_instance *inst = rc_sim_ec2_find(p->ec2, rc_play_wall(p), a->instance);
    char number[16];

    if (!inst || inst->state > RC_INST_STOPPED) {
        r->error = RC_E_NOT_FOUND;
        return;
    }
    rc_check_touched(p, a, inst);
    rc_check_assigned(p, a, inst);
    bool waits = rc_play_is_spare(inst);
    (void)rc_sim_ec2_tag(inst, "slurm-on-aws:node", a->node);
    snprintf(number, sizeof number, "%u", a->incident);
    (void)rc_sim_ec2_tag(inst, "slurm-on-aws:incident", number);
    snprintf(number, sizeof number, "%u", a->u.launch.attempt);
    (void)rc_sim_ec2_tag(inst, "slurm-on-aws:attempt", number);
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
    rc_play_changes(p);
}
