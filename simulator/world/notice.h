/* notice.h - the texts that EventBridge puts into the queue.
 *
 * Shapes as in the EC2 and Health user guides. Each writer fills the caller's
 * buffer (RC_NOTICE_MAX is enough for all) and returns it. */
#ifndef RC_NOTICE_H
#define RC_NOTICE_H

#include <stdint.h>

#include "simulator/model/model_ec2.h"
#include "simulator/world/world.h"

enum { RC_NOTICE_MAX = 4096 };

/* Whom, when and about what; event_id is a UUID. */
struct rc_notice {
    const struct rc_world_identity *identity;
    const struct rc_sim_instance *instance;
    int64_t at_ms;
    char event_id[37];
};

void rc_notice_state(char out[RC_NOTICE_MAX], const struct rc_notice *n, const char *state);
void rc_notice_spot(char out[RC_NOTICE_MAX], const struct rc_notice *n);
void rc_notice_rebalance(char out[RC_NOTICE_MAX], const struct rc_notice *n);
void rc_notice_retirement(char out[RC_NOTICE_MAX], const struct rc_notice *n, int64_t start_ms,
                          int64_t end_ms);
/* firing: OK to ALARM, otherwise back. check: "Instance", "System" or "AttachedEBS". */
void rc_notice_alarm(char out[RC_NOTICE_MAX], const struct rc_notice *n, const char *check,
                     bool firing);
const char *rc_instance_state_text(enum rc_instance_state state); /* "shutting-down" */

#endif
