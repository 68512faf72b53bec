/* Schedules: what is drawn is kept as a file, and read back as it was. */
#include "tests/harness/harness.h"

#include <string.h>

#include "simulator/cluster/plan.h"

enum { SEEDS = 5000, TEXT_MAX = 16384 };

static void
plan__every_seed__is_read_back(void)
{
    static struct rc_plan drawn, read;
    static char text[TEXT_MAX];
    struct rc_error e = {0};
    unsigned bad = 0;

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        rc_plan_draw(&drawn, seed);
        size_t len = rc_plan_format(&drawn, text, sizeof text);
        bad += len == 0 || rc_plan_parse("drawn", text, &read, &e) != RC_OK ||
               memcmp(&drawn, &read, sizeof read) != 0;
    }
    CU_ASSERT_EQUAL(bad, 0);
    CU_ASSERT_STRING_EQUAL(e.text, "");
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"what is drawn from any seed is read back", plan__every_seed__is_read_back},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("plan", tests);
}
