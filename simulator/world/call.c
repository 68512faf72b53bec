/* call.c - requests and their answers over evhttp.
 *
 * Failure: when memory is short the client gets a 503 or a closed connection,
 * which it must stand anyway. */
#include "simulator/world/call.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "simulator/world/world_http.h"

static void
call_free(struct rc_call *call)
{
    if (call->form != NULL) {
        evhttp_clear_headers(call->form);
        free(call->form);
    }
    if (call->out != NULL)
        evbuffer_free(call->out);
    if (call->timer != NULL)
        event_free(call->timer);
    free(call->body);
    free(call);
}

struct rc_call *
rc_call_new(struct rc_world_http *endpoint, struct rc_world *world, struct evhttp_request *http,
            int64_t now_ms)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(http);
    struct rc_call *call = calloc(1, sizeof(*call));

    if (call == NULL)
        goto fail;
    call->endpoint = endpoint;
    call->world = world;
    call->http = http;
    call->now_ms = now_ms;
    call->body_len = evbuffer_get_length(in);
    call->body = malloc(call->body_len + 1);
    call->out = evbuffer_new();
    if (call->body == NULL || call->out == NULL)
        goto fail;
    (void)evbuffer_remove(in, call->body, call->body_len);
    call->body[call->body_len] = '\0';
    rc_sim_random_uuid(&world->random, call->request_id);
    return call;
fail:
    if (call != NULL)
        call_free(call);
    evhttp_send_error(http, HTTP_SERVUNAVAIL, NULL);
    return NULL;
}

void
rc_call_header(struct rc_call *call, const char *name, const char *value)
{
    (void)evhttp_add_header(evhttp_request_get_output_headers(call->http), name, value);
}

static void
connection_cut(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    evhttp_connection_free(arg);
}

/* The effect has happened, its answer goes nowhere. The connection is closed from the
 * loop, not from inside the callback of its own request. */
static void
call_lose(struct rc_call *call)
{
    struct timeval now = {0};
    struct event_base *base = rc_world_http_base(call->endpoint);
    struct evhttp_connection *conn = evhttp_request_get_connection(call->http);

    if (event_base_once(base, -1, EV_TIMEOUT, connection_cut, conn, &now) != 0)
        evhttp_send_error(call->http, HTTP_SERVUNAVAIL, NULL);
    call_free(call);
}

static void
call_send(struct rc_call *call)
{
    evhttp_send_reply(call->http, (int)call->log.status, NULL, call->out);
    call_free(call);
}

static void
call_late(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    call_send(arg);
}

void
rc_call_answer(struct rc_call *call, int status, const char *content_type)
{
    call->log.status = (uint32_t)status;
    call->log.lost = call->faulty && call->fault.lost != 0;
    if (call->log.service[0] != '\0') {
        call->log.time_ms = call->now_ms;
        rc_request_log_add(&call->world->log, &call->log);
        rc_call_header(call, "x-amzn-RequestId", call->request_id);
    }
    if (content_type != NULL)
        rc_call_header(call, "Content-Type", content_type);
    if (call->log.lost) {
        call_lose(call);
        return;
    }
    if (call->faulty && call->fault.late_ms > 0) {
        struct timeval late = {.tv_sec = call->fault.late_ms / 1000,
                               .tv_usec = call->fault.late_ms % 1000 * 1000};

        if (call->timer != NULL)
            event_free(call->timer);
        call->timer = evtimer_new(rc_world_http_base(call->endpoint), call_late, call);
        if (call->timer != NULL && evtimer_add(call->timer, &late) == 0)
            return;
    }
    call_send(call);
}

void
rc_call_answer_json(struct rc_call *call, int status, cJSON *json)
{
    char *text = json != NULL ? cJSON_PrintUnformatted(json) : NULL;

    if (text != NULL)
        (void)evbuffer_add(call->out, text, strlen(text));
    cJSON_free(text);
    cJSON_Delete(json);
    rc_call_answer(call, status, "application/x-amz-json-1.0");
}

bool
rc_call_fault(struct rc_call *call, const char *action)
{
    call->faulty = rc_sim_faults_take(&call->world->faults, action, &call->fault);
    return call->faulty && call->fault.code[0] != '\0';
}

bool
rc_call_abandoned(const struct rc_call *call)
{
    struct evhttp_connection *conn = evhttp_request_get_connection(call->http);
    char byte;
    ssize_t got;

    if (conn == NULL)
        return true;
    got = recv(bufferevent_getfd(evhttp_connection_get_bufferevent(conn)), &byte, 1,
               MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

const char *
rc_call_param(const struct rc_call *call, const char *name)
{
    const char *value = call->form != NULL ? evhttp_find_header(call->form, name) : NULL;

    return value != NULL ? value : "";
}

const char *
rc_call_item(const struct rc_call *call, const char *before, unsigned n, const char *after)
{
    char name[128];

    (void)snprintf(name, sizeof(name), "%s%u%s", before, n, after);
    return rc_call_param(call, name);
}
