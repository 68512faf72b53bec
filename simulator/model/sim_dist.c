/* sim_dist.c - see sim_dist.h. */
#include "simulator/model/sim_dist.h"

#include <assert.h>
#include <float.h>

#include "simulator/model/sim_math.h"

static bool
is_positive(double x)
{
    return x > 0 && x <= DBL_MAX;
}

double
rc_dist_uniform(struct rc_sim_random *r)
{
    return ((double)(rc_sim_random_next(r) >> 12) + 0.5) * 0x1p-52;
}

double
rc_dist_exponential(struct rc_sim_random *r, double mean)
{
    assert(is_positive(mean));
    return -mean * rc_sim_log(rc_dist_uniform(r));
}

double
rc_dist_normal(struct rc_sim_random *r, double mean, double deviation)
{
    assert(deviation >= 0 && deviation <= DBL_MAX);
    return mean + deviation * rc_sim_normal_quantile(rc_dist_uniform(r));
}

double
rc_dist_lognormal(struct rc_sim_random *r, double median, double sigma)
{
    assert(is_positive(median));
    return median * rc_sim_exp(rc_dist_normal(r, 0, sigma));
}

double
rc_dist_weibull(struct rc_sim_random *r, double scale, double shape)
{
    assert(is_positive(scale) && is_positive(shape));
    return scale * rc_sim_pow(-rc_sim_log(rc_dist_uniform(r)), 1 / shape);
}

double
rc_dist_pareto(struct rc_sim_random *r, double minimum, double alpha)
{
    assert(is_positive(minimum) && is_positive(alpha));
    return minimum * rc_sim_pow(rc_dist_uniform(r), -1 / alpha);
}

/* Of two exponentials with the same share of the mean: chance of the shorter one. */
static double
often_chance(double variation)
{
    assert(variation >= 1 && variation <= 1e6);
    double square = variation * variation;

    return 0.5 * (1 + rc_sim_sqrt((square - 1) / (square + 1)));
}

/* One word for both choices: given its branch, a uniform number is uniform within it. */
static double
of_two(double u, double chance, double often, double mean)
{
    return u < chance ? -mean / (2 * often) * rc_sim_log(u / chance)
                      : -mean / (2 * (1 - often)) * rc_sim_log((1 - u) / (1 - chance));
}

double
rc_dist_hyperexponential(struct rc_sim_random *r, double mean, double variation)
{
    double often = often_chance(variation);

    assert(is_positive(mean));
    return of_two(rc_dist_uniform(r), often, often, mean);
}

double
rc_dist_hyperexponential_rest(struct rc_sim_random *r, double mean, double variation)
{
    assert(is_positive(mean));
    return of_two(rc_dist_uniform(r), 0.5, often_chance(variation), mean);
}

/* Marsaglia and Tsang (2000) from shape 1 up; below, one power of a uniform more. */
double
rc_dist_gamma(struct rc_sim_random *r, double shape, double scale)
{
    assert(is_positive(shape) && is_positive(scale));
    if (shape < 1) {
        double u = rc_dist_uniform(r);
        return rc_dist_gamma(r, shape + 1, scale) * rc_sim_pow(u, 1 / shape);
    }
    double d = shape - 1.0 / 3;
    double c = 1 / rc_sim_sqrt(9 * d);
    for (;;) {
        double z = rc_dist_normal(r, 0, 1);
        double u = rc_dist_uniform(r);
        double v = 1 + c * z;
        if (v <= 0) {
            continue;
        }
        v = v * v * v;
        if (rc_sim_log(u) < 0.5 * z * z + d * (1 - v + rc_sim_log(v))) {
            return d * v * scale;
        }
    }
}

/* Poisson of a sum is the sum of Poissons: pieces of at most 16, each by inversion. */
uint64_t
rc_dist_poisson(struct rc_sim_random *r, double mean)
{
    const double piece_max = 16;
    uint64_t sum = 0;

    assert(mean >= 0 && mean <= 1e9);
    while (mean > 0) {
        double piece = mean < piece_max ? mean : piece_max;
        double u = rc_dist_uniform(r);
        double chance = rc_sim_exp(-piece);
        double below = chance;
        uint64_t n = 0;
        while (u > below && n < 1000) { /* 1000: beyond what 53 bits can draw */
            n++;
            chance *= piece / (double)n;
            below += chance;
        }
        sum += n;
        mean -= piece;
    }
    return sum;
}
