/* dynamo_batch.c - DynamoDB's calls about many items, and its tables.
 *
 * A transaction checks every action before it does any. Its token makes it idempotent for
 * ten minutes, as in AWS: the same token with another body is refused. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "reconciler/core/event.h"
#include "reconciler/core/state.h"
#include "simulator/world/dynamo_call.h"

enum { ACTIONS_MAX = 100, GETS_MAX = 100, PUTS_MAX = 25, TOKEN_LIFE_MS = 600000 };

/* --- TransactWriteItems ------------------------------------------------------------------- */

static bool
read_actions(const cJSON *list, struct rc_dynamo_write *w, unsigned *ret_count)
{
    static const char *const kinds[] = {"Put", "Update", "Delete", "ConditionCheck"};
    const cJSON *action;
    unsigned count = 0;

    cJSON_ArrayForEach(action, list)
    {
        const cJSON *in = action->child;
        const char *kind = NULL;

        for (unsigned i = 0; in != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++)
            if (strcmp(in->string, kinds[i]) == 0)
                kind = kinds[i];
        if (kind == NULL || in->next != NULL || count == ACTIONS_MAX)
            return false;
        w[count++] = (struct rc_dynamo_write){.in = in, .kind = kind};
    }
    *ret_count = count;
    return count > 0;
}

static bool
is_twice(const struct rc_dynamo_write *w, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        for (unsigned j = 0; j < i; j++)
            if (w[i].table == w[j].table && w[i].code == NULL && w[j].code == NULL &&
                strcmp(w[i].pk, w[j].pk) == 0 && strcmp(w[i].sk, w[j].sk) == 0)
                return true;
    return false;
}

static void
answer_cancelled(struct rc_call *call, const struct rc_dynamo_write *w, unsigned count)
{
    char text[1500] = "Transaction cancelled, please refer cancellation reasons for specific "
                      "reasons [";
    cJSON *json = cJSON_CreateObject();
    cJSON *reasons = cJSON_AddArrayToObject(json, "CancellationReasons");

    for (unsigned i = 0; i < count; i++) {
        bool failed = w[i].code != NULL;
        bool condition = failed && strcmp(w[i].code, "ConditionalCheckFailedException") == 0;
        const char *code = condition ? "ConditionalCheckFailed"
                           : failed  ? "ValidationError"
                                     : "None";
        cJSON *reason = cJSON_CreateObject();
        size_t len = strlen(text);

        (void)cJSON_AddStringToObject(reason, "Code", code);
        if (failed)
            (void)cJSON_AddStringToObject(reason, "Message", w[i].error);
        if (condition && rc_dynamo_wants_old(&w[i]))
            (void)cJSON_AddItemToObject(reason, "Item", cJSON_Duplicate(w[i].old, true));
        (void)cJSON_AddItemToArray(reasons, reason);
        (void)snprintf(text + len, sizeof(text) - len, "%s%s", i > 0 ? ", " : "", code);
    }
    (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "]");
    (void)cJSON_AddStringToObject(json, "__type",
                                  "com.amazonaws.dynamodb.v20120810#TransactionCanceledException");
    (void)cJSON_AddStringToObject(json, "Message", text);
    (void)rc_text_set(call->log.code, sizeof(call->log.code), "TransactionCanceledException");
    rc_call_answer_json(call, 400, json);
}

/* True: this token was answered here. */
static bool
answered_by_token(struct rc_call *call, const char *token, uint64_t hash)
{
    struct rc_dynamo *d = rc_dynamo_of(call);

    for (unsigned i = 0; *token != '\0' && i < RC_DYNAMO_TOKENS_MAX; i++) {
        const struct rc_dynamo_token *t = &d->token[i];

        if (strcmp(t->token, token) != 0 || call->now_ms - t->time_ms > TOKEN_LIFE_MS)
            continue;
        if (t->hash == hash)
            rc_call_answer_json(call, 200, cJSON_CreateObject());
        else
            rc_dynamo_error(call, "IdempotentParameterMismatchException",
                            "The request uses the same client token as a previous, but "
                            "non-identical request.");
        return true;
    }
    return false;
}

static void
keep_token(struct rc_call *call, const char *token, uint64_t hash)
{
    struct rc_dynamo *d = rc_dynamo_of(call);
    struct rc_dynamo_token *t = &d->token[d->tokens++ % RC_DYNAMO_TOKENS_MAX];

    (void)rc_text_set(t->token, sizeof(t->token), token);
    t->hash = hash;
    t->time_ms = call->now_ms;
}

void
rc_dynamo_transact(struct rc_call *call, const cJSON *in)
{
    struct rc_dynamo_write w[ACTIONS_MAX];
    const char *token = rc_dynamo_text(in, "ClientRequestToken");
    uint64_t hash = rc_hash_bytes(0, call->body, call->body_len);
    unsigned count = 0;
    bool good = true;

    if (!read_actions(cJSON_GetObjectItemCaseSensitive(in, "TransactItems"), w, &count)) {
        rc_dynamo_error(call, "ValidationException",
                        "TransactItems must have 1 to 100 actions, each of one kind");
        return;
    }
    if (answered_by_token(call, token, hash))
        return;
    for (unsigned i = 0; i < count; i++) {
        good = rc_dynamo_write_check(rc_dynamo_of(call), &w[i]) && good;
        if (w[i].code != NULL && strcmp(w[i].code, "ResourceNotFoundException") == 0) {
            rc_dynamo_error(call, w[i].code, w[i].error);
            return;
        }
    }
    if (is_twice(w, count)) {
        rc_dynamo_error(call, "ValidationException",
                        "Transaction request cannot include multiple operations on one item");
        return;
    }
    if (!good) {
        answer_cancelled(call, w, count);
        return;
    }
    for (unsigned i = 0; i < count; i++)
        rc_dynamo_write_do(&w[i]);
    keep_token(call, token, hash);
    rc_call_answer_json(call, 200, cJSON_CreateObject());
}

/* --- BatchGetItem, BatchWriteItem ----------------------------------------------------------- */

void
rc_dynamo_batch_get(struct rc_call *call, const cJSON *in)
{
    const cJSON *tables = cJSON_GetObjectItemCaseSensitive(in, "RequestItems");
    cJSON *out = cJSON_CreateObject();
    cJSON *found = cJSON_AddObjectToObject(out, "Responses");
    const cJSON *one;
    const cJSON *key;
    unsigned count = 0;

    cJSON_ArrayForEach(one, tables)
    {
        const struct rc_dynamo_table *t = rc_dynamo_table(rc_dynamo_of(call), one->string);
        cJSON *list = cJSON_AddArrayToObject(found, one->string);

        cJSON_ArrayForEach(key, cJSON_GetObjectItemCaseSensitive(one, "Keys"))
        {
            const char *pk;
            const char *sk;
            const char *which;
            const cJSON *item;

            if (t == NULL || ++count > GETS_MAX || !rc_dynamo_key(t, key, &pk, &sk, &which)) {
                cJSON_Delete(out);
                rc_dynamo_error(call,
                                t == NULL ? "ResourceNotFoundException" : "ValidationException",
                                t == NULL ? "Requested resource not found"
                                          : "1 to 100 keys that match the schema are expected");
                return;
            }
            item = rc_dynamo_get(t, pk, sk);
            if (item != NULL)
                (void)cJSON_AddItemToArray(list, cJSON_Duplicate(item, true));
        }
    }
    (void)cJSON_AddObjectToObject(out, "UnprocessedKeys");
    rc_call_answer_json(call, 200, out);
}

/* PutRequest or DeleteRequest as a write without condition; false: it is none. The table's
 * name stands outside of it, so in is a copy with it, owned by the caller. */
static cJSON *
batch_write(const cJSON *request, const char *table, struct rc_dynamo_write *ret)
{
    const cJSON *put = cJSON_GetObjectItemCaseSensitive(request, "PutRequest");
    const cJSON *del = cJSON_GetObjectItemCaseSensitive(request, "DeleteRequest");
    cJSON *in = cJSON_Duplicate(put != NULL ? put : del, true);

    if (in == NULL)
        return NULL;
    (void)cJSON_AddStringToObject(in, "TableName", table);
    *ret = (struct rc_dynamo_write){.in = in, .kind = put != NULL ? "Put" : "Delete"};
    return in;
}

void
rc_dynamo_batch_write(struct rc_call *call, const cJSON *in)
{
    const cJSON *tables = cJSON_GetObjectItemCaseSensitive(in, "RequestItems");
    struct rc_dynamo_write w[PUTS_MAX];
    cJSON *copy[PUTS_MAX];
    const cJSON *one;
    const cJSON *request;
    unsigned count = 0;
    const char *code = NULL;
    const char *error = "1 to 25 put or delete requests are expected";

    cJSON_ArrayForEach(one, tables)
    {
        cJSON_ArrayForEach(request, one)
        {
            if (code != NULL || count == PUTS_MAX ||
                (copy[count] = batch_write(request, one->string, &w[count])) == NULL) {
                code = code != NULL ? code : "ValidationException";
                continue;
            }
            if (!rc_dynamo_write_check(rc_dynamo_of(call), &w[count])) {
                code = w[count].code;
                error = w[count].error;
            }
            count++;
        }
    }
    if (count == 0 || is_twice(w, count))
        code = code != NULL ? code : "ValidationException";
    for (unsigned i = 0; i < count; i++) {
        if (code == NULL)
            rc_dynamo_write_do(&w[i]);
        cJSON_Delete(copy[i]);
    }
    if (code != NULL) {
        rc_dynamo_error(call, code, error);
        return;
    }
    cJSON *out = cJSON_CreateObject();
    (void)cJSON_AddObjectToObject(out, "UnprocessedItems");
    rc_call_answer_json(call, 200, out);
}

/* --- tables ------------------------------------------------------------------------------------
 */

static cJSON *
table_json(const struct rc_dynamo_table *t)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *schema = cJSON_AddArrayToObject(json, "KeySchema");
    cJSON *attributes = cJSON_AddArrayToObject(json, "AttributeDefinitions");
    const char *const names[] = {t->hash, t->range};

    (void)cJSON_AddStringToObject(json, "TableName", t->name);
    (void)cJSON_AddStringToObject(json, "TableStatus", "ACTIVE");
    (void)cJSON_AddNumberToObject(json, "ItemCount", t->count);
    for (unsigned i = 0; i < 2 && names[i][0] != '\0'; i++) {
        cJSON *key = cJSON_CreateObject();
        cJSON *attribute = cJSON_CreateObject();

        (void)cJSON_AddStringToObject(key, "AttributeName", names[i]);
        (void)cJSON_AddStringToObject(key, "KeyType", i == 0 ? "HASH" : "RANGE");
        (void)cJSON_AddItemToArray(schema, key);
        (void)cJSON_AddStringToObject(attribute, "AttributeName", names[i]);
        (void)cJSON_AddStringToObject(attribute, "AttributeType", "S");
        (void)cJSON_AddItemToArray(attributes, attribute);
    }
    return json;
}

void
rc_dynamo_create_table(struct rc_call *call, const cJSON *in)
{
    struct rc_dynamo *d = rc_dynamo_of(call);
    const char *name = rc_dynamo_text(in, "TableName");
    const char *hash = "";
    const char *range = "";
    const cJSON *key;

    if (rc_dynamo_table(d, name) != NULL) {
        rc_dynamo_error(call, "ResourceInUseException", "Table already exists");
        return;
    }
    cJSON_ArrayForEach(key, cJSON_GetObjectItemCaseSensitive(in, "KeySchema"))
    {
        if (strcmp(rc_dynamo_text(key, "KeyType"), "HASH") == 0)
            hash = rc_dynamo_text(key, "AttributeName");
        else
            range = rc_dynamo_text(key, "AttributeName");
    }
    struct rc_dynamo_table *t = *hash != '\0' ? rc_dynamo_table_add(d, name, hash, range) : NULL;
    if (t == NULL) {
        rc_dynamo_error(call, "ValidationException", "The table cannot be made.");
        return;
    }
    cJSON *out = cJSON_CreateObject();
    (void)cJSON_AddItemToObject(out, "TableDescription", table_json(t));
    rc_call_answer_json(call, 200, out);
}

void
rc_dynamo_describe_table(struct rc_call *call, const cJSON *in)
{
    const struct rc_dynamo_table *t = rc_dynamo_table_of(call, in);
    cJSON *out;

    if (t == NULL)
        return;
    out = cJSON_CreateObject();
    (void)cJSON_AddItemToObject(out, "Table", table_json(t));
    rc_call_answer_json(call, 200, out);
}
