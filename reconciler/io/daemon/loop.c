/* loop.c - the queue and the turn: event -> rc_step -> journal -> execute.
 *
 * One append holds events and every action that they caused, so the journal never
 * has one without the other. A refused append keeps all of it aside and is tried
 * again each second; until then no further event is taken. Whether a message's
 * parts are wanted is asked before they are stepped, in order. */
#define _GNU_SOURCE
#include "reconciler/io/daemon/loop.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reconciler/core/record.h"
#include "reconciler/io/daemon/controllers.h"
#include "reconciler/io/daemon/executor.h"
#include "reconciler/io/daemon/intake.h"
#include "reconciler/io/daemon/lead.h"
#include "reconciler/io/daemon/recover.h"
#include "reconciler/io/daemon/report.h"
#include "reconciler/io/daemon/state_memory.h"
#include "reconciler/io/daemon/watch.h"

enum {
    QUEUE_FIRST = 1024,
    EVENTS_PER_TURN = 256,
    JOURNAL_RETRY_MS = 1000,
    BATCH_EVENTS = 64,
    BATCH_ACTIONS = 2 * RC_ACTIONS_MAX,
    BATCH_RECORDS = 2 * BATCH_EVENTS + BATCH_ACTIONS,
    BATCH_TEXT = (BATCH_ACTIONS + BATCH_EVENTS) * RC_RECORD_MAX
};

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
        rc_event_copy(&bigger[i], &d->queue[(d->queue_head + i) % d->queue_room]);
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
    rc_event_copy(&d->queue[(d->queue_head + d->queue_count++) % d->queue_room], ev);
    if (d->turn_event) {
        event_active(d->turn_event, EV_TIMEOUT, 0);
    }
}

void
rc_daemon_complete(struct rc_daemon *d, uint64_t action, const struct rc_error *error)
{
    rc_daemon_complete_host(d, action, error, "");
}

void
rc_daemon_complete_host(struct rc_daemon *d, uint64_t action, const struct rc_error *error,
                        const char *serials)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_COMPLETION);
    ev.u.completion.action = action;
    ev.u.completion.error = (uint32_t)error->code;
    rc_report_clip(ev.u.completion.code, sizeof ev.u.completion.code, error->service_code);
    rc_report_clip(ev.u.completion.text, sizeof ev.u.completion.text, error->text);
    (void)rc_text_set(ev.u.completion.serials, sizeof ev.u.completion.serials, serials);
    rc_daemon_post(d, &ev);
}

void
rc_daemon_complete_code(struct rc_daemon *d, uint64_t action, enum rc_err code, const char *text)
{
    struct rc_error e;

    rc_fail(&e, code, "%s", text ? text : "");
    rc_daemon_complete(d, action, &e);
}

/* Several events may share one append: what they decided starts only after it. */
struct batch {
    char text[BATCH_TEXT];
    size_t used;
    struct rc_journal_item item[BATCH_RECORDS];
    unsigned items;
    struct rc_event event[BATCH_EVENTS];
    unsigned events;
    struct rc_action action[BATCH_ACTIONS];
    unsigned actions;
};

/* One daemon a process. */
static struct batch batch;

static void
add_item(enum rc_journal_type type, const char *data, size_t len)
{
    assert(batch.items < BATCH_RECORDS);
    batch.item[batch.items++] = (struct rc_journal_item){type, (uint32_t)len, data};
}

/* Sources of CLUSTER and POLICY stand in the journal as text before the event. */
static void
add_event(const struct rc_daemon *d, const struct rc_event *ev)
{
    const char *text = ev->kind == RC_EV_CLUSTER  ? d->cluster_text
                       : ev->kind == RC_EV_POLICY ? d->policy_text
                                                  : NULL;
    char *line = batch.text + batch.used;

    if (text) {
        add_item(RC_JOURNAL_TEXT, text, strlen(text));
    }
    size_t len = rc_event_format(ev, line, RC_RECORD_MAX);
    assert(len > 0);
    batch.used += len;
    add_item(RC_JOURNAL_EVENT, line, len);
    rc_event_copy(&batch.event[batch.events++], ev);
}

static void
add_action(const struct rc_action *a)
{
    char *line = batch.text + batch.used;
    size_t len = rc_action_format(a, line, RC_RECORD_MAX);

    assert(len > 0 && batch.actions < BATCH_ACTIONS);
    batch.used += len;
    add_item(RC_JOURNAL_ACTION, line, len);
    rc_action_copy(&batch.action[batch.actions++], a);
}

/* Room for one more event with all that it may decide. */
static bool
batch_has_room(void)
{
    return batch.events < BATCH_EVENTS && batch.actions + RC_ACTIONS_MAX <= BATCH_ACTIONS &&
           batch.items + RC_ACTIONS_MAX + 2 <= BATCH_RECORDS &&
           batch.used + (size_t)(RC_ACTIONS_MAX + 1) * RC_RECORD_MAX <= BATCH_TEXT;
}

static bool
append_batch(struct rc_daemon *d)
{
    struct rc_error e;
    uint64_t last;

    if (rc_journal_append(d->journal, batch.item, batch.items, &last, &e) == RC_OK) {
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

/* Acts first, tells afterwards: a drain does not wait for the log. */
static void
carry_out_batch(struct rc_daemon *d)
{
    for (unsigned i = 0; i < batch.actions; i++) {
        rc_executor_start(d->executor, &batch.action[i]);
        rc_watch_action(d, &batch.action[i]);
    }
    for (unsigned i = 0; i < batch.events; i++) {
        rc_report_event(d, &batch.event[i]);
    }
    for (unsigned i = 0; i < batch.actions; i++) {
        rc_report_action(d, &batch.action[i]);
    }
    batch.used = 0;
    batch.items = batch.events = batch.actions = 0;
}

/* False: the journal refused, try again later. */
static bool
flush_batch(struct rc_daemon *d)
{
    if (batch.items && !append_batch(d)) {
        return false;
    }
    carry_out_batch(d);
    return true;
}

static void
arm(struct event *event, int64_t delay_ms)
{
    struct timeval tv = {.tv_sec = delay_ms / 1000, .tv_usec = (delay_ms % 1000) * 1000};

    event_add(event, &tv);
}

static void
make_room(struct rc_daemon *d)
{
    struct rc_capacity_limits limits;

    if (d->state->touch_count || !rc_state_wants_growth(d->state, &limits)) {
        return;
    }
    void *mem = rc_state_memory(rc_state_size(&limits));
    if (!mem) {
        return; /* capacity_exceeded stays a fact, seen by the operator */
    }
    struct rc_state *old = d->state;
    d->state = rc_state_grow(mem, &limits, old);
    rc_state_memory_free(old);
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

static void
take(struct rc_daemon *d, struct rc_event *ev)
{
    stamp(d, ev);
    rc_step(d->state, ev, &d->out);
    add_event(d, ev);
    for (uint32_t i = 0; i < d->out.count; i++) {
        add_action(&d->out.v[i]);
    }
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
    rc_lead_follow(d->lead);
    rc_controllers_follow(d->controllers);
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
    if (d->journal_stuck && !flush_batch(d)) {
        arm(d->turn_event, JOURNAL_RETRY_MS);
        return;
    }
    for (unsigned i = 0; i < EVENTS_PER_TURN && next_event(d, &ev); i++) {
        take(d, &ev);
        if (!batch_has_room() && !flush_batch(d)) {
            arm(d->turn_event, JOURNAL_RETRY_MS);
            return;
        }
    }
    if (!flush_batch(d)) {
        arm(d->turn_event, JOURNAL_RETRY_MS);
        return;
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
