/* probe_run.c - findings, and probes in a child process; see probe.h. */
#define _GNU_SOURCE
#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reconciler/core/text.h"
#include "reconciler/watch/probe.h"

/* One write to a pipe is whole up to PIPE_BUF (4096 on Linux). */
_Static_assert(sizeof(struct rc_finding) <= 4096, "a finding is written at once");

/* The last thing that a child says: all findings were handed over. */
enum { FINDING_END = 0xe0f };

static void
hand_over(struct rc_findings *out, struct rc_finding *f, const char *class_name, const char *device)
{
    (void)snprintf(f->class_name, sizeof f->class_name, "%s", class_name);
    (void)snprintf(f->device, sizeof f->device, "%s", device ? device : "");
    rc_text_printable(f->text);
    rc_text_printable(f->device);
    if (out->pipe_fd >= 0) {
        (void)!write(out->pipe_fd, f, sizeof *f);
    } else if (out->count < RC_FINDINGS_MAX) {
        out->v[out->count++] = *f;
    } else {
        out->dropped++;
    }
}

void
rc_finding_add(struct rc_findings *out, enum rc_finding_kind kind, const char *class_name,
               const char *device, const char *fmt, ...)
{
    struct rc_finding f = {.kind = kind};
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(f.text, sizeof f.text, fmt, ap);
    va_end(ap);
    hand_over(out, &f, class_name, device);
}

void
rc_finding_add_counted(struct rc_findings *out, enum rc_finding_kind kind, const char *class_name,
                       const char *device, uint64_t counted, const char *fmt, ...)
{
    struct rc_finding f = {.kind = kind, .counted = counted};
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(f.text, sizeof f.text, fmt, ap);
    va_end(ap);
    hand_over(out, &f, class_name, device);
}

void
rc_finding_end_look(struct rc_findings *out)
{
    const struct rc_finding end = {.kind = FINDING_END};

    if (out->pipe_fd >= 0) {
        (void)!write(out->pipe_fd, &end, sizeof end);
    }
}

bool
rc_probe_boots(const struct rc_probe_config *c)
{
    struct timespec up;

    return clock_gettime(CLOCK_BOOTTIME, &up) == 0 && up.tv_sec < c->boot_grace;
}

bool
rc_probe_start(const struct rc_probe *p, const struct rc_probe_config *c,
               struct rc_probe_child *ret)
{
    struct rc_findings out = {.pipe_fd = -1};
    bool stays = p->stay && c->rates;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return false;
    }
    pid_t pid = fork();
    if (pid < 0) {
        (void)close(ends[0]);
        (void)close(ends[1]);
        return false;
    }
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)close(ends[0]);
        out.pipe_fd = ends[1];
        (stays ? p->stay : p->run)(c, &out);
        rc_finding_end_look(&out);
        _exit(0);
    }
    (void)close(ends[1]);
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *ret = (struct rc_probe_child){.pid = pid, .fd = ends[0], .stays = stays};
    return true;
}

enum rc_probe_taken
rc_probe_take(struct rc_probe_child *child, struct rc_findings *out)
{
    struct rc_finding f;
    ssize_t n;

    while ((n = read(child->fd, &f, sizeof f)) == (ssize_t)sizeof f) {
        if (f.kind == FINDING_END && child->stays) {
            return RC_TAKEN_LOOKED;
        }
        if (f.kind == FINDING_END) {
            rc_probe_abandon(child);
            return RC_TAKEN_DONE;
        }
        f.class_name[sizeof f.class_name - 1] = '\0';
        f.device[sizeof f.device - 1] = '\0';
        f.text[sizeof f.text - 1] = '\0';
        rc_finding_add_counted(out, (enum rc_finding_kind)f.kind, f.class_name, f.device, f.counted,
                               "%s", f.text);
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return RC_TAKEN_MORE;
    }
    rc_probe_abandon(child);
    return RC_TAKEN_DIED;
}

void
rc_probe_abandon(struct rc_probe_child *child)
{
    if (child->fd >= 0) {
        (void)close(child->fd);
        child->fd = -1;
        (void)kill(child->pid, SIGKILL);
        (void)waitpid(child->pid, NULL, WNOHANG);
    }
}
