/* replay_messages.c - see replay_messages.h. */
#include "simulator/replay/replay_messages.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/decode/decode.h"
#include "reconciler/core/record.h"

enum { BUCKETS = 1 << 14 };

struct kept {
    struct rc_decoded decoded;
    uint32_t next; /* in its bucket, 1-based */
    bool is_used;
};

struct rc_replay_messages {
    struct kept *v;
    uint32_t count, room;
    uint32_t bucket[BUCKETS];
    uint64_t only_in_journal;
    /* the message whose parts come now */
    const struct rc_decoded *now;
    uint64_t now_msg;
    uint32_t now_part;
};

static struct kept *
find_kept(struct rc_replay_messages *m, uint64_t id_hash)
{
    uint32_t n = m->bucket[id_hash % BUCKETS];

    while (n && m->v[n - 1].decoded.id_hash != id_hash) {
        n = m->v[n - 1].next;
    }
    return n ? &m->v[n - 1] : NULL;
}

/* The same message twice in the file is one: the queue gives some twice. */
static enum rc_err
keep_decoded(struct rc_replay_messages *m, const struct rc_replay_message *from, struct rc_error *e)
{
    struct rc_decoded d;

    if (rc_decode_message(from->body, from->len, &d) != RC_OK) {
        return rc_fail(e, RC_E_FULL, "%s:%u: no memory to decode it", from->file, from->line);
    }
    if (find_kept(m, d.id_hash)) {
        rc_decoded_done(&d);
        return RC_OK;
    }
    if (m->count == m->room) {
        m->room = m->room ? m->room * 2 : 256;
        m->v = realloc(m->v, m->room * sizeof *m->v);
        assert(m->v);
    }
    uint32_t *bucket = &m->bucket[d.id_hash % BUCKETS];
    m->v[m->count++] = (struct kept){.decoded = d, .next = *bucket};
    *bucket = m->count;
    return RC_OK;
}

enum rc_err
rc_replay_messages_read(const char *path, enum rc_replay_kind kind, struct rc_replay_messages **ret,
                        struct rc_error *e)
{
    struct rc_replay_messages *m = calloc(1, sizeof *m);
    struct rc_replay_source *source = NULL;
    struct rc_replay_message one;

    assert(m);
    enum rc_err err = rc_replay_source_open(path, kind, &source, e);
    while (err == RC_OK && (err = rc_replay_source_next(source, &one, e)) == RC_OK) {
        err = keep_decoded(m, &one, e);
    }
    rc_replay_source_free(source);
    if (err != RC_E_NOT_FOUND) {
        rc_replay_messages_free(m);
        return err;
    }
    *ret = m;
    return RC_OK;
}

void
rc_replay_messages_free(struct rc_replay_messages *m)
{
    if (m) {
        for (uint32_t i = 0; i < m->count; i++) {
            rc_decoded_done(&m->v[i].decoded);
        }
        free(m->v);
        free(m);
    }
}

static bool
is_same_line(const struct rc_event *a, const struct rc_event *b)
{
    char x[RC_RECORD_MAX], y[RC_RECORD_MAX];
    size_t x_len = rc_event_format(a, x, sizeof x), y_len = rc_event_format(b, y, sizeof y);

    return x_len == y_len && memcmp(x, y, x_len) == 0;
}

static bool
put_message(struct rc_replay_messages *m, struct rc_event *ev)
{
    struct rc_event then = *ev;
    struct kept *k = find_kept(m, ev->u.message.id_hash);

    m->now = NULL;
    if (!k) {
        m->only_in_journal++;
        return true;
    }
    k->is_used = true;
    m->now = &k->decoded;
    m->now_msg = ev->msg;
    m->now_part = 0;
    ev->u.message.parts = k->decoded.count;
    ev->u.message.verdict = k->decoded.verdict;
    ev->u.message.kind = k->decoded.kind;
    memcpy(ev->u.message.text, k->decoded.text, sizeof ev->u.message.text);
    return is_same_line(&then, ev);
}

bool
rc_replay_messages_put(struct rc_replay_messages *m, struct rc_event *ev)
{
    if (ev->kind == RC_EV_MESSAGE) {
        return put_message(m, ev);
    }
    if (!ev->msg || !m->now || ev->msg != m->now_msg) {
        return true;
    }
    if (m->now_part >= m->now->count) {
        return false;
    }
    struct rc_event then = *ev;
    *ev = m->now->events[m->now_part++];
    ev->at_ms = then.at_ms;
    ev->wall_ms = then.wall_ms;
    ev->msg = then.msg;
    return is_same_line(&then, ev);
}

void
rc_replay_messages_sum(const struct rc_replay_messages *m, struct rc_replay_result *ret)
{
    ret->messages = m->count;
    ret->not_in_path = m->only_in_journal;
    for (uint32_t i = 0; i < m->count; i++) {
        ret->decoded += m->v[i].is_used;
        ret->not_in_journal += !m->v[i].is_used;
    }
    if (ret->not_in_path || ret->not_in_journal) {
        snprintf(ret->not_compared, sizeof ret->not_compared,
                 "%" PRIu64 " messages stand on one side only",
                 ret->not_in_path + ret->not_in_journal);
    }
}
