/* sweep.c - a polling pass ended. Only a complete pass proves an absence;
 * one that failed or was cut short proves nothing and changes nothing. */
#include "handlers/table.h"

#include "reconciler/core/fact.h"
#include "reconciler/core/timers.h"

enum { SWEEPS_TO_FORGET = 2 };

static bool
is_referred_to(const struct rc_state *s, uint32_t slot)
{
    const struct rc_instance *i = rc_instance_at(s, slot);
    const struct rc_node *n = i->node ? rc_node_at(s, i->node) : NULL;

    if (!n) {
        return false;
    }
    const struct rc_incident *inc = n->incident ? rc_incident_at(s, n->incident) : NULL;
    return n->instance == slot || (inc && (inc->old_instance == slot || inc->new_instance == slot));
}

static void
note_absent_instance(struct rc_state *s, uint32_t slot)
{
    struct rc_instance *i = rc_instance_at(s, slot);

    if (i->sweep > s->sweep) {
        i->missing_since_ms = 0;
        return;
    }
    if (!i->missing_since_ms) {
        i->missing_since_ms = s->now_ms;
    }
    if (is_referred_to(s, slot)) {
        rc_touch(s, i->node);
    } else if (s->sweep >= i->sweep + SWEEPS_TO_FORGET) {
        rc_instance_set_node(s, slot, "");
        rc_instance_free(s, slot);
    }
}

/* A node of ours behind whose name EC2 shows nothing. */
static void
note_unbound(struct rc_state *s, uint32_t node)
{
    struct rc_node *n = rc_node_at(s, node);

    if (n->instance || !n->group) {
        return;
    }
    if (!n->unbound_since_ms) {
        n->unbound_since_ms = s->now_ms;
    }
    rc_touch(s, node);
}

/* instance.sweep is one more than the last complete pass that showed it. */
static void
note_absent(struct rc_state *s)
{
    for (uint32_t slot = 1; slot <= s->instance_used; slot++) {
        if (rc_instance_at(s, slot)->used) {
            note_absent_instance(s, slot);
        }
    }
    for (uint32_t node = 1; node <= s->node_count; node++) {
        note_unbound(s, node);
    }
}

static void
sweep_apply(struct rc_state *s, const struct rc_event *ev)
{
    switch ((enum rc_sweep)ev->u.sweep.which) {
    case RC_SWEEP_INSTANCES:
        s->ec2_ok = ev->u.sweep.complete;
        if (ev->u.sweep.complete) {
            note_absent(s);
            s->sweep++;
        }
        break;
    case RC_SWEEP_SLURM:
        s->slurm_ok = ev->u.sweep.complete;
        break;
    case RC_SWEEP_STATUS:
    case RC_SWEEP_UNKNOWN:
    case RC_SWEEP__MAX:
        break;
    }
}

const struct rc_handler rc_handler_sweep = {RC_EV_SWEEP, sweep_apply};
