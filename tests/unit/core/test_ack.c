/* When a message may leave the queue. */
#include "tests/harness/harness.h"

#include <string.h>

#include "tests/unit/core/story.h"

enum { ROOM = 256 }; /* of the story's ring */

/* Steps without the story's helpful store: items are answered by the test. */
static void
raw_step(struct story *st, struct rc_event *ev)
{
    ev->at_ms = st->at_ms += 10;
    ev->wall_ms = st->wall_ms += 10;
    rc_step(st->s, ev, &st->out);
    for (uint32_t i = 0; i < st->out.count; i++) {
        st->last[st->out.v[i].kind] = st->out.v[i];
        st->count[st->out.v[i].kind]++;
    }
}

static void
raw_message(struct story *st, const char *gone)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_MESSAGE);
    ev.msg = ++st->msg;
    ev.u.message.parts = gone ? 1 : 0;
    ev.u.message.verdict = gone ? RC_VERDICT_EVENTS : RC_VERDICT_IGNORED;
    raw_step(st, &ev);
    if (gone && rc_message_wants_parts(st->s, ev.msg)) {
        rc_event_init(&ev, RC_EV_EC2_STATE_CHANGE);
        ev.msg = st->msg;
        rc_text_set(ev.instance, sizeof ev.instance, gone);
        ev.u.state_change.state = RC_INST_TERMINATED;
        raw_step(st, &ev);
    }
}

static void
raw_answer(struct story *st, uint64_t id, enum rc_err error)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_COMPLETION);
    ev.u.completion.action = id;
    ev.u.completion.error = (uint32_t)error;
    raw_step(st, &ev);
}

static void
messages_leave_in_order_behind_an_unsaved_item(void)
{
    struct story st;

    story_begin(&st, 4);
    raw_message(&st, "i-1");
    uint64_t put = st.last[RC_ACT_INCIDENT_PUT].id;
    raw_message(&st, NULL);
    raw_message(&st, NULL);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], 0);
    raw_answer(&st, put, RC_OK);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], 3);
    CU_ASSERT_EQUAL(st.last[RC_ACT_MESSAGE_DELETE].msg, st.msg);
    story_end(&st);
}

static void
a_later_write_does_not_hold_an_earlier_message(void)
{
    struct story st;

    story_begin(&st, 4);
    raw_message(&st, "i-1");
    uint64_t first = st.last[RC_ACT_INCIDENT_PUT].id;
    raw_message(&st, "i-2");
    raw_answer(&st, first, RC_OK);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], 1);
    raw_answer(&st, st.last[RC_ACT_INCIDENT_PUT].id, RC_OK);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], 2);
    story_end(&st);
}

static void
an_item_that_was_not_saved_is_written_again_and_the_message_waits(void)
{
    struct story st;

    story_begin(&st, 4);
    raw_message(&st, "i-1");
    uint64_t put = st.last[RC_ACT_INCIDENT_PUT].id;
    raw_answer(&st, put, RC_E_IO);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], 0);
    story_wait(&st, 5000); /* the story's store answers the second write */
    CU_ASSERT_TRUE(st.last[RC_ACT_INCIDENT_PUT].id > put);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], 1);
    story_end(&st);
}

static void
lease(struct story *st, uint32_t held, uint64_t epoch)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_LEASE);
    ev.u.lease.held = held;
    ev.u.lease.epoch = epoch;
    ev.u.lease.until_ms = st->at_ms + 60000;
    raw_step(st, &ev);
}

/* Its write got lost with the lease, and another leader has gone on with the incident. */
static void
a_message_waits_for_what_is_decided_anew_after_another_leader(void)
{
    struct story st;
    struct rc_event ev;

    story_begin(&st, 4);
    rc_event_init(&ev, RC_EV_AWS_HEALTH);
    rc_text_set(ev.instance, sizeof ev.instance, "i-1");
    ev.u.health.category = RC_HEALTH_SCHEDULED_CHANGE;
    ev.u.health.schedule = RC_SCHED_RETIREMENT;
    ev.u.health.start_wall_ms = st.wall_ms + 86400000;
    story_give(&st, &ev);
    uint32_t incident = story_incident(&st, "n1")->id;
    raw_message(&st, "i-1");
    uint64_t raised = st.last[RC_ACT_INCIDENT_PUT].id;
    CU_ASSERT_EQUAL(st.last[RC_ACT_INCIDENT_PUT].u.item.fault, RC_FAULT_INSTANCE_GONE);
    lease(&st, 0, 0);
    raw_answer(&st, raised, RC_E_CONDITION);

    rc_event_init(&ev, RC_EV_ADOPT);
    rc_text_set(ev.node, sizeof ev.node, "n1");
    ev.u.adopt.incident = incident;
    ev.u.adopt.fault = RC_FAULT_RETIREMENT;
    ev.u.adopt.phase = RC_PHASE_OPEN;
    ev.u.adopt.attempt = 1;
    ev.u.adopt.epoch = 2;
    ev.u.adopt.opened_wall_ms = st.wall_ms;
    rc_text_set(ev.u.adopt.old_instance, RC_ID_LEN, "i-1");
    rc_text_set(ev.u.adopt.rule, RC_RULE_LEN, "replace-all");
    raw_step(&st, &ev);
    lease(&st, 1, 3);
    CU_ASSERT_TRUE_FATAL(st.last[RC_ACT_INCIDENT_PUT].id > raised);
    CU_ASSERT_EQUAL(st.last[RC_ACT_INCIDENT_PUT].u.item.fault, RC_FAULT_INSTANCE_GONE);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], 0);
    raw_answer(&st, st.last[RC_ACT_INCIDENT_PUT].id, RC_OK);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], 1);
    story_end(&st);
}

static void
quarantine_comes_before_the_delete_and_is_repeated_with_pauses(void)
{
    struct story st;
    struct rc_event ev;

    story_begin(&st, 4);
    rc_event_init(&ev, RC_EV_MESSAGE);
    ev.msg = ++st.msg;
    ev.u.message.verdict = RC_VERDICT_QUARANTINED;
    raw_step(&st, &ev);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_QUARANTINE], 1);
    raw_answer(&st, st.last[RC_ACT_MESSAGE_QUARANTINE].id, RC_E_DISK);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_QUARANTINE], 1);
    CU_ASSERT_TRUE(rc_next_deadline(st.s) > st.at_ms);
    story_wait(&st, 2000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_QUARANTINE], 2);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], 0);
    raw_answer(&st, st.last[RC_ACT_MESSAGE_QUARANTINE].id, RC_OK);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], 1);
    story_end(&st);
}

static void
a_quarantine_that_is_never_answered_is_asked_for_again(void)
{
    struct story st;
    struct rc_event ev;

    story_begin(&st, 4);
    rc_event_init(&ev, RC_EV_MESSAGE);
    ev.msg = ++st.msg;
    ev.u.message.verdict = RC_VERDICT_QUARANTINED;
    raw_step(&st, &ev);
    story_wait(&st, 35000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_QUARANTINE], 2);
    story_end(&st);
}

static void
a_full_ring_drops_what_comes_and_loses_nothing_that_it_holds(void)
{
    struct story st;

    story_begin(&st, 4);
    raw_message(&st, "i-1");
    uint64_t put = st.last[RC_ACT_INCIDENT_PUT].id;
    for (unsigned i = 0; i < ROOM + 50; i++) {
        raw_message(&st, NULL);
    }
    CU_ASSERT_EQUAL(st.s->counters.capacity_exceeded, 51);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], 0);
    raw_answer(&st, put, RC_OK);
    for (unsigned i = 0; i < 8; i++) { /* a step gives back what its output has room for */
        struct rc_event tick;
        rc_event_init(&tick, RC_EV_TICK);
        raw_step(&st, &tick);
    }
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], ROOM);
    raw_message(&st, NULL);
    CU_ASSERT_EQUAL(st.count[RC_ACT_MESSAGE_DELETE], ROOM + 1);
    story_end(&st);
}

static void
the_deletion_of_a_closed_item_is_repeated_when_its_answer_never_comes(void)
{
    struct story st;
    struct rc_event ev;

    story_begin(&st, 4);
    rc_event_init(&ev, RC_EV_AWS_HEALTH);
    rc_text_set(ev.instance, sizeof ev.instance, "i-1");
    ev.u.health.category = RC_HEALTH_SCHEDULED_CHANGE;
    ev.u.health.schedule = RC_SCHED_RETIREMENT;
    ev.u.health.start_wall_ms = st.wall_ms + 86400000;
    story_give(&st, &ev);
    CU_ASSERT_PTR_NOT_NULL_FATAL(story_incident(&st, "n1"));
    ev.u.health.status = RC_HSTAT_CLOSED;
    raw_step(&st, &ev);
    CU_ASSERT_EQUAL(st.last[RC_ACT_INCIDENT_PUT].u.item.close, 1);
    uint64_t put = st.last[RC_ACT_INCIDENT_PUT].id;
    for (int64_t end_ms = st.at_ms + 40000; st.at_ms < end_ms;) {
        struct rc_event tick;
        rc_event_init(&tick, RC_EV_TICK);
        st.at_ms += 5000;
        st.s->lease_until_ms = st.at_ms + 30000;
        raw_step(&st, &tick);
    }
    CU_ASSERT_TRUE(st.last[RC_ACT_INCIDENT_PUT].id > put);
    raw_answer(&st, st.last[RC_ACT_INCIDENT_PUT].id, RC_OK);
    CU_ASSERT_EQUAL(st.s->open_incidents, 0);
    story_end(&st);
}

static void
pass_by(struct story *st, int64_t ms)
{
    for (int64_t end_ms = st->at_ms + ms; st->at_ms < end_ms;) {
        struct rc_event tick;
        rc_event_init(&tick, RC_EV_TICK);
        st->at_ms += 1000;
        st->s->lease_until_ms = st->at_ms + 30000;
        raw_step(st, &tick);
    }
}

/* All at once they would keep it from ever answering one of them in time. */
static void
a_slow_store_is_asked_for_one_deletion_at_a_time(void)
{
    const char *const ids[] = {"i-1", "i-2", "i-3", "i-4"};
    struct rc_event ev;
    struct story st;

    story_begin(&st, 4);
    rc_event_init(&ev, RC_EV_AWS_HEALTH);
    ev.u.health.category = RC_HEALTH_SCHEDULED_CHANGE;
    ev.u.health.schedule = RC_SCHED_RETIREMENT;
    ev.u.health.start_wall_ms = st.wall_ms + 86400000;
    for (unsigned i = 0; i < 4; i++) {
        rc_text_set(ev.instance, sizeof ev.instance, ids[i]);
        ev.u.health.status = RC_HSTAT_OPEN;
        story_give(&st, &ev);
        ev.u.health.status = RC_HSTAT_CLOSED;
        raw_step(&st, &ev);
        CU_ASSERT_EQUAL(st.last[RC_ACT_INCIDENT_PUT].u.item.close, 1);
    }
    unsigned puts = st.count[RC_ACT_INCIDENT_PUT];
    pass_by(&st, 100000); /* the four are given up, then tried anew */
    CU_ASSERT_TRUE(st.count[RC_ACT_INCIDENT_PUT] - puts >= 1);
    CU_ASSERT_TRUE(st.count[RC_ACT_INCIDENT_PUT] - puts <= 4);
    for (unsigned left = st.s->open_incidents + 4; left && st.s->unsaved_head; left--) {
        puts = st.count[RC_ACT_INCIDENT_PUT]; /* each answer brings the next at once */
        raw_answer(&st, st.last[RC_ACT_INCIDENT_PUT].id, RC_OK);
        CU_ASSERT_EQUAL(st.count[RC_ACT_INCIDENT_PUT], puts + (st.s->unsaved_head != 0));
    }
    CU_ASSERT_EQUAL(st.s->unsaved_head, 0);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"messages leave in order behind an unsaved item",
         messages_leave_in_order_behind_an_unsaved_item},
        {"a later write does not hold an earlier message",
         a_later_write_does_not_hold_an_earlier_message},
        {"an item that was not saved is written again, and the message waits",
         an_item_that_was_not_saved_is_written_again_and_the_message_waits},
        {"a message waits for what is decided anew after another leader",
         a_message_waits_for_what_is_decided_anew_after_another_leader},
        {"quarantine comes before the delete, and is repeated with pauses",
         quarantine_comes_before_the_delete_and_is_repeated_with_pauses},
        {"a quarantine that is never answered is asked for again",
         a_quarantine_that_is_never_answered_is_asked_for_again},
        {"a full ring drops what comes and loses nothing that it holds",
         a_full_ring_drops_what_comes_and_loses_nothing_that_it_holds},
        {"the deletion of a closed item is repeated when its answer never comes",
         the_deletion_of_a_closed_item_is_repeated_when_its_answer_never_comes},
        {"a slow store is asked for one deletion at a time",
         a_slow_store_is_asked_for_one_deletion_at_a_time},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("ack", tests);
}
