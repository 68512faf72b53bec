/* What a new leader must not believe: what was read before it led, what the leader before had
 * begun, and what only a clock says. Each was met by a random schedule of the simulator. */
#include "tests/harness/harness.h"

#include <string.h>

#include "reconciler/core/stored.h"
#include "reconciler/core/turn.h"
#include "tests/unit/core/story.h"

static struct story st;

static void
adopt(enum rc_phase phase)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_ADOPT);
    rc_text_set(ev.node, sizeof ev.node, "n1");
    ev.u.adopt.incident = 41;
    ev.u.adopt.epoch = 5;
    ev.u.adopt.fault = RC_FAULT_SYSTEM_IMPAIRED;
    ev.u.adopt.phase = (uint32_t)phase;
    ev.u.adopt.attempt = 1;
    ev.u.adopt.flags = RC_ADOPT_OUR_DRAIN;
    rc_text_set(ev.u.adopt.old_instance, RC_ID_LEN, "i-1");
    rc_text_set(ev.u.adopt.rule, RC_RULE_LEN, "replace-all");
    story_give(&st, &ev);
}

static void
show_drained(void)
{
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_OURS);
}

/* Drained by us, as it was read before the lease was got. */
static void
take_over(enum rc_phase phase)
{
    story_lose_lease(&st);
    show_drained();
    adopt(phase);
    story_take_lease(&st, 6);
}

static void
begin(enum rc_rung_kind rung)
{
    story_begin(&st, 2);
    st.policy.rule[0].rung[0].kind = (uint32_t)rung;
    story_load(&st);
}

static uint32_t
yielded(void)
{
    return rc_node_at(st.s, rc_node_find(st.s, "n1"))->yielded_fault;
}

static void
a_node_is_resumed_only_by_who_has_read_it(void)
{
    begin(RC_RUNG_REBOOT);
    take_over(RC_PHASE_RETURN);
    CU_ASSERT_EQUAL(st.count[RC_ACT_RESUME], 0);
    show_drained();
    CU_ASSERT_EQUAL(st.count[RC_ACT_RESUME], 1);
    story_end(&st);
}

static void
a_person_who_took_his_node_back_meanwhile_is_seen_first(void)
{
    begin(RC_RUNG_REBOOT);
    take_over(RC_PHASE_WAIT_IDLE); /* nothing is wrong any more, as far as it knows */
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_WAIT_IDLE);
    story_node(&st, "n1", "10.0.0.1", 0, RC_OWNER_NONE);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 0);
    story_end(&st);
}

static void
a_reboot_that_another_leader_had_asked_for_is_not_overlooked(void)
{
    begin(RC_RUNG_REBOOT);
    take_over(RC_PHASE_REBOOT);
    show_drained();
    CU_ASSERT_EQUAL(st.count[RC_ACT_GATE], 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_REBOOT], 1);
    story_end(&st);
}

static void
a_boot_before_the_request_is_not_that_of_the_reboot(void)
{
    begin(RC_RUNG_REBOOT);
    story_checks(&st, "i-1", RC_CHECK_IMPAIRED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    show_drained(); /* booted a moment ago */
    story_answer(&st, RC_ACT_REBOOT, RC_OK);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_REBOOT);
    st.wall_ms -= 600000; /* our clock is set back, the node's too */
    show_drained();
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_REBOOT);
    st.wall_ms += 660000;
    show_drained();
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_GATE);
    story_end(&st);
}

static void
what_a_person_knew_of_is_not_over_before_the_checks_were_read(void)
{
    struct rc_history h = {.yielded_fault = RC_FAULT_SYSTEM_IMPAIRED};

    begin(RC_RUNG_REBOOT);
    story_lose_lease(&st);
    story_history(&st, "n1", &h, 5);
    story_take_lease(&st, 6);
    CU_ASSERT_EQUAL(yielded(), RC_FAULT_SYSTEM_IMPAIRED);
    story_checks(&st, "i-1", RC_CHECK_OK);
    CU_ASSERT_EQUAL(yielded(), RC_FAULT_NONE);
    story_end(&st);
}

static void
a_drain_that_was_read_before_we_led_does_not_undo_what_a_person_said(void)
{
    struct rc_history h = {.yielded_fault = RC_FAULT_SYSTEM_IMPAIRED};

    begin(RC_RUNG_REBOOT);
    story_lose_lease(&st);
    show_drained();
    story_history(&st, "n1", &h, 5);
    story_checks(&st, "i-1", RC_CHECK_IMPAIRED);
    story_take_lease(&st, 6);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    show_drained(); /* now it is our agent's, or left behind */
    CU_ASSERT_PTR_NOT_NULL(story_incident(&st, "n1"));
    story_end(&st);
}

static void
a_fault_that_went_in_a_pause_is_confirmed_anew(void)
{
    struct rc_event alarm;

    begin(RC_RUNG_REBOOT);
    st.policy.rule[0].confirm_ms = 60000;
    st.cluster.lease_term_ms = 1000000;
    story_load(&st);
    story_take_lease(&st, 1);
    story_checks(&st, "i-1", RC_CHECK_IMPAIRED);
    story_wait(&st, 5000);
    story_operate(&st, RC_OP_PAUSE, "", 0);
    rc_event_init(&alarm, RC_EV_CLOUDWATCH_ALARM);
    rc_text_set(alarm.instance, sizeof alarm.instance, "i-1");
    alarm.u.alarm.state = RC_ALARM_FIRING; /* a lesser one stands all the time */
    story_give(&st, &alarm);
    story_checks(&st, "i-1", RC_CHECK_OK);
    story_wait(&st, 100000);
    story_checks(&st, "i-1", RC_CHECK_IMPAIRED);
    story_operate(&st, RC_OP_RESUME, "", 0);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    story_wait(&st, 61000);
    CU_ASSERT_PTR_NOT_NULL(story_incident(&st, "n1"));
    story_end(&st);
}

/* A host that lost its power has lost the end of its journal: the store may be ahead of it. */
static void
the_store_is_believed_where_it_is_ahead_of_our_own_journal(void)
{
    struct rc_ev_adopt item = {.attempt = 1};

    begin(RC_RUNG_REBOOT);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    uint32_t slot = rc_node_at(st.s, rc_node_find(st.s, "n1"))->incident;
    rc_unsaved_add(st.s, slot, 1);
    item.epoch = st.s->lease_epoch;
    CU_ASSERT_TRUE(rc_stored_agrees(st.s, slot, &item));
    item.attempt = 2;
    CU_ASSERT_FALSE(rc_stored_agrees(st.s, slot, &item));
    story_end(&st);
}

/* A person who took the node back meanwhile did so from the drain that only the store tells of. */
static void
the_store_is_believed_when_it_tells_of_a_drain_that_our_journal_has_lost(void)
{
    struct rc_ev_adopt item = {.attempt = 1, .phase = RC_PHASE_WAIT_IDLE};

    begin(RC_RUNG_REBOOT);
    story_checks(&st, "i-1", RC_CHECK_IMPAIRED);
    struct rc_incident *inc = story_incident(&st, "n1");
    uint32_t slot = rc_node_at(st.s, rc_node_find(st.s, "n1"))->incident;
    CU_ASSERT_EQUAL(inc->phase, RC_PHASE_PROTECT);
    rc_unsaved_add(st.s, slot, 1);
    item.epoch = st.s->lease_epoch;
    CU_ASSERT_FALSE(rc_stored_agrees(st.s, slot, &item));
    item.phase = RC_PHASE_OPEN; /* before our last words, which it never had */
    CU_ASSERT_TRUE(rc_stored_agrees(st.s, slot, &item));
    item.phase = RC_PHASE_WAIT_IDLE;
    inc->accepted_ms = inc->phase_ms - 1; /* in service again, and the fault is back */
    CU_ASSERT_TRUE(rc_stored_agrees(st.s, slot, &item));
    story_end(&st);
}

static bool
is_parked_in(enum rc_capacity capacity)
{
    struct rc_action a;

    story_begin(&st, 2);
    st.s->cluster.group[0].capacity = (uint32_t)capacity;
    story_state(&st, "i-1", RC_INST_TERMINATED);
    rc_action_init(&a, RC_ACT_SUPPORT_CASE);
    a.incident = story_incident(&st, "n1")->id;
    rc_text_set(a.node, sizeof a.node, "n1");
    rc_text_set(a.instance, sizeof a.instance, "i-2");
    rc_text_set(a.u.support.before, sizeof a.u.support.before, "i-0");
    a.id = st.s->next_action;
    rc_note(st.s, &a);
    bool parked = rc_instance_at(st.s, rc_instance_find(st.s, "i-2"))->parked;
    story_end(&st);
    return parked;
}

/* A full reservation has no other host: what is kept holds the slot of its successor for ever. */
static void
a_bad_host_is_kept_only_where_there_are_others(void)
{
    CU_ASSERT_TRUE(is_parked_in(RC_CAPACITY_OPEN));
    CU_ASSERT_FALSE(is_parked_in(RC_CAPACITY_RESERVED));
}

static void
slurm_pass(bool complete)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_SWEEP);
    ev.u.sweep.which = RC_SWEEP_SLURM;
    ev.u.sweep.complete = complete;
    story_give(&st, &ev);
}

static void
a_person_who_took_his_node_back_while_slurmctld_was_away_is_seen_first(void)
{
    begin(RC_RUNG_REBOOT);
    story_checks(&st, "i-1", RC_CHECK_IMPAIRED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_job(&st, "n1", "10.0.0.1", RC_SN_DRAIN, 7, 1);
    slurm_pass(true);
    slurm_pass(false);
    story_checks(&st, "i-1", RC_CHECK_OK);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_WAIT_IDLE);
    story_node(&st, "n1", "10.0.0.1", 0, RC_OWNER_NONE);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1);
    story_end(&st);
}

static void
schedule(enum rc_schedule kind, enum rc_check system)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_INSTANCE_STATUS);
    rc_text_set(ev.instance, sizeof ev.instance, "i-1");
    ev.u.status.state = RC_INST_RUNNING;
    ev.u.status.system = (uint32_t)system;
    ev.u.status.instance = RC_CHECK_OK;
    ev.u.status.schedule = (uint32_t)kind;
    ev.u.status.not_before_wall_ms = kind ? st.wall_ms + 3600 * 1000 : 0;
    story_give(&st, &ev);
}

static void
give_way(enum rc_fault fault)
{
    struct rc_history h = {.yielded_fault = (uint32_t)fault};

    begin(RC_RUNG_REBOOT);
    story_lose_lease(&st);
    story_history(&st, "n1", &h, 5);
    story_take_lease(&st, 6);
}

static void
an_incident_is_not_raised_to_what_a_person_knew_of(void)
{
    give_way(RC_FAULT_SYSTEM_IMPAIRED);
    schedule(RC_SCHED_RETIREMENT, RC_CHECK_UNKNOWN);
    CU_ASSERT_PTR_NOT_NULL_FATAL(story_incident(&st, "n1"));
    schedule(RC_SCHED_RETIREMENT, RC_CHECK_IMPAIRED);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1")); /* nobody looks beneath that */
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 0);
    story_end(&st);
}

static void
an_incident_ends_when_what_is_left_is_what_a_person_knew_of(void)
{
    struct rc_event alarm;

    give_way(RC_FAULT_ALARM);
    rc_event_init(&alarm, RC_EV_CLOUDWATCH_ALARM);
    rc_text_set(alarm.instance, sizeof alarm.instance, "i-1");
    alarm.u.alarm.state = RC_ALARM_FIRING;
    story_give(&st, &alarm);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    schedule(RC_SCHED_RETIREMENT, RC_CHECK_OK);
    CU_ASSERT_PTR_NOT_NULL(story_incident(&st, "n1"));
    schedule(RC_SCHED_NONE, RC_CHECK_OK);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 0);
    story_end(&st);
}

/* It holds a slot that the node waits for which fills the budget. */
static void
what_an_incident_before_left_is_ended_while_the_budget_is_full(void)
{
    struct rc_event ev;

    begin(RC_RUNG_REBOOT);
    memset(st.policy.limits.out, 0, sizeof st.policy.limits.out);
    story_load(&st);
    rc_event_init(&ev, RC_EV_INSTANCE);
    rc_text_set(ev.instance, sizeof ev.instance, "i-9");
    rc_text_set(ev.u.described.node, RC_NODE_LEN, "n1");
    rc_text_set(ev.u.described.addr, RC_ADDR_LEN, "10.0.9.9");
    ev.u.described.state = RC_INST_RUNNING;
    ev.u.described.ours = 1;
    ev.u.described.tag_incident = 7;
    ev.u.described.tag_attempt = 1;
    ev.u.described.launched_wall_ms = st.wall_ms;
    story_give(&st, &ev);
    story_checks(&st, "i-1", RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->block, RC_BLOCK_BUDGET_CLUSTER);
    story_wait(&st, 600000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_TERMINATE].instance, "i-9");
    story_end(&st);
}

/* Its disk took nothing, and it was not told that its lease had been lost. */
static void
a_breaker_does_not_close_for_who_has_no_live_lease(void)
{
    begin(RC_RUNG_REBOOT);
    st.s->breaker_open = 1;
    st.s->policy.limits.breaker_reset_ms = 1000;
    st.s->lease_until_ms = st.s->now_ms + 60000;
    CU_ASSERT_NOT_EQUAL(rc_breaker_wake(st.s), RC_NEVER);
    st.s->lease_until_ms = st.s->now_ms;
    CU_ASSERT_EQUAL(rc_breaker_wake(st.s), RC_NEVER);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a node is resumed only by who has read it", a_node_is_resumed_only_by_who_has_read_it},
        {"a person who took his node back meanwhile is seen first",
         a_person_who_took_his_node_back_meanwhile_is_seen_first},
        {"a reboot that another leader had asked for is not overlooked",
         a_reboot_that_another_leader_had_asked_for_is_not_overlooked},
        {"a boot before the request is not that of the reboot",
         a_boot_before_the_request_is_not_that_of_the_reboot},
        {"what a person knew of is not over before the checks were read",
         what_a_person_knew_of_is_not_over_before_the_checks_were_read},
        {"a drain that was read before we led does not undo what a person said",
         a_drain_that_was_read_before_we_led_does_not_undo_what_a_person_said},
        {"a fault that went in a pause is confirmed anew",
         a_fault_that_went_in_a_pause_is_confirmed_anew},
        {"the store is believed where it is ahead of our own journal",
         the_store_is_believed_where_it_is_ahead_of_our_own_journal},
        {"the store is believed when it tells of a drain that our journal has lost",
         the_store_is_believed_when_it_tells_of_a_drain_that_our_journal_has_lost},
        {"a bad host is kept only where there are others",
         a_bad_host_is_kept_only_where_there_are_others},
        {"a person who took his node back while slurmctld was away is seen first",
         a_person_who_took_his_node_back_while_slurmctld_was_away_is_seen_first},
        {"an incident is not raised to what a person knew of",
         an_incident_is_not_raised_to_what_a_person_knew_of},
        {"an incident ends when what is left is what a person knew of",
         an_incident_ends_when_what_is_left_is_what_a_person_knew_of},
        {"what an incident before left is ended while the budget is full",
         what_an_incident_before_left_is_ended_while_the_budget_is_full},
        {"a breaker does not close for who has no live lease",
         a_breaker_does_not_close_for_who_has_no_live_lease},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("taken over", tests);
}
