/* store_file.c - see store_file.h. */
#define _GNU_SOURCE
#include "reconciler/io/store/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum rc_err
rc_store_read(int dir_fd, const char *name, char **ret_text, size_t *ret_len,
              struct rc_error *ret_err)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t got = 1;

    if (fd < 0) {
        return rc_fail(ret_err, errno == ENOENT ? RC_E_NOT_FOUND : RC_E_IO, "cannot open %s: %s",
                       name, strerror(errno));
    }
    char *text = malloc(RC_STORE_FILE_MAX + 1);
    while (text && got > 0 && len < RC_STORE_FILE_MAX) {
        got = read(fd, text + len, RC_STORE_FILE_MAX - len);
        if (got < 0 && errno == EINTR) {
            got = 1;
            continue;
        }
        len += got > 0 ? (size_t)got : 0;
    }
    int reason = errno;
    close(fd);
    if (!text) {
        return rc_fail(ret_err, RC_E_FULL, "out of memory");
    }
    if (got != 0) {
        free(text);
        return got < 0 ? rc_fail(ret_err, RC_E_IO, "cannot read %s: %s", name, strerror(reason))
                       : rc_fail(ret_err, RC_E_TOO_LARGE, "%s is over %d bytes", name,
                                 RC_STORE_FILE_MAX - 1);
    }
    text[len] = '\0';
    *ret_text = text;
    *ret_len = len;
    return RC_OK;
}

static bool
write_all(int fd, const char *text, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, text + done, len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        done += (size_t)n;
    }
    return true;
}

enum rc_err
rc_store_replace(int dir_fd, const char *name, const char *text, bool sync,
                 struct rc_error *ret_err)
{
    char temporary[300];

    snprintf(temporary, sizeof temporary, "%s.new", name);
    int fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0) {
        return rc_fail(ret_err, RC_E_DISK, "cannot make %s: %s", temporary, strerror(errno));
    }
    bool good = write_all(fd, text, strlen(text)) && (!sync || fdatasync(fd) == 0);
    int reason = errno;
    if (close(fd) && good) {
        good = false;
        reason = errno;
    }
    if (good && renameat(dir_fd, temporary, dir_fd, name)) {
        good = false;
        reason = errno;
    }
    if (!good) {
        unlinkat(dir_fd, temporary, 0);
        return rc_fail(ret_err, RC_E_DISK, "cannot write %s: %s", name, strerror(reason));
    }
    if (sync && fsync(dir_fd)) {
        return rc_fail(ret_err, RC_E_DISK, "cannot sync the directory of %s: %s", name,
                       strerror(errno));
    }
    return RC_OK;
}
