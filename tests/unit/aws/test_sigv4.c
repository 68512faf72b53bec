/* The signer on its own cases; the public suite is in test_sigv4_vectors.c. */
#include <string.h>

#include "tests/harness/harness.h"

#include "reconciler/io/aws/credentials.h"
#include "reconciler/io/aws/sigv4.h"

static char access_key[] = "AKIDEXAMPLE";
static char secret_key[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
static char session_token[] = "session/token==";
static struct rc_credentials credentials = {.access_key = access_key, .secret_key = secret_key};

static const struct rc_sigv4_header host_only[] = {{"Host", "example.amazonaws.com"}};

static struct rc_sigv4_options
options(void)
{
    return (struct rc_sigv4_options){
        .credentials = &credentials,
        .region = "us-east-1",
        .service = "service",
        .wall_ms = 1440938160000, /* 2015-08-30T12:36:00Z */
        .normalize = true,
        .double_encode = true,
    };
}

/* The n-th line (0 = first) of the canonical request for a path and a query. */
static void
canonical_line(const char *path, const char *query, const struct rc_sigv4_options *opt, int line,
               char *ret, size_t room)
{
    struct rc_sigv4_request request = {
        .method = "GET", .path = path, .query = query, .headers = host_only, .header_count = 1};
    struct rc_sigv4 sig;

    CU_ASSERT_EQUAL_FATAL(rc_sigv4_sign(&request, opt, &sig, NULL), RC_OK);
    const char *p = sig.canonical_request;
    for (int i = 0; i < line; i++) {
        p = strchr(p, '\n') + 1;
    }
    snprintf(ret, room, "%.*s", (int)strcspn(p, "\n"), p);
    rc_sigv4_done(&sig);
}

static void
a_plain_get_has_the_published_signature(void)
{
    struct rc_sigv4_request request = {
        .method = "GET", .path = "/", .headers = host_only, .header_count = 1};
    struct rc_sigv4_options opt = options();
    struct rc_sigv4 sig;

    CU_ASSERT_EQUAL_FATAL(rc_sigv4_sign(&request, &opt, &sig, NULL), RC_OK);
    CU_ASSERT_STRING_EQUAL(sig.date, "20150830T123600Z");
    CU_ASSERT_STRING_EQUAL(sig.signature,
                           "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    CU_ASSERT_PTR_NOT_NULL(strstr(sig.authorization, "SignedHeaders=host;x-amz-date,"));
    rc_sigv4_done(&sig);
}

/* S3 API Reference, "Signature calculations for the Authorization header", PUT object. */
static void
an_object_has_the_signature_of_s3s_own_example(void)
{
    static const struct rc_sigv4_header headers[] = {
        {"Host", "examplebucket.s3.amazonaws.com"},
        {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
        {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
    };
    static char key[] = "AKIAIOSFODNN7EXAMPLE", secret[] = "wJalrXUtnFEMI/K7MDENG/"
                                                           "bPxRfiCYEXAMPLEKEY";
    static const char body[] = "Welcome to Amazon S3.";
    struct rc_credentials people = {.access_key = key, .secret_key = secret};
    struct rc_sigv4_request request = {.method = "PUT",
                                       .path = "/test%24file.text",
                                       .headers = headers,
                                       .header_count = 3,
                                       .body = body,
                                       .body_len = sizeof body - 1};
    struct rc_sigv4_options opt = {.credentials = &people,
                                   .region = "us-east-1",
                                   .service = "s3",
                                   .wall_ms = INT64_C(1369353600000),
                                   .sign_body = true};
    struct rc_sigv4 sig;

    CU_ASSERT_EQUAL_FATAL(rc_sigv4_sign(&request, &opt, &sig, NULL), RC_OK);
    CU_ASSERT_STRING_EQUAL(sig.payload,
                           "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
    CU_ASSERT_STRING_EQUAL(sig.signature,
                           "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    rc_sigv4_done(&sig);
}

static void
a_skewed_clock_signs_with_the_services_time(void)
{
    struct rc_sigv4_request request = {
        .method = "GET", .path = "/", .headers = host_only, .header_count = 1};
    struct rc_sigv4_options opt = options();
    struct rc_sigv4 sig;

    opt.skew_ms = -1800000;
    opt.wall_ms += 1800000;
    CU_ASSERT_EQUAL_FATAL(rc_sigv4_sign(&request, &opt, &sig, NULL), RC_OK);
    CU_ASSERT_STRING_EQUAL(sig.date, "20150830T123600Z");
    CU_ASSERT_STRING_EQUAL(sig.signature,
                           "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    rc_sigv4_done(&sig);
}

static void
paths_are_normalized_only_when_asked(void)
{
    static const struct {
        const char *path, *normalized, *raw;
    } cases[] = {
        {"", "/", "/"},
        {"/a/b/..", "/a", "/a/b/.."},
        {"/../../a", "/a", "/../../a"},
        {"//a///b/", "/a/b/", "//a///b/"},
        {"/a/./b/.", "/a/b", "/a/./b/."},
        {"/...", "/...", "/..."},
        {"/a%20b", "/a%2520b", "/a%2520b"},
    };
    struct rc_sigv4_options opt = options();
    char line[64];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        opt.normalize = true;
        canonical_line(cases[i].path, NULL, &opt, 1, line, sizeof line);
        CU_ASSERT_STRING_EQUAL(line, cases[i].normalized);
        opt.normalize = false;
        canonical_line(cases[i].path, NULL, &opt, 1, line, sizeof line);
        CU_ASSERT_STRING_EQUAL(line, cases[i].raw);
    }
    opt.double_encode = false;
    canonical_line("/a%20b", NULL, &opt, 1, line, sizeof line);
    CU_ASSERT_STRING_EQUAL(line, "/a%20b");
}

static void
queries_are_encoded_once_and_sorted_by_name_then_value(void)
{
    static const struct {
        const char *query, *canonical;
    } cases[] = {
        {"b=2&a=1", "a=1&b=2"},         {"a-b=1&a=2", "a=2&a-b=1"},
        {"k=b&k=a", "k=a&k=b"},         {"novalue&x=", "novalue=&x="},
        {"a=%e1%88%b4", "a=%E1%88%B4"}, {"a=b+c d", "a=b%2Bc%20d"},
        {"a=100%", "a=100%25"},         {"a=%4", "a=%254"},
        {"a=b=c", "a=b%3Dc"},           {"&&a=1&", "a=1"},
        {"a=%41%2Fb", "a=A%2Fb"},
    };
    struct rc_sigv4_options opt = options();
    char line[64];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        canonical_line("/", cases[i].query, &opt, 2, line, sizeof line);
        CU_ASSERT_STRING_EQUAL(line, cases[i].canonical);
    }
}

static void
headers_are_folded_joined_and_sorted(void)
{
    const struct rc_sigv4_header headers[] = {
        {"X-Amz-Target", "  AmazonSQS.ReceiveMessage  "},
        {"Host", "example.amazonaws.com:8443"},
        {"My-Header", "b\n   c"},
        {"User-Agent", "not signed"},
        {"my-header", "a   a"},
        {"My-Header-2", ""},
    };
    struct rc_sigv4_request request = {.method = "POST",
                                       .path = "/",
                                       .headers = headers,
                                       .header_count = 6,
                                       .body = "x",
                                       .body_len = 1};
    struct rc_sigv4_options opt = options();
    struct rc_sigv4 sig;

    CU_ASSERT_EQUAL_FATAL(rc_sigv4_sign(&request, &opt, &sig, NULL), RC_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(sig.canonical_request,
                                  "host:example.amazonaws.com:8443\n"
                                  "my-header:b c,a a\n"
                                  "my-header-2:\n"
                                  "x-amz-date:20150830T123600Z\n"
                                  "x-amz-target:AmazonSQS.ReceiveMessage\n"
                                  "\n"
                                  "host;my-header;my-header-2;x-amz-date;x-amz-target\n"));
    rc_sigv4_done(&sig);
}

static void
the_session_token_is_signed_unless_it_is_to_be_left_out(void)
{
    struct rc_sigv4_request request = {
        .method = "POST", .path = "/", .headers = host_only, .header_count = 1};
    struct rc_sigv4_options opt = options();
    struct rc_credentials session = credentials;
    struct rc_sigv4 sig;

    session.token = session_token;
    opt.credentials = &session;
    CU_ASSERT_EQUAL_FATAL(rc_sigv4_sign(&request, &opt, &sig, NULL), RC_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(sig.canonical_request, "x-amz-security-token:session/token==\n"));
    rc_sigv4_done(&sig);
    opt.omit_session_token = true;
    CU_ASSERT_EQUAL_FATAL(rc_sigv4_sign(&request, &opt, &sig, NULL), RC_OK);
    CU_ASSERT_PTR_NULL(strstr(sig.canonical_request, "security-token"));
    rc_sigv4_done(&sig);
}

static void
requests_that_cannot_be_signed_are_refused_with_a_reason(void)
{
    const struct rc_sigv4_header no_host[] = {{"Accept", "*"}};
    const struct rc_sigv4_header own_date[] = {{"Host", "h"}, {"X-AMZ-Date", "20150830T123600Z"}};
    struct rc_sigv4_request request = {
        .method = "GET", .path = "/", .headers = no_host, .header_count = 1};
    struct rc_sigv4_options opt = options();
    struct rc_error error;
    struct rc_sigv4 sig;

    CU_ASSERT_EQUAL(rc_sigv4_sign(&request, &opt, &sig, &error), RC_E_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "Host"));
    CU_ASSERT_PTR_NULL(sig.authorization);
    request.headers = own_date;
    request.header_count = 2;
    CU_ASSERT_EQUAL(rc_sigv4_sign(&request, &opt, &sig, &error), RC_E_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "x-amz-date"));
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a plain GET has the published signature", a_plain_get_has_the_published_signature},
        {"an object has the signature of S3's own example",
         an_object_has_the_signature_of_s3s_own_example},
        {"a skewed clock signs with the service's time",
         a_skewed_clock_signs_with_the_services_time},
        {"paths are normalized only when asked", paths_are_normalized_only_when_asked},
        {"queries are encoded once and sorted by name, then value",
         queries_are_encoded_once_and_sorted_by_name_then_value},
        {"headers are folded, joined and sorted", headers_are_folded_joined_and_sorted},
        {"the session token is signed unless it is to be left out",
         the_session_token_is_signed_unless_it_is_to_be_left_out},
        {"requests that cannot be signed are refused with a reason",
         requests_that_cannot_be_signed_are_refused_with_a_reason},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("sigv4", tests);
}
