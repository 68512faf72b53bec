/* The chain: environment, shared file, instance role; and how it refreshes. */
#define _GNU_SOURCE
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/harness/harness.h"
#include "tests/unit/aws/loopback.h"

#include "reconciler/io/aws/credentials.h"
#include "reconciler/io/aws/imds.h"

static struct event_base *base;
static struct loopback server;
static struct rc_http *http;
static struct rc_credential_chain *chain;
static struct rc_error error;
static int told;
static char file_path[64];

static void
begin(void)
{
    char url[64];

    clean_environment();
    memset(&error, 0, sizeof error);
    told = 0;
    base = event_base_new();
    loopback_start(&server, base);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", server.port);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url, 1);
    http = rc_http_new(base, NULL, NULL);
    chain = rc_credential_chain_new(base, http, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(chain);
}

static void
end(void)
{
    rc_credential_chain_free(chain);
    rc_http_free(http);
    loopback_stop(&server);
    event_base_free(base);
    if (file_path[0]) {
        unlink(file_path);
        file_path[0] = '\0';
    }
}

static void
on_told(const struct rc_error *e, void *arg)
{
    (void)arg;
    error = *e;
    told++;
}

/* Waits for a look-up; the usable credentials, or NULL and error. */
static const struct rc_credentials *
look(void)
{
    told = 0;
    CU_ASSERT_EQUAL(rc_credentials_wait(chain, on_told, &told), RC_OK);
    CU_ASSERT_EQUAL(told, 0);
    CU_ASSERT_TRUE(loop_until(base, &told, 1));
    return rc_credentials_now(chain);
}

static void
write_file(const char *text)
{
    snprintf(file_path, sizeof file_path, "/tmp/rc-credentials-XXXXXX");
    int fd = mkstemp(file_path);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    setenv("AWS_SHARED_CREDENTIALS_FILE", file_path, 1);
}

static void
role_reply(const char *key, int64_t lives_s)
{
    time_t until = time(NULL) + (time_t)lives_s;
    struct tm tm;
    char stamp[32], body[512];

    gmtime_r(&until, &tm);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &tm);
    snprintf(body, sizeof body,
             "{\"Code\":\"Success\",\"Type\":\"AWS-HMAC\",\"AccessKeyId\":\"%s\","
             "\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"%s\"}",
             key, stamp);
    loopback_push(&server, 200, "", body);
}

static void
token_reply(void)
{
    loopback_push(&server, 200, "X-Aws-Ec2-Metadata-Token-Ttl-Seconds: 21600\r\n", "AQAEtoken==");
}

static void
the_environment_comes_first(void)
{
    begin();
    setenv("AWS_ACCESS_KEY_ID", "AKENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
    setenv("AWS_SESSION_TOKEN", "t", 1);
    CU_ASSERT_PTR_NULL(rc_credentials_now(chain));
    const struct rc_credentials *c = look();
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_STRING_EQUAL(c->access_key, "AKENV");
    CU_ASSERT_STRING_EQUAL(c->token, "t");
    CU_ASSERT_STRING_EQUAL(c->source, "environment");
    end();
}

static void
half_an_environment_is_an_error_that_names_what_is_missing(void)
{
    begin();
    setenv("AWS_ACCESS_KEY_ID", "AKENV", 1);
    CU_ASSERT_PTR_NULL(look());
    CU_ASSERT_EQUAL(error.code, RC_E_CREDENTIALS);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "AWS_SECRET_ACCESS_KEY is not"));
    end();
}

static void
expired_ones_in_the_environment_are_refused_with_their_date(void)
{
    begin();
    setenv("AWS_ACCESS_KEY_ID", "AKENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
    setenv("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z", 1);
    CU_ASSERT_PTR_NULL(look());
    CU_ASSERT_EQUAL(error.code, RC_E_CREDENTIALS);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "expired at 2020-01-01"));
    end();
}

static void
the_shared_file_gives_the_named_profile(void)
{
    begin();
    write_file(
        "# comment\n[default]\naws_access_key_id = AKDEF\naws_secret_access_key=sd\n"
        "\n[ ops ]\n aws_nested = 1\naws_access_key_id=AKOPS\r\naws_secret_access_key = a=b\n"
        "aws_session_token= tok \nregion = eu-west-1\n");
    const struct rc_credentials *c = look();
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_STRING_EQUAL(c->access_key, "AKDEF");
    CU_ASSERT_PTR_NULL(c->token);
    setenv("AWS_PROFILE", "ops", 1);
    rc_credentials_refuse(chain, "AKDEF");
    c = look();
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_STRING_EQUAL(c->access_key, "AKOPS");
    CU_ASSERT_STRING_EQUAL(c->secret_key, "a=b");
    CU_ASSERT_STRING_EQUAL(c->token, "tok");
    end();
}

static void
a_broken_shared_file_is_an_error_with_file_and_line(void)
{
    static const struct {
        const char *text, *profile, *want;
    } cases[] = {
        {"[default]\naws_access_key_id AK\n", "default", ":2: expected key = value"},
        {"[default]\naws_access_key_id = AK\n", "default", "no aws_secret_access_key"},
        {"[default]\naws_secret_access_key = s\n", "default", "no aws_access_key_id"},
        {"[default]\n", "gone", "no profile \"gone\""},
        {"", "default", "no profile \"default\""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin();
        write_file(cases[i].text);
        setenv("AWS_PROFILE", cases[i].profile, 1);
        CU_ASSERT_PTR_NULL(look());
        CU_ASSERT_EQUAL(error.code, RC_E_CREDENTIALS);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, cases[i].want));
        CU_ASSERT_EQUAL(server.request_count, 0);
        end();
    }
}

static void
the_instance_role_is_asked_with_a_token(void)
{
    begin();
    token_reply();
    loopback_push(&server, 200, "", "my-role");
    role_reply("ASIA1", 3600);
    const struct rc_credentials *c = look();
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_STRING_EQUAL(c->access_key, "ASIA1");
    CU_ASSERT_STRING_EQUAL(c->source, "instance role");
    CU_ASSERT_STRING_EQUAL(loopback_target(&server, 0), "PUT /latest/api/token");
    CU_ASSERT_STRING_EQUAL(loopback_header(&server, 0, "X-aws-ec2-metadata-token-ttl-seconds"),
                           "21600");
    CU_ASSERT_STRING_EQUAL(loopback_header(&server, 1, "X-aws-ec2-metadata-token"), "AQAEtoken==");
    CU_ASSERT_STRING_EQUAL(loopback_target(&server, 2),
                           "GET /latest/meta-data/iam/security-credentials/my-role");
    CU_ASSERT_PTR_NOT_NULL(rc_credentials_now(chain));
    CU_ASSERT_EQUAL(rc_credentials_lookups(chain), 1);
    end();
}

static void
near_their_end_new_ones_are_fetched_while_the_old_stay_in_use(void)
{
    begin();
    token_reply();
    loopback_push(&server, 200, "", "r");
    role_reply("ASIA1", 200); /* within the last five minutes from the start */
    const struct rc_credentials *c = look();
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_EQUAL(rc_credentials_lookups(chain), 1); /* not at once again: a pause first */
    end();
    begin();
    token_reply();
    loopback_push(&server, 200, "", "r");
    role_reply("ASIA1", 200);
    loopback_push(&server, 404, "", "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(look());
    for (int i = 0; i < 400 && server.request_count < 4; i++) {
        struct timeval tv = {0, 50000};
        c = rc_credentials_now(chain);
        CU_ASSERT_PTR_NOT_NULL_FATAL(c);
        CU_ASSERT_STRING_EQUAL(c->access_key, "ASIA1");
        event_base_loopexit(base, &tv);
        event_base_dispatch(base);
    }
    CU_ASSERT_EQUAL(server.request_count, 4);          /* the refresh failed … */
    CU_ASSERT_PTR_NOT_NULL(rc_credentials_now(chain)); /* … and the old ones still work */
    end();
}

static void
a_refused_token_is_renewed(void)
{
    begin();
    token_reply();
    loopback_push(&server, 401, "", "");
    token_reply();
    loopback_push(&server, 200, "", "r");
    role_reply("ASIA1", 3600);
    CU_ASSERT_PTR_NOT_NULL(look());
    CU_ASSERT_EQUAL(server.request_count, 5);
    end();
}

static void
a_metadata_service_that_is_busy_is_asked_again(void)
{
    begin();
    loopback_push(&server, 503, "", "");
    token_reply();
    loopback_push(&server, 503, "", "");
    loopback_push(&server, 200, "", "r");
    loopback_push(&server, 503, "", "");
    role_reply("ASIA1", 3600);
    CU_ASSERT_PTR_NOT_NULL(look());
    CU_ASSERT_EQUAL(server.request_count, 6);
    end();
    begin();
    for (int i = 0; i < 4; i++) {
        loopback_push(&server, 503, "", "");
    }
    CU_ASSERT_PTR_NULL(look());
    CU_ASSERT_EQUAL(server.request_count, 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "HTTP 503"));
    end();
}

static void
an_instance_without_role_and_one_without_metadata_say_so(void)
{
    begin();
    token_reply();
    loopback_push(&server, 404, "", "");
    CU_ASSERT_PTR_NULL(look());
    CU_ASSERT_EQUAL(error.code, RC_E_CREDENTIALS);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "has no role"));
    end();
    begin();
    loopback_push(&server, 403, "", "");
    CU_ASSERT_PTR_NULL(look());
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "switched off"));
    end();
    begin();
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    CU_ASSERT_PTR_NULL(look());
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "AWS_EC2_METADATA_DISABLED"));
    CU_ASSERT_EQUAL(server.request_count, 0);
    end();
}

static void
broken_answers_of_the_metadata_service_are_refused(void)
{
    static const char *const bodies[] = {
        "",
        "<html>captive portal</html>",
        "{\"Code\":\"Failed\",\"Message\":\"AssumeRoleUnauthorizedAccess\"}",
        "{\"Code\":\"Success\",\"AccessKeyId\":\"A\"",
        "{\"Code\":\"Success\",\"AccessKeyId\":1,\"SecretAccessKey\":\"s\",\"Token\":\"t\","
        "\"Expiration\":\"2040-01-01T00:00:00Z\"}",
        "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"soon\"}",
        "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","
        "\"Expiration\":\"2020-01-01T00:00:00Z\"}",
    };

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        begin();
        token_reply();
        loopback_push(&server, 200, "", "r");
        loopback_push(&server, 200, "", bodies[i]);
        CU_ASSERT_PTR_NULL(look());
        CU_ASSERT_EQUAL(error.code, RC_E_CREDENTIALS);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "instance role"));
        end();
    }
    begin();
    loopback_push(&server, 200, "", "<html>not a token</html>");
    CU_ASSERT_PTR_NULL(look());
    end();
    begin();
    token_reply();
    loopback_push(&server, 200, "", "../../etc/passwd");
    CU_ASSERT_PTR_NULL(look());
    end();
}

static void
one_look_up_serves_all_who_wait_and_a_forgotten_one_is_not_told(void)
{
    int other = 0;

    begin();
    token_reply();
    loopback_push(&server, 200, "", "r");
    role_reply("ASIA1", 3600);
    CU_ASSERT_EQUAL(rc_credentials_wait(chain, on_told, &told), RC_OK);
    CU_ASSERT_EQUAL(rc_credentials_wait(chain, on_told, &told), RC_OK);
    CU_ASSERT_EQUAL(rc_credentials_wait(chain, on_told, &other), RC_OK);
    rc_credentials_forget(chain, &other);
    CU_ASSERT_TRUE(loop_until(base, &told, 2));
    CU_ASSERT_EQUAL(told, 2);
    CU_ASSERT_EQUAL(rc_credentials_lookups(chain), 1);
    end();
}

static void
the_identity_document_is_read_and_checked(void)
{
    static const char good[] =
        "{\"accountId\":\"123456789012\",\"availabilityZone\":\"us-east-1a\","
        "\"region\":\"us-east-1\",\"instanceId\":\"i-0123456789abcdef0\","
        "\"instanceType\":\"m7i.large\",\"privateIp\":\"10.0.0.1\"}";
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{\"region\":\"us-east-1\"}",
        "{\"region\":5,\"instanceId\":\"i-1\"}",
        "{\"region\":\"much-longer-than-any-region\",\"instanceId\":\"i\"}"};
    struct rc_imds_identity id;

    CU_ASSERT_EQUAL(rc_imds_identity_parse(good, strlen(good), &id, &error), RC_OK);
    CU_ASSERT_STRING_EQUAL(id.region, "us-east-1");
    CU_ASSERT_STRING_EQUAL(id.az, "us-east-1a");
    CU_ASSERT_STRING_EQUAL(id.instance, "i-0123456789abcdef0");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CU_ASSERT_EQUAL(rc_imds_identity_parse(bad[i], strlen(bad[i]), &id, &error), RC_E_PARSE);
    }
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"the environment comes first", the_environment_comes_first},
        {"half an environment is an error that names what is missing",
         half_an_environment_is_an_error_that_names_what_is_missing},
        {"expired ones in the environment are refused with their date",
         expired_ones_in_the_environment_are_refused_with_their_date},
        {"the shared file gives the named profile", the_shared_file_gives_the_named_profile},
        {"a broken shared file is an error with file and line",
         a_broken_shared_file_is_an_error_with_file_and_line},
        {"the instance role is asked with a token", the_instance_role_is_asked_with_a_token},
        {"near their end new ones are fetched while the old stay in use",
         near_their_end_new_ones_are_fetched_while_the_old_stay_in_use},
        {"a refused token is renewed", a_refused_token_is_renewed},
        {"a metadata service that is busy is asked again",
         a_metadata_service_that_is_busy_is_asked_again},
        {"an instance without role and one without metadata say so",
         an_instance_without_role_and_one_without_metadata_say_so},
        {"broken answers of the metadata service are refused",
         broken_answers_of_the_metadata_service_are_refused},
        {"one look-up serves all who wait, and a forgotten one is not told",
         one_look_up_serves_all_who_wait_and_a_forgotten_one_is_not_told},
        {"the identity document is read and checked", the_identity_document_is_read_and_checked},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("credentials", tests);
}
