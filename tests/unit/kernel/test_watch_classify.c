/* "nodewatch classify" as a program: one answer a line, whatever the input. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_ROOM = 1 << 16 };

/* Runs the program over a file; its output, NUL-terminated, in answer. */
static int
run_classify(const char *input, size_t len, char answer[ANSWER_ROOM])
{
    char path[] = "/tmp/classify-XXXXXX", command[512];
    int fd = mkstemp(path);

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_FATAL(len == 0 || write(fd, input, len) == (ssize_t)len);
    (void)close(fd);
    (void)snprintf(command, sizeof command, "%s classify - < %s", RC_NODEWATCH, path);
    FILE *out = popen(command, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    answer[fread(answer, 1, ANSWER_ROOM - 1, out)] = '\0';
    int status = pclose(out);
    (void)unlink(path);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
test_lines(void)
{
    static const char input[] = "[ 1.2] NVRM: Xid (PCI:0000:10:1c): 79, GPU has fallen\toff.\n"
                                "\n"
                                "nonsense\0with a zero\r\n"
                                "[ 1.3] Kernel panic - not syncing: x";
    char answer[ANSWER_ROOM];

    CU_ASSERT_EQUAL(run_classify(input, sizeof input - 1, answer), 0);
    CU_ASSERT_STRING_EQUAL(answer,
                           "xid:79\t0000:10:1c\tNVRM: Xid (PCI:0000:10:1c): 79, GPU has fallen "
                           "off.\n"
                           "none\t-\t-\n"
                           "none\t-\t-\n"
                           "panic\t-\tKernel panic - not syncing: x\n");
}

static void
test_empty_input(void)
{
    char answer[ANSWER_ROOM];

    CU_ASSERT_EQUAL(run_classify("", 0, answer), 0);
    CU_ASSERT_STRING_EQUAL(answer, "");
}

static void
test_huge_lines(void)
{
    enum { HUGE_LEN = 1 << 20 };
    static const char begin[] = "NVRM: Xid (PCI:0000:10:1c): 13, ";
    char answer[ANSWER_ROOM];
    char *input = malloc(2 * HUGE_LEN);

    CU_ASSERT_PTR_NOT_NULL_FATAL(input);
    memset(input, 'x', 2 * HUGE_LEN);
    memcpy(input, begin, sizeof begin - 1);
    input[HUGE_LEN] = '\n';
    CU_ASSERT_EQUAL(run_classify(input, 2 * HUGE_LEN, answer), 0);
    CU_ASSERT(strncmp(answer, "xid:13\t0000:10:1c\tNVRM", 22) == 0);
    char *second = strchr(answer, '\n');
    CU_ASSERT_PTR_NOT_NULL_FATAL(second);
    CU_ASSERT_STRING_EQUAL(second, "\nnone\t-\t-\n");
    free(input);
}

static void
test_wrong_call(void)
{
    int status = system(RC_NODEWATCH " classify one two 2>/dev/null");

    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 2);
}

int
main(void)
{
    static CU_TestInfo tests[] = {
        {"each line has one answer, also the last without LF", test_lines},
        {"no input, no answer", test_empty_input},
        {"lines of a mebibyte have one answer each", test_huge_lines},
        {"a wrong call is told", test_wrong_call},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("watch-classify", tests);
}
