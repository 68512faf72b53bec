/* seed_jobs.c - see seed_jobs.h. Each process plays every jobs-th seed and writes one
 * record a seed into its pipe; a play that crashes takes its process with it, and the
 * seed that it stood at is known. */
#include "simulator/seed_jobs.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { JOBS_MAX = 256, BAR_WIDTH = 30, BAR_EVERY_MS = 200 };

struct record {
    uint64_t seed;
    struct rc_play_result result;
};

struct worker {
    pid_t pid;
    int fd; /* -1 = done */
    uint64_t next_seed;
};

static int64_t
monotonic_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
work(uint64_t from, uint64_t to, unsigned stride, int fd)
{
    for (uint64_t seed = from; seed <= to; seed += stride) {
        struct record rec;
        struct rc_plan plan;
        memset(&rec, 0, sizeof rec);
        rec.seed = seed;
        rc_plan_draw(&plan, seed);
        rc_play_run(&plan, NULL, &rec.result);
        if (write(fd, &rec, sizeof rec) != (ssize_t)sizeof rec) {
            _exit(3);
        }
        if (to - seed < stride) {
            break;
        }
    }
    _exit(0);
}

static int
start(struct worker *w, uint64_t from, uint64_t to, unsigned stride)
{
    int ends[2];

    if (pipe(ends) != 0) {
        return -1;
    }
    fflush(NULL);
    w->pid = fork();
    if (w->pid < 0) {
        return -1;
    }
    if (w->pid == 0) {
        close(ends[0]);
        work(from, to, stride, ends[1]);
    }
    close(ends[1]);
    w->fd = ends[0];
    w->next_seed = from;
    return 0;
}

static void
keep(struct rc_seed_report *r, const struct record *rec)
{
    uint32_t at = r->kept;

    r->failed++;
    while (at && r->failure[at - 1].seed > rec->seed) {
        at--;
    }
    if (at == RC_SEED_FAILURES_MAX) {
        return;
    }
    r->kept += r->kept < RC_SEED_FAILURES_MAX;
    memmove(&r->failure[at + 1], &r->failure[at], (r->kept - at - 1) * sizeof r->failure[0]);
    r->failure[at].seed = rec->seed;
    r->failure[at].result = rec->result;
}

/* False: this worker has ended. */
static int
take_seed(struct worker *w, struct rc_seed_report *r, unsigned stride)
{
    struct record rec;
    size_t len = 0;

    memset(&rec, 0, sizeof rec);
    while (len < sizeof rec) {
        ssize_t n = read(w->fd, (char *)&rec + len, sizeof rec - len);
        if (n <= 0) {
            return 0;
        }
        len += (size_t)n;
    }
    w->next_seed = rec.seed + stride;
    r->seeds++;
    r->steps += rec.result.steps;
    r->hash ^= rec.result.hash * (rec.seed * 2 + 1);
    if (rec.result.verdict != RC_FOUND_NOTHING) {
        keep(r, &rec);
    }
    return 1;
}

static void
draw_bar(const struct rc_seed_report *r, uint64_t all, int64_t start_ms)
{
    int64_t spent_ms = monotonic_ms() - start_ms;
    double rate = spent_ms > 0 ? (double)r->seeds * 1000 / (double)spent_ms : 0;
    int filled = (int)(r->seeds * BAR_WIDTH / all);
    char bar[BAR_WIDTH + 1];

    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', (size_t)filled);
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r[%s] %" PRIu64 "/%" PRIu64 "  %.0f/s  %.0f s left  %" PRIu64 " failed ", bar,
            r->seeds, all, rate, rate > 0 ? (double)(all - r->seeds) / rate : 0, r->failed);
}

static int
reap(struct worker *w, uint64_t to)
{
    int status = 0;

    close(w->fd);
    w->fd = -1;
    (void)waitpid(w->pid, &status, 0);
    if (status == 0) {
        return 0;
    }
    if (w->next_seed <= to) {
        fprintf(stderr, "\nsimulate: seed %" PRIu64 " ended its process (status %d)\n",
                w->next_seed, status);
    }
    return -1;
}

static int
collect(struct worker *w, unsigned jobs, uint64_t to, uint64_t all, struct rc_seed_report *r)
{
    struct pollfd fds[JOBS_MAX];
    int64_t start_ms = monotonic_ms(), bar_ms = 0;
    unsigned running = jobs;
    int tty = isatty(STDERR_FILENO), bad = 0;

    while (running) {
        for (unsigned i = 0; i < jobs; i++) {
            fds[i] = (struct pollfd){.fd = w[i].fd, .events = POLLIN};
        }
        if (poll(fds, jobs, BAR_EVERY_MS) < 0 && errno != EINTR) {
            return -1;
        }
        for (unsigned i = 0; i < jobs; i++) {
            if (fds[i].fd >= 0 && fds[i].revents && !take_seed(&w[i], r, jobs)) {
                bad |= reap(&w[i], to);
                running--;
            }
        }
        if (tty && monotonic_ms() - bar_ms >= BAR_EVERY_MS) {
            bar_ms = monotonic_ms();
            draw_bar(r, all, start_ms);
        }
    }
    if (tty) {
        fputc('\n', stderr);
    }
    r->spent_ms = monotonic_ms() - start_ms;
    return bad;
}

int
rc_seed_jobs(uint64_t from, uint64_t to, unsigned jobs, struct rc_seed_report *ret)
{
    static struct worker w[JOBS_MAX];
    uint64_t all = to - from + 1;

    memset(ret, 0, sizeof *ret);
    jobs = jobs < 1 ? 1 : jobs > JOBS_MAX ? JOBS_MAX : jobs;
    jobs = all < jobs ? (unsigned)all : jobs;
    for (unsigned i = 0; i < jobs; i++) {
        if (start(&w[i], from + i, to, jobs) != 0) {
            perror("simulate: process");
            return -1;
        }
    }
    return collect(w, jobs, to, all, ret);
}
