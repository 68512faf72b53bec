/* job_save.c - see job_save.h.
 *
 * slurmctld writes its jobs down a few seconds after most things that happen to one. Not when
 * sched/backfill has started it: that waits for the next of the others, or for the save of all
 * every 300 s (22.05.8: plugins/sched/backfill never calls schedule_job_save(); slurmctld.h,
 * PERIODIC_CHECKPOINT). Where the primary dies meanwhile the job is still pending in the state
 * directory: the next primary starts it once more, slurmd refuses the second of one number, its
 * nodes are drained for it ("Duplicate jobid") and the job is lost. An update of a job that
 * changes nothing of it has slurmctld save them all.
 *
 * Invariants: one request at a time, by the leader only, at most one a second however many jobs
 * begin. What fails is asked again while there is a leader's lease; it changes no decision, so it
 * is no action of the core. */
#include "reconciler/io/daemon/job_save.h"

#include <event2/event.h>
#include <stdlib.h>

#include "policies/rules.h"
#include "reconciler/io/slurm/slurm_client.h"

enum {
    GATHER_MS = 1000, /* the other jobs and nodes of the same pass */
    AGAIN_MS = 5000,
};

struct rc_job_save {
    struct rc_daemon *d; /* borrowed */
    struct event *timer;
    uint32_t job;   /* that is not known to be saved; 0 = none */
    uint32_t asked; /* for whose sake a request is under way; 0 = none */
};

static void
ask_in(struct rc_job_save *j, int ms)
{
    const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    if (j->job && !j->asked && !evtimer_pending(j->timer, NULL)) {
        (void)evtimer_add(j->timer, &tv);
    }
}

static void
on_job_saved(void *arg, const struct rc_slurm_result *result)
{
    struct rc_job_save *j = arg;
    bool again = result->err != RC_OK && result->err != RC_E_NOT_FOUND; /* it has ended: saved */

    j->job = again && !j->job ? j->asked : j->job;
    j->asked = 0;
    if (again) {
        rc_log_event(j->d->log, RC_LOG_DEBUG, "slurm", RC_LOG_NOTE, "job-save", NULL,
                     "slurmctld did not take the request to save its jobs: %s", result->text);
    }
    ask_in(j, again ? AGAIN_MS : GATHER_MS);
}

static void
on_job_save_timer(evutil_socket_t fd, short what, void *arg)
{
    struct rc_job_save *j = arg;
    const struct rc_slurm_call call = {.done = on_job_saved, .arg = j};

    (void)fd;
    (void)what;
    if (!rc_leads(j->d->state)) {
        j->job = 0; /* the next leader reads all nodes anew */
    } else if (rc_slurm_job_save(j->d->slurm, j->job, &call) == RC_OK) {
        j->asked = j->job;
        j->job = 0;
    } else {
        ask_in(j, AGAIN_MS);
    }
}

static bool
is_known(const struct rc_node *n, uint32_t job)
{
    for (uint32_t i = 0; n && i < RC_NODE_JOBS_MAX && n->job[i].id; i++) {
        if (n->job[i].id == job) {
            return true;
        }
    }
    return false;
}

void
rc_job_save_see(struct rc_job_save *j, const struct rc_event *ev)
{
    struct rc_state *s = j ? j->d->state : NULL;

    if (!s || ev->kind != RC_EV_SLURM_NODE || j->d->dry_run || !rc_leads(s)) {
        return;
    }
    uint32_t slot = rc_node_find(s, ev->node);
    const struct rc_node *n = slot ? rc_node_at(s, slot) : NULL;
    for (uint32_t i = 0; i < RC_NODE_JOBS_MAX && ev->u.slurm.job[i].id; i++) {
        if (!is_known(n, ev->u.slurm.job[i].id)) {
            j->job = ev->u.slurm.job[i].id;
        }
    }
    ask_in(j, GATHER_MS);
}

struct rc_job_save *
rc_job_save_new(struct rc_daemon *d)
{
    struct rc_job_save *j = calloc(1, sizeof *j);

    if (j) {
        j->d = d;
        j->timer = evtimer_new(d->base, on_job_save_timer, j);
    }
    if (j && !j->timer) {
        free(j);
        j = NULL;
    }
    return j;
}

void
rc_job_save_free(struct rc_job_save *j)
{
    if (j) {
        event_free(j->timer);
        free(j);
    }
}
