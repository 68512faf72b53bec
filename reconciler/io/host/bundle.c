/* bundle.c - see bundle.h. */
#define _GNU_SOURCE
#include "reconciler/io/host/bundle.h"

#include <sys/stat.h>

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/io/host/bundle_name.h"

enum { DIR_MODE = 0750, FILE_MODE = 0640, BUNDLES_SEEN_MAX = 4096 };

static enum rc_err
fail_file(struct rc_error *e, const char *path)
{
    return rc_fail(e, RC_E_IO, "%.180s: %s", path, strerror(errno));
}

static void
bundle_path(const struct rc_bundle *b, const char *name, char path[PATH_MAX])
{
    (void)snprintf(path, PATH_MAX, "%s/%u-%s%s%s", b->dir, b->incident, b->node, *name ? "/" : "",
                   name);
}

static bool
make_folders(const char *path)
{
    char part[PATH_MAX];

    (void)snprintf(part, sizeof part, "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, DIR_MODE) != 0 && errno != EEXIST) {
            return false;
        }
        *slash = '/';
    }
    return mkdir(part, DIR_MODE) == 0 || errno == EEXIST;
}

static enum rc_err
write_bundle_file(const char *path, const void *bytes, size_t len, struct rc_error *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    const char *at = bytes;
    ssize_t n = 0;

    if (fd < 0) {
        return fail_file(e, path);
    }
    while (len > 0 && (n = write(fd, at, len)) > 0) {
        at += n;
        len -= (size_t)n;
    }
    if (close(fd) != 0 || len > 0) {
        return fail_file(e, path);
    }
    return RC_OK;
}

bool
rc_bundle_is_there(const struct rc_bundle *b, char path[PATH_MAX])
{
    char manifest[PATH_MAX];

    bundle_path(b, RC_BUNDLE_MANIFEST, manifest);
    bundle_path(b, "", path);
    return access(manifest, F_OK) == 0;
}

static void
add_digest(cJSON *row, const struct rc_bundle_file *f)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char hex[2 * SHA256_DIGEST_LENGTH + 1];

    (void)SHA256(f->bytes, f->len, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    (void)cJSON_AddStringToObject(row, "sha256", hex);
}

/* NULL: no memory. */
static char *
manifest_text(const struct rc_bundle *b, const struct rc_bundle_file *files, size_t count)
{
    cJSON *top = cJSON_CreateObject(), *list;
    char *text = NULL;

    (void)cJSON_AddNumberToObject(top, "incident", b->incident);
    (void)cJSON_AddStringToObject(top, "node", b->node);
    (void)cJSON_AddStringToObject(top, "instance", b->instance);
    (void)cJSON_AddStringToObject(top, "addr", b->addr);
    (void)cJSON_AddStringToObject(top, "device", b->device);
    (void)cJSON_AddStringToObject(top, "boot", b->boot);
    (void)cJSON_AddStringToObject(top, "serials", b->serials);
    (void)cJSON_AddNumberToObject(top, "taken_wall_ms", (double)b->wall_ms);
    list = cJSON_AddArrayToObject(top, "files");
    for (size_t i = 0; list && i < count; i++) {
        cJSON *row = cJSON_CreateObject();

        (void)cJSON_AddStringToObject(row, "name", files[i].name);
        (void)cJSON_AddNumberToObject(row, "bytes", (double)files[i].len);
        (void)cJSON_AddBoolToObject(row, "there", files[i].bytes != NULL);
        (void)cJSON_AddBoolToObject(row, "cut", files[i].cut);
        if (files[i].bytes) {
            add_digest(row, &files[i]);
        }
        if (*files[i].note) {
            (void)cJSON_AddStringToObject(row, "note", files[i].note);
        }
        (void)cJSON_AddItemToArray(list, row);
    }
    text = list ? cJSON_Print(top) : NULL;
    cJSON_Delete(top);
    return text;
}

static enum rc_err
write_manifest(const struct rc_bundle *b, const struct rc_bundle_file *files, size_t count,
               struct rc_error *e)
{
    char *text = manifest_text(b, files, count);
    char path[PATH_MAX], part[PATH_MAX];
    enum rc_err err;

    if (!text) {
        return rc_fail(e, RC_E_FULL, "no memory for a manifest");
    }
    bundle_path(b, RC_BUNDLE_MANIFEST, path);
    bundle_path(b, RC_BUNDLE_MANIFEST ".part", part);
    err = write_bundle_file(part, text, strlen(text), e);
    free(text);
    if (err == RC_OK && rename(part, path) != 0) {
        err = fail_file(e, path);
    }
    return err;
}

static void
remove_bundle(const char *dir, const char *name)
{
    char path[PATH_MAX], file[PATH_MAX];
    const struct dirent *entry;

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    DIR *d = opendir(path);
    while (d && (entry = readdir(d)) != NULL) {
        if (entry->d_name[0] != '.' &&
            snprintf(file, sizeof file, "%s/%s", path, entry->d_name) < (int)sizeof file) {
            (void)unlink(file);
        }
    }
    if (d) {
        (void)closedir(d);
    }
    (void)rmdir(path); /* not empty: somebody keeps something in it */
}

uint32_t
rc_bundle_incident(const char *name)
{
    char *end;
    unsigned long value = *name >= '1' && *name <= '9' ? strtoul(name, &end, 10) : 0;

    return value && value <= UINT32_MAX && *end == '-' ? (uint32_t)value : 0;
}

/* Incident numbers only grow: the lowest is the oldest. */
static void
drop_oldest(const struct rc_bundle *b)
{
    for (int round = 0; round < BUNDLES_SEEN_MAX; round++) {
        char oldest[NAME_MAX + 1] = "";
        uint32_t lowest = UINT32_MAX, count = 0, incident;
        const struct dirent *entry;
        DIR *d = opendir(b->dir);

        while (d && (entry = readdir(d)) != NULL) {
            incident = rc_bundle_incident(entry->d_name);
            count += incident != 0;
            if (incident != 0 && incident < lowest) {
                lowest = incident;
                (void)snprintf(oldest, sizeof oldest, "%s", entry->d_name);
            }
        }
        if (d) {
            (void)closedir(d);
        }
        if (count <= b->keep_max || lowest == b->incident) {
            return;
        }
        remove_bundle(b->dir, oldest);
    }
}

enum rc_err
rc_bundle_write(const struct rc_bundle *b, const struct rc_bundle_file *files, size_t count,
                struct rc_error *e)
{
    char path[PATH_MAX];
    enum rc_err err = RC_OK;

    if (rc_bundle_is_there(b, path)) {
        return RC_OK;
    }
    if (!make_folders(path)) {
        return fail_file(e, path);
    }
    for (size_t i = 0; i < count && err == RC_OK; i++) {
        if (files[i].bytes) {
            bundle_path(b, files[i].name, path);
            err = write_bundle_file(path, files[i].bytes, files[i].len, e);
        }
    }
    err = err == RC_OK ? write_manifest(b, files, count, e) : err;
    if (err == RC_OK && b->keep_max > 0) {
        drop_oldest(b);
    }
    return err;
}

enum rc_err
rc_bundle_add(const struct rc_bundle *b, const char *name, const char *text, char path[PATH_MAX],
              struct rc_error *e)
{
    bundle_path(b, "", path);
    if (!make_folders(path)) {
        return fail_file(e, path);
    }
    bundle_path(b, RC_BUNDLE_COPIED, path);
    if (unlink(path) != 0 && errno != ENOENT) {
        return fail_file(e, path);
    }
    bundle_path(b, name, path);
    return write_bundle_file(path, text, strlen(text), e);
}
