/* probe_mounts.c - does each file system answer?
 *
 * One process a mount asks statvfs(), which hangs where the server does not answer.
 * This probe (itself in a child of the agent) gives them a time, then names those that
 * have not come back and leaves them: a process in uninterruptible sleep cannot be killed
 * and ends when its server is back. The next look finds the mount stuck again. */
#define _GNU_SOURCE
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reconciler/watch/mounts.h"
#include "reconciler/watch/probe.h"

enum {
    MOUNTS_MAX = 128,
    ANSWER_MS = 2000,
    STEP_NS = 1000 * 1000,
    EXIT_FULL = 3,
    FREE_MIN_PERMILLE = 5,
};

struct ask {
    pid_t pid; /* 0 = answered */
    bool local;
    char point[RC_KERNEL_DEVICE_LEN];
};

struct asks {
    const struct rc_probe_config *config;
    struct rc_findings *out;
    struct ask v[MOUNTS_MAX];
    uint32_t count;
    uint32_t open;
};

_Noreturn static void
ask_mount(const struct rc_mount *m)
{
    struct statvfs s;
    int status = 0;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (statvfs(m->point, &s) != 0) {
        /* No such path: unmounted since, or another mount lies over it. */
        status = errno == ENOENT ? 0 : 1;
    } else if (m->local && !m->meant_readonly && s.f_blocks > 0 &&
               s.f_bavail < s.f_blocks / 1000 * FREE_MIN_PERMILLE) {
        status = EXIT_FULL;
    }
    _exit(status);
}

static void
report_stuck(struct asks *a, const char *point, bool local, pid_t pid)
{
    rc_finding_add(a->out, RC_FINDING_FAULT, local ? "fs:stuck-local" : "fs:stuck", point,
                   "no answer within %d ms (process %d hangs)", ANSWER_MS, (int)pid);
}

/* The process of an earlier look that still hangs there; 0: none. */
static pid_t
hangs_still(const struct rc_probe_config *c, const char *point)
{
    for (uint32_t i = 0; i < c->hung_count; i++) {
        if (strncmp(c->hung[i].point, point, sizeof c->hung[i].point - 1) == 0 &&
            kill(c->hung[i].pid, 0) == 0) {
            return c->hung[i].pid;
        }
    }
    return 0;
}

static void
begin_ask(void *arg, const struct rc_mount *m)
{
    struct asks *a = arg;

    if (a->count == MOUNTS_MAX) {
        rc_finding_add(a->out, RC_FINDING_UNKNOWN, "fs:unknown", m->point, "too many mounts");
        return;
    }
    pid_t pid = hangs_still(a->config, m->point);
    if (pid > 0) {
        report_stuck(a, m->point, m->local, pid);
        return;
    }
    pid = fork();
    if (pid == 0) {
        ask_mount(m);
    }
    if (pid < 0) {
        rc_finding_add(a->out, RC_FINDING_UNKNOWN, "fs:unknown", m->point, "fork: %s",
                       strerror(errno));
        return;
    }
    struct ask *ask = &a->v[a->count++];
    ask->pid = pid;
    ask->local = m->local;
    (void)snprintf(ask->point, sizeof ask->point, "%s", m->point);
    a->open++;
}

static void
end_ask(struct asks *a, pid_t pid, int status)
{
    for (uint32_t i = 0; i < a->count; i++) {
        struct ask *ask = &a->v[i];

        if (ask->pid != pid) {
            continue;
        }
        ask->pid = 0;
        a->open--;
        if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FULL) {
            rc_finding_add(a->out, RC_FINDING_NOTE, "disk:full", ask->point,
                           "less than %d.%d %% are free", FREE_MIN_PERMILLE / 10,
                           FREE_MIN_PERMILLE % 10);
        } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            rc_finding_add(a->out, RC_FINDING_FAULT, ask->local ? "fs:error" : "fs:no-access",
                           ask->point, "the file system answers with an error");
        }
    }
}

void
rc_probe_mounts(const struct rc_probe_config *c, struct rc_findings *out)
{
    static struct asks a;
    const struct timespec step = {.tv_nsec = STEP_NS};

    a = (struct asks){.config = c, .out = out};
    if (!rc_mounts_each(c->proc, c->etc, begin_ask, &a)) {
        rc_finding_add(out, RC_FINDING_UNKNOWN, "fs:unknown", "", "%s/self/mounts cannot be read",
                       c->proc);
    }
    for (int ms = 0; a.open > 0 && ms < ANSWER_MS; ms++) {
        int status;
        pid_t pid;

        while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
            end_ask(&a, pid, status);
        }
        if (a.open > 0) {
            (void)nanosleep(&step, NULL);
        }
    }
    for (uint32_t i = 0; i < a.count; i++) {
        if (a.v[i].pid != 0) {
            (void)kill(a.v[i].pid, SIGKILL);
            report_stuck(&a, a.v[i].point, a.v[i].local, a.v[i].pid);
        }
    }
}

void
rc_probe_keep_hung(struct rc_probe_config *c, const struct rc_findings *found)
{
    c->hung_count = 0;
    for (uint32_t i = 0; i < found->count && c->hung_count < RC_HUNG_MAX; i++) {
        const struct rc_finding *f = &found->v[i];
        const char *at = strstr(f->text, "(process ");
        int pid = 0;

        if (strncmp(f->class_name, "fs:stuck", 8) == 0 && at &&
            sscanf(at, "(process %d", &pid) == 1 && pid > 0) {
            struct rc_hung *h = &c->hung[c->hung_count++];

            h->pid = pid;
            memcpy(h->point, f->device, sizeof h->point);
        }
    }
}
