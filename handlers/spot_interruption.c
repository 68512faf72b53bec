/* spot_interruption.c - AWS takes a spot instance back, two minutes from
 * the notice. Best effort: it may come late or never. */
#include "handlers/table.h"

#include "reconciler/core/fact.h"

static void
spot_interruption_apply(struct rc_state *s, const struct rc_event *ev)
{
    rc_fact_taken_back(s, ev, ev->u.spot.deadline_wall_ms, "spot");
}

const struct rc_handler rc_handler_spot_interruption = {RC_EV_SPOT_INTERRUPTION,
                                                        spot_interruption_apply};
