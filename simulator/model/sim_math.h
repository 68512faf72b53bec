/* sim_math.h - logarithm, exponential, root and what is built on them, from +, -, *, /
 * and the bits of a double alone.
 *
 * libm's functions differ in their last bits between releases and CPUs; these do not:
 * IEEE 754 fixes each step, and the build forbids contraction (-ffp-contract=off). So a
 * seed gives the same bytes on every compiler and optimisation level. Errors are a few
 * units in the last place (tests/unit/simulator/test_sim_dist.c compares with libm).
 *
 * Arguments outside of the domain are a bug of the caller: an assert. */
#ifndef RC_SIM_MATH_H
#define RC_SIM_MATH_H

double rc_sim_log(double x);           /* x > 0 and finite */
double rc_sim_exp(double x);           /* 0 below -745, the largest double above 709.78 */
double rc_sim_sqrt(double x);          /* x >= 0 and finite */
double rc_sim_pow(double x, double y); /* x > 0 */
double rc_sim_log_gamma(double x);     /* ln of the gamma function, x > 0 */

/* Standard normal: quantile of 0 < p < 1, and the chance of a value below z. */
double rc_sim_normal_quantile(double p);
double rc_sim_normal_cdf(double z);
/* Regularised lower incomplete gamma function P(a, x), a > 0, x >= 0: the distribution
 * function of gamma(a, 1); chi-square with k degrees is P(k / 2, x / 2). */
double rc_sim_gamma_cdf(double a, double x);

#endif
