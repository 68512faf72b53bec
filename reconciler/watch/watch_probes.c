/* watch_probes.c - see watch_probes.h.
 *
 * A probe in a child that has not ended since its last turn is not started again, so that
 * nothing piles up behind a driver that hangs. A child that stays is killed when it has been
 * silent for longer than its period and its time-out, and started anew at the next turn. */
#define _GNU_SOURCE
#include "reconciler/watch/watch_probes.h"

#include <sys/wait.h>

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reconciler/watch/probe_rates.h"
#include "reconciler/watch/uevent.h"
#include "reconciler/watch/watch_verdict.h"

enum {
    SPREAD_MS = 250,
    SLOTS_MAX = 16,
    WAKE_MS = 50,         /* several devices come and go at once */
    WAKE_PAUSE_MS = 1000, /* at most one look a second, however many uevents there are */
    RARE = 10,            /* a child that does not stay has nothing to look at: so many periods */
};

_Static_assert(RC_FINDINGS_MAX <= 64, "a bit for each finding");

struct slot {
    struct rc_watch_probes *owner;
    const struct rc_probe *probe;
    struct event *turn;
    struct event *answer; /* while a child is at work */
    struct rc_probe_child child;
    pid_t unreaped;           /* 0 = none */
    int64_t looked_ms;        /* when the last look began */
    struct rc_findings found; /* of the look that goes on */
    struct rc_findings last;  /* of the one before */
    uint64_t told;            /* by index into last */
};

struct rc_watch_probes {
    struct event_base *base;
    struct rc_probe_config config;
    struct rc_rates rates;
    struct rc_watch_ears ears;
    struct event *uevent;
    int uevent_fd;
    struct slot slot[SLOTS_MAX];
};

static struct timeval
interval(uint32_t ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

static int64_t
probes_now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Index of the same finding in the look before, -1: it is new. */
static int
find_before(const struct rc_findings *last, const struct rc_finding *f)
{
    for (uint32_t i = 0; i < last->count; i++) {
        if (last->v[i].kind == f->kind && strcmp(last->v[i].class_name, f->class_name) == 0 &&
            strcmp(last->v[i].device, f->device) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* A note is worth telling where its class is one to tell; it never drains. */
static bool
is_worth_telling(const struct rc_finding *f)
{
    return f->kind == RC_FINDING_FAULT ||
           (f->kind == RC_FINDING_NOTE && rc_watch_verdict(f->class_name) == RC_VERDICT_TELL);
}

/* Words are separated by blanks in what is told. */
static void
copy_device(char device[RC_KERNEL_DEVICE_LEN], const struct rc_finding *f)
{
    memcpy(device, f->device, sizeof f->device);
    for (char *c = device; *c; c++) {
        *c = *c == ' ' ? '_' : *c;
    }
}

static void
tell_finding(struct rc_watch_probes *p, const struct rc_finding *f)
{
    char device[RC_KERNEL_DEVICE_LEN];

    copy_device(device, f);
    p->ears.on_fault(p->ears.arg, f->class_name, device, f->text, f->counted);
}

/* What was told and is found no more. */
static void
tell_what_is_over(const struct slot *s)
{
    char device[RC_KERNEL_DEVICE_LEN];

    for (uint32_t i = 0; i < s->last.count; i++) {
        if ((s->told >> i & 1) != 0 && find_before(&s->found, &s->last.v[i]) < 0) {
            copy_device(device, &s->last.v[i]);
            s->owner->ears.on_over(s->owner->ears.arg, s->last.v[i].class_name, device);
        }
    }
}

static void
keep_findings(struct rc_findings *dst, const struct rc_findings *src)
{
    dst->count = src->count; /* not the whole table: most looks find nothing */
    memcpy(dst->v, src->v, src->count * sizeof *src->v);
}

static void
end_look(struct slot *s)
{
    struct rc_watch_probes *p = s->owner;
    const struct timeval confirm = interval(s->probe->confirm_ms);
    uint64_t told = 0;
    bool again = false;

    for (uint32_t i = 0; i < s->found.count; i++) {
        const struct rc_finding *f = &s->found.v[i];
        int before = find_before(&s->last, f);

        if (!is_worth_telling(f)) {
            continue;
        }
        if (before >= 0 && (s->told >> before & 1) != 0 &&
            s->last.v[before].counted == f->counted) {
            told |= 1ULL << i;
        } else if (s->probe->confirm_ms == 0 || before >= 0) {
            tell_finding(p, f);
            told |= 1ULL << i;
        } else {
            again = true;
        }
    }
    if (again) {
        (void)event_add(s->turn, &confirm);
    }
    tell_what_is_over(s);
    if (s->probe->run == rc_probe_mounts) {
        rc_probe_keep_hung(&p->config, &s->found);
    }
    s->told = told;
    keep_findings(&s->last, &s->found);
    s->found.count = s->found.dropped = 0;
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
    enum rc_probe_taken taken = RC_TAKEN_LOOKED;

    (void)fd;
    if (what & EV_TIMEOUT) {
        if (s->child.stays) {
            struct rc_watch_ears *ears = &s->owner->ears;

            ears->on_fault(ears->arg, "nvml:hang", "", "NVIDIA's library does not answer", 0);
        }
        drop_child(s);
        return; /* it could not be looked at: what was found before stands */
    }
    while (taken == RC_TAKEN_LOOKED) {
        taken = rc_probe_take(&s->child, &s->found);
        if (taken == RC_TAKEN_DONE && s->probe->stay && s->found.count == 0) {
            const struct timeval rare = interval(s->probe->period_ms * RARE);

            (void)event_add(s->turn, &rare); /* a node without GPUs */
        }
        if (taken == RC_TAKEN_LOOKED || taken == RC_TAKEN_DONE) {
            end_look(s);
        }
    }
    if (taken != RC_TAKEN_MORE) {
        drop_child(s);
    }
}

static void
start_probe_child(struct slot *s)
{
    struct timeval limit = interval(s->probe->timeout_ms);

    if (s->answer || (s->unreaped && waitpid(s->unreaped, NULL, WNOHANG) == 0)) {
        return;
    }
    s->unreaped = 0;
    s->found.count = s->found.dropped = 0;
    if (!rc_probe_start(s->probe, &s->owner->config, &s->child)) {
        return;
    }
    if (s->child.stays) {
        limit = interval(s->probe->period_ms + s->probe->timeout_ms);
    }
    s->unreaped = s->child.pid;
    s->answer = event_new(s->owner->base, s->child.fd, EV_READ | EV_PERSIST, on_answer, s);
    if (!s->answer || event_add(s->answer, &limit) != 0) {
        drop_child(s);
    }
}

static void
look_inline(struct slot *s)
{
    struct rc_watch_probes *p = s->owner;
    const struct rc_seen before = p->config.seen ? *p->config.seen : (struct rc_seen){0, 0};

    s->probe->run(&p->config, &s->found);
    if (p->config.seen &&
        (p->config.seen->gpus != before.gpus || p->config.seen->efas != before.efas)) {
        p->ears.on_seen(p->ears.arg);
    }
    end_look(s);
}

static void
on_probe_turn(evutil_socket_t fd, short what, void *arg)
{
    struct slot *s = arg;
    const struct timeval next = interval(s->probe->period_ms);

    (void)fd;
    (void)what;
    s->looked_ms = probes_now_ms();
    (void)event_add(s->turn, &next);
    if (s->probe->isolated) {
        start_probe_child(s);
    } else {
        look_inline(s);
    }
}

/* Unless a look is due before. */
static void
look_soon(struct slot *s)
{
    int64_t wait_ms = s->looked_ms + WAKE_PAUSE_MS - probes_now_ms();
    const struct timeval soon = interval((uint32_t)(wait_ms > WAKE_MS ? wait_ms : WAKE_MS));
    struct timeval due, then;

    (void)evutil_gettimeofday(&then, NULL);
    evutil_timeradd(&then, &soon, &then);
    bool pending = event_pending(s->turn, EV_TIMEOUT, &due);
    if (!pending || then.tv_sec < due.tv_sec ||
        (then.tv_sec == due.tv_sec && then.tv_usec < due.tv_usec)) {
        (void)event_add(s->turn, &soon);
    }
}

static void
on_subsystem(void *arg, const char *subsystem)
{
    struct rc_watch_probes *p = arg;

    for (uint32_t i = 0; i < SLOTS_MAX; i++) {
        struct slot *s = &p->slot[i];

        if (s->turn && s->probe->wakes && strcmp(s->probe->wakes, subsystem) == 0) {
            look_soon(s);
        }
    }
}

void
rc_watch_probes_ask(struct rc_watch_probes *p, rc_probe_fn *probe)
{
    for (uint32_t i = 0; p && i < SLOTS_MAX; i++) {
        if (p->slot[i].turn && p->slot[i].probe->run == probe) {
            look_soon(&p->slot[i]);
        }
    }
}

static void
on_uevent(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    rc_uevent_read(fd, on_subsystem, arg);
}

static void
listen_for_uevents(struct rc_watch_probes *p)
{
    p->uevent_fd = rc_uevent_open();
    if (p->uevent_fd < 0) {
        return; /* the periods remain */
    }
    p->uevent = event_new(p->base, p->uevent_fd, EV_READ | EV_PERSIST, on_uevent, p);
    if (p->uevent) {
        (void)event_add(p->uevent, NULL);
    }
}

struct rc_watch_probes *
rc_watch_probes_new(struct event_base *base, const struct rc_probe_config *config,
                    const struct rc_watch_ears *ears)
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
    p->config.rates = &p->rates;
    p->ears = *ears;
    p->uevent_fd = -1;
    for (uint32_t i = 0; i < rc_probe_count && i < SLOTS_MAX; i++) {
        struct slot *s = &p->slot[i];
        const struct timeval first = interval((i + 1) * SPREAD_MS);

        s->owner = p;
        s->probe = &rc_probes[i];
        s->last.pipe_fd = s->found.pipe_fd = -1;
        if (s->probe->period_ms == 0 || !s->probe->run) {
            continue;
        }
        s->turn = evtimer_new(base, on_probe_turn, s);
        if (!s->turn || event_add(s->turn, &first) != 0) {
            rc_watch_probes_free(p);
            return NULL;
        }
    }
    listen_for_uevents(p);
    return p;
}

void
rc_watch_probes_free(struct rc_watch_probes *p)
{
    if (!p) {
        return;
    }
    for (uint32_t i = 0; i < SLOTS_MAX; i++) {
        drop_child(&p->slot[i]);
        if (p->slot[i].turn) {
            event_free(p->slot[i].turn);
        }
    }
    if (p->uevent) {
        event_free(p->uevent);
    }
    if (p->uevent_fd >= 0) {
        (void)close(p->uevent_fd);
    }
    free(p);
}
