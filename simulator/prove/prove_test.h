/* prove_test.h - statistical tests: how likely is such a sample if all is right?
 *
 * Each gives a p-value, made of sim_math.h alone, so that its bits are the same
 * everywhere. */
#ifndef RC_PROVE_TEST_H
#define RC_PROVE_TEST_H

#include <stdint.h>

/* Pearson's chi-square of counts against expected ones, with cells - 1 degrees. */
double rc_test_chi_square(const uint64_t *count, const double *expected, uint32_t cells);
/* Kolmogorov and Smirnov: values of a distribution function against the uniform on 0..1;
 * sorts them. Asymptotic, with Stephens' correction for small n. */
double rc_test_uniform(double *u, uint32_t n);
/* The same for two samples, without a distribution function; sorts both. */
double rc_test_same(double *a, uint32_t n, double *b, uint32_t m);

#endif
