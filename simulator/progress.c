/* progress.c - see progress.h. */
#include "simulator/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR_WIDTH = 30, EVERY_MS = 200 };

static int64_t
monotonic_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
rc_progress_begin(struct rc_progress *p, uint64_t total, const char *unit)
{
    *p = (struct rc_progress){.total = total ? total : 1,
                              .unit = unit,
                              .start_ms = monotonic_ms(),
                              .is_terminal = isatty(STDERR_FILENO) != 0};
}

int64_t
rc_progress_spent_ms(const struct rc_progress *p)
{
    return monotonic_ms() - p->start_ms;
}

void
rc_progress_show(struct rc_progress *p, uint64_t done, const char *note)
{
    int64_t now_ms = p->is_terminal ? monotonic_ms() : 0;

    if (!p->is_terminal || now_ms - p->shown_ms < EVERY_MS) {
        return;
    }
    p->shown_ms = now_ms;
    int64_t spent_ms = now_ms - p->start_ms;
    double rate = spent_ms > 0 ? (double)done * 1000 / (double)spent_ms : 0;
    uint64_t part = done < p->total ? done : p->total;
    char bar[BAR_WIDTH + 1];

    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', (size_t)(part * BAR_WIDTH / p->total));
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r[%s] %" PRIu64 "/%" PRIu64 "  %.*f %s/s  %.0f s left  %s ", bar, done,
            p->total, rate < 10 ? 1 : 0, rate, p->unit,
            rate > 0 ? (double)(p->total - part) / rate : 0, note);
}

void
rc_progress_end(struct rc_progress *p)
{
    if (p->is_terminal && p->shown_ms) {
        fprintf(stderr, "\r\033[K");
    }
}
