/* What handlers/completion.c folds, and what it does not. */
#include "tests/harness/harness.h"

#include <string.h>

#include "tests/unit/core/story.h"

/* n1's instance is gone, the node is drained and down: a launch is in flight. */
static void
begin_launch(struct story *st)
{
    story_begin(st, 4);
    story_state(st, "i-1", RC_INST_TERMINATED);
    story_answer(st, RC_ACT_DRAIN, RC_OK);
    story_node(st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    CU_ASSERT_EQUAL_FATAL(st->count[RC_ACT_LAUNCH], 1);
}

static void
answer_id(struct story *st, uint64_t id, uint32_t error)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_COMPLETION);
    ev.u.completion.action = id;
    ev.u.completion.error = error;
    story_give(st, &ev);
}

static void
an_answer_for_an_action_that_nobody_awaits_is_dropped_and_counted(void)
{
    struct story st;

    story_begin(&st, 2);
    answer_id(&st, 4711, RC_OK);
    CU_ASSERT_EQUAL(st.s->counters.late_completions, 1);
    answer_id(&st, 0, RC_OK);
    CU_ASSERT_EQUAL(st.s->counters.late_completions, 1);
    CU_ASSERT_STRING_EQUAL(st.trace, "");
    story_end(&st);
}

static void
the_same_answer_again_is_late(void)
{
    struct story st;

    begin_launch(&st);
    story_launched(&st, "i-9", "10.0.0.9");
    story_launched(&st, "i-8", "10.0.0.8");
    CU_ASSERT_EQUAL(st.s->counters.late_completions, 1);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->new_instance, rc_instance_find(st.s, "i-9"));
    CU_ASSERT_EQUAL(rc_instance_find(st.s, "i-8"), 0);
    story_end(&st);
}

static void
a_refused_token_is_looked_for_in_two_sweeps_before_a_new_one_is_tried(void)
{
    struct story st;

    begin_launch(&st);
    story_answer(&st, RC_ACT_LAUNCH, RC_E_TOKEN_MISMATCH);
    story_wait(&st, 100000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    story_sweep(&st);
    story_sweep(&st);
    story_wait(&st, 31000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 2);
    CU_ASSERT_EQUAL(st.last[RC_ACT_LAUNCH].u.launch.attempt, 2);
    CU_ASSERT_FALSE(story_incident(&st, "n1")->flags & RC_INC_MISMATCH);
    story_end(&st);
}

static void
no_capacity_anywhere_is_no_launch_and_no_other_repair(void)
{
    struct story st;

    begin_launch(&st);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 3; i++) {
            story_answer(&st, RC_ACT_LAUNCH, RC_E_CAPACITY);
        }
        story_wait(&st, 61000);
    }
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 13);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->launches.count, 1);
    CU_ASSERT_EQUAL(rc_node_at(st.s, 1)->repair_count, 1);
    story_end(&st);
}

static void
the_same_token_again_is_counted_once(void)
{
    struct story st;

    begin_launch(&st);
    for (int i = 0; i < 5; i++) {
        story_answer(&st, RC_ACT_LAUNCH, RC_E_TIMEOUT);
        story_wait(&st, 61000);
    }
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 6);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->launches.count, 1);
    story_end(&st);
}

static void
a_drain_that_slurmctld_keeps_under_foreign_words_is_not_repeated_at_once(void)
{
    struct story st;

    story_begin(&st, 2);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    story_answer(&st, RC_ACT_DRAIN, RC_E_FOREIGN);
    CU_ASSERT_EQUAL(rc_node_at(st.s, 1)->owner, RC_OWNER_NONE); /* a poll has not shown it */
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1);
    story_wait(&st, 61000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 2);
    story_end(&st);
}

/* Slurm's own words stand there ("Not responding"), and the writer undoes only ours. */
static void
a_refused_return_makes_no_person_of_slurmctld(void)
{
    struct story st;
    struct rc_event ev;

    story_begin(&st, 2);
    rc_event_init(&ev, RC_EV_ADOPT);
    rc_text_set(ev.node, sizeof ev.node, "n1");
    ev.u.adopt.incident = 3;
    ev.u.adopt.fault = RC_FAULT_INSTANCE_GONE;
    ev.u.adopt.phase = RC_PHASE_RETURN;
    ev.u.adopt.attempt = 1;
    rc_text_set(ev.u.adopt.old_instance, RC_ID_LEN, "i-1");
    rc_text_set(ev.u.adopt.rule, RC_RULE_LEN, st.policy.rule[0].name);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_OURS);
    story_give(&st, &ev);
    CU_ASSERT_EQUAL_FATAL(st.count[RC_ACT_RESUME], 1);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DOWN | RC_SN_NOT_RESPONDING, RC_OWNER_SLURM);
    story_answer(&st, RC_ACT_RESUME, RC_E_FOREIGN);
    CU_ASSERT_EQUAL(rc_node_at(st.s, 1)->owner, RC_OWNER_SLURM);
    CU_ASSERT_EQUAL_FATAL(story_incident(&st, "n1") != NULL, 1);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_RETURN);
    story_wait(&st, st.policy.timeouts.return_ms + 1000);
    CU_ASSERT_EQUAL_FATAL(story_incident(&st, "n1") != NULL, 1);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_PROTECT);
    story_end(&st);
}

static void
an_instance_that_is_not_ours_any_more_ends_the_try_not_the_owner_of_the_drain(void)
{
    struct story st;

    story_begin(&st, 2);
    st.policy.rule[0].rung[0].kind = RC_RUNG_REBOOT;
    st.policy.rule[0].rung[0].attempts = 1;
    story_load(&st);
    rc_instance_at(st.s, 1)->faults.system = RC_CHECK_IMPAIRED;
    story_node(&st, "n1", "10.0.0.1", 0, RC_OWNER_NONE);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_OURS);
    CU_ASSERT_EQUAL_FATAL(st.count[RC_ACT_REBOOT], 1);
    story_answer(&st, RC_ACT_REBOOT, RC_E_FOREIGN);
    CU_ASSERT_EQUAL(rc_node_at(st.s, 1)->owner, RC_OWNER_OURS);
    CU_ASSERT_EQUAL(st.count[RC_ACT_REBOOT], 1);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_QUARANTINE);
    story_end(&st);
}

static void
a_requeue_that_could_not_be_told_is_repeated_with_growing_pauses(void)
{
    struct story st;

    story_begin(&st, 2);
    st.policy.rule[0].jobs = (struct rc_jobs_plan){.mode = RC_JOBS_REQUEUE};
    story_load(&st);
    rc_instance_at(st.s, 1)->faults.system = RC_CHECK_IMPAIRED;
    story_node(&st, "n1", "10.0.0.1", RC_SN_ALLOCATED, RC_OWNER_NONE);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_ALLOCATED, RC_OWNER_OURS);
    for (int i = 0; i < 20; i++) {
        story_answer(&st, RC_ACT_JOBS_REQUEUE, RC_E_SLURM_DOWN);
        story_wait(&st, 1000);
    }
    CU_ASSERT_TRUE(st.count[RC_ACT_JOBS_REQUEUE] > 1);
    CU_ASSERT_TRUE(st.count[RC_ACT_JOBS_REQUEUE] < 10);
    story_end(&st);
}

static void
a_down_that_was_accepted_is_not_repeated_before_its_time(void)
{
    struct story st;

    story_begin(&st, 2);
    story_state(&st, "i-2", RC_INST_RUNNING);
    rc_instance_at(st.s, 1)->faults.schedule = RC_SCHED_RETIREMENT;
    story_node(&st, "n1", "10.0.0.1", RC_SN_ALLOCATED, RC_OWNER_NONE);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_ALLOCATED, RC_OWNER_OURS);
    story_wait(&st, 3600000);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    for (int i = 0; i < 10; i++) {
        story_answer(&st, RC_ACT_DOWN, RC_OK);
    }
    CU_ASSERT_EQUAL(st.count[RC_ACT_DOWN], 1);
    story_wait(&st, 21000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DOWN], 2);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"an answer for an action that nobody awaits is dropped and counted",
         an_answer_for_an_action_that_nobody_awaits_is_dropped_and_counted},
        {"the same answer again is late", the_same_answer_again_is_late},
        {"a refused token is looked for in two sweeps before a new one is tried",
         a_refused_token_is_looked_for_in_two_sweeps_before_a_new_one_is_tried},
        {"no capacity anywhere is no launch and no other repair",
         no_capacity_anywhere_is_no_launch_and_no_other_repair},
        {"the same token again is counted once", the_same_token_again_is_counted_once},
        {"a drain that slurmctld keeps under foreign words is not repeated at once",
         a_drain_that_slurmctld_keeps_under_foreign_words_is_not_repeated_at_once},
        {"a refused return makes no person of slurmctld",
         a_refused_return_makes_no_person_of_slurmctld},
        {"an instance that is not ours any more ends the try, not the owner of the drain",
         an_instance_that_is_not_ours_any_more_ends_the_try_not_the_owner_of_the_drain},
        {"a requeue that could not be told is repeated with growing pauses",
         a_requeue_that_could_not_be_told_is_repeated_with_growing_pauses},
        {"a down that was accepted is not repeated before its time",
         a_down_that_was_accepted_is_not_repeated_before_its_time},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler completion", tests);
}
