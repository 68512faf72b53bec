/* world_http.c - evhttp server: routing, signatures, long polls, the world's timer.
 *
 * Each turn: the world moves to now, waiting receives that can be answered are,
 * and one timer is set for the next thing that happens by itself. */
#include "simulator/world/world_http.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>

#include "simulator/world/dynamo_table.h"
#include "simulator/world/wire.h"

enum { HEADERS_MAX = 64, BODY_MAX = 2 * 1024 * 1024 };

struct rc_world_http {
    struct event_base *base;
    struct evhttp *http;
    struct rc_world *world;
    struct rc_world_setup *setup;
    struct rc_dynamo *dynamo;
    struct cJSON *metrics; /* list of what was put */
    struct event *timer;
    struct rc_call *waiting; /* long polls, oldest first */
    struct rc_call *waiting_last;
    uint16_t port;
};

int64_t
rc_world_http_now_ms(void)
{
    static int64_t last_ms;
    struct timespec ts;
    int64_t now_ms;

    (void)clock_gettime(CLOCK_REALTIME, &ts);
    now_ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
    if (now_ms > last_ms)
        last_ms = now_ms;
    return last_ms;
}

struct event_base *
rc_world_http_base(struct rc_world_http *e)
{
    return e->base;
}

uint16_t
rc_world_http_port(const struct rc_world_http *e)
{
    return e->port;
}

struct rc_world_setup *
rc_world_http_setup(struct rc_world_http *e)
{
    return e->setup;
}

struct rc_dynamo *
rc_world_http_dynamo(struct rc_world_http *e)
{
    return e->dynamo;
}

struct cJSON *
rc_world_http_metrics(struct rc_world_http *e)
{
    return e->metrics;
}

static void
waiting_remove(struct rc_world_http *e, struct rc_call *call)
{
    if (call->prev != NULL)
        call->prev->next = call->next;
    else
        e->waiting = call->next;
    if (call->next != NULL)
        call->next->prev = call->prev;
    else
        e->waiting_last = call->prev;
}

void
rc_world_http_turn(struct rc_world_http *e)
{
    int64_t now_ms = rc_world_http_now_ms();
    int64_t wait_ms;
    struct timeval tv;

    rc_world_advance(e->world, now_ms);
    for (struct rc_call *call = e->waiting, *next; call != NULL; call = next) {
        next = call->next;
        if (rc_sim_sqs_counts(call->queue->sqs).visible == 0)
            continue;
        waiting_remove(e, call);
        if (!rc_sqs_deliver(call, now_ms, rc_call_abandoned(call)))
            rc_world_http_wait(e, call, -1);
    }
    if (rc_world_next_ms(e->world) == RC_SIM_NEVER) {
        (void)evtimer_del(e->timer);
        return;
    }
    wait_ms = rc_world_next_ms(e->world) - now_ms;
    wait_ms = wait_ms < 1 ? 1 : wait_ms;
    tv = (struct timeval){.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
    (void)evtimer_add(e->timer, &tv);
}

static void
endpoint_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    rc_world_http_turn(arg);
}

static void
wait_over(evutil_socket_t fd, short what, void *arg)
{
    struct rc_call *call = arg;

    (void)fd;
    (void)what;
    waiting_remove(call->endpoint, call);
    (void)rc_sqs_deliver(call, rc_world_http_now_ms(), true);
}

/* wait_ms < 0: back to the line, with the timer that it has. */
void
rc_world_http_wait(struct rc_world_http *e, struct rc_call *call, int64_t wait_ms)
{
    struct timeval tv = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};

    call->next = NULL;
    call->prev = e->waiting_last;
    if (e->waiting_last != NULL)
        e->waiting_last->next = call;
    else
        e->waiting = call;
    e->waiting_last = call;
    if (wait_ms < 0)
        return;
    call->timer = evtimer_new(e->base, wait_over, call);
    if (call->timer == NULL || evtimer_add(call->timer, &tv) != 0) {
        waiting_remove(e, call);
        (void)rc_sqs_deliver(call, call->now_ms, true);
    }
}

static const char *
method_name(enum evhttp_cmd_type method)
{
    return method == EVHTTP_REQ_POST ? "POST" : (method == EVHTTP_REQ_GET ? "GET" : "PUT");
}

static enum rc_sigv4_verdict
call_check(struct rc_call *call, char service[32])
{
    struct rc_sigv4_header header[HEADERS_MAX];
    struct rc_sigv4_request r = {
        .method = method_name(evhttp_request_get_command(call->http)),
        .uri = evhttp_request_get_uri(call->http),
        .header = header,
        .body = call->body,
        .body_len = call->body_len,
    };
    const struct evkeyval *kv;

    TAILQ_FOREACH(kv, evhttp_request_get_input_headers(call->http), next)
    {
        if (r.header_count == HEADERS_MAX)
            return RC_SIGV4_MALFORMED;
        header[r.header_count++] = (struct rc_sigv4_header){kv->key, kv->value};
    }
    return rc_sigv4_check(&call->endpoint->setup->keys, &r, call->now_ms, service);
}

static bool
call_parse_form(struct rc_call *call)
{
    call->form = calloc(1, sizeof(*call->form));
    return call->form != NULL && evhttp_parse_query_str(call->body, call->form) == 0;
}

/* The services, told apart by X-Amz-Target; EC2 and STS speak the Query protocol. */
static const struct service {
    const char *target; /* prefix, NULL = Query */
    const char *name;   /* in the signature's scope */
    void (*wire)(struct rc_call *call);
    void (*refuse)(struct rc_call *call, enum rc_sigv4_verdict verdict);
} services[] = {
    {"AmazonSQS.", "sqs", rc_sqs_wire, rc_sqs_refuse},
    {"DynamoDB_20120810.", "dynamodb", rc_dynamo_wire, rc_dynamo_refuse},
    {"GraniteServiceVersion20100801.", "monitoring", rc_metrics_wire, rc_metrics_refuse},
    {NULL, "sts", rc_sts_wire, rc_sts_refuse},
    {NULL, "ec2", rc_ec2_wire, rc_ec2_refuse},
};
enum { SERVICE_COUNT = sizeof(services) / sizeof(services[0]) };

static const struct service *
service_of(const char *target)
{
    for (unsigned i = 0; target != NULL && i < SERVICE_COUNT; i++)
        if (services[i].target != NULL &&
            strncmp(target, services[i].target, strlen(services[i].target)) == 0)
            return &services[i];
    return NULL;
}

/* What protocol the client speaks is seen from its headers, also when the signature is bad. */
static void
call_service(struct rc_call *call)
{
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(call->http);
    const char *target = evhttp_find_header(headers, "X-Amz-Target");
    const struct service *s = service_of(target);
    const char *action = s != NULL ? target + strlen(s->target) : NULL;
    char scope[32];
    enum rc_sigv4_verdict verdict = call_check(call, scope);

    if (s == NULL) {
        if (!call_parse_form(call))
            verdict = RC_SIGV4_MALFORMED;
        bool sts = strcmp(rc_call_param(call, "Version"), "2011-06-15") == 0;
        s = &services[SERVICE_COUNT - (sts ? 2 : 1)];
        action = rc_call_param(call, "Action");
    }
    (void)rc_text_set(call->log.service, sizeof(call->log.service), s->name);
    if (!rc_text_set(call->log.action, sizeof(call->log.action), action))
        (void)rc_text_set(call->log.action, sizeof(call->log.action), "?");
    if (verdict == RC_SIGV4_OK && strcmp(scope, s->name) != 0)
        verdict = RC_SIGV4_SCOPE;
    if (verdict != RC_SIGV4_OK)
        s->refuse(call, verdict);
    else
        s->wire(call);
}

static void
endpoint_request(struct evhttp_request *http, void *arg)
{
    struct rc_world_http *e = arg;
    const char *uri = evhttp_request_get_uri(http);
    struct rc_call *call = rc_call_new(e, e->world, http, rc_world_http_now_ms());

    if (call == NULL)
        return;
    rc_world_advance(e->world, call->now_ms);
    if (strncmp(uri, "/_world", 7) == 0)
        rc_admin_wire(call);
    else if (strncmp(uri, "/latest", 7) == 0)
        rc_imds_wire(call);
    else
        call_service(call);
    rc_world_http_turn(e);
}

/* The port that the kernel chose. */
static uint16_t
bound_port(struct evhttp_bound_socket *bound)
{
    struct sockaddr_in addr = {0};
    socklen_t len = sizeof(addr);

    if (getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&addr, &len) != 0)
        return 0;
    return ntohs(addr.sin_port);
}

struct rc_world_http *
rc_world_http_new(struct event_base *base, struct rc_world *world, struct rc_world_setup *setup,
                  uint16_t port)
{
    struct rc_world_http *e = calloc(1, sizeof(*e));
    struct evhttp_bound_socket *bound = NULL;

    if (e == NULL)
        return NULL;
    e->base = base;
    e->world = world;
    e->setup = setup;
    e->http = evhttp_new(base);
    e->timer = evtimer_new(base, endpoint_timer, e);
    e->dynamo = rc_dynamo_new();
    e->metrics = cJSON_CreateArray();
    if (e->http != NULL && e->timer != NULL && e->dynamo != NULL && e->metrics != NULL)
        bound = evhttp_bind_socket_with_handle(e->http, "127.0.0.1", port);
    if (bound == NULL) {
        (void)fprintf(stderr, "rc-world: cannot listen on 127.0.0.1:%u\n", port);
        rc_world_http_free(e);
        return NULL;
    }
    e->port = bound_port(bound);
    evhttp_set_max_body_size(e->http, BODY_MAX);
    evhttp_set_allowed_methods(e->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PUT);
    evhttp_set_timeout(e->http, 120);
    evhttp_set_gencb(e->http, endpoint_request, e);
    return e;
}

void
rc_world_http_free(struct rc_world_http *e)
{
    if (e == NULL)
        return;
    while (e->waiting != NULL) {
        struct rc_call *call = e->waiting;

        waiting_remove(e, call);
        (void)rc_sqs_deliver(call, rc_world_http_now_ms(), true);
    }
    if (e->http != NULL)
        evhttp_free(e->http);
    if (e->timer != NULL)
        event_free(e->timer);
    rc_dynamo_free(e->dynamo);
    cJSON_Delete(e->metrics);
    free(e);
}
