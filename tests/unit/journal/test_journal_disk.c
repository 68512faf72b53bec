/* A disk that is full, fails or lies: nothing half-written counts, the failure is
 * told once, and the journal goes on when the disk does. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/journal/journal_scratch.h"

struct told {
    unsigned times;
    enum rc_journal_state state;
    char why[256];
};

static void
on_state(void *arg, enum rc_journal_state state, const struct rc_error *why)
{
    struct told *t = arg;

    t->times++;
    t->state = state;
    snprintf(t->why, sizeof t->why, "%s", why->text);
}

static struct rc_journal *
journal_that_tells(struct scratch *s, struct told *told, const struct rc_journal_ops *ops)
{
    struct rc_journal_options o = scratch_journal_options(s);

    o.on_state = on_state;
    o.on_state_arg = told;
    o.ops = ops;
    return scratch_journal(s, &o, NULL);
}

/* Number of records, or 0 when the journal does not read as whole and genuine. */
static uint64_t
genuine_records(const struct scratch *s)
{
    struct rc_journal_reader *r;
    struct rc_journal_record record;
    struct rc_error err;
    uint64_t last = 0;
    bool good = true;
    enum rc_err e = rc_journal_reader_open(scratch_path(s, "j"), "test", &r, &err);

    if (e) {
        return 0;
    }
    while (!(e = rc_journal_reader_next(r, &record, &err))) {
        good &= record.type == RC_JOURNAL_SNAPSHOT || scratch_is_genuine(&record);
        last = record.number;
    }
    good &= e == RC_E_NOT_FOUND && rc_journal_reader_tail(r)->bytes == 0;
    rc_journal_reader_free(r);
    return good ? last : 0;
}

/* Appends until it is refused; returns the number of the last accepted record. */
static uint64_t
fill(struct rc_journal *j, struct rc_error *err)
{
    while (scratch_append(j, err) == RC_OK) {
    }
    return rc_journal_last(j);
}

static void
check_full_and_free_again(struct scratch *s, struct rc_journal *j, struct told *told,
                          void (*make_space)(void))
{
    struct rc_error err;
    uint64_t last = fill(j, &err);

    CU_ASSERT_EQUAL(err.code, RC_E_DISK);
    CU_ASSERT_EQUAL(told->times, 0);
    scratch_turn(s);
    CU_ASSERT_EQUAL(told->times, 1);
    CU_ASSERT_EQUAL(told->state, RC_JOURNAL_WRITE_FAILED);
    CU_ASSERT_EQUAL(genuine_records(s), last);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(scratch_append(j, &err), RC_E_DISK);
        scratch_turn(s);
    }
    CU_ASSERT_EQUAL(told->times, 1);
    CU_ASSERT_EQUAL(rc_journal_last(j), last);
    make_space();
    CU_ASSERT_EQUAL(scratch_append(j, &err), RC_OK);
    CU_ASSERT_EQUAL(rc_journal_state(j), RC_JOURNAL_GOOD);
    scratch_turn(s);
    CU_ASSERT_EQUAL(told->times, 2);
    CU_ASSERT_EQUAL(told->state, RC_JOURNAL_GOOD);
    CU_ASSERT_EQUAL(genuine_records(s), last + 1);
    CU_ASSERT_EQUAL(scratch_sync(s, j, NULL), RC_OK);
}

static void
set_file_size_limit(rlim_t bytes)
{
    struct rlimit limit;

    CU_ASSERT_EQUAL(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
lift_file_size_limit(void)
{
    set_file_size_limit(RLIM_INFINITY);
}

static void
a_file_size_limit_is_a_full_disk(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct told told = {.times = 0};

    scratch_open(&s);
    struct rc_journal *j = journal_that_tells(&s, &told, NULL);
    set_file_size_limit(3000); /* most appends that meet it are cut short, not refused whole */
    check_full_and_free_again(&s, j, &told, lift_file_size_limit);
    rc_journal_close(j);
    scratch_close(&s);
}

static const char *ballast;

static void
remove_ballast(void)
{
    CU_ASSERT_EQUAL(unlink(ballast), 0);
}

static void
a_full_file_system_takes_records_again_when_there_is_room(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct told told = {.times = 0};
    static char zeros[16384];

    scratch_open(&s);
    if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mkdir(scratch_path(&s, "j"), 0700) ||
        mount("tmpfs", scratch_path(&s, "j"), "tmpfs", 0, "size=64k")) {
        rc_test_skip("a tmpfs of its own needs root");
        scratch_close(&s);
        return;
    }
    scratch_write(&s, "j/ballast", zeros, sizeof zeros);
    ballast = scratch_path(&s, "j/ballast");
    struct rc_journal *j = journal_that_tells(&s, &told, NULL);
    char kept[512];
    snprintf(kept, sizeof kept, "%s", ballast);
    ballast = kept;
    check_full_and_free_again(&s, j, &told, remove_ballast);
    rc_journal_close(j);
    CU_ASSERT_EQUAL(umount(scratch_path(&s, "j")), 0);
    scratch_close(&s);
}

/* --- injected failures ------------------------------------------------------------- */

static int write_errno, cut_errno;
static size_t write_allowance; /* bytes that still go through before write_errno */

static ssize_t
failing_pwrite(int fd, const void *data, size_t len, off_t at)
{
    if (!write_errno) {
        return pwrite(fd, data, len, at);
    }
    if (!write_allowance) {
        errno = write_errno;
        return -1;
    }
    size_t part = len < write_allowance ? len : write_allowance;
    write_allowance -= part;
    return pwrite(fd, data, part, at);
}

static int
failing_ftruncate(int fd, off_t len)
{
    if (cut_errno) {
        errno = cut_errno;
        return -1;
    }
    return ftruncate(fd, len);
}

static const struct rc_journal_ops failing_ops = {failing_pwrite, failing_ftruncate};

static void
a_write_that_fails_after_any_byte_leaves_no_trace(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct told told = {.times = 0};
    struct rc_error err;

    scratch_open(&s);
    struct rc_journal *j = journal_that_tells(&s, &told, &failing_ops);
    for (size_t part = 0; part < 60; part++) {
        uint64_t last = rc_journal_last(j);
        write_errno = EIO;
        write_allowance = part;
        enum rc_err e = scratch_append(j, &err);
        write_errno = 0;
        if (e) {
            CU_ASSERT_EQUAL(e, RC_E_DISK);
            CU_ASSERT_EQUAL(rc_journal_last(j), last);
            CU_ASSERT_EQUAL(genuine_records(&s), last);
            CU_ASSERT_EQUAL(scratch_append(j, &err), RC_OK);
        }
        CU_ASSERT_EQUAL(genuine_records(&s), last + 1);
    }
    rc_journal_close(j);
    scratch_close(&s);
}

static void
nothing_is_written_until_the_refused_bytes_are_cut_off(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct told told = {.times = 0};
    struct rc_error err;
    uint64_t number;

    scratch_open(&s);
    struct rc_journal *j = journal_that_tells(&s, &told, &failing_ops);
    CU_ASSERT_EQUAL(scratch_append(j, &err), RC_OK);
    write_errno = cut_errno = EIO;
    write_allowance = 20;
    CU_ASSERT_EQUAL(scratch_append(j, &err), RC_E_DISK);
    write_errno = 0;
    CU_ASSERT_EQUAL(scratch_append(j, &err), RC_E_DISK);
    CU_ASSERT_EQUAL(rc_journal_rotate(j, "state", 5, &number, &err), RC_E_DISK);
    CU_ASSERT_EQUAL(rc_journal_last(j), 1);
    cut_errno = 0;
    CU_ASSERT_EQUAL(scratch_append(j, &err), RC_OK);
    CU_ASSERT_EQUAL(genuine_records(&s), 2);
    rc_journal_close(j);
    scratch_close(&s);
}

static void
a_rotation_on_a_full_disk_leaves_the_old_segment_in_use(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_error err;
    uint64_t number;

    scratch_open(&s);
    struct rc_journal_options o = scratch_journal_options(&s);
    o.ops = &failing_ops;
    o.segment_bytes = 400;
    struct rc_journal *j = scratch_journal(&s, &o, NULL);
    while (!rc_journal_wants_rotation(j)) {
        CU_ASSERT_EQUAL(scratch_append(j, &err), RC_OK);
    }
    uint64_t last = rc_journal_last(j);
    write_errno = ENOSPC;
    write_allowance = 100;
    CU_ASSERT_EQUAL(rc_journal_rotate(j, "state", 5, &number, &err), RC_E_DISK);
    write_errno = 0;
    CU_ASSERT_EQUAL(genuine_records(&s), last);
    CU_ASSERT_FALSE(rc_journal_wants_rotation(j)); /* not at once again */
    while (!rc_journal_wants_rotation(j)) {
        CU_ASSERT_EQUAL(scratch_append(j, &err), RC_OK);
    }
    CU_ASSERT_EQUAL(rc_journal_rotate(j, "state", 5, &number, &err), RC_OK);
    CU_ASSERT_EQUAL(scratch_append(j, &err), RC_OK);
    CU_ASSERT_EQUAL(genuine_records(&s), number + 1);
    rc_journal_close(j);
    scratch_close(&s);
}

static int *sync_errno; /* shared with the syncer's child */

static int
failing_fdatasync(int fd)
{
    if (*sync_errno) {
        errno = *sync_errno;
        return -1;
    }
    return fdatasync(fd);
}

static void
after_a_failed_sync_only_a_new_segment_is_trusted(void)
{
    struct scratch s = {.fdatasync_fn = failing_fdatasync};
    struct told told = {.times = 0};
    struct rc_error err;
    uint64_t durable = 99, number;

    sync_errno =
        mmap(NULL, sizeof *sync_errno, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    scratch_open(&s);
    struct rc_journal *j = journal_that_tells(&s, &told, NULL);
    CU_ASSERT_EQUAL(scratch_append(j, &err), RC_OK);
    CU_ASSERT_EQUAL(scratch_sync(&s, j, &durable), RC_OK);
    CU_ASSERT_EQUAL(durable, 1);
    CU_ASSERT_EQUAL(scratch_append(j, &err), RC_OK);
    *sync_errno = EIO;
    CU_ASSERT_EQUAL(scratch_sync(&s, j, &durable), RC_E_DISK);
    CU_ASSERT_EQUAL(durable, 1);
    scratch_turn(&s);
    CU_ASSERT_EQUAL(told.times, 1);
    CU_ASSERT_EQUAL(told.state, RC_JOURNAL_SYNC_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(told.why, "Input/output error"));
    *sync_errno = 0; /* the disk seems well again; that proves nothing about what was written */
    CU_ASSERT_EQUAL(scratch_append(j, &err), RC_E_STATE);
    CU_ASSERT_EQUAL(scratch_sync(&s, j, &durable), RC_E_DISK);
    CU_ASSERT_TRUE(rc_journal_wants_rotation(j));
    CU_ASSERT_EQUAL(rc_journal_rotate(j, "state", 5, &number, &err), RC_OK);
    CU_ASSERT_EQUAL(number, 3);
    CU_ASSERT_EQUAL(rc_journal_state(j), RC_JOURNAL_GOOD);
    CU_ASSERT_EQUAL(scratch_append(j, &err), RC_OK);
    CU_ASSERT_EQUAL(scratch_sync(&s, j, &durable), RC_OK);
    CU_ASSERT_EQUAL(durable, 4);
    CU_ASSERT_EQUAL(told.times, 2);
    rc_journal_close(j);
    scratch_close(&s);
    munmap(sync_errno, sizeof *sync_errno);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a file size limit is a full disk", a_file_size_limit_is_a_full_disk},
        {"a write that fails after any byte leaves no trace",
         a_write_that_fails_after_any_byte_leaves_no_trace},
        {"nothing is written until the refused bytes are cut off",
         nothing_is_written_until_the_refused_bytes_are_cut_off},
        {"a rotation on a full disk leaves the old segment in use",
         a_rotation_on_a_full_disk_leaves_the_old_segment_in_use},
        {"after a failed sync only a new segment is trusted",
         after_a_failed_sync_only_a_new_segment_is_trusted},
        {"a full file system takes records again when there is room",
         a_full_file_system_takes_records_again_when_there_is_room},
        CU_TEST_INFO_NULL,
    };
    signal(SIGXFSZ, SIG_IGN);
    return rc_test_main("journal_disk", tests);
}
