/* What handlers/instance.c folds, and what it does not. */
#include "tests/harness/harness.h"

#include <string.h>

#include "tests/unit/core/story.h"

static struct rc_instance *
row(struct story *st, const char *id)
{
    uint32_t slot = rc_instance_find(st->s, id);

    CU_ASSERT_NOT_EQUAL_FATAL(slot, 0);
    return rc_instance_at(st->s, slot);
}

static struct rc_node *
node(struct story *st, const char *name)
{
    uint32_t slot = rc_node_find(st->s, name);

    CU_ASSERT_NOT_EQUAL_FATAL(slot, 0);
    return rc_node_at(st->s, slot);
}

static void
absent(struct story *st, const char *id)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_INSTANCE);
    rc_text_set(ev.instance, sizeof ev.instance, id);
    ev.u.described.absent = 1;
    story_give(st, &ev);
}

static void
a_tagged_instance_stands_behind_the_name_whose_address_slurmctld_serves(void)
{
    struct story st;

    story_begin(&st, 2);
    uint32_t generation = node(&st, "n1")->generation;
    story_instance(&st, "i-9", "n1", "10.0.0.9", RC_INST_RUNNING);
    CU_ASSERT_EQUAL(node(&st, "n1")->instance, rc_instance_find(st.s, "i-1"));
    story_node(&st, "n1", "10.0.0.9", 0, RC_OWNER_NONE);
    CU_ASSERT_EQUAL(node(&st, "n1")->instance, rc_instance_find(st.s, "i-9"));
    CU_ASSERT_EQUAL(node(&st, "n1")->generation, generation + 1);
    story_end(&st);
}

static void
an_instance_without_our_tag_is_nobodys_whatever_node_it_names(void)
{
    struct story st;
    struct rc_event ev;

    story_begin(&st, 2);
    rc_event_init(&ev, RC_EV_INSTANCE);
    rc_text_set(ev.instance, sizeof ev.instance, "i-alien");
    rc_text_set(ev.u.described.node, RC_NODE_LEN, "n1");
    rc_text_set(ev.u.described.addr, RC_ADDR_LEN, "10.0.0.1");
    ev.u.described.state = RC_INST_TERMINATED;
    story_give(&st, &ev);
    CU_ASSERT_EQUAL(row(&st, "i-alien")->node, 0);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    story_end(&st);
}

static void
a_terminated_row_without_address_keeps_the_address_and_the_place(void)
{
    struct story st;

    story_begin(&st, 2);
    story_instance(&st, "i-1", "n1", "", RC_INST_TERMINATED);
    CU_ASSERT_STRING_EQUAL(row(&st, "i-1")->addr, "10.0.0.1");
    CU_ASSERT_EQUAL(node(&st, "n1")->instance, rc_instance_find(st.s, "i-1"));
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->fault, RC_FAULT_INSTANCE_GONE);
    story_end(&st);
}

static void
an_absent_instance_that_nobody_refers_to_is_forgotten(void)
{
    struct story st;

    story_begin(&st, 2);
    story_instance(&st, "i-old", "n1", "10.0.0.77", RC_INST_TERMINATED);
    absent(&st, "i-old");
    CU_ASSERT_EQUAL(rc_instance_find(st.s, "i-old"), 0);
    absent(&st, "i-never-heard-of");
    story_end(&st);
}

static void
an_absent_instance_behind_a_name_is_missing_and_not_gone_while_slurmd_answers(void)
{
    struct story st;

    story_begin(&st, 2);
    absent(&st, "i-1");
    CU_ASSERT_NOT_EQUAL(row(&st, "i-1")->missing_since_ms, 0);
    story_wait(&st, 3600000);
    story_sweep(&st);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DOWN, RC_OWNER_OURS); /* DOWN by hand, but it answers */
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    story_node(&st, "n1", "10.0.0.1", RC_SN_DOWN | RC_SN_NOT_RESPONDING, RC_OWNER_SLURM);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->fault, RC_FAULT_INSTANCE_GONE);
    story_end(&st);
}

/* EC2 shows a launch late, and then answers no pass at all. */
static void
one_pass_and_silence_is_no_proof_that_an_instance_is_gone(void)
{
    struct story st;

    story_begin(&st, 2);
    absent(&st, "i-1");
    story_sweep(&st);
    story_wait(&st, 3600000);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DOWN | RC_SN_NOT_RESPONDING, RC_OWNER_SLURM);
    struct rc_incident *inc = story_incident(&st, "n1");
    CU_ASSERT_TRUE(!inc || inc->fault != RC_FAULT_INSTANCE_GONE);
    story_sweep(&st); /* it is not in the list still: no news, and proof by now */
    story_wait(&st, 11000);
    inc = story_incident(&st, "n1");
    CU_ASSERT_TRUE(inc && inc->fault == RC_FAULT_INSTANCE_GONE);
    story_end(&st);
}

static void
an_instance_whose_checks_are_told_is_not_missing(void)
{
    struct story st;

    story_begin(&st, 2);
    absent(&st, "i-1");
    story_checks(&st, "i-1", RC_CHECK_OK);
    CU_ASSERT_EQUAL(row(&st, "i-1")->missing_since_ms, 0);
    story_end(&st);
}

static void
an_instance_that_is_shown_again_is_not_missing(void)
{
    struct story st;

    story_begin(&st, 2);
    absent(&st, "i-1");
    story_instance(&st, "i-1", "n1", "10.0.0.1", RC_INST_RUNNING);
    CU_ASSERT_EQUAL(row(&st, "i-1")->missing_since_ms, 0);
    story_end(&st);
}

static void
a_launch_whose_answer_was_lost_is_known_by_its_tags_and_only_by_all_of_them(void)
{
    struct story st;
    struct rc_event ev;

    story_begin(&st, 2);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    rc_event_init(&ev, RC_EV_INSTANCE);
    rc_text_set(ev.instance, sizeof ev.instance, "i-9");
    rc_text_set(ev.u.described.node, RC_NODE_LEN, "n1");
    ev.u.described.state = RC_INST_PENDING;
    ev.u.described.ours = 1;
    ev.u.described.tag_incident = story_incident(&st, "n1")->id;
    ev.u.described.tag_attempt = 7;
    story_give(&st, &ev);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->new_instance, 0);
    ev.u.described.tag_attempt = 1;
    story_give(&st, &ev);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->new_instance, rc_instance_find(st.s, "i-9"));
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a tagged instance stands behind the name whose address slurmctld serves",
         a_tagged_instance_stands_behind_the_name_whose_address_slurmctld_serves},
        {"an instance without our tag is nobodys, whatever node it names",
         an_instance_without_our_tag_is_nobodys_whatever_node_it_names},
        {"a terminated row without address keeps the address and the place",
         a_terminated_row_without_address_keeps_the_address_and_the_place},
        {"an absent instance that nobody refers to is forgotten",
         an_absent_instance_that_nobody_refers_to_is_forgotten},
        {"an absent instance behind a name is missing and not gone while slurmd answers",
         an_absent_instance_behind_a_name_is_missing_and_not_gone_while_slurmd_answers},
        {"one pass and silence is no proof that an instance is gone",
         one_pass_and_silence_is_no_proof_that_an_instance_is_gone},
        {"an instance whose checks are told is not missing",
         an_instance_whose_checks_are_told_is_not_missing},
        {"an instance that is shown again is not missing",
         an_instance_that_is_shown_again_is_not_missing},
        {"a launch whose answer was lost is known by its tags, and only by all of them",
         a_launch_whose_answer_was_lost_is_known_by_its_tags_and_only_by_all_of_them},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler instance", tests);
}
