/* capacity_reservation.c - an instance in an interruptible reservation is
 * taken back, or a notice about a reservation as a whole (nothing to do per node). */
#include "handlers/table.h"

#include "reconciler/core/fact.h"

enum { NOTICE_MS = 120000 };

static void
capacity_reservation_apply(struct rc_state *s, const struct rc_event *ev)
{
    uint32_t slot = rc_fact_instance(s, ev);

    if (!slot) {
        return;
    }
    struct rc_instance_faults *f = &rc_instance_at(s, slot)->faults;
    f->interruption = 1;
    f->interruption_wall_ms =
        ev->u.capacity.deadline_wall_ms ? ev->u.capacity.deadline_wall_ms : ev->wall_ms + NOTICE_MS;
    rc_text_set(f->code, sizeof f->code, "reservation");
    rc_fact_touch(s, ev, slot);
}

const struct rc_handler rc_handler_capacity_reservation = {RC_EV_CAPACITY_RESERVATION,
                                                           capacity_reservation_apply};
