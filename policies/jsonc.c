/* jsonc.c - see jsonc.h. A recursive reader over one piece of text; the depth is limited
 * before it recurses. Everything read lives in one arena, freed as a whole. */
#define _GNU_SOURCE
#include "policies/jsonc.h"

#include <stdlib.h>
#include <string.h>

#include "policies/jsonc_scan.h"
#include "policies/utf8.h"

/* Duplicate keys are looked for in a line, so a container's length is bounded. */
enum { ENTRIES_MAX = 4096 };

static bool read_value(struct rc_jsonc_reader *r, struct rc_jsonc_value *v);

static bool
read_key(struct rc_jsonc_reader *r, struct rc_jsonc_value *v)
{
    v->key_line = r->line;
    v->key_column = r->column;
    if (rc_jsonc_peek(r) != '"') {
        return rc_jsonc_refuse(r, RC_E_PARSE, "expected a key in double quotes");
    }
    if (!rc_jsonc_string(r, &v->key) || !rc_jsonc_skip(r)) {
        return false;
    }
    for (const struct rc_jsonc_value *o = v->parent->first; o; o = o->next) {
        if (o->key && o != v && strcmp(o->key, v->key) == 0) {
            rc_load_error_key(r->errs, r->doc->file, v, "this key was already given in line %u",
                              (unsigned)o->key_line);
            r->err = RC_E_PARSE;
            return false;
        }
    }
    if (rc_jsonc_peek(r) != ':') {
        return rc_jsonc_refuse(r, RC_E_PARSE, "expected : after the key");
    }
    rc_jsonc_step(r);
    return rc_jsonc_skip(r);
}

/* After a child: true with *ret_more when another follows. */
static bool
read_separator(struct rc_jsonc_reader *r, char close, bool *ret_more)
{
    struct rc_jsonc_value comma = {.line = r->line, .column = r->column};

    if (!rc_jsonc_is_at_end(r) && *r->at == close) {
        rc_jsonc_step(r);
        *ret_more = false;
        return true;
    }
    if (rc_jsonc_peek(r) != ',') {
        return rc_jsonc_refuse(r, RC_E_PARSE,
                               close == ']' ? "expected , or ] after the element"
                                            : "expected , or } after the value");
    }
    rc_jsonc_step(r);
    if (!rc_jsonc_skip(r)) {
        return false;
    }
    if (!rc_jsonc_is_at_end(r) && *r->at == close) {
        return rc_jsonc_refuse_at(r, &comma, "a comma after the last entry is not allowed");
    }
    *ret_more = true;
    return true;
}

/* Stands on [ or {. */
static bool
read_children(struct rc_jsonc_reader *r, struct rc_jsonc_value *v)
{
    bool is_object = *r->at == '{';
    char close = is_object ? '}' : ']';
    struct rc_jsonc_value **tail = &v->first;
    bool has_more = true;

    if (r->depth == RC_JSONC_DEPTH_MAX) {
        return rc_jsonc_refuse(r, RC_E_TOO_LARGE, "nested too deeply: at most 16 levels");
    }
    v->type = is_object ? RC_JSONC_OBJECT : RC_JSONC_ARRAY;
    r->depth++;
    rc_jsonc_step(r);
    if (!rc_jsonc_skip(r)) {
        return false;
    }
    if (!rc_jsonc_is_at_end(r) && *r->at == close) {
        rc_jsonc_step(r);
        has_more = false;
    }
    while (has_more) {
        struct rc_jsonc_value *child = rc_jsonc_take(r->doc, sizeof *child);
        if (!child) {
            return rc_jsonc_no_memory(r);
        }
        if (v->count == ENTRIES_MAX) {
            return rc_jsonc_refuse(r, RC_E_TOO_LARGE, "more than 4096 entries");
        }
        child->parent = v;
        child->index = v->count++;
        if (is_object && !read_key(r, child)) {
            return false;
        }
        *tail = child;
        tail = &child->next;
        if (!read_value(r, child) || !rc_jsonc_skip(r) || !read_separator(r, close, &has_more)) {
            return false;
        }
    }
    r->depth--;
    return true;
}

static bool
read_value(struct rc_jsonc_reader *r, struct rc_jsonc_value *v)
{
    char c = rc_jsonc_peek(r);

    v->line = r->line;
    v->column = r->column;
    if (c == '{' || c == '[') {
        return read_children(r, v);
    }
    if (c == '"') {
        v->type = RC_JSONC_STRING;
        return rc_jsonc_string(r, &v->text);
    }
    if (c == '-' || c == '.' || c == '+' || (c >= '0' && c <= '9')) {
        return rc_jsonc_number(r, v);
    }
    return rc_jsonc_word(r, v);
}

static bool
read_document(struct rc_jsonc_reader *r)
{
    size_t bad = rc_utf8_check(r->at, (size_t)(r->end - r->at));

    if ((size_t)(r->end - r->at) > RC_JSONC_BYTES_MAX) {
        return rc_jsonc_refuse(r, RC_E_TOO_LARGE, "larger than 1 MiB");
    }
    if (bad < (size_t)(r->end - r->at)) {
        for (const char *stop = r->at + bad; r->at < stop;) {
            rc_jsonc_step(r);
        }
        return rc_jsonc_refuse(r, RC_E_PARSE, "not UTF-8 text");
    }
    r->doc->root = rc_jsonc_take(r->doc, sizeof *r->doc->root);
    if (!r->doc->root) {
        return rc_jsonc_no_memory(r);
    }
    if (!rc_jsonc_skip(r) || !read_value(r, r->doc->root) || !rc_jsonc_skip(r)) {
        return false;
    }
    return rc_jsonc_is_at_end(r) ||
           rc_jsonc_refuse(r, RC_E_PARSE, "something follows after the end of the value");
}

enum rc_err
rc_jsonc_read(const char *file, const char *text, size_t len, struct rc_jsonc **ret,
              struct rc_load_errors *errs)
{
    struct rc_jsonc *doc = calloc(1, sizeof *doc);
    struct rc_jsonc_reader r = {.doc = doc, .errs = errs, .line = 1, .column = 1};

    if (doc) {
        doc->file = strdup(file);
    }
    if (!doc || !doc->file) {
        rc_jsonc_free(doc);
        rc_load_error(errs, file, NULL, "out of memory");
        return RC_E_INTERNAL;
    }
    r.at = text;
    r.end = text + len;
    if (!read_document(&r)) {
        rc_jsonc_free(doc);
        return r.err;
    }
    *ret = doc;
    return RC_OK;
}

void
rc_jsonc_free(struct rc_jsonc *doc)
{
    if (!doc) {
        return;
    }
    for (struct rc_jsonc_block *b = doc->blocks; b;) {
        struct rc_jsonc_block *next = b->next;
        free(b);
        b = next;
    }
    free(doc->file);
    free(doc);
}

struct rc_jsonc_value *
rc_jsonc_root(const struct rc_jsonc *doc)
{
    return doc->root;
}

const char *
rc_jsonc_file(const struct rc_jsonc *doc)
{
    return doc->file;
}

struct rc_jsonc_value *
rc_jsonc_get(const struct rc_jsonc_value *object, const char *key)
{
    for (struct rc_jsonc_value *c = object->first; c; c = c->next) {
        if (c->key && strcmp(c->key, key) == 0) {
            return c;
        }
    }
    return NULL;
}
