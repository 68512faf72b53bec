/* sim_dist.h - what is drawn at random and is not uniform.
 *
 * Every draw is a function of sim_random's words and of sim_math alone: the same bits on
 * every compiler, optimisation level and CPU. All but gamma and Poisson invert the
 * distribution function and take exactly one word, so two runs with other parameters stay
 * in step (common random numbers). Parameters must be finite and positive where not said
 * otherwise; anything else is a bug of the caller (assert). */
#ifndef RC_SIM_DIST_H
#define RC_SIM_DIST_H

#include <stdint.h>

#include "simulator/model/sim_random.h"

/* A multiple of 2^-53 strictly between 0 and 1. */
double rc_dist_uniform(struct rc_sim_random *r);
double rc_dist_exponential(struct rc_sim_random *r, double mean);
double rc_dist_normal(struct rc_sim_random *r, double mean, double deviation); /* >= 0 */
/* median * e^(sigma Z); its mean is median * e^(sigma² / 2). sigma >= 0 */
double rc_dist_lognormal(struct rc_sim_random *r, double median, double sigma);
double rc_dist_weibull(struct rc_sim_random *r, double scale, double shape);
/* At least minimum; P(X > x) = (minimum / x)^alpha */
double rc_dist_pareto(struct rc_sim_random *r, double minimum, double alpha);
/* Two exponentials in balance: the given mean and coefficient of variation (>= 1). */
double rc_dist_hyperexponential(struct rc_sim_random *r, double mean, double variation);
/* Its rest: from a moment that nothing chose to the next arrival. */
double rc_dist_hyperexponential_rest(struct rc_sim_random *r, double mean, double variation);
/* Mean shape * scale. A varying number of words. */
double rc_dist_gamma(struct rc_sim_random *r, double shape, double scale);
/* Time grows with the mean; mean 0 gives 0. A varying number of words. */
uint64_t rc_dist_poisson(struct rc_sim_random *r, double mean);

#endif
