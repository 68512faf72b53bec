/* intake.c - see intake.h. */
#define _GNU_SOURCE
#include "reconciler/io/daemon/intake.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/decode/decode.h"
#include "policies/rules.h"
#include "reconciler/io/daemon/report.h"

enum { POLLS_MAX = 8, FAILURE_PAUSE_MS = 2000, EXTEND_EVERY_MS = 5000 };

struct poll {
    struct rc_intake *in;
    struct rc_aws_call *call;
    struct event *pause; /* after a failure */
};

struct delete_batch {
    struct rc_intake *in;
    uint32_t count;
    uint64_t msg[RC_SQS_BATCH_MAX];
};

struct rc_intake {
    struct rc_daemon *d;
    struct rc_held_message *held; /* ring by message number, as many as the core remembers */
    uint32_t room;
    uint32_t held_count;
    uint64_t next_msg;
    bool running;
    struct poll poll[POLLS_MAX];
    uint32_t polls;
    struct delete_batch *batch; /* being filled */
    struct event *extend_event;
    struct rc_intake_stats stats;
    bool told_failure;
};

static void receive(struct poll *p);

static struct rc_held_message *
held_slot(const struct rc_intake *in, uint64_t msg)
{
    assert(in->room > 0);
    return &in->held[msg % in->room];
}

static void
let_go(struct rc_intake *in, struct rc_held_message *h)
{
    if (!h->msg) {
        return;
    }
    free(h->receipt);
    free(h->body);
    memset(h, 0, sizeof *h);
    in->held_count--;
}

const struct rc_held_message *
rc_intake_held(const struct rc_intake *in, uint64_t msg)
{
    const struct rc_held_message *h = held_slot(in, msg);

    return msg && h->msg == msg ? h : NULL;
}

/* Posts the message and its parts under the next number. */
static uint64_t
post_message(struct rc_intake *in, const struct rc_decoded *dec, const struct rc_sqs_message *m)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_MESSAGE);
    ev.msg = in->next_msg++;
    ev.u.message.id_hash = dec->id_hash;
    ev.u.message.sent_ms = m ? m->sent_ms : 0;
    ev.u.message.receives = m ? m->receives : 0;
    ev.u.message.parts = dec->count;
    ev.u.message.verdict = dec->verdict;
    ev.u.message.kind = dec->kind;
    memcpy(ev.u.message.text, dec->text, sizeof ev.u.message.text);
    rc_daemon_post(in->d, &ev);
    for (uint32_t i = 0; i < dec->count; i++) {
        dec->events[i].msg = ev.msg;
        rc_daemon_post(in->d, &dec->events[i]);
    }
    return ev.msg;
}

static void
hold_message(struct rc_intake *in, uint64_t msg, const struct rc_sqs_message *m,
             const struct rc_decoded *dec)
{
    struct rc_held_message *h = held_slot(in, msg);

    let_go(in, h);
    h->msg = msg;
    h->receipt = strdup(m->receipt);
    h->received_ms = rc_daemon_now_ms(in->d);
    snprintf(h->id, sizeof h->id, "%s", m->id);
    snprintf(h->reason, sizeof h->reason, "%s", dec->text);
    if (dec->verdict == RC_VERDICT_QUARANTINED) {
        h->body = malloc(m->body_len + 1);
        if (h->body) {
            memcpy(h->body, m->body, m->body_len);
            h->body_len = m->body_len;
        }
    }
    in->held_count++;
}

static void
take_message(struct rc_intake *in, const struct rc_sqs_message *m)
{
    struct rc_decoded dec;

    in->stats.received++;
    if (rc_decode_message(m->body, m->body_len, &dec) != RC_OK) {
        return; /* no memory: it stays in the queue and comes again */
    }
    uint64_t msg = post_message(in, &dec, m);
    hold_message(in, msg, m, &dec);
    rc_decoded_done(&dec);
}

static void
on_received(const struct rc_sqs_received *r, void *arg)
{
    struct poll *p = arg;
    struct rc_intake *in = p->in;
    struct timeval pause = {.tv_sec = FAILURE_PAUSE_MS / 1000};

    p->call = NULL;
    if (r->error.code != RC_OK) {
        in->stats.receive_failures++;
        snprintf(in->d->queue_error, sizeof in->d->queue_error, "%s", r->error.text);
        if (!in->told_failure) {
            rc_log_failure(in->d->log, "sqs", &r->error, NULL);
        }
        in->told_failure = true;
        event_add(p->pause, &pause);
        return;
    }
    in->told_failure = false;
    in->d->queue_error[0] = '\0';
    in->d->queue_wall_ms = rc_wall_ms();
    for (uint32_t i = 0; i < r->count; i++) {
        take_message(in, &r->messages[i]);
    }
    receive(p);
}

static void
on_pause_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    receive(arg);
}

/* No more than half of what the core remembers may be held: then the queue keeps the rest. */
static void
receive(struct poll *p)
{
    struct rc_intake *in = p->in;
    const struct rc_config_queue *q = &in->d->config.queue;
    struct rc_sqs_receive_options options = {
        .max = RC_SQS_BATCH_MAX,
        .wait_s = (uint32_t)(q->wait_ms / 1000),
        .visibility_s = (uint32_t)(q->visibility_ms / 1000),
    };
    struct timeval pause = {.tv_sec = FAILURE_PAUSE_MS / 1000};

    if (!in->running || p->call || event_pending(p->pause, EV_TIMEOUT, NULL)) {
        return;
    }
    if (in->held_count > in->room / 2 || in->d->journal_stuck ||
        rc_sqs_receive(in->d->aws, q->url, &options, on_received, p, &p->call) != RC_OK) {
        p->call = NULL;
        event_add(p->pause, &pause);
    }
}

void
rc_intake_follow(struct rc_intake *in)
{
    bool leads = rc_leads(in->d->state) && in->d->state->lease_until_ms > rc_daemon_now_ms(in->d);

    if (leads && !in->running && !in->d->stopping) {
        in->running = true;
        for (uint32_t i = 0; i < in->polls; i++) {
            receive(&in->poll[i]);
        }
    } else if (!leads && in->running) {
        rc_intake_stop(in);
    }
}

void
rc_intake_stop(struct rc_intake *in)
{
    in->running = false;
    for (uint32_t i = 0; i < in->polls; i++) {
        event_del(in->poll[i].pause);
        if (in->poll[i].call) {
            rc_aws_cancel(in->poll[i].call);
            in->poll[i].call = NULL;
        }
    }
}

static void
on_deleted(const struct rc_sqs_batch *result, void *arg)
{
    struct delete_batch *b = arg;
    struct rc_intake *in = b->in;

    for (uint32_t i = 0; i < b->count; i++) {
        struct rc_held_message *h = held_slot(in, b->msg[i]);
        enum rc_err err = result->error.code ? result->error.code : result->entry[i].code;
        if (h->msg != b->msg[i]) {
            continue;
        }
        if (err == RC_OK || rc_err_retry(err) == RC_RETRY_NEVER) {
            in->stats.deleted += err == RC_OK;
            let_go(in, h); /* a refused receipt is stale: the queue gives the message again */
        } else {
            in->stats.delete_failures++;
            h->deleting = false; /* the extension timer tries again */
        }
    }
    free(b);
}

void
rc_intake_flush(struct rc_intake *in)
{
    struct delete_batch *b = in->batch;
    struct rc_sqs_entry entries[RC_SQS_BATCH_MAX] = {{0}};

    if (!b) {
        return;
    }
    in->batch = NULL;
    for (uint32_t i = 0; i < b->count; i++) {
        entries[i].receipt = held_slot(in, b->msg[i])->receipt;
    }
    if (rc_sqs_delete_batch(in->d->aws, in->d->config.queue.url, entries, b->count, on_deleted,
                            b) != RC_OK) {
        for (uint32_t i = 0; i < b->count; i++) {
            held_slot(in, b->msg[i])->deleting = false;
        }
        free(b);
    }
}

static void
add_to_batch(struct rc_intake *in, struct rc_held_message *h)
{
    if (!in->batch) {
        in->batch = calloc(1, sizeof *in->batch);
        if (!in->batch) {
            return;
        }
        in->batch->in = in;
    }
    h->deleting = true;
    in->batch->msg[in->batch->count++] = h->msg;
    if (in->batch->count == RC_SQS_BATCH_MAX) {
        rc_intake_flush(in);
    }
}

void
rc_intake_delete(struct rc_intake *in, uint64_t msg)
{
    struct rc_held_message *h = held_slot(in, msg);

    if (h->msg != msg || !h->receipt) {
        return; /* of an earlier life, or a replay: nothing is held for it */
    }
    h->received_ms = 0; /* released by the core: only the delete is missing */
    add_to_batch(in, h);
}

void
rc_intake_let_go(struct rc_intake *in, uint64_t msg)
{
    struct rc_held_message *h = held_slot(in, msg);

    if (h->msg == msg && !h->deleting) {
        let_go(in, h);
    }
}

struct extension {
    struct rc_sqs_entry entry[RC_SQS_BATCH_MAX];
    uint32_t count;
};

static void
on_extended(const struct rc_sqs_batch *result, void *arg)
{
    struct rc_intake *in = arg;

    if (result->error.code != RC_OK) {
        rc_log_failure(in->d->log, "sqs", &result->error, NULL);
    }
}

static void
extend_batch(struct rc_intake *in, struct extension *x)
{
    if (x->count) {
        (void)!rc_sqs_change_visibility(in->d->aws, in->d->config.queue.url, x->entry, x->count,
                                        on_extended, in);
    }
    x->count = 0;
}

/* Messages whose incident is not saved yet are kept invisible; deletes that failed go again. */
static void
on_extend(evutil_socket_t fd, short what, void *arg)
{
    struct rc_intake *in = arg;
    struct extension x = {.count = 0};
    int64_t now_ms = rc_daemon_now_ms(in->d), half_ms = in->d->config.queue.visibility_ms / 2;

    (void)fd;
    (void)what;
    for (uint32_t i = 0; in->running && in->held_count && i < in->room; i++) {
        struct rc_held_message *h = &in->held[i];
        if (!h->msg || h->deleting) {
            continue;
        }
        if (!h->received_ms) {
            add_to_batch(in, h);
        } else if (now_ms - h->received_ms > half_ms) {
            h->received_ms = now_ms;
            x.entry[x.count].receipt = h->receipt;
            x.entry[x.count++].visibility_s = (uint32_t)(in->d->config.queue.visibility_ms / 1000);
            if (x.count == RC_SQS_BATCH_MAX) {
                extend_batch(in, &x);
            }
        }
    }
    extend_batch(in, &x);
    rc_intake_flush(in);
}

enum rc_err
rc_intake_replay(struct rc_intake *in, const char *body, size_t len, struct rc_error *e)
{
    struct rc_decoded dec;

    if (rc_decode_message(body, len, &dec) != RC_OK) {
        return rc_fail(e, RC_E_FULL, "no memory to read the message");
    }
    if (dec.verdict == RC_VERDICT_QUARANTINED) {
        rc_fail(e, RC_E_PARSE, "still unreadable: %s", dec.text);
        rc_decoded_done(&dec);
        return RC_E_PARSE;
    }
    post_message(in, &dec, NULL);
    rc_decoded_done(&dec);
    return RC_OK;
}

void
rc_intake_stats(const struct rc_intake *in, struct rc_intake_stats *ret)
{
    *ret = in->stats;
    ret->held = in->held_count;
}

struct rc_intake *
rc_intake_new(struct rc_daemon *d)
{
    struct rc_intake *in = calloc(1, sizeof *in);
    struct timeval every = {.tv_sec = EXTEND_EVERY_MS / 1000};

    if (!in) {
        return NULL;
    }
    in->d = d;
    in->room = d->state->limits.messages;
    in->held = calloc(in->room, sizeof *in->held);
    in->next_msg = d->state->message_last + 1;
    in->polls = d->config.queue.receives < POLLS_MAX ? d->config.queue.receives : POLLS_MAX;
    for (uint32_t i = 0; i < in->polls; i++) {
        in->poll[i].in = in;
        in->poll[i].pause = event_new(d->base, -1, 0, on_pause_over, &in->poll[i]);
    }
    in->extend_event = event_new(d->base, -1, EV_PERSIST, on_extend, in);
    if (!in->held || !in->extend_event || event_add(in->extend_event, &every) != 0) {
        rc_intake_free(in);
        return NULL;
    }
    return in;
}

void
rc_intake_free(struct rc_intake *in)
{
    if (!in) {
        return;
    }
    for (uint32_t i = 0; i < in->polls; i++) {
        if (in->poll[i].pause) {
            event_free(in->poll[i].pause);
        }
    }
    for (uint32_t i = 0; in->held && i < in->room; i++) {
        let_go(in, &in->held[i]);
    }
    if (in->extend_event) {
        event_free(in->extend_event);
    }
    free(in->batch);
    free(in->held);
    free(in);
}
