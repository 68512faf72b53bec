/* slurm_poke.c - see slurm_poke.h.
 *
 * inotify watches the folder of the log, not the file: rotation replaces the file, and
 * it may not exist yet. Events of other files there are skipped by name. */
#define _GNU_SOURCE
#include "reconciler/io/slurm/slurm_poke.h"

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MIN_MS = 1000, READS_A_TURN = 64 };

struct rc_slurm_poke {
    struct rc_slurm_poke_config config;
    char *log_name; /* last part of the path */
    char *socket_path;
    int inotify_fd, socket_fd;
    struct event *inotify_event, *socket_event, *timer;
    int64_t last_ms; /* of the last call */
};

static int64_t
poke_now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
on_poke_timer(evutil_socket_t fd, short what, void *arg)
{
    struct rc_slurm_poke *p = arg;

    (void)fd;
    (void)what;
    p->last_ms = poke_now_ms();
    p->config.on_poke(p->config.arg);
}

static void
poke_soon(struct rc_slurm_poke *p)
{
    int64_t wait_ms = p->last_ms + p->config.min_ms - poke_now_ms();
    struct timeval tv = {0};

    if (evtimer_pending(p->timer, NULL)) {
        return;
    }
    if (wait_ms > 0) {
        tv.tv_sec = wait_ms / 1000;
        tv.tv_usec = (wait_ms % 1000) * 1000;
    }
    (void)evtimer_add(p->timer, &tv);
}

static void
on_inotify(evutil_socket_t fd, short what, void *arg)
{
    struct rc_slurm_poke *p = arg;
    /* Aligned as inotify(7) asks for. */
    _Alignas(struct inotify_event) char buf[4096];
    bool hit = false;

    (void)what;
    for (int i = 0; i < READS_A_TURN; i++) {
        ssize_t n = read(fd, buf, sizeof buf);
        ssize_t at = 0;

        if (n <= 0) {
            break;
        }
        while (at < n) {
            struct inotify_event head;

            memcpy(&head, buf + at, sizeof head);
            hit = hit || (head.mask & IN_Q_OVERFLOW) != 0 ||
                  (head.len > 0 && strcmp(buf + at + sizeof head, p->log_name) == 0);
            at += (ssize_t)(sizeof head + head.len);
        }
    }
    if (hit) {
        poke_soon(p);
    }
}

static void
on_datagram(evutil_socket_t fd, short what, void *arg)
{
    char byte;
    bool hit = false;

    (void)what;
    for (int i = 0; i < READS_A_TURN && recv(fd, &byte, 1, MSG_DONTWAIT | MSG_TRUNC) >= 0; i++) {
        hit = true;
    }
    if (hit) {
        poke_soon(arg);
    }
}

static enum rc_err
watch_log(struct rc_slurm_poke *p, const char *path, struct rc_error *e)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];

    if (!slash || slash[1] == '\0' || (size_t)(slash - path) >= sizeof folder) {
        return rc_fail(e, RC_E_INVALID, "slurmctld's log: %.120s is no absolute path of a file",
                       path);
    }
    memcpy(folder, path, (size_t)(slash - path));
    folder[slash - path] = '\0';
    p->log_name = strdup(slash + 1);
    p->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (!p->log_name || p->inotify_fd < 0 ||
        inotify_add_watch(p->inotify_fd, slash == path ? "/" : folder,
                          IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
        return rc_fail(e, RC_E_IO, "cannot watch %.150s: %s", folder, strerror(errno));
    }
    p->inotify_event =
        event_new(p->config.base, p->inotify_fd, EV_READ | EV_PERSIST, on_inotify, p);
    return p->inotify_event && event_add(p->inotify_event, NULL) == 0
               ? RC_OK
               : rc_fail(e, RC_E_FULL, "no memory to watch a log");
}

static enum rc_err
bind_socket(struct rc_slurm_poke *p, const char *path, struct rc_error *e)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct stat st;

    if (strlen(path) >= sizeof addr.sun_path) {
        return rc_fail(e, RC_E_INVALID, "poke socket: a path of over %zu bytes",
                       sizeof addr.sun_path - 1);
    }
    if (lstat(path, &st) == 0) {
        if (!S_ISSOCK(st.st_mode)) {
            return rc_fail(e, RC_E_INVALID, "poke socket: %.120s is there and no socket", path);
        }
        (void)unlink(path);
    }
    memcpy(addr.sun_path, path, strlen(path));
    p->socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p->socket_fd < 0 || bind(p->socket_fd, (const struct sockaddr *)&addr, sizeof addr) != 0) {
        return rc_fail(e, RC_E_IO, "poke socket %.120s: %s", path, strerror(errno));
    }
    p->socket_path = strdup(path);
    if (!p->socket_path || chmod(path, 0660) != 0) {
        return rc_fail(e, RC_E_IO, "poke socket %.120s: cannot set its mode", path);
    }
    p->socket_event = event_new(p->config.base, p->socket_fd, EV_READ | EV_PERSIST, on_datagram, p);
    return p->socket_event && event_add(p->socket_event, NULL) == 0
               ? RC_OK
               : rc_fail(e, RC_E_FULL, "no memory for the poke socket");
}

struct rc_slurm_poke *
rc_slurm_poke_new(const struct rc_slurm_poke_config *config, struct rc_error *e)
{
    struct rc_slurm_poke *p = calloc(1, sizeof *p);
    enum rc_err err = RC_OK;

    if (!p) {
        (void)rc_fail(e, RC_E_FULL, "no memory for pokes");
        return NULL;
    }
    p->config = *config;
    p->config.log_path = p->config.socket_path = NULL;
    p->config.min_ms = config->min_ms ? config->min_ms : MIN_MS;
    p->last_ms = INT64_MIN / 2;
    p->inotify_fd = p->socket_fd = -1;
    p->timer = evtimer_new(config->base, on_poke_timer, p);
    if (!p->timer) {
        err = rc_fail(e, RC_E_FULL, "no memory for pokes");
    }
    if (err == RC_OK && config->log_path) {
        err = watch_log(p, config->log_path, e);
    }
    if (err == RC_OK && config->socket_path) {
        err = bind_socket(p, config->socket_path, e);
    }
    if (err != RC_OK) {
        rc_slurm_poke_free(p);
        return NULL;
    }
    return p;
}

static void
poke_event_free(struct event *ev)
{
    if (ev) {
        event_free(ev);
    }
}

void
rc_slurm_poke_free(struct rc_slurm_poke *p)
{
    if (!p) {
        return;
    }
    poke_event_free(p->inotify_event);
    poke_event_free(p->socket_event);
    poke_event_free(p->timer);
    if (p->inotify_fd >= 0) {
        (void)close(p->inotify_fd);
    }
    if (p->socket_fd >= 0) {
        (void)close(p->socket_fd);
    }
    if (p->socket_path) {
        (void)unlink(p->socket_path);
    }
    free(p->socket_path);
    free(p->log_name);
    free(p);
}
