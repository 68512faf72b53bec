/* How far the clock is off another one that shows whole seconds. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include "reconciler/watch/clock_skew.h"

enum { NOON = 1700000000 };
static const int64_t S = 1000000; /* us */

/* Asked at own_us after noon for took_us; the other clock stood server_s after noon. */
static int64_t
skew(int64_t server_s, int64_t own_us, int64_t took_us)
{
    int64_t before = NOON * S + own_us;

    return rc_clock_skew_ms(NOON + server_s, before, before + took_us);
}

static void
test_agreement(void)
{
    CU_ASSERT_EQUAL(skew(0, 0, 0), 0);
    CU_ASSERT_EQUAL(skew(0, 999999, 300), 0);
    CU_ASSERT_EQUAL(skew(0, S, 300), 0);    /* the very end of its second */
    CU_ASSERT_EQUAL(skew(1, 999999, 2), 0); /* it changed while it was asked */
    CU_ASSERT_EQUAL(skew(1, 999000, 0), -1);
}

static void
test_ahead_and_behind(void)
{
    CU_ASSERT_EQUAL(skew(0, 37 * S, 300), 36000); /* at least */
    CU_ASSERT_EQUAL(skew(37, 0, 300), -36999);
    CU_ASSERT_EQUAL(skew(3600, 0, 0), -3600000);
}

static void
test_a_slow_answer_proves_less(void)
{
    CU_ASSERT_EQUAL(skew(5, 0, 10 * S), 0);
    CU_ASSERT_EQUAL(skew(0, 5 * S, 10 * S), 4000); /* asked when the clock showed more already */
    CU_ASSERT_EQUAL(skew(20, 0, 10 * S), -10000);
}

static void
test_any_numbers(void)
{
    static const int64_t odd[] = {INT64_MIN, -1, 0, 1, INT64_MAX};

    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 5; j++) {
            for (size_t k = 0; k < 5; k++) {
                (void)rc_clock_skew_ms(odd[i], odd[j], odd[k]); /* the sanitizer looks on */
            }
        }
    }
    CU_ASSERT(rc_clock_skew_ms(INT64_MAX, 0, 0) < 0);
    CU_ASSERT(rc_clock_skew_ms(INT64_MIN, 0, 0) > 0);
}

int
main(void)
{
    static CU_TestInfo tests[] = {
        {"clocks that may agree have no skew", test_agreement},
        {"a clock is ahead or behind by what can be proved", test_ahead_and_behind},
        {"a slow answer proves less", test_a_slow_answer_proves_less},
        {"any numbers do no harm", test_any_numbers},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("clock-skew", tests);
}
