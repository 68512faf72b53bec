/* harness.c - see harness.h. */
#include "tests/harness/harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *suite_name;
static unsigned case_failures;
static bool has_cases, is_skipped;

static void
print_result(bool passed, const char *name)
{
    printf("%s - %s: %s\n", passed ? "ok" : "not ok", suite_name, name);
    fflush(stdout);
}

static void
on_test_start(const CU_pTest test, const CU_pSuite suite)
{
    (void)test;
    (void)suite;
    has_cases = is_skipped = false;
}

static void
on_test_complete(const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord failures)
{
    (void)suite;
    for (CU_pFailureRecord f = failures; f; f = f->pNext) {
        printf("#   %s:%u: %s\n", f->strFileName, f->uiLineNumber, f->strCondition);
    }
    /* A test that reported vectors one by one is not counted again unless it failed itself. */
    if (failures || !(has_cases || is_skipped)) {
        print_result(!failures, test->pName);
    }
}

int
rc_test_main(const char *suite, CU_TestInfo *tests)
{
    CU_SuiteInfo suites[] = {{suite, NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

    suite_name = suite;
    if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS) {
        fprintf(stderr, "harness: %s\n", CU_get_error_msg());
        return 2;
    }
    CU_set_test_start_handler(on_test_start);
    CU_set_test_complete_handler(on_test_complete);
    CU_run_all_tests();
    unsigned failures = CU_get_number_of_failures() + case_failures;
    CU_cleanup_registry();
    return failures != 0;
}

const char *
rc_vectors_dir(const char *sub)
{
    static char path[4096];
    const char *root = getenv("RC_VECTORS");

    if (!root || !*root) {
        return NULL;
    }
    snprintf(path, sizeof path, "%s/%s", root, sub);
    return path;
}

void
rc_test_skip(const char *why)
{
    is_skipped = true;
    printf("ok - %s # SKIP %s\n", suite_name, why);
}

bool
rc_case(bool passed, const char *name, const char *fmt, ...)
{
    va_list ap;

    has_cases = true;
    print_result(passed, name);
    if (!passed) {
        case_failures++;
        printf("#   ");
        va_start(ap, fmt);
        vprintf(fmt, ap);
        va_end(ap);
        printf("\n");
    }
    return passed;
}

char *
rc_test_read_file(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "rb");
    char *buf = NULL;
    size_t len = 0;

    if (!f) {
        return NULL;
    }
    for (size_t got = 1; got;) {
        char *bigger = realloc(buf, len + 65536 + 1);
        if (!bigger) {
            break;
        }
        buf = bigger;
        got = fread(buf + len, 1, 65536, f);
        len += got;
    }
    fclose(f);
    if (buf) {
        buf[len] = '\0';
        if (ret_len) {
            *ret_len = len;
        }
    }
    return buf;
}
