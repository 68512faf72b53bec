/* What handlers/slurm_node.c folds, and what it does not. */
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
silence_is_counted_from_its_beginning_and_ends_with_an_answer(void)
{
    struct story st;

    story_begin(&st, 2);
    story_node(&st, "n1", "10.0.0.1", RC_SN_NOT_RESPONDING, RC_OWNER_NONE);
    int64_t since_ms = node(&st, "n1")->down_since_ms;
    CU_ASSERT_NOT_EQUAL(since_ms, 0);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DOWN | RC_SN_NOT_RESPONDING, RC_OWNER_SLURM);
    CU_ASSERT_EQUAL(node(&st, "n1")->down_since_ms, since_ms);
    story_node(&st, "n1", "10.0.0.1", 0, RC_OWNER_NONE);
    CU_ASSERT_EQUAL(node(&st, "n1")->down_since_ms, 0);
    story_end(&st);
}

static void
a_node_of_no_group_is_known_and_never_acted_on(void)
{
    struct story st;

    story_begin(&st, 2);
    story_clear(&st);
    story_node(&st, "login-1", "10.9.9.9", RC_SN_DOWN | RC_SN_NOT_RESPONDING, RC_OWNER_SLURM);
    story_wait(&st, 600000);
    CU_ASSERT_EQUAL(node(&st, "login-1")->group, 0);
    CU_ASSERT_STRING_EQUAL(st.trace, "");
    story_end(&st);
}

static void
nodes_that_are_down_on_purpose_have_no_fault(void)
{
    static const uint32_t meant[] = {RC_SN_REBOOT, RC_SN_POWERING, RC_SN_POWERED_DOWN, RC_SN_FUTURE,
                                     RC_SN_MAINT};

    for (size_t i = 0; i < sizeof meant / sizeof meant[0]; i++) {
        struct story st;
        story_begin(&st, 2);
        story_node(&st, "n1", "10.0.0.1", RC_SN_DOWN | RC_SN_NOT_RESPONDING | meant[i],
                   RC_OWNER_SLURM);
        CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
        story_end(&st);
    }
}

static void
a_down_node_whose_reason_was_not_read_yet_is_not_judged(void)
{
    struct story st;

    story_begin(&st, 2);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DOWN | RC_SN_NOT_RESPONDING, RC_OWNER_UNKNOWN);
    CU_ASSERT_PTR_NULL(story_incident(&st, "n1"));
    story_end(&st);
}

static void
a_number_that_somebody_wrote_into_a_reason_does_not_use_up_the_numbers(void)
{
    struct story st;
    struct rc_event ev;

    story_begin(&st, 2);
    rc_event_init(&ev, RC_EV_SLURM_NODE);
    rc_text_set(ev.node, sizeof ev.node, "n2");
    rc_text_set(ev.u.slurm.addr, RC_ADDR_LEN, "10.0.0.2");
    ev.u.slurm.flags = RC_SN_DRAIN;
    ev.u.slurm.owner = RC_OWNER_OURS;
    ev.u.slurm.reason_incident = UINT32_MAX - 1;
    story_give(&st, &ev);
    CU_ASSERT_EQUAL(st.s->next_incident, 2); /* of the drain that nobody stands for */
    story_end(&st);
}

static void
an_empty_name_is_no_node(void)
{
    struct story st;

    story_begin(&st, 2);
    uint32_t nodes = st.s->node_count;
    story_node(&st, "", "10.0.0.1", RC_SN_DOWN, RC_OWNER_SLURM);
    CU_ASSERT_EQUAL(st.s->node_count, nodes);
    story_end(&st);
}

static void
a_full_table_stops_what_is_destructive_and_is_told_until_it_has_grown(void)
{
    struct story st;
    char name[16];

    story_begin(&st, 2);
    for (unsigned i = 3; i <= 20; i++) {
        snprintf(name, sizeof name, "n%u", i);
        story_node(&st, name, "10.0.3.3", 0, RC_OWNER_NONE);
    }
    CU_ASSERT_EQUAL(st.s->table_full, 1);
    CU_ASSERT_TRUE(st.s->counters.capacity_exceeded > 0);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 0);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->block, RC_BLOCK_TABLE_FULL);
    story_end(&st);
}

static void
a_node_that_moves_to_another_partition_takes_its_place_in_the_counts_along(void)
{
    struct story st;
    struct rc_event ev;

    story_begin(&st, 2);
    uint32_t before = node(&st, "n1")->partition_row;
    CU_ASSERT_EQUAL(rc_scope_at(st.s, before)->nodes, 2);
    rc_event_init(&ev, RC_EV_SLURM_NODE);
    rc_text_set(ev.node, sizeof ev.node, "n1");
    rc_text_set(ev.u.slurm.addr, RC_ADDR_LEN, "10.0.0.1");
    rc_text_set(ev.u.slurm.partition, RC_PARTITION_LEN, "debug");
    story_give(&st, &ev);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, before)->nodes, 1);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, node(&st, "n1")->partition_row)->nodes, 1);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"silence is counted from its beginning and ends with an answer",
         silence_is_counted_from_its_beginning_and_ends_with_an_answer},
        {"a node of no group is known and never acted on",
         a_node_of_no_group_is_known_and_never_acted_on},
        {"nodes that are down on purpose have no fault",
         nodes_that_are_down_on_purpose_have_no_fault},
        {"a down node whose reason was not read yet is not judged",
         a_down_node_whose_reason_was_not_read_yet_is_not_judged},
        {"a number that somebody wrote into a reason does not use up the numbers",
         a_number_that_somebody_wrote_into_a_reason_does_not_use_up_the_numbers},
        {"an empty name is no node", an_empty_name_is_no_node},
        {"a full table stops what is destructive and is told, until it has grown",
         a_full_table_stops_what_is_destructive_and_is_told_until_it_has_grown},
        {"a node that moves to another partition takes its place in the counts along",
         a_node_that_moves_to_another_partition_takes_its_place_in_the_counts_along},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler slurm-node", tests);
}
