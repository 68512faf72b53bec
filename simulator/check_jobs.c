/* check_jobs.c - never: a job is requeued or signalled where the rule of the incident does not
 * say so, or sooner than it says; a node is set DOWN, which ends its jobs at once, while its
 * instance runs.
 *
 * The rule is read from the policy, the wait counted from the first drain that was sent for the
 * incident. AWS's own deadline comes before the rule's wait, where the rule gives a time for it. */
#include <string.h>

#include "policies/rules.h"
#include "simulator/check.h"

static bool
deadline_is_near(const struct rc_ctl *c, const struct rc_incident *inc, const struct rc_rule *rule)
{
    return rule->jobs.before_deadline_ms && inc->deadline_wall_ms &&
           inc->deadline_wall_ms - rule->jobs.before_deadline_ms <= c->s->now_wall_ms;
}

static void
check_requeue(struct rc_ctl *c, const struct rc_action *a, const struct rc_incident *inc,
              const struct rc_rule *rule)
{
    uint32_t node = rc_play_node_index(c->p, a->node);
    bool drained = node < c->p->plan->nodes && c->p->memory.jobs.incident[node] == a->incident;
    int64_t waited_ms = drained ? c->p->now_ms - c->p->memory.jobs.drained_ms[node] : RC_NEVER;

    if (deadline_is_near(c, inc, rule)) {
        return;
    }
    if (rule->jobs.mode != RC_JOBS_REQUEUE) {
        rc_play_fail(c->p, RC_FOUND_JOBS, "head%u requeues the jobs of %s, and rule %s does not",
                     c->index + 1, a->node, rule->name);
    } else if (waited_ms + rc_check_clocks_set_ms(c->p) < rule->jobs.wait_ms) {
        rc_play_fail(c->p, RC_FOUND_JOBS,
                     "head%u requeues the jobs of %s after %lld of %lld ms (rule %s)", c->index + 1,
                     a->node, (long long)waited_ms, (long long)rule->jobs.wait_ms, rule->name);
    }
}

void
rc_check_jobs_step(struct rc_ctl *c)
{
    for (uint32_t i = 0; i < c->out.count; i++) {
        const struct rc_action *a = &c->out.v[i];
        if (a->kind != RC_ACT_JOBS_REQUEUE && a->kind != RC_ACT_JOBS_SIGNAL) {
            continue;
        }
        uint32_t slot = rc_incident_find(c->s, a->incident);
        const struct rc_incident *inc = slot ? rc_incident_at(c->s, slot) : NULL;
        const struct rc_rule *rule = inc ? rc_check_rule(c->p, inc->rule.name) : NULL;
        if (rule && a->kind == RC_ACT_JOBS_REQUEUE) {
            check_requeue(c, a, inc, rule);
        } else if (rule && a->u.jobs.signal != rule->jobs.signal) {
            rc_play_fail(c->p, RC_FOUND_JOBS, "head%u sends signal %u to %s, rule %s says %u",
                         c->index + 1, a->u.jobs.signal, a->node, rule->name, rule->jobs.signal);
        }
    }
}

/* A drain leaves for slurmctld. */
void
rc_check_jobs_at_start(struct rc_ctl *c, const struct rc_action *a)
{
    uint32_t node =
        a->kind == RC_ACT_DRAIN ? rc_play_node_index(c->p, a->node) : (uint32_t)c->p->plan->nodes;

    if (node < c->p->plan->nodes && c->p->memory.jobs.incident[node] != a->incident) {
        c->p->memory.jobs.incident[node] = a->incident;
        c->p->memory.jobs.drained_ms[node] = c->p->now_ms;
    }
}

/* Where notices come late, one about a stop may come after the start. */
void
rc_check_jobs_down(struct rc_play *p, const struct rc_action *a)
{
    uint32_t at = rc_sim_slurm_find(p->slurm, a->node);
    const struct rc_sim_node *n = at != RC_SIM_NO_NODE ? rc_sim_slurm_node(p->slurm, at) : NULL;
    uint32_t node = rc_play_node_index(p, a->node);
    const struct rc_sim_instance *inst = node < p->plan->nodes ? rc_play_instance(p, node) : NULL;

    if (inst && inst->state == RC_INST_RUNNING && !p->plan->late_permille && n &&
        n->job != RC_SIM_NO_NODE) {
        rc_play_fail(p, RC_FOUND_JOBS, "%s is set down under a job while %s runs", a->node,
                     inst->id);
    }
}
