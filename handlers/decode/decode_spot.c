/* decode_spot.c - "EC2 Spot Instance Interruption Warning".
 *
 * {"instance-id":"i-…","instance-action":"terminate"}: EC2 user guide, "Spot
 * Instance interruption notices". The notice comes two minutes ahead; an action
 * that is not known still ends the instance, so it is taken as unknown. */
#include <string.h>

#include "handlers/decode/decode_internal.h"

static enum rc_instance_action
spot_action_of(const char *name)
{
    if (strcmp(name, "terminate") == 0) {
        return RC_IACT_TERMINATE;
    }
    if (strcmp(name, "stop") == 0) {
        return RC_IACT_STOP;
    }
    return strcmp(name, "hibernate") == 0 ? RC_IACT_HIBERNATE : RC_IACT_UNKNOWN;
}

enum rc_err
rc_decode_spot(struct rc_notice *n)
{
    struct rc_decode_shown shown, shown_time;
    const char *action;
    int64_t deadline_wall_ms = 0;
    enum rc_err err = rc_decode_string(n, n->detail, "detail.instance-action", false, &action);

    if (err == RC_OK) {
        err = rc_decode_deadline(n, &deadline_wall_ms);
    }
    if (err == RC_OK) {
        err = rc_decode_instances(n, true);
    }
    for (uint32_t i = 0; err == RC_OK && i < n->out->count; i++) {
        struct rc_ev_spot_interruption *spot = &n->out->events[i].u.spot;

        spot->action = (uint32_t)spot_action_of(action);
        spot->deadline_wall_ms = deadline_wall_ms;
    }
    if (err == RC_OK) {
        rc_decode_say(n, "action=%s deadline=%s", rc_decode_show(action, &shown),
                      rc_decode_show_time(deadline_wall_ms, &shown_time));
    }
    return err;
}
