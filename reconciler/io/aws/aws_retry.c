/* aws_retry.c - see aws_retry.h. */
#define _GNU_SOURCE
#include "reconciler/io/aws/aws_retry.h"

#include <sys/random.h>

enum { ATTEMPTS_MAX = 3, BACKOFF_BASE_MS = 1000, BACKOFF_MAX_MS = 20000, TOKENS = 500 };
enum { RETRY_PRICE = 5, TIMEOUT_PRICE = 10, SUCCESS_GIFT = 1 };

void
rc_aws_retry_init(struct rc_aws_retry *r, const struct rc_aws_retry_options *options)
{
    static const struct rc_aws_retry_options none;

    r->options = options ? *options : none;
    if (!r->options.attempts_max) {
        r->options.attempts_max = ATTEMPTS_MAX;
    }
    if (!r->options.backoff_base_ms) {
        r->options.backoff_base_ms = BACKOFF_BASE_MS;
    }
    if (!r->options.backoff_max_ms) {
        r->options.backoff_max_ms = BACKOFF_MAX_MS;
    }
    if (!r->options.tokens) {
        r->options.tokens = TOKENS;
    }
    r->tokens = r->options.tokens;
    r->random = r->options.seed;
    if (!r->random && getrandom(&r->random, sizeof r->random, 0) != (ssize_t)sizeof r->random) {
        r->random = 1;
    }
}

uint32_t
rc_aws_retry_take(struct rc_aws_retry *r, bool timed_out)
{
    uint32_t price = timed_out ? TIMEOUT_PRICE : RETRY_PRICE;

    if (r->tokens < price) {
        return 0;
    }
    r->tokens -= price;
    return price;
}

void
rc_aws_retry_give(struct rc_aws_retry *r, uint32_t price)
{
    uint32_t gift = price ? price : SUCCESS_GIFT;

    r->tokens = r->options.tokens - r->tokens < gift ? r->options.tokens : r->tokens + gift;
}

/* splitmix64, Steele et al. 2014: enough to spread retries. */
static uint64_t
next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15U;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

int64_t
rc_aws_retry_delay_ms(struct rc_aws_retry *r, uint32_t attempt)
{
    int64_t span = r->options.backoff_base_ms;

    for (uint32_t i = 1; i < attempt && span < r->options.backoff_max_ms; i++) {
        span *= 2;
    }
    if (span > r->options.backoff_max_ms) {
        span = r->options.backoff_max_ms;
    }
    return (int64_t)(next_random(&r->random) % (uint64_t)(span + 1));
}
