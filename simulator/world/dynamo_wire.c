/* dynamo_wire.c - DynamoDB in its JSON 1.0 protocol: single items, Query and Scan.
 *
 * Error shapes: "__type" with the namespace of the service, or of its front end for what is
 * refused before a table is looked at; a failed condition brings the item when it was asked for. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/world/dynamo_call.h"
#include "simulator/world/wire.h"
#include "simulator/world/world_http.h"

static cJSON *
error_json(struct rc_call *call, const char *code, const char *text)
{
    static const char *const front[] = {"ValidationException", "SerializationException",
                                        "UnknownOperationException"};
    const char *space = "com.amazonaws.dynamodb.v20120810";
    cJSON *json = cJSON_CreateObject();
    char type[160];

    for (unsigned i = 0; i < sizeof(front) / sizeof(front[0]); i++)
        if (strcmp(code, front[i]) == 0)
            space = "com.amazon.coral.service";
    (void)snprintf(type, sizeof(type), "%s#%s", space, code);
    (void)cJSON_AddStringToObject(json, "__type", type);
    (void)cJSON_AddStringToObject(json, "message", text);
    (void)rc_text_set(call->log.code, sizeof(call->log.code), code);
    return json;
}

void
rc_dynamo_error(struct rc_call *call, const char *code, const char *text)
{
    rc_call_answer_json(call, 400, error_json(call, code, text));
}

const char *
rc_dynamo_text(const cJSON *in, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(in, name));

    return text != NULL ? text : "";
}

struct rc_dynamo *
rc_dynamo_of(struct rc_call *call)
{
    return rc_world_http_dynamo(call->endpoint);
}

struct rc_dynamo_table *
rc_dynamo_table_of(struct rc_call *call, const cJSON *in)
{
    struct rc_dynamo_table *t =
        rc_dynamo_table(rc_dynamo_of(call), rc_dynamo_text(in, "TableName"));

    if (t == NULL)
        rc_dynamo_error(call, "ResourceNotFoundException", "Requested resource not found");
    return t;
}

/* --- writes ------------------------------------------------------------------------------ */

static struct rc_dynamo_words
words_of(const cJSON *in)
{
    return (struct rc_dynamo_words){
        .names = cJSON_GetObjectItemCaseSensitive(in, "ExpressionAttributeNames"),
        .values = cJSON_GetObjectItemCaseSensitive(in, "ExpressionAttributeValues")};
}

static bool
write_refused(struct rc_dynamo_write *w, const char *code, const char *error)
{
    w->code = code;
    w->error = error;
    return false;
}

/* The update on a copy: what cannot be read is refused before anything is changed. */
static cJSON *
updated_item(const struct rc_dynamo_write *w, const char **ret_why)
{
    struct rc_dynamo_words words = words_of(w->in);
    cJSON *item = cJSON_Duplicate(
        w->old != NULL ? w->old : cJSON_GetObjectItemCaseSensitive(w->in, "Key"), true);

    if (item != NULL &&
        !rc_dynamo_update(rc_dynamo_text(w->in, "UpdateExpression"), &words, item, ret_why)) {
        cJSON_Delete(item);
        return NULL;
    }
    return item;
}

static bool
write_form_is_good(struct rc_dynamo_write *w)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(w->in, "Item");
    const char *why = "";
    cJSON *updated;

    if (strcmp(w->kind, "Put") == 0 && rc_dynamo_size(item) > RC_DYNAMO_ITEM_MAX)
        return write_refused(w, "ValidationException",
                             "Item size has exceeded the maximum allowed size");
    if (strcmp(w->kind, "Update") != 0)
        return true;
    updated = updated_item(w, &why);
    cJSON_Delete(updated);
    return updated != NULL || write_refused(w, "ValidationException", why);
}

bool
rc_dynamo_write_check(struct rc_dynamo *d, struct rc_dynamo_write *w)
{
    const char *condition = rc_dynamo_text(w->in, "ConditionExpression");
    struct rc_dynamo_words words = words_of(w->in);
    const char *member = strcmp(w->kind, "Put") == 0 ? "Item" : "Key";
    const char *why;

    w->code = w->error = NULL;
    w->old = NULL;
    w->table = rc_dynamo_table(d, rc_dynamo_text(w->in, "TableName"));
    if (w->table == NULL)
        return write_refused(w, "ResourceNotFoundException", "Requested resource not found");
    if (!rc_dynamo_key(w->table, cJSON_GetObjectItemCaseSensitive(w->in, member), &w->pk, &w->sk,
                       &why))
        return write_refused(w, "ValidationException",
                             "One or more parameter values were invalid: a key is missing, empty "
                             "or of another type");
    w->old = rc_dynamo_get(w->table, w->pk, w->sk);
    if (*condition != '\0') {
        enum rc_dynamo_verdict verdict = rc_dynamo_holds(condition, &words, w->old, &why);

        if (verdict == RC_DYNAMO_BAD)
            return write_refused(w, "ValidationException", why);
        if (verdict == RC_DYNAMO_FALSE)
            return write_refused(w, "ConditionalCheckFailedException",
                                 "The conditional request failed");
    } else if (strcmp(w->kind, "ConditionCheck") == 0) {
        return write_refused(w, "ValidationException", "ConditionCheck needs a condition");
    }
    return write_form_is_good(w);
}

void
rc_dynamo_write_do(const struct rc_dynamo_write *w)
{
    const char *why;

    if (strcmp(w->kind, "Put") == 0)
        (void)rc_dynamo_put(w->table,
                            cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(w->in, "Item"), true));
    else if (strcmp(w->kind, "Update") == 0)
        (void)rc_dynamo_put(w->table, updated_item(w, &why));
    else if (strcmp(w->kind, "Delete") == 0)
        rc_dynamo_delete(w->table, w->pk, w->sk);
}

bool
rc_dynamo_wants_old(const struct rc_dynamo_write *w)
{
    return w->old != NULL &&
           strcmp(rc_dynamo_text(w->in, "ReturnValuesOnConditionCheckFailure"), "ALL_OLD") == 0;
}

static void
dynamo_write(struct rc_call *call, const cJSON *in, const char *kind)
{
    struct rc_dynamo_write w = {.in = in, .kind = kind};
    const char *values = rc_dynamo_text(in, "ReturnValues");
    cJSON *out;

    if (!rc_dynamo_write_check(rc_dynamo_of(call), &w)) {
        out = error_json(call, w.code, w.error);
        if (strcmp(w.code, "ConditionalCheckFailedException") == 0 && rc_dynamo_wants_old(&w))
            (void)cJSON_AddItemToObject(out, "Item", cJSON_Duplicate(w.old, true));
        rc_call_answer_json(call, 400, out);
        return;
    }
    out = cJSON_CreateObject();
    if (strcmp(values, "ALL_OLD") == 0 && w.old != NULL)
        (void)cJSON_AddItemToObject(out, "Attributes", cJSON_Duplicate(w.old, true));
    rc_dynamo_write_do(&w);
    if (strcmp(values, "ALL_NEW") == 0)
        (void)cJSON_AddItemToObject(out, "Attributes",
                                    cJSON_Duplicate(rc_dynamo_get(w.table, w.pk, w.sk), true));
    rc_call_answer_json(call, 200, out);
}

static void
dynamo_put_item(struct rc_call *call, const cJSON *in)
{
    dynamo_write(call, in, "Put");
}

static void
dynamo_update_item(struct rc_call *call, const cJSON *in)
{
    dynamo_write(call, in, "Update");
}

static void
dynamo_delete_item(struct rc_call *call, const cJSON *in)
{
    dynamo_write(call, in, "Delete");
}

/* --- reads --------------------------------------------------------------------------------- */

static void
dynamo_get_item(struct rc_call *call, const cJSON *in)
{
    struct rc_dynamo_table *t = rc_dynamo_table_of(call, in);
    const char *pk;
    const char *sk;
    const char *which;
    const cJSON *item;
    cJSON *out;

    if (t == NULL)
        return;
    if (!rc_dynamo_key(t, cJSON_GetObjectItemCaseSensitive(in, "Key"), &pk, &sk, &which)) {
        rc_dynamo_error(call, "ValidationException",
                        "The provided key element does not match the schema");
        return;
    }
    item = rc_dynamo_get(t, pk, sk);
    out = cJSON_CreateObject();
    if (item != NULL)
        (void)cJSON_AddItemToObject(out, "Item", cJSON_Duplicate(item, true));
    rc_call_answer_json(call, 200, out);
}

static cJSON *
key_json(const struct rc_dynamo_table *t, const struct rc_dynamo_row *row)
{
    cJSON *key = cJSON_CreateObject();

    (void)cJSON_AddStringToObject(cJSON_AddObjectToObject(key, t->hash), "S", row->pk);
    if (t->range[0] != '\0')
        (void)cJSON_AddStringToObject(cJSON_AddObjectToObject(key, t->range), "S", row->sk);
    return key;
}

/* The first row behind the start key, if there is one; false: the key is wrong. */
static bool
first_row(struct rc_call *call, const struct rc_dynamo_table *t, const cJSON *in, uint32_t *ret)
{
    const cJSON *start = cJSON_GetObjectItemCaseSensitive(in, "ExclusiveStartKey");
    const char *pk;
    const char *sk;
    const char *which;
    bool found;

    *ret = 0;
    if (start == NULL)
        return true;
    if (!rc_dynamo_key(t, start, &pk, &sk, &which)) {
        rc_dynamo_error(call, "ValidationException", "The provided starting key is invalid");
        return false;
    }
    *ret = rc_dynamo_find(t, pk, sk, &found);
    *ret += found ? 1 : 0;
    return true;
}

/* Rows for which the expression holds, up to a page; false: it cannot be read. */
static bool
add_page_rows(struct rc_call *call, const struct rc_dynamo_table *t, const cJSON *in,
              const char *expression, cJSON *out)
{
    const cJSON *limit = cJSON_GetObjectItemCaseSensitive(in, "Limit");
    double most = cJSON_IsNumber(limit) ? limit->valuedouble : 1e9;
    struct rc_dynamo_words words = words_of(in);
    cJSON *list = cJSON_AddArrayToObject(out, "Items");
    const char *why = NULL;
    size_t bytes = 0;
    uint32_t at;
    uint32_t count = 0;

    if (!first_row(call, t, in, &at))
        return false;
    for (; at < t->count; at++) {
        enum rc_dynamo_verdict verdict =
            *expression != '\0' ? rc_dynamo_holds(expression, &words, t->row[at].item, &why)
                                : RC_DYNAMO_TRUE;

        if (verdict == RC_DYNAMO_BAD) {
            rc_dynamo_error(call, "ValidationException", why);
            return false;
        }
        if (verdict == RC_DYNAMO_FALSE)
            continue;
        (void)cJSON_AddItemToArray(list, cJSON_Duplicate(t->row[at].item, true));
        count++;
        bytes += t->row[at].bytes;
        if ((count >= most || bytes >= RC_DYNAMO_PAGE_MAX) && at + 1 < t->count) {
            (void)cJSON_AddItemToObject(out, "LastEvaluatedKey", key_json(t, &t->row[at]));
            break;
        }
    }
    (void)cJSON_AddNumberToObject(out, "Count", count);
    (void)cJSON_AddNumberToObject(out, "ScannedCount", count);
    return true;
}

static void
dynamo_rows(struct rc_call *call, const cJSON *in, const char *expression)
{
    const struct rc_dynamo_table *t = rc_dynamo_table_of(call, in);
    cJSON *out;

    if (t == NULL)
        return;
    out = cJSON_CreateObject();
    if (add_page_rows(call, t, in, expression, out))
        rc_call_answer_json(call, 200, out);
    else
        cJSON_Delete(out);
}

static void
dynamo_query(struct rc_call *call, const cJSON *in)
{
    const char *expression = rc_dynamo_text(in, "KeyConditionExpression");

    if (*expression == '\0')
        rc_dynamo_error(call, "ValidationException",
                        "Either the KeyConditions or KeyConditionExpression parameter must be "
                        "specified in the request.");
    else
        dynamo_rows(call, in, expression);
}

static void
dynamo_scan(struct rc_call *call, const cJSON *in)
{
    dynamo_rows(call, in, rc_dynamo_text(in, "FilterExpression"));
}

/* --- the door ------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*run)(struct rc_call *call, const cJSON *in);
} operations[] = {
    {"GetItem", dynamo_get_item},
    {"PutItem", dynamo_put_item},
    {"UpdateItem", dynamo_update_item},
    {"DeleteItem", dynamo_delete_item},
    {"Query", dynamo_query},
    {"Scan", dynamo_scan},
    {"BatchGetItem", rc_dynamo_batch_get},
    {"BatchWriteItem", rc_dynamo_batch_write},
    {"TransactWriteItems", rc_dynamo_transact},
    {"CreateTable", rc_dynamo_create_table},
    {"DescribeTable", rc_dynamo_describe_table},
};

void
rc_dynamo_wire(struct rc_call *call)
{
    cJSON *in = cJSON_ParseWithLength(call->body, call->body_len);
    bool known = false;

    if (rc_call_fault(call, call->log.action)) {
        rc_call_answer_json(call, (int)call->fault.status,
                            error_json(call, call->fault.code, "A fault that was asked for."));
        cJSON_Delete(in);
        return;
    }
    if (!cJSON_IsObject(in)) {
        rc_dynamo_error(call, "SerializationException", "The body is not a JSON object.");
        cJSON_Delete(in);
        return;
    }
    for (unsigned i = 0; i < sizeof(operations) / sizeof(operations[0]) && !known; i++) {
        known = strcmp(operations[i].name, call->log.action) == 0;
        if (known)
            operations[i].run(call, in);
    }
    if (!known)
        rc_dynamo_error(call, "UnknownOperationException", "The operation is not known.");
    cJSON_Delete(in);
}

void
rc_dynamo_refuse(struct rc_call *call, enum rc_sigv4_verdict verdict)
{
    switch (verdict) {
    case RC_SIGV4_MISSING:
        rc_dynamo_error(call, "MissingAuthenticationTokenException",
                        "Missing Authentication Token");
        break;
    case RC_SIGV4_MALFORMED:
        rc_dynamo_error(call, "IncompleteSignatureException", "The signature is incomplete.");
        break;
    case RC_SIGV4_UNKNOWN_KEY:
        rc_dynamo_error(call, "UnrecognizedClientException",
                        "The security token included in the request is invalid.");
        break;
    case RC_SIGV4_EXPIRED:
        rc_dynamo_error(call, "ExpiredTokenException",
                        "The security token included in the request is expired");
        break;
    case RC_SIGV4_SKEWED:
        rc_dynamo_error(call, "InvalidSignatureException", "Signature expired.");
        break;
    case RC_SIGV4_OK:
    case RC_SIGV4_MISMATCH:
    case RC_SIGV4_SCOPE:
        rc_dynamo_error(call, "InvalidSignatureException",
                        "The request signature we calculated does not match the signature you "
                        "provided.");
        break;
    }
}
