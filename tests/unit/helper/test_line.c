/* test_line.c - the helper protocol's lines, good and bad. */
#include "reconciler/io/helper/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"

static enum rc_err
parse(const char *text, struct rc_line *ret, char *buf, size_t room, struct rc_error *e)
{
    size_t len = strlen(text);

    CU_ASSERT_FATAL(len < room);
    memcpy(buf, text, len + 1);
    return rc_line_parse(buf, len, ret, e);
}

static void
a_request_parses(void)
{
    char buf[128];
    struct rc_line line;
    uint64_t since;

    CU_ASSERT_EQUAL_FATAL(parse("7 nodes since=12 x=a%20b%25 y=\n", &line, buf, sizeof buf, NULL),
                          RC_OK);
    CU_ASSERT_EQUAL(line.seq, 7);
    CU_ASSERT_STRING_EQUAL(line.word, "nodes");
    CU_ASSERT_EQUAL(line.field_count, 3);
    CU_ASSERT(rc_line_u64(&line, "since", &since) && since == 12);
    CU_ASSERT_STRING_EQUAL(rc_line_get(&line, "x"), "a b%");
    CU_ASSERT_STRING_EQUAL(rc_line_get(&line, "y"), "");
    CU_ASSERT_PTR_NULL(rc_line_get(&line, "z"));
    CU_ASSERT_STRING_EQUAL(rc_line_text(&line, "z", "none"), "none");
}

static void
hello_parses_with_its_version(void)
{
    char buf[128];
    struct rc_line line;

    CU_ASSERT_EQUAL_FATAL(parse("hello 1 role=reader pid=9", &line, buf, sizeof buf, NULL), RC_OK);
    CU_ASSERT_EQUAL(line.seq, 0);
    CU_ASSERT_EQUAL(line.version, 1);
    CU_ASSERT_STRING_EQUAL(line.word, "hello");
    CU_ASSERT_STRING_EQUAL(rc_line_get(&line, "role"), "reader");
}

static void
bad_lines_are_refused(void)
{
    static const char *const bad[] = {
        "",
        "\n",
        " ",
        "1",
        "1 ",
        "0 ok",
        "01 ok",
        "-1 ok",
        "+1 ok",
        "18446744073709551616 ok",
        "99999999999999999999999999 ok",
        "x ok",
        "1  ok",
        "1 OK",
        "1 hello",
        "1 9ok",
        "1 ok ",
        "1 ok  a=1",
        "1 ok a",
        "1 ok =1",
        "1 ok A=1",
        "1 ok a=1 a=2",
        "1 ok a=%",
        "1 ok a=%1",
        "1 ok a=%zz",
        "1 ok a=%00",
        "1 ok a=b\tc",
        "1 ok a=\x7f",
        "1 ok a=\xc3\xa9",
        "1 ok a=1\r\n",
        "1 ok a=1\n\n",
        "hello",
        "hello x",
        "1 a123456789012345678901234567890123",
    };
    char buf[128];
    struct rc_line line;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct rc_error e = {0};
        enum rc_err err = parse(bad[i], &line, buf, sizeof buf, &e);

        if (err != RC_E_PARSE || e.text[0] == '\0') {
            printf("# accepted: %s\n", bad[i]);
            CU_FAIL("a bad line was accepted");
        }
    }
}

static void
limits_hold(void)
{
    char *big = malloc(RC_LINE_MAX + 8);
    struct rc_line line;
    struct rc_error e;
    struct rc_line_out out;

    CU_ASSERT_PTR_NOT_NULL_FATAL(big);
    if (!big) {
        return;
    }
    memset(big, 'x', RC_LINE_MAX + 7);
    CU_ASSERT_EQUAL(rc_line_parse(big, RC_LINE_MAX + 7, &line, &e), RC_E_TOO_LARGE);

    rc_line_begin(&out, big, RC_LINE_MAX, 1, "row");
    for (int i = 0; i < RC_LINE_FIELDS_MAX + 1; i++) {
        char key[16];

        (void)snprintf(key, sizeof key, "k%d", i);
        rc_line_put(&out, key, "v");
    }
    CU_ASSERT_EQUAL(rc_line_parse(big, rc_line_end(&out), &line, &e), RC_E_TOO_LARGE);
    free(big);
}

static void
a_line_that_does_not_fit_is_no_line(void)
{
    char buf[16];
    struct rc_line_out out;

    rc_line_begin(&out, buf, sizeof buf, 1, "row");
    rc_line_put(&out, "a", "0123456789");
    rc_line_put(&out, "b", "");
    CU_ASSERT_EQUAL(rc_line_end(&out), 0);

    rc_line_begin(&out, buf, sizeof buf, 1, "Row");
    CU_ASSERT_EQUAL(rc_line_end(&out), 0);
    rc_line_begin(&out, buf, sizeof buf, 1, "row");
    rc_line_put(&out, "a b", "");
    CU_ASSERT_EQUAL(rc_line_end(&out), 0);
}

static void
every_byte_survives_the_round_trip(void)
{
    char value[256], buf[1024];
    struct rc_line_out out;
    struct rc_line line;
    size_t len;
    int64_t n;

    for (int i = 1; i < 256; i++) {
        value[i - 1] = (char)i;
    }
    value[255] = '\0';
    rc_line_begin(&out, buf, sizeof buf, UINT64_MAX, "row");
    rc_line_put(&out, "v", value);
    rc_line_put(&out, "empty", NULL);
    rc_line_put_i64(&out, "n", -5);
    rc_line_put_u64(&out, "u", UINT64_MAX);
    len = rc_line_end(&out);
    CU_ASSERT_FATAL(len > 0 && buf[len - 1] == '\n');
    CU_ASSERT_EQUAL_FATAL(rc_line_parse(buf, len, &line, NULL), RC_OK);
    CU_ASSERT_EQUAL(line.seq, UINT64_MAX);
    CU_ASSERT_STRING_EQUAL(rc_line_get(&line, "v"), value);
    CU_ASSERT_STRING_EQUAL(rc_line_get(&line, "empty"), "");
    CU_ASSERT(rc_line_i64(&line, "n", &n) && n == -5);
    CU_ASSERT_FALSE(rc_line_i64(&line, "u", &n));
}

static void
numbers_are_strict(void)
{
    char buf[128];
    struct rc_line line;
    uint64_t u;
    int64_t i;

    CU_ASSERT_EQUAL_FATAL(
        parse("1 row a=1x b= c=-0 d=00 e=-9223372036854775808 f=9", &line, buf, sizeof buf, NULL),
        RC_OK);
    CU_ASSERT_FALSE(rc_line_u64(&line, "a", &u));
    CU_ASSERT_FALSE(rc_line_u64(&line, "b", &u));
    CU_ASSERT_FALSE(rc_line_i64(&line, "c", &i));
    CU_ASSERT_FALSE(rc_line_u64(&line, "d", &u));
    CU_ASSERT_FALSE(rc_line_i64(&line, "e", &i));
    CU_ASSERT_EQUAL(rc_line_number(&line, "f", 9, 3), 9);
    CU_ASSERT_EQUAL(rc_line_number(&line, "f", 8, 3), 3);
    CU_ASSERT_EQUAL(rc_line_number(&line, "g", 8, 3), 3);
}

/* Random bytes and damaged good lines: no crash, and what parses writes back the
 * same fields. A fixed seed, so that a failure comes again. */
static void
damaged_lines_never_crash(void)
{
    static const char good[] =
        "42 node name=gpu-1 flags=down,drain reason=rc:1%20x addr=10.0.0.1\n";
    uint32_t seed = 12345;
    struct rc_line line;
    struct rc_error e;

    for (int round = 0; round < 200000; round++) {
        char buf[sizeof good + 1];
        size_t len = sizeof good - 1;

        memcpy(buf, good, sizeof good);
        for (int hit = 0; hit < 3; hit++) {
            seed = seed * 1664525U + 1013904223U;
            buf[(seed >> 8) % len] = (char)(seed >> 24);
        }
        if (seed % 5 == 0) {
            len = (seed >> 4) % len;
        }
        if (rc_line_parse(buf, len, &line, &e) == RC_OK) {
            CU_ASSERT_FATAL(line.word != NULL && line.field_count <= RC_LINE_FIELDS_MAX);
        } else {
            CU_ASSERT_FATAL(e.text[0] != '\0');
        }
    }
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a request parses", a_request_parses},
        {"hello parses with its version", hello_parses_with_its_version},
        {"bad lines are refused with a reason", bad_lines_are_refused},
        {"length and field limits hold", limits_hold},
        {"a line that does not fit is no line", a_line_that_does_not_fit_is_no_line},
        {"every byte survives the round trip", every_byte_survives_the_round_trip},
        {"numbers are strict", numbers_are_strict},
        {"damaged lines never crash", damaged_lines_never_crash},
        CU_TEST_INFO_NULL,
    };

    return rc_test_main("line", tests);
}
