/* What people read: the reason of a quarantine names the key, what was expected
 * and what was found; the detail of a good message says the essential. */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

#include "handlers/decode/decode.h"

struct row {
    const char *type, *detail, *text;
};

static void
check_body(const char *body, const char *text)
{
    struct rc_decoded d;

    CU_ASSERT_EQUAL_FATAL(rc_decode_message(body, strlen(body), &d), RC_OK);
    if (strcmp(d.text, text) != 0) {
        printf("#   expected: %s\n#   found:    %s\n", text, d.text);
    }
    CU_ASSERT_STRING_EQUAL(d.text, text);
    rc_decoded_done(&d);
}

static void
check(const struct row *rows, size_t count)
{
    char body[2048];

    for (size_t i = 0; i < count; i++) {
        snprintf(body, sizeof body, "{\"detail-type\":\"%s\",\"detail\":%s}", rows[i].type,
                 rows[i].detail);
        check_body(body, rows[i].text);
    }
}

#define STATE  "EC2 Instance State-change Notification"
#define HEALTH "AWS Health Event"
#define ALARM  "CloudWatch Alarm State Change"

static void
a_reason_tells_key_expectation_and_finding(void)
{
    static const struct row rows[] = {
        {STATE, "7", "detail: expected an object, found a number"},
        {STATE, "null", "detail: null, expected an object"},
        {STATE, "\"[]\"", "detail: expected an object or the text of one"},
        {STATE, "\"\"", "detail: unreadable JSON, byte 0: the text ends too early"},
        {STATE, "{}", "detail.state: missing, expected a string"},
        {STATE, "{\"state\":null}", "detail.state: null, expected a string"},
        {STATE, "{\"state\":true}", "detail.state: expected a string, found true or false"},
        {STATE, "{\"state\":1}", "detail.state: expected a string, found a number"},
        {STATE, "{\"state\":[]}", "detail.state: expected a string, found a list"},
        {STATE, "{\"state\":{}}", "detail.state: expected a string, found an object"},
        {STATE, "{\"state\":\"running\",\"instance-id\":{}}",
         "detail.instance-id: expected a string, found an object"},
        {STATE, "{\"state\":\"running\",\"instance-id\":\"\\u00e9\"}",
         "detail.instance-id: expected an instance id, found \"??\""},
        {HEALTH, "{\"eventTypeCode\":\"X\",\"affectedEntities\":\"none\"}",
         "detail.affectedEntities: expected a list, found a string"},
        {HEALTH, "{\"eventTypeCode\":\"X\",\"affectedEntities\":[{\"status\":1}]}",
         "affectedEntities.status: expected a string, found a number"},
        {HEALTH, "{\"eventTypeCode\":\"X\",\"startTime\":1}",
         "detail.startTime: expected a string, found a number"},
        {ALARM, "{\"alarmName\":\"a\",\"state\":{}}",
         "detail.state.value: missing, expected a string"},
        {ALARM, "{\"alarmName\":\"a\",\"state\":{\"value\":\"OK\"},\"configuration\":1}",
         "detail.configuration: expected an object, found a number"},
        {ALARM,
         "{\"alarmName\":\"a\",\"state\":{\"value\":\"OK\"},\"configuration\":{\"metrics\":[1]}}",
         "configuration.metrics: expected a list of objects"},
        {ALARM,
         "{\"alarmName\":\"a\",\"state\":{\"value\":\"OK\"},\"configuration\":{\"metrics\":"
         "[{\"metricStat\":{}}]}}",
         "metricStat.metric: missing, expected an object"},
        {ALARM,
         "{\"alarmName\":\"a\",\"state\":{\"value\":\"OK\"},\"alarmContributor\":{\"attributes\":1}}",
         "alarmContributor.attributes: expected an object, found a number"},
        {"EC2 Spot Instance Interruption Warning", "{\"instance-action\":\"stop\"}",
         "detail.instance-id: missing, expected an instance id"},
        {"Capacity Block Delivered", "{\"capacity-reservation-id\":\"cr-12345678\",\"end-date\":1}",
         "detail.end-date: expected a string, found a number"},
        {"EC2 Fleet Error", "{\"sub-type\":\"x\",\"description\":1}",
         "detail.description: expected a string, found a number"},
        {"EBS Volume Notification", "{\"event\":\"e\",\"result\":\"r\",\"cause\":[]}",
         "detail.cause: expected a string, found a list"},
    };

    check(rows, sizeof rows / sizeof rows[0]);
}

static void
a_reason_about_the_envelope_names_its_key(void)
{
    check_body("[]", "body: expected an EventBridge event (a JSON object)");
    check_body("{}", "detail-type: missing, expected an EventBridge event");
    check_body("{\"detail-type\":\"x\"}", "detail: missing, expected an object");
    check_body("{\"detail-type\":\"x\",\"detail\":{},\"id\":1}",
               "id: expected a string, found a number");
    check_body("{\"detail-type\":\"x\",\"detail\":{},\"source\":[]}",
               "source: expected a string, found a list");
    check_body("{\"detail-type\":\"x\",\"detail\":{},\"account\":1}",
               "account: expected a string, found a number");
    check_body("{\"detail-type\":\"x\",\"detail\":{},\"region\":1}",
               "region: expected a string, found a number");
    check_body("{\"detail-type\":\"x\",\"detail\":{},\"resources\":{}}",
               "resources: expected a list, found an object");
    check_body("{\"detail_type\":[],\"detail\":{}}",
               "detail_type: expected a string, found a list");
    check_body("{\"Type\":1,\"TopicArn\":\"t\",\"Message\":\"{}\"}",
               "Type: expected a string, found a number");
    check_body("{\"Type\":\"Notification\",\"TopicArn\":\"t\"}",
               "Message: missing, expected a string");
    check_body("{\"Type\":\"UnsubscribeConfirmation\",\"TopicArn\":\"t\",\"Message\":\"\"}",
               "SNS UnsubscribeConfirmation");
}

static void
details_say_the_essential_on_one_printable_line(void)
{
    static const struct row rows[] = {
        {"order placed", "{}", "order placed from an unnamed source"},
        {HEALTH, "{\"eventTypeCode\":\"X\",\"affectedEntities\":[{}]}",
         "X no status start=not told"},
        {HEALTH, "{\"eventTypeCode\":\"X\\n\\u001b[31m\",\"statusCode\":\"open\"}",
         "X??[31m open start=not told"},
        {HEALTH,
         "{\"eventTypeCode\":\"X\",\"statusCode\":\"open\",\"affectedEntities\":[{\"entityValue\":"
         "\"i-\"}]}",
         "X open start=not told (some instance ids are unreadable)"},
        {ALARM, "{\"alarmName\":\"a\",\"state\":{\"value\":\"OK\"}}", "OK a"},
        {"EC2 Capacity Reservation Active", "{}", "Active reservation=not told deadline=not told"},
        {"EC2 Fleet Error",
         "{\"sub-type\":\"x\",\"description\":\"0123456789012345678901234567890123456789012345\"}",
         "Error: x \"012345678901234567890123456789012345678901...\""},
        {"an unknown type whose name is longer than any line that is shown to people may be, so "
         "that its end cannot be seen by them",
         "{}",
         "an unknown type whose name is longer than any line that is shown to people may be, so "
         "that its end cannot be seen by them fr..."},
    };

    check(rows, sizeof rows / sizeof rows[0]);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a reason tells key, expectation and finding", a_reason_tells_key_expectation_and_finding},
        {"a reason about the envelope names its key", a_reason_about_the_envelope_names_its_key},
        {"details say the essential on one printable line",
         details_say_the_essential_on_one_printable_line},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("decode-reason", tests);
}
