/* fail.h - an error with its reason, filled where it was met, logged once by
 * the caller that knows the subject. */
#ifndef RC_FAIL_H
#define RC_FAIL_H

#include "reconciler/core/errors.h"

struct rc_error {
    enum rc_err code;
    char service_code[64]; /* the other side's own code, such as RequestLimitExceeded */
    char text[256];        /* one sentence for people, no trailing full stop or newline */
};

/* Fills *e (may be NULL) and returns code: return rc_fail(e, RC_E_IO, "…"). */
enum rc_err rc_fail(struct rc_error *e, enum rc_err code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
#ifdef __clang_analyzer__
/* clang's analyzer reads one file at a time; this tells it that the code comes back. */
#    define rc_fail(e, code, ...) ((void)rc_fail(e, code, __VA_ARGS__), (code))
#endif

#endif
