/* errors.h - the one table of errors: name, text for people, retry class.
 *
 * Code returns enum rc_err; 0 is success. The executor reads the retry class
 * from here, never from the call site. Foreign errors (curl, libssh2, slurm,
 * AWS codes) are translated where they are met. */
#ifndef RC_ERRORS_H
#define RC_ERRORS_H

enum rc_retry {
    RC_RETRY_NEVER,    /* the same request will fail again */
    RC_RETRY_BACKOFF,  /* transient: same request, full-jitter back-off */
    RC_RETRY_THROTTLE, /* back off this operation only, slower */
    RC_RETRY_REFRESH,  /* refresh credentials or clock once, then again */
    RC_RETRY_ELSEWHERE /* no capacity here: another launch option, or later */
};

/* clang-format off */
#define RC_ERRORS(X) \
    X(RC_OK,                 "ok",                 "success",                                   RC_RETRY_NEVER)    \
    X(RC_E_IO,               "io",                 "input or output failed",                    RC_RETRY_BACKOFF)  \
    X(RC_E_TIMEOUT,          "timeout",            "no answer in time",                         RC_RETRY_BACKOFF)  \
    X(RC_E_UNREACHABLE,      "unreachable",        "cannot connect",                            RC_RETRY_BACKOFF)  \
    X(RC_E_SERVER,           "server-fault",       "the service failed",                        RC_RETRY_BACKOFF)  \
    X(RC_E_THROTTLED,        "throttled",          "request rate exceeded",                     RC_RETRY_THROTTLE) \
    X(RC_E_CAPACITY,         "no-capacity",        "no capacity for this launch option",        RC_RETRY_ELSEWHERE)\
    X(RC_E_RESERVATION_FULL, "reservation-full",   "the capacity reservation is full",          RC_RETRY_ELSEWHERE)\
    X(RC_E_QUOTA,            "quota",              "an account quota is reached",               RC_RETRY_ELSEWHERE)\
    X(RC_E_UNSUPPORTED,      "unsupported",        "not offered here",                          RC_RETRY_ELSEWHERE)\
    X(RC_E_NOT_FOUND,        "not-found",          "no such thing, or not visible yet",         RC_RETRY_BACKOFF)  \
    X(RC_E_STATE,            "wrong-state",        "the target is in another state",            RC_RETRY_NEVER)    \
    X(RC_E_TOKEN_MISMATCH,   "token-mismatch",     "idempotency token used with other parameters", RC_RETRY_NEVER) \
    X(RC_E_PROTECTED,        "protected",          "termination or stop protection is on",      RC_RETRY_NEVER)    \
    X(RC_E_DENIED,           "denied",             "not permitted",                             RC_RETRY_NEVER)    \
    X(RC_E_CREDENTIALS,      "credentials",        "credentials are missing, wrong or expired", RC_RETRY_REFRESH)  \
    X(RC_E_CLOCK,            "clock-skew",         "the local clock is off",                    RC_RETRY_REFRESH)  \
    X(RC_E_CONDITION,        "condition-failed",   "a conditional write lost",                  RC_RETRY_NEVER)    \
    X(RC_E_INVALID,          "invalid-request",    "the request is wrong",                      RC_RETRY_NEVER)    \
    X(RC_E_PARSE,            "unreadable",         "cannot be parsed",                          RC_RETRY_NEVER)    \
    X(RC_E_TRUNCATED,        "cut-short",          "ends too early",                            RC_RETRY_BACKOFF)  \
    X(RC_E_TOO_LARGE,        "too-large",          "over a limit",                              RC_RETRY_NEVER)    \
    X(RC_E_FOREIGN,          "foreign-owner",      "owned by somebody else, left alone",        RC_RETRY_NEVER)    \
    X(RC_E_SLURM_DOWN,       "slurm-unreachable",  "slurmctld or munged does not answer",       RC_RETRY_BACKOFF)  \
    X(RC_E_SLURM_REFUSED,    "slurm-refused",      "slurmctld refused the request",             RC_RETRY_NEVER)    \
    X(RC_E_HELPER,           "helper-died",        "the helper process ended",                  RC_RETRY_BACKOFF)  \
    X(RC_E_NOT_VERIFIED,     "not-verified",       "done, but the result was not seen",         RC_RETRY_BACKOFF)  \
    X(RC_E_UNHEALTHY,        "unhealthy",          "a probe found a fault",                     RC_RETRY_NEVER)    \
    X(RC_E_UNKNOWN,          "unknown",            "a probe could not tell",                    RC_RETRY_BACKOFF)  \
    X(RC_E_NO_LEASE,         "no-lease",           "this daemon does not lead",                 RC_RETRY_NEVER)    \
    X(RC_E_FULL,             "full",               "a table is full",                           RC_RETRY_NEVER)    \
    X(RC_E_DISK,             "disk",               "the disk refused a write",                  RC_RETRY_BACKOFF)  \
    X(RC_E_CANCELLED,        "cancelled",          "given up before it started",                RC_RETRY_NEVER)    \
    X(RC_E_INTERNAL,         "internal",           "a bug in this program",                     RC_RETRY_NEVER)
/* clang-format on */

enum rc_err {
#define RC_ERR_ENUM(code, name, text, retry) code,
    RC_ERRORS(RC_ERR_ENUM)
#undef RC_ERR_ENUM
        RC_ERR__MAX
};

const char *rc_err_name(enum rc_err e); /* "throttled" */
const char *rc_err_text(enum rc_err e); /* "request rate exceeded" */
enum rc_retry rc_err_retry(enum rc_err e);
enum rc_err rc_err_from_name(const char *name); /* RC_E_INTERNAL when unknown */

#endif
