/* fleet_mix.c - what jobs are like: arrivals, sizes, run times, checkpoints.
 *
 * Fitted to the published shape of a research cluster of 2,048 nodes (arXiv 2410.21680:
 * 7,200 jobs a day, over 90 % on one node with under 10 % of the GPU time, 512-node jobs
 * under 1 % with 12 % of it, utilisation 83 %). A smaller cluster has fewer jobs and none
 * that would take more than a quarter of it. */
#include "simulator/fleet/fleet_mix.h"

#include "simulator/fleet/fleet_private.h"
#include <assert.h>

#include "simulator/model/sim_dist.h"
#include "simulator/model/sim_math.h"

enum {
    REFERENCE_NODES = 2048,
    REFERENCE_JOBS = 7200,
    LIMIT_MS_MAX = 7 * RC_FLEET_DAY,
    HIGH_FROM_NODES = 32,
    HIGH_PERMILLE = 30
};

/* Of the logarithm of a run time: most are short, few are long. */
static const double run_sigma = 1.0;

static const struct rc_mix_row rows[RC_MIX_ROWS] = {
    {1, 92000, 90}, {2, 2700, 30},  {4, 2000, 50},   {8, 1500, 90}, {16, 850, 120},
    {32, 500, 140}, {64, 300, 140}, {128, 110, 130}, {256, 30, 90}, {512, 10, 120},
};

const struct rc_mix_row *
rc_mix_rows(void)
{
    return rows;
}

uint32_t
rc_mix_jobs_per_day(const struct rc_fleet_config *c)
{
    uint32_t jobs = (uint32_t)((uint64_t)REFERENCE_JOBS * c->nodes / REFERENCE_NODES);

    return c->jobs_per_day ? c->jobs_per_day : jobs ? jobs : 1;
}

static uint32_t
rows_that_fit(uint32_t nodes)
{
    uint32_t fit = 1;

    while (fit < RC_MIX_ROWS && rows[fit].nodes <= nodes / 4) {
        fit++;
    }
    return fit;
}

/* Mean run time of a row in ms, so that the rows together ask for the utilisation. */
double
rc_mix_mean_ms(const struct rc_fleet_config *c, uint32_t row)
{
    uint32_t fit = rows_that_fit(c->nodes), jobs_part = 0, gpu_part = 0;

    for (uint32_t i = 0; i < fit; i++) {
        jobs_part += rows[i].jobs;
        gpu_part += rows[i].gpu_permille;
    }
    double asked_ms = (double)c->nodes * RC_FLEET_DAY * (double)c->utilisation_permille / 1000;
    double jobs = (double)rc_mix_jobs_per_day(c) * (double)rows[row].jobs / (double)jobs_part;
    return asked_ms * (double)rows[row].gpu_permille / (double)gpu_part / jobs /
           (double)rows[row].nodes;
}

void
rc_mix_open(struct rc_fleet *f)
{
    rc_sim_random_seed(&f->q.arrivals, f->c->seed, 21);
    rc_sim_random_seed(&f->q.sizes, f->c->seed, 22);
    for (uint32_t i = 0; i < RC_MIX_ROWS; i++) {
        f->q.median_ms[i] = rc_mix_mean_ms(f->c, i) / rc_sim_exp(run_sigma * run_sigma / 2);
    }
}

int64_t
rc_mix_gap(struct rc_fleet *f)
{
    double mean_ms = (double)RC_FLEET_DAY / (double)rc_mix_jobs_per_day(f->c);

    return 1 + (int64_t)rc_dist_exponential(&f->q.arrivals, mean_ms);
}

static uint32_t
draw_row(struct rc_fleet *f, uint64_t word)
{
    uint32_t fit = rows_that_fit(f->c->nodes), part = 0, at = 0;

    for (uint32_t i = 0; i < fit; i++) {
        part += rows[i].jobs;
    }
    assert(part > 0);
    uint32_t draw = (uint32_t)(word % part);
    while (at + 1 < fit && draw >= rows[at].jobs) {
        draw -= rows[at++].jobs;
    }
    return at;
}

/* Always three words, so that a change of one value never shifts the others. */
void
rc_mix_draw(struct rc_fleet *f, struct rc_fleet_job *j)
{
    uint32_t row = draw_row(f, rc_sim_random_next(&f->q.sizes));
    int64_t run_ms = (int64_t)rc_dist_lognormal(&f->q.sizes, f->q.median_ms[row], run_sigma);
    uint64_t luck = rc_sim_random_next(&f->q.sizes);

    run_ms = run_ms < RC_FLEET_MINUTE ? RC_FLEET_MINUTE : run_ms;
    j->work_ms = run_ms > LIMIT_MS_MAX ? LIMIT_MS_MAX : run_ms;
    j->nodes = rows[row].nodes;
    j->dt_ms = f->c->dt_ms;
    j->u0_ms = f->c->u0_ms;
    j->w_ms = f->c->w_ms;
    if (j->nodes == 1) { /* small jobs start fast, and one in two saves nothing */
        j->u0_ms /= 5;
        j->dt_ms = luck & 1 ? j->dt_ms : 0;
    }
    j->level = j->nodes >= HIGH_FROM_NODES && (luck >> 32) % 1000 < HIGH_PERMILLE;
    j->listens = j->dt_ms && luck >> 2 & 1;
    /* People ask for up to twice of what they need. */
    j->limit_ms = j->work_ms + j->work_ms * (int64_t)((luck >> 8) % 1000) / 1000 + RC_FLEET_HOUR;
}
