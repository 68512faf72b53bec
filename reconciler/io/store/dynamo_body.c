/* dynamo_body.c - see dynamo_body.h. */
#define _GNU_SOURCE
#include "reconciler/io/store/dynamo_body.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <cjson/cJSON.h>

#include "reconciler/io/aws/dynamodb.h"
#include "reconciler/io/store/incident_item.h"
#include "reconciler/io/store/json_fields.h"

static bool
add_item_key(cJSON *to, const char *sk)
{
    cJSON *key = cJSON_AddObjectToObject(to, "Key");

    return key && rc_dynamodb_add_text(key, "pk", "item") && rc_dynamodb_add_text(key, "sk", sk);
}

static cJSON *
add_transact_action(cJSON *list, const char *kind, const char *table)
{
    cJSON *action = cJSON_CreateObject();
    cJSON *in = cJSON_AddObjectToObject(action, kind);

    if (!in || !cJSON_AddStringToObject(in, "TableName", table) ||
        !cJSON_AddItemToArray(list, action)) {
        cJSON_Delete(action);
        return NULL;
    }
    return in;
}

/* The fence as the store left it moves on by one. */
static bool
add_fence_step(const struct rc_dynamo_body *b, const struct rc_dynamo_fence *fence, cJSON *list)
{
    cJSON *in = add_transact_action(list, "Update", b->table);
    cJSON *names = cJSON_AddObjectToObject(in, "ExpressionAttributeNames");
    cJSON *values = cJSON_AddObjectToObject(in, "ExpressionAttributeValues");

    return names && values && add_item_key(in, RC_DYNAMO_FENCE) &&
           cJSON_AddStringToObject(names, "#c", "cluster") &&
           cJSON_AddStringToObject(names, "#e", "epoch") &&
           cJSON_AddStringToObject(names, "#s", "seq") &&
           rc_dynamodb_add_text(values, ":c", b->cluster) &&
           rc_dynamodb_add_number(values, ":e", fence->epoch) &&
           rc_dynamodb_add_number(values, ":s", fence->seq) &&
           rc_dynamodb_add_number(values, ":n", fence->seq + 1) &&
           cJSON_AddStringToObject(in, "UpdateExpression", "SET #s = :n") &&
           cJSON_AddStringToObject(in, "ConditionExpression", "#c = :c AND #e = :e AND #s = :s") &&
           cJSON_AddStringToObject(in, "ReturnValuesOnConditionCheckFailure", "ALL_OLD");
}

static bool
add_request_token(cJSON *body)
{
    unsigned char bytes[16];
    char token[33];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        return false;
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        snprintf(token + 2 * i, 3, "%02x", bytes[i]);
    }
    return cJSON_AddStringToObject(body, "ClientRequestToken", token) != NULL;
}

cJSON *
rc_dynamo_body_transaction(const struct rc_dynamo_body *b, const struct rc_dynamo_fence *fence)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(body, "TransactItems");

    if (add_fence_step(b, fence, list) && add_request_token(body)) {
        return body;
    }
    cJSON_Delete(body);
    return NULL;
}

bool
rc_dynamo_body_write(const struct rc_dynamo_body *b, cJSON *transaction, const char *key,
                     const char *text)
{
    cJSON *list = cJSON_GetObjectItemCaseSensitive(transaction, "TransactItems");
    cJSON *in = add_transact_action(list, text ? "Put" : "Delete", b->table);

    if (!in || !text) {
        return in && add_item_key(in, key);
    }
    cJSON *item = cJSON_AddObjectToObject(in, "Item");
    return item && rc_dynamodb_add_text(item, "pk", "item") &&
           rc_dynamodb_add_text(item, "sk", key) && rc_dynamodb_add_text(item, "item", text);
}

cJSON *
rc_dynamo_body_fence(const struct rc_dynamo_body *b, uint64_t epoch)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *item = cJSON_AddObjectToObject(body, "Item");
    cJSON *names = cJSON_AddObjectToObject(body, "ExpressionAttributeNames");
    cJSON *values = cJSON_AddObjectToObject(body, "ExpressionAttributeValues");

    if (item && names && values && cJSON_AddStringToObject(body, "TableName", b->table) &&
        rc_dynamodb_add_text(item, "pk", "item") &&
        rc_dynamodb_add_text(item, "sk", RC_DYNAMO_FENCE) &&
        rc_dynamodb_add_number(item, "version", RC_ITEM_VERSION) &&
        rc_dynamodb_add_text(item, "cluster", b->cluster) &&
        rc_dynamodb_add_number(item, "epoch", epoch) && rc_dynamodb_add_number(item, "seq", 1) &&
        cJSON_AddStringToObject(names, "#c", "cluster") &&
        cJSON_AddStringToObject(names, "#e", "epoch") &&
        rc_dynamodb_add_text(values, ":c", b->cluster) &&
        rc_dynamodb_add_number(values, ":e", epoch) &&
        cJSON_AddStringToObject(body, "ConditionExpression",
                                "attribute_not_exists(pk) OR (#c = :c AND #e <= :e)") &&
        cJSON_AddStringToObject(body, "ReturnValuesOnConditionCheckFailure", "ALL_OLD")) {
        return body;
    }
    cJSON_Delete(body);
    return NULL;
}

cJSON *
rc_dynamo_body_page(const struct rc_dynamo_body *b, const cJSON *from)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *values = cJSON_AddObjectToObject(body, "ExpressionAttributeValues");
    cJSON *start = from ? cJSON_Duplicate(from, true) : NULL;

    if (values && !from == !start && cJSON_AddStringToObject(body, "TableName", b->table) &&
        cJSON_AddTrueToObject(body, "ConsistentRead") &&
        rc_dynamodb_add_text(values, ":p", "item") &&
        cJSON_AddStringToObject(body, "KeyConditionExpression", "pk = :p") &&
        (!start || cJSON_AddItemToObject(body, "ExclusiveStartKey", start))) {
        return body;
    }
    cJSON_Delete(start);
    cJSON_Delete(body);
    return NULL;
}

enum rc_err
rc_dynamo_fence_read(const struct rc_dynamo_body *b, const cJSON *item, struct rc_dynamo_fence *ret,
                     struct rc_error *err)
{
    char what[300];
    struct rc_json_object o;
    cJSON *plain = rc_dynamodb_plain(item);
    char *text = plain ? cJSON_PrintUnformatted(plain) : NULL;

    cJSON_Delete(plain);
    if (!text) {
        return rc_fail(err, RC_E_PARSE, "the fence of table %s is no item", b->table);
    }
    snprintf(what, sizeof what, "fence of table %.250s", b->table);
    rc_json_open(&o, what, text, strlen(text), err);
    rc_json_expect(&o, RC_ITEM_VERSION, b->cluster);
    ret->epoch = rc_json_integer(&o, "epoch", 1, RC_JSON_INTEGER_MAX);
    ret->seq = rc_json_integer(&o, "seq", 1, RC_JSON_INTEGER_MAX - 1);
    cJSON_free(text);
    return rc_json_close(&o);
}
