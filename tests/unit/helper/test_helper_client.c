/* test_helper_client.c - the client against a helper that behaves, and one that
 * misbehaves in every way. */
#define _GNU_SOURCE
#include "reconciler/io/helper/helper_client.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/harness/harness.h"

enum { ENDS_MAX = 64 };

struct seen {
    struct event_base *base;
    struct rc_helper *helper;
    uint32_t rows, ends, ups, downs, logs;
    uint32_t wanted_ends;
    enum rc_err end[ENDS_MAX];
    char text[512];
    char code[64];
    char log[600];
    char down[320];
    uint32_t retry_ms;
    bool in_send;
};

static void
on_row(void *arg, const struct rc_line *row)
{
    struct seen *s = arg;
    uint64_t i = 0;

    CU_ASSERT(rc_line_u64(row, "i", &i) && i == s->rows);
    s->rows++;
}

static void
on_end(void *arg, const struct rc_line *ok, const struct rc_error *e)
{
    struct seen *s = arg;

    CU_ASSERT_FALSE(s->in_send);
    CU_ASSERT((ok != NULL) != (e != NULL));
    CU_ASSERT_FATAL(s->ends < ENDS_MAX);
    s->end[s->ends++] = e ? e->code : RC_OK;
    (void)snprintf(s->text, sizeof s->text, "%s", e ? e->text : rc_line_text(ok, "text", ""));
    (void)snprintf(s->code, sizeof s->code, "%s", e ? e->service_code : "");
    if (s->ends == s->wanted_ends) {
        (void)event_base_loopbreak(s->base);
    }
}

static void
on_state(void *arg, const struct rc_line *hello, const struct rc_error *e, uint32_t retry_ms)
{
    struct seen *s = arg;

    if (hello) {
        s->ups++;
        CU_ASSERT_STRING_EQUAL(rc_line_text(hello, "role", ""), "fake");
    } else {
        s->downs++;
        s->retry_ms = retry_ms;
        (void)snprintf(s->down, sizeof s->down, "%s", e->text);
    }
    if (s->wanted_ends == 0) {
        (void)event_base_loopbreak(s->base);
    }
}

static void
on_log(void *arg, const char *text)
{
    struct seen *s = arg;

    s->logs++;
    (void)snprintf(s->log, sizeof s->log, "%s", text);
}

static void
open_helper_until(struct seen *s, const char *hello, int64_t (*until_ms)(void *))
{
    const char *argv[] = {FAKE_HELPER, hello, NULL};
    struct rc_helper_config config = {
        .name = "fake",
        .argv = argv,
        .role = "fake",
        .hello_timeout_ms = 1500,
        .backoff_min_ms = 20,
        .backoff_max_ms = 60,
        .until_ms = until_ms,
        .on_state = on_state,
        .on_log = on_log,
        .arg = s,
    };

    memset(s, 0, sizeof *s);
    s->base = event_base_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(s->base);
    config.base = s->base;
    s->helper = rc_helper_new(&config, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s->helper);
}

static void
open_helper(struct seen *s, const char *hello)
{
    open_helper_until(s, hello, NULL);
}

static void
close_helper(struct seen *s)
{
    rc_helper_free(s->helper);
    event_base_free(s->base);
}

/* Runs the loop until it is broken or 5 s are over. */
static void
run(struct seen *s)
{
    struct timeval limit = {.tv_sec = 5};

    (void)event_base_loopexit(s->base, &limit);
    (void)event_base_dispatch(s->base);
}

static void
run_until_ends(struct seen *s, uint32_t ends)
{
    s->wanted_ends = ends;
    if (s->ends < ends) {
        run(s);
    }
    CU_ASSERT_EQUAL(s->ends, ends);
    s->wanted_ends = 0;
}

static void
run_until_up(struct seen *s)
{
    for (int i = 0; i < 20 && !rc_helper_is_up(s->helper); i++) {
        run(s);
    }
    CU_ASSERT_TRUE(rc_helper_is_up(s->helper));
}

static void
ask(struct seen *s, const char *verb, const char *key, const char *value, uint32_t timeout_ms)
{
    struct rc_helper_call call = {on_row, on_end, s, timeout_ms};
    struct rc_line_out *out = rc_helper_begin(s->helper, verb);

    if (key) {
        rc_line_put(out, key, value);
    }
    s->in_send = true;
    CU_ASSERT_EQUAL(rc_helper_send(s->helper, &call, NULL), RC_OK);
    s->in_send = false;
}

static int64_t
until_past(void *arg)
{
    (void)arg;
    return 1;
}

static int64_t
until_far(void *arg)
{
    (void)arg;
    return INT64_MAX / 2;
}

static void
a_request_whose_time_is_over_is_not_begun(void)
{
    int64_t (*const hooks[])(void *) = {until_past, until_far};

    for (size_t i = 0; i < 2; i++) {
        struct seen s;
        open_helper_until(&s, "hello=good", hooks[i]);
        run_until_up(&s);
        ask(&s, "echo", "text", "x", 3000);
        run_until_ends(&s, 1);
        CU_ASSERT_EQUAL(s.end[0], i ? RC_OK : RC_E_NO_LEASE);
        close_helper(&s);
    }
}

static void
requests_are_answered_in_order(void)
{
    struct seen s;

    open_helper(&s, "hello=good");
    run_until_up(&s);
    ask(&s, "rows", "n", "5000", 3000);
    ask(&s, "echo", "text", "a b\n%", 3000);
    run_until_ends(&s, 2);
    CU_ASSERT_EQUAL(s.rows, 5000);
    CU_ASSERT_EQUAL(s.end[0], RC_OK);
    CU_ASSERT_STRING_EQUAL(s.text, "a b\n%");
    close_helper(&s);
}

static void
requests_before_hello_wait_for_it(void)
{
    struct seen s;

    open_helper(&s, "hello=good");
    s.wanted_ends = 99; /* one turn only: it is spawned then, hello cannot be there */
    (void)event_base_loop(s.base, EVLOOP_ONCE);
    ask(&s, "echo", "text", "early", 3000);
    run_until_ends(&s, 1);
    CU_ASSERT_EQUAL(s.end[0], RC_OK);
    CU_ASSERT_STRING_EQUAL(s.text, "early");
    close_helper(&s);
}

static void
errors_carry_code_errno_and_text(void)
{
    struct seen s;

    open_helper(&s, "hello=good");
    run_until_up(&s);
    ask(&s, "fail", NULL, NULL, 3000);
    run_until_ends(&s, 1);
    CU_ASSERT_EQUAL(s.end[0], RC_E_SLURM_DOWN);
    CU_ASSERT_STRING_EQUAL(s.code, "1800");
    CU_ASSERT_STRING_EQUAL(s.text, "slurmctld is not there");
    ask(&s, "dance", NULL, NULL, 3000);
    run_until_ends(&s, 2);
    CU_ASSERT_EQUAL(s.end[1], RC_E_INVALID);
    ask(&s, "huge", NULL, NULL, 3000);
    run_until_ends(&s, 3);
    CU_ASSERT_EQUAL(s.end[2], RC_E_TOO_LARGE);
    CU_ASSERT_EQUAL(s.downs, 0);
    close_helper(&s);
}

static void
a_hung_helper_is_killed_and_started_again(void)
{
    struct seen s;
    pid_t pid;

    open_helper(&s, "hello=good");
    run_until_up(&s);
    pid = rc_helper_pid(s.helper);
    ask(&s, "sleep", "ms", "30000", 100);
    ask(&s, "echo", NULL, NULL, 100);
    run_until_ends(&s, 2);
    CU_ASSERT_EQUAL(s.end[0], RC_E_TIMEOUT);
    CU_ASSERT_EQUAL(s.end[1], RC_E_HELPER);
    CU_ASSERT_EQUAL(kill(pid, 0), -1);
    ask(&s, "echo", NULL, NULL, 100);
    run_until_ends(&s, 3);
    CU_ASSERT_EQUAL(s.end[2], RC_E_HELPER);
    run_until_up(&s);
    ask(&s, "echo", "text", "again", 1000);
    run_until_ends(&s, 4);
    CU_ASSERT_EQUAL(s.end[3], RC_OK);
    CU_ASSERT_EQUAL(rc_helper_starts(s.helper), 2);
    close_helper(&s);
}

static void
a_helper_that_waits_for_what_is_gone_is_given_up(void)
{
    struct seen s;

    open_helper(&s, "hello=good");
    run_until_up(&s);
    rc_helper_give_up(s.helper, 0); /* nothing is asked: nothing to give up */
    ask(&s, "sleep", "ms", "30000", 20000);
    rc_helper_give_up(s.helper, 10000); /* too young */
    ask(&s, "echo", NULL, NULL, 20000);
    CU_ASSERT_EQUAL(s.ends, 0);
    rc_helper_give_up(s.helper, 0);
    run_until_ends(&s, 2);
    CU_ASSERT_EQUAL(s.end[0], RC_E_HELPER);
    CU_ASSERT_EQUAL(s.end[1], RC_E_HELPER);
    run_until_up(&s);
    ask(&s, "echo", "text", "again", 1000);
    run_until_ends(&s, 3);
    CU_ASSERT_EQUAL(s.end[2], RC_OK);
    close_helper(&s);
}

static void
a_slow_first_request_does_not_time_out_the_next(void)
{
    struct seen s;

    open_helper(&s, "hello=good");
    run_until_up(&s);
    ask(&s, "sleep", "ms", "300", 2000);
    ask(&s, "echo", NULL, NULL, 200);
    run_until_ends(&s, 2);
    CU_ASSERT_EQUAL(s.end[0], RC_OK);
    CU_ASSERT_EQUAL(s.end[1], RC_OK);
    close_helper(&s);
}

static void
death_is_reported_with_its_cause(void)
{
    struct seen s;

    open_helper(&s, "hello=good");
    run_until_up(&s);
    ask(&s, "die", NULL, NULL, 2000);
    ask(&s, "echo", NULL, NULL, 2000);
    run_until_ends(&s, 2);
    CU_ASSERT_EQUAL(s.end[0], RC_E_HELPER);
    CU_ASSERT_EQUAL(s.end[1], RC_E_HELPER);
    CU_ASSERT_PTR_NOT_NULL(strstr(s.down, "exited with 7"));
    CU_ASSERT_EQUAL(s.retry_ms, 20);
    run_until_up(&s);
    ask(&s, "die", "signal", "9", 2000);
    run_until_ends(&s, 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(s.down, "killed by signal 9"));
    CU_ASSERT_EQUAL(s.retry_ms, 40);
    close_helper(&s);
}

static void
a_bad_hello_is_refused(const char *hello, const char *words)
{
    struct seen s;

    open_helper(&s, hello);
    s.wanted_ends = 0;
    run(&s);
    CU_ASSERT_FALSE(rc_helper_is_up(s.helper));
    CU_ASSERT_EQUAL(s.ups, 0);
    CU_ASSERT(s.downs >= 1);
    if (!strstr(s.down, words)) {
        printf("# %s: %s\n", hello, s.down);
        CU_FAIL("another reason was expected");
    }
    close_helper(&s);
}

static void
bad_hellos_are_refused(void)
{
    a_bad_hello_is_refused("hello=old", "protocol 0");
    a_bad_hello_is_refused("hello=role", "role 'other'");
    a_bad_hello_is_refused("hello=garbage", "unreadable");
    a_bad_hello_is_refused("hello=early", "before its hello");
    a_bad_hello_is_refused("hello=none", "no hello in time");
    a_bad_hello_is_refused("hello=exit", "exited with 1");
}

static void
nonsense_ends_the_helper_not_the_daemon(void)
{
    static const char *const raw[] = {
        "\n",
        "\x01\x02\n",
        "99 ok\n",
        "hello 1 role=fake\n",
        "1 ok a=1 a=2\n",
        "18446744073709551615 row\n",
        "1\n",
    };
    struct seen s;

    for (size_t i = 0; i < sizeof raw / sizeof *raw; i++) {
        open_helper(&s, "hello=good");
        run_until_up(&s);
        ask(&s, "raw", "text", raw[i], 2000);
        run_until_ends(&s, 1);
        CU_ASSERT_EQUAL(s.end[0], RC_E_HELPER);
        CU_ASSERT_EQUAL(s.downs, 1);
        close_helper(&s);
    }
}

static void
an_endless_line_ends_the_helper(void)
{
    struct seen s;

    open_helper(&s, "hello=good");
    run_until_up(&s);
    ask(&s, "flood", NULL, NULL, 3000);
    run_until_ends(&s, 1);
    CU_ASSERT_EQUAL(s.end[0], RC_E_HELPER);
    CU_ASSERT_PTR_NOT_NULL(strstr(s.down, "over the limit"));
    close_helper(&s);
}

static void
stderr_goes_to_the_log(void)
{
    struct seen s;

    open_helper(&s, "hello=good");
    run_until_up(&s);
    ask(&s, "stderr", "text", "slurm: error\x01 x", 2000);
    ask(&s, "sleep", "ms", "50", 2000);
    run_until_ends(&s, 2);
    CU_ASSERT_STRING_EQUAL(s.log, "slurm: error? x");
    close_helper(&s);
}

static void
last_words_are_in_the_report(void)
{
    struct seen s;

    open_helper(&s, "hello=good");
    run_until_up(&s);
    ask(&s, "stderr", "text", "slurm.conf: No such file", 2000);
    ask(&s, "die", NULL, NULL, 2000);
    run_until_ends(&s, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(s.down, "exited with 7; it said: slurm.conf: No such file"));
    close_helper(&s);
}

static void
a_request_that_is_too_large_is_not_taken(void)
{
    static char text[RC_LINE_MAX];
    struct rc_helper_call call = {NULL, on_end, NULL, 1000};
    struct seen s;

    open_helper(&s, "hello=good");
    memset(text, 'x', sizeof text - 1);
    rc_line_put(rc_helper_begin(s.helper, "echo"), "text", text);
    call.arg = &s;
    CU_ASSERT_EQUAL(rc_helper_send(s.helper, &call, NULL), RC_E_TOO_LARGE);
    CU_ASSERT_EQUAL(rc_helper_pending(s.helper), 0);
    close_helper(&s);
}

static void
a_missing_program_is_told_and_tried_again(void)
{
    const char *argv[] = {"/nonexistent/helper", NULL};
    struct seen s = {0};
    struct rc_helper_config config = {
        .name = "fake", .argv = argv, .backoff_min_ms = 5, .on_state = on_state, .arg = &s};

    s.base = config.base = event_base_new();
    s.helper = rc_helper_new(&config, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s.helper);
    run(&s);
    run(&s);
    CU_ASSERT_EQUAL(s.downs, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(s.down, "/nonexistent/helper"));
    close_helper(&s);
}

static void
free_drops_what_is_pending(void)
{
    struct seen s;
    pid_t pid;

    open_helper(&s, "hello=good");
    run_until_up(&s);
    pid = rc_helper_pid(s.helper);
    ask(&s, "sleep", "ms", "30000", 60000);
    close_helper(&s);
    CU_ASSERT_EQUAL(s.ends, 0);
    CU_ASSERT_EQUAL(kill(pid, 0), -1);
    rc_helper_free(NULL);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a request whose time is over is not begun", a_request_whose_time_is_over_is_not_begun},
        {"requests are answered in order", requests_are_answered_in_order},
        {"requests made before hello wait for it", requests_before_hello_wait_for_it},
        {"errors carry code, errno and text", errors_carry_code_errno_and_text},
        {"a hung helper is killed and started again", a_hung_helper_is_killed_and_started_again},
        {"a helper that waits for what is gone is given up",
         a_helper_that_waits_for_what_is_gone_is_given_up},
        {"a slow first request does not time out the next",
         a_slow_first_request_does_not_time_out_the_next},
        {"death is reported with its cause", death_is_reported_with_its_cause},
        {"bad hellos are refused with a reason", bad_hellos_are_refused},
        {"nonsense ends the helper, not the daemon", nonsense_ends_the_helper_not_the_daemon},
        {"an endless line ends the helper", an_endless_line_ends_the_helper},
        {"stderr goes to the log", stderr_goes_to_the_log},
        {"last words are in the report", last_words_are_in_the_report},
        {"a request that is too large is not taken", a_request_that_is_too_large_is_not_taken},
        {"a missing program is told and tried again", a_missing_program_is_told_and_tried_again},
        {"free drops what is pending", free_drops_what_is_pending},
        CU_TEST_INFO_NULL,
    };

    return rc_test_main("helper_client", tests);
}
