/* decode_capacity.c - notices about Capacity Reservations and Capacity Blocks.
 *
 * EC2 user guide: "Monitor interruptible Capacity Reservations" (an instance ends
 * in two minutes), "Monitor Capacity Blocks using EventBridge" (the block's end is
 * told when it begins and 40 minutes ahead), "Monitor state changes for
 * future-dated Capacity Reservations". The event's code is the rest of the
 * detail-type in lower case: instance-interruption-warning, delivered,
 * expiration-warning, active, … A block names its reservation. Instances are read
 * from a block and from an interruption; other news of a reservation are about no
 * instance, whatever the resources list: they must never read as its end. */
#include <string.h>

#include "handlers/decode/decode_internal.h"

/* detail.capacity-reservation-id, or the first reservation among the resources. */
static enum rc_err
capacity_read_reservation(struct rc_notice *n, bool required, char ret[RC_ID_LEN])
{
    struct rc_decode_shown shown;
    const char *told;
    const cJSON *item;
    enum rc_err err =
        rc_decode_string(n, n->detail, "detail.capacity-reservation-id", false, &told);

    memset(ret, 0, RC_ID_LEN);
    if (err != RC_OK) {
        return err;
    }
    if (*told) {
        return rc_decode_resource_id(told, "capacity-reservation", "cr-", ret)
                   ? RC_OK
                   : rc_decode_bad(n,
                                   "detail.capacity-reservation-id: expected a reservation id, "
                                   "found %s",
                                   rc_decode_show(told, &shown));
    }
    cJSON_ArrayForEach(item, n->resources)
    {
        if (rc_decode_resource_id(item->valuestring, "capacity-reservation", "cr-", ret)) {
            return RC_OK;
        }
    }
    return required ? rc_decode_bad(n, "detail.capacity-reservation-id: missing, expected "
                                       "a reservation id")
                    : RC_OK;
}

/* "Instance Interruption Warning" -> "instance-interruption-warning". */
static void
capacity_set_code(struct rc_event *ev, const char *rest)
{
    rc_decode_code(ev->code, rest);
    for (char *at = ev->code; *at; at++) {
        if (*at == ' ') {
            *at = '-';
        } else if (*at >= 'A' && *at <= 'Z') {
            *at = (char)(*at - 'A' + 'a');
        }
    }
}

/* A block's end; an interrupted instance's end; a reservation's change has none. */
static enum rc_err
capacity_read_deadline(struct rc_notice *n, bool interrupted, int64_t *ret_wall_ms)
{
    const char *end;
    enum rc_err err;

    if (interrupted) {
        return rc_decode_deadline(n, ret_wall_ms);
    }
    err = rc_decode_string(n, n->detail, "detail.end-date", false, &end);
    *ret_wall_ms = rc_decode_time_ms(end);
    return err;
}

enum rc_err
rc_decode_capacity(struct rc_notice *n)
{
    struct rc_decode_shown shown;
    bool is_block = n->row->kind == RC_EV_CAPACITY_BLOCK;
    bool interrupted = strstr(rc_decode_rest(n), "Instance Interruption") != NULL;
    char reservation[RC_ID_LEN];
    int64_t deadline_wall_ms = 0;
    enum rc_err err = capacity_read_reservation(n, is_block && !interrupted, reservation);

    if (err == RC_OK) {
        err = capacity_read_deadline(n, interrupted, &deadline_wall_ms);
    }
    if (err == RC_OK && (interrupted || is_block)) {
        err = rc_decode_instances(n, interrupted);
    } else if (err == RC_OK) {
        struct rc_event *ev;
        err = rc_decode_add(n, rc_decode_no_instance, &ev);
    }
    for (uint32_t i = 0; err == RC_OK && i < n->out->count; i++) {
        struct rc_event *ev = &n->out->events[i];

        memcpy(ev->u.capacity.reservation, reservation, sizeof reservation);
        ev->u.capacity.deadline_wall_ms = deadline_wall_ms;
        capacity_set_code(ev, rc_decode_rest(n));
    }
    if (err == RC_OK) {
        rc_decode_say(n, "%s reservation=%s deadline=%s", rc_decode_rest(n),
                      *reservation ? reservation : "not told",
                      rc_decode_show_time(deadline_wall_ms, &shown));
    }
    return err;
}
