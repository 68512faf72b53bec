/* What handlers/message.c folds, and what it does not. */
#include "tests/harness/harness.h"

#include <string.h>

#include "tests/unit/core/story.h"

/* Only the envelope; parts are the caller's. */
static void
arrive(struct story *st, uint64_t id_hash, uint32_t parts, uint32_t verdict)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_MESSAGE);
    ev.msg = ++st->msg;
    ev.u.message.id_hash = id_hash;
    ev.u.message.parts = parts;
    ev.u.message.verdict = verdict;
    story_give(st, &ev);
}

static void
restart(struct story *st)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_START);
    ev.u.start.seed = 7;
    story_give(st, &ev);
}

static void
a_message_without_effect_goes_at_once(void)
{
    struct story st;

    story_begin(&st, 2);
    arrive(&st, 1, 0, RC_VERDICT_IGNORED);
    CU_ASSERT_STRING_EQUAL(st.trace, "message.delete;");
    CU_ASSERT_EQUAL(st.s->counters.ignored, 1);
    story_end(&st);
}

static void
a_message_waits_for_all_of_its_parts(void)
{
    struct story st;
    struct rc_event ev;

    story_begin(&st, 2);
    arrive(&st, 1, 2, RC_VERDICT_EVENTS);
    rc_event_init(&ev, RC_EV_REBALANCE_RECOMMENDATION);
    ev.msg = st.msg;
    story_give(&st, &ev);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], 0);
    story_give(&st, &ev);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], 1);
    story_end(&st);
}

static void
the_same_id_again_wants_no_parts(void)
{
    struct story st;

    story_begin(&st, 2);
    arrive(&st, 5, 0, RC_VERDICT_EVENTS);
    arrive(&st, 5, 1, RC_VERDICT_EVENTS);
    CU_ASSERT_FALSE(rc_message_wants_parts(st.s, st.msg));
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], 2);
    CU_ASSERT_EQUAL(st.s->counters.duplicates, 1);
    story_end(&st);
}

static void
messages_without_an_id_are_never_taken_for_each_other(void)
{
    struct story st;

    story_begin(&st, 2);
    arrive(&st, 0, 0, RC_VERDICT_EVENTS);
    arrive(&st, 0, 1, RC_VERDICT_EVENTS);
    CU_ASSERT_TRUE(rc_message_wants_parts(st.s, st.msg));
    story_end(&st);
}

static void
a_message_whose_parts_were_cut_off_by_a_crash_is_new_when_it_comes_again(void)
{
    struct story st;

    story_begin(&st, 2);
    arrive(&st, 5, 1, RC_VERDICT_EVENTS);
    restart(&st);
    arrive(&st, 5, 1, RC_VERDICT_EVENTS);
    CU_ASSERT_TRUE(rc_message_wants_parts(st.s, st.msg));
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], 0);
    story_end(&st);
}

static void
a_message_that_was_not_kept_aside_yet_is_kept_aside_when_it_comes_again(void)
{
    struct story st;

    story_begin(&st, 2);
    arrive(&st, 5, 0, RC_VERDICT_QUARANTINED);
    restart(&st);
    arrive(&st, 5, 0, RC_VERDICT_QUARANTINED);
    story_wait(&st, 2000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_QUARANTINE], 2);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], 0);
    story_answer(&st, RC_ACT_MESSAGE_QUARANTINE, RC_OK);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], 1);
    story_end(&st);
}

static void
an_unknown_verdict_is_given_back_like_any_other(void)
{
    struct story st;

    story_begin(&st, 2);
    arrive(&st, 1, 0, RC_VERDICT_UNKNOWN);
    arrive(&st, 2, 0, 77);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], 2);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a message without effect goes at once", a_message_without_effect_goes_at_once},
        {"a message waits for all of its parts", a_message_waits_for_all_of_its_parts},
        {"the same id again wants no parts", the_same_id_again_wants_no_parts},
        {"messages without an id are never taken for each other",
         messages_without_an_id_are_never_taken_for_each_other},
        {"a message whose parts were cut off by a crash is new when it comes again",
         a_message_whose_parts_were_cut_off_by_a_crash_is_new_when_it_comes_again},
        {"a message that was not kept aside yet is kept aside when it comes again",
         a_message_that_was_not_kept_aside_yet_is_kept_aside_when_it_comes_again},
        {"an unknown verdict is given back like any other",
         an_unknown_verdict_is_given_back_like_any_other},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler message", tests);
}
