/* Every file of $RC_VECTORS/aws-responses: read sensibly, or refused with a
 * reason. ec2-<operation>-<n>.xml is an EC2 body; sqs-<operation>-<n>.http.txt is
 * an SQS reply, its body after the blank line or, as the API reference prints
 * them, after the header lines. Other files are requests and notes. */
#define _GNU_SOURCE
#include <cjson/cJSON.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"

#include "reconciler/io/aws/ec2_xml.h"
#include "reconciler/io/aws/sqs_json.h"

static unsigned rows;

static void
on_row(const struct rc_event *row, void *arg)
{
    (void)arg;
    rows += row->instance[0] != '\0';
}

/* A refusal needs its reason; a reading must have named the reply. */
static void
run_ec2(const char *name, const char *body, size_t len)
{
    struct rc_ec2_expect expect = {"", "c1", on_row, NULL};
    struct rc_ec2_page page;
    struct rc_error error = {0};

    rows = 0;
    enum rc_err err = rc_ec2_xml_read(body, len, &expect, &page, &error);
    bool describes = strncmp(name, "ec2-describeinstance", 20) == 0;
    bool ok = err == RC_OK
                  ? page.root[0] && page.rows == rows && (!describes || rows + page.unreadable > 0)
                  : (err == RC_E_PARSE || err == RC_E_TRUNCATED) && error.text[0];
    rc_case(ok, name, "%s: %s, %u rows", rc_err_name(err), error.text, rows);
    free(page.console);
    /* Whatever was good must be refused when it lacks its end. */
    if (err == RC_OK && len > 40) {
        err = rc_ec2_xml_read(body, len / 2, &expect, &page, &error);
        free(page.console);
        CU_ASSERT_EQUAL(err, RC_E_TRUNCATED);
    }
}

static const char *
http_body(const char *text)
{
    const char *blank = strstr(text, "\n\n"), *brace = strstr(text, "\n{");

    return brace ? brace + 1 : blank ? blank + 2 : "";
}

static enum rc_err
read_sqs(const char *name, const char *body, struct rc_error *error)
{
    struct rc_sqs_received received = {0};
    struct rc_sqs_batch batch = {.count = 2};
    struct rc_sqs_attributes attributes = {0};
    cJSON *tree = NULL;
    char id[128];
    enum rc_err err;

    if (strstr(name, "receivemessage")) {
        err = rc_sqs_json_read_messages(body, strlen(body), &received, &tree);
        *error = received.error;
    } else if (strstr(name, "getqueueattributes")) {
        err = rc_sqs_json_read_attributes(body, strlen(body), &attributes);
        *error = attributes.error;
    } else if (strstr(name, "sendmessage")) {
        err = rc_sqs_json_read_sent(body, strlen(body), id, sizeof id, error);
    } else {
        err = rc_sqs_json_read_batch(body, strlen(body), &batch);
        *error = batch.error;
    }
    cJSON_Delete(tree);
    return err;
}

static void
run_file(const char *root, const char *name)
{
    size_t len = 0, name_len = strlen(name);
    struct rc_error error = {0};
    char path[4096];

    if (snprintf(path, sizeof path, "%s/%s", root, name) >= (int)sizeof path) {
        return;
    }
    char *text = rc_test_read_file(path, &len);
    if (!text) {
        rc_case(false, name, "cannot be opened");
    } else if (strncmp(name, "ec2-", 4) == 0) {
        run_ec2(name, text, len);
    } else if (strncmp(name, "sqs-", 4) == 0 && name_len > 9 &&
               strcmp(name + name_len - 9, ".http.txt") == 0) {
        enum rc_err err = read_sqs(name, http_body(text), &error);
        rc_case(err == RC_OK || error.text[0], name, "%s without a reason", rc_err_name(err));
    }
    free(text);
}

static void
every_reply_is_read_or_refused_with_a_reason(void)
{
    const char *root = rc_vectors_dir("aws-responses");
    struct dirent **entries;

    int count = root ? scandir(root, &entries, NULL, alphasort) : -1;
    if (count < 0) {
        rc_test_skip("RC_VECTORS is not set or has no folder aws-responses");
        return;
    }
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            run_file(root, entries[i]->d_name);
        }
        free(entries[i]);
    }
    free((void *)entries);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"every reply is read, or refused with a reason",
         every_reply_is_read_or_refused_with_a_reason},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("aws-responses", tests);
}
