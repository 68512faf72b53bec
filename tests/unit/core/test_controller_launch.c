/* A lost controller is launched anew, once, whoever leads and whatever he has seen of it. */
#include "tests/harness/harness.h"

#include <string.h>

#include "reconciler/core/controller.h"
#include "tests/unit/core/pair_story.h"

/* head1 is gone for good and head2 serves. */
static void
lose_head1(struct story *st)
{
    pair_host(st, "head1", RC_PROC_UNKNOWN, RC_TOLD_NOT);
    pair_probe(st, "head1", RC_CTL_UNREACHABLE, 0);
    pair_probe(st, "head2", RC_CTL_PRIMARY, 0);
    if (rc_instance_find(st->s, "i-head1")) {
        story_instance(st, "i-head1", "head1", "10.0.9.1", RC_INST_TERMINATED);
    }
    story_sweep(st);
    story_wait(st, 70000);
}

static void
tell_cluster_history(struct story *st, const struct rc_history *h)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_HISTORY);
    ev.u.history = *h;
    ev.u.history.epoch = 7;
    story_give(st, &ev);
}

static void
a_leader_that_never_saw_the_lost_one_sends_the_same_token(void)
{
    struct story first, second;

    pair_begin(&first);
    pair_is_in_zone(&first, "i-head1", "us-east-1b");
    lose_head1(&first);
    CU_ASSERT_EQUAL(first.last[RC_ACT_LAUNCH].u.launch.option, 1); /* its own zone first */

    pair_begin_alone(&second);
    CU_ASSERT_STRING_EQUAL(first.last[RC_ACT_HISTORY_PUT].node, "");
    tell_cluster_history(&second, &first.last[RC_ACT_HISTORY_PUT].u.history);
    lose_head1(&second);
    CU_ASSERT_EQUAL_FATAL(second.count[RC_ACT_LAUNCH], 1);
    CU_ASSERT_EQUAL(second.last[RC_ACT_LAUNCH].u.launch.option, 1);
    CU_ASSERT_STRING_EQUAL(second.last[RC_ACT_LAUNCH].u.launch.token,
                           first.last[RC_ACT_LAUNCH].u.launch.token);
    story_end(&first);
    story_end(&second);
}

static void
it_goes_on_with_the_option_that_the_one_before_had_come_to(void)
{
    struct story first, second;

    pair_begin(&first);
    pair_is_in_zone(&first, "i-head1", "us-east-1b");
    lose_head1(&first);
    story_answer(&first, RC_ACT_LAUNCH, RC_E_CAPACITY);
    story_wait(&first, 5000);
    CU_ASSERT_EQUAL(first.last[RC_ACT_LAUNCH].u.launch.option, 0);

    pair_begin_alone(&second);
    tell_cluster_history(&second, &first.last[RC_ACT_HISTORY_PUT].u.history);
    lose_head1(&second);
    CU_ASSERT_EQUAL(second.last[RC_ACT_LAUNCH].u.launch.option, 0);
    CU_ASSERT_STRING_EQUAL(second.last[RC_ACT_LAUNCH].u.launch.token,
                           first.last[RC_ACT_LAUNCH].u.launch.token);
    story_end(&first);
    story_end(&second);
}

/* One step that the store does not answer; true: something was launched by it. */
static bool
launches(struct story *st, struct rc_event *ev, uint64_t *ret_put)
{
    bool found = false;

    ev->at_ms = st->at_ms;
    ev->wall_ms = st->wall_ms;
    rc_step(st->s, ev, &st->out);
    for (uint32_t i = 0; i < st->out.count; i++) {
        found = found || st->out.v[i].kind == RC_ACT_LAUNCH;
        *ret_put = st->out.v[i].kind == RC_ACT_HISTORY_PUT ? st->out.v[i].id : *ret_put;
    }
    return found;
}

static void
nothing_is_launched_by_a_plan_that_is_not_stored(void)
{
    struct rc_event ev;
    struct story st;
    uint64_t put = 0;

    pair_begin(&st);
    lose_head1(&st);
    rc_event_init(&ev, RC_EV_COMPLETION);
    ev.u.completion.action = st.last[RC_ACT_LAUNCH].id;
    ev.u.completion.error = RC_E_CAPACITY;
    CU_ASSERT_FALSE(launches(&st, &ev, &put));
    CU_ASSERT_NOT_EQUAL_FATAL(put, 0);
    for (unsigned n = 0; n < 5; n++) {
        st.at_ms += 1000;
        st.wall_ms += 1000;
        rc_event_init(&ev, RC_EV_TICK);
        CU_ASSERT_FALSE(launches(&st, &ev, &put));
    }
    rc_event_init(&ev, RC_EV_COMPLETION);
    ev.u.completion.action = put;
    CU_ASSERT_TRUE(launches(&st, &ev, &put));
    story_end(&st);
}

/* The token was used with other parameters: what that gave shows in EC2's list, or nothing did. */
static void
a_token_that_ec2_refuses_is_not_sent_again(void)
{
    char token[RC_TOKEN_LEN];
    struct story st;

    pair_begin(&st);
    lose_head1(&st);
    memcpy(token, st.last[RC_ACT_LAUNCH].u.launch.token, sizeof token);
    story_answer(&st, RC_ACT_LAUNCH, RC_E_TOKEN_MISMATCH);
    story_wait(&st, st.cluster.poll_instances_ms);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    story_wait(&st, st.cluster.poll_instances_ms + 1000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 2);
    CU_ASSERT_STRING_NOT_EQUAL(st.last[RC_ACT_LAUNCH].u.launch.token, token);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a leader that never saw the lost one sends the same token",
         a_leader_that_never_saw_the_lost_one_sends_the_same_token},
        {"it goes on with the option that the one before had come to",
         it_goes_on_with_the_option_that_the_one_before_had_come_to},
        {"nothing is launched by a plan that is not stored",
         nothing_is_launched_by_a_plan_that_is_not_stored},
        {"a token that EC2 refuses is not sent again", a_token_that_ec2_refuses_is_not_sent_again},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("controller_launch", tests);
}
