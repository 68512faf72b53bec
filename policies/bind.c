/* bind.c - see bind.h: objects, lists and keys; the scalars are in bind_scalar.c. */
#include "policies/bind.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/bind_scalar.h"

enum { NAME_MAX_LEN = 64, NEAREST_MAX = 3, TABLE_ROWS_MAX = 32 };

/* Levenshtein distance; long texts are taken as far apart. */
static size_t
distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_LEN + 1];
    size_t la = strlen(a);
    size_t lb = strlen(b);

    if (la > NAME_MAX_LEN || lb > NAME_MAX_LEN) {
        return NAME_MAX_LEN;
    }
    for (size_t j = 0; j <= lb; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= la; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = corner + (a[i - 1] != b[j - 1]);
            corner = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
        }
    }
    return row[lb];
}

/* "warn" and "warning": one is how the other begins. */
static bool
is_beginning(const char *a, const char *b)
{
    size_t la = strlen(a);
    size_t lb = strlen(b);
    size_t shorter = la < lb ? la : lb;

    return shorter >= NEAREST_MAX && strncmp(a, b, shorter) == 0;
}

const char *
rc_bind_nearest(const char *text, const char *const *names, size_t count)
{
    const char *best = NULL;
    size_t best_distance = NEAREST_MAX + 1;

    for (size_t i = 0; i < count; i++) {
        size_t d = is_beginning(text, names[i]) ? 1 : distance(text, names[i]);
        /* Half of a short word is another word, not a slip. */
        if (d < best_distance && d * 2 <= strlen(names[i])) {
            best = names[i];
            best_distance = d;
        }
    }
    return best;
}

void
rc_bind_expected(struct rc_bind *b, const struct rc_jsonc_value *v, const char *what)
{
    char got[RC_JSONC_PATH_LEN];

    rc_jsonc_show(v, got, sizeof got);
    rc_load_error(b->errs, b->file, v, "expected %s, got %s", what, got);
}

static const struct rc_bind_row *
find_key_row(const struct rc_bind_table *table, const char *key)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->rows[i].key, key) == 0) {
            return &table->rows[i];
        }
    }
    return NULL;
}

static void
refuse_unknown_key(struct rc_bind *b, const struct rc_bind_table *table,
                   const struct rc_jsonc_value *v)
{
    const char *names[TABLE_ROWS_MAX];
    char all[RC_LOAD_ERROR_LEN] = "";
    size_t used = 0;
    const char *near = NULL;

    assert(table->count <= TABLE_ROWS_MAX);
    for (size_t i = 0; i < table->count; i++) {
        names[i] = table->rows[i].key;
        if (table->rows[i].type != RC_BIND_IGNORED && used < sizeof all) {
            int n = snprintf(all + used, sizeof all - used, "%s%s", used ? ", " : "", names[i]);
            used += n > 0 ? (size_t)n : 0;
        }
    }
    near = rc_bind_nearest(v->key, names, table->count);
    if (near) {
        rc_load_error_key(b->errs, b->file, v, "unknown key; did you mean \"%s\"?", near);
    } else {
        rc_load_error_key(b->errs, b->file, v, "unknown key; known here: %.300s", all);
    }
}

static void
set_count(const struct rc_bind_row *row, char *out, uint32_t count)
{
    memcpy(out + row->count_offset, &count, sizeof count);
}

static bool
is_list_ok(struct rc_bind *b, const struct rc_bind_row *row, const struct rc_jsonc_value *v)
{
    enum rc_jsonc_type wanted = row->type == RC_BIND_MAP ? RC_JSONC_OBJECT : RC_JSONC_ARRAY;
    char what[RC_JSONC_PATH_LEN];

    rc_bind_what(row, what, sizeof what);
    if (v->type != wanted) {
        rc_bind_expected(b, v, what);
        return false;
    }
    if (v->count < (uint64_t)row->min || v->count > (uint64_t)row->max) {
        rc_load_error(b->errs, b->file, v, "expected %s, got %u", what, (unsigned)v->count);
        return false;
    }
    return true;
}

/* A pair of a map: its key and its value are bound as two texts of the element. */
static void
bind_pair(struct rc_bind *b, const struct rc_bind_table *sub, const struct rc_jsonc_value *v,
          char *element)
{
    struct rc_jsonc_value key = *v;

    key.type = RC_JSONC_STRING;
    key.text = v->key;
    key.line = v->key_line;
    key.column = v->key_column;
    rc_bind_scalar(b, &sub->rows[0], &key, element);
    rc_bind_scalar(b, &sub->rows[1], v, element);
    if (sub->check) {
        sub->check(b, v, element);
    }
}

static void
bind_list(struct rc_bind *b, const struct rc_bind_row *row, const struct rc_jsonc_value *v,
          char *out)
{
    struct rc_bind_row element = *row;
    char *at = out + row->offset;

    if (!is_list_ok(b, row, v)) {
        return;
    }
    element.type = RC_BIND_TEXT;
    element.offset = 0;
    element.min = 1;
    for (const struct rc_jsonc_value *c = v->first; c; c = c->next, at += row->room) {
        if (row->type == RC_BIND_TEXTS) {
            rc_bind_scalar(b, &element, c, at);
        } else if (row->type == RC_BIND_MAP) {
            bind_pair(b, row->sub, c, at);
        } else {
            rc_bind_object(b, row->sub, c, at);
        }
    }
    set_count(row, out, v->count);
}

static void
bind_row(struct rc_bind *b, const struct rc_bind_row *row, const struct rc_jsonc_value *v,
         char *out)
{
    switch (row->type) {
    case RC_BIND_OBJECT:
        rc_bind_object(b, row->sub, v, out + row->offset);
        break;
    case RC_BIND_OBJECTS:
    case RC_BIND_TEXTS:
    case RC_BIND_MAP:
        bind_list(b, row, v, out);
        break;
    case RC_BIND_UINT32:
    case RC_BIND_UINT64:
    case RC_BIND_DURATION:
    case RC_BIND_BOOL:
    case RC_BIND_SHARE:
    case RC_BIND_MODE:
    case RC_BIND_TEXT:
    case RC_BIND_NAME:
    case RC_BIND_PATH:
    case RC_BIND_ENUM:
    case RC_BIND_MASK:
    case RC_BIND_IGNORED:
        rc_bind_scalar(b, row, v, out);
        break;
    }
}

static void
bind_missing(struct rc_bind *b, const struct rc_bind_row *row, const struct rc_jsonc_value *parent,
             char *out)
{
    if (!row->fallback) {
        if (parent) {
            rc_load_error(b->errs, b->file, parent, "\"%s\" is missing: %s", row->key, row->help);
        }
    } else if (row->type == RC_BIND_OBJECT) {
        rc_bind_object(b, row->sub, NULL, out + row->offset);
    } else {
        rc_bind_default(b, row, out);
    }
}

void
rc_bind_object(struct rc_bind *b, const struct rc_bind_table *table, const struct rc_jsonc_value *v,
               void *out)
{
    uint32_t errors_before = b->errs->count;

    if (v && v->type != RC_JSONC_OBJECT) {
        rc_bind_expected(b, v, "an object {…}");
        return;
    }
    /* First in the order of the file, so that complaints are too. */
    for (const struct rc_jsonc_value *c = v ? v->first : NULL; c; c = c->next) {
        const struct rc_bind_row *row = find_key_row(table, c->key);
        if (row) {
            bind_row(b, row, c, out);
        } else {
            refuse_unknown_key(b, table, c);
        }
    }
    for (size_t i = 0; i < table->count; i++) {
        if (!v || !rc_jsonc_get(v, table->rows[i].key)) {
            bind_missing(b, &table->rows[i], v, out);
        }
    }
    /* What is between keys can only be judged when each is right in itself. */
    if (v && table->check && b->errs->count == errors_before) {
        table->check(b, v, out);
    }
}
