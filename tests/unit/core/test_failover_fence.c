/* The fence: no take-over before the old primary is proved unable to write. */
#include "tests/harness/harness.h"

#include <string.h>

#include "tests/unit/core/pair_story.h"

/* The host of the primary is cut off for as long as it takes to act on it. */
static void
cut_off(struct story *st)
{
    pair_begin(st);
    pair_cut_off(st);
    story_wait(st, 5100);
}

static void
a_host_that_does_not_answer_is_forced_off_first(void)
{
    struct story st;

    cut_off(&st);
    CU_ASSERT_EQUAL(pair_phase(&st), RC_FO_STOP);
    CU_ASSERT_EQUAL(st.count[RC_ACT_STOP], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_STOP].instance, "i-head1");
    story_answer(&st, RC_ACT_STOP, RC_OK);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LOOK], 1);
    pair_looked(&st, "i-head1", RC_INST_STOPPING);
    story_wait(&st, 1000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LOOK], 2);
    pair_looked(&st, "i-head1", RC_INST_STOPPED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 1);
    CU_ASSERT_EQUAL(st.last[RC_ACT_TAKEOVER].u.controller.proof, RC_PROOF_STOPPED);
    story_end(&st);
}

static void
a_notice_that_it_is_off_is_the_time_to_look_and_no_proof(void)
{
    struct story st;

    cut_off(&st);
    story_answer(&st, RC_ACT_STOP, RC_OK);
    pair_looked(&st, "i-head1", RC_INST_STOPPING);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LOOK], 1);
    story_state(&st, "i-head1", RC_INST_STOPPED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LOOK], 2);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 0);
    pair_looked(&st, "i-head1", RC_INST_STOPPED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 1);
    story_end(&st);
}

/* The eye looks twice a second; what it saw before the end is no reason to go round in circles. */
static void
what_answered_a_moment_before_it_was_off_is_waited_for(void)
{
    struct story st;

    cut_off(&st);
    story_answer(&st, RC_ACT_STOP, RC_OK);
    pair_probe(&st, "head1", RC_CTL_SILENT, 0);
    uint32_t steps = st.count[RC_ACT_FAILOVER];
    pair_looked(&st, "i-head1", RC_INST_STOPPED);
    CU_ASSERT_EQUAL(pair_phase(&st), RC_FO_STOP);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FAILOVER], steps);
    CU_ASSERT_EQUAL(st.s->pair.block, RC_FOB_UNFENCED);
    CU_ASSERT_TRUE(rc_next_deadline(st.s) > st.s->now_ms);
    pair_probe(&st, "head1", RC_CTL_UNREACHABLE, 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 1);
    CU_ASSERT_EQUAL(st.last[RC_ACT_TAKEOVER].u.controller.proof, RC_PROOF_STOPPED);
    story_end(&st);
}

static void
who_still_answers_at_its_address_is_told_to_people_once(void)
{
    struct story st;

    cut_off(&st);
    story_answer(&st, RC_ACT_STOP, RC_OK);
    pair_probe(&st, "head1", RC_CTL_STANDBY, 0);
    pair_looked(&st, "i-head1", RC_INST_STOPPED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TELL], 0);
    for (int i = 0; i < 10; i++) {
        story_wait(&st, st.s->policy.timeouts.stop_ms / 2);
    }
    CU_ASSERT_EQUAL(st.count[RC_ACT_TELL], 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(st.last[RC_ACT_TELL].text, "its address answers"));
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 0);
    story_end(&st);
}

/* A person switches it on while its end is waited for: its address answers again. */
static void
one_that_was_off_and_is_started_again_is_forced_off_once_more(void)
{
    struct story st;

    cut_off(&st);
    story_answer(&st, RC_ACT_STOP, RC_OK);
    pair_probe(&st, "head1", RC_CTL_STANDBY, 0);
    pair_looked(&st, "i-head1", RC_INST_STOPPED);
    story_wait(&st, 60000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LOOK], 1);
    story_instance(&st, "i-head1", "head1", "10.0.9.1", RC_INST_RUNNING);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LOOK], 2);
    pair_looked(&st, "i-head1", RC_INST_RUNNING);
    story_wait(&st, 1000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_STOP], 2);
    story_answer(&st, RC_ACT_STOP, RC_OK);
    pair_probe(&st, "head1", RC_CTL_UNREACHABLE, 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 0);
    pair_looked(&st, "i-head1", RC_INST_STOPPED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 1);
    story_end(&st);
}

static void
a_refused_fence_stops_everything_however_long(void)
{
    struct story st;

    cut_off(&st);
    for (int i = 0; i < 40; i++) {
        story_answer(&st, RC_ACT_STOP, RC_E_DENIED);
        story_wait(&st, 20000);
    }
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER] + st.count[RC_ACT_CONTROLLER_START], 0);
    CU_ASSERT_EQUAL(pair_phase(&st), RC_FO_STOP);
    CU_ASSERT_EQUAL(st.s->pair.block, RC_FOB_UNFENCED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TELL], 1);
    CU_ASSERT_TRUE(st.count[RC_ACT_STOP] > 30);
    story_end(&st);
}

static void
a_notice_that_it_is_stopped_is_no_proof(void)
{
    struct story st;

    cut_off(&st);
    story_state(&st, "i-head1", RC_INST_STOPPED); /* late, of an earlier stop */
    story_wait(&st, 3000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 0);
    story_answer(&st, RC_ACT_STOP, RC_OK);
    story_wait(&st, 1500);
    pair_looked(&st, "i-head1", RC_INST_RUNNING);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 0);
    story_end(&st);
}

static void
every_instance_of_that_name_must_be_off(void)
{
    struct story st;

    pair_begin(&st);
    story_instance(&st, "i-other", "head1", "10.0.9.7", RC_INST_RUNNING);
    pair_cut_off(&st);
    story_wait(&st, 5100);
    char first[RC_ID_LEN];
    memcpy(first, st.last[RC_ACT_STOP].instance, sizeof first);
    story_answer(&st, RC_ACT_STOP, RC_OK);
    pair_looked(&st, first, RC_INST_STOPPED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 0);
    CU_ASSERT_STRING_NOT_EQUAL(strcmp(st.last[RC_ACT_LOOK].instance, first) != 0
                                   ? st.last[RC_ACT_LOOK].instance
                                   : st.last[RC_ACT_STOP].instance,
                               "");
    story_end(&st);
}

static void
an_instance_that_ec2_does_not_show_cannot_be_fenced(void)
{
    struct rc_event ev;
    struct story st;

    pair_begin(&st);
    rc_event_init(&ev, RC_EV_CONTROLLER_HOST);
    rc_text_set(ev.node, sizeof ev.node, "head1");
    rc_text_set(ev.instance, sizeof ev.instance, "i-unheard-of");
    ev.u.controller = (struct rc_ev_controller_host){.link = RC_TOLD_YES, .process = RC_PROC_RUNS};
    story_give(&st, &ev);
    pair_host(&st, "head1", RC_PROC_UNKNOWN, RC_TOLD_NOT);
    rc_text_set(st.s->pair.c[0].instance, RC_ID_LEN, "i-unheard-of");
    pair_probe(&st, "head1", RC_CTL_UNREACHABLE, 0);
    story_wait(&st, 60000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 0);
    CU_ASSERT_EQUAL(st.s->pair.block, RC_FOB_UNFENCED);
    story_end(&st);
}

/* EC2 forgets a terminated instance after an hour; a host that slept that long finds nothing. */
static void
an_instance_that_ec2_does_not_know_any_more_is_off(void)
{
    struct story st;
    struct rc_event ev;

    pair_begin(&st);
    for (unsigned n = 0; n < 3; n++) { /* not listed by its tags any more */
        rc_event_init(&ev, RC_EV_INSTANCE);
        rc_text_set(ev.instance, RC_ID_LEN, "i-head1");
        ev.u.described.absent = 1;
        story_give(&st, &ev);
        story_wait(&st, 400000);
    }
    CU_ASSERT_EQUAL_FATAL(rc_pair_instances(st.s, 0), 0);
    story_clear(&st);
    pair_cut_off(&st);
    story_wait(&st, 6000);
    CU_ASSERT_EQUAL(pair_phase(&st), RC_FO_STOP);
    CU_ASSERT_EQUAL(st.count[RC_ACT_STOP], 0);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_LOOK].instance, "i-head1");
    pair_looked(&st, "i-head1", RC_INST_RUNNING); /* somebody took its tag away: it lives */
    story_wait(&st, 2000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_STOP], 0); /* not ours to touch */
    story_answer(&st, RC_ACT_LOOK, RC_E_NOT_FOUND);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 1);
    story_end(&st);
}

static void
a_process_that_no_signal_ends_is_no_proof_its_instance_is_forced_off(void)
{
    struct story st;

    pair_begin(&st);
    pair_host(&st, "head1", RC_PROC_STUCK, RC_TOLD_NO);
    pair_probe(&st, "head1", RC_CTL_SILENT, 0);
    story_wait(&st, 5100);
    story_answer(&st, RC_ACT_FENCE, RC_E_NOT_VERIFIED);
    CU_ASSERT_EQUAL(pair_phase(&st), RC_FO_STOP);
    CU_ASSERT_EQUAL(st.count[RC_ACT_STOP], 1);
    story_end(&st);
}

static void
a_link_that_lies_about_the_death_is_found_out_by_the_own_eye(void)
{
    struct story st;

    pair_begin(&st);
    pair_host(&st, "head1", RC_PROC_STOPPED, RC_TOLD_NO);
    pair_probe(&st, "head1", RC_CTL_SILENT, 0);
    story_wait(&st, 5100);
    story_answer(&st, RC_ACT_FENCE, RC_OK);
    pair_probe(&st, "head1", RC_CTL_SILENT, 0); /* it still takes connections */
    story_wait(&st, 4000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 0);
    story_wait(&st, 2000);
    CU_ASSERT_EQUAL(pair_phase(&st), RC_FO_STOP);
    story_end(&st);
}

static void
a_peer_that_says_that_it_leads_is_never_forced_off(void)
{
    struct story st;

    pair_begin(&st);
    pair_host(&st, "head1", RC_PROC_STOPPED, RC_TOLD_NO);
    pair_probe(&st, "head1", RC_CTL_SILENT, 0);
    story_wait(&st, 5100);
    for (int i = 0; i < 10; i++) {
        story_answer(&st, RC_ACT_FENCE, RC_E_NO_LEASE);
        story_wait(&st, 5000);
    }
    CU_ASSERT_EQUAL(st.count[RC_ACT_STOP] + st.count[RC_ACT_TAKEOVER], 0);
    story_end(&st);
}

/* Another leader has led in between. */
static void
lose_and_take_the_lease(struct story *st)
{
    story_lose_lease(st);
    story_take_lease(st, st->s->lease_epoch + 6);
}

/* This daemon was stopped after it had asked head2 to take over, and did not see that it did. */
static void
that_it_was_standby_before_we_led_proves_nothing(void)
{
    struct story st;

    pair_begin(&st);
    pair_ends(&st, "head1", RC_TOLD_YES);
    story_clear(&st);
    lose_and_take_the_lease(&st);
    story_wait(&st, 900);
    CU_ASSERT_EQUAL(st.count[RC_ACT_CONTROLLER_START] + st.count[RC_ACT_TAKEOVER], 0);
    CU_ASSERT_EQUAL(pair_phase(&st), RC_FO_WATCH);
    CU_ASSERT_FALSE(rc_pair_idle(&st.s->pair, 1));
    pair_probe(&st, "head2", RC_CTL_STANDBY, 0); /* told anew: now it is known */
    CU_ASSERT_TRUE(rc_pair_idle(&st.s->pair, 1));
    pair_probe(&st, "head2", RC_CTL_PRIMARY, 0);
    story_wait(&st, 60000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 0);
    CU_ASSERT_EQUAL(pair_phase(&st), RC_FO_WATCH);
    story_end(&st);
}

/* The leader before us launched another head1, which nothing has shown yet. */
static void
a_list_of_instances_from_before_we_led_is_not_the_whole_list(void)
{
    struct story st;

    pair_begin(&st);
    lose_and_take_the_lease(&st);
    pair_probe(&st, "head2", RC_CTL_STANDBY, 0);
    story_wait(&st, 1500);
    pair_cut_off(&st);
    story_wait(&st, 5100);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_STOP].instance, "i-head1");
    story_answer(&st, RC_ACT_STOP, RC_OK);
    pair_looked(&st, "i-head1", RC_INST_STOPPED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 0);
    CU_ASSERT_EQUAL(st.s->pair.block, RC_FOB_UNFENCED);
    story_sweep(&st); /* it may have begun before */
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 0);
    story_wait(&st, 16000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TELL], 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(st.last[RC_ACT_TELL].text, "has not listed"));
    story_instance(&st, "i-other", "head1", "10.0.9.7", RC_INST_RUNNING);
    story_sweep(&st);
    story_wait(&st, 1000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 0);
    pair_looked(&st, "i-other", RC_INST_STOPPED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 1);
    story_end(&st);
}

static void
a_look_is_over_when_the_list_that_is_whole_by_then_shows_it_on_again(void)
{
    struct story st;

    pair_begin(&st);
    lose_and_take_the_lease(&st);
    pair_probe(&st, "head2", RC_CTL_STANDBY, 0);
    story_wait(&st, 1500);
    pair_host(&st, "head1", RC_PROC_UNKNOWN, RC_TOLD_NOT);
    pair_probe(&st, "head1", RC_CTL_UNREACHABLE, 0);
    story_wait(&st, 5100);
    story_answer(&st, RC_ACT_STOP, RC_OK);
    pair_looked(&st, "i-head1", RC_INST_STOPPED);
    CU_ASSERT_EQUAL(st.s->pair.block, RC_FOB_UNFENCED);
    story_sweep(&st);
    story_instance(&st, "i-head1", "head1", "10.0.9.1", RC_INST_RUNNING);
    story_sweep(&st);
    story_wait(&st, 1000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 0);
    pair_looked(&st, "i-head1", RC_INST_STOPPED); /* the row was late */
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 1);
    story_end(&st);
}

/* The leader before us may have asked head2 to be active, and it is on its way there. */
static void
where_nobody_is_primary_a_standby_is_fenced_rather_than_believed(void)
{
    struct story st;

    pair_begin(&st);
    pair_ends(&st, "head1", RC_TOLD_YES);
    story_clear(&st);
    lose_and_take_the_lease(&st);
    pair_probe(&st, "head2", RC_CTL_STANDBY, 0);
    CU_ASSERT_EQUAL(st.s->pair.primary, 0);
    story_wait(&st, 7000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_CONTROLLER_START], 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_FENCE].node, "head2");
    story_answer(&st, RC_ACT_FENCE, RC_OK);
    pair_probe(&st, "head2", RC_CTL_REFUSED, 0);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_CONTROLLER_START].node, "head1");
    story_end(&st);
}

static void
one_that_cannot_be_fenced_by_its_host_is_made_active(void)
{
    struct story st;

    pair_begin(&st);
    pair_ends(&st, "head1", RC_TOLD_YES);
    pair_host(&st, "head2", RC_PROC_UNKNOWN, RC_TOLD_NOT);
    story_clear(&st);
    lose_and_take_the_lease(&st);
    pair_probe(&st, "head2", RC_CTL_STANDBY, 0);
    story_wait(&st, 7000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_CONTROLLER_START] + st.count[RC_ACT_STOP], 0);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_FENCE].node, "head1");
    story_answer(&st, RC_ACT_FENCE, RC_OK);
    pair_probe(&st, "head1", RC_CTL_REFUSED, 0);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_TAKEOVER].node, "head2");
    story_end(&st);
}

/* Nothing is started before it is known that head2 is standby. */
static void
start_in_place(struct story *st)
{
    pair_begin_in_place(st);
    CU_ASSERT_EQUAL(pair_phase(st), RC_FO_FENCE);
    CU_ASSERT_EQUAL(st->s->pair.from, 2);
    CU_ASSERT_EQUAL(st->count[RC_ACT_CONTROLLER_START], 0);
    CU_ASSERT_EQUAL(st->count[RC_ACT_FENCE], 0);
}

/* At rest a standby is mostly pinged, and a primary answers that too. */
static void
that_it_is_standby_is_asked_before_it_proves_anything(void)
{
    struct story st;

    start_in_place(&st);
    pair_probe(&st, "head2", RC_CTL_STANDBY, 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_CONTROLLER_START], 1);
    CU_ASSERT_EQUAL(st.last[RC_ACT_CONTROLLER_START].u.controller.proof, RC_PROOF_STANDBY);
    story_end(&st);
}

static void
a_standby_that_does_not_say_so_at_once_is_fenced(void)
{
    struct story st;

    start_in_place(&st);
    story_wait(&st, 1000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_CONTROLLER_START], 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_FENCE].node, "head2");
    story_end(&st);
}

static void
a_proof_of_an_earlier_epoch_is_worth_nothing(void)
{
    struct story st;

    pair_begin(&st);
    pair_ends(&st, "head1", RC_TOLD_NO);
    story_wait(&st, 600);
    story_answer(&st, RC_ACT_FENCE, RC_OK);
    lose_and_take_the_lease(&st);
    CU_ASSERT_EQUAL(st.s->pair.proof, RC_PROOF_NONE);
    pair_probe(&st, "head1", RC_CTL_REFUSED, 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 0);
    story_end(&st);
}

static void
a_fenced_one_that_shows_up_again_voids_the_proof(void)
{
    struct story st;

    pair_begin(&st);
    pair_ends(&st, "head1", RC_TOLD_NO);
    story_wait(&st, 600);
    story_answer(&st, RC_ACT_FENCE, RC_OK);
    pair_probe(&st, "head1", RC_CTL_REFUSED, 0);
    story_answer(&st, RC_ACT_TAKEOVER, RC_E_TIMEOUT);
    pair_host(&st, "head1", RC_PROC_RUNS, RC_TOLD_NO);
    story_wait(&st, 4000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 1);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 2);
    story_end(&st);
}

static void
it_serves_again_before_anything_was_done_all_is_well(void)
{
    struct story st;

    cut_off(&st);
    story_answer(&st, RC_ACT_STOP, RC_E_DENIED);
    pair_probe(&st, "head1", RC_CTL_PRIMARY, 0);
    CU_ASSERT_EQUAL(pair_phase(&st), RC_FO_WATCH);
    CU_ASSERT_EQUAL(st.s->pair.primary, 1);
    CU_ASSERT_EQUAL(st.s->pair.done_count, 0); /* against the limit it does not count */
    story_end(&st);
}

static void
two_that_say_that_they_are_primary_become_one(void)
{
    struct story st;

    pair_begin(&st);
    pair_probe(&st, "head2", RC_CTL_PRIMARY, 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_FENCE].node, "head2");
    story_end(&st);
}

/* A partition ends while the fence is refused: the link is back before anybody has looked. */
static void
a_host_that_answers_again_is_looked_at_before_it_is_fenced(void)
{
    struct story st;

    cut_off(&st);
    story_answer(&st, RC_ACT_STOP, RC_E_DENIED);
    pair_host(&st, "head1", RC_PROC_RUNS, RC_TOLD_NO);
    story_wait(&st, 500);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 0);
    pair_probe(&st, "head1", RC_CTL_PRIMARY, 0);
    CU_ASSERT_EQUAL(pair_phase(&st), RC_FO_WATCH);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 0);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a host that does not answer is forced off first",
         a_host_that_does_not_answer_is_forced_off_first},
        {"a notice that it is off is the time to look, and no proof",
         a_notice_that_it_is_off_is_the_time_to_look_and_no_proof},
        {"what answered a moment before it was off is waited for",
         what_answered_a_moment_before_it_was_off_is_waited_for},
        {"who still answers at its address is told to people, once",
         who_still_answers_at_its_address_is_told_to_people_once},
        {"one that was off and is started again is forced off once more",
         one_that_was_off_and_is_started_again_is_forced_off_once_more},
        {"a refused fence stops everything, however long",
         a_refused_fence_stops_everything_however_long},
        {"a notice that it is stopped is no proof", a_notice_that_it_is_stopped_is_no_proof},
        {"every instance of that name must be off", every_instance_of_that_name_must_be_off},
        {"an instance that EC2 does not show cannot be fenced",
         an_instance_that_ec2_does_not_show_cannot_be_fenced},
        {"an instance that EC2 does not know any more is off",
         an_instance_that_ec2_does_not_know_any_more_is_off},
        {"a process that no signal ends is no proof: its instance is forced off",
         a_process_that_no_signal_ends_is_no_proof_its_instance_is_forced_off},
        {"a link that lies about the death is found out by the own eye",
         a_link_that_lies_about_the_death_is_found_out_by_the_own_eye},
        {"a peer that says that it leads is never forced off",
         a_peer_that_says_that_it_leads_is_never_forced_off},
        {"that it was standby before we led proves nothing",
         that_it_was_standby_before_we_led_proves_nothing},
        {"a list of instances from before we led is not the whole list",
         a_list_of_instances_from_before_we_led_is_not_the_whole_list},
        {"a look is over when the list that is whole by then shows it on again",
         a_look_is_over_when_the_list_that_is_whole_by_then_shows_it_on_again},
        {"where nobody is primary a standby is fenced rather than believed",
         where_nobody_is_primary_a_standby_is_fenced_rather_than_believed},
        {"one that cannot be fenced by its host is made active",
         one_that_cannot_be_fenced_by_its_host_is_made_active},
        {"that it is standby is asked before it proves anything",
         that_it_is_standby_is_asked_before_it_proves_anything},
        {"a standby that does not say so at once is fenced",
         a_standby_that_does_not_say_so_at_once_is_fenced},
        {"a proof of an earlier epoch is worth nothing",
         a_proof_of_an_earlier_epoch_is_worth_nothing},
        {"a fenced one that shows up again voids the proof",
         a_fenced_one_that_shows_up_again_voids_the_proof},
        {"it serves again before anything was done: all is well",
         it_serves_again_before_anything_was_done_all_is_well},
        {"two that say that they are primary become one",
         two_that_say_that_they_are_primary_become_one},
        {"a host that answers again is looked at before it is fenced",
         a_host_that_answers_again_is_looked_at_before_it_is_fenced},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("failover fence", tests);
}
