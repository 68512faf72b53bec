/* fuzz_aws.c - libFuzzer target: any bytes at all as a reply of AWS.
 *
 * Beyond the sanitizers it asserts what callers rely on: a reason with every
 * refusal, rows only from a body that was read whole, ids in every row, counts
 * within their limits. */
#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/aws/aws_errors.h"
#include "reconciler/io/aws/ec2_xml.h"
#include "reconciler/io/aws/imds.h"
#include "reconciler/io/aws/sqs_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void
on_row(const struct rc_event *row, void *arg)
{
    uint32_t *rows = arg;

    must(row->instance[0] && row->at_ms == 0 &&
         (row->kind == RC_EV_INSTANCE || row->kind == RC_EV_INSTANCE_STATUS));
    (*rows)++;
}

static void
read_as_ec2(const char *body, size_t len)
{
    uint32_t rows = 0;
    struct rc_ec2_expect expect = {"", "c1", on_row, &rows};
    struct rc_ec2_page page;
    struct rc_error error = {0};
    enum rc_err err = rc_ec2_xml_read(body, len, &expect, &page, &error);

    must(err == RC_OK || error.text[0]);
    must(rows == page.rows && (err == RC_OK || rows == 0));
    must(err == RC_OK || !page.console);
    free(page.console);
}

static void
read_as_sqs(const char *body, size_t len)
{
    struct rc_sqs_received received = {0};
    struct rc_sqs_batch batch = {.count = 3};
    struct rc_sqs_attributes attributes = {0};
    struct rc_error error = {0};
    cJSON *tree = NULL;
    char id[64];

    if (rc_sqs_json_read_messages(body, len, &received, &tree) != RC_OK) {
        must(received.error.text[0] && received.count == 0);
    }
    must(received.count <= RC_SQS_BATCH_MAX);
    for (uint32_t i = 0; i < received.count; i++) {
        must(strlen(received.messages[i].body) == received.messages[i].body_len);
        must(received.messages[i].receipt[0]);
    }
    cJSON_Delete(tree);
    must(rc_sqs_json_read_batch(body, len, &batch) == RC_OK || batch.error.text[0]);
    must(rc_sqs_json_read_attributes(body, len, &attributes) == RC_OK || attributes.error.text[0]);
    must(rc_sqs_json_read_sent(body, len, id, sizeof id, &error) == RC_OK || error.text[0]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rc_imds_identity identity;
    struct rc_error error;
    char *body = malloc(size + 1); /* replies are NUL-terminated beyond their length */

    must(body != NULL);
    memcpy(body, data, size);
    body[size] = '\0';
    read_as_ec2(body, size);
    read_as_sqs(body, size);
    must(rc_aws_error_read(500, "", body, size, &error) != RC_OK);
    must(rc_aws_error_read(400, "", body, size, &error) != RC_OK);
    (void)rc_imds_identity_parse(body, size, &identity, &error);
    free(body);
    return 0;
}
