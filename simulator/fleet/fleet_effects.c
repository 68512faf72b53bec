/* fleet_effects.c - what requests do to EC2, to slurmctld, to slurm.conf and to nodes. */
#include <stdlib.h>
#include <string.h>

#include "simulator/fleet/fleet_private.h"
#include "simulator/model/model_launch.h"
#include "simulator/model/model_rows.h"

/* Names are "n" and the position, counted from one. */
uint32_t
rc_fleet_node(const struct rc_fleet *f, const char *name)
{
    unsigned long at = *name == 'n' ? strtoul(name + 1, NULL, 10) : 0;

    return at >= 1 && at <= f->c->nodes ? (uint32_t)at - 1 : RC_SIM_NO_NODE;
}

static bool
admits(struct rc_fleet *f, enum rc_sim_ec2_action call, uint32_t units)
{
    return rc_sim_throttle_admit(rc_sim_ec2_throttle(f->ec2), rc_fleet_wall(f), call, units);
}

static void
run_instances(struct rc_fleet *f, struct rc_errand *r)
{
    const struct rc_action *a = &r->action;
    const struct rc_group *g = &f->cluster.group[a->u.launch.group];
    struct rc_sim_launch l;
    static struct rc_sim_launched done;

    if (!admits(f, RC_SIM_RUN_INSTANCES, 1)) {
        r->error = RC_E_THROTTLED;
        return;
    }
    rc_sim_launch_of(a, g, RC_FLEET_NAME, &l);
    r->error = rc_sim_ec2_error(rc_sim_ec2_run(f->ec2, rc_fleet_wall(f), &l, &done));
    if (r->error != RC_OK) {
        f->r.launches_refused++;
        return;
    }
    rc_sim_launch_told(a, done.instance[0], rc_fleet_wall(f), &r->answer.u.completion);
    rc_fleet_check_launched(f, a);
    if (!done.again) {
        f->r.replacements++;
        rc_ills_launched(f, rc_fleet_slot(f, done.instance[0]), rc_fleet_node(f, a->node));
    }
}

/* What a stop or an end throws away: a whole host is a healthy eviction, but for one that
 * AWS itself will take. */
static void
count_eviction(struct rc_fleet *f, const struct rc_sim_instance *inst)
{
    const struct rc_host *h = &f->host[rc_fleet_slot(f, inst)];

    if (h->node == RC_SIM_NO_NODE) {
        return; /* a spare serves nobody */
    }
    if (f->serving[h->node] == rc_fleet_slot(f, inst) || h->generation < f->replaced[h->node]) {
        f->r.healthy_evictions +=
            inst->state == RC_INST_RUNNING && h->ail == RC_AIL_NONE && !h->planned;
    }
}

static void
create_tags(struct rc_fleet *f, struct rc_errand *r)
{
    const struct rc_action *a = &r->action;
    struct rc_sim_instance *inst = rc_sim_ec2_find(f->ec2, rc_fleet_wall(f), a->instance);

    if (!inst || !admits(f, RC_SIM_CREATE_TAGS, 1)) {
        r->error = inst ? RC_E_THROTTLED : RC_E_NOT_FOUND;
        return;
    }
    rc_fleet_check_ec2(f, a, inst);
    rc_sim_assign(a, inst);
    rc_ills_named(f, rc_fleet_slot(f, inst), rc_fleet_node(f, a->node));
    rc_ills_news(f, rc_fleet_slot(f, inst));
}

void
rc_errand_ec2(struct rc_fleet *f, struct rc_errand *r)
{
    static const struct {
        enum rc_sim_verb verb;
        enum rc_sim_ec2_action call;
    } verbs[RC_ACTION__MAX] = {
        [RC_ACT_TERMINATE] = {RC_SIM_TERMINATE, RC_SIM_TERMINATE_INSTANCES},
        [RC_ACT_STOP] = {RC_SIM_STOP, RC_SIM_STOP_INSTANCES},
        [RC_ACT_START] = {RC_SIM_START, RC_SIM_START_INSTANCES},
        [RC_ACT_REBOOT] = {RC_SIM_REBOOT, RC_SIM_REBOOT_INSTANCES},
    };
    const struct rc_action *a = &r->action;

    if (a->kind == RC_ACT_LAUNCH) {
        run_instances(f, r);
        return;
    }
    if (a->kind == RC_ACT_ASSIGN) {
        create_tags(f, r);
        return;
    }
    struct rc_sim_instance *inst = rc_sim_ec2_find(f->ec2, rc_fleet_wall(f), a->instance);
    if (!inst || !admits(f, verbs[a->kind].call, 1)) {
        r->error = inst ? RC_E_THROTTLED : RC_E_NOT_FOUND;
        return;
    }
    rc_fleet_check_ec2(f, a, inst);
    if (a->kind == RC_ACT_TERMINATE || a->kind == RC_ACT_STOP) {
        count_eviction(f, inst);
    }
    f->r.reboots += a->kind == RC_ACT_REBOOT;
    uint32_t slot = rc_fleet_slot(f, inst), node = f->host[slot].node;
    if (a->kind != RC_ACT_START && inst->state == RC_INST_RUNNING && node != RC_SIM_NO_NODE &&
        f->serving[node] == slot) {
        rc_queue_end_on(f, node, RC_CAUSE_US);
    }
    r->error = rc_sim_ec2_error(rc_sim_ec2_do(f->ec2, rc_fleet_wall(f), inst, verbs[a->kind].verb));
    rc_ills_changes(f);
}

/* The registrar writes the files, slurmctld reads them: both or neither. */
static void
move_name(struct rc_fleet *f, const struct rc_action *a, uint32_t node)
{
    struct rc_sim_instance *inst = rc_sim_ec2_find(f->ec2, rc_fleet_wall(f), a->instance);

    rc_fleet_check_register(f, a);
    rc_queue_end_on(f, node, RC_CAUSE_US); /* no rank lives on under a name that moves */
    if (inst) {
        f->serving[node] = rc_fleet_slot(f, inst);
    }
    rc_sim_slurm_move(f->slurm, rc_fleet_wall(f), node, a->u.reg.addr);
}

/* Is the machine behind the name up, registered and whole? What cannot be asked is unknown;
 * without a probe of its own the gate sees no further than slurmd. */
static enum rc_err
prove_node(struct rc_fleet *f, const struct rc_action *a, uint32_t node)
{
    const struct rc_sim_node *n = rc_sim_slurm_node(f->slurm, node);
    const struct rc_sim_instance *inst = rc_sim_ec2_at(f->ec2, f->serving[node]);
    uint32_t ail = f->host[f->serving[node]].ail;

    if (!inst || inst->state != RC_INST_RUNNING || !inst->booted ||
        strcmp(inst->addr, a->u.gate.addr) != 0 || n->gone_ms != RC_SIM_NEVER) {
        return RC_E_UNKNOWN;
    }
    return f->c->policy->gate.ssh && ail != RC_AIL_NONE ? RC_E_UNHEALTHY : RC_OK;
}

static enum rc_err
reset_gpus(struct rc_fleet *f, uint32_t node)
{
    uint32_t slot = f->serving[node];
    const struct rc_host *h = &f->host[slot];

    if (rc_sim_slurm_node(f->slurm, node)->gone_ms != RC_SIM_NEVER) {
        return RC_E_UNREACHABLE;
    }
    if (rc_sim_slurm_holder(f->slurm, node) != RC_SIM_NO_NODE) {
        return RC_E_STATE; /* a process holds a GPU */
    }
    if ((h->ail == RC_AIL_GPU || h->ail == RC_AIL_WORN) && rc_agent_cures(h, false)) {
        rc_ills_heal(f, slot);
    }
    return RC_OK;
}

static void
mark_node(struct rc_fleet *f, struct rc_errand *r, uint32_t node)
{
    const struct rc_action *a = &r->action;
    bool down = a->kind == RC_ACT_DOWN;
    /* DOWN ends a run that still computes: ours. One on a dead host the fault had ended. */
    bool ours = down && rc_ills_whole(f, node);

    r->error = rc_sim_slurm_error(rc_sim_slurm_mark(f->slurm, rc_fleet_wall(f), a->node,
                                                    down ? RC_SN_DOWN : RC_SN_DRAIN, a->text));
    if (ours) {
        rc_queue_end_on(f, node, RC_CAUSE_US);
    }
}

void
rc_errand_slurm(struct rc_fleet *f, struct rc_errand *r)
{
    const struct rc_action *a = &r->action;
    uint32_t node = rc_fleet_node(f, a->node);

    if (node == RC_SIM_NO_NODE) {
        r->error = RC_E_NOT_FOUND;
        return;
    }
    switch (a->kind) {
    case RC_ACT_DRAIN:
    case RC_ACT_DOWN:
        mark_node(f, r, node);
        break;
    case RC_ACT_RESUME:
        rc_fleet_check_resume(f, a);
        r->error = rc_sim_slurm_error(rc_sim_slurm_unmark(f->slurm, rc_fleet_wall(f), a->node));
        break;
    case RC_ACT_JOBS_SIGNAL:
        if (a->u.jobs.signal == 9 || a->u.jobs.signal == 15) {
            rc_queue_end_on(f, node, RC_CAUSE_US);
        } else {
            rc_queue_save_on(f, node);
        }
        break;
    case RC_ACT_JOBS_REQUEUE:
        rc_queue_end_on(f, node, RC_CAUSE_US);
        break;
    case RC_ACT_REGISTER:
        move_name(f, a, node);
        break;
    case RC_ACT_GPU_RESET:
        r->error = reset_gpus(f, node);
        break;
    case RC_ACT_GATE:
        r->error = prove_node(f, a, node);
        rc_fleet_check_gate(f, a, r->error);
        break;
    default:
        break;
    }
}
