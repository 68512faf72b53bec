/* conf_tree.c - see conf_tree.h. */
#include "reconciler/io/files/conf_tree.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t\n\v\f\r"

enum { INCLUDE_DEPTH_MAX = 16, FILES_MAX = 256 };

const char *
rc_conf_line_raw(const struct rc_conf_tree *t, const struct rc_conf_line *l)
{
    return t->file[l->file].bytes + l->start;
}

enum rc_err
rc_conf_fail(const struct rc_conf_tree *t, const struct rc_conf_line *l, enum rc_err code,
             struct rc_error *e, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return rc_fail(e, code, "%s:%u: %s", t->name[l->file], l->number, text);
}

bool
rc_conf_line_is(const struct rc_conf_text *text, const char *key, struct rc_conf_pair *ret)
{
    return rc_conf_pair_next(text, 0, ret) && rc_conf_key_is(text, ret, key);
}

/* The file name of an Include line, or NULL when it is none. free() it. *rest: what follows it. */
static char *
include_name(const struct rc_conf_text *text, size_t *rest)
{
    size_t start = strlen("include");

    if (text->len <= start || strncasecmp(text->s, "include", start) != 0 ||
        !strchr(BLANKS, text->s[start])) {
        return NULL;
    }
    start += strspn(text->s + start, BLANKS);
    *rest = start + strcspn(text->s + start, BLANKS);
    return rc_copy(text->s + start, *rest - start);
}

/* Path of an included file: %c replaced, relative to the file that includes it. NULL: %c, but no
 * ClusterName yet. */
static char *
include_path(const struct rc_conf_tree *t, size_t parent, const char *name)
{
    const char *slash = strrchr(t->name[parent], '/');
    struct rc_text path = {0};

    if (name[0] != '/' && slash) {
        rc_text_add(&path, t->name[parent], (size_t)(slash - t->name[parent]) + 1);
    }
    for (const char *mark; (mark = strstr(name, "%c")) != NULL; name = mark + 2) {
        if (!t->cluster) {
            free(path.s);
            return NULL;
        }
        rc_text_add(&path, name, (size_t)(mark - name));
        rc_text_puts(&path, t->cluster);
    }
    rc_text_puts(&path, name);
    return path.s;
}

static void
note_cluster(struct rc_conf_tree *t, const struct rc_conf_text *text)
{
    struct rc_conf_pair p;

    if (!rc_conf_line_is(text, "ClusterName", &p)) {
        return;
    }
    free(t->cluster);
    t->cluster = rc_copy(text->s + p.value, p.value_len);
    for (char *c = t->cluster; *c; c++) {
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    }
}

static enum rc_err
add_conf_file(struct rc_conf_tree *t, const char *path, const struct rc_conf_overlay *overlay,
              struct rc_error *e)
{
    size_t i = t->file_count;

    if (i >= FILES_MAX) {
        return rc_fail(e, RC_E_TOO_LARGE, "more than %d included files", FILES_MAX);
    }
    t->file = rc_grow(t->file, i + 1, sizeof *t->file);
    t->name = rc_grow(t->name, i + 1, sizeof *t->name);
    if (!overlay) {
        enum rc_err err = rc_file_read(path, &t->file[i], e);
        if (!err) {
            t->name[t->file_count++] = rc_copy(path, strlen(path));
        }
        return err;
    }
    /* What is read back includes the same files in the same order, or it is not what we meant. */
    if (i >= overlay->old->file_count) {
        return rc_fail(e, RC_E_INTERNAL, "the edited %s includes one file more", path);
    }
    const struct rc_file *old = &overlay->old->file[i];
    const struct rc_text *fresh = &overlay->new_bytes[i];
    t->file[i] = *old;
    t->file[i].path = rc_copy(old->path, strlen(old->path));
    t->file[i].len = fresh->s ? fresh->len : old->len;
    t->file[i].bytes = rc_copy(fresh->s ? fresh->s : old->bytes, t->file[i].len);
    t->name[t->file_count++] = rc_copy(path, strlen(path));
    return RC_OK;
}

/* Any pair is followed by pairs up to the end, or the line is not Slurm's. */
static enum rc_err
check_pairs(const struct rc_conf_tree *t, const struct rc_conf_line *l,
            const struct rc_conf_text *text, struct rc_error *e)
{
    struct rc_conf_pair p;
    size_t from = 0;

    while (rc_conf_pair_next(text, from, &p)) {
        from = p.end;
    }
    if (rc_conf_rest_is_blank(text, from)) {
        return RC_OK;
    }
    from += strspn(text->s + from, BLANKS);
    return rc_conf_fail(t, l, RC_E_PARSE, e, "expected key=value at \"%.*s\"",
                        (int)strcspn(text->s + from, "\r\n"), text->s + from);
}

static enum rc_err read_conf_lines(struct rc_conf_tree *t, size_t file, int depth,
                                   const struct rc_conf_overlay *overlay, struct rc_error *e);

/* A line was added as the last one; follows it when it is an Include. */
static enum rc_err
take_conf_line(struct rc_conf_tree *t, const struct rc_conf_text *text, int depth,
               const struct rc_conf_overlay *overlay, struct rc_error *e)
{
    struct rc_conf_line l = t->line[t->line_count - 1];
    size_t rest = 0;
    char *name = include_name(text, &rest);

    if (!name) {
        note_cluster(t, text);
        return check_pairs(t, &l, text, e);
    }
    char *path = include_path(t, l.file, name);
    enum rc_err err = RC_OK;
    struct rc_error why = {0};
    if (!*name || !rc_conf_rest_is_blank(text, rest)) {
        err = rc_conf_fail(t, &l, RC_E_PARSE, e, "Include expects one file name");
    } else if (!path) {
        err = rc_conf_fail(t, &l, RC_E_PARSE, e, "Include uses %%c before ClusterName is set");
    } else if (depth >= INCLUDE_DEPTH_MAX) {
        err = rc_conf_fail(t, &l, RC_E_PARSE, e, "Include deeper than %d files (a circle?)",
                           INCLUDE_DEPTH_MAX);
    } else if ((err = add_conf_file(t, path, overlay, &why)) != RC_OK) {
        err = rc_conf_fail(t, &l, err, e, "Include: %s", why.text);
    } else {
        err = read_conf_lines(t, t->file_count - 1, depth + 1, overlay, e);
    }
    free(path);
    free(name);
    return err;
}

static unsigned
count_lines(const char *raw, size_t from, size_t to)
{
    unsigned n = 0;

    for (size_t i = from; i < to; i++) {
        n += raw[i] == '\n';
    }
    return n;
}

static enum rc_err
read_conf_lines(struct rc_conf_tree *t, size_t file, int depth,
                const struct rc_conf_overlay *overlay, struct rc_error *e)
{
    struct rc_conf_text text = {0};
    enum rc_err err = RC_OK;
    unsigned number = 1;

    for (size_t start = 0, end; start < t->file[file].len && !err; start = end) {
        end = rc_conf_text_read(&text, t->file[file].bytes, t->file[file].len, start);
        if ((t->line_count & (t->line_count - 1)) == 0) {
            size_t room = t->line_count ? t->line_count * 2 : 1;
            t->line = rc_grow(t->line, room, sizeof *t->line);
        }
        t->line[t->line_count++] = (struct rc_conf_line){file, number, start, end};
        if (memchr(t->file[file].bytes + start, '\0', end - start)) {
            err = rc_conf_fail(t, &t->line[t->line_count - 1], RC_E_PARSE, e,
                               "NUL byte in a text file");
        } else {
            err = take_conf_line(t, &text, depth, overlay, e);
        }
        number += count_lines(t->file[file].bytes, start, end);
    }
    rc_conf_text_done(&text);
    return err;
}

enum rc_err
rc_conf_tree_load(struct rc_conf_tree *t, const char *path, const struct rc_conf_overlay *overlay,
                  struct rc_error *e)
{
    memset(t, 0, sizeof *t);
    enum rc_err err = add_conf_file(t, path, overlay, e);
    if (!err) {
        err = read_conf_lines(t, 0, 0, overlay, e);
    }
    if (!err && overlay && t->file_count != overlay->old->file_count) {
        err = rc_fail(e, RC_E_INTERNAL, "the edited %s includes fewer files", path);
    }
    return err;
}

void
rc_conf_tree_done(struct rc_conf_tree *t)
{
    for (size_t i = 0; i < t->file_count; i++) {
        rc_file_done(&t->file[i]);
        free(t->name[i]);
    }
    free(t->file);
    free(t->name);
    free(t->line);
    free(t->cluster);
    memset(t, 0, sizeof *t);
}
