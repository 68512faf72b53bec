/* prove_ettr.c - the effective training time ratio of one endless gang job, against the
 * exact answer of renewal theory.
 *
 * N nodes, each with r faults per 1,000 node-days, exponential; every fault ends the job,
 * also while it starts up; a run begins with u0 of start-up and saves after each dt of
 * work, which takes w. Per saved interval E[T] = M e^(u0/M) (e^((dt+w)/M) - 1) with
 * M = 1000 days / (N r), and the ratio is dt / E[T].
 *
 * It is the job model, the fault streams and the clock of `simulate run` that are played,
 * without the daemon: nothing is waited for. What a restart costs grows with the nodes, and
 * the answer knows only N r, so the precise runs stand STAND_IN nodes with N / STAND_IN
 * times the rate for N; runs at full size must agree too.
 *
 * The interval is Student's over the seeds: 99.5 % each, so ten hold together in 95 of 100
 * choices of the seeds. */
#include <stdio.h>
#include <string.h>

#include "simulator/fleet/fleet.h"
#include "simulator/model/sim_math.h"
#include "simulator/prove/prove.h"
#include "simulator/report/paired.h"
#include "simulator/task_jobs.h"

enum { SEEDS = 24, FULL_SEEDS = 6, STAND_IN = 125 };

static const double wrong_side = 0.005;     /* two-sided */
static const double half_width_max = 0.005; /* of the ratio itself */
static const double minute_ms = 60.0 * 1000;

/* Sources of the figures: tests of the formula published with arXiv 2410.21680; printed:
 * the exact ratio with four digits. days: of each precise run; full: of each at full size. */
static const struct rc_ettr_case {
    uint32_t nodes;
    double rate;
    int64_t u0_ms, dt_ms, w_ms;
    double printed;
    uint32_t days, full_days;
} cases[] = {
    {256, 6.50, 300000, 3600000, 0, 0.9602, 600, 600},
    {512, 6.50, 300000, 3600000, 0, 0.9216, 600, 600},
    {1024, 6.50, 300000, 3600000, 0, 0.8479, 600, 300},
    {1024, 6.50, 300000, 3600000, 60000, 0.8320, 600, 300},
    {1024, 6.50, 300000, 300000, 0, 0.9659, 600, 300},
    {1500, 6.50, 300000, 3600000, 300000, 0.7103, 900, 150},
    {1500, 1.00, 300000, 3600000, 300000, 0.8875, 900, 600},
    {1500, 6.50, 300000, 300000, 10000, 0.9193, 600, 150},
    {12500, 2.34, 120000, 120000, 1000, 0.9329, 300, 10},
    {12500, 2.34, 300000, 3600000, 300000, 0.4012, 3000, 20},
};

enum { CASES = sizeof cases / sizeof cases[0], TASKS = CASES * (SEEDS + FULL_SEEDS) };

struct record {
    double ratio;
    uint64_t faults;
    char text[160]; /* "" = played */
};

struct proof {
    double precise[CASES][SEEDS], full[CASES][FULL_SEEDS];
    uint64_t faults[CASES];
    char text[160];
};

static void
play_case(void *arg, uint64_t task, void *record)
{
    const struct rc_ettr_case *c = &cases[task % CASES];
    uint64_t n = task / CASES;
    bool is_full = n >= SEEDS;
    struct record *ret = record;
    struct rc_fleet_config f;
    struct rc_fleet_result r;
    struct rc_error e = {0};

    (void)arg;
    rc_fleet_config_init(&f);
    f.seed = 1000 + n;
    f.nodes = is_full || c->nodes < STAND_IN ? c->nodes : STAND_IN;
    f.days = is_full ? c->full_days : c->days;
    f.jobs = RC_FLEET_JOBS_ONE;
    f.world = RC_FLEET_CALM;
    f.daemon_off = 1;
    f.false_milli = 0;
    f.u0_ms = c->u0_ms;
    f.dt_ms = c->dt_ms;
    f.w_ms = c->w_ms;
    (void)!rc_fault_model_parse("exponential", &f.faults, &e);
    f.faults.rate = c->rate * c->nodes / f.nodes;
    if (rc_fleet_run(&f, &r, &e) != RC_OK) {
        snprintf(ret->text, sizeof ret->text, "%.150s", e.text);
        return;
    }
    ret->ratio = (double)r.productive_ms / (double)(r.allocated_ms + r.waited_ms);
    ret->faults = r.faults;
}

static void
take_case(void *arg, uint64_t task, const void *record)
{
    struct proof *p = arg;
    const struct record *r = record;
    uint64_t n = task / CASES;

    if (*r->text) {
        memcpy(p->text, r->text, sizeof p->text);
    }
    if (n < SEEDS) {
        p->precise[task % CASES][n] = r->ratio;
        p->faults[task % CASES] += r->faults;
    } else {
        p->full[task % CASES][n - SEEDS] = r->ratio;
    }
}

static double
exact_ratio(const struct rc_ettr_case *c)
{
    double mean_ms = 1000.0 * 24 * 60 * minute_ms / (c->nodes * c->rate);
    double time_ms = mean_ms * rc_sim_exp((double)c->u0_ms / mean_ms) *
                     (rc_sim_exp((double)(c->dt_ms + c->w_ms) / mean_ms) - 1);

    return (double)c->dt_ms / time_ms;
}

static void
student_interval(const double *v, uint32_t n, double *ret_mean, double *ret_half)
{
    double sum = 0, squares = 0;

    for (uint32_t i = 0; i < n; i++) {
        sum += v[i];
    }
    *ret_mean = sum / n;
    for (uint32_t i = 0; i < n; i++) {
        squares += (v[i] - *ret_mean) * (v[i] - *ret_mean);
    }
    *ret_half = rc_student_quantile(wrong_side, n - 1) * rc_sim_sqrt(squares / (n - 1) / n);
}

static bool
judge_case(const struct proof *p, uint32_t i)
{
    const struct rc_ettr_case *c = &cases[i];
    double exact = exact_ratio(c), mean, half, full, full_half;

    student_interval(p->precise[i], SEEDS, &mean, &half);
    student_interval(p->full[i], FULL_SEEDS, &full, &full_half);
    double off = exact - c->printed;
    bool same = off < 0.0001 && off > -0.0001;
    bool inside = exact >= mean - half && exact <= mean + half;
    bool inside_full = exact >= full - full_half && exact <= full + full_half;
    return rc_prove_say(same && inside && inside_full && half < half_width_max * exact,
                        "%5u nodes  %4.2f/1000 nd  u0 %4.1f  dt %4.1f  w %5.3f min   exact %.5f   "
                        "simulated %.5f +- %.5f (%llu faults)   full size %.4f +- %.4f",
                        c->nodes, c->rate, (double)c->u0_ms / minute_ms,
                        (double)c->dt_ms / minute_ms, (double)c->w_ms / minute_ms, exact, mean,
                        half, (unsigned long long)p->faults[i], full, full_half);
}

int
rc_prove_ettr(void)
{
    static struct proof p;
    int status = RC_PROVE_HOLDS;
    struct rc_tasks t = {.count = TASKS,
                         .jobs = rc_task_processors(),
                         .unit = "runs",
                         .record_size = sizeof(struct record),
                         .arg = &p,
                         .work = play_case,
                         .take = take_case};

    printf("  99.5 %% intervals over %d seeds, narrower than +- %.1f %%; at full size over %d\n",
           SEEDS, 100 * half_width_max, FULL_SEEDS);
    fflush(stdout);
    if (rc_task_jobs(&t) != 0 || *p.text) {
        fprintf(stderr, "simulate prove: %s\n", *p.text ? p.text : "a process died");
        return RC_PROVE_CANNOT;
    }
    for (uint32_t i = 0; i < CASES; i++) {
        if (!judge_case(&p, i)) {
            status = RC_PROVE_FAILS;
        }
    }
    return status;
}
