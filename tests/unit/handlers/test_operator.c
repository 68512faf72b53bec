/* What handlers/operator.c folds, and what it does not. */
#include "tests/harness/harness.h"

#include <string.h>

#include "tests/unit/core/story.h"

static void
a_hold_and_its_release_reach_the_incident_item(void)
{
    struct story st;

    story_begin(&st, 2);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    story_operate(&st, RC_OP_HOLD, "n1", 0);
    CU_ASSERT_TRUE(st.last[RC_ACT_INCIDENT_PUT].u.item.flags & RC_ADOPT_HELD);
    unsigned puts = st.count[RC_ACT_INCIDENT_PUT];
    story_wait(&st, 60000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_INCIDENT_PUT], puts);
    story_operate(&st, RC_OP_RELEASE, "n1", 0);
    CU_ASSERT_FALSE(st.last[RC_ACT_INCIDENT_PUT].u.item.flags & RC_ADOPT_HELD);
    story_end(&st);
}

static void
an_approval_of_an_incident_that_is_not_there_is_nothing(void)
{
    struct story st;

    story_begin(&st, 2);
    story_operate(&st, RC_OP_APPROVE, "", 0);
    story_operate(&st, RC_OP_APPROVE, "", 4711);
    CU_ASSERT_STRING_EQUAL(st.trace, "");
    story_end(&st);
}

static void
unknown_words_and_an_empty_node_name_change_nothing(void)
{
    struct story st;

    story_begin(&st, 2);
    uint32_t nodes = st.s->node_count;
    story_operate(&st, RC_OP_UNKNOWN, "n1", 0);
    story_operate(&st, 99, "n1", 0);
    story_operate(&st, RC_OP_HOLD, "", 0);
    CU_ASSERT_EQUAL(st.s->node_count, nodes);
    CU_ASSERT_EQUAL(rc_node_at(st.s, 1)->hold, 0);
    story_end(&st);
}

static void
a_message_that_came_while_paused_stays_in_the_queue_until_its_incident_is_saved(void)
{
    struct story st;

    story_begin(&st, 2);
    story_operate(&st, RC_OP_PAUSE, "", 0);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], 0);
    story_operate(&st, RC_OP_RESUME, "", 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], 1);
    CU_ASSERT_PTR_NOT_NULL(story_incident(&st, "n1"));
    story_end(&st);
}

static void
a_breaker_reset_counts_anew(void)
{
    struct story st;

    story_begin(&st, 8);
    st.policy.limits.breaker.count = 1;
    story_load(&st);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    story_state(&st, "i-2", RC_INST_TERMINATED);
    CU_ASSERT_EQUAL(st.s->breaker_open, 1);
    story_operate(&st, RC_OP_BREAKER_RESET, "", 0);
    CU_ASSERT_EQUAL(st.s->breaker_open, 0);
    story_state(&st, "i-3", RC_INST_TERMINATED);
    CU_ASSERT_EQUAL(st.s->breaker_open, 0);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a hold and its release reach the incident item",
         a_hold_and_its_release_reach_the_incident_item},
        {"an approval of an incident that is not there is nothing",
         an_approval_of_an_incident_that_is_not_there_is_nothing},
        {"unknown words and an empty node name change nothing",
         unknown_words_and_an_empty_node_name_change_nothing},
        {"a message that came while paused stays in the queue until its incident is saved",
         a_message_that_came_while_paused_stays_in_the_queue_until_its_incident_is_saved},
        {"a breaker reset counts anew", a_breaker_reset_counts_anew},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler operator", tests);
}
