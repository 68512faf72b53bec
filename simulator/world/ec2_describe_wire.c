/* ec2_describe_wire.c - filters, paging, DescribeInstances.
 *
 * Paging: the token is the slot to go on with, in clear; MaxResults and ids
 * exclude each other, as in EC2. */
#include <assert.h>
#include <event2/buffer.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/world/ec2_instance_xml.h"
#include "simulator/world/ec2_select.h"
#include "simulator/world/notice.h"
#include "simulator/world/wire.h"
#include "simulator/world/xml_out.h"

enum { FILTERS_MAX = 20, PAGE_MAX = 1000 };

/* The value of a filter's field, NULL when the model does not have that field. */
static const char *
filter_field(const struct rc_sim_instance *inst, const char *name, char *number, size_t room)
{
    const char *tag;

    if (strncmp(name, "tag:", 4) == 0) {
        tag = rc_sim_ec2_tag_value(inst, name + 4);
        return tag != NULL ? tag : "";
    }
    if (strcmp(name, "instance-state-name") == 0)
        return rc_instance_state_text(inst->state);
    if (strcmp(name, "instance-state-code") == 0) {
        (void)snprintf(number, room, "%u", rc_ec2_state_code(inst->state));
        return number;
    }
    if (strcmp(name, "instance-id") == 0)
        return inst->id;
    if (strcmp(name, "subnet-id") == 0)
        return inst->subnet;
    if (strcmp(name, "availability-zone") == 0)
        return inst->az;
    if (strcmp(name, "private-ip-address") == 0 ||
        strcmp(name, "network-interface.addresses.private-ip-address") == 0)
        return inst->addr;
    if (strcmp(name, "instance-type") == 0)
        return inst->type;
    if (strcmp(name, "client-token") == 0)
        return inst->token;
    if (strcmp(name, "image-id") == 0)
        return inst->image;
    return NULL;
}

/* Values of one filter are alternatives, with * and ? as wild cards. */
static bool
filter_matches(const struct rc_call *call, unsigned f, const struct rc_sim_instance *inst)
{
    const char *name = rc_call_item(call, "Filter.", f, ".Name");
    const char *value;
    char number[16];
    char key[64];

    for (unsigned v = 1;; v++) {
        const char *field;

        (void)snprintf(key, sizeof(key), "Filter.%u.Value.%u", f, v);
        value = rc_call_param(call, key);
        if (*value == '\0')
            return false;
        if (strcmp(name, "tag-key") == 0) {
            if (rc_sim_ec2_tag_value(inst, value) != NULL)
                return true;
            continue;
        }
        if (strcmp(name, "event.code") == 0)
            return true; /* looked at by has_scheduled() */
        field = filter_field(inst, name, number, sizeof(number));
        if (field != NULL && fnmatch(value, field, 0) == 0 &&
            (strncmp(name, "tag:", 4) != 0 || rc_sim_ec2_tag_value(inst, name + 4) != NULL))
            return true;
    }
}

static bool
filters_match(const struct rc_call *call, const struct rc_sim_instance *inst)
{
    assert(inst != NULL);
    for (unsigned f = 1; f <= FILTERS_MAX; f++) {
        if (*rc_call_item(call, "Filter.", f, ".Name") == '\0')
            return true;
        if (!filter_matches(call, f, inst))
            return false;
    }
    return true;
}

static bool
filters_known(struct rc_call *call)
{
    static const struct rc_sim_instance none = {0};
    char number[16];

    for (unsigned f = 1; f <= FILTERS_MAX; f++) {
        const char *name = rc_call_item(call, "Filter.", f, ".Name");

        if (*name == '\0')
            return true;
        if (strcmp(name, "tag-key") == 0 || strcmp(name, "event.code") == 0 ||
            filter_field(&none, name, number, sizeof(number)) != NULL)
            continue;
        rc_ec2_wire_error(call, RC_SIM_EC2_BAD_VALUE, name);
        return false;
    }
    return true;
}

/* False: an error was answered. */
bool
rc_ec2_selection_read(struct rc_call *call, struct rc_ec2_selection *s, unsigned ids_max)
{
    const char *max = rc_call_param(call, "MaxResults");
    const char *token = rc_call_param(call, "NextToken");
    unsigned long value = strtoul(max, NULL, 10);

    memset(s, 0, sizeof(*s));
    if (!filters_known(call) || !rc_ec2_wire_named(call, s->named, ids_max, &s->named_count))
        return false;
    if (*max != '\0' && s->named_count > 0) {
        rc_ec2_wire_error(call, RC_SIM_EC2_COMBINATION,
                          "The parameter instancesSet cannot be used with the parameter "
                          "maxResults");
        return false;
    }
    if (*max != '\0' && (value < 5 || value > PAGE_MAX)) {
        rc_ec2_wire_error(call, RC_SIM_EC2_BAD_VALUE, max);
        return false;
    }
    s->limit = (uint32_t)value;
    if (*token != '\0' && sscanf(token, "eyJ2IjoiMiJ9-%8" SCNx32, &s->slot) != 1) {
        rc_ec2_wire_error(call, RC_SIM_EC2_BAD_VALUE, token);
        return false;
    }
    return true;
}

/* The next instance of the selection, NULL at the end. */
struct rc_sim_instance *
rc_ec2_selection_next(const struct rc_call *call, struct rc_ec2_selection *s)
{
    if (s->named_count > 0) {
        while (s->slot < s->named_count) {
            struct rc_sim_instance *inst = s->named[s->slot++];

            if (filters_match(call, inst))
                return inst;
        }
        return NULL;
    }
    while (s->slot < rc_sim_ec2_slots(call->world->ec2)) {
        struct rc_sim_instance *inst = rc_sim_ec2_at(call->world->ec2, s->slot++);

        if (inst != NULL && inst->visible_ms <= call->now_ms && filters_match(call, inst))
            return inst;
    }
    return NULL;
}

void
rc_ec2_page_token(struct rc_call *call, const struct rc_ec2_selection *s)
{
    struct rc_ec2_selection rest = *s;
    char token[40];

    if (s->limit == 0 || rc_ec2_selection_next(call, &rest) == NULL)
        return;
    (void)snprintf(token, sizeof(token), "eyJ2IjoiMiJ9-%08" PRIx32, s->slot);
    rc_xml_text(call->out, "nextToken", token);
}

void
rc_ec2_wire_describe_instances(struct rc_call *call)
{
    struct rc_sim_instance *inst;
    struct rc_ec2_selection s;
    uint32_t rows = 0;

    if (!rc_ec2_selection_read(call, &s, RC_EC2_IDS_MAX))
        return;
    rc_ec2_wire_begin(call);
    rc_xml_open(call->out, "reservationSet");
    while ((s.limit == 0 || rows < s.limit) && (inst = rc_ec2_selection_next(call, &s)) != NULL) {
        rc_xml_open(call->out, "item");
        rc_ec2_reservation_xml(call, inst->launch);
        rc_xml_open(call->out, "instancesSet");
        rc_ec2_instance_xml(call, inst);
        rc_xml_close(call->out, "instancesSet");
        rc_xml_close(call->out, "item");
        rows++;
    }
    rc_xml_close(call->out, "reservationSet");
    rc_ec2_page_token(call, &s);
    rc_ec2_wire_end(call);
}
