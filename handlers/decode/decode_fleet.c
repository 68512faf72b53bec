/* decode_fleet.c - "EC2 Fleet …" and "EC2 Spot Fleet …".
 *
 * EC2 user guide, "Monitor fleet events using Amazon EventBridge". Only an
 * Instance Change must name an instance; the sub-type is the event's code. */
#include <string.h>

#include "handlers/decode/decode_internal.h"

enum rc_err
rc_decode_fleet(struct rc_notice *n)
{
    struct rc_decode_shown shown;
    const char *rest = rc_decode_rest(n), *sub_type, *description;
    enum rc_err err = rc_decode_string(n, n->detail, "detail.sub-type", true, &sub_type);

    if (err == RC_OK) {
        err = rc_decode_string(n, n->detail, "detail.description", false, &description);
    }
    if (err == RC_OK) {
        err = rc_decode_instances(n, strcmp(rest, "Instance Change") == 0);
    }
    for (uint32_t i = 0; err == RC_OK && i < n->out->count; i++) {
        n->out->events[i].u.fleet.error = strcmp(rest, "Error") == 0;
        rc_decode_code(n->out->events[i].code, sub_type);
    }
    if (err == RC_OK) {
        rc_decode_say(n, "%s: %s%s%s", rest, sub_type, *description ? " " : "",
                      *description ? rc_decode_show(description, &shown) : "");
    }
    return err;
}
