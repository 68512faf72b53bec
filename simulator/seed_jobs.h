/* seed_jobs.h - many seeds on many processes, with a progress bar. */
#ifndef RC_SEED_JOBS_H
#define RC_SEED_JOBS_H

#include <stdint.h>

#include "simulator/cluster/play.h"

enum { RC_SEED_FAILURES_MAX = 64 };

struct rc_seed_failure {
    uint64_t seed;
    struct rc_play_result result;
};

struct rc_seed_report {
    uint64_t seeds, failed, steps;
    uint64_t hash;    /* over all plays, in whatever order they were done */
    int64_t spent_ms; /* wall time */
    uint32_t kept;    /* of the failures, the lowest seeds, in order */
    struct rc_seed_failure failure[RC_SEED_FAILURES_MAX];
};

/* Plays the seeds from..to, both included. 0, or -1 when no process could be made or
 * one of them died (errno told on stderr). */
int rc_seed_jobs(uint64_t from, uint64_t to, unsigned jobs, struct rc_seed_report *ret);

#endif
