/* Kernel log lines and the class of each.
 *
 * Own cases are tests/vectors/kernel/lines.tsv: class TAB device TAB line. With
 * RC_VECTORS set, each row of $RC_VECTORS/kernel/lines.txt is a case too: line TAB source TAB
 * provenance TAB class; its first line is a comment. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/kernel/kernel_class.h"

static const char own_lines[] = "tests/vectors/kernel/lines.tsv";

static void
check_line(const char *line, size_t len, const char *want, const char *device)
{
    struct rc_kernel_class c;
    bool found = rc_kernel_classify(line, len, &c);
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

static void
test_own_lines(void)
{
    char *text = rc_test_read_file(own_lines, NULL);
    char *rest = text;

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    (void)strsep(&rest, "\n");
    for (char *row; (row = strsep(&rest, "\n")) != NULL && *row;) {
        char *device = cut_field(row);
        char *line = cut_field(device);

        CU_ASSERT_PTR_NOT_NULL_FATAL(line);
        check_line(line, strlen(line), row, device);
    }
    free(text);
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
