/* kernel_plain.c - a line without the colours that a terminal was given; see kernel_prefix.h.
 *
 * Only sequences that begin with ESC [ (ECMA-48, control sequence introducer) are known: they
 * are all that dmesg, journalctl and grep write. One that does not end stays as it is. */
#include <string.h>

#include "reconciler/kernel/kernel_prefix.h"

enum { ESC = 0x1b, SEQUENCE_MAX = 32 };

/* The end of the sequence that begins at at; NULL when it is none. */
static const char *
sequence_end(const char *at, const char *end)
{
    const char *stop = end - at > SEQUENCE_MAX ? at + SEQUENCE_MAX : end;

    if (stop - at < 3 || at[0] != ESC || at[1] != '[') {
        return NULL;
    }
    for (at += 2; at < stop && *at >= 0x20 && *at <= 0x3f;) {
        at++;
    }
    return at < stop && *at >= 0x40 && *at <= 0x7e ? at + 1 : NULL;
}

size_t
rc_kernel_plain(char *line, size_t len)
{
    const char *end = line + (len < RC_KERNEL_PLAIN ? len : RC_KERNEL_PLAIN);
    char *to = memchr(line, ESC, (size_t)(end - line));

    if (!to) {
        return len;
    }
    const char *from = to;
    while (from < end) {
        const char *behind = sequence_end(from, end);

        if (behind) {
            from = behind;
        } else {
            *to++ = *from++;
        }
    }
    size_t rest = len - (size_t)(end - line);
    memmove(to, end, rest);
    return (size_t)(to - line) + rest;
}
