/* watch_check.c - see watch_check.h.
 *
 * The probes that run in children are started first, so that their time overlaps with
 * the others and with each other. */
#define _GNU_SOURCE
#include "reconciler/watch/watch_check.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reconciler/watch/sys_file.h"
#include "reconciler/watch/watch_state.h"
#include "reconciler/watch/watch_verdict.h"

enum { PROBES_MAX = 16, EXIT_WELL = 0, EXIT_FAULT = 1, EXIT_UNKNOWN = 2 };

struct outcome {
    struct rc_findings findings;
    struct rc_probe_child child; /* fd -1: none, or done */
    int64_t begin_us, end_us;
};

static int64_t
now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void
start_children(const struct rc_check *c, struct outcome *v)
{
    for (uint32_t i = 0; i < rc_probe_count; i++) {
        v[i].findings.pipe_fd = -1;
        v[i].child.fd = -1;
        v[i].begin_us = now_us();
        if (rc_probes[i].isolated && !rc_probe_start(&rc_probes[i], &c->probe, &v[i].child)) {
            v[i].child.fd = -1;
            rc_finding_add(&v[i].findings, RC_FINDING_UNKNOWN, "check:unknown", "",
                           "no process for it");
        }
    }
}

static void
run_inline(const struct rc_check *c, struct outcome *v)
{
    for (uint32_t i = 0; i < rc_probe_count; i++) {
        if (!rc_probes[i].isolated && rc_probes[i].run) {
            v[i].begin_us = now_us();
            rc_probes[i].run(&c->probe, &v[i].findings);
            v[i].end_us = now_us();
        }
    }
}

/* One child: takes what it says, or ends it at its time-out. Returns how long to wait on. */
static int
attend(const struct rc_check *c, struct outcome *o, const struct rc_probe *p)
{
    uint32_t limit_ms =
        c->timeout_ms && c->timeout_ms < p->timeout_ms ? c->timeout_ms : p->timeout_ms;
    int64_t left_ms = limit_ms - (now_us() - o->begin_us) / 1000;
    enum rc_probe_taken taken = rc_probe_take(&o->child, &o->findings);

    if (taken != RC_TAKEN_MORE) {
        o->end_us = now_us();
        if (taken == RC_TAKEN_DIED) {
            rc_finding_add(&o->findings, RC_FINDING_UNKNOWN, "check:unknown", "", "the probe died");
        }
    } else if (left_ms <= 0) {
        o->end_us = now_us();
        rc_probe_abandon(&o->child);
        rc_finding_add(&o->findings, RC_FINDING_UNKNOWN, "check:unknown", "",
                       "no answer within %u ms", limit_ms);
    }
    return left_ms > 0 ? (int)left_ms : 0;
}

static void
finish_children(const struct rc_check *c, struct outcome *v)
{
    for (bool open = true; open;) {
        struct pollfd fds[PROBES_MAX];
        nfds_t count = 0;
        int wait_ms = -1;

        for (uint32_t i = 0; i < rc_probe_count; i++) {
            if (v[i].child.fd < 0) {
                continue;
            }
            int left_ms = attend(c, &v[i], &rc_probes[i]);
            if (v[i].child.fd >= 0) {
                fds[count++] = (struct pollfd){.fd = v[i].child.fd, .events = POLLIN};
                wait_ms = wait_ms < 0 || left_ms < wait_ms ? left_ms : wait_ms;
            }
        }
        open = count > 0;
        if (open) {
            (void)poll(fds, count, wait_ms);
        }
    }
}

static const char *
kind_word(uint32_t kind)
{
    static const char *const words[] = {[RC_FINDING_NOTE] = "note",
                                        [RC_FINDING_FACT] = "fact",
                                        [RC_FINDING_UNKNOWN] = "unknown",
                                        [RC_FINDING_FAULT] = "fault"};

    return words[kind <= RC_FINDING_FAULT ? kind : RC_FINDING_UNKNOWN];
}

/* The words of one finding: printable ASCII already. */
static void
print_json_text(const char *key, const char *text, const char *after)
{
    (void)printf("\"%s\":\"", key);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            (void)putchar('\\');
        }
        (void)putchar(*text);
    }
    (void)printf("\"%s", after);
}

static void
print_json(const struct rc_check *c, const struct outcome *v, const char *result)
{
    char boot[64];
    const char *between = "";
    bool first = true;

    (void)rc_sys_read(c->probe.proc, "sys/kernel/random/boot_id", NULL, boot, sizeof boot);
    (void)printf("{\"result\":\"%s\",", result);
    print_json_text("boot", boot, ",\"probes\":[");
    for (uint32_t i = 0; i < rc_probe_count; i++) {
        if (!rc_probes[i].run) {
            continue;
        }
        (void)printf("%s{\"name\":\"%s\",\"ms\":%.3f,\"findings\":[", between, rc_probes[i].name,
                     (double)(v[i].end_us - v[i].begin_us) / 1000);
        first = true;
        for (uint32_t j = 0; j < v[i].findings.count; j++) {
            const struct rc_finding *f = &v[i].findings.v[j];

            (void)printf("%s{\"kind\":\"%s\",", first ? "" : ",", kind_word(f->kind));
            print_json_text("class", f->class_name, ",");
            print_json_text("device", f->device, ",");
            print_json_text("text", f->text, "}");
            first = false;
        }
        (void)printf("],\"dropped\":%u}", v[i].findings.dropped);
        between = ",";
    }
    (void)printf("]}\n");
}

static void
print_text(const struct outcome *v, const char *result)
{
    for (uint32_t i = 0; i < rc_probe_count; i++) {
        for (uint32_t j = 0; j < v[i].findings.count; j++) {
            const struct rc_finding *f = &v[i].findings.v[j];

            (void)printf("%-8s%-13s%s%s%s: %s\n", kind_word(f->kind), rc_probes[i].name,
                         f->class_name, *f->device ? " " : "", f->device, f->text);
        }
        if (v[i].findings.count == 0 && rc_probes[i].run) {
            (void)printf("%-8s%s\n", "ok", rc_probes[i].name);
        }
    }
    (void)printf("%s\n", result);
}

static int
judge(const struct rc_check *c, const struct outcome *v)
{
    int status = EXIT_WELL;

    for (uint32_t i = 0; i < rc_probe_count; i++) {
        for (uint32_t j = 0; j < v[i].findings.count; j++) {
            const struct rc_finding *f = &v[i].findings.v[j];

            if (f->kind == RC_FINDING_FAULT) {
                status = EXIT_FAULT;
            } else if (f->kind == RC_FINDING_UNKNOWN && !c->prolog && status == EXIT_WELL) {
                status = EXIT_UNKNOWN;
            }
        }
    }
    return status;
}

/* What the agent knows of this boot. Messages that it has heard are left to it, unless a drain
 * for one is still to be made. */
static void
ask_agent(struct rc_check *c, struct rc_watch_state *agent)
{
    char boot[RC_WATCH_BOOT_LEN];

    if (!rc_sys_read(c->probe.proc, "sys/kernel/random/boot_id", NULL, boot, sizeof boot)) {
        return;
    }
    rc_watch_load(agent, c->state, boot);
    c->probe.seen = &agent->seen;
    if (c->news && !rc_watch_drain_wanted(agent)) {
        c->probe.kmsg_from_seq = agent->seq;
    }
}

/* What is shown as a fault is what counts as one. */
static void
make_notes(const struct rc_check *c, const struct rc_watch_state *agent, struct outcome *v)
{
    for (uint32_t i = 0; i < rc_probe_count; i++) {
        for (uint32_t j = 0; j < v[i].findings.count; j++) {
            struct rc_finding *f = &v[i].findings.v[j];

            if (f->kind != RC_FINDING_FAULT) {
                continue;
            }
            bool others = c->prolog && rc_watch_verdict(f->class_name) != RC_VERDICT_DRAIN;
            bool known = c->news && rc_watch_is_known(agent, f->class_name, f->device, f->counted);
            f->kind = others || known ? RC_FINDING_NOTE : RC_FINDING_FAULT;
        }
    }
}

int
rc_watch_check(const struct rc_check *check)
{
    static const char *const results[] = {"well", "fault", "unknown"};
    static struct outcome v[PROBES_MAX];
    static struct rc_watch_state agent;
    struct rc_check copy = *check, *c = &copy;

    memset(v, 0, sizeof v);
    ask_agent(c, &agent);
    start_children(c, v);
    run_inline(c, v);
    finish_children(c, v);
    make_notes(c, &agent, v);
    int status = judge(c, v);
    if (c->json) {
        print_json(c, v, results[status]);
    } else {
        print_text(v, results[status]);
    }
    (void)fflush(stdout);
    return status;
}
