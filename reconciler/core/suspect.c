/* suspect.c - see suspect.h. A small table of jobs, the latest news last to be given away; one
 * look at it costs the same at any size of the cluster.
 *
 * Times are those of the faults, not of our reading: a controller that has just taken over
 * reads a week of lists at once, and must not see a storm in them. */
#include "reconciler/core/suspect.h"

#include <string.h>

#include "policies/rules.h"
#include "reconciler/core/lemon.h"
#include "reconciler/core/text.h"
#include "reconciler/core/timers.h"
#include "reconciler/core/turn.h"

enum { HOLD_TIMEOUT_MS = 30000, FRESH_MS = 60000 };

static struct rc_suspect *
suspect_find(struct rc_state *s, uint32_t job)
{
    for (uint32_t i = 0; i < RC_SUSPECTS_MAX; i++) {
        if (s->suspect[i].job == job) {
            return &s->suspect[i];
        }
    }
    return NULL;
}

/* A row for a new job: a free one, or the one whose news is oldest and not still to be held. */
static struct rc_suspect *
suspect_new(struct rc_state *s, uint32_t job)
{
    struct rc_suspect *oldest = NULL;

    for (uint32_t i = 0; i < RC_SUSPECTS_MAX; i++) {
        struct rc_suspect *row = &s->suspect[i];
        bool waits = row->judged && !row->held;
        if (!row->job || (!waits && (!oldest || row->last_wall_ms < oldest->last_wall_ms))) {
            oldest = row;
        }
        if (!row->job) {
            break;
        }
    }
    if (oldest) {
        memset(oldest, 0, sizeof *oldest);
        oldest->job = job;
    }
    return oldest;
}

bool
rc_suspect_judged(const struct rc_state *s, uint32_t job)
{
    for (uint32_t i = 0; job && s->suspects_judged && i < RC_SUSPECTS_MAX; i++) {
        if (s->suspect[i].job == job) {
            return s->suspect[i].judged != 0;
        }
    }
    return false;
}

/* Incidents that were opened for single nodes of it are looked at again. */
static void
judge_job(struct rc_state *s, struct rc_suspect *row, const struct rc_node_fault *f)
{
    row->judged = 1;
    memcpy(row->class_name, f->class_name, sizeof row->class_name);
    s->suspects_judged = 1;
    for (uint32_t slot = 1; slot <= s->incident_used; slot++) {
        const struct rc_incident *inc = rc_incident_at(s, slot);
        rc_touch(s, inc->id ? inc->node : 0);
    }
}

/* One more node of the job: within the window it counts, after it the count begins anew. */
static void
count_node(struct rc_state *s, const struct rc_node_fault *f)
{
    const struct rc_suspect_policy *p = &s->policy.suspect;
    struct rc_suspect *row = suspect_find(s, f->job);

    row = row ? row : suspect_new(s, f->job);
    if (!row) {
        return; /* all rows wait for slurmctld: judged enough */
    }
    int64_t apart_ms = f->last_wall_ms - row->first_wall_ms;
    if (!row->nodes || apart_ms > p->within_ms || apart_ms < -p->within_ms) {
        row->nodes = 0;
        row->first_wall_ms = f->last_wall_ms;
    }
    row->nodes++;
    row->last_wall_ms = f->last_wall_ms > row->last_wall_ms ? f->last_wall_ms : row->last_wall_ms;
    if (!row->judged && p->nodes && row->nodes >= p->nodes) {
        judge_job(s, row, f);
    }
}

/* Jobs that had such a fault on this device, the given one included; those that were judged
 * themselves say nothing about the node. */
static uint32_t
jobs_on_device(const struct rc_state *s, const struct rc_health *h, uint64_t device,
               int64_t wall_ms)
{
    uint32_t jobs = 0;

    for (uint32_t i = 0; i < RC_NODE_SUSPECTS_MAX; i++) {
        const struct rc_node_suspect *x = &h->suspect[i];
        jobs += x->job && x->device == device &&
                wall_ms - x->wall_ms <= s->policy.suspect.jobs_within_ms &&
                !rc_suspect_judged(s, x->job);
    }
    return jobs;
}

uint32_t
rc_suspect_job(const struct rc_state *s, uint32_t node, const struct rc_node_fault *f)
{
    const struct rc_node *n = rc_node_at(s, node);
    bool fresh = s->now_wall_ms - f->last_wall_ms <= FRESH_MS;

    return f->job ? f->job : fresh && n->jobs == 1 ? n->job[0].id : 0;
}

bool
rc_suspect_news(struct rc_state *s, uint32_t node, const struct rc_node_fault *f)
{
    struct rc_health *h = rc_health_at(s, node);
    uint64_t device = rc_hash_text(f->device);
    bool job_known = false, pair_known = false;

    if (!f->job) {
        return false;
    }
    for (uint32_t i = 0; i < RC_NODE_SUSPECTS_MAX; i++) {
        job_known |= h->suspect[i].job == f->job;
        pair_known |= h->suspect[i].job == f->job && h->suspect[i].device == device;
    }
    if (!pair_known) {
        struct rc_node_suspect *x = &h->suspect[h->suspect_count++ % RC_NODE_SUSPECTS_MAX];
        x->job = f->job;
        x->device = device;
        x->wall_ms = f->last_wall_ms;
        rc_lemon_mark(s, node, RC_MARK_SUSPECT);
    }
    if (!job_known) {
        count_node(s, f);
    }
    return s->policy.suspect.jobs &&
           jobs_on_device(s, h, device, f->last_wall_ms) >= s->policy.suspect.jobs;
}

static void
send_hold(struct rc_state *s, struct rc_actions *out, const struct rc_suspect *row)
{
    struct rc_action a;

    rc_action_init(&a, RC_ACT_JOB_HOLD);
    a.deadline_ms = s->now_ms + HOLD_TIMEOUT_MS;
    a.u.jobs.job = row->job;
    rc_put_text(a.text, sizeof a.text, row->class_name);
    rc_put_text(a.text, sizeof a.text, " on ");
    rc_put_number(a.text, sizeof a.text, row->nodes);
    rc_put_text(a.text, sizeof a.text, " nodes at once");
    rc_act_send(s, out, &a);
}

static void
tell_of_job(struct rc_state *s, struct rc_actions *out, struct rc_suspect *row)
{
    struct rc_action a;

    rc_action_init(&a, RC_ACT_TELL);
    rc_put_text(a.text, sizeof a.text, "job ");
    rc_put_number(a.text, sizeof a.text, row->job);
    rc_put_text(a.text, sizeof a.text, " is suspect, not its nodes: ");
    rc_put_text(a.text, sizeof a.text, row->class_name);
    rc_put_text(a.text, sizeof a.text, " on ");
    rc_put_number(a.text, sizeof a.text, row->nodes);
    rc_put_text(a.text, sizeof a.text, " nodes at once");
    row->told = 1;
    rc_act_send(s, out, &a);
}

/* An answer that never came is over at its deadline. */
static void
expire_hold(struct rc_state *s, struct rc_suspect *row)
{
    uint32_t slot = rc_flight_find(s, row->action);

    if (row->action && (!slot || rc_flight_at(s, slot)->deadline_ms <= s->now_ms)) {
        if (slot) {
            rc_flight_free(s, slot);
        }
        row->action = 0;
    }
}

void
rc_suspect_decide(struct rc_state *s, struct rc_actions *out)
{
    if (!s->suspects_judged || !rc_leads(s) || s->paused) {
        return;
    }
    for (uint32_t i = 0; i < RC_SUSPECTS_MAX && out->count + 2 <= RC_ACTIONS_MAX; i++) {
        struct rc_suspect *row = &s->suspect[i];
        if (!row->judged || row->held) {
            continue;
        }
        expire_hold(s, row);
        if (!row->told) {
            tell_of_job(s, out, row);
        }
        if (!s->policy.suspect.hold) {
            row->held = 1; /* to be told only */
        } else if (!row->action && row->next_ms <= s->now_ms) {
            send_hold(s, out, row);
        }
    }
}

void
rc_suspect_note(struct rc_state *s, const struct rc_action *a)
{
    struct rc_suspect *row = suspect_find(s, a->u.jobs.job);

    if (row) {
        row->action = a->id;
        row->next_ms = a->deadline_ms;
    }
}

void
rc_suspect_done(struct rc_state *s, uint64_t action, uint32_t error)
{
    for (uint32_t i = 0; i < RC_SUSPECTS_MAX; i++) {
        struct rc_suspect *row = &s->suspect[i];
        if (!row->job || row->action != action) {
            continue;
        }
        row->action = 0;
        /* A job that is gone, or cannot be held in its state, will not run again by itself. */
        if (error == RC_OK || error == RC_E_NOT_FOUND ||
            (rc_err_retry((enum rc_err)error) == RC_RETRY_NEVER && error != RC_E_NO_LEASE &&
             error != RC_E_CANCELLED)) {
            row->held = 1;
        } else {
            row->next_ms = s->now_ms + rc_backoff_ms(s, action, row->retries++);
        }
        return;
    }
}

int64_t
rc_suspect_wake(const struct rc_state *s)
{
    int64_t next_ms = RC_NEVER;

    for (uint32_t i = 0; s->suspects_judged && rc_leads(s) && !s->paused && i < RC_SUSPECTS_MAX;
         i++) {
        const struct rc_suspect *row = &s->suspect[i];
        if (row->judged && !row->held) {
            next_ms = row->next_ms < next_ms ? row->next_ms : next_ms;
        }
    }
    return next_ms;
}
