/* sweep.c - a polling pass ended. Only a complete pass proves an absence;
 * one that failed or was cut short proves nothing and changes nothing. */
#include "handlers/table.h"

#include "reconciler/core/fact.h"
#include "reconciler/core/timers.h"

enum { SWEEPS_TO_FORGET = 2 };

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

/* Rows that only a message spoke of and no pass has shown: not ours. */
static void
forget_strangers(struct rc_state *s)
{
    for (uint32_t slot = 1; slot <= s->instance_used; slot++) {
        const struct rc_instance *i = rc_instance_at(s, slot);
        if (!i->used || i->known || s->sweep < i->sweep + SWEEPS_TO_FORGET) {
            continue;
        }
        if (i->node) {
            rc_instance_absent(s, slot); /* stays while an incident refers to it */
        } else {
            rc_instance_free(s, slot);
        }
    }
}

static void
sweep_apply(struct rc_state *s, const struct rc_event *ev)
{
    switch ((enum rc_sweep)ev->u.sweep.which) {
    case RC_SWEEP_INSTANCES:
        s->ec2_ok = ev->u.sweep.complete;
        if (ev->u.sweep.complete) {
            s->ec2_wall_ms = s->now_wall_ms;
            s->sweep++;
            forget_strangers(s);
            for (uint32_t node = 1; node <= s->node_count; node++) {
                note_unbound(s, node);
            }
        }
        break;
    case RC_SWEEP_SLURM:
        s->slurm_ok = ev->u.sweep.complete;
        s->slurm_wall_ms = ev->u.sweep.complete ? s->now_wall_ms : s->slurm_wall_ms;
        break;
    case RC_SWEEP_STATUS:
    case RC_SWEEP_UNKNOWN:
    case RC_SWEEP__MAX:
        break;
    }
}

const struct rc_handler rc_handler_sweep = {RC_EV_SWEEP, sweep_apply};
