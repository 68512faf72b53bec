/* A daemon that died between an event and its decisions, and was started again: its journal goes
 * on with a snapshot, and a replay finds no difference there. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/core/pack.h"
#include "reconciler/core/record.h"
#include "reconciler/core/state.h"
#include "reconciler/io/config/config.h"
#include "simulator/replay/replay.h"
#include "tests/unit/journal/journal_scratch.h"

enum { WALL_MS = 1000000 };

struct life {
    struct scratch s;
    struct rc_journal *journal;
    struct rc_state *state;
    struct rc_actions out;
};

static void
write_record(struct life *l, enum rc_journal_type type, const char *data, size_t len)
{
    const struct rc_journal_item item = {.type = type, .data = data, .len = (uint32_t)len};
    struct rc_error e;
    uint64_t number;

    CU_ASSERT_EQUAL_FATAL(rc_journal_append(l->journal, &item, 1, &number, &e), RC_OK);
}

/* The event is recorded and, unless the daemon dies first, decided; kept: are the decisions? */
static void
give(struct life *l, struct rc_event *ev, int64_t at_ms, bool dies, bool kept)
{
    char line[RC_RECORD_MAX];

    ev->at_ms = at_ms;
    ev->wall_ms = WALL_MS + at_ms;
    write_record(l, RC_JOURNAL_EVENT, line, rc_event_format(ev, line, sizeof line));
    if (dies) {
        rc_fold(l->state, ev);
        return;
    }
    rc_step(l->state, ev, &l->out);
    for (uint32_t i = 0; kept && i < l->out.count; i++) {
        write_record(l, RC_JOURNAL_ACTION, line, rc_action_format(&l->out.v[i], line, sizeof line));
    }
}

static void
give_plain(struct life *l, enum rc_event_kind kind, int64_t at_ms, bool dies, bool kept)
{
    struct rc_event ev;

    rc_event_init(&ev, kind);
    give(l, &ev, at_ms, dies, kept);
}

static void
write_snapshot(struct life *l)
{
    size_t size = rc_state_pack(l->state, NULL, 0);
    void *packed = malloc(size);
    struct rc_error e;
    uint64_t number;

    CU_ASSERT_PTR_NOT_NULL_FATAL(packed);
    rc_state_pack(l->state, packed, size);
    CU_ASSERT_EQUAL_FATAL(rc_journal_rotate(l->journal, packed, size, &number, &e), RC_OK);
    free(packed);
}

/* Up to the tick at which the lease is asked for again. */
static void
begin(struct life *l, bool dies)
{
    static const struct rc_capacity_limits limits = {64, 16, 64};
    static struct rc_config config;
    static struct rc_load_errors errs;
    struct rc_event ev;
    size_t len;
    void *mem = calloc(1, rc_state_size(&limits));
    char *text = rc_test_read_file("docs/reconcilerd.json", &len);

    CU_ASSERT_PTR_NOT_NULL_FATAL(mem);
    CU_ASSERT_EQUAL_FATAL(rc_config_load("docs", text, len, &config, &errs), RC_OK);
    scratch_open(&l->s);
    l->journal = scratch_journal(&l->s, NULL, NULL);
    l->state = rc_state_init(mem, &limits);
    give_plain(l, RC_EV_START, 1000, false, true);
    write_record(l, RC_JOURNAL_TEXT, text, len);
    rc_event_init(&ev, RC_EV_CLUSTER);
    ev.u.cluster = &config.cluster;
    give(l, &ev, 1000, false, true);
    CU_ASSERT_EQUAL_FATAL(l->out.count, 1);
    give_plain(l, RC_EV_LEASE, 1500, false, true);
    give_plain(l, RC_EV_TICK, 20000, dies, false);
    free(text);
}

static struct rc_replay_result
end(struct life *l)
{
    static struct rc_load_errors errs;
    const struct rc_replay_options options = {.path = scratch_path(&l->s, "j"), .quiet = true};
    struct rc_replay_result result;
    struct rc_error e;

    CU_ASSERT_EQUAL(scratch_sync(&l->s, l->journal, NULL), RC_OK);
    rc_journal_close(l->journal);
    CU_ASSERT_EQUAL(rc_replay_journal(&options, RC_REPLAY_JOURNAL, &result, &errs, &e), RC_OK);
    free(l->state);
    scratch_close(&l->s);
    return result;
}

static void
decisions_that_died_with_the_daemon_are_no_difference(void)
{
    static struct life l;

    begin(&l, true);
    write_snapshot(&l);
    give_plain(&l, RC_EV_START, 30000, false, true);
    CU_ASSERT_EQUAL(l.out.count, 1); /* what was not asked for then is asked for now */
    struct rc_replay_result result = end(&l);
    CU_ASSERT_EQUAL(result.more, 0);
    CU_ASSERT_EQUAL(result.other, 0);
    CU_ASSERT_EQUAL(result.first_other, 0);
    CU_ASSERT_EQUAL(result.same, 2);
}

/* The daemon lived on: it was decided otherwise then. */
static void
decisions_that_are_missing_before_the_next_part_are_a_difference(void)
{
    static struct life l;

    begin(&l, false);
    CU_ASSERT_EQUAL_FATAL(l.out.count, 1);
    write_snapshot(&l);
    give_plain(&l, RC_EV_TICK, 20001, false, true);
    struct rc_replay_result result = end(&l);
    CU_ASSERT_EQUAL(result.more, 1);
    CU_ASSERT_EQUAL(result.first_other, 6);
}

static void
decisions_that_are_missing_before_a_last_snapshot_are_a_difference(void)
{
    static struct life l;

    begin(&l, false);
    write_snapshot(&l);
    CU_ASSERT_EQUAL(end(&l).more, 1);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"decisions that died with the daemon are no difference",
         decisions_that_died_with_the_daemon_are_no_difference},
        {"decisions that are missing before the next part are a difference",
         decisions_that_are_missing_before_the_next_part_are_a_difference},
        {"decisions that are missing before a last snapshot are a difference",
         decisions_that_are_missing_before_a_last_snapshot_are_a_difference},
        CU_TEST_INFO_NULL,
    };

    return rc_test_main("replay_restart", tests);
}
