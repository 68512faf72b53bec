/* cloudwatch.h - Amazon CloudWatch, JSON protocol 1.0: PutMetricData alone.
 *
 * Facts from the CloudWatch API Reference: at most 1,000 metrics and 1 MB a request; a
 * value without time stamp is of the moment when it arrives. */
#ifndef RC_CLOUDWATCH_H
#define RC_CLOUDWATCH_H

#include <stddef.h>

#include "reconciler/io/aws/request.h"

enum { RC_CLOUDWATCH_METRICS_MAX = 1000 };

struct rc_cloudwatch_value {
    const char *name;
    double value;
    const char *unit; /* "Count", "Seconds", "None" */
};

/* One value each, all under one dimension. Borrowed for the call. */
struct rc_cloudwatch_batch {
    const char *name_space;
    const char *dimension, *dimension_value;
    const struct rc_cloudwatch_value *values;
    size_t count;
};

/* fn comes later, exactly once; the error's code is RC_OK when they were taken.
 * RC_E_INVALID: no value, or too many. */
typedef void(rc_cloudwatch_fn)(const struct rc_error *error, void *arg);
enum rc_err rc_cloudwatch_put(struct rc_aws *aws, const struct rc_cloudwatch_batch *batch,
                              rc_cloudwatch_fn *fn, void *arg);

#endif
