/* ladder.c - where on its ladder an incident stands, and what its jobs get. */
#include "policies/rules.h"

const struct rc_rung *
rc_rung_now(const struct rc_incident *inc)
{
    static const struct rc_rung nothing = {.kind = RC_RUNG_QUARANTINE, .attempts = 1};

    return inc->rung < inc->rule.rung_count ? &inc->rule.rung[inc->rung] : &nothing;
}

bool
rc_rung_next(const struct rc_incident *inc, uint32_t *ret_rung, uint32_t *ret_tries)
{
    *ret_rung = inc->rung;
    *ret_tries = inc->rung_tries + 1;
    if (*ret_tries >= rc_rung_now(inc)->attempts) {
        *ret_rung = inc->rung + 1;
        *ret_tries = 0;
    }
    return *ret_rung < inc->rule.rung_count;
}

int64_t
rc_jobs_since(const struct rc_incident *inc)
{
    return inc->ruled_ms > inc->drain_ack_ms ? inc->ruled_ms : inc->drain_ack_ms;
}

int64_t
rc_jobs_requeue_at(const struct rc_state *s, const struct rc_incident *inc)
{
    const struct rc_jobs_plan *p = &inc->rule.jobs;
    int64_t at = RC_NEVER;

    if (p->mode == RC_JOBS_REQUEUE) {
        at = rc_jobs_since(inc) + p->wait_ms;
    }
    if (p->before_deadline_ms && inc->deadline_wall_ms) {
        int64_t left_ms = inc->deadline_wall_ms - p->before_deadline_ms - s->now_wall_ms;
        int64_t by = s->now_ms + (left_ms > 0 ? left_ms : 0);
        at = by < at ? by : at;
    }
    return at;
}

int64_t
rc_jobs_last_signal_at(const struct rc_state *s, const struct rc_incident *inc)
{
    const struct rc_jobs_plan *p = &inc->rule.jobs;
    int64_t requeue_at = rc_jobs_requeue_at(s, inc);

    return p->signal_before_ms && requeue_at != RC_NEVER ? requeue_at - p->signal_before_ms
                                                         : RC_NEVER;
}
