/* decode_scan.c - the grammar of RFC 8259, read strictly; see decode_json.c.
 *
 * Refused, with the byte where it goes wrong: what the grammar does not allow,
 * bytes that are not UTF-8, control characters and NUL in strings, halves of
 * surrogate pairs, and texts over a limit of depth, values or digits. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "handlers/decode/decode_internal.h"

/* cJSON reads a number through a buffer of 64 bytes. */
enum { NUMBER_LEN_MAX = 40 };

struct scan {
    const unsigned char *start, *at, *end;
    uint32_t depth;
    size_t values;
    char *why;
};

static bool scan_value(struct scan *s);

static bool scan_wrong(struct scan *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool
scan_wrong(struct scan *s, const char *fmt, ...)
{
    va_list ap;
    int len = snprintf(s->why, RC_DECODE_WHY_LEN, "byte %zu: ", (size_t)(s->at - s->start));

    va_start(ap, fmt);
    vsnprintf(s->why + len, (size_t)(RC_DECODE_WHY_LEN - len), fmt, ap);
    va_end(ap);
    return false;
}

static int
scan_peek(const struct scan *s)
{
    return s->at < s->end ? *s->at : -1;
}

static void
scan_blanks(struct scan *s)
{
    while (s->at < s->end &&
           (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r')) {
        s->at++;
    }
}

static int
scan_hex_digit(int c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The value of the \uXXXX at this offset; -1 when there is none. */
static int
scan_unit(const struct scan *s, size_t offset)
{
    int unit = 0;

    if ((size_t)(s->end - s->at) < offset + 6 || s->at[offset] != '\\' ||
        s->at[offset + 1] != 'u') {
        return -1;
    }
    for (size_t i = offset + 2; i < offset + 6; i++) {
        int digit = scan_hex_digit(s->at[i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool
scan_unicode_escape(struct scan *s)
{
    int unit = scan_unit(s, 0);

    if (unit < 0) {
        return scan_wrong(s, "expected four hex digits after \\u");
    }
    if (unit == 0) {
        return scan_wrong(s, "a string holds a NUL");
    }
    if (unit >= 0xd800 && unit <= 0xdfff) {
        int low = scan_unit(s, 6);
        if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff) {
            return scan_wrong(s, "half of a surrogate pair");
        }
        s->at += 6;
    }
    s->at += 6;
    return true;
}

static bool
scan_escape(struct scan *s)
{
    int c = s->end - s->at > 1 ? s->at[1] : -1;

    if (c == 'u') {
        return scan_unicode_escape(s);
    }
    if (c <= 0 || !strchr("\"\\/bfnrt", c)) {
        return scan_wrong(s, "unknown escape in a string");
    }
    s->at += 2;
    return true;
}

/* One character of more than one byte; no overlong forms, no surrogates. */
static bool
scan_utf8(struct scan *s)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = *s->at;
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    uint32_t rune = first & (0xffU >> (len + 1));

    if (first < 0xc2 || first > 0xf4 || (size_t)(s->end - s->at) < len) {
        return scan_wrong(s, "not UTF-8");
    }
    for (size_t i = 1; i < len; i++) {
        if ((s->at[i] & 0xc0) != 0x80) {
            return scan_wrong(s, "not UTF-8");
        }
        rune = (rune << 6) | (s->at[i] & 0x3fU);
    }
    if (rune < least[len] || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff)) {
        return scan_wrong(s, "not UTF-8");
    }
    s->at += len;
    return true;
}

static bool
scan_string(struct scan *s)
{
    s->at++;
    while (s->at < s->end) {
        unsigned char c = *s->at;

        if (c == '"') {
            s->at++;
            return true;
        }
        if (c < 0x20) {
            return scan_wrong(s, "control character 0x%02x in a string", c);
        }
        if (c == '\\') {
            if (!scan_escape(s)) {
                return false;
            }
        } else if (c < 0x80) {
            s->at++;
        } else if (!scan_utf8(s)) {
            return false;
        }
    }
    return scan_wrong(s, "the text ends inside a string");
}

static bool
scan_digits(struct scan *s)
{
    const unsigned char *first = s->at;

    while (s->at < s->end && *s->at >= '0' && *s->at <= '9') {
        s->at++;
    }
    return s->at > first || scan_wrong(s, "expected a digit");
}

static bool
scan_number(struct scan *s)
{
    const unsigned char *first = s->at;

    if (*s->at == '-') {
        s->at++;
    }
    if (scan_peek(s) == '0') {
        s->at++;
    } else if (!scan_digits(s)) {
        return false;
    }
    if (scan_peek(s) == '.') {
        s->at++;
        if (!scan_digits(s)) {
            return false;
        }
    }
    if (scan_peek(s) == 'e' || scan_peek(s) == 'E') {
        s->at++;
        if (scan_peek(s) == '+' || scan_peek(s) == '-') {
            s->at++;
        }
        if (!scan_digits(s)) {
            return false;
        }
    }
    return s->at - first <= NUMBER_LEN_MAX ||
           scan_wrong(s, "a number of over %d characters", NUMBER_LEN_MAX);
}

static bool
scan_word(struct scan *s, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0) {
        return scan_wrong(s, "expected a value");
    }
    s->at += len;
    return true;
}

/* A key with its colon. */
static bool
scan_key(struct scan *s)
{
    scan_blanks(s);
    if (scan_peek(s) != '"') {
        return scan_wrong(s, "expected a key in quotes");
    }
    if (!scan_string(s)) {
        return false;
    }
    scan_blanks(s);
    if (scan_peek(s) != ':') {
        return scan_wrong(s, "expected ':' after a key");
    }
    s->at++;
    return true;
}

/* An object or an array: the same list but for the keys and the closing mark. */
static bool
scan_list(struct scan *s, bool keys)
{
    int close = keys ? '}' : ']';

    s->at++;
    if (++s->depth > RC_DECODE_DEPTH_MAX) {
        return scan_wrong(s, "nested more than %d deep", RC_DECODE_DEPTH_MAX);
    }
    scan_blanks(s);
    if (scan_peek(s) == close) {
        s->at++;
        s->depth--;
        return true;
    }
    for (;;) {
        if ((keys && !scan_key(s)) || !scan_value(s)) {
            return false;
        }
        scan_blanks(s);
        int c = scan_peek(s);
        if (c < 0) {
            return scan_wrong(s, "the text ends too early");
        }
        if (c != ',' && c != close) {
            return scan_wrong(s, "expected ',' or '%c'", close);
        }
        s->at++;
        if (c == close) {
            s->depth--;
            return true;
        }
    }
}

static bool
scan_value(struct scan *s)
{
    scan_blanks(s);
    if (++s->values > RC_DECODE_VALUES_MAX) {
        return scan_wrong(s, "more than %d values", RC_DECODE_VALUES_MAX);
    }
    switch (scan_peek(s)) {
    case -1:
        return scan_wrong(s, "the text ends too early");
    case '{':
        return scan_list(s, true);
    case '[':
        return scan_list(s, false);
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    default:
        if (*s->at == '-' || (*s->at >= '0' && *s->at <= '9')) {
            return scan_number(s);
        }
        return scan_wrong(s, "expected a value");
    }
}

bool
rc_decode_scan(const char *text, size_t len, size_t *ret_values, char why[RC_DECODE_WHY_LEN])
{
    const unsigned char *bytes = (const unsigned char *)text;
    struct scan s = {.start = bytes, .at = bytes, .end = bytes + len, .why = why};

    if (!scan_value(&s)) {
        return false;
    }
    scan_blanks(&s);
    *ret_values = s.values;
    return s.at == s.end || scan_wrong(&s, "text after the end of the value");
}
