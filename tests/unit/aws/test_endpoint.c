/* Where requests go: AWS's own names, overrides and their order. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"
#include "tests/unit/aws/loopback.h"

#include "reconciler/io/aws/endpoint.h"

static struct rc_endpoint endpoint;
static struct rc_error error;

static enum rc_err
resolve(enum rc_aws_service service, const char *region, const struct rc_endpoint_options *options)
{
    memset(&error, 0, sizeof error);
    return rc_endpoint_resolve(service, region, options, &endpoint, &error);
}

static void
each_partition_has_its_own_names(void)
{
    static const struct {
        enum rc_aws_service service;
        const char *region, *url;
    } cases[] = {
        {RC_AWS_EC2, "us-east-1", "https://ec2.us-east-1.amazonaws.com/"},
        {RC_AWS_SQS, "eu-west-1", "https://sqs.eu-west-1.amazonaws.com/"},
        {RC_AWS_CLOUDWATCH, "us-gov-west-1", "https://monitoring.us-gov-west-1.amazonaws.com/"},
        {RC_AWS_EC2, "cn-north-1", "https://ec2.cn-north-1.amazonaws.com.cn/"},
        {RC_AWS_DYNAMODB, "us-isob-east-1", "https://dynamodb.us-isob-east-1.sc2s.sgov.gov/"},
        {RC_AWS_STS, "us-iso-east-1", "https://sts.us-iso-east-1.c2s.ic.gov/"},
    };

    clean_environment();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CU_ASSERT_EQUAL(resolve(cases[i].service, cases[i].region, NULL), RC_OK);
        CU_ASSERT_STRING_EQUAL(endpoint.url, cases[i].url);
        CU_ASSERT_STRING_EQUAL(endpoint.path, "/");
    }
}

static void
overrides_are_taken_in_the_order_of_the_sdks(void)
{
    struct rc_endpoint_options options = {0};

    clean_environment();
    setenv("AWS_ENDPOINT_URL", "http://all:1", 1);
    CU_ASSERT_EQUAL(resolve(RC_AWS_SQS, "us-east-1", NULL), RC_OK);
    CU_ASSERT_STRING_EQUAL(endpoint.host, "all:1");
    setenv("AWS_ENDPOINT_URL_SQS", "http://sqs:2", 1);
    CU_ASSERT_EQUAL(resolve(RC_AWS_SQS, "us-east-1", NULL), RC_OK);
    CU_ASSERT_STRING_EQUAL(endpoint.host, "sqs:2");
    CU_ASSERT_EQUAL(resolve(RC_AWS_EC2, "us-east-1", NULL), RC_OK);
    CU_ASSERT_STRING_EQUAL(endpoint.host, "all:1");
    options.url = "http://file:3";
    CU_ASSERT_EQUAL(resolve(RC_AWS_SQS, "us-east-1", &options), RC_OK);
    CU_ASSERT_STRING_EQUAL(endpoint.host, "file:3");
    options.service_url[RC_AWS_SQS] = "http://filesqs:4";
    CU_ASSERT_EQUAL(resolve(RC_AWS_SQS, "us-east-1", &options), RC_OK);
    CU_ASSERT_STRING_EQUAL(endpoint.host, "filesqs:4");
    setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", 1);
    CU_ASSERT_EQUAL(resolve(RC_AWS_SQS, "us-east-1", NULL), RC_OK);
    CU_ASSERT_STRING_EQUAL(endpoint.host, "sqs.us-east-1.amazonaws.com");
}

static void
an_override_is_split_into_host_and_path(void)
{
    static const struct {
        const char *given, *url, *host, *path;
    } cases[] = {
        {"http://h", "http://h/", "h", "/"},
        {"http://h:80/", "http://h:80/", "h", "/"},
        {"https://h:443", "https://h:443/", "h", "/"},
        {"http://h:443", "http://h:443/", "h:443", "/"},
        {"https://h/a/b/", "https://h/a/b", "h", "/a/b"},
        {"http://[::1]:9000", "http://[::1]:9000/", "[::1]:9000", "/"},
    };
    struct rc_endpoint_options options = {0};

    clean_environment();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        options.url = cases[i].given;
        CU_ASSERT_EQUAL(resolve(RC_AWS_EC2, "us-east-1", &options), RC_OK);
        CU_ASSERT_STRING_EQUAL(endpoint.url, cases[i].url);
        CU_ASSERT_STRING_EQUAL(endpoint.host, cases[i].host);
        CU_ASSERT_STRING_EQUAL(endpoint.path, cases[i].path);
    }
}

static void
a_wrong_override_is_refused_with_the_place_where_it_was_set(void)
{
    static const char *const wrong[] = {"ftp://h", "h:1", "http://", "http://u@h", "http://h?x"};

    clean_environment();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        setenv("AWS_ENDPOINT_URL_EC2", wrong[i], 1);
        CU_ASSERT_EQUAL(resolve(RC_AWS_EC2, "us-east-1", NULL), RC_E_INVALID);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "AWS_ENDPOINT_URL_EC2"));
    }
}

static void
a_region_that_is_none_is_refused(void)
{
    static const char *const wrong[] = {"", "us-east-1.evil.example/", "US-EAST-1", "a b"};

    clean_environment();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CU_ASSERT_EQUAL(resolve(RC_AWS_EC2, wrong[i], NULL), RC_E_INVALID);
    }
    CU_ASSERT_EQUAL(resolve(RC_AWS_EC2, NULL, NULL), RC_E_INVALID);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"each partition has its own names", each_partition_has_its_own_names},
        {"overrides are taken in the order of the SDKs",
         overrides_are_taken_in_the_order_of_the_sdks},
        {"an override is split into host and path", an_override_is_split_into_host_and_path},
        {"a wrong override is refused with the place where it was set",
         a_wrong_override_is_refused_with_the_place_where_it_was_set},
        {"a region that is none is refused", a_region_that_is_none_is_refused},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("endpoint", tests);
}
