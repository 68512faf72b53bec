/* hostnames.c - see hostnames.h. */
#include "reconciler/io/files/hostnames.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/files/text_buf.h"

/* Longer digit strings are names, not numbers. */
enum { DIGITS_MAX = 15, ITEM_MAX = 65536, DEPTH_MAX = 8 };

void
rc_hostnames_add(struct rc_hostnames *hosts, const char *name)
{
    /* Grow at powers of two; the count itself says when. */
    if ((hosts->count & (hosts->count - 1)) == 0) {
        size_t room = hosts->count ? hosts->count * 2 : 1;
        hosts->name = rc_grow(hosts->name, room, sizeof *hosts->name);
    }
    hosts->name[hosts->count++] = rc_copy(name, strlen(name));
}

void
rc_hostnames_done(struct rc_hostnames *hosts)
{
    for (size_t i = 0; i < hosts->count; i++) {
        free(hosts->name[i]);
    }
    free(hosts->name);
    memset(hosts, 0, sizeof *hosts);
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads digits at *s and moves it behind them; false when there are none or too many. */
static bool
read_digits(const char **s, uint64_t *ret, int *ret_width)
{
    const char *p = *s;

    for (*ret = 0; is_digit(*p) && p - *s < DIGITS_MAX; p++) {
        *ret = *ret * 10 + (uint64_t)(*p - '0');
    }
    *ret_width = (int)(p - *s);
    bool good = p > *s && !is_digit(*p);
    *s = p;
    return good;
}

static enum rc_err expand_item(struct rc_hostnames *hosts, const char *done, const char *rest,
                               int depth, struct rc_error *e);

/* One "lo" or "lo-hi" of a bracket; *s is left behind it. */
static enum rc_err
expand_range(struct rc_hostnames *hosts, const char *prefix, const char **s, const char *after,
             int depth, struct rc_error *e)
{
    const char *start = *s;
    uint64_t lo, hi;
    int width, ignored;

    if (!read_digits(s, &lo, &width)) {
        return rc_fail(e, RC_E_PARSE, "a number was expected at \"%.40s\"", start);
    }
    hi = lo;
    if (**s == '-') {
        (*s)++;
        if (!read_digits(s, &hi, &ignored)) {
            return rc_fail(e, RC_E_PARSE, "a number was expected after '-' at \"%.40s\"", start);
        }
    }
    if (hi < lo) {
        return rc_fail(e, RC_E_PARSE, "range runs backwards at \"%.40s\"", start);
    }
    if (hi - lo >= RC_HOSTNAMES_MAX) {
        return rc_fail(e, RC_E_TOO_LARGE, "more than %d names at \"%.40s\"", RC_HOSTNAMES_MAX,
                       start);
    }
    enum rc_err err = RC_OK;
    struct rc_text done = {0};
    for (uint64_t n = lo; n <= hi && !err; n++) {
        done.len = 0;
        rc_text_printf(&done, "%s%0*llu", prefix, width, (unsigned long long)n);
        err = expand_item(hosts, done.s, after, depth + 1, e);
    }
    free(done.s);
    return err;
}

/* done is expanded already, rest is not. */
static enum rc_err
expand_item(struct rc_hostnames *hosts, const char *done, const char *rest, int depth,
            struct rc_error *e)
{
    const char *open = strchr(rest, '[');
    const char *close = strchr(rest, ']');

    if (!open && close) {
        return rc_fail(e, RC_E_PARSE, "']' without '[' at \"%.40s\"", rest);
    }
    if (!open && depth > 0 && *rest) {
        return rc_fail(e, RC_E_PARSE, "text after a bracket at \"%.40s\"", rest);
    }
    if (hosts->count >= RC_HOSTNAMES_MAX || depth > DEPTH_MAX) {
        return rc_fail(e, RC_E_TOO_LARGE, "more than %d names or %d brackets", RC_HOSTNAMES_MAX,
                       DEPTH_MAX);
    }
    struct rc_text prefix = {0};
    rc_text_puts(&prefix, done);
    if (!open) {
        rc_text_puts(&prefix, rest);
        rc_hostnames_add(hosts, prefix.s);
        free(prefix.s);
        return RC_OK;
    }
    rc_text_add(&prefix, rest, (size_t)(open - rest));
    enum rc_err err = RC_OK;
    if (!close || close < open) {
        err = rc_fail(e, RC_E_PARSE, "'[' without ']' at \"%.40s\"", open);
    }
    for (const char *s = open + 1; !err;) {
        err = expand_range(hosts, prefix.s, &s, close + 1, depth, e);
        if (!err && *s == ']') {
            break;
        }
        if (!err && *s++ != ',') {
            err = rc_fail(e, RC_E_PARSE, "',' or ']' was expected at \"%.40s\"", s - 1);
        }
    }
    free(prefix.s);
    return err;
}

static bool
is_separator(char c)
{
    return c == ',' || c == ' ' || c == '\t';
}

enum rc_err
rc_hostnames_expand(const char *list, struct rc_hostnames *hosts, struct rc_error *e)
{
    enum rc_err err = RC_OK;

    for (const char *s = list; *s && !err;) {
        if (is_separator(*s)) {
            s++;
            continue;
        }
        const char *start = s;
        for (bool inside = false; *s && (inside || !is_separator(*s)); s++) {
            inside = *s == '[' || (inside && *s != ']');
        }
        if (s - start >= ITEM_MAX) {
            return rc_fail(e, RC_E_TOO_LARGE, "host list item over %d bytes", ITEM_MAX);
        }
        char *item = rc_copy(start, (size_t)(s - start));
        err = expand_item(hosts, "", item, 0, e);
        free(item);
    }
    return err;
}

/* A name as prefix and number. Names without a number have no digits. */
struct name_parts {
    size_t prefix_len;
    size_t digits; /* 0 = no number */
    uint64_t number;
};

static struct name_parts
split_host(const char *name)
{
    struct name_parts out = {.prefix_len = strlen(name)};
    size_t len = out.prefix_len;

    while (out.digits < DIGITS_MAX && out.prefix_len > 0 && is_digit(name[out.prefix_len - 1])) {
        out.prefix_len--;
        out.digits++;
    }
    /* A colon would put IPv6 addresses into brackets, where hexadecimal digits are lost. */
    if ((out.prefix_len > 0 && is_digit(name[out.prefix_len - 1])) || strchr(name, ':')) {
        return (struct name_parts){.prefix_len = len};
    }
    for (size_t i = out.prefix_len; i < len; i++) {
        out.number = out.number * 10 + (uint64_t)(name[i] - '0');
    }
    return out;
}

static bool
same_prefix(const char *a, const struct name_parts *sa, const char *b, const struct name_parts *sb)
{
    return sa->digits > 0 && sb->digits > 0 && sa->prefix_len == sb->prefix_len &&
           memcmp(a, b, sa->prefix_len) == 0;
}

/* Is b what "lo-hi" with the width of a gives next? */
static bool
follows(const struct name_parts *lo, const struct name_parts *last, const struct name_parts *next)
{
    char text[32];

    int len =
        snprintf(text, sizeof text, "%0*llu", (int)lo->digits, (unsigned long long)next->number);
    return next->number == last->number + 1 && (size_t)len == next->digits;
}

char *
rc_hostnames_compress(char *const *name, size_t count)
{
    struct rc_text out = {0};

    rc_text_puts(&out, "");
    for (size_t i = 0; i < count;) {
        struct name_parts first = split_host(name[i]), next = {0};
        size_t end = i + 1; /* of the names with this prefix */
        for (; end < count; end++) {
            next = split_host(name[end]);
            if (!same_prefix(name[i], &first, name[end], &next)) {
                break;
            }
        }
        rc_text_puts(&out, i > 0 ? "," : "");
        if (end == i + 1) {
            rc_text_puts(&out, name[i++]);
            continue;
        }
        rc_text_printf(&out, "%.*s[", (int)first.prefix_len, name[i]);
        for (bool comma = false; i < end; comma = true) {
            struct name_parts lo = split_host(name[i]), last = lo;
            size_t run = i + 1;
            for (; run < end; run++) {
                next = split_host(name[run]);
                if (!follows(&lo, &last, &next)) {
                    break;
                }
                last = next;
            }
            rc_text_printf(&out, "%s%s", comma ? "," : "", name[i] + lo.prefix_len);
            if (run > i + 1) {
                rc_text_printf(&out, "-%s", name[run - 1] + last.prefix_len);
            }
            i = run;
        }
        rc_text_puts(&out, "]");
    }
    return out.s;
}
