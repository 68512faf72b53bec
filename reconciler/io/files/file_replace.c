/* file_replace.c - see file_replace.h.
 *
 * The steps are one system call each, in the order of the header; each failure
 * removes <file>.rc-new, except that nothing is undone after the rename. */
#define _GNU_SOURCE
#include "reconciler/io/files/file_replace.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "reconciler/io/files/text_buf.h"

/* The error of a failed system call on path. */
static enum rc_err
fail_errno(struct rc_error *e, const char *verb, const char *path)
{
    int os = errno;
    enum rc_err code = RC_E_IO;

    if (os == ENOENT || os == ENOTDIR) {
        code = RC_E_NOT_FOUND;
    } else if (os == EACCES || os == EPERM || os == EROFS) {
        code = RC_E_DENIED;
    } else if (os == ENOSPC || os == EDQUOT || os == EFBIG || os == EIO) {
        code = RC_E_DISK;
    }
    return rc_fail(e, code, "cannot %s %s: %s", verb, path, strerror(os));
}

/* Everything behind fd, up to RC_FILE_MAX bytes. */
static enum rc_err
read_to_end(int fd, const char *path, struct rc_text *ret, struct rc_error *e)
{
    char chunk[65536];

    rc_text_puts(ret, "");
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got == 0) {
            return RC_OK;
        }
        if (got < 0 && errno != EINTR) {
            return fail_errno(e, "read", path);
        }
        rc_text_add(ret, chunk, got > 0 ? (size_t)got : 0);
        if (ret->len > RC_FILE_MAX) {
            return rc_fail(e, RC_E_TOO_LARGE, "%s is larger than %d bytes", path, RC_FILE_MAX);
        }
    }
}

static enum rc_err
read_open(int fd, const char *path, struct rc_file *ret, struct rc_error *e)
{
    struct rc_text text = {0};

    if (fstat(fd, &ret->st) < 0) {
        return fail_errno(e, "read the status of", path);
    }
    if (!S_ISREG(ret->st.st_mode)) {
        return rc_fail(e, RC_E_INVALID, "%s is not a regular file", path);
    }
    enum rc_err err = read_to_end(fd, path, &text, e);
    ret->bytes = text.s;
    ret->len = text.len;
    return err;
}

enum rc_err
rc_file_read(const char *path, struct rc_file *ret, struct rc_error *e)
{
    memset(ret, 0, sizeof *ret);
    ret->path = realpath(path, NULL);
    if (!ret->path) {
        return fail_errno(e, "open", path);
    }
    /* Not blocking: the name may lead to a FIFO, which is refused below. */
    int fd = open(ret->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum rc_err err = fd < 0 ? fail_errno(e, "open", path) : read_open(fd, path, ret, e);
    if (fd >= 0) {
        close(fd);
    }
    if (err) {
        rc_file_done(ret);
    }
    return err;
}

void
rc_file_done(struct rc_file *f)
{
    free(f->path);
    free(f->bytes);
    memset(f, 0, sizeof *f);
}

/* Opens and locks the file that is written beside path. It may be left from a crash; it may also
 * be another writer's, who may rename it away between our open and our lock. */
static enum rc_err
open_beside(const char *path, int *ret_fd, struct rc_error *e)
{
    for (int tries = 0; tries < 10; tries++) {
        struct stat held, named;
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (fd < 0) {
            return fail_errno(e, "create", path);
        }
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
            enum rc_err err = errno == EWOULDBLOCK
                                  ? rc_fail(e, RC_E_STATE, "another program is writing %s", path)
                                  : fail_errno(e, "lock", path);
            close(fd);
            return err;
        }
        if (fstat(fd, &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino &&
            held.st_dev == named.st_dev && S_ISREG(held.st_mode)) {
            *ret_fd = fd;
            return RC_OK;
        }
        close(fd);
    }
    return rc_fail(e, RC_E_STATE, "%s is replaced again and again by another program", path);
}

/* Copies what extended attributes the file system and our rights let us copy. */
static void
copy_xattrs(const char *from, int to)
{
    char names[4096], value[4096];
    ssize_t len = listxattr(from, names, sizeof names);

    for (const char *name = names; len > 0 && name < names + len; name += strlen(name) + 1) {
        ssize_t size = getxattr(from, name, value, sizeof value);
        if (size >= 0) {
            (void)fsetxattr(to, name, value, (size_t)size, 0);
        }
    }
}

static enum rc_err
write_beside(int fd, const char *path, const char *bytes, size_t len, struct rc_error *e)
{
    for (size_t done = 0; done < len;) {
        ssize_t put = write(fd, bytes + done, len - done);
        if (put < 0 && errno != EINTR) {
            return fail_errno(e, "write", path);
        }
        done += put > 0 ? (size_t)put : 0;
    }
    return RC_OK;
}

/* Gives fd the owner, mode and attributes of old, and the bytes; all of it on disk. */
static enum rc_err
fill_beside(int fd, const char *path, const struct rc_file *old, const char *bytes, size_t len,
            struct rc_error *e)
{
    struct stat st;
    enum rc_err err;

    if (ftruncate(fd, 0) < 0 || fstat(fd, &st) < 0) {
        return fail_errno(e, "empty", path);
    }
    if ((st.st_uid != old->st.st_uid || st.st_gid != old->st.st_gid) &&
        fchown(fd, old->st.st_uid, old->st.st_gid) < 0) {
        return fail_errno(e, "keep the owner of", path);
    }
    if (fchmod(fd, old->st.st_mode & 07777) < 0) {
        return fail_errno(e, "keep the mode of", path);
    }
    copy_xattrs(old->path, fd);
    err = write_beside(fd, path, bytes, len, e);
    if (!err && fsync(fd) < 0) {
        err = fail_errno(e, "sync", path);
    }
    return err;
}

/* Does fd hold exactly these bytes? Asks the file, not our memory of it. */
static enum rc_err
read_back_beside(int fd, const char *path, const char *bytes, size_t len, struct rc_error *e)
{
    struct rc_text text = {0};

    if (lseek(fd, 0, SEEK_SET) < 0) {
        return fail_errno(e, "read back", path);
    }
    enum rc_err err = read_to_end(fd, path, &text, e);
    if (!err && (text.len != len || memcmp(text.s, bytes, len) != 0)) {
        err = rc_fail(e, RC_E_DISK, "%s does not hold what was written to it", path);
    }
    free(text.s);
    return err;
}

/* Is the file that we are about to replace still the one that was read? */
static enum rc_err
check_unchanged(const struct rc_file *old, struct rc_error *e)
{
    struct rc_file now;
    enum rc_err err = rc_file_read(old->path, &now, e);

    if (err) {
        return err == RC_E_NOT_FOUND
                   ? rc_fail(e, RC_E_CONDITION, "%s was removed meanwhile", old->path)
                   : err;
    }
    bool same = now.st.st_ino == old->st.st_ino && now.st.st_dev == old->st.st_dev &&
                now.st.st_mtim.tv_sec == old->st.st_mtim.tv_sec &&
                now.st.st_mtim.tv_nsec == old->st.st_mtim.tv_nsec && now.len == old->len &&
                memcmp(now.bytes, old->bytes, old->len) == 0;
    rc_file_done(&now);
    return same ? RC_OK : rc_fail(e, RC_E_CONDITION, "%s was changed meanwhile", old->path);
}

static enum rc_err
sync_directory(const char *path, struct rc_error *e)
{
    const char *slash = strrchr(path, '/');
    enum rc_err err = RC_OK;

    assert(slash);
    char *dir = rc_copy(path, slash > path ? (size_t)(slash - path) : 1);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0) {
        err = rc_fail(e, RC_E_DISK, "%s is replaced, but syncing its directory failed: %s", path,
                      strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    free(dir);
    return err;
}

/* Writes bytes under the name beside and renames it to name, which may be the file itself. */
static enum rc_err
write_as(const struct rc_file *old, const char *beside, const char *name, const char *bytes,
         size_t len, struct rc_error *e)
{
    int fd = -1;
    enum rc_err err = open_beside(beside, &fd, e);

    if (err) {
        return err;
    }
    err = fill_beside(fd, beside, old, bytes, len, e);
    if (!err) {
        err = read_back_beside(fd, beside, bytes, len, e);
    }
    if (!err) {
        err = check_unchanged(old, e);
    }
    if (!err && rename(beside, name) < 0) {
        err = fail_errno(e, "replace", name);
    }
    if (err) {
        (void)unlink(beside); /* while we hold its lock: it is ours */
    }
    close(fd);
    return err;
}

enum rc_err
rc_file_replace(const struct rc_file *old, const char *bytes, size_t len, struct rc_error *e)
{
    struct rc_text beside = {0}, prev = {0};

    rc_text_printf(&beside, "%s.rc-new", old->path);
    rc_text_printf(&prev, "%s.rc-prev", old->path);
    enum rc_err err = write_as(old, beside.s, prev.s, old->bytes, old->len, e);
    if (!err) {
        err = write_as(old, beside.s, old->path, bytes, len, e);
    }
    if (!err) {
        err = sync_directory(old->path, e);
    }
    free(beside.s);
    free(prev.s);
    return err;
}
