/* What handlers/lease.c folds, and what it does not. */
#include "tests/harness/harness.h"

#include <string.h>

#include "policies/rules.h"
#include "reconciler/core/stored.h"
#include "tests/unit/core/story.h"

static void
tell(struct story *st, uint32_t held, int64_t until_ms, uint32_t error)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_LEASE);
    ev.u.lease.held = held;
    ev.u.lease.until_ms = until_ms;
    ev.u.lease.epoch = 9;
    ev.u.lease.error = error;
    ev.at_ms = st->at_ms += 10;
    ev.wall_ms = st->wall_ms += 10;
    rc_step(st->s, &ev, &st->out);
}

static void
an_answer_that_did_not_come_changes_nothing_what_is_held_runs_on(void)
{
    struct story st;

    story_begin(&st, 2);
    int64_t until_ms = st.s->lease_until_ms;
    tell(&st, 0, 0, RC_E_TIMEOUT);
    CU_ASSERT_EQUAL(st.s->lease_held, 1);
    CU_ASSERT_EQUAL(st.s->lease_until_ms, until_ms);
    CU_ASSERT_EQUAL(rc_next_deadline(st.s), st.at_ms + 500);
    CU_ASSERT_TRUE(rc_leads(st.s));
    story_end(&st);
}

static void
a_lease_that_is_lost_stops_everything_at_once(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, 0, 0, RC_OK);
    CU_ASSERT_FALSE(rc_leads(st.s));
    story_end(&st);
}

/* The store was away for long, and answers what was sent under an epoch that has ended. */
static void
a_refused_write_of_an_epoch_before_is_no_loss(void)
{
    struct story st;
    struct rc_action put;
    struct rc_event refused;

    story_begin(&st, 2);
    tell(&st, 1, st.at_ms + 10 + 30000, RC_OK); /* epoch 9 */
    int64_t next_ms = st.s->lease_next_ms;
    rc_action_init(&put, RC_ACT_HISTORY_PUT);
    put.u.history.epoch = 8;
    rc_stored_refused(&refused, &put);
    story_give(&st, &refused);
    CU_ASSERT_TRUE(rc_leads(st.s));
    CU_ASSERT_EQUAL(st.s->lease_next_ms, next_ms);
    rc_action_init(&put, RC_ACT_INCIDENT_PUT);
    put.u.item.epoch = 9;
    rc_stored_refused(&refused, &put);
    story_give(&st, &refused);
    CU_ASSERT_FALSE(rc_leads(st.s));
    story_end(&st);
}

static void
the_margin_before_the_end_is_not_used(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, 1, st.at_ms + 3000, RC_OK);
    CU_ASSERT_TRUE(rc_leads(st.s));
    st.s->now_ms += 1000;
    CU_ASSERT_FALSE(rc_leads(st.s));
    story_end(&st);
}

static void
it_is_renewed_at_a_third_of_what_is_left_under_the_epoch_that_was_told(void)
{
    struct story st;

    story_begin(&st, 2);
    tell(&st, 1, st.at_ms + 10 + 30000, RC_OK);
    CU_ASSERT_EQUAL(st.s->lease_next_ms, st.at_ms + 10000);
    CU_ASSERT_EQUAL(st.s->lease_epoch, 9);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"an answer that did not come changes nothing: what is held runs on",
         an_answer_that_did_not_come_changes_nothing_what_is_held_runs_on},
        {"a lease that is lost stops everything at once",
         a_lease_that_is_lost_stops_everything_at_once},
        {"a refused write of an epoch before is no loss",
         a_refused_write_of_an_epoch_before_is_no_loss},
        {"the margin before the end is not used", the_margin_before_the_end_is_not_used},
        {"it is renewed at a third of what is left, under the epoch that was told",
         it_is_renewed_at_a_third_of_what_is_left_under_the_epoch_that_was_told},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler lease", tests);
}
