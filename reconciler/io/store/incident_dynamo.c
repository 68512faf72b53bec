/* incident_dynamo.c - see incident_dynamo.h.
 *
 * Calls wait in a queue; after a moment as many as fit leave in one transaction, the
 * newest of several writes of one item only. A list waits for the transaction before it:
 * fence (PutItem), then every page of the one partition.
 *
 * Failure modes: a transaction that was answered by nobody may stand or not; the next one
 * learns it from the fence that makes its condition fail, and goes on from there. */
#define _GNU_SOURCE
#include "reconciler/io/store/incident_dynamo.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <event2/event.h>

#include "reconciler/io/aws/dynamodb.h"
#include "reconciler/io/store/dynamo_body.h"
#include "reconciler/io/store/incident_listing.h"
#include "reconciler/io/store/store_call.h"

enum {
    GATHER_MS = 20,
    BATCH_MAX = 99 /* a transaction has at most 100 actions, one is the fence's */
};

struct incident_dynamo {
    struct rc_incident_store base;
    struct rc_incident_dynamo_options o;
    char *table, *cluster;
    struct event *turn;
    struct rc_store_queue asked;   /* not sent */
    struct rc_store_queue sent;    /* in the transaction under way */
    struct rc_store_call *listing; /* the list under way */
    struct rc_incident_listing found;
    struct rc_aws_call *call;
    struct rc_dynamo_fence fence; /* as it is known to stand; epoch 0 = nobody listed here */
    struct rc_dynamo_body body;
    bool is_second; /* try of this transaction */
};

static void
go_on_soon(struct incident_dynamo *s, int after_ms)
{
    struct timeval tv = {.tv_usec = after_ms * 1000};

    if (!s->call && !evtimer_pending(s->turn, NULL)) {
        evtimer_add(s->turn, &tv);
    }
}

static void
answer_sent(struct incident_dynamo *s, enum rc_err code, const struct rc_error *err)
{
    struct rc_store_queue done = s->sent;

    rc_store_queue_init(&s->sent);
    for (struct rc_store_call *c = done.head, *next; c; c = next) {
        next = c->next;
        rc_store_answer(c, code, err);
    }
    go_on_soon(s, 0);
}

/* Several writes of one item: the last one says it all. */
static bool
is_overtaken(const struct rc_store_call *c)
{
    for (const struct rc_store_call *later = c->next; later; later = later->next) {
        if (strcmp(later->key, c->key) == 0) {
            return true;
        }
    }
    return false;
}

static void on_transacted(const struct rc_dynamodb_reply *reply, void *arg);
static void on_fenced(const struct rc_dynamodb_reply *reply, void *arg);
static void on_page(const struct rc_dynamodb_reply *reply, void *arg);

static enum rc_err
start_call(struct incident_dynamo *s, enum rc_aws_op op, rc_dynamodb_fn *fn, cJSON *body)
{
    struct rc_dynamodb_call call = {.op = op, .fn = fn, .arg = s};

    return rc_dynamodb_start(s->o.aws, &call, body, &s->call);
}

static enum rc_err
start_transaction(struct incident_dynamo *s)
{
    cJSON *body = rc_dynamo_body_transaction(&s->body, &s->fence);
    bool good = body != NULL;

    for (const struct rc_store_call *c = s->sent.head; good && c; c = c->next) {
        good = is_overtaken(c) || rc_dynamo_body_write(&s->body, body, c->key, c->text);
    }
    if (!good) {
        cJSON_Delete(body);
        return RC_E_FULL;
    }
    return start_call(s, RC_AWS_TRANSACT_WRITE, on_transacted, body);
}

/* --- the fence ------------------------------------------------------------------------------ */

/* Why the fence refused us. */
static enum rc_err
fence_refusal(const struct incident_dynamo *s, const cJSON *item, uint64_t epoch,
              struct rc_dynamo_fence *ret, struct rc_error *err)
{
    memset(ret, 0, sizeof *ret);
    if (!item || !item->child) {
        return rc_fail(err, RC_E_CONDITION, "the fence of table %s is gone", s->table);
    }
    enum rc_err e = rc_dynamo_fence_read(&s->body, item, ret, err);
    return e ? e
             : rc_fail(err, RC_E_CONDITION,
                       "epoch %" PRIu64 " is over: epoch %" PRIu64 " has written in table %s",
                       epoch, ret->epoch, s->table);
}

/* --- writing -----------------------------------------------------------------------------------
 */

static void
fail_sent(struct incident_dynamo *s, enum rc_err code, const char *text)
{
    struct rc_error err;

    rc_fail(&err, code, "%s", text);
    answer_sent(s, code, &err);
}

/* Reason i of a cancelled transaction, "" when there is none. */
static const cJSON *
reason_of(const cJSON *root, int i)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(root, "CancellationReasons"), i);
}

static const char *
reason_code(const cJSON *reason)
{
    const char *code = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(reason, "Code"));

    return code ? code : "";
}

/* The fence's condition failed: the transaction before, whose answer was lost, stands; or
 * another epoch does. */
static void
judge_cancelled(struct incident_dynamo *s, const cJSON *reason)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(reason, "Item");
    struct rc_dynamo_fence fence;
    struct rc_error err;
    enum rc_err e = fence_refusal(s, item, s->fence.epoch, &fence, &err);

    if (e == RC_E_CONDITION && fence.epoch == s->fence.epoch && fence.seq != s->fence.seq &&
        !s->is_second) {
        s->fence.seq = fence.seq;
        s->is_second = true;
        if (start_transaction(s) != RC_OK) {
            fail_sent(s, RC_E_FULL, "out of memory");
        }
        return;
    }
    answer_sent(s, e, &err);
}

static void
on_transacted(const struct rc_dynamodb_reply *reply, void *arg)
{
    struct incident_dynamo *s = arg;
    struct rc_error err = reply->error;

    s->call = NULL;
    if (err.code == RC_OK) {
        s->fence.seq++;
        answer_sent(s, RC_OK, &err);
        return;
    }
    if (strcmp(err.service_code, "TransactionCanceledException") == 0) {
        const cJSON *first = reason_of(reply->root, 0);
        if (strcmp(reason_code(first), "ConditionalCheckFailed") == 0) {
            judge_cancelled(s, first);
            return;
        }
        /* Of its items: busy or throttled; the caller asks again with back-off. */
        rc_fail(&err, RC_E_THROTTLED, "the transaction was cancelled: %.180s", reply->error.text);
    }
    answer_sent(s, err.code, &err);
}

static void
send_writes(struct incident_dynamo *s)
{
    uint64_t epoch = s->asked.head->epoch;
    unsigned count = 0;

    while (s->asked.head && s->asked.head->kind != RC_STORE_LIST && s->asked.head->epoch == epoch &&
           count++ < BATCH_MAX) {
        rc_store_push(&s->sent, rc_store_pop(&s->asked));
    }
    if (epoch != s->fence.epoch) {
        char text[120];
        snprintf(text, sizeof text,
                 "epoch %" PRIu64 " is not the one that listed here (%" PRIu64 ")", epoch,
                 s->fence.epoch);
        fail_sent(s, RC_E_CONDITION, text);
        return;
    }
    s->is_second = false;
    if (start_transaction(s) != RC_OK) {
        fail_sent(s, RC_E_FULL, "out of memory");
    }
}

/* --- listing ---------------------------------------------------------------------------------- */

static void
end_listing(struct incident_dynamo *s, enum rc_err code, const struct rc_error *err)
{
    struct rc_store_call *c = s->listing;

    s->listing = NULL;
    if (code != RC_OK) {
        rc_store_answer(c, code, err);
    } else {
        struct rc_store_items items = {s->found.incidents, s->found.incident_count,
                                       s->found.histories, s->found.history_count};
        rc_incident_listing_sort(&s->found);
        c->list_cb(c->arg, RC_OK, &items, err);
        free(c);
    }
    rc_incident_listing_free(&s->found);
    memset(&s->found, 0, sizeof s->found);
    go_on_soon(s, 0);
}

static void
page_or_end(struct incident_dynamo *s, const cJSON *from)
{
    struct rc_error err;
    enum rc_err e = start_call(s, RC_AWS_QUERY, on_page, rc_dynamo_body_page(&s->body, from));

    if (e) {
        rc_fail(&err, e, "out of memory");
        end_listing(s, e, &err);
    }
}

static void
on_fenced(const struct rc_dynamodb_reply *reply, void *arg)
{
    struct incident_dynamo *s = arg;
    struct rc_error err = reply->error;
    enum rc_err e = err.code;
    struct rc_dynamo_fence fence;

    s->call = NULL;
    if (e == RC_E_CONDITION) {
        e = fence_refusal(s, cJSON_GetObjectItemCaseSensitive(reply->root, "Item"),
                          s->listing->epoch, &fence, &err);
    }
    if (e) {
        end_listing(s, e, &err);
        return;
    }
    s->fence.epoch = s->listing->epoch;
    s->fence.seq = 1;
    page_or_end(s, NULL);
}

static enum rc_err
add_found(struct incident_dynamo *s, const cJSON *row, struct rc_error *err)
{
    struct rc_error why;
    struct rc_dynamo_fence fence;
    cJSON *plain = rc_dynamodb_plain(row);
    const char *sk = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(plain, "sk"));
    const char *item = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(plain, "item"));
    enum rc_err e = RC_OK;

    if (!sk) {
        e = rc_fail(&why, RC_E_PARSE, "expected a text under \"sk\"");
    } else if (strcmp(sk, RC_DYNAMO_FENCE) == 0) {
        e = rc_dynamo_fence_read(&s->body, row, &fence, &why);
    } else if (!item) {
        e = rc_fail(&why, RC_E_PARSE, "expected a text under \"item\"");
    } else {
        e = rc_incident_listing_add(&s->found, sk, item, strlen(item), &why);
    }
    if (e) {
        rc_fail(err, e, "%.80s in table %.60s: %.100s", sk ? sk : "an item", s->table, why.text);
    }
    cJSON_Delete(plain);
    return e;
}

static void
on_page(const struct rc_dynamodb_reply *reply, void *arg)
{
    struct incident_dynamo *s = arg;
    struct rc_error err = reply->error;
    enum rc_err e = err.code;
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(reply->root, "Items"), *row;
    const cJSON *more = cJSON_GetObjectItemCaseSensitive(reply->root, "LastEvaluatedKey");

    s->call = NULL;
    if (!e && !cJSON_IsArray(rows)) {
        e = rc_fail(&err, RC_E_PARSE, "the reply to Query has no list of items");
    }
    cJSON_ArrayForEach(row, rows)
    {
        if (e) {
            break;
        }
        e = add_found(s, row, &err);
    }
    if (!e && cJSON_IsObject(more) && more->child) {
        page_or_end(s, more);
        return;
    }
    if (!e && s->listing->epoch && s->found.epoch_max > s->listing->epoch) {
        e = rc_fail(&err, RC_E_CONDITION,
                    "an item in table %s is of epoch %" PRIu64 ", later than our epoch %" PRIu64,
                    s->table, s->found.epoch_max, s->listing->epoch);
    }
    end_listing(s, e, &err);
}

static void
start_listing(struct incident_dynamo *s)
{
    struct rc_error err;

    s->listing = rc_store_pop(&s->asked);
    s->found.cluster = s->cluster;
    enum rc_err e = s->listing->epoch
                        ? start_call(s, RC_AWS_PUT_ITEM, on_fenced,
                                     rc_dynamo_body_fence(&s->body, s->listing->epoch))
                        : start_call(s, RC_AWS_QUERY, on_page, rc_dynamo_body_page(&s->body, NULL));
    if (e) {
        rc_fail(&err, e, "out of memory");
        end_listing(s, e, &err);
    }
}

static void
on_dynamo_turn(evutil_socket_t fd, short what, void *arg)
{
    struct incident_dynamo *s = arg;

    (void)fd;
    (void)what;
    if (s->call || !s->asked.head) {
        return;
    }
    if (s->asked.head->kind == RC_STORE_LIST) {
        start_listing(s);
    } else {
        send_writes(s);
    }
}

/* --- calls
 * ---------------------------------------------------------------------------------------- */

static enum rc_err
ask_dynamo(struct incident_dynamo *s, const struct rc_store_call *from)
{
    enum rc_err e = rc_store_push_copy(&s->asked, from);

    if (!e) {
        go_on_soon(s, from->kind == RC_STORE_LIST ? 0 : GATHER_MS);
    }
    return e;
}

static enum rc_err
put_incident_dynamo(struct rc_incident_store *base, const struct rc_incident_item *item,
                    rc_store_fn *cb, void *arg)
{
    struct incident_dynamo *s = (struct incident_dynamo *)base;
    struct rc_store_call c;
    enum rc_err e = rc_store_call_put(s->cluster, item, cb, arg, &c);

    return e ? e : ask_dynamo(s, &c);
}

static enum rc_err
remove_incident_dynamo(struct rc_incident_store *base, uint32_t incident, uint64_t epoch,
                       rc_store_fn *cb, void *arg)
{
    struct rc_store_call c;
    enum rc_err e = rc_store_call_remove(incident, epoch, cb, arg, &c);

    return e ? e : ask_dynamo((struct incident_dynamo *)base, &c);
}

static enum rc_err
put_history_dynamo(struct rc_incident_store *base, const struct rc_history_item *item,
                   rc_store_fn *cb, void *arg)
{
    struct incident_dynamo *s = (struct incident_dynamo *)base;
    struct rc_store_call c;
    enum rc_err e = rc_store_call_history(s->cluster, item, cb, arg, &c);

    return e ? e : ask_dynamo(s, &c);
}

static enum rc_err
list_dynamo(struct rc_incident_store *base, uint64_t epoch, rc_store_list_fn *cb, void *arg)
{
    struct rc_store_call c;
    enum rc_err e = rc_store_call_list(epoch, cb, arg, &c);

    return e ? e : ask_dynamo((struct incident_dynamo *)base, &c);
}

static void
incident_dynamo_free(struct rc_incident_store *base)
{
    struct incident_dynamo *s = (struct incident_dynamo *)base;
    struct rc_error err;
    struct rc_store_call *c;

    rc_aws_cancel(s->call);
    rc_fail(&err, RC_E_CANCELLED, "the incident store is closed");
    if (s->listing) {
        rc_store_answer(s->listing, RC_E_CANCELLED, &err);
    }
    while ((c = rc_store_pop(&s->sent)) || (c = rc_store_pop(&s->asked))) {
        rc_store_answer(c, RC_E_CANCELLED, &err);
    }
    rc_incident_listing_free(&s->found);
    if (s->turn) {
        event_free(s->turn);
    }
    free(s->table);
    free(s->cluster);
    free(s);
}

enum rc_err
rc_incident_dynamo_new(const struct rc_incident_dynamo_options *options,
                       struct rc_incident_store **ret_store, struct rc_error *ret_err)
{
    static const struct rc_incident_store_ops ops = {put_incident_dynamo, remove_incident_dynamo,
                                                     put_history_dynamo, list_dynamo,
                                                     incident_dynamo_free};
    struct incident_dynamo *s = calloc(1, sizeof *s);

    if (!s) {
        return rc_fail(ret_err, RC_E_FULL, "out of memory");
    }
    s->base.ops = &ops;
    s->o = *options;
    rc_store_queue_init(&s->asked);
    rc_store_queue_init(&s->sent);
    s->table = strdup(options->table);
    s->cluster = strdup(options->cluster);
    s->body = (struct rc_dynamo_body){s->table, s->cluster};
    s->turn = evtimer_new(options->base, on_dynamo_turn, s);
    if (!s->table || !s->cluster || !s->turn) {
        incident_dynamo_free(&s->base);
        return rc_fail(ret_err, RC_E_FULL, "out of memory");
    }
    *ret_store = &s->base;
    return RC_OK;
}
