/* cloudwatch.c - see cloudwatch.h. */
#define _GNU_SOURCE
#include "reconciler/io/aws/cloudwatch.h"

#include <stdlib.h>

#include "reconciler/io/aws/aws_buf.h"

struct asked_cloudwatch {
    rc_cloudwatch_fn *fn;
    void *arg;
};

static void
on_metrics_reply(const struct rc_aws_reply *reply, void *arg)
{
    struct asked_cloudwatch *asked = arg;

    asked->fn(&reply->error, asked->arg);
    free(asked);
}

static void
write_metrics(struct rc_aws_buf *b, const struct rc_cloudwatch_batch *batch)
{
    rc_aws_buf_str(b, "{\"Namespace\":");
    rc_aws_buf_json(b, batch->name_space);
    rc_aws_buf_str(b, ",\"MetricData\":[");
    for (size_t i = 0; i < batch->count; i++) {
        rc_aws_buf_str(b, i ? ",{\"MetricName\":" : "{\"MetricName\":");
        rc_aws_buf_json(b, batch->values[i].name);
        rc_aws_buf_printf(b, ",\"Value\":%.9g,\"Unit\":", batch->values[i].value);
        rc_aws_buf_json(b, batch->values[i].unit);
        rc_aws_buf_str(b, ",\"Dimensions\":[{\"Name\":");
        rc_aws_buf_json(b, batch->dimension);
        rc_aws_buf_str(b, ",\"Value\":");
        rc_aws_buf_json(b, batch->dimension_value);
        rc_aws_buf_str(b, "}]}");
    }
    rc_aws_buf_str(b, "]}");
}

enum rc_err
rc_cloudwatch_put(struct rc_aws *aws, const struct rc_cloudwatch_batch *batch, rc_cloudwatch_fn *fn,
                  void *arg)
{
    struct asked_cloudwatch *asked = malloc(sizeof *asked);
    struct rc_aws_buf b = {0};
    enum rc_err err = RC_E_INVALID;

    write_metrics(&b, batch);
    if (!asked || b.failed) {
        err = RC_E_FULL;
    } else if (batch->count && batch->count <= RC_CLOUDWATCH_METRICS_MAX) {
        struct rc_aws_request request = {
            .op = RC_AWS_PUT_METRICS, .body = b.p, .body_len = b.len, .on_cancel = free};
        *asked = (struct asked_cloudwatch){fn, arg};
        err = rc_aws_start(aws, &request, on_metrics_reply, asked, NULL);
    }
    if (err != RC_OK) {
        free(asked);
    }
    rc_aws_buf_done(&b);
    return err;
}
