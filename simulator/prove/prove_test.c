/* prove_test.c - see prove_test.h. */
#include "simulator/prove/prove_test.h"

#include <stdlib.h>

#include "simulator/model/sim_math.h"

double
rc_test_chi_square(const uint64_t *count, const double *expected, uint32_t cells)
{
    double sum = 0;

    for (uint32_t i = 0; i < cells; i++) {
        double off = (double)count[i] - expected[i];
        sum += off * off / expected[i];
    }
    return 1 - rc_sim_gamma_cdf(0.5 * (cells - 1), 0.5 * sum);
}

static int
smaller_first(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* P(D > d) for an effective sample size. */
static double
kolmogorov(double d, double n)
{
    double root = rc_sim_sqrt(n);
    double lambda = (root + 0.12 + 0.11 / root) * d;
    double sum = 0, sign = 2;

    if (lambda < 0.2) { /* there the series does not converge, and the answer is 1 */
        return 1;
    }
    for (int k = 1; k <= 100; k++) {
        double term = rc_sim_exp(-2 * lambda * lambda * k * k);
        sum += sign * term;
        sign = -sign;
        if (term < 1e-18) {
            break;
        }
    }
    return sum < 0 ? 0 : sum > 1 ? 1 : sum;
}

double
rc_test_uniform(double *u, uint32_t n)
{
    double worst = 0;

    qsort(u, n, sizeof *u, smaller_first);
    for (uint32_t i = 0; i < n; i++) {
        double above = (double)(i + 1) / n - u[i], below = u[i] - (double)i / n;
        worst = above > worst ? above : worst;
        worst = below > worst ? below : worst;
    }
    return kolmogorov(worst, n);
}

double
rc_test_same(double *a, uint32_t n, double *b, uint32_t m)
{
    uint32_t i = 0, k = 0;
    double worst = 0;

    qsort(a, n, sizeof *a, smaller_first);
    qsort(b, m, sizeof *b, smaller_first);
    while (i < n && k < m) {
        double at = a[i] < b[k] ? a[i] : b[k];
        while (i < n && a[i] <= at) {
            i++;
        }
        while (k < m && b[k] <= at) {
            k++;
        }
        double off = (double)i / n - (double)k / m;
        off = off < 0 ? -off : off;
        worst = off > worst ? off : worst;
    }
    return kolmogorov(worst, (double)n * m / ((double)n + m));
}
