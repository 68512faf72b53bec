/* step.c - the one entry: fold, then decide; see step.h. */
#include "reconciler/core/step.h"

#include <assert.h>

#include "handlers/table.h"
#include "policies/rules.h"
#include "reconciler/core/suspect.h"
#include "reconciler/core/timers.h"
#include "reconciler/core/turn.h"

void
rc_fold(struct rc_state *s, const struct rc_event *ev)
{
    assert(ev->kind < RC_EVENT__MAX);
    if (ev->at_ms > s->now_ms) {
        s->now_ms = ev->at_ms; /* time never goes back, whatever a clock does */
    }
    s->now_wall_ms = ev->wall_ms;
    if (rc_breaker_wake(s) <= s->now_ms) { /* here, so that a replay closes it at the same event */
        s->breaker_open = 0;
        s->recheck = 1;
        rc_history_dirty(s, 0);
    }
    s->folds++;
    s->counters.events[ev->kind]++;
    rc_handlers[ev->kind]->apply(s, ev);
    rc_ack_part(s, ev);
}

void
rc_step(struct rc_state *s, const struct rc_event *ev, struct rc_actions *out)
{
    out->count = 0;
    out->full = 0;
    s->counters.steps++;
    rc_fold(s, ev);
    rc_decide(s, out);
}

int64_t
rc_next_deadline(const struct rc_state *s)
{
    int64_t next = rc_timer_next(s), breaker = rc_breaker_wake(s);

    if (s->touch_count && s->policy_loaded) {
        return s->now_ms;
    }
    next = breaker < next ? breaker : next;
    if (rc_ack_wake(s) < next) {
        next = rc_ack_wake(s);
    }
    if (rc_history_wake(s) < next) {
        next = rc_history_wake(s);
    }
    if (s->cluster_loaded && s->lease_next_ms < next) {
        next = s->lease_next_ms;
    }
    if (s->closed_retry_ms && s->closed_retry_ms < next && rc_leads(s)) {
        next = s->closed_retry_ms;
    }
    if (rc_suspect_wake(s) < next) {
        next = rc_suspect_wake(s);
    }
    return rc_pair_wake(s) < next ? rc_pair_wake(s) : next;
}
