/* What handlers/start.c folds, and what it does not. */
#include "tests/harness/harness.h"

#include <string.h>

#include "tests/unit/core/story.h"

static void
restart(struct story *st)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_START);
    ev.u.start.seed = 7;
    story_give(st, &ev);
}

static void
what_was_in_flight_is_sent_again_with_the_same_token(void)
{
    struct story st;

    story_begin(&st, 4);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    struct rc_action before = st.last[RC_ACT_LAUNCH];
    restart(&st);
    story_wait(&st, 2000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 2);
    CU_ASSERT_NOT_EQUAL(st.last[RC_ACT_LAUNCH].id, before.id);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_LAUNCH].u.launch.token, before.u.launch.token);
    CU_ASSERT_EQUAL(rc_node_at(st.s, 1)->repair_count, 1);
    story_end(&st);
}

static void
a_reboot_counts_as_sent_and_is_not_sent_twice(void)
{
    struct story st;

    story_begin(&st, 4);
    st.policy.rule[0].rung[0].kind = RC_RUNG_REBOOT;
    story_load(&st);
    rc_instance_at(st.s, 1)->faults.system = RC_CHECK_IMPAIRED;
    story_node(&st, "n1", "10.0.0.1", 0, RC_OWNER_NONE);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_OURS);
    CU_ASSERT_EQUAL(st.count[RC_ACT_REBOOT], 1);
    restart(&st);
    story_wait(&st, 30000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_REBOOT], 1);
    story_end(&st);
}

static void
nothing_is_sent_before_the_lease_was_got_anew(void)
{
    struct story st;
    struct rc_event ev;

    story_begin(&st, 4);
    rc_event_init(&ev, RC_EV_START);
    ev.at_ms = st.at_ms += 10;
    ev.wall_ms = st.wall_ms;
    rc_step(st.s, &ev, &st.out);
    CU_ASSERT_EQUAL(st.out.count, 1);
    CU_ASSERT_EQUAL(st.out.v[0].kind, RC_ACT_LEASE);
    CU_ASSERT_EQUAL(st.s->lease_held, 0);
    story_end(&st);
}

/* The journal ends before the replacement was registered: EC2 is read first, then Slurm. */
static void
a_node_that_moved_while_we_were_away_is_not_taken_for_dead(void)
{
    struct story st;

    story_begin(&st, 4);
    restart(&st);
    story_instance(&st, "i-new", "n1", "10.9.0.1", RC_INST_RUNNING);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    story_wait(&st, 1000);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 0);
    story_node(&st, "n1", "10.9.0.1", 0, RC_OWNER_NONE);
    story_wait(&st, 60000);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 0);
    story_end(&st);
}

static void
a_node_that_is_read_again_behind_its_dead_instance_is_repaired(void)
{
    struct story st;

    story_begin(&st, 4);
    restart(&st);
    story_instance(&st, "i-new", "n1", "10.9.0.1", RC_INST_RUNNING);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    story_wait(&st, 1000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 0);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DOWN, RC_OWNER_NONE);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1);
    story_end(&st);
}

static void
answers_to_the_life_before_are_late(void)
{
    struct story st;

    story_begin(&st, 4);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    uint64_t drain = st.last[RC_ACT_DRAIN].id;
    restart(&st);
    struct rc_event ev;
    rc_event_init(&ev, RC_EV_COMPLETION);
    ev.u.completion.action = drain;
    story_give(&st, &ev);
    CU_ASSERT_EQUAL(st.s->counters.late_completions, 1);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->drain_ack_ms, 0);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"what was in flight is sent again with the same token",
         what_was_in_flight_is_sent_again_with_the_same_token},
        {"a reboot counts as sent and is not sent twice",
         a_reboot_counts_as_sent_and_is_not_sent_twice},
        {"nothing is sent before the lease was got anew",
         nothing_is_sent_before_the_lease_was_got_anew},
        {"answers to the life before are late", answers_to_the_life_before_are_late},
        {"a node that moved while we were away is not taken for dead",
         a_node_that_moved_while_we_were_away_is_not_taken_for_dead},
        {"a node that is read again behind its dead instance is repaired",
         a_node_that_is_read_again_behind_its_dead_instance_is_repaired},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler start", tests);
}
