/* check_out.c - never: more nodes out of service by our choice than the budgets of the
 * cluster, their partition and their zone allow, or more jobs cut short, or more nodes of one job,
 * or sooner after another than spacing.
 *
 * Looked at when a node is taken out, counted anew from the open incidents and from
 * what stood on the nodes then. What a person or the other controller added since
 * is theirs: an excess without a new node is no find. */
#include <string.h>

#include "policies/rules.h"
#include "simulator/check.h"

static uint64_t
larger_of(uint64_t count, uint64_t total, uint64_t permille)
{
    uint64_t share = total * permille / 1000;

    return count > share ? count : share;
}

static bool
is_out(const struct rc_ctl *c, const struct rc_incident *inc)
{
    return inc->id && inc->node && inc->phase >= RC_PHASE_PROTECT &&
           rc_fault_is_our_choice(inc->fault) && !(inc->flags & RC_INC_WITH_JOB) &&
           !rc_node_at(c->s, inc->node)->spare; /* a place for a spare is no node */
}

/* A person may have let it out of quarantine in this very step, after another was taken. */
static bool
was_aside(const struct rc_ctl *c, const struct rc_incident *inc)
{
    uint32_t node = rc_play_node_index(c->p, rc_node_at(c->s, inc->node)->name);

    return node < c->p->plan->nodes && c->p->memory.out[c->index].aside[node];
}

/* The part of a cluster that a budget is for; row: as this leader counts them. */
static bool
is_in(const struct rc_ctl *c, uint32_t node, enum rc_scope scope, uint32_t row)
{
    const struct rc_node *n = rc_node_at(c->s, node);

    return scope == RC_SCOPE_CLUSTER ||
           row == (scope == RC_SCOPE_ZONE ? n->zone_row : n->partition_row);
}

/* Nodes out; those in quarantine only beyond what may stand beside the budget. */
static uint64_t
count_out(const struct rc_ctl *c, enum rc_scope scope, uint32_t row)
{
    uint64_t out = 0, quarantined = 0, aside = c->p->plan->quarantine_max;

    for (uint32_t slot = 1; slot <= c->s->incident_used; slot++) {
        const struct rc_incident *inc = rc_incident_at(c->s, slot);
        bool here = is_out(c, inc) && is_in(c, inc->node, scope, row);
        out += here;
        quarantined += here && (inc->phase == RC_PHASE_QUARANTINE || was_aside(c, inc));
    }
    return out - (quarantined < aside ? quarantined : aside);
}

static void
check_scope(struct rc_ctl *c, enum rc_scope scope, uint32_t row)
{
    const struct rc_limit *l = &c->p->policy.limits.out[scope];
    uint64_t nodes = 0, out = count_out(c, scope, row);

    for (uint32_t i = 0; i < c->p->plan->nodes; i++) {
        uint32_t node = rc_node_find(c->s, c->p->conf[i].name);
        nodes += node && is_in(c, node, scope, row);
    }
    uint64_t allowed = larger_of(l->count, nodes, l->permille);
    if (out > allowed) {
        rc_play_fail(c->p, RC_FOUND_LIMITS,
                     "head%u has taken %llu nodes of %s out, %llu are allowed", c->index + 1,
                     (unsigned long long)out,
                     scope == RC_SCOPE_CLUSTER ? "the cluster" : rc_scope_at(c->s, row)->name,
                     (unsigned long long)allowed);
    }
}

static void
check_scopes(struct rc_ctl *c, uint32_t node)
{
    const struct rc_node *n = rc_node_at(c->s, node);

    check_scope(c, RC_SCOPE_CLUSTER, 0);
    if (n->partition_row) { /* 0 = slurmctld has not told it yet */
        check_scope(c, RC_SCOPE_PARTITION, n->partition_row);
    }
    if (n->zone_row) { /* 0 = EC2 has not shown its instance yet */
        check_scope(c, RC_SCOPE_ZONE, n->zone_row);
    }
}

/* Other nodes whose incident cut this job short and is not closed yet. */
static uint64_t
others_of_job(const struct rc_ctl *c, uint32_t node, uint32_t job)
{
    uint64_t others = 0;

    for (uint32_t i = 0; i < c->p->plan->nodes; i++) {
        others += i != node && job && c->p->memory.out[c->index].job[i] == job;
    }
    return others;
}

static uint64_t
jobs_cut(const struct rc_ctl *c)
{
    uint64_t jobs = 0;

    for (uint32_t i = 0; i < c->p->plan->nodes; i++) {
        uint32_t job = c->p->memory.out[c->index].job[i];
        bool first = job != 0;
        for (uint32_t k = 0; k < i; k++) {
            first = first && c->p->memory.out[c->index].job[k] != job;
        }
        jobs += first;
    }
    return jobs;
}

static void
check_jobs(struct rc_ctl *c, uint32_t node, const struct rc_incident *inc)
{
    const struct rc_plan *plan = c->p->plan;
    uint32_t job = rc_node_at(c->s, inc->node)->job[0].id;
    uint64_t others = others_of_job(c, node, job), cut = jobs_cut(c);
    bool with_job = inc->flags & RC_INC_WITH_JOB;

    if (plan->of_job_max && others >= plan->of_job_max) {
        rc_play_fail(c->p, RC_FOUND_LIMITS, "head%u takes another node of job %u, %llu are out",
                     c->index + 1, job, (unsigned long long)others);
    }
    if (plan->jobs_max && cut > 1 && cut > plan->jobs_max && c->p->memory.out[c->index].job[node] &&
        !others) {
        rc_play_fail(c->p, RC_FOUND_LIMITS, "head%u cuts %llu jobs short at once", c->index + 1,
                     (unsigned long long)cut);
    }
    if (with_job && plan->same_job != RC_SAME_JOB_FREE) {
        rc_play_fail(c->p, RC_FOUND_LIMITS, "head%u takes a node beside the budgets", c->index + 1);
    }
}

static void
check_spacing(struct rc_ctl *c)
{
    int64_t last_ms = c->p->memory.out[c->index].last_ms, now_ms = c->s->now_ms;

    if (last_ms && now_ms - last_ms < (int64_t)c->p->plan->spacing_ms) {
        rc_play_fail(c->p, RC_FOUND_LIMITS, "head%u takes a node %lld ms after another",
                     c->index + 1, (long long)(now_ms - last_ms));
    }
    c->p->memory.out[c->index].last_ms = now_ms;
}

/* Incidents that have closed, or that the other controller has gone on with, also those that
 * came back from it: by then their jobs were cut and run elsewhere, and the store names none. */
static void
forget_closed(struct rc_ctl *c)
{
    for (uint32_t i = 0; i < c->p->plan->nodes; i++) {
        uint32_t slot = rc_node_find(c->s, c->p->conf[i].name);
        uint32_t open = slot ? rc_node_at(c->s, slot)->incident : 0;
        const struct rc_incident *inc = open ? rc_incident_at(c->s, open) : NULL;
        if (!inc || inc->id != c->p->memory.out[c->index].incident[i] ||
            inc->flags & RC_INC_ADOPTED) {
            c->p->memory.out[c->index].incident[i] = 0;
            c->p->memory.out[c->index].job[i] = 0;
        }
    }
}

/* What a restart reads back as out is not taken by the next item of its incident: one that is
 * written again, or whose fault is back before it closed. The node was out all that time. And
 * an incident that is written again as open was opened then, not now. */
void
rc_check_limits_start(struct rc_ctl *c)
{
    uint32_t *newest = &c->p->memory.limits.newest[c->index];

    *newest = c->s->next_incident > *newest ? c->s->next_incident - 1 : *newest;
    for (uint32_t i = 0; i < c->p->plan->nodes; i++) {
        uint32_t slot = rc_node_find(c->s, c->p->conf[i].name);
        uint32_t open = slot ? rc_node_at(c->s, slot)->incident : 0;
        const struct rc_incident *inc = open ? rc_incident_at(c->s, open) : NULL;
        if (inc && inc->flags & RC_INC_COUNTED &&
            inc->id != c->p->memory.out[c->index].incident[i]) {
            c->p->memory.out[c->index].incident[i] = inc->id;
            c->p->memory.out[c->index].job[i] = inc->job[0];
        }
    }
}

void
rc_check_limits_out(struct rc_ctl *c, const struct rc_action *a, bool adopting)
{
    uint32_t node = rc_play_node_index(c->p, a->node), slot = rc_node_find(c->s, a->node);
    uint32_t open = slot ? rc_node_at(c->s, slot)->incident : 0;

    forget_closed(c);
    if (node >= c->p->plan->nodes || !open || adopting || a->u.item.phase < RC_PHASE_PROTECT ||
        a->u.item.close || c->p->memory.out[c->index].incident[node] == a->incident) {
        return;
    }
    const struct rc_incident *inc = rc_incident_at(c->s, open);
    if (inc->flags & RC_INC_ADOPTED || !rc_fault_is_our_choice(inc->fault)) {
        return;
    }
    c->p->memory.out[c->index].incident[node] = a->incident;
    c->p->memory.out[c->index].job[node] =
        inc->rule.jobs.mode == RC_JOBS_REQUEUE ? rc_node_at(c->s, slot)->job[0].id : 0;
    if (a->u.item.phase != RC_PHASE_PROTECT) {
        /* Out already, for its agent's drain, which turned out worse: it counts from now on. */
        c->p->memory.out[c->index].last_ms = c->s->now_ms;
        return;
    }
    check_jobs(c, node, inc);
    check_spacing(c);
    rc_check_order_taken(c, slot, inc);
    if (!(inc->flags & RC_INC_WITH_JOB)) {
        check_scopes(c, slot);
    }
}

void
rc_check_limits_end(struct rc_ctl *c)
{
    memset(c->p->memory.out[c->index].aside, 0, sizeof c->p->memory.out[c->index].aside);
    for (uint32_t slot = 1; c->s->open_incidents && slot <= c->s->incident_used; slot++) {
        const struct rc_incident *inc = rc_incident_at(c->s, slot);
        const struct rc_node *n = inc->id && inc->node ? rc_node_at(c->s, inc->node) : NULL;
        uint32_t node = n && inc->phase == RC_PHASE_QUARANTINE && n->incident == slot
                            ? rc_play_node_index(c->p, n->name)
                            : RC_PLAN_NODES_MAX;
        if (node < c->p->plan->nodes) {
            c->p->memory.out[c->index].aside[node] = 1;
        }
    }
}
