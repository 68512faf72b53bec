/* model_jobs.c - jobs: a line in order of arrival, whole nodes, requeue.
 *
 * Scheduling: the line is walked from its head and a job starts when enough ready
 * nodes fit; smaller jobs may pass a larger one that waits (backfill without
 * reservations), at most DEPTH places deep. */
#include <assert.h>
#include <string.h>

#include "simulator/model/sim_hash.h"
#include "simulator/model/slurm_table.h"

enum { DEPTH = 100 };

static uint32_t
job_slot(const struct rc_sim_slurm *m, const struct rc_sim_job *j)
{
    return (uint32_t)(j - m->job);
}

static struct rc_sim_job *
job_find(const struct rc_sim_slurm *m, uint32_t id)
{
    struct rc_sim_job *j = &m->job[id % m->config.jobs_max];

    return id != 0 && j->id == id ? j : NULL;
}

static void
line_add(struct rc_sim_slurm *m, struct rc_sim_job *j)
{
    uint32_t slot = job_slot(m, j);

    j->before = m->pending_tail;
    j->after = RC_SIM_NO_NODE;
    if (m->pending_tail != RC_SIM_NO_NODE)
        m->job[m->pending_tail].after = slot;
    else
        m->pending_head = slot;
    m->pending_tail = slot;
}

static void
line_drop(struct rc_sim_slurm *m, const struct rc_sim_job *j)
{
    if (j->before != RC_SIM_NO_NODE)
        m->job[j->before].after = j->after;
    else
        m->pending_head = j->after;
    if (j->after != RC_SIM_NO_NODE)
        m->job[j->after].before = j->before;
    else
        m->pending_tail = j->before;
}

static void
job_due_set(struct rc_sim_slurm *m, struct rc_sim_job *j, int64_t due_ms)
{
    j->due_ms = due_ms;
    rc_sim_heap_set(&m->job_due, job_slot(m, j), due_ms);
}

static bool
node_fits(const struct rc_sim_node *n, const struct rc_sim_job_order *o)
{
    return (o->partition[0] == '\0' || strcmp(o->partition, n->partition) == 0) &&
           (o->node[0] == '\0' || strcmp(o->node, n->name) == 0);
}

static void
job_take_node(struct rc_sim_slurm *m, int64_t now_ms, struct rc_sim_job *j, uint32_t at)
{
    struct rc_sim_node *n = &m->node[at];

    assert(n->job == RC_SIM_NO_NODE);
    n->job = job_slot(m, j);
    n->next = j->first;
    j->first = at;
    n->flags |= RC_SN_ALLOCATED;
    rc_sim_slurm_touch(m, now_ms, at);
}

/* Takes the nodes from the highest slot down, so that the list reads upwards. */
static bool
job_try_start(struct rc_sim_slurm *m, int64_t now_ms, struct rc_sim_job *j)
{
    uint32_t need = j->order.nodes;
    uint32_t found = 0;
    uint32_t end = 0;

    if (m->ready_count < need)
        return false;
    for (uint32_t i = 0; i < m->node_end && found < need; i++) {
        if (i % 64 == 0 && m->ready[i / 64] == 0) {
            i += 63;
            continue;
        }
        if ((m->ready[i / 64] >> (i % 64) & 1U) && node_fits(&m->node[i], &j->order)) {
            found++;
            end = i + 1;
        }
    }
    if (found < need)
        return false;
    while (end-- > 0 && need > 0) {
        if (!(m->ready[end / 64] >> (end % 64) & 1U) || !node_fits(&m->node[end], &j->order))
            continue;
        job_take_node(m, now_ms, j, end);
        need--;
    }
    line_drop(m, j);
    memcpy(j->last_node, m->node[j->first].name, sizeof(j->last_node));
    j->state = RC_SIM_JOB_RUNNING;
    j->start_ms = now_ms;
    j->begun_ms = j->saved_ms;
    job_due_set(m, j, now_ms + j->order.run_ms - j->saved_ms);
    return true;
}

void
rc_sim_slurm_schedule(struct rc_sim_slurm *m, int64_t now_ms)
{
    uint32_t at = m->pending_head;

    for (int i = 0; i < DEPTH && at != RC_SIM_NO_NODE && m->ready_count > 0; i++) {
        struct rc_sim_job *j = &m->job[at];

        at = j->after;
        if (j->eligible_ms <= now_ms)
            (void)job_try_start(m, now_ms, j);
    }
}

/* RUNNING ends: its nodes are cleaned first, then it becomes what it ends as. */
static void
job_end(struct rc_sim_slurm *m, int64_t now_ms, struct rc_sim_job *j, enum rc_sim_job_state as)
{
    assert(j->state == RC_SIM_JOB_RUNNING);
    j->state = RC_SIM_JOB_COMPLETING;
    j->ends_as = as;
    j->end_ms = now_ms;
    for (uint32_t at = j->first; at != RC_SIM_NO_NODE; at = m->node[at].next) {
        m->node[at].flags &= ~(uint32_t)RC_SN_ALLOCATED;
        m->node[at].flags |= RC_SN_COMPLETING;
        rc_sim_slurm_touch(m, now_ms, at);
    }
    job_due_set(m, j, now_ms + m->config.completing_ms);
}

static void
job_release(struct rc_sim_slurm *m, int64_t now_ms, struct rc_sim_job *j)
{
    uint32_t at = j->first;

    while (at != RC_SIM_NO_NODE) {
        struct rc_sim_node *n = &m->node[at];
        uint32_t next = n->next;

        n->flags &= ~(uint32_t)(RC_SN_ALLOCATED | RC_SN_COMPLETING);
        n->job = n->next = RC_SIM_NO_NODE;
        rc_sim_slurm_touch(m, now_ms, at);
        at = next;
    }
    j->first = RC_SIM_NO_NODE;
    j->state = j->ends_as;
    job_due_set(m, j, RC_SIM_NEVER);
    if (j->state != RC_SIM_JOB_PENDING)
        return;
    j->restarts++;
    j->eligible_ms = now_ms + m->config.requeue_ms;
    line_add(m, j);
    job_due_set(m, j, j->eligible_ms);
}

void
rc_sim_slurm_jobs_due(struct rc_sim_slurm *m, int64_t at_ms)
{
    struct rc_sim_job *j = &m->job[rc_sim_heap_first(&m->job_due)];

    job_due_set(m, j, RC_SIM_NEVER);
    if (j->state == RC_SIM_JOB_RUNNING)
        job_end(m, at_ms, j, RC_SIM_JOB_COMPLETED);
    else if (j->state == RC_SIM_JOB_COMPLETING)
        job_release(m, at_ms, j);
    rc_sim_slurm_schedule(m, at_ms);
}

void
rc_sim_slurm_job_lost(struct rc_sim_slurm *m, int64_t now_ms, uint32_t at)
{
    struct rc_sim_job *j;

    if (m->outside != NULL && m->node[at].flags & RC_SN_ALLOCATED)
        m->outside->lost[m->outside->lost_count++] = at;
    if (m->node[at].job == RC_SIM_NO_NODE)
        return;
    j = &m->job[m->node[at].job];
    if (j->state == RC_SIM_JOB_RUNNING)
        job_end(m, now_ms, j, j->order.requeue ? RC_SIM_JOB_PENDING : RC_SIM_JOB_NODE_FAIL);
}

static bool
job_over(const struct rc_sim_job *j)
{
    return j->id == 0 || j->state >= RC_SIM_JOB_COMPLETED;
}

uint32_t
rc_sim_slurm_submit(struct rc_sim_slurm *m, int64_t now_ms, const struct rc_sim_job_order *order)
{
    if (order->nodes == 0 || order->nodes > m->config.nodes_max || order->run_ms <= 0)
        return 0;
    for (uint32_t i = 0; i < m->config.jobs_max; i++) {
        uint32_t id = ++m->job_last;
        struct rc_sim_job *j = &m->job[id % m->config.jobs_max];

        if (id == 0 || !job_over(j))
            continue;
        *j = (struct rc_sim_job){.id = id,
                                 .state = RC_SIM_JOB_PENDING,
                                 .order = *order,
                                 .submit_ms = now_ms,
                                 .eligible_ms = now_ms,
                                 .due_ms = RC_SIM_NEVER,
                                 .first = RC_SIM_NO_NODE};
        line_add(m, j);
        rc_sim_slurm_schedule(m, now_ms);
        return id;
    }
    return 0;
}

const struct rc_sim_job *
rc_sim_slurm_job(const struct rc_sim_slurm *m, uint32_t id)
{
    return job_find(m, id);
}

const struct rc_sim_job *
rc_sim_slurm_job_at(const struct rc_sim_slurm *m, uint32_t slot)
{
    return slot < m->config.jobs_max && m->job[slot].id != 0 ? &m->job[slot] : NULL;
}

uint32_t
rc_sim_slurm_jobs(const struct rc_sim_slurm *m)
{
    return m->config.jobs_max;
}

enum rc_sim_outcome
rc_sim_slurm_signal(struct rc_sim_slurm *m, int64_t now_ms, uint32_t job, uint32_t signal)
{
    struct rc_sim_job *j = job_find(m, job);

    if (j == NULL || j->state != RC_SIM_JOB_RUNNING)
        return RC_SIM_MISSING;
    if (signal == 0 || signal > 64)
        return RC_SIM_REFUSED;
    j->signals++;
    j->last_signal = signal;
    if (signal == 9 || signal == 15)
        job_end(m, now_ms, j, RC_SIM_JOB_CANCELLED);
    else /* any other is taken as "write a checkpoint" */
        j->saved_ms = j->begun_ms + now_ms - j->start_ms;
    return RC_SIM_DONE;
}

enum rc_sim_outcome
rc_sim_slurm_requeue(struct rc_sim_slurm *m, int64_t now_ms, uint32_t job)
{
    struct rc_sim_job *j = job_find(m, job);

    if (j == NULL || j->state != RC_SIM_JOB_RUNNING)
        return RC_SIM_MISSING;
    if (!j->order.requeue || !j->order.batch)
        return RC_SIM_NOT_REQUEUEABLE;
    job_end(m, now_ms, j, RC_SIM_JOB_PENDING);
    return RC_SIM_DONE;
}

enum rc_sim_outcome
rc_sim_slurm_hold(struct rc_sim_slurm *m, uint32_t job)
{
    struct rc_sim_job *j = job_find(m, job);

    if (j == NULL || (j->state != RC_SIM_JOB_RUNNING && j->state != RC_SIM_JOB_PENDING))
        return RC_SIM_MISSING;
    if (j->state == RC_SIM_JOB_PENDING)
        j->eligible_ms = RC_SIM_NEVER;
    j->order.requeue = false;
    return RC_SIM_DONE;
}

const char *
rc_sim_job_state_name(enum rc_sim_job_state state)
{
    static const char *const name[RC_SIM_JOB__MAX] = {
        [RC_SIM_JOB_FREE] = "FREE",           [RC_SIM_JOB_PENDING] = "PENDING",
        [RC_SIM_JOB_RUNNING] = "RUNNING",     [RC_SIM_JOB_COMPLETING] = "COMPLETING",
        [RC_SIM_JOB_COMPLETED] = "COMPLETED", [RC_SIM_JOB_FAILED] = "FAILED",
        [RC_SIM_JOB_NODE_FAIL] = "NODE_FAIL", [RC_SIM_JOB_CANCELLED] = "CANCELLED",
    };

    assert(state < RC_SIM_JOB__MAX);
    return name[state];
}

uint64_t
rc_sim_slurm_jobs_hash(const struct rc_sim_slurm *m, uint64_t h)
{
    for (uint32_t i = 0; i < m->config.jobs_max; i++) {
        const struct rc_sim_job *j = &m->job[i];

        if (j->id == 0)
            continue;
        h = rc_sim_hash_u64(h, (uint64_t)j->id << 8 | (uint64_t)j->state);
        h = rc_sim_hash_u64(h, (uint64_t)j->start_ms);
        h = rc_sim_hash_u64(h, (uint64_t)j->due_ms);
        h = rc_sim_hash_u64(h, (uint64_t)j->saved_ms);
        h = rc_sim_hash_u64(h, (uint64_t)j->restarts << 32 | j->first);
    }
    return rc_sim_hash_u64(h, m->job_last);
}
