/* A journal cut at any byte keeps every whole record and nothing else; a journal
 * with any bit turned is never read wrongly. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/journal/journal_scratch.h"

#define FIRST_SEGMENT  "j/journal-00000000000000000001.rcj"
#define SECOND_SEGMENT "j/journal-00000000000000000013.rcj"
enum { FIRST_RECORDS = 12, LAST_RECORD = 30, SNAPSHOT = 13 };

/* Records 1..12, then a segment with snapshot 13 and records 14..30. */
static void
record_journal(struct scratch *s)
{
    struct rc_journal *j = scratch_journal(s, NULL, NULL);
    struct rc_error err;
    uint64_t number;

    while (rc_journal_last(j) < FIRST_RECORDS) {
        CU_ASSERT_EQUAL_FATAL(scratch_append(j, &err), RC_OK);
    }
    CU_ASSERT_EQUAL_FATAL(rc_journal_rotate(j, "the state", 9, &number, &err), RC_OK);
    CU_ASSERT_EQUAL(number, SNAPSHOT);
    while (rc_journal_last(j) < LAST_RECORD) {
        CU_ASSERT_EQUAL_FATAL(scratch_append(j, &err), RC_OK);
    }
    CU_ASSERT_EQUAL(scratch_sync(s, j, NULL), RC_OK);
    rc_journal_close(j);
}

struct outcome {
    uint64_t last;   /* highest genuine record read */
    bool is_genuine; /* every record was as written, in order */
    enum rc_err end;
    struct rc_error why;
    struct rc_journal_tail tail;
};

static struct outcome
read_all(struct scratch *s)
{
    struct outcome o = {.is_genuine = true};
    struct rc_journal_reader *r;
    struct rc_journal_record record;

    o.end = rc_journal_reader_open(scratch_path(s, "j"), "test", &r, &o.why);
    if (o.end) {
        return o;
    }
    while (!(o.end = rc_journal_reader_next(r, &record, &o.why))) {
        bool is_snapshot = record.number == SNAPSHOT && record.type == RC_JOURNAL_SNAPSHOT &&
                           record.len == 9 && memcmp(record.data, "the state", 9) == 0;
        o.is_genuine &= record.number == o.last + 1 && (is_snapshot || scratch_is_genuine(&record));
        o.last = record.number;
    }
    o.tail = *rc_journal_reader_tail(r);
    rc_journal_reader_free(r);
    return o;
}

static void
all_records_come_back_across_segments(void)
{
    struct scratch s = {.fdatasync_fn = NULL};

    scratch_open(&s);
    record_journal(&s);
    struct outcome o = read_all(&s);
    CU_ASSERT_EQUAL(o.end, RC_E_NOT_FOUND);
    CU_ASSERT_EQUAL(o.last, LAST_RECORD);
    CU_ASSERT_TRUE(o.is_genuine);
    CU_ASSERT_EQUAL(o.tail.bytes, 0);
    scratch_close(&s);
}

static void
the_newest_snapshot_is_found_and_the_one_before_it(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_journal_reader *r;
    struct rc_journal_record record;
    struct rc_error err;
    uint64_t number;

    scratch_open(&s);
    record_journal(&s);
    struct rc_journal *j = scratch_journal(&s, NULL, NULL);
    CU_ASSERT_EQUAL(rc_journal_rotate(j, "later", 5, &number, &err), RC_OK);
    CU_ASSERT_EQUAL(scratch_append(j, &err), RC_OK);
    CU_ASSERT_EQUAL_FATAL(rc_journal_reader_open(scratch_path(&s, "j"), "test", &r, &err), RC_OK);
    CU_ASSERT_EQUAL(rc_journal_reader_to_snapshot(r, 0, &err), RC_OK);
    CU_ASSERT_EQUAL(rc_journal_reader_next(r, &record, &err), RC_OK);
    CU_ASSERT_EQUAL(record.number, LAST_RECORD + 1);
    CU_ASSERT_EQUAL(record.type, RC_JOURNAL_SNAPSHOT);
    CU_ASSERT_EQUAL(rc_journal_reader_next(r, &record, &err), RC_OK);
    CU_ASSERT_TRUE(scratch_is_genuine(&record));
    CU_ASSERT_EQUAL(rc_journal_reader_next(r, &record, &err), RC_E_NOT_FOUND);
    CU_ASSERT_EQUAL(rc_journal_reader_to_snapshot(r, 1, &err), RC_OK);
    CU_ASSERT_EQUAL(rc_journal_reader_next(r, &record, &err), RC_OK);
    CU_ASSERT_EQUAL(record.number, SNAPSHOT);
    CU_ASSERT_EQUAL(rc_journal_reader_to_snapshot(r, 2, &err), RC_E_NOT_FOUND);
    CU_ASSERT_EQUAL(rc_journal_reader_next(r, &record, &err), RC_OK);
    CU_ASSERT_EQUAL(record.number, 1);
    rc_journal_reader_free(r);
    rc_journal_close(j);
    scratch_close(&s);
}

/* Where each record of the newest segment ends. */
static uint64_t
whole_records_within(const char *bytes, size_t cut, size_t *ret_end)
{
    uint64_t last = SNAPSHOT - 1;
    size_t at = RC_JOURNAL_HEADER_SIZE;

    *ret_end = cut < at ? 0 : at;
    while (at + RC_JOURNAL_RECORD_OVERHEAD <= cut) {
        uint32_t len;
        memcpy(&len, bytes + at, sizeof len); /* the tests run on little-endian machines */
        at += RC_JOURNAL_RECORD_OVERHEAD + len;
        if (at <= cut) {
            *ret_end = at;
            last++;
        }
    }
    return last;
}

static bool
cut_is_survived(struct scratch *s, const char *bytes, size_t cut)
{
    struct rc_journal_opened opened;
    struct rc_error err;
    size_t end;
    uint64_t last = whole_records_within(bytes, cut, &end);

    scratch_write(s, SECOND_SEGMENT, bytes, cut);
    struct outcome o = read_all(s);
    bool good =
        o.end == RC_E_NOT_FOUND && o.last == last && o.is_genuine && o.tail.bytes == cut - end;
    struct rc_journal *j = scratch_journal(s, NULL, &opened);
    good &= opened.last == last && opened.torn.bytes == cut - end;
    good &= opened.torn.bytes == 0 || (opened.torn_kept && opened.torn.offset == end);
    good &= scratch_append(j, &err) == RC_OK && rc_journal_last(j) == last + 1;
    rc_journal_close(j);
    o = read_all(s);
    good &= o.end == RC_E_NOT_FOUND && o.tail.bytes == 0 && o.last == last + 1;
    if (opened.torn.bytes) {
        char name[160];
        size_t len = 0;
        snprintf(name, sizeof name, "j/%s", opened.torn_file);
        char *kept = rc_test_read_file(scratch_path(s, name), &len);
        good &= kept && len == cut - end && memcmp(kept, bytes + end, len) == 0;
        free(kept);
    }
    return good;
}

static void
a_journal_cut_at_any_byte_keeps_its_whole_records_and_goes_on(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    size_t len = 0, first_len = 0, bad = 0;

    scratch_open(&s);
    record_journal(&s);
    char *bytes = rc_test_read_file(scratch_path(&s, SECOND_SEGMENT), &len);
    char *first = rc_test_read_file(scratch_path(&s, FIRST_SEGMENT), &first_len);
    CU_ASSERT_FATAL(bytes && first && len > 1000);
    for (size_t cut = 0; cut <= len; cut++) {
        scratch_write(&s, FIRST_SEGMENT, first, first_len);
        if (!cut_is_survived(&s, bytes, cut)) {
            printf("#   cut at byte %zu of %zu\n", cut, len);
            bad++;
        }
        unlink(scratch_path(&s, SECOND_SEGMENT));
    }
    CU_ASSERT_EQUAL(bad, 0);
    free(bytes);
    free(first);
    scratch_close(&s);
}

/* Turns every bit of a segment, one at a time. In the last record a turned bit
 * looks like a torn append; anywhere else it must be an error that names the file. */
static void
turn_every_bit(struct scratch *s, const char *segment, size_t last_record_at)
{
    size_t len = 0, bad = 0;
    char *bytes = rc_test_read_file(scratch_path(s, segment), &len);
    int fd = open(scratch_path(s, segment), O_RDWR);

    CU_ASSERT_FATAL(bytes && fd >= 0);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        off_t at = (off_t)(bit / 8);
        char turned = (char)(bytes[at] ^ (1 << bit % 8));
        CU_ASSERT_EQUAL(pwrite(fd, &turned, 1, at), 1);
        struct outcome o = read_all(s);
        bool is_error = o.end == RC_E_PARSE && strstr(o.why.text, segment + 2);
        bool is_torn = o.end == RC_E_NOT_FOUND && o.tail.offset == last_record_at &&
                       o.tail.bytes == len - last_record_at;
        bool good = o.is_genuine && ((size_t)at < last_record_at ? is_error : is_torn);
        if (!good) {
            printf("#   bit %zu of byte %jd: %s\n", bit % 8, (intmax_t)at, o.why.text);
            bad++;
        }
        CU_ASSERT_EQUAL(pwrite(fd, bytes + at, 1, at), 1);
    }
    CU_ASSERT_EQUAL(bad, 0);
    close(fd);
    free(bytes);
}

static void
a_turned_bit_is_never_read_as_truth(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    size_t len = 0, last_record_at = 0;

    scratch_open(&s);
    record_journal(&s);
    char *bytes = rc_test_read_file(scratch_path(&s, SECOND_SEGMENT), &len);
    whole_records_within(bytes, len - 1, &last_record_at);
    turn_every_bit(&s, SECOND_SEGMENT, last_record_at);
    turn_every_bit(&s, FIRST_SEGMENT, SIZE_MAX);
    free(bytes);
    scratch_close(&s);
}

static void
corruption_in_the_newest_segment_refuses_the_writer_too(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_journal_options o;
    struct rc_journal_opened opened;
    struct rc_journal *j;
    struct rc_error err;

    scratch_open(&s);
    record_journal(&s);
    int fd = open(scratch_path(&s, SECOND_SEGMENT), O_RDWR);
    CU_ASSERT_EQUAL(pwrite(fd, "X", 1, RC_JOURNAL_HEADER_SIZE + 20), 1);
    o = scratch_journal_options(&s);
    CU_ASSERT_EQUAL(rc_journal_open(&o, &j, &opened, &err), RC_E_PARSE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "journal-00000000000000000013.rcj"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "offset 88"));
    close(fd);
    scratch_close(&s);
}

static void
a_missing_segment_is_an_error(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_error err;
    uint64_t number;

    scratch_open(&s);
    record_journal(&s);
    struct rc_journal *j = scratch_journal(&s, NULL, NULL);
    CU_ASSERT_EQUAL(rc_journal_rotate(j, "later", 5, &number, &err), RC_OK);
    rc_journal_close(j);
    CU_ASSERT_EQUAL(unlink(scratch_path(&s, SECOND_SEGMENT)), 0);
    struct outcome o = read_all(&s);
    CU_ASSERT_EQUAL(o.end, RC_E_PARSE);
    CU_ASSERT_EQUAL(o.last, FIRST_RECORDS);
    scratch_close(&s);
}

static void
another_clusters_journal_is_refused(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_journal_options o;
    struct rc_journal_opened opened;
    struct rc_journal_reader *r;
    struct rc_journal *j;
    struct rc_error err;

    scratch_open(&s);
    record_journal(&s);
    o = scratch_journal_options(&s);
    o.cluster = "other";
    CU_ASSERT_EQUAL(rc_journal_open(&o, &j, &opened, &err), RC_E_FOREIGN);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "\"test\""));
    CU_ASSERT_EQUAL(rc_journal_reader_open(o.dir, "other", &r, &err), RC_E_FOREIGN);
    CU_ASSERT_EQUAL(rc_journal_reader_open(o.dir, NULL, &r, &err), RC_OK);
    CU_ASSERT_STRING_EQUAL(rc_journal_reader_cluster(r), "test");
    rc_journal_reader_free(r);
    CU_ASSERT_EQUAL(rc_journal_reader_open(s.dir, NULL, &r, &err), RC_E_NOT_FOUND);
    CU_ASSERT_EQUAL(rc_journal_reader_open("/no/such/dir", NULL, &r, &err), RC_E_NOT_FOUND);
    scratch_close(&s);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"all records come back, across segments", all_records_come_back_across_segments},
        {"the newest snapshot is found, and the one before it",
         the_newest_snapshot_is_found_and_the_one_before_it},
        {"a journal cut at any byte keeps its whole records and goes on",
         a_journal_cut_at_any_byte_keeps_its_whole_records_and_goes_on},
        {"a turned bit is never read as truth", a_turned_bit_is_never_read_as_truth},
        {"corruption in the newest segment refuses the writer too",
         corruption_in_the_newest_segment_refuses_the_writer_too},
        {"a missing segment is an error", a_missing_segment_is_an_error},
        {"another cluster's journal is refused", another_clusters_journal_is_refused},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("journal_read", tests);
}
