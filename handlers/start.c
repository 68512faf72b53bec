/* start.c - the daemon (or a replay) begins, or begins again.
 *
 * After a restart nobody knows what became of the actions in flight: each is
 * given back as cancelled, so that it is asked about or sent again with the same
 * token. A reboot is the exception: it cannot be asked about, so it counts as
 * sent and its effect is awaited. Messages are delivered again by the queue. */
#include "handlers/table.h"

#include <string.h>

#include "reconciler/core/fact.h"

static void
cancel(struct rc_state *s, uint64_t id)
{
    struct rc_event lost;
    uint32_t slot = rc_flight_find(s, id);

    rc_flight_at(s, slot)->deadline_ms = RC_NEVER; /* told now, however long we were away */
    rc_event_init(&lost, RC_EV_COMPLETION);
    lost.u.completion.action = id;
    lost.u.completion.error = rc_flight_at(s, slot)->kind == RC_ACT_REBOOT ? RC_OK : RC_E_CANCELLED;
    rc_handler_completion.apply(s, &lost);
}

static void
start_apply(struct rc_state *s, const struct rc_event *ev)
{
    uint32_t booted = s->node_count;

    s->seed = ev->u.start.seed;
    memcpy(s->host, ev->u.start.host, sizeof s->host);
    s->lease_held = 0;
    s->lease_action = 0;
    s->lease_next_ms = s->now_ms;
    s->message_waiting = 0;
    s->sweep_floor = s->sweep + 1;
    s->start_at = s->folds;
    s->start_ms = s->now_ms;
    for (uint32_t slot = 1; slot <= s->flight_used; slot++) {
        uint64_t id = rc_flight_at(s, slot)->id;
        if (id) {
            cancel(s, id);
        }
    }
    rc_pair_forget_views(s);
    if (booted) {
        rc_touch_all(s);
    }
}

const struct rc_handler rc_handler_start = {RC_EV_START, start_apply};
