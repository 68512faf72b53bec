/* bind.h - from a JSON value to a struct, by a table with one row a key.
 *
 * The table is the only place that knows a key: its type, limits, default and help text. The
 * loader, the JSON Schema and the tests of the guides all read it. A value is checked by its
 * row, an object then by its table's check function; every complaint goes to the error list
 * and binding goes on, so that one run shows all faults of a file. */
#ifndef RC_BIND_H
#define RC_BIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/jsonc.h"

enum rc_bind_type {
    RC_BIND_UINT32,   /* whole number, uint32_t */
    RC_BIND_UINT64,   /* whole number, uint64_t (at most 2^63 - 1) */
    RC_BIND_DURATION, /* "500ms" "90s" "10m" "2h" "7d", int64_t of ms */
    RC_BIND_BOOL,     /* true, false, uint32_t */
    RC_BIND_SHARE,    /* "5%", "0.5%", uint32_t permille */
    RC_BIND_MODE,     /* "0660", uint32_t permission bits */
    RC_BIND_TEXT,     /* printable text, char[room] */
    RC_BIND_NAME,     /* letters, digits, . _ - only, char[room] */
    RC_BIND_PATH,     /* char[room]; relative ones get the folder of the file in front */
    RC_BIND_ENUM,     /* one of names, uint32_t */
    RC_BIND_MASK,     /* list of names, uint64_t with bit 1 << value */
    RC_BIND_OBJECT,   /* sub-table at offset */
    RC_BIND_OBJECTS,  /* list of objects, element size room */
    RC_BIND_TEXTS,    /* list of texts, each char[room] */
    RC_BIND_MAP, /* free keys with text values: sub-table rows "key" and "value", element size room
                  */
    RC_BIND_IGNORED /* any text, not stored */
};

/* Names of an enum; name(i) may be NULL for a value that has none. */
struct rc_bind_names {
    const char *(*name)(uint32_t value);
    uint32_t first; /* values below are not offered */
    uint32_t max;   /* one past the last */
};

struct rc_bind_row {
    const char *key;
    enum rc_bind_type type;
    size_t offset; /* in the struct of the table */
    size_t room;   /* bytes of a text with its NUL; size of an element */
    int64_t min;   /* of the number, of ms, of permille, of list entries, of the text's length */
    int64_t max;   /* a text's maximum is room - 1 */
    const char *fallback; /* as in the file, without quotes; NULL = must be given */
    const struct rc_bind_table *sub;
    const struct rc_bind_names *names;
    size_t count_offset; /* lists: uint32_t that takes the number of entries */
    const char *help;    /* one sentence without full stop */
};

struct rc_bind;
struct rc_bind_table {
    const struct rc_bind_row *rows;
    size_t count;
    /* Checks between keys; v is the object, never NULL. May be NULL. */
    void (*check)(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);
};

struct rc_bind {
    const char *file;
    const char *dir; /* put before relative paths; NULL = leave them */
    struct rc_load_errors *errs;
};

/* Fills out (zeroed by the caller) from v; v NULL takes every default. */
void rc_bind_object(struct rc_bind *b, const struct rc_bind_table *table,
                    const struct rc_jsonc_value *v, void *out);

/* Complains at v: path, then "expected <what>, got <v>". */
void rc_bind_expected(struct rc_bind *b, const struct rc_jsonc_value *v, const char *what);

/* What a row accepts, for messages and guides: "a whole number from 0 to 10". */
void rc_bind_what(const struct rc_bind_row *row, char *buf, size_t room);
/* Of the names, the one closest to text, or NULL when none is near. */
const char *rc_bind_nearest(const char *text, const char *const *names, size_t count);

/* "90s", "10m", "500ms", "2h", "7d" -> ms; false when it is none of these or over 10 years. */
bool rc_duration_parse(const char *text, int64_t *ret_ms);
/* The shortest such form: 600000 -> "10m". */
void rc_duration_show(int64_t ms, char *buf, size_t room);

/* Each key in which two structs of this table differ: its path as messages write it (entries
 * with a name by that: "rules.node-down.confirm"), and both values as a file would say them. */
typedef void rc_bind_differs(void *arg, const char *path, const char *a, const char *b);
void rc_bind_diff(const struct rc_bind_table *table, const void *a, const void *b,
                  rc_bind_differs *fn, void *arg);

/* The table as JSON Schema, draft 7. malloc'd text ending in a newline, or NULL without
 * memory. */
char *rc_bind_schema(const struct rc_bind_table *table, const char *title);

#endif
