/* sim_random.c - SplitMix64 and what is drawn from it.
 *
 * Invariant: every function draws a fixed number of words for fixed arguments,
 * except below(), which rejects with a chance under n / 2^64. */
#include "simulator/model/sim_random.h"

#include <assert.h>
#include <stdio.h>

void
rc_sim_random_seed(struct rc_sim_random *r, uint64_t seed, uint64_t stream)
{
    r->state = seed ^ (stream * 0xd1342543de82ef95ULL);
    (void)rc_sim_random_next(r);
}

uint64_t
rc_sim_random_next(struct rc_sim_random *r)
{
    uint64_t z = (r->state += 0x9e3779b97f4a7c15ULL);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

uint64_t
rc_sim_random_below(struct rc_sim_random *r, uint64_t n)
{
    uint64_t limit;
    uint64_t z;

    assert(n > 0);
    limit = UINT64_MAX - UINT64_MAX % n;
    do
        z = rc_sim_random_next(r);
    while (z >= limit);
    return z % n;
}

bool
rc_sim_random_chance(struct rc_sim_random *r, uint32_t permille)
{
    if (permille == 0)
        return false;
    if (permille >= 1000)
        return true;
    return rc_sim_random_below(r, 1000) < permille;
}

int64_t
rc_sim_random_jitter(struct rc_sim_random *r, int64_t base, uint32_t permille)
{
    int64_t span = base * (int64_t)permille / 1000;

    if (span <= 0)
        return base;
    return base + (int64_t)rc_sim_random_below(r, (uint64_t)span + 1);
}

void
rc_sim_random_uuid(struct rc_sim_random *r, char out[37])
{
    uint64_t a = rc_sim_random_next(r);
    uint64_t b = rc_sim_random_next(r);

    (void)snprintf(out, 37, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
                   (unsigned)(a >> 16 & 0xffffU), (unsigned)(a & 0xfffU),
                   (unsigned)(0x8000U | (b >> 48 & 0x3fffU)),
                   (unsigned long long)(b & 0xffffffffffffULL));
}
