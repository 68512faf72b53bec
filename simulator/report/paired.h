/* paired.h - are two policies different? Paired differences over seeds.
 *
 * Each seed gives both policies the same schedule, so the difference within a seed is
 * what the policies make of it. Its mean gets a Student interval; p-values are adjusted
 * for the number of questions (Holm), so that one false alarm in twenty reports, not in
 * twenty lines, is to be expected. Of few seeds nothing is marked: whole counts come out nearly
 * alike by chance then, and a spread near zero would make any noise certain. Only +, -, *, / and
 * sqrt: equal bits everywhere. */
#ifndef RC_PAIRED_H
#define RC_PAIRED_H

#include <stdint.h>

enum { RC_PAIRED_SEEDS_MIN = 5 }; /* of fewer nothing is marked as different */

struct rc_paired {
    uint32_t n;
    double mean_a, mean_b;
    double mean;      /* of b - a */
    double half;      /* of the 95 % interval; < 0 = cannot be told (one seed) */
    double p;         /* two-sided, of this difference alone */
    double p_holm;    /* adjusted for all that were asked together */
    uint32_t differs; /* p_holm < 0.05, of RC_PAIRED_SEEDS_MIN seeds or more */
};

/* Mean and half width of the 95 % interval of n values; half -1 for n < 2. */
void rc_mean_95(const double *v, uint32_t n, double *ret_mean, double *ret_half);
void rc_paired_compare(const double *a, const double *b, uint32_t n, struct rc_paired *ret);
/* Adjusts p over all rows asked together; rows with half < 0 are left out. */
void rc_paired_holm(struct rc_paired *rows, uint32_t count);

/* P(|T| > t) with df degrees of freedom, and the t that has this P. */
double rc_student_p(double t, uint32_t df);
double rc_student_quantile(double p, uint32_t df);

#endif
