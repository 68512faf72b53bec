/* peer_server.c - the listening half of the peer link, and the object of both halves. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "reconciler/io/controller/peer_link.h"

enum { CALLERS_MAX = 4, GREET_MS = 3000, HOST_LEN = 72 };

struct caller {
    LIST_ENTRY(caller) link;
    struct rc_peer_server *server;
    struct bufferevent *bev;
    struct event *greet; /* the end of its time to prove itself, however busy it is */
    bool proved;
    char hello[RC_PEER_HELLO_ROOM];
    struct rc_peer_seal in, out;
    uint64_t told;
    struct rc_peer_call *call; /* not answered yet */
};

struct rc_peer_call {
    struct caller *caller; /* NULL: it went away meanwhile */
    uint64_t seq;
};

struct rc_peer_server {
    struct rc_peer_options o;
    char cluster[64], host[HOST_LEN], peer[HOST_LEN];
    struct rc_peer_key key;
    struct evconnlistener *listener;
    struct event *tell_event;
    LIST_HEAD(caller_list, caller) callers;
    uint32_t count;
    char facts[RC_PEER_LINE_ROOM];
};

static void
caller_free(struct caller *c)
{
    if (c->call) {
        c->call->caller = NULL; /* freed when it is answered */
    }
    LIST_REMOVE(c, link);
    c->server->count--;
    if (c->greet) {
        event_free(c->greet);
    }
    bufferevent_free(c->bev);
    free(c);
}

static void
send_sealed(struct caller *c, const char *line)
{
    char buf[RC_PEER_LINE_ROOM + RC_PEER_MAC_LEN + 8];
    size_t len = rc_peer_seal_line(&c->out, line, buf, sizeof buf);

    if (len) {
        (void)bufferevent_write(c->bev, buf, len);
    }
}

static void
tell_caller(struct caller *c)
{
    char line[RC_PEER_LINE_ROOM];

    if (c->proved && *c->server->facts) {
        (void)snprintf(line, sizeof line, "%" PRIu64 " %.4000s", ++c->told, c->server->facts);
        send_sealed(c, line);
    }
}

/* The reason goes to the caller's log too, and then the door is shut. */
static void
refuse_caller(struct caller *c, enum rc_err kind, const char *why)
{
    struct rc_peer_server *s = c->server;
    char line[512];

    (void)snprintf(line, sizeof line, "no %.300s\n", why);
    (void)send(bufferevent_getfd(c->bev), line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
    caller_free(c);
    s->o.on_refused(s->o.arg, kind, why);
}

/* There is one peer: who proves that it is that one has no use for its earlier calls, which may be
 * dead without a word. */
static void
free_earlier(const struct caller *c)
{
    for (struct caller *at = LIST_FIRST(&c->server->callers), *next; at; at = next) {
        next = LIST_NEXT(at, link);
        if (at != c && at->proved) {
            caller_free(at);
        }
    }
}

static bool
take_greeting(struct caller *c, char *text)
{
    struct rc_peer_server *s = c->server;
    const struct rc_peer_id peer = {s->cluster, s->peer};
    char mac[RC_PEER_MAC_LEN + 1], line[RC_PEER_MAC_LEN + 8], why[400];
    char *blank = strrchr(text, ' ');
    struct rc_error e;

    if (blank && strlen(blank + 1) == RC_PEER_MAC_LEN) {
        *blank = '\0';
    } else {
        blank = NULL;
    }
    if (rc_peer_hello_check(text, &peer, &e) != RC_OK) {
        (void)snprintf(why, sizeof why, "the caller %s", e.text);
        refuse_caller(c, e.code, why);
        return false;
    }
    rc_peer_mac(&s->key, "client", c->hello, text, mac);
    if (!blank || !rc_peer_same(mac, blank + 1)) {
        refuse_caller(c, RC_E_DENIED,
                      "the caller has another key, or its greeting was altered on the way");
        return false;
    }
    rc_peer_mac(&s->key, "server", c->hello, text, mac);
    (void)snprintf(line, sizeof line, "ok %s\n", mac);
    (void)bufferevent_write(c->bev, line, strlen(line));
    rc_peer_seal_init(&c->in, &s->key, c->hello, text, 'c');
    rc_peer_seal_init(&c->out, &s->key, c->hello, text, 's');
    c->proved = true;
    (void)event_del(c->greet);
    free_earlier(c);
    tell_caller(c);
    return true;
}

static bool
take_request(struct caller *c, char *text)
{
    struct rc_peer_server *s = c->server;
    char *plain = rc_peer_open_line(&c->in, text);
    struct rc_line line;

    if (!plain || c->call || rc_line_parse(plain, strlen(plain), &line, NULL) != RC_OK) {
        refuse_caller(c, RC_E_STATE, "the caller sent what is not sealed, or out of turn");
        return false;
    }
    c->call = calloc(1, sizeof *c->call);
    if (!c->call) {
        caller_free(c);
        return false;
    }
    c->call->caller = c;
    c->call->seq = line.seq;
    s->o.on_request(s->o.arg, c->call, &line);
    return true;
}

static void
on_caller_read(struct bufferevent *bev, void *arg)
{
    struct caller *c = arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    char *text;
    bool alive = true;

    while (alive && (text = evbuffer_readln(in, NULL, EVBUFFER_EOL_LF)) != NULL) {
        alive = c->proved ? take_request(c, text) : take_greeting(c, text);
        free(text);
    }
    if (alive && evbuffer_get_length(in) > RC_PEER_LINE_ROOM) {
        refuse_caller(c, RC_E_TOO_LARGE, "the caller sends a line without an end");
    }
}

static void
on_caller_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    (void)what;
    caller_free(arg);
}

static void
on_greet_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    caller_free(arg);
}

/* Whoever comes needs a moment only to prove itself; the one that has had the longest gives way,
 * so that callers who come again and again keep nobody out. */
static void
make_place(struct rc_peer_server *s)
{
    struct caller *oldest = NULL;

    for (struct caller *c = LIST_FIRST(&s->callers); c; c = LIST_NEXT(c, link)) {
        oldest = c->proved ? oldest : c; /* the latest stand first */
    }
    if (s->count >= CALLERS_MAX && oldest) {
        caller_free(oldest);
    }
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *addr, int len,
          void *arg)
{
    struct rc_peer_server *s = arg;
    const struct timeval greet = {.tv_sec = GREET_MS / 1000};
    const struct rc_peer_id id = {s->cluster, s->host};

    (void)listener;
    (void)addr;
    (void)len;
    make_place(s);
    struct caller *c = s->count < CALLERS_MAX ? calloc(1, sizeof *c) : NULL;
    if (c && rc_peer_hello(&id, c->hello, sizeof c->hello)) {
        c->bev = bufferevent_socket_new(s->o.base, fd, BEV_OPT_CLOSE_ON_FREE);
    }
    if (!c || !c->bev) {
        free(c);
        (void)evutil_closesocket(fd);
        return;
    }
    c->server = s;
    LIST_INSERT_HEAD(&s->callers, c, link);
    s->count++;
    c->greet = evtimer_new(s->o.base, on_greet_over, c);
    if (!c->greet || evtimer_add(c->greet, &greet)) {
        caller_free(c);
        return;
    }
    bufferevent_setcb(c->bev, on_caller_read, NULL, on_caller_event, c);
    (void)bufferevent_enable(c->bev, EV_READ | EV_WRITE);
    (void)evbuffer_add_printf(bufferevent_get_output(c->bev), "%s\n", c->hello);
}

static void
on_tell(evutil_socket_t fd, short what, void *arg)
{
    struct rc_peer_server *s = arg;

    (void)fd;
    (void)what;
    for (struct caller *c = LIST_FIRST(&s->callers); c; c = LIST_NEXT(c, link)) {
        tell_caller(c);
    }
}

void
rc_peer_server_tell(struct rc_peer_server *s, const char *facts)
{
    (void)snprintf(s->facts, sizeof s->facts, "%s", facts);
    on_tell(-1, 0, s);
}

void
rc_peer_answer(struct rc_peer_call *call, const struct rc_error *e)
{
    char buf[RC_PEER_LINE_ROOM];
    struct rc_line_out out;

    if (call->caller) {
        bool good = e->code == RC_OK;
        rc_line_begin(&out, buf, sizeof buf - 1, call->seq, good ? "ok" : "err");
        if (!good) {
            rc_line_put(&out, "code", rc_err_name(e->code));
            rc_line_put(&out, "text", e->text);
        }
        size_t len = rc_line_end(&out);
        if (len) {
            buf[len - 1] = '\0';
            send_sealed(call->caller, buf);
        }
        call->caller->call = NULL;
    }
    free(call);
}

struct rc_peer_server *
rc_peer_server_new(const struct rc_peer_options *o, const struct rc_peer_key *key,
                   struct rc_error *e)
{
    struct rc_peer_server *s = calloc(1, sizeof *s);
    const struct timeval every = {.tv_sec = RC_PEER_TELL_MS / 1000};
    struct sockaddr_storage addr;
    int len = sizeof addr;

    if (!s) {
        (void)rc_fail(e, RC_E_INTERNAL, "no memory");
        return NULL;
    }
    s->o = *o;
    s->key = *key;
    (void)snprintf(s->cluster, sizeof s->cluster, "%s", o->cluster);
    (void)snprintf(s->host, sizeof s->host, "%s", o->host);
    (void)snprintf(s->peer, sizeof s->peer, "%s", o->peer);
    LIST_INIT(&s->callers);
    if (evutil_parse_sockaddr_port(o->listen, (struct sockaddr *)&addr, &len) == 0) {
        s->listener = evconnlistener_new_bind(o->base, on_accept, s,
                                              LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE |
                                                  LEV_OPT_CLOSE_ON_EXEC,
                                              CALLERS_MAX, (struct sockaddr *)&addr, len);
    }
    s->tell_event = event_new(o->base, -1, EV_PERSIST, on_tell, s);
    if (!s->listener || !s->tell_event) {
        (void)rc_fail(e, RC_E_IO, "the peer link cannot listen on %s", o->listen);
        rc_peer_server_free(s);
        return NULL;
    }
    (void)event_add(s->tell_event, &every);
    return s;
}

void
rc_peer_server_free(struct rc_peer_server *s)
{
    if (!s) {
        return;
    }
    for (struct caller *c = LIST_FIRST(&s->callers), *next; c; c = next) {
        next = LIST_NEXT(c, link);
        caller_free(c);
    }
    if (s->listener) {
        evconnlistener_free(s->listener);
    }
    if (s->tell_event) {
        event_free(s->tell_event);
    }
    free(s);
}
