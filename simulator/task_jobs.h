/* task_jobs.h - many tasks on many processes, each answered by one record of fixed size,
 * with a progress bar. */
#ifndef RC_TASK_JOBS_H
#define RC_TASK_JOBS_H

#include <stddef.h>
#include <stdint.h>

enum { RC_TASK_JOBS_MAX = 256 };

struct rc_tasks {
    uint64_t count;
    unsigned jobs;      /* processes; 1..RC_TASK_JOBS_MAX, more are cut */
    const char *unit;   /* for the bar */
    size_t record_size; /* of a record; it is zeroed before work() */
    void *arg;
    /* In a child; must not write to stdout. */
    void (*work)(void *arg, uint64_t task, void *record);
    /* In the parent, in whatever order they end. */
    void (*take)(void *arg, uint64_t task, const void *record);
    /* A child died (wait status) and this task with it; the rest of its tasks is not done.
     * NULL = not wanted. */
    void (*lost)(void *arg, uint64_t task, int status);
    /* A word for the bar; NULL = none. */
    const char *(*note)(void *arg);
    int64_t spent_ms; /* wall time, filled */
};

unsigned rc_task_processors(void);
/* 0, or -1 when no process could be made (told on stderr), one died, or memory ran out. */
int rc_task_jobs(struct rc_tasks *t);

#endif
