/* decode_ec2_state.c - "EC2 Instance State-change Notification".
 *
 * {"instance-id":"i-…","state":"stopping"}: EC2 user guide, "Monitor instance
 * state changes using EventBridge". A state that is not one of the six, exactly,
 * is bad: half a word must never read as a stop. */
#include <string.h>

#include "handlers/decode/decode_internal.h"

static const char *const state_names[] = {
    [RC_INST_PENDING] = "pending",
    [RC_INST_RUNNING] = "running",
    [RC_INST_STOPPING] = "stopping",
    [RC_INST_STOPPED] = "stopped",
    [RC_INST_SHUTTING_DOWN] = "shutting-down",
    [RC_INST_TERMINATED] = "terminated",
};

static enum rc_instance_state
ec2_state_of(const char *name)
{
    for (unsigned i = RC_INST_UNKNOWN + 1; i < RC_INST__MAX; i++) {
        if (strcmp(state_names[i], name) == 0) {
            return (enum rc_instance_state)i;
        }
    }
    return RC_INST_UNKNOWN;
}

enum rc_err
rc_decode_ec2_state(struct rc_notice *n)
{
    struct rc_decode_shown shown;
    const char *name;
    enum rc_err err = rc_decode_string(n, n->detail, "detail.state", true, &name);

    if (err != RC_OK) {
        return err;
    }
    enum rc_instance_state state = ec2_state_of(name);
    if (state == RC_INST_UNKNOWN) {
        return rc_decode_bad(n,
                             "detail.state: expected pending, running, stopping, stopped, "
                             "shutting-down or terminated, found %s",
                             rc_decode_show(name, &shown));
    }
    err = rc_decode_instances(n, true);
    for (uint32_t i = 0; err == RC_OK && i < n->out->count; i++) {
        n->out->events[i].u.state_change.state = (uint32_t)state;
        n->out->events[i].u.state_change.told_wall_ms = n->time_wall_ms;
    }
    if (err == RC_OK) {
        rc_decode_say(n, "state=%s", name);
    }
    return err;
}
