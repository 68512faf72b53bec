/* ec2_account_wire.c - describes of what the account has: launch templates,
 * capacity reservations, subnets. */
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "simulator/world/ec2_instance_xml.h"
#include "simulator/world/wire.h"
#include "simulator/world/xml_out.h"

static bool
version_wanted(const struct rc_call *call, const struct rc_sim_template *t)
{
    char number[16];
    const char *want;

    if (*rc_call_param(call, "LaunchTemplateVersion.1") == '\0')
        return true;
    (void)snprintf(number, sizeof(number), "%" PRIu32, t->version);
    for (unsigned i = 1; *(want = rc_call_item(call, "LaunchTemplateVersion.", i, "")) != '\0'; i++)
        if (strcmp(want, number) == 0 || (t->latest && strcmp(want, "$Latest") == 0) ||
            (t->by_default && strcmp(want, "$Default") == 0))
            return true;
    return false;
}

void
rc_ec2_wire_describe_templates(struct rc_call *call)
{
    const char *id = rc_call_param(call, "LaunchTemplateId");
    const char *name = rc_call_param(call, "LaunchTemplateName");
    const struct rc_sim_template *t;
    bool known = false;

    rc_ec2_wire_begin(call);
    rc_xml_open(call->out, "launchTemplateVersionSet");
    for (uint32_t i = 0; (t = rc_sim_ec2_template(call->world->ec2, i)) != NULL; i++) {
        if (strcmp(t->id, id) != 0 && strcmp(t->name, name) != 0)
            continue;
        known = true;
        if (!version_wanted(call, t))
            continue;
        rc_xml_open(call->out, "item");
        rc_xml_text(call->out, "launchTemplateId", t->id);
        rc_xml_text(call->out, "launchTemplateName", t->name);
        rc_xml_number(call->out, "versionNumber", t->version);
        rc_xml_text(call->out, "defaultVersion", t->by_default ? "true" : "false");
        rc_xml_open(call->out, "launchTemplateData");
        rc_xml_text(call->out, "imageId", t->image);
        rc_xml_text(call->out, "instanceType", t->type);
        rc_xml_close(call->out, "launchTemplateData");
        rc_xml_close(call->out, "item");
    }
    rc_xml_close(call->out, "launchTemplateVersionSet");
    if (!known)
        rc_ec2_wire_error(call, RC_SIM_EC2_NO_TEMPLATE, *id != '\0' ? id : name);
    else
        rc_ec2_wire_end(call);
}

static bool
reservation_wanted(const struct rc_call *call, const struct rc_sim_reservation *r)
{
    const char *want;

    if (*rc_call_param(call, "CapacityReservationId.1") == '\0')
        return true;
    for (unsigned i = 1; *(want = rc_call_item(call, "CapacityReservationId.", i, "")) != '\0'; i++)
        if (strcmp(want, r->id) == 0)
            return true;
    return false;
}

void
rc_ec2_wire_describe_reservations(struct rc_call *call)
{
    struct evbuffer *out = call->out;
    const struct rc_sim_reservation *r;

    rc_ec2_wire_begin(call);
    rc_xml_open(out, "capacityReservationSet");
    for (uint32_t i = 0; (r = rc_sim_ec2_reservation(call->world->ec2, i)) != NULL; i++) {
        if (!reservation_wanted(call, r))
            continue;
        rc_xml_open(out, "item");
        rc_xml_text(out, "capacityReservationId", r->id);
        rc_xml_text(out, "ownerId", call->world->config.identity.account);
        rc_xml_text(out, "instanceType", r->type);
        rc_xml_text(out, "availabilityZone", r->az);
        rc_xml_number(out, "totalInstanceCount", r->total);
        rc_xml_number(out, "availableInstanceCount", r->total - r->used);
        rc_xml_text(out, "state",
                    r->end_ms != 0 && r->end_ms <= call->now_ms ? "expired" : "active");
        rc_xml_text(out, "instanceMatchCriteria", "targeted");
        rc_xml_text(out, "reservationType", r->block ? "capacity-block" : "default");
        if (r->end_ms != 0)
            rc_xml_time(out, "endDate", r->end_ms);
        rc_xml_close(out, "item");
    }
    rc_xml_close(out, "capacityReservationSet");
    rc_ec2_wire_end(call);
}

void
rc_ec2_wire_describe_subnets(struct rc_call *call)
{
    struct evbuffer *out = call->out;
    const struct rc_sim_subnet *s;

    rc_ec2_wire_begin(call);
    rc_xml_open(out, "subnetSet");
    for (uint32_t i = 0; (s = rc_sim_ec2_subnet(call->world->ec2, i)) != NULL; i++) {
        const char *want = rc_call_param(call, "SubnetId.1");
        char cidr[32];

        if (*want != '\0' && strcmp(want, s->id) != 0)
            continue;
        (void)snprintf(cidr, sizeof(cidr), "%u.%u.%u.%u/%d", s->base >> 24, s->base >> 16 & 255U,
                       s->base >> 8 & 255U, s->base & 255U, 32 - __builtin_ctz(s->size));
        rc_xml_open(out, "item");
        rc_xml_text(out, "subnetId", s->id);
        rc_xml_text(out, "state", "available");
        rc_xml_text(out, "vpcId", "vpc-0123456789abcdef0");
        rc_xml_text(out, "cidrBlock", cidr);
        rc_xml_number(out, "availableIpAddressCount",
                      rc_sim_ec2_free_addresses(call->world->ec2, i));
        rc_xml_text(out, "availabilityZone", s->az);
        rc_xml_close(out, "item");
    }
    rc_xml_close(out, "subnetSet");
    rc_ec2_wire_end(call);
}
