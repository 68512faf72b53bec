/* The fail-over of slurmctld: when it is begun, how it goes on, when it is left alone. */
#include "tests/harness/harness.h"

#include <string.h>

#include "reconciler/core/controller.h"
#include "tests/unit/core/pair_story.h"

static void
a_killed_slurmctld_is_fenced_and_taken_over_after_half_a_second(void)
{
    struct story st;

    pair_begin(&st);
    pair_ends(&st, "head1", RC_TOLD_NO);
    story_wait(&st, 400);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 0);
    story_wait(&st, 200);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_FENCE].node, "head1");
    story_answer(&st, RC_ACT_FENCE, RC_OK);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 0); /* the eye has not looked again */
    pair_probe(&st, "head1", RC_CTL_REFUSED, 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_TAKEOVER].node, "head2");
    CU_ASSERT_EQUAL(st.last[RC_ACT_TAKEOVER].u.controller.index, 1);
    story_answer(&st, RC_ACT_TAKEOVER, RC_OK);
    CU_ASSERT_EQUAL(pair_phase(&st), RC_FO_VERIFY);
    pair_probe(&st, "head2", RC_CTL_PRIMARY, 0);
    CU_ASSERT_EQUAL(pair_phase(&st), RC_FO_WATCH);
    CU_ASSERT_EQUAL(st.s->pair.primary, 2);
    story_end(&st);
}

static void
what_proved_the_old_one_dead_is_told_in_one_paragraph(void)
{
    char text[RC_PARAGRAPH_LEN];
    struct story st;

    pair_begin(&st);
    pair_ends(&st, "head1", RC_TOLD_NO);
    story_wait(&st, 600);
    story_answer(&st, RC_ACT_FENCE, RC_OK);
    pair_probe(&st, "head1", RC_CTL_REFUSED, 0);
    story_answer(&st, RC_ACT_TAKEOVER, RC_OK);
    pair_probe(&st, "head2", RC_CTL_PRIMARY, 0);
    rc_failover_paragraph(&st.last[RC_ACT_FAILOVER], text, sizeof text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "head2 is primary now instead of head1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "its slurmctld process is gone"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "ended every slurmctld process on that host"));
    story_end(&st);
}

static void
a_slurmctld_that_systemd_brings_back_is_left_alone(void)
{
    struct story st;

    pair_begin(&st);
    pair_ends(&st, "head1", RC_TOLD_NO);
    story_wait(&st, 300);
    pair_host(&st, "head1", RC_PROC_RUNS, RC_TOLD_NO);
    story_wait(&st, 3000);
    pair_probe(&st, "head1", RC_CTL_PRIMARY, 0);
    story_wait(&st, 60000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 0);
    CU_ASSERT_EQUAL(pair_phase(&st), RC_FO_WATCH);
    story_end(&st);
}

static void
one_that_hangs_is_given_five_seconds(void)
{
    struct story st;

    pair_begin(&st);
    pair_host(&st, "head1", RC_PROC_STOPPED, RC_TOLD_NO);
    pair_probe(&st, "head1", RC_CTL_SILENT, 0);
    story_wait(&st, 4900);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 0);
    story_wait(&st, 200);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 1);
    story_end(&st);
}

static void
what_cannot_be_asked_is_not_dead(void)
{
    struct story st;

    pair_begin(&st);
    pair_probe(&st, "head1", RC_CTL_UNKNOWN, 0);
    pair_host(&st, "head1", RC_PROC_UNKNOWN, RC_TOLD_NOT);
    story_wait(&st, 600000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE] + st.count[RC_ACT_STOP] + st.count[RC_ACT_TAKEOVER], 0);
    story_end(&st);
}

static void
while_the_peer_sees_it_serve_nothing_is_done(void)
{
    struct story st;

    pair_begin(&st);
    pair_probe(&st, "head1", RC_CTL_PRIMARY, 1);
    pair_probe(&st, "head1", RC_CTL_UNREACHABLE, 0);
    story_wait(&st, 600000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE] + st.count[RC_ACT_STOP], 0);
    story_end(&st);
}

static void
without_the_lease_nobody_acts(void)
{
    struct rc_event ev;
    struct story st;

    pair_begin(&st);
    rc_event_init(&ev, RC_EV_LEASE);
    ev.at_ms = st.at_ms += 10;
    ev.wall_ms = st.wall_ms += 10;
    rc_step(st.s, &ev, &st.out);
    rc_event_init(&ev, RC_EV_CONTROLLER_HOST);
    rc_text_set(ev.node, sizeof ev.node, "head1");
    ev.u.controller = (struct rc_ev_controller_host){.link = RC_TOLD_YES, .process = RC_PROC_NONE};
    ev.at_ms = st.at_ms += 10;
    rc_step(st.s, &ev, &st.out);
    rc_event_init(&ev, RC_EV_CONTROLLER_PROBE);
    rc_text_set(ev.node, sizeof ev.node, "head1");
    ev.u.probe.mode = RC_CTL_REFUSED;
    ev.at_ms = st.at_ms += 60000;
    rc_step(st.s, &ev, &st.out);
    for (uint32_t i = 0; i < st.out.count; i++) {
        CU_ASSERT_EQUAL(st.out.v[i].kind, RC_ACT_LEASE);
    }
    story_end(&st);
}

static void
the_active_backup_that_comes_up_as_standby_is_made_active_again(void)
{
    struct story st;

    pair_begin(&st);
    pair_probe(&st, "head1", RC_CTL_REFUSED, 0);
    pair_host(&st, "head1", RC_PROC_NONE, RC_TOLD_YES);
    pair_probe(&st, "head2", RC_CTL_PRIMARY, 0);
    story_clear(&st);
    pair_ends(&st, "head2", RC_TOLD_NO);
    pair_host(&st, "head2", RC_PROC_RUNS, RC_TOLD_NO);
    pair_probe(&st, "head2", RC_CTL_STANDBY, 0);
    story_wait(&st, 600);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_FENCE].node, "head1");
    story_answer(&st, RC_ACT_FENCE, RC_OK);
    pair_probe(&st, "head1", RC_CTL_REFUSED, 0);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_TAKEOVER].node, "head2");
    story_end(&st);
}

static void
with_no_backup_the_primary_is_started_in_place(void)
{
    struct story st;

    pair_begin(&st);
    pair_host(&st, "head2", RC_PROC_RUNS, RC_TOLD_NO);
    pair_host_dir(&st, "head2", RC_DIR_HANGS);
    pair_ends(&st, "head1", RC_TOLD_NO);
    story_wait(&st, 600);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 1); /* head2 is not well enough to be believed */
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_FENCE].node, "head2");
    story_end(&st);
}

static void
a_full_disk_on_the_primary_alone_moves_it_after_a_while(void)
{
    struct story st;

    pair_begin(&st);
    pair_host_dir(&st, "head1", RC_DIR_FULL);
    story_wait(&st, 29000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 0);
    story_wait(&st, 2000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 1);
    story_end(&st);
}

static void
a_full_disk_on_both_moves_nothing(void)
{
    struct story st;

    pair_begin(&st);
    pair_host_dir(&st, "head1", RC_DIR_FULL);
    pair_host_dir(&st, "head2", RC_DIR_FULL);
    story_wait(&st, 600000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TELL], 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(st.last[RC_ACT_TELL].text, "cannot take over"));
    pair_host_dir(&st, "head2", RC_DIR_OK); /* the file server has room again, head1 is late */
    story_wait(&st, 29000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 0);
    story_wait(&st, 2000); /* it is head1's own fault after all */
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 1);
    story_end(&st);
}

/* One fail-over from head1 to head2, or back, with a friendly world. */
static void
move(struct story *st, const char *from, const char *to)
{
    enum rc_action_kind last = strcmp(to, "head1") == 0 ? RC_ACT_CONTROLLER_START : RC_ACT_TAKEOVER;

    pair_ends(st, from, RC_TOLD_NO);
    story_wait(st, 600);
    story_answer(st, RC_ACT_FENCE, RC_OK);
    pair_probe(st, from, RC_CTL_REFUSED, 0);
    story_answer(st, last, RC_OK);
    pair_host(st, to, RC_PROC_RUNS, RC_TOLD_NO);
    pair_probe(st, to, RC_CTL_PRIMARY, 0);
}

static void
after_too_many_moves_a_person_is_told_and_nothing_moves(void)
{
    struct story st;

    pair_begin(&st);
    move(&st, "head1", "head2");
    CU_ASSERT_EQUAL(st.s->pair.primary, 2);
    move(&st, "head2", "head1");
    CU_ASSERT_EQUAL(st.s->pair.primary, 1);
    pair_host(&st, "head2", RC_PROC_RUNS, RC_TOLD_NO);
    pair_probe(&st, "head2", RC_CTL_STANDBY, 0);
    story_clear(&st);
    pair_host(&st, "head1", RC_PROC_STUCK, RC_TOLD_NO);
    pair_probe(&st, "head1", RC_CTL_SILENT, 0);
    story_wait(&st, 6000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 0);
    CU_ASSERT_TRUE(rc_pair_flaps(st.s));
    story_end(&st);
}

/* The backup's disk is full again and again, in the middle of it. */
static void
one_loss_counts_once_however_often_it_begins_anew(void)
{
    struct story st;

    pair_begin(&st);
    pair_cut_off(&st);
    story_wait(&st, 5100);
    for (unsigned n = 1; n <= 3; n++) {
        CU_ASSERT_EQUAL(pair_phase(&st), RC_FO_STOP);
        CU_ASSERT_EQUAL(st.count[RC_ACT_STOP], n);
        story_answer(&st, RC_ACT_STOP, RC_E_SERVER);
        pair_host_dir(&st, "head2", RC_DIR_FULL);
        CU_ASSERT_EQUAL(pair_phase(&st), RC_FO_SUSPECT);
        pair_host_dir(&st, "head2", RC_DIR_OK);
    }
    CU_ASSERT_EQUAL(st.s->pair.done_count, 1);
    CU_ASSERT_FALSE(rc_pair_flaps(st.s));
    /* The old one serves again, nothing was done: there was no fail-over at all. */
    story_answer(&st, RC_ACT_STOP, RC_E_SERVER);
    pair_host_dir(&st, "head2", RC_DIR_FULL);
    pair_probe(&st, "head1", RC_CTL_PRIMARY, 0);
    CU_ASSERT_EQUAL(pair_phase(&st), RC_FO_WATCH);
    CU_ASSERT_EQUAL(st.s->pair.done_count, 0);
    story_end(&st);
}

/* The counter is kept in the store: a leader that moves away does not begin it anew. */
static void
the_next_leader_knows_how_often_it_moved(void)
{
    struct story first, second;

    pair_begin(&first);
    move(&first, "head1", "head2");
    story_answer(&first, RC_ACT_HISTORY_PUT, RC_OK);
    move(&first, "head2", "head1");
    CU_ASSERT_STRING_EQUAL(first.last[RC_ACT_HISTORY_PUT].node, "");

    pair_begin(&second);
    CU_ASSERT_FALSE(rc_pair_flaps(second.s));
    story_history(&second, "", &first.last[RC_ACT_HISTORY_PUT].u.history,
                  second.s->lease_epoch + 1);
    CU_ASSERT_TRUE(rc_pair_flaps(second.s));
    pair_ends(&second, "head1", RC_TOLD_NO);
    story_wait(&second, 600);
    CU_ASSERT_EQUAL(second.s->pair.to, 1); /* started where it was */
    CU_ASSERT_PTR_NOT_NULL(strstr(second.last[RC_ACT_TELL].text, "too many fail-overs"));
    story_end(&first);
    story_end(&second);
}

/* head2 cannot: head1 is started in place, and comes up as process and mode say. */
static void
start_in_place(struct story *st, enum rc_ctl_process process)
{
    pair_begin_in_place(st);
    pair_probe(st, "head2", RC_CTL_STANDBY, 0);
    CU_ASSERT_EQUAL_FATAL(st->count[RC_ACT_CONTROLLER_START], 1);
    CU_ASSERT_STRING_EQUAL(st->last[RC_ACT_CONTROLLER_START].node, "head1");
    story_answer(st, RC_ACT_CONTROLLER_START, RC_OK);
    pair_host(st, "head1", process, RC_TOLD_NO);
    pair_probe(st, "head1", RC_CTL_SILENT, 0);
    CU_ASSERT_EQUAL(pair_phase(st), RC_FO_VERIFY);
    story_clear(st);
}

/* A second at a time; what is asked is answered. */
static void
go_on(struct story *st, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        uint32_t starts = st->count[RC_ACT_CONTROLLER_START];
        story_wait(st, 1000);
        if (pair_phase(st) == RC_FO_FENCE) { /* the proof grew old */
            pair_probe(st, "head2", RC_CTL_STANDBY, 0);
        }
        if (st->count[RC_ACT_CONTROLLER_START] > starts) {
            story_answer(st, RC_ACT_CONTROLLER_START, RC_OK);
        }
    }
}

static void
one_that_loads_its_state_for_long_is_not_ended_again_and_again(void)
{
    struct story st;

    start_in_place(&st, RC_PROC_RUNS);
    go_on(&st, 25); /* takeover: 20 s */
    CU_ASSERT_EQUAL(st.count[RC_ACT_CONTROLLER_START], 1);
    CU_ASSERT_EQUAL(st.last[RC_ACT_CONTROLLER_START].u.controller.restart, 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TELL], 1);
    go_on(&st, 30);
    CU_ASSERT_EQUAL(st.count[RC_ACT_CONTROLLER_START], 1);
    go_on(&st, 20);
    CU_ASSERT_EQUAL(st.count[RC_ACT_CONTROLLER_START], 2);
    CU_ASSERT_EQUAL(st.last[RC_ACT_CONTROLLER_START].u.controller.restart, 0);
    go_on(&st, 60);
    CU_ASSERT_EQUAL(st.count[RC_ACT_CONTROLLER_START], 2);
    go_on(&st, 25); /* 140 s: now it counts as one that hangs */
    CU_ASSERT_EQUAL(st.count[RC_ACT_CONTROLLER_START], 3);
    CU_ASSERT_EQUAL(st.last[RC_ACT_CONTROLLER_START].u.controller.restart, 1);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TELL], 1);
    go_on(&st, 100);
    CU_ASSERT_EQUAL(st.count[RC_ACT_CONTROLLER_START], 3);
    pair_probe(&st, "head1", RC_CTL_PRIMARY, 0);
    CU_ASSERT_EQUAL(pair_phase(&st), RC_FO_WATCH);
    story_end(&st);
}

static void
one_that_is_stopped_by_a_signal_loads_nothing(void)
{
    struct story st;

    start_in_place(&st, RC_PROC_STOPPED);
    go_on(&st, 25);
    CU_ASSERT_EQUAL(st.count[RC_ACT_CONTROLLER_START], 1);
    CU_ASSERT_EQUAL(st.last[RC_ACT_CONTROLLER_START].u.controller.restart, 1);
    story_end(&st);
}

/* That a start was taken says nothing of the take-over that follows it. */
static void
a_take_over_that_is_refused_after_a_start_is_asked_for_again(void)
{
    struct story st;

    pair_begin(&st);
    pair_ends(&st, "head2", RC_TOLD_NO);
    pair_ends(&st, "head1", RC_TOLD_NO);
    story_clear(&st);
    story_wait(&st, 600);
    story_answer(&st, RC_ACT_FENCE, RC_OK);
    pair_probe(&st, "head1", RC_CTL_REFUSED, 0);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_CONTROLLER_START].node, "head2");
    story_answer(&st, RC_ACT_CONTROLLER_START, RC_OK);
    pair_host(&st, "head2", RC_PROC_RUNS, RC_TOLD_NO);
    pair_probe(&st, "head2", RC_CTL_STANDBY, 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 1);
    CU_ASSERT_EQUAL(pair_phase(&st), RC_FO_TAKEOVER);
    story_answer(&st, RC_ACT_TAKEOVER, RC_E_TIMEOUT);
    story_wait(&st, 2000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TAKEOVER], 2);
    story_end(&st);
}

static void
a_person_can_ask_for_it_and_the_old_one_may_save_its_state(void)
{
    struct story st;

    pair_begin(&st);
    pair_order(&st, "head2");
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 1);
    CU_ASSERT_EQUAL(st.last[RC_ACT_FENCE].u.controller.grace_ms, 10000);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_FENCE].node, "head1");
    story_end(&st);
}

static void
a_person_is_refused_what_is_not_safe(void)
{
    char why[RC_TEXT_LEN];
    struct story st;

    pair_begin(&st);
    CU_ASSERT_FALSE(rc_pair_may(st.s, 0, why, sizeof why));
    CU_ASSERT_STRING_EQUAL(why, "it is the primary already");
    pair_host(&st, "head1", RC_PROC_UNKNOWN, RC_TOLD_NOT);
    CU_ASSERT_FALSE(rc_pair_may(st.s, 1, why, sizeof why));
    pair_order(&st, "head2");
    pair_order(&st, "nobody");
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 0);
    story_end(&st);
}

static void
the_lost_one_comes_back_as_backup(void)
{
    struct story st;

    pair_begin(&st);
    pair_ends(&st, "head2", RC_TOLD_YES);
    story_wait(&st, 10);
    CU_ASSERT_EQUAL(st.count[RC_ACT_CONTROLLER_START], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_CONTROLLER_START].node, "head2");
    story_end(&st);
}

static void
the_first_controller_is_not_started_while_the_second_serves(void)
{
    struct story st;

    pair_begin(&st);
    move(&st, "head1", "head2");
    story_clear(&st);
    story_wait(&st, 600000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_CONTROLLER_START], 0);
    story_end(&st);
}

static void
policy_may_want_the_first_one_back(void)
{
    struct story st;

    pair_begin(&st);
    st.policy.controllers.swap_back = 1;
    story_load(&st);
    move(&st, "head1", "head2");
    story_clear(&st);
    story_wait(&st, 61000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_FENCE].node, "head2");
    CU_ASSERT_EQUAL(st.last[RC_ACT_FENCE].u.controller.grace_ms, 10000);
    story_end(&st);
}

static void
with_automatic_off_it_waits_for_a_person(void)
{
    struct story st;

    pair_begin(&st);
    st.policy.controllers.automatic = 0;
    story_load(&st);
    pair_ends(&st, "head1", RC_TOLD_NO);
    story_wait(&st, 60000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_FENCE], 0);
    CU_ASSERT_EQUAL(st.s->pair.block, RC_FOB_OFF);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a killed slurmctld is fenced and taken over after half a second",
         a_killed_slurmctld_is_fenced_and_taken_over_after_half_a_second},
        {"what proved the old one dead is told in one paragraph",
         what_proved_the_old_one_dead_is_told_in_one_paragraph},
        {"a slurmctld that systemd brings back is left alone",
         a_slurmctld_that_systemd_brings_back_is_left_alone},
        {"one that hangs is given five seconds", one_that_hangs_is_given_five_seconds},
        {"what cannot be asked is not dead", what_cannot_be_asked_is_not_dead},
        {"while the peer sees it serve nothing is done",
         while_the_peer_sees_it_serve_nothing_is_done},
        {"without the lease nobody acts", without_the_lease_nobody_acts},
        {"the active backup that comes up as standby is made active again",
         the_active_backup_that_comes_up_as_standby_is_made_active_again},
        {"with no backup the primary is started in place",
         with_no_backup_the_primary_is_started_in_place},
        {"a full disk on the primary alone moves it after a while",
         a_full_disk_on_the_primary_alone_moves_it_after_a_while},
        {"a full disk on both moves nothing", a_full_disk_on_both_moves_nothing},
        {"after too many moves a person is told and nothing moves",
         after_too_many_moves_a_person_is_told_and_nothing_moves},
        {"one loss counts once, however often it begins anew",
         one_loss_counts_once_however_often_it_begins_anew},
        {"the next leader knows how often it moved", the_next_leader_knows_how_often_it_moved},
        {"one that loads its state for long is not ended again and again",
         one_that_loads_its_state_for_long_is_not_ended_again_and_again},
        {"one that is stopped by a signal loads nothing",
         one_that_is_stopped_by_a_signal_loads_nothing},
        {"a take-over that is refused after a start is asked for again",
         a_take_over_that_is_refused_after_a_start_is_asked_for_again},
        {"a person can ask for it and the old one may save its state",
         a_person_can_ask_for_it_and_the_old_one_may_save_its_state},
        {"a person is refused what is not safe", a_person_is_refused_what_is_not_safe},
        {"the lost one comes back as backup", the_lost_one_comes_back_as_backup},
        {"the first controller is not started while the second serves",
         the_first_controller_is_not_started_while_the_second_serves},
        {"policy may want the first one back", policy_may_want_the_first_one_back},
        {"with automatic off it waits for a person", with_automatic_off_it_waits_for_a_person},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("failover", tests);
}
