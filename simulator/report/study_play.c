/* study_play.c - the plays of a study, on as many processes as there are processors. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "simulator/report/study.h"
#include "simulator/task_jobs.h"

struct record {
    enum rc_err err;
    struct rc_error e;
    struct rc_fleet_result result;
};

struct plays {
    const struct rc_study *s;
    struct rc_fleet_result *result;
    int status;
};

enum rc_err
rc_study_play(const struct rc_study *s, uint32_t policy, uint32_t seed,
              struct rc_fleet_history *history, struct rc_fleet_result *ret, struct rc_error *e)
{
    struct rc_fleet_config c = s->config;

    c.seed = s->first_seed + seed;
    c.policy = &s->policy[policy].policy;
    c.history = history;
    return rc_fleet_run(&c, ret, e);
}

bool
rc_study_tell_find(const struct rc_study *s, uint32_t policy, uint32_t seed,
                   const struct rc_fleet_result *r)
{
    if (r->check_faults) {
        fprintf(stderr, "\nsimulate: seed %" PRIu64 ", policy %s: %s\n", s->first_seed + seed,
                s->policy[policy].label, r->text);
    }
    return r->check_faults != 0;
}

/* Tasks go seed by seed, so that one policy is never far ahead. */
static void
play_task(void *arg, uint64_t task, void *record)
{
    const struct plays *p = arg;
    struct record *r = record;
    uint32_t policies = p->s->policy_count;

    r->err = rc_study_play(p->s, (uint32_t)(task % policies), (uint32_t)(task / policies), NULL,
                           &r->result, &r->e);
}

static void
take_task(void *arg, uint64_t task, const void *record)
{
    struct plays *p = arg;
    const struct record *r = record;
    uint64_t policies = p->s->policy_count;

    p->result[task % policies * p->s->seeds + task / policies] = r->result;
    if (r->err != RC_OK && p->status == RC_STUDY_OK) {
        fprintf(stderr, "\nsimulate: seed %" PRIu64 ": %s\n", p->s->first_seed + task / policies,
                r->e.text);
        p->status = RC_STUDY_CANNOT;
    }
    if (rc_study_tell_find(p->s, (uint32_t)(task % policies), (uint32_t)(task / policies),
                           &r->result)) {
        p->status = p->status == RC_STUDY_OK ? RC_STUDY_FOUND : p->status;
    }
}

static void
tell_lost_run(void *arg, uint64_t task, int status)
{
    struct plays *p = arg;

    fprintf(stderr, "\nsimulate: seed %" PRIu64 " ended its process (status %d)\n",
            p->s->first_seed + task / p->s->policy_count, status);
}

int
rc_study_play_all(const struct rc_study *s, struct rc_fleet_result *result)
{
    struct plays p = {.s = s, .result = result, .status = RC_STUDY_OK};
    struct rc_tasks tasks = {.count = (uint64_t)s->seeds * s->policy_count,
                             .jobs = s->jobs,
                             .unit = "runs",
                             .record_size = sizeof(struct record),
                             .arg = &p,
                             .work = play_task,
                             .take = take_task,
                             .lost = tell_lost_run};

    if (rc_task_jobs(&tasks) != 0) {
        return RC_STUDY_CANNOT;
    }
    return p.status;
}
