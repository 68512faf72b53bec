/* Host lists against a plain expansion, globs, and lines in a fixed room. */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

#include "reconciler/core/cluster.h"
#include "reconciler/core/text.h"

/* "n[a-b,c]" with w digits, written out; then each name asked for both ways. */
struct range {
    unsigned low, high, width;
};

static bool
is_in(const struct range *r, unsigned count, unsigned number, unsigned width)
{
    char plain[16];
    unsigned digits = (unsigned)snprintf(plain, sizeof plain, "%u", number);

    for (unsigned i = 0; i < count; i++) {
        unsigned padded = digits > r[i].width ? digits : r[i].width;
        if (number >= r[i].low && number <= r[i].high && width == padded) {
            return true;
        }
    }
    return false;
}

static void
host_lists_name_what_their_expansion_names(void)
{
    static const struct range sets[][2] = {
        {{1, 16, 1}, {20, 20, 1}}, {{1, 12, 2}, {99, 101, 2}}, {{7, 7, 3}, {0, 2, 3}}};
    bool agreed = true;

    for (size_t s = 0; s < sizeof sets / sizeof sets[0]; s++) {
        const struct range *r = sets[s];
        char list[64], name[24];
        snprintf(list, sizeof list, "x-1,gpu[%0*u-%0*u,%0*u-%0*u]-ib,y", (int)r[0].width, r[0].low,
                 (int)r[0].width, r[0].high, (int)r[1].width, r[1].low, (int)r[1].width, r[1].high);
        for (unsigned number = 0; number < 130; number++) {
            for (unsigned width = 1; width <= 4; width++) {
                snprintf(name, sizeof name, "gpu%0*u-ib", (int)width, number);
                unsigned real = (unsigned)strlen(name) - 6;
                bool want = is_in(r, 2, number, real);
                agreed &= (rc_hostlist_has(list, name) != 0) == want;
            }
        }
    }
    CU_ASSERT_TRUE(agreed);
}

static void
host_lists_have_edges(void)
{
    static const struct {
        const char *list, *node;
        int has;
    } rows[] = {
        {"gpu-1", "gpu-1", 1},
        {"gpu-1", "gpu-10", 0},
        {"gpu-10", "gpu-1", 0},
        {"a,b,c", "b", 1},
        {"a,b,c", "d", 0},
        {"gpu-[1-3]", "gpu-", 0},
        {"gpu-[1-3]", "", 0},
        {"", "gpu-1", 0},
        {"", "", 0},
        {"r[1-2]n[1-4]", "r2n3", 1},
        {"r[1-2]n[1-4]", "r3n1", 0},
        {"r[1-2]n[1-4]", "r1n", 0},
        {"gpu-[1-3", "gpu-2", 0},
        {"gpu-[]", "gpu-1", 0},
        {"gpu-[x]", "gpu-1", 0},
        {"gpu-[3-1]", "gpu-2", 0},
        {"gpu-[01-10]", "gpu-1", 0},
        {"gpu-[01-10]", "gpu-01", 1},
        {"a[1-2],b[1-2]", "b2", 1},
        {"a[1,2],b", "b", 1},
        {"gpu-[1-3]x", "gpu-2", 0},
        {"n[999999999999999999-999999999999999999]", "n999999999999999999", 1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT_EQUAL(rc_hostlist_has(rows[i].list, rows[i].node), rows[i].has);
        if (rc_hostlist_has(rows[i].list, rows[i].node) != rows[i].has) {
            printf("#   %s has %s: want %d\n", rows[i].list, rows[i].node, rows[i].has);
        }
    }
}

static void
globs_match_the_whole_text(void)
{
    static const struct {
        const char *pattern, *text;
        bool match;
    } rows[] = {{"", "", true},
                {"", "a", false},
                {"*", "", true},
                {"*", "anything", true},
                {"a*", "abc", true},
                {"a*", "bac", false},
                {"*c", "abc", true},
                {"*c", "abcd", false},
                {"a?c", "abc", true},
                {"a?c", "ac", false},
                {"*a*b*", "xxaxxbx", true},
                {"*a*b*", "xxbxxax", false},
                {"p4d*", "p4de.24xlarge", true},
                {"**", "x", true},
                {"a*a", "a", false},
                {"*ab", "aab", true}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT_EQUAL(rc_glob(rows[i].pattern, rows[i].text), rows[i].match);
    }
}

static void
a_line_that_is_too_long_is_cut_and_ended(void)
{
    char small[8] = "", digits[24] = "", hex[20] = "";

    rc_put_text(small, sizeof small, "12345");
    rc_put_text(small, sizeof small, "6789");
    CU_ASSERT_STRING_EQUAL(small, "1234567");
    rc_put_text(small, sizeof small, "more");
    CU_ASSERT_STRING_EQUAL(small, "1234567");
    rc_put_number(digits, sizeof digits, UINT64_MAX);
    CU_ASSERT_STRING_EQUAL(digits, "18446744073709551615");
    digits[0] = '\0';
    rc_put_number(digits, sizeof digits, 0);
    CU_ASSERT_STRING_EQUAL(digits, "0");
    rc_put_hex(hex, sizeof hex, 0xab);
    CU_ASSERT_STRING_EQUAL(hex, "00000000000000ab");
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"host lists name what their expansion names", host_lists_name_what_their_expansion_names},
        {"host lists have edges", host_lists_have_edges},
        {"globs match the whole text", globs_match_the_whole_text},
        {"a line that is too long is cut and ended", a_line_that_is_too_long_is_cut_and_ended},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("text", tests);
}
