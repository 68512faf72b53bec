/* The grammar in front of cJSON, and that all it accepts is accepted by cJSON too. */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

#include "handlers/decode/decode_internal.h"

struct row {
    const char *text;
    const char *why; /* a part of the reason; NULL = good */
};

static void
check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char why[RC_DECODE_WHY_LEN] = "";
        cJSON *root = NULL;
        enum rc_err err = rc_decode_json(rows[i].text, strlen(rows[i].text), &root, why);
        bool good = rows[i].why ? err == RC_E_PARSE && !root && strstr(why, rows[i].why)
                                : err == RC_OK && root;

        if (!good) {
            printf("#   %s: %s %s\n", rows[i].text, rc_err_name(err), why);
        }
        CU_ASSERT(good);
        cJSON_Delete(root);
    }
}

static void
values_of_all_kinds_are_taken(void)
{
    static const struct row rows[] = {
        {"{}", NULL},
        {"[]", NULL},
        {" [ ] ", NULL},
        {"\t\r\n{ }\n", NULL},
        {"\"\"", NULL},
        {"null", NULL},
        {"true", NULL},
        {"false", NULL},
        {"0", NULL},
        {"9", NULL},
        {"-0", NULL},
        {"-1.50e+10", NULL},
        {"1E-7", NULL},
        {"0.1", NULL},
        {"1234567890123456789012345678901234567890", NULL},
        {"{\"a\":{\"b\":[1,2,{\"c\":null}]},\"d\":\"e\"}", NULL},
        {"[1 , 2\n,3]", NULL},
        {"\"\\udbff\\udfff \\ud800\\udc00\"", NULL},
        {"\"\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0041 \\uD834\\udd1e\"", NULL},
    };

    check(rows, sizeof rows / sizeof rows[0]);
}

static void
what_the_grammar_does_not_allow_is_refused_at_its_byte(void)
{
    static const struct row rows[] = {
        {"", "byte 0: the text ends too early"},
        {" ", "byte 1: the text ends too early"},
        {"{", "byte 1: expected a key"},
        {"[", "byte 1: the text ends too early"},
        {"[1", "byte 2: the text ends too early"},
        {"{\"a\"", "byte 4: expected ':'"},
        {"{\"a\" 1}", "byte 5: expected ':'"},
        {"{\"a\":}", "byte 5: expected a value"},
        {"{\"a\":1,}", "byte 7: expected a key"},
        {"{a:1}", "byte 1: expected a key"},
        {"{1:1}", "byte 1: expected a key"},
        {"[1,]", "byte 3: expected a value"},
        {"[1 2]", "byte 3: expected ',' or ']'"},
        {"{\"a\":1 \"b\":2}", "byte 7: expected ',' or '}'"},
        {"[1}", "byte 2: expected ',' or ']'"},
        {"]", "byte 0: expected a value"},
        {"{} {}", "byte 3: text after the end"},
        {"nul", "byte 0: expected a value"},
        {"nulL", "byte 0: expected a value"},
        {"tru", "byte 0: expected a value"},
        {"True", "byte 0: expected a value"},
        {"NaN", "byte 0: expected a value"},
        {"// x\n1", "byte 0: expected a value"},
        {"01", "byte 1: text after the end"},
        {"+1", "byte 0: expected a value"},
        {"-", "byte 1: expected a digit"},
        {"-a", "byte 1: expected a digit"},
        {".5", "byte 0: expected a value"},
        {"1.", "byte 2: expected a digit"},
        {"1e", "byte 2: expected a digit"},
        {"1e+", "byte 3: expected a digit"},
        {"0x1", "byte 1: text after the end"},
        {"12345678901234567890123456789012345678901", "over 40 characters"},
        {"\"abc", "byte 4: the text ends inside a string"},
        {"\"a\nb\"", "byte 2: control character 0x0a"},
        {"\"a\x1f\"", "byte 2: control character 0x1f"},
        {"\"\\x41\"", "byte 1: unknown escape"},
        {"\"\\", "byte 1: unknown escape"},
        {"\"\\u\"", "byte 1: expected four hex digits"},
        {"\"\\u004\"", "byte 1: expected four hex digits"},
        {"\"\\u00g1\"", "byte 1: expected four hex digits"},
        {"\"\\u00!1\"", "byte 1: expected four hex digits"},
        {"\"\\u0000\"", "byte 1: a string holds a NUL"},
        {"\"\\ud834\"", "byte 1: half of a surrogate pair"},
        {"\"\\ud834x\"", "byte 1: half of a surrogate pair"},
        {"\"\\ud834\\u0041\"", "byte 1: half of a surrogate pair"},
        {"\"\\ud834\\ue000\"", "byte 1: half of a surrogate pair"},
        {"\"\\udd1e\"", "byte 1: half of a surrogate pair"},
        {"\"\\udc00\\udc00\"", "byte 1: half of a surrogate pair"},
        {"\"\\udfff\"", "byte 1: half of a surrogate pair"},
        {"\"\\ud800\"", "byte 1: half of a surrogate pair"},
    };

    check(rows, sizeof rows / sizeof rows[0]);
}

/* The well-formed byte sequences of the Unicode standard, table 3-7, and their neighbours. */
static void
only_utf8_is_taken(void)
{
    static const struct row rows[] = {
        {"\"\x7f\"", NULL},
        {"\"\xc2\x80\"", NULL},
        {"\"\xdf\xbf\"", NULL},
        {"\"\xe0\xa0\x80\"", NULL},
        {"\"\xed\x9f\xbf\"", NULL},
        {"\"\xee\x80\x80\"", NULL},
        {"\"\xef\xbf\xbf\"", NULL},
        {"\"\xf0\x90\x80\x80\"", NULL},
        {"\"\xf4\x8f\xbf\xbf\"", NULL},
        {"\"\x80\"", "byte 1: not UTF-8"},
        {"\"\x9f\xbf\"", "byte 1: not UTF-8"},
        {"\"\xbf\"", "byte 1: not UTF-8"},
        {"\"\xc0\x80\"", "byte 1: not UTF-8"},
        {"\"\xc1\xbf\"", "byte 1: not UTF-8"},
        {"\"\xc2\"", "byte 1: not UTF-8"},
        {"\"\xc2\xc0\"", "byte 1: not UTF-8"},
        {"\"\xe0\x9f\xbf\"", "byte 1: not UTF-8"},
        {"\"\xe2\x82\"", "byte 1: not UTF-8"},
        {"\"\xed\xa0\x80\"", "byte 1: not UTF-8"},
        {"\"\xed\xbf\xbf\"", "byte 1: not UTF-8"},
        {"\"\xf0\x8f\xbf\xbf\"", "byte 1: not UTF-8"},
        {"\"\xf4\x90\x80\x80\"", "byte 1: not UTF-8"},
        {"\"\xf5\x80\x80\x80\"", "byte 1: not UTF-8"},
        {"\"\xff\"", "byte 1: not UTF-8"},
        {"\"\xe2\x82", "byte 1: not UTF-8"},
        {"{\"\xff\":1}", "byte 2: not UTF-8"},
        {"\xef\xbb\xbf{}", "byte 0: expected a value"},
    };

    check(rows, sizeof rows / sizeof rows[0]);
}

static void
a_key_given_twice_is_refused_wherever_it_is(void)
{
    static const struct row rows[] = {
        {"{\"a\":1,\"a\":1}", "key \"a\" given twice"},
        {"{\"a\":1,\"\\u0061\":2}", "key \"a\" given twice"},
        {"{\"b\":1,\"c\":2,\"a\":3,\"b\":4}", "key \"b\" given twice"},
        {"[[{\"x\":{\"k\":1,\"k\":2}}]]", "key \"k\" given twice"},
        {"[1,{\"k\":1,\"k\":2}]", "key \"k\" given twice"},
        {"{\"\":1,\"\":2}", "key \"\" given twice"},
        {"{\"a\":1,\"A\":1}", NULL},
        {"{\"a\":{\"a\":{\"a\":1}}}", NULL},
        {"[{\"a\":1},{\"a\":1}]", NULL},
    };

    check(rows, sizeof rows / sizeof rows[0]);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"values of all kinds are taken", values_of_all_kinds_are_taken},
        {"what the grammar does not allow is refused at its byte",
         what_the_grammar_does_not_allow_is_refused_at_its_byte},
        {"only UTF-8 is taken", only_utf8_is_taken},
        {"a key given twice is refused wherever it is",
         a_key_given_twice_is_refused_wherever_it_is},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("decode-json", tests);
}
