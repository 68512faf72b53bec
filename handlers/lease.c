/* lease.c - the lease was got, kept or lost. Gaining it is the moment at which
 * everything is looked at again; losing it stops every request at once. An
 * answer that did not come changes nothing: what is held runs on until it ends. So does a
 * write of an epoch before this one that is refused now. */
#include "handlers/table.h"

#include "policies/rules.h"
#include "reconciler/core/fact.h"
#include "reconciler/core/stored.h"

enum { RETRY_MS = 500 }; /* a hand-over is seen within this */

static bool
is_of_past_epoch(const struct rc_state *s, const struct rc_ev_lease *told)
{
    return told->error == RC_OK && !told->held && told->epoch && told->epoch < s->lease_epoch;
}

static void
lease_apply(struct rc_state *s, const struct rc_event *ev)
{
    const struct rc_ev_lease *told = &ev->u.lease;
    bool led = rc_leads(s);

    if (is_of_past_epoch(s, told)) {
        return;
    }
    s->lease_action = 0;
    s->lease_next_ms = s->now_ms + RETRY_MS;
    if (told->error != RC_OK) {
        return;
    }
    s->lease_held = told->held != 0;
    s->lease_until_ms = told->until_ms;
    if (s->lease_held) {
        if (told->epoch > s->lease_epoch) {
            rc_stored_listed(s, told->epoch);
            s->sweep_floor = s->sweep + 2; /* one may be under way that began before */
            rc_pair_forget_work(s);
            s->pair.epoch_ms = s->now_ms;
        }
        s->lease_epoch = told->epoch;
        s->lease_next_ms = s->now_ms + (s->lease_until_ms - s->now_ms) / 3;
    }
    if (!led && rc_leads(s)) {
        s->led_at = s->folds;
        s->recheck = 1;
        rc_touch_all(s);
    }
}

const struct rc_handler rc_handler_lease = {RC_EV_LEASE, lease_apply};
