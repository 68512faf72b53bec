/* loopback.h - a small scripted HTTP server and an AWS context that talks to it,
 * both on one event base, for the tests of this room.
 *
 * Replies are given in the order in which they were pushed, one a request,
 * whatever the connection. Requests are kept as they came. */
#ifndef RC_TEST_LOOPBACK_H
#define RC_TEST_LOOPBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reconciler/io/aws/aws.h"
#include "reconciler/io/aws/http.h"

enum { LOOPBACK_MAX = 64 };

enum loopback_end {
    LOOPBACK_KEEP,  /* the connection stays open */
    LOOPBACK_CLOSE, /* closed after the reply */
    LOOPBACK_RESET, /* closed at once, nothing sent when the reply is "" */
    LOOPBACK_MUTE   /* no answer, connection stays open */
};

struct loopback {
    struct event_base *base;
    struct evconnlistener *listener;
    int port;
    unsigned connections;
    unsigned request_count;
    char *requests[LOOPBACK_MAX];
    unsigned pushed, given;
    char *replies[LOOPBACK_MAX];
    size_t reply_len[LOOPBACK_MAX];
    enum loopback_end ends[LOOPBACK_MAX];
    struct connection *open;
};

void loopback_start(struct loopback *server, struct event_base *base);
void loopback_stop(struct loopback *server);
/* Raw bytes of a whole reply. */
void loopback_raw(struct loopback *server, const char *bytes, enum loopback_end end);
/* Status, extra header lines ("A: b\r\n", may be "") and body; Content-Length is added. */
void loopback_push(struct loopback *server, int status, const char *headers, const char *body);
/* The value of a header in the n-th request, "" when absent. Valid until the next call. */
const char *loopback_header(const struct loopback *server, unsigned n, const char *name);
const char *loopback_body(const struct loopback *server, unsigned n);
const char *loopback_target(const struct loopback *server, unsigned n); /* "POST /" */

/* An event base, a server and a context whose every service is that server.
 * Credentials come from the environment: AKID / secret, no token. */
struct aws_fixture {
    struct event_base *base;
    struct loopback server;
    struct rc_aws *aws;
    int done; /* set it in a callback to end fixture_run */
};

void fixture_start(struct aws_fixture *f, const struct rc_aws_options *options);
void fixture_stop(struct aws_fixture *f);
/* Runs the loop until f->done reaches n; false after ten seconds. */
bool fixture_run(struct aws_fixture *f, int n);
/* As above on any base and counter. */
bool loop_until(struct event_base *base, const int *counter, int n);
/* Sets a clean environment: no AWS_ variables, HOME on a folder that is empty. */
void clean_environment(void);

#endif
