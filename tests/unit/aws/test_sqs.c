/* SQS through the request layer: what is asked, and every kind of answer. */
#define _GNU_SOURCE
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"
#include "tests/unit/aws/loopback.h"

#include "reconciler/io/aws/sqs.h"

static const char queue[] = "https://sqs.us-east-1.amazonaws.com/1/q";
static struct aws_fixture f;
static struct rc_sqs_received received;
static char bodies[RC_SQS_BATCH_MAX][64];
static struct rc_sqs_batch batch;
static struct rc_sqs_attributes attributes;
static struct rc_error sent_error;
static char sent_id[64];

static void
on_received(const struct rc_sqs_received *r, void *arg)
{
    int *done = arg;

    received = *r;
    for (uint32_t i = 0; i < r->count; i++) {
        snprintf(bodies[i], sizeof bodies[i], "%s", r->messages[i].body);
    }
    (*done)++;
}

static void
on_batch(const struct rc_sqs_batch *b, void *arg)
{
    int *done = arg;

    batch = *b;
    (*done)++;
}

static void
on_attributes(const struct rc_sqs_attributes *a, void *arg)
{
    int *done = arg;

    attributes = *a;
    (*done)++;
}

static void
on_sent(const struct rc_error *error, const char *id, void *arg)
{
    int *done = arg;

    sent_error = *error;
    snprintf(sent_id, sizeof sent_id, "%s", id);
    (*done)++;
}

static enum rc_err
receive(const char *reply)
{
    struct rc_sqs_receive_options options = {.wait_s = 20, .visibility_s = 60};

    f.done = 0;
    loopback_push(&f.server, 200, "", reply);
    CU_ASSERT_EQUAL(rc_sqs_receive(f.aws, queue, &options, on_received, &f.done, NULL), RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 1));
    return received.error.code;
}

static void
a_receive_asks_for_ten_and_reads_the_attributes(void)
{
    fixture_start(&f, NULL);
    CU_ASSERT_EQUAL(
        receive("{\"Messages\":[{\"MessageId\":\"m1\",\"ReceiptHandle\":\"r1\",\"Body\":\"one\","
                "\"Attributes\":{\"SentTimestamp\":\"1677112427387\",\"ApproximateReceiveCount\":"
                "\"3\",\"ApproximateFirstReceiveTimestamp\":\"1677112433437\"}},"
                "{\"ReceiptHandle\":\"r2\",\"Body\":\"\"}]}"),
        RC_OK);
    CU_ASSERT_EQUAL(received.count, 2);
    CU_ASSERT_EQUAL(received.unreadable, 0);
    CU_ASSERT_STRING_EQUAL(bodies[0], "one");
    CU_ASSERT_EQUAL(received.messages[0].sent_ms, 1677112427387);
    CU_ASSERT_EQUAL(received.messages[0].first_received_ms, 1677112433437);
    CU_ASSERT_EQUAL(received.messages[0].receives, 3);
    CU_ASSERT_EQUAL(received.messages[1].receives, 0);
    CU_ASSERT_STRING_EQUAL(
        loopback_body(&f.server, 0),
        "{\"QueueUrl\":\"https://sqs.us-east-1.amazonaws.com/1/q\",\"MaxNumberOfMessages\":10,"
        "\"WaitTimeSeconds\":20,\"VisibilityTimeout\":60,\"MessageSystemAttributeNames\":["
        "\"SentTimestamp\",\"ApproximateReceiveCount\",\"ApproximateFirstReceiveTimestamp\"]}");
    fixture_stop(&f);
}

static void
an_empty_queue_answers_without_messages(void)
{
    static const char *const replies[] = {"{}", "", "{\"Messages\":[]}", "{\"Messages\":null}",
                                          "\n{ }\n"};

    fixture_start(&f, NULL);
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        CU_ASSERT_EQUAL(receive(replies[i]), RC_OK);
        CU_ASSERT_EQUAL(received.count, 0);
    }
    fixture_stop(&f);
}

static void
entries_that_are_no_messages_are_counted_and_left(void)
{
    fixture_start(&f, NULL);
    CU_ASSERT_EQUAL(receive("{\"Messages\":[5,null,{},{\"Body\":\"x\"},{\"ReceiptHandle\":\"r\"},"
                            "{\"ReceiptHandle\":7,\"Body\":\"x\"},{\"ReceiptHandle\":\"\",\"Body\":"
                            "\"x\"},{\"ReceiptHandle\":\"r\",\"Body\":\"good\",\"Attributes\":{"
                            "\"SentTimestamp\":1,\"ApproximateReceiveCount\":\"-1\"}}]}"),
                    RC_OK);
    CU_ASSERT_EQUAL(received.count, 1);
    CU_ASSERT_EQUAL(received.unreadable, 7);
    CU_ASSERT_STRING_EQUAL(bodies[0], "good");
    CU_ASSERT_EQUAL(received.messages[0].sent_ms, 0);
    fixture_stop(&f);
}

static void
a_body_of_another_kind_is_refused(void)
{
    static const char *const replies[] = {
        "<html></html>", "[]", "5", "nonsense", "{\"Messages\":{}}", "{\"Messages\":\"x\"}"};

    fixture_start(&f, NULL);
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        CU_ASSERT_EQUAL(receive(replies[i]), RC_E_PARSE);
        CU_ASSERT_NOT_EQUAL(received.error.text[0], '\0');
    }
    fixture_stop(&f);
}

static void
a_body_cut_anywhere_is_an_error_or_whole(void)
{
    static const char whole[] = "{\"Messages\":[{\"ReceiptHandle\":\"r\",\"Body\":\"a\"}]}";
    char cut[sizeof whole];

    fixture_start(&f, NULL);
    for (size_t len = 1; len < sizeof whole - 1; len += 7) {
        memcpy(cut, whole, len);
        cut[len] = '\0';
        loopback_push(&f.server, 200, "", cut); /* the retry meets the same */
        loopback_push(&f.server, 200, "", cut);
        CU_ASSERT_NOT_EQUAL(receive(cut), RC_OK);
        CU_ASSERT_EQUAL(received.count, 0);
        f.server.given = f.server.pushed;
    }
    fixture_stop(&f);
}

static void
a_cut_reply_is_asked_for_again(void)
{
    fixture_start(&f, NULL);
    loopback_push(&f.server, 200, "", "{\"Messages\":[{\"Recei");
    CU_ASSERT_EQUAL(receive("{}"), RC_OK);
    CU_ASSERT_EQUAL(f.server.request_count, 2);
    fixture_stop(&f);
}

static void
a_batch_tells_of_each_entry(void)
{
    struct rc_sqs_entry entries[] = {{"ra", 0}, {"r\"b", 0}, {"rc", 0}, {"rd", 0}};

    fixture_start(&f, NULL);
    loopback_push(&f.server, 200, "",
                  "{\"Successful\":[{\"Id\":\"0\"},{\"Id\":\"99\"},{\"Id\":7},3],\"Failed\":[{"
                  "\"Id\":\"1\",\"Code\":\"ReceiptHandleIsInvalid\",\"SenderFault\":true,"
                  "\"Message\":\"old\"},{\"Id\":\"2\",\"Code\":\"InternalError\",\"SenderFault\":"
                  "false}]}");
    CU_ASSERT_EQUAL(rc_sqs_delete_batch(f.aws, queue, entries, 4, on_batch, &f.done), RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 1));
    CU_ASSERT_EQUAL(batch.error.code, RC_OK);
    CU_ASSERT_EQUAL(batch.count, 4);
    CU_ASSERT_EQUAL(batch.failed, 3);
    CU_ASSERT_EQUAL(batch.entry[0].code, RC_OK);
    CU_ASSERT_EQUAL(batch.entry[1].code, RC_E_STATE);
    CU_ASSERT_STRING_EQUAL(batch.entry[1].text, "old");
    CU_ASSERT_EQUAL(batch.entry[2].code, RC_E_SERVER);
    CU_ASSERT_EQUAL(batch.entry[3].code, RC_E_UNKNOWN);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(loopback_body(&f.server, 0), "{\"Id\":\"1\",\"ReceiptHandle\":\"r\\\"b\"}"));
    fixture_stop(&f);
}

static void
a_failed_batch_fails_every_entry(void)
{
    struct rc_sqs_entry entries[] = {{"ra", 30}, {"rb", 0}};

    fixture_start(&f, NULL);
    loopback_push(&f.server, 400, "", "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\"}");
    CU_ASSERT_EQUAL(rc_sqs_change_visibility(f.aws, queue, entries, 2, on_batch, &f.done), RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 1));
    CU_ASSERT_EQUAL(batch.error.code, RC_E_NOT_FOUND);
    CU_ASSERT_EQUAL(batch.entry[0].code, RC_E_NOT_FOUND);
    CU_ASSERT_EQUAL(batch.failed, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(loopback_body(&f.server, 0), "\"VisibilityTimeout\":30"));
    fixture_stop(&f);
}

static void
limits_are_refused_before_anything_is_sent(void)
{
    struct rc_sqs_receive_options options = {.max = 11};
    struct rc_sqs_entry entries[11] = {{"r", 0}};

    fixture_start(&f, NULL);
    CU_ASSERT_EQUAL(rc_sqs_receive(f.aws, queue, &options, on_received, NULL, NULL), RC_E_INVALID);
    options = (struct rc_sqs_receive_options){.wait_s = 21};
    CU_ASSERT_EQUAL(rc_sqs_receive(f.aws, queue, &options, on_received, NULL, NULL), RC_E_INVALID);
    CU_ASSERT_EQUAL(rc_sqs_delete_batch(f.aws, queue, entries, 0, on_batch, NULL), RC_E_INVALID);
    CU_ASSERT_EQUAL(rc_sqs_delete_batch(f.aws, queue, entries, 11, on_batch, NULL), RC_E_INVALID);
    CU_ASSERT_EQUAL(rc_sqs_delete_batch(f.aws, queue, entries, 2, on_batch, NULL), RC_E_INVALID);
    entries[0].visibility_s = 43201;
    CU_ASSERT_EQUAL(rc_sqs_change_visibility(f.aws, queue, entries, 1, on_batch, NULL),
                    RC_E_INVALID);
    CU_ASSERT_EQUAL(rc_sqs_send(f.aws, queue, "", 0, on_sent, NULL), RC_E_INVALID);
    CU_ASSERT_EQUAL(rc_sqs_send(f.aws, queue, "x", 901, on_sent, NULL), RC_E_INVALID);
    CU_ASSERT_EQUAL(f.server.request_count, 0);
    fixture_stop(&f);
}

static void
a_message_is_sent_with_its_text_escaped(void)
{
    fixture_start(&f, NULL);
    loopback_push(&f.server, 200, "", "{\"MessageId\":\"m-1\",\"MD5OfMessageBody\":\"x\"}");
    CU_ASSERT_EQUAL(rc_sqs_send(f.aws, queue, "{\"a\":\"\n\xc3\xa9\"}", 5, on_sent, &f.done),
                    RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 1));
    CU_ASSERT_EQUAL(sent_error.code, RC_OK);
    CU_ASSERT_STRING_EQUAL(sent_id, "m-1");
    CU_ASSERT_PTR_NOT_NULL(strstr(loopback_body(&f.server, 0),
                                  "\"MessageBody\":\"{\\\"a\\\":\\\"\\u000a\xc3\xa9\\\"}\","
                                  "\"DelaySeconds\":5"));
    fixture_stop(&f);
}

static void
queue_attributes_are_numbers_or_not_told(void)
{
    fixture_start(&f, NULL);
    loopback_push(&f.server, 200, "",
                  "{\"Attributes\":{\"ApproximateNumberOfMessages\":\"12\","
                  "\"ApproximateNumberOfMessagesNotVisible\":\"x\",\"VisibilityTimeout\":30}}");
    CU_ASSERT_EQUAL(rc_sqs_get_attributes(f.aws, queue, on_attributes, &f.done), RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 1));
    CU_ASSERT_EQUAL(attributes.visible, 12);
    CU_ASSERT_EQUAL(attributes.not_visible, -1);
    CU_ASSERT_EQUAL(attributes.visibility_s, -1);
    loopback_push(&f.server, 200, "", "{}");
    CU_ASSERT_EQUAL(rc_sqs_get_attributes(f.aws, queue, on_attributes, &f.done), RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 2));
    CU_ASSERT_EQUAL(attributes.error.code, RC_E_PARSE);
    fixture_stop(&f);
}

static void
a_cancelled_long_poll_is_silent(void)
{
    struct rc_sqs_receive_options options = {.wait_s = 20};
    struct rc_aws_call *call;

    fixture_start(&f, NULL);
    loopback_raw(&f.server, "", LOOPBACK_MUTE);
    CU_ASSERT_EQUAL(rc_sqs_receive(f.aws, queue, &options, on_received, &f.done, &call), RC_OK);
    while (f.server.request_count < 1) {
        event_base_loop(f.base, EVLOOP_ONCE);
    }
    rc_aws_cancel(call);
    CU_ASSERT_EQUAL(rc_sqs_receive(f.aws, queue, &options, on_received, &f.done, &call), RC_OK);
    fixture_stop(&f); /* the other is freed with the context */
    CU_ASSERT_EQUAL(f.done, 0);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a receive asks for ten and reads the attributes",
         a_receive_asks_for_ten_and_reads_the_attributes},
        {"an empty queue answers without messages", an_empty_queue_answers_without_messages},
        {"entries that are no messages are counted and left",
         entries_that_are_no_messages_are_counted_and_left},
        {"a body of another kind is refused", a_body_of_another_kind_is_refused},
        {"a body cut anywhere is an error or whole", a_body_cut_anywhere_is_an_error_or_whole},
        {"a cut reply is asked for again", a_cut_reply_is_asked_for_again},
        {"a batch tells of each entry", a_batch_tells_of_each_entry},
        {"a failed batch fails every entry", a_failed_batch_fails_every_entry},
        {"limits are refused before anything is sent", limits_are_refused_before_anything_is_sent},
        {"a message is sent with its text escaped", a_message_is_sent_with_its_text_escaped},
        {"queue attributes are numbers or not told", queue_attributes_are_numbers_or_not_told},
        {"a cancelled long poll is silent", a_cancelled_long_poll_is_silent},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("sqs", tests);
}
