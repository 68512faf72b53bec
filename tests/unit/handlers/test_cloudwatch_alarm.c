/* What handlers/cloudwatch_alarm.c folds, and what it does not. */
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
tell(struct story *st, const char *instance, uint32_t state, uint32_t check)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_CLOUDWATCH_ALARM);
    rc_text_set(ev.instance, sizeof ev.instance, instance);
    rc_text_set(ev.code, sizeof ev.code, "gpu-errors");
    ev.u.alarm.state = state;
    ev.u.alarm.status_check = check;
    story_give(st, &ev);
}

static void
insufficient_data_changes_nothing(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1", RC_ALARM_FIRING, 0);
    tell(&st, "i-1", RC_ALARM_UNKNOWN, 0);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.alarm, RC_ALARM_FIRING);
    story_end(&st);
}

static void
ok_ends_what_fired(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1", RC_ALARM_FIRING, 0);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->fault, RC_FAULT_ALARM);
    CU_ASSERT_STRING_EQUAL(story_incident(&st, "n1")->code, "gpu-errors");
    tell(&st, "i-1", RC_ALARM_OK, 0);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.alarm, RC_ALARM_OK);
    story_end(&st);
}

static void
the_time_of_the_first_firing_stays(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1", RC_ALARM_FIRING, 0);
    int64_t since_ms = row(&st, "i-1")->faults.alarm_ms;
    story_wait(&st, 5000);
    tell(&st, "i-1", RC_ALARM_FIRING, 0);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.alarm_ms, since_ms);
    story_end(&st);
}

static void
an_alarm_on_a_status_check_asks_for_the_check_once(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1", RC_ALARM_FIRING, 1);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LOOK], 1);
    story_wait(&st, 500);
    story_answer(&st, RC_ACT_LOOK, RC_OK); /* nothing new was to be told */
    story_wait(&st, 600000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LOOK], 1);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"insufficient data changes nothing", insufficient_data_changes_nothing},
        {"ok ends what fired", ok_ends_what_fired},
        {"the time of the first firing stays", the_time_of_the_first_firing_stays},
        {"an alarm on a status check asks for the check once",
         an_alarm_on_a_status_check_asks_for_the_check_once},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler cloudwatch-alarm", tests);
}
