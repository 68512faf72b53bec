/* What holds the daemon back, and that it does. */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

#include "policies/rules.h"
#include "reconciler/core/fact.h"
#include "tests/unit/core/story.h"

/* Node n<i> drained by us, idle, as slurmctld would show it. */
static void
show_drained(struct story *st, unsigned i, uint32_t more)
{
    char name[16], addr[24];

    snprintf(name, sizeof name, "n%u", i);
    snprintf(addr, sizeof addr, "10.0.0.%u", i);
    story_node(st, name, addr, RC_SN_DRAIN | more, RC_OWNER_OURS);
}

/* n1 and the next ones. */
static void
impair_many(struct story *st, unsigned count)
{
    char id[16];

    for (unsigned i = 1; i <= count; i++) {
        snprintf(id, sizeof id, "i-%u", i);
        story_checks(st, id, RC_CHECK_IMPAIRED);
    }
}

static void
no_more_nodes_are_taken_out_than_the_budget_allows(void)
{
    struct story st;

    story_begin(&st, 20);
    impair_many(&st, 10);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 4);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->out, 4);
    CU_ASSERT_EQUAL(story_incident(&st, "n5")->block, RC_BLOCK_BUDGET_CLUSTER);
    story_end(&st);
}

/* Its address is nobody's for a moment: unknown is not "a person knew of it". */
static void
what_waits_for_the_budget_waits_on_while_its_instance_is_not_known(void)
{
    struct story st;

    story_begin(&st, 20);
    impair_many(&st, 5);
    CU_ASSERT_EQUAL(story_incident(&st, "n5")->phase, RC_PHASE_OPEN);
    story_node(&st, "n5", "10.9.9.9", 0, RC_OWNER_NONE);
    CU_ASSERT_PTR_NOT_NULL(story_incident(&st, "n5"));
    story_end(&st);
}

static void
instances_that_aws_takes_are_not_held_back_by_the_budget(void)
{
    struct story st;

    story_begin(&st, 20);
    for (unsigned i = 1; i <= 6; i++) {
        struct rc_event ev;
        char id[16];
        snprintf(id, sizeof id, "i-%u", i);
        rc_event_init(&ev, RC_EV_SPOT_INTERRUPTION);
        rc_text_set(ev.instance, sizeof ev.instance, id);
        story_message(&st, i, &ev);
    }
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 6);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->out, 0);
    story_checks(&st, "i-10", RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 7);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->out, 1);
    story_end(&st);
}

static void
a_freed_place_in_the_budget_goes_to_the_next_incident(void)
{
    struct story st;

    story_begin(&st, 20);
    for (int i = 0; i < RC_SCOPE__MAX; i++) {
        st.policy.limits.out[i].count = 1;
    }
    story_load(&st);
    story_checks(&st, "i-1", RC_CHECK_IMPAIRED);
    story_checks(&st, "i-2", RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1);
    struct rc_event well;
    rc_event_init(&well, RC_EV_INSTANCE_STATUS);
    rc_text_set(well.instance, sizeof well.instance, "i-1");
    well.u.status.system = RC_CHECK_OK;
    story_give(&st, &well);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    show_drained(&st, 1, RC_SN_ALLOCATED);
    story_answer(&st, RC_ACT_GATE, RC_OK);
    story_answer(&st, RC_ACT_RESUME, RC_OK);
    story_wait(&st, 50);
    story_node(&st, "n1", "10.0.0.1", 0, RC_OWNER_NONE);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 2);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_DRAIN].node, "n2");
    story_end(&st);
}

static void
a_storm_opens_the_breaker_inside_the_budget(void)
{
    struct story st;

    story_begin(&st, 60);
    for (int i = 0; i < RC_SCOPE__MAX; i++) {
        st.policy.limits.out[i].count = 50;
    }
    st.policy.limits.breaker.count = 5;
    story_load(&st);
    for (unsigned i = 1; i <= 40; i++) {
        char id[16];
        snprintf(id, sizeof id, "i-%u", i);
        story_state(&st, id, RC_INST_TERMINATED);
    }
    CU_ASSERT_EQUAL(st.s->breaker_open, 1);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 5);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 0);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    show_drained(&st, 5, RC_SN_DOWN);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH] + st.count[RC_ACT_DOWN], 0);
    CU_ASSERT_EQUAL(story_incident(&st, "n5")->block, RC_BLOCK_BREAKER);
    story_operate(&st, RC_OP_BREAKER_RESET, "", 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    story_end(&st);
}

/* Else the next leader would let go of the breaker too early: it has the history alone. */
static void
a_history_tells_when_an_agents_drain_turned_out_worse(void)
{
    struct story st;

    story_begin(&st, 2);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_OURS);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->fault, RC_FAULT_AGENT_DRAIN);
    CU_ASSERT_EQUAL(st.s->breaker_rate.count, 0);
    story_wait(&st, 60000);
    story_clear(&st);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->fault, RC_FAULT_INSTANCE_GONE);
    CU_ASSERT_EQUAL(st.count[RC_ACT_HISTORY_PUT], 1);
    CU_ASSERT_EQUAL(st.last[RC_ACT_HISTORY_PUT].u.history.opened_wall_ms[0], st.wall_ms);
    CU_ASSERT_EQUAL(st.last[RC_ACT_HISTORY_PUT].u.history.opened_wall_ms[1], 0);
    story_end(&st);
}

static void
a_share_of_a_tiny_pool_neither_blocks_all_nor_allows_all(void)
{
    const struct rc_limit limit = {.count = 2, .permille = 50};

    CU_ASSERT_EQUAL(rc_limit_allows(&limit, 0), 2);
    CU_ASSERT_EQUAL(rc_limit_allows(&limit, 3), 2);
    CU_ASSERT_EQUAL(rc_limit_allows(&limit, 1000), 50);
}

static void
lose_node(struct story *st, unsigned i)
{
    char id[16];

    snprintf(id, sizeof id, "i-%u", i);
    story_state(st, id, RC_INST_TERMINATED);
    story_answer(st, RC_ACT_DRAIN, RC_OK);
    show_drained(st, i, RC_SN_DOWN);
    story_wait(st, 1000);
}

static void
launches_of_the_last_hour_are_counted_sliding(void)
{
    struct story st;

    story_begin(&st, 20);
    for (int i = 0; i < RC_SCOPE__MAX; i++) {
        st.policy.limits.launches_per_hour[i] = 2;
    }
    story_load(&st);
    for (unsigned i = 1; i <= 3; i++) {
        lose_node(&st, i);
    }
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 2);
    CU_ASSERT_EQUAL(story_incident(&st, "n3")->block, RC_BLOCK_RATE_CLUSTER);
    story_wait(&st, 3600 * 1000);
    CU_ASSERT_TRUE(st.count[RC_ACT_LAUNCH] > 2);
    story_end(&st);
}

/* A new leader knows from the store that nodes were launched, and from slurmctld where they are. */
static void
a_launch_counts_in_every_partition_until_slurmctld_was_read(void)
{
    struct story st;
    struct rc_event pass;

    story_begin(&st, 20);
    st.policy.limits.launches_per_hour[RC_SCOPE_PARTITION] = 2;
    story_load(&st);
    st.s->slurm_wall_ms = 0;
    lose_node(&st, 1);
    lose_node(&st, 2);
    lose_node(&st, 3);
    rc_node_set_partition(st.s, rc_node_find(st.s, "n3"), "cpu"); /* and its row comes late */
    story_wait(&st, 6000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 2);
    CU_ASSERT_EQUAL(story_incident(&st, "n3")->block, RC_BLOCK_RATE_PARTITION);
    rc_event_init(&pass, RC_EV_SWEEP);
    pass.u.sweep.which = RC_SWEEP_SLURM;
    pass.u.sweep.complete = 1;
    story_give(&st, &pass);
    story_wait(&st, 6000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 3);
    story_end(&st);
}

/* The daemon was away, or EC2 did not answer: what comes of it comes now. */
static void
a_launch_tried_again_half_an_hour_later_counts_anew(void)
{
    struct story st;

    story_begin(&st, 20);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    show_drained(&st, 1, RC_SN_DOWN);
    for (int minute = 0; minute < 29; minute++) {
        story_answer(&st, RC_ACT_LAUNCH, RC_E_TIMEOUT);
        story_wait(&st, 61 * 1000);
    }
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 30);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->launches.count, 1);
    for (int minute = 29; minute < 45; minute++) {
        story_answer(&st, RC_ACT_LAUNCH, RC_E_TIMEOUT);
        story_wait(&st, 61 * 1000);
    }
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->launches.count, 2);
    story_end(&st);
}

static void
a_held_node_is_left_alone_until_it_is_released(void)
{
    struct story st;

    story_begin(&st, 4);
    story_operate(&st, RC_OP_HOLD, "n1", 0);
    story_checks(&st, "i-1", RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 0);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->block, RC_BLOCK_HOLD);
    story_operate(&st, RC_OP_RELEASE, "n1", 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1);
    story_end(&st);
}

static void
a_maintenance_reservation_is_respected(void)
{
    struct story st;

    story_begin(&st, 4);
    story_node(&st, "n1", "10.0.0.1", RC_SN_MAINT, RC_OWNER_NONE);
    story_checks(&st, "i-1", RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 0);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->block, RC_BLOCK_MAINT);
    story_end(&st);
}

static void
without_the_lease_nothing_is_sent(void)
{
    struct story st;
    struct rc_event lost;

    story_begin(&st, 4);
    rc_event_init(&lost, RC_EV_LEASE);
    lost.at_ms = st.at_ms += 10;
    lost.wall_ms = st.wall_ms;
    rc_step(st.s, &lost, &st.out);
    struct rc_event gone;
    rc_event_init(&gone, RC_EV_EC2_STATE_CHANGE);
    rc_text_set(gone.instance, sizeof gone.instance, "i-1");
    gone.u.state_change.state = RC_INST_TERMINATED;
    gone.at_ms = st.at_ms;
    gone.wall_ms = st.wall_ms;
    rc_step(st.s, &gone, &st.out);
    CU_ASSERT_EQUAL(st.out.count, 0);
    story_wait(&st, 2000); /* the lease is asked for again and got */
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1);
    story_end(&st);
}

static void
paused_means_nothing_new(void)
{
    struct story st;

    story_begin(&st, 4);
    story_operate(&st, RC_OP_PAUSE, "", 0);
    story_checks(&st, "i-1", RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN] + st.count[RC_ACT_INCIDENT_PUT], 0);
    story_operate(&st, RC_OP_RESUME, "", 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1);
    story_end(&st);
}

static void
a_rung_that_needs_approval_waits_for_a_person(void)
{
    struct story st;

    story_begin(&st, 4);
    st.policy.rule[0].approve = 1;
    story_load(&st);
    story_checks(&st, "i-1", RC_CHECK_IMPAIRED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    show_drained(&st, 1, 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 0);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->block, RC_BLOCK_APPROVAL);
    story_operate(&st, RC_OP_APPROVE, "", story_incident(&st, "n1")->id);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    story_end(&st);
}

static void
a_node_repaired_too_often_goes_to_quarantine(void)
{
    struct story st;

    story_begin(&st, 4);
    st.policy.limits.attempts_max = 1;
    st.policy.rule[0].rung[0].attempts = 5;
    story_load(&st);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    show_drained(&st, 1, RC_SN_DOWN);
    story_launched(&st, "i-9", "10.0.0.9");
    story_state(&st, "i-9", RC_INST_TERMINATED);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_QUARANTINE);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TELL], 1);
    story_wait(&st, 3600 * 1000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    story_end(&st);
}

static void
a_node_in_use_again_is_not_rebooted(void)
{
    struct story st;

    story_begin(&st, 4);
    st.policy.rule[0].rung[0].kind = RC_RUNG_REBOOT;
    for (int i = 0; i < RC_SCOPE__MAX; i++) {
        st.policy.limits.destructive_per_hour[i] = 1;
    }
    story_load(&st);
    story_checks(&st, "i-2", RC_CHECK_IMPAIRED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    show_drained(&st, 2, 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_REBOOT], 1);
    story_checks(&st, "i-1", RC_CHECK_IMPAIRED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    show_drained(&st, 1, 0);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_REBOOT);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->block, RC_BLOCK_RATE_CLUSTER);
    story_node(&st, "n1", "10.0.0.1", RC_SN_ALLOCATED, RC_OWNER_NONE); /* an operator resumed it */
    story_wait(&st, 2 * 3600 * 1000);
    for (unsigned i = 0; i < st.count[RC_ACT_REBOOT]; i++) {
        CU_ASSERT_STRING_NOT_EQUAL(st.last[RC_ACT_REBOOT].node, "n1");
    }
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    CU_ASSERT_EQUAL(rc_node_at(st.s, rc_node_find(st.s, "n1"))->yielded_fault,
                    RC_FAULT_SYSTEM_IMPAIRED);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"no more nodes are taken out than the budget allows",
         no_more_nodes_are_taken_out_than_the_budget_allows},
        {"what waits for the budget waits on while its instance is not known",
         what_waits_for_the_budget_waits_on_while_its_instance_is_not_known},
        {"instances that AWS takes are not held back by the budget",
         instances_that_aws_takes_are_not_held_back_by_the_budget},
        {"a freed place in the budget goes to the next incident",
         a_freed_place_in_the_budget_goes_to_the_next_incident},
        {"a storm opens the breaker inside the budget",
         a_storm_opens_the_breaker_inside_the_budget},
        {"a history tells when an agent's drain turned out worse",
         a_history_tells_when_an_agents_drain_turned_out_worse},
        {"a share of a tiny pool neither blocks all nor allows all",
         a_share_of_a_tiny_pool_neither_blocks_all_nor_allows_all},
        {"a launch counts in every partition until slurmctld was read",
         a_launch_counts_in_every_partition_until_slurmctld_was_read},
        {"a launch tried again half an hour later counts anew",
         a_launch_tried_again_half_an_hour_later_counts_anew},
        {"launches of the last hour are counted, sliding",
         launches_of_the_last_hour_are_counted_sliding},
        {"a held node is left alone until it is released",
         a_held_node_is_left_alone_until_it_is_released},
        {"a maintenance reservation is respected", a_maintenance_reservation_is_respected},
        {"without the lease nothing is sent", without_the_lease_nothing_is_sent},
        {"paused means nothing new", paused_means_nothing_new},
        {"a rung that needs approval waits for a person",
         a_rung_that_needs_approval_waits_for_a_person},
        {"a node repaired too often goes to quarantine",
         a_node_repaired_too_often_goes_to_quarantine},
        {"a node in use again is not rebooted", a_node_in_use_again_is_not_rebooted},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("limits", tests);
}
