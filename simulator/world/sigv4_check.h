/* sigv4_check.h - is this request signed as AWS demands?
 *
 * Written from the AWS documentation ("Signature Version 4 signing process") and
 * apart from the signer in reconciler/io/aws, so that one checks the other.
 * Strict: host and every x-amz-* header present must be signed, each signed header
 * must be there, the scope's date must be that of X-Amz-Date, and the clock may be
 * off by 15 minutes at most. */
#ifndef RC_SIGV4_CHECK_H
#define RC_SIGV4_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RC_SIGV4_KEY_LEN = 32,
    RC_SIGV4_SECRET_LEN = 64,
    RC_SIGV4_TOKEN_LEN = 2048,
    RC_SIGV4_CREDENTIALS_MAX = 16,
    RC_SIGV4_SKEW_MAX_MS = 15 * 60 * 1000
};

struct rc_sigv4_credential {
    char key[RC_SIGV4_KEY_LEN]; /* "" = free */
    char secret[RC_SIGV4_SECRET_LEN];
    char token[RC_SIGV4_TOKEN_LEN]; /* "" = a long-term key, no session token wanted */
    int64_t expires_ms;             /* 0 = never */
};

enum rc_sigv4_verdict {
    RC_SIGV4_OK,
    RC_SIGV4_MISSING,     /* no signature at all */
    RC_SIGV4_MALFORMED,   /* something that is none */
    RC_SIGV4_UNKNOWN_KEY, /* or a session token that is not the key's */
    RC_SIGV4_MISMATCH,
    RC_SIGV4_SKEWED,
    RC_SIGV4_EXPIRED, /* the session */
    RC_SIGV4_SCOPE    /* another region or service */
};

struct rc_sigv4_header {
    const char *name; /* as received; compared without case */
    const char *value;
};

struct rc_sigv4_request {
    const char *method;
    const char *uri; /* path and query as on the wire */
    const struct rc_sigv4_header *header;
    size_t header_count;
    const char *body;
    size_t body_len;
};

struct rc_sigv4_keys {
    char region[32];
    struct rc_sigv4_credential credential[RC_SIGV4_CREDENTIALS_MAX];
};

/* ret_service ("" when unreadable) is the service of the credential scope, also when the
 * verdict is no. */
enum rc_sigv4_verdict rc_sigv4_check(const struct rc_sigv4_keys *keys,
                                     const struct rc_sigv4_request *request, int64_t now_ms,
                                     char ret_service[32]);

#endif
