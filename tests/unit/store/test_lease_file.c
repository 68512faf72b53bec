/* One holder at a time, an epoch that only grows, each observer's own clock, and
 * nobody acts on rubbish. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <sys/file.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/io/store/lease_file.h"
#include "tests/unit/journal/journal_scratch.h"

enum { TERM_MS = 10000, GRACE_MS = 3000 };

static int64_t
clock_of(void *arg)
{
    return *(int64_t *)arg;
}

struct controller {
    struct rc_lease *lease;
    int64_t now_ms; /* its own clock */
};

static void
start(struct scratch *s, struct controller *c, const char *owner, bool is_unique)
{
    struct rc_error err;
    struct rc_lease_file_options o = {.base = s->base,
                                      .path = scratch_path(s, "lease"),
                                      .cluster = "test",
                                      .owner = owner,
                                      .term_ms = TERM_MS,
                                      .grace_ms = GRACE_MS,
                                      .holder = is_unique ? "boot-1" : NULL,
                                      .now_ms = clock_of,
                                      .now_arg = &c->now_ms};

    CU_ASSERT_EQUAL_FATAL(rc_lease_file_new(&o, &c->lease, &err), RC_OK);
}

struct answer {
    bool done;
    enum rc_err code;
    struct rc_lease_info info;
    struct rc_error err;
};

static void
on_answer(void *arg, enum rc_err code, const struct rc_lease_info *info, const struct rc_error *err)
{
    struct answer *a = arg;

    CU_ASSERT_FALSE(a->done);
    *a = (struct answer){true, code, *info, *err};
}

typedef enum rc_err(lease_call)(struct rc_lease *l, rc_lease_fn *cb, void *arg);

static struct answer
call(struct scratch *s, struct controller *c, lease_call *fn)
{
    struct answer a = {.done = false};

    CU_ASSERT_EQUAL_FATAL(fn(c->lease, on_answer, &a), RC_OK);
    CU_ASSERT_FALSE(a.done);
    CU_ASSERT_EQUAL(fn(c->lease, on_answer, &a), RC_E_STATE);
    scratch_wait(s, &a.done);
    return a;
}

static void
the_first_gets_it_and_the_second_waits_for_term_and_grace(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    /* Clocks that have nothing to do with each other. */
    struct controller a = {.now_ms = 5000000}, b = {.now_ms = 70};

    scratch_open(&s);
    start(&s, &a, "ctl-a", false);
    start(&s, &b, "ctl-b", false);
    CU_ASSERT_EQUAL(call(&s, &b, rc_lease_observe).code, RC_E_NOT_FOUND);
    struct answer r = call(&s, &a, rc_lease_acquire);
    CU_ASSERT_EQUAL(r.code, RC_OK);
    CU_ASSERT_EQUAL(r.info.epoch, 1);
    CU_ASSERT_TRUE(r.info.mine);
    CU_ASSERT_EQUAL(r.info.until_ms, a.now_ms + TERM_MS);
    r = call(&s, &b, rc_lease_acquire);
    CU_ASSERT_EQUAL(r.code, RC_E_CONDITION);
    CU_ASSERT_STRING_EQUAL(r.info.owner, "ctl-a");
    CU_ASSERT_FALSE(r.info.mine);
    CU_ASSERT_EQUAL(r.info.takeable_at_ms, 70 + TERM_MS + GRACE_MS);
    /* A renewal in between starts the wait again. */
    a.now_ms += 4000;
    b.now_ms += 4000;
    r = call(&s, &a, rc_lease_renew);
    CU_ASSERT_EQUAL(r.code, RC_OK);
    CU_ASSERT_EQUAL(r.info.until_ms, a.now_ms + TERM_MS);
    CU_ASSERT_EQUAL(r.info.epoch, 1);
    r = call(&s, &b, rc_lease_observe);
    CU_ASSERT_EQUAL(r.code, RC_OK);
    CU_ASSERT_EQUAL(r.info.takeable_at_ms, b.now_ms + TERM_MS + GRACE_MS);
    b.now_ms += TERM_MS + GRACE_MS - 1;
    CU_ASSERT_EQUAL(call(&s, &b, rc_lease_acquire).code, RC_E_CONDITION);
    b.now_ms += 1;
    r = call(&s, &b, rc_lease_acquire);
    CU_ASSERT_EQUAL(r.code, RC_OK);
    CU_ASSERT_EQUAL(r.info.epoch, 2);
    CU_ASSERT_STRING_EQUAL(r.info.owner, "ctl-b");
    /* The first, which slept meanwhile by its own clock, has lost it. */
    r = call(&s, &a, rc_lease_renew);
    CU_ASSERT_EQUAL(r.code, RC_E_NO_LEASE);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.err.text, "ctl-b"));
    CU_ASSERT_FALSE(r.info.mine);
    CU_ASSERT_EQUAL(call(&s, &a, rc_lease_acquire).code, RC_E_CONDITION);
    rc_lease_free(a.lease);
    rc_lease_free(b.lease);
    scratch_close(&s);
}

static void
a_holder_that_overslept_its_term_cannot_renew(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct controller a = {.now_ms = 1};

    scratch_open(&s);
    start(&s, &a, "ctl-a", false);
    CU_ASSERT_EQUAL(call(&s, &a, rc_lease_acquire).code, RC_OK);
    a.now_ms += TERM_MS;
    CU_ASSERT_EQUAL(call(&s, &a, rc_lease_renew).code, RC_E_NO_LEASE);
    /* Its own record counts as a stranger's: the request time-out must pass. */
    CU_ASSERT_EQUAL(call(&s, &a, rc_lease_acquire).code, RC_E_CONDITION);
    a.now_ms += GRACE_MS;
    struct answer r = call(&s, &a, rc_lease_acquire);
    CU_ASSERT_EQUAL(r.code, RC_OK);
    CU_ASSERT_EQUAL(r.info.epoch, 2);
    rc_lease_free(a.lease);
    scratch_close(&s);
}

static void
what_is_observed_is_ours_only_as_we_wrote_it(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct controller a = {.now_ms = 1}, b = {.now_ms = 1}, twin = {.now_ms = 1};

    scratch_open(&s);
    start(&s, &a, "ctl-a", false);
    start(&s, &b, "ctl-b", false);
    start(&s, &twin, "ctl-a", false);
    CU_ASSERT_EQUAL(call(&s, &a, rc_lease_acquire).code, RC_OK);
    struct answer r = call(&s, &a, rc_lease_observe);
    CU_ASSERT_TRUE(r.info.mine);
    CU_ASSERT_EQUAL(r.info.until_ms, a.now_ms + TERM_MS);
    CU_ASSERT_FALSE(call(&s, &twin, rc_lease_observe).info.mine);
    /* By its own clock it still holds it, and does not know of the other one. */
    CU_ASSERT_EQUAL(call(&s, &b, rc_lease_observe).code, RC_OK);
    b.now_ms += TERM_MS + GRACE_MS;
    CU_ASSERT_EQUAL(call(&s, &b, rc_lease_acquire).info.epoch, 2);
    r = call(&s, &a, rc_lease_observe);
    CU_ASSERT_EQUAL(r.code, RC_OK);
    CU_ASSERT_EQUAL(r.info.epoch, 2);
    CU_ASSERT_STRING_EQUAL(r.info.owner, "ctl-b");
    CU_ASSERT_FALSE(r.info.mine);
    CU_ASSERT_EQUAL(r.info.until_ms, 0);
    b.now_ms += TERM_MS;
    CU_ASSERT_FALSE(call(&s, &b, rc_lease_observe).info.mine);
    rc_lease_free(a.lease);
    rc_lease_free(b.lease);
    rc_lease_free(twin.lease);
    scratch_close(&s);
}

static void
a_yielded_lease_is_free_at_once(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct controller a = {.now_ms = 1}, b = {.now_ms = 2};

    scratch_open(&s);
    start(&s, &a, "ctl-a", false);
    start(&s, &b, "ctl-b", false);
    CU_ASSERT_EQUAL(call(&s, &a, rc_lease_yield).code, RC_E_NO_LEASE);
    CU_ASSERT_EQUAL(call(&s, &a, rc_lease_acquire).code, RC_OK);
    CU_ASSERT_EQUAL(call(&s, &b, rc_lease_yield).code, RC_E_NO_LEASE);
    struct answer r = call(&s, &a, rc_lease_yield);
    CU_ASSERT_EQUAL(r.code, RC_OK);
    CU_ASSERT_FALSE(r.info.mine);
    CU_ASSERT_FALSE(r.info.held);
    CU_ASSERT_EQUAL(call(&s, &a, rc_lease_renew).code, RC_E_NO_LEASE);
    r = call(&s, &b, rc_lease_acquire);
    CU_ASSERT_EQUAL(r.code, RC_OK);
    CU_ASSERT_EQUAL(r.info.epoch, 2);
    rc_lease_free(a.lease);
    rc_lease_free(b.lease);
    scratch_close(&s);
}

static void
a_restarted_daemon_with_a_unique_name_takes_its_own_lease_back(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct controller a = {.now_ms = 1}, again = {.now_ms = 500}, b = {.now_ms = 1};

    scratch_open(&s);
    start(&s, &a, "ctl-a", true);
    CU_ASSERT_EQUAL(call(&s, &a, rc_lease_acquire).code, RC_OK);
    rc_lease_free(a.lease);
    start(&s, &again, "ctl-a", true);
    struct answer r = call(&s, &again, rc_lease_acquire);
    CU_ASSERT_EQUAL(r.code, RC_OK);
    CU_ASSERT_EQUAL(r.info.epoch, 2);
    start(&s, &b, "ctl-b", true);
    CU_ASSERT_EQUAL(call(&s, &b, rc_lease_acquire).code, RC_E_CONDITION);
    rc_lease_free(again.lease);
    rc_lease_free(b.lease);
    scratch_close(&s);
}

/* --- bad files ---------------------------------------------------------------------- */

static void
nobody_acts_on_a_record_that_is_wrong(void)
{
    static const struct {
        const char *text, *words;
        enum rc_err code;
    } cases[] = {
        {"", "not JSON", RC_E_PARSE},
        {"garbage", "not JSON", RC_E_PARSE},
        {"[]", "one JSON object", RC_E_PARSE},
        {"{} trailing", "one JSON object", RC_E_PARSE},
        {"{}", "\"version\"", RC_E_PARSE},
        {"{\"version\":2}", "version 2", RC_E_PARSE},
        {"{\"version\":1,\"cluster\":\"other\"}", "\"other\"", RC_E_FOREIGN},
        {"{\"version\":1,\"cluster\":\"test\",\"owner\":\"\",\"epoch\":1,\"renewal\":1,"
         "\"term_ms\":1,\"held\":true}",
         "\"owner\"", RC_E_PARSE},
        {"{\"version\":1,\"cluster\":\"test\",\"owner\":\"x\",\"epoch\":0}", "\"epoch\"",
         RC_E_PARSE},
        {"{\"version\":1,\"cluster\":\"test\",\"owner\":\"x\",\"epoch\":1.5}", "\"epoch\"",
         RC_E_PARSE},
        {"{\"version\":1,\"cluster\":\"test\",\"owner\":\"x\",\"epoch\":1e300}", "\"epoch\"",
         RC_E_PARSE},
        {"{\"version\":1,\"cluster\":\"test\",\"owner\":\"x\",\"epoch\":\"7\"}", "\"epoch\"",
         RC_E_PARSE},
        {"{\"version\":1,\"cluster\":\"test\",\"owner\":\"x\",\"epoch\":7,\"renewal\":1,"
         "\"term_ms\":-1}",
         "\"term_ms\"", RC_E_PARSE},
        {"{\"version\":1,\"cluster\":\"test\",\"owner\":\"x\",\"epoch\":7,\"renewal\":1,"
         "\"term_ms\":5,\"held\":1}",
         "\"held\"", RC_E_PARSE},
    };
    struct scratch s = {.fdatasync_fn = NULL};

    scratch_open(&s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct controller a = {.now_ms = 1};
        size_t len = 0;
        start(&s, &a, "ctl-a", true);
        scratch_write(&s, "lease", cases[i].text, strlen(cases[i].text));
        lease_call *const calls[] = {rc_lease_acquire, rc_lease_observe};
        for (size_t c = 0; c < 2; c++) {
            struct answer r = call(&s, &a, calls[c]);
            CU_ASSERT_EQUAL(r.code, cases[i].code);
            CU_ASSERT_PTR_NOT_NULL(strstr(r.err.text, cases[i].words));
            CU_ASSERT_PTR_NOT_NULL(strstr(r.err.text, "lease"));
        }
        char *after = rc_test_read_file(scratch_path(&s, "lease"), &len);
        CU_ASSERT_STRING_EQUAL(after, cases[i].text);
        free(after);
        rc_lease_free(a.lease);
    }
    scratch_close(&s);
}

static void
an_epoch_that_goes_back_or_a_record_that_vanishes_stops_everybody(void)
{
    static const char behind[] = "{\"version\":1,\"cluster\":\"test\",\"owner\":\"x\",\"epoch\":1,"
                                 "\"renewal\":9,\"term_ms\":5,\"held\":false}";
    struct scratch s = {.fdatasync_fn = NULL};
    struct controller a = {.now_ms = 1};

    scratch_open(&s);
    start(&s, &a, "ctl-a", true);
    CU_ASSERT_EQUAL(call(&s, &a, rc_lease_acquire).code, RC_OK);
    CU_ASSERT_EQUAL(call(&s, &a, rc_lease_acquire).code, RC_OK);
    scratch_write(&s, "lease", behind, strlen(behind));
    struct answer r = call(&s, &a, rc_lease_acquire);
    CU_ASSERT_EQUAL(r.code, RC_E_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.err.text, "from epoch 2 to 1"));
    CU_ASSERT_EQUAL(unlink(scratch_path(&s, "lease")), 0);
    r = call(&s, &a, rc_lease_acquire);
    CU_ASSERT_EQUAL(r.code, RC_E_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.err.text, "epoch was 2"));
    rc_lease_free(a.lease);
    scratch_close(&s);
}

/* A record as somebody typed it. */
static void
write_numbers(struct scratch *s, uint64_t epoch, uint64_t renewal)
{
    char text[200];
    int len = snprintf(text, sizeof text,
                       "{\"version\":1,\"cluster\":\"test\",\"owner\":\"x\",\"epoch\":%llu,"
                       "\"renewal\":%llu,\"term_ms\":5,\"held\":false}",
                       (unsigned long long)epoch, (unsigned long long)renewal);

    scratch_write(s, "lease", text, (size_t)len);
}

static void
after_the_last_renewal_that_can_be_read_comes_the_first(void)
{
    static const uint64_t renewals[] = {999999999999999, 1, 2};
    lease_call *const calls[] = {rc_lease_acquire, rc_lease_renew, rc_lease_renew};
    struct scratch s = {.fdatasync_fn = NULL};
    struct controller a = {.now_ms = 1}, b = {.now_ms = 1};

    scratch_open(&s);
    write_numbers(&s, 7, 999999999999998);
    start(&s, &a, "ctl-a", true);
    start(&s, &b, "ctl-b", true);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        CU_ASSERT_EQUAL(call(&s, &a, calls[i]).code, RC_OK);
        struct answer r = call(&s, &b, rc_lease_observe);
        CU_ASSERT_EQUAL(r.code, RC_OK);
        CU_ASSERT_EQUAL(r.info.renewal, renewals[i]);
        CU_ASSERT_EQUAL(r.info.epoch, 8);
    }
    rc_lease_free(a.lease);
    rc_lease_free(b.lease);
    scratch_close(&s);
}

/* Its successor could be read by nobody, and an epoch never begins anew. */
static void
the_last_epoch_is_kept_by_its_leader_and_taken_by_nobody(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct controller a = {.now_ms = 1}, b = {.now_ms = 1};

    scratch_open(&s);
    write_numbers(&s, 999999999, 1);
    start(&s, &a, "ctl-a", true);
    start(&s, &b, "ctl-b", true);
    CU_ASSERT_EQUAL(call(&s, &a, rc_lease_acquire).code, RC_OK);
    CU_ASSERT_EQUAL(call(&s, &a, rc_lease_renew).code, RC_OK);
    CU_ASSERT_EQUAL(call(&s, &a, rc_lease_yield).code, RC_OK);
    struct answer r = call(&s, &b, rc_lease_acquire);
    CU_ASSERT_EQUAL(r.code, RC_E_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.err.text, "epoch 1000000000 is the last"));
    CU_ASSERT_EQUAL(call(&s, &b, rc_lease_observe).info.epoch, 1000000000);
    rc_lease_free(a.lease);
    rc_lease_free(b.lease);
    scratch_close(&s);
}

/* A term in which others led twenty times is possible, ten thousand times is not. */
static void
an_epoch_that_jumps_under_our_eyes_stops_us_and_time_explains_it(void)
{
    static const struct {
        uint64_t epoch;
        int64_t later_ms;
        enum rc_err code;
    } cases[] = {{21, 0, RC_OK},
                 {1000000, 0, RC_E_INVALID},
                 {10000, 60 * 1000, RC_E_INVALID},
                 {10000, 5000 * 1000, RC_OK},
                 {2000000000, INT64_C(1) << 50, RC_E_PARSE}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scratch s = {.fdatasync_fn = NULL};
        struct controller a = {.now_ms = 1};
        char text[200];
        int len = snprintf(text, sizeof text,
                           "{\"version\":1,\"cluster\":\"test\",\"owner\":\"x\",\"epoch\":%llu,"
                           "\"renewal\":9,\"term_ms\":5,\"held\":false}",
                           (unsigned long long)cases[i].epoch);

        scratch_open(&s);
        start(&s, &a, "ctl-a", true);
        CU_ASSERT_EQUAL(call(&s, &a, rc_lease_acquire).code, RC_OK);
        a.now_ms += cases[i].later_ms;
        scratch_write(&s, "lease", text, (size_t)len);
        struct answer r = call(&s, &a, rc_lease_acquire);
        CU_ASSERT_EQUAL(r.code, cases[i].code);
        if (r.code == RC_E_INVALID) {
            CU_ASSERT_PTR_NOT_NULL(strstr(r.err.text, "from epoch 1 to"));
            CU_ASSERT_PTR_NOT_NULL(strstr(r.err.text, "at once"));
        }
        rc_lease_free(a.lease);
        scratch_close(&s);
    }
}

static void
a_lock_that_another_process_keeps_is_a_time_out(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct controller a = {.now_ms = 1};

    scratch_open(&s);
    start(&s, &a, "ctl-a", false);
    int fd = open(scratch_path(&s, "lease.lock"), O_RDWR | O_CREAT, 0600);
    CU_ASSERT_EQUAL(flock(fd, LOCK_EX), 0);
    CU_ASSERT_EQUAL(call(&s, &a, rc_lease_acquire).code, RC_E_TIMEOUT);
    close(fd);
    CU_ASSERT_EQUAL(call(&s, &a, rc_lease_acquire).code, RC_OK);
    rc_lease_free(a.lease);
    scratch_close(&s);
}

static void
freeing_cancels_the_call_under_way(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct controller a = {.now_ms = 1};
    struct answer r = {.done = false};

    scratch_open(&s);
    start(&s, &a, "ctl-a", false);
    CU_ASSERT_EQUAL(rc_lease_acquire(a.lease, on_answer, &r), RC_OK);
    rc_lease_free(a.lease);
    CU_ASSERT_TRUE(r.done);
    CU_ASSERT_EQUAL(r.code, RC_E_CANCELLED);
    CU_ASSERT_NOT_EQUAL(access(scratch_path(&s, "lease"), F_OK), 0);
    scratch_close(&s);
}

static void
wrong_options_are_refused(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_lease *l;
    struct rc_error err;

    scratch_open(&s);
    struct rc_lease_file_options o = {
        .base = s.base, .path = "/no/such/dir/lease", .cluster = "c", .owner = "o", .term_ms = 1};
    CU_ASSERT_EQUAL(rc_lease_file_new(&o, &l, &err), RC_E_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/no/such/dir"));
    o.path = scratch_path(&s, "lease");
    o.owner = "";
    CU_ASSERT_EQUAL(rc_lease_file_new(&o, &l, &err), RC_E_INVALID);
    o.owner = "o";
    o.term_ms = 0;
    CU_ASSERT_EQUAL(rc_lease_file_new(&o, &l, &err), RC_E_INVALID);
    scratch_close(&s);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"the first gets it, and the second waits for term and grace by its own clock",
         the_first_gets_it_and_the_second_waits_for_term_and_grace},
        {"a holder that overslept its term cannot renew",
         a_holder_that_overslept_its_term_cannot_renew},
        {"what is observed is ours only as we wrote it",
         what_is_observed_is_ours_only_as_we_wrote_it},
        {"a yielded lease is free at once", a_yielded_lease_is_free_at_once},
        {"a restarted daemon with a unique name takes its own lease back",
         a_restarted_daemon_with_a_unique_name_takes_its_own_lease_back},
        {"nobody acts on a record that is wrong", nobody_acts_on_a_record_that_is_wrong},
        {"an epoch that goes back, or a record that vanishes, stops everybody",
         an_epoch_that_goes_back_or_a_record_that_vanishes_stops_everybody},
        {"after the last renewal that can be read comes the first",
         after_the_last_renewal_that_can_be_read_comes_the_first},
        {"the last epoch is kept by its leader and taken by nobody",
         the_last_epoch_is_kept_by_its_leader_and_taken_by_nobody},
        {"an epoch that jumps under our eyes stops us, and time explains it",
         an_epoch_that_jumps_under_our_eyes_stops_us_and_time_explains_it},
        {"a lock that another process keeps is a time-out",
         a_lock_that_another_process_keeps_is_a_time_out},
        {"freeing cancels the call under way", freeing_cancels_the_call_under_way},
        {"wrong options are refused", wrong_options_are_refused},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("lease_file", tests);
}
