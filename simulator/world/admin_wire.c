/* admin_wire.c - /_world: what there is, as JSON. The POSTs are in admin_post.c. */
#include <cjson/cJSON.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/slurm/slurm_words.h"
#include "simulator/world/admin.h"
#include "simulator/world/notice.h"
#include "simulator/world/wire.h"
#include "simulator/world/world_http.h"

void
rc_admin_answer(struct rc_call *call, int status, cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);

    if (text != NULL)
        (void)evbuffer_add_printf(call->out, "%s\n", text);
    cJSON_free(text);
    cJSON_Delete(json);
    rc_call_answer(call, status, "application/json");
}

void
rc_admin_error(struct rc_call *call, const char *text)
{
    cJSON *json = cJSON_CreateObject();

    (void)cJSON_AddStringToObject(json, "error", text);
    rc_admin_answer(call, 400, json);
}

static void
json_put_number(cJSON *to, const char *key, int64_t value)
{
    (void)cJSON_AddNumberToObject(to, key, (double)value);
}

static void
json_put_text(cJSON *to, const char *key, const char *text)
{
    (void)cJSON_AddStringToObject(to, key, text);
}

static const char *
check_word(enum rc_check status)
{
    static const char *const word[RC_CHECK__MAX] = {"unknown", "ok", "initializing", "impaired"};

    return word[status];
}

static cJSON *
instance_json(const struct rc_sim_instance *inst)
{
    cJSON *to = cJSON_CreateObject();
    cJSON *tags = cJSON_AddObjectToObject(to, "tags");

    json_put_text(to, "id", inst->id);
    json_put_text(to, "state", rc_instance_state_text(inst->state));
    (void)cJSON_AddBoolToObject(to, "booted", inst->booted);
    (void)cJSON_AddBoolToObject(to, "protected", inst->protect);
    json_put_text(to, "addr", inst->addr);
    json_put_text(to, "subnet", inst->subnet);
    json_put_text(to, "az", inst->az);
    json_put_text(to, "type", inst->type);
    json_put_text(to, "token", inst->token);
    json_put_text(to, "reservation", inst->reservation);
    json_put_text(to, "why", inst->why);
    json_put_number(to, "launched_ms", inst->launched_ms);
    json_put_number(to, "changed_ms", inst->changed_ms);
    json_put_text(to, "system", check_word(inst->check[RC_SIM_CHECK_SYSTEM].status));
    json_put_text(to, "instance", check_word(inst->check[RC_SIM_CHECK_INSTANCE].status));
    for (uint32_t i = 0; i < inst->tag_count; i++)
        json_put_text(tags, inst->tag[i].key, inst->tag[i].value);
    return to;
}

static cJSON *
instances_json(struct rc_world *w)
{
    cJSON *list = cJSON_CreateArray();

    for (uint32_t i = 0; i < rc_sim_ec2_slots(w->ec2); i++) {
        const struct rc_sim_instance *inst = rc_sim_ec2_at(w->ec2, i);

        if (inst != NULL)
            (void)cJSON_AddItemToArray(list, instance_json(inst));
    }
    return list;
}

static cJSON *
nodes_json(struct rc_world *w)
{
    cJSON *list = cJSON_CreateArray();
    char flags[RC_SLURM_FLAGS_ROOM];

    for (uint32_t i = 0; i < rc_sim_slurm_nodes(w->slurm); i++) {
        const struct rc_sim_node *n = rc_sim_slurm_node(w->slurm, i);
        cJSON *to;

        if (n == NULL)
            continue;
        to = cJSON_CreateObject();
        (void)rc_slurm_flags_format(n->flags, flags, sizeof(flags));
        json_put_text(to, "name", n->name);
        json_put_text(to, "addr", n->addr);
        json_put_text(to, "partition", n->partition);
        json_put_text(to, "flags", flags);
        json_put_text(to, "reason", n->reason);
        json_put_number(to, "boot_ms", n->boot_ms);
        json_put_number(to, "slurmd_start_ms", n->slurmd_start_ms);
        json_put_number(to, "job",
                        n->job != RC_SIM_NO_NODE ? rc_sim_slurm_job_at(w->slurm, n->job)->id : 0);
        (void)cJSON_AddItemToArray(list, to);
    }
    return list;
}

static cJSON *
job_nodes_json(const struct rc_world *w, const struct rc_sim_job *j)
{
    cJSON *list = cJSON_CreateArray();

    for (uint32_t at = j->first; at != RC_SIM_NO_NODE;) {
        const struct rc_sim_node *n = rc_sim_slurm_node(w->slurm, at);

        (void)cJSON_AddItemToArray(list, cJSON_CreateString(n->name));
        at = n->next;
    }
    return list;
}

static cJSON *
jobs_json(struct rc_world *w)
{
    cJSON *list = cJSON_CreateArray();

    for (uint32_t i = 0; i < rc_sim_slurm_jobs(w->slurm); i++) {
        const struct rc_sim_job *j = rc_sim_slurm_job_at(w->slurm, i);
        cJSON *to;

        if (j == NULL)
            continue;
        to = cJSON_CreateObject();
        json_put_number(to, "id", j->id);
        json_put_text(to, "state", rc_sim_job_state_name(j->state));
        json_put_text(to, "user", j->order.user);
        json_put_text(to, "last_node", j->last_node);
        (void)cJSON_AddItemToObject(to, "nodes", job_nodes_json(w, j));
        json_put_number(to, "restarts", j->restarts);
        json_put_number(to, "signals", j->signals);
        json_put_number(to, "last_signal", j->last_signal);
        json_put_number(to, "submit_ms", j->submit_ms);
        json_put_number(to, "start_ms", j->start_ms);
        json_put_number(to, "end_ms", j->end_ms);
        (void)cJSON_AddItemToArray(list, to);
    }
    return list;
}

static cJSON *
queues_json(struct rc_world *w)
{
    cJSON *list = cJSON_CreateArray();

    for (uint32_t i = 0; i < w->queue_count; i++) {
        struct rc_sim_sqs_counts c = rc_sim_sqs_counts(w->queue[i].sqs);
        cJSON *to = cJSON_CreateObject();

        json_put_text(to, "name", w->queue[i].name);
        json_put_number(to, "visible", c.visible);
        json_put_number(to, "in_flight", c.in_flight);
        json_put_number(to, "delayed", c.delayed);
        json_put_number(to, "sent", (int64_t)c.sent);
        json_put_number(to, "received", (int64_t)c.received);
        json_put_number(to, "deleted", (int64_t)c.deleted);
        json_put_number(to, "stale", (int64_t)c.stale);
        json_put_number(to, "duplicated", (int64_t)c.duplicated);
        (void)cJSON_AddItemToArray(list, to);
    }
    return list;
}

static cJSON *
counters_json(struct rc_world *w)
{
    cJSON *to = cJSON_CreateObject();
    cJSON *calls = cJSON_AddObjectToObject(to, "calls");
    cJSON *errors = cJSON_AddObjectToObject(to, "errors");

    json_put_number(to, "requests", (int64_t)w->log.seq);
    json_put_number(to, "messages", (int64_t)w->messages);
    json_put_number(to, "faults", (int64_t)w->faults.hits);
    for (unsigned i = 0; i < RC_LOG_ACTIONS_MAX && w->log.count[i].calls > 0; i++) {
        json_put_number(calls, w->log.count[i].action, (int64_t)w->log.count[i].calls);
        if (w->log.count[i].errors > 0)
            json_put_number(errors, w->log.count[i].action, (int64_t)w->log.count[i].errors);
    }
    return to;
}

static cJSON *
state_json(struct rc_call *call)
{
    cJSON *to = cJSON_CreateObject();

    json_put_number(to, "now_ms", call->now_ms);
    (void)cJSON_AddItemToObject(to, "instances", instances_json(call->world));
    (void)cJSON_AddItemToObject(to, "nodes", nodes_json(call->world));
    (void)cJSON_AddItemToObject(to, "jobs", jobs_json(call->world));
    (void)cJSON_AddItemToObject(to, "queues", queues_json(call->world));
    (void)cJSON_AddItemToObject(to, "counters", counters_json(call->world));
    return to;
}

static cJSON *
instance_ids_json(const char *ids)
{
    cJSON *list = cJSON_CreateArray();
    char copy[RC_TEXT_LEN];
    char *save = NULL;

    (void)rc_text_set(copy, sizeof(copy), ids);
    for (char *id = strtok_r(copy, ",", &save); id != NULL; id = strtok_r(NULL, ",", &save))
        (void)cJSON_AddItemToArray(list, cJSON_CreateString(id));
    return list;
}

static cJSON *
requests_json(struct rc_call *call)
{
    const char *since = rc_call_param(call, "since");
    const char *action = rc_call_param(call, "action");
    cJSON *list = cJSON_CreateArray();
    const struct rc_log_row *row;

    for (uint64_t seq = strtoull(since, NULL, 10);
         (row = rc_request_log_after(&call->world->log, seq)) != NULL; seq = row->seq) {
        cJSON *to;

        if (*action != '\0' && strcmp(row->action, action) != 0)
            continue;
        to = cJSON_CreateObject();
        json_put_number(to, "seq", (int64_t)row->seq);
        json_put_number(to, "time_ms", row->time_ms);
        json_put_text(to, "service", row->service);
        json_put_text(to, "action", row->action);
        json_put_text(to, "token", row->token);
        json_put_text(to, "subnet", row->subnet);
        (void)cJSON_AddItemToObject(to, "instances", instance_ids_json(row->instances));
        json_put_text(to, "code", row->code);
        json_put_number(to, "status", row->status);
        (void)cJSON_AddBoolToObject(to, "lost", row->lost);
        (void)cJSON_AddItemToArray(list, to);
    }
    return list;
}

static cJSON *
messages_json(struct rc_call *call)
{
    const struct rc_world *w = call->world;
    uint64_t n = w->messages > RC_WORLD_MESSAGES_MAX ? w->messages - RC_WORLD_MESSAGES_MAX : 0;
    cJSON *list = cJSON_CreateArray();

    while (n++ < w->messages) {
        const struct rc_world_message *m = rc_world_message(w, n);
        cJSON *to = cJSON_CreateObject();

        json_put_number(to, "n", (int64_t)m->n);
        json_put_number(to, "arrival", m->arrival_ms);
        json_put_text(to, "body", m->body);
        (void)cJSON_AddItemToArray(list, to);
    }
    return list;
}

static cJSON *
part_json(struct rc_call *call, const char *what)
{
    struct rc_world *w = call->world;

    if (strcmp(what, "state") == 0)
        return state_json(call);
    if (strcmp(what, "instances") == 0)
        return instances_json(w);
    if (strcmp(what, "nodes") == 0)
        return nodes_json(w);
    if (strcmp(what, "jobs") == 0)
        return jobs_json(w);
    if (strcmp(what, "queues") == 0)
        return queues_json(w);
    if (strcmp(what, "requests") == 0)
        return requests_json(call);
    if (strcmp(what, "table") == 0)
        return rc_admin_table_json(call);
    if (strcmp(what, "metrics") == 0)
        return cJSON_Duplicate(rc_world_http_metrics(call->endpoint), true);
    return strcmp(what, "messages") == 0 ? messages_json(call) : NULL;
}

void
rc_admin_wire(struct rc_call *call)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(call->http);
    const char *path = evhttp_uri_get_path(uri);
    const char *query = evhttp_uri_get_query(uri);
    const char *what = strncmp(path, "/_world/", 8) == 0 ? path + 8 : "";
    cJSON *json;

    if (evhttp_request_get_command(call->http) == EVHTTP_REQ_POST) {
        rc_admin_post(call, what);
        return;
    }
    call->form = calloc(1, sizeof(*call->form));
    if (call->form == NULL || evhttp_parse_query_str(query != NULL ? query : "", call->form) != 0) {
        rc_admin_error(call, "the query cannot be read");
        return;
    }
    json = part_json(call, what);
    if (json != NULL)
        rc_admin_answer(call, 200, json);
    else
        rc_admin_error(call, "no such thing: see simulator/README.md");
}
