/* The large world: what is drawn, what is counted, and that nothing is left over. */
#include "tests/harness/harness.h"

#include <math.h>
#include <string.h>

#include "policies/load.h"
#include "simulator/fleet/fleet.h"
#include "simulator/fleet/fleet_mix.h"

static struct rc_policy policy;

static struct rc_fleet_config
small_fleet(uint32_t nodes, uint32_t days, const char *faults)
{
    static struct rc_load_errors errs;
    struct rc_fleet_config c;
    struct rc_error e;

    rc_fleet_config_init(&c);
    c.nodes = nodes;
    c.days = days;
    c.policy = &policy;
    CU_ASSERT_EQUAL_FATAL(rc_policy_load_file("policies/p4d.json", &policy, &errs), RC_OK);
    CU_ASSERT_EQUAL_FATAL(rc_fault_model_parse(faults, &c.faults, &e), RC_OK);
    return c;
}

static struct rc_fleet_result
play(const struct rc_fleet_config *c)
{
    static struct rc_fleet_result r;
    struct rc_error e;

    CU_ASSERT_EQUAL_FATAL(rc_fleet_run(c, &r, &e), RC_OK);
    return r;
}

static void
hist__quantiles_are_within_a_step(void)
{
    struct rc_fleet_hist h = {0};

    for (int64_t i = 1; i <= 10000; i++) {
        rc_fleet_hist_add(&h, i * 1000, false);
    }
    for (uint32_t permille = 100; permille <= 990; permille += 89) {
        double got = (double)rc_fleet_hist_quantile(&h, permille);
        CU_ASSERT(fabs(got / ((double)permille * 10000) - 1) < 0.02);
    }
    for (uint32_t b = 1; b < RC_FLEET_HIST - 1; b++) {
        CU_ASSERT_EQUAL(rc_fleet_hist_bucket(rc_fleet_hist_ms(b)), b);
        CU_ASSERT_EQUAL(rc_fleet_hist_bucket(rc_fleet_hist_ms(b + 1) - 1), b);
    }
    CU_ASSERT_EQUAL(rc_fleet_hist_bucket(INT64_MAX), RC_FLEET_HIST - 1);
}

/* The published shape: over 90 % of jobs on one node with under 10 % of the GPU time, 512
 * nodes under 1 % with 12 %, and together what is asked for. */
static void
mix__has_the_published_shape(void)
{
    const struct rc_mix_row *rows = rc_mix_rows();
    struct rc_fleet_config c;
    uint32_t jobs = 0, gpu = 0;
    double node_hours = 0;

    rc_fleet_config_init(&c);
    for (uint32_t i = 0; i < RC_MIX_ROWS; i++) {
        jobs += rows[i].jobs;
        gpu += rows[i].gpu_permille;
        node_hours +=
            (double)rows[i].jobs / 100000 * 7200 * rows[i].nodes * rc_mix_mean_ms(&c, i) / 3600000;
    }
    CU_ASSERT_EQUAL(jobs, 100000);
    CU_ASSERT_EQUAL(gpu, 1000);
    CU_ASSERT(rows[0].nodes == 1 && rows[0].jobs > 90000 && rows[0].gpu_permille < 100);
    CU_ASSERT(rows[9].nodes == 512 && rows[9].jobs < 1000 && rows[9].gpu_permille == 120);
    CU_ASSERT_EQUAL(rc_mix_jobs_per_day(&c), 7200);
    CU_ASSERT(fabs(node_hours / (2048 * 24 * 0.83) - 1) < 1e-9);
}

static void
fleet__the_same_seed_gives_the_same_result_and_another_does_not(void)
{
    struct rc_fleet_config c = small_fleet(64, 20, "exponential,rate=30");
    struct rc_fleet_result a = play(&c), b = play(&c);

    CU_ASSERT(memcmp(&a, &b, sizeof a) == 0);
    c.seed = 2;
    b = play(&c);
    CU_ASSERT(a.hash != b.hash);
}

/* What the policy does must not change what befalls it. */
static void
fleet__another_policy_meets_the_same_schedule(void)
{
    struct rc_fleet_config c = small_fleet(64, 20, "exponential,rate=30");
    struct rc_fleet_result a = play(&c), b;

    for (uint32_t i = 0; i < policy.rule_count; i++) {
        policy.rule[i].confirm_ms = 30 * 60 * 1000;
    }
    b = play(&c);
    CU_ASSERT(a.hash != b.hash);
    CU_ASSERT_EQUAL(a.faults, b.faults);
    CU_ASSERT(a.jobs_done > 100 && a.jobs_done + 40 > b.jobs_done &&
              b.jobs_done + 40 > a.jobs_done);
}

/* Node time is at work, lost to a cause, or idle; never more than there is. */
static void
fleet__node_time_is_booked_once(void)
{
    struct rc_fleet_config c = small_fleet(64, 20, "bursty,rate=30");
    struct rc_fleet_result r = play(&c);
    int64_t out_ms = 0, in_jobs_ms = 0;

    for (uint32_t i = 0; i < RC_LOSS__MAX; i++) {
        CU_ASSERT(r.lost_ms[i] >= 0);
        *(i >= RC_LOSS_UNSEEN ? &out_ms : &in_jobs_ms) += r.lost_ms[i];
    }
    CU_ASSERT_EQUAL(r.node_ms, INT64_C(64) * 20 * 86400000);
    CU_ASSERT(r.used_ms + out_ms <= r.node_ms);
    CU_ASSERT(r.productive_ms + in_jobs_ms <= r.allocated_ms);
    CU_ASSERT(r.productive_ms > r.allocated_ms / 2);
    CU_ASSERT(r.used_ms > r.node_ms * 6 / 10);
    CU_ASSERT(r.repair.count > 10 && r.replacements > 0 && r.reboots > 0);
    CU_ASSERT(r.instance_ms > r.node_ms * 9 / 10 && r.instance_ms < r.node_ms * 11 / 10);
}

static void
fleet__the_checkers_find_nothing_in_any_world(void)
{
    for (uint32_t world = 0; world < RC_FLEET_WORLD__MAX; world++) {
        for (uint32_t reserved = 0; reserved < 2; reserved++) {
            struct rc_fleet_config c = small_fleet(96, 25, "bursty-lemon,rate=40");
            c.world = world;
            c.reserved = reserved;
            c.checks = 1;
            c.seed = 3 + world;
            struct rc_fleet_result r = play(&c);
            CU_ASSERT_EQUAL(r.check_faults, 0);
            if (r.check_faults) {
                printf("# world %u reserved %u: %s\n", world, reserved, r.text);
            }
            CU_ASSERT(r.incidents > 20);
        }
    }
}

/* A person lets nodes out of quarantine that stood beside the budget: more are out then, but
 * none was taken. */
static void
fleet__a_node_that_a_person_lets_out_of_quarantine_is_no_find(void)
{
    struct rc_fleet_config c = small_fleet(20, 20, "bursty-lemon,rate=200");

    c.same_host_permille = 1000;
    c.checks = 1;
    for (c.seed = 1; c.seed <= 3; c.seed++) {
        struct rc_fleet_result r = play(&c);
        CU_ASSERT(r.quarantines > 5);
        CU_ASSERT_EQUAL(r.check_faults, 0);
        if (r.check_faults) {
            printf("# seed %u: %s\n", (unsigned)c.seed, r.text);
        }
    }
}

/* Renewal theory, exact: E[T] = M e^(u0/M) (e^((dt+w)/M) - 1), ETTR = dt / E[T]. N 1024, rate 6.5,
 * u0 5 min, dt 60 min, w 1 min: 0.8320. One year of one seed is good to about one in a hundred. */
static void
fleet__one_job_without_a_daemon_meets_the_known_answer(void)
{
    struct rc_fleet_config c = small_fleet(1024, 365, "exponential,rate=6.5");

    c.jobs = RC_FLEET_JOBS_ONE;
    c.daemon_off = 1;
    c.world = RC_FLEET_CALM;
    c.w_ms = 60000;
    struct rc_fleet_result r = play(&c);
    double ettr = (double)r.productive_ms / (double)(r.allocated_ms + r.waited_ms);
    CU_ASSERT(fabs(ettr - 0.8320) < 0.01);
    CU_ASSERT(r.killed_by_fault > 2000);
}

static void
fleet__values_out_of_range_are_told(void)
{
    struct rc_fleet_config c = small_fleet(64, 20, "exponential");
    struct rc_fleet_result r = {.faults = 77};
    struct rc_error e;

    c.nodes = 0;
    CU_ASSERT_EQUAL(rc_fleet_run(&c, &r, &e), RC_E_INVALID);
    CU_ASSERT(strstr(e.text, "nodes is 0") && strstr(e.text, "expected 1 to"));
    CU_ASSERT_EQUAL(r.faults, 77);
    c.nodes = 64;
    c.policy = NULL;
    CU_ASSERT_EQUAL(rc_fleet_run(&c, &r, &e), RC_E_INVALID);
}

static CU_TestInfo tests[] = {
    {"hist: quantiles are within a step", hist__quantiles_are_within_a_step},
    {"mix: has the published shape", mix__has_the_published_shape},
    {"the same seed gives the same result, another does not",
     fleet__the_same_seed_gives_the_same_result_and_another_does_not},
    {"another policy meets the same schedule", fleet__another_policy_meets_the_same_schedule},
    {"node time is booked once", fleet__node_time_is_booked_once},
    {"the checkers find nothing in any world", fleet__the_checkers_find_nothing_in_any_world},
    {"a node that a person lets out of quarantine is no find",
     fleet__a_node_that_a_person_lets_out_of_quarantine_is_no_find},
    {"one job without a daemon meets the known answer",
     fleet__one_job_without_a_daemon_meets_the_known_answer},
    {"values out of range are told", fleet__values_out_of_range_are_told},
    CU_TEST_INFO_NULL,
};

int
main(void)
{
    return rc_test_main("fleet", tests);
}
