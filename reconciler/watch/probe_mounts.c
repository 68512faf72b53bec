/* probe_mounts.c - does each file system answer?
 *
 * One thread a mount asks statvfs(), which hangs where the server does not answer. This probe
 * (itself in a child of the agent) gives them a time, then names those that have not come
 * back and ends: a thread in uninterruptible sleep keeps the dead process until its server
 * is back. While it is there, its file systems are not asked again: nothing piles up. */
#define _GNU_SOURCE
#include <sys/statvfs.h>

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reconciler/watch/mounts.h"
#include "reconciler/watch/probe.h"

enum {
    MOUNTS_MAX = 128,
    ANSWER_MS = 2000,
    LOCAL_ANSWER_MS = 10000, /* a local one drains: a node that is only very busy must not */
    FREE_MIN_PERMILLE = 5,
    STACK_BYTES = 64 * 1024,
};

enum answer { ANSWER_NONE, ANSWER_WELL, ANSWER_FULL, ANSWER_ERROR };

struct ask {
    struct asks *owner;
    bool local, meant_readonly;
    enum answer answer; /* under the lock */
    char *path;
};

struct asks {
    const struct rc_probe_config *config;
    struct rc_findings *out;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    uint32_t open; /* under the lock */
    uint32_t count;
    struct ask v[MOUNTS_MAX];
};

static enum answer
ask_mount(const struct ask *ask)
{
    struct statvfs s;

    if (statvfs(ask->path, &s) != 0) {
        /* No such path: unmounted since, or another mount lies over it. */
        return errno == ENOENT ? ANSWER_WELL : ANSWER_ERROR;
    }
    return ask->local && !ask->meant_readonly && s.f_blocks > 0 &&
                   s.f_bavail < s.f_blocks / 1000 * FREE_MIN_PERMILLE
               ? ANSWER_FULL
               : ANSWER_WELL;
}

static void *
ask_thread(void *arg)
{
    struct ask *ask = arg;
    enum answer answer = ask_mount(ask);

    (void)pthread_mutex_lock(&ask->owner->lock);
    ask->answer = answer;
    ask->owner->open--;
    (void)pthread_cond_signal(&ask->owner->answered);
    (void)pthread_mutex_unlock(&ask->owner->lock);
    return NULL;
}

static void
report_stuck(const struct asks *a, const char *point, bool local, pid_t pid)
{
    rc_finding_add(a->out, RC_FINDING_FAULT, local ? "fs:stuck-local" : "fs:stuck", point,
                   "no answer within %d ms (process %d hangs)", local ? LOCAL_ANSWER_MS : ANSWER_MS,
                   (int)pid);
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

/* Threads start when all mounts are known: the list itself is read without them. */
static void
note_mount(void *arg, const struct rc_mount *m)
{
    struct asks *a = arg;
    pid_t pid = hangs_still(a->config, m->point);

    if (pid > 0) {
        report_stuck(a, m->point, m->local, pid);
    } else if (a->count == MOUNTS_MAX) {
        rc_finding_add(a->out, RC_FINDING_UNKNOWN, "fs:unknown", m->point, "too many mounts");
    } else {
        a->v[a->count++] = (struct ask){.owner = a,
                                        .local = m->local,
                                        .meant_readonly = m->meant_readonly,
                                        .path = strdup(m->point)};
    }
}

static void
start_asking(struct asks *a)
{
    pthread_attr_t attributes;
    pthread_t thread;

    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(
        &attributes, STACK_BYTES > PTHREAD_STACK_MIN ? STACK_BYTES : (size_t)PTHREAD_STACK_MIN);
    (void)pthread_mutex_lock(&a->lock);
    for (uint32_t i = 0; i < a->count; i++) {
        int bad =
            a->v[i].path ? pthread_create(&thread, &attributes, ask_thread, &a->v[i]) : ENOMEM;

        if (bad) {
            a->v[i].answer = ANSWER_WELL;
            rc_finding_add(a->out, RC_FINDING_UNKNOWN, "fs:unknown",
                           a->v[i].path ? a->v[i].path : "", "thread: %s", strerror(bad));
        } else {
            a->open++;
        }
    }
    (void)pthread_mutex_unlock(&a->lock);
    (void)pthread_attr_destroy(&attributes);
}

static void
report_answers(struct asks *a)
{
    for (uint32_t i = 0; i < a->count; i++) {
        const struct ask *ask = &a->v[i];

        if (ask->answer == ANSWER_NONE) {
            report_stuck(a, ask->path, ask->local, getpid());
        } else if (ask->answer == ANSWER_FULL) {
            rc_finding_add(a->out, RC_FINDING_NOTE, "disk:full", ask->path,
                           "less than %d.%d %% are free", FREE_MIN_PERMILLE / 10,
                           FREE_MIN_PERMILLE % 10);
        } else if (ask->answer == ANSWER_ERROR) {
            rc_finding_add(a->out, RC_FINDING_FAULT, ask->local ? "fs:error" : "fs:no-access",
                           ask->path, "the file system answers with an error");
        }
    }
}

/* Under the lock. */
static bool
local_is_open(const struct asks *a)
{
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->v[i].local && a->v[i].answer == ANSWER_NONE) {
            return true;
        }
    }
    return false;
}

static void
wait_for_answers(struct asks *a)
{
    struct timespec end;
    int bad = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += ANSWER_MS / 1000;
    while (a->open > 0 && bad != ETIMEDOUT) {
        bad = pthread_cond_timedwait(&a->answered, &a->lock, &end);
    }
    end.tv_sec += (LOCAL_ANSWER_MS - ANSWER_MS) / 1000;
    for (bad = 0; local_is_open(a) && bad != ETIMEDOUT;) {
        bad = pthread_cond_timedwait(&a->answered, &a->lock, &end);
    }
}

/* What a thread that hangs uses is never freed: it is the process that ends. */
void
rc_probe_mounts(const struct rc_probe_config *c, struct rc_findings *out)
{
    static struct asks a = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_condattr_t monotonic;

    a.config = c;
    a.out = out;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&a.answered, &monotonic);
    if (!rc_mounts_each(c->proc, c->etc, note_mount, &a)) {
        rc_finding_add(out, RC_FINDING_UNKNOWN, "fs:unknown", "", "%s/self/mounts cannot be read",
                       c->proc);
    }
    start_asking(&a);
    (void)pthread_mutex_lock(&a.lock);
    wait_for_answers(&a);
    report_answers(&a);
    (void)pthread_mutex_unlock(&a.lock);
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
