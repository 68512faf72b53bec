/* S3 through the request layer: where an object goes, how it is signed, what an answer means. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"
#include "tests/unit/aws/loopback.h"

#include "reconciler/io/aws/s3.h"

static struct aws_fixture f;
static struct rc_error put_error;

static void
on_put(const struct rc_error *error, void *arg)
{
    int *done = arg;

    put_error = *error;
    (*done)++;
}

static bool
put(const char *key, const char *body)
{
    const struct rc_s3_object object = {"evidence", key, "text/plain", body, strlen(body)};

    return rc_s3_put(f.aws, &object, on_put, &f.done) == RC_OK && fixture_run(&f, f.done + 1);
}

static void
begin(void)
{
    const struct rc_aws_options options = {.retry = {.backoff_base_ms = 1, .seed = 1}};

    memset(&put_error, 0, sizeof put_error);
    fixture_start(&f, &options);
}

static void
an_object_is_put_with_the_hash_of_its_bytes(void)
{
    begin();
    loopback_push(&f.server, 200, "ETag: \"1\"\r\n", "");
    CU_ASSERT_TRUE_FATAL(put("prod a/12-gpu-1/console.txt", "hello"));
    CU_ASSERT_EQUAL(put_error.code, RC_OK);
    CU_ASSERT_STRING_EQUAL(loopback_target(&f.server, 0),
                           "PUT /evidence/prod%20a/12-gpu-1/console.txt");
    CU_ASSERT_STRING_EQUAL(loopback_body(&f.server, 0), "hello");
    CU_ASSERT_STRING_EQUAL(loopback_header(&f.server, 0, "Content-Type"), "text/plain");
    CU_ASSERT_STRING_EQUAL(loopback_header(&f.server, 0, "X-Amz-Content-Sha256"),
                           "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(loopback_header(&f.server, 0, "Authorization"), "/s3/aws4_request"));
    CU_ASSERT_PTR_NOT_NULL(strstr(loopback_header(&f.server, 0, "Authorization"),
                                  "content-type;host;x-amz-content-sha256;x-amz-date"));
    fixture_stop(&f);
}

static void
an_empty_object_is_one_too(void)
{
    begin();
    loopback_push(&f.server, 200, "", "");
    CU_ASSERT_TRUE_FATAL(put("empty", ""));
    CU_ASSERT_EQUAL(put_error.code, RC_OK);
    CU_ASSERT_STRING_EQUAL(loopback_header(&f.server, 0, "Content-Length"), "0");
    fixture_stop(&f);
}

static void
what_passes_is_tried_again_and_what_does_not_is_told(void)
{
    static const char denied[] = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>"
                                 "<Message>not yours</Message></Error>";
    static const char missing[] = "<Error><Code>NoSuchBucket</Code><Message>none</Message></Error>";

    begin();
    loopback_push(&f.server, 503, "", "<Error><Code>SlowDown</Code></Error>");
    loopback_push(&f.server, 200, "", "");
    CU_ASSERT_TRUE_FATAL(put("a", "x"));
    CU_ASSERT_EQUAL(put_error.code, RC_OK);
    CU_ASSERT_EQUAL(f.server.request_count, 2);
    CU_ASSERT_STRING_EQUAL(loopback_body(&f.server, 1), "x");
    loopback_push(&f.server, 403, "", denied);
    CU_ASSERT_TRUE_FATAL(put("a", "x"));
    CU_ASSERT_EQUAL(put_error.code, RC_E_DENIED);
    CU_ASSERT_PTR_NOT_NULL(strstr(put_error.text, "not yours"));
    loopback_push(&f.server, 404, "", missing);
    CU_ASSERT_TRUE_FATAL(put("a", "x"));
    CU_ASSERT_EQUAL(put_error.code, RC_E_NOT_FOUND);
    fixture_stop(&f);
}

static void
the_bucket_is_in_the_host_name_where_a_certificate_covers_it(void)
{
    static const struct {
        const char *url, *bucket, *told;
    } rows[] = {
        {NULL, "evidence",
         "https://evidence.s3.eu-west-1.amazonaws.com/a%2Bb/c evidence.s3"
         ".eu-west-1.amazonaws.com /a%2Bb/c"},
        {NULL, "my.bucket",
         "https://s3.eu-west-1.amazonaws.com/my.bucket/a%2Bb/c s3.eu-west-1"
         ".amazonaws.com /my.bucket/a%2Bb/c"},
        {"http://127.0.0.1:5000", "evidence",
         "http://127.0.0.1:5000/evidence/a%2Bb/c 127.0.0.1:5000 /evidence/a%2Bb/c"},
        {"https://proxy/s3/", "evidence",
         "https://proxy/s3/evidence/a%2Bb/c proxy /s3/evidence/a%2Bb/c"},
    };

    clean_environment();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct rc_endpoint_options options = {.service_url[RC_AWS_S3] = rows[i].url};
        const struct rc_s3_object object = {.bucket = rows[i].bucket, .key = "a+b/c"};
        struct rc_s3_address at;
        struct rc_endpoint endpoint;
        struct rc_error e;
        char told[256];

        CU_ASSERT_EQUAL_FATAL(rc_endpoint_resolve(RC_AWS_S3, "eu-west-1", &options, &endpoint, &e),
                              RC_OK);
        CU_ASSERT_TRUE_FATAL(rc_s3_find_address(&endpoint, &object, &at));
        (void)snprintf(told, sizeof told, "%s %s %s", at.url, at.host, at.path);
        CU_ASSERT_STRING_EQUAL(told, rows[i].told);
        rc_s3_address_done(&at);
    }
}

static void
urls_of_people_are_read(void)
{
    static const struct {
        const char *url, *bucket, *prefix; /* NULL = refused */
    } rows[] = {
        {"s3://evidence", "evidence", ""},
        {"s3://evidence/", "evidence", ""},
        {"s3://evidence/prod//", "evidence", "prod"},
        {"s3://my.bucket-1/a b/c", "my.bucket-1", "a b/c"},
        {"s3://ab", NULL, NULL},
        {"s3://Evidence/x", NULL, NULL},
        {"s3:///x", NULL, NULL},
        {"s3://-ab/x", NULL, NULL},
        {"s3://ab-/x", NULL, NULL},
        {"https://evidence/x", NULL, NULL},
        {"", NULL, NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char bucket[RC_S3_BUCKET_LEN], prefix[RC_S3_KEY_LEN];
        bool good = rc_s3_parse(rows[i].url, bucket, prefix);

        CU_ASSERT_EQUAL(good, rows[i].bucket != NULL);
        if (good && rows[i].bucket) {
            CU_ASSERT_STRING_EQUAL(bucket, rows[i].bucket);
            CU_ASSERT_STRING_EQUAL(prefix, rows[i].prefix);
        }
    }
}

static void
a_name_that_cannot_be_is_refused_at_once(void)
{
    const struct rc_s3_object no_key = {"evidence", "", "text/plain", "x", 1};
    const struct rc_s3_object no_bucket = {"E", "k", "text/plain", "x", 1};

    begin();
    CU_ASSERT_EQUAL(rc_s3_put(f.aws, &no_key, on_put, &f.done), RC_E_INVALID);
    CU_ASSERT_EQUAL(rc_s3_put(f.aws, &no_bucket, on_put, &f.done), RC_E_INVALID);
    fixture_stop(&f);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"an object is put with the hash of its bytes",
         an_object_is_put_with_the_hash_of_its_bytes},
        {"an empty object is one too", an_empty_object_is_one_too},
        {"what passes is tried again, and what does not is told",
         what_passes_is_tried_again_and_what_does_not_is_told},
        {"the bucket is in the host name where a certificate covers it",
         the_bucket_is_in_the_host_name_where_a_certificate_covers_it},
        {"URLs of people are read", urls_of_people_are_read},
        {"a name that cannot be is refused at once", a_name_that_cannot_be_is_refused_at_once},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("s3", tests);
}
