/* ec2.c - see ec2.h.
 *
 * One rc_ec2_call is a row of requests, sent one after the other: the pages of a
 * description, or the parts of a long list of ids. It ends with the last one or
 * with the first error. The caller may cancel from inside any callback: the call
 * is then only marked and freed when the reply has been dealt with. */
#define _GNU_SOURCE
#include "reconciler/io/aws/ec2.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/aws/ec2_form.h"
#include "reconciler/io/aws/ec2_xml.h"

enum {
    IDS_MAX = 100, /* DescribeInstanceStatus takes no more; a sane size for the others */
    PAGE_SIZE = 1000,
    PAGES_MAX = 10000, /* more than an account can have: the service is going in circles */
    TOKEN_MAX = 64
};

struct rc_ec2_call {
    struct rc_aws *aws;
    enum rc_aws_op op;
    struct rc_aws_call *request;
    struct rc_ec2_sink sink;
    rc_ec2_console_fn *console;
    char *base; /* body without ids and without NextToken */
    const char *list;
    char **ids;
    size_t id_count;
    size_t next_id; /* first one not yet asked for */
    bool latest;    /* console: the newest output was asked for */
    bool in_callback;
    bool cancelled;
    char next_token[RC_EC2_NEXT_TOKEN_LEN];
    struct rc_ec2_done done;
};

static void on_ec2_reply(const struct rc_aws_reply *reply, void *arg);

static void
free_ec2_call(void *arg)
{
    struct rc_ec2_call *call = arg;

    for (size_t i = 0; i < call->id_count; i++) {
        free(call->ids[i]);
    }
    free((void *)call->ids);
    free(call->base);
    free(call);
}

/* A body that is cut must be asked for again: RunInstances has acted all the
 * same, and its token makes the second answer the first one. */
static enum rc_err
check_body(const char *body, size_t len, struct rc_error *error)
{
    static const struct rc_ec2_expect any = {.root = "", .cluster = ""};
    struct rc_ec2_page page;
    enum rc_err err = rc_ec2_xml_read(body, len, &any, &page, error);

    free(page.console);
    return err;
}

static enum rc_err
send_next(struct rc_ec2_call *call)
{
    struct rc_aws_buf body = {0};
    size_t count = call->id_count - call->next_id;

    rc_aws_buf_str(&body, call->base);
    if (count > IDS_MAX) {
        count = IDS_MAX;
    }
    if (call->id_count > 0) {
        rc_ec2_form_ids(&body, call->list, (const char *const *)call->ids + call->next_id, count);
    }
    if (call->next_token[0]) {
        rc_ec2_form_add(&body, "NextToken", call->next_token);
    }
    if (body.failed) {
        rc_aws_buf_done(&body);
        return RC_E_INTERNAL;
    }
    struct rc_aws_request request = {.op = call->op,
                                     .body = body.p,
                                     .body_len = body.len,
                                     .check = check_body,
                                     .on_cancel = free_ec2_call};
    enum rc_err err = rc_aws_start(call->aws, &request, on_ec2_reply, call, &call->request);
    if (err == RC_OK) {
        call->next_id += count;
    }
    rc_aws_buf_done(&body);
    return err;
}

static void
give_row(const struct rc_event *row, void *arg)
{
    struct rc_ec2_call *call = arg;

    if (!call->cancelled && call->sink.row) {
        call->done.rows++;
        call->sink.row(row, call->sink.arg);
    }
}

/* Reads one page; fills call->done.error when it is no good. */
static void
take_ec2_page(struct rc_ec2_call *call, const struct rc_aws_reply *reply)
{
    char root[RC_EC2_ROOT_LEN];
    struct rc_ec2_expect expect = {root, rc_aws_cluster(call->aws), give_row, call};
    struct rc_ec2_page page;

    snprintf(root, sizeof root, "%sResponse", rc_aws_op_name(call->op));
    if (rc_ec2_xml_read(reply->body, reply->body_len, &expect, &page, &call->done.error) != RC_OK) {
        return;
    }
    free(page.console);
    call->done.pages++;
    call->done.unreadable += page.unreadable;
    call->done.partial += page.partial;
    if (page.next_token[0] &&
        (strcmp(page.next_token, call->next_token) == 0 || call->done.pages >= PAGES_MAX)) {
        rc_fail(&call->done.error, RC_E_PARSE, "%s: the pages do not end",
                rc_aws_op_name(call->op));
    }
    rc_text_set(call->next_token, sizeof call->next_token, page.next_token);
}

static void
finish_ec2_call(struct rc_ec2_call *call)
{
    if (call->done.error.code == RC_OK && call->done.unreadable) {
        rc_fail(&call->done.error, RC_E_PARSE, "%s: %u rows without a usable instance id",
                rc_aws_op_name(call->op), call->done.unreadable);
    }
    call->done.complete = call->done.error.code == RC_OK;
    if (!call->cancelled) {
        call->sink.done(&call->done, call->sink.arg);
    }
    free_ec2_call(call);
}

static void
on_ec2_reply(const struct rc_aws_reply *reply, void *arg)
{
    struct rc_ec2_call *call = arg;

    call->request = NULL;
    call->in_callback = true;
    call->done.error = reply->error;
    if (reply->error.code == RC_OK) {
        take_ec2_page(call, reply);
    }
    if (call->done.error.code == RC_OK && !call->cancelled &&
        (call->next_token[0] || call->next_id < call->id_count)) {
        if (send_next(call) == RC_OK) {
            call->in_callback = false;
            return;
        }
        rc_fail(&call->done.error, RC_E_INTERNAL, "out of memory for the next page");
    }
    finish_ec2_call(call);
}

void
rc_ec2_cancel(struct rc_ec2_call *call)
{
    if (!call) {
        return;
    }
    if (call->in_callback) {
        call->cancelled = true;
        return;
    }
    rc_aws_cancel(call->request);
}

/* Takes base. ids may be NULL. */
static enum rc_err
start_ec2_call(struct rc_aws *aws, enum rc_aws_op op, struct rc_aws_buf *base,
               const struct rc_ec2_ids *ids, const struct rc_ec2_sink *sink,
               struct rc_ec2_call **ret_call)
{
    struct rc_ec2_call *call = calloc(1, sizeof *call);

    if (!call) {
        rc_aws_buf_done(base);
        return RC_E_INTERNAL;
    }
    call->aws = aws;
    call->op = op;
    call->sink = *sink;
    call->list = op == RC_AWS_TAG ? "ResourceId" : "InstanceId";
    call->base = rc_aws_buf_take(base);
    bool ok = call->base != NULL;
    if (ids && ids->count > 0) {
        call->ids = (char **)calloc(ids->count, sizeof *call->ids);
        for (size_t i = 0; call->ids && i < ids->count; i++) {
            call->ids[i] = strdup(ids->v[i]);
            ok = ok && call->ids[i];
            call->id_count++;
        }
        ok = ok && call->ids;
    }
    if (!ok || send_next(call) != RC_OK) {
        free_ec2_call(call);
        return RC_E_INTERNAL;
    }
    if (ret_call) {
        *ret_call = call;
    }
    return RC_OK;
}

static bool
has_ids(const struct rc_ec2_ids *ids)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (!ids->v[i] || !*ids->v[i] || strlen(ids->v[i]) >= RC_ID_LEN) {
            return false;
        }
    }
    return ids->count > 0;
}

/* An operation on named instances, with flags that are "true" when set. */
static enum rc_err
start_on_ids(struct rc_aws *aws, enum rc_aws_op op, const struct rc_ec2_ids *ids, unsigned flags,
             const struct rc_ec2_sink *sink, struct rc_ec2_call **ret_call)
{
    struct rc_aws_buf base = {0};

    if (!has_ids(ids)) {
        return RC_E_INVALID;
    }
    rc_ec2_form_begin(&base, op);
    if (flags & RC_EC2_FORCE) {
        rc_ec2_form_add(&base, "Force", "true");
    }
    if (flags & RC_EC2_SKIP_SHUTDOWN) {
        rc_ec2_form_add(&base, "SkipOsShutdown", "true");
    }
    if (op == RC_AWS_STATUS) {
        rc_ec2_form_add(&base, "IncludeAllInstances", "true");
    }
    return start_ec2_call(aws, op, &base, ids, sink, ret_call);
}

enum rc_err
rc_ec2_run(struct rc_aws *aws, const struct rc_ec2_launch *launch, const struct rc_ec2_sink *sink,
           struct rc_ec2_call **ret_call)
{
    struct rc_aws_buf base = {0};

    if (!launch->template_id || !*launch->template_id || launch->template_version == 0 ||
        !launch->token || !*launch->token || strlen(launch->token) > TOKEN_MAX) {
        return RC_E_INVALID;
    }
    rc_ec2_form_launch(&base, launch);
    return start_ec2_call(aws, RC_AWS_RUN, &base, NULL, sink, ret_call);
}

enum rc_err
rc_ec2_describe_cluster(struct rc_aws *aws, const struct rc_ec2_sink *sink,
                        struct rc_ec2_call **ret_call)
{
    struct rc_aws_buf base = {0};

    if (!*rc_aws_cluster(aws)) {
        return RC_E_INVALID;
    }
    rc_ec2_form_begin(&base, RC_AWS_DESCRIBE);
    rc_aws_buf_printf(&base, "&MaxResults=%d", PAGE_SIZE);
    rc_ec2_form_add(&base, "Filter.1.Name", "tag:" RC_TAG_CLUSTER);
    rc_ec2_form_add(&base, "Filter.1.Value.1", rc_aws_cluster(aws));
    return start_ec2_call(aws, RC_AWS_DESCRIBE, &base, NULL, sink, ret_call);
}

enum rc_err
rc_ec2_describe_ids(struct rc_aws *aws, const struct rc_ec2_ids *ids,
                    const struct rc_ec2_sink *sink, struct rc_ec2_call **ret_call)
{
    return start_on_ids(aws, RC_AWS_DESCRIBE, ids, 0, sink, ret_call);
}

enum rc_err
rc_ec2_status_all(struct rc_aws *aws, const struct rc_ec2_sink *sink, struct rc_ec2_call **ret_call)
{
    struct rc_aws_buf base = {0};

    rc_ec2_form_begin(&base, RC_AWS_STATUS);
    rc_aws_buf_printf(&base, "&MaxResults=%d", PAGE_SIZE);
    rc_ec2_form_add(&base, "IncludeAllInstances", "true");
    return start_ec2_call(aws, RC_AWS_STATUS, &base, NULL, sink, ret_call);
}

enum rc_err
rc_ec2_status_ids(struct rc_aws *aws, const struct rc_ec2_ids *ids, const struct rc_ec2_sink *sink,
                  struct rc_ec2_call **ret_call)
{
    return start_on_ids(aws, RC_AWS_STATUS, ids, 0, sink, ret_call);
}

enum rc_err
rc_ec2_stop(struct rc_aws *aws, const struct rc_ec2_ids *ids, unsigned flags,
            const struct rc_ec2_sink *sink, struct rc_ec2_call **ret_call)
{
    return start_on_ids(aws, RC_AWS_STOP, ids, flags, sink, ret_call);
}

enum rc_err
rc_ec2_start(struct rc_aws *aws, const struct rc_ec2_ids *ids, const struct rc_ec2_sink *sink,
             struct rc_ec2_call **ret_call)
{
    return start_on_ids(aws, RC_AWS_START, ids, 0, sink, ret_call);
}

enum rc_err
rc_ec2_reboot(struct rc_aws *aws, const struct rc_ec2_ids *ids, const struct rc_ec2_sink *sink,
              struct rc_ec2_call **ret_call)
{
    return start_on_ids(aws, RC_AWS_REBOOT, ids, 0, sink, ret_call);
}

enum rc_err
rc_ec2_terminate(struct rc_aws *aws, const struct rc_ec2_ids *ids, unsigned flags,
                 const struct rc_ec2_sink *sink, struct rc_ec2_call **ret_call)
{
    return start_on_ids(aws, RC_AWS_TERMINATE, ids, flags, sink, ret_call);
}

enum rc_err
rc_ec2_create_tags(struct rc_aws *aws, const struct rc_ec2_ids *ids, const struct rc_ec2_tag *tags,
                   size_t tag_count, const struct rc_ec2_sink *sink, struct rc_ec2_call **ret_call)
{
    struct rc_aws_buf base = {0};

    if (!has_ids(ids) || tag_count == 0) {
        return RC_E_INVALID;
    }
    rc_ec2_form_begin(&base, RC_AWS_TAG);
    rc_ec2_form_tags(&base, "", tags, tag_count);
    return start_ec2_call(aws, RC_AWS_TAG, &base, ids, sink, ret_call);
}

/* Base64 with line breaks; NULL when it is none. */
static char *
decode_console(const char *text, size_t *ret_len)
{
    size_t len = strlen(text);
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
    unsigned char *out = malloc(len + 1);
    int body = 0, tail = 0;
    bool ok = false;

    if (ctx && out) {
        EVP_DecodeInit(ctx);
        ok = EVP_DecodeUpdate(ctx, out, &body, (const unsigned char *)text, (int)len) >= 0 &&
             EVP_DecodeFinal(ctx, out + body, &tail) >= 0;
    }
    EVP_ENCODE_CTX_free(ctx);
    if (!ok) {
        free(out);
        return NULL;
    }
    *ret_len = (size_t)body + (size_t)tail;
    out[*ret_len] = '\0';
    return (char *)out;
}

static void on_console_reply(const struct rc_aws_reply *reply, void *arg);

static enum rc_err
send_console(struct rc_ec2_call *call)
{
    struct rc_aws_buf body = {0};

    rc_aws_buf_str(&body, call->base);
    if (call->latest) {
        rc_ec2_form_add(&body, "Latest", "true");
    }
    struct rc_aws_request request = {.op = call->op,
                                     .body = body.p,
                                     .body_len = body.len,
                                     .check = check_body,
                                     .on_cancel = free_ec2_call};
    enum rc_err err =
        body.failed ? RC_E_INTERNAL
                    : rc_aws_start(call->aws, &request, on_console_reply, call, &call->request);
    rc_aws_buf_done(&body);
    return err;
}

static void
on_console_reply(const struct rc_aws_reply *reply, void *arg)
{
    struct rc_ec2_call *call = arg;
    struct rc_ec2_expect expect = {.root = "GetConsoleOutputResponse", .cluster = ""};
    struct rc_ec2_page page = {0};
    struct rc_error error = reply->error;
    char *text = NULL;
    size_t len = 0;

    call->request = NULL;
    /* Only Nitro types have the newest output; the others keep what they showed at boot. */
    if (error.code == RC_E_UNSUPPORTED && call->latest) {
        call->latest = false;
        if (send_console(call) == RC_OK) {
            return;
        }
    }
    if (error.code == RC_OK) {
        rc_ec2_xml_read(reply->body, reply->body_len, &expect, &page, &error);
    }
    if (error.code == RC_OK && page.console && !(text = decode_console(page.console, &len))) {
        rc_fail(&error, RC_E_PARSE, "the console output is not base64");
    }
    call->in_callback = true;
    call->console(&error, text ? text : "", len, call->sink.arg);
    free(text);
    free(page.console);
    free_ec2_call(call);
}

enum rc_err
rc_ec2_console(struct rc_aws *aws, const char *instance, rc_ec2_console_fn *fn, void *arg,
               struct rc_ec2_call **ret_call)
{
    struct rc_aws_buf base = {0};
    struct rc_ec2_call *call;

    if (!instance || !*instance || strlen(instance) >= RC_ID_LEN) {
        return RC_E_INVALID;
    }
    call = calloc(1, sizeof *call);
    if (!call) {
        return RC_E_INTERNAL;
    }
    call->aws = aws;
    call->op = RC_AWS_CONSOLE;
    call->console = fn;
    call->sink.arg = arg;
    call->latest = true;
    rc_ec2_form_begin(&base, RC_AWS_CONSOLE);
    rc_ec2_form_add(&base, "InstanceId", instance);
    call->base = rc_aws_buf_take(&base);
    if (!call->base || send_console(call) != RC_OK) {
        free_ec2_call(call);
        return RC_E_INTERNAL;
    }
    if (ret_call) {
        *ret_call = call;
    }
    return RC_OK;
}
