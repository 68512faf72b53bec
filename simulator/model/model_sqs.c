/* model_sqs.c - a standard queue.
 *
 * Each message has a slot. Visible ones stand in a line (a doubly linked list of
 * slots); those in flight or delayed stand in a heap by the time they become
 * visible. A receipt handle names slot, message number and receive number, so an
 * old one is known without a table.
 *
 * Failure: full table or no memory answers RC_SIM_SQS_FULL, nothing is kept. */
#include "simulator/model/model_sqs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/model/sim_hash.h"
#include "simulator/model/sim_heap.h"
#include "simulator/model/sim_random.h"

#define NONE UINT32_MAX

enum place { PLACE_FREE, PLACE_LINE, PLACE_FLIGHT, PLACE_DELAY };

struct message {
    enum place place;
    bool returned; /* came back after its delete once: not again */
    uint32_t before, after;
    uint32_t receives;
    uint64_t number;
    int64_t sent_ms, first_received_ms, received_ms;
    size_t len;
    char *body;
    char id[RC_SIM_SQS_UUID_LEN];
};

struct rc_sim_sqs {
    struct rc_sim_sqs_config config;
    struct rc_sim_random random;
    struct message *message;
    struct rc_sim_heap due;
    uint32_t head, tail; /* the line */
    uint32_t free_head;  /* free slots, linked by after */
    struct rc_sim_sqs_counts counts;
};

struct rc_sim_sqs *
rc_sim_sqs_new(const struct rc_sim_sqs_config *config)
{
    struct rc_sim_sqs *q = calloc(1, sizeof(*q));

    assert(config->messages_max > 0 && config->in_flight_max > 0);
    if (q == NULL)
        return NULL;
    q->config = *config;
    q->message = calloc(config->messages_max, sizeof(*q->message));
    if (!rc_sim_heap_init(&q->due, config->messages_max) || q->message == NULL) {
        rc_sim_sqs_free(q);
        return NULL;
    }
    rc_sim_random_seed(&q->random, config->seed, 2);
    q->head = q->tail = NONE;
    for (uint32_t i = 0; i < config->messages_max; i++)
        q->message[i].after = i + 1 < config->messages_max ? i + 1 : NONE;
    return q;
}

void
rc_sim_sqs_free(struct rc_sim_sqs *q)
{
    if (q == NULL)
        return;
    for (uint32_t i = 0; q->message != NULL && i < q->config.messages_max; i++)
        free(q->message[i].body);
    rc_sim_heap_done(&q->due);
    free(q->message);
    free(q);
}

struct rc_sim_sqs_config *
rc_sim_sqs_config(struct rc_sim_sqs *q)
{
    return &q->config;
}

static void
line_append(struct rc_sim_sqs *q, uint32_t slot)
{
    struct message *m = &q->message[slot];

    m->place = PLACE_LINE;
    m->before = q->tail;
    m->after = NONE;
    if (q->tail != NONE)
        q->message[q->tail].after = slot;
    else
        q->head = slot;
    q->tail = slot;
    q->counts.visible++;
}

static void
line_remove(struct rc_sim_sqs *q, uint32_t slot)
{
    const struct message *m = &q->message[slot];

    if (m->before != NONE)
        q->message[m->before].after = m->after;
    else
        q->head = m->after;
    if (m->after != NONE)
        q->message[m->after].before = m->before;
    else
        q->tail = m->before;
    q->counts.visible--;
}

/* Takes the message out of wherever it stands. */
static void
message_lift(struct rc_sim_sqs *q, uint32_t slot)
{
    switch (q->message[slot].place) {
    case PLACE_LINE:
        line_remove(q, slot);
        break;
    case PLACE_FLIGHT:
        q->counts.in_flight--;
        rc_sim_heap_set(&q->due, slot, RC_SIM_NEVER);
        break;
    case PLACE_DELAY:
        q->counts.delayed--;
        rc_sim_heap_set(&q->due, slot, RC_SIM_NEVER);
        break;
    case PLACE_FREE:
        break;
    }
}

static void
message_hide(struct rc_sim_sqs *q, uint32_t slot, enum place place, int64_t until_ms)
{
    q->message[slot].place = place;
    if (place == PLACE_FLIGHT)
        q->counts.in_flight++;
    else
        q->counts.delayed++;
    rc_sim_heap_set(&q->due, slot, until_ms);
}

static void
message_free(struct rc_sim_sqs *q, uint32_t slot)
{
    struct message *m = &q->message[slot];

    message_lift(q, slot);
    free(m->body);
    *m = (struct message){.after = q->free_head};
    q->free_head = slot;
}

enum rc_sim_sqs_code
rc_sim_sqs_send(struct rc_sim_sqs *q, int64_t now_ms, const char *body, size_t len,
                int64_t delay_ms, char ret_id[RC_SIM_SQS_UUID_LEN])
{
    uint32_t slot = q->free_head;
    struct message *m;
    char *copy;

    if (len > RC_SIM_SQS_BODY_MAX)
        return RC_SIM_SQS_TOO_LARGE;
    if (slot == NONE || (copy = malloc(len + 1)) == NULL)
        return RC_SIM_SQS_FULL;
    memcpy(copy, body, len);
    copy[len] = '\0';
    m = &q->message[slot];
    q->free_head = m->after;
    *m = (struct message){.body = copy, .len = len, .sent_ms = now_ms, .number = ++q->counts.sent};
    rc_sim_random_uuid(&q->random, m->id);
    if (ret_id != NULL)
        memcpy(ret_id, m->id, sizeof(m->id));
    if (delay_ms < 0)
        delay_ms = q->config.delay_ms;
    if (delay_ms > 0)
        message_hide(q, slot, PLACE_DELAY, now_ms + delay_ms);
    else
        line_append(q, slot);
    return RC_SIM_SQS_OK;
}

bool
rc_sim_sqs_full(const struct rc_sim_sqs *q)
{
    return q->counts.in_flight >= q->config.in_flight_max;
}

/* A receipt handle: 8, 16 and 8 hex digits. Made and read by hand, because every message
 * that is played has one. */
struct handle {
    uint32_t slot, receive;
    uint64_t number;
};

static const char handle_begin[] = "AQEB";
enum { HANDLE_SLOT = 4, HANDLE_NUMBER = 12, HANDLE_RECEIVE = 28, HANDLE_END = 36 };

static void
hex_write(char *to, uint64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value >>= 4)
        to[i] = "0123456789abcdef"[value & 15];
}

static bool
hex_read(const char *from, int digits, uint64_t *ret)
{
    *ret = 0;
    for (int i = 0; i < digits; i++) {
        char c = from[i];

        if (c >= '0' && c <= '9')
            *ret = *ret << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            *ret = *ret << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    return true;
}

static void
handle_write(char ret[RC_SIM_SQS_HANDLE_LEN], const struct handle *h)
{
    memcpy(ret, handle_begin, HANDLE_SLOT);
    hex_write(ret + HANDLE_SLOT, h->slot, HANDLE_NUMBER - HANDLE_SLOT);
    hex_write(ret + HANDLE_NUMBER, h->number, HANDLE_RECEIVE - HANDLE_NUMBER);
    hex_write(ret + HANDLE_RECEIVE, h->receive, HANDLE_END - HANDLE_RECEIVE);
    ret[HANDLE_END] = '\0';
}

static void
message_deliver(struct rc_sim_sqs *q, int64_t now_ms, uint32_t slot, int64_t visibility_ms,
                struct rc_sim_sqs_message *ret)
{
    struct message *m = &q->message[slot];

    m->receives++;
    m->received_ms = now_ms;
    if (m->first_received_ms == 0)
        m->first_received_ms = now_ms;
    q->counts.received++;
    memcpy(ret->id, m->id, sizeof(ret->id));
    handle_write(ret->handle, &(struct handle){slot, m->receives, m->number});
    ret->body = m->body;
    ret->len = m->len;
    ret->sent_ms = m->sent_ms;
    ret->first_received_ms = m->first_received_ms;
    ret->receives = m->receives;
    line_remove(q, slot);
    if (rc_sim_random_chance(&q->random, q->config.duplicate_permille)) {
        q->counts.duplicated++;
        line_append(q, slot);
    } else if (visibility_ms > 0) {
        message_hide(q, slot, PLACE_FLIGHT, now_ms + visibility_ms);
    } else {
        line_append(q, slot);
    }
}

uint32_t
rc_sim_sqs_receive(struct rc_sim_sqs *q, int64_t now_ms, uint32_t max, int64_t visibility_ms,
                   struct rc_sim_sqs_message *ret)
{
    uint32_t count = 0;
    uint32_t turns = q->counts.visible;

    assert(max > 0 && max <= RC_SIM_SQS_BATCH_MAX);
    if (visibility_ms < 0)
        visibility_ms = q->config.visibility_ms;
    while (count < max && turns-- > 0 && !rc_sim_sqs_full(q)) {
        uint32_t slot = q->head;

        if (now_ms - q->message[slot].sent_ms > q->config.retention_ms) {
            q->counts.expired++;
            message_free(q, slot);
        } else if (rc_sim_random_chance(&q->random, q->config.reorder_permille)) {
            line_remove(q, slot);
            line_append(q, slot);
        } else {
            message_deliver(q, now_ms, slot, visibility_ms, &ret[count++]);
        }
    }
    return count;
}

static bool
handle_parse(const struct rc_sim_sqs *q, const char *text, struct handle *h)
{
    uint64_t slot, receive;

    if (strlen(text) != HANDLE_END || strncmp(text, handle_begin, HANDLE_SLOT) != 0 ||
        !hex_read(text + HANDLE_SLOT, 8, &slot) ||
        !hex_read(text + HANDLE_NUMBER, 16, &h->number) ||
        !hex_read(text + HANDLE_RECEIVE, 8, &receive)) {
        return false;
    }
    h->slot = (uint32_t)slot;
    h->receive = (uint32_t)receive;
    return h->slot < q->config.messages_max && h->number > 0 && h->number <= q->counts.sent &&
           h->receive > 0;
}

enum rc_sim_sqs_code
rc_sim_sqs_delete(struct rc_sim_sqs *q, int64_t now_ms, const char *handle)
{
    struct handle h;
    struct message *m;

    if (!handle_parse(q, handle, &h))
        return RC_SIM_SQS_BAD_HANDLE;
    m = &q->message[h.slot];
    if (m->place == PLACE_FREE || m->number != h.number || m->receives != h.receive) {
        q->counts.stale++;
        return RC_SIM_SQS_OK;
    }
    q->counts.deleted++;
    if (!m->returned && rc_sim_random_chance(&q->random, q->config.return_permille)) {
        m->returned = true;
        message_lift(q, h.slot);
        message_hide(q, h.slot, PLACE_FLIGHT, now_ms + q->config.visibility_ms);
        return RC_SIM_SQS_OK;
    }
    message_free(q, h.slot);
    return RC_SIM_SQS_OK;
}

enum rc_sim_sqs_code
rc_sim_sqs_visibility(struct rc_sim_sqs *q, int64_t now_ms, const char *handle,
                      int64_t visibility_ms)
{
    struct handle h;
    const struct message *m;

    if (!handle_parse(q, handle, &h))
        return RC_SIM_SQS_BAD_HANDLE;
    m = &q->message[h.slot];
    if (m->place == PLACE_FREE || m->number != h.number)
        return RC_SIM_SQS_GONE;
    if (m->place != PLACE_FLIGHT || m->receives != h.receive)
        return RC_SIM_SQS_NOT_IN_FLIGHT;
    if (visibility_ms < 0 ||
        now_ms + visibility_ms - m->received_ms > (int64_t)RC_SIM_SQS_HOLD_MAX_MS)
        return RC_SIM_SQS_TOO_LONG;
    message_lift(q, h.slot);
    if (visibility_ms == 0)
        line_append(q, h.slot);
    else
        message_hide(q, h.slot, PLACE_FLIGHT, now_ms + visibility_ms);
    return RC_SIM_SQS_OK;
}

void
rc_sim_sqs_purge(struct rc_sim_sqs *q)
{
    for (uint32_t i = 0; i < q->config.messages_max; i++)
        if (q->message[i].place != PLACE_FREE)
            message_free(q, i);
}

void
rc_sim_sqs_advance(struct rc_sim_sqs *q, int64_t now_ms)
{
    while (rc_sim_heap_next_ms(&q->due) <= now_ms) {
        uint32_t slot = rc_sim_heap_first(&q->due);

        message_lift(q, slot);
        line_append(q, slot);
    }
}

int64_t
rc_sim_sqs_next_ms(const struct rc_sim_sqs *q)
{
    return rc_sim_heap_next_ms(&q->due);
}

struct rc_sim_sqs_counts
rc_sim_sqs_counts(const struct rc_sim_sqs *q)
{
    return q->counts;
}

uint64_t
rc_sim_sqs_hash(const struct rc_sim_sqs *q)
{
    uint64_t h = rc_sim_hash_u64(RC_SIM_HASH_SEED, q->random.state);

    for (uint32_t i = 0; i < q->config.messages_max; i++) {
        const struct message *m = &q->message[i];

        if (m->place == PLACE_FREE)
            continue;
        h = rc_sim_hash_u64(h, (uint64_t)i << 32 | (uint64_t)m->place);
        h = rc_sim_hash_u64(h, m->number);
        h = rc_sim_hash_u64(h, m->receives);
        h = rc_sim_hash_u64(h, (uint64_t)m->sent_ms);
        h = rc_sim_hash_str(h, m->body);
    }
    for (uint32_t i = q->head; i != NONE; i = q->message[i].after)
        h = rc_sim_hash_u64(h, i);
    h = rc_sim_hash_u64(h, q->counts.sent);
    return rc_sim_hash_u64(h, q->counts.deleted);
}
