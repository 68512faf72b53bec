/* What handlers/adopt.c folds, and what it does not. */
#include "tests/harness/harness.h"

#include <string.h>

#include "tests/unit/core/story.h"

static void
adopt(struct story *st, const char *node, uint32_t incident, uint32_t phase, const char *old)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_ADOPT);
    rc_text_set(ev.node, sizeof ev.node, node);
    ev.u.adopt.incident = incident;
    ev.u.adopt.fault = RC_FAULT_RETIREMENT;
    ev.u.adopt.phase = phase;
    ev.u.adopt.attempt = 3;
    ev.u.adopt.opened_wall_ms = st->wall_ms - 60000;
    rc_text_set(ev.u.adopt.old_instance, RC_ID_LEN, old);
    rc_text_set(ev.u.adopt.rule, RC_RULE_LEN, "replace-all");
    story_give(st, &ev);
}

static void
an_adopted_incident_goes_on_with_its_attempt_and_its_number(void)
{
    struct story st;

    story_begin(&st, 4);
    adopt(&st, "n1", 41, RC_PHASE_LAUNCH, "i-1");
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->attempt, 3);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 0); /* the life before may have launched */
    story_sweep(&st);
    CU_ASSERT_EQUAL(st.last[RC_ACT_LAUNCH].u.launch.attempt, 3);
    CU_ASSERT_EQUAL(st.s->next_incident, 42);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->out, 1);
    story_end(&st);
}

static void
what_is_known_already_and_what_cannot_go_on_is_not_adopted(void)
{
    struct story st;

    story_begin(&st, 4);
    adopt(&st, "n1", 41, RC_PHASE_WAIT_IDLE, "i-1");
    adopt(&st, "n1", 42, RC_PHASE_LAUNCH, "i-1");
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->id, 41);
    adopt(&st, "n2", 0, RC_PHASE_LAUNCH, "i-2");
    adopt(&st, "n3", 50, RC_PHASE_CLOSED, "i-3");
    adopt(&st, "n3", 51, RC_PHASE_NONE, "i-3");
    adopt(&st, "n3", 52, 999, "i-3");
    adopt(&st, "", 53, RC_PHASE_LAUNCH, "i-3");
    CU_ASSERT_EQUAL(st.s->open_incidents, 1);
    story_end(&st);
}

/* To the leader before it was a drain to be proved, which stands in the history. */
static void
an_adopted_drain_that_turns_out_worse_is_a_new_fault_to_the_breaker(void)
{
    struct story st;
    struct rc_event history, drained, taken, lease;

    story_begin(&st, 4);
    story_wait(&st, 60000);
    rc_event_init(&lease, RC_EV_LEASE);
    story_give(&st, &lease); /* lost */
    rc_event_init(&drained, RC_EV_SLURM_NODE);
    rc_text_set(drained.node, sizeof drained.node, "n1");
    rc_text_set(drained.u.slurm.addr, RC_ADDR_LEN, "10.0.0.1");
    drained.u.slurm.flags = RC_SN_DRAIN;
    drained.u.slurm.owner = RC_OWNER_OURS; /* and of no incident: the agent's */
    story_give(&st, &drained);
    rc_event_init(&history, RC_EV_HISTORY);
    rc_text_set(history.node, sizeof history.node, "n1");
    history.u.history.epoch = 7;
    history.u.history.opened_wall_ms[0] = st.wall_ms - 50000;
    story_give(&st, &history);
    rc_event_init(&taken, RC_EV_ADOPT);
    rc_text_set(taken.node, sizeof taken.node, "n1");
    taken.u.adopt.incident = 41;
    taken.u.adopt.fault = RC_FAULT_AGENT_DRAIN;
    taken.u.adopt.phase = RC_PHASE_OPEN;
    taken.u.adopt.attempt = 1;
    rc_text_set(taken.u.adopt.old_instance, RC_ID_LEN, "i-1");
    rc_text_set(taken.u.adopt.rule, RC_RULE_LEN, "replace-all");
    story_give(&st, &taken);
    lease.u.lease.held = 1;
    lease.u.lease.epoch = 8;
    lease.u.lease.until_ms = st.at_ms + st.cluster.lease_term_ms;
    story_give(&st, &lease);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->id, 41);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->fault, RC_FAULT_INSTANCE_GONE);
    CU_ASSERT_EQUAL(st.s->breaker_last_ms, st.at_ms);
    CU_ASSERT_EQUAL(st.s->breaker_rate.count, 1); /* one fault, however it began */
    story_end(&st);
}

static void
a_name_behind_which_nothing_is_known_is_not_well(void)
{
    struct story st;

    story_begin(&st, 4);
    story_node(&st, "n5", "10.0.0.5", RC_SN_DRAIN, RC_OWNER_OURS);
    story_clear(&st);
    adopt(&st, "n5", 41, RC_PHASE_WAIT_IDLE, "i-5");
    story_wait(&st, 60000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_GATE] + st.count[RC_ACT_RESUME], 0);
    story_end(&st);
}

/* Both ended more than an hour ago, and EC2 tells of them no more. */
static void
what_ec2_has_forgotten_before_the_take_over_does_not_return(void)
{
    struct story st;
    struct rc_event ev;

    story_begin(&st, 4);
    story_node(&st, "n5", "10.0.0.5", RC_SN_DOWN | RC_SN_NOT_RESPONDING, RC_OWNER_SLURM);
    rc_event_init(&ev, RC_EV_ADOPT);
    rc_text_set(ev.node, sizeof ev.node, "n5");
    ev.u.adopt.incident = 41;
    ev.u.adopt.fault = RC_FAULT_INSTANCE_GONE;
    ev.u.adopt.phase = RC_PHASE_RETURN;
    ev.u.adopt.attempt = 1;
    rc_text_set(ev.u.adopt.old_instance, RC_ID_LEN, "i-5");
    rc_text_set(ev.u.adopt.new_instance, RC_ID_LEN, "i-5b");
    rc_text_set(ev.u.adopt.rule, RC_RULE_LEN, "replace-all");
    story_give(&st, &ev);
    story_answer(&st, RC_ACT_RESUME, RC_E_FOREIGN); /* "Not responding" is not ours to undo */
    for (unsigned i = 0; i < 3; i++) {
        story_sweep(&st);
    }
    story_wait(&st, st.policy.timeouts.missing_ms + 1000);
    CU_ASSERT_TRUE(story_incident(&st, "n5")->phase != RC_PHASE_RETURN);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1);
    story_end(&st);
}

static void
the_dead_instance_of_an_adopted_incident_stands_behind_its_name_again(void)
{
    struct story st;

    story_begin(&st, 4);
    story_node(&st, "n5", "10.0.0.5", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    story_instance(&st, "i-5", "n5", "", RC_INST_TERMINATED);
    adopt(&st, "n5", 41, RC_PHASE_WAIT_IDLE, "i-5");
    uint32_t node = rc_node_find(st.s, "n5");
    CU_ASSERT_EQUAL(rc_node_at(st.s, node)->instance, rc_instance_find(st.s, "i-5"));
    CU_ASSERT_EQUAL(st.count[RC_ACT_GATE], 0);
    story_sweep(&st);
    CU_ASSERT_EQUAL(st.last[RC_ACT_LAUNCH].u.launch.attempt, 3);
    story_end(&st);
}

/* The leader died after slurmd of its replacement had registered, before it could say so. */
static void
a_replacement_that_joined_before_the_take_over_has_joined(void)
{
    struct story st;
    struct rc_event ev;

    story_begin(&st, 4);
    story_instance(&st, "i-5", "n5", "", RC_INST_TERMINATED);
    story_instance(&st, "i-5b", "n5", "10.0.0.15", RC_INST_RUNNING);
    story_node(&st, "n5", "10.0.0.15", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    story_wait(&st, 20000);
    rc_event_init(&ev, RC_EV_ADOPT);
    rc_text_set(ev.node, sizeof ev.node, "n5");
    ev.u.adopt.incident = 41;
    ev.u.adopt.fault = RC_FAULT_INSTANCE_GONE;
    ev.u.adopt.phase = RC_PHASE_JOIN;
    ev.u.adopt.attempt = 1;
    ev.u.adopt.flags = RC_ADOPT_OUR_DRAIN;
    ev.u.adopt.opened_wall_ms = st.wall_ms - 60000;
    rc_text_set(ev.u.adopt.old_instance, RC_ID_LEN, "i-5");
    rc_text_set(ev.u.adopt.new_instance, RC_ID_LEN, "i-5b");
    rc_text_set(ev.u.adopt.rule, RC_RULE_LEN, "replace-all");
    story_give(&st, &ev);
    CU_ASSERT_EQUAL(story_incident(&st, "n5")->phase, RC_PHASE_GATE);
    story_end(&st);
}

/* This leader has no journal, and no slurmctld answers yet: it has never read n5. i-5 was
 * replaced by i-5b, which may have the name. */
static void
adopt_unread(struct story *st, uint32_t phase, uint32_t fault)
{
    struct rc_event ev;

    story_instance(st, "i-5b", "n5", "10.0.0.15", RC_INST_RUNNING);
    rc_event_init(&ev, RC_EV_ADOPT);
    rc_text_set(ev.node, sizeof ev.node, "n5");
    ev.u.adopt.incident = 41;
    ev.u.adopt.fault = fault;
    ev.u.adopt.phase = phase;
    ev.u.adopt.attempt = 1;
    ev.u.adopt.flags = RC_ADOPT_OUR_DRAIN;
    rc_text_set(ev.u.adopt.old_instance, RC_ID_LEN, "i-5");
    rc_text_set(ev.u.adopt.new_instance, RC_ID_LEN, "i-5b");
    rc_text_set(ev.u.adopt.rule, RC_RULE_LEN, "replace-all");
    story_give(st, &ev);
}

static void
a_gate_is_not_lost_for_as_long_as_no_slurmctld_was_read(void)
{
    struct story st;

    story_begin(&st, 4);
    story_instance(&st, "i-5", "n5", "", RC_INST_TERMINATED);
    adopt_unread(&st, RC_PHASE_GATE, RC_FAULT_INSTANCE_GONE);
    story_wait(&st, 10 * st.policy.timeouts.gate_ms);
    CU_ASSERT_EQUAL(story_incident(&st, "n5")->phase, RC_PHASE_GATE);
    CU_ASSERT_EQUAL(story_incident(&st, "n5")->block, RC_BLOCK_UNKNOWN);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 0);
    story_node(&st, "n5", "10.0.0.15", RC_SN_DRAIN, RC_OWNER_OURS);
    CU_ASSERT_EQUAL(st.count[RC_ACT_GATE], 1);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 0);
    story_end(&st);
}

static void
a_replacement_that_may_have_the_name_is_not_ended_before_that_is_read(void)
{
    struct rc_event impaired;
    struct story st;

    story_begin(&st, 4);
    struct rc_rule *worse = &st.policy.rule[st.policy.rule_count++];
    memcpy(worse, &st.policy.rule[0], sizeof *worse);
    rc_text_set(worse->name, sizeof worse->name, "reboot-first");
    worse->rung[0].kind = RC_RUNG_REBOOT;
    st.policy.rule[0].fault_mask = 1ULL << RC_FAULT_RETIREMENT;
    story_load(&st);
    story_instance(&st, "i-5", "n5", "10.0.0.5", RC_INST_RUNNING);
    adopt_unread(&st, RC_PHASE_WAIT_IDLE, RC_FAULT_RETIREMENT);
    rc_event_init(&impaired, RC_EV_INSTANCE_STATUS);
    rc_text_set(impaired.instance, sizeof impaired.instance, "i-5");
    impaired.u.status.state = RC_INST_RUNNING;
    impaired.u.status.system = RC_CHECK_IMPAIRED;
    story_give(&st, &impaired);
    CU_ASSERT_STRING_EQUAL(story_incident(&st, "n5")->rule.name, "reboot-first");
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 0);
    story_end(&st);
}

static void
the_row_of_an_instance_that_ec2_shows_no_more_stays_while_the_incident_is_open(void)
{
    struct story st;

    story_begin(&st, 4);
    adopt(&st, "n1", 41, RC_PHASE_LAUNCH, "i-vanished");
    uint32_t slot = story_incident(&st, "n1")->old_instance;
    for (int i = 0; i < 4; i++) {
        story_sweep(&st);
    }
    story_state(&st, "i-stranger", RC_INST_RUNNING);
    CU_ASSERT_STRING_EQUAL(rc_instance_at(st.s, slot)->id, "i-vanished");
    story_end(&st);
}

static void
an_incident_adopted_before_the_cluster_file_breaks_no_count(void)
{
    struct story st;
    struct rc_event ev;

    story_begin(&st, 4);
    rc_text_set(st.cluster.group[0].nodes, RC_TEXT_LEN, "n[1-3]");
    rc_event_init(&ev, RC_EV_CLUSTER);
    ev.u.cluster = &st.cluster;
    story_give(&st, &ev);
    adopt(&st, "n9", 41, RC_PHASE_PROTECT, "");
    story_node(&st, "n9", "10.0.0.9", RC_SN_DRAIN, RC_OWNER_OURS);
    rc_text_set(st.cluster.group[0].nodes, RC_TEXT_LEN, "n[1-9]");
    story_give(&st, &ev);
    uint32_t node = rc_node_find(st.s, "n9");
    CU_ASSERT_EQUAL(rc_scope_at(st.s, rc_node_at(st.s, node)->partition_row)->out, 1);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->out, 1);
    story_end(&st);
}

/* Opened by a leader whose disk or store failed it: never written, and the lease was lost. */
static void
open_unsaved(struct story *st)
{
    story_begin(st, 4);
    adopt(st, "n1", 41, RC_PHASE_WAIT_IDLE, "i-1");
    struct rc_incident *inc = story_incident(st, "n1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(inc);
    inc->flags &= ~(uint32_t)RC_INC_SAVED;
    inc->told_after = 0;
    inc->unsaved = 7;
}

static void
adopt_written_in(struct story *st, uint32_t incident, uint32_t phase, uint64_t epoch)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_ADOPT);
    rc_text_set(ev.node, sizeof ev.node, "n1");
    ev.u.adopt.incident = incident;
    ev.u.adopt.fault = RC_FAULT_RETIREMENT;
    ev.u.adopt.phase = phase;
    ev.u.adopt.attempt = 1;
    ev.u.adopt.epoch = epoch;
    rc_text_set(ev.u.adopt.old_instance, RC_ID_LEN, "i-1");
    rc_text_set(ev.u.adopt.rule, RC_RULE_LEN, "replace-all");
    story_give(st, &ev);
}

static void
what_a_later_leader_wrote_wins_over_what_could_not_be_saved(void)
{
    struct story st;

    open_unsaved(&st);
    uint64_t ours = st.s->lease_epoch;
    adopt_written_in(&st, 41, RC_PHASE_QUARANTINE, ours); /* before our own, which is newer */
    CU_ASSERT_NOT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_QUARANTINE);
    adopt_written_in(&st, 41, RC_PHASE_QUARANTINE, ours + 1);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->phase, RC_PHASE_QUARANTINE);
    story_end(&st);

    open_unsaved(&st);
    adopt_written_in(&st, 43, RC_PHASE_LAUNCH, ours);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->id, 41);
    adopt_written_in(&st, 43, RC_PHASE_LAUNCH, ours + 1);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->id, 43);
    story_end(&st);
}

static void
what_could_not_be_saved_is_over_when_another_has_led_meanwhile(void)
{
    struct story st;

    open_unsaved(&st);
    story_take_lease(&st, st.s->lease_epoch + 1); /* nobody else did */
    CU_ASSERT_PTR_NOT_NULL(story_incident(&st, "n1"));
    story_end(&st);

    open_unsaved(&st);
    story_take_lease(&st, st.s->lease_epoch + 2);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"an adopted incident goes on with its attempt and its number",
         an_adopted_incident_goes_on_with_its_attempt_and_its_number},
        {"what is known already and what cannot go on is not adopted",
         what_is_known_already_and_what_cannot_go_on_is_not_adopted},
        {"an adopted drain that turns out worse is a new fault to the breaker",
         an_adopted_drain_that_turns_out_worse_is_a_new_fault_to_the_breaker},
        {"a name behind which nothing is known is not well",
         a_name_behind_which_nothing_is_known_is_not_well},
        {"what EC2 has forgotten before the take-over does not return",
         what_ec2_has_forgotten_before_the_take_over_does_not_return},
        {"the dead instance of an adopted incident stands behind its name again",
         the_dead_instance_of_an_adopted_incident_stands_behind_its_name_again},
        {"a gate is not lost for as long as no slurmctld was read",
         a_gate_is_not_lost_for_as_long_as_no_slurmctld_was_read},
        {"a replacement that may have the name is not ended before that is read",
         a_replacement_that_may_have_the_name_is_not_ended_before_that_is_read},
        {"a replacement that joined before the take-over has joined",
         a_replacement_that_joined_before_the_take_over_has_joined},
        {"the row of an instance that EC2 shows no more stays while the incident is open",
         the_row_of_an_instance_that_ec2_shows_no_more_stays_while_the_incident_is_open},
        {"an incident adopted before the cluster file breaks no count",
         an_incident_adopted_before_the_cluster_file_breaks_no_count},
        {"what a later leader wrote wins over what could not be saved",
         what_a_later_leader_wrote_wins_over_what_could_not_be_saved},
        {"what could not be saved is over when another has led meanwhile",
         what_could_not_be_saved_is_over_when_another_has_led_meanwhile},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler adopt", tests);
}
