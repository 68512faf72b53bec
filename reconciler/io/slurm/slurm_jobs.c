/* slurm_jobs.c - the writer's verbs on the jobs of a node.
 *
 * The jobs are read first and acted on one by one; a job that ends in between is
 * "gone". Signals go to the batch script too (KILL_FULL_JOB), which is where a
 * checkpoint trap stands. Requeue asks nothing of a job that says Requeue=0 or has no
 * batch script: slurmctld would refuse, and --no-requeue is its owner's word. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>

#include "reconciler/io/slurm/slurm_helper.h"
#include "reconciler/io/slurm/slurm_job_edit.h"

struct job_round {
    struct rc_reply *reply;
    uint16_t signal;     /* 0 = requeue */
    const char *exclude; /* requeue: the jobs must not start on this node again; NULL = may */
    uint32_t count;
};

static void
write_result(struct job_round *round, uint32_t id, const char *result, const char *text)
{
    struct rc_line_out *out = rc_reply_begin(round->reply, "job");

    rc_line_put_u64(out, "id", id);
    rc_line_put(out, "result", result);
    rc_line_put(out, "text", text);
    rc_reply_end(round->reply);
    round->count++;
}

static bool
has_ended(int number)
{
    return number == ESLURM_INVALID_JOB_ID || number == ESLURM_ALREADY_DONE ||
           number == ESLURM_JOB_FINISHED || number == ESLURM_JOB_NOT_RUNNING ||
           number == ESLURM_TRANSITION_STATE_NO_UPDATE;
}

static enum rc_err
write_failure(struct job_round *round, uint32_t id, struct rc_error *e)
{
    int number = errno;
    enum rc_err err = rc_slurm_fail(e, round->signal ? "signalling a job" : "requeueing a job");

    if (rc_slurm_gone(err)) {
        return err;
    }
    if (has_ended(number)) {
        write_result(round, id, "gone", "");
    } else if (number == ESLURM_DISABLED || number == ESLURM_BATCH_ONLY) {
        write_result(round, id, "not-requeueable", slurm_strerror(number));
    } else {
        write_result(round, id, "failed", slurm_strerror(number));
    }
    return RC_OK;
}

static enum rc_err
signal_job(void *arg, const slurm_job_info_t *job, struct rc_error *e)
{
    struct job_round *round = arg;
    char id[16];

    if (job->job_state & JOB_COMPLETING) {
        write_result(round, job->job_id, "gone", "");
        return RC_OK;
    }
    (void)snprintf(id, sizeof id, "%u", job->job_id);
    if (slurm_kill_job2(id, round->signal, KILL_FULL_JOB, NULL) != SLURM_SUCCESS) {
        return write_failure(round, job->job_id, e);
    }
    write_result(round, job->job_id, "done", "");
    return RC_OK;
}

static enum rc_err
requeue_job(void *arg, const slurm_job_info_t *job, struct rc_error *e)
{
    struct job_round *round = arg;

    if (job->job_state & JOB_COMPLETING) {
        write_result(round, job->job_id, "gone", "");
    } else if (!job->batch_flag) {
        write_result(round, job->job_id, "not-requeueable", "it has no batch script");
    } else if (!job->requeue) {
        write_result(round, job->job_id, "not-requeueable", "it says Requeue=0");
    } else if (slurm_requeue(job->job_id, 0) != SLURM_SUCCESS) {
        return write_failure(round, job->job_id, e);
    } else {
        /* The job is requeued either way; the node that is drained keeps it away for now. */
        enum rc_err err = round->exclude ? rc_slurm_job_exclude(job, round->exclude, e) : RC_OK;

        write_result(round, job->job_id, "done", err == RC_OK ? "" : e->text);
        return rc_slurm_gone(err) ? err : RC_OK;
    }
    return RC_OK;
}

static enum rc_err
job_verb(struct job_round *round, const struct rc_line *req, job_fn *fn, struct rc_error *e)
{
    const char *node = rc_line_text(req, "node", "");
    enum rc_err err;

    if (!*node) {
        return rc_fail(e, RC_E_INVALID, "node: expected a node's name");
    }
    err = rc_slurm_jobs_read(node, fn, round, e);
    if (err == RC_OK) {
        struct rc_line_out *out = rc_reply_begin(round->reply, "ok");

        rc_line_put_u64(out, "count", round->count);
        rc_reply_end(round->reply);
    }
    return err;
}

enum rc_err
rc_slurm_verb_jobs_signal(void *arg, struct rc_reply *r, const struct rc_line *req,
                          struct rc_error *e)
{
    struct job_round round = {.reply = r};

    (void)arg;
    round.signal = (uint16_t)rc_line_number(req, "signal", 64, 0);
    if (round.signal == 0) {
        return rc_fail(e, RC_E_INVALID, "signal: expected a number from 1 to 64");
    }
    return job_verb(&round, req, signal_job, e);
}

enum rc_err
rc_slurm_verb_jobs_requeue(void *arg, struct rc_reply *r, const struct rc_line *req,
                           struct rc_error *e)
{
    struct job_round round = {.reply = r};

    (void)arg;
    if (rc_line_number(req, "exclude", 1, 0) != 0) {
        round.exclude = rc_line_text(req, "node", "");
    }
    return job_verb(&round, req, requeue_job, e);
}
