/* paired.c - see paired.h. */
#include "simulator/report/paired.h"

#include <assert.h>
#include <stdbool.h>

#include "simulator/model/sim_math.h"

#define LEVEL 0.05

/* Two halvings of the angle, then the series: |x| <= 0.2 there, twelve terms are exact. */
static double
arc_tangent(double x)
{
    double scale = 1.0;

    for (int i = 0; i < 3; i++) {
        x = x / (1.0 + rc_sim_sqrt(1.0 + x * x));
        scale *= 2.0;
    }
    double sum = 0.0, power = x;
    for (int k = 1; k <= 31; k += 2) {
        sum += (k / 2 % 2 ? -power : power) / (double)k;
        power *= x * x;
    }
    return scale * sum;
}

/* Abramowitz and Stegun 26.7.3 and 26.7.4: a finite series for whole degrees of freedom. */
double
rc_student_p(double t, uint32_t df)
{
    const double two_over_pi = 0.63661977236758134308;

    assert(df > 0 && t >= 0);
    double theta = arc_tangent(t / rc_sim_sqrt((double)df));
    double cos2 = 1.0 / (1.0 + t * t / (double)df);
    double sine = rc_sim_sqrt(1.0 - cos2), term = df % 2 ? rc_sim_sqrt(cos2) : 1.0, sum = 0.0;

    for (uint32_t k = df % 2 ? 3 : 2; k <= df; k += 2) {
        sum += term;
        term *= cos2 * (double)(k - 1) / (double)k;
    }
    double inside = df % 2 ? two_over_pi * (theta + sine * sum) : sine * sum;
    return inside >= 1.0 ? 0.0 : 1.0 - inside;
}

double
rc_student_quantile(double p, uint32_t df)
{
    double low = 0.0, high = 1.0;

    while (rc_student_p(high, df) > p) {
        high *= 2.0;
    }
    for (int i = 0; i < 80; i++) {
        double middle = (low + high) / 2.0;
        if (rc_student_p(middle, df) > p) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

static double
mean_of(const double *v, uint32_t n)
{
    double sum = 0.0;

    for (uint32_t i = 0; i < n; i++) {
        sum += v[i];
    }
    return n ? sum / (double)n : 0.0;
}

/* Of the mean. */
static double
standard_error(const double *v, uint32_t n, double mean)
{
    double sum = 0.0;

    for (uint32_t i = 0; i < n; i++) {
        sum += (v[i] - mean) * (v[i] - mean);
    }
    return rc_sim_sqrt(sum / (double)(n - 1) / (double)n);
}

void
rc_mean_95(const double *v, uint32_t n, double *ret_mean, double *ret_half)
{
    *ret_mean = mean_of(v, n);
    *ret_half = n < 2 ? -1.0 : rc_student_quantile(LEVEL, n - 1) * standard_error(v, n, *ret_mean);
}

/* The same difference in every seed has no spread that Student could measure it by, and for
 * whole counts and few seeds that is chance as often as not. What is left is their sign: all n
 * on one side, as a coin would show in one of 2^(n-1) reports. */
static double
sign_p(uint32_t n)
{
    double p = 1.0;

    for (uint32_t i = 1; i < n; i++) {
        p /= 2.0;
    }
    return p;
}

void
rc_paired_compare(const double *a, const double *b, uint32_t n, struct rc_paired *ret)
{
    double difference[4096];

    assert(n > 0 && n <= sizeof difference / sizeof difference[0]);
    for (uint32_t i = 0; i < n; i++) {
        difference[i] = b[i] - a[i];
    }
    *ret = (struct rc_paired){.n = n, .mean_a = mean_of(a, n), .mean_b = mean_of(b, n), .p = 1.0};
    rc_mean_95(difference, n, &ret->mean, &ret->half);
    if (n >= 2) {
        double error = standard_error(difference, n, ret->mean);
        double size = ret->mean < 0 ? -ret->mean : ret->mean;
        ret->p = error > 0 ? rc_student_p(size / error, n - 1) : size > 0 ? sign_p(n) : 1.0;
    }
    ret->p_holm = ret->p;
}

/* Holm 1979: the k-th smallest of m is multiplied by m - k + 1, never below the one before.
 * Quadratic, and there are at most some hundreds. */
void
rc_paired_holm(struct rc_paired *rows, uint32_t count)
{
    uint32_t asked = 0;

    for (uint32_t i = 0; i < count; i++) {
        asked += rows[i].half >= 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        double worst = 0.0;
        for (uint32_t k = 0; k < count; k++) {
            if (rows[k].half < 0 || rows[k].p > rows[i].p) {
                continue;
            }
            uint32_t smaller = 0;
            for (uint32_t j = 0; j < count; j++) {
                smaller += rows[j].half >= 0 &&
                           (rows[j].p < rows[k].p || (j < k && rows[j].p <= rows[k].p));
            }
            double adjusted = rows[k].p * (double)(asked - smaller);
            worst = adjusted > worst ? adjusted : worst;
        }
        rows[i].p_holm = worst < 1.0 ? worst : 1.0;
        rows[i].differs =
            rows[i].n >= RC_PAIRED_SEEDS_MIN && rows[i].half >= 0 && rows[i].p_holm < LEVEL;
    }
}
