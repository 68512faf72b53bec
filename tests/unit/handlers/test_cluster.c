/* What handlers/cluster.c folds, and what it does not. */
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

/* A fault that we choose to act on, so that the node counts as out. */
static void
impair(struct story *st)
{
    rc_instance_at(st->s, 1)->faults.system = RC_CHECK_IMPAIRED;
    story_node(st, "n1", "10.0.0.1", 0, RC_OWNER_NONE);
}

static void
load(struct story *st)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_CLUSTER);
    ev.u.cluster = &st->cluster;
    story_give(st, &ev);
}

static void
nodes_that_no_group_names_any_more_are_let_go(void)
{
    struct story st;

    story_begin(&st, 4);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->nodes, 4);
    rc_text_set(st.cluster.group[0].nodes, RC_TEXT_LEN, "n[1-2]");
    load(&st);
    CU_ASSERT_EQUAL(node(&st, "n3")->group, 0);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->nodes, 2);
    story_clear(&st);
    story_state(&st, "i-3", RC_INST_TERMINATED);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 0);
    story_end(&st);
}

static void
an_open_incident_moves_with_its_group_to_another_place_in_the_file(void)
{
    struct story st;

    story_begin(&st, 4);
    impair(&st);
    st.cluster.group_count = 2;
    st.cluster.group[1] = st.cluster.group[0];
    rc_text_set(st.cluster.group[0].nodes, RC_TEXT_LEN, "other-[1-9]");
    load(&st);
    CU_ASSERT_EQUAL(node(&st, "n1")->group, 2);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->out, 1);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_OURS);
    CU_ASSERT_EQUAL(st.last[RC_ACT_LAUNCH].u.launch.group, 1);
    story_end(&st);
}

static void
loading_the_same_file_again_changes_no_count(void)
{
    struct story st;

    story_begin(&st, 4);
    impair(&st);
    load(&st);
    load(&st);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->nodes, 4);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->out, 1);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, node(&st, "n1")->partition_row)->out, 1);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"nodes that no group names any more are let go",
         nodes_that_no_group_names_any_more_are_let_go},
        {"an open incident moves with its group to another place in the file",
         an_open_incident_moves_with_its_group_to_another_place_in_the_file},
        {"loading the same file again changes no count",
         loading_the_same_file_again_changes_no_count},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler cluster", tests);
}
