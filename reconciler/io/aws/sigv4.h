/* sigv4.h - AWS Signature Version 4, header form.
 *
 * Pure: the time is given. Source: IAM User Guide, "Create a signed AWS API
 * request", and the public test suite of awslabs/aws-c-auth.
 *
 * The path is signed as it stands on the request line, encoded once more
 * (double_encode, every service but S3); with normalize, empty and dot segments
 * are removed first. Query parameters are decoded, encoded canonically and
 * sorted. Header values lose outer blanks, inner runs of white space (folded
 * lines too) become one blank, repeated names are joined by a comma. */
#ifndef RC_SIGV4_H
#define RC_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reconciler/io/fail.h"

struct rc_credentials;

struct rc_sigv4_header {
    const char *name;
    const char *value;
};

/* Borrowed during the call. Host must be among the headers; X-Amz-Date,
 * X-Amz-Security-Token, X-Amz-Content-Sha256 and Authorization must not. */
struct rc_sigv4_request {
    const char *method;
    const char *path;  /* from the request line, up to '?'; "" means "/" */
    const char *query; /* after '?', NULL = none */
    const struct rc_sigv4_header *headers;
    size_t header_count;
    const void *body;
    size_t body_len;
};

struct rc_sigv4_options {
    const struct rc_credentials *credentials;
    const char *region;
    const char *service; /* signing name */
    int64_t wall_ms;     /* the local clock */
    int64_t skew_ms;     /* service clock minus local clock, added to it */
    bool normalize;
    bool double_encode;
    bool sign_body;          /* adds x-amz-content-sha256 */
    bool omit_session_token; /* the token is sent but not signed */
};

enum { RC_SIGV4_HEX_LEN = 65, RC_SIGV4_DATE_LEN = 17 };

struct rc_sigv4 {
    char *canonical_request;
    char *string_to_sign;
    char *authorization;              /* value of the Authorization header */
    char signature[RC_SIGV4_HEX_LEN]; /* lower-case hexadecimal */
    char payload[RC_SIGV4_HEX_LEN];   /* value of X-Amz-Content-Sha256 with sign_body */
    char date[RC_SIGV4_DATE_LEN];     /* value of X-Amz-Date, 20150830T123600Z */
};

/* RC_OK, RC_E_INVALID (the request cannot be signed: text says why) or
 * RC_E_INTERNAL (OpenSSL failed). Fill with rc_sigv4_done when it was RC_OK. */
enum rc_err rc_sigv4_sign(const struct rc_sigv4_request *request,
                          const struct rc_sigv4_options *options, struct rc_sigv4 *ret,
                          struct rc_error *error);
void rc_sigv4_done(struct rc_sigv4 *sig);

#endif
