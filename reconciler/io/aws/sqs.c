/* sqs.c - see sqs.h. The bodies are in sqs_json.c; here is only who called. */
#define _GNU_SOURCE
#include "reconciler/io/aws/sqs.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/aws/sqs_json.h"

enum {
    RECEIVE_GRACE_MS = 10000, /* beyond the long poll, for the answer to come */
    DELAY_MAX_S = 900,
    MESSAGE_ID_LEN = 128
};

/* Who waits for a reply. */
struct asked {
    union {
        rc_sqs_receive_fn *receive;
        rc_sqs_batch_fn *batch;
        rc_sqs_sent_fn *sent;
        rc_sqs_attributes_fn *attributes;
    } fn;
    void *arg;
    uint32_t count;
};

/* Starts a request; body is consumed, asked is copied. The copy is freed by the
 * reply's function, or when the call is cancelled. */
static enum rc_err
start_sqs_call(struct rc_aws *aws, struct rc_aws_request *request, struct rc_aws_buf *body,
               const struct asked *asked, rc_aws_reply_fn *fn, struct rc_aws_call **ret_call)
{
    struct asked *copy = malloc(sizeof *copy);
    enum rc_err err = RC_E_INTERNAL;

    if (copy && !body->failed) {
        *copy = *asked;
        request->body = body->p;
        request->body_len = body->len;
        request->check = rc_sqs_json_check;
        request->on_cancel = free;
        err = rc_aws_start(aws, request, fn, copy, ret_call);
    }
    if (err != RC_OK) {
        free(copy);
    }
    rc_aws_buf_done(body);
    return err;
}

static void
on_messages_reply(const struct rc_aws_reply *reply, void *arg)
{
    struct asked *asked = arg;
    struct rc_sqs_received received = {.error = reply->error};
    cJSON *tree = NULL;

    if (reply->error.code == RC_OK) {
        rc_sqs_json_read_messages(reply->body, reply->body_len, &received, &tree);
    }
    asked->fn.receive(&received, asked->arg);
    cJSON_Delete(tree);
    free(asked);
}

enum rc_err
rc_sqs_receive(struct rc_aws *aws, const char *queue_url,
               const struct rc_sqs_receive_options *options, rc_sqs_receive_fn *fn, void *arg,
               struct rc_aws_call **ret_call)
{
    struct asked asked = {.fn.receive = fn, .arg = arg};
    struct rc_aws_buf body = {0};
    struct rc_aws_request request = {
        .op = RC_AWS_RECEIVE,
        .attempt_timeout_ms = (int64_t)options->wait_s * 1000 + RECEIVE_GRACE_MS,
    };

    if (options->max > RC_SQS_BATCH_MAX || options->wait_s > RC_SQS_WAIT_MAX_S ||
        options->visibility_s > RC_SQS_VISIBILITY_MAX_S) {
        return RC_E_INVALID;
    }
    rc_sqs_json_receive(&body, queue_url, options);
    return start_sqs_call(aws, &request, &body, &asked, on_messages_reply, ret_call);
}

static void
on_batch_reply(const struct rc_aws_reply *reply, void *arg)
{
    struct asked *asked = arg;
    struct rc_sqs_batch batch = {.error = reply->error, .count = asked->count};

    if (reply->error.code == RC_OK) {
        rc_sqs_json_read_batch(reply->body, reply->body_len, &batch);
    }
    for (uint32_t i = 0; batch.error.code != RC_OK && i < batch.count; i++) {
        batch.entry[i] = batch.error;
    }
    batch.failed = batch.error.code != RC_OK ? batch.count : batch.failed;
    asked->fn.batch(&batch, asked->arg);
    free(asked);
}

static enum rc_err
start_batch(struct rc_aws *aws, enum rc_aws_op op, const char *queue_url,
            const struct rc_sqs_entry *entries, const struct asked *asked)
{
    struct rc_aws_request request = {.op = op};
    struct rc_aws_buf body = {0};

    if (asked->count == 0 || asked->count > RC_SQS_BATCH_MAX) {
        return RC_E_INVALID;
    }
    for (uint32_t i = 0; i < asked->count; i++) {
        if (!entries[i].receipt || !*entries[i].receipt ||
            (op == RC_AWS_VISIBILITY && entries[i].visibility_s > RC_SQS_VISIBILITY_MAX_S)) {
            return RC_E_INVALID;
        }
    }
    rc_sqs_json_batch(&body, queue_url, entries, asked->count, op == RC_AWS_VISIBILITY);
    return start_sqs_call(aws, &request, &body, asked, on_batch_reply, NULL);
}

enum rc_err
rc_sqs_delete_batch(struct rc_aws *aws, const char *queue_url, const struct rc_sqs_entry *entries,
                    uint32_t count, rc_sqs_batch_fn *fn, void *arg)
{
    struct asked asked = {.fn.batch = fn, .arg = arg, .count = count};

    return start_batch(aws, RC_AWS_DELETE_BATCH, queue_url, entries, &asked);
}

enum rc_err
rc_sqs_change_visibility(struct rc_aws *aws, const char *queue_url,
                         const struct rc_sqs_entry *entries, uint32_t count, rc_sqs_batch_fn *fn,
                         void *arg)
{
    struct asked asked = {.fn.batch = fn, .arg = arg, .count = count};

    return start_batch(aws, RC_AWS_VISIBILITY, queue_url, entries, &asked);
}

static void
on_sent(const struct rc_aws_reply *reply, void *arg)
{
    struct asked *asked = arg;
    struct rc_error error = reply->error;
    char id[MESSAGE_ID_LEN] = "";

    if (error.code == RC_OK) {
        rc_sqs_json_read_sent(reply->body, reply->body_len, id, sizeof id, &error);
    }
    asked->fn.sent(&error, id, asked->arg);
    free(asked);
}

enum rc_err
rc_sqs_send(struct rc_aws *aws, const char *queue_url, const char *text, uint32_t delay_s,
            rc_sqs_sent_fn *fn, void *arg)
{
    struct asked asked = {.fn.sent = fn, .arg = arg};
    struct rc_aws_request request = {.op = RC_AWS_SEND};
    struct rc_aws_buf body = {0};

    if (!*text || delay_s > DELAY_MAX_S) {
        return RC_E_INVALID;
    }
    rc_sqs_json_send(&body, queue_url, text, delay_s);
    return start_sqs_call(aws, &request, &body, &asked, on_sent, NULL);
}

static void
on_attributes(const struct rc_aws_reply *reply, void *arg)
{
    struct asked *asked = arg;
    struct rc_sqs_attributes attributes = {.error = reply->error,
                                           .visible = -1,
                                           .not_visible = -1,
                                           .delayed = -1,
                                           .visibility_s = -1,
                                           .retention_s = -1};

    if (reply->error.code == RC_OK) {
        rc_sqs_json_read_attributes(reply->body, reply->body_len, &attributes);
    }
    asked->fn.attributes(&attributes, asked->arg);
    free(asked);
}

enum rc_err
rc_sqs_get_attributes(struct rc_aws *aws, const char *queue_url, rc_sqs_attributes_fn *fn,
                      void *arg)
{
    struct asked asked = {.fn.attributes = fn, .arg = arg};
    struct rc_aws_request request = {.op = RC_AWS_QUEUE_ATTRIBUTES};
    struct rc_aws_buf body = {0};

    rc_sqs_json_attributes(&body, queue_url);
    return start_sqs_call(aws, &request, &body, &asked, on_attributes, NULL);
}
