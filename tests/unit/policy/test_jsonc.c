/* The reader: what it accepts, what it refuses with which words, and where it points. */
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>

#include "policies/jsonc.h"

static struct rc_load_errors errs;

static struct rc_jsonc *
read_text(const char *text)
{
    struct rc_jsonc *doc = NULL;

    memset(&errs, 0, sizeof errs);
    enum rc_err err = rc_jsonc_read("f", text, strlen(text), &doc, &errs);
    CU_ASSERT_EQUAL(err == RC_OK, doc != NULL);
    CU_ASSERT_EQUAL(errs.count, err == RC_OK ? 0 : 1);
    return doc;
}

static void
values_keep_their_place(void)
{
    struct rc_jsonc *doc =
        read_text("// one\n{\n  \"é\": 1, /* two\n */ \"list\": [ true,\n\t-7 ]\n}");
    char path[RC_JSONC_PATH_LEN];

    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    struct rc_jsonc_value *root = rc_jsonc_root(doc);
    struct rc_jsonc_value *list = rc_jsonc_get(root, "list");
    CU_ASSERT_EQUAL(root->line, 2);
    CU_ASSERT_EQUAL(root->count, 2);
    CU_ASSERT_EQUAL(root->first->line, 3);
    CU_ASSERT_EQUAL(root->first->column, 8); /* é counts once */
    CU_ASSERT_PTR_NOT_NULL_FATAL(list);
    CU_ASSERT_EQUAL(list->key_line, 4);
    CU_ASSERT_EQUAL(list->key_column, 5);
    CU_ASSERT_EQUAL(list->column, 13);
    CU_ASSERT_EQUAL(list->first->next->number, -7);
    CU_ASSERT_EQUAL(list->first->next->line, 5);
    CU_ASSERT_EQUAL(list->first->next->column, 2);
    rc_jsonc_path(list->first->next, path, sizeof path);
    CU_ASSERT_STRING_EQUAL(path, "list[1]");
    rc_jsonc_path(root, path, sizeof path);
    CU_ASSERT_STRING_EQUAL(path, "");
    rc_jsonc_free(doc);
}

static void
strings_are_unescaped(void)
{
    struct rc_jsonc *doc = read_text(
        "[\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\", \"\\u00e9\\u20AC\\ud83d\\ude00\", \"// no comment\", \"\"]");

    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    struct rc_jsonc_value *v = rc_jsonc_root(doc)->first;
    CU_ASSERT_STRING_EQUAL(v->text, "a\"\\/\b\f\n\r\t");
    CU_ASSERT_STRING_EQUAL(v->next->text, "é€😀");
    CU_ASSERT_STRING_EQUAL(v->next->next->text, "// no comment");
    CU_ASSERT_STRING_EQUAL(v->next->next->next->text, "");
    rc_jsonc_free(doc);
}

static void
numbers_have_64_bits(void)
{
    struct rc_jsonc *doc = read_text("[9223372036854775807, -9223372036854775808, 0, -0]");

    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    CU_ASSERT_EQUAL(rc_jsonc_root(doc)->first->number, INT64_MAX);
    CU_ASSERT_EQUAL(rc_jsonc_root(doc)->first->next->number, INT64_MIN);
    rc_jsonc_free(doc);
}

static void
faults_are_named_with_their_place(void)
{
    static const struct {
        const char *name;
        const char *text;
        const char *want;
    } rows[] = {
        {"an empty text", "", "f:1:1: the text ends where a value is expected"},
        {"only a comment", "// x", "f:1:5: the text ends where a value is expected"},
        {"a trailing comma in a list", "[1,\n 2 , ]",
         "f:2:4: a comma after the last entry is not allowed"},
        {"a trailing comma in an object", "{\"a\":1,}",
         "f:1:7: a comma after the last entry is not allowed"},
        {"a key given twice", "{\"a\":1,\n\"b\":{\"c\":1,\"c\":2}}",
         "f:2:12: b.c: this key was already given in line 2"},
        {"a comment that is not closed", "[1 /* 2\n]",
         "f:1:4: this comment is not closed: */ is missing"},
        {"a lone slash", "[1 / 2]", "f:1:4: a comment begins with // or /*"},
        {"a string that is not closed", "[\"abc\n\"]",
         "f:1:2: this string is not closed: \" is missing"},
        {"a string that ends in a backslash", "[\"abc\\",
         "f:1:2: this string is not closed: \" is missing"},
        {"a tab in a string", "[\"a\tb\"]",
         "f:1:4: control character in a string: write it as \\uXXXX"},
        {"an unknown escape", "[\"\\x41\"]",
         "f:1:4: unknown escape: allowed are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX"},
        {"a short unicode escape", "[\"\\u12\"]", "f:1:7: \\u needs four hexadecimal digits"},
        {"half a surrogate pair", "[\"\\ud83d\"]", "f:1:9: half of a surrogate pair"},
        {"the other half", "[\"\\ude00\"]", "f:1:9: half of a surrogate pair"},
        {"a NUL by escape", "[\"\\u0000\"]", "f:1:9: \\u0000 is not allowed"},
        {"a fraction", "[1.5]", "f:1:2: [0]: only whole numbers of at most 64 bits are allowed"},
        {"an exponent", "[1e3]", "f:1:2: [0]: only whole numbers of at most 64 bits are allowed"},
        {"a number that is too large", "[9223372036854775808]",
         "f:1:2: [0]: only whole numbers of at most 64 bits are allowed"},
        {"a leading zero", "[007]", "f:1:2: [0]: not a number"},
        {"a plus sign", "[+7]", "f:1:2: [0]: not a number"},
        {"a lone minus", "[-]", "f:1:2: [0]: not a number"},
        {"a bare word", "[yes]",
         "f:1:2: expected a value: \"text\", a number, true, false, null, [ or {"},
        {"a bare key", "{a:1}", "f:1:2: expected a key in double quotes"},
        {"a missing colon", "{\"a\" 1}", "f:1:6: expected : after the key"},
        {"a missing comma in an object", "{\"a\":1 \"b\":2}",
         "f:1:8: expected , or } after the value"},
        {"a missing comma in a list", "[1 2]", "f:1:4: expected , or ] after the element"},
        {"a missing bracket", "[1", "f:1:3: expected , or ] after the element"},
        {"text after the end", "{} x", "f:1:4: something follows after the end of the value"},
        {"bytes that are not UTF-8", "[\"a\xff\"]", "f:1:4: not UTF-8 text"},
        {"an overlong sequence", "[\"\xc0\xaf\"]", "f:1:3: not UTF-8 text"},
        {"a surrogate in UTF-8", "[\"\xed\xa0\x80\"]", "f:1:3: not UTF-8 text"},
        {"17 levels", "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
         "f:1:17: nested too deeply: at most 16 levels"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rc_jsonc_free(read_text(rows[i].text));
        rc_case(strcmp(errs.line[0], rows[i].want) == 0, rows[i].name, "%s", errs.line[0]);
    }
}

static void
every_cut_of_a_good_text_is_refused(void)
{
    static const char text[] = "{ \"a\": [1, \"x\\u0041\", {\"b\": null}], /* c */ \"d\": false }";

    for (size_t len = 0; len + 1 < sizeof text; len++) {
        struct rc_jsonc *doc = NULL;
        /* A copy without a NUL, so that a byte read too many is seen by the sanitizer. */
        char *cut = malloc(len ? len : 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(cut);
        memcpy(cut, text, len);
        memset(&errs, 0, sizeof errs);
        CU_ASSERT_EQUAL(rc_jsonc_read("f", cut, len, &doc, &errs), RC_E_PARSE);
        free(cut);
    }
}

static void
large_texts_are_refused(void)
{
    size_t len = (size_t)RC_JSONC_BYTES_MAX + 1;
    char *text = malloc(len);
    struct rc_jsonc *doc = NULL;

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, ' ', len);
    memset(&errs, 0, sizeof errs);
    CU_ASSERT_EQUAL(rc_jsonc_read("f", text, len, &doc, &errs), RC_E_TOO_LARGE);
    CU_ASSERT_STRING_EQUAL(errs.line[0], "f:1:1: larger than 1 MiB");
    text[0] = '[';
    for (size_t i = 1; i + 1 < 5000 * 2; i += 2) {
        text[i] = '1';
        text[i + 1] = ',';
    }
    memset(&errs, 0, sizeof errs);
    CU_ASSERT_EQUAL(rc_jsonc_read("f", text, len - 1, &doc, &errs), RC_E_TOO_LARGE);
    CU_ASSERT_STRING_EQUAL(errs.line[0], "f:1:8194: more than 4096 entries");
    free(text);
}

static void
a_file_that_cannot_be_opened_says_why(void)
{
    char *text = NULL;
    size_t len = 0;

    memset(&errs, 0, sizeof errs);
    CU_ASSERT_EQUAL(rc_load_file("/nowhere/p.json", &text, &len, &errs), RC_E_IO);
    CU_ASSERT_STRING_EQUAL(errs.line[0],
                           "/nowhere/p.json: cannot be opened: No such file or directory");
    memset(&errs, 0, sizeof errs);
    CU_ASSERT_EQUAL(rc_load_file("/", &text, &len, &errs), RC_E_IO);
    CU_ASSERT_STRING_EQUAL(errs.line[0], "/: cannot be read: Is a directory");
}

static void
errors_beyond_the_room_are_counted(void)
{
    memset(&errs, 0, sizeof errs);
    for (int i = 0; i < RC_LOAD_ERRORS_MAX + 3; i++) {
        rc_load_error(&errs, "f", NULL, "number %d", i);
    }
    CU_ASSERT_EQUAL(errs.count, RC_LOAD_ERRORS_MAX + 3);
    CU_ASSERT_STRING_EQUAL(errs.line[RC_LOAD_ERRORS_MAX - 1], "f: number 49");
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"values keep line, column and key path", values_keep_their_place},
        {"strings are unescaped", strings_are_unescaped},
        {"numbers have 64 bits", numbers_have_64_bits},
        {"faults are named with their place", faults_are_named_with_their_place},
        {"every cut of a good text is refused", every_cut_of_a_good_text_is_refused},
        {"texts and lists over the limits are refused", large_texts_are_refused},
        {"a file that cannot be opened says why", a_file_that_cannot_be_opened_says_why},
        {"errors beyond the room are counted", errors_beyond_the_room_are_counted},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("jsonc", tests);
}
