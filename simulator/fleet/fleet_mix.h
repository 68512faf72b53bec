/* fleet_mix.h - the mix of jobs as a table; see fleet_mix.c. */
#ifndef RC_FLEET_MIX_H
#define RC_FLEET_MIX_H

#include "simulator/fleet/fleet.h"

enum { RC_MIX_ROWS = 10 };

struct rc_mix_row {
    uint32_t nodes;
    uint32_t jobs;         /* hundred-thousandths of the jobs */
    uint32_t gpu_permille; /* of the GPU time */
};

const struct rc_mix_row *rc_mix_rows(void); /* RC_MIX_ROWS */
uint32_t rc_mix_jobs_per_day(const struct rc_fleet_config *c);
double rc_mix_mean_ms(const struct rc_fleet_config *c, uint32_t row);

#endif
