/* aws.c - see aws.h. */
#define _GNU_SOURCE
#include "reconciler/io/aws/aws.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/aws/aws_context.h"
#include "reconciler/io/aws/http.h"
#include "reconciler/io/aws/request.h"

#define OP_ROW(op, service, name, attempt, deadline, repeatable, leader)                           \
    [op] = {name, attempt, deadline, service, repeatable, leader},
static const struct rc_aws_op_row ops[] = {RC_AWS_OPS(OP_ROW)};
#undef OP_ROW

_Static_assert(sizeof ops / sizeof *ops == RC_AWS_OP__MAX, "a row per operation");

const struct rc_aws_op_row *
rc_aws_op_row(enum rc_aws_op op)
{
    assert((unsigned)op < RC_AWS_OP__MAX);
    return &ops[op];
}

const char *
rc_aws_op_name(enum rc_aws_op op)
{
    return rc_aws_op_row(op)->name;
}

enum rc_aws_service
rc_aws_op_service(enum rc_aws_op op)
{
    return rc_aws_op_row(op)->service;
}

static const char *
region_of(const struct rc_aws_options *options)
{
    if (options->region && *options->region) {
        return options->region;
    }
    const char *region = getenv("AWS_REGION");
    if (region && *region) {
        return region;
    }
    region = getenv("AWS_DEFAULT_REGION");
    return region ? region : "";
}

/* All at once, so that a wrong override is an error at the start and not in the first incident. */
static enum rc_err
resolve_endpoints(struct rc_aws *aws, const struct rc_aws_options *options, struct rc_error *error)
{
    for (unsigned i = 0; i < RC_AWS_SERVICE__MAX; i++) {
        enum rc_err err = rc_endpoint_resolve((enum rc_aws_service)i, aws->region,
                                              &options->endpoints, &aws->endpoint[i], error);
        if (err != RC_OK) {
            return err;
        }
    }
    return RC_OK;
}

static bool
copy_options(struct rc_aws *aws, const struct rc_aws_options *options)
{
    aws->region = strdup(region_of(options));
    aws->cluster = strdup(options->cluster ? options->cluster : "");
    aws->connect_to = strdup(options->connect_to ? options->connect_to : "");
    aws->log = options->log;
    aws->log_arg = options->log_arg;
    aws->leader_timeout_ms = options->leader_timeout_ms;
    aws->may_send = options->may_send;
    aws->may_send_arg = options->may_send_arg;
    rc_aws_retry_init(&aws->retry, &options->retry);
    return aws->region && aws->cluster && aws->connect_to;
}

struct rc_aws *
rc_aws_new(struct event_base *base, const struct rc_aws_options *options, struct rc_error *error)
{
    struct rc_aws *aws = calloc(1, sizeof *aws);

    if (!aws || !copy_options(aws, options)) {
        rc_fail(error, RC_E_INTERNAL, "out of memory for the AWS context");
        rc_aws_free(aws);
        return NULL;
    }
    aws->base = base;
    if (resolve_endpoints(aws, options, error) != RC_OK) {
        rc_aws_free(aws);
        return NULL;
    }
    aws->http = rc_http_new(base, NULL, error);
    if (!aws->http) {
        rc_aws_free(aws);
        return NULL;
    }
    aws->chain = rc_credential_chain_new(base, aws->http, &options->credentials);
    if (!aws->chain) {
        rc_fail(error, RC_E_INTERNAL, "out of memory for the credential chain");
        rc_aws_free(aws);
        return NULL;
    }
    return aws;
}

void
rc_aws_free(struct rc_aws *aws)
{
    if (!aws) {
        return;
    }
    while (aws->calls) {
        rc_aws_cancel(aws->calls);
    }
    rc_credential_chain_free(aws->chain);
    rc_http_free(aws->http);
    free(aws->region);
    free(aws->cluster);
    free(aws->connect_to);
    free(aws);
}

const char *
rc_aws_region(const struct rc_aws *aws)
{
    return aws->region;
}

const char *
rc_aws_cluster(const struct rc_aws *aws)
{
    return aws->cluster;
}

struct rc_http *
rc_aws_http(struct rc_aws *aws)
{
    return aws->http;
}

struct rc_credential_chain *
rc_aws_credentials(struct rc_aws *aws)
{
    return aws->chain;
}

const struct rc_aws_counters *
rc_aws_counters(const struct rc_aws *aws, enum rc_aws_op op)
{
    assert((unsigned)op < RC_AWS_OP__MAX);
    return &aws->counters[op];
}

int64_t
rc_aws_skew_ms(const struct rc_aws *aws, enum rc_aws_service service)
{
    assert((unsigned)service < RC_AWS_SERVICE__MAX);
    return aws->skew_ms[service];
}

uint32_t
rc_aws_retry_tokens(const struct rc_aws *aws)
{
    return aws->retry.tokens;
}
