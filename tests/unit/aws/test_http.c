/* Exchanges over a real socket: reuse, limits, cuts, time-outs, cancelling. */
#define _GNU_SOURCE
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"
#include "tests/unit/aws/loopback.h"

struct seen {
    int count;
    enum rc_err err;
    long status;
    int may_have_reached;
    char body[256];
    char date[64];
    char text[256];
};

static struct event_base *base;
static struct loopback server;
static struct rc_http *http;
static struct seen seen;
static char url[64];

static void
on_response(const struct rc_http_response *response, void *arg)
{
    struct seen *s = arg;

    s->count++;
    s->err = response->error.code;
    s->status = response->status;
    s->may_have_reached = response->may_have_reached;
    snprintf(s->body, sizeof s->body, "%s", response->body);
    snprintf(s->text, sizeof s->text, "%s", response->error.text);
    rc_http_header(response, "DATE", s->date, sizeof s->date);
}

static void
begin(void)
{
    clean_environment();
    memset(&seen, 0, sizeof seen);
    base = event_base_new();
    loopback_start(&server, base);
    http = rc_http_new(base, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(http);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/x", server.port);
}

static void
end(void)
{
    rc_http_free(http);
    loopback_stop(&server);
    event_base_free(base);
}

static struct rc_http_call *
get(size_t response_max, int64_t timeout_ms)
{
    const char *headers[] = {"X-Test: 1"};
    struct rc_http_request request = {.method = "GET",
                                      .url = url,
                                      .headers = headers,
                                      .header_count = 1,
                                      .response_max = response_max,
                                      .timeout_ms = timeout_ms};
    struct rc_http_call *call = NULL;
    int before = seen.count;

    CU_ASSERT_EQUAL(rc_http_start(http, &request, on_response, &seen, &call, NULL), RC_OK);
    CU_ASSERT_EQUAL(seen.count, before); /* never from inside the start */
    return call;
}

static void
one_connection_serves_many_requests(void)
{
    begin();
    for (int i = 1; i <= 5; i++) {
        seen.count = 0;
        loopback_push(&server, 200, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "hello");
        get(0, 0);
        CU_ASSERT_TRUE(loop_until(base, &seen.count, 1));
        CU_ASSERT_EQUAL(seen.err, RC_OK);
        CU_ASSERT_EQUAL(seen.status, 200);
        CU_ASSERT_STRING_EQUAL(seen.body, "hello");
        CU_ASSERT_STRING_EQUAL(seen.date, "Sun, 06 Nov 1994 08:49:37 GMT");
    }
    CU_ASSERT_EQUAL(server.connections, 1);
    CU_ASSERT_STRING_EQUAL(loopback_header(&server, 0, "X-Test"), "1");
    CU_ASSERT_STRING_EQUAL(loopback_target(&server, 4), "GET /x");
    end();
}

static void
a_body_is_sent_whole_without_waiting_for_100_continue(void)
{
    size_t len = 2U << 20;
    char *big = malloc(len + 1);
    struct rc_http_request request = {.method = "POST", .url = url, .body = big, .body_len = len};

    CU_ASSERT_PTR_NOT_NULL_FATAL(big);
    begin();
    memset(big, 'x', len);
    big[len] = '\0';
    loopback_push(&server, 200, "", "");
    CU_ASSERT_EQUAL(rc_http_start(http, &request, on_response, &seen, NULL, NULL), RC_OK);
    memset(big, 'y', len); /* it was copied */
    CU_ASSERT_TRUE_FATAL(loop_until(base, &seen.count, 1));
    CU_ASSERT_EQUAL_FATAL(strlen(loopback_body(&server, 0)), len);
    CU_ASSERT_EQUAL(loopback_body(&server, 0)[len - 1], 'x');
    CU_ASSERT_STRING_EQUAL(loopback_header(&server, 0, "Expect"), "");
    free(big);
    end();
}

static void
a_reply_over_the_limit_is_refused(void)
{
    begin();
    loopback_push(&server, 200, "", "0123456789");
    get(9, 0);
    CU_ASSERT_TRUE(loop_until(base, &seen.count, 1));
    CU_ASSERT_EQUAL(seen.err, RC_E_TOO_LARGE);
    end();
}

static void
a_reply_cut_short_is_told_apart_from_no_reply(void)
{
    begin();
    loopback_raw(&server, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", LOOPBACK_CLOSE);
    get(0, 0);
    CU_ASSERT_TRUE(loop_until(base, &seen.count, 1));
    CU_ASSERT_EQUAL(seen.err, RC_E_TRUNCATED);
    CU_ASSERT_TRUE(seen.may_have_reached);
    end();
    begin();
    loopback_raw(&server, "", LOOPBACK_CLOSE);
    server.ends[0] = LOOPBACK_RESET;
    get(0, 0);
    CU_ASSERT_TRUE(loop_until(base, &seen.count, 1));
    CU_ASSERT_TRUE(seen.err == RC_E_IO || seen.err == RC_E_TRUNCATED);
    CU_ASSERT_EQUAL(seen.status, 0);
    CU_ASSERT_TRUE(seen.may_have_reached);
    end();
}

static void
what_is_no_http_is_unreadable(void)
{
    begin();
    loopback_raw(&server, "SSH-2.0-OpenSSH_9.2\r\n", LOOPBACK_CLOSE);
    get(0, 0);
    CU_ASSERT_TRUE(loop_until(base, &seen.count, 1));
    CU_ASSERT_EQUAL(seen.err, RC_E_PARSE);
    end();
}

static void
a_mute_server_times_out(void)
{
    begin();
    loopback_raw(&server, "", LOOPBACK_MUTE);
    get(0, 100);
    CU_ASSERT_TRUE(loop_until(base, &seen.count, 1));
    CU_ASSERT_EQUAL(seen.err, RC_E_TIMEOUT);
    CU_ASSERT_TRUE(seen.may_have_reached);
    end();
}

static void
a_closed_port_is_unreachable_and_nothing_was_sent(void)
{
    begin();
    loopback_stop(&server);
    get(0, 0);
    CU_ASSERT_TRUE(loop_until(base, &seen.count, 1));
    CU_ASSERT_EQUAL(seen.err, RC_E_UNREACHABLE);
    CU_ASSERT_FALSE(seen.may_have_reached);
    CU_ASSERT_NOT_EQUAL(seen.text[0], '\0');
    rc_http_free(http);
    event_base_free(base);
}

static void
a_cancelled_exchange_calls_nobody(void)
{
    begin();
    loopback_raw(&server, "", LOOPBACK_MUTE);
    loopback_push(&server, 200, "", "second");
    struct rc_http_call *call = get(0, 0);
    while (server.request_count < 1) {
        event_base_loop(base, EVLOOP_ONCE);
    }
    rc_http_cancel(call);
    get(0, 0);
    CU_ASSERT_TRUE(loop_until(base, &seen.count, 1));
    CU_ASSERT_STRING_EQUAL(seen.body, "second");
    /* One in flight and one not started are freed with the pool. */
    get(0, 0);
    end();
    CU_ASSERT_EQUAL(seen.count, 1);
}

static void
connect_to_changes_the_peer_and_not_the_host(void)
{
    char connect_to[64];
    struct rc_http_request request = {
        .method = "GET", .url = "http://sqs.us-east-1.amazonaws.com/", .connect_to = connect_to};

    begin();
    snprintf(connect_to, sizeof connect_to, "::127.0.0.1:%d", server.port);
    loopback_push(&server, 200, "", "via");
    CU_ASSERT_EQUAL(rc_http_start(http, &request, on_response, &seen, NULL, NULL), RC_OK);
    CU_ASSERT_TRUE(loop_until(base, &seen.count, 1));
    CU_ASSERT_STRING_EQUAL(seen.body, "via");
    CU_ASSERT_STRING_EQUAL(loopback_header(&server, 0, "Host"), "sqs.us-east-1.amazonaws.com");
    end();
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"one connection serves many requests", one_connection_serves_many_requests},
        {"a body is sent whole without waiting for 100-continue",
         a_body_is_sent_whole_without_waiting_for_100_continue},
        {"a reply over the limit is refused", a_reply_over_the_limit_is_refused},
        {"a reply cut short is told apart from no reply",
         a_reply_cut_short_is_told_apart_from_no_reply},
        {"what is no HTTP is unreadable", what_is_no_http_is_unreadable},
        {"a mute server times out", a_mute_server_times_out},
        {"a closed port is unreachable and nothing was sent",
         a_closed_port_is_unreachable_and_nothing_was_sent},
        {"a cancelled exchange calls nobody", a_cancelled_exchange_calls_nobody},
        {"connect-to changes the peer and not the host",
         connect_to_changes_the_peer_and_not_the_host},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("http", tests);
}
