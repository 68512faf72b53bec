/* harness.h - CUnit with one line a test, so that a run can be counted.
 *
 * Each test executable holds one suite and ends with
 *     int main(void) { return rc_test_main("sigv4", tests); }
 * A row's name is a sentence. Output: "ok - <suite>: <sentence>" or
 * "not ok - …" with the failed assertions below it; exit status 1 if any failed.
 * rc_vectors_dir(sub) gives $RC_VECTORS/<sub>, or NULL when it is not set: the
 * test then prints rc_test_skip(why) and returns. rc_case() reports one vector
 * as a test of its own, from inside a test function. */
#ifndef RC_TEST_HARNESS_H
#define RC_TEST_HARNESS_H

#include <CUnit/CUnit.h>
#include <stdbool.h>

/* Tells the analyser that a failed _FATAL assertion leaves the test. */
#ifdef __clang_analyzer__
#    include <stdlib.h>
#    undef CU_ASSERT_FATAL
#    undef CU_ASSERT_EQUAL_FATAL
#    undef CU_ASSERT_PTR_NOT_NULL_FATAL
#    define CU_ASSERT_FATAL(value)              ((value) ? (void)0 : abort())
#    define CU_ASSERT_EQUAL_FATAL(a, b)         ((a) == (b) ? (void)0 : abort())
#    define CU_ASSERT_PTR_NOT_NULL_FATAL(value) ((value) ? (void)0 : abort())
#endif

int rc_test_main(const char *suite, CU_TestInfo *tests);
const char *rc_vectors_dir(const char *sub);
void rc_test_skip(const char *why);
/* Prints ok/not ok for one case (counts as a test); returns passed. */
bool rc_case(bool passed, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Whole file in memory with a NUL after it (free() it), or NULL. */
char *rc_test_read_file(const char *path, size_t *ret_len);

#endif
