/* Since when a node has shown a fault: what a rule's time to confirm is measured from. */
#include "tests/harness/harness.h"

#include <string.h>

#include "reconciler/core/standing.h"

static struct rc_standing st;

static int64_t
at(int64_t now_ms, uint32_t fault)
{
    return rc_standing_note(&st, fault, now_ms);
}

static void
a_fault_stands_since_it_was_first_seen(void)
{
    memset(&st, 0, sizeof st);
    CU_ASSERT_EQUAL(at(10, 5), 10);
    CU_ASSERT_EQUAL(at(20, 5), 10);
    (void)at(30, 0);
    CU_ASSERT_EQUAL(at(40, 5), 40);
}

static void
a_worse_one_does_not_inherit_the_age_of_the_lesser(void)
{
    memset(&st, 0, sizeof st);
    (void)at(10, 5);
    CU_ASSERT_EQUAL(at(20, 9), 20);
    CU_ASSERT_EQUAL(at(30, 5), 10); /* it stood beneath all the time */
    CU_ASSERT_EQUAL(at(40, 9), 40); /* and the worse one had gone */
}

static void
a_lesser_one_that_was_never_seen_is_as_old_as_the_worse(void)
{
    memset(&st, 0, sizeof st);
    (void)at(10, 5);
    (void)at(20, 9);
    CU_ASSERT_EQUAL(at(30, 7), 20);
    CU_ASSERT_EQUAL(at(40, 3), 10);
}

static void
reasons_that_take_turns_do_not_begin_anew(void)
{
    memset(&st, 0, sizeof st);
    (void)at(10, 9);
    for (int64_t now = 20; now < 100; now += 20) {
        CU_ASSERT_EQUAL(at(now, 7), 10);
        (void)at(now + 10, 9);
    }
}

static void
a_full_list_errs_to_the_later(void)
{
    memset(&st, 0, sizeof st);
    for (uint32_t i = 1; i <= RC_STANDING_MAX + 2; i++) {
        CU_ASSERT_EQUAL(at(i * 10, i), i * 10);
    }
    CU_ASSERT_EQUAL(at(90, RC_STANDING_MAX + 1), (RC_STANDING_MAX + 2) * 10);
    CU_ASSERT_EQUAL(at(91, 1), 10);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a fault stands since it was first seen", a_fault_stands_since_it_was_first_seen},
        {"a worse one does not inherit the age of the lesser",
         a_worse_one_does_not_inherit_the_age_of_the_lesser},
        {"a lesser one that was never seen is as old as the worse",
         a_lesser_one_that_was_never_seen_is_as_old_as_the_worse},
        {"reasons that take turns do not begin anew", reasons_that_take_turns_do_not_begin_anew},
        {"a full list errs to the later", a_full_list_errs_to_the_later},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("standing", tests);
}
