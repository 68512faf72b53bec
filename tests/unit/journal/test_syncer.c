/* The syncer answers each request once, in order, with the disk's own word, and
 * lives through the death of its child. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/journal/journal_scratch.h"

struct answer {
    bool done;
    unsigned order;
    enum rc_err code;
    char text[256];
};

static unsigned answers;

static void
on_answer(void *arg, enum rc_err code, const struct rc_error *err)
{
    struct answer *a = arg;

    CU_ASSERT_FALSE(a->done);
    a->done = true;
    a->order = ++answers;
    a->code = code;
    snprintf(a->text, sizeof a->text, "%s", err->text);
}

static int
open_file(const struct scratch *s)
{
    int fd = open(scratch_path(s, "file"), O_RDWR | O_CREAT, 0600);

    CU_ASSERT_FATAL(fd >= 0);
    return fd;
}

static void
requests_are_answered_in_order_and_never_at_once(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct answer a[50];
    struct rc_error err;

    scratch_open(&s);
    memset(a, 0, sizeof a);
    answers = 0;
    int fd = open_file(&s);
    int fds[2] = {fd, open(s.dir, O_RDONLY | O_DIRECTORY)};
    for (size_t i = 0; i < 50; i++) {
        CU_ASSERT_EQUAL_FATAL(rc_syncer_sync(s.syncer, fds, 2, on_answer, &a[i], &err), RC_OK);
        CU_ASSERT_FALSE(a[i].done);
    }
    close(fds[0]);
    close(fds[1]);
    scratch_wait(&s, &a[49].done);
    for (unsigned i = 0; i < 50; i++) {
        CU_ASSERT_EQUAL(a[i].code, RC_OK);
        CU_ASSERT_EQUAL(a[i].order, i + 1);
    }
    scratch_close(&s);
}

static int
no_space(int fd)
{
    (void)fd;
    errno = ENOSPC;
    return -1;
}

static void
a_failing_disk_is_told_with_its_reason(void)
{
    struct scratch s = {.fdatasync_fn = no_space};
    struct answer a = {.done = false};
    struct rc_error err;

    scratch_open(&s);
    int fd = open_file(&s);
    CU_ASSERT_EQUAL(rc_syncer_sync(s.syncer, &fd, 1, on_answer, &a, &err), RC_OK);
    scratch_wait(&s, &a.done);
    CU_ASSERT_EQUAL(a.code, RC_E_DISK);
    CU_ASSERT_PTR_NOT_NULL(strstr(a.text, "No space left"));
    close(fd);
    scratch_close(&s);
}

static int
die(int fd)
{
    (void)fd;
    _exit(3);
}

static void
a_dead_child_fails_its_request_and_the_next_one_gets_another(void)
{
    struct scratch s = {.fdatasync_fn = die};
    struct answer a = {.done = false}, b = {.done = false};
    struct rc_error err;

    scratch_open(&s);
    int fd = open_file(&s);
    CU_ASSERT_EQUAL(rc_syncer_sync(s.syncer, &fd, 1, on_answer, &a, &err), RC_OK);
    scratch_wait(&s, &a.done);
    CU_ASSERT_EQUAL(a.code, RC_E_HELPER);
    CU_ASSERT_EQUAL(rc_syncer_sync(s.syncer, &fd, 1, on_answer, &b, &err), RC_OK);
    scratch_wait(&s, &b.done);
    CU_ASSERT_EQUAL(b.code, RC_E_HELPER);
    close(fd);
    scratch_close(&s);
}

static int
hang_a_little(int fd)
{
    (void)fd;
    usleep(50000);
    return 0;
}

static void
freeing_cancels_what_is_under_way(void)
{
    struct scratch s = {.fdatasync_fn = hang_a_little};
    struct answer a = {.done = false};
    struct rc_error err;

    scratch_open(&s);
    int fd = open_file(&s);
    CU_ASSERT_EQUAL(rc_syncer_sync(s.syncer, &fd, 1, on_answer, &a, &err), RC_OK);
    CU_ASSERT_FALSE(a.done);
    scratch_close(&s);
    CU_ASSERT_TRUE(a.done);
    CU_ASSERT_EQUAL(a.code, RC_E_CANCELLED);
    close(fd);
}

static unsigned
open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned count = 0;

    while (readdir(d)) {
        count++;
    }
    closedir(d);
    return count;
}

static void
no_descriptor_is_left_open(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_error err;
    unsigned before = open_descriptors();

    scratch_open(&s);
    int fd = open_file(&s);
    for (int i = 0; i < 20; i++) {
        struct answer a = {.done = false};
        CU_ASSERT_EQUAL(rc_syncer_sync(s.syncer, &fd, 1, on_answer, &a, &err), RC_OK);
        scratch_wait(&s, &a.done);
    }
    close(fd);
    scratch_close(&s);
    CU_ASSERT_EQUAL(open_descriptors(), before);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"requests are answered in order and never at once",
         requests_are_answered_in_order_and_never_at_once},
        {"a failing disk is told with its reason", a_failing_disk_is_told_with_its_reason},
        {"a dead child fails its request and the next one gets another",
         a_dead_child_fails_its_request_and_the_next_one_gets_another},
        {"freeing cancels what is under way", freeing_cancels_what_is_under_way},
        {"no descriptor is left open", no_descriptor_is_left_open},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("syncer", tests);
}
