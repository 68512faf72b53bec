/* watch_loop.c - see watch_loop.h.
 *
 * Invariants
 * - One request to Slurm at a time; a drain goes before Extra.
 * - A fault is forgotten only when Slurm has confirmed it, or the machine boots.
 * - Extra is written at most once in EXTRA_PERIOD_MS, however many faults there are.
 * Failure modes
 * - The helper dies or slurmctld is away: tried again with back-off up to 15 s, so that a
 *   slurmctld that is back hears of a guilty node before it gives it a job.
 * - Another instance has the node's name (this one is being replaced): nothing is said in its
 *   name; tried again as above, because a fresh instance may be heard before it is registered.
 * - The kernel log ends or breaks: opened again each second.
 * - The state file cannot be written: told, and the agent goes on. */
#define _GNU_SOURCE
#include "reconciler/watch/watch_loop.h"

#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reconciler/io/helper/helper_client.h"
#include "reconciler/watch/job_find.h"
#include "reconciler/watch/kmsg_reader.h"
#include "reconciler/watch/sys_file.h"
#include "reconciler/watch/watch_clock.h"
#include "reconciler/watch/watch_probes.h"
#include "reconciler/watch/watch_state.h"

enum {
    RECORDS_A_TURN = 512,
    REOPEN_MS = 1000,
    SAVE_MS = 200,
    EXTRA_FIRST_MS = 200,
    EXTRA_PERIOD_MS = 10000,
    RETRY_MIN_MS = 500,
    RETRY_MAX_MS = 15000,
    REQUEST_TIMEOUT_MS = 45000,
    HEARD_S = 60,
    JOB_KEPT_MS = 2000,
    JOB_LOOKS_MAX = 32,
    PROVE_MS = 150 * 1000, /* every probe but the slowest has looked twice */
};

struct watch {
    const struct rc_watch_config *config;
    struct event_base *base;
    struct event *kmsg, *reopen, *save, *act, *prove, *term, *intr;
    struct rc_kmsg_reader reader;
    uint64_t lost_told;
    struct rc_helper *writer;
    struct rc_watch_probes *probes;
    struct rc_watch_clock *clock;
    struct rc_watch_state state;
    bool busy, confirmed;
    int64_t extra_due_ms;
    uint32_t job, job_pid; /* found for this process, until job_until_ms */
    uint32_t job_looks;
    int64_t job_until_ms;
    uint32_t retry_ms;
};

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void
say(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)fputs("nodewatch: ", stderr);
    (void)vfprintf(stderr, fmt, ap);
    (void)fputc('\n', stderr);
    va_end(ap);
}

static int64_t
watch_now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
arm_in(struct event *ev, int64_t ms)
{
    const struct timeval in = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    if (event_add(ev, &in) != 0) {
        say("a timer cannot be set");
    }
}

static void
arm_once(struct event *ev, int64_t ms)
{
    if (!event_pending(ev, EV_TIMEOUT, NULL)) {
        arm_in(ev, ms);
    }
}

static void
save_state(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;
    struct rc_error e;

    (void)fd;
    (void)what;
    if (rc_watch_save(&w->state, w->config->state, &e) != RC_OK) {
        say("%s", e.text);
    }
}

/* --- Slurm ------------------------------------------------------------------------- */

static void act_now(evutil_socket_t fd, short what, void *arg);

static void
on_answer_row(void *arg, const struct rc_line *row)
{
    struct watch *w = arg;
    const char *result = rc_line_text(row, "result", "");
    const char *reason = rc_line_text(row, "reason", "");

    if (strcmp(row->word, "node") != 0) {
        return;
    }
    w->confirmed = strcmp(result, "drained") == 0 || strcmp(result, "foreign") == 0 ||
                   strcmp(result, "set") == 0;
    if (strcmp(result, "elsewhere") == 0) {
        say("Slurm: the name %s belongs to another address: nothing is told", w->config->node);
    } else if (!w->confirmed || strcmp(result, "foreign") == 0) {
        say("Slurm: %s is %s%s%s", w->config->node, result, *reason ? ": " : "", reason);
    }
}

static bool
request_done(struct watch *w, const struct rc_error *e)
{
    w->busy = false;
    if (e || !w->confirmed) {
        say("Slurm: %s; again in %u ms", e ? e->text : "not confirmed", w->retry_ms);
        arm_in(w->act, w->retry_ms);
        w->retry_ms = w->retry_ms * 2 < RETRY_MAX_MS ? w->retry_ms * 2 : RETRY_MAX_MS;
        return false;
    }
    w->retry_ms = RETRY_MIN_MS;
    return true;
}

static void
on_drain_end(void *arg, const struct rc_line *ok, const struct rc_error *e)
{
    struct watch *w = arg;

    if (request_done(w, ok ? NULL : e)) {
        rc_watch_drained(&w->state, time(NULL));
        save_state(-1, 0, w);
        arm_in(w->act, EXTRA_FIRST_MS);
    }
}

static void
on_extra_end(void *arg, const struct rc_line *ok, const struct rc_error *e)
{
    struct watch *w = arg;

    if (request_done(w, ok ? NULL : e)) {
        w->extra_due_ms = watch_now_ms() + (w->state.fault_count > 0 ? EXTRA_PERIOD_MS : 0);
        arm_once(w->save, SAVE_MS);
        arm_in(w->act, 0);
    } else {
        w->state.extra_wanted = true;
    }
}

static void
tell_slurm(struct watch *w, rc_helper_end_fn *end)
{
    struct rc_error e;

    w->busy = true;
    w->confirmed = false;
    if (rc_helper_send(w->writer,
                       &(struct rc_helper_call){on_answer_row, end, w, REQUEST_TIMEOUT_MS},
                       &e) != RC_OK) {
        end(w, NULL, &e);
    }
}

static void
tell_extra(struct watch *w)
{
    char extra[RC_WATCH_EXTRA_LEN];
    struct rc_line_out *req = rc_helper_begin(w->writer, "extra");

    rc_watch_extra(&w->state, extra);
    rc_line_put(req, "name", w->config->node);
    rc_line_put(req, "text", extra);
    rc_line_put(req, "here", "1");
    if (w->state.fault_count == 0) {
        rc_line_put(req, "only", "ours");
    }
    w->state.extra_wanted = false;
    tell_slurm(w, on_extra_end);
}

static void
act_now(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;

    (void)fd;
    (void)what;
    if (w->busy || !rc_helper_is_up(w->writer)) {
        return; /* its end, or the helper's hello, calls again */
    }
    if (rc_watch_drain_wanted(&w->state)) {
        char reason[RC_WATCH_REASON_LEN];
        struct rc_line_out *req = rc_helper_begin(w->writer, "drain");

        rc_watch_reason(&w->state, reason);
        say("draining %s: %s", w->config->node, reason);
        rc_line_put(req, "names", w->config->node);
        rc_line_put(req, "reason", reason);
        rc_line_put(req, "here", "1");
        tell_slurm(w, on_drain_end);
    } else if (w->state.extra_wanted && watch_now_ms() < w->extra_due_ms) {
        arm_in(w->act, w->extra_due_ms - watch_now_ms());
    } else if (w->state.extra_wanted) {
        tell_extra(w);
    }
}

static void
on_writer(void *arg, const struct rc_line *hello, const struct rc_error *e, uint32_t retry_ms)
{
    struct watch *w = arg;

    if (hello) {
        arm_in(w->act, 0);
    } else {
        say("Slurm helper: %s; again in %u ms", e->text, retry_ms);
    }
}

static void
on_writer_log(void *arg, const char *text)
{
    (void)arg;
    say("Slurm helper: %s", text);
}

/* --- faults ------------------------------------------------------------------------ */

/* A storm is of few processes, and must not make the agent busy: what was found holds for
 * a while, and only so many are looked for in that time. 0: not known. */
static uint32_t
job_now(struct watch *w, const char *text)
{
    const struct rc_probe_config *p = &w->config->probe;
    uint32_t pid = rc_job_pid_of_text(text);
    int64_t now_ms = watch_now_ms();

    if (now_ms >= w->job_until_ms) {
        w->job_looks = 0;
        w->job_until_ms = now_ms + JOB_KEPT_MS;
    } else if (w->job_pid == pid || w->job_looks >= JOB_LOOKS_MAX) {
        return w->job_pid == pid ? w->job : 0;
    }
    w->job_looks++;
    w->job_pid = pid;
    w->job = rc_job_find(p->proc, p->sys, text);
    return w->job;
}

static void
fault_found(struct watch *w, const char *class_name, const char *device, const char *text,
            bool stands, uint64_t counted)
{
    enum rc_verdict_of verdict = rc_watch_verdict(class_name);
    bool more = w->state.fault_count > 0;

    if (verdict == RC_VERDICT_NOTHING) {
        return;
    }
    struct rc_watch_news news = {.class_name = class_name,
                                 .device = device,
                                 .verdict = verdict,
                                 .at_s = time(NULL),
                                 .job = job_now(w, text),
                                 .stands = stands,
                                 .counted = counted};
    if (rc_watch_note(&w->state, &news)) {
        if (verdict == RC_VERDICT_DRAIN) {
            say("%s %s: %s", class_name, device, text);
            arm_in(w->act, 0);
        } else {
            arm_once(w->act, more ? EXTRA_FIRST_MS : EXTRA_FIRST_MS / 2);
        }
    }
    arm_once(w->save, SAVE_MS);
}

/* NVML tells of the Xids that the kernel log has: such a one counts when the log did not
 * tell of it. */
static void
probe_fault(void *arg, const char *class_name, const char *device, const char *text,
            uint64_t counted)
{
    struct watch *w = arg;
    bool event = strncmp(class_name, "xid:", 4) == 0;

    if (rc_watch_verdict(class_name) == RC_VERDICT_TELL) {
        say("%s %s: %s", class_name, device, text); /* once for each appearance */
    }
    if (!event || !rc_watch_heard(&w->state, class_name, device, time(NULL) - HEARD_S)) {
        fault_found(w, class_name, device, text, !event, counted);
    }
}

static void
probe_over(void *arg, const char *class_name, const char *device)
{
    struct watch *w = arg;

    rc_watch_over(&w->state, class_name, device);
    if (w->state.extra_wanted) {
        arm_once(w->act, EXTRA_FIRST_MS);
        arm_once(w->save, SAVE_MS);
    }
}

static void
more_seen(void *arg)
{
    struct watch *w = arg;

    arm_once(w->save, SAVE_MS);
}

static void
drop_unproved(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;

    (void)fd;
    (void)what;
    rc_watch_drop_unproved(&w->state);
    arm_once(w->act, EXTRA_FIRST_MS);
    arm_once(w->save, SAVE_MS);
}

/* What one break shows in other places is told with it, not at their next turn: a person who has
 * taken the node back in between has seen all of it. */
static void
ask_probes(struct watch *w, const char *class_name)
{
    static const struct {
        const char *begins;
        rc_probe_fn *probe;
    } asks[] = {
        {"fs:", rc_probe_mounts},
        {"fs:", rc_probe_readonly},
        {"hung-task", rc_probe_mounts},
        {"note:nfs-ok", rc_probe_mounts},
        {"note:lustre-restored", rc_probe_mounts},
        {"aer:fatal", rc_probe_aer},
        {"aer:recovery-failed", rc_probe_gpu_devices},
        {"aer:cannot-recover:gpu", rc_probe_gpu_devices},
        {"xid:79", rc_probe_gpu_devices},
        {"gpu-lost", rc_probe_gpu_devices},
        {"efa:", rc_probe_efa},
        {"nvme:lost", rc_probe_nvme},
        {"thermal:cpu", rc_probe_thermal},
    };

    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        if (strncmp(class_name, asks[i].begins, strlen(asks[i].begins)) == 0) {
            rc_watch_probes_ask(w->probes, asks[i].probe);
        }
    }
}

static void
on_record(void *arg, const struct rc_kmsg *record)
{
    struct watch *w = arg;
    struct rc_kernel_class k;
    char detail[RC_KERNEL_DETAIL_LEN];

    if (record->seq < w->state.seq || !rc_kmsg_is_kernel(record) ||
        !rc_kernel_classify_message(record->text, &k)) {
        return;
    }
    w->state.seq = record->seq + 1;
    ask_probes(w, k.name);
    if (w->probes && strcmp(k.name, "thermal:cpu") == 0) {
        return; /* the probe tells of it, and when it is over; the line knows no end */
    }
    (void)rc_kernel_detail(&k, detail);
    fault_found(w, k.name, k.device, detail, false, 0);
}

static void
kmsg_ready(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;

    (void)fd;
    (void)what;
    if (!rc_kmsg_read(&w->reader, RECORDS_A_TURN, on_record, w, NULL)) {
        if (w->kmsg) {
            event_free(w->kmsg);
            w->kmsg = NULL;
        }
        rc_kmsg_close(&w->reader);
        arm_in(w->reopen, REOPEN_MS);
    }
    if (w->reader.lost > w->lost_told) {
        char text[64];

        (void)snprintf(text, sizeof text, "%" PRIu64 " kernel messages were overwritten unread",
                       w->reader.lost - w->lost_told);
        say("%s", text);
        fault_found(w, "log:overrun", "", text, false, 0);
    }
    w->lost_told = w->reader.lost;
}

static void
open_kmsg(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;
    struct rc_error e;

    (void)fd;
    (void)what;
    w->lost_told = 0;
    if (rc_kmsg_open(&w->reader, w->config->probe.kmsg, &e) != RC_OK) {
        say("%s", e.text);
        arm_in(w->reopen, REOPEN_MS);
        return;
    }
    w->kmsg = event_new(w->base, w->reader.fd, EV_READ | EV_PERSIST, kmsg_ready, w);
    if (!w->kmsg || event_add(w->kmsg, NULL) != 0) {
        kmsg_ready(w->reader.fd, 0, w); /* a plain file: read now, and again by the timer */
    }
}

/* --- the program ------------------------------------------------------------------- */

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;

    (void)fd;
    (void)what;
    (void)event_base_loopbreak(w->base);
}

static bool
open_watch(struct watch *w, struct rc_error *e)
{
    const struct rc_watch_config *c = w->config;
    const char *argv[] = {c->helper, "--role", "writer", c->conf ? "--conf" : NULL, c->conf, NULL};
    const struct rc_helper_config helper = {.base = w->base,
                                            .name = "slurm writer",
                                            .argv = argv,
                                            .role = "writer",
                                            .on_state = on_writer,
                                            .on_log = on_writer_log,
                                            .arg = w};

    w->reopen = evtimer_new(w->base, open_kmsg, w);
    w->save = evtimer_new(w->base, save_state, w);
    w->act = evtimer_new(w->base, act_now, w);
    w->prove = evtimer_new(w->base, drop_unproved, w);
    w->term = evsignal_new(w->base, SIGTERM, on_signal, w);
    w->intr = evsignal_new(w->base, SIGINT, on_signal, w);
    if (!w->reopen || !w->save || !w->act || !w->prove || !w->term || !w->intr ||
        event_add(w->term, NULL) != 0 || event_add(w->intr, NULL) != 0) {
        (void)rc_fail(e, RC_E_FULL, "no memory for events");
        return false;
    }
    w->writer = rc_helper_new(&helper, e);
    if (!w->writer) {
        return false;
    }
    if (!c->no_probes) {
        const struct rc_watch_ears ears = {probe_fault, probe_over, more_seen, w};
        struct rc_probe_config probe = c->probe;

        probe.seen = &w->state.seen;
        w->probes = rc_watch_probes_new(w->base, &probe, &ears);
        w->clock = rc_watch_clock_new(w->base, w->writer, c->node, c->clock_ms, &ears);
        arm_in(w->prove, PROVE_MS);
    }
    open_kmsg(-1, 0, w);
    return true;
}

static void
drop_event(struct event *ev)
{
    if (ev) {
        event_free(ev);
    }
}

static void
close_watch(struct watch *w)
{
    rc_watch_probes_free(w->probes);
    rc_watch_clock_free(w->clock);
    rc_helper_free(w->writer);
    rc_kmsg_close(&w->reader);
    drop_event(w->kmsg);
    drop_event(w->reopen);
    drop_event(w->save);
    drop_event(w->act);
    drop_event(w->prove);
    drop_event(w->term);
    drop_event(w->intr);
}

int
rc_watch_loop(const struct rc_watch_config *c)
{
    static struct watch w;
    struct rc_error e = {0};
    char boot[RC_WATCH_BOOT_LEN];

    w = (struct watch){.config = c, .reader = {.fd = -1}, .retry_ms = RETRY_MIN_MS};
    (void)signal(SIGPIPE, SIG_IGN);
    if (!rc_sys_read(c->probe.proc, "sys/kernel/random/boot_id", NULL, boot, sizeof boot)) {
        say("%s/sys/kernel/random/boot_id cannot be read", c->probe.proc);
        return 1;
    }
    rc_watch_load(&w.state, c->state, boot);
    w.base = event_base_new();
    if (!w.base || !open_watch(&w, &e)) {
        say("%s", w.base ? e.text : "no event loop");
        return 1;
    }
    int bad = event_base_dispatch(w.base);
    save_state(-1, 0, &w);
    close_watch(&w);
    event_base_free(w.base);
    return bad < 0 ? 1 : 0;
}
