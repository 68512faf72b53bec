/* What is observed in the table is ours only as this object wrote it last. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "tests/harness/harness.h"
#include "tests/unit/aws/loopback.h"

#include "reconciler/io/store/lease_dynamo.h"

enum { TERM_MS = 10000 };

static struct aws_fixture f;
static struct rc_lease *lease;
static int64_t now_ms;
static enum rc_err code;
static struct rc_lease_info info;

static int64_t
clock_of(void *arg)
{
    return *(int64_t *)arg;
}

static void
begin(void)
{
    const struct rc_aws_options options = {.retry = {.backoff_base_ms = 1, .seed = 1}};
    struct rc_error e;

    fixture_start(&f, &options);
    now_ms = 1000;
    const struct rc_lease_dynamo_options o = {.aws = f.aws,
                                              .table = "t",
                                              .cluster = "c",
                                              .owner = "ctl-a",
                                              .term_ms = TERM_MS,
                                              .grace_ms = 1000,
                                              .holder = "boot-a",
                                              .now_ms = clock_of,
                                              .now_arg = &now_ms};
    CU_ASSERT_EQUAL_FATAL(rc_lease_dynamo_new(&o, &lease, &e), RC_OK);
}

static void
end(void)
{
    rc_lease_free(lease);
    fixture_stop(&f);
}

static void
on_answer(void *arg, enum rc_err answer, const struct rc_lease_info *told,
          const struct rc_error *err)
{
    (void)err;
    ++*(int *)arg;
    code = answer;
    info = *told;
}

typedef enum rc_err(lease_call)(struct rc_lease *l, rc_lease_fn *cb, void *arg);

static void
call(lease_call *fn)
{
    int before = f.done;

    CU_ASSERT_EQUAL_FATAL(fn(lease, on_answer, &f.done), RC_OK);
    CU_ASSERT_TRUE_FATAL(fixture_run(&f, before + 1));
}

static void
push_item(const char *owner, const char *holder, int epoch, int renewal, bool held)
{
    char text[600];

    snprintf(text, sizeof text,
             "{\"Item\":{\"pk\":{\"S\":\"lease\"},\"version\":{\"N\":\"1\"},"
             "\"cluster\":{\"S\":\"c\"},\"owner\":{\"S\":\"%s\"},\"holder\":{\"S\":\"%s\"},"
             "\"epoch\":{\"N\":\"%d\"},\"renewal\":{\"N\":\"%d\"},\"term_ms\":{\"N\":\"%d\"},"
             "\"since_ms\":{\"N\":\"5\"},\"held\":{\"BOOL\":%s}}}",
             owner, holder, epoch, renewal, TERM_MS, held ? "true" : "false");
    loopback_push(&f.server, 200, "", text);
}

static void
acquire(void)
{
    loopback_push(&f.server, 200, "", "{}"); /* nothing there */
    loopback_push(&f.server, 200, "", "{}"); /* written */
    call(rc_lease_acquire);
    CU_ASSERT_EQUAL_FATAL(code, RC_OK);
    CU_ASSERT_TRUE(info.mine);
    CU_ASSERT_EQUAL(info.epoch, 1);
}

static void
our_own_record_is_ours_until_it_runs_out(void)
{
    begin();
    acquire();
    push_item("ctl-a", "boot-a", 1, 1, true);
    call(rc_lease_observe);
    CU_ASSERT_EQUAL(code, RC_OK);
    CU_ASSERT_TRUE(info.mine);
    now_ms += TERM_MS;
    push_item("ctl-a", "boot-a", 1, 1, true);
    call(rc_lease_observe);
    CU_ASSERT_FALSE(info.mine);
    end();
}

static void
the_record_of_somebody_else_is_not_ours(void)
{
    static const struct {
        const char *owner, *holder;
        int epoch, renewal;
        bool held;
    } cases[] = {{"ctl-b", "boot-b", 2, 1, true},  /* after a yield whose answer was lost */
                 {"ctl-a", "boot-a", 1, 2, false}, /* the yield itself */
                 {"ctl-a", "boot-c", 1, 1, true}}; /* another machine of our name */

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin();
        acquire();
        push_item(cases[i].owner, cases[i].holder, cases[i].epoch, cases[i].renewal, cases[i].held);
        call(rc_lease_observe);
        CU_ASSERT_EQUAL(code, RC_OK);
        CU_ASSERT_FALSE(info.mine);
        CU_ASSERT_EQUAL(info.until_ms, 0);
        CU_ASSERT_EQUAL(info.epoch, (uint64_t)cases[i].epoch);
        end();
    }
}

static void
the_last_epoch_is_taken_by_nobody(void)
{
    begin();
    push_item("ctl-b", "boot-b", 1000000000, 1, false);
    call(rc_lease_acquire);
    CU_ASSERT_EQUAL(code, RC_E_INVALID);
    CU_ASSERT_FALSE(info.mine);
    end();
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"our own record is ours until it runs out", our_own_record_is_ours_until_it_runs_out},
        {"the record of somebody else is not ours", the_record_of_somebody_else_is_not_ours},
        {"the last epoch is taken by nobody", the_last_epoch_is_taken_by_nobody},
        CU_TEST_INFO_NULL,
    };

    return rc_test_main("lease_dynamo", tests);
}
