/* task_jobs.c - see task_jobs.h. Process k does the tasks k, k + jobs, k + 2 jobs …, and
 * writes its records into its own pipe, in order; so when it dies the task at which it
 * stood is known. */
#include "simulator/task_jobs.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "simulator/progress.h"

enum { POLL_MS = 200, STATUS_NO_PIPE = 3, STATUS_NO_PARENT };

struct worker {
    pid_t pid;
    int fd; /* -1 = done */
    uint64_t next;
    size_t got; /* bytes of the record that is coming in */
    char *record;
};

unsigned
rc_task_processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > RC_TASK_JOBS_MAX ? RC_TASK_JOBS_MAX : (unsigned)n;
}

static bool
write_record(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* A task may take seconds: who ends the parent alone wants it all ended. The parent may have
 * ended before the kernel was asked to tell. */
static void
end_with(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) {
        _exit(STATUS_NO_PARENT);
    }
}

_Noreturn static void
work_on(const struct rc_tasks *t, uint64_t first, int fd, char *record)
{
    for (uint64_t task = first; task < t->count; task += t->jobs) {
        memset(record, 0, t->record_size);
        t->work(t->arg, task, record);
        if (!write_record(fd, record, t->record_size)) {
            _exit(STATUS_NO_PIPE);
        }
    }
    _exit(0);
}

static int
start(const struct rc_tasks *t, struct worker *w, uint64_t first)
{
    int ends[2];

    w->fd = -1;
    w->next = first;
    w->record = malloc(t->record_size);
    if (!w->record || pipe(ends) != 0) {
        return -1;
    }
    pid_t parent = getpid();
    fflush(NULL);
    w->pid = fork();
    if (w->pid < 0) {
        close(ends[0]);
        close(ends[1]);
        return -1;
    }
    if (w->pid == 0) {
        end_with(parent);
        close(ends[0]);
        work_on(t, first, ends[1], w->record);
    }
    close(ends[1]);
    w->fd = ends[0];
    return 0;
}

/* Reads what is there. False: this worker has ended. */
static bool
take_some(struct rc_tasks *t, struct worker *w, uint64_t *done)
{
    ssize_t n = read(w->fd, w->record + w->got, t->record_size - w->got);

    if (n < 0 && errno == EINTR) {
        return true;
    }
    if (n <= 0) {
        return false;
    }
    w->got += (size_t)n;
    if (w->got == t->record_size) {
        w->got = 0;
        t->take(t->arg, w->next, w->record);
        w->next += t->jobs;
        ++*done;
    }
    return true;
}

static int
reap(const struct rc_tasks *t, struct worker *w)
{
    int status = 0;

    close(w->fd);
    w->fd = -1;
    (void)waitpid(w->pid, &status, 0);
    if (status == 0) {
        return 0;
    }
    if (w->next < t->count && t->lost) {
        t->lost(t->arg, w->next, status);
    }
    return -1;
}

static int
collect(struct rc_tasks *t, struct worker *w, struct rc_progress *bar)
{
    struct pollfd fds[RC_TASK_JOBS_MAX];
    unsigned running = t->jobs;
    uint64_t done = 0;
    int bad = 0;

    while (running) {
        for (unsigned i = 0; i < t->jobs; i++) {
            fds[i] = (struct pollfd){.fd = w[i].fd, .events = POLLIN};
        }
        if (poll(fds, t->jobs, POLL_MS) < 0 && errno != EINTR) {
            return -1;
        }
        for (unsigned i = 0; i < t->jobs; i++) {
            if (fds[i].fd >= 0 && fds[i].revents && !take_some(t, &w[i], &done)) {
                bad |= reap(t, &w[i]);
                running--;
            }
        }
        rc_progress_show(bar, done, t->note ? t->note(t->arg) : "");
    }
    return bad;
}

int
rc_task_jobs(struct rc_tasks *t)
{
    static struct worker w[RC_TASK_JOBS_MAX];
    struct rc_progress bar;
    int bad = 0;

    t->jobs = t->jobs < 1 ? 1 : t->jobs > RC_TASK_JOBS_MAX ? RC_TASK_JOBS_MAX : t->jobs;
    t->jobs = t->count < t->jobs ? (unsigned)t->count : t->jobs;
    memset(w, 0, sizeof w);
    rc_progress_begin(&bar, t->count, t->unit);
    for (unsigned i = 0; i < t->jobs && !bad; i++) {
        if (start(t, &w[i], i) != 0) {
            perror("simulate: process");
            bad = -1;
            for (unsigned k = 0; k < i; k++) {
                (void)reap(t, &w[k]); /* its pipe is closed: it ends at its next record */
            }
        }
    }
    bad = bad ? bad : collect(t, w, &bar);
    rc_progress_end(&bar);
    t->spent_ms = rc_progress_spent_ms(&bar);
    for (unsigned i = 0; i < t->jobs; i++) {
        free(w[i].record);
    }
    return bad;
}
