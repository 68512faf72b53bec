/* watch_probes.c - see watch_probes.h.
 *
 * A probe in a child that has not ended since its last turn is not started again, so that
 * nothing piles up behind a driver that hangs. */
#define _GNU_SOURCE
#include "reconciler/watch/watch_probes.h"

#include <sys/wait.h>

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SPREAD_MS = 250, SLOTS_MAX = 16 };

struct slot {
    struct rc_watch_probes *owner;
    const struct rc_probe *probe;
    struct event *turn;
    struct event *answer; /* while a child is at work */
    struct rc_probe_child child;
    pid_t unreaped;           /* 0 = none */
    struct rc_findings found; /* of the look that goes on */
    struct rc_findings last;  /* of the one before */
};

struct rc_watch_probes {
    struct event_base *base;
    struct rc_probe_config config;
    rc_watch_fault_fn *on_fault;
    void *arg;
    struct slot slot[SLOTS_MAX];
};

static struct timeval
interval(uint32_t ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

static bool
was_there(const struct rc_findings *last, const struct rc_finding *f)
{
    for (uint32_t i = 0; i < last->count; i++) {
        if (last->v[i].kind == RC_FINDING_FAULT &&
            strcmp(last->v[i].class_name, f->class_name) == 0 &&
            strcmp(last->v[i].device, f->device) == 0) {
            return true;
        }
    }
    return false;
}

static void
end_look(struct slot *s)
{
    struct rc_watch_probes *p = s->owner;

    for (uint32_t i = 0; i < s->found.count; i++) {
        const struct rc_finding *f = &s->found.v[i];
        char device[RC_KERNEL_DEVICE_LEN];

        if (f->kind == RC_FINDING_FAULT && !was_there(&s->last, f)) {
            memcpy(device, f->device, sizeof device);
            for (char *c = device; *c; c++) {
                *c = *c == ' ' ? '_' : *c; /* words are separated by blanks in what is told */
            }
            p->on_fault(p->arg, f->class_name, device, f->text);
        }
    }
    if (s->probe->run == rc_probe_mounts) {
        rc_probe_keep_hung(&p->config, &s->found);
    }
    s->last = s->found;
}

static void
drop_child(struct slot *s)
{
    rc_probe_abandon(&s->child);
    if (s->answer) {
        event_free(s->answer);
        s->answer = NULL;
    }
}

static void
on_answer(evutil_socket_t fd, short what, void *arg)
{
    struct slot *s = arg;
    bool died = false;

    (void)fd;
    if (what & EV_TIMEOUT) {
        drop_child(s);
        return; /* it could not be looked at: what was found before stands */
    }
    if (!rc_probe_take(&s->child, &s->found, &died)) {
        drop_child(s);
        if (!died) {
            end_look(s);
        }
    }
}

static void
start_probe_child(struct slot *s)
{
    const struct timeval limit = interval(s->probe->timeout_ms);

    if (s->answer || (s->unreaped && waitpid(s->unreaped, NULL, WNOHANG) == 0)) {
        return;
    }
    s->unreaped = 0;
    if (!rc_probe_start(s->probe, &s->owner->config, &s->child)) {
        return;
    }
    s->unreaped = s->child.pid;
    s->answer = event_new(s->owner->base, s->child.fd, EV_READ | EV_PERSIST, on_answer, s);
    if (!s->answer || event_add(s->answer, &limit) != 0) {
        drop_child(s);
    }
}

static void
on_probe_turn(evutil_socket_t fd, short what, void *arg)
{
    struct slot *s = arg;
    const struct timeval next = interval(s->probe->period_ms);

    (void)fd;
    (void)what;
    (void)event_add(s->turn, &next);
    if (s->probe->isolated) {
        s->found = s->answer ? s->found : (struct rc_findings){.pipe_fd = -1};
        start_probe_child(s);
    } else {
        s->found = (struct rc_findings){.pipe_fd = -1};
        s->probe->run(&s->owner->config, &s->found);
        end_look(s);
    }
}

struct rc_watch_probes *
rc_watch_probes_new(struct event_base *base, const struct rc_probe_config *config,
                    rc_watch_fault_fn *on_fault, void *arg)
{
    struct rc_watch_probes *p = calloc(1, sizeof *p);

    if (!p) {
        return NULL;
    }
    for (uint32_t i = 0; i < SLOTS_MAX; i++) {
        p->slot[i].child.fd = -1;
    }
    p->base = base;
    p->config = *config;
    p->on_fault = on_fault;
    p->arg = arg;
    for (uint32_t i = 0; i < rc_probe_count && i < SLOTS_MAX; i++) {
        struct slot *s = &p->slot[i];
        const struct timeval first = interval((i + 1) * SPREAD_MS);

        s->owner = p;
        s->probe = &rc_probes[i];
        s->last.pipe_fd = s->found.pipe_fd = -1;
        if (s->probe->period_ms == 0) {
            continue;
        }
        s->turn = evtimer_new(base, on_probe_turn, s);
        if (!s->turn || event_add(s->turn, &first) != 0) {
            rc_watch_probes_free(p);
            return NULL;
        }
    }
    return p;
}

void
rc_watch_probes_free(struct rc_watch_probes *p)
{
    for (uint32_t i = 0; p && i < SLOTS_MAX; i++) {
        drop_child(&p->slot[i]);
        if (p->slot[i].turn) {
            event_free(p->slot[i].turn);
        }
    }
    free(p);
}
