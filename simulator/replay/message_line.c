/* message_line.c - see message_line.h. The bodies themselves are judged by the decoders. */
#include "simulator/replay/message_line.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "reconciler/core/text.h"
#include "reconciler/io/aws/aws_time.h"

enum { NESTED_MAX = 64 };

static const int64_t arrival_min = 946684800000;  /* 2000-01-01 */
static const int64_t arrival_max = 4102444800000; /* 2100-01-01 */

struct scan {
    char *at, *end;
    const char *why;
    const char *key; /* whose value is wrong; NULL = none */
    size_t key_len;
};

static bool
no_line(struct scan *s, const char *why)
{
    s->why = why;
    return false;
}

static void
blanks(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r')) {
        s->at++;
    }
}

static bool
is_next(struct scan *s, char c)
{
    blanks(s);
    if (s->at < s->end && *s->at == c) {
        s->at++;
        return true;
    }
    return false;
}

static int
hex_of_escape(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
four_hex(struct scan *s, uint32_t *ret)
{
    uint32_t v = 0;

    if (s->end - s->at < 4) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        int digit = hex_of_escape(*s->at++);
        if (digit < 0) {
            return false;
        }
        v = v << 4 | (uint32_t)digit;
    }
    *ret = v;
    return true;
}

static char *
put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    return to;
}

/* Behind \u. What is written is never longer than what was read. */
static bool
unicode_escape(struct scan *s, char **to)
{
    uint32_t c, low;

    if (!four_hex(s, &c)) {
        return no_line(s, "expected four hex digits after \\u");
    }
    if (c >= 0xd800 && c < 0xdc00) {
        if (s->end - s->at < 6 || s->at[0] != '\\' || s->at[1] != 'u') {
            return no_line(s, "half of a surrogate pair");
        }
        s->at += 2;
        if (!four_hex(s, &low) || low < 0xdc00 || low > 0xdfff) {
            return no_line(s, "half of a surrogate pair");
        }
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    } else if (c >= 0xdc00 && c <= 0xdfff) {
        return no_line(s, "half of a surrogate pair");
    }
    *to = put_utf8(*to, c);
    return true;
}

static bool
one_escape(struct scan *s, char **to)
{
    static const char into[UCHAR_MAX + 1] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    char c = s->at < s->end ? *s->at++ : '\0';

    if (c == 'u') {
        return unicode_escape(s, to);
    }
    if (!into[(unsigned char)c]) {
        return no_line(s, "an unknown escape in a string");
    }
    *(*to)++ = into[(unsigned char)c];
    return true;
}

/* Stands on the quote. */
static bool
read_string(struct scan *s, char **ret, size_t *ret_len)
{
    if (!is_next(s, '"')) {
        return no_line(s, "expected a string");
    }
    char *to = s->at;
    *ret = to;
    while (s->at < s->end) {
        char c = *s->at++;
        if (c == '"') {
            *ret_len = (size_t)(to - *ret);
            return true;
        }
        if ((unsigned char)c < 0x20) {
            return no_line(s, "a control character in a string");
        }
        if (c != '\\') {
            *to++ = c;
        } else if (!one_escape(s, &to)) {
            return false;
        }
    }
    return no_line(s, "the line ends inside a string");
}

static bool
skip_string(struct scan *s)
{
    for (s->at++; s->at < s->end; s->at++) {
        if (*s->at == '\\') {
            s->at++;
        } else if (*s->at == '"') {
            s->at++;
            return true;
        }
    }
    return no_line(s, "the line ends inside a string");
}

/* An object or a list: to the bracket that closes it. */
static bool
skip_nested(struct scan *s)
{
    char open[NESTED_MAX];
    unsigned depth = 0;

    while (s->at < s->end) {
        char c = *s->at;
        if (c == '"') {
            if (!skip_string(s)) {
                return false;
            }
            continue;
        }
        s->at++;
        if (c == '{' || c == '[') {
            if (depth == NESTED_MAX) {
                return no_line(s, "nested too deeply");
            }
            open[depth++] = c == '{' ? '}' : ']';
        } else if (c == '}' || c == ']') {
            if (!depth || open[--depth] != c) {
                return no_line(s, "brackets do not match");
            }
            if (!depth) {
                return true;
            }
        }
    }
    return no_line(s, "the line ends inside an object or list");
}

static bool
skip_value(struct scan *s)
{
    blanks(s);
    if (s->at == s->end) {
        return no_line(s, "expected a value");
    }
    if (*s->at == '"') {
        return skip_string(s);
    }
    if (*s->at == '{' || *s->at == '[') {
        return skip_nested(s);
    }
    size_t len = strcspn(s->at, ",} \t\r");
    s->at += len;
    return len ? true : no_line(s, "expected a value");
}

/* As a person writes it: "2026-10-01T00:00:00Z". */
static bool
read_date(struct scan *s, int64_t *ret)
{
    char *text;
    size_t len;

    if (!read_string(s, &text, &len)) {
        return false;
    }
    text[len] = '\0'; /* there stood the quote, or what came before it */
    return rc_aws_time_iso(text, ret);
}

static bool
read_unix_ms(struct scan *s, int64_t *ret)
{
    int64_t v = 0;
    int digits = 0;

    for (; s->at < s->end && *s->at >= '0' && *s->at <= '9' && digits < 16; s->at++, digits++) {
        v = v * 10 + (*s->at - '0');
    }
    *ret = v;
    return digits && (s->at == s->end || strchr(",} \t\r", *s->at));
}

static bool
read_arrival(struct scan *s, int64_t *ret)
{
    blanks(s);
    bool is_date = s->at < s->end && *s->at == '"';
    bool good = is_date ? read_date(s, ret) : read_unix_ms(s, ret);
    if (!good || *ret < arrival_min || *ret > arrival_max) {
        return no_line(s, "expected whole Unix milliseconds, or a date as "
                          "\"2026-10-01T00:00:00Z\", between 2000 and 2100");
    }
    return true;
}

static bool
read_body(struct scan *s, struct rc_message_line *ret)
{
    char *text;

    blanks(s);
    if (s->at < s->end && *s->at == '{') {
        ret->body = s->at;
        if (!skip_nested(s)) {
            return false;
        }
        ret->len = (size_t)(s->at - ret->body);
        return true;
    }
    if (s->at == s->end || *s->at != '"') {
        return no_line(s, "expected a string, or an object");
    }
    if (!read_string(s, &text, &ret->len)) {
        return false;
    }
    ret->body = text;
    return true;
}

static bool
read_member_value(struct scan *s, const char *key, size_t len, struct rc_message_line *ret)
{
    if (len == 7 && memcmp(key, "arrival", 7) == 0) {
        return ret->arrival_ms ? no_line(s, "given twice") : read_arrival(s, &ret->arrival_ms);
    }
    if (len == 4 && memcmp(key, "body", 4) == 0) {
        return ret->body ? no_line(s, "given twice") : read_body(s, ret);
    }
    return skip_value(s);
}

static bool
read_member(struct scan *s, struct rc_message_line *ret)
{
    char *key;
    size_t len;

    if (!read_string(s, &key, &len)) {
        return false;
    }
    if (!is_next(s, ':')) {
        return no_line(s, "expected : after the key");
    }
    if (!read_member_value(s, key, len, ret)) {
        s->key = key;
        s->key_len = len;
        return false;
    }
    return true;
}

/* Keys are others': of a strange one only what can be printed. */
static void
write_why(const struct scan *s, struct rc_message_line *ret)
{
    char key[41] = "";
    size_t len = s->key_len < sizeof key - 1 ? s->key_len : sizeof key - 1;

    if (s->key) {
        memcpy(key, s->key, len);
        rc_text_printable(key);
    }
    snprintf(ret->why, sizeof ret->why, "%s%s%s", key, s->key ? ": " : "", s->why);
}

bool
rc_message_line_parse(char *line, size_t len, struct rc_message_line *ret)
{
    struct scan s = {.at = line, .end = line + len};

    memset(ret, 0, sizeof *ret);
    line[len] = '\0';
    bool good = is_next(&s, '{') || no_line(&s, "expected {\"arrival\": MS, \"body\": \"TEXT\"}");
    bool more = good && !is_next(&s, '}');
    while (good && more) {
        good = read_member(&s, ret);
        more = good && is_next(&s, ',');
        if (good && !more && !is_next(&s, '}')) {
            good = no_line(&s, s.at == s.end ? "the line ends too early" : "expected , or }");
        }
    }
    blanks(&s);
    if (good && s.at != s.end) {
        good = no_line(&s, "text behind the object");
    }
    if (good && !ret->arrival_ms) {
        good = no_line(&s, "arrival is missing");
    }
    if (good && !ret->body) {
        good = no_line(&s, "body is missing");
    }
    if (!good) {
        write_why(&s, ret);
    }
    return good;
}
