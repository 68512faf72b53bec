/* check_owed.c - never: a job that its rule gives a signal is requeued without one; a job still
 * runs on a node that we have drained when AWS's own deadline is nearer than the rule wants.
 * Part of the jobs.
 *
 * What is owed is read from the store's item and from the world: the rule, the fault, the node's
 * job, when AWS takes the instance. Judged only where nothing stood in the daemon's way. */
#include <string.h>

#include "policies/rules.h"
#include "simulator/check.h"

static const struct rc_sim_job *
job_on(const struct rc_play *p, uint32_t node)
{
    const struct rc_sim_node *n = rc_play_sim_node(p, node);
    const struct rc_sim_job *j =
        n && n->job != RC_SIM_NO_NODE ? rc_sim_slurm_job_at(p->slurm, n->job) : NULL;

    return j && j->state == RC_SIM_JOB_RUNNING ? j : NULL;
}

/* Its jobs were there before, and nothing hindered anybody since. (What many nodes show at once
 * is waited for.) */
static bool
stood_by(const struct rc_play *p, uint32_t node, int64_t since_ms)
{
    const struct rc_sim_job *j = job_on(p, node);

    return j && j->start_ms < RC_PLAY_WALL_MS + since_ms && since_ms > p->memory.stuck_ms &&
           rc_check_calm(p, since_ms);
}

static void
note_rule(struct rc_play *p, const struct rc_action *a, uint32_t node)
{
    bool other = strcmp(p->memory.owed[node].rule, a->u.item.rule) != 0;

    if (p->memory.owed[node].incident != a->incident) {
        memset(&p->memory.owed[node], 0, sizeof p->memory.owed[node]);
        p->memory.owed[node].incident = a->incident;
    }
    if (other) {
        memcpy(p->memory.owed[node].rule, a->u.item.rule, RC_RULE_LEN);
        p->memory.owed[node].since_ms = p->now_ms;
        p->memory.owed[node].signalled = 0;
    }
    if (a->u.item.phase == RC_PHASE_PROTECT) { /* also when it goes out once more */
        p->memory.owed[node].signalled = p->memory.owed[node].requeued = 0;
        p->memory.owed[node].since_ms = p->now_ms;
    }
}

static int64_t
owed_since_ms(const struct rc_play *p, uint32_t node)
{
    int64_t drained_ms = p->memory.jobs.drained_ms[node];
    int64_t since_ms = p->memory.owed[node].since_ms;

    return drained_ms > since_ms ? drained_ms : since_ms;
}

/* Limits hold a requeue back, too, and no signal comes before one that is due. */
static bool
is_limited(const struct rc_play *p)
{
    return p->plan->destructive_max || p->memory.limits.tripped_ms[0] ||
           p->memory.limits.tripped_ms[1];
}

static void
check_signalled(struct rc_ctl *c, const struct rc_action *a, uint32_t node)
{
    struct rc_play *p = c->p;
    const struct rc_rule *rule = rc_check_rule(p, p->memory.owed[node].rule);
    int64_t since_ms = owed_since_ms(p, node);

    if (rule && rule->jobs.signal && !p->memory.owed[node].signalled &&
        p->memory.jobs.incident[node] == a->incident &&
        p->now_ms - since_ms > rc_check_soon_ms(p) && !is_limited(p) &&
        stood_by(p, node, since_ms)) {
        rc_play_fail(p, RC_FOUND_JOBS,
                     "head%u requeues the jobs of %s after %lld ms without the signal of rule %s",
                     c->index + 1, a->node, (long long)(p->now_ms - since_ms), rule->name);
    }
}

void
rc_check_owed_step(struct rc_ctl *c)
{
    for (uint32_t i = 0; i < c->out.count; i++) {
        const struct rc_action *a = &c->out.v[i];
        uint32_t node = rc_play_node_index(c->p, a->node);
        if (node >= c->p->plan->nodes) {
            continue;
        }
        if (a->kind == RC_ACT_INCIDENT_PUT && !a->u.item.close) {
            note_rule(c->p, a, node);
        } else if (a->kind == RC_ACT_JOBS_SIGNAL) {
            c->p->memory.owed[node].signalled = 1;
        } else if (a->kind == RC_ACT_JOBS_REQUEUE) {
            check_signalled(c, a, node);
            c->p->memory.owed[node].requeued = 1;
        }
    }
}

/* Another notice of an interruption, which may have got lost, moves the date. */
static bool
told_twice(const struct rc_play *p, uint32_t node)
{
    uint32_t told = 0;

    for (uint32_t i = 0; i < p->plan->count; i++) {
        const struct rc_plan_row *row = &p->plan->row[i];
        told += row->ill == RC_ILL_SPOT && row->target % p->plan->nodes == node &&
                row->at_ms <= p->now_ms && row->at_ms + row->for_ms > p->now_ms;
    }
    return told > 1;
}

/* When AWS takes the instance, as the fault of the incident tells it; 0 = it does not, or more
 * than one date stands. */
static int64_t
deadline_of(const struct rc_play *p, uint32_t node, const struct rc_sim_instance *inst,
            uint32_t fault)
{
    int64_t spot_ms = inst->spot_ms == RC_SIM_NEVER ? 0 : inst->spot_ms, planned_ms = 0;
    uint32_t dates = spot_ms != 0;

    for (uint32_t i = 0; i < RC_SIM_SCHEDULED_MAX; i++) {
        const struct rc_sim_scheduled *x = &inst->scheduled[i];
        dates += x->state != RC_SIM_SCHEDULED_NONE;
        planned_ms = x->state == RC_SIM_SCHEDULED_ACTIVE ? x->not_before_ms : planned_ms;
    }
    if (dates != 1 || told_twice(p, node)) {
        return 0;
    }
    return fault == RC_FAULT_INTERRUPTION                                       ? spot_ms
           : fault == RC_FAULT_RETIREMENT || fault == RC_FAULT_SCHEDULED_REBOOT ? planned_ms
                                                                                : 0;
}

static void
check_deadline(struct rc_play *p, uint32_t node)
{
    const struct rc_item *item = rc_check_item(p, p->memory.owed[node].incident);
    const struct rc_rule *rule = item ? rc_check_rule(p, item->item.rule) : NULL;
    const struct rc_sim_instance *inst = rule ? rc_play_instance(p, node) : NULL;
    int64_t by_ms =
        inst && rule->jobs.before_deadline_ms ? deadline_of(p, node, inst, item->item.fault) : 0;
    int64_t owed_ms = by_ms - RC_PLAY_WALL_MS - (rule ? rule->jobs.before_deadline_ms : 0);
    int64_t since_ms = owed_since_ms(p, node), soon_ms = rc_check_soon_ms(p);

    owed_ms = since_ms > owed_ms ? since_ms : owed_ms;
    if (by_ms && p->now_ms < by_ms - RC_PLAY_WALL_MS && p->now_ms - owed_ms > soon_ms &&
        !is_limited(p) && stood_by(p, node, since_ms)) {
        rc_play_fail(p, RC_FOUND_JOBS, "nobody requeues the jobs of %s %lld ms before %s goes",
                     p->conf[node].name, (long long)(by_ms - rc_play_wall(p)), inst->id);
    }
}

void
rc_check_owed_world(struct rc_play *p)
{
    p->memory.stuck_ms = rc_play_stuck_nodes(p) ? p->now_ms : p->memory.stuck_ms;
    for (uint32_t node = 0; node < p->plan->nodes; node++) {
        uint32_t incident = p->memory.jobs.incident[node];
        if (incident && incident == p->memory.owed[node].incident &&
            !p->memory.owed[node].requeued && job_on(p, node)) {
            check_deadline(p, node);
        }
    }
}
