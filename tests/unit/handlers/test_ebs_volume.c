/* What handlers/ebs_volume.c folds, and what it does not. */
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
tell(struct story *st, const char *instance, uint32_t failed)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_EBS_VOLUME);
    rc_text_set(ev.instance, sizeof ev.instance, instance);
    rc_text_set(ev.u.ebs.volume, RC_ID_LEN, "vol-1");
    ev.u.ebs.failed = failed;
    story_give(st, &ev);
}

static void
a_failed_volume_is_a_fault_of_its_instance(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1", 1);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->fault, RC_FAULT_EBS);
    CU_ASSERT_STRING_EQUAL(row(&st, "i-1")->faults.code, "vol-1");
    story_end(&st);
}

static void
a_volume_that_has_not_failed_or_hangs_nowhere_is_no_fault(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, "i-1", 0);
    tell(&st, "", 1);
    CU_ASSERT_STRING_EQUAL(st.trace, "");
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a failed volume is a fault of its instance", a_failed_volume_is_a_fault_of_its_instance},
        {"a volume that has not failed, or hangs nowhere, is no fault",
         a_volume_that_has_not_failed_or_hangs_nowhere_is_no_fault},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler ebs-volume", tests);
}
