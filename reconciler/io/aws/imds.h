/* imds.h - the EC2 instance metadata service, version 2 (token first).
 *
 * A token is got by PUT, kept until shortly before its end and renewed when the
 * service answers 401. Version 1 (no token) is never used. Endpoint:
 * AWS_EC2_METADATA_SERVICE_ENDPOINT, else http://[fd00:ec2::254] when
 * AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE is IPv6, else http://169.254.169.254.
 * Source: EC2 User Guide, "Use the Instance Metadata Service". */
#ifndef RC_IMDS_H
#define RC_IMDS_H

#include <stddef.h>

#include "reconciler/core/limits.h"
#include "reconciler/io/fail.h"

struct event_base;
struct rc_http;
struct rc_imds;
struct rc_imds_call;

/* body is NUL-terminated and valid until the callback returns. error->code is
 * RC_E_NOT_FOUND for an absent item, RC_E_DENIED when the service is switched
 * off, RC_E_UNREACHABLE or RC_E_TIMEOUT outside EC2 or behind a hop limit of 1. */
typedef void(rc_imds_fn)(const struct rc_error *error, const char *body, size_t len, void *arg);

/* endpoint NULL = from the environment as above. http is borrowed. */
struct rc_imds *rc_imds_new(struct event_base *base, struct rc_http *http, const char *endpoint);
void rc_imds_free(struct rc_imds *imds); /* no callback comes after it */

/* path such as "/latest/meta-data/iam/security-credentials/". Always asynchronous. */
enum rc_err rc_imds_get(struct rc_imds *imds, const char *path, rc_imds_fn *fn, void *arg,
                        struct rc_imds_call **ret_call);
void rc_imds_cancel(struct rc_imds_call *call);

/* The instance identity document: where this host is. */
struct rc_imds_identity {
    char region[RC_AZ_LEN];
    char az[RC_AZ_LEN];
    char instance[RC_ID_LEN];
    char type[RC_TYPE_LEN];
    char addr[RC_ADDR_LEN];
    char account[16];
};

/* Path of the document for rc_imds_get, and the reader of its body. */
extern const char rc_imds_identity_path[];
enum rc_err rc_imds_identity_parse(const char *body, size_t len, struct rc_imds_identity *ret,
                                   struct rc_error *error);

#endif
