/* lease_dynamo.c - see lease_dynamo.h.
 *
 * acquire: GetItem -> judge -> PutItem. renew, yield: PutItem; when its condition fails the
 * item that stands there tells whether an earlier write of this object had gone through
 * (then once more from there) or somebody else has the lease. */
#define _GNU_SOURCE
#include "reconciler/io/store/lease_dynamo.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "reconciler/core/event.h"
#include "reconciler/io/aws/dynamodb.h"
#include "reconciler/io/store/lease_record.h"

enum { ATTEMPT_MIN_MS = 500, ATTEMPT_MAX_MS = 3000 };

enum lease_work { NO_WORK, ACQUIRE, RENEW, YIELD, OBSERVE };

struct lease_dynamo {
    struct rc_lease base;
    struct rc_lease_dynamo_options o;
    char *table, *cluster;
    char owner[RC_NODE_LEN];
    char holder[RC_LEASE_HOLDER_LEN];
    struct rc_lease_watch watch;
    bool is_mine;
    struct rc_lease_record mine; /* as it was written last */
    int64_t until_ms;

    enum lease_work work;
    struct rc_aws_call *call;
    struct rc_lease_record wanted; /* being written */
    bool is_second;                /* try of this write */
    int64_t put_asked_ms;          /* the safe side for until_ms */
    rc_lease_fn *cb;
    void *arg;
};

static int64_t
now(const struct lease_dynamo *l)
{
    return l->o.now_ms(l->o.now_arg);
}

/* --- answers ------------------------------------------------------------------------ */

static void
answer(struct lease_dynamo *l, enum rc_err code, const struct rc_error *err)
{
    struct rc_lease_info info;
    rc_lease_fn *cb = l->cb;

    rc_lease_watch_tell(&l->watch, l->is_mine, l->until_ms, l->o.grace_ms, &info);
    l->work = NO_WORK; /* the callback may make the next call */
    cb(l->arg, code, &info, err);
}

static void
answer_no_lease(struct lease_dynamo *l, const char *text)
{
    struct rc_error err;

    l->is_mine = false;
    rc_fail(&err, RC_E_NO_LEASE, "%s", text);
    answer(l, RC_E_NO_LEASE, &err);
}

/* --- the item ------------------------------------------------------------------------- */

/* RC_E_NOT_FOUND: there is none. Noted as seen either way. */
static enum rc_err
read_item(struct lease_dynamo *l, const cJSON *item, struct rc_lease_record *ret,
          struct rc_error *err)
{
    char what[320];

    if (!item || !item->child) {
        enum rc_err gone = rc_lease_watch_see(&l->watch, NULL, now(l), err);
        return gone ? gone : rc_fail(err, RC_E_NOT_FOUND, "no lease in table %s", l->table);
    }
    cJSON *plain = rc_dynamodb_plain(item);
    char *text = plain ? cJSON_PrintUnformatted(plain) : NULL;
    cJSON_Delete(plain);
    if (!text) {
        return rc_fail(err, RC_E_FULL, "out of memory");
    }
    snprintf(what, sizeof what, "lease item of table %.255s", l->table);
    enum rc_err e = rc_lease_record_parse(what, l->cluster, text, strlen(text), ret, err);
    cJSON_free(text);
    return e ? e : rc_lease_watch_see(&l->watch, ret, now(l), err);
}

static cJSON *
item_of(const struct lease_dynamo *l, const struct rc_lease_record *r)
{
    cJSON *item = cJSON_CreateObject();

    if (rc_dynamodb_add_text(item, "pk", "lease") &&
        rc_dynamodb_add_number(item, "version", RC_LEASE_VERSION) &&
        rc_dynamodb_add_text(item, "cluster", l->cluster) &&
        rc_dynamodb_add_text(item, "owner", r->owner) &&
        rc_dynamodb_add_text(item, "holder", r->holder) &&
        rc_dynamodb_add_number(item, "epoch", r->epoch) &&
        rc_dynamodb_add_number(item, "renewal", r->renewal) &&
        rc_dynamodb_add_number(item, "term_ms", (uint64_t)r->term_ms) &&
        rc_dynamodb_add_number(item, "since_ms", (uint64_t)r->since_wall_ms) &&
        rc_dynamodb_add_bool(item, "held", r->held)) {
        return item;
    }
    cJSON_Delete(item);
    return NULL;
}

/* from = what must still stand there; epoch 0 = nothing. */
static bool
add_condition(cJSON *body, const struct rc_lease_record *from)
{
    if (!from->epoch) {
        return cJSON_AddStringToObject(body, "ConditionExpression", "attribute_not_exists(pk)");
    }
    cJSON *names = cJSON_AddObjectToObject(body, "ExpressionAttributeNames");
    cJSON *values = cJSON_AddObjectToObject(body, "ExpressionAttributeValues");
    return names && values && cJSON_AddStringToObject(names, "#e", "epoch") &&
           cJSON_AddStringToObject(names, "#r", "renewal") &&
           rc_dynamodb_add_number(values, ":e", from->epoch) &&
           rc_dynamodb_add_number(values, ":r", from->renewal) &&
           cJSON_AddStringToObject(body, "ConditionExpression", "#e = :e AND #r = :r");
}

static void on_put(const struct rc_dynamodb_reply *reply, void *arg);

static struct rc_dynamodb_call
call_of(struct lease_dynamo *l, enum rc_aws_op op, rc_dynamodb_fn *fn)
{
    int64_t attempt_ms = l->o.term_ms / 6;

    attempt_ms = attempt_ms < ATTEMPT_MIN_MS ? ATTEMPT_MIN_MS : attempt_ms;
    attempt_ms = attempt_ms > ATTEMPT_MAX_MS ? ATTEMPT_MAX_MS : attempt_ms;
    /* Renewed at a third of the term: an answer after the next third helps nobody. */
    return (struct rc_dynamodb_call){.op = op,
                                     .attempt_ms = attempt_ms,
                                     .deadline_ms = l->o.term_ms / 3 + ATTEMPT_MIN_MS,
                                     .fn = fn,
                                     .arg = l};
}

static enum rc_err
start_put(struct lease_dynamo *l, const struct rc_lease_record *from)
{
    struct rc_dynamodb_call call = call_of(l, RC_AWS_PUT_ITEM, on_put);
    cJSON *body = cJSON_CreateObject();
    cJSON *item = item_of(l, &l->wanted);
    bool good = cJSON_AddStringToObject(body, "TableName", l->table) && add_condition(body, from) &&
                cJSON_AddStringToObject(body, "ReturnValuesOnConditionCheckFailure", "ALL_OLD");

    if (!item || !good || !cJSON_AddItemToObject(body, "Item", item)) {
        cJSON_Delete(item);
        cJSON_Delete(body);
        return RC_E_FULL;
    }
    l->put_asked_ms = now(l);
    return rc_dynamodb_start(l->o.aws, &call, body, &l->call);
}

static void
put_or_answer(struct lease_dynamo *l, const struct rc_lease_record *from)
{
    struct rc_error err;

    if (start_put(l, from) != RC_OK) {
        rc_fail(&err, RC_E_FULL, "out of memory");
        answer(l, RC_E_FULL, &err);
    }
}

static void
written(struct lease_dynamo *l)
{
    struct rc_error err = {RC_OK, "", ""};

    l->mine = l->wanted;
    l->is_mine = l->wanted.held;
    l->until_ms = l->put_asked_ms + l->wanted.term_ms;
    (void)!rc_lease_watch_see(&l->watch, &l->wanted, now(l), &err); /* newer than what was read */
    memset(&err, 0, sizeof err);
    answer(l, RC_OK, &err);
}

/* What stands there was written by this object in this epoch. */
static bool
is_own_write(const struct lease_dynamo *l, const struct rc_lease_record *r)
{
    return r->epoch == l->wanted.epoch && strcmp(r->owner, l->owner) == 0 &&
           strcmp(r->holder, l->holder) == 0 && r->since_wall_ms == l->wanted.since_wall_ms;
}

/* The condition failed: an earlier write of ours was there, or somebody else. */
static void
judge_failed_put(struct lease_dynamo *l, const struct rc_dynamodb_reply *reply)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(reply->root, "Item");
    struct rc_lease_record r;
    struct rc_error err;
    enum rc_err e = read_item(l, item, &r, &err);

    if (!e && is_own_write(l, &r)) {
        if (r.renewal == l->wanted.renewal && r.held == l->wanted.held) {
            written(l);
            return;
        }
        if (!l->is_second && r.held) {
            l->is_second = true;
            l->wanted.renewal = rc_lease_next_renewal(r.renewal);
            put_or_answer(l, &r);
            return;
        }
    }
    if (l->work != ACQUIRE && (!e || e == RC_E_NOT_FOUND)) {
        answer_no_lease(l, e ? "the lease is gone from its table" : "the lease was taken");
        return;
    }
    l->is_mine = false;
    if (!e) {
        e = rc_fail(&err, RC_E_CONDITION, "the lease was taken by %s", r.owner);
    }
    answer(l, e, &err);
}

static void
on_put(const struct rc_dynamodb_reply *reply, void *arg)
{
    struct lease_dynamo *l = arg;

    l->call = NULL;
    if (reply->error.code == RC_E_CONDITION) {
        judge_failed_put(l, reply);
    } else if (reply->error.code != RC_OK) {
        answer(l, reply->error.code, &reply->error);
    } else {
        written(l);
    }
}

/* --- acquire, observe ------------------------------------------------------------------ */

static void
acquire_over(struct lease_dynamo *l, const struct rc_lease_record *r)
{
    bool is_former = rc_lease_record_is_of(r, l->owner, l->holder);
    struct rc_error err;

    if (r->held && !is_former && now(l) < rc_lease_watch_takeable_at_ms(&l->watch, l->o.grace_ms)) {
        l->is_mine = false;
        rc_fail(&err, RC_E_CONDITION, "the lease is held by %s", r->owner);
        answer(l, RC_E_CONDITION, &err);
        return;
    }
    l->wanted = *r;
    enum rc_err e = rc_lease_record_take(&l->wanted, l->owner, l->holder, l->o.term_ms, &err);
    if (e) {
        l->is_mine = false;
        answer(l, e, &err);
        return;
    }
    put_or_answer(l, r);
}

static void
on_got(const struct rc_dynamodb_reply *reply, void *arg)
{
    struct lease_dynamo *l = arg;
    struct rc_error err = reply->error;
    struct rc_lease_record r;

    l->call = NULL;
    memset(&r, 0, sizeof r);
    enum rc_err e =
        err.code != RC_OK
            ? err.code
            : read_item(l, cJSON_GetObjectItemCaseSensitive(reply->root, "Item"), &r, &err);
    if (l->work == RENEW || l->work == YIELD) {
        answer_no_lease(l, "the lease is not held, or ran out before this call");
    } else if (l->work == OBSERVE) {
        if (e == RC_E_NOT_FOUND ||
            (!e && (!rc_lease_record_stands(&l->mine, &r) || now(l) >= l->until_ms))) {
            l->is_mine = false; /* a write whose answer was lost, or somebody else's */
        }
        answer(l, e, &err);
    } else if (e && e != RC_E_NOT_FOUND) {
        l->is_mine = false;
        answer(l, e, &err);
    } else {
        acquire_over(l, &r);
    }
}

static enum rc_err
start_get(struct lease_dynamo *l)
{
    struct rc_dynamodb_call call = call_of(l, RC_AWS_GET_ITEM, on_got);
    cJSON *body = cJSON_CreateObject();
    cJSON *key = cJSON_AddObjectToObject(body, "Key");

    if (!key || !rc_dynamodb_add_text(key, "pk", "lease") ||
        !cJSON_AddStringToObject(body, "TableName", l->table) ||
        !cJSON_AddTrueToObject(body, "ConsistentRead")) {
        cJSON_Delete(body);
        return RC_E_FULL;
    }
    return rc_dynamodb_start(l->o.aws, &call, body, &l->call);
}

/* --- calls --------------------------------------------------------------------------------- */

static bool
take_call(struct lease_dynamo *l, enum lease_work work, rc_lease_fn *cb, void *arg)
{
    if (l->work != NO_WORK) {
        return false;
    }
    l->work = work;
    l->cb = cb;
    l->arg = arg;
    l->is_second = false;
    return true;
}

static enum rc_err
end_start(struct lease_dynamo *l, enum rc_err err)
{
    if (err != RC_OK) {
        l->work = NO_WORK;
    }
    return err;
}

static enum rc_err
acquire_lease(struct rc_lease *base, rc_lease_fn *cb, void *arg)
{
    struct lease_dynamo *l = (struct lease_dynamo *)base;

    return take_call(l, ACQUIRE, cb, arg) ? end_start(l, start_get(l)) : RC_E_STATE;
}

static enum rc_err
observe_lease(struct rc_lease *base, rc_lease_fn *cb, void *arg)
{
    struct lease_dynamo *l = (struct lease_dynamo *)base;

    return take_call(l, OBSERVE, cb, arg) ? end_start(l, start_get(l)) : RC_E_STATE;
}

static enum rc_err
change_mine(struct rc_lease *base, enum lease_work work, rc_lease_fn *cb, void *arg)
{
    struct lease_dynamo *l = (struct lease_dynamo *)base;

    if (!take_call(l, work, cb, arg)) {
        return RC_E_STATE;
    }
    if (!l->is_mine || now(l) >= l->until_ms) {
        l->is_mine = false;
        return end_start(l, start_get(l)); /* the answer names who holds it */
    }
    l->wanted = l->mine;
    l->wanted.renewal = rc_lease_next_renewal(l->wanted.renewal);
    l->wanted.term_ms = l->o.term_ms;
    l->wanted.held = work == RENEW;
    return end_start(l, start_put(l, &l->mine));
}

static enum rc_err
renew_lease(struct rc_lease *base, rc_lease_fn *cb, void *arg)
{
    return change_mine(base, RENEW, cb, arg);
}

static enum rc_err
yield_lease(struct rc_lease *base, rc_lease_fn *cb, void *arg)
{
    return change_mine(base, YIELD, cb, arg);
}

static void
lease_dynamo_free(struct rc_lease *base)
{
    struct lease_dynamo *l = (struct lease_dynamo *)base;
    struct rc_error err;

    if (l->work != NO_WORK) {
        rc_aws_cancel(l->call);
        rc_fail(&err, RC_E_CANCELLED, "the lease is closed");
        answer(l, RC_E_CANCELLED, &err);
    }
    free(l->table);
    free(l->cluster);
    free(l);
}

enum rc_err
rc_lease_dynamo_new(const struct rc_lease_dynamo_options *options, struct rc_lease **ret_lease,
                    struct rc_error *ret_err)
{
    static const struct rc_lease_ops ops = {acquire_lease, renew_lease, yield_lease, observe_lease,
                                            lease_dynamo_free};
    enum rc_err e = rc_lease_options_check(options->term_ms, options->grace_ms, options->owner,
                                           options->holder, ret_err);
    struct lease_dynamo *l = e ? NULL : calloc(1, sizeof *l);

    if (!l) {
        return e ? e : rc_fail(ret_err, RC_E_FULL, "out of memory");
    }
    l->base.ops = &ops;
    l->o = *options;
    if (!l->o.now_ms) {
        l->o.now_ms = rc_lease_boot_ms;
    }
    l->table = strdup(options->table);
    l->cluster = strdup(options->cluster);
    rc_text_set(l->owner, sizeof l->owner, options->owner);
    rc_text_set(l->holder, sizeof l->holder, options->holder ? options->holder : "");
    if (!l->table || !l->cluster) {
        lease_dynamo_free(&l->base);
        return rc_fail(ret_err, RC_E_FULL, "out of memory");
    }
    *ret_lease = &l->base;
    return RC_OK;
}
