/* event_copy.h - a copy of an event without the room behind its own part.
 *
 * An event has the size of its largest kind (840 bytes), and most that are played are
 * small: ends of polls, ticks, leases. What lies behind a kind's own part of the union is
 * read by nobody, and may be anything in a copy. */
#ifndef RC_SIM_EVENT_COPY_H
#define RC_SIM_EVENT_COPY_H

#include <stddef.h>
#include <string.h>

#include "reconciler/core/event.h"

/* Bytes from the event's begin that mean something. */
static inline size_t
rc_sim_event_bytes(const struct rc_event *ev)
{
    size_t own = sizeof ev->u; /* any kind that is rare, or about as large */

    if (ev->kind == RC_EV_TICK) {
        own = 0;
    } else if (ev->kind == RC_EV_LEASE) {
        own = sizeof ev->u.lease;
    } else if (ev->kind == RC_EV_SWEEP) {
        own = sizeof ev->u.sweep;
    } else if (ev->kind == RC_EV_SLURM_NODE) {
        own = sizeof ev->u.slurm;
    } else if (ev->kind == RC_EV_INSTANCE) {
        own = sizeof ev->u.described;
    } else if (ev->kind == RC_EV_INSTANCE_STATUS) {
        own = sizeof ev->u.status;
    }
    return offsetof(struct rc_event, u) + own;
}

static inline void
rc_sim_event_copy(struct rc_event *to, const struct rc_event *from)
{
    memcpy(to, from, rc_sim_event_bytes(from));
}

#endif
