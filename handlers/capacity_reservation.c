/* capacity_reservation.c - an instance in an interruptible reservation is
 * taken back, or a notice about a reservation as a whole (nothing to do per node). */
#include "handlers/table.h"

#include "reconciler/core/fact.h"

static void
capacity_reservation_apply(struct rc_state *s, const struct rc_event *ev)
{
    rc_fact_taken_back(s, ev, ev->u.capacity.deadline_wall_ms, "reservation");
}

const struct rc_handler rc_handler_capacity_reservation = {RC_EV_CAPACITY_RESERVATION,
                                                           capacity_reservation_apply};
