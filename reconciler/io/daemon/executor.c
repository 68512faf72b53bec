/* executor.c - see executor.h. */
#include "reconciler/io/daemon/executor.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/io/daemon/intake.h"
#include "reconciler/io/daemon/report.h"

struct waiting {
    uint64_t record; /* must be durable first */
    struct rc_action action;
};

struct rc_executor {
    struct rc_daemon *d;
    struct waiting *line; /* FIFO ring */
    uint32_t room, head, count;
    bool syncing;
    struct event *retry_event; /* a sync that could not be asked for */
};

static rc_exec_fn *const exec_fns[RC_ACTION__MAX] = {
    [RC_ACT_INCIDENT_PUT] = rc_exec_incident_put,
    [RC_ACT_HISTORY_PUT] = rc_exec_history_put,
    [RC_ACT_MESSAGE_QUARANTINE] = rc_exec_quarantine,
    [RC_ACT_DRAIN] = rc_exec_drain,
    [RC_ACT_DOWN] = rc_exec_down,
    [RC_ACT_RESUME] = rc_exec_resume,
    [RC_ACT_JOBS_SIGNAL] = rc_exec_jobs_signal,
    [RC_ACT_JOBS_REQUEUE] = rc_exec_jobs_requeue,
    [RC_ACT_JOBS_INCLUDE] = rc_exec_jobs_include,
    [RC_ACT_JOB_HOLD] = rc_exec_job_hold,
    [RC_ACT_LAUNCH] = rc_exec_launch,
    [RC_ACT_ASSIGN] = rc_exec_assign,
    [RC_ACT_TERMINATE] = rc_exec_terminate,
    [RC_ACT_STOP] = rc_exec_stop,
    [RC_ACT_START] = rc_exec_start,
    [RC_ACT_REBOOT] = rc_exec_reboot,
    [RC_ACT_LOOK] = rc_exec_look,
    [RC_ACT_REGISTER] = rc_exec_register,
    [RC_ACT_GATE] = rc_exec_gate,
    [RC_ACT_GPU_RESET] = rc_exec_gpu_reset,
    [RC_ACT_FORENSICS] = rc_exec_forensics,
    [RC_ACT_SUPPORT_CASE] = rc_exec_support_case,
    [RC_ACT_LEASE] = rc_exec_lease,
    [RC_ACT_FENCE] = rc_exec_fence,
    [RC_ACT_CONTROLLER_START] = rc_exec_make_active,
    [RC_ACT_TAKEOVER] = rc_exec_make_active,
    [RC_ACT_FAILOVER] = rc_exec_failover,
};

struct rc_errand *
rc_errand_new(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = calloc(1, sizeof *errand);

    if (!errand) {
        rc_daemon_complete_code(d, a->id, RC_E_INTERNAL, "no memory");
        return NULL;
    }
    errand->d = d;
    rc_action_copy(&errand->action, a);
    return errand;
}

void
rc_errand_end(struct rc_errand *errand, const struct rc_error *error)
{
    rc_daemon_complete_host(errand->d, errand->action.id, error, errand->serials);
    free(errand->console);
    free(errand);
}

void
rc_errand_end_with(struct rc_errand *errand, enum rc_err code, const char *text)
{
    struct rc_error e;

    rc_fail(&e, code, "%s", text);
    rc_errand_end(errand, &e);
}

/* True when it was completed here and must not be sent. */
static bool
is_not_sent(struct rc_daemon *d, const struct rc_action *a)
{
    const char *why;
    enum rc_err err = rc_last_look(d->state, a, rc_daemon_now_ms(d), &why);

    if (err == RC_OK) {
        return false;
    }
    if (a->kind == RC_ACT_MESSAGE_DELETE) {
        rc_intake_let_go(d->intake, a->msg);
    } else {
        rc_daemon_complete_code(d, a->id, err, why);
    }
    return true;
}

static void
carry_out(struct rc_executor *x, const struct rc_action *a)
{
    struct rc_daemon *d = x->d;

    if (d->dry_run && a->kind != RC_ACT_LEASE) {
        return; /* the decision was logged; its effect will not be seen */
    }
    if (is_not_sent(d, a)) {
        return;
    }
    if (a->kind == RC_ACT_MESSAGE_DELETE) {
        rc_intake_delete(d->intake, a->msg);
    } else if (exec_fns[a->kind]) {
        exec_fns[a->kind](d, a);
    }
}

static bool
push(struct rc_executor *x, const struct rc_action *a)
{
    if (x->count == x->room) {
        uint32_t room = x->room ? x->room * 2 : 64;
        struct waiting *bigger = calloc(room, sizeof *bigger);
        if (!bigger) {
            return false;
        }
        for (uint32_t i = 0; i < x->count; i++) {
            bigger[i] = x->line[(x->head + i) % x->room];
        }
        free(x->line);
        x->line = bigger;
        x->room = room;
        x->head = 0;
    }
    struct waiting *w = &x->line[(x->head + x->count++) % x->room];
    w->record = rc_journal_last(x->d->journal);
    rc_action_copy(&w->action, a);
    return true;
}

void
rc_executor_start(struct rc_executor *x, const struct rc_action *a)
{
    if (!rc_action_irreversible((enum rc_action_kind)a->kind)) {
        carry_out(x, a);
    } else if (!push(x, a)) {
        rc_daemon_complete_code(x->d, a->id, RC_E_INTERNAL, "no memory");
    }
}

static void ask_for_sync(struct rc_executor *x);

static void
release_durable(struct rc_executor *x, uint64_t durable)
{
    while (x->count && x->line[x->head].record <= durable) {
        struct rc_action a;

        rc_action_copy(&a, &x->line[x->head].action);
        x->head = (x->head + 1) % x->room;
        x->count--;
        carry_out(x, &a);
    }
    rc_exec_register_flush(x->d);
}

static void
on_synced(void *arg, enum rc_err code, uint64_t durable)
{
    struct rc_executor *x = arg;

    x->syncing = false;
    release_durable(x, durable);
    if (code == RC_OK || code == RC_E_CANCELLED) {
        if (code == RC_OK) {
            ask_for_sync(x);
        }
        return;
    }
    rc_log_event(x->d->log, RC_LOG_ERROR, "journal", RC_LOG_NOTE, rc_err_name(code), NULL,
                 "the journal could not be synced; irreversible actions wait");
    struct timeval tv = {.tv_sec = 1};
    event_add(x->retry_event, &tv);
}

static void
ask_for_sync(struct rc_executor *x)
{
    struct rc_error e;
    struct timeval tv = {.tv_sec = 1};

    if (!x->count || x->syncing || event_pending(x->retry_event, EV_TIMEOUT, NULL)) {
        return;
    }
    if (rc_journal_sync(x->d->journal, on_synced, x, &e) == RC_OK) {
        x->syncing = true;
        return;
    }
    rc_log_failure(x->d->log, "journal", &e, NULL);
    event_add(x->retry_event, &tv);
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    ask_for_sync(arg);
}

void
rc_executor_flush(struct rc_executor *x)
{
    rc_intake_flush(x->d->intake);
    rc_exec_register_flush(x->d);
    ask_for_sync(x);
}

uint32_t
rc_executor_waiting(const struct rc_executor *x)
{
    return x->count;
}

struct rc_executor *
rc_executor_new(struct rc_daemon *d)
{
    struct rc_executor *x = calloc(1, sizeof *x);

    if (!x) {
        return NULL;
    }
    x->d = d;
    x->retry_event = event_new(d->base, -1, 0, on_retry, x);
    if (!x->retry_event) {
        free(x);
        return NULL;
    }
    return x;
}

void
rc_executor_free(struct rc_executor *x)
{
    if (x) {
        event_free(x->retry_event);
        free(x->line);
        free(x);
    }
}
