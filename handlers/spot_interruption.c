/* spot_interruption.c - AWS takes a spot instance back, two minutes from
 * the notice. Best effort: it may come late or never. */
#include "handlers/table.h"

#include "reconciler/core/fact.h"

enum { NOTICE_MS = 120000 };

static void
spot_interruption_apply(struct rc_state *s, const struct rc_event *ev)
{
    uint32_t slot = rc_fact_instance(s, ev);

    if (!slot) {
        return;
    }
    struct rc_instance_faults *f = &rc_instance_at(s, slot)->faults;
    f->interruption = 1;
    f->interruption_wall_ms =
        ev->u.spot.deadline_wall_ms ? ev->u.spot.deadline_wall_ms : ev->wall_ms + NOTICE_MS;
    rc_text_set(f->code, sizeof f->code, "spot");
    rc_fact_touch(s, ev, slot);
}

const struct rc_handler rc_handler_spot_interruption = {RC_EV_SPOT_INTERRUPTION,
                                                        spot_interruption_apply};
