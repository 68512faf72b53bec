/* ack.c - when a message may leave the queue.
 *
 * Invariant: a message is deleted only when its event is in the journal (the
 * caller appends it before it executes the delete) and every incident item
 * that was written up to the moment when its last part had been decided is saved.
 * A message without effect goes at once. Waiting messages are given back in
 * order, so one condition at the head of the line serves all. After a restart
 * the queue delivers again what was not deleted; the ring of seen ids knows it. */
#include <assert.h>
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

    memset(&a, 0, sizeof a);
    a.kind = RC_ACT_INCIDENT_PUT;
    a.deadline_ms = s->now_ms + DELETE_TIMEOUT_MS;
    a.incident = inc->id;
    a.u.item.phase = RC_PHASE_CLOSED;
    a.u.item.epoch = s->lease_epoch;
    a.u.item.close = 1;
    memcpy(a.u.item.rule, inc->rule.name, sizeof a.u.item.rule);
    rc_act_send(s, out, &a);
}

/* Closed incidents whose item could not be deleted: no node's turn looks at them. */
void
rc_retry_closed(struct rc_state *s, struct rc_actions *out)
{
    int64_t next_ms = 0;

    if (!s->closed_retry_ms || s->closed_retry_ms > s->now_ms || !rc_leads(s)) {
        return;
    }
    for (uint32_t slot = s->unsaved_head; slot; slot = rc_incident_at(s, slot)->unsaved_next) {
        const struct rc_incident *inc = rc_incident_at(s, slot);
        if (inc->node || inc->put_action) {
            continue;
        }
        if (inc->put_retry_ms <= s->now_ms && out->count < RC_ACTIONS_MAX) {
            delete_item(s, out, inc);
        } else if (!next_ms || inc->put_retry_ms < next_ms) {
            next_ms = inc->put_retry_ms > s->now_ms ? inc->put_retry_ms : s->now_ms + 1;
        }
    }
    s->closed_retry_ms = next_ms;
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

    memset(&a, 0, sizeof a);
    a.kind = RC_ACT_MESSAGE_DELETE;
    a.msg = m->msg;
    rc_act_send(s, out, &a);
}

static void
quarantine_message(struct rc_state *s, struct rc_actions *out, struct rc_message *m)
{
    struct rc_action a;

    memset(&a, 0, sizeof a);
    a.kind = RC_ACT_MESSAGE_QUARANTINE;
    a.msg = m->msg;
    a.deadline_ms = s->now_ms + QUARANTINE_TIMEOUT_MS;
    rc_act_send(s, out, &a);
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
        assert(m->msg == s->message_waiting);
        if (m->state == RC_MSG_PARTS) {
            if (m->parts_left || s->touch_count) {
                return; /* its events are not all folded and decided */
            }
            m->barrier = s->next_action - 1;
            m->state = RC_MSG_WAITS;
        }
        if (m->state == RC_MSG_QUARANTINE) {
            if (!m->barrier) {
                quarantine_message(s, out, m);
            }
            return;
        }
        if (m->state == RC_MSG_WAITS && !may_go(s, m)) {
            return;
        }
        if (m->state == RC_MSG_WAITS) {
            delete_message(s, out, m);
        }
        s->message_waiting = s->message_waiting < s->message_last ? s->message_waiting + 1 : 0;
    }
}
