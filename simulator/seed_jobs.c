/* seed_jobs.c - see seed_jobs.h: a seed is a task. A play that crashes takes its process
 * with it, and the seed that it stood at is known. */
#include "simulator/seed_jobs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "simulator/task_jobs.h"

struct seeds {
    uint64_t from;
    struct rc_seed_report *report;
    char note[40];
};

static void
play_seed(void *arg, uint64_t task, void *record)
{
    const struct seeds *s = arg;
    struct rc_plan plan;

    rc_plan_draw(&plan, s->from + task);
    rc_play_run(&plan, NULL, record);
}

static void
keep(struct rc_seed_report *r, uint64_t seed, const struct rc_play_result *result)
{
    uint32_t at = r->kept;

    r->failed++;
    while (at && r->failure[at - 1].seed > seed) {
        at--;
    }
    if (at == RC_SEED_FAILURES_MAX) {
        return;
    }
    r->kept += r->kept < RC_SEED_FAILURES_MAX;
    memmove(&r->failure[at + 1], &r->failure[at], (r->kept - at - 1) * sizeof r->failure[0]);
    r->failure[at].seed = seed;
    r->failure[at].result = *result;
}

static void
take_seed(void *arg, uint64_t task, const void *record)
{
    const struct seeds *s = arg;
    const struct rc_play_result *result = record;
    uint64_t seed = s->from + task;

    s->report->seeds++;
    s->report->steps += result->steps;
    s->report->hash ^= result->hash * (seed * 2 + 1);
    if (result->verdict != RC_FOUND_NOTHING) {
        keep(s->report, seed, result);
    }
}

static void
tell_lost_seed(void *arg, uint64_t task, int status)
{
    const struct seeds *s = arg;

    fprintf(stderr, "\nsimulate: seed %" PRIu64 " ended its process (status %d)\n", s->from + task,
            status);
}

static const char *
tell_failed(void *arg)
{
    struct seeds *s = arg;

    snprintf(s->note, sizeof s->note, "%" PRIu64 " failed", s->report->failed);
    return s->note;
}

int
rc_seed_jobs(uint64_t from, uint64_t to, unsigned jobs, struct rc_seed_report *ret)
{
    struct seeds s = {.from = from, .report = ret};
    struct rc_tasks tasks = {.count = to - from + 1,
                             .jobs = jobs,
                             .unit = "schedules",
                             .record_size = sizeof(struct rc_play_result),
                             .arg = &s,
                             .work = play_seed,
                             .take = take_seed,
                             .lost = tell_lost_seed,
                             .note = tell_failed};

    memset(ret, 0, sizeof *ret);
    int bad = rc_task_jobs(&tasks);
    ret->spent_ms = tasks.spent_ms;
    return bad;
}
