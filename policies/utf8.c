/* utf8.c - see utf8.h. */
#include "policies/utf8.h"

#include <stdbool.h>

static bool
is_continued(const unsigned char *p, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if ((p[i] & 0xC0U) != 0x80U) {
            return false;
        }
    }
    return true;
}

size_t
rc_utf8_length(const char *text, size_t room)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t count = 0;

    if (room == 0 || *p == 0) {
        return 0;
    }
    if (*p < 0x80) {
        return 1;
    }
    if (*p >= 0xC2 && *p < 0xE0) {
        count = 2;
    } else if (*p >= 0xE0 && *p < 0xF0) {
        count = 3;
    } else if (*p >= 0xF0 && *p < 0xF5) {
        count = 4;
    }
    if (count == 0 || room < count || !is_continued(p, count)) {
        return 0;
    }
    /* Overlong forms, surrogates and what lies above U+10FFFF. */
    if ((*p == 0xE0 && p[1] < 0xA0) || (*p == 0xED && p[1] >= 0xA0) ||
        (*p == 0xF0 && p[1] < 0x90) || (*p == 0xF4 && p[1] >= 0x90)) {
        return 0;
    }
    return count;
}

size_t
rc_utf8_check(const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t count = rc_utf8_length(text + at, len - at);
        if (count == 0) {
            return at;
        }
        at += count;
    }
    return len;
}

size_t
rc_utf8_put(char *out, uint32_t code)
{
    unsigned char *p = (unsigned char *)out;

    if (code < 0x80) {
        p[0] = (unsigned char)code;
        return 1;
    }
    if (code < 0x800) {
        p[0] = (unsigned char)(0xC0U | (code >> 6));
        p[1] = (unsigned char)(0x80U | (code & 0x3FU));
        return 2;
    }
    if (code < 0x10000) {
        p[0] = (unsigned char)(0xE0U | (code >> 12));
        p[1] = (unsigned char)(0x80U | ((code >> 6) & 0x3FU));
        p[2] = (unsigned char)(0x80U | (code & 0x3FU));
        return 3;
    }
    p[0] = (unsigned char)(0xF0U | (code >> 18));
    p[1] = (unsigned char)(0x80U | ((code >> 12) & 0x3FU));
    p[2] = (unsigned char)(0x80U | ((code >> 6) & 0x3FU));
    p[3] = (unsigned char)(0x80U | (code & 0x3FU));
    return 4;
}
