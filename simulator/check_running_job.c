/* check_running_job.c - never: a node with a running job is rebooted, stopped or
 * terminated. The policies of the check ask for a requeue first, so there is no
 * exception to make; AWS's own hand does not come through here.
 *
 * Slurm has no transaction "stop it if it is idle": a job that an operator lets in
 * between the last poll and the request cannot be seen. Only what had been there
 * before the daemon could last have looked is held against it, and what had been there when the
 * node was drained: idle is read after that. */
#include "simulator/check.h"

#include <string.h>

enum { POLL_AND_WAY_MS = 45 * 1000 };

void
rc_check_shut(struct rc_play *p, const struct rc_action *a)
{
    uint32_t node = rc_play_node_index(p, a->node);
    const struct rc_sim_node *n = rc_check_sim_node(p, a->node);

    if (a->kind == RC_ACT_DRAIN && n && !(n->flags & RC_SN_DRAIN) && node < p->plan->nodes) {
        p->memory.jobs.shut_ms[node] = rc_play_wall(p);
    }
}

void
rc_check_running_job_at_start(struct rc_play *p, const struct rc_action *a)
{
    uint32_t node = rc_play_node_index(p, a->node);

    if (node < p->plan->nodes &&
        (a->kind == RC_ACT_REBOOT || a->kind == RC_ACT_STOP || a->kind == RC_ACT_TERMINATE)) {
        p->memory.jobs.power_ms[node] = rc_play_wall(p);
    }
}

/* From before the drain, which stood when this was asked for and still stands: every look after
 * it shows the job. */
static bool
was_there_before(const struct rc_play *p, uint32_t node, const struct rc_sim_node *n,
                 const struct rc_sim_job *j)
{
    int64_t shut_ms = p->memory.jobs.shut_ms[node];

    return n->flags & RC_SN_DRAIN && j->start_ms < shut_ms &&
           shut_ms < p->memory.jobs.power_ms[node];
}

void
rc_check_running_job(struct rc_play *p, const struct rc_action *a,
                     const struct rc_sim_instance *inst)
{
    for (uint32_t i = 0; i < p->plan->nodes; i++) {
        uint32_t at = rc_sim_slurm_find(p->slurm, p->conf[i].name);
        const struct rc_sim_node *n = rc_sim_slurm_node(p->slurm, at);
        const struct rc_sim_job *j =
            n && n->job != RC_SIM_NO_NODE && strcmp(n->addr, inst->addr) == 0
                ? rc_sim_slurm_job_at(p->slurm, n->job)
                : NULL;
        if (j && a->kind != RC_ACT_START && inst->state == RC_INST_RUNNING &&
            j->state == RC_SIM_JOB_RUNNING &&
            (rc_play_wall(p) - j->start_ms > POLL_AND_WAY_MS || was_there_before(p, i, n, j))) {
            rc_play_fail(p, RC_FOUND_RUNNING_JOB, "%s of %s (%s), where job %u runs since %lld s",
                         rc_action_name((enum rc_action_kind)a->kind), inst->id, n->name, j->id,
                         (long long)(rc_play_wall(p) - j->start_ms) / 1000);
        }
    }
}
