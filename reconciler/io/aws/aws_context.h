/* aws_context.h - the inside of struct rc_aws, for the files of this room only. */
#ifndef RC_AWS_CONTEXT_H
#define RC_AWS_CONTEXT_H

#include "reconciler/io/aws/aws.h"
#include "reconciler/io/aws/aws_retry.h"

struct rc_aws_call;

struct rc_aws_op_row {
    const char *name;
    int64_t attempt_ms;
    int64_t deadline_ms;
    enum rc_aws_service service;
    bool repeatable;
    bool leader;
};

struct rc_aws {
    struct event_base *base;
    struct rc_http *http;
    struct rc_credential_chain *chain;
    struct rc_aws_retry retry;
    struct rc_endpoint endpoint[RC_AWS_SERVICE__MAX];
    int64_t skew_ms[RC_AWS_SERVICE__MAX]; /* service clock minus ours */
    struct rc_aws_counters counters[RC_AWS_OP__MAX];
    struct rc_aws_call *calls; /* in flight, doubly linked by request.c */
    rc_aws_log_fn *log;
    void *log_arg;
    int64_t leader_timeout_ms;
    bool (*may_send)(void *arg);
    void *may_send_arg;
    char *region;
    char *cluster;
    char *connect_to;
};

const struct rc_aws_op_row *rc_aws_op_row(enum rc_aws_op op);

#endif
