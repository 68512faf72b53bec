/* lead_yield.c - giving the lease back: what was begun at the pair and in the store ends first,
 * then the core, and only then the lease.
 *
 * Failure modes: a take-over of slurmctld or a store that does not end in time is not waited for
 * (the lease would end by itself meanwhile); a lease that cannot be given back runs out. */
#include "reconciler/io/daemon/lead_private.h"

enum { YIELD_WAIT_MS = 400, YIELD_PAIR_MS = 5000 };

static void
end_yield(struct rc_lead *l, enum rc_err code)
{
    rc_lead_yield_fn *done = l->yield_done;

    l->stage = NOT_YIELDING;
    l->yield_done = NULL;
    evtimer_del(l->yield_timer);
    if (done) {
        done(l->yield_arg, code);
    }
}

static void
on_yielded(void *arg, enum rc_err code, const struct rc_lease_info *info,
           const struct rc_error *err)
{
    struct rc_lead *l = arg;

    if (code == RC_OK) {
        rc_lead_note_seen(l, info);
    } else {
        rc_lead_note_trouble(l, "lease", err);
    }
    end_yield(l, code);
}

/* From now on the core decides nothing; only then may somebody else. */
static void
stop_core(struct rc_lead *l)
{
    struct rc_event ev;

    l->stage = CORE_ENDS;
    rc_event_init(&ev, RC_EV_LEASE);
    rc_daemon_post(l->d, &ev);
}

/* A slurmctld was asked to be active and does not serve yet. The next leader would not know. */
static bool
is_taking_over(const struct rc_state *s)
{
    return s->lease_held && (s->pair.phase == RC_FO_TAKEOVER || s->pair.phase == RC_FO_VERIFY);
}

static void
end_store(struct rc_lead *l)
{
    const struct timeval wait = {.tv_usec = YIELD_WAIT_MS * 1000};

    l->stage = STORE_ENDS;
    (void)evtimer_del(l->yield_timer);
    if (l->store_busy > 0) {
        (void)evtimer_add(l->yield_timer, &wait);
    } else {
        stop_core(l);
    }
}

void
rc_lead_on_yield_timer(evutil_socket_t fd, short what, void *arg)
{
    struct rc_lead *l = arg;

    (void)fd;
    (void)what;
    if (l->stage == PAIR_ENDS) {
        end_store(l);
    } else if (l->stage == STORE_ENDS) {
        stop_core(l);
    } else {
        rc_lead_follow(l); /* a renewal was under way */
    }
}

void
rc_lead_yield(struct rc_lead *l, rc_lead_yield_fn *done, void *arg)
{
    const struct timeval wait = {.tv_sec = YIELD_PAIR_MS / 1000};

    if (l->stage != NOT_YIELDING || l->d->dry_run ||
        (!l->d->state->lease_held && !l->unread_epoch)) {
        done(arg, l->stage != NOT_YIELDING ? RC_E_STATE : RC_E_NO_LEASE);
        return;
    }
    l->yield_done = done;
    l->yield_arg = arg;
    l->unread_epoch = 0;
    l->left_epoch = l->seen.epoch;
    l->not_before_ms = rc_daemon_now_ms(l->d) + 2 * l->d->config.lease.term_ms;
    l->stage = PAIR_ENDS;
    if (is_taking_over(l->d->state)) {
        (void)evtimer_add(l->yield_timer, &wait);
    } else {
        end_store(l);
    }
}

void
rc_lead_follow(struct rc_lead *l)
{
    const struct timeval soon = {.tv_usec = 20000};

    if (l->stage == PAIR_ENDS && !is_taking_over(l->d->state)) {
        end_store(l);
    }
    if (l->stage != CORE_ENDS || l->d->state->lease_held) {
        return;
    }
    enum rc_err err = rc_lease_yield(l->d->lease, on_yielded, l);
    if (err == RC_OK) {
        l->stage = LEASE_ENDS;
    } else if (err == RC_E_STATE) {
        evtimer_add(l->yield_timer, &soon);
    } else {
        end_yield(l, err);
    }
}

void
rc_lead_store_busy(struct rc_lead *l, int change)
{
    l->store_busy += change;
    if (l->stage == STORE_ENDS && l->store_busy <= 0) {
        evtimer_del(l->yield_timer);
        stop_core(l);
    }
}
