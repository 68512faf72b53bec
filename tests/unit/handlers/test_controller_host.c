/* What handlers/controller_host.c folds, and what it does not. */
#include "tests/harness/harness.h"

#include "tests/unit/core/pair_story.h"

static void
a_silent_link_takes_back_all_that_it_told(void)
{
    struct story st;

    pair_begin(&st);
    pair_probe(&st, "head2", RC_CTL_STANDBY, 1);
    pair_host(&st, "head1", RC_PROC_UNKNOWN, RC_TOLD_YES);
    CU_ASSERT_EQUAL(st.s->pair.c[0].link, RC_TOLD_NO);
    CU_ASSERT_EQUAL(st.s->pair.c[0].process, RC_PROC_UNKNOWN);
    CU_ASSERT_EQUAL(st.s->pair.c[0].fenced, RC_TOLD_NOT);
    CU_ASSERT_EQUAL(st.s->pair.c[1].mode[RC_EYE_PEER], RC_CTL_UNKNOWN);
    CU_ASSERT_EQUAL(st.s->pair.c[1].mode[RC_EYE_OWN], RC_CTL_STANDBY);
    CU_ASSERT_STRING_EQUAL(st.s->pair.c[0].instance, "i-head1");
    story_end(&st);
}

static void
a_state_directory_that_takes_no_write_is_remembered_with_its_time(void)
{
    struct story st;

    pair_begin(&st);
    pair_host_dir(&st, "head1", RC_DIR_READ_ONLY);
    int64_t since_ms = st.s->pair.c[0].ailing_ms;
    CU_ASSERT_EQUAL(since_ms, st.at_ms);
    pair_host_dir(&st, "head1", RC_DIR_FULL);
    CU_ASSERT_EQUAL(st.s->pair.c[0].ailing_ms, since_ms);
    pair_host_dir(&st, "head1", RC_DIR_OK);
    CU_ASSERT_EQUAL(st.s->pair.c[0].ailing_ms, 0);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a silent link takes back all that it told", a_silent_link_takes_back_all_that_it_told},
        {"a state directory that takes no write is remembered with its time",
         a_state_directory_that_takes_no_write_is_remembered_with_its_time},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler controller-host", tests);
}
