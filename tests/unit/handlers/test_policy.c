/* What handlers/policy.c folds, and what it does not. */
#include "tests/harness/harness.h"

#include <string.h>

#include "tests/unit/core/story.h"

static void
an_open_incident_keeps_the_rule_that_it_was_opened_under(void)
{
    struct story st;

    story_begin(&st, 2);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    st.policy.rule[0].rung[0].attempts = 9;
    rc_text_set(st.policy.rule[0].name, RC_RULE_LEN, "another");
    story_load(&st);
    CU_ASSERT_STRING_EQUAL(story_incident(&st, "n1")->rule.name, "replace-all");
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->rule.rung[0].attempts, 2);
    story_state(&st, "i-2", RC_INST_TERMINATED);
    CU_ASSERT_STRING_EQUAL(story_incident(&st, "n2")->rule.name, "another");
    story_end(&st);
}

static void
new_limits_hold_at_once_and_what_they_held_back_is_looked_at_again(void)
{
    struct story st;
    struct rc_event ev;

    story_begin(&st, 8);
    for (int i = 0; i < RC_SCOPE__MAX; i++) {
        st.policy.limits.out[i].count = 1;
    }
    story_load(&st);
    for (unsigned i = 1; i <= 2; i++) {
        rc_event_init(&ev, RC_EV_INSTANCE_STATUS);
        snprintf(ev.instance, sizeof ev.instance, "i-%u", i);
        ev.u.status.system = RC_CHECK_IMPAIRED;
        story_give(&st, &ev);
    }
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1);
    for (int i = 0; i < RC_SCOPE__MAX; i++) {
        st.policy.limits.out[i].count = 2;
    }
    story_load(&st);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 2);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"an open incident keeps the rule that it was opened under",
         an_open_incident_keeps_the_rule_that_it_was_opened_under},
        {"new limits hold at once and what they held back is looked at again",
         new_limits_hold_at_once_and_what_they_held_back_is_looked_at_again},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler policy", tests);
}
