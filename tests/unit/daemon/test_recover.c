/* What reconciler/io/daemon/recover.c takes from a journal of another release. */
#include "tests/harness/harness.h"
#include "tests/unit/journal/journal_scratch.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/core/record.h"
#include "reconciler/core/state.h"
#include "reconciler/io/daemon/recover.h"
#include "reconciler/io/daemon/state_memory.h"
#include "reconciler/io/journal/segment.h"

static struct scratch s;
static struct rc_daemon d;

static void
append_event(struct rc_journal *j)
{
    struct rc_event ev;
    char text[4096];
    struct rc_error e;
    uint64_t number;

    rc_event_init(&ev, RC_EV_SLURM_NODE);
    rc_text_set(ev.node, sizeof ev.node, "n1");
    uint32_t len = (uint32_t)rc_event_format(&ev, text, sizeof text);
    struct rc_journal_item item = {RC_JOURNAL_EVENT, len, text};
    CU_ASSERT_EQUAL_FATAL(rc_journal_append(j, &item, 1, &number, &e), RC_OK);
}

/* Goes on with an incident that began before. */
static void
append_later_item(struct rc_journal *j)
{
    struct rc_action a;
    char text[4096];
    struct rc_error e;
    uint64_t number;

    rc_action_init(&a, RC_ACT_INCIDENT_PUT);
    a.id = 900;
    a.incident = 7;
    rc_text_set(a.node, sizeof a.node, "n7");
    a.u.item.phase = RC_PHASE_JOIN;
    uint32_t len = (uint32_t)rc_action_format(&a, text, sizeof text);
    struct rc_journal_item item = {RC_JOURNAL_ACTION, len, text};
    CU_ASSERT_EQUAL_FATAL(rc_journal_append(j, &item, 1, &number, &e), RC_OK);
}

static void
rotate_as_another_release(struct rc_journal *j)
{
    static const char snapshot[] = "what no release of ours can read";
    struct rc_error e;
    uint64_t number, durable;

    CU_ASSERT_EQUAL_FATAL(rc_journal_rotate(j, snapshot, sizeof snapshot, &number, &e), RC_OK);
    CU_ASSERT_EQUAL_FATAL(scratch_sync(&s, j, &durable), RC_OK);
}

static void
begin(void)
{
    struct rc_error e;

    scratch_open(&s);
    memset(&d, 0, sizeof d);
    rc_text_set(d.config.cluster.name, sizeof d.config.cluster.name, "test");
    (void)snprintf(d.config.journal.dir, sizeof d.config.journal.dir, "%s", scratch_path(&s, "j"));
    d.config.cluster.nodes_max = 8;
    CU_ASSERT_EQUAL_FATAL(rc_log_open(scratch_path(&s, "log"), RC_LOG_INFO, &d.log, &e), RC_OK);
}

static void
end(void)
{
    rc_state_memory_free(d.state);
    rc_log_close(d.log);
    scratch_close(&s);
}

static bool
log_says(const char *word)
{
    char text[8192] = "";
    FILE *f = fopen(scratch_path(&s, "log"), "r");

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return strstr(text, word) != NULL;
}

static void
a_journal_whose_beginning_is_gone_with_another_release_tells_nothing(void)
{
    struct rc_error e;
    char first[RC_JOURNAL_FILE_LEN + 8] = "j/";

    begin();
    struct rc_journal *j = scratch_journal(&s, NULL, NULL);
    append_event(j);
    rotate_as_another_release(j);
    append_event(j);
    append_later_item(j);
    rc_journal_close(j);
    rc_segment_name(first + 2, 1);
    CU_ASSERT_EQUAL(unlink(scratch_path(&s, first)), 0);
    CU_ASSERT_EQUAL(rc_recover_restore(&d, &e), RC_OK);
    CU_ASSERT_FALSE(d.restored);
    CU_ASSERT_EQUAL(d.state->node_count, 0);
    CU_ASSERT_EQUAL(d.state->open_incidents, 0);
    CU_ASSERT_TRUE(log_says("other-release"));
    end();
}

static void
a_journal_of_another_release_that_is_there_from_its_first_record_is_read(void)
{
    struct rc_error e;

    begin();
    struct rc_journal *j = scratch_journal(&s, NULL, NULL);
    append_event(j);
    rotate_as_another_release(j);
    append_event(j);
    rc_journal_close(j);
    CU_ASSERT_EQUAL(rc_recover_restore(&d, &e), RC_OK);
    CU_ASSERT_TRUE(d.restored);
    CU_ASSERT_EQUAL(d.state->node_count, 1);
    CU_ASSERT_FALSE(log_says("other-release"));
    end();
}

static void
a_record_that_cannot_be_read_stops_the_start_and_says_what_to_do(void)
{
    static const char newer[] = "event of-a-newer-release id=1";
    struct rc_journal_item item = {RC_JOURNAL_EVENT, sizeof newer - 1, newer};
    struct rc_error e;
    uint64_t number;

    begin();
    struct rc_journal *j = scratch_journal(&s, NULL, NULL);
    append_event(j);
    CU_ASSERT_EQUAL_FATAL(rc_journal_append(j, &item, 1, &number, &e), RC_OK);
    rc_journal_close(j);
    CU_ASSERT_EQUAL(rc_recover_restore(&d, &e), RC_E_PARSE);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "record 2: no event is readable"));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "move the folder of the journal away"));
    end();
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a journal whose beginning is gone with another release tells nothing",
         a_journal_whose_beginning_is_gone_with_another_release_tells_nothing},
        {"a journal of another release that is there from its first record is read",
         a_journal_of_another_release_that_is_there_from_its_first_record_is_read},
        {"a record that cannot be read stops the start, and says what to do",
         a_record_that_cannot_be_read_stops_the_start_and_says_what_to_do},
        CU_TEST_INFO_NULL,
    };

    return rc_test_main("recover", tests);
}
