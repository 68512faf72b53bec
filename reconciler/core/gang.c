/* gang.c - see gang.h. A small table by job id; it has room for all jobs of all incidents,
 * so it is never full. */
#include "reconciler/core/gang.h"

#include <assert.h>
#include <string.h>

static uint32_t *
gang_bucket(const struct rc_state *s, uint32_t job)
{
    return &rc_table_u32(s, &s->job_buckets)[job & (s->job_buckets.room - 1)];
}

static uint32_t
gang_find(const struct rc_state *s, uint32_t job)
{
    uint32_t slot = *gang_bucket(s, job);

    while (slot && rc_job_at(s, slot)->id != job) {
        slot = rc_job_at(s, slot)->next_in_bucket;
    }
    return slot;
}

static void
gang_hang(struct rc_state *s, uint32_t slot)
{
    uint32_t *bucket = gang_bucket(s, rc_job_at(s, slot)->id);

    rc_job_at(s, slot)->next_in_bucket = *bucket;
    *bucket = slot;
}

static uint32_t
gang_new(struct rc_state *s, uint32_t job)
{
    uint32_t slot = s->job_free;

    if (slot) {
        s->job_free = rc_job_at(s, slot)->next_free;
    } else {
        assert(s->job_used < s->jobs.room);
        slot = ++s->job_used;
    }
    *rc_job_at(s, slot) = (struct rc_job_row){.id = job};
    gang_hang(s, slot);
    s->jobs_out++;
    return slot;
}

static void
gang_free(struct rc_state *s, uint32_t slot)
{
    uint32_t *at = gang_bucket(s, rc_job_at(s, slot)->id);

    while (*at != slot) {
        at = &rc_job_at(s, *at)->next_in_bucket;
    }
    *at = rc_job_at(s, slot)->next_in_bucket;
    *rc_job_at(s, slot) = (struct rc_job_row){.next_free = s->job_free};
    s->job_free = slot;
    s->jobs_out--;
}

void
rc_gang_take(struct rc_state *s, struct rc_incident *inc)
{
    const struct rc_node *n = rc_node_at(s, inc->node);

    for (uint32_t i = 0; i < RC_NODE_JOBS_MAX && inc->rule.jobs.mode == RC_JOBS_REQUEUE; i++) {
        uint32_t job = n->job[i].id, slot = job ? gang_find(s, job) : 0;
        if (job) {
            inc->job[i] = job;
            rc_job_at(s, slot ? slot : gang_new(s, job))->out++;
        }
    }
}

void
rc_gang_give_back(struct rc_state *s, struct rc_incident *inc)
{
    for (uint32_t i = 0; i < RC_NODE_JOBS_MAX; i++) {
        uint32_t slot = inc->job[i] ? gang_find(s, inc->job[i]) : 0;
        if (!inc->job[i]) {
            continue;
        }
        assert(slot && rc_job_at(s, slot)->out > 0);
        if (--rc_job_at(s, slot)->out == 0) {
            gang_free(s, slot);
        }
    }
    memset(inc->job, 0, sizeof inc->job);
}

uint32_t
rc_gang_out(const struct rc_state *s, uint32_t job)
{
    uint32_t slot = gang_find(s, job);

    return slot ? rc_job_at(s, slot)->out : 0;
}

void
rc_gang_hang_all(struct rc_state *s)
{
    for (uint32_t slot = 1; slot <= s->job_used; slot++) {
        if (rc_job_at(s, slot)->id) {
            gang_hang(s, slot);
        }
    }
}
