/* comparison.h - all that a comparison says, computed once for every kind of report. */
#ifndef RC_COMPARISON_H
#define RC_COMPARISON_H

#include "simulator/report/paired.h"
#include "simulator/report/score.h"
#include "simulator/report/study.h"

struct rc_pair {
    uint32_t a, b;                         /* policies; differences are b - a */
    struct rc_paired score[RC_SCORE__MAX]; /* n = 0: one of both has no value */
};

struct rc_comparison {
    const struct rc_study *study;
    const struct rc_fleet_result *result; /* [policy * seeds + seed] */
    struct rc_study_text text;
    double mean[RC_STUDY_POLICIES_MAX][RC_SCORE__MAX];
    double half[RC_STUDY_POLICIES_MAX][RC_SCORE__MAX];  /* < 0 = cannot be told */
    bool known[RC_STUDY_POLICIES_MAX][RC_SCORE__MAX];   /* every seed has the value */
    double lost[RC_STUDY_POLICIES_MAX][RC_LOSS__MAX];   /* GPU-hours, mean over seeds */
    struct rc_fleet_hist repair[RC_STUDY_POLICIES_MAX]; /* all seeds together */
    uint32_t pair_count;
    uint32_t asked; /* questions that p-values are adjusted for */
    struct rc_pair *pair;
};

/* Every two policies up to four of them; the first with each other one beyond. False: no
 * memory. */
bool rc_comparison_make(struct rc_comparison *c, const struct rc_study *s,
                        const struct rc_fleet_result *result);
void rc_comparison_free(struct rc_comparison *c);
/* "better", "worse", "different", "not shown": b against a. */
const char *rc_comparison_word(const struct rc_paired *p, uint32_t score);

#endif
