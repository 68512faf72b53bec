/* aws.h - the context of every AWS call: who we are, where to, how patiently.
 *
 * One context holds one connection pool, one credential chain, the retry token
 * bucket and the clock skew of each service. Single-threaded, on one event base. */
#ifndef RC_AWS_H
#define RC_AWS_H

#include <stdbool.h>
#include <stdint.h>

#include "reconciler/io/aws/credentials.h"
#include "reconciler/io/aws/endpoint.h"
#include "reconciler/io/fail.h"

struct event_base;
struct rc_http;
struct rc_aws;

/* Every operation. repeatable=0: not sent again once the first may have reached
 * the service, because a second one would act twice. leader=1: only a daemon that leads
 * may send it (rc_aws_options.may_send), also when it is tried again.
 * X(enum, service, name, attempt time-out ms, overall deadline ms, repeatable, leader) */
/* clang-format off */
#define RC_AWS_OPS(X) \
    X(RC_AWS_RECEIVE,        RC_AWS_SQS, "ReceiveMessage",              30000,  60000, 1, 1) \
    X(RC_AWS_DELETE_BATCH,   RC_AWS_SQS, "DeleteMessageBatch",          10000,  60000, 1, 1) \
    X(RC_AWS_VISIBILITY,     RC_AWS_SQS, "ChangeMessageVisibilityBatch",10000,  30000, 1, 1) \
    X(RC_AWS_SEND,           RC_AWS_SQS, "SendMessage",                 10000,  30000, 1, 1) \
    X(RC_AWS_QUEUE_ATTRIBUTES,RC_AWS_SQS,"GetQueueAttributes",          10000,  30000, 1, 0) \
    X(RC_AWS_RUN,            RC_AWS_EC2, "RunInstances",                60000, 180000, 1, 1) \
    X(RC_AWS_DESCRIBE,       RC_AWS_EC2, "DescribeInstances",           30000,  90000, 1, 0) \
    X(RC_AWS_STATUS,         RC_AWS_EC2, "DescribeInstanceStatus",      30000,  90000, 1, 0) \
    X(RC_AWS_STOP,           RC_AWS_EC2, "StopInstances",               30000,  90000, 1, 1) \
    X(RC_AWS_START,          RC_AWS_EC2, "StartInstances",              30000,  90000, 1, 1) \
    X(RC_AWS_REBOOT,         RC_AWS_EC2, "RebootInstances",             30000,  90000, 0, 1) \
    X(RC_AWS_TERMINATE,      RC_AWS_EC2, "TerminateInstances",          30000,  90000, 1, 1) \
    X(RC_AWS_TAG,            RC_AWS_EC2, "CreateTags",                  30000,  90000, 1, 1) \
    X(RC_AWS_CONSOLE,        RC_AWS_EC2, "GetConsoleOutput",            30000,  60000, 1, 0) \
    X(RC_AWS_GET_ITEM,       RC_AWS_DYNAMODB, "GetItem",                 3000,  10000, 1, 0) \
    X(RC_AWS_PUT_ITEM,       RC_AWS_DYNAMODB, "PutItem",                 3000,  10000, 1, 0) \
    X(RC_AWS_QUERY,          RC_AWS_DYNAMODB, "Query",                   5000,  15000, 1, 0) \
    X(RC_AWS_TRANSACT_WRITE, RC_AWS_DYNAMODB, "TransactWriteItems",      5000,  15000, 1, 0) \
    X(RC_AWS_PUT_METRICS,    RC_AWS_CLOUDWATCH, "PutMetricData",         5000,  15000, 1, 0) \
    X(RC_AWS_PUT_OBJECT,     RC_AWS_S3, "PutObject",                    60000, 180000, 1, 0)
/* clang-format on */

enum rc_aws_op {
#define RC_AWS_OP_ENUM(op, service, name, attempt, deadline, repeatable, leader) op,
    RC_AWS_OPS(RC_AWS_OP_ENUM)
#undef RC_AWS_OP_ENUM
        RC_AWS_OP__MAX
};

const char *rc_aws_op_name(enum rc_aws_op op);            /* "RunInstances" */
enum rc_aws_service rc_aws_op_service(enum rc_aws_op op); /* RC_AWS_EC2 */

/* One attempt that ended, or a call that is given up before one. For the log:
 * nothing in it is secret. Borrowed during the hook. */
struct rc_aws_attempt {
    enum rc_aws_op op;
    uint32_t attempt; /* 1 = first */
    long status;      /* HTTP, 0 = none */
    int64_t duration_ms;
    int64_t retry_in_ms;          /* -1 = this was the last one */
    const struct rc_error *error; /* error->code RC_OK on success */
    const char *request_id;       /* AWS's, "" when not told */
};
typedef void(rc_aws_log_fn)(const struct rc_aws_attempt *attempt, void *arg);

/* Counters of one operation since the start; they only grow, but in_flight. */
struct rc_aws_counters {
    uint64_t calls; /* ended, well or not */
    uint64_t attempts;
    uint64_t retries;
    uint64_t throttled;   /* attempts answered by throttling */
    uint64_t failed;      /* calls that ended with an error */
    uint64_t duration_ms; /* sum over attempts */
    uint64_t in_flight;
};

/* 0 in a field means its default. */
struct rc_aws_retry_options {
    uint32_t attempts_max;   /* 3, the first one included */
    int64_t backoff_base_ms; /* 1000: full jitter over base * 2^n … */
    int64_t backoff_max_ms;  /* … up to 20,000 */
    uint32_t tokens;         /* 500, shared by all calls of the context */
    uint64_t seed;           /* of the jitter; 0 = from the kernel */
};

/* Strings are copied. */
struct rc_aws_options {
    const char *region;     /* NULL = AWS_REGION, then AWS_DEFAULT_REGION */
    const char *cluster;    /* value of the tag slurm-on-aws:cluster */
    const char *connect_to; /* "HOST:PORT:TO-HOST:TO-PORT"; the signature stays for the real host */
    struct rc_endpoint_options endpoints;
    struct rc_credential_options credentials;
    struct rc_aws_retry_options retry;
    /* Of calls that only a leader may send: one exchange at most, 0 = as the table says. A
     * successor waits so long after the lease has ended. */
    int64_t leader_timeout_ms;
    rc_aws_log_fn *log; /* may be NULL */
    void *log_arg;
    /* Asked right before such a request is written to the network; NULL = always. */
    bool (*may_send)(void *arg);
    void *may_send_arg;
};

/* NULL and *error (RC_E_INVALID: no region, bad override) on failure. No traffic yet. */
struct rc_aws *rc_aws_new(struct event_base *base, const struct rc_aws_options *options,
                          struct rc_error *error);
/* Cancels every call; their callbacks never come. Not from inside one. */
void rc_aws_free(struct rc_aws *aws);

const char *rc_aws_region(const struct rc_aws *aws);
const char *rc_aws_cluster(const struct rc_aws *aws);
struct rc_http *rc_aws_http(struct rc_aws *aws);
struct rc_credential_chain *rc_aws_credentials(struct rc_aws *aws);
const struct rc_aws_counters *rc_aws_counters(const struct rc_aws *aws, enum rc_aws_op op);
int64_t rc_aws_skew_ms(const struct rc_aws *aws, enum rc_aws_service service);
uint32_t rc_aws_retry_tokens(const struct rc_aws *aws); /* left in the bucket */

#endif
