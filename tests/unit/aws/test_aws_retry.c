/* Back-off, retry tokens, and the date forms that both need. */
#include "tests/harness/harness.h"

#include "reconciler/io/aws/aws_retry.h"
#include "reconciler/io/aws/aws_time.h"

static void
the_pause_grows_is_capped_and_is_spread(void)
{
    struct rc_aws_retry_options options = {
        .backoff_base_ms = 100, .backoff_max_ms = 1000, .seed = 7};
    struct rc_aws_retry r;
    int64_t longest[6] = {0}, sum = 0;

    rc_aws_retry_init(&r, &options);
    for (int i = 0; i < 2000; i++) {
        for (uint32_t n = 1; n <= 5; n++) {
            int64_t ms = rc_aws_retry_delay_ms(&r, n);
            CU_ASSERT_TRUE(ms >= 0);
            longest[n] = ms > longest[n] ? ms : longest[n];
            sum += n == 5 ? ms : 0;
        }
    }
    CU_ASSERT_TRUE(longest[1] > 90 && longest[1] <= 100);
    CU_ASSERT_TRUE(longest[2] > 180 && longest[2] <= 200);
    CU_ASSERT_TRUE(longest[5] > 900 && longest[5] <= 1000);
    CU_ASSERT_TRUE(sum / 2000 > 450 && sum / 2000 < 550);
}

static void
an_outage_empties_the_bucket_and_successes_fill_it(void)
{
    struct rc_aws_retry_options options = {.tokens = 20, .seed = 1};
    struct rc_aws_retry r;

    rc_aws_retry_init(&r, &options);
    CU_ASSERT_EQUAL(rc_aws_retry_take(&r, true), 10);
    CU_ASSERT_EQUAL(rc_aws_retry_take(&r, false), 5);
    CU_ASSERT_EQUAL(rc_aws_retry_take(&r, true), 0);
    CU_ASSERT_EQUAL(rc_aws_retry_take(&r, false), 5);
    CU_ASSERT_EQUAL(rc_aws_retry_take(&r, false), 0);
    rc_aws_retry_give(&r, 0);
    CU_ASSERT_EQUAL(r.tokens, 1);
    rc_aws_retry_give(&r, 10);
    CU_ASSERT_EQUAL(r.tokens, 11);
    rc_aws_retry_give(&r, 10);
    CU_ASSERT_EQUAL(r.tokens, 20);
}

static void
the_defaults_are_those_of_the_standard_mode(void)
{
    struct rc_aws_retry r;

    rc_aws_retry_init(&r, NULL);
    CU_ASSERT_EQUAL(r.options.attempts_max, 3);
    CU_ASSERT_EQUAL(r.options.backoff_max_ms, 20000);
    CU_ASSERT_EQUAL(r.tokens, 500);
}

static void
both_iso_forms_of_ec2_are_read(void)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"2018-05-08T16:46:19.000Z", 1525797979000}, {"2018-05-08T16:46:19.25Z", 1525797979250},
        {"2018-05-08T16:46:19+0000", 1525797979000}, {"2018-05-08T18:46:19+02:00", 1525797979000},
        {"2018-05-08T16:46:19Z", 1525797979000},     {"1970-01-01T00:00:00Z", 0},
    };
    static const char *const wrong[] = {"YYYY-MM-DDTHH:MM:SS.000Z",
                                        "",
                                        "2018-05-08",
                                        "now",
                                        "2018-13-08T16:46:19Z",
                                        "2018-05-08T16:46:19.Z",
                                        "2018-05-08T16:46:19Zx",
                                        "2018-05-08T26:46:19Z"};
    int64_t ms;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CU_ASSERT_TRUE(rc_aws_time_iso(cases[i].text, &ms));
        CU_ASSERT_EQUAL(ms, cases[i].ms);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CU_ASSERT_FALSE(rc_aws_time_iso(wrong[i], &ms));
    }
}

static void
http_dates_are_read_whatever_the_weekday(void)
{
    int64_t ms;

    CU_ASSERT_TRUE(rc_aws_time_http("Sun, 06 Nov 1994 08:49:37 GMT", &ms));
    CU_ASSERT_EQUAL(ms, 784111777000);
    CU_ASSERT_TRUE(rc_aws_time_http("Wed, 6 Nov 1994 08:49:37 GMT", &ms));
    CU_ASSERT_EQUAL(ms, 784111777000);
    CU_ASSERT_FALSE(rc_aws_time_http("Sunday, 06-Nov-94 08:49:37 GMT", &ms));
    CU_ASSERT_FALSE(rc_aws_time_http("120", &ms));
    CU_ASSERT_FALSE(rc_aws_time_http("Sun, 06 Nov", &ms));
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"the pause grows, is capped and is spread", the_pause_grows_is_capped_and_is_spread},
        {"an outage empties the bucket and successes fill it",
         an_outage_empties_the_bucket_and_successes_fill_it},
        {"the defaults are those of the standard mode",
         the_defaults_are_those_of_the_standard_mode},
        {"both ISO forms of EC2 are read", both_iso_forms_of_ec2_are_read},
        {"HTTP dates are read whatever the weekday", http_dates_are_read_whatever_the_weekday},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("aws-retry", tests);
}
