/* crash_shim - preloaded into the daemon: breaks what it does with its journal.
 *
 *   RC_CRASH_AT=N:before|after   SIGKILL at the N-th append that decides something, before it
 *                                is written or right after: what it decided has not begun
 *   RC_CRASH_DIR=DIR             a byte is added to DIR/count with each such append; while
 *                                DIR/disk-full is there appends fail with ENOSPC (half of each
 *                                is written), while DIR/sync-fails is there fdatasync with EIO
 *
 * An append decides something when it holds an action other than to renew the lease or to look. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
is_journal(int fd)
{
    char link[64], path[512];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len <= 0) {
        return false;
    }
    path[len] = '\0';
    return strstr(path, "/journal/") != NULL;
}

static bool
is_there(const char *name)
{
    const char *dir = getenv("RC_CRASH_DIR");
    char path[512];

    snprintf(path, sizeof path, "%s/%s", dir ? dir : "/nonexistent", name);
    return access(path, F_OK) == 0;
}

static bool
decides(const char *data, size_t len)
{
    static const char word[] = "action ";

    for (const char *at = data, *end = data + len;
         (at = memmem(at, (size_t)(end - at), word, sizeof word - 1)); at++) {
        const char *kind = at + sizeof word - 1;
        if (strncmp(kind, "lease", 5) != 0 && strncmp(kind, "ec2.look", 8) != 0) {
            return true;
        }
    }
    return false;
}

static void
count_append(void)
{
    const char *dir = getenv("RC_CRASH_DIR");
    char path[512];

    if (!dir) {
        return;
    }
    snprintf(path, sizeof path, "%s/count", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)!write(fd, "x", 1);
        close(fd);
    }
}

/* True: this is the append at which to die, in this manner. */
static bool
is_the_end(long append, const char *manner)
{
    const char *at = getenv("RC_CRASH_AT");
    const char *colon = at ? strchr(at, ':') : NULL;

    return colon && strtol(at, NULL, 10) == append && strcmp(colon + 1, manner) == 0;
}

ssize_t
pwrite(int fd, const void *data, size_t len, off_t at)
{
    static ssize_t (*next)(int, const void *, size_t, off_t);
    static long appends;
    bool counts = len > 64 && is_journal(fd) && decides(data, len);

    if (!next) {
        *(void **)&next = dlsym(RTLD_NEXT, "pwrite");
    }
    if (is_there("disk-full") && is_journal(fd)) {
        (void)!next(fd, data, len / 2, at);
        errno = ENOSPC;
        return -1;
    }
    if (counts) {
        count_append();
        if (is_the_end(++appends, "before")) {
            raise(SIGKILL);
        }
    }
    ssize_t done = next(fd, data, len, at);
    if (counts && is_the_end(appends, "after")) {
        raise(SIGKILL);
    }
    return done;
}

ssize_t
pwrite64(int fd, const void *data, size_t len, off_t at)
{
    return pwrite(fd, data, len, at);
}

int
fdatasync(int fd)
{
    static int (*next)(int);

    if (!next) {
        *(void **)&next = dlsym(RTLD_NEXT, "fdatasync");
    }
    if (is_there("sync-fails") && is_journal(fd)) {
        errno = EIO;
        return -1;
    }
    return next(fd);
}
