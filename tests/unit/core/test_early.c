/* Which of two instances goes first, when the replacement is launched, what it waits for,
 * and what the jobs are told before they are cut short. */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

#include "policies/rules.h"
#include "tests/unit/core/story.h"

static struct story st;

static struct rc_rule *
begin(void)
{
    story_begin(&st, 4);
    st.cluster.group[0].option_count = 1;
    return &st.policy.rule[0];
}

static void
load(void)
{
    struct rc_event ev;

    story_load(&st);
    rc_event_init(&ev, RC_EV_CLUSTER);
    ev.u.cluster = &st.cluster;
    story_give(&st, &ev);
    story_clear(&st);
}

/* A scheduled stop of n1's instance in so long. */
static void
schedule(int64_t in_ms)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_INSTANCE_STATUS);
    rc_text_set(ev.instance, sizeof ev.instance, "i-1");
    ev.u.status.state = RC_INST_RUNNING;
    ev.u.status.system = ev.u.status.instance = RC_CHECK_OK;
    ev.u.status.schedule = in_ms ? RC_SCHED_STOP : RC_SCHED_NONE;
    ev.u.status.not_before_wall_ms = in_ms ? st.wall_ms + in_ms : 0;
    story_give(&st, &ev);
}

static enum rc_phase
phase(void)
{
    const struct rc_incident *inc = story_incident(&st, "n1");

    return inc ? (enum rc_phase)inc->phase : RC_PHASE_NONE;
}

enum { HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS };

static void
before_drain(void)
{
    struct rc_rule *r = begin();

    r->launch_when = RC_LAUNCH_BEFORE_DRAIN;
    r->lead_ms = 7 * (int64_t)DAY_MS;
    r->jobs = (struct rc_jobs_plan){.mode = RC_JOBS_REQUEUE, .wait_ms = HOUR_MS};
    load();
}

static void
the_node_serves_until_its_replacement_runs(void)
{
    before_drain();
    schedule(2 * (int64_t)DAY_MS);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 0);
    CU_ASSERT_EQUAL(phase(), RC_PHASE_OPEN);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->out, 0);
    story_launched(&st, "i-new", "10.0.9.1");
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 0);
    story_instance(&st, "i-new", "n1", "10.0.9.1", RC_INST_RUNNING);
    /* The row came without the tags that the launch answer had: it is the incident's all the same.
     */
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1);
    CU_ASSERT_EQUAL(phase(), RC_PHASE_PROTECT);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    story_end(&st);
}

static void
without_capacity_it_is_drained_in_time_for_its_jobs(void)
{
    before_drain();
    schedule(3 * (int64_t)HOUR_MS);
    story_answer(&st, RC_ACT_LAUNCH, RC_E_CAPACITY);
    CU_ASSERT_EQUAL(phase(), RC_PHASE_OPEN);
    story_wait(&st, 2 * (int64_t)HOUR_MS - 5000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 0);
    story_wait(&st, 10000); /* an hour for the jobs */
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1);
    story_end(&st);
}

static void
a_fault_that_goes_ends_the_replacement_that_was_not_needed(void)
{
    before_drain();
    schedule(2 * (int64_t)DAY_MS);
    story_launched(&st, "i-new", "10.0.9.1");
    schedule(0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_TERMINATE].instance, "i-new");
    CU_ASSERT_EQUAL(phase(), RC_PHASE_NONE);
    story_end(&st);
}

static void
a_replacement_that_is_lost_before_the_drain_is_tried_again(void)
{
    before_drain();
    schedule(2 * (int64_t)DAY_MS);
    story_launched(&st, "i-new", "10.0.9.1");
    story_state(&st, "i-new", RC_INST_TERMINATED);
    CU_ASSERT_EQUAL(phase(), RC_PHASE_OPEN);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 2);
    CU_ASSERT_EQUAL(st.last[RC_ACT_LAUNCH].u.launch.attempt, 2);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 0);
    story_launched(&st, "i-new2", "10.0.9.2");
    story_state(&st, "i-new2", RC_INST_TERMINATED);
    /* The ladder's two tries are over: the node is left to a person, drained. */
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1);
    story_end(&st);
}

/* Its agent's drain was undone, and only now the limits let it be raised to what came since. */
static void
a_node_that_is_back_in_service_serves_until_its_replacement_runs(void)
{
    struct rc_event ev;

    before_drain();
    story_operate(&st, RC_OP_PAUSE, "", 0);
    schedule(2 * (int64_t)DAY_MS);
    rc_event_init(&ev, RC_EV_ADOPT);
    rc_text_set(ev.node, sizeof ev.node, "n1");
    ev.u.adopt.incident = 7;
    ev.u.adopt.fault = RC_FAULT_HEALTH_NOTICE;
    ev.u.adopt.phase = RC_PHASE_RETURN;
    ev.u.adopt.attempt = 1;
    rc_text_set(ev.u.adopt.old_instance, RC_ID_LEN, "i-1");
    rc_text_set(ev.u.adopt.rule, RC_RULE_LEN, "replace-all");
    story_give(&st, &ev);
    story_operate(&st, RC_OP_RESUME, "", 0);
    story_sweep(&st);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 0);
    story_launched(&st, "i-new", "10.0.9.1");
    story_instance(&st, "i-new", "n1", "10.0.9.1", RC_INST_RUNNING);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1);
    CU_ASSERT_EQUAL(phase(), RC_PHASE_PROTECT);
    story_end(&st);
}

static void
a_node_that_does_not_serve_is_drained_at_once(void)
{
    before_drain();
    story_node(&st, "n1", "10.0.0.1", RC_SN_DOWN | RC_SN_NOT_RESPONDING, RC_OWNER_SLURM);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1);
    story_end(&st);
}

static void
make_before_break_waits_for_the_approval(void)
{
    begin()->approve = 1;
    st.policy.rule[0].launch_when = RC_LAUNCH_BEFORE_DRAIN;
    st.policy.rule[0].lead_ms = 7 * (int64_t)DAY_MS;
    load();
    schedule(2 * (int64_t)DAY_MS);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->block, RC_BLOCK_APPROVAL);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH] + st.count[RC_ACT_DRAIN], 0);
    story_operate(&st, RC_OP_APPROVE, "", story_incident(&st, "n1")->id);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    story_end(&st);
}

/* Drained, idle, so that the rung begins. */
static void
drain_it(void)
{
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_OURS);
}

static void
the_order_decides_which_instance_goes_first(void)
{
    static const struct {
        uint32_t order, capacity;
        enum rc_phase phase;
    } rows[] = {
        {RC_ORDER_AUTO, RC_CAPACITY_OPEN, RC_PHASE_LAUNCH},
        {RC_ORDER_AUTO, RC_CAPACITY_RESERVED, RC_PHASE_RETIRE},
        {RC_ORDER_AUTO, RC_CAPACITY_BLOCK, RC_PHASE_RETIRE},
        {RC_ORDER_LAUNCH_FIRST, RC_CAPACITY_RESERVED, RC_PHASE_LAUNCH},
        {RC_ORDER_STOP_FIRST, RC_CAPACITY_OPEN, RC_PHASE_RETIRE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin()->order = rows[i].order;
        st.cluster.group[0].capacity = rows[i].capacity;
        load();
        schedule(1);
        drain_it();
        CU_ASSERT_EQUAL(phase(), rows[i].phase);
        CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], rows[i].phase == RC_PHASE_RETIRE);
        CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], rows[i].phase == RC_PHASE_LAUNCH);
        story_end(&st);
    }
}

static void
another_try_waits_for_the_rungs_pause(void)
{
    begin()->rung[0].pause_ms = 600000;
    load();
    schedule(1);
    drain_it();
    story_launched(&st, "i-new", "10.0.9.1");
    story_state(&st, "i-new", RC_INST_TERMINATED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->block, RC_BLOCK_COOLDOWN);
    story_wait(&st, 590000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_OURS);
    story_wait(&st, 15000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 2);
    story_end(&st);
}

static void
load_at_once(void)
{
    struct rc_rule *r = begin();

    r->launch_when = RC_LAUNCH_AT_ONCE;
    r->jobs.mode = RC_JOBS_WAIT;
    load();
    schedule(1);
}

/* slurmctld was away, or this process: another instance may serve under the name by now. */
static void
a_dead_node_that_was_read_long_ago_is_read_again_first(void)
{
    struct rc_event ev;

    begin()->approve = 1;
    st.cluster.poll_slurm_ms = 1000;
    load();
    story_state(&st, "i-1", RC_INST_TERMINATED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_OURS);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    rc_event_init(&ev, RC_EV_SWEEP);
    ev.u.sweep.which = RC_SWEEP_SLURM;
    ev.u.sweep.complete = 1;
    story_give(&st, &ev);
    story_wait(&st, 600000);
    story_operate(&st, RC_OP_APPROVE, "", story_incident(&st, "n1")->id);
    CU_ASSERT_EQUAL(phase(), RC_PHASE_WAIT_IDLE);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 0);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    CU_ASSERT_EQUAL(phase(), RC_PHASE_LAUNCH);
    story_end(&st);
}

static void
at_once_does_not_wait_for_the_drain_to_be_seen(void)
{
    load_at_once();
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    story_answer(&st, RC_ACT_DRAIN, RC_E_TIMEOUT); /* slurmctld is away */
    story_launched(&st, "i-new", "10.0.9.1");
    for (int i = 0; i < 5; i++) {
        story_wait(&st, 40000);
        story_answer(&st, RC_ACT_DRAIN, RC_E_TIMEOUT);
    }
    CU_ASSERT_TRUE(st.count[RC_ACT_DRAIN] > 3);
    CU_ASSERT_EQUAL(phase(), RC_PHASE_PROTECT);
    CU_ASSERT_EQUAL(rc_node_at(st.s, rc_node_find(st.s, "n1"))->repair_count, 1);
    story_instance(&st, "i-new", "n1", "10.0.9.1", RC_INST_RUNNING);
    story_wait(&st, 300000);
    drain_it();
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_OURS);
    CU_ASSERT_EQUAL(phase(), RC_PHASE_REGISTER);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    story_end(&st);
}

static void
the_drain_does_not_wait_for_capacity(void)
{
    load_at_once();
    story_answer(&st, RC_ACT_LAUNCH, RC_E_CAPACITY);
    story_answer(&st, RC_ACT_DRAIN, RC_E_TIMEOUT);
    story_wait(&st, st.policy.timeouts.capacity_wait_ms / 2);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    CU_ASSERT_TRUE(st.count[RC_ACT_DRAIN] > 1);
    story_wait(&st, st.policy.timeouts.capacity_wait_ms);
    CU_ASSERT_TRUE(st.count[RC_ACT_LAUNCH] > 1);
    story_end(&st);
}

static void
a_persons_drain_ends_the_replacement_that_came_with_ours(void)
{
    load_at_once();
    story_launched(&st, "i-new", "10.0.9.1");
    story_answer(&st, RC_ACT_DRAIN, RC_E_FOREIGN);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_FOREIGN);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->block, RC_BLOCK_FOREIGN);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_TERMINATE].instance, "i-new");
    story_wait(&st, DAY_MS);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    story_end(&st);
}

/* The limit counts the repair that fills it, but does not cut it off. */
static void
the_last_allowed_repair_is_finished(void)
{
    struct rc_rule *r = begin();

    r->launch_when = RC_LAUNCH_AT_ONCE;
    r->jobs.mode = RC_JOBS_WAIT;
    st.policy.limits.attempts_max = 1;
    load();
    schedule(1);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_ALLOCATED, RC_OWNER_OURS);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    story_launched(&st, "i-new", "10.0.9.1");
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_OURS);
    CU_ASSERT_EQUAL(phase(), RC_PHASE_BOOT);
    story_end(&st);
}

/* A worse fault whose ladder begins with a reboot has no use for the replacement. */
static void
a_rule_that_reboots_ends_what_an_earlier_one_launched(void)
{
    struct rc_event ev;
    struct rc_rule *r = begin();

    r->launch_when = RC_LAUNCH_AT_ONCE;
    r->fault_mask = UINT64_C(1) << RC_FAULT_SCHEDULED_STOP;
    st.policy.rule_count = 2;
    r = &st.policy.rule[1];
    rc_text_set(r->name, sizeof r->name, "reboot");
    r->rung_count = 1;
    r->rung[0] = (struct rc_rung){.kind = RC_RUNG_REBOOT, .attempts = 1, .timeout_ms = 600000};
    load();
    schedule(1);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_ALLOCATED, RC_OWNER_OURS);
    story_launched(&st, "i-new", "10.0.9.1");
    rc_event_init(&ev, RC_EV_INSTANCE_STATUS);
    rc_text_set(ev.instance, sizeof ev.instance, "i-1");
    ev.u.status.state = RC_INST_RUNNING;
    ev.u.status.system = RC_CHECK_IMPAIRED;
    story_give(&st, &ev);
    CU_ASSERT_STRING_EQUAL(story_incident(&st, "n1")->rule.name, "reboot");
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_TERMINATE].instance, "i-new");
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->new_instance, 0);
    story_end(&st);
}

static void
jobs_are_signalled_once_more_before_they_are_cut_short(void)
{
    begin()->jobs = (struct rc_jobs_plan){
        .mode = RC_JOBS_REQUEUE, .signal = 18, .wait_ms = HOUR_MS, .signal_before_ms = 600000};
    load();
    schedule(1);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_job(&st, "n1", "10.0.0.1", RC_SN_DRAIN, 77, 4);
    CU_ASSERT_EQUAL(st.count[RC_ACT_JOBS_SIGNAL], 1);
    story_answer(&st, RC_ACT_JOBS_SIGNAL, RC_OK);
    story_wait(&st, 49 * 60000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_JOBS_SIGNAL], 1);
    story_wait(&st, 2 * 60000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_JOBS_SIGNAL], 2);
    CU_ASSERT_EQUAL(st.last[RC_ACT_JOBS_SIGNAL].u.jobs.signal, 18);
    story_answer(&st, RC_ACT_JOBS_SIGNAL, RC_OK);
    story_wait(&st, 8 * 60000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_JOBS_SIGNAL], 2);
    CU_ASSERT_EQUAL(st.count[RC_ACT_JOBS_REQUEUE], 0);
    story_wait(&st, 2 * 60000);
    CU_ASSERT_TRUE(st.count[RC_ACT_JOBS_REQUEUE] > 0);
    story_end(&st);
}

static void
a_short_wait_needs_one_signal_only(void)
{
    begin()->jobs = (struct rc_jobs_plan){
        .mode = RC_JOBS_REQUEUE, .signal = 18, .wait_ms = 60000, .signal_before_ms = 600000};
    load();
    schedule(1);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_job(&st, "n1", "10.0.0.1", RC_SN_DRAIN, 77, 4);
    story_answer(&st, RC_ACT_JOBS_SIGNAL, RC_OK);
    story_wait(&st, 50000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_JOBS_SIGNAL], 1);
    story_wait(&st, 20000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_JOBS_REQUEUE], 1);
    story_end(&st);
}

static void
repeats_are_counted_of_the_name_or_of_the_instance(void)
{
    for (uint32_t of = RC_REPEATS_OF_NODE; of <= RC_REPEATS_OF_INSTANCE; of++) {
        begin();
        load();
        uint32_t node = rc_node_find(st.s, "n1");
        struct rc_node *n = rc_node_at(st.s, node);
        struct rc_finding f = {.fault = RC_FAULT_NODE_DOWN, .known = true, .code = ""};
        st.s->policy.rule[0].repeats_min = 2;
        st.s->policy.rule[0].repeats_window_ms = DAY_MS;
        st.s->policy.rule[0].repeats_of = of;
        n->opened_ms[0] = st.at_ms;
        n->opened_count = 1;
        CU_ASSERT_PTR_NOT_NULL(rc_policy_match(st.s, node, &f));
        /* Another instance gets the name ten minutes later. */
        story_wait(&st, 600000);
        story_instance(&st, "i-new", "n1", "10.0.9.1", RC_INST_RUNNING);
        story_node(&st, "n1", "10.0.9.1", 0, RC_OWNER_NONE);
        CU_ASSERT_EQUAL(rc_policy_match(st.s, node, &f) != NULL, of == RC_REPEATS_OF_NODE);
        n->opened_ms[1] = st.at_ms;
        n->opened_count = 2;
        CU_ASSERT_PTR_NOT_NULL(rc_policy_match(st.s, node, &f));
        story_end(&st);
    }
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a node that is back in service serves until its replacement runs",
         a_node_that_is_back_in_service_serves_until_its_replacement_runs},
        {"the node serves until its replacement runs", the_node_serves_until_its_replacement_runs},
        {"without capacity it is drained in time for its jobs",
         without_capacity_it_is_drained_in_time_for_its_jobs},
        {"a fault that goes ends the replacement that was not needed",
         a_fault_that_goes_ends_the_replacement_that_was_not_needed},
        {"a replacement that is lost before the drain is tried again",
         a_replacement_that_is_lost_before_the_drain_is_tried_again},
        {"a node that does not serve is drained at once",
         a_node_that_does_not_serve_is_drained_at_once},
        {"make before break waits for the approval", make_before_break_waits_for_the_approval},
        {"the order decides which instance goes first",
         the_order_decides_which_instance_goes_first},
        {"another try waits for the rung's pause", another_try_waits_for_the_rungs_pause},
        {"a dead node that was read long ago is read again first",
         a_dead_node_that_was_read_long_ago_is_read_again_first},
        {"at once does not wait for the drain to be seen",
         at_once_does_not_wait_for_the_drain_to_be_seen},
        {"the drain does not wait for capacity", the_drain_does_not_wait_for_capacity},
        {"a person's drain ends the replacement that came with ours",
         a_persons_drain_ends_the_replacement_that_came_with_ours},
        {"the last allowed repair is finished", the_last_allowed_repair_is_finished},
        {"a rule that reboots ends what an earlier one launched",
         a_rule_that_reboots_ends_what_an_earlier_one_launched},
        {"jobs are signalled once more before they are cut short",
         jobs_are_signalled_once_more_before_they_are_cut_short},
        {"a short wait needs one signal only", a_short_wait_needs_one_signal_only},
        {"repeats are counted of the name or of the instance",
         repeats_are_counted_of_the_name_or_of_the_instance},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("early", tests);
}
