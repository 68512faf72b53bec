/* probe_rates.c - see probe_rates.h. */
#include "reconciler/watch/probe_rates.h"

#include <stddef.h>

static uint64_t
rate_key(const char *what, const char *device)
{
    uint64_t hash = 0xcbf29ce484222325U; /* FNV-1a */

    for (const char *c = what; *c; c++) {
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3U;
    }
    hash = (hash ^ ' ') * 0x100000001b3U;
    for (const char *c = device; *c; c++) {
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3U;
    }
    return hash;
}

static const struct rc_rate *
find_rate(const struct rc_rates *r, uint64_t key)
{
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->v[i].key == key) {
            return &r->v[i];
        }
    }
    return NULL;
}

bool
rc_rates_rise(struct rc_rates *r, const char *what, const char *device, uint64_t value,
              uint64_t *ret_rise)
{
    uint64_t key = rate_key(what, device);
    const struct rc_rate *known = r ? find_rate(r, key) : NULL;

    *ret_rise = 0;
    if (!known) {
        if (r && r->count < RC_RATES_MAX) {
            r->v[r->count++] = (struct rc_rate){.key = key, .value = value};
        }
        return false;
    }
    struct rc_rate *rate = &r->v[known - r->v];
    if (value < rate->value) { /* its driver was loaded anew */
        *rate = (struct rc_rate){.key = key, .value = value};
        return false;
    }
    *ret_rise = value - rate->value;
    rate->rose |= *ret_rise > 0;
    rate->still = *ret_rise > 0 || !rate->rose ? 0 : rate->still + 1;
    rate->value = value;
    return true;
}

uint32_t
rc_rates_still(const struct rc_rates *r, const char *what, const char *device)
{
    const struct rc_rate *rate = r ? find_rate(r, rate_key(what, device)) : NULL;

    return rate ? rate->still : 0;
}
