/* world_http.h - the HTTP server of rc-world on 127.0.0.1.
 *
 * One evhttp server speaks for all services: a POST whose signature is right goes
 * to SQS, EC2 or STS by the service in its credential scope; /latest is the
 * instance metadata service, /_world the admin interface. */
#ifndef RC_WORLD_HTTP_H
#define RC_WORLD_HTTP_H

#include <stdint.h>

#include "simulator/world/sigv4_check.h"
#include "simulator/world/world.h"
#include "simulator/world/world_config.h"

struct cJSON;
struct event_base;
struct rc_call;
struct rc_dynamo;
struct rc_world_http;

/* Everything is borrowed and outlives the endpoint. NULL: the port cannot be had; why is on
 * stderr. port 0 = any free one. */
struct rc_world_http *rc_world_http_new(struct event_base *base, struct rc_world *world,
                                        struct rc_world_setup *setup, uint16_t port);
void rc_world_http_free(struct rc_world_http *e);
uint16_t rc_world_http_port(const struct rc_world_http *e);
struct event_base *rc_world_http_base(struct rc_world_http *e);
struct rc_world_setup *rc_world_http_setup(struct rc_world_http *e);
struct rc_dynamo *rc_world_http_dynamo(struct rc_world_http *e);
struct cJSON *rc_world_http_metrics(struct rc_world_http *e); /* list of what was put */
/* The world was changed from outside of a request: move it on, wake who waits. */
void rc_world_http_turn(struct rc_world_http *e);
int64_t rc_world_http_now_ms(void); /* CLOCK_REALTIME, never going back */

/* A ReceiveMessage that found nothing waits here until a message comes or wait_ms passed.
 * It is then answered by rc_sqs_deliver(). */
void rc_world_http_wait(struct rc_world_http *e, struct rc_call *call, int64_t wait_ms);

#endif
