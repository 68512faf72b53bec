/* Paired differences: Student's distribution, intervals, and many questions at once. */
#include "tests/harness/harness.h"

#include <math.h>

#include "simulator/report/paired.h"

static bool
near(double got, double want, double within)
{
    return fabs(got - want) <= within;
}

/* Printed tables: two-sided 5 % and 1 % points. */
static void
student__quantiles_are_those_of_the_tables(void)
{
    static const struct {
        double p;
        uint32_t df;
        double t;
    } table[] = {{0.05, 1, 12.70620}, {0.05, 2, 4.30265},   {0.05, 3, 3.18245},
                 {0.05, 9, 2.26216},  {0.05, 30, 2.04227},  {0.01, 4, 4.60409},
                 {0.01, 10, 3.16927}, {0.05, 1000, 1.96234}};

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        CU_ASSERT(near(rc_student_quantile(table[i].p, table[i].df), table[i].t, 6e-6));
        CU_ASSERT(near(rc_student_p(table[i].t, table[i].df), table[i].p, 1e-6));
    }
    CU_ASSERT(near(rc_student_p(0, 5), 1, 1e-12));
}

/* Student's own sleep data (1908): ten patients, t = 4.0621, p = 0.002833. */
static void
paired__students_own_data_gives_his_result(void)
{
    static const double a[] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
    static const double b[] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
    struct rc_paired p;

    rc_paired_compare(a, b, 10, &p);
    CU_ASSERT(near(p.mean, 1.58, 1e-9));
    CU_ASSERT(near(p.p, 0.002833, 1e-6));
    CU_ASSERT(near(p.mean - p.half, 0.7001142, 1e-6));
    CU_ASSERT(near(p.mean + p.half, 2.4598858, 1e-6));
}

static void
paired__one_seed_tells_nothing_and_equal_values_do_not_differ(void)
{
    static const double a[] = {1, 2, 3}, b[] = {2, 3, 4};
    struct rc_paired p[3];

    rc_paired_compare(a, b, 1, &p[0]);
    CU_ASSERT(p[0].half < 0);
    rc_paired_compare(a, a, 3, &p[1]);
    CU_ASSERT(p[1].half >= 0 && near(p[1].p, 1, 0));
    rc_paired_holm(p, 2);
    CU_ASSERT(!p[0].differs && !p[1].differs);
}

/* One reboot more in each of two seeds is no proof; in each of twelve it is. */
static void
paired__the_same_difference_in_every_seed_counts_as_much_as_its_sign(void)
{
    static const double a[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    double b[12];
    struct rc_paired p[2];

    for (int i = 0; i < 12; i++) {
        b[i] = a[i] + 1;
    }
    rc_paired_compare(a, b, 2, &p[0]);
    CU_ASSERT(near(p[0].mean, 1, 0) && near(p[0].half, 0, 0) && near(p[0].p, 0.5, 0));
    rc_paired_compare(a, b, 12, &p[1]);
    CU_ASSERT(near(p[1].p, 1.0 / 2048, 0));
    rc_paired_holm(p, 2);
    CU_ASSERT(!p[0].differs && p[1].differs);
}

/* "+12 +- 0 GPU-hours": four seeds whose differences are alike to the last digit. */
static void
paired__of_fewer_than_five_seeds_nothing_is_marked(void)
{
    static const double a[] = {100, 200, 300, 400, 500};
    static const double b[] = {112, 212, 312, 412.001, 512};
    struct rc_paired p;

    for (uint32_t n = 2; n <= 5; n++) {
        rc_paired_compare(a, b, n, &p);
        rc_paired_holm(&p, 1);
        CU_ASSERT_EQUAL(p.differs, n == 5);
    }
    CU_ASSERT(p.p < 1e-6);
}

/* Holm's own way: 0.01 * 4, 0.02 * 3, then never below the one before. */
static void
holm__multiplies_by_what_is_left_and_never_falls(void)
{
    struct rc_paired p[4] = {
        {.n = 9, .p = 0.04}, {.n = 9, .p = 0.01}, {.n = 9, .p = 0.03}, {.n = 9, .p = 0.02}};

    rc_paired_holm(p, 4);
    CU_ASSERT(near(p[1].p_holm, 0.04, 1e-12) && p[1].differs);
    CU_ASSERT(near(p[3].p_holm, 0.06, 1e-12) && !p[3].differs);
    CU_ASSERT(near(p[2].p_holm, 0.06, 1e-12));
    CU_ASSERT(near(p[0].p_holm, 0.06, 1e-12));
}

static void
holm__without_any_difference_one_report_in_twenty_errs(void)
{
    uint64_t state = 7;
    int wrong = 0;
    enum { REPORTS = 400, QUESTIONS = 20, SEEDS = 6 };

    for (int r = 0; r < REPORTS; r++) {
        struct rc_paired p[QUESTIONS];
        for (int q = 0; q < QUESTIONS; q++) {
            double a[SEEDS], b[SEEDS];
            for (int i = 0; i < SEEDS; i++) { /* sums of uniforms are normal enough */
                double sum[2] = {0, 0};
                for (int k = 0; k < 24; k++) {
                    state = state * 6364136223846793005U + 1442695040888963407U;
                    sum[k % 2] += (double)(state >> 33);
                }
                a[i] = sum[0];
                b[i] = sum[1];
            }
            rc_paired_compare(a, b, SEEDS, &p[q]);
        }
        rc_paired_holm(p, QUESTIONS);
        int any = 0;
        for (int q = 0; q < QUESTIONS; q++) {
            any |= p[q].differs != 0;
        }
        wrong += any;
    }
    CU_ASSERT(wrong > 0 && wrong < REPORTS / 20 + 20); /* 20 expected, 4.4 the deviation */
}

static CU_TestInfo tests[] = {
    {"student: quantiles are those of the tables", student__quantiles_are_those_of_the_tables},
    {"paired: Student's own data gives his result", paired__students_own_data_gives_his_result},
    {"paired: one seed tells nothing, equal values do not differ",
     paired__one_seed_tells_nothing_and_equal_values_do_not_differ},
    {"paired: the same difference in every seed counts as much as its sign",
     paired__the_same_difference_in_every_seed_counts_as_much_as_its_sign},
    {"paired: of fewer than five seeds nothing is marked",
     paired__of_fewer_than_five_seeds_nothing_is_marked},
    {"Holm: multiplies by what is left and never falls",
     holm__multiplies_by_what_is_left_and_never_falls},
    {"Holm: without any difference one report in twenty errs",
     holm__without_any_difference_one_report_in_twenty_errs},
    CU_TEST_INFO_NULL,
};

int
main(void)
{
    return rc_test_main("paired", tests);
}
