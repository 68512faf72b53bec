/* EC2 reply bodies: what becomes of each field, and of bodies that are broken. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"

#include "reconciler/io/aws/ec2_xml.h"

enum { ROWS_MAX = 16 };

static struct rc_event rows[ROWS_MAX];
static unsigned row_count;
static struct rc_ec2_page page;
static struct rc_error error;

static void
on_row(const struct rc_event *row, void *arg)
{
    (void)arg;
    if (row_count < ROWS_MAX) {
        rows[row_count++] = *row;
    }
}

static enum rc_err
read_body(const char *body, const char *root)
{
    struct rc_ec2_expect expect = {root, "c1", on_row, NULL};

    row_count = 0;
    memset(&error, 0, sizeof error);
    return rc_ec2_xml_read(body, strlen(body), &expect, &page, &error);
}

#define INSTANCE(inner)                                                                            \
    "<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">"               \
    "<!-- from an emulator --><requestId>r</requestId><reservationSet><item><instancesSet>"        \
    "<item>" inner "</item></instancesSet></item></reservationSet></DescribeInstancesResponse>"

#define TAG(key, value) "<item><key>" key "</key><value>" value "</value></item>"

static void
an_instance_is_read_field_by_field(void)
{
    CU_ASSERT_EQUAL(
        read_body(
            INSTANCE(
                "<instanceId>i-0123456789abcdef0</instanceId><instanceState><code>16</code><name>"
                "running</name></instanceState><instanceType>p4d.24xlarge</instanceType>"
                "<launchTime>2018-05-08T16:46:19.000Z</launchTime><placement><availabilityZone>"
                "us-east-1a</availabilityZone></placement><subnetId>subnet-1</subnetId>"
                "<privateIpAddress> 10.0.0.7\n</privateIpAddress><networkInterfaceSet><item>"
                "<subnetId>subnet-2</subnetId><privateIpAddress>10.9.9.9</privateIpAddress>"
                "</item></networkInterfaceSet><kernelId>None</kernelId><tagSet>" TAG("Name",
                                                                                     "a &amp; b")
                    TAG("slurm-on-aws:cluster", "c1") TAG("slurm-on-aws:node", "gpu-1")
                        TAG("slurm-on-aws:incident", "12") TAG("slurm-on-aws:"
                                                               "attempt",
                                                               "2") "</tagSet>"),
            "DescribeInstancesResponse"),
        RC_OK);
    CU_ASSERT_EQUAL_FATAL(row_count, 1);
    CU_ASSERT_EQUAL(rows[0].kind, RC_EV_INSTANCE);
    CU_ASSERT_EQUAL(rows[0].at_ms, 0);
    CU_ASSERT_STRING_EQUAL(rows[0].instance, "i-0123456789abcdef0");
    CU_ASSERT_STRING_EQUAL(rows[0].node, "gpu-1");
    CU_ASSERT_EQUAL(rows[0].u.described.state, RC_INST_RUNNING);
    CU_ASSERT_EQUAL(rows[0].u.described.launched_wall_ms, 1525797979000);
    CU_ASSERT_STRING_EQUAL(rows[0].u.described.type, "p4d.24xlarge");
    CU_ASSERT_STRING_EQUAL(rows[0].u.described.az, "us-east-1a");
    CU_ASSERT_STRING_EQUAL(rows[0].u.described.subnet, "subnet-1");
    CU_ASSERT_STRING_EQUAL(rows[0].u.described.addr, "10.0.0.7");
    CU_ASSERT_STRING_EQUAL(rows[0].u.described.node, "gpu-1");
    CU_ASSERT_EQUAL(rows[0].u.described.ours, 1);
    CU_ASSERT_EQUAL(rows[0].u.described.tag_incident, 12);
    CU_ASSERT_EQUAL(rows[0].u.described.tag_attempt, 2);
}

static void
another_clusters_instance_is_not_ours(void)
{
    CU_ASSERT_EQUAL(
        read_body(INSTANCE("<instanceId>i-1</instanceId><tagSet>" TAG("slurm-on-aws:cluster", "c10")
                               TAG("slurm-on-aws:attempt", "x") "</tagSet>"),
                  ""),
        RC_OK);
    CU_ASSERT_EQUAL_FATAL(row_count, 1);
    CU_ASSERT_EQUAL(rows[0].u.described.ours, 0);
    CU_ASSERT_EQUAL(rows[0].u.described.tag_attempt, 0);
    CU_ASSERT_EQUAL(rows[0].u.described.state, RC_INST_UNKNOWN);
}

static void
a_row_without_id_is_left_out_and_a_field_too_long_is_not_told(void)
{
    CU_ASSERT_EQUAL(read_body(INSTANCE("<instanceType>t3.micro</instanceType>"), ""), RC_OK);
    CU_ASSERT_EQUAL(row_count, 0);
    CU_ASSERT_EQUAL(page.unreadable, 1);
    CU_ASSERT_EQUAL(read_body(INSTANCE("<instanceId>i-1</instanceId><subnetId>subnet-with-a-name-"
                                       "that-is-much-too-long-for-it</subnetId>"),
                              ""),
                    RC_OK);
    CU_ASSERT_EQUAL(page.unreadable, 0);
    CU_ASSERT_EQUAL(page.partial, 1);
    CU_ASSERT_EQUAL_FATAL(row_count, 1);
    CU_ASSERT_STRING_EQUAL(rows[0].instance, "i-1");
    CU_ASSERT_STRING_EQUAL(rows[0].u.described.subnet, "");
}

#define STATUS(events)                                                                             \
    "<DescribeInstanceStatusResponse><instanceStatusSet><item><instanceId>i-1</instanceId>"        \
    "<instanceState><name>running</name></instanceState><systemStatus><status>impaired</status>"   \
    "<details><item><name>reachability</name><status>failed</status></item></details>"             \
    "</systemStatus><instanceStatus><status>initializing</status></instanceStatus>"                \
    "<attachedEbsStatus><status>not-applicable</status></attachedEbsStatus><eventsSet>" events     \
    "</eventsSet></item></instanceStatusSet><nextToken>tok</nextToken>"                            \
    "</DescribeInstanceStatusResponse>"

#define SCHEDULED(code, text, from, to)                                                            \
    "<item><code>" code "</code><description>" text "</description><notBefore>" from               \
    "</notBefore><notAfter>" to "</notAfter></item>"

static void
status_checks_and_the_scheduled_event_are_read(void)
{
    CU_ASSERT_EQUAL(
        read_body(STATUS(SCHEDULED("instance-retirement", "degraded hardware",
                                   "2026-01-02T00:00:00+0000", "2026-01-03T00:00:00.000Z")),
                  "DescribeInstanceStatusResponse"),
        RC_OK);
    CU_ASSERT_EQUAL_FATAL(row_count, 1);
    CU_ASSERT_EQUAL(rows[0].kind, RC_EV_INSTANCE_STATUS);
    CU_ASSERT_EQUAL(rows[0].u.status.system, RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(rows[0].u.status.instance, RC_CHECK_INITIALIZING);
    CU_ASSERT_EQUAL(rows[0].u.status.ebs, RC_CHECK_OK);
    CU_ASSERT_EQUAL(rows[0].u.status.state, RC_INST_RUNNING);
    CU_ASSERT_EQUAL(rows[0].u.status.schedule, RC_SCHED_RETIREMENT);
    CU_ASSERT_STRING_EQUAL(rows[0].code, "instance-retirement");
    CU_ASSERT_EQUAL(rows[0].u.status.not_before_wall_ms, 1767312000000);
    CU_ASSERT_EQUAL(rows[0].u.status.not_after_wall_ms, 1767398400000);
    CU_ASSERT_STRING_EQUAL(page.next_token, "tok");
}

static void
finished_events_are_left_out_and_the_earliest_open_one_is_kept(void)
{
    CU_ASSERT_EQUAL(
        read_body(
            STATUS(SCHEDULED("instance-stop", "[Completed] gone", "2026-01-01T00:00:00Z", "")
                       SCHEDULED("instance-stop", "[Canceled] gone", "2026-01-01T00:00:00Z", "")),
            ""),
        RC_OK);
    CU_ASSERT_EQUAL_FATAL(row_count, 1);
    CU_ASSERT_EQUAL(rows[0].u.status.schedule, RC_SCHED_NONE);
    CU_ASSERT_STRING_EQUAL(rows[0].code, "");
    CU_ASSERT_EQUAL(
        read_body(STATUS(SCHEDULED("instance-retirement", "x", "2026-02-01T00:00:00Z", "")
                             SCHEDULED("instance-reboot", "x", "2026-01-05T00:00:00Z", "")
                                 SCHEDULED("brand-new-code", "x", "YYYY-MM-DDTHH:MM:SS+0000", "")),
                  ""),
        RC_OK);
    CU_ASSERT_EQUAL(rows[0].u.status.schedule, RC_SCHED_REBOOT);
    CU_ASSERT_EQUAL(read_body(STATUS(SCHEDULED("brand-new-code", "x", "", "")), ""), RC_OK);
    CU_ASSERT_EQUAL(rows[0].u.status.schedule, RC_SCHED_OTHER);
    CU_ASSERT_EQUAL(rows[0].u.status.not_before_wall_ms, 0);
}

static void
a_body_cut_anywhere_gives_no_row(void)
{
    static const char whole[] = INSTANCE(
        "<instanceId>i-1</instanceId><tagSet>" TAG("slurm-on-aws:cluster", "c1") "</tagSet>");
    char cut[sizeof whole];

    for (size_t len = 0; len < sizeof whole - 1; len++) {
        memcpy(cut, whole, len);
        cut[len] = '\0';
        CU_ASSERT_EQUAL(read_body(cut, "DescribeInstancesResponse"), RC_E_TRUNCATED);
        CU_ASSERT_EQUAL(row_count, 0);
        CU_ASSERT_EQUAL(page.rows, 0);
    }
    CU_ASSERT_EQUAL(read_body(whole, ""), RC_OK);
}

static void
what_is_no_reply_of_ours_is_refused_with_a_reason(void)
{
    static const struct {
        const char *body, *want;
    } cases[] = {
        {"<html><body>500</body></html>", "no EC2 reply"},
        {"<!doctype html>\n<title>500</title>", "not well-formed"},
        {"<!DOCTYPE a [<!ENTITY b \"c\">]><aResponse>&b;</aResponse>", "document type"},
        {"{\"a\":1}", "not well-formed"},
        {"<aResponse><b></aResponse>", "line 1"},
        {"<aResponse>&undefined;</aResponse>", "not well-formed"},
        {"<StopInstancesResponse/>", "expected a DescribeInstancesResponse"},
        {"<aResponse></aResponse><b/>", "not well-formed"},
    };
    char deep[4096] = "<aResponse>";
    size_t len = strlen(deep);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CU_ASSERT_EQUAL(read_body(cases[i].body, "DescribeInstancesResponse"), RC_E_PARSE);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, cases[i].want));
    }
    for (int i = 0; i < 300; i++) {
        len += (size_t)snprintf(deep + len, sizeof deep - len, "<deep>");
    }
    CU_ASSERT_EQUAL(read_body(deep, ""), RC_E_PARSE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "nested"));
}

static void
console_output_is_kept_as_it_is(void)
{
    CU_ASSERT_EQUAL(read_body("<GetConsoleOutputResponse><instanceId>i-1</instanceId><output>aGVs\n"
                              "bG8=</output></GetConsoleOutputResponse>",
                              "GetConsoleOutputResponse"),
                    RC_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(page.console);
    CU_ASSERT_STRING_EQUAL(page.console, "aGVs\nbG8=");
    free(page.console);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"an instance is read field by field", an_instance_is_read_field_by_field},
        {"another cluster's instance is not ours", another_clusters_instance_is_not_ours},
        {"a row without id is left out, and a field too long is not told",
         a_row_without_id_is_left_out_and_a_field_too_long_is_not_told},
        {"status checks and the scheduled event are read",
         status_checks_and_the_scheduled_event_are_read},
        {"finished events are left out and the earliest open one is kept",
         finished_events_are_left_out_and_the_earliest_open_one_is_kept},
        {"a body cut anywhere gives no row", a_body_cut_anywhere_gives_no_row},
        {"what is no reply of ours is refused with a reason",
         what_is_no_reply_of_ours_is_refused_with_a_reason},
        {"console output is kept as it is", console_output_is_kept_as_it_is},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("ec2-xml", tests);
}
