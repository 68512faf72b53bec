/* A node costs its whole job: budgets of jobs, of one job's nodes, and what is beside them. */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/rules.h"
#include "reconciler/core/gang.h"
#include "tests/unit/core/story.h"

static struct story st;

/* n1..n8 run job 77 on eight nodes, n9 runs 78, n10 runs 79, the others nothing. */
static void
begin(void)
{
    story_begin(&st, 20);
    st.policy.rule[0].jobs = (struct rc_jobs_plan){.mode = RC_JOBS_REQUEUE, .wait_ms = 600000};
    story_load(&st);
    for (unsigned i = 1; i <= 10; i++) {
        char name[16], addr[24];
        snprintf(name, sizeof name, "n%u", i);
        snprintf(addr, sizeof addr, "10.0.0.%u", i);
        story_job(&st, name, addr, 0, i <= 8 ? 77 : 69 + i, i <= 8 ? 8 : 1);
    }
    story_clear(&st);
}

static void
impair(unsigned node, enum rc_check check)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_INSTANCE_STATUS);
    snprintf(ev.instance, sizeof ev.instance, "i-%u", node);
    ev.u.status.state = RC_INST_RUNNING;
    ev.u.status.system = (uint32_t)check;
    ev.u.status.instance = RC_CHECK_OK;
    story_give(&st, &ev);
}

static enum rc_block
block_of(const char *node)
{
    const struct rc_incident *inc = story_incident(&st, node);

    return inc ? (enum rc_block)inc->block : RC_BLOCK__MAX;
}

static enum rc_phase
phase_of(const char *node)
{
    const struct rc_incident *inc = story_incident(&st, node);

    return inc ? (enum rc_phase)inc->phase : RC_PHASE_NONE;
}

static void
a_second_job_waits_while_a_first_is_cut_short(void)
{
    begin();
    st.policy.limits.jobs = (struct rc_limit){.count = 1};
    story_load(&st);
    impair(9, RC_CHECK_IMPAIRED);
    impair(10, RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(st.s->jobs_out, 1);
    CU_ASSERT_EQUAL(phase_of("n9"), RC_PHASE_PROTECT);
    CU_ASSERT_EQUAL(block_of("n10"), RC_BLOCK_BUDGET_JOBS);
    /* A node without a job costs none. */
    impair(15, RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(phase_of("n15"), RC_PHASE_PROTECT);
    story_end(&st);
}

static void
what_a_job_lost_is_forgotten_with_the_incident(void)
{
    begin();
    st.policy.limits.jobs = (struct rc_limit){.count = 1};
    story_load(&st);
    impair(9, RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(rc_gang_out(st.s, 78), 1);
    impair(9, RC_CHECK_OK); /* before the drain was accepted: nothing was done */
    impair(10, RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(block_of("n10"), RC_BLOCK_BUDGET_JOBS);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_job(&st, "n9", "10.0.0.9", RC_SN_DRAIN, 78, 1);
    story_answer(&st, RC_ACT_GATE, RC_OK);
    story_answer(&st, RC_ACT_RESUME, RC_OK);
    story_job(&st, "n9", "10.0.0.9", 0, 78, 1);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n9"));
    CU_ASSERT_EQUAL(rc_gang_out(st.s, 78), 0);
    CU_ASSERT_EQUAL(rc_gang_out(st.s, 79), 1);
    CU_ASSERT_EQUAL(st.s->jobs_out, 1);
    CU_ASSERT_EQUAL(phase_of("n10"), RC_PHASE_PROTECT);
    story_end(&st);
}

static void
a_share_of_the_running_jobs_is_allowed_when_it_is_more(void)
{
    struct rc_event ev;

    begin();
    st.policy.limits.jobs = (struct rc_limit){.count = 1, .permille = 500};
    story_load(&st);
    impair(9, RC_CHECK_IMPAIRED);
    impair(10, RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(block_of("n10"), RC_BLOCK_BUDGET_JOBS);
    rc_event_init(&ev, RC_EV_SWEEP);
    ev.u.sweep.which = RC_SWEEP_SLURM;
    ev.u.sweep.complete = 1;
    ev.u.sweep.jobs = 4;
    story_give(&st, &ev);
    CU_ASSERT_EQUAL(st.s->jobs_running, 4);
    CU_ASSERT_EQUAL(phase_of("n10"), RC_PHASE_PROTECT);
    story_end(&st);
}

static void
no_more_nodes_of_one_job_than_the_policy_says(void)
{
    begin();
    st.policy.limits.out_of_job = (struct rc_limit){.count = 2};
    story_load(&st);
    for (unsigned i = 1; i <= 3; i++) {
        impair(i, RC_CHECK_IMPAIRED);
    }
    CU_ASSERT_EQUAL(rc_gang_out(st.s, 77), 2);
    CU_ASSERT_EQUAL(block_of("n3"), RC_BLOCK_BUDGET_OF_JOB);
    /* The job ends there: the node is like any other. */
    story_node(&st, "n3", "10.0.0.3", 0, RC_OWNER_NONE);
    CU_ASSERT_EQUAL(phase_of("n3"), RC_PHASE_PROTECT);
    story_end(&st);
}

static void
a_share_of_a_large_job_is_allowed(void)
{
    begin();
    st.policy.limits.out_of_job = (struct rc_limit){.count = 1, .permille = 400};
    story_load(&st);
    for (unsigned i = 1; i <= 4; i++) {
        impair(i, RC_CHECK_IMPAIRED);
    }
    CU_ASSERT_EQUAL(rc_gang_out(st.s, 77), 3); /* 40 % of 8 */
    CU_ASSERT_EQUAL(block_of("n4"), RC_BLOCK_BUDGET_OF_JOB);
    story_end(&st);
}

static void
a_second_node_of_the_same_job_counts_or_is_free(void)
{
    for (uint32_t same_job = RC_SAME_JOB_COUNTS; same_job <= RC_SAME_JOB_FREE; same_job++) {
        begin();
        st.policy.limits.same_job = same_job;
        for (unsigned i = 0; i < RC_SCOPE__MAX; i++) {
            st.policy.limits.out[i].count = 1;
        }
        story_load(&st);
        impair(1, RC_CHECK_IMPAIRED);
        impair(2, RC_CHECK_IMPAIRED);
        impair(9, RC_CHECK_IMPAIRED);
        CU_ASSERT_EQUAL(block_of("n9"), RC_BLOCK_BUDGET_CLUSTER);
        CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->out, 1);
        if (same_job == RC_SAME_JOB_COUNTS) {
            CU_ASSERT_EQUAL(block_of("n2"), RC_BLOCK_BUDGET_CLUSTER);
        } else {
            CU_ASSERT_EQUAL(phase_of("n2"), RC_PHASE_PROTECT);
            CU_ASSERT_TRUE(st.last[RC_ACT_INCIDENT_PUT].id != 0);
            CU_ASSERT_TRUE(story_incident(&st, "n2")->item_flags & RC_ADOPT_WITH_JOB);
        }
        story_end(&st);
    }
}

/* Beside the first rule, which is for all that is worse: a drain of ours that answers for
 * nothing is only proved, and its jobs may go on. */
static void
drains_are_only_proved(void)
{
    struct rc_rule *proof = &st.policy.rule[st.policy.rule_count++];

    st.policy.rule[0].fault_mask = 1ULL << RC_FAULT_SYSTEM_IMPAIRED;
    memcpy(proof, &st.policy.rule[0], sizeof *proof);
    rc_text_set(proof->name, sizeof proof->name, "prove");
    proof->fault_mask = 1ULL << RC_FAULT_AGENT_DRAIN;
    proof->jobs = (struct rc_jobs_plan){.mode = RC_JOBS_WAIT};
}

static void
a_drain_that_turns_out_worse_is_free_beside_its_job(void)
{
    begin();
    drains_are_only_proved();
    st.policy.limits.same_job = RC_SAME_JOB_FREE;
    for (unsigned i = 0; i < RC_SCOPE__MAX; i++) {
        st.policy.limits.out[i].count = 1;
    }
    story_load(&st);
    story_job(&st, "n2", "10.0.0.2", RC_SN_DRAIN, 77, 8);
    CU_ASSERT_EQUAL(story_incident(&st, "n2")->fault, RC_FAULT_AGENT_DRAIN);
    CU_ASSERT_EQUAL(phase_of("n2"), RC_PHASE_PROTECT);
    impair(1, RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->out, 1);
    impair(2, RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(story_incident(&st, "n2")->fault, RC_FAULT_SYSTEM_IMPAIRED);
    CU_ASSERT_TRUE(story_incident(&st, "n2")->item_flags & RC_ADOPT_WITH_JOB);
    CU_ASSERT_EQUAL(rc_gang_out(st.s, 77), 2);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->out, 1);
    story_end(&st);
}

static void
a_drain_that_turns_out_worse_waits_for_the_limit_of_jobs(void)
{
    begin();
    drains_are_only_proved();
    st.policy.limits.jobs = (struct rc_limit){.count = 1};
    story_load(&st);
    story_job(&st, "n9", "10.0.0.9", RC_SN_DRAIN, 78, 1);
    impair(1, RC_CHECK_IMPAIRED);
    impair(9, RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(story_incident(&st, "n9")->fault, RC_FAULT_AGENT_DRAIN);
    CU_ASSERT_EQUAL(block_of("n9"), RC_BLOCK_BUDGET_JOBS);
    CU_ASSERT_EQUAL(st.s->jobs_out, 1);
    story_end(&st);
}

/* Its agent drained it, so while the fault is away that is what the incident answers to. */
static void
a_node_that_counts_does_not_stand_in_its_own_way(void)
{
    struct rc_event ev;

    begin();
    drains_are_only_proved();
    for (unsigned i = 0; i < RC_SCOPE__MAX; i++) {
        st.policy.limits.out[i].count = 1;
    }
    story_load(&st);
    impair(1, RC_CHECK_IMPAIRED);
    story_answer(&st, RC_ACT_DRAIN, RC_E_SLURM_DOWN);
    rc_event_init(&ev, RC_EV_SLURM_NODE);
    rc_text_set(ev.node, sizeof ev.node, "n1");
    rc_text_set(ev.u.slurm.addr, RC_ADDR_LEN, "10.0.0.1");
    ev.u.slurm.flags = RC_SN_DRAIN;
    ev.u.slurm.owner = RC_OWNER_OURS; /* and of no incident: the agent's */
    story_give(&st, &ev);
    impair(1, RC_CHECK_OK);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->fault, RC_FAULT_AGENT_DRAIN);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->out, 1);
    impair(1, RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->fault, RC_FAULT_SYSTEM_IMPAIRED);
    CU_ASSERT_EQUAL(block_of("n1"), RC_BLOCK_NONE);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->out, 1);
    story_end(&st);
}

static void
jobs_that_may_end_in_peace_are_not_counted(void)
{
    begin();
    st.policy.rule[0].jobs = (struct rc_jobs_plan){.mode = RC_JOBS_WAIT};
    st.policy.limits.jobs = (struct rc_limit){.count = 1};
    st.policy.limits.out_of_job = (struct rc_limit){.count = 1};
    story_load(&st);
    impair(1, RC_CHECK_IMPAIRED);
    impair(2, RC_CHECK_IMPAIRED);
    impair(9, RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(st.s->jobs_out, 0);
    CU_ASSERT_EQUAL(phase_of("n2"), RC_PHASE_PROTECT);
    CU_ASSERT_EQUAL(phase_of("n9"), RC_PHASE_PROTECT);
    story_end(&st);
}

static void
one_node_may_always_go_however_many_jobs_share_it(void)
{
    struct rc_event ev;

    begin();
    st.policy.limits.jobs = (struct rc_limit){.count = 1};
    story_load(&st);
    rc_event_init(&ev, RC_EV_SLURM_NODE);
    rc_text_set(ev.node, sizeof ev.node, "n12");
    rc_text_set(ev.u.slurm.addr, RC_ADDR_LEN, "10.0.0.12");
    ev.u.slurm.flags = RC_SN_ALLOCATED;
    ev.u.slurm.owner = RC_OWNER_NONE;
    for (uint32_t i = 0; i < RC_NODE_JOBS_MAX; i++) {
        ev.u.slurm.job[i] = (struct rc_node_job){100 + i, 1};
    }
    story_give(&st, &ev);
    impair(12, RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(phase_of("n12"), RC_PHASE_PROTECT);
    CU_ASSERT_EQUAL(st.s->jobs_out, RC_NODE_JOBS_MAX);
    impair(9, RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(block_of("n9"), RC_BLOCK_BUDGET_JOBS);
    story_end(&st);
}

static void
what_aws_takes_is_not_held_back_by_jobs(void)
{
    struct rc_event ev;

    begin();
    st.policy.limits.jobs = (struct rc_limit){.count = 1};
    story_load(&st);
    impair(9, RC_CHECK_IMPAIRED);
    rc_event_init(&ev, RC_EV_SPOT_INTERRUPTION);
    rc_text_set(ev.instance, sizeof ev.instance, "i-10");
    story_message(&st, 1, &ev);
    CU_ASSERT_EQUAL(phase_of("n10"), RC_PHASE_PROTECT);
    CU_ASSERT_EQUAL(st.s->jobs_out, 1);
    story_end(&st);
}

static void
nodes_are_taken_with_a_pause_between_them(void)
{
    begin();
    st.policy.limits.spacing_ms = 60000;
    story_load(&st);
    impair(1, RC_CHECK_IMPAIRED);
    impair(9, RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(block_of("n9"), RC_BLOCK_SPACING);
    story_wait(&st, 59000);
    CU_ASSERT_EQUAL(phase_of("n9"), RC_PHASE_OPEN);
    story_wait(&st, 1100);
    CU_ASSERT_EQUAL(phase_of("n9"), RC_PHASE_PROTECT);
    story_end(&st);
}

/* To quarantine: the ladder has nothing else. */
static void
quarantine(unsigned node)
{
    char name[16], addr[24];

    snprintf(name, sizeof name, "n%u", node);
    snprintf(addr, sizeof addr, "10.0.0.%u", node);
    impair(node, RC_CHECK_IMPAIRED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, name, addr, RC_SN_DRAIN, RC_OWNER_OURS);
    CU_ASSERT_EQUAL(phase_of(name), RC_PHASE_QUARANTINE);
}

static void
nodes_in_quarantine_leave_their_place_to_others(void)
{
    begin();
    st.policy.rule[0].rung[0].kind = RC_RUNG_QUARANTINE;
    for (unsigned i = 0; i < RC_SCOPE__MAX; i++) {
        st.policy.limits.out[i].count = 2;
    }
    st.policy.limits.quarantine = (struct rc_limit){.count = 1};
    story_load(&st);
    quarantine(11);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->quarantined, 1);
    CU_ASSERT_EQUAL(rc_out_of_scope(st.s, 0), 0);
    quarantine(12);
    CU_ASSERT_EQUAL(rc_out_of_scope(st.s, 0), 1); /* only one stands aside */
    impair(13, RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(phase_of("n13"), RC_PHASE_PROTECT);
    impair(14, RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(block_of("n14"), RC_BLOCK_BUDGET_CLUSTER);
    /* A person takes n11 back. */
    story_wait(&st, 20);
    story_node(&st, "n11", "10.0.0.11", 0, RC_OWNER_NONE);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->quarantined, 1);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->out, 3);
    CU_ASSERT_EQUAL(phase_of("n14"), RC_PHASE_PROTECT);
    story_end(&st);
}

static void
a_grown_state_knows_the_jobs_again(void)
{
    struct rc_capacity_limits larger;

    begin();
    impair(1, RC_CHECK_IMPAIRED);
    impair(2, RC_CHECK_IMPAIRED);
    impair(9, RC_CHECK_IMPAIRED);
    larger = st.s->limits;
    larger.nodes *= 2;
    larger.incidents *= 4;
    struct rc_state *grown = rc_state_grow(calloc(1, rc_state_size(&larger)), &larger, st.s);
    CU_ASSERT_EQUAL(rc_gang_out(grown, 77), 2);
    CU_ASSERT_EQUAL(rc_gang_out(grown, 78), 1);
    CU_ASSERT_EQUAL(rc_gang_out(grown, 79), 0);
    CU_ASSERT_EQUAL(grown->jobs_out, 2);
    free(grown);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a second job waits while a first is cut short",
         a_second_job_waits_while_a_first_is_cut_short},
        {"what a job lost is forgotten with the incident",
         what_a_job_lost_is_forgotten_with_the_incident},
        {"a share of the running jobs is allowed when it is more",
         a_share_of_the_running_jobs_is_allowed_when_it_is_more},
        {"no more nodes of one job than the policy says",
         no_more_nodes_of_one_job_than_the_policy_says},
        {"a share of a large job is allowed", a_share_of_a_large_job_is_allowed},
        {"a second node of the same job counts or is free",
         a_second_node_of_the_same_job_counts_or_is_free},
        {"a drain that turns out worse is free beside its job",
         a_drain_that_turns_out_worse_is_free_beside_its_job},
        {"a drain that turns out worse waits for the limit of jobs",
         a_drain_that_turns_out_worse_waits_for_the_limit_of_jobs},
        {"a node that counts does not stand in its own way",
         a_node_that_counts_does_not_stand_in_its_own_way},
        {"jobs that may end in peace are not counted", jobs_that_may_end_in_peace_are_not_counted},
        {"one node may always go, however many jobs share it",
         one_node_may_always_go_however_many_jobs_share_it},
        {"what AWS takes is not held back by jobs", what_aws_takes_is_not_held_back_by_jobs},
        {"nodes are taken with a pause between them", nodes_are_taken_with_a_pause_between_them},
        {"nodes in quarantine leave their place to others",
         nodes_in_quarantine_leave_their_place_to_others},
        {"a grown state knows the jobs again", a_grown_state_knows_the_jobs_again},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("gang", tests);
}
