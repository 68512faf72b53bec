/* message.c - a message left the queue; its events follow under the same
 * number. Twice is normal: the queue delivers at least once, EventBridge fires at
 * least once, Health sends a copy from the backup region. What was seen before
 * is counted and given back; its parts are not folded again (the caller asks
 * rc_message_is_new()).
 *
 * Numbers are minted by the caller without gaps, so a ring holds them. */
#include "handlers/table.h"

#include <string.h>

static struct rc_message *
row_of(const struct rc_state *s, uint64_t msg)
{
    return rc_message_at(s, (uint32_t)(msg % s->messages.room));
}

static uint32_t *
message_bucket(const struct rc_state *s, uint64_t id_hash)
{
    return &rc_table_u32(s, &s->message_buckets)[id_hash & (s->message_buckets.room - 1)];
}

/* Chains hold row + 1. */
static struct rc_message *
find(const struct rc_state *s, uint64_t id_hash)
{
    uint32_t at = id_hash ? *message_bucket(s, id_hash) : 0;

    while (at && rc_message_at(s, at - 1)->id_hash != id_hash) {
        at = rc_message_at(s, at - 1)->next_in_bucket;
    }
    return at ? rc_message_at(s, at - 1) : NULL;
}

/* A message of an earlier life whose parts or whose quarantine were cut off by a crash
 * was not seen: the queue delivers it again, and then it is new. */
static struct rc_message *
seen_before(const struct rc_state *s, uint64_t id_hash)
{
    struct rc_message *m = find(s, id_hash);

    return m && !m->parts_left && m->state != RC_MSG_QUARANTINE ? m : NULL;
}

static void
hang(struct rc_state *s, struct rc_message *m)
{
    uint32_t *bucket = message_bucket(s, m->id_hash);

    if (m->id_hash) {
        m->next_in_bucket = *bucket;
        *bucket = (uint32_t)(m->msg % s->messages.room) + 1;
    }
}

/* The oldest row makes room. */
static void
forget(struct rc_state *s, struct rc_message *m)
{
    uint32_t row = m->msg ? (uint32_t)(m->msg % s->messages.room) + 1 : 0;

    if (row && m->id_hash) {
        uint32_t *at = message_bucket(s, m->id_hash);
        while (*at != row) {
            at = &rc_message_at(s, *at - 1)->next_in_bucket;
        }
        *at = m->next_in_bucket;
    }
    memset(m, 0, sizeof *m);
}

static void
message_apply(struct rc_state *s, const struct rc_event *ev)
{
    struct rc_message *m = row_of(s, ev->msg);
    const struct rc_ev_message *in = &ev->u.message;

    if (ev->msg <= s->message_last) {
        return; /* folded before: a snapshot was taken before its record was written */
    }
    if (s->message_waiting && ev->msg - s->message_waiting >= s->messages.room) {
        s->counters.capacity_exceeded++; /* not taken: the queue will deliver it again */
        s->message_last = ev->msg;
        return;
    }
    const struct rc_message *before = seen_before(s, in->id_hash);
    uint32_t effect = before ? before->effect : 0;
    forget(s, m);
    m->msg = ev->msg;
    m->id_hash = in->id_hash;
    m->duplicate = before != NULL;
    m->effect = effect;
    m->parts_left = before ? 0 : in->parts;
    m->state = in->verdict == RC_VERDICT_QUARANTINED && !before ? RC_MSG_QUARANTINE : RC_MSG_PARTS;
    hang(s, m);
    s->message_last = ev->msg;
    if (!s->message_waiting) {
        s->message_waiting = ev->msg;
    }
    s->counters.duplicates += before != NULL;
    s->counters.quarantined += m->state == RC_MSG_QUARANTINE;
    s->counters.ignored += in->verdict == RC_VERDICT_IGNORED;
}

const struct rc_handler rc_handler_message = {RC_EV_MESSAGE, message_apply};
