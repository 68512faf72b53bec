/* sim_math.c - see sim_math.h.
 *
 * Invariant: no call leaves this file; every constant is a decimal literal, which a
 * compiler must round correctly. */
#include "simulator/model/sim_math.h"

#include <assert.h>
#include <float.h>
#include <stdint.h>
#include <string.h>

#if FLT_EVAL_METHOD != 0
#    error "doubles must be computed as doubles: build for SSE2 or AArch64, not for x87"
#endif

enum { EXPONENT_BIAS = 1023, EXPONENT_SHIFT = 52 };

static const double ln2_high = 6.93147180369123816490e-01; /* its low 32 bits are zero */
static const double ln2_low = 1.90821492927058770002e-10;

static uint64_t
bits_of(double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double
double_of(uint64_t bits)
{
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* 2^n for -1022 <= n <= 1023 */
static double
two_to_the(int n)
{
    return double_of((uint64_t)(n + EXPONENT_BIAS) << EXPONENT_SHIFT);
}

/* x = ret * 2^*ret_exponent with ret in [1, 2) */
static double
split(double x, int *ret_exponent)
{
    int extra = 0;

    if (x < DBL_MIN) { /* subnormal */
        x *= 18014398509481984.0;
        extra = 54;
    }
    uint64_t bits = bits_of(x);
    *ret_exponent = (int)(bits >> EXPONENT_SHIFT) - EXPONENT_BIAS - extra;
    bits &= (UINT64_C(1) << EXPONENT_SHIFT) - 1;
    return double_of(bits | (uint64_t)EXPONENT_BIAS << EXPONENT_SHIFT);
}

static const double odd_inverse[] = {1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13,
                                     1.0 / 11, 1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3};

/* ln m = 2 (s + s^3/3 + s^5/5 + …) with s = (m - 1) / (m + 1) and m within sqrt(2) of 1,
 * so s^2 < 0.0295: the first term left out is under 2^-56 of the first. */
double
rc_sim_log(double x)
{
    int exponent;

    assert(x > 0 && x <= DBL_MAX);
    double m = split(x, &exponent);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        exponent++;
    }
    double f = m - 1;
    double s = f / (m + 1);
    double z = s * s;
    double tail = 0;
    for (int i = 0; i < 10; i++) {
        tail = (tail + odd_inverse[i]) * z;
    }
    /* 2 s = f - s f: f is exact, and only the small rest is rounded. */
    double rest = s * (f - 2 * tail);
    return exponent * ln2_high - ((rest - exponent * ln2_low) - f);
}

/* From 1/14! to 1/2!: each quotient is of two exact numbers. */
static const double inverse_factorial[] = {
    1.0 / 87178291200.0, 1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0,
    1.0 / 362880.0,      1.0 / 40320.0,      1.0 / 5040.0,      1.0 / 720.0,      1.0 / 120.0,
    1.0 / 24.0,          1.0 / 6.0,          1.0 / 2.0};

/* e^x = 2^k e^r with |r| <= ln 2 / 2: the series to its fourteenth power. */
double
rc_sim_exp(double x)
{
    if (x > 709.782712893384) {
        return DBL_MAX;
    }
    if (!(x > -745.0)) {
        return 0;
    }
    double scaled = x * 1.4426950408889634;
    int k = (int)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    double r = (x - k * ln2_high) - k * ln2_low;
    double sum = inverse_factorial[0];
    for (int i = 1; i < 13; i++) {
        sum = sum * r + inverse_factorial[i];
    }
    sum = 1 + (r + r * r * sum);
    if (k > EXPONENT_BIAS) {
        return sum * two_to_the(EXPONENT_BIAS) * 2;
    }
    if (k < -1000) {
        return sum * two_to_the(k + 100) * two_to_the(-100);
    }
    return sum * two_to_the(k);
}

/* Newton's iteration from a guess within 6 %; it doubles the digits each time. */
double
rc_sim_sqrt(double x)
{
    int exponent;

    assert(x >= 0 && x <= DBL_MAX);
    if (x == 0) {
        return 0;
    }
    double m = split(x, &exponent);
    if (exponent & 1) {
        m *= 2;
        exponent--;
    }
    double root = 0.5 + 0.45 * m; /* m in [1, 4) */
    for (int i = 0; i < 6; i++) {
        root = 0.5 * (root + m / root);
    }
    int half = exponent / 2;
    return root * two_to_the(half);
}

double
rc_sim_pow(double x, double y)
{
    return rc_sim_exp(y * rc_sim_log(x));
}

/* Stirling's series from 10 up; below, Γ(x + 1) = x Γ(x). */
double
rc_sim_log_gamma(double x)
{
    double product = 1;

    assert(x > 0 && x <= DBL_MAX);
    while (x < 10) {
        product *= x;
        x += 1;
    }
    double z = 1 / (x * x);
    double tail = (1.0 / 12 -
                   z * (1.0 / 360 - z * (1.0 / 1260 -
                                         z * (1.0 / 1680 - z * (1.0 / 1188 - z * 691 / 360360))))) /
                  x;
    return (x - 0.5) * rc_sim_log(x) - x + 0.91893853320467274178 + tail - rc_sim_log(product);
}

/* The series below a + 1, the continued fraction (modified Lentz) above. */
static double
gamma_series(double a, double x)
{
    double term = 1 / a;
    double sum = term;

    for (int n = 1; n < 10000 && term > sum * 1e-17; n++) {
        term *= x / (a + n);
        sum += term;
    }
    return sum * rc_sim_exp(a * rc_sim_log(x) - x - rc_sim_log_gamma(a));
}

static double
gamma_fraction(double a, double x)
{
    const double tiny = 1e-300;
    double b = x + 1 - a;
    double c = 1 / tiny;
    double d = 1 / b;
    double h = d;

    for (int n = 1; n < 10000; n++) {
        double an = -n * (n - a);
        b += 2;
        d = an * d + b;
        d = 1 / (d > -tiny && d < tiny ? tiny : d);
        c = b + an / c;
        c = c > -tiny && c < tiny ? tiny : c;
        double step = d * c;
        h *= step;
        if (step > 1 - 1e-15 && step < 1 + 1e-15) {
            break;
        }
    }
    return h * rc_sim_exp(a * rc_sim_log(x) - x - rc_sim_log_gamma(a));
}

double
rc_sim_gamma_cdf(double a, double x)
{
    assert(a > 0 && x >= 0);
    if (x == 0) {
        return 0;
    }
    return x < a + 1 ? gamma_series(a, x) : 1 - gamma_fraction(a, x);
}

/* Φ(z): z²/2 is gamma(1/2) distributed. The far left is taken from the fraction itself,
 * so that a small chance keeps its digits. */
double
rc_sim_normal_cdf(double z)
{
    double half = 0.5 * z * z;

    if (z == 0) {
        return 0.5;
    }
    if (half < 1.5) {
        double inner = 0.5 * gamma_series(0.5, half);
        return z < 0 ? 0.5 - inner : 0.5 + inner;
    }
    double outer = half > 700 ? 0 : 0.5 * gamma_fraction(0.5, half);
    return z < 0 ? outer : 1 - outer;
}

/* Horner's scheme, highest power first. */
static double
polynomial(const double c[8], double x)
{
    double sum = c[0];

    for (int i = 1; i < 8; i++) {
        sum = sum * x + c[i];
    }
    return sum;
}

/* Wichura's rational approximations (Applied Statistics 37, 1988, algorithm AS 241),
 * good to about 1e-16: around the middle, in the tails, and far out. */
static const double middle_top[8] = {2.5090809287301226727e+3, 3.3430575583588128105e+4,
                                     6.7265770927008700853e+4, 4.5921953931549871457e+4,
                                     1.3731693765509461125e+4, 1.9715909503065514427e+3,
                                     1.3314166789178437745e+2, 3.3871328727963666080e+0};
static const double middle_low[8] = {5.2264952788528545610e+3, 2.8729085735721942674e+4,
                                     3.9307895800092710610e+4, 2.1213794301586595867e+4,
                                     5.3941960214247511077e+3, 6.8718700749205790830e+2,
                                     4.2313330701600911252e+1, 1.0};
static const double tail_top[8] = {7.74545014278341407640e-4, 2.27238449892691845833e-2,
                                   2.41780725177450611770e-1, 1.27045825245236838258e+0,
                                   3.64784832476320460504e+0, 5.76949722146069140550e+0,
                                   4.63033784615654529590e+0, 1.42343711074968357734e+0};
static const double tail_low[8] = {1.05075007164441684324e-9, 5.47593808499534494600e-4,
                                   1.51986665636164571966e-2, 1.48103976427480074590e-1,
                                   6.89767334985100004550e-1, 1.67638483018380384940e+0,
                                   2.05319162663775882187e+0, 1.0};
static const double far_top[8] = {2.01033439929228813265e-7, 2.71155556874348757815e-5,
                                  1.24266094738807843860e-3, 2.65321895265761230930e-2,
                                  2.96560571828504891230e-1, 1.78482653991729133580e+0,
                                  5.46378491116411436990e+0, 6.65790464350110377720e+0};
static const double far_low[8] = {2.04426310338993978564e-15, 1.42151175831644588870e-7,
                                  1.84631831751005468180e-5,  7.86869131145613259100e-4,
                                  1.48753612908506148525e-2,  1.36929880922735805310e-1,
                                  5.99832206555887937690e-1,  1.0};

double
rc_sim_normal_quantile(double p)
{
    assert(p > 0 && p < 1);
    double q = p - 0.5;
    if (q >= -0.425 && q <= 0.425) {
        double square = 0.180625 - q * q;
        return q * polynomial(middle_top, square) / polynomial(middle_low, square);
    }
    double r = rc_sim_sqrt(-rc_sim_log(q < 0 ? p : 1 - p));
    double z = r <= 5 ? polynomial(tail_top, r - 1.6) / polynomial(tail_low, r - 1.6)
                      : polynomial(far_top, r - 5) / polynomial(far_low, r - 5);
    return q < 0 ? -z : z;
}
