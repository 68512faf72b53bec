/* probe_rates.h - counters of the kernel from one look to the next.
 *
 * A counter that stands since boot says little; what it rose by since the last look does.
 * A single look (nodewatch check) has no earlier values, and finds nothing by rate. */
#ifndef RC_PROBE_RATES_H
#define RC_PROBE_RATES_H

#include <stdbool.h>
#include <stdint.h>

enum { RC_RATES_MAX = 512 };

struct rc_rates {
    struct rc_rate {
        uint64_t key; /* hash of what and device */
        uint64_t value;
        uint32_t still; /* looks in a row without a rise, after one that had */
        bool rose;      /* it has risen since the agent started */
    } v[RC_RATES_MAX];
    uint32_t count;
};

/* Keeps value for the next look. False: it is the first (no table, no room, or the counter
 * began anew), and there is no rise to tell. */
bool rc_rates_rise(struct rc_rates *r, const char *what, const char *device, uint64_t value,
                   uint64_t *ret_rise);
/* After rc_rates_rise(): looks in a row in which a counter that used to rise stood still. */
uint32_t rc_rates_still(const struct rc_rates *r, const char *what, const char *device);

#endif
