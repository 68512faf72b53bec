/* ec2_throttle.h - token buckets of EC2, one pair an action: requests, and for
 * some actions instances. Per account and region, as in the API reference. */
#ifndef RC_EC2_THROTTLE_H
#define RC_EC2_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "simulator/model/ec2_codes.h"

struct rc_sim_bucket {
    int64_t milli; /* tokens left, in thousandths */
    int64_t at_ms; /* when they were counted */
};

struct rc_sim_throttle {
    bool on;
    struct rc_sim_bucket request[RC_SIM_EC2_ACTION__MAX];
    struct rc_sim_bucket unit[RC_SIM_EC2_ACTION__MAX];
};

/* All buckets full. Off: everything is admitted. */
void rc_sim_throttle_init(struct rc_sim_throttle *t, bool on, int64_t now_ms);
/* Takes one request token and, where the action has them, units instance tokens;
 * false (RequestLimitExceeded) takes nothing. */
bool rc_sim_throttle_admit(struct rc_sim_throttle *t, int64_t now_ms, enum rc_sim_ec2_action action,
                           uint32_t units);

#endif
