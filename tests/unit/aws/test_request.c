/* One signed request through every kind of trouble. */
#define _GNU_SOURCE
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/harness/harness.h"
#include "tests/unit/aws/loopback.h"

#include "reconciler/io/aws/aws_time.h"
#include "reconciler/io/aws/request.h"

static struct aws_fixture f;
static struct rc_aws_reply last;
static char last_body[256];
static unsigned log_lines;
static int64_t last_retry_in_ms;

static void
on_reply(const struct rc_aws_reply *reply, void *arg)
{
    int *done = arg;

    last = *reply;
    snprintf(last_body, sizeof last_body, "%s", reply->body);
    last.body = last_body;
    (*done)++;
}

static void
on_log(const struct rc_aws_attempt *attempt, void *arg)
{
    (void)arg;
    log_lines++;
    last_retry_in_ms = attempt->retry_in_ms;
}

static void
begin(const struct rc_aws_retry_options *retry)
{
    struct rc_aws_options options = {.log = on_log};

    if (retry) {
        options.retry = *retry;
    }
    memset(&last, 0, sizeof last);
    log_lines = 0;
    fixture_start(&f, &options);
}

static enum rc_err
run(enum rc_aws_op op, int64_t deadline_ms)
{
    struct rc_aws_request request = {
        .op = op, .body = "{}", .body_len = 2, .deadline_ms = deadline_ms};

    f.done = 0;
    CU_ASSERT_EQUAL(rc_aws_start(f.aws, &request, on_reply, &f.done, NULL), RC_OK);
    CU_ASSERT_EQUAL(f.done, 0); /* never from inside the start */
    CU_ASSERT_TRUE(fixture_run(&f, 1));
    return last.error.code;
}

static void
date_header(char *ret, size_t room, int64_t off_s)
{
    time_t t = time(NULL) + (time_t)off_s;
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(ret, room, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
}

static void
a_request_is_signed_and_its_answer_given(void)
{
    begin(NULL);
    loopback_push(&f.server, 200, "x-amzn-RequestId: id-1\r\n", "{\"a\":1}");
    CU_ASSERT_EQUAL(run(RC_AWS_RECEIVE, 0), RC_OK);
    CU_ASSERT_STRING_EQUAL(last_body, "{\"a\":1}");
    CU_ASSERT_STRING_EQUAL(loopback_header(&f.server, 0, "X-Amz-Target"),
                           "AmazonSQS.ReceiveMessage");
    CU_ASSERT_STRING_EQUAL(loopback_header(&f.server, 0, "Content-Type"),
                           "application/x-amz-json-1.0");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(loopback_header(&f.server, 0, "Authorization"), "/us-east-1/sqs/aws4_request"));
    CU_ASSERT_STRING_EQUAL(loopback_body(&f.server, 0), "{}");
    CU_ASSERT_EQUAL(rc_aws_counters(f.aws, RC_AWS_RECEIVE)->calls, 1);
    CU_ASSERT_EQUAL(rc_aws_counters(f.aws, RC_AWS_RECEIVE)->in_flight, 0);
    CU_ASSERT_EQUAL(log_lines, 1);
    CU_ASSERT_EQUAL(last_retry_in_ms, -1);
    fixture_stop(&f);
}

static void
a_server_fault_is_tried_again_and_a_third_time(void)
{
    begin(NULL);
    loopback_push(&f.server, 503, "", "");
    loopback_raw(&f.server, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", LOOPBACK_CLOSE);
    loopback_push(&f.server, 200, "", "{}");
    CU_ASSERT_EQUAL(run(RC_AWS_DELETE_BATCH, 0), RC_OK);
    CU_ASSERT_EQUAL(last.attempts, 3);
    CU_ASSERT_EQUAL(log_lines, 3);
    CU_ASSERT_EQUAL(rc_aws_counters(f.aws, RC_AWS_DELETE_BATCH)->retries, 2);
    fixture_stop(&f);
}

static void
attempts_are_bounded(void)
{
    begin(NULL);
    for (int i = 0; i < 5; i++) {
        loopback_push(&f.server, 503, "", "");
    }
    CU_ASSERT_EQUAL(run(RC_AWS_DESCRIBE, 0), RC_E_SERVER);
    CU_ASSERT_EQUAL(f.server.request_count, 3);
    CU_ASSERT_EQUAL(rc_aws_counters(f.aws, RC_AWS_DESCRIBE)->failed, 1);
    fixture_stop(&f);
}

static void
an_html_500_and_a_capacity_error_are_not_tried_again(void)
{
    begin(NULL);
    loopback_push(&f.server, 500, "Content-Type: text/html\r\n", "<!doctype html><h1>500</h1>");
    loopback_push(&f.server, 500, "",
                  "<Response><Errors><Error><Code>InsufficientInstanceCapacity</Code>"
                  "<Message>none</Message></Error></Errors></Response>");
    CU_ASSERT_EQUAL(run(RC_AWS_RUN, 0), RC_E_PARSE);
    CU_ASSERT_EQUAL(run(RC_AWS_RUN, 0), RC_E_CAPACITY);
    CU_ASSERT_STRING_EQUAL(last.error.service_code, "InsufficientInstanceCapacity");
    CU_ASSERT_EQUAL(f.server.request_count, 2);
    fixture_stop(&f);
}

static void
retry_after_is_the_least_pause(void)
{
    begin(NULL);
    loopback_push(&f.server, 403, "Retry-After: 1\r\n", "{\"__type\":\"a#RequestThrottled\"}");
    loopback_push(&f.server, 200, "", "{}");
    int64_t from_ms = rc_aws_mono_ms();
    CU_ASSERT_EQUAL(run(RC_AWS_RECEIVE, 0), RC_OK);
    CU_ASSERT_TRUE(rc_aws_mono_ms() - from_ms >= 990);
    CU_ASSERT_EQUAL(rc_aws_counters(f.aws, RC_AWS_RECEIVE)->throttled, 1);
    fixture_stop(&f);
}

static void
a_retry_after_beyond_the_deadline_ends_the_call_and_is_handed_on(void)
{
    begin(NULL);
    loopback_push(&f.server, 503, "Retry-After: 90\r\n",
                  "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors>"
                  "</Response>");
    CU_ASSERT_EQUAL(run(RC_AWS_DESCRIBE, 5000), RC_E_THROTTLED);
    CU_ASSERT_EQUAL(last.retry_after_ms, 90000);
    CU_ASSERT_EQUAL(f.server.request_count, 1);
    fixture_stop(&f);
}

static void
a_reboot_that_may_have_happened_is_not_repeated(void)
{
    begin(NULL);
    loopback_push(&f.server, 200, "", "<RebootInstancesResponse/>");
    CU_ASSERT_EQUAL(run(RC_AWS_REBOOT, 0), RC_OK);
    loopback_raw(&f.server, "", LOOPBACK_RESET); /* also not by curl, on a connection kept alive */
    CU_ASSERT_NOT_EQUAL(run(RC_AWS_REBOOT, 0), RC_OK);
    CU_ASSERT_EQUAL(f.server.request_count, 2);
    /* Throttled: it surely did not happen. */
    loopback_push(&f.server, 503, "",
                  "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors>"
                  "</Response>");
    loopback_push(&f.server, 200, "", "<RebootInstancesResponse/>");
    CU_ASSERT_EQUAL(run(RC_AWS_REBOOT, 0), RC_OK);
    CU_ASSERT_EQUAL(f.server.request_count, 4);
    fixture_stop(&f);
}

static void
a_wrong_clock_is_corrected_from_the_date_header_once(void)
{
    char date[128];

    begin(NULL);
    date_header(date, sizeof date, 3600);
    loopback_push(&f.server, 403, date, "{\"__type\":\"SignatureDoesNotMatch\"}");
    loopback_push(&f.server, 200, date, "{}");
    CU_ASSERT_EQUAL(run(RC_AWS_RECEIVE, 0), RC_OK);
    int64_t skew_ms = rc_aws_skew_ms(f.aws, RC_AWS_SQS);
    CU_ASSERT_TRUE(skew_ms > 3590000 && skew_ms < 3610000);
    CU_ASSERT_EQUAL(rc_aws_skew_ms(f.aws, RC_AWS_EC2), 0);
    char first[32];
    snprintf(first, sizeof first, "%s", loopback_header(&f.server, 0, "X-Amz-Date"));
    CU_ASSERT_STRING_NOT_EQUAL(first, loopback_header(&f.server, 1, "X-Amz-Date"));
    fixture_stop(&f);
}

static void
refused_credentials_are_fetched_again_once_and_not_sent_twice(void)
{
    begin(NULL);
    loopback_push(&f.server, 400, "", "{\"__type\":\"ExpiredTokenException\",\"message\":\"old\"}");
    CU_ASSERT_EQUAL(run(RC_AWS_RECEIVE, 0), RC_E_CREDENTIALS);
    CU_ASSERT_EQUAL(f.server.request_count, 1); /* the environment has no others */
    CU_ASSERT_STRING_EQUAL(last.error.service_code, "ExpiredTokenException");
    CU_ASSERT_EQUAL(rc_credentials_lookups(rc_aws_credentials(f.aws)), 2);
    /* Now it has. */
    loopback_push(&f.server, 400, "", "{\"__type\":\"ExpiredTokenException\",\"message\":\"old\"}");
    loopback_push(&f.server, 200, "", "{}");
    setenv("AWS_ACCESS_KEY_ID", "AKID2", 1);
    setenv("AWS_SESSION_TOKEN", "tok", 1);
    CU_ASSERT_EQUAL(run(RC_AWS_RECEIVE, 0), RC_OK);
    CU_ASSERT_EQUAL(f.server.request_count, 3);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(loopback_header(&f.server, 2, "Authorization"), "Credential=AKID2/"));
    CU_ASSERT_STRING_EQUAL(loopback_header(&f.server, 2, "X-Amz-Security-Token"), "tok");
    fixture_stop(&f);
}

static void
without_credentials_nothing_is_sent_and_the_reason_is_told(void)
{
    begin(NULL);
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    CU_ASSERT_EQUAL(run(RC_AWS_RECEIVE, 0), RC_E_CREDENTIALS);
    CU_ASSERT_PTR_NOT_NULL(strstr(last.error.text, "AWS_EC2_METADATA_DISABLED"));
    CU_ASSERT_EQUAL(f.server.request_count, 0);
    CU_ASSERT_EQUAL(last.attempts, 0);
    fixture_stop(&f);
}

static void
an_unreachable_service_ends_at_its_bounds(void)
{
    begin(NULL);
    loopback_stop(&f.server);
    CU_ASSERT_EQUAL(run(RC_AWS_RECEIVE, 0), RC_E_UNREACHABLE);
    CU_ASSERT_EQUAL(last.attempts, 3);
    rc_aws_free(f.aws);
    event_base_free(f.base);
}

static void
the_overall_deadline_cuts_an_attempt(void)
{
    begin(NULL);
    loopback_raw(&f.server, "", LOOPBACK_MUTE);
    loopback_raw(&f.server, "", LOOPBACK_MUTE);
    int64_t from_ms = rc_aws_mono_ms();
    CU_ASSERT_EQUAL(run(RC_AWS_RECEIVE, 300), RC_E_TIMEOUT);
    CU_ASSERT_TRUE(rc_aws_mono_ms() - from_ms < 2000);
    fixture_stop(&f);
}

static void
an_empty_bucket_stops_retries_for_all_calls(void)
{
    struct rc_aws_retry_options retry = {.tokens = 5};

    begin(&retry);
    for (int i = 0; i < 6; i++) {
        loopback_push(&f.server, 503, "", "");
    }
    CU_ASSERT_EQUAL(run(RC_AWS_RECEIVE, 0), RC_E_SERVER);
    CU_ASSERT_EQUAL(last.attempts, 2);
    CU_ASSERT_EQUAL(rc_aws_retry_tokens(f.aws), 0);
    CU_ASSERT_EQUAL(run(RC_AWS_RECEIVE, 0), RC_E_SERVER);
    CU_ASSERT_EQUAL(last.attempts, 1);
    fixture_stop(&f);
}

static void
a_cancelled_call_calls_nobody_in_any_state(void)
{
    struct rc_aws_request request = {.op = RC_AWS_RECEIVE, .body = "{}", .body_len = 2};
    struct rc_aws_call *sent, *fresh, *paused, *left;

    begin(NULL);
    f.done = 0;
    loopback_raw(&f.server, "", LOOPBACK_MUTE);
    CU_ASSERT_EQUAL(rc_aws_start(f.aws, &request, on_reply, &f.done, &sent), RC_OK);
    while (f.server.request_count < 1) {
        event_base_loop(f.base, EVLOOP_ONCE);
    }
    rc_aws_cancel(sent);
    CU_ASSERT_EQUAL(rc_aws_start(f.aws, &request, on_reply, &f.done, &fresh), RC_OK);
    rc_aws_cancel(fresh);
    loopback_push(&f.server, 503, "Retry-After: 30\r\n", "");
    CU_ASSERT_EQUAL(rc_aws_start(f.aws, &request, on_reply, &f.done, &paused), RC_OK);
    while (rc_aws_counters(f.aws, RC_AWS_RECEIVE)->retries < 1) {
        event_base_loop(f.base, EVLOOP_ONCE);
    }
    rc_aws_cancel(paused);
    CU_ASSERT_EQUAL(rc_aws_counters(f.aws, RC_AWS_RECEIVE)->in_flight, 0);
    CU_ASSERT_EQUAL(rc_aws_start(f.aws, &request, on_reply, &f.done, &left), RC_OK);
    fixture_stop(&f); /* frees what is left */
    CU_ASSERT_EQUAL(f.done, 0);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a request is signed and its answer given", a_request_is_signed_and_its_answer_given},
        {"a server fault is tried again, and a third time",
         a_server_fault_is_tried_again_and_a_third_time},
        {"attempts are bounded", attempts_are_bounded},
        {"an HTML 500 and a capacity error are not tried again",
         an_html_500_and_a_capacity_error_are_not_tried_again},
        {"Retry-After is the least pause", retry_after_is_the_least_pause},
        {"a Retry-After beyond the deadline ends the call and is handed on",
         a_retry_after_beyond_the_deadline_ends_the_call_and_is_handed_on},
        {"a reboot that may have happened is not repeated",
         a_reboot_that_may_have_happened_is_not_repeated},
        {"a wrong clock is corrected from the Date header, once",
         a_wrong_clock_is_corrected_from_the_date_header_once},
        {"refused credentials are fetched again once and not sent twice",
         refused_credentials_are_fetched_again_once_and_not_sent_twice},
        {"without credentials nothing is sent and the reason is told",
         without_credentials_nothing_is_sent_and_the_reason_is_told},
        {"an unreachable service ends at its bounds", an_unreachable_service_ends_at_its_bounds},
        {"the overall deadline cuts an attempt", the_overall_deadline_cuts_an_attempt},
        {"an empty bucket stops retries for all calls",
         an_empty_bucket_stops_retries_for_all_calls},
        {"a cancelled call calls nobody, in any state", a_cancelled_call_calls_nobody_in_any_state},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("request", tests);
}
