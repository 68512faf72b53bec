/* Logarithms, roots and distributions made of plain arithmetic. */
#include "tests/harness/harness.h"

#include <float.h>
#include <math.h>
#include <stdint.h>

#include "simulator/model/sim_dist.h"
#include "simulator/model/sim_hash.h"
#include "simulator/model/sim_math.h"

enum { DRAWS = 100000 };

static double
units_off(double got, double want)
{
    return fabs(got - want) / (nextafter(fabs(want), DBL_MAX) - fabs(want));
}

static void
math__log_exp_and_root__are_those_of_libm(void)
{
    struct rc_sim_random r;
    double worst = 0;

    rc_sim_random_seed(&r, 1, 1);
    for (int i = 0; i < DRAWS; i++) {
        double u = rc_dist_uniform(&r);
        double x = i % 2 ? u * 3 : pow(10, (u - 0.5) * 600);
        worst = fmax(worst, units_off(rc_sim_log(x), log(x)));
        worst = fmax(worst, units_off(rc_sim_sqrt(x), sqrt(x)));
        worst = fmax(worst, units_off(rc_sim_exp((u - 0.5) * 1400), exp((u - 0.5) * 1400)));
    }
    CU_ASSERT(worst <= 2);
    CU_ASSERT_EQUAL(rc_sim_log(1), 0);
    CU_ASSERT_EQUAL(rc_sim_exp(0), 1);
    CU_ASSERT_EQUAL(rc_sim_exp(-1000), 0);
    CU_ASSERT_EQUAL(rc_sim_sqrt(0), 0);
    CU_ASSERT_EQUAL(rc_sim_sqrt(1e-320), sqrt(1e-320));
}

static void
math__gamma_and_normal__are_those_of_libm(void)
{
    for (int i = 0; i < 160; i++) {
        double x = 0.01 + i * 0.37;
        CU_ASSERT_DOUBLE_EQUAL(rc_sim_log_gamma(x), lgamma(x), 1e-13 * (1 + fabs(lgamma(x))));
    }
    for (int i = -128; i < 128; i++) {
        double z = i * 0.0625;
        double want = 0.5 * erfc(-z / sqrt(2));
        CU_ASSERT_DOUBLE_EQUAL(rc_sim_normal_cdf(z) / want, 1, 1e-12);
        if (z < 6) {
            CU_ASSERT_DOUBLE_EQUAL(rc_sim_normal_quantile(want), z, 1e-7);
        }
    }
    /* chi-square with two degrees is exponential */
    CU_ASSERT_DOUBLE_EQUAL(rc_sim_gamma_cdf(1, 1), 1 - exp(-1), 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(rc_sim_gamma_cdf(1, 10), 1 - exp(-10), 1e-15);
    CU_ASSERT_EQUAL(rc_sim_gamma_cdf(3, 0), 0);
}

struct moments {
    double mean, variation; /* deviation / mean */
};

static struct moments
moments_of(double (*draw)(struct rc_sim_random *))
{
    struct rc_sim_random r;
    double sum = 0, squares = 0;

    rc_sim_random_seed(&r, 7, 3);
    for (int i = 0; i < DRAWS; i++) {
        double x = draw(&r);
        sum += x;
        squares += x * x;
    }
    double mean = sum / DRAWS;
    return (struct moments){mean, sqrt(squares / DRAWS - mean * mean) / mean};
}

static double
draw_exponential(struct rc_sim_random *r)
{
    return rc_dist_exponential(r, 5);
}

static double
draw_lognormal(struct rc_sim_random *r)
{
    return rc_dist_lognormal(r, 2, 0.5);
}

static double
draw_weibull(struct rc_sim_random *r)
{
    return rc_dist_weibull(r, 3, 2);
}

static double
draw_pareto(struct rc_sim_random *r)
{
    return rc_dist_pareto(r, 1, 5);
}

static double
draw_bursty(struct rc_sim_random *r)
{
    return rc_dist_hyperexponential(r, 4, 1.7);
}

static double
draw_small_gamma(struct rc_sim_random *r)
{
    return rc_dist_gamma(r, 0.5, 4);
}

static double
draw_poisson(struct rc_sim_random *r)
{
    return (double)rc_dist_poisson(r, 40);
}

static void
distributions__have_their_mean_and_variation(void)
{
    static const struct {
        double (*draw)(struct rc_sim_random *);
        double mean, variation;
    } known[] = {
        {draw_exponential, 5, 1},
        {draw_lognormal, 2.26629690613, 0.53294040},
        {draw_weibull, 2.65868077635, 0.52272320},
        {draw_pareto, 1.25, 0.25819888975},
        {draw_bursty, 4, 1.7},
        {draw_small_gamma, 2, 1.41421356237},
        {draw_poisson, 40, 0.15811388301},
    };

    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct moments m = moments_of(known[i].draw);
        CU_ASSERT_DOUBLE_EQUAL(m.mean / known[i].mean, 1, 0.02);
        CU_ASSERT_DOUBLE_EQUAL(m.variation / known[i].variation, 1, 0.03);
    }
}

static void
distributions__extreme_words__stay_finite(void)
{
    /* the states from which SplitMix64 gives its smallest and largest words */
    for (uint64_t start = 0; start < 2000; start++) {
        struct rc_sim_random r = {start * UINT64_C(0xffffffffffffff1b)};
        double u = rc_dist_uniform(&r);
        CU_ASSERT(u > 0 && u < 1);
    }
    CU_ASSERT(isfinite(rc_sim_normal_quantile(0x1p-53)));
    CU_ASSERT(isfinite(rc_sim_normal_quantile(1 - 0x1p-53)));
    CU_ASSERT_DOUBLE_EQUAL(rc_sim_normal_quantile(0x1p-53), -8.2095361516013874, 1e-12);
}

/* The bits themselves: they must be those of every other compiler and level. */
static void
distributions__have_the_bits_that_were_recorded(void)
{
    struct rc_sim_random r;
    uint64_t hash = RC_SIM_HASH_SEED;

    rc_sim_random_seed(&r, 42, 9);
    for (int i = 0; i < 2000; i++) {
        union {
            double x[8];
            uint64_t bits[8];
        } all = {{rc_dist_exponential(&r, 3), rc_dist_normal(&r, 1, 2),
                  rc_dist_lognormal(&r, 20.4, 1.94), rc_dist_weibull(&r, 2, 0.7),
                  rc_dist_pareto(&r, 1, 1.5), rc_dist_hyperexponential(&r, 1, 1.7),
                  rc_dist_gamma(&r, 0.9, 1.1), (double)rc_dist_poisson(&r, 33)}};
        for (int k = 0; k < 8; k++) {
            hash = rc_sim_hash_u64(hash, all.bits[k]);
        }
    }
    printf("# bits of the distributions: %016llx\n", (unsigned long long)hash);
    CU_ASSERT_EQUAL(hash, UINT64_C(0x1193b12ffac4fc8a));
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"logarithm, exponential and root are those of libm within two units",
         math__log_exp_and_root__are_those_of_libm},
        {"gamma and normal functions are those of libm", math__gamma_and_normal__are_those_of_libm},
        {"each distribution has its mean and its variation",
         distributions__have_their_mean_and_variation},
        {"the most extreme words give finite draws", distributions__extreme_words__stay_finite},
        {"the draws have the bits that were recorded",
         distributions__have_the_bits_that_were_recorded},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("sim_dist", tests);
}
