/* A message comes back byte for byte, is taken once, and its file keeps a limit. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/io/store/quarantine.h"
#include "tests/unit/journal/journal_scratch.h"

static struct rc_quarantine *
open_quarantine(struct scratch *s, uint64_t max_bytes)
{
    struct rc_quarantine_options o = {.base = s->base,
                                      .syncer = s->syncer,
                                      .path = scratch_path(s, "quarantine.jsonl"),
                                      .max_bytes = max_bytes};
    struct rc_quarantine *q = NULL;
    struct rc_error err = {RC_OK, "", ""};
    enum rc_err e = rc_quarantine_open(&o, &q, &err);

    if (e) {
        printf("#   %s\n", err.text);
    }
    CU_ASSERT_EQUAL_FATAL(e, RC_OK);
    return q;
}

struct answer {
    bool done;
    enum rc_err code;
    uint64_t id;
};

static void
on_put(void *arg, enum rc_err code, uint64_t id, const struct rc_error *err)
{
    struct answer *a = arg;

    (void)err;
    CU_ASSERT_FALSE(a->done);
    *a = (struct answer){true, code, id};
}

static uint64_t
put(struct scratch *s, struct rc_quarantine *q, const void *body, size_t len)
{
    struct rc_quarantine_item item = {.time_ms = 1795415800123,
                                      .message_id = "5fea7756-0ea4-451a-a703-a558b933e274",
                                      .reason = "no \"detail-type\" in it",
                                      .body = body,
                                      .body_len = len};
    struct answer a = {.done = false};
    struct rc_error err;

    CU_ASSERT_EQUAL_FATAL(rc_quarantine_put(q, &item, on_put, &a, &err), RC_OK);
    CU_ASSERT_FALSE(a.done);
    scratch_wait(s, &a.done);
    CU_ASSERT_EQUAL(a.code, RC_OK);
    return a.id;
}

struct expected {
    const void *body;
    size_t len;
    unsigned rows;
    bool is_same, is_taken;
};

static bool
on_row(void *arg, const struct rc_quarantine_item *item)
{
    struct expected *e = arg;

    e->rows++;
    e->is_taken = item->taken;
    e->is_same = item->body_len == e->len && memcmp(item->body, e->body, e->len) == 0 &&
                 item->time_ms == 1795415800123 &&
                 strcmp(item->reason, "no \"detail-type\" in it") == 0 &&
                 strcmp(item->message_id, "5fea7756-0ea4-451a-a703-a558b933e274") == 0;
    return true;
}

static void
every_body_comes_back_byte_for_byte(void)
{
    static char all_bytes[1024], large[700000];
    const struct {
        const void *body;
        size_t len;
    } bodies[] = {
        {"{\"detail\":\"x\"}", sizeof "{\"detail\":\"x\"}" - 1},
        {"", sizeof "" - 1},
        {"\0", sizeof "\0" - 1},
        {"a\0b", sizeof "a\0b" - 1},
        {"line\nfeed\r\t\x01\x7f \"quotes\" \\", sizeof "line\nfeed\r\t\x01\x7f \"quotes\" \\" - 1},
        {"caf\xc3\xa9 \xf0\x9f\x90\xa7", sizeof "caf\xc3\xa9 \xf0\x9f\x90\xa7" - 1},
        {"\xff\xfe", sizeof "\xff\xfe" - 1},
        {"\xed\xa0\x80", sizeof "\xed\xa0\x80" - 1}, /* a surrogate is not UTF-8 */
        {"\xc0\x80", sizeof "\xc0\x80" - 1},         /* nor is an overlong NUL */
        {"cut \xe2\x82", sizeof "cut \xe2\x82" - 1},
        {all_bytes, 1021},
        {all_bytes, 1022},
        {all_bytes, 1023},
        {large, sizeof large},
    };
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_error err;

    for (size_t i = 0; i < sizeof all_bytes; i++) {
        all_bytes[i] = (char)(i * 7);
    }
    memset(large, 'x', sizeof large);
    scratch_open(&s);
    struct rc_quarantine *q = open_quarantine(&s, 0);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct expected e = {.body = bodies[i].body, .len = bodies[i].len};
        uint64_t id = put(&s, q, bodies[i].body, bodies[i].len);
        CU_ASSERT_EQUAL(id, i + 1);
        CU_ASSERT_EQUAL(rc_quarantine_list(q, on_row, &e, &err), RC_OK);
        CU_ASSERT_EQUAL(e.rows, i + 1);
        CU_ASSERT_TRUE(e.is_same);
    }
    rc_quarantine_close(q);
    scratch_close(&s);
}

static void
a_message_is_taken_once_also_after_a_restart(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_error err;

    scratch_open(&s);
    struct rc_quarantine *q = open_quarantine(&s, 0);
    put(&s, q, "one", 3);
    put(&s, q, "two", 3);
    struct expected e = {.body = "one", .len = 3};
    CU_ASSERT_EQUAL(rc_quarantine_take(q, 1, on_row, &e, &err), RC_OK);
    CU_ASSERT_EQUAL(e.rows, 1);
    CU_ASSERT_TRUE(e.is_same);
    CU_ASSERT_EQUAL(rc_quarantine_take(q, 1, on_row, &e, &err), RC_E_STATE);
    CU_ASSERT_EQUAL(rc_quarantine_take(q, 3, on_row, &e, &err), RC_E_NOT_FOUND);
    CU_ASSERT_EQUAL(rc_quarantine_count(q), 1);
    rc_quarantine_close(q);
    q = open_quarantine(&s, 0);
    CU_ASSERT_EQUAL(rc_quarantine_count(q), 1);
    CU_ASSERT_EQUAL(rc_quarantine_take(q, 1, on_row, &e, &err), RC_E_STATE);
    CU_ASSERT_EQUAL(e.rows, 1);
    CU_ASSERT_EQUAL(put(&s, q, "three", 5), 3);
    e = (struct expected){.body = "three", .len = 5};
    CU_ASSERT_EQUAL(rc_quarantine_list(q, on_row, &e, &err), RC_OK);
    CU_ASSERT_EQUAL(e.rows, 3);
    CU_ASSERT_TRUE(e.is_same);
    CU_ASSERT_FALSE(e.is_taken);
    rc_quarantine_close(q);
    scratch_close(&s);
}

static void
a_full_file_becomes_the_old_one_and_what_is_dropped_is_counted(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_error err;
    struct expected e = {.body = "", .len = 0};
    char body[300];

    memset(body, 'b', sizeof body);
    scratch_open(&s);
    struct rc_quarantine *q = open_quarantine(&s, 1000);
    for (int i = 0; i < 9; i++) { /* two to a file */
        body[0] = (char)('0' + i);
        put(&s, q, body, sizeof body);
        if (i == 0) {
            CU_ASSERT_EQUAL(rc_quarantine_take(q, 1, on_row, &e, &err), RC_OK);
        }
    }
    e.rows = 0;
    CU_ASSERT_EQUAL(rc_quarantine_list(q, on_row, &e, &err), RC_OK);
    CU_ASSERT_EQUAL(e.rows + rc_quarantine_dropped(q), 8);
    CU_ASSERT_EQUAL(rc_quarantine_count(q), e.rows);
    CU_ASSERT(e.rows >= 3 && e.rows <= 4);
    CU_ASSERT_EQUAL(rc_quarantine_take(q, 9, on_row, &e, &err), RC_OK);
    CU_ASSERT_EQUAL(rc_quarantine_take(q, 1, on_row, &e, &err), RC_E_NOT_FOUND);
    uint64_t count = rc_quarantine_count(q);
    rc_quarantine_close(q);
    q = open_quarantine(&s, 1000);
    CU_ASSERT_EQUAL(rc_quarantine_count(q), count);
    CU_ASSERT_EQUAL(put(&s, q, "next", 4), 10);
    rc_quarantine_close(q);
    scratch_close(&s);
}

static void
a_line_cut_at_any_byte_is_dropped_and_the_others_stay(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_error err;
    size_t len = 0;

    scratch_open(&s);
    struct rc_quarantine *q = open_quarantine(&s, 0);
    put(&s, q, "first", 5);
    put(&s, q, "second", 6);
    rc_quarantine_close(q);
    char *bytes = rc_test_read_file(scratch_path(&s, "quarantine.jsonl"), &len);
    size_t first_end = (size_t)(strchr(bytes, '\n') - bytes) + 1;
    for (size_t cut = 0; cut <= len; cut++) {
        struct expected e = {.body = "again", .len = 5};
        uint64_t whole = cut < first_end ? 0 : cut < len ? 1 : 2;
        scratch_write(&s, "quarantine.jsonl", bytes, cut);
        q = open_quarantine(&s, 0);
        CU_ASSERT_EQUAL(rc_quarantine_count(q), whole);
        CU_ASSERT_EQUAL(put(&s, q, "again", 5), whole + 1);
        CU_ASSERT_EQUAL(rc_quarantine_list(q, on_row, &e, &err), RC_OK);
        CU_ASSERT_EQUAL(e.rows, whole + 1);
        CU_ASSERT_TRUE(e.is_same);
        rc_quarantine_close(q);
        scratch_turn(&s);
    }
    free(bytes);
    scratch_close(&s);
}

static void
a_line_that_cannot_be_read_is_an_error_with_its_place(void)
{
    static const char good[] = "{\"id\":1,\"time\":\"2026-11-23T06:36:40.123Z\",\"message_id\":"
                               "\"m\",\"reason\":\"r\",\"body\":\"b\"}\n";
    static const char *const bad[] = {
        "rubbish\n",
        "{\"id\":2}\n",
        "{\"id\":1,\"time\":\"2026-11-23T06:36:40.123Z\",\"message_id\":\"m\",\"reason\":\"r\","
        "\"body\":\"the same id again\"}\n",
        "{\"id\":2,\"time\":\"yesterday\",\"message_id\":\"m\",\"reason\":\"r\",\"body\":\"b\"}\n",
        "{\"id\":2,\"time\":\"2026-11-23T06:36:40.123Z\",\"message_id\":\"m\",\"reason\":\"r\","
        "\"body_base64\":\"???\"}\n",
        "\n",
    };
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_quarantine *q;
    struct rc_error err;
    char text[1000];

    scratch_open(&s);
    struct rc_quarantine_options o = {
        .base = s.base, .syncer = s.syncer, .path = scratch_path(&s, "quarantine.jsonl")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int len = snprintf(text, sizeof text, "%s%s", good, bad[i]);
        scratch_write(&s, "quarantine.jsonl", text, (size_t)len);
        CU_ASSERT_EQUAL(rc_quarantine_open(&o, &q, &err), RC_E_PARSE);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "quarantine.jsonl line 2"));
    }
    o.path = scratch_path(&s, "no/such/dir/quarantine.jsonl");
    CU_ASSERT_EQUAL(rc_quarantine_open(&o, &q, &err), RC_E_DISK);
    scratch_close(&s);
}

static void
a_full_disk_refuses_the_message_and_leaves_no_half_line(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_quarantine_item item = {
        .message_id = "", .reason = "r", .body = "0123456789", .body_len = 10};
    struct answer a = {.done = false};
    struct rlimit limit;
    struct rc_error err;
    struct expected e = {.body = "", .len = 0};

    scratch_open(&s);
    struct rc_quarantine *q = open_quarantine(&s, 0);
    put(&s, q, "fits", 4);
    getrlimit(RLIMIT_FSIZE, &limit);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 200;
    setrlimit(RLIMIT_FSIZE, &limit);
    CU_ASSERT_EQUAL(rc_quarantine_put(q, &item, on_put, &a, &err), RC_E_DISK);
    limit.rlim_cur = before;
    setrlimit(RLIMIT_FSIZE, &limit);
    CU_ASSERT_EQUAL(rc_quarantine_count(q), 1);
    put(&s, q, "fits again", 10);
    CU_ASSERT_EQUAL(rc_quarantine_list(q, on_row, &e, &err), RC_OK);
    CU_ASSERT_EQUAL(e.rows, 2);
    CU_ASSERT_FALSE(a.done);
    rc_quarantine_close(q);
    scratch_close(&s);
}

static void
closing_cancels_those_who_wait(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_quarantine_item item = {
        .message_id = "", .reason = "\xff", .body = "b", .body_len = 1};
    struct answer a = {.done = false};
    struct rc_error err;

    scratch_open(&s);
    struct rc_quarantine *q = open_quarantine(&s, 0);
    CU_ASSERT_EQUAL(rc_quarantine_put(q, &item, on_put, &a, &err), RC_OK);
    rc_quarantine_close(q);
    CU_ASSERT_TRUE(a.done);
    CU_ASSERT_EQUAL(a.code, RC_E_CANCELLED);
    scratch_close(&s);
}

static uint64_t
put_named(struct scratch *s, struct rc_quarantine *q, const char *message_id, const char *body,
          enum rc_err expected)
{
    struct rc_quarantine_item item = {
        .message_id = message_id, .reason = "not JSON", .body = body, .body_len = strlen(body)};
    struct answer a = {.done = false};
    struct rc_error err;

    CU_ASSERT_EQUAL_FATAL(rc_quarantine_put(q, &item, on_put, &a, &err), RC_OK);
    scratch_wait(s, &a.done);
    CU_ASSERT_EQUAL(a.code, expected);
    return a.id;
}

static bool
ignore_row(void *arg, const struct rc_quarantine_item *item)
{
    (void)arg;
    (void)item;
    return true;
}

static void
a_message_that_comes_again_stands_once_also_after_a_restart(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_error err;

    scratch_open(&s);
    struct rc_quarantine *q = open_quarantine(&s, 0);
    CU_ASSERT_EQUAL(put_named(&s, q, "m-1", "{", RC_OK), 1);
    CU_ASSERT_EQUAL(put_named(&s, q, "m-2", "{", RC_OK), 2); /* another with the same fault */
    CU_ASSERT_EQUAL(put_named(&s, q, "m-1", "{", RC_OK), 1);
    rc_quarantine_close(q);
    q = open_quarantine(&s, 0);
    CU_ASSERT_EQUAL(put_named(&s, q, "m-2", "{", RC_OK), 2);
    CU_ASSERT_EQUAL(rc_quarantine_count(q), 2);
    CU_ASSERT_EQUAL(put_named(&s, q, "m-2", "[", RC_OK), 3); /* no body is lost to an id */
    CU_ASSERT_EQUAL(put_named(&s, q, "", "{", RC_OK), 4);
    CU_ASSERT_EQUAL(put_named(&s, q, "", "{", RC_OK), 5); /* without an id nobody can tell */
    CU_ASSERT_EQUAL(rc_quarantine_take(q, 1, ignore_row, NULL, &err), RC_OK);
    CU_ASSERT_EQUAL(put_named(&s, q, "m-1", "{", RC_OK), 6); /* what was replayed is new */
    rc_quarantine_close(q);
    scratch_close(&s);
}

static void
a_message_that_comes_again_during_the_sync_stands_once(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_quarantine_item item = {
        .message_id = "m-1", .reason = "r", .body = "b", .body_len = 1};
    struct answer first = {.done = false}, second = {.done = false};
    struct rc_error err;

    scratch_open(&s);
    struct rc_quarantine *q = open_quarantine(&s, 0);
    CU_ASSERT_EQUAL(rc_quarantine_put(q, &item, on_put, &first, &err), RC_OK);
    CU_ASSERT_EQUAL(rc_quarantine_put(q, &item, on_put, &second, &err), RC_OK);
    CU_ASSERT_FALSE(second.done); /* before the sync it is not kept */
    scratch_wait(&s, &second.done);
    CU_ASSERT_TRUE(first.done);
    CU_ASSERT_EQUAL(first.id, 1);
    CU_ASSERT_EQUAL(second.id, 1);
    CU_ASSERT_EQUAL(rc_quarantine_count(q), 1);
    rc_quarantine_close(q);
    scratch_close(&s);
}

static atomic_bool *disk_refuses; /* shared: the syncer is a process of its own */

static int
sync_unless_refused(int fd)
{
    if (*disk_refuses) {
        errno = EIO;
        return -1;
    }
    return fdatasync(fd);
}

static void
a_message_whose_sync_failed_is_written_again(void)
{
    struct scratch s = {.fdatasync_fn = sync_unless_refused};

    disk_refuses =
        mmap(NULL, sizeof *disk_refuses, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_TRUE_FATAL(disk_refuses != MAP_FAILED);
    scratch_open(&s);
    struct rc_quarantine *q = open_quarantine(&s, 0);
    CU_ASSERT_EQUAL(put_named(&s, q, "m-1", "{", RC_OK), 1);
    *disk_refuses = true;
    CU_ASSERT_EQUAL(put_named(&s, q, "m-2", "{", RC_E_DISK), 2);
    *disk_refuses = false;
    CU_ASSERT_EQUAL(put_named(&s, q, "m-2", "{", RC_OK), 3);
    CU_ASSERT_EQUAL(put_named(&s, q, "m-2", "{", RC_OK), 3);
    CU_ASSERT_EQUAL(put_named(&s, q, "m-1", "{", RC_OK), 1); /* that one is on the disk */
    rc_quarantine_close(q);
    scratch_close(&s);
    munmap(disk_refuses, sizeof *disk_refuses);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"every body comes back byte for byte", every_body_comes_back_byte_for_byte},
        {"a message is taken once, also after a restart",
         a_message_is_taken_once_also_after_a_restart},
        {"a full file becomes the old one, and what is dropped is counted",
         a_full_file_becomes_the_old_one_and_what_is_dropped_is_counted},
        {"a line cut at any byte is dropped and the others stay",
         a_line_cut_at_any_byte_is_dropped_and_the_others_stay},
        {"a line that cannot be read is an error with its place",
         a_line_that_cannot_be_read_is_an_error_with_its_place},
        {"a full disk refuses the message and leaves no half line",
         a_full_disk_refuses_the_message_and_leaves_no_half_line},
        {"closing cancels those who wait", closing_cancels_those_who_wait},
        {"a message that comes again stands once, also after a restart",
         a_message_that_comes_again_stands_once_also_after_a_restart},
        {"a message that comes again during the sync stands once",
         a_message_that_comes_again_during_the_sync_stands_once},
        {"a message whose sync failed is written again",
         a_message_whose_sync_failed_is_written_again},
        CU_TEST_INFO_NULL,
    };
    signal(SIGXFSZ, SIG_IGN);
    return rc_test_main("quarantine", tests);
}
