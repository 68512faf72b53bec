/* What handlers/sweep.c folds, and what it does not. */
#include "tests/harness/harness.h"

#include <string.h>

#include "tests/unit/core/story.h"

static struct rc_node *
node(struct story *st, const char *name)
{
    uint32_t slot = rc_node_find(st->s, name);

    CU_ASSERT_NOT_EQUAL_FATAL(slot, 0);
    return rc_node_at(st->s, slot);
}

static void
end_pass(struct story *st, uint32_t which, uint32_t complete)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_SWEEP);
    ev.u.sweep.which = which;
    ev.u.sweep.complete = complete;
    ev.u.sweep.error = complete ? RC_OK : RC_E_UNREACHABLE;
    story_give(st, &ev);
}

static void
only_a_complete_pass_over_the_instances_counts(void)
{
    struct story st;

    story_begin(&st, 2);
    uint32_t sweeps = st.s->sweep;
    end_pass(&st, RC_SWEEP_INSTANCES, 0);
    CU_ASSERT_EQUAL(st.s->sweep, sweeps);
    CU_ASSERT_EQUAL(st.s->ec2_ok, 0);
    end_pass(&st, RC_SWEEP_STATUS, 1);
    end_pass(&st, RC_SWEEP_UNKNOWN, 1);
    CU_ASSERT_EQUAL(st.s->sweep, sweeps);
    end_pass(&st, RC_SWEEP_INSTANCES, 1);
    CU_ASSERT_EQUAL(st.s->sweep, sweeps + 1);
    CU_ASSERT_EQUAL(st.s->ec2_ok, 1);
    end_pass(&st, RC_SWEEP_SLURM, 1);
    CU_ASSERT_EQUAL(st.s->slurm_ok, 1);
    story_end(&st);
}

static void
a_stranger_is_forgotten_after_two_passes_that_did_not_show_it(void)
{
    struct story st;

    story_begin(&st, 2);
    story_state(&st, "i-stranger", RC_INST_TERMINATED);
    end_pass(&st, RC_SWEEP_INSTANCES, 1);
    CU_ASSERT_NOT_EQUAL(rc_instance_find(st.s, "i-stranger"), 0);
    end_pass(&st, RC_SWEEP_INSTANCES, 1);
    CU_ASSERT_EQUAL(rc_instance_find(st.s, "i-stranger"), 0);
    CU_ASSERT_NOT_EQUAL(rc_instance_find(st.s, "i-1"), 0);
    story_end(&st);
}

static void
a_name_behind_which_ec2_shows_nothing_is_gone_only_when_it_is_silent_too(void)
{
    struct story st;

    story_begin(&st, 2);
    story_node(&st, "n3", "10.0.0.3", 0, RC_OWNER_NONE);
    end_pass(&st, RC_SWEEP_INSTANCES, 1);
    CU_ASSERT_NOT_EQUAL(node(&st, "n3")->unbound_since_ms, 0);
    story_wait(&st, 600000);
    end_pass(&st, RC_SWEEP_INSTANCES, 1);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n3"));
    story_node(&st, "n3", "10.0.0.3", RC_SN_DOWN | RC_SN_NOT_RESPONDING, RC_OWNER_SLURM);
    CU_ASSERT_EQUAL(story_incident(&st, "n3")->fault, RC_FAULT_INSTANCE_GONE);
    story_end(&st);
}

/* A leader whose first pass shows the instance ended already never saw its address. */
static void
a_name_whose_only_instance_has_ended_is_gone_as_soon_as_it_is_silent(void)
{
    struct story st;

    story_begin(&st, 2);
    story_node(&st, "n3", "10.0.0.3", 0, RC_OWNER_NONE);
    story_instance(&st, "i-3", "n3", "", RC_INST_TERMINATED);
    end_pass(&st, RC_SWEEP_INSTANCES, 1);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n3")); /* it answers: somebody else has the name */
    story_node(&st, "n3", "10.0.0.3", RC_SN_DOWN | RC_SN_NOT_RESPONDING, RC_OWNER_SLURM);
    CU_ASSERT_PTR_NOT_NULL_FATAL(story_incident(&st, "n3"));
    CU_ASSERT_EQUAL(story_incident(&st, "n3")->fault, RC_FAULT_INSTANCE_GONE);
    story_end(&st);
}

static void
what_slurmctld_could_not_take_is_tried_when_it_is_back(void)
{
    struct story st;

    story_begin(&st, 2);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    end_pass(&st, RC_SWEEP_SLURM, 0);
    for (int i = 0; i < 8; i++) {
        story_answer(&st, RC_ACT_DRAIN, RC_E_SLURM_DOWN);
        story_wait(&st, 61000);
    }
    story_answer(&st, RC_ACT_DRAIN, RC_E_SLURM_DOWN);
    unsigned drains = st.count[RC_ACT_DRAIN];
    end_pass(&st, RC_SWEEP_SLURM, 1);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], drains + 1);
    end_pass(&st, RC_SWEEP_SLURM, 1);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], drains + 1);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"only a complete pass over the instances counts",
         only_a_complete_pass_over_the_instances_counts},
        {"a stranger is forgotten after two passes that did not show it",
         a_stranger_is_forgotten_after_two_passes_that_did_not_show_it},
        {"a name behind which EC2 shows nothing is gone only when it is silent too",
         a_name_behind_which_ec2_shows_nothing_is_gone_only_when_it_is_silent_too},
        {"a name whose only instance has ended is gone as soon as it is silent",
         a_name_whose_only_instance_has_ended_is_gone_as_soon_as_it_is_silent},
        {"what slurmctld could not take is tried when it is back",
         what_slurmctld_could_not_take_is_tried_when_it_is_back},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler sweep", tests);
}
