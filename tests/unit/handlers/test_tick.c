/* What handlers/tick.c folds, and what it does not. */
#include "tests/harness/harness.h"

#include <string.h>

#include "tests/unit/core/story.h"

static void
a_tick_moves_the_time_and_nothing_else(void)
{
    struct story st;
    struct rc_event ev;

    story_begin(&st, 2);
    rc_event_init(&ev, RC_EV_TICK);
    story_give(&st, &ev);
    CU_ASSERT_EQUAL(st.s->now_ms, st.at_ms);
    CU_ASSERT_STRING_EQUAL(st.trace, "");
    story_end(&st);
}

static void
time_never_goes_back(void)
{
    struct story st;
    struct rc_event ev;

    story_begin(&st, 2);
    int64_t now_ms = st.s->now_ms;
    rc_event_init(&ev, RC_EV_TICK);
    ev.at_ms = now_ms - 5000;
    ev.wall_ms = st.wall_ms;
    rc_step(st.s, &ev, &st.out);
    CU_ASSERT_EQUAL(st.s->now_ms, now_ms);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a tick moves the time and nothing else", a_tick_moves_the_time_and_nothing_else},
        {"time never goes back", time_never_goes_back},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler tick", tests);
}
