/* host_script.c - see host_script.h. */
#define _GNU_SOURCE
#include "reconciler/io/host/host_script.h"

#include <stdlib.h>
#include <string.h>

#define AS_ROOT "; [ \"$(id -u)\" -eq 0 ] && exec sh -c \"$s\"; exec sudo -n sh -c \"$s\""

/* Inside single quotes only the quote itself is special. Returns the length. */
static size_t
put_in_quotes(char *to, const char *text)
{
    static const char escaped[] = "'\\''";
    size_t len = 0;

    for (; *text; text++) {
        if (*text != '\'') {
            to[len++] = *text;
            continue;
        }
        memcpy(to + len, escaped, sizeof escaped - 1);
        len += sizeof escaped - 1;
    }
    return len;
}

char *
rc_host_script(const char *assignments, const char *script)
{
    size_t len = strlen(assignments) + strlen(script);
    char *command = malloc(4 * len + sizeof AS_ROOT + 16);
    char *at = command;

    if (!command) {
        return NULL;
    }
    at = stpcpy(at, "s='");
    at += put_in_quotes(at, assignments);
    *at++ = '\n';
    at += put_in_quotes(at, script);
    *at++ = '\'';
    (void)stpcpy(at, AS_ROOT);
    return command;
}
