/* sim_heap.h - which slot of a table is due next.
 *
 * An indexed binary heap over (time, slot): at equal times the lower slot comes
 * first, so the order is defined. Memory is taken once, at init. */
#ifndef RC_SIM_HEAP_H
#define RC_SIM_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#define RC_SIM_NEVER INT64_MAX

struct rc_sim_heap {
    uint32_t count;
    uint32_t room;
    uint32_t *slot;  /* heap order */
    uint32_t *where; /* slot -> position + 1; 0 = not in the heap */
    int64_t *key;    /* by slot */
};

bool rc_sim_heap_init(struct rc_sim_heap *h, uint32_t room); /* false: no memory */
void rc_sim_heap_done(struct rc_sim_heap *h);
/* Inserts, moves or (RC_SIM_NEVER) removes a slot. */
void rc_sim_heap_set(struct rc_sim_heap *h, uint32_t slot, int64_t key);
/* Time of the first slot, RC_SIM_NEVER when empty. */
static inline int64_t
rc_sim_heap_next_ms(const struct rc_sim_heap *h)
{
    return h->count == 0 ? RC_SIM_NEVER : h->key[h->slot[0]];
}
/* The first slot; the heap must not be empty. */
uint32_t rc_sim_heap_first(const struct rc_sim_heap *h);

#endif
