/* ec2_wire.c - EC2 in its Query protocol: dispatch, errors, the calls that change
 * instances. Ids of a call are all checked before anything is done, as EC2 does. */
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/world/ec2_instance_xml.h"
#include "simulator/world/notice.h"
#include "simulator/world/wire.h"
#include "simulator/world/xml_out.h"

#define XML_TYPE  "text/xml;charset=UTF-8"
#define NAMESPACE "http://ec2.amazonaws.com/doc/2016-11-15/"

enum { NAMED_MAX = 1000 };

static void
ec2_error_text(struct rc_call *call, const char *code, int status, const char *text)
{
    (void)evbuffer_drain(call->out, evbuffer_get_length(call->out));
    (void)evbuffer_add_printf(call->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                         "<Response><Errors><Error>");
    rc_xml_text(call->out, "Code", code);
    rc_xml_text(call->out, "Message", text);
    (void)evbuffer_add_printf(call->out, "</Error></Errors><RequestID>%s</RequestID></Response>",
                              call->request_id);
    (void)rc_text_set(call->log.code, sizeof(call->log.code), code);
    rc_call_answer(call, status, XML_TYPE);
}

void
rc_ec2_wire_error(struct rc_call *call, enum rc_sim_ec2_code code, const char *about)
{
    const struct rc_sim_ec2_code_row *row = rc_sim_ec2_code_row(code);
    const char *hole = strstr(row->text, "%s");
    char text[512];

    if (hole != NULL)
        (void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(hole - row->text), row->text, about,
                       hole + 2);
    else
        (void)snprintf(text, sizeof(text), "%s", row->text);
    ec2_error_text(call, row->name, row->status, text);
}

void
rc_ec2_wire_begin(struct rc_call *call)
{
    (void)evbuffer_add_printf(call->out,
                              "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                              "<%sResponse xmlns=\"%s\"><requestId>%s</requestId>",
                              call->log.action, NAMESPACE, call->request_id);
}

void
rc_ec2_wire_end(struct rc_call *call)
{
    (void)evbuffer_add_printf(call->out, "</%sResponse>", call->log.action);
    rc_call_answer(call, 200, XML_TYPE);
}

unsigned
rc_ec2_state_code(enum rc_instance_state state)
{
    static const unsigned code[RC_INST__MAX] = {
        [RC_INST_PENDING] = 0,   [RC_INST_RUNNING] = 16, [RC_INST_SHUTTING_DOWN] = 32,
        [RC_INST_STOPPING] = 64, [RC_INST_STOPPED] = 80, [RC_INST_TERMINATED] = 48,
    };

    return code[state];
}

void
rc_ec2_wire_state(struct evbuffer *out, const char *tag, enum rc_instance_state state)
{
    rc_xml_open(out, tag);
    rc_xml_number(out, "code", rc_ec2_state_code(state));
    rc_xml_text(out, "name", rc_instance_state_text(state));
    rc_xml_close(out, tag);
}

static bool
instance_id_formed(const char *id)
{
    size_t len = strlen(id);

    return strncmp(id, "i-", 2) == 0 && (len == 10 || len == 19) &&
           strspn(id + 2, "0123456789abcdef") == len - 2;
}

bool
rc_ec2_wire_named(struct rc_call *call, struct rc_sim_instance **list, unsigned room,
                  unsigned *ret_count)
{
    unsigned count = 0;

    for (;; count++) {
        const char *id = rc_call_item(call, "InstanceId.", count + 1, "");

        if (*id == '\0')
            break;
        if (!instance_id_formed(id)) {
            rc_ec2_wire_error(call, RC_SIM_EC2_BAD_INSTANCE, id);
            return false;
        }
        if (count == room) {
            rc_ec2_wire_error(call, RC_SIM_EC2_BAD_VALUE, "too many instance ids");
            return false;
        }
        list[count] = rc_sim_ec2_find(call->world->ec2, call->now_ms, id);
        if (list[count] == NULL) {
            rc_ec2_wire_error(call, RC_SIM_EC2_NO_INSTANCE, id);
            return false;
        }
        rc_log_row_instance(&call->log, id);
    }
    *ret_count = count;
    return true;
}

static void
state_change_item(struct evbuffer *out, const struct rc_sim_instance *inst,
                  enum rc_instance_state before)
{
    rc_xml_open(out, "item");
    rc_xml_text(out, "instanceId", inst->id);
    rc_ec2_wire_state(out, "currentState", inst->state);
    rc_ec2_wire_state(out, "previousState", before);
    rc_xml_close(out, "item");
}

static enum rc_sim_verb
verb_of(const char *action)
{
    if (strcmp(action, "StopInstances") == 0)
        return RC_SIM_STOP;
    if (strcmp(action, "StartInstances") == 0)
        return RC_SIM_START;
    return strcmp(action, "RebootInstances") == 0 ? RC_SIM_REBOOT : RC_SIM_TERMINATE;
}

/* Stop, Start, Reboot and Terminate. */
static void
ec2_verb(struct rc_call *call)
{
    enum rc_sim_verb verb = verb_of(call->log.action);
    struct rc_sim_instance *list[NAMED_MAX];
    unsigned count = 0;

    if (!rc_ec2_wire_named(call, list, NAMED_MAX, &count))
        return;
    if (count == 0) {
        rc_ec2_wire_error(call, RC_SIM_EC2_MISSING, "InstanceId");
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        enum rc_sim_ec2_code code = rc_sim_ec2_may(list[i], verb);

        if (code != RC_SIM_EC2_OK) {
            rc_ec2_wire_error(call, code, list[i]->id);
            return;
        }
    }
    rc_ec2_wire_begin(call);
    if (verb != RC_SIM_REBOOT)
        rc_xml_open(call->out, "instancesSet");
    for (unsigned i = 0; i < count; i++) {
        enum rc_instance_state before = list[i]->state;
        enum rc_sim_ec2_code code = rc_sim_ec2_do(call->world->ec2, call->now_ms, list[i], verb);

        if (code != RC_SIM_EC2_OK) { /* capacity at a start; those before it have started */
            rc_ec2_wire_error(call, code, list[i]->az);
            return;
        }
        if (verb != RC_SIM_REBOOT)
            state_change_item(call->out, list[i], before);
    }
    if (verb != RC_SIM_REBOOT)
        rc_xml_close(call->out, "instancesSet");
    else
        rc_xml_text(call->out, "return", "true");
    rc_ec2_wire_end(call);
}

/* CreateTags and DeleteTags on instances. */
static void
ec2_tags(struct rc_call *call)
{
    bool create = strcmp(call->log.action, "CreateTags") == 0;
    const char *id;

    for (unsigned r = 1; *(id = rc_call_item(call, "ResourceId.", r, "")) != '\0'; r++) {
        struct rc_sim_instance *inst = rc_sim_ec2_find(call->world->ec2, call->now_ms, id);
        const char *key;

        if (inst == NULL) {
            rc_ec2_wire_error(call, RC_SIM_EC2_NO_INSTANCE, id);
            return;
        }
        rc_log_row_instance(&call->log, id);
        for (unsigned t = 1; *(key = rc_call_item(call, "Tag.", t, ".Key")) != '\0'; t++) {
            enum rc_sim_ec2_code code = RC_SIM_EC2_OK;

            if (create)
                code = rc_sim_ec2_tag(inst, key, rc_call_item(call, "Tag.", t, ".Value"));
            else
                rc_sim_ec2_untag(inst, key);
            if (code != RC_SIM_EC2_OK) {
                rc_ec2_wire_error(call, code, id);
                return;
            }
        }
    }
    rc_ec2_wire_begin(call);
    rc_xml_text(call->out, "return", "true");
    rc_ec2_wire_end(call);
}

/* ModifyInstanceAttribute: the termination protection only. */
static void
ec2_modify(struct rc_call *call)
{
    const char *id = rc_call_param(call, "InstanceId");
    const char *value = rc_call_param(call, "DisableApiTermination.Value");
    struct rc_sim_instance *inst = rc_sim_ec2_find(call->world->ec2, call->now_ms, id);

    if (inst == NULL) {
        rc_ec2_wire_error(call, RC_SIM_EC2_NO_INSTANCE, id);
        return;
    }
    if (*value == '\0') {
        rc_ec2_wire_error(call, RC_SIM_EC2_MISSING, "DisableApiTermination.Value");
        return;
    }
    inst->protect = strcmp(value, "true") == 0;
    rc_ec2_wire_begin(call);
    rc_xml_text(call->out, "return", "true");
    rc_ec2_wire_end(call);
}

static const struct {
    enum rc_sim_ec2_action action;
    void (*run)(struct rc_call *call);
} actions[] = {
    {RC_SIM_RUN_INSTANCES, rc_ec2_wire_run},
    {RC_SIM_START_INSTANCES, ec2_verb},
    {RC_SIM_STOP_INSTANCES, ec2_verb},
    {RC_SIM_TERMINATE_INSTANCES, ec2_verb},
    {RC_SIM_REBOOT_INSTANCES, ec2_verb},
    {RC_SIM_CREATE_TAGS, ec2_tags},
    {RC_SIM_DELETE_TAGS, ec2_tags},
    {RC_SIM_MODIFY_ATTRIBUTE, ec2_modify},
    {RC_SIM_DESCRIBE_INSTANCES, rc_ec2_wire_describe_instances},
    {RC_SIM_DESCRIBE_STATUS, rc_ec2_wire_describe_status},
    {RC_SIM_DESCRIBE_TEMPLATES, rc_ec2_wire_describe_templates},
    {RC_SIM_DESCRIBE_RESERVATIONS, rc_ec2_wire_describe_reservations},
    {RC_SIM_DESCRIBE_SUBNETS, rc_ec2_wire_describe_subnets},
    {RC_SIM_CONSOLE_OUTPUT, rc_ec2_wire_console},
};

/* How many instances a call touches, for the resource buckets. */
static uint32_t
call_units(const struct rc_call *call, enum rc_sim_ec2_action action)
{
    uint32_t n = 0;

    if (action == RC_SIM_RUN_INSTANCES)
        return (uint32_t)strtoul(rc_call_param(call, "MaxCount"), NULL, 10);
    while (n < NAMED_MAX && *rc_call_item(call, "InstanceId.", n + 1, "") != '\0')
        n++;
    return n;
}

/* A describe without filter, ids and paging has a bucket of its own. */
static enum rc_sim_ec2_action
describe_bucket(const struct rc_call *call, enum rc_sim_ec2_action action)
{
    bool bare = *rc_call_param(call, "MaxResults") == '\0' &&
                *rc_call_param(call, "Filter.1.Name") == '\0' &&
                *rc_call_param(call, "InstanceId.1") == '\0';

    if (bare && (action == RC_SIM_DESCRIBE_INSTANCES || action == RC_SIM_DESCRIBE_STATUS))
        return RC_SIM_DESCRIBE_UNFILTERED;
    return action;
}

static void
ec2_asked_for(struct rc_call *call)
{
    ec2_error_text(call, call->fault.code, (int)call->fault.status, "A fault that was asked for.");
}

void
rc_ec2_wire(struct rc_call *call)
{
    enum rc_sim_ec2_action action = rc_sim_ec2_action_from_name(call->log.action);
    bool dry = strcmp(rc_call_param(call, "DryRun"), "true") == 0;

    (void)rc_text_set(call->log.token, sizeof(call->log.token), rc_call_param(call, "ClientToken"));
    if (rc_call_fault(call, call->log.action)) {
        ec2_asked_for(call);
        return;
    }
    for (unsigned i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (actions[i].action != action)
            continue;
        if (!rc_sim_throttle_admit(rc_sim_ec2_throttle(call->world->ec2), call->now_ms,
                                   describe_bucket(call, action), call_units(call, action)))
            rc_ec2_wire_error(call, RC_SIM_EC2_THROTTLED, "");
        else if (dry)
            rc_ec2_wire_error(call, RC_SIM_EC2_DRY_RUN, "");
        else
            actions[i].run(call);
        return;
    }
    rc_ec2_wire_error(call, RC_SIM_EC2_NO_ACTION, call->log.action);
}

void
rc_ec2_refuse(struct rc_call *call, enum rc_sigv4_verdict verdict)
{
    switch (verdict) {
    case RC_SIGV4_SKEWED:
    case RC_SIGV4_EXPIRED:
        ec2_error_text(call, "RequestExpired", 400, "Request has expired.");
        break;
    case RC_SIGV4_MISSING:
        ec2_error_text(call, "MissingParameter", 400,
                       "The request must contain the parameter AWSAccessKeyId");
        break;
    case RC_SIGV4_OK:
    case RC_SIGV4_MALFORMED:
    case RC_SIGV4_UNKNOWN_KEY:
    case RC_SIGV4_MISMATCH:
    case RC_SIGV4_SCOPE:
        ec2_error_text(call, "AuthFailure", 401,
                       "AWS was not able to validate the provided access credentials");
        break;
    }
}
