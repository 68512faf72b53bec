/* endpoint.h - which URL a service of a region is reached at.
 *
 * Precedence, first that is set wins: the configuration file's URL of the
 * service, the file's URL for all services, AWS_ENDPOINT_URL_<SERVICE>,
 * AWS_ENDPOINT_URL, AWS's own host name. AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true
 * switches the two variables off, as in the AWS SDKs (AWS SDKs and Tools
 * Reference Guide, "Service-specific endpoints"). */
#ifndef RC_ENDPOINT_H
#define RC_ENDPOINT_H

#include "reconciler/io/fail.h"

/* X(enum, endpoint prefix, signing name, suffix of AWS_ENDPOINT_URL_…) */
/* clang-format off */
#define RC_AWS_SERVICES(X) \
    X(RC_AWS_EC2,        "ec2",        "ec2",        "EC2") \
    X(RC_AWS_SQS,        "sqs",        "sqs",        "SQS") \
    X(RC_AWS_DYNAMODB,   "dynamodb",   "dynamodb",   "DYNAMODB") \
    X(RC_AWS_CLOUDWATCH, "monitoring", "monitoring", "CLOUDWATCH") \
    X(RC_AWS_STS,        "sts",        "sts",        "STS") \
    X(RC_AWS_S3,         "s3",         "s3",         "S3")
/* clang-format on */

enum rc_aws_service {
#define RC_AWS_SERVICE_ENUM(service, prefix, signing, variable) service,
    RC_AWS_SERVICES(RC_AWS_SERVICE_ENUM)
#undef RC_AWS_SERVICE_ENUM
        RC_AWS_SERVICE__MAX
};

enum { RC_ENDPOINT_LEN = 256 };

/* The configuration file's part. Strings are borrowed; NULL or "" means not set. */
struct rc_endpoint_options {
    const char *url; /* for every service */
    const char *service_url[RC_AWS_SERVICE__MAX];
};

struct rc_endpoint {
    char url[RC_ENDPOINT_LEN];  /* "https://sqs.us-east-1.amazonaws.com" + path, no query */
    char host[RC_ENDPOINT_LEN]; /* the Host header: with the port unless it is the default */
    char path[RC_ENDPOINT_LEN]; /* "/" or the path of an override */
    int own;                    /* 1 = AWS's own host name, not an override */
};

/* options may be NULL. RC_E_INVALID: no region, or an override that is not
 * http(s)://host[:port][/path]; the text names where it was set. */
enum rc_err rc_endpoint_resolve(enum rc_aws_service service, const char *region,
                                const struct rc_endpoint_options *options, struct rc_endpoint *ret,
                                struct rc_error *error);

const char *rc_aws_signing_name(enum rc_aws_service service); /* "ec2" */

#endif
