/* request.h - one AWS request: signed, sent, retried, judged.
 *
 * Retries follow the AWS SDKs' standard mode: transient faults and throttling,
 * full-jitter exponential back-off, a token bucket shared by all calls so that
 * an outage does not multiply traffic, Retry-After as a lower bound. Refused
 * credentials are fetched again once and a clock found wrong by the Date header
 * is corrected once, per call. Attempts and time are both bounded. */
#ifndef RC_REQUEST_H
#define RC_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "reconciler/io/aws/aws.h"
#include "reconciler/io/fail.h"

struct rc_aws_call;

/* Judges the body of a 2xx reply: RC_OK, or why it is no good (fills error). A
 * reply cut short is asked for again like any transient fault. */
typedef enum rc_err(rc_aws_check_fn)(const char *body, size_t len, struct rc_error *error);

/* Where an object of S3 stands, encoded as on the request line. */
struct rc_aws_place {
    const char *url;  /* whole */
    const char *host; /* the Host header */
    const char *path; /* of the URL */
    const char *content_type;
};

/* Copied before rc_aws_start returns. */
struct rc_aws_request {
    enum rc_aws_op op;
    const struct rc_aws_place *place; /* S3 alone: PUT there; NULL = POST to the endpoint */
    const char *body;
    size_t body_len;
    rc_aws_check_fn *check; /* NULL = any body is good */
    void (*on_cancel)(
        void *arg);             /* called instead of fn when cancelled, to free arg; may be NULL */
    int64_t attempt_timeout_ms; /* 0 = the operation's own */
    int64_t deadline_ms;        /* over all attempts; 0 = the operation's own */
};

/* Borrowed: valid until the callback returns. */
struct rc_aws_reply {
    struct rc_error error; /* RC_OK: a 2xx reply */
    long status;
    const char *body; /* NUL-terminated beyond body_len; "" when there is none */
    size_t body_len;
    uint32_t attempts;
    int64_t retry_after_ms; /* asked for by the service and not yet waited for, else 0 */
    const char *request_id;
};

typedef void(rc_aws_reply_fn)(const struct rc_aws_reply *reply, void *arg);

/* RC_OK: fn comes later from the event loop, exactly once, and *ret_call (may be
 * NULL) is valid until it returns. Otherwise refused at once: RC_E_INTERNAL when
 * memory is short. */
enum rc_err rc_aws_start(struct rc_aws *aws, const struct rc_aws_request *request,
                         rc_aws_reply_fn *fn, void *arg, struct rc_aws_call **ret_call);
/* The callback will not come; the service may have acted all the same. NULL is fine. */
void rc_aws_cancel(struct rc_aws_call *call);

#endif
