/* sqs_queue_wire.c - SQS calls about queues: urls, attributes, purge. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/world/sqs_call.h"
#include "simulator/world/world_http.h"

static void
queue_url(const struct rc_call *call, const struct rc_world_queue *q, char *out, size_t room)
{
    (void)snprintf(out, room, "http://127.0.0.1:%u/%s/%s", rc_world_http_port(call->endpoint),
                   call->world->config.identity.account, q->name);
}

static cJSON *
all_attributes(struct rc_call *call, struct rc_world_queue *q)
{
    struct rc_sim_sqs_counts n = rc_sim_sqs_counts(q->sqs);
    const struct rc_sim_sqs_config *c = rc_sim_sqs_config(q->sqs);
    cJSON *to = cJSON_CreateObject();
    char arn[160];

    (void)snprintf(arn, sizeof(arn), "arn:aws:sqs:%s:%s:%s", call->world->config.identity.region,
                   call->world->config.identity.account, q->name);
    (void)cJSON_AddStringToObject(to, "QueueArn", arn);
    rc_sqs_attribute_put(to, "ApproximateNumberOfMessages", n.visible);
    rc_sqs_attribute_put(to, "ApproximateNumberOfMessagesNotVisible", n.in_flight);
    rc_sqs_attribute_put(to, "ApproximateNumberOfMessagesDelayed", n.delayed);
    rc_sqs_attribute_put(to, "CreatedTimestamp", q->created_ms / 1000);
    rc_sqs_attribute_put(to, "LastModifiedTimestamp", q->created_ms / 1000);
    rc_sqs_attribute_put(to, "VisibilityTimeout", c->visibility_ms / 1000);
    rc_sqs_attribute_put(to, "MaximumMessageSize", RC_SIM_SQS_BODY_MAX);
    rc_sqs_attribute_put(to, "MessageRetentionPeriod", c->retention_ms / 1000);
    rc_sqs_attribute_put(to, "DelaySeconds", c->delay_ms / 1000);
    rc_sqs_attribute_put(to, "ReceiveMessageWaitTimeSeconds", c->wait_ms / 1000);
    (void)cJSON_AddStringToObject(to, "SqsManagedSseEnabled", "true");
    return to;
}

void
rc_sqs_attributes(struct rc_call *call, const cJSON *in)
{
    struct rc_world_queue *q = rc_sqs_queue_of(call, in);
    const cJSON *names = cJSON_GetObjectItemCaseSensitive(in, "AttributeNames");
    cJSON *out;
    cJSON *all;
    cJSON *chosen;
    const cJSON *name;

    if (q == NULL)
        return;
    out = cJSON_CreateObject();
    all = all_attributes(call, q);
    chosen = cJSON_CreateObject();
    cJSON_ArrayForEach(name, names)
    {
        if (!cJSON_IsString(name))
            continue;
        if (strcmp(name->valuestring, "All") == 0) {
            cJSON_Delete(chosen);
            chosen = cJSON_Duplicate(all, true);
            break;
        }
        if (cJSON_HasObjectItem(all, name->valuestring))
            (void)cJSON_AddItemToObject(
                chosen, name->valuestring,
                cJSON_DetachItemFromObjectCaseSensitive(all, name->valuestring));
    }
    cJSON_Delete(all);
    if (cJSON_GetArraySize(chosen) > 0)
        (void)cJSON_AddItemToObject(out, "Attributes", chosen);
    else
        cJSON_Delete(chosen);
    rc_call_answer_json(call, 200, out);
}

void
rc_sqs_set_attributes(struct rc_call *call, const cJSON *in)
{
    struct rc_world_queue *q = rc_sqs_queue_of(call, in);
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(in, "Attributes");
    struct rc_sim_sqs_config *c;
    const char *text;

    if (q == NULL)
        return;
    c = rc_sim_sqs_config(q->sqs);
    if ((text = rc_sqs_text(all, "VisibilityTimeout")) != NULL)
        c->visibility_ms = strtol(text, NULL, 10) * 1000;
    if ((text = rc_sqs_text(all, "ReceiveMessageWaitTimeSeconds")) != NULL)
        c->wait_ms = strtol(text, NULL, 10) * 1000;
    if ((text = rc_sqs_text(all, "DelaySeconds")) != NULL)
        c->delay_ms = strtol(text, NULL, 10) * 1000;
    rc_call_answer_json(call, 200, NULL);
}

void
rc_sqs_queue_url(struct rc_call *call, const cJSON *in)
{
    const char *name = rc_sqs_text(in, "QueueName");
    struct rc_world_queue *q = NULL;
    char url[160];
    cJSON *out;

    if (name == NULL) {
        rc_sqs_error(call, RC_SQS_ERR_MISSING);
        return;
    }
    if (strcmp(call->log.action, "CreateQueue") == 0)
        q = rc_world_queue(call->world, call->now_ms, name);
    else
        q = rc_world_queue_find(call->world, name);
    if (q == NULL) {
        rc_sqs_error(call, RC_SQS_ERR_NO_QUEUE);
        return;
    }
    queue_url(call, q, url, sizeof(url));
    out = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(out, "QueueUrl", url);
    rc_call_answer_json(call, 200, out);
}

void
rc_sqs_list(struct rc_call *call, const cJSON *in)
{
    const char *prefix = rc_sqs_text(in, "QueueNamePrefix");
    cJSON *out = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(out, "QueueUrls");
    char url[160];

    for (uint32_t i = 0; i < call->world->queue_count; i++) {
        const struct rc_world_queue *q = &call->world->queue[i];

        if (prefix != NULL && strncmp(q->name, prefix, strlen(prefix)) != 0)
            continue;
        queue_url(call, q, url, sizeof(url));
        (void)cJSON_AddItemToArray(list, cJSON_CreateString(url));
    }
    rc_call_answer_json(call, 200, out);
}

void
rc_sqs_purge(struct rc_call *call, const cJSON *in)
{
    struct rc_world_queue *q = rc_sqs_queue_of(call, in);

    if (q == NULL)
        return;
    rc_sim_sqs_purge(q->sqs);
    rc_call_answer_json(call, 200, NULL);
}
