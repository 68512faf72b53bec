/* http.h - HTTP/1.1 exchanges on libcurl's multi interface, driven by libevent.
 *
 * One rc_http is one pool of kept-alive connections on one event base. A
 * callback always comes from the event loop, never from inside rc_http_start,
 * exactly once, unless the exchange was cancelled: then never. Redirects are not
 * followed. Proxy variables (HTTPS_PROXY, NO_PROXY) work as in curl. */
#ifndef RC_HTTP_H
#define RC_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reconciler/io/fail.h"

struct event_base;
struct rc_http;
struct rc_http_call;

struct rc_http_options {
    uint32_t connections_max; /* kept open in all; 0 = 16 */
    const char *ca_file;      /* PEM bundle; NULL = AWS_CA_BUNDLE, else the system's */
};

/* Everything is copied before rc_http_start returns. */
struct rc_http_request {
    const char *method;
    const char *url;
    const char *const *headers; /* "Name: value" */
    size_t header_count;
    const char *body; /* NULL = none */
    size_t body_len;
    const char *connect_to;     /* "HOST:PORT:TO-HOST:TO-PORT" as curl --connect-to, NULL = none */
    int64_t timeout_ms;         /* whole exchange; 0 = 30 s */
    int64_t connect_timeout_ms; /* 0 = 5 s */
    size_t response_max;        /* larger replies fail with RC_E_TOO_LARGE; 0 = 16 MiB */
    int direct;                 /* 1 = never through a proxy (instance metadata) */
    /* Asked when the connection stands, right before the request is written to it: false
     * ends the exchange with RC_E_NO_LEASE. NULL = always. */
    bool (*may_send)(void *arg);
    void *may_send_arg;
    int once; /* 1 = on a new connection: curl repeats a request when a kept one turns out dead */
};

/* Borrowed: valid until the callback returns. */
struct rc_http_response {
    struct rc_error error; /* RC_OK when a whole reply came, whatever its status */
    int may_have_reached;  /* 0 = it surely never left: connecting failed */
    long status;           /* 0 when there is none */
    const char *headers;   /* raw header lines of the last reply */
    const char *body;      /* NUL-terminated beyond body_len */
    size_t body_len;
    int64_t duration_ms;
};

typedef void(rc_http_fn)(const struct rc_http_response *response, void *arg);

/* NULL and *error when curl cannot start. */
struct rc_http *rc_http_new(struct event_base *base, const struct rc_http_options *options,
                            struct rc_error *error);
/* Cancels every exchange (no callback comes), closes every connection. Not from a callback of it.
 */
void rc_http_free(struct rc_http *http);

/* Refuses at once with RC_E_INVALID or RC_E_IO; otherwise *ret_call is valid
 * until the callback returns. ret_call may be NULL. */
enum rc_err rc_http_start(struct rc_http *http, const struct rc_http_request *request,
                          rc_http_fn *fn, void *arg, struct rc_http_call **ret_call,
                          struct rc_error *error);
/* The callback will not come. call may be NULL. */
void rc_http_cancel(struct rc_http_call *call);

/* Copies the value of a header (name without colon, any case), trimmed; "" when
 * absent or longer than the room. Returns 1 when found. */
int rc_http_header(const struct rc_http_response *response, const char *name, char *ret,
                   size_t room);

#endif
