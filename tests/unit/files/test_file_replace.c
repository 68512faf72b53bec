/* test_file_replace.c - a replacement that fails or dies at any system call leaves the old file or
 * the new one, never half of it. The linker leads the calls through the __wrap_ functions. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "reconciler/io/files/file_replace.h"
#include "reconciler/io/files/slurm_conf.h"
#include "tests/unit/files/scratch.h"

/* The n-th call (from 1) fails with fail_errno, or ends the process when that is 0. */
static unsigned calls, fail_at;
static int fail_errno_value;
static size_t write_max; /* longest write that goes through, 0 = any */
static void (*on_fsync)(void);

static bool
trip(void)
{
    if (++calls != fail_at) {
        return false;
    }
    if (fail_errno_value == 0) {
        _exit(9);
    }
    errno = fail_errno_value;
    return true;
}

/* NOLINTBEGIN(bugprone-reserved-identifier) */
int __real_open(const char *path, int flags, ...);
ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __real_write(int fd, const void *buf, size_t len);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __real_ftruncate(int fd, off_t len);
int __real_fchmod(int fd, mode_t mode);
int __real_flock(int fd, int how);
off_t __real_lseek(int fd, off_t at, int whence);
int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_read(int fd, void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_ftruncate(int fd, off_t len);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_flock(int fd, int how);
off_t __wrap_lseek(int fd, off_t at, int whence);

int
__wrap_open(const char *path, int flags, ...)
{
    va_list ap;

    va_start(ap, flags);
    mode_t mode = (flags & O_CREAT) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    return trip() ? -1 : __real_open(path, flags, mode);
}

ssize_t
__wrap_read(int fd, void *buf, size_t len)
{
    return trip() ? -1 : __real_read(fd, buf, len);
}

ssize_t
__wrap_write(int fd, const void *buf, size_t len)
{
    if (trip()) {
        /* Some of it may have got through. */
        (void)!__real_write(fd, buf, len / 2);
        return -1;
    }
    return __real_write(fd, buf, write_max && len > write_max ? write_max : len);
}

int
__wrap_fsync(int fd)
{
    if (on_fsync) {
        void (*once)(void) = on_fsync;
        on_fsync = NULL;
        once();
    }
    return trip() ? -1 : __real_fsync(fd);
}

int
__wrap_rename(const char *from, const char *to)
{
    return trip() ? -1 : __real_rename(from, to);
}

int
__wrap_ftruncate(int fd, off_t len)
{
    return trip() ? -1 : __real_ftruncate(fd, len);
}

int
__wrap_fchmod(int fd, mode_t mode)
{
    return trip() ? -1 : __real_fchmod(fd, mode);
}

int
__wrap_flock(int fd, int how)
{
    return trip() ? -1 : __real_flock(fd, how);
}

off_t
__wrap_lseek(int fd, off_t at, int whence)
{
    return trip() ? -1 : __real_lseek(fd, at, whence);
}
/* NOLINTEND(bugprone-reserved-identifier) */

static const char before[] = "ClusterName=c\nNodeName=gpu-[1-2] NodeAddr=10.0.0.[1-2]\n";
static const char after[] =
    "ClusterName=c\nNodeName=gpu-1 NodeAddr=10.9.9.9\nNodeName=gpu-2 NodeAddr=10.0.0.2\n";

static void
begin(void)
{
    calls = fail_at = 0;
    scratch_init();
    scratch_write("slurm.conf", before);
}

/* Registers gpu-1; the n-th system call fails. */
static enum rc_err
edit_with_failure(unsigned n, int os, struct rc_error *e)
{
    struct rc_node_addr set = {"gpu-1", "10.9.9.9"};

    calls = 0;
    fail_at = n;
    fail_errno_value = os;
    enum rc_err err = rc_slurm_conf_set_addrs(scratch_path("slurm.conf"), &set, 1, NULL, NULL, e);
    fail_at = 0;
    return err;
}

static bool
content_is(const char *want)
{
    char *got = scratch_read("slurm.conf");
    bool same = strcmp(got, want) == 0;

    free(got);
    return same;
}

/* The folder holds nothing but these. */
static bool
files_are(const char *want)
{
    char *got = scratch_list();
    bool same = strcmp(got, want) == 0;

    free(got);
    return same;
}

static void
a_failed_call_leaves_the_old_file_and_no_litter(void)
{
    static const int errors[] = {EIO, ENOSPC, EACCES};
    unsigned total = 0, failures = 0;

    for (size_t k = 0; k < sizeof errors / sizeof *errors; k++) {
        enum rc_err err = RC_E_IO;
        for (unsigned n = 1; err != RC_OK; n++, total++) {
            struct rc_error e = {0};
            begin();
            err = edit_with_failure(n, errors[k], &e);
            /* Only the sync of the directory comes after the point of no return. */
            bool late = strstr(e.text, "is replaced, but") != NULL;
            bool good = err == RC_OK || late ? content_is(after) : content_is(before);
            char *files = scratch_list();
            /* Without the lock it is not known whose .rc-new it is: it stays, empty or not. */
            good = good && (!strstr(files, ".rc-new") || strstr(e.text, "cannot lock")) &&
                   (err == RC_OK || *e.text);
            free(files);
            failures += !good;
            if (!good) {
                rc_case(false, "one failed call", "call %u: %s", n, e.text);
            }
            good = edit_with_failure(0, 0, &e) == RC_OK && content_is(after);
            CU_ASSERT_TRUE(good);
            scratch_done();
            CU_ASSERT_FATAL(n < 200);
        }
    }
    CU_ASSERT_EQUAL(failures, 0);
    CU_ASSERT(total > 3 * 20); /* the calls went through the wrappers */
}

static void
death_at_any_call_leaves_a_whole_file_and_the_next_edit_cleans_up(void)
{
    int status = 9 << 8;

    for (unsigned n = 1; WEXITSTATUS(status) == 9; n++) {
        struct rc_error e = {0};
        begin();
        pid_t pid = fork();
        if (pid == 0) {
            write_max = 16;
            _exit(edit_with_failure(n, 0, &e) == RC_OK ? 0 : 1);
        }
        CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
        CU_ASSERT_TRUE(content_is(before) || content_is(after));
        CU_ASSERT_EQUAL(edit_with_failure(0, 0, &e), RC_OK);
        CU_ASSERT_TRUE(content_is(after));
        char *files = scratch_list();
        /* Death between the rename and the end leaves nothing to clean; before it, .rc-new is
         * written over and renamed. */
        CU_ASSERT_STRING_EQUAL(files, "slurm.conf slurm.conf.rc-prev");
        free(files);
        scratch_done();
        CU_ASSERT_FATAL(n < 200);
    }
    CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
}

static void
short_writes_are_continued(void)
{
    struct rc_error e = {0};

    begin();
    write_max = 3;
    CU_ASSERT_EQUAL(edit_with_failure(0, 0, &e), RC_OK);
    write_max = 0;
    CU_ASSERT_TRUE(content_is(after));
    char *prev = scratch_read("slurm.conf.rc-prev");
    CU_ASSERT_STRING_EQUAL(prev, before);
    free(prev);
    scratch_done();
}

static void
an_editor_saves(void)
{
    scratch_write("editor", "# by hand\nClusterName=c\nNodeName=gpu-[1-2] NodeAddr=10.0.0.[1-2]\n");
    __real_rename(scratch_path("editor"), scratch_path("slurm.conf"));
}

static void
a_file_that_changes_meanwhile_is_read_again(void)
{
    struct rc_error e = {0};

    begin();
    on_fsync = an_editor_saves;
    CU_ASSERT_EQUAL(edit_with_failure(0, 0, &e), RC_OK);
    char *got = scratch_read("slurm.conf");
    CU_ASSERT_STRING_EQUAL(got, "# by hand\nClusterName=c\nNodeName=gpu-1 NodeAddr=10.9.9.9\n"
                                "NodeName=gpu-2 NodeAddr=10.0.0.2\n");
    free(got);
    scratch_done();
}

static void
an_editor_never_stops(void)
{
    an_editor_saves();
    on_fsync = an_editor_never_stops;
}

static void
an_editor_that_never_stops_wins(void)
{
    struct rc_error e = {0};

    begin();
    on_fsync = an_editor_never_stops;
    CU_ASSERT_EQUAL(edit_with_failure(0, 0, &e), RC_E_CONDITION);
    on_fsync = NULL;
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "changed meanwhile"));
    CU_ASSERT_TRUE(files_are("slurm.conf") || files_are("slurm.conf slurm.conf.rc-prev"));
    scratch_done();
}

static void
a_change_in_place_is_seen_even_if_the_time_is_the_same(void)
{
    struct rc_file f;
    struct rc_error e = {0};

    begin();
    CU_ASSERT_EQUAL_FATAL(rc_file_read(scratch_path("slurm.conf"), &f, &e), RC_OK);
    scratch_write("slurm.conf", "ClusterName=d\nNodeName=gpu-[1-2] NodeAddr=10.0.0.[1-2]\n");
    struct timespec times[2] = {f.st.st_atim, f.st.st_mtim};
    CU_ASSERT_EQUAL(utimensat(AT_FDCWD, scratch_path("slurm.conf"), times, 0), 0);
    CU_ASSERT_EQUAL(rc_file_replace(&f, "x", 1, &e), RC_E_CONDITION);
    rc_file_done(&f);
    scratch_done();
}

static void
two_writers_do_not_meet(void)
{
    struct rc_error e = {0};

    begin();
    int fd = __real_open(scratch_path("slurm.conf.rc-new"), O_RDWR | O_CREAT, 0600);
    CU_ASSERT_EQUAL_FATAL(__real_flock(fd, LOCK_EX | LOCK_NB), 0);
    CU_ASSERT_EQUAL(edit_with_failure(0, 0, &e), RC_E_STATE);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "another program"));
    CU_ASSERT_TRUE(content_is(before) && files_are("slurm.conf slurm.conf.rc-new"));
    close(fd);
    CU_ASSERT_EQUAL(edit_with_failure(0, 0, &e), RC_OK);
    CU_ASSERT_TRUE(content_is(after) && files_are("slurm.conf slurm.conf.rc-prev"));
    scratch_done();
}

static void
a_link_in_the_way_is_not_followed(void)
{
    struct rc_error e = {0};

    begin();
    scratch_write("victim", "mine");
    CU_ASSERT_EQUAL_FATAL(symlink("victim", scratch_path("slurm.conf.rc-new")), 0);
    CU_ASSERT_NOT_EQUAL(edit_with_failure(0, 0, &e), RC_OK);
    char *victim = scratch_read("victim");
    CU_ASSERT_STRING_EQUAL(victim, "mine");
    CU_ASSERT_TRUE(content_is(before));
    free(victim);
    scratch_done();
}

static void
owner_mode_and_attributes_are_kept(void)
{
    struct rc_error e = {0};
    struct stat st;
    char value[16] = "";

    begin();
    const char *path = scratch_path("slurm.conf");
    CU_ASSERT_EQUAL(chmod(path, 0640), 0);
    bool is_root = geteuid() == 0;
    CU_ASSERT_EQUAL(is_root ? chown(path, 1234, 4321) : 0, 0);
    bool has_xattr = setxattr(path, "user.note", "keep", 4, 0) == 0;
    CU_ASSERT_EQUAL(edit_with_failure(0, 0, &e), RC_OK);
    CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0640);
    CU_ASSERT(!is_root || (st.st_uid == 1234 && st.st_gid == 4321));
    CU_ASSERT(!has_xattr || (getxattr(path, "user.note", value, sizeof value) == 4 &&
                             strcmp(value, "keep") == 0));
    scratch_done();
}

static void
things_that_are_no_files_are_refused(void)
{
    struct rc_file f;
    struct rc_error e;

    scratch_init();
    CU_ASSERT_EQUAL(rc_file_read(scratch_path(""), &f, &e), RC_E_INVALID);
    CU_ASSERT_EQUAL(mkfifo(scratch_path("pipe"), 0600), 0);
    CU_ASSERT_EQUAL(rc_file_read(scratch_path("pipe"), &f, &e), RC_E_INVALID);
    CU_ASSERT_EQUAL(rc_file_read(scratch_path("none"), &f, &e), RC_E_NOT_FOUND);
    scratch_done();
}

/* In a child: a file system of 16 KiB that holds the file and is then filled up. */
static int
edit_on_full_disk(void)
{
    struct rc_error e = {0};

    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", scratch_path(""), "tmpfs", 0, "size=16k") != 0) {
        return 77;
    }
    scratch_write("slurm.conf", before);
    int fd = __real_open(scratch_path("filler"), O_WRONLY | O_CREAT, 0600);
    char block[4096] = {0};
    while (__real_write(fd, block, sizeof block) > 0) {
    }
    close(fd);
    enum rc_err err = edit_with_failure(0, 0, &e);
    if (err != RC_E_DISK || !strstr(e.text, "No space left") || !content_is(before) ||
        !files_are("filler slurm.conf")) {
        return 1;
    }
    if (mount("none", scratch_path(""), NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0) {
        return 77;
    }
    err = edit_with_failure(0, 0, &e);
    return err == RC_E_DENIED && strstr(e.text, "Read-only") && content_is(before) ? 0 : 2;
}

static void
a_full_or_read_only_disk_is_told_and_nothing_changes(void)
{
    int status = 0;

    scratch_init();
    pid_t pid = fork();
    if (pid == 0) {
        _exit(edit_on_full_disk());
    }
    CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        rc_test_skip("mounting needs root");
    } else {
        CU_ASSERT_EQUAL(status, 0);
    }
    scratch_done();
}

static void
a_limit_on_file_size_is_told_and_nothing_changes(void)
{
    struct rlimit old, low;
    struct rc_error e = {0};

    begin();
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &old), 0);
    low = old;
    low.rlim_cur = 20;
    void (*was)(int) = signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &low), 0);
    enum rc_err err = edit_with_failure(0, 0, &e);
    (void)setrlimit(RLIMIT_FSIZE, &old);
    (void)signal(SIGXFSZ, was);
    CU_ASSERT_EQUAL(err, RC_E_DISK);
    CU_ASSERT_TRUE(content_is(before) && files_are("slurm.conf"));
    scratch_done();
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a failed call leaves the old file and no litter",
         a_failed_call_leaves_the_old_file_and_no_litter},
        {"death at any call leaves a whole file, and the next edit cleans up",
         death_at_any_call_leaves_a_whole_file_and_the_next_edit_cleans_up},
        {"short writes are continued", short_writes_are_continued},
        {"a file that changes meanwhile is read again",
         a_file_that_changes_meanwhile_is_read_again},
        {"an editor that never stops wins", an_editor_that_never_stops_wins},
        {"a change in place is seen even if the time is the same",
         a_change_in_place_is_seen_even_if_the_time_is_the_same},
        {"two writers do not meet", two_writers_do_not_meet},
        {"a link in the way is not followed", a_link_in_the_way_is_not_followed},
        {"owner, mode and attributes are kept", owner_mode_and_attributes_are_kept},
        {"things that are no files are refused", things_that_are_no_files_are_refused},
        {"a full or read-only disk is told and nothing changes",
         a_full_or_read_only_disk_is_told_and_nothing_changes},
        {"a limit on file size is told and nothing changes",
         a_limit_on_file_size_is_told_and_nothing_changes},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("file_replace", tests);
}
