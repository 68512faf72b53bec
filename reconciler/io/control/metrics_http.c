/* metrics_http.c - GET /metrics on one address, over libevent's HTTP server. Requests are small:
 * bodies and long headers are refused by the server's own limits. */
#define _GNU_SOURCE
#include "reconciler/io/control/metrics_http.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { HEADERS_MAX = 8192, BODY_MAX = 0, TIMEOUT_S = 10 };

struct rc_metrics_http {
    struct rc_metrics *metrics;
    struct evhttp *server;
    uint16_t port;
};

static void
on_metrics(struct evhttp_request *req, void *arg)
{
    struct rc_metrics_http *http = arg;
    struct evbuffer *out = evbuffer_new();

    if (!out || rc_metrics_render(http->metrics, out) != RC_OK) {
        evhttp_send_error(req, HTTP_INTERNAL, NULL);
    } else {
        evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type",
                          "text/plain; version=0.0.4; charset=utf-8");
        evhttp_send_reply(req, HTTP_OK, NULL, out);
    }
    if (out) {
        evbuffer_free(out);
    }
}

static void
on_other(struct evhttp_request *req, void *arg)
{
    (void)arg;
    evhttp_send_error(req, HTTP_NOTFOUND, NULL);
}

static bool
parse_port(const char *text, in_port_t *ret)
{
    size_t digits = strspn(text, "0123456789");
    long port = strtol(text, NULL, 10);

    *ret = htons((uint16_t)port);
    return digits > 0 && digits <= 5 && text[digits] == '\0' && port <= UINT16_MAX;
}

/* "127.0.0.1:9464", "[::1]:0". Not evutil_parse_sockaddr_port(): it knows no port 0. */
static bool
parse_address(const char *listen, struct sockaddr_storage *ret, int *ret_len)
{
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    const char *colon = strrchr(listen, ':');
    bool is_six = *listen == '[';
    char host[INET6_ADDRSTRLEN];
    in_port_t port = 0;
    size_t len = 0;

    if (!colon || !parse_port(colon + 1, &port) ||
        (is_six && (colon - listen < 3 || colon[-1] != ']'))) {
        return false;
    }
    len = (size_t)(colon - listen) - (is_six ? 2 : 0);
    if (len >= sizeof host) {
        return false;
    }
    memcpy(host, listen + is_six, len);
    host[len] = '\0';
    four.sin_port = port;
    six.sin6_port = port;
    if (is_six) {
        memcpy(ret, &six, sizeof six);
        *ret_len = (int)sizeof six;
        return inet_pton(AF_INET6, host, &((struct sockaddr_in6 *)ret)->sin6_addr) == 1;
    }
    memcpy(ret, &four, sizeof four);
    *ret_len = (int)sizeof four;
    return inet_pton(AF_INET, host, &((struct sockaddr_in *)ret)->sin_addr) == 1;
}

static uint16_t
port_of(evutil_socket_t fd)
{
    struct sockaddr_storage addr = {0};
    socklen_t len = sizeof addr;

    if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0) {
        return 0;
    }
    if (addr.ss_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, &addr, sizeof six);
        return ntohs(six.sin6_port);
    }
    struct sockaddr_in four;
    memcpy(&four, &addr, sizeof four);
    return ntohs(four.sin_port);
}

static enum rc_err
listen_on(struct rc_metrics_http *http, struct event_base *base, const char *listen,
          struct rc_error *e)
{
    struct sockaddr_storage addr = {0};
    struct evconnlistener *listener = NULL;
    struct evhttp_bound_socket *bound = NULL;
    int len = 0;

    if (!parse_address(listen, &addr, &len)) {
        return rc_fail(e, RC_E_INVALID,
                       "metrics: expected an address and port such as 127.0.0.1:9464, got \"%s\"",
                       listen);
    }
    listener = evconnlistener_new_bind(
        base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, 16,
        (struct sockaddr *)&addr, len);
    if (!listener) {
        return rc_fail(e, RC_E_IO, "metrics: cannot listen on %s: %s", listen,
                       evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
    }
    http->port = port_of(evconnlistener_get_fd(listener));
    bound = evhttp_bind_listener(http->server, listener);
    if (!bound) {
        evconnlistener_free(listener);
        return rc_fail(e, RC_E_INTERNAL, "out of memory");
    }
    return RC_OK;
}

enum rc_err
rc_metrics_http_new(struct rc_metrics *ms, struct event_base *base, const char *listen,
                    struct rc_metrics_http **ret, struct rc_error *e)
{
    struct rc_metrics_http *http = calloc(1, sizeof *http);
    enum rc_err err = RC_OK;

    if (!http) {
        return rc_fail(e, RC_E_INTERNAL, "out of memory");
    }
    http->metrics = ms;
    http->server = evhttp_new(base);
    if (!http->server) {
        free(http);
        return rc_fail(e, RC_E_INTERNAL, "out of memory");
    }
    evhttp_set_allowed_methods(http->server, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
    evhttp_set_max_headers_size(http->server, HEADERS_MAX);
    evhttp_set_max_body_size(http->server, BODY_MAX);
    evhttp_set_timeout(http->server, TIMEOUT_S);
    evhttp_set_gencb(http->server, on_other, http);
    evhttp_set_cb(http->server, "/metrics", on_metrics, http);
    err = listen_on(http, base, listen, e);
    if (err != RC_OK) {
        rc_metrics_http_free(http);
        return err;
    }
    *ret = http;
    return RC_OK;
}

void
rc_metrics_http_free(struct rc_metrics_http *http)
{
    if (http) {
        evhttp_free(http->server);
        free(http);
    }
}

uint16_t
rc_metrics_http_port(const struct rc_metrics_http *http)
{
    return http->port;
}
