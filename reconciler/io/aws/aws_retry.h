/* aws_retry.h - when a failed attempt may be repeated: pure arithmetic.
 *
 * As the AWS SDKs' standard mode: a bucket of tokens shared by all calls, of
 * which a retry takes 5 (10 after a time-out) and a success gives back what its
 * retry took, or 1; full jitter over base * 2^n, capped. Source: AWS SDKs and
 * Tools Reference Guide, "Retry behavior"; botocore, retries/standard.py. */
#ifndef RC_AWS_RETRY_H
#define RC_AWS_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "reconciler/io/aws/aws.h"

struct rc_aws_retry {
    struct rc_aws_retry_options options; /* defaults filled in */
    uint32_t tokens;
    uint64_t random;
};

void rc_aws_retry_init(struct rc_aws_retry *r, const struct rc_aws_retry_options *options);
/* Takes the price of a retry; 0 when the bucket holds too little: give up. */
uint32_t rc_aws_retry_take(struct rc_aws_retry *r, bool timed_out);
/* A call succeeded; price is what its last retry took, 0 when it had none. */
void rc_aws_retry_give(struct rc_aws_retry *r, uint32_t price);
/* Pause before the retry that follows attempt n (1 = first). */
int64_t rc_aws_retry_delay_ms(struct rc_aws_retry *r, uint32_t attempt);

#endif
