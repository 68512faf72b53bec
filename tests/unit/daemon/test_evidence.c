/* Bundles of evidence go to S3, in order, until they are there; what fails is told. */
#define _GNU_SOURCE
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness/harness.h"
#include "tests/unit/aws/loopback.h"

#include "reconciler/io/daemon/evidence.h"
#include "reconciler/io/host/bundle.h"

static struct aws_fixture f;
static struct rc_daemon d;
static char root[] = "/tmp/evidence-XXXXXX";
static char log_path[64];

static void
begin(const char *dir)
{
    const struct rc_aws_options options = {.retry = {.backoff_base_ms = 1, .seed = 1}};
    struct rc_error e;

    fixture_start(&f, &options);
    memset(&d, 0, sizeof d);
    d.base = f.base;
    d.aws = f.aws;
    (void)snprintf(d.config.forensics.dir, sizeof d.config.forensics.dir, "%s/%s", root, dir);
    (void)snprintf(d.config.forensics.s3, sizeof d.config.forensics.s3, "s3://evidence/prod/");
    CU_ASSERT_EQUAL_FATAL(rc_log_open(log_path, RC_LOG_INFO, &d.log, &e), RC_OK);
    d.evidence = rc_evidence_new(&d);
}

static void
end(void)
{
    rc_evidence_free(d.evidence);
    rc_log_close(d.log);
    fixture_stop(&f);
}

static struct rc_bundle
bundle(void)
{
    return (struct rc_bundle){.dir = d.config.forensics.dir,
                              .incident = 7,
                              .keep_max = 9,
                              .node = "gpu-1",
                              .instance = "i-1",
                              .addr = "10.0.0.1",
                              .device = "",
                              .boot = "",
                              .serials = ""};
}

static void
write_bundle(void)
{
    const struct rc_bundle_file files[] = {
        {.name = "node.tar.gz", .bytes = "abc", .len = 3, .note = ""},
        {.name = "console.txt", .bytes = "c", .len = 1, .note = ""},
    };
    struct rc_bundle b = bundle();
    struct rc_error e;

    CU_ASSERT_EQUAL_FATAL(rc_bundle_write(&b, files, 2, &e), RC_OK);
}

static void
answer(unsigned times, int status)
{
    for (unsigned i = 0; i < times; i++) {
        loopback_push(&f.server, status, "",
                      status == 200 ? "" : "<Error><Code>InternalError</Code></Error>");
    }
}

/* Runs the loop until the server has had so many requests and their answers were read. */
static bool
run_until(unsigned requests)
{
    const struct timeval tick = {.tv_usec = 20000};

    for (int i = 0; i < 500 && f.server.request_count < requests; i++) {
        event_base_loopexit(f.base, &tick);
        event_base_dispatch(f.base);
    }
    for (int i = 0; i < 10; i++) {
        event_base_loopexit(f.base, &tick);
        event_base_dispatch(f.base);
    }
    return f.server.request_count == requests;
}

static bool
is_copied(void)
{
    char name[NAME_MAX + 1];

    return !rc_bundle_uncopied(d.config.forensics.dir, name);
}

static void
the_manifest_goes_last_and_then_it_is_marked(void)
{
    begin("order");
    write_bundle();
    answer(3, 200);
    CU_ASSERT_TRUE_FATAL(run_until(3));
    CU_ASSERT_STRING_EQUAL(loopback_target(&f.server, 0), "PUT /evidence/prod/7-gpu-1/console.txt");
    CU_ASSERT_STRING_EQUAL(loopback_target(&f.server, 1), "PUT /evidence/prod/7-gpu-1/node.tar.gz");
    CU_ASSERT_STRING_EQUAL(loopback_target(&f.server, 2),
                           "PUT /evidence/prod/7-gpu-1/manifest.json");
    CU_ASSERT_STRING_EQUAL(loopback_header(&f.server, 1, "Content-Type"), "application/gzip");
    CU_ASSERT_TRUE(is_copied());
    end();
}

static void
what_fails_is_told_and_goes_on_after_a_restart(void)
{
    char text[4096] = "";

    begin("fails");
    write_bundle();
    answer(1, 200);
    answer(3, 500);
    CU_ASSERT_TRUE_FATAL(run_until(4));
    CU_ASSERT_FALSE(is_copied());
    end();
    FILE *log = fopen(log_path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(log);
    text[fread(text, 1, sizeof text - 1, log)] = '\0';
    (void)fclose(log);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"evidence\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "7-gpu-1"));
    begin("fails"); /* another process finds it by the folder alone */
    answer(3, 200);
    CU_ASSERT_TRUE(run_until(3));
    CU_ASSERT_TRUE(is_copied());
    end();
}

static void
what_is_added_later_is_copied_too(void)
{
    struct rc_error e;
    char path[PATH_MAX];

    begin("later");
    write_bundle();
    answer(3, 200);
    CU_ASSERT_TRUE_FATAL(run_until(3));
    struct rc_bundle b = bundle();
    CU_ASSERT_EQUAL(rc_bundle_add(&b, "support-case.txt", "x", path, &e), RC_OK);
    answer(4, 200);
    rc_evidence_poke(d.evidence);
    CU_ASSERT_TRUE(run_until(7));
    CU_ASSERT_STRING_EQUAL(loopback_target(&f.server, 5),
                           "PUT /evidence/prod/7-gpu-1/support-case.txt");
    CU_ASSERT_TRUE(is_copied());
    end();
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"the manifest goes last, and then it is marked",
         the_manifest_goes_last_and_then_it_is_marked},
        {"what fails is told, and goes on after a restart",
         what_fails_is_told_and_goes_on_after_a_restart},
        {"what is added later is copied too", what_is_added_later_is_copied_too},
        CU_TEST_INFO_NULL,
    };
    char command[64];

    if (!mkdtemp(root)) {
        return 1;
    }
    (void)snprintf(log_path, sizeof log_path, "%s/log", root);
    int status = rc_test_main("evidence", tests);
    (void)snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command) == 0 ? status : 1;
}
