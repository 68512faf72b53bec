/* What handlers/instance_status.c folds, and what it does not. */
#include "tests/harness/harness.h"

#include <string.h>

#include "tests/unit/core/story.h"

static struct rc_instance *
row(struct story *st, const char *id)
{
    uint32_t slot = rc_instance_find(st->s, id);

    CU_ASSERT_NOT_EQUAL_FATAL(slot, 0);
    return rc_instance_at(st->s, slot);
}

static void
tell(struct story *st, const char *id, uint32_t system, uint32_t schedule)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_INSTANCE_STATUS);
    rc_text_set(ev.instance, sizeof ev.instance, id);
    ev.u.status.system = system;
    ev.u.status.schedule = schedule;
    story_give(st, &ev);
}

static void
not_told_does_not_make_a_known_fault_well(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1", RC_CHECK_IMPAIRED, RC_SCHED_NONE);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->fault, RC_FAULT_SYSTEM_IMPAIRED);
    tell(&st, "i-1", RC_CHECK_UNKNOWN, RC_SCHED_NONE);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.system, RC_CHECK_IMPAIRED);
    tell(&st, "i-1", RC_CHECK_OK, RC_SCHED_NONE);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.system, RC_CHECK_OK);
    story_end(&st);
}

static void
a_check_that_begins_anew_is_no_fault(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1", RC_CHECK_INITIALIZING, RC_SCHED_NONE);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    story_end(&st);
}

static void
an_empty_schedule_takes_back_what_this_source_had_shown(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1", RC_CHECK_OK, RC_SCHED_REBOOT);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.schedule, RC_SCHED_REBOOT);
    tell(&st, "i-1", RC_CHECK_OK, RC_SCHED_NONE);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.schedule, RC_SCHED_NONE);
    story_end(&st);
}

static void
an_empty_schedule_does_not_take_back_what_health_had_told(void)
{
    struct story st;

    story_begin(&st, 2);
    row(&st, "i-1")->faults.schedule = RC_SCHED_RETIREMENT;
    tell(&st, "i-1", RC_CHECK_OK, RC_SCHED_NONE);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.schedule, RC_SCHED_RETIREMENT);
    story_end(&st);
}

static void
a_stranger_and_an_empty_id_are_left_alone(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "", RC_CHECK_IMPAIRED, RC_SCHED_NONE);
    tell(&st, "i-stranger", RC_CHECK_IMPAIRED, RC_SCHED_NONE);
    CU_ASSERT_STRING_EQUAL(st.trace, "");
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"not told does not make a known fault well", not_told_does_not_make_a_known_fault_well},
        {"a check that begins anew is no fault", a_check_that_begins_anew_is_no_fault},
        {"an empty schedule takes back what this source had shown",
         an_empty_schedule_takes_back_what_this_source_had_shown},
        {"an empty schedule does not take back what Health had told",
         an_empty_schedule_does_not_take_back_what_health_had_told},
        {"a stranger and an empty id are left alone", a_stranger_and_an_empty_id_are_left_alone},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler instance-status", tests);
}
