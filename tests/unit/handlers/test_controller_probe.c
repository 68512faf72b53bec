/* What handlers/controller_probe.c folds, and what it does not. */
#include "tests/harness/harness.h"

#include "tests/unit/core/pair_story.h"

static void
one_that_serves_is_the_primary_from_then_on(void)
{
    struct story st;

    pair_begin(&st);
    CU_ASSERT_EQUAL(st.s->pair.primary, 1);
    CU_ASSERT_EQUAL(st.s->pair.c[0].lost_ms, 0);
    pair_probe(&st, "head1", RC_CTL_SILENT, 0);
    CU_ASSERT_EQUAL(st.s->pair.primary, 1);
    CU_ASSERT_NOT_EQUAL(st.s->pair.c[0].lost_ms, 0);
    story_end(&st);
}

static void
its_silence_counts_from_the_first_question_that_got_no_answer(void)
{
    struct rc_event ev;
    struct story st;

    pair_begin(&st);
    rc_event_init(&ev, RC_EV_CONTROLLER_PROBE);
    rc_text_set(ev.node, sizeof ev.node, "head1");
    ev.u.probe.mode = RC_CTL_SILENT;
    ev.u.probe.age_ms = 5;
    story_give(&st, &ev);
    CU_ASSERT_EQUAL(st.s->pair.c[0].lost_ms, st.at_ms - 5);
    story_end(&st);
}

static void
a_host_that_is_no_controller_is_not_heard(void)
{
    struct story st;

    pair_begin(&st);
    uint64_t hash = rc_hash_bytes(1, &st.s->pair, sizeof st.s->pair);
    pair_probe(&st, "n1", RC_CTL_PRIMARY, 0);
    CU_ASSERT_EQUAL(rc_hash_bytes(1, &st.s->pair, sizeof st.s->pair), hash);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"one that serves is the primary from then on",
         one_that_serves_is_the_primary_from_then_on},
        {"its silence counts from the first question that got no answer",
         its_silence_counts_from_the_first_question_that_got_no_answer},
        {"a host that is no controller is not heard", a_host_that_is_no_controller_is_not_heard},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler controller-probe", tests);
}
