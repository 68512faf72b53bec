/* fleet_plan.c - which job starts when: the heads of the lines at once, the rest by
 * backfill that never delays the first that waits (EASY), and pre-emption.
 *
 * Running jobs stand in buckets of 15 minutes by their limits: when enough nodes for the
 * first job will be free is one walk over the buckets. */
#include "simulator/fleet/fleet_private.h"

enum {
    BACKFILL_MS = 30 * RC_FLEET_SECOND, /* bf_interval */
    BACKFILL_DEPTH = 200,               /* bf_max_job_test */
    PREEMPT_AFTER_MS = 2 * RC_FLEET_HOUR
};

static uint32_t
bucket_of_plan(int64_t at_ms)
{
    return (uint32_t)(at_ms / RC_PLAN_BUCKET_MS);
}

void
rc_plan_begin(struct rc_fleet *f, struct rc_fleet_job *j)
{
    int64_t horizon_ms = (int64_t)(RC_PLAN_BUCKETS - 2) * RC_PLAN_BUCKET_MS;
    int64_t span_ms = j->limit_ms < horizon_ms ? j->limit_ms : horizon_ms;

    j->ends_at = bucket_of_plan(f->now_ms + span_ms) % RC_PLAN_BUCKETS;
    f->q.ends[j->ends_at] += j->nodes;
}

void
rc_plan_end(struct rc_fleet *f, struct rc_fleet_job *j)
{
    f->q.ends[j->ends_at] -= j->nodes;
}

/* Takes the nodes from the highest down, so that the chain reads upwards. */
static bool
try_start(struct rc_fleet *f, uint32_t at)
{
    struct rc_fleet_job *j = &f->q.job[at];
    uint32_t ready, left = j->nodes, words = (f->c->nodes + 63) / 64;
    const uint64_t *set = rc_sim_slurm_ready(f->slurm, &ready);

    if (ready < j->nodes) {
        return false;
    }
    rc_line_drop(&f->q, &f->q.line[j->level], at);
    for (uint32_t w = words; left && w-- > 0;) {
        uint64_t bits = set[w];
        while (bits && left) {
            uint32_t bit = 63U - (uint32_t)__builtin_clzll(bits);
            uint32_t node = w * 64 + bit;
            bits &= ~(1ULL << bit);
            rc_sim_slurm_take(f->slurm, rc_fleet_wall(f), node, at);
            f->q.next_node[node] = j->first;
            j->first = node;
            left--;
        }
    }
    rc_queue_start(f, at);
    return true;
}

/* The first job in order of level, then age; RC_SIM_NO_NODE = none waits. */
static uint32_t
first_of(const struct rc_fleet_queue *q)
{
    for (uint32_t level = RC_FLEET_CLASSES; level-- > 0;) {
        if (q->line[level].head != RC_SIM_NO_NODE) {
            return q->line[level].head;
        }
    }
    return RC_SIM_NO_NODE;
}

void
rc_plan_heads(struct rc_fleet *f)
{
    uint32_t at;

    f->q.wanted = 0;
    while ((at = first_of(&f->q)) != RC_SIM_NO_NODE && try_start(f, at)) {
    }
    if (at != RC_SIM_NO_NODE && !f->q.backfill_due) {
        f->q.backfill_due = 1;
        rc_due_push(f, f->now_ms + BACKFILL_MS, RC_DUE_BACKFILL, 0, 0);
    }
}

/* When the first job will have its nodes, and how many will then be left over. */
static int64_t
shadow_of(const struct rc_fleet *f, uint32_t need, uint32_t ready, uint32_t *ret_extra)
{
    uint32_t now = bucket_of_plan(f->now_ms), free = ready;

    for (uint32_t i = 0; i < RC_PLAN_BUCKETS; i++) {
        free += f->q.ends[(now + i) % RC_PLAN_BUCKETS];
        if (free >= need) {
            *ret_extra = free - need;
            return (int64_t)(now + i + 1) * RC_PLAN_BUCKET_MS;
        }
    }
    *ret_extra = 0;
    return RC_SIM_NEVER; /* nodes are out: it waits until they are back */
}

/* Takes from the youngest backwards; fits: only what is not more than still wanted. */
static uint32_t
preempt_pass(struct rc_fleet *f, uint32_t last, uint32_t found, uint32_t want, bool fits)
{
    while (last != RC_SIM_NO_NODE && found < want) {
        const struct rc_fleet_job *j = &f->q.job[last];
        uint32_t at = last, nodes = j->nodes;
        last = j->before;
        if (!fits || nodes <= want - found) {
            rc_queue_interrupt(f, at, RC_CAUSE_PREEMPTED);
            found += nodes;
        }
    }
    return found;
}

static uint32_t
youngest_to_take(const struct rc_fleet *f, uint32_t ready, uint32_t *ret_found)
{
    uint32_t at = f->q.running.head, last = RC_SIM_NO_NODE;

    *ret_found = ready;
    while (at != RC_SIM_NO_NODE && f->now_ms - f->q.job[at].start_ms >= PREEMPT_AFTER_MS) {
        *ret_found += f->q.job[at].nodes;
        last = at;
        at = f->q.job[at].after;
    }
    return last;
}

/* Jobs that have run for two hours may be taken, the youngest of them first, and those that
 * are not larger than what is wanted before larger ones. */
static bool
preempt_for(struct rc_fleet *f, uint32_t want)
{
    uint32_t ready, found;

    (void)rc_sim_slurm_ready(f->slurm, &ready);
    uint32_t last = youngest_to_take(f, ready, &found);
    if (found < want) {
        return false;
    }
    found = preempt_pass(f, last, ready, want, true);
    if (found < want) { /* what was taken stands in no line of running jobs any more */
        uint32_t left;
        preempt_pass(f, youngest_to_take(f, 0, &left), found, want, false);
    }
    return true;
}

static void
fill_behind(struct rc_fleet *f, uint32_t head)
{
    uint32_t ready, extra, depth = 0;

    (void)rc_sim_slurm_ready(f->slurm, &ready);
    int64_t shadow_ms = shadow_of(f, f->q.job[head].nodes, ready, &extra);
    for (uint32_t level = RC_FLEET_CLASSES; level-- > 0;) {
        uint32_t at = f->q.line[level].head;
        while (at != RC_SIM_NO_NODE && ready && depth < BACKFILL_DEPTH) {
            const struct rc_fleet_job *j = &f->q.job[at];
            uint32_t next = j->after, nodes = j->nodes;
            bool ends_before = f->now_ms + j->limit_ms <= shadow_ms;
            depth++;
            if (at != head && nodes <= ready && (ends_before || nodes <= extra) &&
                try_start(f, at)) {
                ready -= nodes;
                extra -= ends_before ? 0 : nodes;
            }
            at = next;
        }
    }
}

void
rc_plan_backfill(struct rc_fleet *f)
{
    rc_plan_heads(f);
    uint32_t head = first_of(&f->q);
    if (head == RC_SIM_NO_NODE) {
        return;
    }
    if (f->q.job[head].level && preempt_for(f, f->q.job[head].nodes)) {
        return; /* its nodes are being cleaned: nobody else takes them */
    }
    fill_behind(f, head);
}
