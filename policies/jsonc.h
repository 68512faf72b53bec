/* jsonc.h - a strict reader for JSON with comments that keeps the position of every value.
 *
 * Used by the policy loader and by the daemon's configuration. JSON as in RFC 8259, plus
 * line comments and block comments. Refused: trailing commas, keys given twice, bytes that
 * are not UTF-8, NUL (also as \u0000), numbers that are not whole or do not fit in 64 bits,
 * depth over RC_JSONC_DEPTH_MAX, text over RC_JSONC_BYTES_MAX.
 *
 * cJSON keeps no positions, so a complaint could not say which line it means; that is why
 * these two loaders have a reader of their own.
 *
 * Failure: the reader stops at its first syntax error; what reads the values afterwards
 * goes on and collects all complaints. */
#ifndef RC_JSONC_H
#define RC_JSONC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "reconciler/core/errors.h"

enum {
    RC_JSONC_DEPTH_MAX = 16,
    RC_JSONC_BYTES_MAX = 1024 * 1024,
    RC_JSONC_PATH_LEN = 160, /* "rules[12].ladder[1].timeout" */
    RC_LOAD_ERRORS_MAX = 50, /* kept; more are counted */
    RC_LOAD_ERROR_LEN = 512,
};

/* The complaints about one file, in the order of the file. Plain value, zeroed first.
 * A line is "FILE:LINE:COLUMN: key.path: expected …, got …", without a newline;
 * ":LINE:COLUMN" is left out when the file as a whole is meant. */
struct rc_load_errors {
    uint32_t count; /* found; line[] holds the first RC_LOAD_ERRORS_MAX */
    char line[RC_LOAD_ERRORS_MAX][RC_LOAD_ERROR_LEN];
};

enum rc_jsonc_type {
    RC_JSONC_NULL,
    RC_JSONC_BOOL,
    RC_JSONC_NUMBER,
    RC_JSONC_STRING,
    RC_JSONC_ARRAY,
    RC_JSONC_OBJECT
};

struct rc_jsonc_value {
    enum rc_jsonc_type type;
    uint32_t line;   /* of the value's first byte, from 1 */
    uint32_t column; /* in characters, from 1 */
    uint32_t key_line;
    uint32_t key_column;
    uint32_t index;   /* place in its array or object, from 0 */
    uint32_t count;   /* children of an array or object */
    int64_t number;   /* NUMBER; BOOL: 0 or 1 */
    const char *key;  /* NULL for array elements and for the root */
    const char *text; /* STRING: unescaped, NUL-terminated; NUMBER: as written */
    const struct rc_jsonc_value *parent;
    struct rc_jsonc_value *first; /* first child */
    struct rc_jsonc_value *next;  /* next in the same array or object */
};

struct rc_jsonc; /* owns all values and strings of one file */

/* Reads text[0..len). file is only for messages. RC_OK: *ret is the caller's, to be freed
 * with rc_jsonc_free(). Otherwise RC_E_PARSE, RC_E_TOO_LARGE or RC_E_INTERNAL (no memory),
 * with one line added to errs and *ret untouched. */
enum rc_err rc_jsonc_read(const char *file, const char *text, size_t len, struct rc_jsonc **ret,
                          struct rc_load_errors *errs);
void rc_jsonc_free(struct rc_jsonc *doc); /* NULL is fine */
/* Borrowed until rc_jsonc_free(). */
struct rc_jsonc_value *rc_jsonc_root(const struct rc_jsonc *doc);
const char *rc_jsonc_file(const struct rc_jsonc *doc);

/* Child with this key, or NULL. */
struct rc_jsonc_value *rc_jsonc_get(const struct rc_jsonc_value *object, const char *key);
/* "rules[2].jobs.wait"; "" for the root. */
void rc_jsonc_path(const struct rc_jsonc_value *v, char *buf, size_t room);
/* How a person would call it: "\"x\"", "12", "an object". */
void rc_jsonc_show(const struct rc_jsonc_value *v, char *buf, size_t room);

/* Adds "FILE:LINE:COLUMN: PATH: <message>"; v may be NULL (whole file). */
void rc_load_error(struct rc_load_errors *errs, const char *file, const struct rc_jsonc_value *v,
                   const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same at the place of v's key. */
void rc_load_error_key(struct rc_load_errors *errs, const char *file,
                       const struct rc_jsonc_value *v, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Opens for reading. A FIFO that nobody writes reads as empty: it is told, not waited for.
 * NULL with errno. */
FILE *rc_load_open(const char *path);
/* Reads a whole file of at most RC_JSONC_BYTES_MAX bytes: *ret_text is malloc'd with a NUL
 * after *ret_len bytes, the caller frees it. Errors: RC_E_IO, RC_E_TOO_LARGE, RC_E_INTERNAL,
 * with one line in errs. */
enum rc_err rc_load_file(const char *path, char **ret_text, size_t *ret_len,
                         struct rc_load_errors *errs);

#endif
