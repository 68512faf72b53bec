/* s3.c - see s3.h. */
#define _GNU_SOURCE
#include "reconciler/io/aws/s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/aws/aws_buf.h"
#include "reconciler/io/aws/aws_context.h"

struct asked_s3 {
    rc_s3_fn *fn;
    void *arg;
};

static void
on_put_reply(const struct rc_aws_reply *reply, void *arg)
{
    struct asked_s3 *asked = arg;

    asked->fn(&reply->error, asked->arg);
    free(asked);
}

bool
rc_s3_find_address(const struct rc_endpoint *endpoint, const struct rc_s3_object *object,
                   struct rc_s3_address *ret)
{
    const char *scheme_end = strstr(endpoint->url, "://") + 3;
    bool by_host = endpoint->own && !strchr(object->bucket, '.');
    const char *base = strcmp(endpoint->path, "/") == 0 ? "" : endpoint->path;
    struct rc_aws_buf url = {0}, host = {0}, path = {0};

    if (by_host) {
        rc_aws_buf_printf(&host, "%s.%s", object->bucket, endpoint->host);
        rc_aws_buf_printf(&path, "%s/", base);
    } else {
        rc_aws_buf_str(&host, endpoint->host);
        rc_aws_buf_printf(&path, "%s/%s/", base, object->bucket);
    }
    rc_aws_buf_uri(&path, object->key, strlen(object->key), true);
    rc_aws_buf_printf(&url, "%.*s%s%s", (int)(scheme_end - endpoint->url), endpoint->url,
                      host.p ? host.p : "", path.p ? path.p : "");
    *ret = (struct rc_s3_address){rc_aws_buf_take(&url), rc_aws_buf_take(&host),
                                  rc_aws_buf_take(&path)};
    return ret->url && ret->host && ret->path;
}

void
rc_s3_address_done(struct rc_s3_address *address)
{
    free(address->url);
    free(address->host);
    free(address->path);
}

enum rc_err
rc_s3_put(struct rc_aws *aws, const struct rc_s3_object *object, rc_s3_fn *fn, void *arg)
{
    struct rc_aws_request request = {
        .op = RC_AWS_PUT_OBJECT,
        .body = object->body_len ? object->body : "",
        .body_len = object->body_len,
        .on_cancel = free,
    };
    struct rc_s3_address address = {0};
    struct asked_s3 *asked = NULL;
    enum rc_err err = RC_E_INTERNAL;

    if (!rc_s3_is_bucket(object->bucket, strlen(object->bucket)) || !*object->key ||
        strlen(object->key) >= RC_S3_KEY_LEN) {
        return RC_E_INVALID;
    }
    asked = malloc(sizeof *asked);
    if (asked && rc_s3_find_address(&aws->endpoint[RC_AWS_S3], object, &address)) {
        const struct rc_aws_place place = {address.url, address.host, address.path,
                                           object->content_type};
        *asked = (struct asked_s3){fn, arg};
        request.place = &place;
        err = rc_aws_start(aws, &request, on_put_reply, asked, NULL);
    }
    if (err != RC_OK) {
        free(asked);
    }
    rc_s3_address_done(&address);
    return err;
}
