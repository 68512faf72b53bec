/* EC2 operations through the request layer: bodies, pages, parts, cancelling. */
#define _GNU_SOURCE
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"
#include "tests/unit/aws/loopback.h"

#include "reconciler/io/aws/ec2.h"

static struct aws_fixture f;
static struct rc_ec2_done done;
static char seen[512]; /* instance ids in the order in which they came */
static struct rc_ec2_call *call;
static bool cancel_in_row;

static void
on_row(const struct rc_event *row, void *arg)
{
    (void)arg;
    strncat(seen, row->instance, sizeof seen - strlen(seen) - 1);
    strncat(seen, " ", sizeof seen - strlen(seen) - 1);
    if (cancel_in_row) {
        rc_ec2_cancel(call);
    }
}

static void
on_done(const struct rc_ec2_done *d, void *arg)
{
    (void)arg;
    done = *d;
    f.done++;
}

static const struct rc_ec2_sink sink = {on_row, on_done, NULL};

static void
begin(void)
{
    seen[0] = '\0';
    cancel_in_row = false;
    memset(&done, 0, sizeof done);
    fixture_start(&f, NULL);
}

static void
push_page(const char *id, const char *token)
{
    char body[512];

    snprintf(body, sizeof body,
             "<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>%s"
             "</instanceId></item></instancesSet></item></reservationSet><nextToken>%s</nextToken>"
             "</DescribeInstancesResponse>",
             id, token);
    loopback_push(&f.server, 200, "", body);
}

static void
push_error(int status, const char *code)
{
    char body[256];

    snprintf(body, sizeof body,
             "<Response><Errors><Error><Code>%s</Code><Message>m</Message></Error></Errors>"
             "</Response>",
             code);
    loopback_push(&f.server, status, "", body);
}

static void
a_launch_names_all_that_was_asked(void)
{
    const struct rc_ec2_tag tags[] = {{RC_TAG_CLUSTER, "c1"}, {RC_TAG_NODE, "gpu-1"}};
    struct rc_ec2_launch launch = {
        .template_id = "lt-1",
        .template_version = 7,
        .token = "tok-1",
        .subnet = "subnet-1",
        .placement = "pg",
        .reservation = "cr-1",
        .capacity_block = true,
        .type = "p4d.24xlarge",
        .tags = tags,
        .tag_count = 2,
    };

    begin();
    loopback_push(&f.server, 200, "",
                  "<RunInstancesResponse><instancesSet><item><instanceId>i-9</instanceId></item>"
                  "</instancesSet></RunInstancesResponse>");
    CU_ASSERT_EQUAL(rc_ec2_run(f.aws, &launch, &sink, NULL), RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 1));
    CU_ASSERT_TRUE(done.complete);
    CU_ASSERT_STRING_EQUAL(seen, "i-9 ");
    CU_ASSERT_STRING_EQUAL(
        loopback_body(&f.server, 0),
        "Action=RunInstances&Version=2016-11-15&MinCount=1&MaxCount=1&ClientToken=tok-1"
        "&LaunchTemplate.LaunchTemplateId=lt-1&LaunchTemplate.Version=7&SubnetId=subnet-1"
        "&InstanceType=p4d.24xlarge&Placement.GroupName=pg"
        "&CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId=cr-1"
        "&InstanceMarketOptions.MarketType=capacity-block"
        "&TagSpecification.1.ResourceType=instance"
        "&TagSpecification.1.Tag.1.Key=slurm-on-aws%3Acluster&TagSpecification.1.Tag.1.Value=c1"
        "&TagSpecification.1.Tag.2.Key=slurm-on-aws%3Anode&TagSpecification.1.Tag.2.Value=gpu-1"
        "&TagSpecification.2.ResourceType=volume"
        "&TagSpecification.2.Tag.1.Key=slurm-on-aws%3Acluster&TagSpecification.2.Tag.1.Value=c1"
        "&TagSpecification.2.Tag.2.Key=slurm-on-aws%3Anode&TagSpecification.2.Tag.2.Value=gpu-1");
    fixture_stop(&f);
}

static void
a_launch_whose_answer_is_lost_is_asked_again_with_the_same_token(void)
{
    struct rc_ec2_launch launch = {.template_id = "lt-1", .template_version = 1, .token = "tok-1"};

    begin();
    loopback_raw(&f.server, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<RunInst",
                 LOOPBACK_CLOSE);
    loopback_push(&f.server, 200, "", "<RunInstancesResponse><instancesSet><item><instanceId>i");
    loopback_push(&f.server, 200, "",
                  "<RunInstancesResponse><instancesSet><item><instanceId>i-9</instanceId></item>"
                  "</instancesSet></RunInstancesResponse>");
    CU_ASSERT_EQUAL(rc_ec2_run(f.aws, &launch, &sink, NULL), RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 1));
    CU_ASSERT_TRUE(done.complete);
    CU_ASSERT_STRING_EQUAL(seen, "i-9 ");
    CU_ASSERT_EQUAL(f.server.request_count, 3);
    CU_ASSERT_STRING_EQUAL(loopback_body(&f.server, 2), loopback_body(&f.server, 0));
    fixture_stop(&f);
}

static void
a_launch_without_token_template_or_version_is_refused(void)
{
    struct rc_ec2_launch launch = {.template_id = "lt-1", .template_version = 1, .token = "t"};

    begin();
    launch.token = "";
    CU_ASSERT_EQUAL(rc_ec2_run(f.aws, &launch, &sink, NULL), RC_E_INVALID);
    launch.token = "12345678901234567890123456789012345678901234567890123456789012345";
    CU_ASSERT_EQUAL(rc_ec2_run(f.aws, &launch, &sink, NULL), RC_E_INVALID);
    launch.token = "t";
    launch.template_version = 0;
    CU_ASSERT_EQUAL(rc_ec2_run(f.aws, &launch, &sink, NULL), RC_E_INVALID);
    fixture_stop(&f);
}

static void
no_capacity_reaches_the_caller_as_such(void)
{
    struct rc_ec2_launch launch = {.template_id = "lt-1", .template_version = 1, .token = "t"};

    begin();
    push_error(500, "InsufficientInstanceCapacity");
    CU_ASSERT_EQUAL(rc_ec2_run(f.aws, &launch, &sink, NULL), RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 1));
    CU_ASSERT_EQUAL(done.error.code, RC_E_CAPACITY);
    CU_ASSERT_FALSE(done.complete);
    CU_ASSERT_EQUAL(f.server.request_count, 1);
    fixture_stop(&f);
}

static void
all_pages_are_read_before_a_description_is_complete(void)
{
    begin();
    push_page("i-1", "t/1");
    push_page("i-2", "t2");
    push_page("i-3", "");
    CU_ASSERT_EQUAL(rc_ec2_describe_cluster(f.aws, &sink, NULL), RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 1));
    CU_ASSERT_TRUE(done.complete);
    CU_ASSERT_EQUAL(done.pages, 3);
    CU_ASSERT_EQUAL(done.rows, 3);
    CU_ASSERT_STRING_EQUAL(seen, "i-1 i-2 i-3 ");
    CU_ASSERT_STRING_EQUAL(loopback_body(&f.server, 1),
                           "Action=DescribeInstances&Version=2016-11-15&MaxResults=1000&Filter.1."
                           "Name=tag%3Aslurm-on-aws%3Acluster&Filter.1.Value.1=c1&NextToken=t%2F1");
    fixture_stop(&f);
}

static void
a_description_that_fails_half_way_is_incomplete(void)
{
    begin();
    push_page("i-1", "t1");
    push_error(400, "InvalidNextToken");
    CU_ASSERT_EQUAL(rc_ec2_describe_cluster(f.aws, &sink, NULL), RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 1));
    CU_ASSERT_FALSE(done.complete);
    CU_ASSERT_EQUAL(done.error.code, RC_E_INVALID);
    CU_ASSERT_EQUAL(done.rows, 1);
    fixture_stop(&f);
}

static void
a_description_with_an_unreadable_row_is_incomplete(void)
{
    begin();
    push_page("", "t1");
    push_page("i-2", "");
    CU_ASSERT_EQUAL(rc_ec2_describe_cluster(f.aws, &sink, NULL), RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 1));
    CU_ASSERT_FALSE(done.complete);
    CU_ASSERT_EQUAL(done.error.code, RC_E_PARSE);
    CU_ASSERT_EQUAL(done.unreadable, 1);
    CU_ASSERT_STRING_EQUAL(seen, "i-2 ");
    fixture_stop(&f);
}

static void
pages_that_go_in_circles_end(void)
{
    begin();
    push_page("i-1", "t1");
    push_page("i-1", "t1");
    CU_ASSERT_EQUAL(rc_ec2_describe_cluster(f.aws, &sink, NULL), RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 1));
    CU_ASSERT_FALSE(done.complete);
    CU_ASSERT_PTR_NOT_NULL(strstr(done.error.text, "do not end"));
    fixture_stop(&f);
}

static void
many_ids_are_asked_in_parts(void)
{
    char text[150][RC_ID_LEN];
    const char *v[150];
    struct rc_ec2_ids ids = {v, 150};

    begin();
    for (size_t i = 0; i < 150; i++) {
        snprintf(text[i], sizeof text[i], "i-%zu", i);
        v[i] = text[i];
    }
    for (int i = 0; i < 2; i++) {
        loopback_push(&f.server, 200, "", "<DescribeInstanceStatusResponse/>");
    }
    CU_ASSERT_EQUAL(rc_ec2_status_ids(f.aws, &ids, &sink, NULL), RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 1));
    CU_ASSERT_TRUE(done.complete);
    CU_ASSERT_EQUAL(done.pages, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(loopback_body(&f.server, 0), "&InstanceId.100=i-99"));
    CU_ASSERT_PTR_NULL(strstr(loopback_body(&f.server, 0), "&InstanceId.101"));
    CU_ASSERT_PTR_NOT_NULL(strstr(loopback_body(&f.server, 1), "&InstanceId.1=i-100&"));
    CU_ASSERT_PTR_NOT_NULL(strstr(loopback_body(&f.server, 1), "IncludeAllInstances=true"));
    fixture_stop(&f);
}

static void
changes_carry_their_flags_and_check_the_answer(void)
{
    const char *v[] = {"i-1"};
    struct rc_ec2_ids ids = {v, 1}, none = {v, 0};

    begin();
    loopback_push(&f.server, 200, "", "<StopInstancesResponse/>");
    loopback_push(&f.server, 200, "", "<TerminateInstancesResponse/>");
    loopback_push(&f.server, 200, "", "<DescribeInstancesResponse/>"); /* the wrong one */
    CU_ASSERT_EQUAL(rc_ec2_stop(f.aws, &ids, RC_EC2_FORCE | RC_EC2_SKIP_SHUTDOWN, &sink, NULL),
                    RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 1));
    CU_ASSERT_EQUAL(done.error.code, RC_OK);
    CU_ASSERT_STRING_EQUAL(loopback_body(&f.server, 0),
                           "Action=StopInstances&Version=2016-11-15&Force=true&SkipOsShutdown=true"
                           "&InstanceId.1=i-1");
    CU_ASSERT_EQUAL(rc_ec2_terminate(f.aws, &ids, 0, &sink, NULL), RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 2));
    CU_ASSERT_EQUAL(done.error.code, RC_OK);
    CU_ASSERT_EQUAL(rc_ec2_start(f.aws, &ids, &sink, NULL), RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 3));
    CU_ASSERT_EQUAL(done.error.code, RC_E_PARSE);
    CU_ASSERT_EQUAL(rc_ec2_reboot(f.aws, &none, &sink, NULL), RC_E_INVALID);
    fixture_stop(&f);
}

static void
tags_are_put_on_resources(void)
{
    const char *v[] = {"i-1", "i-2"};
    struct rc_ec2_ids ids = {v, 2};
    const struct rc_ec2_tag tag = {"k", "v w"};

    begin();
    loopback_push(&f.server, 200, "",
                  "<CreateTagsResponse><return>true</return></CreateTagsResponse>");
    CU_ASSERT_EQUAL(rc_ec2_create_tags(f.aws, &ids, &tag, 1, &sink, NULL), RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 1));
    CU_ASSERT_TRUE(done.complete);
    CU_ASSERT_STRING_EQUAL(loopback_body(&f.server, 0),
                           "Action=CreateTags&Version=2016-11-15&Tag.1.Key=k&Tag.1.Value=v%20w"
                           "&ResourceId.1=i-1&ResourceId.2=i-2");
    fixture_stop(&f);
}

static void
a_call_may_be_cancelled_from_its_row_or_left_to_the_context(void)
{
    begin();
    cancel_in_row = true;
    push_page("i-1", "t1");
    CU_ASSERT_EQUAL(rc_ec2_describe_cluster(f.aws, &sink, &call), RC_OK);
    while (!seen[0]) {
        event_base_loop(f.base, EVLOOP_ONCE);
    }
    CU_ASSERT_EQUAL(f.server.request_count, 1);
    CU_ASSERT_EQUAL(f.done, 0);
    CU_ASSERT_EQUAL(rc_ec2_describe_cluster(f.aws, &sink, &call), RC_OK);
    rc_ec2_cancel(call);
    CU_ASSERT_EQUAL(rc_ec2_describe_cluster(f.aws, &sink, NULL), RC_OK);
    fixture_stop(&f);
    CU_ASSERT_EQUAL(f.done, 0);
}

static struct rc_error console_error;
static char console_text[256];

static void
on_console(const struct rc_error *error, const char *text, size_t len, void *arg)
{
    (void)arg;
    console_error = *error;
    snprintf(console_text, sizeof console_text, "%.*s", (int)len, text);
    f.done++;
}

static void
console_output_is_decoded_and_old_types_are_asked_again(void)
{
    begin();
    push_error(400, "UnsupportedOperation");
    loopback_push(&f.server, 200, "",
                  "<GetConsoleOutputResponse><output>aGVs\nbG8=\n</output>"
                  "</GetConsoleOutputResponse>");
    CU_ASSERT_EQUAL(rc_ec2_console(f.aws, "i-1", on_console, NULL, NULL), RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 1));
    CU_ASSERT_EQUAL(console_error.code, RC_OK);
    CU_ASSERT_STRING_EQUAL(console_text, "hello");
    CU_ASSERT_PTR_NOT_NULL(strstr(loopback_body(&f.server, 0), "&Latest=true"));
    CU_ASSERT_PTR_NULL(strstr(loopback_body(&f.server, 1), "Latest"));
    loopback_push(&f.server, 200, "", "<GetConsoleOutputResponse/>");
    CU_ASSERT_EQUAL(rc_ec2_console(f.aws, "i-1", on_console, NULL, NULL), RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 2));
    CU_ASSERT_EQUAL(console_error.code, RC_OK);
    CU_ASSERT_STRING_EQUAL(console_text, "");
    loopback_push(&f.server, 200, "",
                  "<GetConsoleOutputResponse><output>%%%</output></GetConsoleOutputResponse>");
    CU_ASSERT_EQUAL(rc_ec2_console(f.aws, "i-1", on_console, NULL, NULL), RC_OK);
    CU_ASSERT_TRUE(fixture_run(&f, 3));
    CU_ASSERT_EQUAL(console_error.code, RC_E_PARSE);
    fixture_stop(&f);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a launch names all that was asked", a_launch_names_all_that_was_asked},
        {"a launch whose answer is lost is asked again with the same token",
         a_launch_whose_answer_is_lost_is_asked_again_with_the_same_token},
        {"a launch without token, template or version is refused",
         a_launch_without_token_template_or_version_is_refused},
        {"no capacity reaches the caller as such", no_capacity_reaches_the_caller_as_such},
        {"all pages are read before a description is complete",
         all_pages_are_read_before_a_description_is_complete},
        {"a description that fails half-way is incomplete",
         a_description_that_fails_half_way_is_incomplete},
        {"a description with an unreadable row is incomplete",
         a_description_with_an_unreadable_row_is_incomplete},
        {"pages that go in circles end", pages_that_go_in_circles_end},
        {"many ids are asked in parts", many_ids_are_asked_in_parts},
        {"changes carry their flags and check the answer",
         changes_carry_their_flags_and_check_the_answer},
        {"tags are put on resources", tags_are_put_on_resources},
        {"a call may be cancelled from its row or left to the context",
         a_call_may_be_cancelled_from_its_row_or_left_to_the_context},
        {"console output is decoded, and old types are asked again",
         console_output_is_decoded_and_old_types_are_asked_again},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("ec2", tests);
}
