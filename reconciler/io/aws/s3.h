/* s3.h - Amazon S3: PutObject alone, one request an object.
 *
 * Facts from the S3 API Reference: one PUT takes up to 5 GB; the path is signed as it stands on
 * the request line, with the SHA-256 of the body. The bucket is a part of the host name
 * (virtual-hosted), as AWS asks; of the path where the name has a dot, which no certificate
 * covers, and at endpoints that are not AWS's own. */
#ifndef RC_S3_H
#define RC_S3_H

#include <stddef.h>

#include "reconciler/io/aws/request.h"
#include "reconciler/io/aws/s3_url.h"

struct rc_s3_object {
    const char *bucket;
    const char *key;          /* any bytes; "/" parts folders */
    const char *content_type; /* "application/gzip" */
    const void *body;
    size_t body_len;
};

/* Where an object stands, encoded as on the request line. */
struct rc_s3_address {
    char *url, *host, *path; /* malloc'ed */
};
/* False: no memory. Free it either way. */
bool rc_s3_find_address(const struct rc_endpoint *endpoint, const struct rc_s3_object *object,
                        struct rc_s3_address *ret);
void rc_s3_address_done(struct rc_s3_address *address);

/* Copied. fn comes later, exactly once; the error's code is RC_OK when it was stored.
 * RC_E_INVALID: no bucket or key, or one that is too long. */
typedef void(rc_s3_fn)(const struct rc_error *error, void *arg);
enum rc_err rc_s3_put(struct rc_aws *aws, const struct rc_s3_object *object, rc_s3_fn *fn,
                      void *arg);

#endif
