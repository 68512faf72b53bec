/* text.c - host lists, globs and small text building, without stdio. */
#include "reconciler/core/text.h"

#include <string.h>

#include "reconciler/core/cluster.h"

/* A number within "[1-3,07]"; width = digits written, so that 07 is not 7. */
static const char *
read_number(const char *p, unsigned long *ret, unsigned *ret_width)
{
    unsigned long v = 0;
    unsigned width = 0;

    while (*p >= '0' && *p <= '9' && width < 18) {
        v = v * 10 + (unsigned long)(*p++ - '0');
        width++;
    }
    *ret = v;
    *ret_width = width;
    return p;
}

static const char *match_part(const char *list, const char *name);

/* list stands after '['. Tries every range against the digits at name. */
static const char *
match_brackets(const char *list, const char *name)
{
    const char *close = strchr(list, ']');

    for (const char *p = list; close && p < close;) {
        unsigned long low, high, have;
        unsigned low_width, high_width, width;
        p = read_number(p, &low, &low_width);
        high = low;
        if (*p == '-') {
            p = read_number(p + 1, &high, &high_width);
        }
        for (unsigned digits = 1; digits <= 18; digits++) {
            /* one length of digits fits: padded as the low end is, or longer without padding */
            char number[20] = {0};
            size_t n = 0;
            while (n < digits && name[n] >= '0' && name[n] <= '9') {
                number[n] = name[n];
                n++;
            }
            if (n < digits) {
                break;
            }
            read_number(number, &have, &width);
            bool padded = width == low_width || (width > low_width && number[0] != '0');
            if (low_width && padded && have >= low && have <= high) {
                const char *end = match_part(close + 1, name + digits);
                if (end) {
                    return end;
                }
            }
        }
        if (*p == ',') {
            p++;
        } else if (p < close) {
            return NULL; /* not a host list */
        }
    }
    return NULL;
}

/* Matches one comma part; gives where it ended (',' or NUL) when name is used up, else NULL. */
static const char *
match_part(const char *list, const char *name)
{
    while (*list && *list != ',') {
        if (*list == '[') {
            return match_brackets(list + 1, name);
        }
        if (*list != *name) {
            return NULL;
        }
        list++;
        name++;
    }
    return *name ? NULL : list;
}

int
rc_hostlist_has(const char *list, const char *node)
{
    int depth = 0;

    if (!*node) {
        return 0;
    }
    for (const char *p = list; *p;) {
        if (match_part(p, node)) {
            return 1;
        }
        for (; *p && (*p != ',' || depth); p++) {
            depth += *p == '[' ? 1 : *p == ']' ? -1 : 0;
        }
        p += *p == ',';
    }
    return 0;
}

bool
rc_glob(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return !*pattern;
}

void
rc_put_text(char *dst, uint32_t room, const char *src)
{
    size_t len = strlen(dst), add = strlen(src);

    if (len + add >= room) {
        add = room - 1 - len;
    }
    memcpy(dst + len, src, add);
    dst[len + add] = '\0';
}

void
rc_put_number(char *dst, uint32_t room, uint64_t value)
{
    char digits[24];
    size_t at = sizeof digits - 1;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    rc_put_text(dst, room, digits + at);
}

void
rc_put_hex(char *dst, uint32_t room, uint64_t value)
{
    char digits[17];

    for (unsigned i = 0; i < 16; i++) {
        digits[i] = "0123456789abcdef"[(value >> (60 - 4 * i)) & 15];
    }
    digits[16] = '\0';
    rc_put_text(dst, room, digits);
}

void
rc_text_printable(char *text)
{
    for (; *text; text++) {
        *text = *text < ' ' || *text > '~' ? '?' : *text;
    }
}
