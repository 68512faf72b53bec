/* sim_random.h - the only source of chance in the models.
 *
 * SplitMix64 (Steele, Lea, Flood 2014): one word of state, integer arithmetic
 * only, so that a seed gives the same draws on every CPU and compiler. Each
 * model owns its own stream: a draw in one never shifts those of another. */
#ifndef RC_SIM_RANDOM_H
#define RC_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct rc_sim_random {
    uint64_t state;
};

/* The same (seed, stream) gives the same draws for ever. */
void rc_sim_random_seed(struct rc_sim_random *r, uint64_t seed, uint64_t stream);
uint64_t rc_sim_random_next(struct rc_sim_random *r);
/* Uniform in 0..n-1 without modulo bias; n > 0. */
uint64_t rc_sim_random_below(struct rc_sim_random *r, uint64_t n);
/* True in permille of 1000 cases; draws nothing for 0 and 1000. */
bool rc_sim_random_chance(struct rc_sim_random *r, uint32_t permille);
/* base plus up to permille/1000 of it. */
int64_t rc_sim_random_jitter(struct rc_sim_random *r, int64_t base, uint32_t permille);
/* A random (version 4) UUID as text. */
void rc_sim_random_uuid(struct rc_sim_random *r, char out[37]);

#endif
