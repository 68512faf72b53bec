/* text_buf.c - see text_buf.h. */
#include "reconciler/io/files/text_buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *
rc_grow(void *old, size_t count, size_t size)
{
    assert(size > 0 && count <= SIZE_MAX / size);
    void *p = realloc(old, count > 0 ? count * size : size);

    if (!p) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return p;
}

char *
rc_copy(const char *s, size_t len)
{
    char *copy = rc_grow(NULL, len + 1, 1);

    if (len > 0) {
        memcpy(copy, s, len);
    }
    copy[len] = '\0';
    return copy;
}

void
rc_text_add(struct rc_text *t, const char *bytes, size_t len)
{
    if (t->len + len + 1 > t->room) {
        t->room = (t->len + len + 1) * 2;
        t->s = rc_grow(t->s, t->room, 1);
    }
    if (len > 0) {
        memcpy(t->s + t->len, bytes, len);
    }
    t->len += len;
    t->s[t->len] = '\0';
}

void
rc_text_puts(struct rc_text *t, const char *s)
{
    rc_text_add(t, s, strlen(s));
}

void
rc_text_printf(struct rc_text *t, const char *fmt, ...)
{
    va_list ap, again;
    char small[256];

    va_start(ap, fmt);
    va_copy(again, ap);
    int len = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    assert(len >= 0);
    if ((size_t)len < sizeof small) {
        rc_text_add(t, small, (size_t)len);
    } else {
        char *big = rc_grow(NULL, (size_t)len + 1, 1);
        vsnprintf(big, (size_t)len + 1, fmt, again);
        rc_text_add(t, big, (size_t)len);
        free(big);
    }
    va_end(again);
}
