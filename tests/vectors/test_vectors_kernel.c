/* Kernel log lines and the class of each.
 *
 * Own cases are tests/vectors/kernel/<name>.tsv: class TAB device TAB line, in which \e, \r and
 * \t stand for escape, carriage return and tab. With RC_VECTORS set, each row of
 * $RC_VECTORS/kernel/lines.txt is a case too: line TAB source TAB provenance TAB class; its first
 * line is a comment. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/kernel/kernel_class.h"

static const char *const own_files[] = {"lines",   "prefixes",          "gpu",  "pcie", "network",
                                        "storage", "memory_and_kernel", "field"};

static void
check_line(char *line, size_t len, const char *want, const char *device)
{
    struct rc_kernel_class c;
    bool found = rc_kernel_classify(line, rc_kernel_plain(line, len), &c);
    bool same = strcmp(c.name, want) == 0 && found == (strcmp(want, "none") != 0);
    const char *have = *c.device ? c.device : "-";

    same = same && (!device || strcmp(have, device) == 0);
    rc_case(same, want, "class %s, device %s, of: %.*s", c.name, have, (int)len, line);
}

/* Cuts text at the next tab. NULL: there is none. */
static char *
cut_field(char *text)
{
    char *tab = text ? strchr(text, '\t') : NULL;

    if (tab) {
        *tab++ = '\0';
    }
    return tab;
}

/* In place; returns the length. */
static size_t
unescape(char *line)
{
    static const char letters[] = "ert", bytes[] = "\x1b\r\t";
    char *to = line;

    for (const char *from = line; *from; from++) {
        const char *letter = *from == '\\' && from[1] ? strchr(letters, from[1]) : NULL;

        *to++ = letter ? bytes[letter - letters] : *from;
        from += letter ? 1 : 0;
    }
    *to = '\0';
    return (size_t)(to - line);
}

static void
check_own_file(const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof path, "tests/vectors/kernel/%s.tsv", name);
    char *text = rc_test_read_file(path, NULL);
    char *rest = text;

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    (void)strsep(&rest, "\n");
    for (char *row; (row = strsep(&rest, "\n")) != NULL && *row;) {
        char *device = cut_field(row);
        char *line = cut_field(device);

        CU_ASSERT_PTR_NOT_NULL_FATAL(line);
        check_line(line, unescape(line), row, device);
    }
    free(text);
}

static void
test_own_lines(void)
{
    for (size_t i = 0; i < sizeof own_files / sizeof *own_files; i++) {
        check_own_file(own_files[i]);
    }
}

static void
test_shared_lines(void)
{
    const char *dir = rc_vectors_dir("kernel");
    char path[4096];

    if (!dir) {
        rc_test_skip("RC_VECTORS is not set");
        return;
    }
    (void)snprintf(path, sizeof path, "%s/lines.txt", dir);
    char *text = rc_test_read_file(path, NULL);
    char *rest = text;
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    (void)strsep(&rest, "\n");
    for (char *row; (row = strsep(&rest, "\n")) != NULL && *row;) {
        char *want = cut_field(cut_field(cut_field(row)));

        CU_ASSERT_PTR_NOT_NULL_FATAL(want);
        check_line(row, strlen(row), want, NULL);
    }
    free(text);
}

int
main(void)
{
    static CU_TestInfo tests[] = {
        {"own lines have the class and device that is written beside them", test_own_lines},
        {"shared lines have the class that is written beside them", test_shared_lines},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("kernel-lines", tests);
}
