/* bench_floor.c - the bare loop that event-to-drain compares with: receive a
 * message, set DRAIN on the node that its body names, delete it.
 *
 * usage: bench_floor QUEUE-URL SOCKET
 *
 * The same HTTP client, signer and SQS calls as the daemon's, and the same
 * slurm_update_node() (without a reason, which is the fastest form). After the
 * update "<CLOCK_MONOTONIC ns> <node>" goes to the Unix datagram socket. */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <sys/un.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <slurm/slurm.h>

#include "reconciler/io/aws/aws.h"
#include "reconciler/io/aws/sqs.h"

static struct rc_aws *aws;
static const char *queue_url;
static int tell_fd;

_Noreturn static void
die(const char *what, const char *why)
{
    fprintf(stderr, "bench_floor: %s: %s\n", what, why);
    exit(1);
}

static void
on_deleted(const struct rc_sqs_batch *batch, void *arg)
{
    (void)arg;
    if (batch->error.code || batch->failed) {
        die("delete", batch->error.text);
    }
}

static void
drain(const struct rc_sqs_message *m)
{
    struct timespec t;
    update_node_msg_t msg;
    char text[128], node[64];

    snprintf(node, sizeof node, "%.*s", (int)m->body_len, m->body);
    slurm_init_update_node_msg(&msg);
    msg.node_names = node;
    msg.node_state = NODE_STATE_DRAIN;
    if (slurm_update_node(&msg)) {
        die(node, slurm_strerror(slurm_get_errno()));
    }
    clock_gettime(CLOCK_MONOTONIC, &t);
    int len = snprintf(text, sizeof text, "%lld %s", (long long)t.tv_sec * 1000000000LL + t.tv_nsec,
                       node);
    if (send(tell_fd, text, (size_t)len, 0) != len) {
        die("socket", "nobody listens");
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
        drain(&received->messages[i]);
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
    struct rc_sqs_receive_options options = {.max = RC_SQS_BATCH_MAX, .wait_s = 20};

    if (rc_sqs_receive(aws, queue_url, &options, on_received, NULL, NULL)) {
        die("receive", "refused");
    }
}

int
main(int argc, char **argv)
{
    struct rc_aws_options options = {.cluster = "bench"};
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct event_base *base = event_base_new();
    struct rc_error err;

    if (argc != 3) {
        fprintf(stderr, "usage: bench_floor QUEUE-URL SOCKET\n");
        return 2;
    }
    queue_url = argv[1];
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s", argv[2]);
    tell_fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (tell_fd < 0 || connect(tell_fd, (const struct sockaddr *)&addr, sizeof addr)) {
        die("socket", argv[2]);
    }
    slurm_init(NULL);
    aws = base ? rc_aws_new(base, &options, &err) : NULL;
    if (!aws) {
        die("set-up", base ? err.text : "no event base");
    }
    receive();
    event_base_dispatch(base);
    return 0;
}
