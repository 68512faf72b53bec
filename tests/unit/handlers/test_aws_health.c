/* What handlers/aws_health.c folds, and what it does not. */
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
tell(struct story *st, const char *instance, uint32_t category, uint32_t schedule, uint32_t status)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_AWS_HEALTH);
    rc_text_set(ev.instance, sizeof ev.instance, instance);
    rc_text_set(ev.code, sizeof ev.code, "AWS_EC2_SOMETHING");
    ev.u.health.category = category;
    ev.u.health.schedule = schedule;
    ev.u.health.status = status;
    ev.u.health.start_wall_ms = st->wall_ms + 1000;
    story_give(st, &ev);
}

static void
a_scheduled_change_is_kept_with_its_window_until_it_is_closed(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1", RC_HEALTH_SCHEDULED_CHANGE, RC_SCHED_RETIREMENT, RC_HSTAT_UPCOMING);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.schedule, RC_SCHED_RETIREMENT);
    CU_ASSERT_NOT_EQUAL(row(&st, "i-1")->faults.not_before_wall_ms, 0);
    tell(&st, "i-1", RC_HEALTH_SCHEDULED_CHANGE, RC_SCHED_RETIREMENT, RC_HSTAT_CLOSED);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.schedule, RC_SCHED_NONE);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.not_before_wall_ms, 0);
    story_end(&st);
}

/* What DescribeInstanceStatus shows. */
static void
show(struct story *st, const char *instance, uint32_t schedule)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_INSTANCE_STATUS);
    rc_text_set(ev.instance, sizeof ev.instance, instance);
    ev.u.status.schedule = schedule;
    story_give(st, &ev);
}

static void
a_notice_does_not_outlive_the_event_that_the_status_shows_already(void)
{
    struct story st;

    story_begin(&st, 2);
    show(&st, "i-1", RC_SCHED_REBOOT);
    tell(&st, "i-1", RC_HEALTH_SCHEDULED_CHANGE, RC_SCHED_REBOOT, RC_HSTAT_UPCOMING);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.schedule, RC_SCHED_REBOOT);
    show(&st, "i-1", RC_SCHED_NONE);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.schedule, RC_SCHED_NONE);
    story_end(&st);
}

static void
a_closed_notice_leaves_what_the_status_still_shows(void)
{
    struct story st;

    story_begin(&st, 2);
    show(&st, "i-1", RC_SCHED_REBOOT);
    tell(&st, "i-1", RC_HEALTH_SCHEDULED_CHANGE, RC_SCHED_RETIREMENT, RC_HSTAT_CLOSED);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.schedule, RC_SCHED_REBOOT);
    story_end(&st);
}

static void
an_issue_stands_until_it_is_closed(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1", RC_HEALTH_ISSUE, RC_SCHED_NONE, RC_HSTAT_OPEN);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->fault, RC_FAULT_HEALTH_NOTICE);
    tell(&st, "i-1", RC_HEALTH_ISSUE, RC_SCHED_NONE, RC_HSTAT_CLOSED);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.health_issue, 0);
    story_end(&st);
}

static void
news_for_people_and_unknown_categories_say_nothing_of_the_instance(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1", RC_HEALTH_ACCOUNT_NOTIFICATION, RC_SCHED_RETIREMENT, RC_HSTAT_OPEN);
    tell(&st, "i-1", RC_HEALTH_UNKNOWN, RC_SCHED_RETIREMENT, RC_HSTAT_OPEN);
    tell(&st, "i-1", RC_HEALTH_INVESTIGATION, RC_SCHED_RETIREMENT, RC_HSTAT_OPEN);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.schedule, RC_SCHED_NONE);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    story_end(&st);
}

static void
a_status_that_is_not_known_counts_as_open(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1", RC_HEALTH_ISSUE, RC_SCHED_NONE, RC_HSTAT_UNKNOWN);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.health_issue, 1);
    story_end(&st);
}

static void
without_an_instance_it_is_news_for_people(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "", RC_HEALTH_SCHEDULED_CHANGE, RC_SCHED_RETIREMENT, RC_HSTAT_OPEN);
    CU_ASSERT_STRING_EQUAL(st.trace, "");
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a scheduled change is kept with its window until it is closed",
         a_scheduled_change_is_kept_with_its_window_until_it_is_closed},
        {"a notice does not outlive the event that the status shows already",
         a_notice_does_not_outlive_the_event_that_the_status_shows_already},
        {"a closed notice leaves what the status still shows",
         a_closed_notice_leaves_what_the_status_still_shows},
        {"an issue stands until it is closed", an_issue_stands_until_it_is_closed},
        {"news for people and unknown categories say nothing of the instance",
         news_for_people_and_unknown_categories_say_nothing_of_the_instance},
        {"a status that is not known counts as open", a_status_that_is_not_known_counts_as_open},
        {"without an instance it is news for people", without_an_instance_it_is_news_for_people},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler aws-health", tests);
}
