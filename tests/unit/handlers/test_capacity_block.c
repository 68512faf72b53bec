/* What handlers/capacity_block.c folds, and what it does not. */
#include "tests/harness/harness.h"

#include <string.h>

#include "tests/unit/core/story.h"

static void
tell(struct story *st, const char *reservation, int64_t deadline_ms)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_CAPACITY_BLOCK);
    rc_text_set(ev.u.capacity.reservation, RC_ID_LEN, reservation);
    ev.u.capacity.deadline_wall_ms = deadline_ms;
    story_give(st, &ev);
}

static void
begin_in_block(struct story *st)
{
    struct rc_event ev;

    story_begin(st, 2);
    rc_text_set(st->cluster.group[0].option[0].reservation, RC_ID_LEN, "cr-block");
    rc_event_init(&ev, RC_EV_CLUSTER);
    ev.u.cluster = &st->cluster;
    story_give(st, &ev);
}

static void
the_end_is_a_fact_of_every_instance_of_the_block_half_an_hour_before(void)
{
    struct story st;

    begin_in_block(&st);
    tell(&st, "cr-block", st.wall_ms + 2400000);
    for (unsigned i = 1; i <= 2; i++) {
        CU_ASSERT_EQUAL(rc_instance_at(st.s, i)->faults.capacity_ending, 1);
        CU_ASSERT_EQUAL(rc_instance_at(st.s, i)->faults.capacity_end_wall_ms,
                        st.wall_ms - 10 + 600000);
    }
    story_end(&st);
}

static void
another_block_a_delivery_and_an_empty_name_change_nothing(void)
{
    struct story st;

    begin_in_block(&st);
    tell(&st, "cr-other", st.wall_ms + 2400000);
    tell(&st, "cr-block", 0);
    tell(&st, "", st.wall_ms + 2400000);
    CU_ASSERT_EQUAL(rc_instance_at(st.s, 1)->faults.capacity_ending, 0);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"the end is a fact of every instance of the block, half an hour before",
         the_end_is_a_fact_of_every_instance_of_the_block_half_an_hour_before},
        {"another block, a delivery and an empty name change nothing",
         another_block_a_delivery_and_an_empty_name_change_nothing},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler capacity-block", tests);
}
