/* Scales and labels of the plots, text that is safe in a page, and names that are long. */
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>

#include "simulator/report/plot.h"
#include "simulator/report/report_text.h"

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

#define LONG_NAME "our-cluster-in-virginia-with-more-spares" /* 40 bytes */

/* What a report says of two policies with these names; free() it. */
static char *
report_of(void (*write)(FILE *, const struct rc_comparison *), const char *a, const char *b)
{
    static struct rc_study_policy policy[2];
    static struct rc_comparison c;
    static struct rc_study s = {.seeds = 1, .policy_count = 2, .policy = policy};
    char *got = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&got, &len);

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    snprintf(policy[0].label, sizeof policy[0].label, "%s", a);
    snprintf(policy[1].label, sizeof policy[1].label, "%s", b);
    c.study = &s;
    write(f, &c);
    fclose(f);
    return got;
}

static void
columns__of_long_names_are_told_apart(void)
{
    char *got = report_of(rc_report_compare, LONG_NAME, LONG_NAME " (2)");

    CU_ASSERT_PTR_NOT_NULL(strstr(got, "column A  " LONG_NAME "\n"
                                       "column B  " LONG_NAME " (2)\n"
                                       "mean over seeds                     "
                                       "                      A"
                                       "                      B\n"));
    free(got);
    got = report_of(rc_report_compare, "p4d", "of-twenty-two-letters-");
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "                    p4d of-twenty-two-letters-\n"));
    CU_ASSERT_PTR_NULL(strstr(got, "column"));
    free(got);
}

static void
losses__have_room_for_a_long_name(void)
{
    char *got = report_of(rc_plot_losses, "p4d", LONG_NAME);

    CU_ASSERT_PTR_NOT_NULL(strstr(got, "<text class=\"name\" x=\"24\" y=\"25.0\">p4d</text>"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(got, "<text class=\"name\" x=\"24\" y=\"89.0\">" LONG_NAME "</text>"));
    free(got);
}

static CU_TestInfo tests[] = {
    {"a label is as short as it may be", label__is_as_short_as_it_may_be},
    {"an axis is round and holds the data", axis__is_round_and_holds_the_data},
    {"an axis of logarithms has powers of ten", axis__of_logarithms_has_powers_of_ten},
    {"text is escaped", text__is_escaped},
    {"columns of long names are told apart", columns__of_long_names_are_told_apart},
    {"losses have room for a long name", losses__have_room_for_a_long_name},
    CU_TEST_INFO_NULL,
};

int
main(void)
{
    return rc_test_main("plot", tests);
}
