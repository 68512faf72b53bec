/* What AWS's error replies mean: the code before the status. */
#include <stdio.h>
#include <string.h>

#include "tests/harness/harness.h"

#include "reconciler/io/aws/aws_errors.h"

static struct rc_error error;

static enum rc_err
read_error(long status, const char *header, const char *body)
{
    enum rc_err err = rc_aws_error_read(status, header, body, strlen(body), &error);

    CU_ASSERT_EQUAL(err, error.code);
    return err;
}

static void
no_capacity_as_a_server_error_is_no_server_fault(void)
{
    CU_ASSERT_EQUAL(read_error(500, "",
                               "<?xml version=\"1.0\"?><Response><Errors><Error><Code>"
                               "InsufficientInstanceCapacity</Code><Message>We currently do not "
                               "have sufficient p4d.24xlarge capacity &amp; more.</Message></Error>"
                               "</Errors><RequestID>r</RequestID></Response>"),
                    RC_E_CAPACITY);
    CU_ASSERT_STRING_EQUAL(error.service_code, "InsufficientInstanceCapacity");
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "capacity & more."));
    CU_ASSERT_FALSE(rc_aws_error_retryable(error.code));
    CU_ASSERT_EQUAL(rc_err_retry(error.code), RC_RETRY_ELSEWHERE);
}

static void
throttling_is_known_by_its_code_whatever_the_status(void)
{
    CU_ASSERT_EQUAL(read_error(403, "", "{\"__type\":\"com.amazon#RequestThrottled\"}"),
                    RC_E_THROTTLED);
    CU_ASSERT_EQUAL(
        read_error(503, "",
                   "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors>"),
        RC_E_THROTTLED);
    CU_ASSERT_EQUAL(read_error(429, "", ""), RC_E_THROTTLED);
    CU_ASSERT_EQUAL(read_error(400, "ThrottlingException:http://internal/", ""), RC_E_THROTTLED);
}

static void
json_errors_are_read_with_and_without_name_space(void)
{
    CU_ASSERT_EQUAL(read_error(400, "",
                               "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":"
                               "\"The specified queue does not exist.\"}"),
                    RC_E_NOT_FOUND);
    CU_ASSERT_STRING_EQUAL(error.service_code, "QueueDoesNotExist");
    CU_ASSERT_STRING_EQUAL(error.text, "The specified queue does not exist.");
    CU_ASSERT_EQUAL(read_error(400, "", "{\"__type\":\"ExpiredTokenException\",\"Message\":\"x\"}"),
                    RC_E_CREDENTIALS);
    CU_ASSERT_STRING_EQUAL(error.text, "x");
}

static void
query_errors_of_sts_are_read(void)
{
    CU_ASSERT_EQUAL(read_error(403, "",
                               "<ErrorResponse xmlns=\"x\"><Error><Type>Sender</Type><Code>"
                               "InvalidClientTokenId</Code><Message>bad</Message></Error>"
                               "</ErrorResponse>"),
                    RC_E_CREDENTIALS);
}

static void
an_error_reply_that_is_cut_still_tells_its_code(void)
{
    CU_ASSERT_EQUAL(
        read_error(400, "", "<Response><Errors><Error><Code>IncorrectInstanceState</Code><Mess"),
        RC_E_STATE);
    CU_ASSERT_EQUAL(read_error(400, "", "<Response><Errors><Error><Code>Incorr"), RC_E_INVALID);
}

static void
an_html_500_is_not_a_fault_to_wait_out(void)
{
    CU_ASSERT_EQUAL(
        read_error(500, "", "<!doctype html>\n<title>500 Internal Server Error</title>"),
        RC_E_PARSE);
    CU_ASSERT_FALSE(rc_aws_error_retryable(error.code));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "HTTP 500"));
    CU_ASSERT_EQUAL(read_error(502, "", "<html>bad gateway</html>"), RC_E_SERVER);
    CU_ASSERT_EQUAL(read_error(503, "", ""), RC_E_SERVER);
    CU_ASSERT_EQUAL(read_error(500, "", ""), RC_E_SERVER);
}

static void
statuses_without_a_code_have_a_meaning(void)
{
    CU_ASSERT_EQUAL(read_error(400, "", "{\"message\":\"no\"}"), RC_E_INVALID);
    CU_ASSERT_EQUAL(read_error(403, "", "{}"), RC_E_DENIED);
    CU_ASSERT_EQUAL(read_error(404, "", "{}"), RC_E_NOT_FOUND);
    CU_ASSERT_EQUAL(read_error(302, "", ""), RC_E_INVALID);
    CU_ASSERT_EQUAL(rc_aws_error_of_status(200), RC_OK);
    CU_ASSERT_EQUAL(rc_aws_error_of_code("NoSuchCode"), RC_OK);
}

static void
texts_are_cut_to_one_printable_line(void)
{
    char accents[801], body[1024];

    for (size_t i = 0; i < sizeof accents - 1; i += 2) {
        memcpy(accents + i, "\xc3\xa9", 2); /* two bytes: the cut must not halve one */
    }
    accents[sizeof accents - 1] = '\0';
    snprintf(body, sizeof body, "{\"__type\":\"X\",\"message\":\"a\\nb%s\"}", accents);
    CU_ASSERT_EQUAL(read_error(400, "", body), RC_E_INVALID);
    CU_ASSERT_EQUAL(strncmp(error.text, "a b", 3), 0);
    CU_ASSERT_EQUAL((strlen(error.text) - 3) % 2, 0);
}

static void
wrong_types_in_an_error_body_do_no_harm(void)
{
    CU_ASSERT_EQUAL(read_error(400, "", "{\"__type\":5,\"message\":[1]}"), RC_E_INVALID);
    CU_ASSERT_EQUAL(read_error(400, "", "[]"), RC_E_INVALID);
    CU_ASSERT_EQUAL(read_error(400, "", "\"x\""), RC_E_INVALID);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"no capacity as a server error is no server fault",
         no_capacity_as_a_server_error_is_no_server_fault},
        {"throttling is known by its code, whatever the status",
         throttling_is_known_by_its_code_whatever_the_status},
        {"JSON errors are read with and without name space",
         json_errors_are_read_with_and_without_name_space},
        {"Query errors of STS are read", query_errors_of_sts_are_read},
        {"an error reply that is cut still tells its code",
         an_error_reply_that_is_cut_still_tells_its_code},
        {"an HTML 500 is not a fault to wait out", an_html_500_is_not_a_fault_to_wait_out},
        {"statuses without a code have a meaning", statuses_without_a_code_have_a_meaning},
        {"texts are cut to one printable line", texts_are_cut_to_one_printable_line},
        {"wrong types in an error body do no harm", wrong_types_in_an_error_body_do_no_harm},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("aws-errors", tests);
}
