/* What was decided is looked at once more when it is sent. */
#include "tests/harness/harness.h"

#include <string.h>

#include "reconciler/core/step.h"
#include "tests/unit/core/story.h"

static struct story st;
static const char *why;

static struct rc_action
action_on(const char *node, const char *instance, enum rc_action_kind kind)
{
    struct rc_action a;

    memset(&a, 0, sizeof a);
    a.kind = kind;
    a.deadline_ms = st.at_ms + 5000;
    rc_text_set(a.node, sizeof a.node, node);
    rc_text_set(a.instance, sizeof a.instance, instance);
    return a;
}

static enum rc_err
look(const struct rc_action *a)
{
    return rc_last_look(st.s, a, st.at_ms, &why);
}

static void
what_nothing_speaks_against_is_sent(void)
{
    story_begin(&st, 2);
    struct rc_action a = action_on("n1", "i-1", RC_ACT_TERMINATE);
    CU_ASSERT_EQUAL(look(&a), RC_OK);
    CU_ASSERT_STRING_EQUAL(why, "");
    story_end(&st);
}

static void
a_node_that_is_held_meanwhile_is_left_alone(void)
{
    story_begin(&st, 2);
    struct rc_action a = action_on("n1", "i-1", RC_ACT_REBOOT);
    struct rc_action other = action_on("n2", "i-2", RC_ACT_REBOOT);
    story_operate(&st, RC_OP_HOLD, "n1", 0);
    CU_ASSERT_EQUAL(look(&a), RC_E_CANCELLED);
    CU_ASSERT_EQUAL(look(&other), RC_OK);
    story_operate(&st, RC_OP_RELEASE, "n1", 0);
    CU_ASSERT_EQUAL(look(&a), RC_OK);
    story_operate(&st, RC_OP_PAUSE, "", 0);
    CU_ASSERT_EQUAL(look(&a), RC_E_CANCELLED);
    story_end(&st);
}

static void
a_node_that_somebody_drained_meanwhile_is_not_set_down(void)
{
    story_begin(&st, 2);
    struct rc_action a = action_on("n1", "i-1", RC_ACT_DOWN);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_OURS);
    CU_ASSERT_EQUAL(look(&a), RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_FOREIGN);
    CU_ASSERT_EQUAL(look(&a), RC_E_CANCELLED);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "somebody else"));
    story_end(&st);
}

static void
an_instance_that_serves_another_name_by_now_is_left_alone(void)
{
    story_begin(&st, 2);
    struct rc_action a = action_on("n2", "i-1", RC_ACT_TERMINATE);
    CU_ASSERT_EQUAL(look(&a), RC_E_CANCELLED);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "serves another node"));
    a = action_on("n2", "i-1", RC_ACT_STOP);
    CU_ASSERT_EQUAL(look(&a), RC_E_CANCELLED);
    a = action_on("n2", "i-2", RC_ACT_TERMINATE);
    CU_ASSERT_EQUAL(look(&a), RC_OK);
    story_end(&st);
}

static void
an_instance_under_a_new_job_is_left_alone_and_the_replaced_one_is_not(void)
{
    story_begin(&st, 2);
    struct rc_action serving = action_on("n1", "i-1", RC_ACT_TERMINATE);
    struct rc_action replaced = action_on("n1", "i-9", RC_ACT_TERMINATE);
    struct rc_action launch = action_on("n1", "i-1", RC_ACT_LAUNCH);
    story_node(&st, "n1", "10.0.0.1", RC_SN_ALLOCATED, RC_OWNER_NONE);
    CU_ASSERT_EQUAL(look(&serving), RC_E_CANCELLED);
    CU_ASSERT_EQUAL(look(&replaced), RC_OK);
    CU_ASSERT_EQUAL(look(&launch), RC_OK);
    story_end(&st);
}

static void
what_is_older_than_its_deadline_or_the_lease_is_not_sent(void)
{
    story_begin(&st, 2);
    struct rc_action stop = action_on("n1", "i-1", RC_ACT_STOP);
    struct rc_action drain = action_on("n1", "i-1", RC_ACT_DRAIN);
    struct rc_action question = action_on("n1", "i-1", RC_ACT_LOOK);
    CU_ASSERT_EQUAL(rc_last_look(st.s, &stop, stop.deadline_ms, &why), RC_E_CANCELLED);
    CU_ASSERT_EQUAL(rc_last_look(st.s, &drain, drain.deadline_ms, &why), RC_OK);
    int64_t late_ms = st.s->lease_until_ms - st.s->cluster.lease_margin_ms;
    CU_ASSERT_EQUAL(rc_last_look(st.s, &drain, late_ms, &why), RC_E_NO_LEASE);
    CU_ASSERT_EQUAL(rc_last_look(st.s, &question, late_ms, &why), RC_OK);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a node that somebody drained meanwhile is not set down",
         a_node_that_somebody_drained_meanwhile_is_not_set_down},
        {"an instance that serves another name by now is left alone",
         an_instance_that_serves_another_name_by_now_is_left_alone},
        {"what nothing speaks against is sent", what_nothing_speaks_against_is_sent},
        {"a node that is held meanwhile is left alone",
         a_node_that_is_held_meanwhile_is_left_alone},
        {"an instance under a new job is left alone, and the replaced one is not",
         an_instance_under_a_new_job_is_left_alone_and_the_replaced_one_is_not},
        {"what is older than its deadline or the lease is not sent",
         what_is_older_than_its_deadline_or_the_lease_is_not_sent},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("last look", tests);
}
