/* s3_url.h - "s3://bucket/prefix", as people write where things are kept in Amazon S3. */
#ifndef RC_S3_URL_H
#define RC_S3_URL_H

#include <stdbool.h>
#include <stddef.h>

enum { RC_S3_BUCKET_LEN = 64, RC_S3_KEY_LEN = 1025 };

bool rc_s3_is_bucket(const char *name, size_t len);
/* The prefix without slashes at its ends, "" = none. False: it is not of this form, or no
 * bucket can have this name. */
bool rc_s3_parse(const char *url, char bucket[RC_S3_BUCKET_LEN], char prefix[RC_S3_KEY_LEN]);

#endif
