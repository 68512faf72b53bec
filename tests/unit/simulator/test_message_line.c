/* Lines {"arrival", "body"}: what they hold, and what is said of bad ones. */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

#include "simulator/replay/message_line.h"

static bool
parse(const char *text, struct rc_message_line *ret)
{
    static char line[1024];

    snprintf(line, sizeof line, "%s", text);
    return rc_message_line_parse(line, strlen(line), ret);
}

static void
lines__good_ones__give_arrival_and_body(void)
{
    static const struct {
        const char *text, *body;
    } good[] = {
        {"{\"arrival\": 1772000000000, \"body\": \"{\\\"a\\\":1}\"}", "{\"a\":1}"},
        {"{\"body\":\"x\",\"arrival\":1772000000000}", "x"},
        {"{\"arrival\":\"2026-02-25T06:13:20Z\",\"body\":\"x\"}", "x"},
        {"{\"body\":\"x\",\"arrival\":\"2026-02-25T08:13:20.000\\u002b02:00\"}", "x"},
        {"{\"n\": 3, \"arrival\" : 1772000000000 , \"body\":\"\" }", ""},
        {"{\"more\":{\"a\":[1,\"}\"]},\"arrival\":1772000000000,\"body\":{\"k\": \"}\"}}",
         "{\"k\": \"}\"}"},
        {"{\"arrival\":1772000000000,\"body\":\"\\u00e4\\ud83d\\ude00\\n\\/\\t\"}",
         "\xc3\xa4\xf0\x9f\x98\x80\n/\t"},
    };

    for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct rc_message_line m;
        CU_ASSERT_FATAL(parse(good[i].text, &m));
        CU_ASSERT_EQUAL(m.arrival_ms, 1772000000000);
        CU_ASSERT_EQUAL(m.len, strlen(good[i].body));
        CU_ASSERT_EQUAL(memcmp(m.body, good[i].body, m.len), 0);
    }
}

static void
lines__bad_ones__are_refused_with_a_reason(void)
{
#define HEAD "{\"arrival\":1772000000000,"
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"", "expected {"},
        {"[1]", "expected {"},
        {"{}", "arrival is missing"},
        {HEAD "\"body\":\"x\"", "ends too early"},
        {HEAD "\"body\":\"x", "inside a string"},
        {HEAD "\"body\":\"x\\", "unknown escape"},
        {HEAD "\"body\":\"\\ud800x\"}", "body: half of a surrogate pair"},
        {HEAD "\"body\":\"\\udc00\"}", "body: half of a surrogate pair"},
        {HEAD "\"more\":[1}", "more: brackets do not match"},
        {HEAD "\"m\\u001bre\":[1}", "m?re: brackets do not match"},
        {"{\"\\ud800\":1}", "half of a surrogate pair"},
        {HEAD "\"body\":\"\\u12g4\"}", "hex"},
        {HEAD "\"body\":\"a\tb\"}", "control character"},
        {HEAD "\"body\":7}", "body: expected a string"},
        {HEAD "\"body\":{\"a\":1}", "ends too early"},
        {HEAD "\"body\":{\"a\":[}", "do not match"},
        {HEAD "\"n\":1}", "body is missing"},
        {HEAD "\"arrival\":1772000000000,\"body\":\"x\"}", "arrival: given twice"},
        {HEAD "\"body\":\"x\",\"body\":\"y\"}", "given twice"},
        {HEAD "\"body\":\"x\"} {", "behind the object"},
        {HEAD "\"body\":\"x\",}", "expected a string"},
        {HEAD "\"body\" \"x\"}", "expected :"},
        {"{\"arrival\":1772000000,\"body\":\"x\"}", "Unix milliseconds"},
        {"{\"arrival\":-5,\"body\":\"x\"}", "Unix milliseconds"},
        {"{\"arrival\":1772000000000.5,\"body\":\"x\"}", "Unix milliseconds"},
        {"{\"arrival\":\"now\",\"body\":\"x\"}", "Unix milliseconds"},
        {"{\"arrival\":\"2026-02-30T06:13:20Z\",\"body\":\"x\"}", "Unix milliseconds"},
        {"{\"arrival\":\"1999-12-31T23:59:59Z\",\"body\":\"x\"}", "between 2000"},
        {"{\"arrival\":\"2026-02-25", "Unix milliseconds"},
        {"{\"arrival\":99999999999999999999,\"body\":\"x\"}", "Unix milliseconds"},
    };

    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct rc_message_line m;
        CU_ASSERT_FALSE(parse(bad[i].text, &m));
        if (!strstr(m.why, bad[i].why)) {
            printf("# %s: %s\n", bad[i].text, m.why);
            CU_FAIL("the reason is another one");
        }
    }
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"good lines give their arrival and their body", lines__good_ones__give_arrival_and_body},
        {"bad lines are refused with a reason", lines__bad_ones__are_refused_with_a_reason},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("message_line", tests);
}
