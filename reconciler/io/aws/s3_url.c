/* s3_url.c - see s3_url.h. */
#include "reconciler/io/aws/s3_url.h"

#include <stdio.h>
#include <string.h>

#define SCHEME "s3://"

/* S3 User Guide, "Bucket naming rules": 3 to 63 of a-z, 0-9, dot and dash. */
bool
rc_s3_is_bucket(const char *name, size_t len)
{
    return len >= 3 && len < RC_S3_BUCKET_LEN &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") >= len &&
           !strchr(".-", name[0]) && !strchr(".-", name[len - 1]);
}

bool
rc_s3_parse(const char *url, char bucket[RC_S3_BUCKET_LEN], char prefix[RC_S3_KEY_LEN])
{
    if (strncmp(url, SCHEME, strlen(SCHEME)) != 0) {
        return false;
    }
    const char *name = url + strlen(SCHEME);
    size_t len = strcspn(name, "/");
    if (!rc_s3_is_bucket(name, len)) {
        return false;
    }
    const char *rest = name + len + strspn(name + len, "/");
    size_t rest_len = strlen(rest);
    while (rest_len > 0 && rest[rest_len - 1] == '/') {
        rest_len--;
    }
    if (rest_len >= RC_S3_KEY_LEN) {
        return false;
    }
    (void)snprintf(bucket, RC_S3_BUCKET_LEN, "%.*s", (int)len, name);
    (void)snprintf(prefix, RC_S3_KEY_LEN, "%.*s", (int)rest_len, rest);
    return true;
}
