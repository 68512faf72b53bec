/* What handlers/history.c folds: what a successor with an empty journal knows of a node. */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

#include "policies/rules.h"
#include "reconciler/core/node_history.h"
#include "reconciler/core/turn.h"
#include "tests/unit/core/story.h"

static void
a_hold_outlives_its_controller(void)
{
    struct story first, second;

    story_begin(&first, 2);
    story_operate(&first, RC_OP_HOLD, "n1", 0);
    CU_ASSERT_EQUAL(first.count[RC_ACT_HISTORY_PUT], 1);
    CU_ASSERT_STRING_EQUAL(first.last[RC_ACT_HISTORY_PUT].node, "n1");

    story_begin(&second, 2);
    story_history(&second, "n1", &first.last[RC_ACT_HISTORY_PUT].u.history, 7);
    story_state(&second, "i-1", RC_INST_TERMINATED);
    CU_ASSERT_EQUAL(story_incident(&second, "n1")->block, RC_BLOCK_HOLD);
    CU_ASSERT_EQUAL(second.count[RC_ACT_DRAIN], 0);
    story_operate(&second, RC_OP_RELEASE, "n1", 0);
    CU_ASSERT_EQUAL(second.last[RC_ACT_HISTORY_PUT].u.history.flags, 0);
    story_end(&first);
    story_end(&second);
}

static void
a_pause_and_an_open_breaker_outlive_their_controller(void)
{
    struct story first, second;

    story_begin(&first, 2);
    story_operate(&first, RC_OP_PAUSE, "", 0);
    CU_ASSERT_EQUAL(first.last[RC_ACT_HISTORY_PUT].u.history.flags, RC_HISTORY_PAUSED);
    CU_ASSERT_STRING_EQUAL(first.last[RC_ACT_HISTORY_PUT].node, "");

    story_begin(&second, 2);
    story_history(&second, "", &first.last[RC_ACT_HISTORY_PUT].u.history, 7);
    story_state(&second, "i-1", RC_INST_TERMINATED);
    CU_ASSERT_PTR_NULL(story_incident(&second, "n1"));
    story_operate(&second, RC_OP_RESUME, "", 0);
    CU_ASSERT_PTR_NOT_NULL(story_incident(&second, "n1"));

    struct rc_history open = {.flags = RC_HISTORY_BREAKER_OPEN};
    story_history(&second, "", &open, 8);
    CU_ASSERT_EQUAL(second.s->breaker_open, 1);
    story_end(&first);
    story_end(&second);
}

static void
what_the_store_never_had_of_ours_still_counts(void)
{
    struct story st;
    struct rc_history h = {0};

    story_begin(&st, 2);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    CU_ASSERT_EQUAL_FATAL(st.count[RC_ACT_LAUNCH], 1);
    story_lose_lease(&st); /* and with it the write of what was done */
    rc_history_dirty(st.s, 1);
    story_history(&st, "n1", &h, 7);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->launches.count, 1);
    CU_ASSERT_EQUAL(rc_node_at(st.s, 1)->launch_count, 1);
    CU_ASSERT_EQUAL(rc_node_at(st.s, 1)->history.dirty, 1); /* still to be told */
    h.launch_wall_ms[0] = st.wall_ms + rc_node_at(st.s, 1)->launch_ms[0] - st.at_ms;
    rc_node_at(st.s, 1)->history.dirty = 0;
    story_history(&st, "n1", &h, 8);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->launches.count, 1);
    h.launch_wall_ms[0] = 0;
    story_history(&st, "n1", &h, 9);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->launches.count, 0);
    story_end(&st);
}

/* The host lost its power after the refusal was told to the store, not yet to its own journal. */
static void
a_launch_that_the_store_knows_as_refused_counts_anew(void)
{
    struct story st;
    struct rc_history h = {0};

    story_begin(&st, 2);
    story_state(&st, "i-1", RC_INST_TERMINATED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    rc_node_at(st.s, 1)->launch_ms[rc_node_at(st.s, 1)->launch_count++] = st.at_ms - 600000;
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    CU_ASSERT_EQUAL_FATAL(st.count[RC_ACT_LAUNCH], 1);
    CU_ASSERT_TRUE(rc_budget_counted(st.s, story_incident(&st, "n1"), 0));
    story_lose_lease(&st);
    rc_node_at(st.s, 1)->history.dirty = 0;
    rc_node_at(st.s, 1)->history.action = 0;
    h.launch_wall_ms[0] = st.wall_ms - 600000; /* the one before it */
    story_history(&st, "n1", &h, 7);
    CU_ASSERT_EQUAL(rc_node_at(st.s, 1)->launch_count, 1);
    CU_ASSERT_FALSE(rc_budget_counted(st.s, story_incident(&st, "n1"), 0));
    story_end(&st);
}

/* Its leader took it, and lost the lease before it could write it down. */
static void
an_order_that_the_store_never_had_stands(void)
{
    struct story st;
    struct rc_history h = {0};

    story_begin(&st, 2);
    story_lose_lease(&st);
    rc_node_at(st.s, 1)->hold = st.s->paused = 1;
    rc_history_said(st.s, 1);
    rc_history_said(st.s, 0);
    story_history(&st, "n1", &h, 7);
    story_history(&st, "", &h, 7);
    CU_ASSERT_EQUAL(rc_node_at(st.s, 1)->hold, 1);
    CU_ASSERT_EQUAL(st.s->paused, 1);
    CU_ASSERT_EQUAL(rc_node_at(st.s, 1)->history.dirty, 1); /* still to be told */
    CU_ASSERT_EQUAL(st.s->history.dirty, 1);
    story_end(&st);
}

static void
an_order_that_was_stored_is_taken_back_by_the_other_leader(void)
{
    struct story st;
    struct rc_history h = {0};

    story_begin(&st, 2);
    story_operate(&st, RC_OP_HOLD, "n1", 0);
    story_operate(&st, RC_OP_PAUSE, "", 0);
    CU_ASSERT_EQUAL_FATAL(st.count[RC_ACT_HISTORY_PUT], 2);
    CU_ASSERT_EQUAL(st.s->history.dirty, 0);
    story_lose_lease(&st);
    rc_history_dirty(st.s, 1); /* for what was done to it, not for what was said */
    story_history(&st, "n1", &h, 7);
    story_history(&st, "", &h, 7);
    CU_ASSERT_EQUAL(rc_node_at(st.s, 1)->hold, 0);
    CU_ASSERT_EQUAL(st.s->paused, 0);
    story_end(&st);
}

/* The other controller saw a fault while the breaker was open: it stays open from then on. */
static void
an_open_breaker_counts_from_the_newest_fault_of_either(void)
{
    struct story st;
    struct rc_history open = {.flags = RC_HISTORY_BREAKER_OPEN}, h = {0};

    story_begin(&st, 2);
    st.policy.limits.breaker_reset_ms = 600000;
    story_load(&st);
    story_history(&st, "", &open, 7);
    story_wait(&st, 500000);
    h.opened_wall_ms[0] = st.wall_ms - 60000;
    story_history(&st, "n1", &h, 8);
    story_history(&st, "", &open, 8);
    story_wait(&st, 200000); /* ten minutes after it opened, not after the fault */
    CU_ASSERT_EQUAL(st.s->breaker_open, 1);
    story_wait(&st, 360000);
    CU_ASSERT_EQUAL(st.s->breaker_open, 0);
    story_end(&st);
}

/* The leader may see faults that hold it open; it is told of them when this one leads. */
static void
an_open_breaker_does_not_close_while_another_one_leads(void)
{
    struct story st;
    struct rc_history open = {.flags = RC_HISTORY_BREAKER_OPEN};
    struct rc_event tick;

    story_begin(&st, 2);
    st.policy.limits.breaker_reset_ms = 600000;
    story_load(&st);
    story_history(&st, "", &open, 7);
    story_lose_lease(&st);
    st.at_ms += 3600000;
    st.wall_ms += 3600000;
    rc_event_init(&tick, RC_EV_TICK);
    story_give(&st, &tick); /* and gets the lease again */
    CU_ASSERT_EQUAL(st.s->breaker_open, 1);
    story_wait(&st, 1000);
    CU_ASSERT_EQUAL(st.s->breaker_open, 0);
    story_end(&st);
}

static void
attempts_count_on_where_the_other_controller_stopped(void)
{
    struct rc_history h = {.epoch = 3};
    struct story st;

    story_begin(&st, 2);
    for (unsigned i = 0; i < st.policy.limits.attempts_max; i++) {
        h.repair_wall_ms[i] = st.wall_ms - 600000 + (int64_t)i * 1000;
    }
    CU_ASSERT_FALSE(rc_attempts_used_up(st.s, rc_node_at(st.s, 1)));
    story_history(&st, "n1", &h, 3);
    CU_ASSERT_TRUE(rc_attempts_used_up(st.s, rc_node_at(st.s, 1)));
    story_wait(&st, st.policy.limits.attempts_window_ms);
    CU_ASSERT_FALSE(rc_attempts_used_up(st.s, rc_node_at(st.s, 1)));
    story_end(&st);
}

static void
a_cool_down_goes_on_but_is_never_longer_than_policy_says(void)
{
    struct rc_history h = {.epoch = 3};
    struct story st;

    story_begin(&st, 2);
    st.policy.limits.cooldown_ms = 600000;
    story_load(&st);
    h.cooldown_until_wall_ms = st.wall_ms + 300000;
    story_history(&st, "n1", &h, 3);
    int64_t left_ms = rc_node_at(st.s, 1)->cooldown_until_ms - st.s->now_ms;
    CU_ASSERT_TRUE(left_ms > 290000 && left_ms <= 300000);
    h.cooldown_until_wall_ms = st.wall_ms + 86400000; /* a clock that was wrong */
    story_history(&st, "n2", &h, 3);
    CU_ASSERT_EQUAL(rc_node_at(st.s, 2)->cooldown_until_ms - st.s->now_ms, 600000);
    story_end(&st);
}

static void
rates_and_the_breakers_window_are_counted_from_what_was_told(void)
{
    struct rc_history h = {.epoch = 3};
    struct story st;

    story_begin(&st, 20);
    h.opened_wall_ms[0] = st.wall_ms - 2000;
    h.opened_wall_ms[1] = st.wall_ms - 1000;
    h.launch_wall_ms[0] = st.wall_ms - 1500;
    h.destructive_wall_ms[0] = st.wall_ms - 1200;
    story_history(&st, "n1", &h, 3);
    h.launch_wall_ms[0] = st.wall_ms - 1700; /* older than what is there */
    story_history(&st, "n2", &h, 3);
    const struct rc_scope_row *all = rc_scope_at(st.s, 0);
    CU_ASSERT_EQUAL(all->launches.count, 2);
    CU_ASSERT_TRUE(all->launches.at_ms[0] < all->launches.at_ms[1]);
    CU_ASSERT_EQUAL(all->destructive.count, 2);
    CU_ASSERT_EQUAL(rc_breaker_count(st.s), 4);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, rc_node_at(st.s, 1)->partition_row)->launches.count, 2);
    /* A node that is told of again is not counted twice. */
    story_history(&st, "n1", &h, 4);
    CU_ASSERT_EQUAL(all->launches.count, 2);
    story_end(&st);
}

/* Two clocks never agree to the millisecond, and a leader that is not sure sends once more. */
static void
an_action_that_the_other_leader_tells_at_another_time_is_counted_once(void)
{
    struct rc_history h = {.epoch = 3};
    struct story st;

    story_begin(&st, 20);
    const struct rc_scope_row *all = rc_scope_at(st.s, 0);
    h.opened_wall_ms[0] = st.wall_ms - 2000;
    h.launch_wall_ms[0] = st.wall_ms - 1500;
    h.destructive_wall_ms[0] = st.wall_ms - 1200;
    story_history(&st, "n1", &h, 3);
    for (uint64_t epoch = 4; epoch < 9; epoch++) {
        h.opened_wall_ms[0] += 3;
        h.launch_wall_ms[0] += 700;
        h.destructive_wall_ms[0] += 1;
        story_history(&st, "n1", &h, epoch);
    }
    CU_ASSERT_EQUAL(all->launches.count, 1);
    CU_ASSERT_EQUAL(all->destructive.count, 1);
    CU_ASSERT_EQUAL(rc_breaker_count(st.s), 1);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, rc_node_at(st.s, 1)->partition_row)->launches.count, 1);
    story_end(&st);
}

/* The store has it by our clock as that stood when it was done. */
static void
what_we_did_is_not_longer_ago_because_our_clock_was_set_forward(void)
{
    struct rc_history h = {0};
    struct story st;

    story_begin(&st, 2);
    story_wait(&st, 1000);
    h.destructive_wall_ms[0] = st.wall_ms;
    story_history(&st, "n1", &h, 3);
    const struct rc_rate *all = &rc_scope_at(st.s, 0)->destructive;
    int64_t done_ms = all->at_ms[0];
    st.wall_ms += 23000;
    story_history(&st, "n1", &h, 4);
    CU_ASSERT_EQUAL(all->count, 1);
    CU_ASSERT_EQUAL(all->at_ms[0], done_ms);
    int64_t went_on_ms = st.at_ms; /* the other leader has */
    h.destructive_wall_ms[1] = st.wall_ms;
    story_wait(&st, 1000);
    story_history(&st, "n1", &h, 5);
    CU_ASSERT_EQUAL(all->count, 2);
    CU_ASSERT_EQUAL(all->at_ms[0], done_ms);
    CU_ASSERT_EQUAL(all->at_ms[1], went_on_ms);
    story_end(&st);
}

/* More than a history holds: what the ring has dropped was done all the same. */
static void
what_has_left_a_full_ring_still_counts(void)
{
    struct rc_history h = {.epoch = 3};
    struct story st;

    story_begin(&st, 20);
    for (int i = 0; i < RC_ATTEMPTS_MAX; i++) {
        h.launch_wall_ms[i] = st.wall_ms - 100000 + i * 10000;
    }
    story_history(&st, "n1", &h, 3);
    memmove(h.launch_wall_ms, h.launch_wall_ms + 1, (RC_ATTEMPTS_MAX - 1) * sizeof(int64_t));
    h.launch_wall_ms[RC_ATTEMPTS_MAX - 1] = st.wall_ms - 1000;
    story_history(&st, "n1", &h, 4);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->launches.count, RC_ATTEMPTS_MAX + 1);
    story_end(&st);
}

static void
a_partition_that_is_known_later_gets_its_rates_then(void)
{
    struct rc_history h = {.epoch = 3};
    struct story st;

    story_begin(&st, 1);
    h.launch_wall_ms[0] = st.wall_ms - 1500;
    story_history(&st, "n77", &h, 3);
    CU_ASSERT_EQUAL(rc_node_at(st.s, rc_node_find(st.s, "n77"))->partition_row, 0);
    story_node(&st, "n77", "10.0.0.77", 0, RC_OWNER_NONE);
    uint32_t row = rc_node_at(st.s, rc_node_find(st.s, "n77"))->partition_row;
    CU_ASSERT_NOT_EQUAL_FATAL(row, 0);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, row)->launches.count, 1);
    story_node(&st, "n77", "10.0.0.77", RC_SN_DRAIN, RC_OWNER_NONE);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, row)->launches.count, 1);
    story_end(&st);
}

static void
own_words_are_kept_when_they_come_back(void)
{
    struct rc_history older = {.flags = 0};
    struct story st;

    story_begin(&st, 2);
    story_operate(&st, RC_OP_HOLD, "n1", 0);
    story_history(&st, "n1", &older, st.s->lease_epoch);
    CU_ASSERT_EQUAL(rc_node_at(st.s, 1)->hold, 1);
    story_history(&st, "n1", &older, st.s->lease_epoch + 1);
    CU_ASSERT_EQUAL(rc_node_at(st.s, 1)->hold, 0);
    story_end(&st);
}

/* The breaker opened, and the store could not be written before the lease ran out. */
static void
what_stood_there_before_a_write_that_got_lost_is_not_taken(void)
{
    struct rc_history before = {.flags = 0};
    struct story st;

    story_begin(&st, 2);
    story_history(&st, "n1", &before, 4);
    story_take_lease(&st, 5);
    story_operate(&st, RC_OP_HOLD, "n1", 0);
    CU_ASSERT_EQUAL(st.last[RC_ACT_HISTORY_PUT].u.history.epoch, 5);
    story_history(&st, "n1", &before, 4);
    CU_ASSERT_EQUAL(rc_node_at(st.s, 1)->hold, 1);
    story_end(&st);
}

/* A host that lost its power comes back with a journal that ends before the breaker opened. */
static void
later_words_of_our_own_epoch_are_taken(void)
{
    struct rc_history later = {.flags = RC_HISTORY_BREAKER_OPEN};
    struct rc_history held = {.flags = RC_HISTORY_HELD};
    struct story st;

    story_begin(&st, 2);
    story_operate(&st, RC_OP_PAUSE, "", 0);
    story_operate(&st, RC_OP_HOLD, "n1", 0);
    story_operate(&st, RC_OP_RELEASE, "n1", 0);
    later.writes = st.s->history.writes + 1;
    story_history(&st, "", &later, st.s->lease_epoch);
    CU_ASSERT_EQUAL(st.s->breaker_open, 1);
    CU_ASSERT_EQUAL(st.s->paused, 0);
    held.writes = rc_node_at(st.s, 1)->history.writes;
    story_history(&st, "n1", &held, st.s->lease_epoch);
    CU_ASSERT_EQUAL(rc_node_at(st.s, 1)->hold, 0);
    held.writes++;
    story_history(&st, "n1", &held, st.s->lease_epoch);
    CU_ASSERT_EQUAL(rc_node_at(st.s, 1)->hold, 1);
    story_end(&st);
}

static void
the_next_write_counts_on_from_what_was_taken(void)
{
    struct rc_history told = {.writes = 41};
    struct story st;

    story_begin(&st, 2);
    story_history(&st, "n1", &told, st.s->lease_epoch + 1);
    story_operate(&st, RC_OP_HOLD, "n1", 0);
    CU_ASSERT_EQUAL(st.last[RC_ACT_HISTORY_PUT].u.history.writes, 42);
    told.writes = RC_HISTORY_WRITES_MAX; /* by hand: what is written after it can be read too */
    story_history(&st, "n1", &told, st.s->lease_epoch + 2);
    story_operate(&st, RC_OP_RELEASE, "n1", 0);
    CU_ASSERT_EQUAL(st.last[RC_ACT_HISTORY_PUT].u.history.writes, RC_HISTORY_WRITES_MAX);
    story_end(&st);
}

static void
a_write_that_failed_is_tried_again_with_the_newest_words(void)
{
    struct rc_event hold, failed;
    struct story st;

    story_begin(&st, 2);
    rc_event_init(&hold, RC_EV_OPERATOR);
    rc_text_set(hold.node, sizeof hold.node, "n1");
    hold.u.operator_command.verb = RC_OP_HOLD;
    hold.at_ms = st.at_ms;
    hold.wall_ms = st.wall_ms;
    rc_step(st.s, &hold, &st.out);
    CU_ASSERT_EQUAL_FATAL(st.out.count, 1);
    CU_ASSERT_EQUAL(st.out.v[0].kind, RC_ACT_HISTORY_PUT);
    rc_event_init(&failed, RC_EV_COMPLETION);
    failed.u.completion.action = st.out.v[0].id;
    failed.u.completion.error = RC_E_TIMEOUT;
    story_give(&st, &failed);
    CU_ASSERT_EQUAL(st.count[RC_ACT_HISTORY_PUT], 0);
    story_wait(&st, st.policy.timeouts.retry_max_ms + 1000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_HISTORY_PUT], 1);
    CU_ASSERT_EQUAL(st.last[RC_ACT_HISTORY_PUT].u.history.flags, RC_HISTORY_HELD);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"what the store never had of ours still counts",
         what_the_store_never_had_of_ours_still_counts},
        {"a launch that the store knows as refused counts anew",
         a_launch_that_the_store_knows_as_refused_counts_anew},
        {"an order that the store never had stands", an_order_that_the_store_never_had_stands},
        {"an order that was stored is taken back by the other leader",
         an_order_that_was_stored_is_taken_back_by_the_other_leader},
        {"a hold outlives its controller", a_hold_outlives_its_controller},
        {"a pause and an open breaker outlive their controller",
         a_pause_and_an_open_breaker_outlive_their_controller},
        {"an open breaker does not close while another one leads",
         an_open_breaker_does_not_close_while_another_one_leads},
        {"an open breaker counts from the newest fault of either",
         an_open_breaker_counts_from_the_newest_fault_of_either},
        {"attempts count on where the other controller stopped",
         attempts_count_on_where_the_other_controller_stopped},
        {"a cool-down goes on, but is never longer than policy says",
         a_cool_down_goes_on_but_is_never_longer_than_policy_says},
        {"rates and the breaker's window are counted from what was told",
         rates_and_the_breakers_window_are_counted_from_what_was_told},
        {"an action that the other leader tells at another time is counted once",
         an_action_that_the_other_leader_tells_at_another_time_is_counted_once},
        {"what we did is not longer ago because our clock was set forward",
         what_we_did_is_not_longer_ago_because_our_clock_was_set_forward},
        {"what has left a full ring still counts", what_has_left_a_full_ring_still_counts},
        {"a partition that is known later gets its rates then",
         a_partition_that_is_known_later_gets_its_rates_then},
        {"own words are kept when they come back", own_words_are_kept_when_they_come_back},
        {"what stood there before a write that got lost is not taken",
         what_stood_there_before_a_write_that_got_lost_is_not_taken},
        {"later words of our own epoch are taken", later_words_of_our_own_epoch_are_taken},
        {"the next write counts on from what was taken",
         the_next_write_counts_on_from_what_was_taken},
        {"a write that failed is tried again with the newest words",
         a_write_that_failed_is_tried_again_with_the_newest_words},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("history", tests);
}
