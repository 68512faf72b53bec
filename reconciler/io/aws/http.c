/* http.c - see http.h.
 *
 * curl says which sockets and which time it waits for; libevent tells curl when
 * they come. Finished exchanges are completed from an event of their own, so
 * that a callback may start, cancel or finish others freely and never runs
 * inside curl. One easy handle per exchange; curl keeps the connections. */
#define _GNU_SOURCE
#include "reconciler/io/aws/http.h"

#include <assert.h>
#include <curl/curl.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reconciler/io/aws/aws_buf.h"

enum { CONNECTIONS_MAX = 16, TIMEOUT_MS = 30000, CONNECT_TIMEOUT_MS = 5000, HEADERS_MAX = 65536 };
static const size_t response_max_default = 16U << 20;

struct rc_http_call {
    struct rc_http *http;
    struct rc_http_call *prev, *next; /* in http->calls */
    struct rc_http_call *next_done;   /* in http->done */
    CURL *easy;
    struct curl_slist *headers;
    struct curl_slist *connect_to;
    char *sent_body;
    struct rc_aws_buf header_text;
    struct rc_aws_buf body;
    size_t response_max;
    rc_http_fn *fn;
    void *arg;
    bool (*may_send)(void *arg);
    void *may_send_arg;
    CURLcode result;
    bool forbidden; /* by may_send */
    bool too_large;
    bool finished;
    char curl_text[CURL_ERROR_SIZE];
};

struct rc_http {
    struct event_base *base;
    CURLM *multi;
    struct event *timer;   /* curl's own */
    struct event *deliver; /* runs the callbacks of finished exchanges */
    struct rc_http_call *calls;
    struct rc_http_call *done, **done_tail;
    char *ca_file;
};

static void
unlink_exchange(struct rc_http_call *call)
{
    if (call->prev) {
        call->prev->next = call->next;
    } else {
        call->http->calls = call->next;
    }
    if (call->next) {
        call->next->prev = call->prev;
    }
}

static void
free_exchange(struct rc_http_call *call)
{
    if (call->easy) {
        curl_easy_cleanup(call->easy);
    }
    curl_slist_free_all(call->headers);
    curl_slist_free_all(call->connect_to);
    free(call->sent_body);
    rc_aws_buf_done(&call->header_text);
    rc_aws_buf_done(&call->body);
    free(call);
}

/* What curl's result means to us. */
static enum rc_err
error_of_curl(CURLcode result)
{
    static const struct {
        CURLcode curl;
        enum rc_err err;
    } rows[] = {
        {CURLE_OK, RC_OK},
        {CURLE_OPERATION_TIMEDOUT, RC_E_TIMEOUT},
        {CURLE_COULDNT_RESOLVE_HOST, RC_E_UNREACHABLE},
        {CURLE_COULDNT_RESOLVE_PROXY, RC_E_UNREACHABLE},
        {CURLE_COULDNT_CONNECT, RC_E_UNREACHABLE},
        {CURLE_SSL_CONNECT_ERROR, RC_E_UNREACHABLE},
        {CURLE_PEER_FAILED_VERIFICATION, RC_E_DENIED},
        {CURLE_SSL_CACERT_BADFILE, RC_E_INVALID},
        {CURLE_URL_MALFORMAT, RC_E_INVALID},
        {CURLE_UNSUPPORTED_PROTOCOL, RC_E_PARSE}, /* the reply is no HTTP/1 */
        {CURLE_PARTIAL_FILE, RC_E_TRUNCATED},
        {CURLE_GOT_NOTHING, RC_E_TRUNCATED},
        {CURLE_OUT_OF_MEMORY, RC_E_INTERNAL},
        {CURLE_WEIRD_SERVER_REPLY, RC_E_PARSE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].curl == result) {
            return rows[i].err;
        }
    }
    return RC_E_IO;
}

static void
judge_exchange(const struct rc_http_call *call, struct rc_http_response *response)
{
    const char *text = call->curl_text[0] ? call->curl_text : curl_easy_strerror(call->result);
    enum rc_err err = error_of_curl(call->result);
    curl_off_t pretransfer_us = 0;

    curl_easy_getinfo(call->easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer_us);
    response->may_have_reached = pretransfer_us > 0;
    if (call->forbidden) {
        response->may_have_reached = 0;
        rc_fail(&response->error, RC_E_NO_LEASE, "the lease ran out before it was sent");
    } else if (call->too_large) {
        rc_fail(&response->error, RC_E_TOO_LARGE, "the reply is larger than %zu bytes",
                call->response_max);
    } else if (call->header_text.failed || call->body.failed) {
        rc_fail(&response->error, RC_E_INTERNAL, "out of memory for a reply");
    } else if (err != RC_OK) {
        if (err == RC_E_IO && call->body.len > 0) {
            err = RC_E_TRUNCATED; /* a reset in the middle of the reply */
        } else if (err == RC_E_TIMEOUT && !response->may_have_reached) {
            err = RC_E_UNREACHABLE;
        }
        rc_fail(&response->error, err, "%s", text);
    }
}

static void
complete_exchange(struct rc_http_call *call)
{
    struct rc_http_response response = {0};
    curl_off_t total_us = 0;

    judge_exchange(call, &response);
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &response.status);
    curl_easy_getinfo(call->easy, CURLINFO_TOTAL_TIME_T, &total_us);
    response.duration_ms = (int64_t)(total_us / 1000);
    response.headers = call->header_text.p ? call->header_text.p : "";
    response.body = call->body.p ? call->body.p : "";
    response.body_len = call->body.len;
    call->fn(&response, call->arg);
    free_exchange(call);
}

static void
deliver_finished(evutil_socket_t fd, short what, void *arg)
{
    struct rc_http *http = arg;

    (void)fd;
    (void)what;
    while (http->done) {
        struct rc_http_call *call = http->done;
        http->done = call->next_done;
        if (!http->done) {
            http->done_tail = &http->done;
        }
        unlink_exchange(call);
        complete_exchange(call);
    }
}

static void
collect_finished(struct rc_http *http)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(http->multi, &left))) {
        struct rc_http_call *call = NULL;
        CURLcode result = msg->data.result;
        if (msg->msg != CURLMSG_DONE) {
            continue;
        }
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        assert(call && !call->finished);
        curl_multi_remove_handle(http->multi, call->easy);
        call->result = result;
        call->finished = true;
        *http->done_tail = call;
        http->done_tail = &call->next_done;
    }
    if (http->done) {
        event_active(http->deliver, EV_TIMEOUT, 0);
    }
}

static void
on_socket_event(evutil_socket_t fd, short what, void *arg)
{
    struct rc_http *http = arg;
    int mask =
        ((what & EV_READ) ? CURL_CSELECT_IN : 0) | ((what & EV_WRITE) ? CURL_CSELECT_OUT : 0);
    int running;

    curl_multi_socket_action(http->multi, fd, mask, &running);
    collect_finished(http);
}

static void
on_curl_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct rc_http *http = arg;
    int running;

    (void)fd;
    (void)what;
    curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect_finished(http);
}

/* CURLMOPT_SOCKETFUNCTION: socket_data is the event that waits for this socket. */
static int
on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_data)
{
    struct rc_http *http = arg;
    struct event *waiter = socket_data;

    (void)easy;
    if (waiter) {
        event_free(waiter);
        curl_multi_assign(http->multi, fd, NULL);
    }
    if (what == CURL_POLL_REMOVE) {
        return 0;
    }
    short events = (short)(EV_PERSIST | ((what & CURL_POLL_IN) ? EV_READ : 0) |
                           ((what & CURL_POLL_OUT) ? EV_WRITE : 0));
    waiter = event_new(http->base, fd, events, on_socket_event, http);
    if (!waiter || event_add(waiter, NULL) != 0) {
        return -1;
    }
    curl_multi_assign(http->multi, fd, waiter);
    return 0;
}

static int
on_curl_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct rc_http *http = arg;

    (void)multi;
    if (timeout_ms < 0) {
        return event_del(http->timer);
    }
    struct timeval tv = {.tv_sec = timeout_ms / 1000, .tv_usec = (timeout_ms % 1000) * 1000};
    return event_add(http->timer, &tv);
}

static size_t
on_header(char *data, size_t size, size_t count, void *arg)
{
    struct rc_http_call *call = arg;
    size_t len = size * count;

    /* A status line begins another reply (100 Continue, a proxy's): only the last one counts. */
    if (len > 5 && memcmp(data, "HTTP/", 5) == 0) {
        call->header_text.len = 0;
    }
    if (call->header_text.len + len > HEADERS_MAX) {
        call->too_large = true;
        return 0;
    }
    rc_aws_buf_add(&call->header_text, data, len);
    return call->header_text.failed ? 0 : len;
}

static size_t
on_body(char *data, size_t size, size_t count, void *arg)
{
    struct rc_http_call *call = arg;
    size_t len = size * count;

    if (call->body.len + len > call->response_max) {
        call->too_large = true;
        return 0;
    }
    rc_aws_buf_add(&call->body, data, len);
    return call->body.failed ? 0 : len;
}

/* CURLOPT_PREREQFUNCTION: the connection stands, the request is written next. A process that
 * stood still while it connected comes by here before anything leaves. */
static int
on_curl_ready(void *arg, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
    struct rc_http_call *call = arg;

    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    call->forbidden = !call->may_send(call->may_send_arg);
    return call->forbidden ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

struct rc_http *
rc_http_new(struct event_base *base, const struct rc_http_options *options, struct rc_error *error)
{
    const char *ca_file = options && options->ca_file ? options->ca_file : getenv("AWS_CA_BUNDLE");
    uint32_t connections = options ? options->connections_max : 0;
    struct rc_http *http = calloc(1, sizeof *http);

    if (!http || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        rc_fail(error, RC_E_INTERNAL, "libcurl does not start");
        free(http);
        return NULL;
    }
    http->base = base;
    http->done_tail = &http->done;
    http->multi = curl_multi_init();
    http->timer = evtimer_new(base, on_curl_deadline, http);
    http->deliver = evtimer_new(base, deliver_finished, http);
    http->ca_file = ca_file && *ca_file ? strdup(ca_file) : NULL;
    if (!http->multi || !http->timer || !http->deliver || (ca_file && *ca_file && !http->ca_file)) {
        rc_fail(error, RC_E_INTERNAL, "libcurl does not start: out of memory");
        rc_http_free(http);
        return NULL;
    }
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS,
                      (long)(connections ? connections : CONNECTIONS_MAX));
    return http;
}

void
rc_http_free(struct rc_http *http)
{
    if (!http) {
        return;
    }
    for (struct rc_http_call *call = http->calls, *next; call; call = next) {
        next = call->next;
        if (!call->finished) {
            curl_multi_remove_handle(http->multi, call->easy);
        }
        free_exchange(call);
    }
    if (http->multi) {
        curl_multi_cleanup(http->multi);
        curl_global_cleanup();
    }
    if (http->timer) {
        event_free(http->timer);
    }
    if (http->deliver) {
        event_free(http->deliver);
    }
    free(http->ca_file);
    free(http);
}

static bool
append_slist(struct curl_slist **list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(*list, text);

    if (longer) {
        *list = longer;
    }
    return longer != NULL;
}

static bool
copy_request(struct rc_http_call *call, const struct rc_http_request *request)
{
    bool ok = true;

    for (size_t i = 0; i < request->header_count; i++) {
        ok = ok && append_slist(&call->headers, request->headers[i]);
    }
    /* Without them curl would wait for 100-continue on large bodies, or add a type of its own. */
    ok = ok && append_slist(&call->headers, "Expect:") && append_slist(&call->headers, "Accept:");
    if (!request->body) {
        ok = ok && append_slist(&call->headers, "Content-Type:");
    }
    if (request->connect_to && *request->connect_to) {
        ok = ok && append_slist(&call->connect_to, request->connect_to);
    }
    if (request->body) {
        call->sent_body = malloc(request->body_len + 1);
        ok = ok && call->sent_body;
        if (call->sent_body) {
            memcpy(call->sent_body, request->body, request->body_len);
        }
    }
    return ok;
}

static int64_t
positive_or(int64_t value, int64_t fallback)
{
    return value > 0 ? value : fallback;
}

static void
set_transport(struct rc_http_call *call, const struct rc_http_request *request)
{
    CURL *easy = call->easy;

    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)positive_or(request->timeout_ms, TIMEOUT_MS));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)positive_or(request->connect_timeout_ms, CONNECT_TIMEOUT_MS));
    if (call->http->ca_file) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, call->http->ca_file);
    }
    if (call->connect_to) {
        curl_easy_setopt(easy, CURLOPT_CONNECT_TO, call->connect_to);
    }
    if (request->once) {
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    }
    if (request->direct) {
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
}

static void
set_exchange(struct rc_http_call *call, const struct rc_http_request *request)
{
    CURL *easy = call->easy;

    if (call->sent_body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->sent_body);
    } else if (strcmp(request->method, "GET") != 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->curl_text);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    if (call->may_send) {
        curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_curl_ready);
        curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
    }
}

enum rc_err
rc_http_start(struct rc_http *http, const struct rc_http_request *request, rc_http_fn *fn,
              void *arg, struct rc_http_call **ret_call, struct rc_error *error)
{
    struct rc_http_call *call = calloc(1, sizeof *call);

    if (!call) {
        return rc_fail(error, RC_E_INTERNAL, "out of memory for a request");
    }
    call->http = http;
    call->fn = fn;
    call->arg = arg;
    call->may_send = request->may_send;
    call->may_send_arg = request->may_send_arg;
    call->response_max = request->response_max ? request->response_max : response_max_default;
    call->easy = curl_easy_init();
    if (!call->easy || !copy_request(call, request)) {
        free_exchange(call);
        return rc_fail(error, RC_E_INTERNAL, "out of memory for a request");
    }
    if (curl_easy_setopt(call->easy, CURLOPT_URL, request->url) != CURLE_OK) {
        free_exchange(call);
        return rc_fail(error, RC_E_INVALID, "\"%.128s\" is no URL", request->url);
    }
    set_transport(call, request);
    set_exchange(call, request);
    CURLMcode added = curl_multi_add_handle(http->multi, call->easy);
    if (added != CURLM_OK) {
        free_exchange(call);
        return rc_fail(error, RC_E_IO, "libcurl: %s", curl_multi_strerror(added));
    }
    call->next = http->calls;
    if (call->next) {
        call->next->prev = call;
    }
    http->calls = call;
    if (ret_call) {
        *ret_call = call;
    }
    return RC_OK;
}

/* A finished one leaves the queue of callbacks too. */
static void
unlink_finished(struct rc_http_call *call)
{
    struct rc_http *http = call->http;

    for (struct rc_http_call **p = &http->done; *p; p = &(*p)->next_done) {
        if (*p == call) {
            *p = call->next_done;
            if (!*p) {
                http->done_tail = p;
            }
            return;
        }
    }
}

void
rc_http_cancel(struct rc_http_call *call)
{
    if (!call) {
        return;
    }
    unlink_exchange(call);
    if (call->finished) {
        unlink_finished(call);
    } else {
        curl_multi_remove_handle(call->http->multi, call->easy);
    }
    free_exchange(call);
}

int
rc_http_header(const struct rc_http_response *response, const char *name, char *ret, size_t room)
{
    size_t name_len = strlen(name);

    ret[0] = '\0';
    for (const char *line = response->headers; *line;) {
        size_t len = strcspn(line, "\r\n");
        if (len > name_len && line[name_len] == ':' && strncasecmp(line, name, name_len) == 0) {
            const char *value = line + name_len + 1;
            const char *end = line + len;
            while (value < end && (*value == ' ' || *value == '\t')) {
                value++;
            }
            while (end > value && (end[-1] == ' ' || end[-1] == '\t')) {
                end--;
            }
            if ((size_t)(end - value) < room) {
                memcpy(ret, value, (size_t)(end - value));
                ret[end - value] = '\0';
            }
            return 1;
        }
        line += len + strspn(line + len, "\r\n");
    }
    return 0;
}
