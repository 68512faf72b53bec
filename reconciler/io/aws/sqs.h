/* sqs.h - Amazon SQS, JSON protocol 1.0: what a consumer needs.
 *
 * Facts from the SQS API Reference: at most 10 messages or entries a call; long
 * poll at most 20 s; a batch answers 200 although single entries failed; a
 * message invisible for 12 hours in all comes back whatever is asked. No reply,
 * however broken, is trusted or fatal: a message without body or receipt is
 * counted as unreadable and left in the queue. */
#ifndef RC_SQS_H
#define RC_SQS_H

#include <stddef.h>
#include <stdint.h>

#include "reconciler/io/aws/request.h"

enum { RC_SQS_BATCH_MAX = 10, RC_SQS_WAIT_MAX_S = 20, RC_SQS_VISIBILITY_MAX_S = 43200 };

struct rc_sqs_message {
    const char *id; /* "" when not told */
    const char *receipt;
    const char *body;
    size_t body_len;
    int64_t sent_ms;           /* SentTimestamp, wall clock; 0 = not told */
    int64_t first_received_ms; /* ApproximateFirstReceiveTimestamp; 0 = not told */
    uint32_t receives;         /* ApproximateReceiveCount; 0 = not told */
};

/* Borrowed: valid until the callback returns. */
struct rc_sqs_received {
    struct rc_error error;
    uint32_t count;
    uint32_t unreadable; /* entries that were no usable message */
    struct rc_sqs_message messages[RC_SQS_BATCH_MAX];
};

struct rc_sqs_receive_options {
    uint32_t max;          /* 1..10, 0 = 10 */
    uint32_t wait_s;       /* 0..20 */
    uint32_t visibility_s; /* 0 = as the queue says */
};

/* One entry of a batch. visibility_s is used by rc_sqs_change_visibility only; 0 gives it back. */
struct rc_sqs_entry {
    const char *receipt;
    uint32_t visibility_s;
};

/* error: of the call. entry[i] tells of the i-th entry: RC_OK, or why it failed:
 * the call's error, its own, or RC_E_UNKNOWN when the reply did not mention it. */
struct rc_sqs_batch {
    struct rc_error error;
    uint32_t count;
    uint32_t failed;
    struct rc_error entry[RC_SQS_BATCH_MAX];
};

struct rc_sqs_attributes {
    struct rc_error error;
    int64_t visible;      /* ApproximateNumberOfMessages; -1 = not told */
    int64_t not_visible;  /* ApproximateNumberOfMessagesNotVisible */
    int64_t delayed;      /* ApproximateNumberOfMessagesDelayed */
    int64_t visibility_s; /* VisibilityTimeout */
    int64_t retention_s;  /* MessageRetentionPeriod */
};

typedef void(rc_sqs_receive_fn)(const struct rc_sqs_received *received, void *arg);
typedef void(rc_sqs_batch_fn)(const struct rc_sqs_batch *batch, void *arg);
typedef void(rc_sqs_sent_fn)(const struct rc_error *error, const char *message_id, void *arg);
typedef void(rc_sqs_attributes_fn)(const struct rc_sqs_attributes *attributes, void *arg);

/* All: strings are copied; RC_OK means that fn comes later, exactly once, unless
 * *ret_call (may be NULL) is cancelled by rc_aws_cancel; RC_E_INVALID refuses
 * counts or times beyond the limits above. */
enum rc_err rc_sqs_receive(struct rc_aws *aws, const char *queue_url,
                           const struct rc_sqs_receive_options *options, rc_sqs_receive_fn *fn,
                           void *arg, struct rc_aws_call **ret_call);
enum rc_err rc_sqs_delete_batch(struct rc_aws *aws, const char *queue_url,
                                const struct rc_sqs_entry *entries, uint32_t count,
                                rc_sqs_batch_fn *fn, void *arg);
enum rc_err rc_sqs_change_visibility(struct rc_aws *aws, const char *queue_url,
                                     const struct rc_sqs_entry *entries, uint32_t count,
                                     rc_sqs_batch_fn *fn, void *arg);
enum rc_err rc_sqs_send(struct rc_aws *aws, const char *queue_url, const char *body,
                        uint32_t delay_s, rc_sqs_sent_fn *fn, void *arg);
enum rc_err rc_sqs_get_attributes(struct rc_aws *aws, const char *queue_url,
                                  rc_sqs_attributes_fn *fn, void *arg);

#endif
