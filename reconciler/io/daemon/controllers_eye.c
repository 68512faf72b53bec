/* controllers_eye.c - one slurmctld, asked directly again and again; see controllers.h.
 *
 * The prober asks the real question. libslurm tries a dead slurmctld for seconds, and does
 * not tell one that refuses from one that takes the connection and is silent; so when
 * something is wrong a plain connection ("knock") comes first. slurmctld logs an empty
 * connection as an error: a well one is never knocked at. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <event2/bufferevent.h>
#include <event2/util.h>

#include "reconciler/io/daemon/controllers_private.h"

enum {
    PROBE_TIMEOUT_MS = 2000,
    KNOCK_MS = 1000,
    PROBE_BUSY_MS = 100, /* while a fail-over is under way */
    BLIND_AFTER = 3      /* questions that could not be asked, before the view is unknown */
};

void
rc_eye_post(struct rc_eye *eye, uint32_t mode, bool by_peer, int64_t age_ms)
{
    struct rc_controllers *c = eye->c;
    uint32_t i = eye->index;
    uint32_t *posted = by_peer ? &eye->peer : &eye->own;
    bool *known = by_peer ? &eye->peer_known : &eye->own_known;
    bool *again = by_peer ? &eye->peer_again : &eye->own_again;
    struct rc_event ev;

    bool same = *known && *posted == mode;
    if (same && !*again) {
        return;
    }
    /* What was asked before we led, or before this fence, does not count as told. */
    *again = *again && !by_peer && rc_daemon_now_ms(c->d) - age_ms < c->again_ms;
    *known = true;
    *posted = mode;
    eye->own_ms = by_peer || same ? eye->own_ms : rc_daemon_now_ms(c->d) - age_ms;
    rc_event_init(&ev, RC_EV_CONTROLLER_PROBE);
    rc_text_set(ev.node, sizeof ev.node, c->d->config.cluster.controller[i].host);
    ev.u.probe.mode = mode;
    ev.u.probe.by_peer = by_peer;
    ev.u.probe.age_ms = age_ms;
    memcpy(ev.u.probe.addr, eye->addr, sizeof ev.u.probe.addr);
    rc_daemon_post(c->d, &ev);
}

uint32_t
rc_controllers_word(const char *text, const char *(*name_of)(uint32_t), uint32_t max)
{
    for (uint32_t v = 0; v < max; v++) {
        if (strcmp(text, name_of(v)) == 0) {
            return v;
        }
    }
    return 0; /* unknown */
}

static void knock(struct rc_eye *eye, bool silent);

static bool
is_failing_over(const struct rc_controllers *c)
{
    return c->d->state->pair.phase != RC_FO_WATCH;
}

static void
ask_again(struct rc_eye *eye)
{
    int64_t ms = is_failing_over(eye->c) ? PROBE_BUSY_MS : eye->c->d->config.controllers.probe_ms;
    const struct timeval every = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    (void)event_add(eye->timer, &every);
}

/* The peer's daemon is on the same host as that slurmctld, and on the port of our own. */
static void
follow_addr(struct rc_controllers *c, uint32_t i, const char *addr)
{
    const char *port = strrchr(c->d->config.controllers.listen, ':');
    char peer[RC_ADDR_LEN + 16];

    if (!*addr || strcmp(c->eye[i].addr, addr) == 0 ||
        !rc_text_set(c->eye[i].addr, RC_ADDR_LEN, addr)) {
        return;
    }
    c->eye[i].own_known = false; /* told anew, with its address */
    if (i == c->self) {
        return;
    }
    (void)snprintf(peer, sizeof peer, strchr(addr, ':') ? "[%s]%s" : "%s%s", addr,
                   port ? port : "");
    rc_peer_set_addr(c->peer, peer);
}

/* Without munged here nobody could be asked: that the other side is silent proves nothing. */
static uint32_t
believed(const struct rc_controllers *c, uint32_t mode)
{
    return mode == RC_CTL_SILENT && c->host[c->self].munge != RC_TOLD_YES ? RC_CTL_UNKNOWN : mode;
}

static void
post_own(struct rc_eye *eye, uint32_t mode)
{
    struct rc_controllers *c = eye->c;

    rc_eye_post(eye, believed(c, mode), false, rc_daemon_now_ms(c->d) - eye->asked_ms);
}

static void
end_knock(struct rc_eye *eye)
{
    if (eye->knock) {
        bufferevent_free(eye->knock);
        eye->knock = NULL;
    }
}

static void
on_probed(void *arg, const struct rc_line *ok, const struct rc_error *e)
{
    struct rc_eye *eye = arg;

    eye->busy = false;
    if (ok) {
        eye->failures = 0;
        if (strcmp(rc_line_text(ok, "mode", ""), "silent") != 0) {
            post_own(eye, rc_controllers_word(rc_line_text(ok, "mode", ""), rc_ctl_mode_name,
                                              RC_CTL__MAX));
            ask_again(eye);
            return;
        }
    } else if (e->code != RC_E_TIMEOUT && ++eye->failures >= BLIND_AFTER) {
        rc_eye_post(eye, RC_CTL_UNKNOWN, false, 0);
    }
    if (ok || e->code == RC_E_TIMEOUT) {
        knock(eye, true);
    } else {
        ask_again(eye);
    }
}

/* The prober has read slurm.conf: where is this slurmctld? Asked anew after each start of it,
 * for it starts when the file has changed; and before each knock, for one that is lost may be
 * given another address. */
static void
on_where(void *arg, const struct rc_line *ok, const struct rc_error *e)
{
    struct rc_eye *eye = arg;

    (void)e;
    eye->busy = false;
    if (!ok) {
        knock(eye, false); /* where it was last, if that is known */
        return;
    }
    (void)rc_text_set(eye->port, sizeof eye->port, rc_line_text(ok, "port", ""));
    follow_addr(eye->c, eye->index, rc_line_text(ok, "addr", ""));
    knock(eye, false);
}

/* False when the prober cannot be asked now. */
static bool
ask_where(struct rc_eye *eye)
{
    struct rc_helper_call call = {NULL, on_where, eye, PROBE_TIMEOUT_MS};

    if (!eye->busy) {
        (void)rc_helper_begin(eye->prober, "where");
        eye->busy = rc_helper_send(eye->prober, &call, NULL) == RC_OK;
    }
    return eye->busy;
}

void
rc_eye_helper_state(void *arg, const struct rc_line *hello, const struct rc_error *e,
                    uint32_t retry_ms)
{
    struct rc_eye *eye = arg;

    (void)e;
    (void)retry_ms;
    if (hello) {
        memset(eye->port, 0, sizeof eye->port);
    }
}

static void
ask_prober(struct rc_eye *eye)
{
    struct rc_helper_call call = {NULL, on_probed, eye, PROBE_TIMEOUT_MS};

    if (eye->busy) {
        return;
    }
    rc_line_put_u64(rc_helper_begin(eye->prober, "probe"), "quick",
                    !is_failing_over(eye->c) && !eye->own_again);
    eye->asked_ms = rc_daemon_now_ms(eye->c->d);
    eye->busy = rc_helper_send(eye->prober, &call, NULL) == RC_OK;
    if (!eye->busy) {
        ask_again(eye);
    }
}

/* What a plain connection says: libslurm tries a dead slurmctld for seconds, and does not
 * tell one that refuses from one that takes it and is silent. slurmctld logs an empty
 * connection as an error, so this is for when something is wrong. */
static void
on_knock_event(struct bufferevent *bev, short what, void *arg)
{
    struct rc_eye *eye = arg;
    int error = EVUTIL_SOCKET_ERROR();
    bool was_silent = eye->silent;

    (void)bev;
    end_knock(eye);
    if (what & BEV_EVENT_CONNECTED) {
        if (was_silent) {
            post_own(eye, RC_CTL_SILENT);
            ask_again(eye);
        } else {
            ask_prober(eye);
        }
        return;
    }
    bool refused = error == ECONNREFUSED || error == ECONNRESET;
    post_own(eye, refused && !(what & BEV_EVENT_TIMEOUT) ? RC_CTL_REFUSED : RC_CTL_UNREACHABLE);
    ask_again(eye);
}

/* silent: the question was not answered; else it is asked when somebody listens. */
static void
knock(struct rc_eye *eye, bool silent)
{
    const struct timeval limit = {.tv_sec = KNOCK_MS / 1000};
    struct sockaddr_storage addr;
    int len = sizeof addr;
    char text[RC_ADDR_LEN + 24];

    (void)snprintf(text, sizeof text, strchr(eye->addr, ':') ? "[%s]:%s" : "%s:%s", eye->addr,
                   eye->port);
    end_knock(eye);
    eye->silent = silent;
    if (!silent) {
        eye->asked_ms = rc_daemon_now_ms(eye->c->d);
    }
    if (!*eye->port) {
        ask_again(eye);
        return;
    }
    if (evutil_parse_sockaddr_port(text, (struct sockaddr *)&addr, &len) < 0) {
        post_own(eye, RC_CTL_UNKNOWN); /* a name that is no number: nobody can be asked */
        ask_again(eye);
        return;
    }
    eye->knock = bufferevent_socket_new(eye->c->d->base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (!eye->knock) {
        ask_again(eye);
        return;
    }
    bufferevent_setcb(eye->knock, NULL, NULL, on_knock_event, eye);
    bufferevent_set_timeouts(eye->knock, &limit, &limit);
    (void)bufferevent_enable(eye->knock, EV_WRITE);
    (void)bufferevent_socket_connect(eye->knock, (struct sockaddr *)&addr, len);
}

static void
probe_now(struct rc_eye *eye)
{
    bool well = eye->own_known && (eye->own == RC_CTL_PRIMARY || eye->own == RC_CTL_STANDBY);

    if (well || eye->busy) {
        ask_prober(eye);
    } else if (!ask_where(eye)) {
        knock(eye, false);
    }
}

static void
on_probe_time(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    probe_now(arg);
}

void
rc_eye_look_again(struct rc_eye *eye)
{
    if (*eye->port) {
        knock(eye, false);
    }
}

void
rc_eye_follow(struct rc_eye *eye)
{
    const struct timeval soon = {.tv_usec = PROBE_BUSY_MS * 1000};
    struct timeval due, now;

    if (!is_failing_over(eye->c) || !event_pending(eye->timer, EV_TIMEOUT, &due)) {
        return;
    }
    (void)evutil_gettimeofday(&now, NULL);
    evutil_timeradd(&now, &soon, &now);
    if (due.tv_sec > now.tv_sec || (due.tv_sec == now.tv_sec && due.tv_usec > now.tv_usec)) {
        (void)event_add(eye->timer, &soon);
    }
}

enum rc_err
rc_eye_open(struct rc_eye *eye, struct rc_error *e)
{
    eye->prober = rc_controllers_helper(eye->c, eye->index ? "slurm prober 1" : "slurm prober 0",
                                        &eye->c->d->config.slurm.reader, "prober", eye, e);
    if (!eye->prober) {
        return e->code;
    }
    eye->timer = event_new(eye->c->d->base, -1, 0, on_probe_time, eye);
    if (!eye->timer) {
        return rc_fail(e, RC_E_INTERNAL, "no memory");
    }
    event_active(eye->timer, EV_TIMEOUT, 0);
    return RC_OK;
}

void
rc_eye_close(struct rc_eye *eye)
{
    end_knock(eye);
    rc_helper_free(eye->prober);
    if (eye->timer) {
        event_free(eye->timer);
    }
}
