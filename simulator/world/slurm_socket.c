/* slurm_socket.c - connections of the simulated helpers.
 *
 * One buffer a connection; while slurmctld hangs, requests stay in it unread. A
 * line that cannot be parsed ends the connection, as a helper ends. */
#include "simulator/world/slurm_socket.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "reconciler/io/helper/line.h"
#include "simulator/world/slurm_verbs.h"

enum { CLIENTS_MAX = 16, HUNG_LOOK_MS = 50 };

struct client {
    struct rc_slurm_socket *socket;
    struct bufferevent *bev; /* NULL = free */
    bool writer;
    bool greeted;
};

struct rc_slurm_socket {
    struct event_base *base;
    struct evconnlistener *listener;
    struct rc_world_http *endpoint;
    struct rc_world *world;
    struct event *hung; /* looks now and then whether slurmctld is back */
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    bool made; /* path and its folder are ours to remove */
    struct client client[CLIENTS_MAX];
};

static void
client_close(struct client *c)
{
    if (c->bev != NULL)
        bufferevent_free(c->bev);
    *c = (struct client){.socket = c->socket};
}

/* "hello 1 role=reader|writer" */
static bool
client_greet(struct client *c, const struct rc_line *line)
{
    const char *role = rc_line_text(line, "role", "");

    if (line->seq != 0 || (strcmp(role, "reader") != 0 && strcmp(role, "writer") != 0))
        return false;
    c->writer = *role == 'w';
    c->greeted = true;
    return true;
}

static bool
client_line(struct client *c, char *text, size_t len)
{
    struct rc_slurm_socket *s = c->socket;
    struct rc_slurm_request request = {.world = s->world,
                                       .setup = rc_world_http_setup(s->endpoint),
                                       .now_ms = rc_world_http_now_ms(),
                                       .writer = c->writer,
                                       .out = bufferevent_get_output(c->bev)};
    struct rc_line line;
    struct rc_error e;

    if (rc_line_parse(text, len, &line, &e) != RC_OK)
        return false;
    if (!c->greeted)
        return client_greet(c, &line);
    rc_world_advance(s->world, request.now_ms);
    request.line = &line;
    rc_slurm_verb(&request);
    rc_world_http_turn(s->endpoint);
    return true;
}

static void
client_read(struct bufferevent *bev, void *arg)
{
    struct client *c = arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    struct timeval look = {.tv_usec = HUNG_LOOK_MS * 1000};

    for (;;) {
        size_t len = 0;
        char *text;
        bool good;

        if (c->greeted && c->socket->world->slurmctld == RC_WORLD_SLURMCTLD_HUNG) {
            (void)evtimer_add(c->socket->hung, &look);
            return;
        }
        text = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);
        if (text == NULL)
            break;
        good = client_line(c, text, len);
        free(text);
        if (!good) {
            client_close(c);
            return;
        }
    }
    if (evbuffer_get_length(in) > RC_LINE_MAX)
        client_close(c);
}

static void
hung_look(evutil_socket_t fd, short what, void *arg)
{
    struct rc_slurm_socket *s = arg;

    (void)fd;
    (void)what;
    for (int i = 0; i < CLIENTS_MAX; i++)
        if (s->client[i].bev != NULL)
            client_read(s->client[i].bev, &s->client[i]);
}

static void
client_drained(struct bufferevent *bev, void *arg)
{
    (void)bev;
    client_close(arg);
}

/* At the end of the requests the answers still go out. */
static void
client_event(struct bufferevent *bev, short what, void *arg)
{
    bool error = (what & BEV_EVENT_ERROR) != 0;

    if (error || evbuffer_get_length(bufferevent_get_output(bev)) == 0)
        client_close(arg);
    else
        bufferevent_setcb(bev, NULL, client_drained, client_event, arg);
}

static void
socket_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *addr, int len,
              void *arg)
{
    struct rc_slurm_socket *s = arg;
    struct client *c = NULL;

    (void)listener;
    (void)addr;
    (void)len;
    for (int i = 0; i < CLIENTS_MAX && c == NULL; i++)
        if (s->client[i].bev == NULL)
            c = &s->client[i];
    if (c == NULL) {
        (void)close(fd);
        return;
    }
    c->socket = s;
    c->bev = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (c->bev == NULL) {
        (void)close(fd);
        return;
    }
    bufferevent_setcb(c->bev, client_read, NULL, client_event, c);
    (void)bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/* A folder of our own, so that the name is free and nobody else can connect. */
static bool
socket_path(struct rc_slurm_socket *s, const char *wanted)
{
    char folder[] = "/tmp/rc-world-XXXXXX";

    if (*wanted != '\0')
        return (size_t)snprintf(s->path, sizeof(s->path), "%s", wanted) < sizeof(s->path);
    if (mkdtemp(folder) == NULL)
        return false;
    s->made = true;
    (void)snprintf(s->path, sizeof(s->path), "%s/slurm", folder);
    return true;
}

struct rc_slurm_socket *
rc_slurm_socket_new(struct event_base *base, struct rc_world_http *e, struct rc_world *w)
{
    struct rc_slurm_socket *s = calloc(1, sizeof(*s));
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    if (s == NULL)
        return NULL;
    s->base = base;
    s->endpoint = e;
    s->world = w;
    s->hung = evtimer_new(base, hung_look, s);
    if (s->hung != NULL && socket_path(s, rc_world_http_setup(e)->slurm_socket)) {
        memcpy(addr.sun_path, s->path, sizeof(addr.sun_path));
        s->listener = evconnlistener_new_bind(base, socket_accept, s,
                                              LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 16,
                                              (struct sockaddr *)&addr, sizeof(addr));
    }
    if (s->listener == NULL) {
        (void)fprintf(stderr, "rc-world: cannot listen on %s\n",
                      s->path[0] != '\0' ? s->path : "a Unix socket");
        rc_slurm_socket_free(s);
        return NULL;
    }
    return s;
}

void
rc_slurm_socket_free(struct rc_slurm_socket *s)
{
    if (s == NULL)
        return;
    for (int i = 0; i < CLIENTS_MAX; i++)
        client_close(&s->client[i]);
    if (s->listener != NULL) {
        evconnlistener_free(s->listener);
        (void)unlink(s->path);
    }
    if (s->made) {
        *strrchr(s->path, '/') = '\0';
        (void)rmdir(s->path);
    }
    if (s->hung != NULL)
        event_free(s->hung);
    free(s);
}

const char *
rc_slurm_socket_path(const struct rc_slurm_socket *s)
{
    return s->path;
}
