/* prove_streams.c - tests of the random streams and of what is drawn from them.
 *
 * Each test is made with ROUNDS seeds; if all is right, its p-values are uniform, and that
 * is tested again (Kolmogorov and Smirnov). A single low p-value is no fault, too many or
 * too few of them are. A test holds when the second p-value is over LEVEL; with some thirty
 * tests, a sound generator fails this proof once in 300 choices of the seeds. */
#include <stdio.h>
#include <string.h>

#include "simulator/faults/fault_model.h"
#include "simulator/model/sim_dist.h"
#include "simulator/model/sim_math.h"
#include "simulator/prove/prove.h"
#include "simulator/prove/prove_test.h"

enum { ROUNDS = 200, DRAWS = 4000, WORDS = 16384, CELLS = 256 };

static const double level = 1e-4;
static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

/* ---- words ---- */

static double
flat(const uint64_t *count, uint32_t cells, uint64_t n)
{
    double expected[CELLS];

    for (uint32_t i = 0; i < cells; i++) {
        expected[i] = (double)n / cells;
    }
    return rc_test_chi_square(count, expected, cells);
}

static double
bits_at(uint64_t seed, unsigned shift)
{
    uint64_t count[CELLS] = {0};
    struct rc_sim_random r;

    rc_sim_random_seed(&r, seed, 7);
    for (uint32_t i = 0; i < WORDS; i++) {
        count[rc_sim_random_next(&r) >> shift & 0xff]++;
    }
    return flat(count, CELLS, WORDS);
}

static double
high_bits(uint64_t seed)
{
    return bits_at(seed, 56);
}

static double
low_bits(uint64_t seed)
{
    return bits_at(seed, 0);
}

/* Each word against the next one. */
static double
serial_pairs(uint64_t seed)
{
    uint64_t count[CELLS] = {0};
    struct rc_sim_random r;

    rc_sim_random_seed(&r, seed, 7);
    for (uint32_t i = 0; i < WORDS; i++) {
        uint64_t a = rc_sim_random_next(&r), b = rc_sim_random_next(&r);
        count[a >> 60 << 4 | b >> 60]++;
    }
    return flat(count, CELLS, WORDS);
}

static double
pairs_of(struct rc_sim_random *a, struct rc_sim_random *b)
{
    uint64_t count[CELLS] = {0};

    for (uint32_t i = 0; i < WORDS; i++) {
        count[rc_sim_random_next(a) >> 60 << 4 | rc_sim_random_next(b) >> 60]++;
    }
    return flat(count, CELLS, WORDS);
}

static double
neighbour_streams(uint64_t seed)
{
    struct rc_sim_random a, b;

    rc_sim_random_seed(&a, seed, 11);
    rc_sim_random_seed(&b, seed, 12);
    return pairs_of(&a, &b);
}

static double
neighbour_seeds(uint64_t seed)
{
    struct rc_sim_random a, b;

    rc_sim_random_seed(&a, seed, 11);
    rc_sim_random_seed(&b, seed + 1, 11);
    return pairs_of(&a, &b);
}

/* Lengths of runs above or below the middle: geometric with 1/2. */
static double
run_lengths(uint64_t seed)
{
    enum { LONGEST = 10 };
    uint64_t count[LONGEST] = {0}, runs = 0;
    double expected[LONGEST];
    struct rc_sim_random r;
    uint32_t len = 0; /* of this run so far, beyond its first word */

    rc_sim_random_seed(&r, seed, 7);
    uint64_t before = rc_sim_random_next(&r) >> 63;
    for (uint32_t i = 0; i < WORDS; i++) {
        uint64_t side = rc_sim_random_next(&r) >> 63;
        if (side == before) {
            len++;
            continue;
        }
        count[len < LONGEST ? len : LONGEST - 1]++;
        runs++;
        len = 0;
        before = side;
    }
    double left = (double)runs;
    for (uint32_t i = 0; i < LONGEST; i++) {
        expected[i] = i + 1 < LONGEST ? left / 2 : left;
        left /= 2;
    }
    return rc_test_chi_square(count, expected, LONGEST);
}

/* Every order of five numbers in a row is equally likely. */
static double
orders_of_five(uint64_t seed)
{
    uint64_t count[120] = {0};
    struct rc_sim_random r;

    rc_sim_random_seed(&r, seed, 7);
    for (uint32_t i = 0; i < WORDS; i++) {
        uint64_t v[5];
        uint32_t rank = 0;
        for (int k = 0; k < 5; k++) {
            v[k] = rc_sim_random_next(&r);
        }
        for (uint32_t k = 0; k < 5; k++) {
            uint32_t smaller = 0;
            for (uint32_t m = k + 1; m < 5; m++) {
                smaller += v[m] < v[k];
            }
            rank = rank * (5 - k) + smaller;
        }
        count[rank]++;
    }
    return flat(count, 120, WORDS);
}

static double
below_ten(uint64_t seed)
{
    uint64_t count[10] = {0};
    struct rc_sim_random r;

    rc_sim_random_seed(&r, seed, 7);
    for (uint32_t i = 0; i < WORDS; i++) {
        count[rc_sim_random_below(&r, 10)]++;
    }
    return flat(count, 10, WORDS);
}

/* ---- distributions: their own distribution function makes them uniform ---- */

static double
against(uint64_t seed, uint64_t stream, double (*draw)(struct rc_sim_random *),
        double (*function)(double))
{
    static double u[DRAWS];
    struct rc_sim_random r;

    rc_sim_random_seed(&r, seed, stream);
    for (uint32_t i = 0; i < DRAWS; i++) {
        u[i] = function(draw(&r));
    }
    return rc_test_uniform(u, DRAWS);
}

/* X(name, how it is drawn, its distribution function of x) */
/* clang-format off */
#define DISTRIBUTIONS(X) \
    X(uniform,          rc_dist_uniform(r),                    x) \
    X(exponential,      rc_dist_exponential(r, 5),             1 - rc_sim_exp(-x / 5)) \
    X(normal,           rc_dist_normal(r, 3, 2),               rc_sim_normal_cdf((x - 3) / 2)) \
    X(lognormal,        rc_dist_lognormal(r, 20.4, 1.94),      rc_sim_normal_cdf((rc_sim_log(x) - rc_sim_log(20.4)) / 1.94)) \
    X(weibull,          rc_dist_weibull(r, 3, 0.7),            1 - rc_sim_exp(-rc_sim_pow(x / 3, 0.7))) \
    X(pareto,           rc_dist_pareto(r, 2, 1.5),             1 - rc_sim_pow(2 / x, 1.5)) \
    X(hyperexponential, rc_dist_hyperexponential(r, 4, 1.76),  two_exponentials(x, 4, 1.76)) \
    X(hyper_rest,       rc_dist_hyperexponential_rest(r, 4, 1.76), rest_of_two(x, 4, 1.76)) \
    X(gamma_small,      rc_dist_gamma(r, 0.9, 2),              rc_sim_gamma_cdf(0.9, x / 2)) \
    X(gamma_large,      rc_dist_gamma(r, 7.5, 2),              rc_sim_gamma_cdf(7.5, x / 2))
/* clang-format on */

static double
often_of(double variation)
{
    double square = variation * variation;

    return 0.5 * (1 + rc_sim_sqrt((square - 1) / (square + 1)));
}

static double
two_exponentials(double x, double mean, double variation)
{
    double often = often_of(variation);

    return 1 - often * rc_sim_exp(-2 * often * x / mean) -
           (1 - often) * rc_sim_exp(-2 * (1 - often) * x / mean);
}

static double
rest_of_two(double x, double mean, double variation)
{
    double often = often_of(variation);

    return 1 - 0.5 * rc_sim_exp(-2 * often * x / mean) -
           0.5 * rc_sim_exp(-2 * (1 - often) * x / mean);
}

/* Each has a stream of its own: most of them are functions of the same uniform numbers. */
enum {
    STREAMS_BEFORE = 500,
#define DISTRIBUTION_STREAM(name, draw, function) STREAM_##name,
    DISTRIBUTIONS(DISTRIBUTION_STREAM)
#undef DISTRIBUTION_STREAM
};

#define DISTRIBUTION(name, draw, function)                                                         \
    static double draw_##name(struct rc_sim_random *r)                                             \
    {                                                                                              \
        return draw;                                                                               \
    }                                                                                              \
    static double function_##name(double x)                                                        \
    {                                                                                              \
        return function;                                                                           \
    }                                                                                              \
    static double test_##name(uint64_t seed)                                                       \
    {                                                                                              \
        return against(seed, STREAM_##name, draw_##name, function_##name);                         \
    }
DISTRIBUTIONS(DISTRIBUTION)
#undef DISTRIBUTION

static double
poisson_of(uint64_t seed, double mean, uint32_t first, uint32_t cells)
{
    uint64_t count[CELLS] = {0};
    double expected[CELLS], chance = rc_sim_exp(-mean), left = DRAWS;
    struct rc_sim_random r;

    rc_sim_random_seed(&r, seed, 13);
    for (uint32_t i = 0; i < DRAWS; i++) {
        uint64_t n = rc_dist_poisson(&r, mean);
        n = n < first ? 0 : n - first;
        count[n < cells ? n : cells - 1]++;
    }
    memset(expected, 0, sizeof expected);
    for (uint32_t n = 0; n < first + cells - 1; n++) { /* the ends take the tails */
        expected[n < first ? 0 : n - first] += chance * DRAWS;
        left -= chance * DRAWS;
        chance *= mean / (n + 1);
    }
    expected[cells - 1] = left;
    return rc_test_chi_square(count, expected, cells);
}

static double
poisson_few(uint64_t seed)
{
    return poisson_of(seed, 2.5, 0, 9);
}

static double
poisson_many(uint64_t seed)
{
    return poisson_of(seed, 50, 34, 34);
}

/* ---- fault models ---- */

static bool
drawn(uint64_t seed, const char *text, struct rc_fault_schedule *ret)
{
    struct rc_fault_model m;

    return rc_fault_model_parse(text, &m, NULL) == RC_OK &&
           rc_fault_draw(&m, seed, 64, 800 * day_ms, ret, NULL) == RC_OK;
}

/* Times between faults of the fleet: 64 nodes, 10 per 1,000 node-days, so 37.5 h. */
static double
gaps_of(uint64_t seed, const char *text, double variation)
{
    static double u[4096];
    struct rc_fault_schedule s;
    const double mean_ms = 1000.0 / 10 / 64 * 24 * 3600 * 1000;

    if (!drawn(seed, text, &s)) {
        return 0;
    }
    uint32_t n = s.count - 1 < 4096 ? s.count - 1 : 4096;
    for (uint32_t i = 0; i < n; i++) {
        double gap = (double)(s.row[i + 1].at_ms - s.row[i].at_ms);
        u[i] = two_exponentials(gap, mean_ms, variation);
    }
    rc_fault_schedule_free(&s);
    return rc_test_uniform(u, n);
}

static double
gaps_exponential(uint64_t seed)
{
    return gaps_of(seed, "exponential,rate=10", 1);
}

static double
gaps_bursty(uint64_t seed)
{
    return gaps_of(seed, "bursty,rate=10,variation=2", 2);
}

static double
faults_by_node(uint64_t seed)
{
    uint64_t count[64] = {0};
    struct rc_fault_schedule s;

    if (!drawn(seed, "exponential,rate=10", &s)) {
        return 0;
    }
    uint32_t n = s.count;
    for (uint32_t i = 0; i < n; i++) {
        count[s.row[i].node]++;
    }
    rc_fault_schedule_free(&s);
    return flat(count, 64, n);
}

static double
faults_by_part(uint64_t seed)
{
    static const double weight[] = {
#define PART_WEIGHT(part, name, weight) weight,
        RC_PARTS(PART_WEIGHT)
#undef PART_WEIGHT
    };
    uint64_t count[RC_PART__MAX] = {0};
    double expected[RC_PART__MAX], sum = 0;
    struct rc_fault_schedule s;
    uint32_t cells = 0;

    if (!drawn(seed, "exponential,rate=10", &s)) {
        return 0;
    }
    for (uint32_t i = 0; i < RC_PART__MAX; i++) {
        sum += weight[i];
    }
    for (uint32_t i = 0; i < s.count; i++) {
        count[s.row[i].part]++;
    }
    for (uint32_t i = 0; i < RC_PART__MAX; i++) {
        if (weight[i] > 0) { /* closes up over parts that are never drawn */
            expected[cells] = weight[i] / sum * s.count;
            count[cells++] = count[i];
        }
    }
    rc_fault_schedule_free(&s);
    return rc_test_chi_square(count, expected, cells);
}

static double
durations(uint64_t seed)
{
    static double u[4096];
    struct rc_fault_schedule s;

    if (!drawn(seed, "exponential,rate=10,repair-hours=20,repair-sigma=1.5", &s)) {
        return 0;
    }
    uint32_t n = s.count < 4096 ? s.count : 4096;
    for (uint32_t i = 0; i < n; i++) {
        double hours = (double)s.row[i].last_ms / 3600000;
        u[i] = rc_sim_normal_cdf((rc_sim_log(hours) - rc_sim_log(20)) / 1.5);
    }
    rc_fault_schedule_free(&s);
    return rc_test_uniform(u, n);
}

/* ---- all of them ---- */

static const struct {
    const char *name;
    double (*p_value)(uint64_t seed);
} tests[] = {
    {"words: the eight highest bits are flat (chi-square, 255 degrees)", high_bits},
    {"words: the eight lowest bits are flat", low_bits},
    {"words: a word says nothing of the next (pairs, 255 degrees)", serial_pairs},
    {"words: runs above and below the middle (chi-square, 9 degrees)", run_lengths},
    {"words: every order of five is as likely (119 degrees)", orders_of_five},
    {"words: below 10 is flat (9 degrees)", below_ten},
    {"streams: neighbouring streams are independent (pairs)", neighbour_streams},
    {"streams: neighbouring seeds are independent (pairs)", neighbour_seeds},
#define DISTRIBUTION_ROW(name, draw, function) {"distribution: " #name " (KS)", test_##name},
    DISTRIBUTIONS(DISTRIBUTION_ROW)
#undef DISTRIBUTION_ROW
        {"distribution: Poisson with mean 2.5 (chi-square, 8 degrees)", poisson_few},
    {"distribution: Poisson with mean 50 (chi-square, 33 degrees)", poisson_many},
    {"faults: exponential gaps of the fleet (KS)", gaps_exponential},
    {"faults: bursty gaps of the fleet (KS)", gaps_bursty},
    {"faults: nodes are hit alike (chi-square, 63 degrees)", faults_by_node},
    {"faults: parts come in their shares (chi-square, 5 degrees)", faults_by_part},
    {"faults: durations are lognormal (KS)", durations},
};

int
rc_prove_streams(void)
{
    int status = RC_PROVE_HOLDS;
    double p[ROUNDS];

    printf("  %d seeds a test; p: are its p-values uniform? It holds over %g\n", ROUNDS, level);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        double least = 1;
        for (uint32_t k = 0; k < ROUNDS; k++) {
            p[k] = tests[i].p_value(k + 1);
            least = p[k] < least ? p[k] : least;
        }
        double of_all = rc_test_uniform(p, ROUNDS);
        if (!rc_prove_say(of_all > level, "%-66s p %.3f, least %.5f", tests[i].name, of_all,
                          least)) {
            status = RC_PROVE_FAILS;
        }
    }
    return status;
}
