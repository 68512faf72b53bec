/* decode_ebs.c - "EBS Volume Notification".
 *
 * {"event":"attachVolume","result":"failed","cause":"…"}: EBS user guide,
 * "EventBridge for Amazon EBS". The volume, and sometimes its instance, is in
 * resources. One event per volume and instance; the operation is the code. */
#include <string.h>

#include "handlers/decode/decode_internal.h"

/* The events so far name the instances (or none); gives each its volume, and each
 * further volume an event of its own. */
static enum rc_err
ebs_set_volumes(struct rc_notice *n)
{
    uint32_t instances = n->out->count, volumes = 0;
    const cJSON *item;
    char id[RC_ID_LEN];

    cJSON_ArrayForEach(item, n->resources)
    {
        if (!rc_decode_resource_id(item->valuestring, "volume", "vol-", id)) {
            continue;
        }
        for (uint32_t i = 0; i < instances; i++) {
            struct rc_event *ev = &n->out->events[i];
            char instance[RC_ID_LEN]; /* a copy: adding an event moves them all */

            memcpy(instance, ev->instance, sizeof instance);
            enum rc_err err = volumes > 0 ? rc_decode_add(n, instance, &ev) : RC_OK;
            if (err != RC_OK) {
                return err;
            }
            memcpy(ev->u.ebs.volume, id, sizeof id);
        }
        volumes++;
    }
    if (volumes == 0 && !*n->out->events[0].instance) {
        return rc_decode_bad(n, "resources: expected the ARN of a volume");
    }
    return RC_OK;
}

enum rc_err
rc_decode_ebs(struct rc_notice *n)
{
    struct rc_decode_shown shown;
    const char *operation, *result = "", *cause;
    enum rc_err err = rc_decode_string(n, n->detail, "detail.event", true, &operation);

    if (err == RC_OK) {
        err = rc_decode_string(n, n->detail, "detail.result", true, &result);
    }
    if (err == RC_OK) {
        err = rc_decode_string(n, n->detail, "detail.cause", false, &cause);
    }
    if (err == RC_OK) {
        err = rc_decode_instances(n, false);
    }
    if (err == RC_OK) {
        err = ebs_set_volumes(n);
    }
    for (uint32_t i = 0; err == RC_OK && i < n->out->count; i++) {
        n->out->events[i].u.ebs.failed = strcmp(result, "failed") == 0;
        rc_decode_code(n->out->events[i].code, operation);
    }
    if (err == RC_OK) {
        rc_decode_say(n, "%s %s%s%s", operation, result, *cause ? ": " : "",
                      *cause ? rc_decode_show(cause, &shown) : "");
    }
    return err;
}
