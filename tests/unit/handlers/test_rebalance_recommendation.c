/* What handlers/rebalance_recommendation.c folds, and what it does not. */
#include "tests/harness/harness.h"

#include <string.h>

#include "tests/unit/core/story.h"

static void
tell(struct story *st, const char *instance)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_REBALANCE_RECOMMENDATION);
    rc_text_set(ev.instance, sizeof ev.instance, instance);
    story_give(st, &ev);
}

static void
it_is_counted_and_nothing_is_done(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1");
    tell(&st, "");
    CU_ASSERT_EQUAL(st.s->counters.events[RC_EV_REBALANCE_RECOMMENDATION], 2);
    CU_ASSERT_STRING_EQUAL(st.trace, "");
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"it is counted and nothing is done", it_is_counted_and_nothing_is_done},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler rebalance-recommendation", tests);
}
