/* The main job as the core sees it: from a fault to a node back in service. */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/core/story.h"

static void
expect_trace(struct story *st, const char *want)
{
    CU_ASSERT_STRING_EQUAL(st->trace, want);
    if (strcmp(st->trace, want) != 0) {
        printf("#   want %s\n#   got  %s\n", want, st->trace);
    }
    story_clear(st);
}

/* From a drained idle node to service, for stories that end well. */
static void
finish_replacement(struct story *st, const char *node, const char *addr)
{
    story_answer(st, RC_ACT_REGISTER, RC_OK);
    story_wait(st, 100);
    story_node(st, node, addr, RC_SN_DRAIN, RC_OWNER_OURS);
    story_wait(st, 100);
    story_node(st, node, addr, RC_SN_DRAIN, RC_OWNER_OURS);
    story_answer(st, RC_ACT_GATE, RC_OK);
    story_answer(st, RC_ACT_RESUME, RC_OK);
    story_wait(st, 100);
    story_node(st, node, addr, 0, RC_OWNER_NONE);
}

static void
terminated_instance_is_replaced_and_the_node_serves_again(void)
{
    struct story st;

    story_begin(&st, 3);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    expect_trace(&st, "n1=open;n1=protect;slurm.drain;message.delete;");
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_ALLOCATED, RC_OWNER_OURS);
    expect_trace(&st, "n1=wait-idle;slurm.down;");
    story_answer(&st, RC_ACT_DOWN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    expect_trace(&st, "n1=launch;ec2.launch;");
    story_launched(&st, "i-9", "10.0.0.9");
    expect_trace(&st, "n1=boot;ec2.look;");
    story_state(&st, "i-9", RC_INST_RUNNING);
    expect_trace(&st, "n1=register;register;message.delete;");
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_REGISTER].u.reg.addr, "10.0.0.9");
    finish_replacement(&st, "n1", "10.0.0.9");
    expect_trace(&st, "n1=join;n1=gate;gate;n1=return;slurm.resume;n1=closed;");
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    CU_ASSERT_EQUAL(st.s->open_incidents, 0);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->out, 0);
    story_end(&st);
}

static void
a_node_that_is_silent_right_after_its_resume_is_waited_for(void)
{
    struct story st;

    story_begin(&st, 3);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_ALLOCATED, RC_OWNER_OURS);
    story_answer(&st, RC_ACT_DOWN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    story_launched(&st, "i-9", "10.0.0.9");
    story_state(&st, "i-9", RC_INST_RUNNING);
    story_answer(&st, RC_ACT_REGISTER, RC_OK);
    story_wait(&st, 100);
    story_node(&st, "n1", "10.0.0.9", RC_SN_DRAIN, RC_OWNER_OURS);
    story_wait(&st, 100);
    story_node(&st, "n1", "10.0.0.9", RC_SN_DRAIN, RC_OWNER_OURS);
    story_answer(&st, RC_ACT_GATE, RC_OK);
    story_answer(&st, RC_ACT_RESUME, RC_OK);
    story_clear(&st);
    story_wait(&st, 100);
    story_node(&st, "n1", "10.0.0.9", RC_SN_NOT_RESPONDING, RC_OWNER_NONE);
    expect_trace(&st, "");
    story_wait(&st, 100);
    story_node(&st, "n1", "10.0.0.9", 0, RC_OWNER_NONE);
    expect_trace(&st, "n1=closed;");
    story_end(&st);
}

static void
same_message_again_does_nothing_and_is_given_back(void)
{
    struct story st;
    struct rc_event ev;

    story_begin(&st, 2);
    rc_event_init(&ev, RC_EV_EC2_STATE_CHANGE);
    rc_text_set(ev.instance, sizeof ev.instance, "i-1");
    ev.u.state_change.state = RC_INST_TERMINATED;
    story_message(&st, 77, &ev);
    expect_trace(&st, "n1=open;n1=protect;slurm.drain;message.delete;");
    story_message(&st, 77, &ev);
    expect_trace(&st, "message.delete;");
    CU_ASSERT_EQUAL(st.s->counters.duplicates, 1);
    story_end(&st);
}

static void
a_message_waits_until_its_incident_item_is_saved(void)
{
    struct story st;
    struct rc_event ev, part;

    story_begin(&st, 2);
    rc_event_init(&ev, RC_EV_MESSAGE);
    ev.msg = ++st.msg;
    ev.u.message.parts = 1;
    ev.at_ms = st.at_ms += 10;
    rc_step(st.s, &ev, &st.out);
    rc_event_init(&part, RC_EV_EC2_STATE_CHANGE);
    rc_text_set(part.instance, sizeof part.instance, "i-1");
    part.u.state_change.state = RC_INST_TERMINATED;
    part.msg = ev.msg;
    part.at_ms = st.at_ms;
    rc_step(st.s, &part, &st.out);
    uint64_t put = 0;
    for (uint32_t i = 0; i < st.out.count; i++) {
        CU_ASSERT_NOT_EQUAL(st.out.v[i].kind, RC_ACT_MESSAGE_DELETE);
        put = st.out.v[i].kind == RC_ACT_INCIDENT_PUT ? st.out.v[i].id : put;
    }
    CU_ASSERT_NOT_EQUAL(put, 0);
    rc_event_init(&ev, RC_EV_COMPLETION);
    ev.u.completion.action = put;
    ev.at_ms = st.at_ms;
    rc_step(st.s, &ev, &st.out);
    CU_ASSERT_EQUAL(st.out.count, 1);
    CU_ASSERT_EQUAL(st.out.v[0].kind, RC_ACT_MESSAGE_DELETE);
    story_end(&st);
}

static void
busy_node_is_drained_and_left_alone_until_its_job_ends(void)
{
    struct story st;
    struct rc_event ev;

    story_begin(&st, 2);
    rc_event_init(&ev, RC_EV_AWS_HEALTH);
    rc_text_set(ev.instance, sizeof ev.instance, "i-1");
    ev.u.health.category = RC_HEALTH_SCHEDULED_CHANGE;
    ev.u.health.schedule = RC_SCHED_RETIREMENT;
    ev.u.health.status = RC_HSTAT_OPEN;
    ev.u.health.start_wall_ms = st.wall_ms + 3600 * 1000;
    st.policy.rule[0].lead_ms = 2 * 3600 * 1000;
    story_load(&st);
    story_message(&st, 1, &ev);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_ALLOCATED, RC_OWNER_OURS);
    story_clear(&st);
    story_wait(&st, 300000);
    expect_trace(&st, "");
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_COMPLETING, RC_OWNER_OURS);
    expect_trace(&st, "");
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_OURS);
    expect_trace(&st, "n1=launch;ec2.launch;");
    story_launched(&st, "i-9", "10.0.0.9");
    story_state(&st, "i-9", RC_INST_RUNNING);
    story_clear(&st);
    finish_replacement(&st, "n1", "10.0.0.9");
    expect_trace(&st, "n1=join;n1=gate;gate;n1=return;slurm.resume;n1=retire;ec2.terminate;");
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_TERMINATE].instance, "i-1");
    story_answer(&st, RC_ACT_TERMINATE, RC_OK);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    story_end(&st);
}

static void
drain_of_an_operator_is_not_overwritten(void)
{
    struct story st;

    story_begin(&st, 2);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_FOREIGN);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    expect_trace(&st, "n1=open;message.delete;");
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->block, RC_BLOCK_FOREIGN);
    story_wait(&st, 600000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN] + st.count[RC_ACT_DOWN] + st.count[RC_ACT_LAUNCH], 0);
    story_end(&st);
}

static void
third_subnet_launches_when_two_have_no_capacity(void)
{
    struct story st;
    char tokens[3][RC_TOKEN_LEN];

    story_begin(&st, 2);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(st.last[RC_ACT_LAUNCH].u.launch.option, (uint32_t)i);
        memcpy(tokens[i], st.last[RC_ACT_LAUNCH].u.launch.token, RC_TOKEN_LEN);
        story_answer(&st, RC_ACT_LAUNCH, RC_E_CAPACITY);
    }
    CU_ASSERT_STRING_NOT_EQUAL(tokens[0], tokens[1]);
    CU_ASSERT_STRING_NOT_EQUAL(tokens[1], tokens[2]);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 3);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->block, RC_BLOCK_CAPACITY);
    story_wait(&st, 61000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 4);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_LAUNCH].u.launch.token, tokens[0]);
    story_end(&st);
}

static void
lost_answer_of_a_launch_is_retried_with_the_same_token(void)
{
    struct story st;
    char token[RC_TOKEN_LEN];

    story_begin(&st, 2);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    memcpy(token, st.last[RC_ACT_LAUNCH].u.launch.token, sizeof token);
    story_answer(&st, RC_ACT_LAUNCH, RC_E_TIMEOUT);
    story_wait(&st, 5000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 2);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_LAUNCH].u.launch.token, token);
    story_end(&st);
}

static void
replacement_that_never_joins_is_ended_and_tried_again_with_a_new_token(void)
{
    struct story st;
    char token[RC_TOKEN_LEN];

    story_begin(&st, 2);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    memcpy(token, st.last[RC_ACT_LAUNCH].u.launch.token, sizeof token);
    story_launched(&st, "i-9", "10.0.0.9");
    story_state(&st, "i-9", RC_INST_RUNNING);
    story_answer(&st, RC_ACT_REGISTER, RC_OK);
    story_node(&st, "n1", "10.0.0.9", RC_SN_DRAIN | RC_SN_DOWN | RC_SN_NOT_RESPONDING,
               RC_OWNER_OURS);
    story_clear(&st);
    story_wait(&st, 301000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_TERMINATE].instance, "i-9");
    story_state(&st, "i-9", RC_INST_TERMINATED);
    story_node(&st, "n1", "10.0.0.9", RC_SN_DRAIN | RC_SN_DOWN | RC_SN_NOT_RESPONDING,
               RC_OWNER_OURS);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    CU_ASSERT_STRING_NOT_EQUAL(st.last[RC_ACT_LAUNCH].u.launch.token, token);
    story_end(&st);
}

/* A row that shows the new address, and a slurmd that came up then. */
static void
show_slurmd(struct story *st, const char *addr, int64_t start_wall_ms)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_SLURM_NODE);
    rc_text_set(ev.node, sizeof ev.node, "n1");
    rc_text_set(ev.u.slurm.addr, RC_ADDR_LEN, addr);
    rc_text_set(ev.u.slurm.partition, RC_PARTITION_LEN, "gpu");
    ev.u.slurm.flags = RC_SN_DRAIN;
    ev.u.slurm.owner = RC_OWNER_OURS;
    ev.u.slurm.reason_incident = story_incident(st, "n1")->id;
    ev.u.slurm.boot_wall_ms = ev.u.slurm.slurmd_start_wall_ms = start_wall_ms;
    story_give(st, &ev);
}

/* Two hosts were lost one after the other: the slurmd of the first is three seconds old when the
 * second is launched, and its row is what slurmctld shows under the new address. */
static void
a_slurmd_that_was_there_before_the_launch_is_not_the_new_one(void)
{
    struct story st;

    story_begin(&st, 2);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    story_launched(&st, "i-9", "10.0.0.9");
    int64_t launched_wall_ms = st.wall_ms;
    story_state(&st, "i-9", RC_INST_RUNNING);
    story_answer(&st, RC_ACT_REGISTER, RC_OK);
    show_slurmd(&st, "10.0.0.9", launched_wall_ms - 3000);
    story_wait(&st, 500);
    show_slurmd(&st, "10.0.0.9", launched_wall_ms - 3000);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_JOIN);
    CU_ASSERT_EQUAL(st.count[RC_ACT_GATE], 0);
    show_slurmd(&st, "10.0.0.9", launched_wall_ms + 400);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_GATE);
    story_end(&st);
}

/* Our clock is set an hour ahead of EC2's. */
static void
a_replacement_boots_in_peace_whatever_our_wall_clock_says(void)
{
    struct story st;

    story_begin(&st, 2);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    story_launched(&st, "i-9", "");
    st.wall_ms += 3600000;
    story_wait(&st, 200000);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_BOOT);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 0);
    story_wait(&st, 200000); /* not for ever */
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 1);
    story_end(&st);
}

/* EC2 and the node are of one mind about the time; ours is set right after the launch. */
static void
a_slurmd_of_after_the_launch_has_joined_whatever_our_wall_clock_said(void)
{
    struct story st;

    story_begin(&st, 2);
    int64_t ahead_ms = 3600000;
    st.wall_ms += ahead_ms;
    story_state(&st, "i-1", RC_INST_TERMINATED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    st.wall_ms -= ahead_ms;
    story_launched(&st, "i-9", "10.0.0.9");
    int64_t launched_wall_ms = st.wall_ms;
    story_state(&st, "i-9", RC_INST_RUNNING);
    story_answer(&st, RC_ACT_REGISTER, RC_OK);
    show_slurmd(&st, "10.0.0.9", launched_wall_ms - 3000);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_JOIN);
    show_slurmd(&st, "10.0.0.9", launched_wall_ms + 20000);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_GATE);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a terminated instance is replaced and the node serves again",
         terminated_instance_is_replaced_and_the_node_serves_again},
        {"a node that is silent right after its resume is waited for",
         a_node_that_is_silent_right_after_its_resume_is_waited_for},
        {"the same message again does nothing and is given back",
         same_message_again_does_nothing_and_is_given_back},
        {"a message waits until its incident item is saved",
         a_message_waits_until_its_incident_item_is_saved},
        {"a busy node is drained and left alone until its job ends",
         busy_node_is_drained_and_left_alone_until_its_job_ends},
        {"a drain of an operator is not overwritten", drain_of_an_operator_is_not_overwritten},
        {"the third subnet launches when two have no capacity",
         third_subnet_launches_when_two_have_no_capacity},
        {"a lost answer of a launch is retried with the same token",
         lost_answer_of_a_launch_is_retried_with_the_same_token},
        {"a slurmd that was there before the launch is not the new one",
         a_slurmd_that_was_there_before_the_launch_is_not_the_new_one},
        {"a slurmd of after the launch has joined, whatever our wall clock said",
         a_slurmd_of_after_the_launch_has_joined_whatever_our_wall_clock_said},
        {"a replacement boots in peace, whatever our wall clock says",
         a_replacement_boots_in_peace_whatever_our_wall_clock_says},
        {"a replacement that never joins is ended and tried again with a new token",
         replacement_that_never_joins_is_ended_and_tried_again_with_a_new_token},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("repair", tests);
}
