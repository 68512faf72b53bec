/* loopback.c - see loopback.h. */
#define _GNU_SOURCE
#include "tests/unit/aws/loopback.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

extern char **environ;

struct connection {
    struct loopback *server;
    struct connection *next;
    struct bufferevent *bev;
    bool closing;
};

static void
drop(struct connection *c)
{
    struct connection **p = &c->server->open;

    while (*p != c) {
        p = &(*p)->next;
    }
    *p = c->next;
    bufferevent_free(c->bev);
    free(c);
}

static void
on_written(struct bufferevent *bev, void *arg)
{
    struct connection *c = arg;

    (void)bev;
    if (c->closing) {
        drop(c);
    }
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) {
        drop(arg);
    }
}

/* Bytes of the first whole request in text, or 0. */
static size_t
request_len(const char *text, size_t len)
{
    const char *end = memmem(text, len, "\r\n\r\n", 4);
    const char *length = strcasestr(text, "\r\ncontent-length:");
    size_t need;

    if (!end) {
        return 0;
    }
    need = (size_t)(end - text) + 4;
    if (length && length < end) {
        need += strtoul(length + 17, NULL, 10);
    }
    return len >= need ? need : 0;
}

static void
answer(struct connection *c)
{
    struct loopback *s = c->server;
    unsigned n = s->given;
    struct linger reset = {1, 0};

    if (n >= s->pushed) {
        return; /* nothing scripted: stay mute */
    }
    s->given++;
    if (s->ends[n] == LOOPBACK_MUTE) {
        return;
    }
    if (s->ends[n] == LOOPBACK_RESET && s->reply_len[n] == 0) {
        setsockopt(bufferevent_getfd(c->bev), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        drop(c);
        return;
    }
    c->closing = s->ends[n] != LOOPBACK_KEEP;
    bufferevent_write(c->bev, s->replies[n], s->reply_len[n]);
}

static void
on_readable(struct bufferevent *bev, void *arg)
{
    struct connection *c = arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    size_t have = evbuffer_get_length(in);
    char *text = calloc(1, have + 1);

    assert(text);
    evbuffer_copyout(in, text, have);
    size_t len = request_len(text, have);
    if (len == 0) {
        free(text);
        return;
    }
    evbuffer_drain(in, len);
    text[len] = '\0';
    assert(c->server->request_count < LOOPBACK_MAX);
    c->server->requests[c->server->request_count++] = text;
    answer(c);
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *addr, int len,
          void *arg)
{
    struct loopback *s = arg;
    struct connection *c = calloc(1, sizeof *c);

    (void)listener;
    (void)addr;
    (void)len;
    assert(c);
    s->connections++;
    c->server = s;
    c->next = s->open;
    s->open = c;
    c->bev = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(c->bev, on_readable, on_written, on_event, c);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

void
loopback_start(struct loopback *s, struct event_base *base)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof addr;

    memset(s, 0, sizeof *s);
    s->base = base;
    s->listener = evconnlistener_new_bind(base, on_accept, s, LEV_OPT_CLOSE_ON_FREE, 16,
                                          (struct sockaddr *)&addr, sizeof addr);
    assert(s->listener);
    getsockname(evconnlistener_get_fd(s->listener), (struct sockaddr *)&addr, &len);
    s->port = ntohs(addr.sin_port);
}

void
loopback_stop(struct loopback *s)
{
    for (struct connection *c = s->open, *next; c; c = next) {
        next = c->next;
        bufferevent_free(c->bev);
        free(c);
    }
    evconnlistener_free(s->listener);
    for (unsigned i = 0; i < LOOPBACK_MAX; i++) {
        free(s->requests[i]);
        free(s->replies[i]);
    }
}

void
loopback_raw(struct loopback *s, const char *bytes, enum loopback_end end)
{
    assert(s->pushed < LOOPBACK_MAX);
    s->replies[s->pushed] = strdup(bytes);
    s->reply_len[s->pushed] = strlen(bytes);
    s->ends[s->pushed++] = end;
}

void
loopback_push(struct loopback *s, int status, const char *headers, const char *body)
{
    char *text = NULL;

    if (asprintf(&text, "HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers,
                 strlen(body), body) < 0) {
        abort();
    }
    loopback_raw(s, text, LOOPBACK_KEEP);
    free(text);
}

const char *
loopback_header(const struct loopback *s, unsigned n, const char *name)
{
    static char value[8192];
    size_t name_len = strlen(name);

    value[0] = '\0';
    for (const char *p = n < s->request_count ? strstr(s->requests[n], "\r\n") : NULL;
         p && strncmp(p, "\r\n\r\n", 4) != 0; p = strstr(p + 2, "\r\n")) {
        if (strncasecmp(p + 2, name, name_len) == 0 && p[2 + name_len] == ':') {
            const char *from = p + 3 + name_len + strspn(p + 3 + name_len, " ");
            snprintf(value, sizeof value, "%.*s", (int)strcspn(from, "\r"), from);
            break;
        }
    }
    return value;
}

const char *
loopback_body(const struct loopback *s, unsigned n)
{
    const char *end = n < s->request_count ? strstr(s->requests[n], "\r\n\r\n") : NULL;

    return end ? end + 4 : "";
}

const char *
loopback_target(const struct loopback *s, unsigned n)
{
    static char target[256];

    target[0] = '\0';
    if (n < s->request_count) {
        const char *text = s->requests[n], *second = strchr(strchr(text, ' ') + 1, ' ');
        snprintf(target, sizeof target, "%.*s", (int)(second - text), text);
    }
    return target;
}

void
clean_environment(void)
{
    char name[256];

    for (char **p = environ; *p;) {
        size_t len = strcspn(*p, "=");
        snprintf(name, sizeof name, "%.*s", (int)len, *p);
        if (strncmp(name, "AWS_", 4) == 0 || strcasestr(name, "_proxy")) {
            unsetenv(name);
            p = environ;
        } else {
            p++;
        }
    }
    setenv("HOME", "/nonexistent", 1);
}

static void
on_watchdog(evutil_socket_t fd, short what, void *arg)
{
    bool *expired = arg;

    (void)fd;
    (void)what;
    *expired = true;
}

bool
loop_until(struct event_base *base, const int *counter, int n)
{
    struct timeval tv = {10, 0};
    bool expired = false;
    struct event *watchdog = evtimer_new(base, on_watchdog, &expired);

    evtimer_add(watchdog, &tv);
    while (*counter < n && !expired) {
        event_base_loop(base, EVLOOP_ONCE);
    }
    event_free(watchdog);
    return *counter >= n;
}

void
fixture_start(struct aws_fixture *f, const struct rc_aws_options *options)
{
    struct rc_aws_options own = {0};
    struct rc_error error = {0};
    char url[64];

    memset(f, 0, sizeof *f);
    clean_environment();
    setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    f->base = event_base_new();
    loopback_start(&f->server, f->base);
    if (options) {
        own = *options;
    }
    snprintf(url, sizeof url, "http://127.0.0.1:%d", f->server.port);
    own.region = "us-east-1";
    own.cluster = own.cluster ? own.cluster : "c1";
    own.endpoints.url = url;
    own.retry.seed = 1;
    own.retry.backoff_base_ms = own.retry.backoff_base_ms ? own.retry.backoff_base_ms : 1;
    f->aws = rc_aws_new(f->base, &own, &error);
    assert(f->aws);
}

void
fixture_stop(struct aws_fixture *f)
{
    rc_aws_free(f->aws);
    loopback_stop(&f->server);
    event_base_free(f->base);
}

bool
fixture_run(struct aws_fixture *f, int n)
{
    return loop_until(f->base, &f->done, n);
}
