/* What handlers/capacity_reservation.c folds, and what it does not. */
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

static void
tell(struct story *st, const char *instance, int64_t deadline_ms)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_CAPACITY_RESERVATION);
    rc_text_set(ev.instance, sizeof ev.instance, instance);
    ev.u.capacity.deadline_wall_ms = deadline_ms;
    story_give(st, &ev);
}

static void
an_instance_that_is_taken_back_is_an_interruption(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1", 0);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.interruption_wall_ms, st.wall_ms + 120000);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->fault, RC_FAULT_INTERRUPTION);
    story_end(&st);
}

static void
a_notice_on_the_reservation_as_a_whole_says_nothing_of_a_node(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "", st.wall_ms + 60000);
    CU_ASSERT_STRING_EQUAL(st.trace, "");
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"an instance that is taken back is an interruption",
         an_instance_that_is_taken_back_is_an_interruption},
        {"a notice on the reservation as a whole says nothing of a node",
         a_notice_on_the_reservation_as_a_whole_says_nothing_of_a_node},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler capacity-reservation", tests);
}
