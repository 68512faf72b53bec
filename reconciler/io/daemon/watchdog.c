/* watchdog.c - see watchdog.h. */
#define _GNU_SOURCE
#include "reconciler/io/daemon/watchdog.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

enum { FEEDS_A_TERM = 3 };

struct rc_watchdog {
    int fd; /* -1 = nobody listens */
    struct event *timer;
    int64_t every_us; /* 0 = no watchdog */
};

static void
notify(const struct rc_watchdog *w, const char *text)
{
    if (w->fd >= 0) {
        (void)!send(w->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

/* A path, or "@name" of the abstract namespace. */
static int
connect_to(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    int fd;

    if ((*path != '/' && *path != '@') || len >= sizeof to.sun_path) {
        return -1;
    }
    memcpy(to.sun_path, path, len);
    if (*path == '@') {
        to.sun_path[0] = '\0';
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to,
                           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* WATCHDOG_USEC, when it is meant for this process. */
static int64_t
term_us(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

    if (!usec || (pid && strtol(pid, NULL, 10) != (long)getpid())) {
        return 0;
    }
    long long value = strtoll(usec, NULL, 10);
    return value > 0 ? value : 0;
}

static void
on_feed(evutil_socket_t fd, short what, void *arg)
{
    struct rc_watchdog *w = arg;
    struct timeval next = {.tv_sec = w->every_us / 1000000, .tv_usec = w->every_us % 1000000};

    (void)fd;
    (void)what;
    notify(w, "WATCHDOG=1");
    evtimer_add(w->timer, &next);
}

struct rc_watchdog *
rc_watchdog_new(struct event_base *base)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct rc_watchdog *w = calloc(1, sizeof *w);

    if (!w) {
        return NULL;
    }
    w->fd = path && *path ? connect_to(path) : -1;
    w->every_us = w->fd >= 0 ? term_us() / FEEDS_A_TERM : 0;
    w->timer = evtimer_new(base, on_feed, w);
    if (!w->timer) {
        rc_watchdog_free(w);
        return NULL;
    }
    /* Helpers of ours are not to speak for us. */
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return w;
}

void
rc_watchdog_ready(struct rc_watchdog *w)
{
    notify(w, "READY=1");
    if (w->every_us) {
        on_feed(-1, 0, w);
    }
}

void
rc_watchdog_stopping(struct rc_watchdog *w)
{
    notify(w, "STOPPING=1");
}

void
rc_watchdog_status(struct rc_watchdog *w, const char *text)
{
    char line[300];

    snprintf(line, sizeof line, "STATUS=%s", text);
    notify(w, line);
}

void
rc_watchdog_free(struct rc_watchdog *w)
{
    if (!w) {
        return;
    }
    if (w->timer) {
        event_free(w->timer);
    }
    if (w->fd >= 0) {
        close(w->fd);
    }
    free(w);
}
