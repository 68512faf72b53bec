/* Scales and labels of the plots, and text that is safe in a page. */
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>

#include "simulator/report/plot.h"

static void
says(double value, double step, const char *want)
{
    char got[64];

    rc_axis_label(value, step, got, sizeof got);
    if (strcmp(got, want) != 0) {
        printf("# %f: \"%s\", expected \"%s\"\n", value, got, want);
    }
    CU_ASSERT_STRING_EQUAL(got, want);
}

static void
label__is_as_short_as_it_may_be(void)
{
    says(0, 0, "0");
    says(0.25, 0, "0.25");
    says(70, 0, "70");
    says(2500, 0, "2500");
    says(12000, 0, "12k");
    says(1200000, 0, "1.2M");
    says(-340000, 0, "-340k");
    says(12080300, 100, "12,080,300"); /* neighbours must be told apart */
    says(48300000, 2000, "48,300,000");
    says(-1500000, 10, "-1,500,000");
}

static void
axis__is_round_and_holds_the_data(void)
{
    static const double spans[][2] = {{0, 1}, {3.2, 3.9}, {-5, 17}, {12080341, 12080990},
                                      {7, 7}, {0, 0}};

    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        struct rc_axis a = {spans[i][0], spans[i][1], 100, 900, false};
        double at[32];
        rc_axis_round(&a);
        CU_ASSERT(a.low <= spans[i][0] && a.high >= spans[i][1] && a.high > a.low);
        CU_ASSERT(rc_axis_px(&a, a.low) <= 100.001 && rc_axis_px(&a, a.high) >= 899.999);
        uint32_t n = rc_axis_ticks(&a, at, 32);
        CU_ASSERT(n >= 3 && n <= 14);
        for (uint32_t k = 0; k < n; k++) {
            CU_ASSERT(rc_axis_px(&a, at[k]) > 99 && rc_axis_px(&a, at[k]) < 901);
        }
    }
}

static void
axis__of_logarithms_has_powers_of_ten(void)
{
    struct rc_axis a = {1, 10000, 0, 400, true};
    double at[8];

    CU_ASSERT_EQUAL(rc_axis_ticks(&a, at, 8), 5);
    CU_ASSERT(rc_axis_px(&a, 100) > 199.999 && rc_axis_px(&a, 100) < 200.001);
}

static void
text__is_escaped(void)
{
    char *got = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&got, &len);

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    rc_html_text(f, "trace:a<b>&\"c\".json");
    fclose(f);
    CU_ASSERT_STRING_EQUAL(got, "trace:a&lt;b&gt;&amp;&quot;c&quot;.json");
    free(got);
}

static CU_TestInfo tests[] = {
    {"a label is as short as it may be", label__is_as_short_as_it_may_be},
    {"an axis is round and holds the data", axis__is_round_and_holds_the_data},
    {"an axis of logarithms has powers of ten", axis__of_logarithms_has_powers_of_ten},
    {"text is escaped", text__is_escaped},
    CU_TEST_INFO_NULL,
};

int
main(void)
{
    return rc_test_main("plot", tests);
}
