/* line.h - one line of the helper protocol: encode and decode.
 *
 * A line is printable ASCII ended by LF, fields separated by one blank:
 *
 *     hello <version> [key=value …]        the helper's first line
 *     <seq> <word> [key=value …]           request, row, "ok" or "err"
 *
 * seq is decimal without leading zeros, 1 … 2^64-1. Words and keys are
 * [a-z][a-z0-9_-]*, at most RC_LINE_KEY_MAX bytes; a key stands once a line. Values
 * are percent-encoded: bytes <= 0x20, >= 0x7f and '%' are %XX. A value may be
 * empty; %00 is refused, so that every value is a C string.
 *
 * Pure: no allocation, no I/O. Any bytes may be parsed; a bad line gives
 * RC_E_PARSE or RC_E_TOO_LARGE and says why and where. */
#ifndef RC_LINE_H
#define RC_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reconciler/io/fail.h"

enum {
    RC_LINE_VERSION = 1,     /* of the protocol, in hello */
    RC_LINE_MAX = 256 << 10, /* bytes in a line, LF included */
    RC_LINE_FIELDS_MAX = 32,
    RC_LINE_KEY_MAX = 32,
};

struct rc_field {
    const char *key;
    const char *value; /* decoded, NUL-terminated */
};

/* A parsed line. Its strings point into the buffer that was parsed. */
struct rc_line {
    uint64_t seq;     /* 0 for hello */
    uint64_t version; /* hello only */
    const char *word; /* "hello", verb, row kind, "ok" or "err" */
    uint32_t field_count;
    struct rc_field field[RC_LINE_FIELDS_MAX];
};

/* Parses text[0 … len) in place (a closing LF may stand or be left out; the
 * buffer needs room for one byte more, for a NUL) and fills *ret. On an error
 * *ret is unusable and *e (may be NULL) tells what is wrong. */
enum rc_err rc_line_parse(char *text, size_t len, struct rc_line *ret, struct rc_error *e);

/* The value of a key; NULL (or fallback) when the key is missing. */
const char *rc_line_get(const struct rc_line *line, const char *key);
const char *rc_line_text(const struct rc_line *line, const char *key, const char *fallback);
/* Whole decimal values; false when the key is missing or its value is no such number. */
bool rc_line_u64(const struct rc_line *line, const char *key, uint64_t *ret);
bool rc_line_i64(const struct rc_line *line, const char *key, int64_t *ret);
/* The number, or fallback when it is missing, unreadable or over max. */
uint64_t rc_line_number(const struct rc_line *line, const char *key, uint64_t max,
                        uint64_t fallback);

/* A line being written into the caller's buffer. A field that does not fit
 * makes the whole line unusable: rc_line_end() then returns 0. */
struct rc_line_out {
    char *buf;
    size_t room;
    size_t len;
    bool failed;
};

/* seq 0 begins a hello line of RC_LINE_VERSION (word is then not used). */
void rc_line_begin(struct rc_line_out *out, char *buf, size_t room, uint64_t seq, const char *word);
/* value NULL writes an empty value. The caller never writes a key twice. */
void rc_line_put(struct rc_line_out *out, const char *key, const char *value);
void rc_line_put_u64(struct rc_line_out *out, const char *key, uint64_t value);
void rc_line_put_i64(struct rc_line_out *out, const char *key, int64_t value);
/* Ends the line with LF. Bytes in buf (LF included, no NUL), or 0 when the line
 * did not fit into room or RC_LINE_MAX, or a word or key was not well formed. */
size_t rc_line_end(struct rc_line_out *out);

#endif
