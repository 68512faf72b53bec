/* sim_heap.c - indexed binary heap.
 *
 * Invariant: where[slot[i]] == i + 1 for every i < count. */
#include "simulator/model/sim_heap.h"

#include <assert.h>
#include <stdlib.h>

bool
rc_sim_heap_init(struct rc_sim_heap *h, uint32_t room)
{
    *h = (struct rc_sim_heap){.room = room};
    h->slot = calloc(room, sizeof(*h->slot));
    h->where = calloc(room, sizeof(*h->where));
    h->key = calloc(room, sizeof(*h->key));
    if (h->slot == NULL || h->where == NULL || h->key == NULL) {
        rc_sim_heap_done(h);
        return false;
    }
    return true;
}

void
rc_sim_heap_done(struct rc_sim_heap *h)
{
    free(h->slot);
    free(h->where);
    free(h->key);
    *h = (struct rc_sim_heap){0};
}

static bool
heap_before(const struct rc_sim_heap *h, uint32_t a, uint32_t b)
{
    if (h->key[a] != h->key[b])
        return h->key[a] < h->key[b];
    return a < b;
}

static void
heap_put(struct rc_sim_heap *h, uint32_t at, uint32_t slot)
{
    h->slot[at] = slot;
    h->where[slot] = at + 1;
}

static void
heap_up(struct rc_sim_heap *h, uint32_t at)
{
    uint32_t slot = h->slot[at];

    while (at > 0 && heap_before(h, slot, h->slot[(at - 1) / 2])) {
        heap_put(h, at, h->slot[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_put(h, at, slot);
}

static void
heap_down(struct rc_sim_heap *h, uint32_t at)
{
    uint32_t slot = h->slot[at];

    for (;;) {
        uint32_t child = 2 * at + 1;

        if (child >= h->count)
            break;
        if (child + 1 < h->count && heap_before(h, h->slot[child + 1], h->slot[child]))
            child++;
        if (!heap_before(h, h->slot[child], slot))
            break;
        heap_put(h, at, h->slot[child]);
        at = child;
    }
    heap_put(h, at, slot);
}

static void
heap_take_out(struct rc_sim_heap *h, uint32_t slot)
{
    uint32_t at = h->where[slot] - 1;
    uint32_t last = h->slot[--h->count];

    h->where[slot] = 0;
    if (last == slot)
        return;
    heap_put(h, at, last);
    heap_up(h, at);
    heap_down(h, h->where[last] - 1);
}

void
rc_sim_heap_set(struct rc_sim_heap *h, uint32_t slot, int64_t key)
{
    assert(slot < h->room);
    if (key == RC_SIM_NEVER) {
        if (h->where[slot] != 0)
            heap_take_out(h, slot);
        return;
    }
    h->key[slot] = key;
    if (h->where[slot] == 0)
        heap_put(h, h->count++, slot);
    heap_up(h, h->where[slot] - 1);
    heap_down(h, h->where[slot] - 1);
}

uint32_t
rc_sim_heap_first(const struct rc_sim_heap *h)
{
    assert(h->count > 0);
    return h->slot[0];
}
