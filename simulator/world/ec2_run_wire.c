/* ec2_run_wire.c - RunInstances and GetConsoleOutput. */
#include <event2/buffer.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/model/sim_hash.h"
#include "simulator/world/ec2_instance_xml.h"
#include "simulator/world/wire.h"
#include "simulator/world/world_http.h"
#include "simulator/world/xml_out.h"

/* False: the value is longer than EC2 would take. */
static bool
param_copy(const struct rc_call *call, const char *name, char *out, uint32_t room)
{
    return rc_text_set(out, room, rc_call_param(call, name));
}

/* Tags for instances; those for volumes and interfaces are taken and left. */
static bool
launch_tags(const struct rc_call *call, struct rc_sim_launch *l)
{
    char name[80];

    for (unsigned s = 1; s <= 8; s++) {
        (void)snprintf(name, sizeof(name), "TagSpecification.%u.ResourceType", s);
        if (strcmp(rc_call_param(call, name), "instance") != 0)
            continue;
        for (unsigned t = 1;; t++) {
            struct rc_sim_tag *tag = &l->tag[l->tag_count];

            (void)snprintf(name, sizeof(name), "TagSpecification.%u.Tag.%u.Key", s, t);
            if (*rc_call_param(call, name) == '\0')
                break;
            if (l->tag_count == RC_SIM_TAGS_MAX)
                return false;
            if (!param_copy(call, name, tag->key, sizeof(tag->key)))
                return false;
            (void)snprintf(name, sizeof(name), "TagSpecification.%u.Tag.%u.Value", s, t);
            if (!param_copy(call, name, tag->value, sizeof(tag->value)))
                return false;
            l->tag_count++;
        }
    }
    return true;
}

static int32_t
launch_version(const char *text)
{
    if (*text == '\0' || strcmp(text, "$Default") == 0)
        return 0;
    if (strcmp(text, "$Latest") == 0)
        return -1;
    return (int32_t)strtol(text, NULL, 10);
}

/* Fills the launch from the form; NULL or the name of the parameter that is wrong. */
static const char *
launch_read(const struct rc_call *call, struct rc_sim_launch *l)
{
    static const char reservation[] =
        "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId";
    const char *market = rc_call_param(call, "InstanceMarketOptions.MarketType");
    const char *id = "LaunchTemplate.LaunchTemplateId";

    if (*rc_call_param(call, id) == '\0')
        id = "LaunchTemplate.LaunchTemplateName";
    if (!param_copy(call, "ClientToken", l->token, sizeof(l->token)))
        return "ClientToken";
    if (!param_copy(call, id, l->template_id, sizeof(l->template_id)))
        return id;
    if (!param_copy(call, "InstanceType", l->type, sizeof(l->type)))
        return "InstanceType";
    if (!param_copy(call, "ImageId", l->image, sizeof(l->image)))
        return "ImageId";
    if (!param_copy(call, "SubnetId", l->subnet, sizeof(l->subnet)) ||
        (l->subnet[0] == '\0' &&
         !param_copy(call, "NetworkInterface.1.SubnetId", l->subnet, sizeof(l->subnet))))
        return "SubnetId";
    if (!param_copy(call, "Placement.AvailabilityZone", l->az, sizeof(l->az)))
        return "Placement.AvailabilityZone";
    if (!param_copy(call, "Placement.GroupName", l->placement, sizeof(l->placement)))
        return "Placement.GroupName";
    if (!param_copy(call, reservation, l->reservation, sizeof(l->reservation)))
        return reservation;
    if (!launch_tags(call, l))
        return "TagSpecification";
    l->version = launch_version(rc_call_param(call, "LaunchTemplate.Version"));
    l->block = strcmp(market, "capacity-block") == 0;
    l->spot = strcmp(market, "spot") == 0;
    l->protect = strcmp(rc_call_param(call, "DisableApiTermination"), "true") == 0;
    l->min = (uint32_t)strtoul(rc_call_param(call, "MinCount"), NULL, 10);
    l->max = (uint32_t)strtoul(rc_call_param(call, "MaxCount"), NULL, 10);
    return NULL;
}

void
rc_ec2_wire_run(struct rc_call *call)
{
    struct rc_sim_launch launch = {0};
    struct rc_sim_launched done;
    const char *wrong = launch_read(call, &launch);
    enum rc_sim_ec2_code code;

    if (wrong != NULL || launch.version < -1) {
        rc_ec2_wire_error(call, RC_SIM_EC2_BAD_VALUE, wrong != NULL ? wrong : "Version");
        return;
    }
    (void)rc_text_set(call->log.subnet, sizeof(call->log.subnet), launch.subnet);
    code = rc_sim_ec2_run(call->world->ec2, call->now_ms, &launch, &done);
    if (code != RC_SIM_EC2_OK) {
        rc_ec2_wire_error(call, code, done.about);
        return;
    }
    rc_ec2_wire_begin(call);
    rc_ec2_reservation_xml(call, done.launch);
    rc_xml_open(call->out, "instancesSet");
    for (uint32_t i = 0; i < done.count; i++) {
        rc_ec2_instance_xml(call, done.instance[i]);
        rc_log_row_instance(&call->log, done.instance[i]->id);
    }
    rc_xml_close(call->out, "instancesSet");
    rc_ec2_wire_end(call);
}

/* An ed25519 public key in OpenSSH's form, the same for an instance for ever: 32 bytes
 * drawn from its id. */
static void
made_up_key(const char *id, char *out, size_t room)
{
    unsigned char blob[51] = {0,   0,   0,   11,  's', 's', 'h', '-', 'e', 'd',
                              '2', '5', '5', '1', '9', 0,   0,   0,   32};
    unsigned char text[80];
    struct rc_sim_random r;

    rc_sim_random_seed(&r, rc_sim_hash_str(RC_SIM_HASH_SEED, id), 5);
    for (int i = 0; i < 32; i++)
        blob[19 + i] = (unsigned char)rc_sim_random_next(&r);
    (void)EVP_EncodeBlock(text, blob, sizeof(blob));
    (void)snprintf(out, room, "ssh-ed25519 %s root@%s", (const char *)text, id);
}

/* What cloud-init writes to the console at the end of a boot. */
static int
console_text(const struct rc_call *call, const struct rc_sim_instance *inst, char *out, size_t room)
{
    const char *keys = rc_world_http_setup(call->endpoint)->host_keys;
    char made[160];

    if (!inst->booted)
        return snprintf(out, room, "[    0.000000] Linux version 6.1.0-aws\r\n");
    made_up_key(inst->id, made, sizeof(made));
    return snprintf(out, room,
                    "[    0.000000] Linux version 6.1.0-aws\r\n"
                    "ci-info: no authorized SSH keys fingerprints found for user admin.\r\n"
                    "-----BEGIN SSH HOST KEY KEYS-----\r\n"
                    "%s\r\n"
                    "-----END SSH HOST KEY KEYS-----\r\n"
                    "ip-%s login: ",
                    keys != NULL ? keys : made, inst->addr);
}

void
rc_ec2_wire_console(struct rc_call *call)
{
    const char *id = rc_call_param(call, "InstanceId");
    struct rc_sim_instance *inst = rc_sim_ec2_find(call->world->ec2, call->now_ms, id);
    unsigned char encoded[8192];
    char text[6000];
    int len;

    if (inst == NULL) {
        rc_ec2_wire_error(call, RC_SIM_EC2_NO_INSTANCE, id);
        return;
    }
    rc_log_row_instance(&call->log, id);
    len = console_text(call, inst, text, sizeof(text));
    if (len < 0 || (size_t)len >= sizeof(text))
        len = (int)sizeof(text) - 1;
    (void)EVP_EncodeBlock(encoded, (const unsigned char *)text, len);
    rc_ec2_wire_begin(call);
    rc_xml_text(call->out, "instanceId", inst->id);
    rc_xml_time(call->out, "timestamp", call->now_ms);
    rc_xml_text(call->out, "output", (const char *)encoded);
    rc_ec2_wire_end(call);
}
