/* What handlers/fleet.c folds, and what it does not. */
#include "tests/harness/harness.h"

#include <string.h>

#include "tests/unit/core/story.h"

static void
tell(struct story *st, const char *instance)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_FLEET);
    rc_text_set(ev.instance, sizeof ev.instance, instance);
    ev.u.fleet.error = 1;
    story_give(st, &ev);
}

static void
somebody_elses_fleet_is_counted_and_nothing_is_done(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1");
    CU_ASSERT_EQUAL(st.s->counters.events[RC_EV_FLEET], 1);
    CU_ASSERT_STRING_EQUAL(st.trace, "");
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"somebody elses fleet is counted and nothing is done",
         somebody_elses_fleet_is_counted_and_nothing_is_done},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler fleet", tests);
}
