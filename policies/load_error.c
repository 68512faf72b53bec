/* load_error.c - the words of a complaint: place, key path, what was found; see jsonc.h.
 * Also reads the file itself, since that is the first thing to complain about. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policies/jsonc.h"

void
rc_jsonc_path(const struct rc_jsonc_value *v, char *buf, size_t room)
{
    const struct rc_jsonc_value *chain[RC_JSONC_DEPTH_MAX + 1];
    size_t depth = 0;
    size_t used = 0;

    buf[0] = '\0';
    for (; v && v->parent && depth <= RC_JSONC_DEPTH_MAX; v = v->parent) {
        chain[depth++] = v;
    }
    while (depth > 0 && used < room) {
        const struct rc_jsonc_value *part = chain[--depth];
        int n = part->key ? snprintf(buf + used, room - used, "%s%.40s", used ? "." : "", part->key)
                          : snprintf(buf + used, room - used, "[%u]", (unsigned)part->index);
        used += n > 0 ? (size_t)n : 0;
    }
}

void
rc_jsonc_show(const struct rc_jsonc_value *v, char *buf, size_t room)
{
    switch (v->type) {
    case RC_JSONC_NULL:
        snprintf(buf, room, "null");
        break;
    case RC_JSONC_BOOL:
        snprintf(buf, room, "%s", v->number ? "true" : "false");
        break;
    case RC_JSONC_NUMBER:
        snprintf(buf, room, "%.40s", v->text);
        break;
    case RC_JSONC_STRING:
        snprintf(buf, room, "\"%.40s\"%s", v->text, strlen(v->text) > 40 ? "…" : "");
        break;
    case RC_JSONC_ARRAY:
        snprintf(buf, room, "a list");
        break;
    case RC_JSONC_OBJECT:
        snprintf(buf, room, "an object");
        break;
    }
}

static void
add_complaint(struct rc_load_errors *errs, const char *file, const uint32_t place[2],
              const char *path, const char *message)
{
    char where[32] = "";

    if (place[0]) {
        snprintf(where, sizeof where, ":%u:%u", (unsigned)place[0], (unsigned)place[1]);
    }
    if (errs->count < RC_LOAD_ERRORS_MAX) {
        char *line = errs->line[errs->count];
        int n = snprintf(line, RC_LOAD_ERROR_LEN, "%.120s%s: %s%s%s", file, where, path,
                         *path ? ": " : "", message);
        (void)n;
    }
    errs->count++;
}

void
rc_load_error(struct rc_load_errors *errs, const char *file, const struct rc_jsonc_value *v,
              const char *fmt, ...)
{
    char message[RC_LOAD_ERROR_LEN];
    char path[RC_JSONC_PATH_LEN] = "";
    uint32_t place[2] = {0, 0};
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    if (v) {
        rc_jsonc_path(v, path, sizeof path);
        place[0] = v->line;
        place[1] = v->column;
    }
    add_complaint(errs, file, place, path, message);
}

void
rc_load_error_key(struct rc_load_errors *errs, const char *file, const struct rc_jsonc_value *v,
                  const char *fmt, ...)
{
    char message[RC_LOAD_ERROR_LEN];
    char path[RC_JSONC_PATH_LEN];
    uint32_t place[2] = {v->key_line, v->key_column};
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    rc_jsonc_path(v, path, sizeof path);
    add_complaint(errs, file, place, path, message);
}

/* One byte more than allowed is asked for, so that a larger file shows. */
static enum rc_err
read_all(FILE *f, char **ret_text, size_t *ret_len)
{
    size_t room = (size_t)RC_JSONC_BYTES_MAX + 2;
    char *text = malloc(room);
    size_t len = 0;

    if (!text) {
        return RC_E_INTERNAL;
    }
    len = fread(text, 1, room - 1, f);
    if (ferror(f) || len > RC_JSONC_BYTES_MAX) {
        free(text);
        return ferror(f) ? RC_E_IO : RC_E_TOO_LARGE;
    }
    text[len] = '\0';
    *ret_text = text;
    *ret_len = len;
    return RC_OK;
}

FILE *
rc_load_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    FILE *f = NULL;

    /* Only the opening must not wait; a pipe that somebody writes is read to its end. */
    if (fd >= 0 && fcntl(fd, F_SETFL, 0) == 0) {
        f = fdopen(fd, "r");
    }
    if (fd >= 0 && !f) {
        close(fd);
    }
    return f;
}

enum rc_err
rc_load_file(const char *path, char **ret_text, size_t *ret_len, struct rc_load_errors *errs)
{
    FILE *f = rc_load_open(path);
    enum rc_err err = RC_E_IO;

    if (!f) {
        rc_load_error(errs, path, NULL, "cannot be opened: %s", strerror(errno));
        return RC_E_IO;
    }
    err = read_all(f, ret_text, ret_len);
    if (err == RC_E_IO) {
        rc_load_error(errs, path, NULL, "cannot be read: %s", strerror(errno));
    } else if (err == RC_E_TOO_LARGE) {
        rc_load_error(errs, path, NULL, "larger than 1 MiB");
    } else if (err == RC_E_INTERNAL) {
        rc_load_error(errs, path, NULL, "out of memory");
    }
    fclose(f);
    return err;
}
