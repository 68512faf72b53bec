/* The signature check, by known signatures and by what must be refused. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/world/sigv4_check.h"

#define AT 1440938160000 /* 2015-08-30T12:36:00Z */

static struct rc_sigv4_keys keys = {
    .region = "us-east-1",
    .credential = {{.key = "AKIDEXAMPLE", .secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}},
};

/* GET / of the AWS documentation's first example case. */
static struct rc_sigv4_header vanilla[] = {
    {"Host", "example.amazonaws.com"},
    {"X-Amz-Date", "20150830T123600Z"},
    {"Authorization",
     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
     "SignedHeaders=host;x-amz-date, "
     "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"X-Amz-Extra", "x"},
};

static struct rc_sigv4_request
request_of(size_t headers)
{
    return (struct rc_sigv4_request){
        .method = "GET", .uri = "/", .header = vanilla, .header_count = headers, .body = ""};
}

static void
known_signature__is_right(void)
{
    struct rc_sigv4_request r = request_of(3);
    char service[32];

    CU_ASSERT_EQUAL(rc_sigv4_check(&keys, &r, AT, service), RC_SIGV4_OK);
    CU_ASSERT_STRING_EQUAL(service, "service");
}

static void
anything_changed__is_a_mismatch(void)
{
    struct rc_sigv4_request r = request_of(3);
    char service[32];

    r.body = "x";
    r.body_len = 1;
    CU_ASSERT_EQUAL(rc_sigv4_check(&keys, &r, AT, service), RC_SIGV4_MISMATCH);
    r = request_of(3);
    r.uri = "/?a=b";
    CU_ASSERT_EQUAL(rc_sigv4_check(&keys, &r, AT, service), RC_SIGV4_MISMATCH);
    r = request_of(3);
    r.method = "POST";
    CU_ASSERT_EQUAL(rc_sigv4_check(&keys, &r, AT, service), RC_SIGV4_MISMATCH);
}

static void
unsigned_amz_header__is_a_mismatch(void)
{
    struct rc_sigv4_request r = request_of(4);
    char service[32];

    CU_ASSERT_EQUAL(rc_sigv4_check(&keys, &r, AT, service), RC_SIGV4_MISMATCH);
}

static void
clock__off_by_more_than_a_quarter_of_an_hour__is_refused(void)
{
    struct rc_sigv4_request r = request_of(3);
    char service[32];

    CU_ASSERT_EQUAL(rc_sigv4_check(&keys, &r, AT + 900000, service), RC_SIGV4_OK);
    CU_ASSERT_EQUAL(rc_sigv4_check(&keys, &r, AT + 900001, service), RC_SIGV4_SKEWED);
    CU_ASSERT_EQUAL(rc_sigv4_check(&keys, &r, AT - 900001, service), RC_SIGV4_SKEWED);
}

static void
keys_tokens_and_scope__are_checked(void)
{
    struct rc_sigv4_keys other = keys;
    struct rc_sigv4_request r = request_of(3);
    char service[32];

    other.credential[0].token[0] = 't';
    CU_ASSERT_EQUAL(rc_sigv4_check(&other, &r, AT, service), RC_SIGV4_UNKNOWN_KEY);
    other = keys;
    other.credential[0].expires_ms = AT;
    CU_ASSERT_EQUAL(rc_sigv4_check(&other, &r, AT, service), RC_SIGV4_EXPIRED);
    other = keys;
    (void)snprintf(other.region, sizeof(other.region), "eu-west-1");
    CU_ASSERT_EQUAL(rc_sigv4_check(&other, &r, AT, service), RC_SIGV4_SCOPE);
    other = keys;
    other.credential[0].secret[0] = 'W';
    CU_ASSERT_EQUAL(rc_sigv4_check(&other, &r, AT, service), RC_SIGV4_MISMATCH);
}

static void
broken_headers__are_told_apart(void)
{
    static const char *const bad[] = {
        "",
        "Basic abc",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request",
        "AWS4-HMAC-SHA256 Credential=A/2015/us-east-1/s/aws4_request, SignedHeaders=a, Signature=0",
    };
    struct rc_sigv4_header header[3] = {vanilla[0], vanilla[1], {"Authorization", ""}};
    struct rc_sigv4_request r = request_of(2);
    char service[32];

    CU_ASSERT_EQUAL(rc_sigv4_check(&keys, &r, AT, service), RC_SIGV4_MISSING);
    r.header = header;
    r.header_count = 3;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        header[2].value = bad[i];
        CU_ASSERT_EQUAL(rc_sigv4_check(&keys, &r, AT, service), RC_SIGV4_MALFORMED);
    }
}

/* A signed request as text: request line, headers, empty line, body. Cut in place. */
static bool
text_is_right(char *text)
{
    struct rc_sigv4_header header[32];
    struct rc_sigv4_request r = {.header = header, .body = ""};
    struct rc_sigv4_keys own = keys;
    char *body = strstr(text, "\n\n");
    char *save = NULL;
    char *line;
    char service[32];

    if (body != NULL) {
        *body = '\0';
        r.body = body + 2;
        r.body_len = strlen(body + 2);
    }
    r.method = strtok_r(text, " ", &save);
    r.uri = strtok_r(NULL, " ", &save);
    (void)strtok_r(NULL, "\n", &save);
    while ((line = strtok_r(NULL, "\n", &save)) != NULL && r.header_count < 32) {
        char *colon = strchr(line, ':');

        if (colon == NULL)
            return false;
        *colon = '\0';
        header[r.header_count++] = (struct rc_sigv4_header){line, colon + 1};
        if (strcasecmp(line, "X-Amz-Security-Token") == 0)
            (void)snprintf(own.credential[0].token, RC_SIGV4_TOKEN_LEN, "%s", colon + 1);
    }
    return rc_sigv4_check(&own, &r, AT, service) == RC_SIGV4_OK;
}

/* POST cases only: this service never sees a path to normalise. A token added after the
 * signing is refused here, as every unsigned x-amz header is. */
static void
vectors__are_right(void)
{
    const char *folder = rc_vectors_dir("sigv4");
    DIR *dir = folder != NULL ? opendir(folder) : NULL;
    const struct dirent *entry;

    if (dir == NULL) {
        rc_test_skip("RC_VECTORS is not set");
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        char path[1024];
        size_t len;
        char *text;

        (void)snprintf(path, sizeof(path), "%s/%s/header-signed-request.txt", folder,
                       entry->d_name);
        text = rc_test_read_file(path, &len);
        if (text != NULL && strncmp(entry->d_name, "post-", 5) == 0 &&
            strstr(entry->d_name, "header-after") == NULL)
            (void)rc_case(text_is_right(text), entry->d_name, "the known signature was refused");
        free(text);
    }
    (void)closedir(dir);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a known signature is right", known_signature__is_right},
        {"anything changed is a mismatch", anything_changed__is_a_mismatch},
        {"an unsigned x-amz header is a mismatch", unsigned_amz_header__is_a_mismatch},
        {"a clock off by more than 15 minutes is refused",
         clock__off_by_more_than_a_quarter_of_an_hour__is_refused},
        {"keys, tokens and scope are checked", keys_tokens_and_scope__are_checked},
        {"broken headers are told apart", broken_headers__are_told_apart},
        {"the shared cases are right", vectors__are_right},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("sigv4_check", tests);
}
