/* request.c - see request.h.
 *
 * A call goes round: wait for credentials, sign, send, judge; then it ends or
 * pauses and goes round again. One timer per call carries its only wait that is
 * not curl's: the pause, the deadline while credentials are fetched, or the
 * delivery of a failure that was met before anything could be sent. */
#define _GNU_SOURCE
#include "reconciler/io/aws/request.h"

#include <assert.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/aws/aws_context.h"
#include "reconciler/io/aws/aws_errors.h"
#include "reconciler/io/aws/aws_time.h"
#include "reconciler/io/aws/http.h"
#include "reconciler/io/aws/sigv4.h"

enum {
    /* AWS refuses requests 5 to 15 minutes off, by service; a smaller difference is not the cause.
     */
    SKEW_MIN_MS = 240000,
    RETRY_AFTER_MAX_MS = 300000,
    HEADERS_MAX = 9,
    REQUEST_ID_LEN = 80
};

struct protocol {
    const char *content_type; /* NULL = each request has its own */
    const char *target;       /* prefix of X-Amz-Target; NULL = none */
};

/* botocore, service-2.json of each: protocol and targetPrefix. */
static const struct protocol protocols[] = {
    [RC_AWS_EC2] = {"application/x-www-form-urlencoded; charset=utf-8", NULL},
    [RC_AWS_SQS] = {"application/x-amz-json-1.0", "AmazonSQS"},
    [RC_AWS_DYNAMODB] = {"application/x-amz-json-1.0", "DynamoDB_20120810"},
    [RC_AWS_CLOUDWATCH] = {"application/x-amz-json-1.0", "GraniteServiceVersion20100801"},
    [RC_AWS_STS] = {"application/x-www-form-urlencoded; charset=utf-8", NULL},
    [RC_AWS_S3] = {NULL, NULL},
};

_Static_assert(sizeof protocols / sizeof *protocols == RC_AWS_SERVICE__MAX, "a row per service");

struct rc_aws_call {
    struct rc_aws *aws;
    struct rc_aws_call *prev, *next;
    const struct rc_aws_op_row *row;
    enum rc_aws_op op;
    struct event *timer;
    struct rc_http_call *http;
    char *body;
    size_t body_len;
    char *url, *host, *path, *content_type; /* of a place; NULL = the endpoint's */
    rc_aws_check_fn *check;
    rc_aws_reply_fn *fn;
    void (*on_cancel)(void *arg);
    void *arg;
    int64_t attempt_ms;
    int64_t deadline_mono_ms;
    int64_t retry_after_ms;
    uint32_t attempts;
    uint32_t price; /* tokens that the last retry took */
    bool waiting;   /* for credentials */
    bool failing;   /* the timer delivers error */
    bool refreshed; /* credentials were refused once */
    bool clock_corrected;
    bool finishing;
    char *refused_key; /* access key and token that were refused */
    struct rc_error error;
    char request_id[REQUEST_ID_LEN];
};

static void send_attempt(struct rc_aws_call *call);

static void
free_aws_call(struct rc_aws_call *call)
{
    if (call->timer) {
        event_free(call->timer);
    }
    free(call->refused_key);
    free(call->body);
    free(call->url);
    free(call->host);
    free(call->path);
    free(call->content_type);
    free(call);
}

static void
unlink_aws_call(struct rc_aws_call *call)
{
    if (call->prev) {
        call->prev->next = call->next;
    } else {
        call->aws->calls = call->next;
    }
    if (call->next) {
        call->next->prev = call->prev;
    }
    call->aws->counters[call->op].in_flight--;
}

static void
report_attempt(struct rc_aws_call *call, long status, int64_t duration_ms, int64_t retry_in_ms)
{
    struct rc_aws_attempt attempt = {
        .op = call->op,
        .attempt = call->attempts,
        .status = status,
        .duration_ms = duration_ms,
        .retry_in_ms = retry_in_ms,
        .error = &call->error,
        .request_id = call->request_id,
    };

    if (call->aws->log) {
        call->aws->log(&attempt, call->aws->log_arg);
    }
}

/* From the event loop only. */
static void
finish_aws_call(struct rc_aws_call *call, long status, const char *body, size_t body_len)
{
    struct rc_aws_counters *counters = &call->aws->counters[call->op];
    struct rc_aws_reply reply = {
        .error = call->error,
        .status = status,
        .body = body,
        .body_len = body_len,
        .attempts = call->attempts,
        .retry_after_ms = call->retry_after_ms,
        .request_id = call->request_id,
    };

    counters->calls++;
    counters->failed += call->error.code != RC_OK;
    unlink_aws_call(call);
    call->finishing = true;
    call->fn(&reply, call->arg);
    free_aws_call(call);
}

/* Nothing could be sent: told from the event loop like every other end. */
static void
fail_call_later(struct rc_aws_call *call)
{
    assert(call->error.code != RC_OK);
    call->failing = true;
    event_active(call->timer, EV_TIMEOUT, 0);
}

static void
arm_call_timer(struct rc_aws_call *call, int64_t ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};

    event_add(call->timer, &tv);
}

static void
on_call_timer(evutil_socket_t fd, short what, void *arg)
{
    struct rc_aws_call *call = arg;

    (void)fd;
    (void)what;
    if (call->waiting) {
        rc_credentials_forget(call->aws->chain, call);
        call->waiting = false;
        call->failing = true;
        rc_fail(&call->error, RC_E_TIMEOUT, "no credentials within the deadline");
    }
    if (call->failing) {
        report_attempt(call, 0, 0, -1);
        finish_aws_call(call, 0, "", 0);
        return;
    }
    send_attempt(call);
}

/* Milliseconds that the service asks us to wait; 0 when it does not. */
static int64_t
read_retry_after(const struct rc_http_response *response)
{
    char value[64];
    int64_t ms, date_ms;

    if (rc_http_header(response, "x-amz-retry-after", value, sizeof value) && *value) {
        ms = strtoll(value, NULL, 10);
    } else if (!rc_http_header(response, "retry-after", value, sizeof value) || !*value) {
        return 0;
    } else if (rc_aws_time_http(value, &date_ms)) {
        ms = date_ms - rc_aws_wall_ms();
    } else {
        int64_t seconds = strtoll(value, NULL, 10);
        ms = seconds > RETRY_AFTER_MAX_MS / 1000 ? RETRY_AFTER_MAX_MS : seconds * 1000;
    }
    return ms < 0 ? 0 : ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : ms;
}

/* True when the Date header shows our clock wrong; it is corrected then. */
static bool
correct_clock(struct rc_aws_call *call, const struct rc_http_response *response)
{
    int64_t *skew_ms = &call->aws->skew_ms[call->row->service];
    char value[64];
    int64_t date_ms;

    if (!rc_http_header(response, "date", value, sizeof value) ||
        !rc_aws_time_http(value, &date_ms)) {
        return false;
    }
    int64_t off_ms = date_ms - (rc_aws_wall_ms() + *skew_ms);
    if (off_ms > -SKEW_MIN_MS && off_ms < SKEW_MIN_MS) {
        return false;
    }
    *skew_ms += off_ms;
    return true;
}

/* Refused for credentials or clock: repairs the cause, once each. EC2 says
 * RequestExpired for old credentials too, so the code does not tell them apart. */
static bool
repair_identity(struct rc_aws_call *call, const struct rc_http_response *response)
{
    const struct rc_credentials *used;

    if (!call->clock_corrected && correct_clock(call, response)) {
        call->clock_corrected = true;
        return true;
    }
    used = rc_credentials_now(call->aws->chain);
    if (call->refreshed || !used) {
        return false;
    }
    call->refreshed = true;
    if (asprintf(&call->refused_key, "%s %s", used->access_key, used->token ? used->token : "") <
        0) {
        call->refused_key = NULL;
        return false;
    }
    rc_credentials_refuse(call->aws->chain, used->access_key);
    return true;
}

/* Pause before the next attempt, or -1: the call ends here. */
static int64_t
next_delay_ms(struct rc_aws_call *call, const struct rc_http_response *response)
{
    struct rc_aws_retry *retry = &call->aws->retry;
    enum rc_err err = call->error.code;
    int64_t delay_ms = 0;

    if (err == RC_OK || call->attempts >= retry->options.attempts_max) {
        return -1;
    }
    if (rc_err_retry(err) == RC_RETRY_REFRESH) {
        return repair_identity(call, response) ? 0 : -1;
    }
    if (!rc_aws_error_retryable(err) ||
        (!call->row->repeatable && err != RC_E_THROTTLED && response->may_have_reached)) {
        return -1;
    }
    delay_ms = rc_aws_retry_delay_ms(retry, call->attempts);
    if (delay_ms < call->retry_after_ms) {
        delay_ms = call->retry_after_ms;
    }
    if (rc_aws_mono_ms() + delay_ms >= call->deadline_mono_ms) {
        return -1;
    }
    call->price = rc_aws_retry_take(retry, err == RC_E_TIMEOUT);
    return call->price ? delay_ms : -1;
}

static void
judge_reply(struct rc_aws_call *call, const struct rc_http_response *response)
{
    char type[128];

    if (response->error.code != RC_OK) {
        call->error = response->error;
    } else if (rc_aws_error_of_status(response->status) == RC_OK) {
        memset(&call->error, 0, sizeof call->error);
        if (call->check) {
            call->check(response->body, response->body_len, &call->error);
        }
    } else {
        rc_http_header(response, "x-amzn-errortype", type, sizeof type);
        rc_aws_error_read(response->status, type, response->body, response->body_len, &call->error);
    }
    call->retry_after_ms = call->error.code == RC_OK ? 0 : read_retry_after(response);
    if (!rc_http_header(response, "x-amzn-requestid", call->request_id, sizeof call->request_id)) {
        rc_http_header(response, "x-amz-request-id", call->request_id, sizeof call->request_id);
    }
}

static void
on_response(const struct rc_http_response *response, void *arg)
{
    struct rc_aws_call *call = arg;
    struct rc_aws_counters *counters = &call->aws->counters[call->op];
    int64_t delay_ms;

    call->http = NULL;
    judge_reply(call, response);
    counters->duration_ms += (uint64_t)response->duration_ms;
    counters->throttled += call->error.code == RC_E_THROTTLED;
    delay_ms = next_delay_ms(call, response);
    report_attempt(call, response->status, response->duration_ms, delay_ms);
    if (delay_ms < 0) {
        if (call->error.code == RC_OK) {
            rc_aws_retry_give(&call->aws->retry, call->price);
        }
        finish_aws_call(call, response->status, response->body, response->body_len);
        return;
    }
    counters->retries++;
    call->retry_after_ms = 0;
    arm_call_timer(call, delay_ms);
}

static const char *
host_of(const struct rc_aws_call *call)
{
    return call->host ? call->host : call->aws->endpoint[call->row->service].host;
}

static const char *
type_of(const struct rc_aws_call *call)
{
    return call->content_type ? call->content_type : protocols[call->row->service].content_type;
}

/* The headers that are signed, then those that carry the signature. */
static enum rc_err
sign_call(struct rc_aws_call *call, const struct rc_credentials *credentials, struct rc_sigv4 *ret,
          struct rc_error *error)
{
    const struct protocol *protocol = &protocols[call->row->service];
    const struct rc_endpoint *endpoint = &call->aws->endpoint[call->row->service];
    bool s3 = call->row->service == RC_AWS_S3; /* signs paths as they stand, and the body's hash */
    char target[128];
    struct rc_sigv4_header headers[] = {
        {"Host", host_of(call)},
        {"Content-Type", type_of(call)},
        {"X-Amz-Target", target},
    };
    struct rc_sigv4_request request = {
        .method = call->url ? "PUT" : "POST",
        .path = call->path ? call->path : endpoint->path,
        .headers = headers,
        .header_count = protocol->target ? 3 : 2,
        .body = call->body,
        .body_len = call->body_len,
    };
    struct rc_sigv4_options options = {
        .credentials = credentials,
        .region = call->aws->region,
        .service = rc_aws_signing_name(call->row->service),
        .wall_ms = rc_aws_wall_ms(),
        .skew_ms = call->aws->skew_ms[call->row->service],
        .normalize = !s3,
        .double_encode = !s3,
        .sign_body = s3,
    };

    snprintf(target, sizeof target, "%s.%s", protocol->target ? protocol->target : "",
             call->row->name);
    return rc_sigv4_sign(&request, &options, ret, error);
}

static enum rc_err
start_http(struct rc_aws_call *call, const char *const *headers, size_t count,
           struct rc_error *error)
{
    int64_t left_ms = call->deadline_mono_ms - rc_aws_mono_ms();
    struct rc_http_request request = {
        .method = call->url ? "PUT" : "POST",
        .url = call->url ? call->url : call->aws->endpoint[call->row->service].url,
        .headers = headers,
        .header_count = count,
        .body = call->body,
        .body_len = call->body_len,
        .connect_to = call->aws->connect_to,
        .timeout_ms = left_ms < call->attempt_ms ? left_ms : call->attempt_ms,
        .once = !call->row->repeatable,
        .may_send = call->row->leader ? call->aws->may_send : NULL,
        .may_send_arg = call->aws->may_send_arg,
    };

    if (left_ms <= 0) {
        return rc_fail(error, RC_E_TIMEOUT, "the deadline passed before an attempt could start");
    }
    return rc_http_start(call->aws->http, &request, on_response, call, &call->http, error);
}

struct lines {
    char *v[HEADERS_MAX];
    size_t count;
    bool failed;
};

static void __attribute__((format(printf, 2, 3)))
add_header_line(struct lines *lines, const char *fmt, ...)
{
    va_list ap;

    assert(lines->count < HEADERS_MAX);
    va_start(ap, fmt);
    if (vasprintf(&lines->v[lines->count], fmt, ap) < 0) {
        lines->failed = true;
    } else {
        lines->count++;
    }
    va_end(ap);
}

static enum rc_err
sign_and_send(struct rc_aws_call *call, const struct rc_credentials *credentials,
              struct rc_error *error)
{
    const struct protocol *protocol = &protocols[call->row->service];
    struct lines lines = {0};
    struct rc_sigv4 sig;

    enum rc_err err = sign_call(call, credentials, &sig, error);
    if (err != RC_OK) {
        return err;
    }
    add_header_line(&lines, "Host: %s", host_of(call));
    add_header_line(&lines, "Content-Type: %s", type_of(call));
    add_header_line(&lines, "X-Amz-Date: %s", sig.date);
    add_header_line(&lines, "Authorization: %s", sig.authorization);
    add_header_line(&lines, "User-Agent: slurm-on-aws");
    if (call->row->service == RC_AWS_S3) {
        add_header_line(&lines, "X-Amz-Content-Sha256: %s", sig.payload);
    }
    if (protocol->target) {
        add_header_line(&lines, "X-Amz-Target: %s.%s", protocol->target, call->row->name);
    }
    if (credentials->token && *credentials->token) {
        add_header_line(&lines, "X-Amz-Security-Token: %s", credentials->token);
    }
    err = lines.failed ? rc_fail(error, RC_E_INTERNAL, "out of memory for a request")
                       : start_http(call, (const char *const *)lines.v, lines.count, error);
    for (size_t i = 0; i < lines.count; i++) {
        free(lines.v[i]);
    }
    rc_sigv4_done(&sig);
    return err;
}

static void
on_credentials(const struct rc_error *error, void *arg)
{
    struct rc_aws_call *call = arg;

    call->waiting = false;
    event_del(call->timer);
    if (error->code != RC_OK) {
        call->error = *error;
        fail_call_later(call);
        return;
    }
    send_attempt(call);
}

/* The refused ones came back: asking again would only be refused again. */
static bool
is_refused(const struct rc_aws_call *call, const struct rc_credentials *credentials)
{
    size_t key_len = strlen(credentials->access_key);
    const char *token = credentials->token ? credentials->token : "";

    return call->refused_key && strncmp(call->refused_key, credentials->access_key, key_len) == 0 &&
           call->refused_key[key_len] == ' ' && strcmp(call->refused_key + key_len + 1, token) == 0;
}

static void
send_attempt(struct rc_aws_call *call)
{
    const struct rc_credentials *credentials = rc_credentials_now(call->aws->chain);
    struct rc_error error = {0};

    if (!credentials) {
        int64_t left_ms = call->deadline_mono_ms - rc_aws_mono_ms();
        if (rc_credentials_wait(call->aws->chain, on_credentials, call) != RC_OK) {
            rc_fail(&call->error, RC_E_INTERNAL, "out of memory while waiting for credentials");
            fail_call_later(call);
            return;
        }
        call->waiting = true;
        arm_call_timer(call, left_ms > 0 ? left_ms : 0);
        return;
    }
    if (is_refused(call, credentials)) {
        fail_call_later(call);
        return;
    }
    memset(&call->error, 0, sizeof call->error);
    if (sign_and_send(call, credentials, &error) != RC_OK) {
        call->error = error;
        fail_call_later(call);
        return;
    }
    call->attempts++;
    call->aws->counters[call->op].attempts++;
}

static bool
copy_place(struct rc_aws_call *call, const struct rc_aws_place *place)
{
    if (place) {
        call->url = strdup(place->url);
        call->host = strdup(place->host);
        call->path = strdup(place->path);
        call->content_type = strdup(place->content_type);
    }
    return !place || (call->url && call->host && call->path && call->content_type);
}

enum rc_err
rc_aws_start(struct rc_aws *aws, const struct rc_aws_request *request, rc_aws_reply_fn *fn,
             void *arg, struct rc_aws_call **ret_call)
{
    const struct rc_aws_op_row *row = rc_aws_op_row(request->op);
    struct rc_aws_call *call = calloc(1, sizeof *call);

    if (!call) {
        return RC_E_INTERNAL;
    }
    *call = (struct rc_aws_call){
        .aws = aws,
        .row = row,
        .op = request->op,
        .check = request->check,
        .fn = fn,
        .on_cancel = request->on_cancel,
        .arg = arg,
        .body_len = request->body_len,
        .attempt_ms = request->attempt_timeout_ms ? request->attempt_timeout_ms : row->attempt_ms,
        .deadline_mono_ms =
            rc_aws_mono_ms() + (request->deadline_ms ? request->deadline_ms : row->deadline_ms),
    };
    if (row->leader && !request->attempt_timeout_ms && aws->leader_timeout_ms &&
        call->attempt_ms > aws->leader_timeout_ms) {
        call->attempt_ms = aws->leader_timeout_ms;
    }
    call->timer = evtimer_new(aws->base, on_call_timer, call);
    call->body = malloc(request->body_len + 1);
    if (!call->timer || !call->body || !copy_place(call, request->place)) {
        free_aws_call(call);
        return RC_E_INTERNAL;
    }
    memcpy(call->body, request->body, request->body_len);
    call->next = aws->calls;
    if (call->next) {
        call->next->prev = call;
    }
    aws->calls = call;
    aws->counters[call->op].in_flight++;
    if (ret_call) {
        *ret_call = call;
    }
    send_attempt(call);
    return RC_OK;
}

void
rc_aws_cancel(struct rc_aws_call *call)
{
    if (!call || call->finishing) {
        return;
    }
    rc_http_cancel(call->http);
    if (call->waiting) {
        rc_credentials_forget(call->aws->chain, call);
    }
    unlink_aws_call(call);
    if (call->on_cancel) {
        call->on_cancel(call->arg);
    }
    free_aws_call(call);
}
