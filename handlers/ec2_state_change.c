/* ec2_state_change.c - EC2 tells of a new instance state. Out of order and
 * twice are normal, and so is late: nothing leaves the grave, and a notice that is
 * older than a start, or than a later state of the same life, tells nothing any more.
 * One without a time is believed, and mended by the next sweep. */
#include "handlers/table.h"

#include "reconciler/core/fact.h"

static void
ec2_state_change_apply(struct rc_state *s, const struct rc_event *ev)
{
    const struct rc_ev_ec2_state_change *c = &ev->u.state_change;
    enum rc_instance_state state = (enum rc_instance_state)c->state;
    uint32_t slot = rc_fact_instance(s, ev);

    if (!slot) {
        return;
    }
    struct rc_instance *i = rc_instance_at(s, slot);
    uint32_t before = i->state;
    if (rc_instance_is_past(i, state, c->told_wall_ms)) {
        s->counters.stale_facts++;
    } else {
        rc_instance_set_state(s, slot, state, c->told_wall_ms ? c->told_wall_ms : s->now_wall_ms);
    }
    if (i->state != before && (i->state == RC_INST_STOPPED || i->state == RC_INST_TERMINATED)) {
        rc_pair_told_off(s, slot);
    }
    rc_fact_touch(s, ev, slot); /* its message is answered either way */
}

const struct rc_handler rc_handler_ec2_state_change = {RC_EV_EC2_STATE_CHANGE,
                                                       ec2_state_change_apply};
