/* admin_post.c - /_world: breaking things, and operators' deeds.
 *
 * Each POST takes a JSON object and answers one, with "ok" and what there is to
 * tell; nothing is done when a value is wrong. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "simulator/world/admin.h"
#include "simulator/world/wire.h"
#include "simulator/world/world_file.h"
#include "simulator/world/world_http.h"

static const char *
in_text(const cJSON *in, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(in, key);

    return cJSON_IsString(item) ? item->valuestring : "";
}

static double
in_number(const cJSON *in, const char *key, double fallback)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(in, key);

    return cJSON_IsNumber(item) ? item->valuedouble : fallback;
}

static bool
in_bool(const cJSON *in, const char *key, bool fallback)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(in, key);

    return cJSON_IsBool(item) ? cJSON_IsTrue(item) : fallback;
}

static void
answer_number(struct rc_call *call, const char *key, double value)
{
    cJSON *json = cJSON_CreateObject();

    (void)cJSON_AddBoolToObject(json, "ok", true);
    if (key != NULL)
        (void)cJSON_AddNumberToObject(json, key, value);
    rc_admin_answer(call, 200, json);
}

static struct rc_sim_instance *
target(struct rc_call *call, const cJSON *in)
{
    struct rc_sim_instance *inst = rc_world_instance(call->world, in_text(in, "node"));

    if (inst == NULL)
        rc_admin_error(call, "\"node\" names no instance, and no node that has one");
    return inst;
}

/* After a fault: which instance it was, and the number of the last message. */
static void
answer_broken(struct rc_call *call, bool done, const struct rc_sim_instance *inst)
{
    cJSON *json;

    if (!done) {
        rc_admin_error(call, "the instance is in no state for that");
        return;
    }
    json = cJSON_CreateObject();
    (void)cJSON_AddBoolToObject(json, "ok", true);
    (void)cJSON_AddStringToObject(json, "instance", inst->id);
    (void)cJSON_AddNumberToObject(json, "message", (double)call->world->messages);
    (void)cJSON_AddNumberToObject(json, "now_ms", (double)call->now_ms);
    rc_admin_answer(call, 200, json);
}

static void
world_terminate(struct rc_call *call, const cJSON *in)
{
    struct rc_sim_instance *inst = target(call, in);

    if (inst != NULL)
        answer_broken(call, rc_world_terminate(call->world, call->now_ms, inst), inst);
}

static void
world_spot(struct rc_call *call, const cJSON *in)
{
    struct rc_sim_instance *inst = target(call, in);
    int64_t lead_ms = (int64_t)(in_number(in, "seconds", -0.001) * 1000);

    if (inst != NULL)
        answer_broken(call, rc_world_spot(call->world, call->now_ms, inst, lead_ms), inst);
}

static void
world_rebalance(struct rc_call *call, const cJSON *in)
{
    struct rc_sim_instance *inst = target(call, in);

    if (inst != NULL)
        answer_broken(call, rc_world_rebalance(call->world, call->now_ms, inst), inst);
}

static void
world_retirement(struct rc_call *call, const cJSON *in)
{
    struct rc_sim_instance *inst = target(call, in);
    int64_t open_ms = call->now_ms + (int64_t)(in_number(in, "seconds", 20) * 1000);

    if (inst != NULL)
        answer_broken(call, rc_world_retire(call->world, call->now_ms, inst, open_ms), inst);
}

static void
world_status_check(struct rc_call *call, const cJSON *in)
{
    struct rc_sim_instance *inst = target(call, in);
    const char *which = in_text(in, "check");
    struct rc_world_check check = {
        .which = RC_SIM_CHECK_INSTANCE,
        .status = strcmp(in_text(in, "status"), "ok") == 0 ? RC_CHECK_OK : RC_CHECK_IMPAIRED,
        .alarm = in_bool(in, "alarm", true),
        .unreachable = in_bool(in, "unreachable", false)};

    if (strcmp(which, "system") == 0)
        check.which = RC_SIM_CHECK_SYSTEM;
    else if (strcmp(which, "ebs") == 0)
        check.which = RC_SIM_CHECK_EBS;
    if (inst != NULL)
        answer_broken(call, rc_world_status_check(call->world, call->now_ms, inst, &check), inst);
}

static void
world_host(struct rc_call *call, const cJSON *in)
{
    struct rc_sim_instance *inst = target(call, in);

    if (inst != NULL)
        answer_broken(
            call, rc_world_host(call->world, call->now_ms, inst, in_bool(in, "up", false)), inst);
}

static void
world_capacity(struct rc_call *call, const cJSON *in)
{
    int32_t left = (int32_t)in_number(in, "left", 0);

    if (rc_sim_ec2_set_capacity(call->world->ec2, in_text(in, "subnet"), in_text(in, "type"), left))
        answer_number(call, NULL, 0);
    else
        rc_admin_error(call, "no such subnet, or \"left\" is not -1 or more");
}

static void
message_answer(struct rc_call *call, const char *body)
{
    uint64_t n = rc_world_send(call->world, call->now_ms, body, 0);

    if (n > 0)
        answer_number(call, "n", (double)n);
    else
        rc_admin_error(call, "the queue refused the message");
}

static void
world_message(struct rc_call *call, const cJSON *in)
{
    const char *body = in_text(in, "body");

    if (*body != '\0')
        message_answer(call, body);
    else
        rc_admin_error(call, "\"body\" must be a text");
}

/* An envelope that breaks off in the middle of its detail. */
static void
world_malformed(struct rc_call *call, const cJSON *in)
{
    (void)in;
    message_answer(call, "{\"version\":\"0\",\"source\":\"aws.ec2\",\"detail-type\":\"EC2 Instance "
                         "State-change Notification\",\"detail\":{\"instance-id\":\"i-0");
}

static void
world_replay(struct rc_call *call, const cJSON *in)
{
    const struct rc_world_message *m =
        rc_world_message(call->world, (uint64_t)in_number(in, "n", 0));

    if (m != NULL)
        message_answer(call, m->body);
    else
        rc_admin_error(call, "\"n\" is the number of no message that is still remembered");
}

static void
world_fault(struct rc_call *call, const cJSON *in)
{
    struct rc_sim_fault f = {.status = (uint32_t)in_number(in, "status", 500),
                             .left = (uint32_t)in_number(in, "count", 1),
                             .skip = (uint32_t)in_number(in, "skip", 0),
                             .lost = in_bool(in, "lost", false) ? 1 : 0,
                             .late_ms = (int64_t)in_number(in, "late_ms", 0)};

    if (in_bool(in, "clear", false)) {
        rc_sim_faults_clear(&call->world->faults);
        answer_number(call, NULL, 0);
        return;
    }
    if (rc_text_set(f.action, sizeof(f.action), in_text(in, "action")) &&
        rc_text_set(f.code, sizeof(f.code), in_text(in, "code")) &&
        (f.code[0] != '\0' || f.lost != 0 || f.late_ms > 0) && f.status >= 400 && f.status < 600 &&
        rc_sim_faults_add(&call->world->faults, &f))
        answer_number(call, NULL, 0);
    else
        rc_admin_error(call, "needs \"action\", and one of \"code\", \"lost\" and \"late_ms\"");
}

static void
world_queue(struct rc_call *call, const cJSON *in)
{
    cJSON *copy = cJSON_Duplicate(in, true);
    struct rc_world *w = call->world;
    const char *wrong = "";
    char text[128];

    w->config.events = in_bool(in, "events", w->config.events);
    w->config.event_delay_ms =
        (int64_t)in_number(in, "event_delay_ms", (double)w->config.event_delay_ms);
    cJSON_DeleteItemFromObjectCaseSensitive(copy, "events");
    cJSON_DeleteItemFromObjectCaseSensitive(copy, "event_delay_ms");
    if (rc_world_queue_set(rc_sim_sqs_config(w->queue[0].sqs), copy, &wrong)) {
        answer_number(call, NULL, 0);
    } else {
        (void)snprintf(text, sizeof(text), "\"%s\" is unknown or has a bad value", wrong);
        rc_admin_error(call, text);
    }
    cJSON_Delete(copy);
}

static void
world_delays(struct rc_call *call, const cJSON *in)
{
    const char *wrong = "";
    char text[128];

    if (rc_world_delays_set(rc_sim_ec2_delays(call->world->ec2), in, &wrong)) {
        answer_number(call, NULL, 0);
        return;
    }
    (void)snprintf(text, sizeof(text), "\"%s\" is unknown or has a bad value", wrong);
    rc_admin_error(call, text);
}

static void
world_job(struct rc_call *call, const cJSON *in)
{
    struct rc_sim_job_order order = {.nodes = (uint32_t)in_number(in, "nodes", 1),
                                     .run_ms = (int64_t)in_number(in, "run_ms", 10000),
                                     .requeue = in_bool(in, "requeue", true),
                                     .batch = in_bool(in, "batch", true)};
    const char *user = in_text(in, "user");
    uint32_t id = 0;

    if (rc_text_set(order.partition, sizeof(order.partition), in_text(in, "partition")) &&
        rc_text_set(order.node, sizeof(order.node), in_text(in, "node")) &&
        rc_text_set(order.user, sizeof(order.user), *user != '\0' ? user : "alice"))
        id = rc_sim_slurm_submit(call->world->slurm, call->now_ms, &order);
    if (id != 0)
        answer_number(call, "id", id);
    else
        rc_admin_error(call, "no such job is possible, or the table of jobs is full");
}

static void
world_node(struct rc_call *call, const cJSON *in)
{
    struct rc_sim_slurm *m = call->world->slurm;
    const char *name = in_text(in, "node");
    const char *action = in_text(in, "action");
    const char *reason = in_text(in, "reason");
    enum rc_sim_outcome outcome = RC_SIM_REFUSED;

    if (strcmp(action, "resume") == 0)
        outcome = rc_sim_slurm_resume(m, call->now_ms, name);
    else if (strcmp(action, "drain") == 0 || strcmp(action, "down") == 0)
        outcome = rc_sim_slurm_update(m, call->now_ms, name,
                                      *action == 'd' && action[1] == 'r' ? RC_SN_DRAIN : RC_SN_DOWN,
                                      *reason != '\0' ? reason : NULL, 1000);
    if (outcome == RC_SIM_DONE)
        answer_number(call, NULL, 0);
    else
        rc_admin_error(call,
                       outcome == RC_SIM_MISSING ? "no such node" : "slurmctld would refuse that");
}

static void
world_slurmctld(struct rc_call *call, const cJSON *in)
{
    const char *mode = in_text(in, "mode");

    if (strcmp(mode, "up") == 0)
        call->world->slurmctld = RC_WORLD_SLURMCTLD_UP;
    else if (strcmp(mode, "down") == 0)
        call->world->slurmctld = RC_WORLD_SLURMCTLD_DOWN;
    else if (strcmp(mode, "hung") == 0)
        call->world->slurmctld = RC_WORLD_SLURMCTLD_HUNG;
    else {
        rc_admin_error(call, "\"mode\" is up, down or hung");
        return;
    }
    answer_number(call, NULL, 0);
}

static const struct {
    const char *name;
    void (*run)(struct rc_call *call, const cJSON *in);
} posts[] = {
    {"terminate", world_terminate},
    {"spot", world_spot},
    {"rebalance", world_rebalance},
    {"retirement", world_retirement},
    {"status-check", world_status_check},
    {"host", world_host},
    {"capacity", world_capacity},
    {"message", world_message},
    {"malformed", world_malformed},
    {"replay", world_replay},
    {"fault", world_fault},
    {"queue", world_queue},
    {"delays", world_delays},
    {"job", world_job},
    {"node", world_node},
    {"slurmctld", world_slurmctld},
    {"item", rc_admin_item},
};

void
rc_admin_post(struct rc_call *call, const char *what)
{
    cJSON *in = cJSON_ParseWithLength(call->body_len > 0 ? call->body : "{}",
                                      call->body_len > 0 ? call->body_len : 2);

    for (unsigned i = 0; i < sizeof(posts) / sizeof(posts[0]); i++) {
        if (strcmp(posts[i].name, what) != 0 || !cJSON_IsObject(in))
            continue;
        posts[i].run(call, in);
        cJSON_Delete(in);
        return;
    }
    rc_admin_error(call, cJSON_IsObject(in) ? "no such thing: see simulator/README.md"
                                            : "the body is not a JSON object");
    cJSON_Delete(in);
}
