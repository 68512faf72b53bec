/* The timer heap and the queue of touched nodes, against a plain table. */
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/core/timers.h"

enum { NODES = 200, ROUNDS = 20000 };

static uint64_t random_state = 88172645463325252ULL;

static uint32_t
random_below(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state % n);
}

static struct rc_state *
state_with_nodes(unsigned nodes)
{
    const struct rc_capacity_limits limits = {.nodes = nodes, .incidents = 4, .messages = 16};
    struct rc_state *s = rc_state_init(calloc(1, rc_state_size(&limits)), &limits);
    char name[] = "n000";

    for (unsigned i = 0; i < nodes; i++) {
        name[1] = (char)('0' + i / 100);
        name[2] = (char)('0' + i / 10 % 10);
        name[3] = (char)('0' + i % 10);
        rc_node_get(s, name);
    }
    return s;
}

static int64_t
earliest(const int64_t *wake_ms)
{
    int64_t best = RC_NEVER;

    for (unsigned i = 0; i < NODES; i++) {
        best = wake_ms[i] < best ? wake_ms[i] : best;
    }
    return best;
}

static bool
heap_is_ordered(const struct rc_state *s)
{
    const uint32_t *heap = rc_table_u32(s, &s->heap);

    for (uint32_t at = 1; at <= s->heap_count; at++) {
        const struct rc_node *n = rc_node_at(s, heap[at]);
        if (n->heap_at != at || (at > 1 && rc_node_at(s, heap[at / 2])->wake_ms > n->wake_ms)) {
            return false;
        }
    }
    return true;
}

static void
random_timers_agree_with_a_plain_table(void)
{
    struct rc_state *s = state_with_nodes(NODES);
    int64_t wake_ms[NODES];
    bool agreed = true, ordered = true;

    for (unsigned i = 0; i < NODES; i++) {
        wake_ms[i] = RC_NEVER;
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t node = random_below(NODES);
        wake_ms[node] = random_below(4) ? (int64_t)random_below(1000) : RC_NEVER;
        rc_timer_set(s, node + 1, wake_ms[node]);
        agreed &= rc_timer_next(s) == earliest(wake_ms);
        ordered &= round % 64 || heap_is_ordered(s);
    }
    CU_ASSERT_TRUE(agreed);
    CU_ASSERT_TRUE(ordered);
    free(s);
}

static void
due_timers_touch_their_nodes_in_order_of_time_then_slot(void)
{
    struct rc_state *s = state_with_nodes(5);

    rc_timer_set(s, 4, 20);
    rc_timer_set(s, 2, 10);
    rc_timer_set(s, 5, 10);
    rc_timer_set(s, 1, 31);
    s->now_ms = 30;
    rc_timers_expire(s);
    CU_ASSERT_EQUAL(rc_touch_pop(s), 2);
    CU_ASSERT_EQUAL(rc_touch_pop(s), 5);
    CU_ASSERT_EQUAL(rc_touch_pop(s), 4);
    CU_ASSERT_EQUAL(rc_touch_pop(s), 0);
    CU_ASSERT_EQUAL(rc_timer_next(s), 31);
    free(s);
}

static void
a_node_is_touched_once_and_slot_zero_never(void)
{
    struct rc_state *s = state_with_nodes(3);

    for (unsigned i = 0; i < 10; i++) {
        rc_touch(s, 2);
        rc_touch(s, 0);
    }
    CU_ASSERT_EQUAL(s->touch_count, 1);
    CU_ASSERT_EQUAL(rc_touch_pop(s), 2);
    rc_touch(s, 2);
    CU_ASSERT_EQUAL(rc_touch_pop(s), 2);
    CU_ASSERT_EQUAL(s->touch_head, 0);
    free(s);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"random timers agree with a plain table", random_timers_agree_with_a_plain_table},
        {"due timers touch their nodes in order of time, then slot",
         due_timers_touch_their_nodes_in_order_of_time_then_slot},
        {"a node is touched once, and slot zero never", a_node_is_touched_once_and_slot_zero_never},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("timers", tests);
}
