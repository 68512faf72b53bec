/* ack.c - when a message may leave the queue.
 *
 * Invariant: a message is deleted only when its event is in the journal (the
 * caller appends it before it executes the delete) and every incident item
 * that was written up to the moment when its last part had been decided is saved.
 * A message without effect goes at once. Waiting messages are given back in
 * order, so one condition at the head of the line serves all. After a restart
 * the queue delivers again what was not deleted; the ring of seen ids knows it. */
#include <string.h>

#include "reconciler/core/timers.h"
#include "reconciler/core/turn.h"

enum { DELETE_TIMEOUT_MS = 30000, QUARANTINE_TIMEOUT_MS = 30000 };

void
rc_ack_effect(struct rc_state *s, uint64_t msg)
{
    if (!msg || msg + s->messages.room <= s->message_last) {
        return;
    }
    struct rc_message *m = rc_message_at(s, (uint32_t)(msg % s->messages.room));
    if (m->msg == msg) {
        m->effect = 1;
    }
}

void
rc_ack_part(struct rc_state *s, const struct rc_event *ev)
{
    if (ev->msg && ev->kind != RC_EV_MESSAGE) {
        struct rc_message *m = rc_message_at(s, (uint32_t)(ev->msg % s->messages.room));
        if (m->msg == ev->msg && m->parts_left) {
            m->parts_left--;
        }
    }
}

int
rc_message_wants_parts(const struct rc_state *s, uint64_t msg)
{
    const struct rc_message *m = rc_message_at(s, (uint32_t)(msg % s->messages.room));

    return m->msg == msg && m->parts_left > 0;
}

/* The list of incidents with unsaved items, ordered by their oldest unsaved write. */
static void
unlink_unsaved(struct rc_state *s, struct rc_incident *inc)
{
    uint32_t prev = inc->unsaved_prev, next = inc->unsaved_next;

    *(prev ? &rc_incident_at(s, prev)->unsaved_next : &s->unsaved_head) = next;
    *(next ? &rc_incident_at(s, next)->unsaved_prev : &s->unsaved_tail) = prev;
    inc->unsaved_prev = inc->unsaved_next = 0;
    inc->unsaved = 0;
}

void
rc_unsaved_add(struct rc_state *s, uint32_t slot, uint64_t id)
{
    struct rc_incident *inc = rc_incident_at(s, slot);
    uint32_t after = s->unsaved_tail;

    if (inc->unsaved) {
        return; /* the oldest unsaved write stands for all */
    }
    while (after && rc_incident_at(s, after)->unsaved > id) {
        after = rc_incident_at(s, after)->unsaved_prev;
    }
    inc->unsaved = id;
    inc->unsaved_prev = after;
    inc->unsaved_next = after ? rc_incident_at(s, after)->unsaved_next : s->unsaved_head;
    *(after ? &rc_incident_at(s, after)->unsaved_next : &s->unsaved_head) = slot;
    *(inc->unsaved_next ? &rc_incident_at(s, inc->unsaved_next)->unsaved_prev : &s->unsaved_tail) =
        slot;
}

void
rc_unsaved_done(struct rc_state *s, uint32_t slot)
{
    if (rc_incident_at(s, slot)->unsaved) {
        unlink_unsaved(s, rc_incident_at(s, slot));
    }
}

static void
delete_item(struct rc_state *s, struct rc_actions *out, const struct rc_incident *inc)
{
    struct rc_action a;

    rc_action_init(&a, RC_ACT_INCIDENT_PUT);
    a.deadline_ms = s->now_ms + DELETE_TIMEOUT_MS;
    a.incident = inc->id;
    a.u.item.phase = RC_PHASE_CLOSED;
    a.u.item.epoch = s->lease_epoch;
    a.u.item.close = 1;
    memcpy(a.u.item.rule, inc->rule.name, sizeof a.u.item.rule);
    rc_act_send(s, out, &a);
}

/* An answer that never came: asked for again at its deadline. */
static void
give_up_deletion(struct rc_state *s, struct rc_incident *inc)
{
    uint32_t slot = rc_flight_find(s, inc->put_action);

    inc->put_retry_ms = slot ? rc_flight_at(s, slot)->deadline_ms : s->now_ms;
    if (slot && inc->put_retry_ms <= s->now_ms) {
        rc_flight_free(s, slot);
    }
    if (inc->put_retry_ms <= s->now_ms) {
        /* A store that is slow must not be asked faster than it answers. */
        inc->put_retry_ms = s->now_ms + rc_backoff_ms(s, inc->put_action, inc->put_retries++);
        inc->put_action = 0;
    }
}

/* True when one of them is asked for once more and not answered yet. */
static bool
give_up_deletions(struct rc_state *s)
{
    bool asked = false;

    for (uint32_t slot = s->unsaved_head; slot; slot = rc_incident_at(s, slot)->unsaved_next) {
        struct rc_incident *inc = rc_incident_at(s, slot);
        if (!inc->node && inc->put_action) {
            give_up_deletion(s, inc);
            asked |= inc->put_action && inc->put_retries;
        }
    }
    return asked;
}

/* Closed incidents whose item could not be deleted: no node's turn looks at them. One is
 * asked for at a time, the oldest first: each answer brings the next. All at once, they
 * would keep a slow store from ever answering one of them in time. */
void
rc_retry_closed(struct rc_state *s, struct rc_actions *out)
{
    int64_t next_ms = 0;

    if (!s->closed_retry_ms || s->closed_retry_ms > s->now_ms || !rc_leads(s)) {
        return;
    }
    bool asked = give_up_deletions(s);
    for (uint32_t slot = s->unsaved_head; slot; slot = rc_incident_at(s, slot)->unsaved_next) {
        struct rc_incident *inc = rc_incident_at(s, slot);
        bool due = !inc->put_action && inc->put_retry_ms <= s->now_ms;
        if (inc->node || (due && asked)) {
            continue; /* its turn comes with the answer of the one that is asked for */
        }
        if (due && out->count < RC_ACTIONS_MAX) {
            delete_item(s, out, inc);
            inc->put_retry_ms = s->now_ms + DELETE_TIMEOUT_MS; /* its deadline */
            asked = true;
        }
        if (!next_ms || inc->put_retry_ms < next_ms) {
            next_ms = inc->put_retry_ms > s->now_ms ? inc->put_retry_ms : s->now_ms + 1;
        }
    }
    s->closed_retry_ms = next_ms;
}

void
rc_ack_anew(struct rc_state *s, uint64_t unsaved)
{
    for (uint64_t msg = s->message_waiting; msg && msg <= s->message_last; msg++) {
        struct rc_message *m = rc_message_at(s, (uint32_t)(msg % s->messages.room));
        if (m->msg == msg && m->state == RC_MSG_WAITS && m->effect && m->barrier >= unsaved) {
            m->state = RC_MSG_PARTS;
        }
    }
}

static bool
may_go(const struct rc_state *s, const struct rc_message *m)
{
    return !m->effect || !s->unsaved_head ||
           rc_incident_at(s, s->unsaved_head)->unsaved > m->barrier;
}

static void
delete_message(struct rc_state *s, struct rc_actions *out, struct rc_message *m)
{
    struct rc_action a;

    rc_action_init(&a, RC_ACT_MESSAGE_DELETE);
    a.msg = m->msg;
    rc_act_send(s, out, &a);
}

static void
quarantine_message(struct rc_state *s, struct rc_actions *out, struct rc_message *m)
{
    struct rc_action a;

    rc_action_init(&a, RC_ACT_MESSAGE_QUARANTINE);
    a.msg = m->msg;
    a.deadline_ms = s->now_ms + QUARANTINE_TIMEOUT_MS;
    rc_act_send(s, out, &a);
}

/* Its quarantine is asked for; an answer that never came is given up at its deadline. */
static bool
quarantine_runs(struct rc_state *s, struct rc_message *m)
{
    uint32_t slot = rc_flight_find(s, m->barrier);

    if (slot && rc_flight_at(s, slot)->deadline_ms > s->now_ms) {
        return true;
    }
    if (slot) {
        rc_flight_free(s, slot);
    }
    m->barrier = 0;
    return false;
}

/* When the head of the line must be looked at without an event; RC_NEVER = not. */
int64_t
rc_ack_wake(const struct rc_state *s)
{
    const struct rc_message *m;

    if (!s->message_waiting || !rc_leads(s)) {
        return RC_NEVER;
    }
    m = rc_message_at(s, (uint32_t)(s->message_waiting % s->messages.room));
    if (m->msg != s->message_waiting || m->state != RC_MSG_QUARANTINE) {
        return RC_NEVER;
    }
    uint32_t slot = rc_flight_find(s, m->barrier);
    return slot ? rc_flight_at(s, slot)->deadline_ms : s->quarantine_next_ms;
}

/* Walks the line of messages not yet given back, from the oldest. */
void
rc_ack_decide(struct rc_state *s, struct rc_actions *out)
{
    if (!rc_leads(s)) {
        return;
    }
    while (s->message_waiting && out->count < RC_ACTIONS_MAX) {
        struct rc_message *m = rc_message_at(s, (uint32_t)(s->message_waiting % s->messages.room));
        bool dropped = m->msg != s->message_waiting; /* there was no room: it comes again */
        if (!dropped && m->state == RC_MSG_PARTS) {
            if (m->parts_left || s->touch_count || (s->paused && m->effect)) {
                return; /* its events are not all folded and decided */
            }
            m->barrier = s->next_action - 1;
            m->state = RC_MSG_WAITS;
        }
        if (!dropped && m->state == RC_MSG_QUARANTINE) {
            if (!quarantine_runs(s, m) && s->now_ms >= s->quarantine_next_ms) {
                quarantine_message(s, out, m);
            }
            return;
        }
        if (!dropped && m->state == RC_MSG_WAITS) {
            if (!may_go(s, m)) {
                return;
            }
            delete_message(s, out, m);
        }
        s->message_waiting = s->message_waiting < s->message_last ? s->message_waiting + 1 : 0;
    }
}
