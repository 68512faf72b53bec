/* score.h - what a run is judged by, as a table of numbers. */
#ifndef RC_SCORE_H
#define RC_SCORE_H

#include "simulator/fleet/fleet.h"

/* X(enum, key, label, unit, digits, the better: -1 less, 1 more, 0 neither) */
/* clang-format off */
#define RC_SCORES(X) \
    X(RC_SCORE_ETTR,        "ettr",              "effective training time ratio",     "",      4,  1) \
    X(RC_SCORE_ETTR_LARGE,  "ettr_large",        "the same, jobs of 64 nodes and more","",     4,  1) \
    X(RC_SCORE_USED,        "utilisation",       "node time at work for jobs",        "",      4,  1) \
    X(RC_SCORE_AVAILABLE,   "availability",      "nodes whole and in service or at work", "",   5,  1) \
    X(RC_SCORE_LOST,        "gpu_hours_lost",    "GPU-hours lost, all causes",        "GPU-h", 0, -1) \
    X(RC_SCORE_LOST_FAULT,  "gpu_hours_faults",  "of them in jobs, by faults",        "GPU-h", 0, -1) \
    X(RC_SCORE_LOST_US,     "gpu_hours_us",      "of them in jobs, by us",            "GPU-h", 0, -1) \
    X(RC_SCORE_LOST_OUT,    "gpu_hours_out",     "of them on nodes that were out",    "GPU-h", 0, -1) \
    X(RC_SCORE_KILLED_US,   "jobs_killed_by_us", "runs of jobs ended by us",          "",      0, -1) \
    X(RC_SCORE_KILLED_FAULT,"jobs_killed_fault", "runs of jobs ended by faults",      "",      0, -1) \
    X(RC_SCORE_EVICTED,     "evictions",         "nodes taken out",                   "",      0,  0) \
    X(RC_SCORE_FALSE,       "false_evictions",   "of them nothing was wrong with",    "",      0, -1) \
    X(RC_SCORE_HEALTHY,     "healthy_evictions", "whole instances thrown away",       "",      0, -1) \
    X(RC_SCORE_REPLACED,    "replacements",      "instances launched",                "",      0,  0) \
    X(RC_SCORE_REBOOTS,     "reboots",           "reboots",                           "",      0,  0) \
    X(RC_SCORE_QUARANTINED, "quarantines",       "nodes left to people",              "",      0, -1) \
    X(RC_SCORE_REPAIR_P50,  "repair_p50_min",    "time to repair, median",            "min",   1, -1) \
    X(RC_SCORE_REPAIR_P99,  "repair_p99_min",    "time to repair, 99 %",              "min",   1, -1) \
    X(RC_SCORE_DOLLARS,     "dollars",           "instance-hours paid",               "$",     0, -1) \
    X(RC_SCORE_DOLLARS_LOST,"dollars_lost",      "price of the GPU-hours lost",       "$",     0, -1)
/* clang-format on */

enum rc_score {
#define RC_SCORE_ENUM(score, key, label, unit, digits, better) score,
    RC_SCORES(RC_SCORE_ENUM)
#undef RC_SCORE_ENUM
        RC_SCORE__MAX
};

struct rc_score_row {
    const char *key, *label, *unit;
    int digits, better;
};

const struct rc_score_row *rc_score_row(uint32_t score);
/* Decimals of its mean: of counts over seeds one more than of a count. */
int rc_score_mean_digits(uint32_t score);
double rc_score_value(const struct rc_fleet_config *c, const struct rc_fleet_result *r,
                      uint32_t score);
/* Is there such a value? No jobs of that size, or no repair, have none. */
bool rc_score_known(const struct rc_fleet_result *r, uint32_t score);
double rc_score_gpu_hours(int64_t node_ms);

#endif
