/* conf_line.c - see conf_line.h. */
#include "reconciler/io/files/conf_line.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reconciler/io/files/text_buf.h"

/* The C locale's isspace(), whatever the locale. */
static bool
is_conf_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_conf_key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

static void
put_char(struct rc_conf_text *t, char c, size_t at)
{
    if (t->len + 1 >= t->room) {
        t->room = t->room ? t->room * 2 : 256;
        t->s = rc_grow(t->s, t->room, 1);
        t->at = rc_grow(t->at, t->room, sizeof *t->at);
    }
    t->s[t->len] = c;
    t->at[t->len++] = at;
}

/* End of the part of a physical line before its comment. */
static size_t
comment_start(const char *raw, size_t start, size_t end)
{
    size_t backslashes = 0;

    for (size_t i = start; i < end; i++) {
        if (raw[i] == '#' && backslashes % 2 == 0) {
            return i;
        }
        backslashes = raw[i] == '\\' ? backslashes + 1 : 0;
    }
    return end;
}

/* Where the last backslash stands that joins the next line, or end when the line is complete. */
static size_t
continuation(const char *raw, size_t start, size_t end)
{
    size_t i = end, backslashes = 0;

    while (i > start && is_conf_blank(raw[i - 1])) {
        i--;
    }
    size_t last = i;
    for (; i > start && raw[i - 1] == '\\'; i--) {
        backslashes++;
    }
    return backslashes % 2 == 1 ? last - 1 : end;
}

static void
unescape(struct rc_conf_text *t)
{
    size_t to = 0;

    for (size_t from = 0; from < t->len; from++, to++) {
        from += t->s[from] == '\\';
        if (from >= t->len) {
            break;
        }
        t->s[to] = t->s[from];
        t->at[to] = t->at[from];
    }
    t->len = to;
}

size_t
rc_conf_text_read(struct rc_conf_text *t, const char *raw, size_t len, size_t start)
{
    size_t stop = start;

    t->len = 0;
    for (bool joined = true; joined && start < len;) {
        const char *lf = memchr(raw + start, '\n', len - start);
        size_t end = lf ? (size_t)(lf - raw) + 1 : len;
        size_t bare = comment_start(raw, start, end);
        stop = continuation(raw, start, bare);
        joined = stop < bare;
        for (size_t i = start; i < stop; i++) {
            put_char(t, raw[i], i);
        }
        start = end;
    }
    unescape(t);
    put_char(t, '\0', stop);
    t->len--;
    return start;
}

void
rc_conf_text_done(struct rc_conf_text *t)
{
    free(t->s);
    free(t->at);
    memset(t, 0, sizeof *t);
}

static size_t
skip_conf_blanks(const struct rc_conf_text *t, size_t i)
{
    while (i < t->len && is_conf_blank(t->s[i])) {
        i++;
    }
    return i;
}

static bool
read_conf_value(const struct rc_conf_text *t, size_t i, struct rc_conf_pair *ret)
{
    size_t end = i;

    if (t->s[i] == '"') {
        const char *quote = memchr(t->s + i + 1, '"', t->len - i - 1);
        size_t after = quote ? (size_t)(quote - t->s) + 1 : 0;
        /* A quoted value ends with its quote; otherwise the quote is part of a plain value. */
        if (quote && (after == t->len || is_conf_blank(t->s[after]))) {
            ret->value = i + 1;
            ret->value_len = after - 1 - ret->value;
            ret->end = after;
            return true;
        }
    }
    while (end < t->len && !is_conf_blank(t->s[end])) {
        end++;
    }
    ret->value = i;
    ret->value_len = end - i;
    ret->end = end;
    return end > i;
}

bool
rc_conf_pair_next(const struct rc_conf_text *t, size_t from, struct rc_conf_pair *ret)
{
    size_t i = skip_conf_blanks(t, from);

    ret->key = i;
    while (i < t->len && is_conf_key_char(t->s[i])) {
        i++;
    }
    ret->key_len = i - ret->key;
    i = skip_conf_blanks(t, i);
    if (i < t->len && strchr("-*+/", t->s[i])) {
        i++;
    }
    if (ret->key_len == 0 || i >= t->len || t->s[i] != '=') {
        return false;
    }
    i = skip_conf_blanks(t, i + 1);
    return i < t->len && read_conf_value(t, i, ret);
}

bool
rc_conf_key_is(const struct rc_conf_text *t, const struct rc_conf_pair *p, const char *key)
{
    return strlen(key) == p->key_len && strncasecmp(t->s + p->key, key, p->key_len) == 0;
}

bool
rc_conf_rest_is_blank(const struct rc_conf_text *t, size_t from)
{
    return skip_conf_blanks(t, from) == t->len;
}
