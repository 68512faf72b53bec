/* control.c - see control.h. One bufferevent a connection; a request is handled as soon as
 * its newline is there, and the next one only when the reply has left, so that a peer
 * that does not read cannot make us hold more than one reply for it. */
#define _GNU_SOURCE
#include "reconciler/io/control/control.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "reconciler/core/event.h"

struct peer {
    struct rc_control *control;
    struct peer *next;
    struct bufferevent *bev;
    bool is_closing; /* ends when its reply has left */
    struct rc_control_peer who;
};

struct rc_control {
    struct event_base *base;
    struct evconnlistener *listener;
    struct peer *peers;
    uint32_t peer_count;
    rc_control_handler *handler;
    void *arg;
    dev_t dev; /* of the socket file that we made */
    ino_t ino;
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
};

static void
peer_free(struct peer *p)
{
    struct peer **link = &p->control->peers;

    while (*link != p) {
        link = &(*link)->next;
    }
    *link = p->next;
    p->control->peer_count--;
    bufferevent_free(p->bev);
    free(p);
}

struct cJSON *
rc_control_ok(void)
{
    cJSON *reply = cJSON_CreateObject();

    if (reply && !cJSON_AddTrueToObject(reply, "ok")) {
        cJSON_Delete(reply);
        return NULL;
    }
    return reply;
}

struct cJSON *
rc_control_refuse(enum rc_err code, const char *fmt, ...)
{
    char text[512];
    cJSON *reply = cJSON_CreateObject();
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (reply && (!cJSON_AddFalseToObject(reply, "ok") ||
                  !cJSON_AddStringToObject(reply, "error", rc_err_name(code)) ||
                  !cJSON_AddStringToObject(reply, "text", text))) {
        cJSON_Delete(reply);
        return NULL;
    }
    return reply;
}

static void
send_reply(struct peer *p, cJSON *reply)
{
    static const char no_reply[] =
        "{\"ok\":false,\"error\":\"internal\",\"text\":\"no reply could be made\"}";
    char *text = reply ? cJSON_PrintUnformatted(reply) : NULL;

    cJSON_Delete(reply);
    bufferevent_write(p->bev, text ? text : no_reply, strlen(text ? text : no_reply));
    bufferevent_write(p->bev, "\n", 1);
    cJSON_free(text);
}

static void
answer_request(struct peer *p, const char *line, size_t len)
{
    const char *end = NULL;
    cJSON *request = cJSON_ParseWithLengthOpts(line, len + 1, &end, 1);
    cJSON *reply = NULL;

    if (!cJSON_IsObject(request)) {
        reply = rc_control_refuse(RC_E_PARSE, "expected one JSON object a line");
        p->is_closing = true;
    } else {
        reply = p->control->handler(p->control->arg, &p->who, request);
    }
    cJSON_Delete(request);
    send_reply(p, reply);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
    struct peer *p = arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    size_t len = 0;
    char *line = NULL;

    if (p->is_closing || evbuffer_get_length(bufferevent_get_output(bev)) > 0) {
        return;
    }
    line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);
    if (line) {
        /* The reading side rests until on_write: one request at a time. */
        bufferevent_disable(bev, EV_READ);
        answer_request(p, line, len);
        free(line);
    } else if (evbuffer_get_length(in) >= RC_CONTROL_LINE_MAX) {
        bufferevent_disable(bev, EV_READ);
        p->is_closing = true;
        send_reply(p, rc_control_refuse(RC_E_TOO_LARGE, "a request has at most %d bytes",
                                        RC_CONTROL_LINE_MAX));
    }
}

/* The reply has left. A further request may have been read with the one before. */
static void
on_write(struct bufferevent *bev, void *arg)
{
    struct peer *p = arg;

    if (p->is_closing) {
        peer_free(p);
        return;
    }
    bufferevent_enable(bev, EV_READ);
    on_read(bev, p);
}

static void
on_peer_end(struct bufferevent *bev, short what, void *arg)
{
    struct peer *p = arg;

    /* A peer that half-closed after its request still gets its answer. */
    if ((what & BEV_EVENT_EOF) && evbuffer_get_length(bufferevent_get_output(bev)) > 0) {
        p->is_closing = true;
        return;
    }
    peer_free(p);
}

/* The kernel's word, taken when the peer connected. The name costs a look-up in the name
 * service, for the few connections that people make. */
static bool
read_who(int fd, struct rc_control_peer *ret)
{
    struct ucred cred = {0};
    socklen_t len = sizeof cred;
    struct passwd *pw = NULL;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0) {
        return false;
    }
    memset(ret, 0, sizeof *ret);
    ret->uid = cred.uid;
    ret->gid = cred.gid;
    ret->pid = cred.pid;
    pw = getpwuid(cred.uid);
    if (!pw || !rc_text_set(ret->user, sizeof ret->user, pw->pw_name)) {
        snprintf(ret->user, sizeof ret->user, "uid %u", (unsigned)cred.uid);
    }
    return true;
}

static void
on_connect(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *addr, int len,
           void *arg)
{
    const struct timeval idle = {.tv_sec = RC_CONTROL_IDLE_S};
    struct rc_control *c = arg;
    struct peer *p = NULL;

    (void)listener;
    (void)addr;
    (void)len;
    p = c->peer_count < RC_CONTROL_PEERS_MAX ? calloc(1, sizeof *p) : NULL;
    if (!p || !read_who(fd, &p->who)) {
        free(p);
        close(fd);
        return;
    }
    p->control = c;
    p->bev = bufferevent_socket_new(c->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!p->bev) {
        free(p);
        close(fd);
        return;
    }
    p->next = c->peers;
    c->peers = p;
    c->peer_count++;
    bufferevent_setcb(p->bev, on_read, on_write, on_peer_end, p);
    bufferevent_setwatermark(p->bev, EV_READ, 0, RC_CONTROL_LINE_MAX);
    bufferevent_set_timeouts(p->bev, &idle, &idle);
    bufferevent_enable(p->bev, EV_READ | EV_WRITE);
}

/* Somebody answers there: not ours to take. */
static bool
is_in_use(const struct sockaddr_un *addr)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool is_used = false;

    if (fd >= 0) {
        is_used = connect(fd, (const struct sockaddr *)addr, sizeof *addr) == 0 || errno == EAGAIN;
        close(fd);
    }
    return is_used;
}

static enum rc_err
io_failed(const char *path, const char *what, struct rc_error *e)
{
    enum rc_err code = errno == EACCES || errno == EPERM ? RC_E_DENIED : RC_E_IO;

    return rc_fail(e, code, "control socket %s: %s: %s", path, what, strerror(errno));
}

static enum rc_err
set_owner(const struct rc_control_options *options, struct rc_error *e)
{
    struct group *group = NULL;

    if (*options->group) {
        group = getgrnam(options->group);
        if (!group) {
            return rc_fail(e, RC_E_INVALID, "control socket %s: there is no group \"%s\"",
                           options->path, options->group);
        }
        if (chown(options->path, (uid_t)-1, group->gr_gid) != 0) {
            return io_failed(options->path, "its group cannot be set", e);
        }
    }
    if (chmod(options->path, options->mode) != 0) {
        return io_failed(options->path, "its mode cannot be set", e);
    }
    return RC_OK;
}

/* Bound without any permission first, so that nobody connects before the mode is right. */
static enum rc_err
bind_control_socket(const struct rc_control_options *options, int *ret_fd, struct rc_error *e)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct stat st;
    mode_t old_mask = 0;
    int is_bound = 0;
    enum rc_err err = RC_OK;

    if (!*options->path || strlen(options->path) >= sizeof addr.sun_path) {
        return rc_fail(e, RC_E_INVALID, "control socket: a path has 1 to %zu bytes, got \"%s\"",
                       sizeof addr.sun_path - 1, options->path);
    }
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s", options->path);
    if (lstat(options->path, &st) == 0) {
        if (!S_ISSOCK(st.st_mode)) {
            return rc_fail(e, RC_E_INVALID, "control socket %s: a file of another kind is there",
                           options->path);
        }
        if (is_in_use(&addr)) {
            return rc_fail(e, RC_E_STATE, "control socket %s: another daemon answers there",
                           options->path);
        }
        if (unlink(options->path) != 0) {
            return io_failed(options->path, "the old one cannot be removed", e);
        }
    }
    *ret_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*ret_fd < 0) {
        return io_failed(options->path, "no socket", e);
    }
    old_mask = umask(0777);
    is_bound = bind(*ret_fd, (const struct sockaddr *)&addr, sizeof addr);
    umask(old_mask);
    if (is_bound != 0) {
        err = io_failed(options->path, "cannot be made", e);
    } else {
        err = set_owner(options, e);
        if (err != RC_OK) {
            unlink(options->path);
        }
    }
    if (err != RC_OK) {
        close(*ret_fd);
    }
    return err;
}

enum rc_err
rc_control_new(struct event_base *base, const struct rc_control_options *options,
               struct rc_control **ret, struct rc_error *e)
{
    struct rc_control *c = calloc(1, sizeof *c);
    struct stat st = {0};
    int fd = -1;
    enum rc_err err = RC_OK;

    if (!c) {
        return rc_fail(e, RC_E_INTERNAL, "out of memory");
    }
    err = bind_control_socket(options, &fd, e);
    if (err != RC_OK) {
        free(c);
        return err;
    }
    c->base = base;
    c->handler = options->handler;
    c->arg = options->arg;
    snprintf(c->path, sizeof c->path, "%s", options->path);
    if (lstat(c->path, &st) == 0) {
        c->dev = st.st_dev;
        c->ino = st.st_ino;
    }
    c->listener =
        evconnlistener_new(base, on_connect, c, LEV_OPT_CLOSE_ON_FREE, RC_CONTROL_PEERS_MAX, fd);
    if (!c->listener) {
        err = io_failed(options->path, "cannot listen", e);
        unlink(c->path);
        close(fd);
        free(c);
        return err;
    }
    *ret = c;
    return RC_OK;
}

void
rc_control_free(struct rc_control *c)
{
    struct stat st;

    if (!c) {
        return;
    }
    for (struct peer *p = c->peers, *next = NULL; p; p = next) {
        next = p->next;
        bufferevent_free(p->bev);
        free(p);
    }
    evconnlistener_free(c->listener);
    /* Only what we made: a successor may have put its own there already. */
    if (lstat(c->path, &st) == 0 && st.st_dev == c->dev && st.st_ino == c->ino) {
        unlink(c->path);
    }
    free(c);
}
