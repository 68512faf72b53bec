/* Counters from one look to the next, and the messages of the kernel about devices. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

#include "reconciler/watch/probe_rates.h"

static void
test_rise(void)
{
    static struct rc_rates r;
    uint64_t rise = 9;

    CU_ASSERT_FALSE(rc_rates_rise(&r, "rx_drops", "rdmap16s27", 100, &rise));
    CU_ASSERT_EQUAL(rise, 0);
    CU_ASSERT(rc_rates_rise(&r, "rx_drops", "rdmap16s27", 250, &rise));
    CU_ASSERT_EQUAL(rise, 150);
    CU_ASSERT_FALSE(rc_rates_rise(&r, "rx_drops", "rdmap32s27", 7, &rise));
    CU_ASSERT(rc_rates_rise(&r, "rx_drops", "rdmap16s27", 250, &rise));
    CU_ASSERT_EQUAL(rise, 0);
}

static void
test_new_driver(void)
{
    static struct rc_rates r;
    uint64_t rise;

    (void)rc_rates_rise(&r, "c", "d", 100, &rise);
    CU_ASSERT_FALSE(rc_rates_rise(&r, "c", "d", 3, &rise));
    CU_ASSERT(rc_rates_rise(&r, "c", "d", 5, &rise));
    CU_ASSERT_EQUAL(rise, 2);
}

static void
test_still(void)
{
    static struct rc_rates r;
    uint64_t rise;

    for (int i = 0; i < 5; i++) {
        (void)rc_rates_rise(&r, "alive", "never", 0, &rise);
    }
    CU_ASSERT_EQUAL(rc_rates_still(&r, "alive", "never"), 0);
    (void)rc_rates_rise(&r, "alive", "efa", 1, &rise);
    (void)rc_rates_rise(&r, "alive", "efa", 2, &rise);
    for (uint32_t i = 1; i < 4; i++) {
        (void)rc_rates_rise(&r, "alive", "efa", 2, &rise);
        CU_ASSERT_EQUAL(rc_rates_still(&r, "alive", "efa"), i);
    }
    (void)rc_rates_rise(&r, "alive", "efa", 3, &rise);
    CU_ASSERT_EQUAL(rc_rates_still(&r, "alive", "efa"), 0);
}

static void
test_no_room(void)
{
    static struct rc_rates r;
    char device[16];
    uint64_t rise;

    for (int i = 0; i < 2 * RC_RATES_MAX; i++) {
        (void)snprintf(device, sizeof device, "d%d", i);
        (void)rc_rates_rise(&r, "c", device, 1, &rise);
    }
    CU_ASSERT_EQUAL(r.count, RC_RATES_MAX);
    CU_ASSERT_FALSE(rc_rates_rise(&r, "c", "one-more", 2, &rise));
    CU_ASSERT(rc_rates_rise(&r, "c", "d0", 2, &rise));
    CU_ASSERT_FALSE(rc_rates_rise(NULL, "c", "d0", 2, &rise));
    CU_ASSERT_EQUAL(rc_rates_still(NULL, "c", "d0"), 0);
}

int
main(void)
{
    static CU_TestInfo tests[] = {
        {"a counter's rise is told from its second look on", test_rise},
        {"a counter that begins anew has no rise", test_new_driver},
        {"only a counter that used to rise stands still", test_still},
        {"a full table forgets nothing that it knows", test_no_room},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("probe-rates", tests);
}
