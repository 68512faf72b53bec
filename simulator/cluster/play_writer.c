/* play_writer.c - requests that reach slurmctld, slurm.conf or the node itself. */
#include <string.h>

#include "simulator/check.h"
#include "simulator/cluster/play_private.h"
#include "simulator/model/model_rows.h"

static void
write_jobs(struct rc_play *p, const struct rc_action *a)
{
    uint32_t at = rc_sim_slurm_find(p->slurm, a->node);
    const struct rc_sim_node *n = at != RC_SIM_NO_NODE ? rc_sim_slurm_node(p->slurm, at) : NULL;
    const struct rc_sim_job *j =
        n && n->job != RC_SIM_NO_NODE ? rc_sim_slurm_job_at(p->slurm, n->job) : NULL;

    if (!j) {
        return;
    }
    if (a->kind == RC_ACT_JOBS_REQUEUE) {
        (void)rc_sim_slurm_requeue(p->slurm, rc_play_wall(p), j->id);
    } else {
        (void)rc_sim_slurm_signal(p->slurm, rc_play_wall(p), j->id, a->u.jobs.signal);
    }
}

/* The registrar writes the files, slurmctld reads them: both or neither. */
static void
take_address(struct rc_play *p, struct rc_request *r)
{
    uint32_t node = rc_play_node_index(p, r->action.node);
    uint32_t head = rc_head_named(p, r->action.node);

    if (head < RC_PLAY_CTLS) {
        rc_head_address(p, head, r->action.u.reg.addr);
        return;
    }
    if (node >= p->plan->nodes) {
        r->error = RC_E_NOT_FOUND;
        return;
    }
    rc_check_register(p, &r->action, node);
    rc_text_set(p->conf[node].addr, RC_ADDR_LEN, r->action.u.reg.addr);
    p->conf_version++;
    rc_sim_slurm_configure(p->slurm, rc_play_wall(p), p->conf, (uint32_t)p->plan->nodes);
}

/* Read over ssh, whatever the verdict. */
static void
read_gpus(struct rc_play *p, struct rc_request *r)
{
    struct rc_sim_instance *inst = rc_play_instance(p, rc_play_node_index(p, r->action.node));

    if (inst && inst->state == RC_INST_RUNNING && inst->booted) {
        rc_play_serials(p, inst, r->answer.u.completion.serials);
        rc_check_return_serials(p, rc_play_node_index(p, r->action.node), r->ctl);
    }
}

/* Is the machine behind the name up, registered and whole? What cannot be asked is unknown. */
static enum rc_err
prove(struct rc_play *p, const struct rc_action *a)
{
    uint32_t node = rc_play_node_index(p, a->node);
    uint32_t at = rc_sim_slurm_find(p->slurm, a->node);
    const struct rc_sim_node *n = at != RC_SIM_NO_NODE ? rc_sim_slurm_node(p->slurm, at) : NULL;
    struct rc_sim_instance *inst = rc_play_instance(p, node);
    uint32_t slot = 0;

    if (!n || !inst || inst->state != RC_INST_RUNNING || !inst->booted ||
        strcmp(inst->addr, a->u.gate.addr) != 0 || n->gone_ms != RC_SIM_NEVER) {
        return RC_E_UNKNOWN;
    }
    while (rc_sim_ec2_at(p->ec2, slot) != inst) {
        slot++;
    }
    bool lemon = p->lemon[slot] && strcmp(p->lemon_id[slot], inst->id) == 0;
    return lemon || !rc_play_agent_well(p, node) ? RC_E_UNHEALTHY : RC_OK;
}

void
rc_effect_slurm(struct rc_play *p, struct rc_request *r)
{
    const struct rc_action *a = &r->action;
    int64_t wall_ms = rc_play_wall(p);

    switch (a->kind) {
    case RC_ACT_DRAIN:
    case RC_ACT_DOWN:
        if (a->kind == RC_ACT_DOWN) {
            rc_check_jobs_down(p, a);
        }
        rc_check_shut(p, a);
        r->error = rc_sim_slurm_error(
            rc_sim_slurm_mark(p->slurm, wall_ms, a->node,
                              a->kind == RC_ACT_DRAIN ? RC_SN_DRAIN : RC_SN_DOWN, a->text));
        break;
    case RC_ACT_RESUME:
        rc_check_resume(p, a);
        r->error = rc_sim_slurm_error(rc_sim_slurm_unmark(p->slurm, wall_ms, a->node));
        break;
    case RC_ACT_JOBS_SIGNAL:
    case RC_ACT_JOBS_REQUEUE:
        write_jobs(p, a);
        break;
    case RC_ACT_REGISTER:
        take_address(p, r);
        break;
    case RC_ACT_GPU_RESET:
        r->error = rc_play_gpu_reset(p, a);
        break;
    case RC_ACT_GATE:
        r->error = prove(p, a);
        rc_check_gate(p, a, r->error);
        if (r->error == RC_OK || r->error == RC_E_UNHEALTHY) {
            read_gpus(p, r);
        }
        if (r->error == RC_OK) {
            rc_play_agent_proved(p, rc_play_node_index(p, a->node));
        }
        break;
    case RC_ACT_FORENSICS:
        read_gpus(p, r);
        break;
    default:
        break;
    }
}
