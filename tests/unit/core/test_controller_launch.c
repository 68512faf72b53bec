/* A lost controller is launched anew, once, whoever leads and whatever he has seen of it. */
#include "tests/harness/harness.h"

#include <string.h>

#include "reconciler/core/controller.h"
#include "tests/unit/core/pair_story.h"

/* head1 is lost and head2 serves. */
static void
fail_over(struct story *st)
{
    pair_cut_off(st);
    pair_probe(st, "head2", RC_CTL_PRIMARY, 0);
}

/* head1 is gone for good. */
static void
lose_head1(struct story *st)
{
    fail_over(st);
    if (rc_instance_find(st->s, "i-head1")) {
        story_instance(st, "i-head1", "head1", "10.0.9.1", RC_INST_TERMINATED);
    }
    story_sweep(st);
    story_wait(st, 70000);
}

static void
a_lost_controller_is_started_then_launched_anew(void)
{
    struct story st;

    pair_begin(&st);
    fail_over(&st);
    story_instance(&st, "i-head1", "head1", "10.0.9.1", RC_INST_STOPPED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_START], 1);
    story_answer(&st, RC_ACT_START, RC_E_SERVER);
    story_instance(&st, "i-head1", "head1", "10.0.9.1", RC_INST_TERMINATED);
    story_sweep(&st);
    story_wait(&st, 70000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    CU_ASSERT_EQUAL(st.last[RC_ACT_LAUNCH].u.launch.option, 0); /* the same zone first */
    story_answer(&st, RC_ACT_LAUNCH, RC_E_CAPACITY);
    story_wait(&st, 5000);
    CU_ASSERT_EQUAL(st.last[RC_ACT_LAUNCH].u.launch.option, 1); /* the other one, at once */
    story_launched(&st, "i-head1b", "10.0.9.8");
    story_instance(&st, "i-head1b", "head1", "10.0.9.8", RC_INST_RUNNING);
    story_wait(&st, 20000);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_REGISTER].u.reg.addr, "10.0.9.8");
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_REGISTER].node, "head1");
    story_end(&st);
}

/* A person may have started it meanwhile, and a pass shows that late: two of one name. */
static void
where_its_zone_is_full_it_is_started_before_each_launch_elsewhere(void)
{
    struct story st;

    pair_begin(&st);
    fail_over(&st);
    story_instance(&st, "i-head1", "head1", "10.0.9.1", RC_INST_STOPPED);
    story_answer(&st, RC_ACT_START, RC_E_CAPACITY);
    CU_ASSERT_EQUAL_FATAL(st.count[RC_ACT_LAUNCH], 1); /* at once: it was off a moment ago */
    story_answer(&st, RC_ACT_LAUNCH, RC_E_CAPACITY);
    story_wait(&st, st.policy.timeouts.capacity_wait_ms + 1000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_START], 2);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    story_answer(&st, RC_ACT_START, RC_OK);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    story_end(&st);
}

static void
a_start_that_was_accepted_is_not_asked_for_again(void)
{
    struct story st;

    pair_begin(&st);
    fail_over(&st);
    story_instance(&st, "i-head1", "head1", "10.0.9.1", RC_INST_STOPPED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_START], 1);
    story_answer(&st, RC_ACT_START, RC_OK);
    story_wait(&st, st.cluster.poll_instances_ms - 1000); /* EC2 still shows it stopped */
    CU_ASSERT_EQUAL(st.count[RC_ACT_START], 1);
    story_end(&st);
}

/* The token of a launch gives the same instance for ever, also when it has ended meanwhile. */
static void
a_launch_that_gives_a_dead_instance_is_asked_for_with_another_token(void)
{
    struct story st;
    struct rc_event ev;
    char token[RC_TOKEN_LEN];

    pair_begin(&st);
    lose_head1(&st);
    memcpy(token, st.last[RC_ACT_LAUNCH].u.launch.token, sizeof token);
    rc_event_init(&ev, RC_EV_COMPLETION);
    ev.u.completion.action = st.last[RC_ACT_LAUNCH].id;
    rc_text_set(ev.u.completion.instance, RC_ID_LEN, "i-before");
    ev.u.completion.launched.state = RC_INST_TERMINATED;
    ev.u.completion.launched.ours = 1;
    rc_text_set(ev.u.completion.launched.node, RC_NODE_LEN, "head1");
    story_give(&st, &ev);
    story_wait(&st, 5000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 2);
    CU_ASSERT_STRING_NOT_EQUAL(st.last[RC_ACT_LAUNCH].u.launch.token, token);
    story_end(&st);
}

/* The answer is lost: asked again in the same place, by the same token, so that it is one. */
static void
a_launch_without_an_answer_is_asked_for_again_in_the_same_zone(void)
{
    struct story st;
    struct rc_action first;

    pair_begin(&st);
    pair_is_in_zone(&st, "i-head1", "us-east-1b");
    lose_head1(&st);
    first = st.last[RC_ACT_LAUNCH];
    CU_ASSERT_EQUAL(first.u.launch.option, 1);
    story_wait(&st, first.deadline_ms - first.at_ms + 20000);
    CU_ASSERT_TRUE(st.count[RC_ACT_LAUNCH] >= 2);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_LAUNCH].u.launch.token, first.u.launch.token);
    story_end(&st);
}

/* EC2 forgets the lost one at last, and with it the zone: another zone is another token. */
static void
a_launched_controller_that_is_not_listed_yet_is_waited_for(void)
{
    struct story st;
    struct rc_event ev;

    pair_begin(&st);
    lose_head1(&st);
    story_launched(&st, "i-head1b", "");
    st.wall_ms += 3600000; /* whatever our wall clock says */
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    for (unsigned n = 0; n < 2; n++) {
        rc_event_init(&ev, RC_EV_INSTANCE);
        rc_text_set(ev.instance, RC_ID_LEN, n ? "i-head1b" : "i-head1");
        ev.u.described.absent = 1;
        story_give(&st, &ev);
    }
    story_wait(&st, 20000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    story_wait(&st, 600000); /* it never shows itself: lost as well */
    rc_event_init(&ev, RC_EV_INSTANCE);
    rc_text_set(ev.instance, RC_ID_LEN, "i-head1b");
    ev.u.described.absent = 1;
    story_give(&st, &ev);
    CU_ASSERT_EQUAL(rc_pair_instances(st.s, 0), 0);
    story_end(&st);
}

static void
one_at_a_new_address_is_registered_once_and_is_backup(void)
{
    struct story st;
    struct rc_event ev;

    pair_begin(&st);
    fail_over(&st);
    story_instance(&st, "i-head1", "head1", "10.0.9.1", RC_INST_TERMINATED);
    story_instance(&st, "i-head1b", "head1", "10.0.9.8", RC_INST_RUNNING);
    CU_ASSERT_EQUAL(st.count[RC_ACT_REGISTER], 1);
    CU_ASSERT_FALSE(rc_pair_usable(st.s, 0));
    story_answer(&st, RC_ACT_REGISTER, RC_OK);
    rc_event_init(&ev, RC_EV_CONTROLLER_PROBE); /* slurm.conf names the new address now */
    rc_text_set(ev.node, sizeof ev.node, "head1");
    rc_text_set(ev.u.probe.addr, RC_ADDR_LEN, "10.0.9.8");
    ev.u.probe.mode = RC_CTL_REFUSED;
    story_give(&st, &ev);
    pair_host(&st, "head1", RC_PROC_NONE, RC_TOLD_NO);
    story_wait(&st, 300000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_REGISTER], 1);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 0);
    CU_ASSERT_TRUE(rc_pair_usable(st.s, 0));
    CU_ASSERT_TRUE(rc_pair_serves(&st.s->pair, 1));
    story_end(&st);
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
    story_history(&second, "", &first.last[RC_ACT_HISTORY_PUT].u.history, 7);
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
    story_history(&second, "", &first.last[RC_ACT_HISTORY_PUT].u.history, 7);
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
        {"a lost controller is started, then launched anew",
         a_lost_controller_is_started_then_launched_anew},
        {"where its zone is full it is started before each launch elsewhere",
         where_its_zone_is_full_it_is_started_before_each_launch_elsewhere},
        {"a start that was accepted is not asked for again",
         a_start_that_was_accepted_is_not_asked_for_again},
        {"a launch that gives a dead instance is asked for with another token",
         a_launch_that_gives_a_dead_instance_is_asked_for_with_another_token},
        {"a launch without an answer is asked for again in the same zone",
         a_launch_without_an_answer_is_asked_for_again_in_the_same_zone},
        {"a launched controller that is not listed yet is waited for",
         a_launched_controller_that_is_not_listed_yet_is_waited_for},
        {"one at a new address is registered once and is backup",
         one_at_a_new_address_is_registered_once_and_is_backup},
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
