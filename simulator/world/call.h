/* call.h - one request of a client, from its arrival to its answer.
 *
 * A handler gets a call and ends it exactly once with rc_call_answer(), at once or
 * later (long poll). What a fault of the table (model_faults.h) does to the
 * answer happens inside: it may be late, or be thrown away with the connection. */
#ifndef RC_CALL_H
#define RC_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "simulator/world/request_log.h"
#include "simulator/world/world.h"

struct cJSON;
struct event;
struct event_base;
struct evbuffer;
struct evhttp_request;
struct evkeyvalq;

struct rc_world_http; /* rc-world's server: world_http.h */

struct rc_call {
    struct rc_world_http *endpoint;
    struct rc_world *world;
    struct evhttp_request *http; /* owned by libevent until answered */
    int64_t now_ms;              /* of arrival */
    char request_id[37];
    char *body; /* NUL-terminated, owned by the call */
    size_t body_len;
    struct evkeyvalq *form; /* EC2 and STS: the parsed form; owned */
    struct evbuffer *out;   /* the answer's body; owned */
    struct rc_log_row log;  /* service and action set: written when answered */
    struct rc_sim_fault fault;
    bool faulty;
    struct event *timer;  /* long poll's end, or a late answer */
    struct rc_call *next; /* those that wait */
    struct rc_call *prev;
    /* ReceiveMessage that waits */
    struct rc_world_queue *queue;
    uint32_t wait_max;
    int64_t wait_visibility_ms;
};

/* NULL: no memory; the request was then answered with 503. */
struct rc_call *rc_call_new(struct rc_world_http *endpoint, struct rc_world *world,
                            struct evhttp_request *http, int64_t now_ms);
void rc_call_header(struct rc_call *call, const char *name, const char *value);
/* Sends out and frees the call. content_type may be NULL (no body). */
void rc_call_answer(struct rc_call *call, int status, const char *content_type);
/* The same in AWS JSON 1.0; takes json over, NULL = no body. */
void rc_call_answer_json(struct rc_call *call, int status, struct cJSON *json);
/* Takes the fault meant for this action, if any: call->fault, call->faulty. True: it is
 * an error that must be answered instead of the effect. */
bool rc_call_fault(struct rc_call *call, const char *action);
/* The client has closed its end: an answer would reach nobody. */
bool rc_call_abandoned(const struct rc_call *call);
/* A parameter of the form, "" when it is not there. */
const char *rc_call_param(const struct rc_call *call, const char *name);
/* The parameter <before><n><after>, such as Tag.3.Key; "" when it is not there. */
const char *rc_call_item(const struct rc_call *call, const char *before, unsigned n,
                         const char *after);

#endif
