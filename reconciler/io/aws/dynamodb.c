/* dynamodb.c - see dynamodb.h. */
#include "reconciler/io/aws/dynamodb.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

struct asked_dynamodb {
    rc_dynamodb_fn *fn;
    void *arg;
};

/* A reply cut short is asked for again. */
static enum rc_err
check_dynamodb_reply(const char *body, size_t len, struct rc_error *error)
{
    size_t end = len;

    while (end > 0 && strchr(" \t\r\n", body[end - 1])) {
        end--;
    }
    if (end > 0 && body[strspn(body, " \t\r\n")] == '{' && body[end - 1] != '}') {
        return rc_fail(error, RC_E_TRUNCATED, "the DynamoDB reply ends too early, after %zu bytes",
                       len);
    }
    return RC_OK;
}

static void
on_dynamodb_reply(const struct rc_aws_reply *reply, void *arg)
{
    struct asked_dynamodb *asked = arg;
    struct rc_dynamodb_reply r = {.error = reply->error};
    cJSON *root = cJSON_ParseWithLength(reply->body, reply->body_len);

    if (cJSON_IsObject(root)) {
        r.root = root;
    } else if (r.error.code == RC_OK && reply->body_len) {
        rc_fail(&r.error, RC_E_PARSE, "DynamoDB answered no JSON object: %.80s", reply->body);
    }
    asked->fn(&r, asked->arg);
    cJSON_Delete(root);
    free(asked);
}

enum rc_err
rc_dynamodb_start(struct rc_aws *aws, const struct rc_dynamodb_call *call, cJSON *body,
                  struct rc_aws_call **ret_call)
{
    struct asked_dynamodb *asked = malloc(sizeof *asked);
    char *text = body ? cJSON_PrintUnformatted(body) : NULL;
    enum rc_err err = RC_E_FULL;

    if (asked && text) {
        *asked = (struct asked_dynamodb){call->fn, call->arg};
        struct rc_aws_request request = {
            .op = call->op,
            .body = text,
            .body_len = strlen(text),
            .check = check_dynamodb_reply,
            .on_cancel = free,
            .attempt_timeout_ms = call->attempt_ms,
            .deadline_ms = call->deadline_ms,
        };
        err = rc_aws_start(aws, &request, on_dynamodb_reply, asked, ret_call);
    }
    if (err != RC_OK) {
        free(asked);
    }
    cJSON_free(text);
    cJSON_Delete(body);
    return err;
}

int
rc_dynamodb_add_text(cJSON *attributes, const char *key, const char *text)
{
    cJSON *value = cJSON_AddObjectToObject(attributes, key);

    return value && cJSON_AddStringToObject(value, "S", text);
}

int
rc_dynamodb_add_number(cJSON *attributes, const char *key, uint64_t number)
{
    cJSON *value = cJSON_AddObjectToObject(attributes, key);
    char digits[24];

    snprintf(digits, sizeof digits, "%" PRIu64, number);
    return value && cJSON_AddStringToObject(value, "N", digits);
}

int
rc_dynamodb_add_bool(cJSON *attributes, const char *key, int is_true)
{
    cJSON *value = cJSON_AddObjectToObject(attributes, key);

    return value && cJSON_AddBoolToObject(value, "BOOL", is_true);
}

static cJSON *
plain_value(const cJSON *typed)
{
    const cJSON *value = typed->child;
    char *end = NULL;

    if (!value || value->next || !value->string) {
        return cJSON_CreateNull();
    }
    if (strcmp(value->string, "S") == 0 && cJSON_IsString(value)) {
        return cJSON_CreateString(value->valuestring);
    }
    if (strcmp(value->string, "BOOL") == 0 && cJSON_IsBool(value)) {
        return cJSON_CreateBool(cJSON_IsTrue(value));
    }
    if (strcmp(value->string, "N") == 0 && cJSON_IsString(value) && *value->valuestring) {
        double number = strtod(value->valuestring, &end);
        return *end ? cJSON_CreateNull() : cJSON_CreateNumber(number);
    }
    return cJSON_CreateNull();
}

cJSON *
rc_dynamodb_plain(const cJSON *attributes)
{
    cJSON *plain = cJSON_IsObject(attributes) ? cJSON_CreateObject() : NULL;
    const cJSON *item;

    cJSON_ArrayForEach(item, attributes)
    {
        cJSON *value = plain ? plain_value(item) : NULL;
        if (!value || !cJSON_AddItemToObject(plain, item->string, value)) {
            cJSON_Delete(value);
            cJSON_Delete(plain);
            return NULL;
        }
    }
    return plain;
}
