/* What a node's agent tells: when a fault of its own counts as over. */
#include "tests/harness/harness.h"

#include <string.h>

#include "tests/unit/core/story.h"

static struct story st;

/* The list of a node's agent; class_name NULL = slurmctld shows none at all. */
static void
tell_of(const char *node, const char *class_name, bool guilty)
{
    struct rc_event ev;
    struct rc_ev_node_faults *list = &ev.u.faults;

    rc_event_init(&ev, RC_EV_NODE_FAULTS);
    rc_text_set(ev.node, sizeof ev.node, node);
    if (class_name) {
        rc_text_set(list->boot, sizeof list->boot, "1a2b3c4d");
        list->count = 1;
        list->v[0].times = 1;
        list->v[0].guilty = guilty;
        list->v[0].last_wall_ms = st.wall_ms;
        rc_text_set(list->v[0].class_name, sizeof list->v[0].class_name, class_name);
        rc_text_set(list->v[0].device, sizeof list->v[0].device, "0000:10:1c");
    }
    story_give(&st, &ev);
}

static void
tell(const char *class_name, bool guilty)
{
    tell_of("n1", class_name, guilty);
}

/* n1 as slurmctld shows it: a job runs, the drain is ours. (Of the same boot all the time.) */
static void
show(void)
{
    const struct rc_incident *inc = story_incident(&st, "n1");
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_SLURM_NODE);
    rc_text_set(ev.node, sizeof ev.node, "n1");
    rc_text_set(ev.u.slurm.addr, sizeof ev.u.slurm.addr, "10.0.0.1");
    ev.u.slurm.flags = RC_SN_DRAIN | RC_SN_ALLOCATED;
    ev.u.slurm.owner = RC_OWNER_OURS;
    ev.u.slurm.reason_incident = inc ? inc->id : 1;
    ev.u.slurm.jobs = 1;
    ev.u.slurm.job[0] = (struct rc_node_job){77, 1};
    story_give(&st, &ev);
}

static enum rc_phase
phase(void)
{
    const struct rc_incident *inc = story_incident(&st, "n1");

    return inc ? (enum rc_phase)inc->phase : RC_PHASE_NONE;
}

/* Drained by its agent, then by us, with a job on it. */
static void
drained(void)
{
    story_begin(&st, 4);
    tell("xid:79", true);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    show();
}

static void
a_reason_that_we_replaced_is_no_cure(void)
{
    drained();
    tell(NULL, false); /* the list has not been written yet */
    show();
    CU_ASSERT_EQUAL(phase(), RC_PHASE_WAIT_IDLE);
    CU_ASSERT_EQUAL(st.count[RC_ACT_GATE], 0);
    tell("xid:79", true);
    story_wait(&st, 60000);
    CU_ASSERT_EQUAL(phase(), RC_PHASE_WAIT_IDLE);
    CU_ASSERT_EQUAL(st.count[RC_ACT_GATE], 0);
    story_end(&st);
}

static void
a_fault_that_is_told_no_more_is_over_soon(void)
{
    drained();
    tell(NULL, false);
    CU_ASSERT_EQUAL(phase(), RC_PHASE_WAIT_IDLE);
    story_wait(&st, 30000);
    CU_ASSERT_EQUAL(phase(), RC_PHASE_GATE);
    story_end(&st);
}

static void
another_fault_in_the_list_does_not_hide_it_either(void)
{
    drained();
    tell("efa:cmd-fail", false);
    CU_ASSERT_EQUAL(phase(), RC_PHASE_WAIT_IDLE);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->fault, RC_FAULT_GPU_LOST);
    story_end(&st);
}

/* What hangs on three nodes is the file server's, else the node's own after two minutes. */
static void
begin_with_file_server(void)
{
    story_begin(&st, 4);
    struct rc_rule *shared = &st.policy.rule[0], *own = &st.policy.rule[st.policy.rule_count++];
    memcpy(own, shared, sizeof *own);
    own->confirm_ms = 120000;
    rc_text_set(shared->name, sizeof shared->name, "file-server");
    shared->fault_mask = 1ULL << RC_FAULT_FS_HANG;
    shared->company.count = 3;
    shared->ignore = 1;
    story_load(&st);
}

/* The file server hangs; two of three nodes are repaired for something else meanwhile. */
static void
a_fault_in_company_has_not_stood_as_the_nodes_own(void)
{
    begin_with_file_server();
    tell_of("n1", "fs:stuck", false);
    tell_of("n2", "fs:stuck", false);
    tell_of("n3", "fs:stuck", false); /* of which the first one hears nothing */
    story_wait(&st, 100000);
    tell_of("n2", NULL, false);
    tell_of("n3", NULL, false);
    story_wait(&st, 60000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 0);
    story_wait(&st, 100000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1); /* it is its own by now */
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_DRAIN].node, "n1");
    story_end(&st);
}

/* slurmctld did not take the drain; others show the fault since, and a worse one is not sure. */
static void
a_drain_that_was_not_taken_is_not_sent_again_for_what_others_show_by_now(void)
{
    begin_with_file_server();
    tell_of("n1", "fs:stuck", false);
    story_wait(&st, 121000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1);
    story_checks(&st, "i-1", RC_CHECK_IMPAIRED);
    tell_of("n2", "fs:stuck", false);
    tell_of("n3", "fs:stuck", false);
    story_answer(&st, RC_ACT_DRAIN, RC_E_TIMEOUT);
    story_wait(&st, 60000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1);
    story_wait(&st, 62000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(st.last[RC_ACT_DRAIN].text, "system-impaired"));
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a Reason that we replaced is no cure", a_reason_that_we_replaced_is_no_cure},
        {"a fault that is told no more is over soon", a_fault_that_is_told_no_more_is_over_soon},
        {"another fault in the list does not hide it either",
         another_fault_in_the_list_does_not_hide_it_either},
        {"a fault in company has not stood as the node's own",
         a_fault_in_company_has_not_stood_as_the_nodes_own},
        {"a drain that was not taken is not sent again for what others show by now",
         a_drain_that_was_not_taken_is_not_sent_again_for_what_others_show_by_now},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("health", tests);
}
