/* lead.c - see lead.h: asking for the lease, and what a new epoch begins with. */
#include "reconciler/io/daemon/lead_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/core/stored.h"
#include "reconciler/io/daemon/executor.h"
#include "reconciler/io/daemon/loop.h"
#include "reconciler/io/daemon/report.h"
#include "reconciler/io/daemon/sweeps.h"
#include "reconciler/io/store/history_json.h"

enum { TELL_AGAIN_MS = 60000 };

/* One question of the core. */
struct lease_call {
    struct rc_daemon *d;
    struct rc_event ev; /* RC_EV_LEASE, told when everything is adopted */
    bool told;          /* the core leads in this epoch: only renewed */
    bool observes;      /* makes no leader, whatever it finds */
};

static void
end_lease_call(struct lease_call *c)
{
    rc_daemon_post(c->d, &c->ev);
    free(c);
}

/* --- trouble ---------------------------------------------------------------------- */

void
rc_lead_note_trouble(struct rc_lead *l, const char *part, const struct rc_error *err)
{
    int64_t now_ms = rc_daemon_now_ms(l->d);

    if (strcmp(l->error.text, err->text) != 0 || now_ms - l->told_ms >= TELL_AGAIN_MS) {
        rc_log_failure(l->d->log, part, err, NULL);
        l->told_ms = now_ms;
    }
    l->error = *err;
}

void
rc_lead_note_seen(struct rc_lead *l, const struct rc_lease_info *info)
{
    l->seen = *info;
    l->seen_ms = rc_daemon_now_ms(l->d);
    if (info->epoch > l->left_epoch) {
        l->not_before_ms = 0;
    }
}

static bool
is_local_trouble(enum rc_err code)
{
    return code != RC_E_PARSE && code != RC_E_FOREIGN && code != RC_E_CONDITION &&
           code != RC_E_INVALID;
}

/* --- a new epoch -------------------------------------------------------------------- */

/* Once a take-over, not once a node. */
static void
say_absent(struct rc_daemon *d, uint32_t items, const char *first)
{
    if (items) {
        rc_log_event(d->log, RC_LOG_WARN, "store", RC_LOG_NOTE, "old-history",
                     RC_FIELDS(RC_INT("items", items), RC_TEXT("first", first)),
                     "history items of an earlier release lack what this one keeps besides; it "
                     "counts as none from now on");
    }
}

static enum rc_err
post_histories(struct rc_daemon *d, const struct rc_store_items *items, struct rc_error *err)
{
    char what[RC_NODE_LEN + 24];
    const char *first_old = "";
    uint32_t old = 0, absent;
    struct rc_event ev;

    for (size_t i = 0; i < items->history_count; i++) {
        const struct rc_history_item *item = &items->histories[i];
        bool is_cluster = strcmp(item->node, RC_HISTORY_CLUSTER) == 0;

        rc_event_init(&ev, RC_EV_HISTORY);
        snprintf(what, sizeof what, "history of node %s", item->node);
        enum rc_err e =
            rc_history_json_parse(what, item->json, item->json_len, &ev.u.history, &absent, err);
        if (e) {
            return e;
        }
        if (absent && !old++) {
            first_old = item->node;
        }
        ev.u.history.epoch = item->epoch;
        if (!is_cluster) {
            memcpy(ev.node, item->node, sizeof ev.node);
        }
        rc_daemon_post(d, &ev);
    }
    say_absent(d, old, first_old);
    return RC_OK;
}

static void
on_yielded_unread(void *arg, enum rc_err code, const struct rc_lease_info *info,
                  const struct rc_error *err)
{
    (void)arg;
    (void)code;
    (void)info;
    (void)err;
}

/* A store that cannot be read: kept for a term, then left to the other controller. What
 * is wrong in the store itself is wrong for both, and a new epoch would not mend it. */
static void
store_unread(struct rc_lead *l, enum rc_err code)
{
    int64_t now_ms = rc_daemon_now_ms(l->d), term_ms = l->d->config.lease.term_ms;

    if (is_local_trouble(code) && now_ms - l->unread_since_ms > term_ms) {
        l->left_epoch = l->unread_epoch;
        l->unread_epoch = 0;
        l->not_before_ms = now_ms + term_ms;
        (void)!rc_lease_yield(l->d->lease, on_yielded_unread, l);
    }
}

/* Given back, being given back, or lost while it was asked for: the core must not be told that
 * it leads in this epoch, for somebody else may lead by now. */
static bool
is_epoch_left(const struct rc_lead *l, uint64_t epoch)
{
    return l->stage != NOT_YIELDING || epoch <= l->left_epoch || !l->seen.mine ||
           l->seen.epoch != epoch;
}

static void
keep_later(struct rc_lead *l)
{
    int64_t ms = l->d->config.lease.term_ms / 3;
    const struct timeval third = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    (void)evtimer_add(l->keep_timer, &third);
}

static void
on_kept(void *arg, enum rc_err code, const struct rc_lease_info *info, const struct rc_error *err)
{
    struct rc_lead *l = arg;

    if (code == RC_OK || code == RC_E_NO_LEASE) {
        rc_lead_note_seen(l, info);
    } else if (code != RC_E_CANCELLED) {
        rc_lead_note_trouble(l, "lease", err);
    }
    if (code == RC_OK && info->mine && info->epoch == l->unread_epoch) {
        l->kept_until_ms = info->until_ms + l->d->core_offset_ms;
    }
}

static void
on_keep_timer(evutil_socket_t fd, short what, void *arg)
{
    struct rc_lead *l = arg;

    (void)fd;
    (void)what;
    if (l->unread_epoch && !is_epoch_left(l, l->unread_epoch)) {
        (void)!rc_lease_renew(l->d->lease, on_kept, l); /* one under way does as well */
        keep_later(l);
    }
}

/* Is there enough of the lease left to be told of? */
static bool
is_kept(struct rc_lead *l, struct rc_ev_lease *told)
{
    told->until_ms = l->kept_until_ms > told->until_ms ? l->kept_until_ms : told->until_ms;
    return rc_daemon_now_ms(l->d) < told->until_ms - l->d->config.cluster.lease_margin_ms;
}

/* Not told as an error: that would let a core that was told before lead on. */
static void
end_unled(struct lease_call *c)
{
    rc_event_init(&c->ev, RC_EV_LEASE);
    end_lease_call(c);
}

static void
on_listed(void *arg, enum rc_err code, const struct rc_store_items *items,
          const struct rc_error *err)
{
    struct lease_call *c = arg;
    struct rc_lead *l = c->d->lead;
    struct rc_error own = *err;

    (void)evtimer_del(l->keep_timer);
    if (is_epoch_left(l, c->ev.u.lease.epoch)) {
        end_unled(c);
        return;
    }
    if (code == RC_OK) {
        code = is_kept(l, &c->ev.u.lease)
                   ? post_histories(c->d, items, &own)
                   : rc_fail(&own, RC_E_TIMEOUT, "the lease ran out while the store was read");
    }
    if (code != RC_OK) {
        /* A successor that cannot read what is open would act on missing knowledge. */
        rc_lead_note_trouble(l, "store", &own);
        c->ev.u.lease.held = 0;
        c->ev.u.lease.error = (uint32_t)code;
        store_unread(l, code);
        end_lease_call(c);
        return;
    }
    for (size_t i = 0; i < items->incident_count; i++) {
        const struct rc_incident_item *item = &items->incidents[i];
        struct rc_event ev;
        rc_stored_event(&ev, item->node, item->incident, &item->item);
        rc_daemon_post(c->d, &ev);
    }
    l->unread_epoch = 0;
    memset(&l->error, 0, sizeof l->error);
    rc_log_event(c->d->log, RC_LOG_INFO, "lease", RC_LOG_NOTE, "leads",
                 RC_FIELDS(RC_INT("epoch", c->ev.u.lease.epoch),
                           RC_INT("incidents", items->incident_count),
                           RC_INT("histories", items->history_count)),
                 "this daemon leads from now on");
    rc_slurm_poll(c->d->slurm, true); /* every node anew: also those that have not changed */
    rc_sweeps_now(c->d->sweeps);
    end_lease_call(c);
}

/* The journal of this controller knows later epochs: the table was restored or exchanged. */
static bool
is_epoch_behind(const struct rc_daemon *d, uint64_t epoch, struct rc_error *err)
{
    if (epoch > d->state->lease_epoch) {
        return false;
    }
    rc_fail(err, RC_E_INVALID,
            "the lease is in epoch %" PRIu64 ", but this controller has known epoch %" PRIu64
            ": its record was restored or is another cluster's; nothing is done until it is "
            "set to a later epoch",
            epoch, d->state->lease_epoch);
    return true;
}

static void
read_store(struct lease_call *c)
{
    struct rc_lead *l = c->d->lead;
    struct rc_error err;

    if (l->unread_epoch != c->ev.u.lease.epoch) {
        l->unread_epoch = c->ev.u.lease.epoch;
        l->unread_since_ms = rc_daemon_now_ms(c->d);
    }
    enum rc_err e = is_epoch_behind(c->d, c->ev.u.lease.epoch, &err)
                        ? err.code
                        : rc_incident_list(c->d->store, c->ev.u.lease.epoch, on_listed, c);
    if (e == RC_OK) {
        l->kept_until_ms = 0;
        keep_later(l);
        return;
    }
    if (e != RC_E_INVALID) {
        rc_fail(&err, e, "the store cannot be asked");
    }
    rc_lead_note_trouble(l, "lease", &err);
    c->ev.u.lease.held = 0;
    c->ev.u.lease.error = (uint32_t)e;
    end_lease_call(c);
}

static void
on_lease(void *arg, enum rc_err code, const struct rc_lease_info *info, const struct rc_error *err)
{
    struct lease_call *c = arg;
    struct rc_lead *l = c->d->lead;
    struct rc_ev_lease *told = &c->ev.u.lease;

    if (code == RC_OK && info->mine && l->stage != NOT_YIELDING) {
        l->left_epoch = info->epoch; /* acquired while the yield began */
    }
    if (code == RC_OK || code == RC_E_CONDITION || code == RC_E_NO_LEASE) {
        rc_lead_note_seen(l, info);
        if (code != RC_OK || !info->mine) {
            l->unread_epoch = 0;
        }
        if (!l->unread_epoch) {
            memset(&l->error, 0, sizeof l->error);
        }
    } else if (code != RC_E_CANCELLED) {
        told->error = (uint32_t)code;
        rc_lead_note_trouble(l, "lease", err);
    }
    /* One that was under way when the yield began: the core has ended, or never led. */
    bool ends = l->stage >= CORE_ENDS || (l->stage != NOT_YIELDING && !c->told);
    if (code == RC_OK && info->mine && !c->observes && !ends) {
        told->held = 1;
        told->epoch = info->epoch;
        told->until_ms = info->until_ms + c->d->core_offset_ms;
        if (!c->told) {
            read_store(c);
            return;
        }
    }
    end_lease_call(c);
}

static enum rc_err
begin_lease_call(struct rc_lead *l, struct lease_call *c)
{
    struct rc_daemon *d = l->d;
    int64_t now_ms = rc_daemon_now_ms(d);

    c->told = d->state->lease_held && now_ms < d->state->lease_until_ms;
    if (l->stage >= CORE_ENDS ||
        (!c->told && (l->stage != NOT_YIELDING || now_ms < l->not_before_ms))) {
        c->observes = true;
        return rc_lease_observe(d->lease, on_lease, c);
    }
    /* Got, but its events wait in the queue yet: another acquisition would be another epoch,
     * and what the core sends in the one that it is about to be told of would be refused. */
    bool untold =
        l->seen.mine && l->seen.epoch > d->state->lease_epoch && l->seen.epoch > l->left_epoch;
    if (c->told || l->unread_epoch || untold) {
        return rc_lease_renew(d->lease, on_lease, c);
    }
    return rc_lease_acquire(d->lease, on_lease, c);
}

void
rc_exec_lease(struct rc_daemon *d, const struct rc_action *a)
{
    struct lease_call *c = calloc(1, sizeof *c);

    (void)a;
    if (!c) {
        return; /* asked again at its deadline */
    }
    c->d = d;
    rc_event_init(&c->ev, RC_EV_LEASE);
    if (d->dry_run) {
        /* Decides as if it led, takes nothing from the one that does. */
        c->ev.u.lease.held = 1;
        c->ev.u.lease.until_ms = rc_daemon_now_ms(d) + d->config.lease.term_ms;
        end_lease_call(c);
        return;
    }
    enum rc_err err = begin_lease_call(d->lead, c);
    if (err != RC_OK) {
        c->ev.u.lease.error = (uint32_t)err;
        end_lease_call(c);
    }
}

/* --- for people ------------------------------------------------------------------------- */

void
rc_lead_view(const struct rc_lead *l, struct rc_lead_view *ret)
{
    int64_t now_ms = rc_daemon_now_ms(l->d);
    /* Also our own, which nothing may have told of since: the table is out of reach. */
    int64_t end_ms = l->seen.mine ? l->seen.until_ms : l->seen.takeable_at_ms;
    bool is_over = !l->seen.held || (end_ms && now_ms - l->d->core_offset_ms >= end_ms);

    memset(ret, 0, sizeof *ret);
    ret->age_ms = l->seen_ms < 0 ? -1 : now_ms - l->seen_ms;
    ret->epoch = l->seen.epoch;
    if (!is_over && l->stage == NOT_YIELDING) {
        memcpy(ret->owner, l->seen.owner, sizeof ret->owner);
        ret->since_wall_ms = l->seen.since_wall_ms;
    }
    ret->error = l->error.text;
    ret->yielding =
        now_ms < l->not_before_ms && !l->d->state->lease_held && l->stage == NOT_YIELDING;
}

struct rc_lead *
rc_lead_new(struct rc_daemon *d)
{
    struct rc_lead *l = calloc(1, sizeof *l);

    if (!l) {
        return NULL;
    }
    l->d = d;
    l->seen_ms = -1;
    l->yield_timer = evtimer_new(d->base, rc_lead_on_yield_timer, l);
    l->keep_timer = evtimer_new(d->base, on_keep_timer, l);
    if (!l->yield_timer || !l->keep_timer) {
        rc_lead_free(l);
        return NULL;
    }
    return l;
}

void
rc_lead_free(struct rc_lead *l)
{
    if (l) {
        if (l->yield_timer) {
            event_free(l->yield_timer);
        }
        if (l->keep_timer) {
            event_free(l->keep_timer);
        }
        free(l);
    }
}
