/* journal_scratch.c - see journal_scratch.h. */
#define _GNU_SOURCE
#include "tests/unit/journal/journal_scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness/harness.h"

void
scratch_open(struct scratch *s)
{
    struct rc_error err;

    snprintf(s->dir, sizeof s->dir, "%s/rc-test-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(s->dir));
    s->base = event_base_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(s->base);
    CU_ASSERT_EQUAL_FATAL(rc_syncer_new(s->base, s->fdatasync_fn, &s->syncer, &err), RC_OK);
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

void
scratch_close(struct scratch *s)
{
    rc_syncer_free(s->syncer);
    event_base_free(s->base);
    CU_ASSERT_EQUAL(nftw(s->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

const char *
scratch_path(const struct scratch *s, const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", s->dir, name);
    return path;
}

void
scratch_write(const struct scratch *s, const char *name, const void *data, size_t len)
{
    FILE *f = fopen(scratch_path(s, name), "wb");

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(fwrite(data, 1, len, f), len);
    CU_ASSERT_EQUAL(fclose(f), 0);
}

void
scratch_wait(struct scratch *s, const bool *done)
{
    struct timeval limit = {.tv_sec = 5};

    event_base_loopexit(s->base, &limit);
    while (!*done && !event_base_got_exit(s->base)) {
        event_base_loop(s->base, EVLOOP_ONCE);
    }
    CU_ASSERT_TRUE_FATAL(*done);
}

void
scratch_turn(struct scratch *s)
{
    event_base_loop(s->base, EVLOOP_NONBLOCK);
}

struct rc_journal_options
scratch_journal_options(struct scratch *s)
{
    return (struct rc_journal_options){
        .dir = scratch_path(s, "j"), .cluster = "test", .base = s->base, .syncer = s->syncer};
}

struct rc_journal *
scratch_journal(struct scratch *s, const struct rc_journal_options *options,
                struct rc_journal_opened *ret_opened)
{
    struct rc_journal_options defaults = scratch_journal_options(s);
    struct rc_journal_opened opened;
    struct rc_journal *j = NULL;
    struct rc_error err = {RC_OK, "", ""};

    enum rc_err e = rc_journal_open(options ? options : &defaults, &j, &opened, &err);
    if (e) {
        printf("#   open: %s\n", err.text);
    }
    CU_ASSERT_EQUAL_FATAL(e, RC_OK);
    if (ret_opened) {
        *ret_opened = opened;
    }
    return j;
}

static size_t
payload_of(uint64_t number, char out[256])
{
    int len = snprintf(out, 256, "record %llu ", (unsigned long long)number);

    for (uint64_t i = 0; i < number * 37 % 90; i++) {
        out[len++] = (char)((number * 31 + i * 17) % 251);
    }
    return (size_t)len;
}

enum rc_err
scratch_append(struct rc_journal *j, struct rc_error *ret_err)
{
    char payload[256];
    uint64_t number;
    struct rc_journal_item item = {RC_JOURNAL_EVENT,
                                   (uint32_t)payload_of(rc_journal_last(j) + 1, payload), payload};

    return rc_journal_append(j, &item, 1, &number, ret_err);
}

bool
scratch_is_genuine(const struct rc_journal_record *r)
{
    char payload[256];
    size_t len = payload_of(r->number, payload);

    return r->type == RC_JOURNAL_EVENT && r->len == len && memcmp(r->data, payload, len) == 0 &&
           r->data[len] == '\0';
}

struct sync_answer {
    bool done;
    enum rc_err code;
    uint64_t durable;
};

static void
on_sync(void *arg, enum rc_err code, uint64_t durable)
{
    *(struct sync_answer *)arg = (struct sync_answer){true, code, durable};
}

enum rc_err
scratch_sync(struct scratch *s, struct rc_journal *j, uint64_t *ret_durable)
{
    struct sync_answer a = {false, RC_OK, 0};
    struct rc_error err;
    enum rc_err e = rc_journal_sync(j, on_sync, &a, &err);

    if (e) {
        return e;
    }
    CU_ASSERT_FALSE(a.done);
    scratch_wait(s, &a.done);
    if (ret_durable) {
        *ret_durable = a.durable;
    }
    return a.code;
}
