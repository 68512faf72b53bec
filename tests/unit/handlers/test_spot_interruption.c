/* What handlers/spot_interruption.c folds, and what it does not. */
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

    rc_event_init(&ev, RC_EV_SPOT_INTERRUPTION);
    rc_text_set(ev.instance, sizeof ev.instance, instance);
    ev.u.spot.deadline_wall_ms = deadline_ms;
    ev.u.spot.action = RC_IACT_TERMINATE;
    story_give(st, &ev);
}

static void
the_deadline_of_the_notice_is_kept(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1", st.wall_ms + 90000);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.interruption, 1);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.interruption_wall_ms, st.wall_ms + 90000 - 10);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->fault, RC_FAULT_INTERRUPTION);
    story_end(&st);
}

static void
without_a_deadline_two_minutes_count_from_receipt(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1", 0);
    CU_ASSERT_EQUAL(row(&st, "i-1")->faults.interruption_wall_ms, st.wall_ms + 120000);
    story_end(&st);
}

static void
the_same_notice_again_opens_nothing_more(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1", 0);
    tell(&st, "i-1", 0);
    CU_ASSERT_EQUAL(st.s->counters.incidents_opened, 1);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 1);
    story_end(&st);
}

static void
an_empty_id_and_a_stranger_are_left_alone(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "", 0);
    tell(&st, "i-stranger", 0);
    CU_ASSERT_EQUAL(st.s->counters.incidents_opened, 0);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"the deadline of the notice is kept", the_deadline_of_the_notice_is_kept},
        {"without a deadline two minutes count from receipt",
         without_a_deadline_two_minutes_count_from_receipt},
        {"the same notice again opens nothing more", the_same_notice_again_opens_nothing_more},
        {"an empty id and a stranger are left alone", an_empty_id_and_a_stranger_are_left_alone},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler spot-interruption", tests);
}
