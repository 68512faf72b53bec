/* sqs_wire.c - SQS in its JSON 1.0 protocol.
 *
 * Error shapes: "__type" with the modelled name in the namespace of SQS, and
 * "x-amzn-query-error" with the code of the older protocol, as SQS sends both.
 * A ReceiveMessage that finds nothing waits in the endpoint. */
#include <cjson/cJSON.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/world/sqs_call.h"
#include "simulator/world/wire.h"
#include "simulator/world/world_http.h"

struct sqs_error {
    const char *type, *query_code, *text;
    int status;
};

static const struct sqs_error errors[] = {
    [RC_SQS_ERR_NO_QUEUE] = {"com.amazonaws.sqs#QueueDoesNotExist",
                             "AWS.SimpleQueueService.NonExistentQueue;Sender",
                             "The specified queue does not exist.", 400},
    [RC_SQS_ERR_HANDLE] = {"com.amazonaws.sqs#ReceiptHandleIsInvalid",
                           "ReceiptHandleIsInvalid;Sender", "The input receipt handle is invalid.",
                           400},
    [RC_SQS_ERR_NOT_IN_FLIGHT] = {"com.amazonaws.sqs#MessageNotInflight",
                                  "AWS.SimpleQueueService.MessageNotInflight;Sender",
                                  "The specified message isn't in flight.", 400},
    [RC_SQS_ERR_VALUE] = {"com.amazon.coral.service#InvalidParameterValueException",
                          "InvalidParameterValue;Sender", "A value is not valid.", 400},
    [RC_SQS_ERR_OVER_LIMIT] = {"com.amazonaws.sqs#OverLimit", "OverLimit;Sender",
                               "Too many messages are in flight.", 403},
    [RC_SQS_ERR_MISSING] = {"com.amazon.coral.service#MissingParameter", "MissingParameter;Sender",
                            "The request must contain the parameter.", 400},
    [RC_SQS_ERR_ACTION] = {"com.amazon.coral.service#UnknownOperationException",
                           "InvalidAction;Sender", "The operation is not known.", 400},
    [RC_SQS_ERR_EMPTY_BATCH] = {"com.amazonaws.sqs#EmptyBatchRequest",
                                "AWS.SimpleQueueService.EmptyBatchRequest;Sender",
                                "There should be at least one entry in the request.", 400},
    [RC_SQS_ERR_MANY] = {"com.amazonaws.sqs#TooManyEntriesInBatchRequest",
                         "AWS.SimpleQueueService.TooManyEntriesInBatchRequest;Sender",
                         "Maximum number of entries per request are 10.", 400},
    [RC_SQS_ERR_IDS] = {"com.amazonaws.sqs#BatchEntryIdsNotDistinct",
                        "AWS.SimpleQueueService.BatchEntryIdsNotDistinct;Sender",
                        "Two or more batch entries in the request have the same Id.", 400},
    [RC_SQS_ERR_ID] = {"com.amazonaws.sqs#InvalidBatchEntryId",
                       "AWS.SimpleQueueService.InvalidBatchEntryId;Sender",
                       "A batch entry id can only contain alphanumeric characters, hyphens and "
                       "underscores. It can be at most 80 letters long.",
                       400},
    [RC_SQS_ERR_INTERNAL] = {"com.amazonaws.sqs#InternalFailure", "InternalFailure;Receiver",
                             "The request processing has failed.", 500},
};

static void
sqs_error_text(struct rc_call *call, const char *type, const char *query, int status,
               const char *text)
{
    const char *hash = strchr(type, '#');
    cJSON *json = cJSON_CreateObject();

    (void)cJSON_AddStringToObject(json, "__type", type);
    (void)cJSON_AddStringToObject(json, "message", text);
    (void)rc_text_set(call->log.code, sizeof(call->log.code), hash != NULL ? hash + 1 : type);
    rc_call_header(call, "x-amzn-query-error", query);
    rc_call_answer_json(call, status, json);
}

void
rc_sqs_error(struct rc_call *call, enum rc_sqs_err which)
{
    const struct sqs_error *e = &errors[which];

    sqs_error_text(call, e->type, e->query_code, e->status, e->text);
}

static enum rc_sqs_err
error_of(enum rc_sim_sqs_code code)
{
    switch (code) {
    case RC_SIM_SQS_BAD_HANDLE:
        return RC_SQS_ERR_HANDLE;
    case RC_SIM_SQS_NOT_IN_FLIGHT:
        return RC_SQS_ERR_NOT_IN_FLIGHT;
    case RC_SIM_SQS_GONE:
    case RC_SIM_SQS_TOO_LONG:
    case RC_SIM_SQS_TOO_LARGE:
        return RC_SQS_ERR_VALUE;
    case RC_SIM_SQS_OVER_LIMIT:
        return RC_SQS_ERR_OVER_LIMIT;
    case RC_SIM_SQS_OK:
    case RC_SIM_SQS_FULL:
        break;
    }
    return RC_SQS_ERR_INTERNAL;
}

const char *
rc_sqs_text(const cJSON *in, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(in, name);

    return cJSON_IsString(item) ? item->valuestring : NULL;
}

/* False: the value is there and out of range. */
static bool
json_number(const cJSON *in, const char *name, double low, double high, int64_t *ret)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(in, name);

    if (item == NULL || cJSON_IsNull(item))
        return true;
    if (!cJSON_IsNumber(item) || item->valuedouble < low || item->valuedouble > high)
        return false;
    *ret = (int64_t)item->valuedouble;
    return true;
}

static void
md5_hex(const char *text, size_t len, char out[33])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned sum_len = 0;

    out[0] = '\0';
    if (EVP_Digest(text, len, sum, &sum_len, EVP_md5(), NULL) != 1)
        return;
    for (unsigned i = 0; i < 16; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

/* The queue's name is what stands behind the last slash. */
struct rc_world_queue *
rc_sqs_queue_of(struct rc_call *call, const cJSON *in)
{
    const char *url = rc_sqs_text(in, "QueueUrl");
    const char *name = url != NULL ? strrchr(url, '/') : NULL;
    struct rc_world_queue *q = NULL;

    if (url == NULL) {
        rc_sqs_error(call, RC_SQS_ERR_MISSING);
        return NULL;
    }
    q = rc_world_queue_find(call->world, name != NULL ? name + 1 : url);
    if (q == NULL)
        rc_sqs_error(call, RC_SQS_ERR_NO_QUEUE);
    return q;
}

static void
sqs_send(struct rc_call *call, const cJSON *in)
{
    struct rc_world_queue *q = rc_sqs_queue_of(call, in);
    const char *body = rc_sqs_text(in, "MessageBody");
    char id[RC_SIM_SQS_UUID_LEN];
    enum rc_sim_sqs_code code;
    int64_t delay_s = -1;
    char md5[33];
    cJSON *out;

    if (q == NULL)
        return;
    if (body == NULL || *body == '\0') {
        rc_sqs_error(call, RC_SQS_ERR_MISSING);
        return;
    }
    if (!json_number(in, "DelaySeconds", 0, 900, &delay_s)) {
        rc_sqs_error(call, RC_SQS_ERR_VALUE);
        return;
    }
    code = rc_sim_sqs_send(q->sqs, call->now_ms, body, strlen(body),
                           delay_s < 0 ? -1 : delay_s * 1000, id);
    if (code != RC_SIM_SQS_OK) {
        rc_sqs_error(call, error_of(code));
        return;
    }
    md5_hex(body, strlen(body), md5);
    out = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(out, "MD5OfMessageBody", md5);
    (void)cJSON_AddStringToObject(out, "MessageId", id);
    rc_call_answer_json(call, 200, out);
}

void
rc_sqs_attribute_put(cJSON *to, const char *name, long long value)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%lld", value);
    (void)cJSON_AddStringToObject(to, name, text);
}

static cJSON *
message_json(const struct rc_sim_sqs_message *m)
{
    cJSON *out = cJSON_CreateObject();
    cJSON *attributes = cJSON_AddObjectToObject(out, "Attributes");
    char md5[33];

    md5_hex(m->body, m->len, md5);
    (void)cJSON_AddStringToObject(out, "MessageId", m->id);
    (void)cJSON_AddStringToObject(out, "ReceiptHandle", m->handle);
    (void)cJSON_AddStringToObject(out, "MD5OfBody", md5);
    (void)cJSON_AddStringToObject(out, "Body", m->body);
    (void)cJSON_AddStringToObject(attributes, "SenderId", "AIDAIOA2GYWSHW4E2VXIO");
    rc_sqs_attribute_put(attributes, "SentTimestamp", m->sent_ms);
    rc_sqs_attribute_put(attributes, "ApproximateReceiveCount", m->receives);
    rc_sqs_attribute_put(attributes, "ApproximateFirstReceiveTimestamp", m->first_received_ms);
    return out;
}

bool
rc_sqs_deliver(struct rc_call *call, int64_t now_ms, bool last)
{
    struct rc_sim_sqs_message message[RC_SIM_SQS_BATCH_MAX];
    cJSON *out;
    cJSON *list;
    uint32_t count = 0;

    if (rc_sim_sqs_counts(call->queue->sqs).visible > 0 && !rc_call_abandoned(call))
        count = rc_sim_sqs_receive(call->queue->sqs, now_ms, call->wait_max,
                                   call->wait_visibility_ms, message);
    if (count == 0 && !last)
        return false;
    out = cJSON_CreateObject();
    if (count > 0) {
        list = cJSON_AddArrayToObject(out, "Messages");
        for (uint32_t i = 0; i < count; i++)
            (void)cJSON_AddItemToArray(list, message_json(&message[i]));
    }
    rc_call_answer_json(call, 200, out);
    return true;
}

static void
sqs_receive(struct rc_call *call, const cJSON *in)
{
    struct rc_world_queue *q = rc_sqs_queue_of(call, in);
    int64_t max = 1;
    int64_t wait_s = -1;
    int64_t visibility_s = -1;
    int64_t wait_ms;

    if (q == NULL)
        return;
    if (!json_number(in, "MaxNumberOfMessages", 1, RC_SIM_SQS_BATCH_MAX, &max) ||
        !json_number(in, "WaitTimeSeconds", 0, 20, &wait_s) ||
        !json_number(in, "VisibilityTimeout", 0, 43200, &visibility_s)) {
        rc_sqs_error(call, RC_SQS_ERR_VALUE);
        return;
    }
    call->queue = q;
    call->wait_max = (uint32_t)max;
    call->wait_visibility_ms = visibility_s < 0 ? -1 : visibility_s * 1000;
    wait_ms = wait_s < 0 ? rc_sim_sqs_config(q->sqs)->wait_ms : wait_s * 1000;
    if (wait_ms == 0 && rc_sim_sqs_full(q->sqs)) {
        rc_sqs_error(call, RC_SQS_ERR_OVER_LIMIT);
        return;
    }
    if (!rc_sqs_deliver(call, call->now_ms, wait_ms == 0))
        rc_world_http_wait(call->endpoint, call, wait_ms);
}

static void
sqs_delete(struct rc_call *call, const cJSON *in)
{
    struct rc_world_queue *q = rc_sqs_queue_of(call, in);
    const char *handle = rc_sqs_text(in, "ReceiptHandle");
    enum rc_sim_sqs_code code;

    if (q == NULL)
        return;
    code = handle != NULL ? rc_sim_sqs_delete(q->sqs, call->now_ms, handle) : RC_SIM_SQS_BAD_HANDLE;
    if (code != RC_SIM_SQS_OK)
        rc_sqs_error(call, error_of(code));
    else
        rc_call_answer_json(call, 200, NULL);
}

static void
sqs_visibility(struct rc_call *call, const cJSON *in)
{
    struct rc_world_queue *q = rc_sqs_queue_of(call, in);
    const char *handle = rc_sqs_text(in, "ReceiptHandle");
    enum rc_sim_sqs_code code;
    int64_t seconds = -1;

    if (q == NULL)
        return;
    if (!json_number(in, "VisibilityTimeout", 0, 43200, &seconds) || seconds < 0) {
        rc_sqs_error(call, RC_SQS_ERR_VALUE);
        return;
    }
    code = handle != NULL ? rc_sim_sqs_visibility(q->sqs, call->now_ms, handle, seconds * 1000)
                          : RC_SIM_SQS_BAD_HANDLE;
    if (code != RC_SIM_SQS_OK)
        rc_sqs_error(call, error_of(code));
    else
        rc_call_answer_json(call, 200, NULL);
}

static bool
batch_id_ok(const char *id)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

    return id != NULL && *id != '\0' && strlen(id) <= 80 && strspn(id, letters) == strlen(id);
}

/* One to ten entries with good, different ids; otherwise the error is answered. */
static const cJSON *
batch_entries(struct rc_call *call, const cJSON *in)
{
    const cJSON *entries = cJSON_GetObjectItemCaseSensitive(in, "Entries");
    int count = cJSON_GetArraySize(entries);
    const cJSON *a;

    if (count == 0 || count > RC_SIM_SQS_BATCH_MAX) {
        rc_sqs_error(call, count == 0 ? RC_SQS_ERR_EMPTY_BATCH : RC_SQS_ERR_MANY);
        return NULL;
    }
    cJSON_ArrayForEach(a, entries)
    {
        const char *id = rc_sqs_text(a, "Id");

        if (!batch_id_ok(id)) {
            rc_sqs_error(call, RC_SQS_ERR_ID);
            return NULL;
        }
        for (const cJSON *b = a->next; b != NULL; b = b->next) {
            const char *other = rc_sqs_text(b, "Id");

            if (other != NULL && strcmp(other, id) == 0) {
                rc_sqs_error(call, RC_SQS_ERR_IDS);
                return NULL;
            }
        }
    }
    return entries;
}

static enum rc_sim_sqs_code
batch_one(struct rc_call *call, struct rc_world_queue *q, const cJSON *entry, cJSON *done)
{
    const char *handle = rc_sqs_text(entry, "ReceiptHandle");
    const char *body = rc_sqs_text(entry, "MessageBody");
    char id[RC_SIM_SQS_UUID_LEN] = "";
    enum rc_sim_sqs_code code;
    int64_t value = -1;
    char md5[33];

    if (strcmp(call->log.action, "SendMessageBatch") == 0) {
        if (body == NULL || !json_number(entry, "DelaySeconds", 0, 900, &value))
            return RC_SIM_SQS_TOO_LARGE;
        code = rc_sim_sqs_send(q->sqs, call->now_ms, body, strlen(body),
                               value < 0 ? -1 : value * 1000, id);
        md5_hex(body, strlen(body), md5);
        (void)cJSON_AddStringToObject(done, "MessageId", id);
        (void)cJSON_AddStringToObject(done, "MD5OfMessageBody", md5);
        return code;
    }
    if (handle == NULL)
        return RC_SIM_SQS_BAD_HANDLE;
    if (strcmp(call->log.action, "DeleteMessageBatch") == 0)
        return rc_sim_sqs_delete(q->sqs, call->now_ms, handle);
    if (!json_number(entry, "VisibilityTimeout", 0, 43200, &value) || value < 0)
        return RC_SIM_SQS_TOO_LONG;
    return rc_sim_sqs_visibility(q->sqs, call->now_ms, handle, value * 1000);
}

static void
sqs_batch(struct rc_call *call, const cJSON *in)
{
    struct rc_world_queue *q = rc_sqs_queue_of(call, in);
    const cJSON *entries = q != NULL ? batch_entries(call, in) : NULL;
    cJSON *out;
    cJSON *good;
    cJSON *bad;
    const cJSON *entry;

    if (entries == NULL)
        return;
    out = cJSON_CreateObject();
    good = cJSON_AddArrayToObject(out, "Successful");
    bad = cJSON_AddArrayToObject(out, "Failed");
    cJSON_ArrayForEach(entry, entries)
    {
        cJSON *row = cJSON_CreateObject();
        enum rc_sim_sqs_code code = batch_one(call, q, entry, row);
        const struct sqs_error *e = &errors[error_of(code)];

        (void)cJSON_AddStringToObject(row, "Id", rc_sqs_text(entry, "Id"));
        if (code != RC_SIM_SQS_OK) {
            (void)cJSON_AddStringToObject(row, "Code", strchr(e->type, '#') + 1);
            (void)cJSON_AddStringToObject(row, "Message", e->text);
            (void)cJSON_AddBoolToObject(row, "SenderFault", true);
        }
        (void)cJSON_AddItemToArray(code == RC_SIM_SQS_OK ? good : bad, row);
    }
    rc_call_answer_json(call, 200, out);
}

static const struct {
    const char *name;
    void (*run)(struct rc_call *call, const cJSON *in);
} operations[] = {
    {"ReceiveMessage", sqs_receive},
    {"DeleteMessage", sqs_delete},
    {"DeleteMessageBatch", sqs_batch},
    {"ChangeMessageVisibility", sqs_visibility},
    {"ChangeMessageVisibilityBatch", sqs_batch},
    {"SendMessage", sqs_send},
    {"SendMessageBatch", sqs_batch},
    {"GetQueueAttributes", rc_sqs_attributes},
    {"SetQueueAttributes", rc_sqs_set_attributes},
    {"GetQueueUrl", rc_sqs_queue_url},
    {"CreateQueue", rc_sqs_queue_url},
    {"ListQueues", rc_sqs_list},
    {"PurgeQueue", rc_sqs_purge},
};

void
rc_sqs_wire(struct rc_call *call)
{
    cJSON *in = cJSON_ParseWithLength(call->body, call->body_len);

    if (rc_call_fault(call, call->log.action)) {
        char type[RC_CODE_LEN + 32];
        char query[RC_CODE_LEN + 16];

        (void)snprintf(type, sizeof(type), "com.amazonaws.sqs#%s", call->fault.code);
        (void)snprintf(query, sizeof(query), "%s;Sender", call->fault.code);
        sqs_error_text(call, type, query, (int)call->fault.status, "A fault that was asked for.");
        cJSON_Delete(in);
        return;
    }
    if (!cJSON_IsObject(in)) {
        sqs_error_text(call, "com.amazon.coral.service#SerializationException",
                       "MalformedInput;Sender", 400, "The body is not a JSON object.");
        cJSON_Delete(in);
        return;
    }
    for (unsigned i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (strcmp(operations[i].name, call->log.action) != 0)
            continue;
        operations[i].run(call, in);
        cJSON_Delete(in);
        return;
    }
    cJSON_Delete(in);
    rc_sqs_error(call, RC_SQS_ERR_ACTION);
}

void
rc_sqs_refuse(struct rc_call *call, enum rc_sigv4_verdict verdict)
{
    const char *code = "SignatureDoesNotMatch";
    const char *text = "The request signature we calculated does not match the signature you "
                       "provided. Check your AWS Secret Access Key and signing method.";
    char type[96];
    char query[96];
    int status = 403;

    if (verdict == RC_SIGV4_MISSING || verdict == RC_SIGV4_MALFORMED) {
        code = verdict == RC_SIGV4_MISSING ? "MissingAuthenticationToken" : "IncompleteSignature";
        text = "The request has no valid signature.";
        status = verdict == RC_SIGV4_MISSING ? 403 : 400;
    } else if (verdict == RC_SIGV4_UNKNOWN_KEY) {
        code = "InvalidClientTokenId";
        text = "The security token included in the request is invalid.";
    } else if (verdict == RC_SIGV4_EXPIRED) {
        code = "ExpiredToken";
        text = "The security token included in the request is expired";
    } else if (verdict == RC_SIGV4_SKEWED) {
        code = "RequestExpired";
        text = "Request timestamp is too skewed";
        status = 400;
    }
    (void)snprintf(type, sizeof(type), "com.amazon.coral.service#%s", code);
    (void)snprintf(query, sizeof(query), "%s;Sender", code);
    sqs_error_text(call, type, query, status, text);
}
