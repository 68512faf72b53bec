/* sweep.c - a polling pass ended. Only a complete pass proves an absence;
 * one that failed or was cut short proves nothing and changes nothing. */
#include "handlers/table.h"

#include "reconciler/core/fact.h"
#include "reconciler/core/spare.h"
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
    for (uint32_t slot = 1; s->strangers && slot <= s->instance_used; slot++) {
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

/* Only rows that changed are told, so a complete pass renews all others. It began
 * after the one before it had ended. */
static void
end_slurm_pass(struct rc_state *s, bool complete, uint32_t jobs)
{
    s->slurm_ok = complete;
    if (complete) {
        s->slurm_fresh_at = s->slurm_pass_at;
        s->slurm_pass_ms = s->now_ms;
        s->jobs_running = jobs;
        for (uint32_t slot = 1; slot <= s->incident_used && s->open_incidents; slot++) {
            rc_touch(s, rc_incident_at(s, slot)->node);
        }
    }
    s->slurm_pass_at = s->folds;
}

/* slurmctld answers again: what it could not take need not wait for its pause to end. */
static void
try_slurm_again(struct rc_state *s)
{
    for (uint32_t slot = 1; slot <= s->incident_used; slot++) {
        struct rc_incident *inc = rc_incident_at(s, slot);
        bool asks_slurm = inc->phase == RC_PHASE_PROTECT || inc->phase == RC_PHASE_WAIT_IDLE ||
                          inc->phase == RC_PHASE_REGISTER || inc->phase == RC_PHASE_RETURN;
        if (inc->id && inc->node && asks_slurm) {
            inc->next_try_ms = 0;
            inc->jobs_next_ms = 0;
            rc_touch(s, inc->node);
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
            s->ec2_pass_ms = s->now_ms;
            s->sweep++;
            s->recheck = 1; /* who waited to see what there is */
            forget_strangers(s);
            rc_spare_places(s);
            for (uint32_t i = 0; i < s->pair.count; i++) {
                rc_pair_plan(s, i); /* its zone is known now */
            }
            for (uint32_t node = 1; s->unbound && node <= s->node_count; node++) {
                note_unbound(s, node);
            }
        }
        break;
    case RC_SWEEP_SLURM:
        if (ev->u.sweep.complete && !s->slurm_ok) {
            try_slurm_again(s);
        }
        end_slurm_pass(s, ev->u.sweep.complete != 0, ev->u.sweep.jobs);
        s->slurm_wall_ms = ev->u.sweep.complete ? s->now_wall_ms : s->slurm_wall_ms;
        break;
    case RC_SWEEP_STATUS:
    case RC_SWEEP_UNKNOWN:
    case RC_SWEEP__MAX:
        break;
    }
}

const struct rc_handler rc_handler_sweep = {RC_EV_SWEEP, sweep_apply};
