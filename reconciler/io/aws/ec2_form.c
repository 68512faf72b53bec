/* ec2_form.c - see ec2_form.h. Parameter names: EC2 API Reference, RunInstances etc. */
#define _GNU_SOURCE
#include "reconciler/io/aws/ec2_form.h"

#include <stdio.h>
#include <string.h>

void
rc_ec2_form_begin(struct rc_aws_buf *b, enum rc_aws_op op)
{
    rc_aws_buf_printf(b, "Action=%s&Version=2016-11-15", rc_aws_op_name(op));
}

void
rc_ec2_form_add(struct rc_aws_buf *b, const char *name, const char *value)
{
    rc_aws_buf_printf(b, "&%s=", name);
    rc_aws_buf_uri(b, value, strlen(value), false);
}

static void
add_if_set(struct rc_aws_buf *b, const char *name, const char *value)
{
    if (value && *value) {
        rc_ec2_form_add(b, name, value);
    }
}

void
rc_ec2_form_ids(struct rc_aws_buf *b, const char *list, const char *const *ids, size_t count)
{
    char name[64];

    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s.%zu", list, i + 1);
        rc_ec2_form_add(b, name, ids[i]);
    }
}

void
rc_ec2_form_tags(struct rc_aws_buf *b, const char *prefix, const struct rc_ec2_tag *tags,
                 size_t count)
{
    char name[96];

    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%sTag.%zu.Key", prefix, i + 1);
        rc_ec2_form_add(b, name, tags[i].key);
        snprintf(name, sizeof name, "%sTag.%zu.Value", prefix, i + 1);
        rc_ec2_form_add(b, name, tags[i].value);
    }
}

void
rc_ec2_form_launch(struct rc_aws_buf *b, const struct rc_ec2_launch *launch)
{
    uint32_t count = launch->count ? launch->count : 1;

    rc_ec2_form_begin(b, RC_AWS_RUN);
    rc_aws_buf_printf(b, "&MinCount=%u&MaxCount=%u", count, count);
    rc_ec2_form_add(b, "ClientToken", launch->token);
    rc_ec2_form_add(b, "LaunchTemplate.LaunchTemplateId", launch->template_id);
    rc_aws_buf_printf(b, "&LaunchTemplate.Version=%u", launch->template_version);
    add_if_set(b, "SubnetId", launch->subnet);
    add_if_set(b, "InstanceType", launch->type);
    add_if_set(b, "Placement.GroupName", launch->placement);
    add_if_set(b,
               "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId",
               launch->reservation);
    if (launch->capacity_block) {
        rc_ec2_form_add(b, "InstanceMarketOptions.MarketType", "capacity-block");
    }
    if (launch->tag_count > 0) {
        rc_ec2_form_add(b, "TagSpecification.1.ResourceType", "instance");
        rc_ec2_form_tags(b, "TagSpecification.1.", launch->tags, launch->tag_count);
        rc_ec2_form_add(b, "TagSpecification.2.ResourceType", "volume");
        rc_ec2_form_tags(b, "TagSpecification.2.", launch->tags, launch->tag_count);
    }
}
