/* sim_hash.h - FNV-1a, for comparing states and for finding names.
 *
 * State is hashed field by field, never as raw structs: padding has no say. */
#ifndef RC_SIM_HASH_H
#define RC_SIM_HASH_H

#include <stdint.h>

#define RC_SIM_HASH_SEED 0xcbf29ce484222325ULL

static inline uint64_t
rc_sim_hash_u64(uint64_t h, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        h = (h ^ (v >> (8 * i) & 0xffU)) * 0x100000001b3ULL;
    return h;
}

/* The closing NUL counts, so that ("ab","c") and ("a","bc") differ. */
static inline uint64_t
rc_sim_hash_str(uint64_t h, const char *s)
{
    do
        h = (h ^ (uint64_t)(unsigned char)*s) * 0x100000001b3ULL;
    while (*s++ != '\0');
    return h;
}

#endif
