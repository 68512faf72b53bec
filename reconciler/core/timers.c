/* timers.c - see timers.h. heap[1..count] holds node slots; node.heap_at leads back. */
#include "reconciler/core/timers.h"

#include <assert.h>

static bool
before(const struct rc_state *s, uint32_t a, uint32_t b)
{
    int64_t wa = rc_node_at(s, a)->wake_ms, wb = rc_node_at(s, b)->wake_ms;

    return wa != wb ? wa < wb : a < b;
}

static void
put_at(struct rc_state *s, uint32_t *heap, uint32_t at, uint32_t node)
{
    heap[at] = node;
    rc_node_at(s, node)->heap_at = at;
}

static void
sift_up(struct rc_state *s, uint32_t at)
{
    uint32_t *heap = rc_table_u32(s, &s->heap), node = heap[at];

    while (at > 1 && before(s, node, heap[at / 2])) {
        put_at(s, heap, at, heap[at / 2]);
        at /= 2;
    }
    put_at(s, heap, at, node);
}

static void
sift_down(struct rc_state *s, uint32_t at)
{
    uint32_t *heap = rc_table_u32(s, &s->heap), node = heap[at];

    for (uint32_t child = at * 2; child <= s->heap_count; child = at * 2) {
        if (child < s->heap_count && before(s, heap[child + 1], heap[child])) {
            child++;
        }
        if (!before(s, heap[child], node)) {
            break;
        }
        put_at(s, heap, at, heap[child]);
        at = child;
    }
    put_at(s, heap, at, node);
}

static void
heap_remove(struct rc_state *s, uint32_t node)
{
    uint32_t *heap = rc_table_u32(s, &s->heap), at = rc_node_at(s, node)->heap_at;
    uint32_t last = heap[s->heap_count];

    heap[s->heap_count--] = 0;
    rc_node_at(s, node)->heap_at = 0;
    if (last != node) {
        put_at(s, heap, at, last);
        sift_up(s, at);
        sift_down(s, rc_node_at(s, last)->heap_at);
    }
}

void
rc_timer_set(struct rc_state *s, uint32_t node, int64_t wake_ms)
{
    struct rc_node *n = rc_node_at(s, node);

    if (n->wake_ms == wake_ms && (n->heap_at || wake_ms == RC_NEVER)) {
        return;
    }
    if (wake_ms == RC_NEVER) {
        heap_remove(s, node);
        n->wake_ms = RC_NEVER;
        return;
    }
    n->wake_ms = wake_ms;
    if (!n->heap_at) {
        assert(s->heap_count + 1 < s->heap.room);
        put_at(s, rc_table_u32(s, &s->heap), ++s->heap_count, node);
    }
    sift_up(s, n->heap_at);
    sift_down(s, n->heap_at);
}

int64_t
rc_timer_next(const struct rc_state *s)
{
    return s->heap_count ? rc_node_at(s, rc_table_u32(s, &s->heap)[1])->wake_ms : RC_NEVER;
}

void
rc_timers_expire(struct rc_state *s)
{
    while (rc_timer_next(s) <= s->now_ms) {
        uint32_t node = rc_table_u32(s, &s->heap)[1];
        rc_timer_set(s, node, RC_NEVER);
        rc_touch(s, node);
    }
}

void
rc_touch(struct rc_state *s, uint32_t node)
{
    if (!node || rc_node_at(s, node)->touched) {
        return;
    }
    assert(s->touch_count < s->touch.room);
    rc_table_u32(s, &s->touch)[(s->touch_head + s->touch_count++) % s->touch.room] = node;
    rc_node_at(s, node)->touched = 1;
}

uint32_t
rc_touch_pop(struct rc_state *s)
{
    uint32_t *touch = rc_table_u32(s, &s->touch), node;

    if (!s->touch_count) {
        return 0;
    }
    node = touch[s->touch_head];
    touch[s->touch_head] = 0;
    s->touch_head = (s->touch_head + 1) % s->touch.room;
    s->touch_count--;
    if (!s->touch_count) {
        s->touch_head = 0; /* equal states are equal bytes, whatever came before */
    }
    rc_node_at(s, node)->touched = 0;
    return node;
}
