/* peer_client.c - the calling half of the peer link: connects, proves itself, hears the
 * other one's facts, asks it for a fence or a start. Reconnects for ever. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "reconciler/io/controller/peer_link.h"

enum { RETRY_MS = 500, CONNECT_MS = 2000, TEXT_ROOM = 256, HOST_ROOM = 72, ADDR_ROOM = 80 };

enum step { STEP_DOWN, STEP_GREET, STEP_PROVE, STEP_UP };

struct rc_peer_client {
    struct rc_peer_options o;
    char cluster[64], host[HOST_ROOM], peer[HOST_ROOM], addr[ADDR_ROOM];
    struct rc_peer_key key;
    struct bufferevent *bev;
    struct event *retry_event, *ask_event;
    enum step step;
    bool told_down; /* the break was told, and nothing came since */
    char server_hello[RC_PEER_HELLO_ROOM], hello[RC_PEER_HELLO_ROOM];
    struct rc_peer_seal in, out;
    uint64_t seq;
    rc_peer_end_fn *end; /* of the request in flight, NULL = none */
    void *end_arg;
};

static void
end_order(struct rc_peer_client *c, enum rc_err code, const char *text)
{
    rc_peer_end_fn *end = c->end;
    struct rc_error e;

    if (end) {
        c->end = NULL;
        (void)event_del(c->ask_event);
        (void)rc_fail(&e, code, "%.*s", TEXT_ROOM - 1, text);
        end(c->end_arg, &e);
    }
}

static void
retry_later(struct rc_peer_client *c)
{
    const struct timeval pause = {.tv_usec = RETRY_MS * 1000};

    (void)event_add(c->retry_event, &pause);
}

static void
break_link(struct rc_peer_client *c, const char *why)
{
    if (c->bev) {
        bufferevent_free(c->bev);
        c->bev = NULL;
    }
    c->step = STEP_DOWN;
    end_order(c, RC_E_UNREACHABLE, why);
    if (!c->told_down) {
        c->told_down = true;
        c->o.on_link(c->o.arg, false, why);
    }
    retry_later(c);
}

/* What is wrong with the other one, by its words or ours. */
static void
break_refused(struct rc_peer_client *c, enum rc_err kind, const char *why)
{
    char text[400];

    (void)snprintf(text, sizeof text, "%s: %s", c->peer, why);
    c->o.on_refused(c->o.arg, kind, text);
    break_link(c, text);
}

static bool
take_server_hello(struct rc_peer_client *c, const char *text)
{
    const struct rc_peer_id id = {c->cluster, c->host}, peer = {c->cluster, c->peer};
    char mac[RC_PEER_MAC_LEN + 1];
    struct rc_error e;

    if (rc_peer_hello_check(text, &peer, &e) != RC_OK) {
        break_refused(c, e.code, e.text);
        return false;
    }
    (void)snprintf(c->server_hello, sizeof c->server_hello, "%s", text);
    if (!rc_peer_hello(&id, c->hello, sizeof c->hello)) {
        break_link(c, "no random bytes for a greeting");
        return false;
    }
    rc_peer_mac(&c->key, "client", c->server_hello, c->hello, mac);
    (void)evbuffer_add_printf(bufferevent_get_output(c->bev), "%s %s\n", c->hello, mac);
    c->step = STEP_PROVE;
    return true;
}

static bool
take_proof(struct rc_peer_client *c, const char *text)
{
    char mac[RC_PEER_MAC_LEN + 1];

    rc_peer_mac(&c->key, "server", c->server_hello, c->hello, mac);
    if (strncmp(text, "no ", 3) == 0) {
        break_refused(c, RC_E_SERVER, text + 3);
        return false;
    }
    if (strncmp(text, "ok ", 3) != 0 || !rc_peer_same(text + 3, mac)) {
        break_refused(c, RC_E_DENIED, "it has another key, or a greeting was altered on the way");
        return false;
    }
    rc_peer_seal_init(&c->in, &c->key, c->server_hello, c->hello, 's');
    rc_peer_seal_init(&c->out, &c->key, c->server_hello, c->hello, 'c');
    c->step = STEP_UP;
    c->told_down = false;
    c->o.on_link(c->o.arg, true, "");
    return true;
}

static bool
take_sealed(struct rc_peer_client *c, char *text)
{
    char *plain = rc_peer_open_line(&c->in, text);
    struct rc_line line;

    if (!plain || rc_line_parse(plain, strlen(plain), &line, NULL) != RC_OK) {
        break_refused(c, RC_E_STATE, "it sent what is not sealed, or out of order");
        return false;
    }
    if (strcmp(line.word, "facts") == 0) {
        c->o.on_facts(c->o.arg, &line);
    } else if (line.seq == c->seq) {
        bool good = strcmp(line.word, "ok") == 0;
        end_order(c, good ? RC_OK : rc_err_from_name(rc_line_text(&line, "code", "")),
                  rc_line_text(&line, "text", ""));
    }
    return true;
}

static void
on_peer_read(struct bufferevent *bev, void *arg)
{
    struct rc_peer_client *c = arg;
    char *text;
    bool alive = true;

    while (alive &&
           (text = evbuffer_readln(bufferevent_get_input(bev), NULL, EVBUFFER_EOL_LF)) != NULL) {
        alive = c->step == STEP_GREET   ? take_server_hello(c, text)
                : c->step == STEP_PROVE ? take_proof(c, text)
                                        : take_sealed(c, text);
        free(text);
    }
    if (alive && evbuffer_get_length(bufferevent_get_input(bev)) > 2 * RC_PEER_LINE_ROOM) {
        break_refused(c, RC_E_TOO_LARGE, "it sends a line without an end");
    }
}

static void
on_peer_event(struct bufferevent *bev, short what, void *arg)
{
    struct rc_peer_client *c = arg;
    const struct timeval silent = {.tv_sec = RC_PEER_SILENT_MS / 1000};

    (void)bev;
    if (what & BEV_EVENT_CONNECTED) {
        c->step = STEP_GREET;
        bufferevent_set_timeouts(c->bev, &silent, NULL);
        return;
    }
    break_link(c, what & BEV_EVENT_TIMEOUT ? "the peer is silent"
                  : what & BEV_EVENT_EOF   ? "the peer closed the connection"
                                           : "the peer cannot be reached");
}

static void
on_call(evutil_socket_t fd, short what, void *arg)
{
    struct rc_peer_client *c = arg;
    const struct timeval connect = {.tv_sec = CONNECT_MS / 1000};
    struct sockaddr_storage addr;
    int len = sizeof addr;

    (void)fd;
    (void)what;
    if (c->bev || !*c->addr ||
        evutil_parse_sockaddr_port(c->addr, (struct sockaddr *)&addr, &len) < 0) {
        retry_later(c);
        return;
    }
    c->bev = bufferevent_socket_new(c->o.base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (!c->bev) {
        retry_later(c);
        return;
    }
    bufferevent_setcb(c->bev, on_peer_read, NULL, on_peer_event, c);
    bufferevent_set_timeouts(c->bev, &connect, &connect);
    (void)bufferevent_enable(c->bev, EV_READ | EV_WRITE);
    if (bufferevent_socket_connect(c->bev, (struct sockaddr *)&addr, len) < 0 && c->bev) {
        break_link(c, "the peer cannot be reached");
    }
}

static void
on_ask_timeout(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    end_order(arg, RC_E_TIMEOUT, "the peer did not answer in time");
}

void
rc_peer_client_set_addr(struct rc_peer_client *c, const char *addr)
{
    if (strcmp(c->addr, addr) == 0) {
        return;
    }
    (void)snprintf(c->addr, sizeof c->addr, "%s", addr);
    if (c->bev) {
        break_link(c, "the peer has another address");
    }
}

bool
rc_peer_client_is_up(const struct rc_peer_client *c)
{
    return c->step == STEP_UP;
}

enum rc_err
rc_peer_client_ask(struct rc_peer_client *c, const char *words, uint32_t timeout_ms,
                   rc_peer_end_fn *end, void *arg)
{
    const struct timeval timeout = {.tv_sec = timeout_ms / 1000,
                                    .tv_usec = timeout_ms % 1000 * 1000};
    char line[RC_PEER_LINE_ROOM], buf[RC_PEER_LINE_ROOM + RC_PEER_MAC_LEN + 8];

    if (c->step != STEP_UP) {
        return RC_E_UNREACHABLE;
    }
    if (c->end) {
        return RC_E_STATE;
    }
    (void)snprintf(line, sizeof line, "%" PRIu64 " %.4000s", ++c->seq, words);
    size_t len = rc_peer_seal_line(&c->out, line, buf, sizeof buf);
    if (!len || bufferevent_write(c->bev, buf, len) < 0) {
        return RC_E_IO;
    }
    c->end = end;
    c->end_arg = arg;
    (void)event_add(c->ask_event, &timeout);
    return RC_OK;
}

struct rc_peer_client *
rc_peer_client_new(const struct rc_peer_options *o, const struct rc_peer_key *key,
                   struct rc_error *e)
{
    struct rc_peer_client *c = calloc(1, sizeof *c);

    if (c) {
        c->o = *o;
        c->key = *key;
        (void)snprintf(c->cluster, sizeof c->cluster, "%s", o->cluster);
        (void)snprintf(c->host, sizeof c->host, "%s", o->host);
        (void)snprintf(c->peer, sizeof c->peer, "%s", o->peer);
        c->retry_event = event_new(o->base, -1, 0, on_call, c);
        c->ask_event = event_new(o->base, -1, 0, on_ask_timeout, c);
    }
    if (!c || !c->retry_event || !c->ask_event) {
        (void)rc_fail(e, RC_E_INTERNAL, "no memory");
        rc_peer_client_free(c);
        return NULL;
    }
    event_active(c->retry_event, EV_TIMEOUT, 0);
    return c;
}

void
rc_peer_client_free(struct rc_peer_client *c)
{
    if (!c) {
        return;
    }
    if (c->bev) {
        bufferevent_free(c->bev);
    }
    if (c->retry_event) {
        event_free(c->retry_event);
    }
    if (c->ask_event) {
        event_free(c->ask_event);
    }
    free(c);
}
