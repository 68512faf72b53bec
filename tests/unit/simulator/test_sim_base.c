/* Chance, heap, times, buckets and asked-for faults: what the models stand on. */
#include "tests/harness/harness.h"

#include <string.h>

#include "simulator/model/ec2_throttle.h"
#include "simulator/model/model_faults.h"
#include "simulator/model/sim_heap.h"
#include "simulator/model/sim_random.h"
#include "simulator/model/sim_time.h"

static void
random__same_seed_and_stream__same_draws(void)
{
    struct rc_sim_random a;
    struct rc_sim_random b;
    struct rc_sim_random c;

    rc_sim_random_seed(&a, 42, 1);
    rc_sim_random_seed(&b, 42, 1);
    rc_sim_random_seed(&c, 42, 2);
    for (int i = 0; i < 100; i++) {
        uint64_t x = rc_sim_random_next(&a);

        CU_ASSERT_EQUAL(x, rc_sim_random_next(&b));
        CU_ASSERT_NOT_EQUAL(x, rc_sim_random_next(&c));
    }
}

/* SplitMix64 from state 1234567, as published with its reference code. */
static void
random__known_state__known_words(void)
{
    struct rc_sim_random r = {1234567};

    CU_ASSERT_EQUAL(rc_sim_random_next(&r), 6457827717110365317ULL);
    CU_ASSERT_EQUAL(rc_sim_random_next(&r), 3203168211198807973ULL);
}

static void
random__below_and_chance__stay_in_bounds(void)
{
    struct rc_sim_random r;
    unsigned hits = 0;

    rc_sim_random_seed(&r, 7, 1);
    for (int i = 0; i < 10000; i++) {
        CU_ASSERT(rc_sim_random_below(&r, 10) < 10);
        hits += rc_sim_random_chance(&r, 250) ? 1 : 0;
        CU_ASSERT(rc_sim_random_jitter(&r, 1000, 100) >= 1000);
        CU_ASSERT(rc_sim_random_jitter(&r, 1000, 100) <= 1100);
    }
    CU_ASSERT(hits > 2200 && hits < 2800);
    CU_ASSERT_FALSE(rc_sim_random_chance(&r, 0));
    CU_ASSERT(rc_sim_random_chance(&r, 1000));
}

static void
heap__random_changes__always_gives_the_earliest(void)
{
    enum { ROOM = 64 };
    int64_t key[ROOM];
    struct rc_sim_random r;
    struct rc_sim_heap h;

    CU_ASSERT_FATAL(rc_sim_heap_init(&h, ROOM));
    rc_sim_random_seed(&r, 3, 1);
    for (int i = 0; i < ROOM; i++)
        key[i] = RC_SIM_NEVER;
    CU_ASSERT_EQUAL(rc_sim_heap_next_ms(&h), RC_SIM_NEVER);
    for (int turn = 0; turn < 5000; turn++) {
        uint32_t slot = (uint32_t)rc_sim_random_below(&r, ROOM);
        int64_t best = RC_SIM_NEVER;
        uint32_t first = ROOM;

        key[slot] =
            rc_sim_random_chance(&r, 300) ? RC_SIM_NEVER : (int64_t)rc_sim_random_below(&r, 50);
        rc_sim_heap_set(&h, slot, key[slot]);
        for (uint32_t i = ROOM; i-- > 0;)
            if (key[i] != RC_SIM_NEVER && key[i] <= best) {
                best = key[i];
                first = i;
            }
        CU_ASSERT_EQUAL_FATAL(rc_sim_heap_next_ms(&h), best);
        if (first < ROOM)
            CU_ASSERT_EQUAL_FATAL(rc_sim_heap_first(&h), first);
    }
    rc_sim_heap_done(&h);
}

static void
time__known_moments__known_texts(void)
{
    char text[RC_SIM_TIME_LEN];
    int64_t ms = 0;

    rc_sim_time_iso(text, 1440938160123);
    CU_ASSERT_STRING_EQUAL(text, "2015-08-30T12:36:00.123Z");
    rc_sim_time_second(text, 951782400000);
    CU_ASSERT_STRING_EQUAL(text, "2000-02-29T00:00:00Z");
    rc_sim_time_mail(text, 1767744000000);
    CU_ASSERT_STRING_EQUAL(text, "Wed, 7 Jan 2026 00:00:00 GMT");
    CU_ASSERT(rc_sim_time_basic_parse("20150830T123600Z", &ms));
    CU_ASSERT_EQUAL(ms, 1440938160000);
}

static void
time__what_is_no_amz_date__is_refused(void)
{
    static const char *const bad[] = {"",
                                      "20150830T123600",
                                      "20150830 123600Z",
                                      "2015083OT123600Z",
                                      "20151330T123600Z",
                                      "20150830T246000Z",
                                      "20150830T123600Z "};
    int64_t ms = 0;

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_FALSE(rc_sim_time_basic_parse(bad[i], &ms));
}

static void
throttle__empty_bucket__refuses_until_refilled(void)
{
    struct rc_sim_throttle t;

    rc_sim_throttle_init(&t, true, 1000);
    for (int i = 0; i < 5; i++)
        CU_ASSERT(rc_sim_throttle_admit(&t, 1000, RC_SIM_RUN_INSTANCES, 1));
    CU_ASSERT_FALSE(rc_sim_throttle_admit(&t, 1000, RC_SIM_RUN_INSTANCES, 1));
    CU_ASSERT(rc_sim_throttle_admit(&t, 1000, RC_SIM_STOP_INSTANCES, 1));
    CU_ASSERT_FALSE(rc_sim_throttle_admit(&t, 1499, RC_SIM_RUN_INSTANCES, 1));
    CU_ASSERT(rc_sim_throttle_admit(&t, 1500, RC_SIM_RUN_INSTANCES, 1));
}

static void
throttle__too_many_instances__refuses_and_takes_nothing(void)
{
    struct rc_sim_throttle t;

    rc_sim_throttle_init(&t, true, 0);
    CU_ASSERT_FALSE(rc_sim_throttle_admit(&t, 0, RC_SIM_TERMINATE_INSTANCES, 1001));
    CU_ASSERT(rc_sim_throttle_admit(&t, 0, RC_SIM_TERMINATE_INSTANCES, 1000));
    CU_ASSERT_FALSE(rc_sim_throttle_admit(&t, 0, RC_SIM_TERMINATE_INSTANCES, 1));
}

static void
faults__rows_hit_their_action_in_order_and_run_out(void)
{
    struct rc_sim_fault first = {.action = "RunInstances", .code = "A", .left = 2, .skip = 1};
    struct rc_sim_fault second = {.action = "*", .code = "B", .left = 1};
    struct rc_sim_fault got;
    struct rc_sim_faults f = {0};

    CU_ASSERT(rc_sim_faults_add(&f, &first));
    CU_ASSERT(rc_sim_faults_add(&f, &second));
    CU_ASSERT(rc_sim_faults_take(&f, "RunInstances", &got));
    CU_ASSERT_STRING_EQUAL(got.code, "B");
    CU_ASSERT_FALSE(rc_sim_faults_take(&f, "StopInstances", &got));
    CU_ASSERT(rc_sim_faults_take(&f, "RunInstances", &got));
    CU_ASSERT_STRING_EQUAL(got.code, "A");
    CU_ASSERT(rc_sim_faults_take(&f, "RunInstances", &got));
    CU_ASSERT_FALSE(rc_sim_faults_take(&f, "RunInstances", &got));
    CU_ASSERT_EQUAL(f.hits, 3);
}

static void
faults__rows_that_can_hit_nothing__are_refused(void)
{
    struct rc_sim_fault none = {.action = "RunInstances", .left = 0};
    struct rc_sim_fault nobody = {.left = 1};
    struct rc_sim_faults f = {0};

    CU_ASSERT_FALSE(rc_sim_faults_add(&f, &none));
    CU_ASSERT_FALSE(rc_sim_faults_add(&f, &nobody));
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"the same seed and stream give the same draws", random__same_seed_and_stream__same_draws},
        {"the draws are those of the published generator", random__known_state__known_words},
        {"bounded draws stay in their bounds", random__below_and_chance__stay_in_bounds},
        {"the heap always gives the earliest, lowest slot",
         heap__random_changes__always_gives_the_earliest},
        {"known moments have known texts", time__known_moments__known_texts},
        {"what is no X-Amz-Date is refused", time__what_is_no_amz_date__is_refused},
        {"an empty bucket refuses until it is refilled",
         throttle__empty_bucket__refuses_until_refilled},
        {"too many instances are refused and take nothing",
         throttle__too_many_instances__refuses_and_takes_nothing},
        {"asked-for faults hit their action in order and run out",
         faults__rows_hit_their_action_in_order_and_run_out},
        {"faults that can hit nothing are refused", faults__rows_that_can_hit_nothing__are_refused},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("sim_base", tests);
}
