/* aws_buf.c - see aws_buf.h. */
#define _GNU_SOURCE
#include "reconciler/io/aws/aws_buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for more bytes and a NUL. */
static bool
reserve(struct rc_aws_buf *b, size_t more)
{
    size_t room = b->room ? b->room : 256;

    if (b->failed) {
        return false;
    }
    while (room - b->len <= more) {
        room *= 2;
    }
    if (room == b->room) {
        return true;
    }
    char *p = realloc(b->p, room);
    if (!p) {
        b->failed = true;
        return false;
    }
    b->p = p;
    b->room = room;
    return true;
}

void
rc_aws_buf_add(struct rc_aws_buf *b, const void *data, size_t len)
{
    if (!reserve(b, len)) {
        return;
    }
    if (len) {
        memcpy(b->p + b->len, data, len);
    }
    b->len += len;
    b->p[b->len] = '\0';
}

void
rc_aws_buf_str(struct rc_aws_buf *b, const char *text)
{
    rc_aws_buf_add(b, text, strlen(text));
}

void
rc_aws_buf_printf(struct rc_aws_buf *b, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    int len = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (len < 0) {
        b->failed = true;
        return;
    }
    rc_aws_buf_add(b, text, (size_t)len);
    free(text);
}

static bool
is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

void
rc_aws_buf_uri(struct rc_aws_buf *b, const char *data, size_t len, bool keep_slash)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)data[i];
        if (is_unreserved(c) || (keep_slash && c == '/')) {
            rc_aws_buf_add(b, &data[i], 1);
        } else {
            const char escaped[3] = {'%', digits[c >> 4], digits[c & 15]};
            rc_aws_buf_add(b, escaped, sizeof escaped);
        }
    }
}

void
rc_aws_buf_json(struct rc_aws_buf *b, const char *text)
{
    rc_aws_buf_add(b, "\"", 1);
    for (const char *p = text; *p;) {
        size_t plain = 0;
        while ((unsigned char)p[plain] >= 0x20 && p[plain] != '"' && p[plain] != '\\') {
            plain++;
        }
        rc_aws_buf_add(b, p, plain);
        p += plain;
        if (*p == '"' || *p == '\\') {
            const char escaped[2] = {'\\', *p++};
            rc_aws_buf_add(b, escaped, sizeof escaped);
        } else if (*p) {
            rc_aws_buf_printf(b, "\\u%04x", (unsigned)(unsigned char)*p++);
        }
    }
    rc_aws_buf_add(b, "\"", 1);
}

char *
rc_aws_buf_take(struct rc_aws_buf *b)
{
    rc_aws_buf_add(b, "", 0);
    if (b->failed) {
        rc_aws_buf_done(b);
        return NULL;
    }
    char *p = b->p;
    memset(b, 0, sizeof *b);
    return p;
}

void
rc_aws_buf_done(struct rc_aws_buf *b)
{
    free(b->p);
    memset(b, 0, sizeof *b);
}
