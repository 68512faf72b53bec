/* exec_slurm.c - drains, returns and job orders, through the writer helper. */
#include <stdlib.h>

#include "reconciler/io/daemon/executor.h"

enum { LOOKS_MAX = 4 };

static void
ignore(void *arg, const struct rc_slurm_result *r)
{
    (void)arg;
    (void)r;
}

/* Accepted first, then the node is read once more past the poller's diff: a change that
 * was polled before its answer came would otherwise never be seen "after" it. */
static void
on_done(void *arg, const struct rc_slurm_result *r)
{
    struct rc_errand *errand = arg;
    struct rc_slurm_call look = {.done = ignore};
    struct rc_daemon *d = errand->d;
    uint32_t batch = r->batch;
    char node[RC_NODE_LEN];
    struct rc_error e;

    rc_text_set(node, sizeof node, errand->action.node);
    rc_fail(&e, r->err, "%s", r->text);
    if (r->service_code && *r->service_code) {
        rc_text_set(e.service_code, sizeof e.service_code, r->service_code);
    }
    rc_errand_end(errand, &e);
    if (e.code == RC_E_CANCELLED) {
        return; /* nothing was sent: there is nothing to see */
    }
    if (batch > LOOKS_MAX) {
        rc_slurm_poll(d->slurm, true); /* one read for all of a storm */
    } else {
        (void)!rc_slurm_look(d->slurm, node, &look);
    }
}

/* A requeue that some jobs refuse (Requeue=0) has done what it could. */
static void
on_jobs_done(void *arg, const struct rc_slurm_result *r)
{
    struct rc_slurm_result done = *r;

    if (done.err == RC_E_STATE) {
        done.err = RC_OK;
    }
    on_done(arg, &done);
}

/* Its turn has come. The core gave it up at its deadline, and may have decided otherwise since. */
static bool
is_wanted_still(void *arg)
{
    const struct rc_errand *errand = arg;
    const struct rc_daemon *d = errand->d;
    int64_t now_ms = rc_daemon_now_ms(d);
    const char *why;

    return now_ms < errand->action.deadline_ms &&
           rc_last_look(d->state, &errand->action, now_ms, &why) == RC_OK;
}

static void
finish(struct rc_errand *errand, enum rc_err err)
{
    if (err != RC_OK) {
        rc_errand_end_with(errand, err, "the Slurm client did not take it");
    }
}

void
rc_exec_drain(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = rc_errand_new(d, a);
    struct rc_slurm_call call = {.done = on_done, .arg = errand, .still_wanted = is_wanted_still};

    if (errand) {
        finish(errand, rc_slurm_drain(d->slurm, a->node, a->text, &call));
    }
}

void
rc_exec_down(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = rc_errand_new(d, a);
    struct rc_slurm_call call = {.done = on_done, .arg = errand, .still_wanted = is_wanted_still};

    if (errand) {
        finish(errand, rc_slurm_down(d->slurm, a->node, a->text, &call));
    }
}

void
rc_exec_resume(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = rc_errand_new(d, a);
    struct rc_slurm_call call = {.done = on_done, .arg = errand, .still_wanted = is_wanted_still};

    if (errand) {
        finish(errand, rc_slurm_resume(d->slurm, a->node, &call));
    }
}

void
rc_exec_jobs_signal(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = rc_errand_new(d, a);
    struct rc_slurm_call call = {
        .done = on_jobs_done, .arg = errand, .still_wanted = is_wanted_still};

    if (errand) {
        finish(errand, rc_slurm_jobs_signal(d->slurm, a->node, a->u.jobs.signal, &call));
    }
}

void
rc_exec_jobs_requeue(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = rc_errand_new(d, a);
    struct rc_slurm_call call = {
        .done = on_jobs_done, .arg = errand, .still_wanted = is_wanted_still};

    if (errand) {
        finish(errand, rc_slurm_jobs_requeue(d->slurm, a->node, a->u.jobs.exclude != 0, &call));
    }
}

void
rc_exec_jobs_include(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = rc_errand_new(d, a);
    struct rc_slurm_call call = {
        .done = on_jobs_done, .arg = errand, .still_wanted = is_wanted_still};

    if (errand) {
        finish(errand, rc_slurm_jobs_include(d->slurm, a->node, &call));
    }
}

/* A job that has ended needs no hold. */
static void
on_hold_done(void *arg, const struct rc_slurm_result *r)
{
    rc_errand_end_with(arg, r->err == RC_E_NOT_FOUND ? RC_OK : r->err, r->text);
}

void
rc_exec_job_hold(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = rc_errand_new(d, a);
    struct rc_slurm_call call = {
        .done = on_hold_done, .arg = errand, .still_wanted = is_wanted_still};

    if (errand) {
        finish(errand, rc_slurm_job_hold(d->slurm, a->u.jobs.job, &call));
    }
}
