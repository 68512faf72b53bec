/* imds.c - see imds.h.
 *
 * Calls that come while a token is fetched wait for it together. A call whose
 * GET is answered 401 drops the token and goes round once more. Faults that pass
 * (the service asks for a retry by 503) are met by two more tries after a pause;
 * no route to the service is none: this host is not on EC2, and waits for nothing. */
#define _GNU_SOURCE
#include "reconciler/io/aws/imds.h"

#include <cjson/cJSON.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reconciler/core/event.h"
#include "reconciler/io/aws/aws_errors.h"
#include "reconciler/io/aws/aws_time.h"
#include "reconciler/io/aws/http.h"

enum {
    TOKEN_TTL_S = 21600, /* the longest that is allowed */
    TOKEN_MARGIN_S = 60,
    TOKEN_LEN = 512,
    CONNECT_TIMEOUT_MS = 1000,
    TIMEOUT_MS = 3000,
    REPLY_MAX = 65536,
    TRIES_MAX = 3,
    PAUSE_MS = 200 /* doubled each time */
};

const char rc_imds_identity_path[] = "/latest/dynamic/instance-identity/document";

struct rc_imds {
    struct event_base *base;
    struct rc_http *http;
    char *endpoint;
    char token[TOKEN_LEN];
    int64_t token_until_mono_ms;
    struct rc_http_call *token_call;
    struct rc_imds_call *calls;
};

struct rc_imds_call {
    struct rc_imds *imds;
    struct rc_imds_call *prev, *next;
    struct rc_http_call *http;
    struct event *later; /* delivers a failure from the event loop, or tries again */
    char *path;
    rc_imds_fn *fn;
    void *arg;
    bool waiting; /* for the token */
    bool renewed; /* 401 was met once */
    bool pausing; /* before another try */
    int tries;
    bool finishing;
    struct rc_error error;
};

static void want_token(struct rc_imds *imds);
static void begin_imds_call(struct rc_imds_call *call);

static void
free_imds_call(struct rc_imds_call *call)
{
    if (call->later) {
        event_free(call->later);
    }
    free(call->path);
    free(call);
}

static void
unlink_imds_call(struct rc_imds_call *call)
{
    if (call->prev) {
        call->prev->next = call->next;
    } else {
        call->imds->calls = call->next;
    }
    if (call->next) {
        call->next->prev = call->prev;
    }
}

static void
finish_imds_call(struct rc_imds_call *call, const char *body, size_t len)
{
    unlink_imds_call(call);
    call->finishing = true;
    call->fn(&call->error, body, len, call->arg);
    free_imds_call(call);
}

static void
on_imds_later(evutil_socket_t fd, short what, void *arg)
{
    struct rc_imds_call *call = arg;

    (void)fd;
    (void)what;
    if (call->pausing) {
        call->pausing = false;
        begin_imds_call(call);
        return;
    }
    finish_imds_call(call, "", 0);
}

static void
fail_imds_later(struct rc_imds_call *call, const struct rc_error *error)
{
    struct timeval pause = {.tv_usec = (PAUSE_MS << call->tries) * 1000};

    call->error = *error;
    call->waiting = false;
    call->pausing = error->code != RC_E_UNREACHABLE && rc_aws_error_retryable(error->code) &&
                    ++call->tries < TRIES_MAX;
    if (call->pausing) {
        event_add(call->later, &pause);
    } else {
        event_active(call->later, EV_TIMEOUT, 0);
    }
}

/* EC2 User Guide: 400 bad PUT, 401 bad token, 403 switched off, 404 absent, 503 try again. */
static enum rc_err
judge_metadata(const struct rc_http_response *response, const char *what, struct rc_error *ret)
{
    memset(ret, 0, sizeof *ret);
    if (response->error.code != RC_OK) {
        return rc_fail(ret, response->error.code, "instance metadata, %s: %.180s", what,
                       response->error.text);
    }
    switch (response->status) {
    case 200:
        return RC_OK;
    case 401:
        return rc_fail(ret, RC_E_CREDENTIALS, "instance metadata, %s: the token is refused", what);
    case 403:
        return rc_fail(ret, RC_E_DENIED, "instance metadata, %s: switched off (HTTP 403)", what);
    case 404:
        return rc_fail(ret, RC_E_NOT_FOUND, "instance metadata has no %s", what);
    default:
        return rc_fail(ret, response->status >= 500 ? RC_E_SERVER : RC_E_INVALID,
                       "instance metadata, %s: HTTP %ld", what, response->status);
    }
}

static void
on_item(const struct rc_http_response *response, void *arg)
{
    struct rc_imds_call *call = arg;
    enum rc_err err = judge_metadata(response, call->path, &call->error);

    call->http = NULL;
    if (err == RC_E_CREDENTIALS && !call->renewed) {
        call->renewed = true;
        call->waiting = true;
        call->imds->token[0] = '\0';
        want_token(call->imds);
    } else if (err == RC_OK) {
        finish_imds_call(call, response->body, response->body_len);
    } else {
        struct rc_error error = call->error;
        fail_imds_later(call, &error);
    }
}

static struct rc_http_request
one_header(const char *method, const char *url, const char *const *headers)
{
    return (struct rc_http_request){
        .method = method,
        .url = url,
        .headers = headers,
        .header_count = 1,
        .timeout_ms = TIMEOUT_MS,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .response_max = REPLY_MAX,
        .direct = 1,
    };
}

static void
send_get(struct rc_imds_call *call)
{
    char url[1024], header[TOKEN_LEN + 64];
    const char *headers[] = {header};
    struct rc_http_request request = one_header("GET", url, headers);
    struct rc_error error;

    call->waiting = false;
    snprintf(url, sizeof url, "%s%s", call->imds->endpoint, call->path);
    snprintf(header, sizeof header, "X-aws-ec2-metadata-token: %s", call->imds->token);
    if (rc_http_start(call->imds->http, &request, on_item, call, &call->http, &error) != RC_OK) {
        fail_imds_later(call, &error);
    }
}

static bool
take_token(struct rc_imds *imds, const struct rc_http_response *response, struct rc_error *error)
{
    char ttl[32];
    int64_t ttl_s = TOKEN_TTL_S;

    if (response->body_len == 0 || response->body_len >= TOKEN_LEN ||
        strspn(response->body, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                               "+/=-_") != response->body_len) {
        rc_fail(error, RC_E_PARSE,
                "instance metadata: the answer to the token request is no token");
        return false;
    }
    if (rc_http_header(response, "x-aws-ec2-metadata-token-ttl-seconds", ttl, sizeof ttl)) {
        ttl_s = strtoll(ttl, NULL, 10);
    }
    memcpy(imds->token, response->body, response->body_len + 1);
    imds->token_until_mono_ms = rc_aws_mono_ms() + (ttl_s - TOKEN_MARGIN_S) * 1000;
    return true;
}

static void
on_token(const struct rc_http_response *response, void *arg)
{
    struct rc_imds *imds = arg;
    struct rc_error error;

    imds->token_call = NULL;
    bool ok =
        judge_metadata(response, "token", &error) == RC_OK && take_token(imds, response, &error);
    for (struct rc_imds_call *call = imds->calls; call; call = call->next) {
        if (!call->waiting) {
            continue;
        }
        if (ok) {
            send_get(call);
        } else {
            fail_imds_later(call, &error);
        }
    }
}

static void
want_token(struct rc_imds *imds)
{
    static const char *const headers[] = {"X-aws-ec2-metadata-token-ttl-seconds: 21600"};
    char url[1024];
    struct rc_http_request request = one_header("PUT", url, headers);
    struct rc_error error;

    if (imds->token_call) {
        return;
    }
    snprintf(url, sizeof url, "%s/latest/api/token", imds->endpoint);
    if (rc_http_start(imds->http, &request, on_token, imds, &imds->token_call, &error) == RC_OK) {
        return;
    }
    for (struct rc_imds_call *call = imds->calls; call; call = call->next) {
        if (call->waiting) {
            fail_imds_later(call, &error);
        }
    }
}

static void
begin_imds_call(struct rc_imds_call *call)
{
    if (call->imds->token[0] && rc_aws_mono_ms() < call->imds->token_until_mono_ms) {
        send_get(call);
    } else {
        call->waiting = true;
        want_token(call->imds);
    }
}

static const char *
default_endpoint(void)
{
    const char *endpoint = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *mode = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");

    if (endpoint && *endpoint) {
        return endpoint;
    }
    return mode && strcasecmp(mode, "ipv6") == 0 ? "http://[fd00:ec2::254]"
                                                 : "http://169.254.169.254";
}

struct rc_imds *
rc_imds_new(struct event_base *base, struct rc_http *http, const char *endpoint)
{
    struct rc_imds *imds = calloc(1, sizeof *imds);
    const char *from = endpoint && *endpoint ? endpoint : default_endpoint();

    if (!imds) {
        return NULL;
    }
    imds->base = base;
    imds->http = http;
    imds->endpoint = strdup(from);
    if (!imds->endpoint) {
        free(imds);
        return NULL;
    }
    for (size_t len = strlen(from); len > 0 && imds->endpoint[len - 1] == '/'; len--) {
        imds->endpoint[len - 1] = '\0';
    }
    return imds;
}

void
rc_imds_free(struct rc_imds *imds)
{
    if (!imds) {
        return;
    }
    for (struct rc_imds_call *call = imds->calls, *next; call; call = next) {
        next = call->next;
        rc_http_cancel(call->http);
        free_imds_call(call);
    }
    rc_http_cancel(imds->token_call);
    free(imds->endpoint);
    free(imds);
}

enum rc_err
rc_imds_get(struct rc_imds *imds, const char *path, rc_imds_fn *fn, void *arg,
            struct rc_imds_call **ret_call)
{
    struct rc_imds_call *call = calloc(1, sizeof *call);

    if (!call) {
        return RC_E_INTERNAL;
    }
    call->imds = imds;
    call->fn = fn;
    call->arg = arg;
    call->path = strdup(path);
    call->later = evtimer_new(imds->base, on_imds_later, call);
    if (!call->path || !call->later) {
        free_imds_call(call);
        return RC_E_INTERNAL;
    }
    call->next = imds->calls;
    if (call->next) {
        call->next->prev = call;
    }
    imds->calls = call;
    if (ret_call) {
        *ret_call = call;
    }
    begin_imds_call(call);
    return RC_OK;
}

void
rc_imds_cancel(struct rc_imds_call *call)
{
    if (!call || call->finishing) {
        return;
    }
    rc_http_cancel(call->http);
    unlink_imds_call(call);
    free_imds_call(call);
}

/* A missing optional field is ""; one that does not fit is an error. */
static bool
take_identity_field(const cJSON *root, const char *key, char *dst, uint32_t room)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, key));

    return rc_text_set(dst, room, text ? text : "");
}

enum rc_err
rc_imds_identity_parse(const char *body, size_t len, struct rc_imds_identity *ret,
                       struct rc_error *error)
{
    cJSON *root = cJSON_ParseWithLength(body, len);
    bool fits;

    memset(ret, 0, sizeof *ret);
    fits = take_identity_field(root, "region", ret->region, sizeof ret->region) &&
           take_identity_field(root, "availabilityZone", ret->az, sizeof ret->az) &&
           take_identity_field(root, "instanceId", ret->instance, sizeof ret->instance) &&
           take_identity_field(root, "instanceType", ret->type, sizeof ret->type) &&
           take_identity_field(root, "privateIp", ret->addr, sizeof ret->addr) &&
           take_identity_field(root, "accountId", ret->account, sizeof ret->account);
    cJSON_Delete(root);
    if (!fits || !ret->region[0] || !ret->instance[0]) {
        return rc_fail(error, RC_E_PARSE,
                       "the instance identity document has no usable region and instanceId");
    }
    return RC_OK;
}
