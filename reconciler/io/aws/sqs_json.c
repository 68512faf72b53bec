/* sqs_json.c - see sqs_json.h. Field names: SQS API Reference. */
#define _GNU_SOURCE
#include "reconciler/io/aws/sqs_json.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/core/event.h"
#include "reconciler/io/aws/aws_errors.h"

void
rc_sqs_json_receive(struct rc_aws_buf *b, const char *queue_url,
                    const struct rc_sqs_receive_options *options)
{
    rc_aws_buf_str(b, "{\"QueueUrl\":");
    rc_aws_buf_json(b, queue_url);
    rc_aws_buf_printf(b, ",\"MaxNumberOfMessages\":%u,\"WaitTimeSeconds\":%u",
                      options->max ? options->max : RC_SQS_BATCH_MAX, options->wait_s);
    if (options->visibility_s) {
        rc_aws_buf_printf(b, ",\"VisibilityTimeout\":%u", options->visibility_s);
    }
    rc_aws_buf_str(b, ",\"MessageSystemAttributeNames\":[\"SentTimestamp\","
                      "\"ApproximateReceiveCount\",\"ApproximateFirstReceiveTimestamp\"]}");
}

/* The id of an entry is its index: distinct, and short enough (80). */
void
rc_sqs_json_batch(struct rc_aws_buf *b, const char *queue_url, const struct rc_sqs_entry *entries,
                  uint32_t count, int with_visibility)
{
    rc_aws_buf_str(b, "{\"QueueUrl\":");
    rc_aws_buf_json(b, queue_url);
    rc_aws_buf_str(b, ",\"Entries\":[");
    for (uint32_t i = 0; i < count; i++) {
        rc_aws_buf_printf(b, "%s{\"Id\":\"%u\",\"ReceiptHandle\":", i ? "," : "", i);
        rc_aws_buf_json(b, entries[i].receipt);
        if (with_visibility) {
            rc_aws_buf_printf(b, ",\"VisibilityTimeout\":%u", entries[i].visibility_s);
        }
        rc_aws_buf_str(b, "}");
    }
    rc_aws_buf_str(b, "]}");
}

void
rc_sqs_json_send(struct rc_aws_buf *b, const char *queue_url, const char *body, uint32_t delay_s)
{
    rc_aws_buf_str(b, "{\"QueueUrl\":");
    rc_aws_buf_json(b, queue_url);
    rc_aws_buf_str(b, ",\"MessageBody\":");
    rc_aws_buf_json(b, body);
    if (delay_s) {
        rc_aws_buf_printf(b, ",\"DelaySeconds\":%u", delay_s);
    }
    rc_aws_buf_str(b, "}");
}

void
rc_sqs_json_attributes(struct rc_aws_buf *b, const char *queue_url)
{
    rc_aws_buf_str(b, "{\"QueueUrl\":");
    rc_aws_buf_json(b, queue_url);
    rc_aws_buf_str(b, ",\"AttributeNames\":[\"All\"]}");
}

static const char *
last_byte(const char *body, size_t len)
{
    while (len > 0 && strchr(" \t\r\n", body[len - 1])) {
        len--;
    }
    return len > 0 ? &body[len - 1] : NULL;
}

enum rc_err
rc_sqs_json_check(const char *body, size_t len, struct rc_error *error)
{
    const char *first = body + strspn(body, " \t\r\n"), *last = last_byte(body, len);

    if (last && *first == '{' && *last != '}') {
        return rc_fail(error, RC_E_TRUNCATED, "the SQS reply ends too early, after %zu bytes", len);
    }
    return RC_OK;
}

/* A tree whose root is an object, or NULL and an error. An empty body is {}. */
static cJSON *
parse_object(const char *body, size_t len, struct rc_error *error)
{
    const char *end = NULL;
    cJSON *root;

    if (!last_byte(body, len)) {
        root = cJSON_CreateObject();
    } else {
        root = cJSON_ParseWithLengthOpts(body, len, &end, 0);
    }
    if (cJSON_IsObject(root)) {
        return root;
    }
    bool cut = !root && body[strspn(body, " \t\r\n")] == '{' && end && end >= body + len - 1;
    cJSON_Delete(root);
    if (cut) {
        rc_fail(error, RC_E_TRUNCATED, "the SQS reply ends too early, after %zu bytes", len);
    } else {
        rc_fail(error, RC_E_PARSE, "the SQS reply is no JSON object (\"%.40s\")", body);
    }
    return NULL;
}

static const char *
json_text(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* Attribute values are decimal numbers in strings; anything else is `missing`. */
static int64_t
attribute_number(const cJSON *attributes, const char *key, int64_t missing)
{
    const char *text = json_text(attributes, key);
    char *end;

    if (!text || *text < '0' || *text > '9') {
        return missing;
    }
    long long value = strtoll(text, &end, 10);
    return *end ? missing : value;
}

static bool
read_sqs_message(const cJSON *item, struct rc_sqs_message *ret)
{
    const cJSON *attributes = cJSON_GetObjectItemCaseSensitive(item, "Attributes");
    const char *id = json_text(item, "MessageId");
    int64_t receives = attribute_number(attributes, "ApproximateReceiveCount", 0);

    *ret = (struct rc_sqs_message){
        .id = id ? id : "",
        .receipt = json_text(item, "ReceiptHandle"),
        .body = json_text(item, "Body"),
        .sent_ms = attribute_number(attributes, "SentTimestamp", 0),
        .first_received_ms = attribute_number(attributes, "ApproximateFirstReceiveTimestamp", 0),
        .receives = receives > UINT32_MAX ? UINT32_MAX : (uint32_t)receives,
    };
    if (!ret->receipt || !*ret->receipt || !ret->body) {
        return false;
    }
    ret->body_len = strlen(ret->body);
    return true;
}

enum rc_err
rc_sqs_json_read_messages(const char *body, size_t len, struct rc_sqs_received *ret,
                          struct cJSON **ret_tree)
{
    cJSON *root = parse_object(body, len, &ret->error);
    const cJSON *list, *item;

    *ret_tree = root;
    ret->count = ret->unreadable = 0;
    if (!root) {
        return ret->error.code;
    }
    list = cJSON_GetObjectItemCaseSensitive(root, "Messages");
    if (list && !cJSON_IsArray(list) && !cJSON_IsNull(list)) {
        return rc_fail(&ret->error, RC_E_PARSE, "the SQS reply's Messages is no list");
    }
    cJSON_ArrayForEach(item, list)
    {
        if (ret->count < RC_SQS_BATCH_MAX && read_sqs_message(item, &ret->messages[ret->count])) {
            ret->count++;
        } else {
            ret->unreadable++;
        }
    }
    return RC_OK;
}

/* The entry that a reply's Id speaks of, or NULL. */
static struct rc_error *
batch_entry_of(struct rc_sqs_batch *batch, const cJSON *item)
{
    const char *id = json_text(item, "Id");

    if (!id || id[0] < '0' || id[0] > '9' || id[1] || (uint32_t)(id[0] - '0') >= batch->count) {
        return NULL;
    }
    return &batch->entry[id[0] - '0'];
}

static void
read_failure(struct rc_error *entry, const cJSON *item)
{
    const char *code = json_text(item, "Code"), *message = json_text(item, "Message");
    enum rc_err err = code ? rc_aws_error_of_code(code) : RC_OK;

    if (err == RC_OK) {
        err = cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(item, "SenderFault")) ? RC_E_SERVER
                                                                                   : RC_E_INVALID;
    }
    rc_fail(entry, err, "%s", message ? message : "no reason given");
    if (code) {
        rc_text_set(entry->service_code, sizeof entry->service_code, code);
    }
}

enum rc_err
rc_sqs_json_read_batch(const char *body, size_t len, struct rc_sqs_batch *ret)
{
    cJSON *root = parse_object(body, len, &ret->error);
    const cJSON *item;
    struct rc_error *entry;

    if (!root) {
        return ret->error.code;
    }
    for (uint32_t i = 0; i < ret->count; i++) {
        rc_fail(&ret->entry[i], RC_E_UNKNOWN, "the reply does not mention this entry");
    }
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(root, "Successful"))
    {
        if ((entry = batch_entry_of(ret, item))) {
            memset(entry, 0, sizeof *entry);
        }
    }
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(root, "Failed"))
    {
        if ((entry = batch_entry_of(ret, item))) {
            read_failure(entry, item);
        }
    }
    ret->failed = 0;
    for (uint32_t i = 0; i < ret->count; i++) {
        ret->failed += ret->entry[i].code != RC_OK;
    }
    cJSON_Delete(root);
    return RC_OK;
}

enum rc_err
rc_sqs_json_read_sent(const char *body, size_t len, char *ret_id, size_t room,
                      struct rc_error *error)
{
    cJSON *root = parse_object(body, len, error);

    ret_id[0] = '\0';
    if (!root) {
        return error->code;
    }
    const char *id = json_text(root, "MessageId");
    bool fits = id && *id && rc_text_set(ret_id, (uint32_t)room, id);
    cJSON_Delete(root);
    return fits ? RC_OK : rc_fail(error, RC_E_PARSE, "the SQS reply has no usable MessageId");
}

enum rc_err
rc_sqs_json_read_attributes(const char *body, size_t len, struct rc_sqs_attributes *ret)
{
    cJSON *root = parse_object(body, len, &ret->error);
    const cJSON *list;

    if (!root) {
        return ret->error.code;
    }
    list = cJSON_GetObjectItemCaseSensitive(root, "Attributes");
    if (!cJSON_IsObject(list)) {
        cJSON_Delete(root);
        return rc_fail(&ret->error, RC_E_PARSE, "the SQS reply has no Attributes");
    }
    ret->visible = attribute_number(list, "ApproximateNumberOfMessages", -1);
    ret->not_visible = attribute_number(list, "ApproximateNumberOfMessagesNotVisible", -1);
    ret->delayed = attribute_number(list, "ApproximateNumberOfMessagesDelayed", -1);
    ret->visibility_s = attribute_number(list, "VisibilityTimeout", -1);
    ret->retention_s = attribute_number(list, "MessageRetentionPeriod", -1);
    cJSON_Delete(root);
    return RC_OK;
}
