/* loop.c - the queue and the turn: event -> rc_step -> journal -> execute.
 *
 * One append holds the event and every action that it caused, so the journal
 * never has one without the other. A refused append keeps both aside and is
 * tried again each second; until then no further event is taken. */
#define _GNU_SOURCE
#include "reconciler/io/daemon/loop.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reconciler/core/record.h"
#include "reconciler/io/daemon/executor.h"
#include "reconciler/io/daemon/intake.h"
#include "reconciler/io/daemon/recover.h"
#include "reconciler/io/daemon/report.h"
#include "reconciler/io/daemon/watch.h"

enum { QUEUE_FIRST = 1024, EVENTS_PER_TURN = 256, JOURNAL_RETRY_MS = 1000 };

int64_t
rc_wall_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
rc_boot_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t); /* counts through a suspend */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
rc_daemon_now_ms(const struct rc_daemon *d)
{
    return rc_boot_ms() + d->core_offset_ms;
}

static void
grow_queue(struct rc_daemon *d)
{
    uint32_t room = d->queue_room ? d->queue_room * 2 : QUEUE_FIRST;
    struct rc_event *bigger = calloc(room, sizeof *bigger);

    assert(bigger); /* without memory for facts no decision can be right */
    for (uint32_t i = 0; i < d->queue_count; i++) {
        bigger[i] = d->queue[(d->queue_head + i) % d->queue_room];
    }
    free(d->queue);
    d->queue = bigger;
    d->queue_room = room;
    d->queue_head = 0;
}

void
rc_daemon_post(struct rc_daemon *d, const struct rc_event *ev)
{
    if (d->queue_count == d->queue_room) {
        grow_queue(d);
    }
    d->queue[(d->queue_head + d->queue_count++) % d->queue_room] = *ev;
    if (d->turn_event) {
        event_active(d->turn_event, EV_TIMEOUT, 0);
    }
}

void
rc_daemon_complete(struct rc_daemon *d, uint64_t action, const struct rc_error *error)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_COMPLETION);
    ev.u.completion.action = action;
    ev.u.completion.error = (uint32_t)error->code;
    rc_report_clip(ev.u.completion.code, sizeof ev.u.completion.code, error->service_code);
    rc_report_clip(ev.u.completion.text, sizeof ev.u.completion.text, error->text);
    rc_daemon_post(d, &ev);
}

void
rc_daemon_complete_code(struct rc_daemon *d, uint64_t action, enum rc_err code, const char *text)
{
    struct rc_error e;

    rc_fail(&e, code, "%s", text ? text : "");
    rc_daemon_complete(d, action, &e);
}

/* Sources of CLUSTER and POLICY stand in the journal as text before the event. */
static unsigned
journal_event(struct rc_daemon *d, const struct rc_event *ev, char *line,
              struct rc_journal_item *items)
{
    unsigned n = 0;
    const char *text = ev->kind == RC_EV_CLUSTER  ? d->cluster_text
                       : ev->kind == RC_EV_POLICY ? d->policy_text
                                                  : NULL;
    if (text) {
        items[n++] = (struct rc_journal_item){RC_JOURNAL_TEXT, (uint32_t)strlen(text), text};
    }
    size_t len = rc_event_format(ev, line, RC_RECORD_MAX);
    assert(len > 0);
    items[n++] = (struct rc_journal_item){RC_JOURNAL_EVENT, (uint32_t)len, line};
    return n;
}

static char turn_lines[RC_ACTIONS_MAX + 1][RC_RECORD_MAX];
static struct rc_journal_item turn_items[RC_ACTIONS_MAX + 2];
static unsigned turn_item_count;

static bool
append_turn(struct rc_daemon *d)
{
    struct rc_error e;
    uint64_t last;

    if (rc_journal_append(d->journal, turn_items, turn_item_count, &last, &e) == RC_OK) {
        if (d->journal_stuck) {
            d->journal_stuck = false;
            rc_log_event(d->log, RC_LOG_INFO, "journal", RC_LOG_NOTE, "writes-again", NULL,
                         "the journal takes records again");
        }
        return true;
    }
    if (!d->journal_stuck) {
        rc_log_failure(d->log, "journal", &e, NULL);
    }
    d->journal_stuck = true;
    if (rc_journal_wants_rotation(d->journal)) {
        rc_recover_rotate(d);
    }
    return false;
}

static void
execute_turn(struct rc_daemon *d)
{
    for (uint32_t i = 0; i < d->out.count; i++) {
        rc_report_action(d, &d->out.v[i]);
        rc_watch_action(d, &d->out.v[i]);
        rc_executor_start(d->executor, &d->out.v[i]);
    }
}

static void
arm(struct event *event, int64_t delay_ms)
{
    struct timeval tv = {.tv_sec = delay_ms / 1000, .tv_usec = (delay_ms % 1000) * 1000};

    event_add(event, &tv);
}

static void
step_and_journal(struct rc_daemon *d, struct rc_event *ev)
{
    rc_step(d->state, ev, &d->out);
    turn_item_count = journal_event(d, ev, turn_lines[0], turn_items);
    for (uint32_t i = 0; i < d->out.count; i++) {
        size_t len = rc_action_format(&d->out.v[i], turn_lines[i + 1], RC_RECORD_MAX);
        assert(len > 0);
        turn_items[turn_item_count++] =
            (struct rc_journal_item){RC_JOURNAL_ACTION, (uint32_t)len, turn_lines[i + 1]};
    }
}

static void
make_room(struct rc_daemon *d)
{
    struct rc_capacity_limits limits;

    if (d->state->touch_count || !rc_state_wants_growth(d->state, &limits)) {
        return;
    }
    void *mem = aligned_alloc(16, (rc_state_size(&limits) + 15) & ~(size_t)15);
    if (!mem) {
        return; /* capacity_exceeded stays a fact, seen by the operator */
    }
    memset(mem, 0, rc_state_size(&limits));
    struct rc_state *old = d->state;
    d->state = rc_state_grow(mem, &limits, old);
    free(old);
    rc_log_event(d->log, RC_LOG_INFO, "core", RC_LOG_NOTE, "tables-grown",
                 RC_FIELDS(RC_INT("nodes", limits.nodes), RC_INT("incidents", limits.incidents)),
                 "tables grown");
}

static void
stamp(const struct rc_daemon *d, struct rc_event *ev)
{
    ev->at_ms = rc_daemon_now_ms(d);
    ev->wall_ms = rc_wall_ms();
    if (ev->at_ms < d->state->now_ms) {
        ev->at_ms = d->state->now_ms;
    }
}

/* One event. False: the journal refused, try again later. */
static bool
take(struct rc_daemon *d, struct rc_event *ev)
{
    stamp(d, ev);
    step_and_journal(d, ev);
    if (!append_turn(d)) {
        return false;
    }
    rc_report_event(d, ev);
    execute_turn(d);
    return true;
}

static bool
next_event(struct rc_daemon *d, struct rc_event *ret)
{
    while (d->queue_count) {
        *ret = d->queue[d->queue_head];
        d->queue_head = (d->queue_head + 1) % d->queue_room;
        d->queue_count--;
        /* Parts of a message that was seen before are not folded again. */
        if (ret->kind == RC_EV_MESSAGE || !ret->msg || rc_message_wants_parts(d->state, ret->msg)) {
            return true;
        }
    }
    return false;
}

static void
finish_turn(struct rc_daemon *d)
{
    rc_executor_flush(d->executor);
    rc_intake_follow(d->intake);
    make_room(d);
    if (rc_journal_wants_rotation(d->journal) && !d->journal_stuck) {
        rc_recover_rotate(d);
    }
    if (d->queue_count) {
        event_active(d->turn_event, EV_TIMEOUT, 0); /* sockets get their turn in between */
        return;
    }
    int64_t next_ms = rc_next_deadline(d->state);
    if (next_ms == RC_NEVER) {
        event_del(d->deadline_event);
    } else {
        int64_t left_ms = next_ms - rc_daemon_now_ms(d);
        arm(d->deadline_event, left_ms > 0 ? left_ms : 0);
    }
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct rc_daemon *d = arg;
    struct rc_event ev;

    (void)fd;
    (void)what;
    if (d->journal_stuck) {
        if (!append_turn(d)) {
            arm(d->turn_event, JOURNAL_RETRY_MS);
            return;
        }
        execute_turn(d);
    }
    for (unsigned i = 0; i < EVENTS_PER_TURN && next_event(d, &ev); i++) {
        if (!take(d, &ev)) {
            arm(d->turn_event, JOURNAL_RETRY_MS);
            return;
        }
    }
    finish_turn(d);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct rc_event tick;

    (void)fd;
    (void)what;
    rc_event_init(&tick, RC_EV_TICK);
    rc_daemon_post(arg, &tick);
}

enum rc_err
rc_loop_open(struct rc_daemon *d, struct rc_error *e)
{
    d->turn_event = event_new(d->base, -1, 0, on_turn, d);
    d->deadline_event = event_new(d->base, -1, 0, on_deadline, d);
    if (!d->turn_event || !d->deadline_event) {
        return rc_fail(e, RC_E_INTERNAL, "no memory for the event loop");
    }
    return RC_OK;
}

void
rc_loop_close(struct rc_daemon *d)
{
    if (d->turn_event) {
        event_free(d->turn_event);
    }
    if (d->deadline_event) {
        event_free(d->deadline_event);
    }
    free(d->queue);
    free(d->cluster_text);
    free(d->policy_text);
}
