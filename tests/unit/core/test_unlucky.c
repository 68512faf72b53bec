/* Unlucky orders of events, each met by a random schedule of the simulator: facts that
 * come before the answer that they prove, knowledge that is there already, operators in
 * the middle of a repair. */
#include "tests/harness/harness.h"

#include <string.h>

#include "tests/unit/core/story.h"

static void
slurm_pass(struct story *st)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_SWEEP);
    ev.u.sweep.which = RC_SWEEP_SLURM;
    ev.u.sweep.complete = 1;
    story_give(st, &ev);
}

/* It stood still; what was read just before lay in its line, dated when it woke up. */
static void
an_idle_node_that_was_read_before_we_led_is_read_again(void)
{
    struct story st;

    story_begin(&st, 2);
    st.policy.rule[0].rung[0].kind = RC_RUNG_REBOOT;
    story_load(&st);
    slurm_pass(&st);
    story_checks(&st, "i-1", RC_CHECK_IMPAIRED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_lose_lease(&st);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_OURS);
    slurm_pass(&st);
    story_take_lease(&st, 1);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_WAIT_IDLE);
    slurm_pass(&st); /* began before */
    CU_ASSERT_EQUAL(st.count[RC_ACT_REBOOT], 0);
    slurm_pass(&st);
    CU_ASSERT_EQUAL(st.count[RC_ACT_REBOOT], 1);
    story_end(&st);
}

/* Somebody may have started it while this process was away: EC2 is asked first. */
static void
a_stop_that_the_journal_remembers_is_no_death(void)
{
    struct story st;
    struct rc_event ev;

    story_begin(&st, 2);
    story_lose_lease(&st);
    story_state(&st, "i-1", RC_INST_STOPPED);
    story_wait(&st, 1000);
    rc_event_init(&ev, RC_EV_START);
    story_give(&st, &ev);
    story_take_lease(&st, 3);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_ALLOCATED, RC_OWNER_OURS);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DOWN], 0);
    story_instance(&st, "i-1", "n1", "10.0.0.1", RC_INST_STOPPED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DOWN], 1);
    story_end(&st);
}

/* Which instance serves is slurmctld's word, and that is older than our lease. */
static void
nothing_is_ended_as_left_over_by_what_was_read_before_we_led(void)
{
    struct story st;

    story_begin(&st, 2);
    slurm_pass(&st);
    story_lose_lease(&st);
    story_instance(&st, "i-7", "n1", "10.0.9.7", RC_INST_RUNNING);
    struct rc_instance *i = rc_instance_at(st.s, rc_instance_find(st.s, "i-7"));
    i->tag_incident = 7;
    i->launched_ms = st.at_ms - 86400000;
    story_take_lease(&st, 3);
    story_wait(&st, 130000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 0);
    slurm_pass(&st);
    slurm_pass(&st);
    story_wait(&st, 61000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_TERMINATE].instance, "i-7");
    story_end(&st);
}

static void
a_drain_that_is_seen_before_its_answer_does_not_wait_for_ever(void)
{
    struct story st;

    story_begin(&st, 2);
    story_checks(&st, "i-1", RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_OURS);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    slurm_pass(&st);
    slurm_pass(&st); /* it began after the answer, and no row has changed */
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    story_end(&st);
}

static void
adopt_of(struct story *st, enum rc_phase phase, const char *old)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_ADOPT);
    rc_text_set(ev.node, sizeof ev.node, "n1");
    ev.u.adopt.incident = 7;
    ev.u.adopt.fault = RC_FAULT_INSTANCE_GONE;
    ev.u.adopt.phase = (uint32_t)phase;
    ev.u.adopt.attempt = 1;
    rc_text_set(ev.u.adopt.old_instance, RC_ID_LEN, old);
    rc_text_set(ev.u.adopt.rule, RC_RULE_LEN, "replace-all");
    story_give(st, &ev);
}

static void
adopt(struct story *st, enum rc_phase phase)
{
    adopt_of(st, phase, "i-1");
}

static void
launched_row(struct story *st, const char *id, uint32_t incident)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_INSTANCE);
    rc_text_set(ev.instance, sizeof ev.instance, id);
    rc_text_set(ev.u.described.node, RC_NODE_LEN, "n1");
    rc_text_set(ev.u.described.addr, RC_ADDR_LEN, "10.0.9.9");
    ev.u.described.state = RC_INST_RUNNING;
    ev.u.described.ours = 1;
    ev.u.described.tag_incident = incident;
    ev.u.described.tag_attempt = 1;
    ev.u.described.launched_wall_ms = st->wall_ms;
    story_give(st, &ev);
}

static void
an_adopted_incident_finds_the_instance_that_was_swept_before(void)
{
    struct story st;

    story_begin(&st, 2);
    launched_row(&st, "i-9", 7);
    adopt(&st, RC_PHASE_LAUNCH);
    CU_ASSERT_PTR_NOT_NULL_FATAL(story_incident(&st, "n1"));
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->new_instance, rc_instance_find(st.s, "i-9"));
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 0);
    story_end(&st);
}

static void
an_instance_that_serves_nobody_is_ended_after_a_while(void)
{
    struct story st;

    story_begin(&st, 2);
    launched_row(&st, "i-9", 7);
    story_wait(&st, 200000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 0);
    story_wait(&st, 300000); /* boot and missing are over */
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_TERMINATE].instance, "i-9");
    story_wait(&st, 200000); /* its end is awaited */
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 1);
    story_end(&st);
}

/* Another controller launches it, and our clock is an hour ahead of EC2's. */
static void
an_instance_is_as_old_as_we_know_it_whatever_our_wall_clock_says(void)
{
    struct story st;

    story_begin(&st, 2);
    launched_row(&st, "i-9", 7);
    st.wall_ms += 3600000;
    story_wait(&st, 200000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 0);
    story_wait(&st, 300000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 1);
    story_end(&st);
}

static void
an_instance_that_nobody_launched_for_a_repair_is_left_alone(void)
{
    struct story st;

    story_begin(&st, 2);
    launched_row(&st, "i-9", 0);
    story_wait(&st, 3600000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 0);
    story_end(&st);
}

/* Opened from what an earlier read showed; in truth another life had replaced it, and now
 * the new one does not answer. */
static void
an_incident_about_a_generation_that_is_gone_launches_nothing(void)
{
    struct story st;

    story_begin(&st, 2);
    adopt(&st, RC_PHASE_LAUNCH);
    launched_row(&st, "i-9", 3);
    story_node(&st, "n1", "10.0.9.9", RC_SN_DRAIN | RC_SN_DOWN | RC_SN_NOT_RESPONDING,
               RC_OWNER_OURS);
    story_sweep(&st);
    story_sweep(&st);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(story_incident(&st, "n1"));
    CU_ASSERT_NOT_EQUAL(story_incident(&st, "n1")->id, 7); /* another one, about what is there */
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->fault, RC_FAULT_NODE_DOWN);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->old_instance, rc_instance_find(st.s, "i-9"));
    story_end(&st);
}

/* A start is a launch to EC2: the replaced instance looks younger than the spare in its place. */
static void
an_instance_that_lost_its_name_is_ended_however_young_it_looks(void)
{
    struct story st;

    story_begin(&st, 2);
    launched_row(&st, "i-9", 3);
    story_node(&st, "n1", "10.0.9.9", 0, RC_OWNER_NONE);
    story_instance(&st, "i-1", "n1", "10.0.0.1", RC_INST_RUNNING); /* started anew just now */
    story_wait(&st, 200000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 0);
    story_wait(&st, 400000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_TERMINATE].instance, "i-1");
    story_end(&st);
}

/* No slurmctld has been read since this one leads: that nobody registered is not known. */
static void
a_registration_that_nobody_could_see_is_not_missed(void)
{
    struct story st;

    story_begin(&st, 2);
    launched_row(&st, "i-9", 7);
    adopt(&st, RC_PHASE_JOIN);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_JOIN);
    story_wait(&st, 2 * st.policy.timeouts.join_ms);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_JOIN);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->block, RC_BLOCK_UNKNOWN);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 0);
    slurm_pass(&st);
    slurm_pass(&st);
    story_wait(&st, 20000);
    CU_ASSERT_NOT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_JOIN);
    story_end(&st);
}

/* A person took the node back while its replacement was in quarantine; then that one fails, and
 * waits for people again. The first one serves nobody, and holds a slot of the reservation. */
static void
what_was_replaced_before_is_ended_while_people_are_waited_for(void)
{
    struct story st;

    story_begin(&st, 2);
    launched_row(&st, "i-9", 3);
    story_node(&st, "n1", "10.0.9.9", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    adopt_of(&st, RC_PHASE_QUARANTINE, "i-9");
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_QUARANTINE);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 0); /* somebody may still want it */
    for (int minute = 0; minute < 12; minute++) {
        story_wait(&st, 60000);
    }
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_TERMINATE].instance, "i-1");
    story_end(&st);
}

static void
a_rung_on_an_instance_that_is_gone_is_not_tried_for_ever(void)
{
    struct story st;

    story_begin(&st, 2);
    launched_row(&st, "i-9", 3);
    story_node(&st, "n1", "10.0.9.9", RC_SN_DRAIN | RC_SN_DOWN | RC_SN_NOT_RESPONDING,
               RC_OWNER_OURS);
    CU_ASSERT_PTR_NOT_NULL_FATAL(story_incident(&st, "n1"));
    rc_node_at(st.s, 1)->incident = 0;
    adopt(&st, RC_PHASE_REBOOT); /* of i-1, by a life that did not know */
    CU_ASSERT_EQUAL(st.count[RC_ACT_REBOOT], 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(story_incident(&st, "n1"));
    CU_ASSERT_NOT_EQUAL(story_incident(&st, "n1")->id, 7);
    story_end(&st);
}

/* Its item could not be deleted yet when the lease was taken anew. */
static void
a_closed_incident_is_not_adopted_again(void)
{
    struct story st;

    story_begin(&st, 2);
    adopt(&st, RC_PHASE_LAUNCH);
    struct rc_incident *inc = story_incident(&st, "n1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(inc);
    rc_node_at(st.s, inc->node)->incident = 0; /* as close_incident() leaves it */
    inc->node = 0;
    adopt(&st, RC_PHASE_LAUNCH);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    story_end(&st);
}

static void
an_incident_that_the_store_no_longer_has_is_forgotten(void)
{
    struct story st;

    story_begin(&st, 2);
    adopt(&st, RC_PHASE_LAUNCH);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->out, 0); /* not our choice: not in the budget */
    story_take_lease(&st, 8);                      /* told before this lease */
    CU_ASSERT_PTR_NOT_NULL(story_incident(&st, "n1"));
    story_take_lease(&st, 9); /* another controller has closed it meanwhile */
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    story_end(&st);
}

static void
an_incident_goes_on_where_another_controller_left_it(void)
{
    struct story st;

    story_begin(&st, 2);
    adopt(&st, RC_PHASE_LAUNCH);
    adopt(&st, RC_PHASE_BOOT);
    story_take_lease(&st, 9);
    CU_ASSERT_PTR_NOT_NULL_FATAL(story_incident(&st, "n1"));
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_BOOT);
    story_end(&st);
}

/* Up to a node that waits for its drained job under a fault, then resumed by somebody. */
static void
yield(struct story *st)
{
    story_begin(st, 2);
    story_checks(st, "i-1", RC_CHECK_IMPAIRED);
    story_answer(st, RC_ACT_DRAIN, RC_OK);
    story_node(st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_ALLOCATED, RC_OWNER_OURS);
    story_node(st, "n1", "10.0.0.1", RC_SN_ALLOCATED, RC_OWNER_NONE);
    CU_ASSERT_PTR_NULL(story_incident(st, "n1"));
}

static void
a_node_taken_back_is_left_with_its_fault_but_not_when_its_instance_dies(void)
{
    struct story st;

    yield(&st);
    story_wait(&st, 60000);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    story_state(&st, "i-1", RC_INST_TERMINATED);
    CU_ASSERT_PTR_NOT_NULL(story_incident(&st, "n1"));
    story_end(&st);
}

static void
a_node_taken_back_is_looked_after_when_another_fault_comes(void)
{
    struct story st;

    yield(&st);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DOWN | RC_SN_NOT_RESPONDING, RC_OWNER_SLURM);
    story_checks(&st, "i-1", RC_CHECK_OK);
    CU_ASSERT_PTR_NOT_NULL(story_incident(&st, "n1"));
    story_end(&st);
}

static void
without_a_lease_nothing_is_due_for_a_closed_incident(void)
{
    struct story st;

    yield(&st);
    st.s->closed_retry_ms = st.at_ms; /* the deletion of its item must be tried again */
    story_lose_lease(&st);
    CU_ASSERT(rc_next_deadline(st.s) > st.at_ms);
    story_end(&st);
}

static void
what_was_read_long_ago_is_not_taken_for_idle(void)
{
    struct story st;

    story_begin(&st, 2);
    st.s->cluster.poll_slurm_ms = 10000;
    slurm_pass(&st);
    story_checks(&st, "i-1", RC_CHECK_IMPAIRED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    st.at_ms += 600000; /* the process stood still */
    st.wall_ms += 600000;
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_ALLOCATED, RC_OWNER_OURS);
    rc_node_at(st.s, rc_node_find(st.s, "n1"))->flags = RC_SN_DRAIN;
    rc_node_at(st.s, rc_node_find(st.s, "n1"))->seen_ms = st.at_ms - 500000;
    story_wait(&st, 1000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 0);
    slurm_pass(&st);
    slurm_pass(&st);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    story_end(&st);
}

static void
an_incident_number_in_a_tag_is_not_given_out_again(void)
{
    struct story st;

    story_begin(&st, 2);
    launched_row(&st, "i-9", 41);
    story_checks(&st, "i-2", RC_CHECK_IMPAIRED);
    CU_ASSERT_PTR_NOT_NULL_FATAL(story_incident(&st, "n2"));
    CU_ASSERT_EQUAL(story_incident(&st, "n2")->id, 42);
    story_end(&st);
}

static void
a_node_resumed_in_its_repair_is_drained_again_before_its_gate(void)
{
    struct story st;

    story_begin(&st, 2);
    adopt(&st, RC_PHASE_GATE);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DOWN, RC_OWNER_SLURM);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1);
    CU_ASSERT_EQUAL(st.count[RC_ACT_GATE], 0);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    CU_ASSERT_EQUAL(st.count[RC_ACT_RESUME], 0); /* a drain is no proof of health */
    story_node(&st, "n1", "10.0.0.1", RC_SN_DOWN | RC_SN_DRAIN, RC_OWNER_OURS);
    CU_ASSERT_EQUAL(st.count[RC_ACT_GATE], 1);
    story_end(&st);
}

static void
a_drain_of_ours_that_answers_for_nothing_is_proved_and_undone(void)
{
    struct story st;

    story_begin(&st, 4);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_OURS);
    const struct rc_incident *inc = story_incident(&st, "n1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(inc);
    CU_ASSERT_EQUAL(inc->fault, RC_FAULT_AGENT_DRAIN);
    CU_ASSERT_STRING_EQUAL(inc->code, "left-behind");
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_OURS);
    CU_ASSERT_EQUAL(st.count[RC_ACT_RESUME], 0);
    story_answer(&st, RC_ACT_GATE, RC_OK);
    CU_ASSERT_EQUAL(st.count[RC_ACT_RESUME], 1);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a drain of ours that answers for nothing is proved and undone",
         a_drain_of_ours_that_answers_for_nothing_is_proved_and_undone},
        {"an idle node that was read before we led is read again",
         an_idle_node_that_was_read_before_we_led_is_read_again},
        {"a stop that the journal remembers is no death",
         a_stop_that_the_journal_remembers_is_no_death},
        {"nothing is ended as left over by what was read before we led",
         nothing_is_ended_as_left_over_by_what_was_read_before_we_led},
        {"a drain that is seen before its answer does not wait for ever",
         a_drain_that_is_seen_before_its_answer_does_not_wait_for_ever},
        {"an adopted incident finds the instance that was swept before",
         an_adopted_incident_finds_the_instance_that_was_swept_before},
        {"an instance that serves nobody is ended after a while",
         an_instance_that_serves_nobody_is_ended_after_a_while},
        {"an instance is as old as we know it, whatever our wall clock says",
         an_instance_is_as_old_as_we_know_it_whatever_our_wall_clock_says},
        {"an instance that nobody launched for a repair is left alone",
         an_instance_that_nobody_launched_for_a_repair_is_left_alone},
        {"a node taken back is left with its fault, but not when its instance dies",
         a_node_taken_back_is_left_with_its_fault_but_not_when_its_instance_dies},
        {"a node taken back is looked after when another fault comes",
         a_node_taken_back_is_looked_after_when_another_fault_comes},
        {"without a lease nothing is due for a closed incident",
         without_a_lease_nothing_is_due_for_a_closed_incident},
        {"what was read long ago is not taken for idle",
         what_was_read_long_ago_is_not_taken_for_idle},
        {"an incident number in a tag is not given out again",
         an_incident_number_in_a_tag_is_not_given_out_again},
        {"a node resumed in its repair is drained again before its gate",
         a_node_resumed_in_its_repair_is_drained_again_before_its_gate},
        {"an incident about a generation that is gone launches nothing",
         an_incident_about_a_generation_that_is_gone_launches_nothing},
        {"an instance that lost its name is ended, however young it looks",
         an_instance_that_lost_its_name_is_ended_however_young_it_looks},
        {"a registration that nobody could see is not missed",
         a_registration_that_nobody_could_see_is_not_missed},
        {"what was replaced before is ended while people are waited for",
         what_was_replaced_before_is_ended_while_people_are_waited_for},
        {"a rung on an instance that is gone is not tried for ever",
         a_rung_on_an_instance_that_is_gone_is_not_tried_for_ever},
        {"a closed incident is not adopted again", a_closed_incident_is_not_adopted_again},
        {"an incident that the store no longer has is forgotten",
         an_incident_that_the_store_no_longer_has_is_forgotten},
        {"an incident goes on where another controller left it",
         an_incident_goes_on_where_another_controller_left_it},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("unlucky", tests);
}
