/* exec_store.c - the incident store, the quarantine file and the lease.
 *
 * Taking the lease in a new epoch reads the store before the core is told: what
 * another controller (or an earlier life) began is adopted before anything is
 * decided. A write that loses its condition means that somebody else leads: the
 * core is told at once. */
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/daemon/executor.h"
#include "reconciler/io/daemon/intake.h"
#include "reconciler/io/daemon/loop.h"
#include "reconciler/io/daemon/report.h"

static void
post_lost(struct rc_daemon *d)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_LEASE);
    rc_daemon_post(d, &ev);
}

static void
on_stored(void *arg, enum rc_err code, const struct rc_error *err)
{
    struct rc_errand *errand = arg;
    struct rc_error ok;

    rc_fail(&ok, RC_OK, "%s", "");
    if (code == RC_E_CONDITION) {
        post_lost(errand->d);
    }
    rc_errand_end(errand, err && code != RC_OK ? err : &ok);
}

void
rc_exec_incident_put(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = rc_errand_new(d, a);
    struct rc_incident_item item;
    enum rc_err err;

    if (!errand) {
        return;
    }
    if (a->u.item.close) {
        err = rc_incident_remove(d->store, a->incident, a->u.item.epoch, on_stored, errand);
    } else {
        memset(&item, 0, sizeof item);
        item.incident = a->incident;
        memcpy(item.node, a->node, sizeof item.node);
        item.item = a->u.item;
        err = rc_incident_put(d->store, &item, on_stored, errand);
    }
    if (err != RC_OK) {
        struct rc_error e;
        rc_fail(&e, err, "the incident store did not take it");
        rc_errand_end(errand, &e);
    }
}

static void
on_quarantined(void *arg, enum rc_err code, uint64_t id, const struct rc_error *err)
{
    struct rc_errand *errand = arg;
    struct rc_error ok;

    (void)id;
    rc_fail(&ok, RC_OK, "%s", "");
    rc_errand_end(errand, err && code != RC_OK ? err : &ok);
}

struct search {
    const struct rc_held_message *message;
    bool found;
};

static bool
compare_quarantined(void *arg, const struct rc_quarantine_item *item)
{
    struct search *s = arg;

    s->found = !item->taken && *item->message_id && strcmp(item->message_id, s->message->id) == 0 &&
               item->body_len == s->message->body_len;
    return !s->found;
}

/* A crash between the file and the queue's delete brings the same message again. */
static bool
is_quarantined(struct rc_daemon *d, const struct rc_held_message *h)
{
    struct search s = {.message = h};

    (void)!rc_quarantine_list(d->quarantine, compare_quarantined, &s, NULL);
    return s.found;
}

void
rc_exec_quarantine(struct rc_daemon *d, const struct rc_action *a)
{
    const struct rc_held_message *h = rc_intake_held(d->intake, a->msg);
    struct rc_errand *errand;
    struct rc_error e;

    if (!h || !h->body) {
        rc_daemon_complete_code(d, a->id, RC_OK, "not held any more: the queue gives it again");
        return;
    }
    if (is_quarantined(d, h)) {
        rc_daemon_complete_code(d, a->id, RC_OK, "it is kept already");
        return;
    }
    errand = rc_errand_new(d, a);
    struct rc_quarantine_item item = {
        .time_ms = rc_wall_ms(),
        .message_id = h->id,
        .reason = h->reason,
        .body = h->body,
        .body_len = h->body_len,
    };
    if (errand && rc_quarantine_put(d->quarantine, &item, on_quarantined, errand, &e) != RC_OK) {
        rc_errand_end(errand, &e);
    }
}

/* ---- the lease ---- */

struct lease_call {
    struct rc_daemon *d;
    struct rc_event ev; /* RC_EV_LEASE, told when everything is adopted */
    bool renewing;
};

static void
end_lease_call(struct lease_call *c)
{
    rc_daemon_post(c->d, &c->ev);
    free(c);
}

static void
post_adopted(struct rc_daemon *d, const struct rc_incident_item *item)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_ADOPT);
    memcpy(ev.node, item->node, sizeof ev.node);
    memcpy(ev.code, item->item.code, sizeof ev.code);
    ev.u.adopt.opened_wall_ms = item->item.opened_wall_ms;
    ev.u.adopt.incident = item->incident;
    ev.u.adopt.fault = item->item.fault;
    ev.u.adopt.phase = item->item.phase;
    ev.u.adopt.rung = item->item.rung;
    ev.u.adopt.tries = item->item.tries;
    ev.u.adopt.attempt = item->item.attempt;
    ev.u.adopt.flags = item->item.flags;
    memcpy(ev.u.adopt.old_instance, item->item.old_instance, RC_ID_LEN);
    memcpy(ev.u.adopt.new_instance, item->item.new_instance, RC_ID_LEN);
    memcpy(ev.u.adopt.rule, item->item.rule, RC_RULE_LEN);
    rc_daemon_post(d, &ev);
}

static void
on_listed(void *arg, enum rc_err code, const struct rc_store_items *items,
          const struct rc_error *err)
{
    struct lease_call *c = arg;

    if (code != RC_OK) {
        /* A successor that cannot read what is open would act on missing knowledge. */
        rc_log_failure(c->d->log, "store", err, NULL);
        c->ev.u.lease.held = 0;
        c->ev.u.lease.error = (uint32_t)code;
        end_lease_call(c);
        return;
    }
    for (size_t i = 0; i < items->incident_count; i++) {
        post_adopted(c->d, &items->incidents[i]);
    }
    rc_slurm_poll(c->d->slurm, true); /* every node anew: also those that have not changed */
    end_lease_call(c);
}

static void
on_lease(void *arg, enum rc_err code, const struct rc_lease_info *info, const struct rc_error *err)
{
    struct lease_call *c = arg;
    struct rc_ev_lease *l = &c->ev.u.lease;

    if (code == RC_OK && info->mine) {
        l->held = 1;
        l->epoch = info->epoch;
        l->until_ms = info->until_ms + c->d->core_offset_ms;
        if (!c->renewing && rc_incident_list(c->d->store, info->epoch, on_listed, c) == RC_OK) {
            return;
        }
        if (!c->renewing) {
            l->held = 0;
        }
    } else if (code != RC_OK && code != RC_E_CONDITION && code != RC_E_NO_LEASE) {
        l->error = (uint32_t)code;
        rc_log_failure(c->d->log, "lease", err, NULL);
    }
    end_lease_call(c);
}

void
rc_exec_lease(struct rc_daemon *d, const struct rc_action *a)
{
    struct lease_call *c = calloc(1, sizeof *c);
    enum rc_err err;

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
    c->renewing = d->state->lease_held && rc_daemon_now_ms(d) < d->state->lease_until_ms;
    err = c->renewing ? rc_lease_renew(d->lease, on_lease, c)
                      : rc_lease_acquire(d->lease, on_lease, c);
    if (err != RC_OK) {
        c->ev.u.lease.error = (uint32_t)err;
        end_lease_call(c);
    }
}
