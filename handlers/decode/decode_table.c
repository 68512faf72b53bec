/* decode_table.c - which detail-type is decoded by what.
 *
 * The kind follows the detail-type, whatever the source. Families whose members
 * drift between editions of the documentation are matched by their beginning
 * ("Capacity Block Reservation Delivered" became "Capacity Block Delivered"); the
 * list of EC2's is in the EventBridge events reference.
 * Snapshots, alarm configuration changes and fulfilled spot requests are left
 * out on purpose: they say nothing about the health of a node. */
#include <string.h>

#include "handlers/decode/decode_internal.h"

/* clang-format off */
static const struct rc_decode_row rows[] = {
    {"EC2 Instance State-change Notification",    RC_EV_EC2_STATE_CHANGE,         rc_decode_ec2_state},
    {"EC2 Spot Instance Interruption Warning",    RC_EV_SPOT_INTERRUPTION,        rc_decode_spot},
    {"EC2 Instance Rebalance Recommendation",     RC_EV_REBALANCE_RECOMMENDATION, rc_decode_rebalance},
    {"EC2 Spot Instance Rebalance Recommended",   RC_EV_REBALANCE_RECOMMENDATION, rc_decode_rebalance},
    {"AWS Health Event",                          RC_EV_AWS_HEALTH,               rc_decode_health},
    {"AWS Health Abuse Event",                    RC_EV_AWS_HEALTH,               rc_decode_health},
    {"CloudWatch Alarm State Change",             RC_EV_CLOUDWATCH_ALARM,         rc_decode_alarm},
    {"CloudWatch Alarm Contributor State Change", RC_EV_CLOUDWATCH_ALARM,         rc_decode_alarm},
    {"EC2 Capacity Reservation *",                RC_EV_CAPACITY_RESERVATION,     rc_decode_capacity},
    {"EC2 Interruptible Capacity Reservation *",  RC_EV_CAPACITY_RESERVATION,     rc_decode_capacity},
    {"EC2 On-Demand Capacity Reservation *",      RC_EV_CAPACITY_RESERVATION,     rc_decode_capacity},
    {"On-Demand Capacity Reservation *",          RC_EV_CAPACITY_RESERVATION,     rc_decode_capacity},
    {"EC2 ODCR *",                                RC_EV_CAPACITY_RESERVATION,     rc_decode_capacity},
    {"Capacity Block Reservation *",              RC_EV_CAPACITY_BLOCK,           rc_decode_capacity},
    {"Capacity Block *",                          RC_EV_CAPACITY_BLOCK,           rc_decode_capacity},
    {"EC2 Capacity Block Reservation *",          RC_EV_CAPACITY_BLOCK,           rc_decode_capacity},
    {"EC2 Capacity Block *",                      RC_EV_CAPACITY_BLOCK,           rc_decode_capacity},
    {"EC2 Fleet *",                               RC_EV_FLEET,                    rc_decode_fleet},
    {"EC2 Spot Fleet *",                          RC_EV_FLEET,                    rc_decode_fleet},
    {"EBS Volume *",                              RC_EV_EBS_VOLUME,               rc_decode_ebs},
};
/* clang-format on */

static size_t
table_fixed_part(const struct rc_decode_row *row)
{
    size_t len = strlen(row->detail_type);

    return row->detail_type[len - 1] == '*' ? len - 1 : len;
}

const struct rc_decode_row *
rc_decode_find(const char *detail_type)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t fixed = table_fixed_part(&rows[i]);

        if (strncmp(detail_type, rows[i].detail_type, fixed) == 0 &&
            (rows[i].detail_type[fixed] == '*' || detail_type[fixed] == '\0')) {
            return &rows[i];
        }
    }
    return NULL;
}

const char *
rc_decode_rest(const struct rc_notice *n)
{
    return n->detail_type + table_fixed_part(n->row);
}
