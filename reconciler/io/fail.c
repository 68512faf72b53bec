/* fail.c - see fail.h. */
#include "reconciler/io/fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef rc_fail /* only for the callers: see fail.h */

enum rc_err
rc_fail(struct rc_error *e, enum rc_err code, const char *fmt, ...)
{
    va_list ap;

    if (!e) {
        return code;
    }
    memset(e, 0, sizeof *e);
    e->code = code;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    return code;
}
