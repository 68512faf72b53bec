/* What handlers/ec2_state_change.c folds, and what it does not. */
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
tell(struct story *st, const char *instance, uint32_t state)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_EC2_STATE_CHANGE);
    rc_text_set(ev.instance, sizeof ev.instance, instance);
    ev.u.state_change.state = state;
    story_give(st, &ev);
}

/* A notice with AWS's own time, so many milliseconds after (before) now. */
static void
tell_of(struct story *st, const char *instance, uint32_t state, int64_t from_now_ms)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_EC2_STATE_CHANGE);
    rc_text_set(ev.instance, sizeof ev.instance, instance);
    ev.u.state_change.state = state;
    ev.u.state_change.told_wall_ms = st->wall_ms + from_now_ms;
    story_give(st, &ev);
}

static void
a_stop_of_before_the_last_launch_time_is_over(void)
{
    struct story st;

    story_begin(&st, 2);
    uint64_t before = st.s->counters.stale_facts;
    row(&st, "i-1")->launched_wall_ms = st.wall_ms;
    tell_of(&st, "i-1", RC_INST_STOPPING, -9000);
    tell_of(&st, "i-1", RC_INST_STOPPED, -5000);
    CU_ASSERT_EQUAL(row(&st, "i-1")->state, RC_INST_RUNNING);
    CU_ASSERT_EQUAL(st.s->counters.stale_facts, before + 2);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    story_end(&st);
}

static void
a_stop_of_before_the_start_that_was_asked_for_is_over(void)
{
    struct story st;
    struct rc_action start;

    story_begin(&st, 2);
    tell_of(&st, "i-1", RC_INST_STOPPING, 0);
    memset(&start, 0, sizeof start);
    start.kind = RC_ACT_START;
    start.id = st.s->next_action;
    rc_text_set(start.instance, sizeof start.instance, "i-1");
    st.s->now_wall_ms += 5000;
    rc_note(st.s, &start);
    tell_of(&st, "i-1", RC_INST_STOPPED, 0);
    CU_ASSERT_EQUAL(row(&st, "i-1")->state, RC_INST_STOPPING);
    tell_of(&st, "i-1", RC_INST_STOPPED, 6000);
    CU_ASSERT_EQUAL(row(&st, "i-1")->state, RC_INST_STOPPED);
    story_end(&st);
}

static void
a_stop_of_before_the_start_that_was_seen_is_over(void)
{
    struct story st;

    story_begin(&st, 2);
    tell_of(&st, "i-1", RC_INST_STOPPED, 0);
    tell_of(&st, "i-1", RC_INST_RUNNING, 30000);
    tell_of(&st, "i-1", RC_INST_STOPPED, 0);
    CU_ASSERT_EQUAL(row(&st, "i-1")->state, RC_INST_RUNNING);
    tell_of(&st, "i-1", RC_INST_STOPPED, 40000);
    CU_ASSERT_EQUAL(row(&st, "i-1")->state, RC_INST_STOPPED);
    story_end(&st);
}

static void
a_stop_of_after_the_start_is_believed(void)
{
    struct story st;

    story_begin(&st, 2);
    row(&st, "i-1")->launched_wall_ms = st.wall_ms;
    tell_of(&st, "i-1", RC_INST_STOPPED, -1);
    CU_ASSERT_EQUAL(row(&st, "i-1")->state, RC_INST_RUNNING);
    tell_of(&st, "i-1", RC_INST_STOPPED, 0);
    CU_ASSERT_EQUAL(row(&st, "i-1")->state, RC_INST_STOPPED);
    story_end(&st);
}

static void
a_stop_that_a_look_had_not_shown_is_believed(void)
{
    struct story st;

    story_begin(&st, 2);
    story_instance(&st, "i-1", "n1", "10.0.0.1", RC_INST_RUNNING);
    row(&st, "i-1")->launched_wall_ms = st.wall_ms - 60000;
    tell_of(&st, "i-1", RC_INST_STOPPED, -5000);
    CU_ASSERT_EQUAL(row(&st, "i-1")->state, RC_INST_STOPPED);
    story_end(&st);
}

static void
a_running_that_is_older_than_the_stop_is_over(void)
{
    struct story st;

    story_begin(&st, 2);
    tell_of(&st, "i-1", RC_INST_STOPPING, 0);
    tell_of(&st, "i-1", RC_INST_RUNNING, -20000);
    CU_ASSERT_EQUAL(row(&st, "i-1")->state, RC_INST_STOPPING);
    tell_of(&st, "i-1", RC_INST_RUNNING, 20000);
    CU_ASSERT_EQUAL(row(&st, "i-1")->state, RC_INST_RUNNING);
    story_end(&st);
}

static void
an_end_is_believed_however_old_the_notice(void)
{
    struct story st;

    story_begin(&st, 2);
    row(&st, "i-1")->launched_wall_ms = st.wall_ms;
    tell_of(&st, "i-1", RC_INST_SHUTTING_DOWN, -60000);
    CU_ASSERT_EQUAL(row(&st, "i-1")->state, RC_INST_SHUTTING_DOWN);
    story_end(&st);
}

static void
a_notice_without_a_time_is_believed(void)
{
    struct story st;

    story_begin(&st, 2);
    row(&st, "i-1")->launched_wall_ms = st.wall_ms;
    tell(&st, "i-1", RC_INST_STOPPED);
    CU_ASSERT_EQUAL(row(&st, "i-1")->state, RC_INST_STOPPED);
    story_end(&st);
}

static void
nothing_leaves_the_grave(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1", RC_INST_TERMINATED);
    tell(&st, "i-1", RC_INST_SHUTTING_DOWN);
    tell(&st, "i-1", RC_INST_RUNNING);
    CU_ASSERT_EQUAL(row(&st, "i-1")->state, RC_INST_TERMINATED);
    story_end(&st);
}

static void
a_shutdown_can_only_end(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1", RC_INST_SHUTTING_DOWN);
    tell(&st, "i-1", RC_INST_STOPPED);
    CU_ASSERT_EQUAL(row(&st, "i-1")->state, RC_INST_SHUTTING_DOWN);
    tell(&st, "i-1", RC_INST_TERMINATED);
    CU_ASSERT_EQUAL(row(&st, "i-1")->state, RC_INST_TERMINATED);
    story_end(&st);
}

static void
an_unknown_state_changes_nothing(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1", RC_INST_UNKNOWN);
    CU_ASSERT_EQUAL(row(&st, "i-1")->state, RC_INST_RUNNING);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    story_end(&st);
}

static void
an_empty_instance_id_is_no_fact(void)
{
    struct story st;

    story_begin(&st, 2);
    uint32_t used = st.s->instance_used;
    tell(&st, "", RC_INST_TERMINATED);
    CU_ASSERT_EQUAL(st.s->instance_used, used);
    CU_ASSERT_EQUAL(st.count[RC_ACT_INCIDENT_PUT], 0);
    story_end(&st);
}

static void
an_instance_that_nobody_has_described_gets_a_row_and_no_action(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-stranger", RC_INST_TERMINATED);
    CU_ASSERT_EQUAL(row(&st, "i-stranger")->known, 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_INCIDENT_PUT] + st.count[RC_ACT_DRAIN], 0);
    story_end(&st);
}

static void
a_start_on_another_host_forgets_what_the_checks_said_of_the_old_one(void)
{
    struct story st;

    story_begin(&st, 2);
    row(&st, "i-1")->faults.system = RC_CHECK_IMPAIRED;
    row(&st, "i-1")->faults.schedule = RC_SCHED_RETIREMENT;
    tell(&st, "i-1", RC_INST_STOPPED);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.system, RC_CHECK_IMPAIRED);
    tell(&st, "i-1", RC_INST_PENDING);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.system, RC_CHECK_UNKNOWN);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.schedule, RC_SCHED_NONE);
    story_end(&st);
}

static void
a_fact_about_the_replaced_generation_is_counted_and_left_alone(void)
{
    struct story st;

    story_begin(&st, 2);
    story_instance(&st, "i-9", "n1", "10.0.0.9", RC_INST_RUNNING);
    story_node(&st, "n1", "10.0.0.9", 0, RC_OWNER_NONE);
    uint64_t before = st.s->counters.stale_facts;
    tell(&st, "i-1", RC_INST_TERMINATED);
    CU_ASSERT_EQUAL(st.s->counters.stale_facts, before + 1);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"nothing leaves the grave", nothing_leaves_the_grave},
        {"a shutdown can only end", a_shutdown_can_only_end},
        {"an unknown state changes nothing", an_unknown_state_changes_nothing},
        {"an empty instance id is no fact", an_empty_instance_id_is_no_fact},
        {"an instance that nobody has described gets a row and no action",
         an_instance_that_nobody_has_described_gets_a_row_and_no_action},
        {"a start on another host forgets what the checks said of the old one",
         a_start_on_another_host_forgets_what_the_checks_said_of_the_old_one},
        {"a fact about the replaced generation is counted and left alone",
         a_fact_about_the_replaced_generation_is_counted_and_left_alone},
        {"a stop of before the last launchTime is over",
         a_stop_of_before_the_last_launch_time_is_over},
        {"a stop of before the start that was asked for is over",
         a_stop_of_before_the_start_that_was_asked_for_is_over},
        {"a stop of before the start that was seen is over",
         a_stop_of_before_the_start_that_was_seen_is_over},
        {"a stop of after the start is believed", a_stop_of_after_the_start_is_believed},
        {"a stop that a look had not shown is believed",
         a_stop_that_a_look_had_not_shown_is_believed},
        {"a running that is older than the stop is over",
         a_running_that_is_older_than_the_stop_is_over},
        {"an end is believed however old the notice", an_end_is_believed_however_old_the_notice},
        {"a notice without a time is believed", a_notice_without_a_time_is_believed},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler ec2-state-change", tests);
}
