/* clock_skew.h - how far a clock is off another one that shows whole seconds. */
#ifndef RC_CLOCK_SKEW_H
#define RC_CLOCK_SKEW_H

#include <stdint.h>

/* The other clock showed server_s at a moment between before_us and after_us of the own one (Unix
 * time). Ms by which the own clock is ahead of it at least, below 0: behind; 0: they may
 * agree. Hostile numbers give some number. */
int64_t rc_clock_skew_ms(int64_t server_s, int64_t before_us, int64_t after_us);

#endif
