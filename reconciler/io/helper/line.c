/* line.c - see line.h.
 *
 * The parser walks the text once and writes decoded values over the encoded
 * ones; a value never grows by decoding, so it stays within its own bytes. */
#include "reconciler/io/helper/line.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool
is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool
word_valid(const char *word, size_t len)
{
    if (len == 0 || len > RC_LINE_KEY_MAX || word[0] < 'a' || word[0] > 'z') {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_word_byte(word[i])) {
            return false;
        }
    }
    return true;
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return -1;
}

/* Whole decimal number without sign, blanks or leading zeros. */
static bool
decimal(const char *text, uint64_t *ret)
{
    uint64_t value = 0;

    if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0')) {
        return false;
    }
    for (const char *c = text; *c; c++) {
        uint64_t digit = (uint64_t)(unsigned char)*c - '0';

        if (digit > 9 || value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *ret = value;
    return true;
}

/* Decodes a NUL-terminated value in place; false on a bad escape. */
static bool
value_decode(char *value)
{
    char *to = strchr(value, '%');

    if (!to) {
        return true;
    }
    for (const char *from = to; *from; from++) {
        int high, low;

        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        high = hex_digit(from[1]);
        low = high < 0 ? -1 : hex_digit(from[2]);
        if (low < 0 || (high == 0 && low == 0)) {
            return false;
        }
        *to++ = (char)(high * 16 + low);
        from += 2;
    }
    *to = '\0';
    return true;
}

/* Cuts the next blank-ended token off *rest; NULL at the end. Two blanks in a row
 * give an empty token, which no caller accepts. */
static char *
token_next(char **rest)
{
    char *token = *rest;
    char *blank;

    if (!token) {
        return NULL;
    }
    blank = strchr(token, ' ');
    if (blank) {
        *blank++ = '\0';
    }
    *rest = blank;
    return token;
}

static enum rc_err
parse_field(char *token, struct rc_line *line, struct rc_error *e)
{
    char *value = strchr(token, '=');
    uint32_t n = line->field_count;

    if (!value || !word_valid(token, (size_t)(value - token))) {
        return rc_fail(e, RC_E_PARSE, "field %u is not key=value", n + 1);
    }
    *value++ = '\0';
    if (n == RC_LINE_FIELDS_MAX) {
        return rc_fail(e, RC_E_TOO_LARGE, "more than %d fields", RC_LINE_FIELDS_MAX);
    }
    if (rc_line_get(line, token)) {
        return rc_fail(e, RC_E_PARSE, "%s stands twice", token);
    }
    if (!value_decode(value)) {
        return rc_fail(e, RC_E_PARSE, "%s has a bad %%XX", token);
    }
    line->field[n] = (struct rc_field){.key = token, .value = value};
    line->field_count = n + 1;
    return RC_OK;
}

static enum rc_err
parse_head(char **rest, struct rc_line *line, struct rc_error *e)
{
    const char *first = token_next(rest);
    const char *second = token_next(rest);

    if (!first || !second) {
        return rc_fail(e, RC_E_PARSE, "a line begins with a number and a word");
    }
    if (strcmp(first, "hello") == 0) {
        if (!decimal(second, &line->version)) {
            return rc_fail(e, RC_E_PARSE, "hello without a version number");
        }
        line->word = first;
        return RC_OK;
    }
    if (!decimal(first, &line->seq) || line->seq == 0) {
        return rc_fail(e, RC_E_PARSE, "the line begins with no request number");
    }
    if (!word_valid(second, strlen(second)) || strcmp(second, "hello") == 0) {
        return rc_fail(e, RC_E_PARSE, "no word after request number %" PRIu64, line->seq);
    }
    line->word = second;
    return RC_OK;
}

enum rc_err
rc_line_parse(char *text, size_t len, struct rc_line *ret, struct rc_error *e)
{
    char *rest = text;
    enum rc_err err;

    assert(text && ret);
    ret->seq = 0;
    ret->version = 0;
    ret->word = NULL;
    ret->field_count = 0;
    if (len > 0 && text[len - 1] == '\n') {
        len--;
    }
    if (len >= RC_LINE_MAX) {
        return rc_fail(e, RC_E_TOO_LARGE, "a line of %zu bytes", len);
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e) {
            return rc_fail(e, RC_E_PARSE, "byte 0x%02x at %zu", (unsigned char)text[i], i);
        }
    }
    text[len] = '\0';
    err = parse_head(&rest, ret, e);
    while (err == RC_OK && rest) {
        err = parse_field(token_next(&rest), ret, e);
    }
    return err;
}

const char *
rc_line_get(const struct rc_line *line, const char *key)
{
    for (uint32_t i = 0; i < line->field_count; i++) {
        if (strcmp(line->field[i].key, key) == 0) {
            return line->field[i].value;
        }
    }
    return NULL;
}

const char *
rc_line_text(const struct rc_line *line, const char *key, const char *fallback)
{
    const char *value = rc_line_get(line, key);

    return value ? value : fallback;
}

bool
rc_line_u64(const struct rc_line *line, const char *key, uint64_t *ret)
{
    const char *value = rc_line_get(line, key);

    return value && decimal(value, ret);
}

bool
rc_line_i64(const struct rc_line *line, const char *key, int64_t *ret)
{
    const char *value = rc_line_get(line, key);
    uint64_t magnitude;

    if (!value) {
        return false;
    }
    if (value[0] != '-') {
        if (!decimal(value, &magnitude) || magnitude > INT64_MAX) {
            return false;
        }
        *ret = (int64_t)magnitude;
        return true;
    }
    if (!decimal(value + 1, &magnitude) || magnitude == 0 || magnitude > INT64_MAX) {
        return false;
    }
    *ret = -(int64_t)magnitude;
    return true;
}

uint64_t
rc_line_number(const struct rc_line *line, const char *key, uint64_t max, uint64_t fallback)
{
    uint64_t value;

    return rc_line_u64(line, key, &value) && value <= max ? value : fallback;
}

static void
out_bytes(struct rc_line_out *out, const char *bytes, size_t len)
{
    if (out->failed || len > out->room - out->len) {
        out->failed = true;
        return;
    }
    memcpy(out->buf + out->len, bytes, len);
    out->len += len;
}

void
rc_line_begin(struct rc_line_out *out, char *buf, size_t room, uint64_t seq, const char *word)
{
    char head[RC_LINE_KEY_MAX + 32];

    out->buf = buf;
    out->room = room < RC_LINE_MAX ? room : RC_LINE_MAX;
    out->len = 0;
    out->failed = false;
    if (seq == 0) {
        (void)snprintf(head, sizeof head, "hello %d", RC_LINE_VERSION);
    } else {
        out->failed = !word_valid(word, strlen(word));
        (void)snprintf(head, sizeof head, "%" PRIu64 " %.*s", seq, RC_LINE_KEY_MAX, word);
    }
    out_bytes(out, head, strlen(head));
}

static bool
is_plain(char c)
{
    return c > 0x20 && c < 0x7f && c != '%';
}

void
rc_line_put(struct rc_line_out *out, const char *key, const char *value)
{
    static const char hex[] = "0123456789ABCDEF";

    if (!word_valid(key, strlen(key))) {
        out->failed = true;
    }
    out_bytes(out, " ", 1);
    out_bytes(out, key, strlen(key));
    out_bytes(out, "=", 1);
    while (value && *value) {
        size_t plain = 0;

        while (is_plain(value[plain])) {
            plain++;
        }
        out_bytes(out, value, plain);
        value += plain;
        if (*value) {
            unsigned char byte = (unsigned char)*value++;
            const char escaped[3] = {'%', hex[byte >> 4], hex[byte & 15]};

            out_bytes(out, escaped, sizeof escaped);
        }
    }
}

void
rc_line_put_u64(struct rc_line_out *out, const char *key, uint64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    rc_line_put(out, key, text);
}

void
rc_line_put_i64(struct rc_line_out *out, const char *key, int64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" PRId64, value);
    rc_line_put(out, key, text);
}

size_t
rc_line_end(struct rc_line_out *out)
{
    out_bytes(out, "\n", 1);
    return out->failed ? 0 : out->len;
}
