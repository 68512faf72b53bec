/* bench_receive.c - the bare loop that the queue bench compares with: receive,
 * delete what came while the next receive is under way, nothing else.
 *
 * usage: bench_receive QUEUE-URL COUNT
 *
 * The same HTTP client, signer and SQS calls as the daemon's; credentials, region
 * and endpoint from the environment. Ends when COUNT messages are deleted. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>

#include "reconciler/io/aws/aws.h"
#include "reconciler/io/aws/sqs.h"

static struct event_base *base;
static struct rc_aws *aws;
static const char *queue_url;
static long wanted, deleted;

_Noreturn static void
die(const char *what, const char *why)
{
    fprintf(stderr, "bench_receive: %s: %s\n", what, why);
    exit(1);
}

static void
on_deleted(const struct rc_sqs_batch *batch, void *arg)
{
    (void)arg;
    if (batch->error.code || batch->failed) {
        die("delete", batch->error.text);
    }
    deleted += batch->count;
    if (deleted >= wanted) {
        event_base_loopbreak(base);
    }
}

static void receive(void);

static void
on_received(const struct rc_sqs_received *received, void *arg)
{
    struct rc_sqs_entry entries[RC_SQS_BATCH_MAX] = {{0}};

    (void)arg;
    if (received->error.code) {
        die("receive", received->error.text);
    }
    for (uint32_t i = 0; i < received->count; i++) {
        entries[i].receipt = received->messages[i].receipt;
    }
    if (received->count &&
        rc_sqs_delete_batch(aws, queue_url, entries, received->count, on_deleted, NULL)) {
        die("delete", "refused");
    }
    receive();
}

static void
receive(void)
{
    struct rc_sqs_receive_options options = {.max = RC_SQS_BATCH_MAX, .wait_s = 1};

    if (rc_sqs_receive(aws, queue_url, &options, on_received, NULL, NULL)) {
        die("receive", "refused");
    }
}

int
main(int argc, char **argv)
{
    struct rc_aws_options options = {.cluster = "bench"};
    struct rc_error err;

    wanted = argc == 3 ? atol(argv[2]) : 0;
    if (wanted < 1) {
        fprintf(stderr, "usage: bench_receive QUEUE-URL COUNT\n");
        return 2;
    }
    queue_url = argv[1];
    base = event_base_new();
    aws = base ? rc_aws_new(base, &options, &err) : NULL;
    if (!aws) {
        die("set-up", base ? err.text : "no event base");
    }
    receive();
    event_base_dispatch(base);
    rc_aws_free(aws);
    event_base_free(base);
    return 0;
}
