/* fleet_jobs.c - jobs and their runs: start, checkpoints, stall, end, requeue.
 *
 * A run computes after its start-up (u0), saves every dt of work at the cost of w, and
 * what it did since the last save is lost when it is interrupted. On a broken node it
 * stands still until it gives up or is ended. A job takes whole nodes.
 *
 * Invariants: a job that runs or is cleaned holds exactly its nodes; a waiting job is in
 * the line of its level; what is due for an earlier run is known by its number. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/fleet/fleet_private.h"

enum {
    ROOM_FIRST = 4096,
    CLEAN_MS = 5 * RC_FLEET_SECOND,   /* epilog */
    AGAIN_MS = 120 * RC_FLEET_SECOND, /* slurmctld holds a requeued job back so long */
    GIVES_UP_MIN_MS = 30 * RC_FLEET_SECOND,
    GIVES_UP_MAX_MS = 10 * RC_FLEET_MINUTE /* the collective's own time-out */
};

static void
push_job(struct rc_fleet_queue *q, struct rc_line_of_jobs *l, uint32_t at, bool front)
{
    struct rc_fleet_job *j = &q->job[at];

    j->before = front ? RC_SIM_NO_NODE : l->tail;
    j->after = front ? l->head : RC_SIM_NO_NODE;
    *(j->before == RC_SIM_NO_NODE ? &l->head : &q->job[j->before].after) = at;
    *(j->after == RC_SIM_NO_NODE ? &l->tail : &q->job[j->after].before) = at;
    l->count++;
}

void
rc_line_drop(struct rc_fleet_queue *q, struct rc_line_of_jobs *l, uint32_t at)
{
    const struct rc_fleet_job *j = &q->job[at];

    *(j->before == RC_SIM_NO_NODE ? &l->head : &q->job[j->before].after) = j->after;
    *(j->after == RC_SIM_NO_NODE ? &l->tail : &q->job[j->after].before) = j->before;
    l->count--;
}

bool
rc_queue_open(struct rc_fleet *f)
{
    struct rc_fleet_queue *q = &f->q;

    q->room = ROOM_FIRST;
    q->free = RC_SIM_NO_NODE;
    q->job = calloc(q->room, sizeof *q->job);
    q->next_node = malloc(f->c->nodes * sizeof *q->next_node);
    for (uint32_t i = 0; i < RC_FLEET_CLASSES; i++) {
        q->line[i].head = q->line[i].tail = RC_SIM_NO_NODE;
    }
    q->running.head = q->running.tail = RC_SIM_NO_NODE;
    rc_mix_open(f);
    return q->job && q->next_node;
}

void
rc_queue_close(struct rc_fleet *f)
{
    free(f->q.job);
    free(f->q.next_node);
}

static uint32_t
job_new(struct rc_fleet_queue *q)
{
    uint32_t at = q->free;

    if (at != RC_SIM_NO_NODE) {
        q->free = q->job[at].after;
    } else {
        if (q->used == q->room) {
            q->room *= 2;
            q->job = realloc(q->job, q->room * sizeof *q->job);
            assert(q->job);
        }
        at = q->used++;
        q->job[at].run = 0;
    }
    uint32_t run = q->job[at].run; /* goes on, so that what is due for a former job is known */
    memset(&q->job[at], 0, sizeof q->job[at]);
    q->job[at].run = run + 1;
    q->job[at].first = RC_SIM_NO_NODE;
    return at;
}

static void
job_free(struct rc_fleet_queue *q, uint32_t at)
{
    q->job[at].state = RC_JOB_FREE;
    q->job[at].run++;
    q->job[at].after = q->free;
    q->free = at;
}

static void
enqueue(struct rc_fleet *f, uint32_t at, bool front)
{
    struct rc_fleet_job *j = &f->q.job[at];

    j->state = RC_JOB_WAITS;
    push_job(&f->q, &f->q.line[j->level], at, front);
    f->q.wanted = 1;
}

static void
submit_next(struct rc_fleet *f)
{
    uint32_t at = job_new(&f->q);
    struct rc_fleet_job *j = &f->q.job[at];

    if (f->c->jobs == RC_FLEET_JOBS_ONE) {
        j->nodes = f->c->nodes;
        j->work_ms = j->limit_ms = RC_SIM_NEVER / 4; /* endless */
        j->dt_ms = f->c->dt_ms;
        j->u0_ms = f->c->u0_ms;
        j->w_ms = f->c->w_ms;
    } else {
        rc_mix_draw(f, j);
        rc_due_push(f, f->now_ms + rc_mix_gap(f), RC_DUE_ARRIVAL, 0, 0);
    }
    j->id = ++f->q.last_id;
    j->since_ms = f->now_ms;
    enqueue(f, at, false);
}

/* How long the rest takes when nothing happens. */
static int64_t
needed_ms(const struct rc_fleet_job *j)
{
    int64_t left = j->work_ms - j->saved_ms;
    int64_t saves = j->dt_ms ? (left - 1) / j->dt_ms : 0;

    return j->u0_ms + left + saves * j->w_ms;
}

/* The first bad node under a run makes it stand still. */
static bool
on_bad_node(const struct rc_fleet *f, const struct rc_fleet_job *j, uint64_t *ret_luck)
{
    for (uint32_t n = j->first; n != RC_SIM_NO_NODE; n = f->q.next_node[n]) {
        const struct rc_host *h = &f->host[f->serving[n]];
        if (rc_ail_stalls(h->ail)) {
            *ret_luck = h->luck;
            return true;
        }
    }
    return false;
}

static void
stall(struct rc_fleet *f, uint32_t at, uint64_t luck)
{
    struct rc_fleet_job *j = &f->q.job[at];
    int64_t span = GIVES_UP_MAX_MS - GIVES_UP_MIN_MS;

    if (j->state != RC_JOB_RUNS || j->stall_ms) {
        return;
    }
    j->stall_ms = f->now_ms ? f->now_ms : 1;
    rc_due_push(f, f->now_ms + GIVES_UP_MIN_MS + (int64_t)((luck >> 40) % (uint64_t)span),
                RC_DUE_JOB_DIES, at, j->run);
}

void
rc_queue_start(struct rc_fleet *f, uint32_t at)
{
    struct rc_fleet_job *j = &f->q.job[at];
    uint64_t luck;

    j->state = RC_JOB_RUNS;
    j->start_ms = f->now_ms;
    j->stall_ms = j->signal_saved_ms = 0;
    if (j->restarts) {
        int64_t waited_ms = (f->now_ms - j->since_ms) * j->nodes;
        f->r.waited_ms += waited_ms;
        f->r.large_waited_ms += j->nodes >= RC_FLEET_LARGE_NODES ? waited_ms : 0;
    } else {
        f->r.first_wait_ms += f->now_ms - j->since_ms;
    }
    f->r.jobs_started++;
    f->q.runs++;
    rc_plan_begin(f, j);
    if (!j->level) {
        push_job(&f->q, &f->q.running, at, false);
    }
    if (j->work_ms < RC_SIM_NEVER / 4) {
        rc_due_push(f, f->now_ms + needed_ms(j), RC_DUE_JOB_END, at, j->run);
    }
    if (on_bad_node(f, j, &luck)) {
        stall(f, at, luck);
    }
}

struct tally {
    int64_t done_ms;  /* computed */
    int64_t saved_ms; /* of it safe */
    int64_t write_ms, start_ms;
};

/* What a run that lasted so long has brought. */
static struct tally
count_run(const struct rc_fleet_job *j, int64_t ran_ms)
{
    struct tally t = {0};
    int64_t work_ms = ran_ms - j->u0_ms, cycle_ms = j->dt_ms + j->w_ms;

    t.start_ms = work_ms < 0 ? ran_ms : j->u0_ms;
    if (work_ms <= 0) {
        return t;
    }
    if (!j->dt_ms) {
        t.done_ms = work_ms;
        return t;
    }
    int64_t rest_ms = work_ms % cycle_ms;
    t.saved_ms = work_ms / cycle_ms * j->dt_ms;
    t.done_ms = t.saved_ms + (rest_ms < j->dt_ms ? rest_ms : j->dt_ms);
    t.write_ms = work_ms - t.done_ms;
    return t;
}

static void
lose(struct rc_fleet *f, enum rc_fleet_loss loss, int64_t ms, uint32_t nodes)
{
    f->r.lost_ms[loss] += ms * nodes;
}

/* Books the run; cause says what becomes of work that is not saved. */
static void
book_run(struct rc_fleet *f, struct rc_fleet_job *j, enum rc_job_cause cause)
{
    static const enum rc_fleet_loss redo[] = {[RC_CAUSE_FAULT] = RC_LOSS_REDO_FAULT,
                                              [RC_CAUSE_US] = RC_LOSS_REDO_US,
                                              [RC_CAUSE_PREEMPTED] = RC_LOSS_REDO_OTHER};
    int64_t until_ms = j->stall_ms ? j->stall_ms : f->now_ms;
    struct tally t = count_run(j, until_ms - j->start_ms);
    int64_t good_ms = j->signal_saved_ms > t.saved_ms ? j->signal_saved_ms : t.saved_ms;

    if (cause == RC_CAUSE_DONE) {
        good_ms = t.done_ms;
    } else {
        lose(f, redo[cause], t.done_ms - good_ms, j->nodes);
    }
    lose(f, RC_LOSS_STALLED, f->now_ms - until_ms, j->nodes);
    lose(f, RC_LOSS_CHECKPOINT, t.write_ms, j->nodes);
    lose(f, RC_LOSS_RESTART, j->restarts ? t.start_ms : 0, j->nodes);
    f->r.productive_ms += good_ms * j->nodes;
    f->r.allocated_ms += (f->now_ms - j->start_ms) * j->nodes;
    if (j->nodes >= RC_FLEET_LARGE_NODES) {
        f->r.large_productive_ms += good_ms * j->nodes;
        f->r.large_allocated_ms += (f->now_ms - j->start_ms) * j->nodes;
    }
    j->saved_ms += good_ms;
}

/* RUNS ends: its nodes are cleaned first. */
static void
close_run(struct rc_fleet *f, uint32_t at, enum rc_job_cause cause)
{
    struct rc_fleet_job *j = &f->q.job[at];

    assert(j->state == RC_JOB_RUNS);
    book_run(f, j, cause);
    rc_plan_end(f, j);
    if (!j->level) {
        rc_line_drop(&f->q, &f->q.running, at);
    }
    j->state = RC_JOB_CLEANS;
    j->run++;
    f->q.runs--;
    if (cause == RC_CAUSE_DONE) {
        f->r.jobs_done++;
    } else {
        j->restarts++;
        j->level = cause == RC_CAUSE_PREEMPTED ? j->level : RC_FLEET_CLASSES - 1;
        j->since_ms = f->now_ms;
        *(cause == RC_CAUSE_FAULT ? &f->r.killed_by_fault
          : cause == RC_CAUSE_US  ? &f->r.killed_by_us
                                  : &f->r.preempted) += 1;
    }
    for (uint32_t n = j->first; n != RC_SIM_NO_NODE; n = f->q.next_node[n]) {
        rc_sim_slurm_clean(f->slurm, rc_fleet_wall(f), n);
    }
    if (f->c->daemon_off) { /* known-answer tests: no wait of any kind */
        rc_due_push(f, f->now_ms, RC_DUE_JOB_FREE, at, j->run);
        return;
    }
    rc_due_push(f, f->now_ms + CLEAN_MS, RC_DUE_JOB_FREE, at, j->run);
}

/* A job that listens saves what it has done. */
static void
save_now(const struct rc_fleet *f, struct rc_fleet_job *j)
{
    if (j->listens && !j->stall_ms) {
        j->signal_saved_ms = count_run(j, f->now_ms - j->start_ms).done_ms;
    }
}

void
rc_queue_interrupt(struct rc_fleet *f, uint32_t at, enum rc_job_cause cause)
{
    /* One that stands still is not killed by whoever ends it: the fault did that. */
    bool dead = f->q.job[at].stall_ms != 0;

    if (cause == RC_CAUSE_PREEMPTED) { /* slurmctld's GraceTime */
        save_now(f, &f->q.job[at]);
    }
    close_run(f, at, dead ? RC_CAUSE_FAULT : cause);
}

static void
free_nodes(struct rc_fleet *f, uint32_t at)
{
    struct rc_fleet_job *j = &f->q.job[at];

    for (uint32_t n = j->first, next; n != RC_SIM_NO_NODE; n = next) {
        next = f->q.next_node[n];
        rc_sim_slurm_give(f->slurm, rc_fleet_wall(f), n);
    }
    j->first = RC_SIM_NO_NODE;
    f->q.wanted = 1;
    if (j->saved_ms >= j->work_ms) {
        job_free(&f->q, at);
    } else {
        j->state = RC_JOB_HELD;
        rc_due_push(f, f->now_ms + (f->c->daemon_off ? 0 : AGAIN_MS), RC_DUE_JOB_AGAIN, at, j->run);
    }
}

void
rc_queue_due(struct rc_fleet *f, const struct rc_due *d)
{
    if (d->kind == RC_DUE_ARRIVAL) {
        submit_next(f);
        return;
    }
    if (d->kind == RC_DUE_BACKFILL) {
        f->q.backfill_due = 0;
        rc_plan_backfill(f);
        return;
    }
    struct rc_fleet_job *j = &f->q.job[d->index];
    if (j->run != d->tag) {
        return; /* of a run that is over */
    }
    if (d->kind == RC_DUE_JOB_END && !j->stall_ms) {
        close_run(f, d->index, RC_CAUSE_DONE);
    } else if (d->kind == RC_DUE_JOB_DIES) {
        close_run(f, d->index, RC_CAUSE_FAULT);
    } else if (d->kind == RC_DUE_JOB_FREE) {
        free_nodes(f, d->index);
    } else if (d->kind == RC_DUE_JOB_AGAIN) {
        enqueue(f, d->index, true);
    }
}

static uint32_t
running_on(const struct rc_fleet *f, uint32_t node)
{
    uint32_t at = rc_sim_slurm_holder(f->slurm, node);

    return at != RC_SIM_NO_NODE && f->q.job[at].state == RC_JOB_RUNS ? at : RC_SIM_NO_NODE;
}

void
rc_queue_end_on(struct rc_fleet *f, uint32_t node, enum rc_job_cause cause)
{
    uint32_t at = running_on(f, node);

    if (at != RC_SIM_NO_NODE) {
        rc_queue_interrupt(f, at, cause);
    }
}

void
rc_queue_stall_on(struct rc_fleet *f, uint32_t node, uint64_t luck)
{
    uint32_t at = running_on(f, node);

    if (at != RC_SIM_NO_NODE) {
        stall(f, at, luck);
    }
}

void
rc_queue_save_on(struct rc_fleet *f, uint32_t node)
{
    uint32_t at = running_on(f, node);

    if (at != RC_SIM_NO_NODE) {
        save_now(f, &f->q.job[at]);
    }
}

/* At the end of the span every run is booked as if it were saved now. */
void
rc_queue_finish(struct rc_fleet *f)
{
    for (uint32_t at = 0; at < f->q.used; at++) {
        struct rc_fleet_job *j = &f->q.job[at];
        bool waits = j->state == RC_JOB_WAITS || j->state == RC_JOB_HELD;
        if (j->state == RC_JOB_RUNS) {
            book_run(f, j, RC_CAUSE_DONE);
        } else if (waits && j->restarts) {
            f->r.waited_ms += (f->now_ms - j->since_ms) * j->nodes;
            f->r.large_waited_ms +=
                j->nodes >= RC_FLEET_LARGE_NODES ? (f->now_ms - j->since_ms) * j->nodes : 0;
        }
    }
}
