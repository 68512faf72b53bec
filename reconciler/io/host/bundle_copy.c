/* bundle_copy.c - bundles as somebody who copies them elsewhere sees them; see bundle.h. The
 * folders are the whole memory of it, so it goes on after a restart. */
#define _GNU_SOURCE
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/io/host/bundle.h"
#include "reconciler/io/host/bundle_name.h"

enum { COPY_BYTES_MAX = 256 << 20 };

static bool
has_file(const char *dir, const char *name, const char *file)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof path, "%s/%s/%s", dir, name, file) < (int)sizeof path &&
           access(path, F_OK) == 0;
}

bool
rc_bundle_uncopied(const char *dir, char name[NAME_MAX + 1])
{
    uint32_t lowest = UINT32_MAX, incident;
    const struct dirent *entry;
    DIR *d = opendir(dir);

    while (d && (entry = readdir(d)) != NULL) {
        incident = rc_bundle_incident(entry->d_name);
        if (incident && incident < lowest && has_file(dir, entry->d_name, RC_BUNDLE_MANIFEST) &&
            !has_file(dir, entry->d_name, RC_BUNDLE_COPIED)) {
            lowest = incident;
            (void)snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
        }
    }
    if (d) {
        (void)closedir(d);
    }
    return lowest != UINT32_MAX;
}

static int
bundle_file_order(const void *a, const void *b)
{
    return strcmp(a, b);
}

size_t
rc_bundle_files(const char *dir, const char *name, char (*files)[NAME_MAX + 1], size_t room)
{
    char path[PATH_MAX];
    const struct dirent *entry;
    size_t count = 0;

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    DIR *d = opendir(path);
    while (d && (entry = readdir(d)) != NULL && count + 1 < room) {
        const char *end = strrchr(entry->d_name, '.');
        bool ours = entry->d_name[0] != '.' && strcmp(entry->d_name, RC_BUNDLE_MANIFEST) != 0 &&
                    strcmp(entry->d_name, RC_BUNDLE_COPIED) != 0 &&
                    !(end && strcmp(end, ".part") == 0);
        if (ours) {
            (void)snprintf(files[count++], NAME_MAX + 1, "%s", entry->d_name);
        }
    }
    if (d) {
        (void)closedir(d);
    }
    qsort(files, count, sizeof *files, bundle_file_order);
    if (count < room) {
        (void)snprintf(files[count++], NAME_MAX + 1, "%s", RC_BUNDLE_MANIFEST);
    }
    return count;
}

static bool
read_bundle_bytes(int fd, char *bytes, size_t len)
{
    ssize_t n = 0;

    while (len > 0 && (n = read(fd, bytes, len)) > 0) {
        bytes += n;
        len -= (size_t)n;
    }
    return len == 0;
}

enum rc_err
rc_bundle_read(const char *dir, const char *name, const char *file, char **ret, size_t *ret_len,
               struct rc_error *e)
{
    char path[PATH_MAX];
    struct stat st;

    (void)snprintf(path, sizeof path, "%s/%s/%s", dir, name, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        rc_fail(e, RC_E_IO, "%.180s: %s", path, fd < 0 ? strerror(errno) : "not a file");
        if (fd >= 0) {
            (void)close(fd);
        }
        return e->code;
    }
    size_t len = (size_t)st.st_size;
    char *bytes = len <= COPY_BYTES_MAX ? malloc(len + 1) : NULL;
    if (!bytes) {
        rc_fail(e, RC_E_TOO_LARGE, "%.180s: %zu bytes are too many", path, len);
    } else if (!read_bundle_bytes(fd, bytes, len)) {
        rc_fail(e, RC_E_IO, "%.180s: it became shorter", path);
        free(bytes);
        bytes = NULL;
    }
    (void)close(fd);
    if (!bytes) {
        return e->code;
    }
    *ret = bytes;
    *ret_len = len;
    return RC_OK;
}

enum rc_err
rc_bundle_mark_copied(const char *dir, const char *name, const char *where, struct rc_error *e)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof path, "%s/%s/%s", dir, name, RC_BUNDLE_COPIED);
    FILE *f = fopen(path, "we");
    bool good = f && fprintf(f, "%s\n", where) > 0;
    if (!f || fclose(f) != 0 || !good) {
        return rc_fail(e, RC_E_IO, "%.180s: %s", path, strerror(errno));
    }
    return RC_OK;
}
