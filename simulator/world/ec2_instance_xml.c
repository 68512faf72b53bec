/* ec2_instance_xml.c - an instance as DescribeInstances and RunInstances show it. */
#include "simulator/world/ec2_instance_xml.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "simulator/world/xml_out.h"

static void
tags_xml(struct evbuffer *out, const struct rc_sim_instance *inst)
{
    if (inst->tag_count == 0)
        return;
    rc_xml_open(out, "tagSet");
    for (uint32_t i = 0; i < inst->tag_count; i++) {
        rc_xml_open(out, "item");
        rc_xml_text(out, "key", inst->tag[i].key);
        rc_xml_text(out, "value", inst->tag[i].value);
        rc_xml_close(out, "item");
    }
    rc_xml_close(out, "tagSet");
}

static void
placement_xml(struct evbuffer *out, const struct rc_sim_instance *inst)
{
    rc_xml_open(out, "placement");
    rc_xml_text(out, "availabilityZone", inst->az);
    rc_xml_text(out, "groupName", inst->placement);
    rc_xml_text(out, "tenancy", "default");
    rc_xml_close(out, "placement");
}

static void
interface_xml(struct rc_call *call, const struct rc_sim_instance *inst)
{
    struct evbuffer *out = call->out;
    char eni[RC_ID_LEN + 4];

    (void)snprintf(eni, sizeof(eni), "eni-%s", inst->id + 2);
    rc_xml_open(out, "networkInterfaceSet");
    rc_xml_open(out, "item");
    rc_xml_text(out, "networkInterfaceId", eni);
    rc_xml_text(out, "subnetId", inst->subnet);
    rc_xml_text(out, "vpcId", "vpc-0123456789abcdef0");
    rc_xml_text(out, "ownerId", call->world->config.identity.account);
    rc_xml_text(out, "status", "in-use");
    rc_xml_text(out, "privateIpAddress", inst->addr);
    rc_xml_text(out, "sourceDestCheck", "true");
    rc_xml_open(out, "attachment");
    rc_xml_number(out, "deviceIndex", 0);
    rc_xml_text(out, "status", "attached");
    rc_xml_text(out, "deleteOnTermination", "true");
    rc_xml_number(out, "networkCardIndex", 0);
    rc_xml_close(out, "attachment");
    rc_xml_text(out, "interfaceType", "interface");
    rc_xml_close(out, "item");
    rc_xml_close(out, "networkInterfaceSet");
}

static void
state_reason_xml(struct evbuffer *out, const struct rc_sim_instance *inst)
{
    char text[RC_CODE_LEN * 2 + 8];

    if (inst->why[0] == '\0')
        return;
    (void)snprintf(text, sizeof(text), "%s: %s", inst->why, inst->why);
    rc_xml_open(out, "stateReason");
    rc_xml_text(out, "code", inst->why);
    rc_xml_text(out, "message", text);
    rc_xml_close(out, "stateReason");
}

static void
reservation_target_xml(struct evbuffer *out, const struct rc_sim_instance *inst)
{
    if (inst->reservation[0] == '\0')
        return;
    rc_xml_text(out, "capacityReservationId", inst->reservation);
    rc_xml_open(out, "capacityReservationSpecification");
    rc_xml_open(out, "capacityReservationTarget");
    rc_xml_text(out, "capacityReservationId", inst->reservation);
    rc_xml_close(out, "capacityReservationTarget");
    rc_xml_close(out, "capacityReservationSpecification");
}

/* A terminated instance has no address any more. */
static void
address_xml(struct rc_call *call, const struct rc_sim_instance *inst)
{
    struct evbuffer *out = call->out;
    char dns[RC_ADDR_LEN + 64];
    char dashed[RC_ADDR_LEN];

    if (inst->state == RC_INST_TERMINATED)
        return;
    memcpy(dashed, inst->addr, sizeof(dashed));
    for (char *at = dashed; *at != '\0'; at++)
        *at = *at == '.' ? '-' : *at;
    (void)snprintf(dns, sizeof(dns), "ip-%s.%s.compute.internal", dashed,
                   call->world->config.identity.region);
    rc_xml_text(out, "privateDnsName", dns);
    rc_xml_text(out, "privateIpAddress", inst->addr);
    rc_xml_text(out, "subnetId", inst->subnet);
    rc_xml_text(out, "vpcId", "vpc-0123456789abcdef0");
    interface_xml(call, inst);
}

void
rc_ec2_instance_xml(struct rc_call *call, const struct rc_sim_instance *inst)
{
    struct evbuffer *out = call->out;

    rc_xml_open(out, "item");
    rc_xml_text(out, "instanceId", inst->id);
    rc_xml_text(out, "imageId", inst->image);
    rc_ec2_wire_state(out, "instanceState", inst->state);
    rc_xml_text(out, "dnsName", "");
    rc_xml_text(out, "reason", "");
    rc_xml_number(out, "amiLaunchIndex", inst->launch_index);
    rc_xml_text(out, "productCodes", "");
    rc_xml_text(out, "instanceType", inst->type);
    rc_xml_time(out, "launchTime", inst->launched_ms);
    placement_xml(out, inst);
    rc_xml_open(out, "monitoring");
    rc_xml_text(out, "state", "disabled");
    rc_xml_close(out, "monitoring");
    address_xml(call, inst);
    state_reason_xml(out, inst);
    rc_xml_text(out, "architecture", "x86_64");
    rc_xml_text(out, "rootDeviceType", "ebs");
    rc_xml_text(out, "rootDeviceName", "/dev/xvda");
    rc_xml_text(out, "virtualizationType", "hvm");
    rc_xml_text(out, "clientToken", inst->token);
    if (inst->spot)
        rc_xml_text(out, "instanceLifecycle", "spot");
    tags_xml(out, inst);
    rc_xml_text(out, "hypervisor", "xen");
    reservation_target_xml(out, inst);
    rc_xml_close(out, "item");
}

void
rc_ec2_reservation_xml(struct rc_call *call, uint64_t launch)
{
    (void)evbuffer_add_printf(call->out,
                              "<reservationId>r-0%016" PRIx64 "</reservationId>"
                              "<ownerId>%s</ownerId><groupSet/>",
                              launch, call->world->config.identity.account);
}
