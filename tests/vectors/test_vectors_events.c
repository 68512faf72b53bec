/* Whole messages: verdict, instance ids, and (for our own) every field of every event.
 *
 * Own cases are tests/vectors/events/<case>.json with their answers in expected.tsv
 * and records.tsv. With RC_VECTORS set, each file of $RC_VECTORS/events is a case
 * too; its expected.tsv has the same layout:
 *     file TAB kind[|kind] TAB instance ids, sorted, with commas between; - = none
 * A file without an answer must still be read without harm. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/decode/decode.h"
#include "reconciler/core/record.h"

enum { IDS_LEN = 4096, PATH_LEN = 4096 };

static const char own_dir[] = "tests/vectors/events";

/* The line of a table that begins with name and a tab; NULL when there is none. */
static const char *
line_of(const char *table, const char *name)
{
    size_t len = strlen(name);

    for (const char *line = table; line && *line;) {
        if (strncmp(line, name, len) == 0 && line[len] == '\t') {
            return line;
        }
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return NULL;
}

static const char *
kind_of(const struct rc_decoded *d)
{
    if (d->verdict == RC_VERDICT_EVENTS) {
        return rc_event_name((enum rc_event_kind)d->kind);
    }
    return d->verdict == RC_VERDICT_IGNORED ? "ignored" : "quarantined";
}

static void
join_ids(const struct rc_decoded *d, char ids[IDS_LEN])
{
    size_t len = 0;

    memcpy(ids, "-", 2);
    for (uint32_t i = 0; i < d->count; i++) {
        const char *id = d->events[i].instance;
        bool again = i > 0 && strcmp(id, d->events[i - 1].instance) == 0;

        if (*id && !again && len + RC_ID_LEN < IDS_LEN) {
            len += (size_t)snprintf(ids + len, IDS_LEN - len, "%s%s", len ? "," : "", id);
        }
    }
}

/* Is word one of the words in list, which are separated by '|' ? */
static bool
is_among(const char *word, const char *list)
{
    size_t len = strlen(word);

    for (const char *at = list; at; at = strchr(at, '|')) {
        at += *at == '|';
        if (strncmp(at, word, len) == 0 && (at[len] == '\0' || at[len] == '|')) {
            return true;
        }
    }
    return false;
}

/* What must hold of any message, whatever it says. */
static bool
is_sound(const struct rc_decoded *d)
{
    bool sound = d->id_hash != 0 && d->text[RC_TEXT_LEN - 1] == '\0' && *d->text;

    for (const char *at = d->text; *at; at++) {
        sound &= *at >= 0x20 && *at < 0x7f;
    }
    for (uint32_t i = 0; i < d->count; i++) {
        sound &= d->events[i].kind == d->kind && d->events[i].at_ms == 0 &&
                 d->events[i].wall_ms == 0 && d->events[i].msg == 0;
        sound &= i == 0 || strcmp(d->events[i - 1].instance, d->events[i].instance) <= 0;
    }
    return sound && (d->count > 0) == (d->verdict == RC_VERDICT_EVENTS);
}

/* "- " in the shared table stands for "none, or not compared". */
static bool
check_answer(const char *name, const struct rc_decoded *d, const char *line, bool own)
{
    char ids[IDS_LEN], kinds[256] = "", expected_ids[IDS_LEN] = "";

    join_ids(d, ids);
    if (!is_sound(d)) {
        return rc_case(false, name, "unsound result: %s", d->text);
    }
    if (!line) {
        return rc_case(!own, name, "no answer in expected.tsv");
    }
    if (sscanf(line, "%*[^\t]\t%255[^\t]\t%4095[^\n]", kinds, expected_ids) != 2) {
        return rc_case(false, name, "expected.tsv: cannot read its line");
    }
    bool compare_ids = own || strcmp(expected_ids, "-") != 0;
    bool good = is_among(kind_of(d), kinds) && (!compare_ids || strcmp(ids, expected_ids) == 0);
    return rc_case(good, name, "expected %s %s, found %s %s (%s)", kinds, expected_ids, kind_of(d),
                   ids, d->text);
}

static void
run_case(const char *dir, const char *name, const char *answers, bool own)
{
    char path[PATH_LEN];
    struct rc_decoded d;
    size_t len = 0;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    char *body = rc_test_read_file(path, &len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    CU_ASSERT_EQUAL_FATAL(rc_decode_message(body, len, &d), RC_OK);
    check_answer(name, &d, line_of(answers, name), own);
    rc_decoded_done(&d);
    free(body);
}

static int
is_message(const struct dirent *e)
{
    const char *dot = strrchr(e->d_name, '.');

    return dot && strcmp(dot, ".json") == 0;
}

static char *
read_table(const char *dir, const char *name)
{
    char path[PATH_LEN];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return rc_test_read_file(path, NULL);
}

static int
run_directory(const char *dir, bool own)
{
    struct dirent **files = NULL;
    char *answers = read_table(dir, "expected.tsv");
    int count = scandir(dir, &files, is_message, alphasort);

    CU_ASSERT_PTR_NOT_NULL_FATAL(answers);
    CU_ASSERT_FATAL(count > 0);
    for (int i = 0; i < count; i++) {
        run_case(dir, files[i]->d_name, answers, own);
        free(files[i]);
    }
    free(files);
    free(answers);
    return count;
}

static void
our_own_messages_are_read_as_expected(void)
{
    CU_ASSERT(run_directory(own_dir, true) >= 40);
}

static void
shared_messages_are_read_as_expected(void)
{
    const char *dir = rc_vectors_dir("events");

    if (!dir) {
        rc_test_skip("RC_VECTORS is not set");
        return;
    }
    (void)run_directory(dir, false);
}

/* Every line of records.tsv is an event of its file, in order, and there are no others. */
static void
every_field_of_our_own_events_is_as_recorded(void)
{
    char *records = read_table(own_dir, "records.tsv");
    char *answers = read_table(own_dir, "expected.tsv");

    CU_ASSERT_PTR_NOT_NULL_FATAL(records);
    CU_ASSERT_PTR_NOT_NULL_FATAL(answers);
    for (char *line = strtok(answers, "\n"); line; line = strtok(NULL, "\n")) {
        char name[256], path[PATH_LEN], text[RC_RECORD_MAX + 1];
        struct rc_decoded d;
        size_t len = 0;

        if (*line == '#' || sscanf(line, "%255[^\t]", name) != 1) {
            continue;
        }
        snprintf(path, sizeof path, "%s/%s", own_dir, name);
        char *body = rc_test_read_file(path, &len);
        CU_ASSERT_PTR_NOT_NULL_FATAL(body);
        CU_ASSERT_EQUAL_FATAL(rc_decode_message(body, len, &d), RC_OK);
        const char *record = line_of(records, name);
        for (uint32_t i = 0; i < d.count; i++) {
            text[rc_event_format(&d.events[i], text, sizeof text - 1)] = '\0';
            const char *expected = record ? strchr(record, '\t') + 1 : "";
            size_t expected_len = strcspn(expected, "\n");
            if (strlen(text) != expected_len || strncmp(text, expected, expected_len) != 0) {
                printf("#   %s: found %s\n", name, text);
                CU_FAIL("another event than recorded");
            }
            record = record ? line_of(expected + expected_len + 1, name) : NULL;
        }
        CU_ASSERT_PTR_NULL(record);
        rc_decoded_done(&d);
        free(body);
    }
    free(answers);
    free(records);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"our own messages are read as expected", our_own_messages_are_read_as_expected},
        {"shared messages are read as expected", shared_messages_are_read_as_expected},
        {"every field of our own events is as recorded",
         every_field_of_our_own_events_is_as_recorded},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("events", tests);
}
