/* clock_skew.c - see clock_skew.h. */
#include "reconciler/watch/clock_skew.h"

enum { SECOND_US = 1000000, MS_US = 1000 };
static const int64_t S_MAX = INT64_MAX / SECOND_US / 4;

static int64_t
limited(int64_t value, int64_t max)
{
    return value > max ? max : value < -max ? -max : value;
}

int64_t
rc_clock_skew_ms(int64_t server_s, int64_t before_us, int64_t after_us)
{
    int64_t server_us = limited(server_s, S_MAX) * SECOND_US;
    int64_t ahead_us = limited(before_us, S_MAX * SECOND_US) - server_us - SECOND_US;
    int64_t behind_us = server_us - limited(after_us, S_MAX * SECOND_US);

    if (ahead_us > 0) {
        return ahead_us / MS_US;
    }
    return behind_us > 0 ? -(behind_us / MS_US) : 0;
}
