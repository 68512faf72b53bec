/* bind_schema.c - a key table as JSON Schema (draft 7), for editors.
 *
 * The schema says what the table says: types, limits, names, defaults, help. What must hold
 * between keys is not in it; `reconcilectl policy check` knows that too. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/bind_scalar.h"

struct text {
    char *data;
    size_t len;
    size_t room;
    bool is_broken; /* no memory: everything after is dropped */
};

static void write_object(struct text *t, const struct rc_bind_table *table, int indent);

static void
put_bytes(struct text *t, const char *data, size_t len)
{
    if (t->len + len + 1 > t->room && !t->is_broken) {
        size_t room = (t->room + len) * 2 + 1024;
        char *bigger = realloc(t->data, room);
        if (bigger) {
            t->data = bigger;
            t->room = room;
        } else {
            t->is_broken = true;
        }
    }
    if (!t->is_broken) {
        memcpy(t->data + t->len, data, len);
        t->len += len;
        t->data[t->len] = '\0';
    }
}

static void __attribute__((format(printf, 2, 3))) put(struct text *t, const char *fmt, ...)
{
    char buf[1024];
    va_list ap;
    int n = 0;

    va_start(ap, fmt);
    n = vsnprintf(buf, sizeof buf, fmt, ap);
    va_end(ap);
    put_bytes(t, buf, n < 0 ? 0 : (size_t)n < sizeof buf ? (size_t)n : sizeof buf - 1);
}

static void
put_line(struct text *t, int indent)
{
    put(t, "\n%*s", indent * 2, "");
}

static void
put_quoted(struct text *t, const char *text)
{
    put_bytes(t, "\"", 1);
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\') {
            put_bytes(t, "\\", 1);
        }
        put_bytes(t, p, 1);
    }
    put_bytes(t, "\"", 1);
}

static void
put_enum(struct text *t, const struct rc_bind_names *names)
{
    bool is_first = true;

    put(t, "\"enum\": [");
    for (uint32_t i = names->first; i < names->max; i++) {
        if (names->name(i)) {
            put(t, "%s\"%s\"", is_first ? "" : ", ", names->name(i));
            is_first = false;
        }
    }
    put(t, "]");
}

static void
write_scalar(struct text *t, const struct rc_bind_row *row)
{
    switch (row->type) {
    case RC_BIND_UINT32:
    case RC_BIND_UINT64:
        put(t, "\"type\": \"integer\", \"minimum\": %" PRId64 ", \"maximum\": %" PRId64, row->min,
            row->max);
        break;
    case RC_BIND_DURATION:
        put(t, "\"type\": \"string\", \"pattern\": \"^[0-9]{1,12}(ms|s|m|h|d)$\"");
        break;
    case RC_BIND_BOOL:
        put(t, "\"type\": \"boolean\"");
        break;
    case RC_BIND_SHARE:
        put(t, "\"type\": \"string\", \"pattern\": \"^[0-9]{1,3}([.][0-9])?%%$\"");
        break;
    case RC_BIND_MODE:
        put(t, "\"type\": \"string\", \"pattern\": \"^[0-7]{3,4}$\"");
        break;
    case RC_BIND_NAME:
        put(t, "\"type\": \"string\", \"pattern\": \"^[A-Za-z0-9._-]{%d,%zu}$\"",
            rc_bind_length_min(row), row->room - 1);
        break;
    case RC_BIND_ENUM:
        put_enum(t, row->names);
        break;
    case RC_BIND_MASK:
        put(t, "\"type\": \"array\", \"minItems\": 1, \"uniqueItems\": true, \"items\": {");
        put_enum(t, row->names);
        put(t, "}");
        break;
    case RC_BIND_TEXT:
    case RC_BIND_PATH:
    case RC_BIND_IGNORED:
    case RC_BIND_TEXTS:
    case RC_BIND_MAP:
    case RC_BIND_OBJECT:
    case RC_BIND_OBJECTS:
        put(t, "\"type\": \"string\", \"minLength\": %d, \"maxLength\": %zu",
            rc_bind_length_min(row), row->room - 1);
        break;
    }
}

static void
write_value(struct text *t, const struct rc_bind_row *row, int indent)
{
    if (row->type == RC_BIND_OBJECT) {
        write_object(t, row->sub, indent);
    } else if (row->type == RC_BIND_OBJECTS) {
        put(t, "\"type\": \"array\", \"minItems\": %" PRId64 ", \"maxItems\": %" PRId64 ",",
            row->min, row->max);
        put_line(t, indent);
        put(t, "\"items\": {");
        put_line(t, indent + 1);
        write_object(t, row->sub, indent + 1);
        put_line(t, indent);
        put(t, "}");
    } else if (row->type == RC_BIND_TEXTS) {
        put(t, "\"type\": \"array\", \"maxItems\": %" PRId64 ", \"items\": {", row->max);
        write_scalar(t, row);
        put(t, "}");
    } else if (row->type == RC_BIND_MAP) {
        put(t, "\"type\": \"object\", \"maxProperties\": %" PRId64, row->max);
        put(t, ", \"additionalProperties\": {");
        write_scalar(t, &row->sub->rows[1]);
        put(t, "}");
    } else {
        write_scalar(t, row);
    }
}

static void
write_default(struct text *t, const struct rc_bind_row *row)
{
    bool is_bare =
        row->type == RC_BIND_UINT32 || row->type == RC_BIND_UINT64 || row->type == RC_BIND_BOOL;

    if (!row->fallback || !*row->fallback) {
        return;
    }
    put(t, ", \"default\": ");
    if (is_bare) {
        put(t, "%s", row->fallback);
    } else {
        put_quoted(t, row->fallback);
    }
}

static void
write_required(struct text *t, const struct rc_bind_table *table, int indent)
{
    bool has_any = false;

    for (size_t i = 0; i < table->count; i++) {
        if (!table->rows[i].fallback) {
            put(t, has_any ? ", " : "\"required\": [");
            put_quoted(t, table->rows[i].key);
            has_any = true;
        }
    }
    if (has_any) {
        put(t, "],");
        put_line(t, indent);
    }
}

static void
write_object(struct text *t, const struct rc_bind_table *table, int indent)
{
    put(t, "\"type\": \"object\", \"additionalProperties\": false,");
    put_line(t, indent);
    write_required(t, table, indent);
    put(t, "\"properties\": {");
    for (size_t i = 0; i < table->count; i++) {
        put(t, i ? "," : "");
        put_line(t, indent + 1);
        put_quoted(t, table->rows[i].key);
        put(t, ": {");
        put_line(t, indent + 2);
        put(t, "\"description\": ");
        put_quoted(t, table->rows[i].help);
        write_default(t, &table->rows[i]);
        put(t, ",");
        put_line(t, indent + 2);
        write_value(t, &table->rows[i], indent + 2);
        put_line(t, indent + 1);
        put(t, "}");
    }
    put_line(t, indent);
    put(t, "}");
}

char *
rc_bind_schema(const struct rc_bind_table *table, const char *title)
{
    struct text t = {0};

    put(&t, "{\n  \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n  \"title\": ");
    put_quoted(&t, title);
    put(&t, ",\n  ");
    write_object(&t, table, 1);
    put(&t, "\n}\n");
    if (t.is_broken) {
        free(t.data);
        return NULL;
    }
    return t.data;
}
