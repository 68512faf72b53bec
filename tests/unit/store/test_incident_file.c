/* The successor finds what was open; a writer of an epoch that is over writes
 * nothing; one bad item fails the whole list, by its name. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <sys/file.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/core/event.h"
#include "reconciler/core/incident.h"
#include "reconciler/core/policy.h"
#include "reconciler/io/store/incident_file.h"
#include "reconciler/io/store/incident_item.h"
#include "tests/unit/journal/journal_scratch.h"

static struct rc_incident_store *
open_store(struct scratch *s, bool with_syncer)
{
    struct rc_incident_file_options o = {.base = s->base,
                                         .dir = scratch_path(s, "incidents"),
                                         .cluster = "test",
                                         .syncer = with_syncer ? s->syncer : NULL};
    struct rc_incident_store *store = NULL;
    struct rc_error err;

    CU_ASSERT_EQUAL_FATAL(rc_incident_file_new(&o, &store, &err), RC_OK);
    return store;
}

static struct rc_incident_item
item_of(uint32_t incident, uint64_t epoch)
{
    struct rc_incident_item i;

    memset(&i, 0, sizeof i);
    i.incident = incident;
    snprintf(i.node, sizeof i.node, "gpu-%u", incident);
    i.item.epoch = epoch;
    i.item.fault = RC_FAULT_RETIREMENT;
    i.item.phase = RC_PHASE_LAUNCH;
    i.item.attempt = incident % 7;
    return i;
}

struct answer {
    bool done;
    enum rc_err code;
    char text[256];
    size_t incidents, histories;
    uint32_t numbers[64];
    char history[256];
};

static void
on_answer(void *arg, enum rc_err code, const struct rc_error *err)
{
    struct answer *a = arg;

    CU_ASSERT_FALSE(a->done);
    a->done = true;
    a->code = code;
    memcpy(a->text, err->text, sizeof a->text);
}

static void
on_list(void *arg, enum rc_err code, const struct rc_store_items *items, const struct rc_error *err)
{
    struct answer *a = arg;

    on_answer(arg, code, err);
    a->incidents = items->incident_count;
    a->histories = items->history_count;
    for (size_t i = 0; i < items->incident_count && i < 64; i++) {
        a->numbers[i] = items->incidents[i].incident;
    }
    if (items->history_count) {
        snprintf(a->history, sizeof a->history, "%s %.100s", items->histories[0].node,
                 items->histories[0].json);
    }
}

static struct answer
put(struct scratch *s, struct rc_incident_store *store, uint32_t incident, uint64_t epoch)
{
    struct rc_incident_item item = item_of(incident, epoch);
    struct answer a = {.done = false};

    CU_ASSERT_EQUAL_FATAL(rc_incident_put(store, &item, on_answer, &a), RC_OK);
    CU_ASSERT_FALSE(a.done);
    scratch_wait(s, &a.done);
    return a;
}

static struct answer
list(struct scratch *s, struct rc_incident_store *store, uint64_t epoch)
{
    struct answer a = {.done = false};

    CU_ASSERT_EQUAL_FATAL(rc_incident_list(store, epoch, on_list, &a), RC_OK);
    CU_ASSERT_FALSE(a.done);
    scratch_wait(s, &a.done);
    return a;
}

static struct answer
put_history(struct scratch *s, struct rc_incident_store *store, const char *node, uint64_t epoch,
            const char *json)
{
    struct rc_history_item h = {.epoch = epoch, .json = json, .json_len = strlen(json)};
    struct answer a = {.done = false};

    rc_text_set(h.node, sizeof h.node, node);
    CU_ASSERT_EQUAL_FATAL(rc_history_put(store, &h, on_answer, &a), RC_OK);
    scratch_wait(s, &a.done);
    return a;
}

static void
check_life_of_items(bool with_syncer)
{
    struct scratch s = {.fdatasync_fn = NULL};

    scratch_open(&s);
    struct rc_incident_store *store = open_store(&s, with_syncer);
    CU_ASSERT_EQUAL(list(&s, store, 1).incidents, 0);
    CU_ASSERT_EQUAL(put(&s, store, 12, 1).code, RC_OK);
    CU_ASSERT_EQUAL(put(&s, store, 3, 1).code, RC_OK);
    CU_ASSERT_EQUAL(put(&s, store, 12, 1).code, RC_OK);
    CU_ASSERT_EQUAL(put_history(&s, store, "gpu-12", 1, "{\"attempts\":2}").code, RC_OK);
    rc_incident_store_free(store);
    store = open_store(&s, with_syncer);
    struct answer a = list(&s, store, 2);
    CU_ASSERT_EQUAL(a.code, RC_OK);
    CU_ASSERT_EQUAL(a.incidents, 2);
    CU_ASSERT_EQUAL(a.numbers[0], 3);
    CU_ASSERT_EQUAL(a.numbers[1], 12);
    CU_ASSERT_STRING_EQUAL(a.history, "gpu-12 {\"attempts\":2}");
    for (int i = 0; i < 2; i++) { /* the second time it is not there any more */
        struct answer gone = {.done = false};
        CU_ASSERT_EQUAL(rc_incident_remove(store, 3, 2, on_answer, &gone), RC_OK);
        scratch_wait(&s, &gone.done);
        CU_ASSERT_EQUAL(gone.code, RC_OK);
    }
    CU_ASSERT_EQUAL(list(&s, store, 0).incidents, 1);
    rc_incident_store_free(store);
    scratch_close(&s);
}

static void
a_successor_finds_what_was_open(void)
{
    check_life_of_items(false);
}

static void
a_successor_finds_what_was_open_with_a_syncer(void)
{
    check_life_of_items(true);
}

static void
a_writer_whose_epoch_is_over_writes_nothing(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct answer gone = {.done = false};

    scratch_open(&s);
    struct rc_incident_store *old = open_store(&s, false), *new = open_store(&s, false);
    CU_ASSERT_EQUAL(put(&s, old, 1, 4).code, RC_OK);
    CU_ASSERT_EQUAL(list(&s, new, 5).code, RC_OK);
    struct answer a = put(&s, old, 1, 4);
    CU_ASSERT_EQUAL(a.code, RC_E_CONDITION);
    CU_ASSERT_PTR_NOT_NULL(strstr(a.text, "epoch 4 is over: epoch 5"));
    CU_ASSERT_EQUAL(put(&s, old, 2, 4).code, RC_E_CONDITION);
    CU_ASSERT_EQUAL(put_history(&s, old, "gpu-1", 4, "{}").code, RC_E_CONDITION);
    CU_ASSERT_EQUAL(rc_incident_remove(old, 1, 4, on_answer, &gone), RC_OK);
    scratch_wait(&s, &gone.done);
    CU_ASSERT_EQUAL(gone.code, RC_E_CONDITION);
    CU_ASSERT_EQUAL(list(&s, old, 4).code, RC_E_CONDITION);
    CU_ASSERT_EQUAL(list(&s, old, 0).incidents, 1); /* looking is free */
    CU_ASSERT_EQUAL(put(&s, new, 1, 5).code, RC_OK);
    /* A new epoch that writes first fences too. */
    CU_ASSERT_EQUAL(put(&s, old, 1, 6).code, RC_OK);
    CU_ASSERT_EQUAL(put(&s, new, 1, 5).code, RC_E_CONDITION);
    rc_incident_store_free(old);
    rc_incident_store_free(new);
    scratch_close(&s);
}

static void
one_bad_item_fails_the_list_by_its_name(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_incident_item other = item_of(9, 1), future = item_of(9, 99), wrong = item_of(8, 1);
    char *foreign = rc_incident_item_format("prod", &other);
    char *ahead = rc_incident_item_format("test", &future);
    char *misnamed = rc_incident_item_format("test", &wrong);
    const struct {
        const char *name, *text, *words;
        enum rc_err code;
    } cases[] = {
        {"incidents/incident-9.json", "rubbish", "incident-9.json", RC_E_PARSE},
        {"incidents/incident-9.json", "", "incident-9.json", RC_E_PARSE},
        {"incidents/incident-9.json", foreign, "\"prod\"", RC_E_FOREIGN},
        {"incidents/incident-9.json", ahead, "epoch 99", RC_E_CONDITION},
        {"incidents/incident-9.json", misnamed, "incident 8", RC_E_PARSE},
        {"incidents/node-gpu-1.json", "{\"version\":1,\"cluster\":\"test\"}", "node-gpu-1.json",
         RC_E_PARSE},
        {"incidents/epoch.json", "{\"version\":1,\"cluster\":\"prod\",\"epoch\":1}", "\"prod\"",
         RC_E_FOREIGN},
        {"incidents/epoch.json", "?", "epoch.json", RC_E_PARSE},
    };

    scratch_open(&s);
    struct rc_incident_store *store = open_store(&s, false);
    CU_ASSERT_EQUAL(put(&s, store, 1, 1).code, RC_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scratch_write(&s, cases[i].name, cases[i].text, strlen(cases[i].text));
        struct answer a = list(&s, store, 2);
        CU_ASSERT_EQUAL(a.code, cases[i].code);
        CU_ASSERT_EQUAL(a.incidents, 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(a.text, cases[i].words));
        unlink(scratch_path(&s, cases[i].name));
    }
    /* Files of others are passed over. */
    scratch_write(&s, "incidents/README.json", "x", 1);
    scratch_write(&s, "incidents/incident-5.json.new", "x", 1);
    CU_ASSERT_EQUAL(list(&s, store, 2).incidents, 1);
    rc_incident_store_free(store);
    free(foreign);
    free(ahead);
    free(misnamed);
    scratch_close(&s);
}

static void
wrong_arguments_are_refused_at_once(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct answer a = {.done = false};
    static char large[RC_HISTORY_MAX + 10];

    scratch_open(&s);
    struct rc_incident_store *store = open_store(&s, false);
    struct rc_incident_item item = item_of(1, 0);
    CU_ASSERT_EQUAL(rc_incident_put(store, &item, on_answer, &a), RC_E_INVALID);
    item = item_of(0, 1);
    CU_ASSERT_EQUAL(rc_incident_put(store, &item, on_answer, &a), RC_E_INVALID);
    item = item_of(1, 1);
    rc_text_set(item.node, sizeof item.node, "../../etc/passwd");
    CU_ASSERT_EQUAL(rc_incident_put(store, &item, on_answer, &a), RC_E_INVALID);
    CU_ASSERT_EQUAL(rc_incident_remove(store, 0, 1, on_answer, &a), RC_E_INVALID);
    struct rc_history_item h = {.node = "n", .epoch = 1, .json = "[1]", .json_len = 3};
    CU_ASSERT_EQUAL(rc_history_put(store, &h, on_answer, &a), RC_E_INVALID);
    h.json = "{\"a\":";
    h.json_len = 5;
    CU_ASSERT_EQUAL(rc_history_put(store, &h, on_answer, &a), RC_E_INVALID);
    h.json = large;
    h.json_len = sizeof large;
    CU_ASSERT_EQUAL(rc_history_put(store, &h, on_answer, &a), RC_E_TOO_LARGE);
    h.json = "{}";
    h.json_len = 2;
    rc_text_set(h.node, sizeof h.node, ".hidden/../n");
    CU_ASSERT_EQUAL(rc_history_put(store, &h, on_answer, &a), RC_E_INVALID);
    CU_ASSERT_FALSE(a.done);
    rc_incident_store_free(store);
    scratch_close(&s);
}

static void
a_thousand_puts_in_one_turn_are_all_answered(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    static struct answer answers[1000];

    scratch_open(&s);
    struct rc_incident_store *store = open_store(&s, true);
    memset(answers, 0, sizeof answers);
    for (uint32_t i = 0; i < 1000; i++) {
        struct rc_incident_item item = item_of(i + 1, 1);
        CU_ASSERT_EQUAL(rc_incident_put(store, &item, on_answer, &answers[i]), RC_OK);
    }
    scratch_wait(&s, &answers[999].done);
    for (uint32_t i = 0; i < 1000; i++) {
        CU_ASSERT_TRUE(answers[i].done && answers[i].code == RC_OK);
    }
    CU_ASSERT_EQUAL(list(&s, store, 1).incidents, 1000);
    rc_incident_store_free(store);
    scratch_close(&s);
}

static void
writes_of_one_item_in_a_row_leave_the_last_and_all_are_answered(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct answer answers[6], gone = {.done = false};
    size_t len = 0;

    scratch_open(&s);
    memset(answers, 0, sizeof answers);
    struct rc_incident_store *store = open_store(&s, true);
    for (uint32_t i = 0; i < 6; i++) {
        struct rc_incident_item item = item_of(i < 5 ? 7 : 8, 1);
        item.item.rung = i;
        CU_ASSERT_EQUAL(rc_incident_put(store, &item, on_answer, &answers[i]), RC_OK);
        if (i == 2) { /* what comes between two writes keeps its place */
            CU_ASSERT_EQUAL(rc_incident_remove(store, 7, 1, on_answer, &gone), RC_OK);
        }
    }
    scratch_wait(&s, &answers[5].done);
    for (int i = 0; i < 6; i++) {
        CU_ASSERT_TRUE(answers[i].done);
        CU_ASSERT_EQUAL(answers[i].code, RC_OK);
    }
    CU_ASSERT_TRUE(gone.done);
    char *text = rc_test_read_file(scratch_path(&s, "incidents/incident-7.json"), &len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"rung\":4"));
    free(text);
    rc_incident_store_free(store);
    scratch_close(&s);
}

static void
freeing_cancels_what_waits_and_what_is_at_the_disk(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct answer answers[3] = {{.done = false}, {.done = false}, {.done = false}};

    scratch_open(&s);
    struct rc_incident_store *store = open_store(&s, true);
    for (uint32_t i = 0; i < 3; i++) {
        struct rc_incident_item item = item_of(i + 1, 1);
        CU_ASSERT_EQUAL(rc_incident_put(store, &item, on_answer, &answers[i]), RC_OK);
        if (i == 1) {
            event_base_loop(s.base, EVLOOP_ONCE); /* two of them are now at the syncer */
        }
    }
    rc_incident_store_free(store);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_TRUE(answers[i].done);
        CU_ASSERT_EQUAL(answers[i].code, RC_E_CANCELLED);
    }
    scratch_close(&s);
}

static void
a_directory_that_cannot_be_made_is_named(void)
{
    struct rc_incident_file_options o = {.dir = "/proc/no/such", .cluster = "test"};
    struct rc_incident_store *store;
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_error err;

    scratch_open(&s);
    o.base = s.base;
    CU_ASSERT_EQUAL(rc_incident_file_new(&o, &store, &err), RC_E_DISK);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/proc/no/such"));
    scratch_close(&s);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a successor finds what was open", a_successor_finds_what_was_open},
        {"a successor finds what was open, with a syncer",
         a_successor_finds_what_was_open_with_a_syncer},
        {"a writer whose epoch is over writes nothing",
         a_writer_whose_epoch_is_over_writes_nothing},
        {"one bad item fails the list, by its name", one_bad_item_fails_the_list_by_its_name},
        {"wrong arguments are refused at once", wrong_arguments_are_refused_at_once},
        {"a thousand puts in one turn are all answered",
         a_thousand_puts_in_one_turn_are_all_answered},
        {"writes of one item in a row leave the last, and all are answered",
         writes_of_one_item_in_a_row_leave_the_last_and_all_are_answered},
        {"freeing cancels what waits and what is at the disk",
         freeing_cancels_what_waits_and_what_is_at_the_disk},
        {"a directory that cannot be made is named", a_directory_that_cannot_be_made_is_named},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("incident_file", tests);
}
