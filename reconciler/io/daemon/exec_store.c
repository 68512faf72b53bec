/* exec_store.c - the incident store and the quarantine file. A write that loses its
 * condition means that somebody else leads: the core is told at once. */
#include <stdlib.h>
#include <string.h>

#include "reconciler/core/stored.h"
#include "reconciler/io/daemon/executor.h"
#include "reconciler/io/daemon/intake.h"
#include "reconciler/io/daemon/lead.h"
#include "reconciler/io/daemon/loop.h"
#include "reconciler/io/daemon/report.h"
#include "reconciler/io/store/history_json.h"

static void
on_stored(void *arg, enum rc_err code, const struct rc_error *err)
{
    struct rc_errand *errand = arg;
    struct rc_error ok;

    rc_fail(&ok, RC_OK, "%s", "");
    rc_lead_store_busy(errand->d->lead, -1);
    if (code == RC_E_CONDITION) {
        struct rc_event lost;
        rc_stored_refused(&lost, &errand->action);
        rc_daemon_post(errand->d, &lost);
    }
    rc_errand_end(errand, err && code != RC_OK ? err : &ok);
}

/* A write was asked for: err is what the store's client said to it. */
static void
asked_store(struct rc_errand *errand, enum rc_err err)
{
    struct rc_daemon *d = errand->d;

    if (err != RC_OK) {
        rc_errand_end_with(errand, err, "the incident store did not take it");
        return;
    }
    rc_lead_store_busy(d->lead, 1);
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
    asked_store(errand, err);
}

void
rc_exec_history_put(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = rc_errand_new(d, a);
    char *json = errand ? rc_history_json_format(&a->u.history) : NULL;
    struct rc_history_item item = {
        .epoch = a->u.history.epoch, .json = json, .json_len = json ? strlen(json) : 0};

    if (!errand) {
        return;
    }
    rc_text_set(item.node, sizeof item.node, *a->node ? a->node : RC_HISTORY_CLUSTER);
    enum rc_err err = json ? rc_history_put(d->store, &item, on_stored, errand) : RC_E_FULL;
    free(json);
    asked_store(errand, err);
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
