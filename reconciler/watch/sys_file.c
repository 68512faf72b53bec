/* sys_file.c - see sys_file.h. */
#define _GNU_SOURCE
#include "reconciler/watch/sys_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
rc_sys_read(const char *dir, const char *a, const char *b, char *buf, size_t room)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/%s%s%s", dir, a, b ? "/" : "", b ? b : "");
    size_t have = 0;
    ssize_t n = 0;

    buf[0] = '\0';
    if (len < 0 || (size_t)len >= sizeof path) {
        return false;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return false;
    }
    while (have + 1 < room && (n = read(fd, buf + have, room - 1 - have)) > 0) {
        have += (size_t)n;
    }
    (void)close(fd);
    while (have > 0 && (unsigned char)buf[have - 1] <= ' ') {
        have--;
    }
    buf[have] = '\0';
    return n >= 0 && have > 0;
}

bool
rc_sys_number(const char *dir, const char *a, const char *b, uint64_t *ret)
{
    char text[64], *end;

    if (!rc_sys_read(dir, a, b, text, sizeof text) || text[0] < '0' || text[0] > '9') {
        return false;
    }
    *ret = strtoull(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
    return end > text;
}

bool
rc_sys_tenths(const char *dir, const char *a, const char *b, uint64_t *ret)
{
    char text[64], *end;

    if (!rc_sys_read(dir, a, b, text, sizeof text) || text[0] < '0' || text[0] > '9') {
        return false;
    }
    *ret = strtoull(text, &end, 10) * 10;
    if (*end == '.' && end[1] >= '0' && end[1] <= '9') {
        *ret += (uint64_t)(end[1] - '0');
    }
    return true;
}

int
rc_sys_each(const char *dir, const char *prefix, rc_sys_entry_fn *fn, void *arg)
{
    DIR *d = opendir(dir);
    const struct dirent *entry;
    int count = 0;

    if (!d) {
        return -1;
    }
    while ((entry = readdir(d)) != NULL) {
        if (entry->d_name[0] != '.' && strncmp(entry->d_name, prefix, strlen(prefix)) == 0) {
            count++;
            if (fn) {
                fn(arg, dir, entry->d_name);
            }
        }
    }
    (void)closedir(d);
    return count;
}
