/* The block of state: tables, growth, what is found again. */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/core/story.h"

static struct rc_state *
fresh(uint32_t nodes)
{
    const struct rc_capacity_limits limits = {.nodes = nodes, .incidents = 16, .messages = 64};

    return rc_state_init(calloc(1, rc_state_size(&limits)), &limits);
}

static void
names_are_found_again_and_others_are_not(void)
{
    struct rc_state *s = fresh(64);
    char name[16];

    for (unsigned i = 0; i < 64; i++) {
        snprintf(name, sizeof name, "n%u", i);
        CU_ASSERT_EQUAL(rc_node_get(s, name), i + 1);
        snprintf(name, sizeof name, "i-%u", i);
        CU_ASSERT_EQUAL(rc_instance_get(s, name), i + 1);
    }
    CU_ASSERT_EQUAL(rc_node_find(s, "n63"), 64);
    CU_ASSERT_EQUAL(rc_node_find(s, "n64"), 0);
    CU_ASSERT_EQUAL(rc_node_find(s, ""), 0);
    CU_ASSERT_EQUAL(rc_node_get(s, "n64"), 0);
    CU_ASSERT_EQUAL(s->table_full, 1);
    CU_ASSERT_EQUAL(rc_instance_find(s, "i-9"), 10);
    free(s);
}

static void
freed_instances_lend_their_row_and_are_not_found(void)
{
    struct rc_state *s = fresh(8);
    uint32_t a = rc_instance_get(s, "i-a"), b = rc_instance_get(s, "i-b");

    rc_instance_free(s, a);
    CU_ASSERT_EQUAL(rc_instance_find(s, "i-a"), 0);
    CU_ASSERT_EQUAL(rc_instance_find(s, "i-b"), b);
    CU_ASSERT_EQUAL(rc_instance_get(s, "i-c"), a);
    CU_ASSERT_EQUAL(rc_instance_find(s, "i-a"), 0);
    free(s);
}

static void
flights_come_and_go_in_any_order(void)
{
    struct rc_state *s = fresh(8);

    for (uint64_t id = 1; id <= 100; id++) {
        CU_ASSERT_NOT_EQUAL(rc_flight_new(s, id * 16), 0);
    }
    for (uint64_t id = 1; id <= 100; id += 2) {
        rc_flight_free(s, rc_flight_find(s, id * 16));
    }
    CU_ASSERT_EQUAL(s->flight_count, 50);
    for (uint64_t id = 1; id <= 100; id++) {
        CU_ASSERT_EQUAL(rc_flight_find(s, id * 16) != 0, id % 2 == 0);
    }
    CU_ASSERT_EQUAL(rc_flight_find(s, 0), 0);
    free(s);
}

static void
a_block_of_another_size_or_release_is_refused(void)
{
    struct rc_state *s = fresh(8);
    size_t size = (size_t)s->bytes;

    CU_ASSERT_PTR_EQUAL(rc_state_check(s, size), s);
    CU_ASSERT_PTR_NULL(rc_state_check(s, size - 1));
    CU_ASSERT_PTR_NULL(rc_state_check(s, 10));
    s->version++;
    CU_ASSERT_PTR_NULL(rc_state_check(s, size));
    s->version--;
    s->magic ^= 1;
    CU_ASSERT_PTR_NULL(rc_state_check(s, size));
    free(s);
}

/* What anybody can see of a state. */
static void
expect_same_view(const struct rc_state *a, const struct rc_state *b)
{
    CU_ASSERT_EQUAL(a->node_count, b->node_count);
    CU_ASSERT_EQUAL(a->open_incidents, b->open_incidents);
    CU_ASSERT_EQUAL(a->flight_count, b->flight_count);
    CU_ASSERT_EQUAL(rc_next_deadline(a), rc_next_deadline(b));
    for (uint32_t i = 1; i <= a->node_count; i++) {
        const struct rc_node *x = rc_node_at(a, i), *y = rc_node_at(b, i);
        CU_ASSERT_EQUAL(rc_node_find(b, x->name), i);
        CU_ASSERT_STRING_EQUAL(x->addr, y->addr);
        CU_ASSERT_EQUAL(x->incident, y->incident);
        CU_ASSERT_EQUAL(x->instance, y->instance);
        CU_ASSERT_EQUAL(x->wake_ms, y->wake_ms);
    }
    for (uint32_t i = 1; i <= a->instance_used; i++) {
        CU_ASSERT_EQUAL(rc_instance_find(b, rc_instance_at(a, i)->id),
                        rc_instance_find(a, rc_instance_at(a, i)->id));
    }
    for (uint32_t i = 1; i <= a->flight_used; i++) {
        CU_ASSERT_EQUAL(rc_flight_find(b, rc_flight_at(a, i)->id),
                        rc_flight_find(a, rc_flight_at(a, i)->id));
    }
    for (uint32_t i = 0; i < RC_SCOPE_ROWS; i++) {
        CU_ASSERT_EQUAL(memcmp(rc_scope_at(a, i), rc_scope_at(b, i), sizeof(struct rc_scope_row)),
                        0);
    }
}

static struct rc_state *
grown(const struct rc_state *from, uint32_t nodes)
{
    struct rc_capacity_limits limits = from->limits;

    limits.nodes = nodes;
    limits.incidents = nodes;
    return rc_state_grow(calloc(1, rc_state_size(&limits)), &limits, from);
}

static void
begin_busy(struct story *st)
{
    story_begin(st, 20);
    for (unsigned i = 1; i <= 4; i++) {
        char id[16];
        snprintf(id, sizeof id, "i-%u", i * 3);
        story_state(st, id, RC_INST_TERMINATED);
    }
    story_answer(st, RC_ACT_DRAIN, RC_OK);
    story_wait(st, 3000);
}

static void
growth_keeps_everything_that_can_be_seen(void)
{
    struct story st;

    begin_busy(&st);
    struct rc_state *big = grown(st.s, 100);
    expect_same_view(st.s, big);
    CU_ASSERT_EQUAL(rc_node_get(big, "n99"), st.s->node_count + 1);
    free(big);
    story_end(&st);
}

static void
a_grown_state_decides_as_the_small_one_would(void)
{
    struct story small, big;

    begin_busy(&small);
    begin_busy(&big);
    struct rc_state *old = big.s;
    big.s = grown(old, 100);
    free(old);
    story_clear(&small);
    story_clear(&big);
    for (struct story *st = &small; st; st = st == &small ? &big : NULL) {
        story_node(st, "n12", "10.0.0.12", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
        story_launched(st, "i-99", "10.0.9.9");
        story_state(st, "i-99", RC_INST_RUNNING);
        story_wait(st, 400000);
    }
    CU_ASSERT_STRING_EQUAL(small.trace, big.trace);
    CU_ASSERT_NOT_EQUAL(small.trace[0], '\0');
    expect_same_view(small.s, big.s);
    story_end(&small);
    story_end(&big);
}

static void
the_same_events_and_growth_give_the_same_bytes(void)
{
    uint64_t hash[2];

    for (int i = 0; i < 2; i++) {
        struct story st;
        begin_busy(&st);
        struct rc_state *big = grown(st.s, 100);
        story_end(&st);
        st.s = big;
        story_wait(&st, 60000);
        hash[i] = rc_state_hash(st.s);
        story_end(&st);
    }
    CU_ASSERT_EQUAL(hash[0], hash[1]);
}

static void
a_nearly_full_table_wants_to_grow_and_others_do_not(void)
{
    struct rc_capacity_limits want;
    struct rc_state *s = fresh(1000);

    CU_ASSERT_TRUE(rc_state_wants_growth(s, &want)); /* 16 incidents are few */
    CU_ASSERT_TRUE(want.incidents > 16);
    CU_ASSERT_EQUAL(want.nodes, 1000);
    s->node_count = 950;
    CU_ASSERT_TRUE(rc_state_wants_growth(s, &want));
    CU_ASSERT_TRUE(want.nodes >= 2000);
    free(s);
}

/* Byte by byte: also what no handler looks at. */
static void
a_copy_is_the_same_bytes_whatever_stood_there(void)
{
    struct story st, other;
    begin_busy(&st);
    begin_busy(&other);
    story_launched(&other, "i-99", "10.0.9.9");
    story_wait(&other, 400000);
    size_t bytes = (size_t)st.s->bytes;
    char *block = calloc(1, bytes), *zero = calloc(1, bytes);

    CU_ASSERT_FATAL(block && zero && other.s->bytes == st.s->bytes);
    struct rc_state *copy = (struct rc_state *)(void *)block;
    rc_state_copy(copy, other.s);
    CU_ASSERT_EQUAL(memcmp(block, other.s, bytes), 0);
    rc_state_copy(copy, st.s);
    CU_ASSERT_EQUAL(memcmp(block, st.s, bytes), 0);
    rc_state_copy(copy, other.s);
    CU_ASSERT_EQUAL(memcmp(block, other.s, bytes), 0);
    rc_state_clear(copy);
    CU_ASSERT_EQUAL(memcmp(block, zero, bytes), 0);
    free(block);
    free(zero);
    story_end(&st);
    story_end(&other);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"names are found again, and others are not", names_are_found_again_and_others_are_not},
        {"freed instances lend their row and are not found",
         freed_instances_lend_their_row_and_are_not_found},
        {"flights come and go in any order", flights_come_and_go_in_any_order},
        {"a block of another size or release is refused",
         a_block_of_another_size_or_release_is_refused},
        {"growth keeps everything that can be seen", growth_keeps_everything_that_can_be_seen},
        {"a grown state decides as the small one would",
         a_grown_state_decides_as_the_small_one_would},
        {"the same events and growth give the same bytes",
         the_same_events_and_growth_give_the_same_bytes},
        {"a nearly full table wants to grow, and others do not",
         a_nearly_full_table_wants_to_grow_and_others_do_not},
        {"a copy is the same bytes, whatever stood there before",
         a_copy_is_the_same_bytes_whatever_stood_there},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("state", tests);
}
