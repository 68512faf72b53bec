/* aws_client - the AWS room as a command, so that a test can drive it against a
 * server that this project did not write.
 *
 *   aws_client [--cluster NAME] [--connect-to SPEC] COMMAND [ARGUMENT …]
 *
 * Endpoints, region and credentials come from the environment, as in the daemon.
 * CLOCK_SHIFT_S shifts what the program takes for the time of day. Output: one
 * `attempt …` line an HTTP attempt, lines of the result, and a last `done …` line.
 * Exit status 0: the call was made, whatever came of it; 2: usage. */
#define _GNU_SOURCE
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reconciler/io/aws/aws.h"
#include "reconciler/io/aws/ec2.h"
#include "reconciler/io/aws/imds.h"
#include "reconciler/io/aws/s3.h"
#include "reconciler/io/aws/sqs.h"

int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);

/* The linker puts this in the place of clock_gettime (--wrap). */
int
__wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
    const char *shift = getenv("CLOCK_SHIFT_S");
    int status = __real_clock_gettime(id, ts);

    if (shift && id == CLOCK_REALTIME) {
        ts->tv_sec += strtol(shift, NULL, 10);
    }
    return status;
}

struct client {
    struct event_base *base;
    struct rc_aws *aws;
    const char *queue;
    bool draining;
    unsigned drained;
    int argc;
    char **argv;
};

static void
print_done(const struct rc_error *error)
{
    printf("done error=%s code=%s text=%s\n", rc_err_name(error->code), error->service_code,
           error->text);
}

static void
stop(struct client *c, const struct rc_error *error)
{
    print_done(error);
    event_base_loopbreak(c->base);
}

static void
on_attempt(const struct rc_aws_attempt *a, void *arg)
{
    (void)arg;
    printf("attempt op=%s n=%u status=%ld error=%s code=%s retry_in_ms=%lld\n",
           rc_aws_op_name(a->op), a->attempt, a->status, rc_err_name(a->error->code),
           a->error->service_code, (long long)a->retry_in_ms);
}

static void receive(struct client *c);

static void
on_drained(const struct rc_sqs_batch *batch, void *arg)
{
    struct client *c = arg;

    if (batch->error.code != RC_OK || batch->failed) {
        stop(c, &batch->error);
        return;
    }
    c->drained += batch->count;
    receive(c);
}

static void
on_received(const struct rc_sqs_received *r, void *arg)
{
    struct client *c = arg;
    struct rc_sqs_entry entries[RC_SQS_BATCH_MAX] = {0};

    for (uint32_t i = 0; i < r->count; i++) {
        const struct rc_sqs_message *m = &r->messages[i];
        entries[i].receipt = m->receipt;
        if (!c->draining) {
            printf("message receives=%u sent=%lld body=%s\n", m->receives, (long long)m->sent_ms,
                   m->body);
        }
    }
    if (c->draining && r->count > 0) {
        if (rc_sqs_delete_batch(c->aws, c->queue, entries, r->count, on_drained, c) != RC_OK) {
            event_base_loopbreak(c->base);
        }
        return;
    }
    printf("received count=%u unreadable=%u drained=%u\n", r->count, r->unreadable, c->drained);
    stop(c, &r->error);
}

static void
receive(struct client *c)
{
    struct rc_sqs_receive_options options = {.wait_s = 1, .visibility_s = 30};

    rc_sqs_receive(c->aws, c->queue, &options, on_received, c, NULL);
}

static enum rc_err
run_receive(struct client *c)
{
    c->queue = c->argv[1];
    receive(c);
    return RC_OK;
}

static enum rc_err
run_drain(struct client *c)
{
    c->draining = true;
    return run_receive(c);
}

static void
on_batch(const struct rc_sqs_batch *batch, void *arg)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        printf("entry n=%u error=%s code=%s\n", i, rc_err_name(batch->entry[i].code),
               batch->entry[i].service_code);
    }
    stop(arg, &batch->error);
}

static enum rc_err
run_delete(struct client *c)
{
    struct rc_sqs_entry entries[RC_SQS_BATCH_MAX] = {0};
    uint32_t count = 0;

    for (int i = 2; i < c->argc && count < RC_SQS_BATCH_MAX; i++) {
        entries[count++].receipt = c->argv[i];
    }
    return rc_sqs_delete_batch(c->aws, c->argv[1], entries, count, on_batch, c);
}

static void
on_sent(const struct rc_error *error, const char *id, void *arg)
{
    printf("sent id=%s\n", id);
    stop(arg, error);
}

static enum rc_err
run_send(struct client *c)
{
    return rc_sqs_send(c->aws, c->argv[1], c->argv[2], 0, on_sent, c);
}

static void
on_attributes(const struct rc_sqs_attributes *a, void *arg)
{
    printf("attributes visible=%lld not_visible=%lld visibility_s=%lld\n", (long long)a->visible,
           (long long)a->not_visible, (long long)a->visibility_s);
    stop(arg, &a->error);
}

static enum rc_err
run_attributes(struct client *c)
{
    return rc_sqs_get_attributes(c->aws, c->argv[1], on_attributes, c);
}

static void
on_row(const struct rc_event *row, void *arg)
{
    const struct rc_ev_instance *i = &row->u.described;
    const struct rc_ev_instance_status *s = &row->u.status;

    (void)arg;
    if (row->kind == RC_EV_INSTANCE) {
        printf("instance id=%s state=%u node=%s ours=%u attempt=%u type=%s subnet=%s addr=%s az=%s "
               "launched=%lld\n",
               row->instance, i->state, i->node, i->ours, i->tag_attempt, i->type, i->subnet,
               i->addr, i->az, (long long)i->launched_wall_ms);
    } else {
        printf("status id=%s state=%u system=%u instance=%u schedule=%u\n", row->instance, s->state,
               s->system, s->instance, s->schedule);
    }
}

static void
on_done(const struct rc_ec2_done *done, void *arg)
{
    printf("result complete=%d pages=%u rows=%u unreadable=%u\n", done->complete, done->pages,
           done->rows, done->unreadable);
    stop(arg, &done->error);
}

static struct rc_ec2_sink
sink_of(struct client *c)
{
    return (struct rc_ec2_sink){on_row, on_done, c};
}

/* run TEMPLATE VERSION TOKEN NODE [SUBNET] */
static enum rc_err
run_run(struct client *c)
{
    const struct rc_ec2_tag tags[] = {
        {RC_TAG_CLUSTER, rc_aws_cluster(c->aws)}, {RC_TAG_NODE, c->argv[4]}, {RC_TAG_ATTEMPT, "1"}};
    struct rc_ec2_launch launch = {
        .template_id = c->argv[1],
        .template_version = (uint32_t)strtoul(c->argv[2], NULL, 10),
        .token = c->argv[3],
        .subnet = c->argc > 5 ? c->argv[5] : "",
        .tags = tags,
        .tag_count = 3,
    };
    struct rc_ec2_sink sink = sink_of(c);

    return rc_ec2_run(c->aws, &launch, &sink, NULL);
}

/* OPERATION ID … */
static enum rc_err
run_on_ids(struct client *c)
{
    struct rc_ec2_ids ids = {(const char *const *)c->argv + 1, (size_t)c->argc - 1};
    const struct rc_ec2_tag tag = {"purpose", "test"};
    struct rc_ec2_sink sink = sink_of(c);
    const char *what = c->argv[0];

    if (strcmp(what, "describe") == 0) {
        return rc_ec2_describe_ids(c->aws, &ids, &sink, NULL);
    }
    if (strcmp(what, "status") == 0) {
        return rc_ec2_status_ids(c->aws, &ids, &sink, NULL);
    }
    if (strcmp(what, "stop") == 0) {
        return rc_ec2_stop(c->aws, &ids, 0, &sink, NULL);
    }
    if (strcmp(what, "start") == 0) {
        return rc_ec2_start(c->aws, &ids, &sink, NULL);
    }
    if (strcmp(what, "reboot") == 0) {
        return rc_ec2_reboot(c->aws, &ids, &sink, NULL);
    }
    if (strcmp(what, "tag") == 0) {
        return rc_ec2_create_tags(c->aws, &ids, &tag, 1, &sink, NULL);
    }
    return rc_ec2_terminate(c->aws, &ids, 0, &sink, NULL);
}

static enum rc_err
run_describe_cluster(struct client *c)
{
    struct rc_ec2_sink sink = sink_of(c);

    return rc_ec2_describe_cluster(c->aws, &sink, NULL);
}

static enum rc_err
run_status_all(struct client *c)
{
    struct rc_ec2_sink sink = sink_of(c);

    return rc_ec2_status_all(c->aws, &sink, NULL);
}

static void
on_console(const struct rc_error *error, const char *text, size_t len, void *arg)
{
    printf("console bytes=%zu text=%.40s\n", len, text);
    stop(arg, error);
}

static enum rc_err
run_console(struct client *c)
{
    return rc_ec2_console(c->aws, c->argv[1], on_console, c, NULL);
}

static void
on_credentials(const struct rc_error *error, void *arg)
{
    struct client *c = arg;
    const struct rc_credentials *found = rc_credentials_now(rc_aws_credentials(c->aws));

    if (found) {
        printf("credentials source=%s key=%s token=%d expires=%lld\n", found->source,
               found->access_key, found->token != NULL, (long long)found->expires_wall_ms);
    }
    stop(c, error);
}

static enum rc_err
run_credentials(struct client *c)
{
    return rc_credentials_wait(rc_aws_credentials(c->aws), on_credentials, c);
}

static void
on_identity(const struct rc_error *error, const char *body, size_t len, void *arg)
{
    struct rc_imds_identity id;
    struct rc_error why = *error;

    if (why.code == RC_OK && rc_imds_identity_parse(body, len, &id, &why) == RC_OK) {
        printf("identity region=%s az=%s instance=%s type=%s\n", id.region, id.az, id.instance,
               id.type);
    }
    stop(arg, &why);
}

static enum rc_err
run_identity(struct client *c)
{
    struct rc_imds *imds = rc_imds_new(c->base, rc_aws_http(c->aws), NULL);
    enum rc_err err = RC_E_INTERNAL;

    if (imds) {
        err = rc_imds_get(imds, rc_imds_identity_path, on_identity, c, NULL);
    }
    if (err == RC_OK) {
        event_base_dispatch(c->base);
    }
    rc_imds_free(imds);
    return err;
}

static void
on_object(const struct rc_error *error, void *arg)
{
    stop(arg, error);
}

/* put-object BUCKET KEY TYPE FILE */
static enum rc_err
run_put_object(struct client *c)
{
    static char bytes[1 << 23];
    struct rc_s3_object object = {
        .bucket = c->argv[1], .key = c->argv[2], .content_type = c->argv[3], .body = bytes};
    FILE *f = fopen(c->argv[4], "rb");

    if (!f) {
        return RC_E_IO;
    }
    object.body_len = fread(bytes, 1, sizeof bytes, f);
    (void)fclose(f);
    return rc_s3_put(c->aws, &object, on_object, c);
}

static const struct command {
    const char *name;
    int arguments; /* at least */
    enum rc_err (*run)(struct client *c);
} commands[] = {
    {"attributes", 1, run_attributes},
    {"console", 1, run_console},
    {"credentials", 0, run_credentials},
    {"delete", 2, run_delete},
    {"describe", 1, run_on_ids},
    {"describe-cluster", 0, run_describe_cluster},
    {"drain", 1, run_drain},
    {"identity", 0, run_identity},
    {"put-object", 4, run_put_object},
    {"reboot", 1, run_on_ids},
    {"receive", 1, run_receive},
    {"run", 4, run_run},
    {"send", 2, run_send},
    {"start", 1, run_on_ids},
    {"status", 1, run_on_ids},
    {"status-all", 0, run_status_all},
    {"stop", 1, run_on_ids},
    {"tag", 1, run_on_ids},
    {"terminate", 1, run_on_ids},
};

static int
execute(struct client *c, const struct rc_aws_options *options)
{
    struct rc_error error = {0};
    enum rc_err err = RC_E_INVALID;
    size_t i = 0;

    while (i < sizeof commands / sizeof *commands && strcmp(commands[i].name, c->argv[0]) != 0) {
        i++;
    }
    if (i == sizeof commands / sizeof *commands || c->argc - 1 < commands[i].arguments) {
        return 2;
    }
    c->base = event_base_new();
    c->aws = rc_aws_new(c->base, options, &error);
    if (!c->aws) {
        print_done(&error);
    } else if ((err = commands[i].run(c)) != RC_OK) {
        rc_fail(&error, err, "refused before it was sent");
        print_done(&error);
    } else if (commands[i].run != run_identity) {
        event_base_dispatch(c->base);
    }
    rc_aws_free(c->aws);
    event_base_free(c->base);
    return 0;
}

int
main(int argc, char **argv)
{
    struct rc_aws_options options = {
        .cluster = "c1", .log = on_attempt, .retry = {.backoff_base_ms = 50}};
    struct client c = {0};
    int i = 1;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
        if (strcmp(argv[i], "--cluster") == 0) {
            options.cluster = argv[i + 1];
        } else if (strcmp(argv[i], "--connect-to") == 0) {
            options.connect_to = argv[i + 1];
        }
    }
    c.argc = argc - i;
    c.argv = argv + i;
    int status = c.argc > 0 ? execute(&c, &options) : 2;
    if (status == 2) {
        fprintf(stderr, "usage: aws_client [--cluster NAME] [--connect-to SPEC] COMMAND …\n");
    }
    return status;
}
