/* completion.c - what became of an action. Matched by its id alone: a late or
 * foreign completion is dropped and counted. Accepted is not observed: a success
 * only lets the phase wait for the effect. */
#include "handlers/table.h"

#include <string.h>

#include "reconciler/core/fact.h"
#include "reconciler/core/health.h"
#include "reconciler/core/lemon.h"
#include "reconciler/core/spare.h"
#include "reconciler/core/suspect.h"
#include "reconciler/core/timers.h"
#include "reconciler/core/turn.h"

static void
complete_quarantine(struct rc_state *s, const struct rc_flight *f, const struct rc_ev_completion *c)
{
    struct rc_message *m = rc_message_at(s, (uint32_t)(f->msg % s->messages.room));

    if (m->msg != f->msg || m->state != RC_MSG_QUARANTINE) {
        return;
    }
    m->barrier = 0; /* failed: it stays in the line and is tried again */
    if (c->error == RC_OK) {
        m->state = RC_MSG_WAITS;
        s->quarantine_retries = 0;
    } else {
        s->quarantine_next_ms = s->now_ms + rc_backoff_ms(s, c->action, s->quarantine_retries++);
    }
}

/* The newest write decides what is still unsaved. */
static void
complete_item(struct rc_state *s, uint32_t slot, const struct rc_ev_completion *c)
{
    struct rc_incident *inc = rc_incident_at(s, slot);

    if (inc->put_action != c->action) {
        return; /* a newer write is on its way and will answer for this one */
    }
    inc->put_action = 0;
    if (c->error == RC_OK) {
        rc_unsaved_done(s, slot);
        inc->flags |= RC_INC_SAVED;
        inc->put_retries = 0;
        if (!inc->node) {
            s->closed_retry_ms = s->closed_retry_ms ? s->now_ms : 0; /* the next one's turn */
            rc_incident_free(s, slot);
        }
        return;
    }
    inc->put_retry_ms = s->now_ms + rc_backoff_ms(s, c->action, inc->put_retries++);
    if (!inc->node && (!s->closed_retry_ms || inc->put_retry_ms < s->closed_retry_ms)) {
        s->closed_retry_ms = inc->put_retry_ms;
    }
}

static void
back_off(struct rc_state *s, struct rc_incident *inc, uint64_t id)
{
    inc->next_try_ms = s->now_ms + rc_backoff_ms(s, id, inc->retries++);
}

static void
back_off_launch(struct rc_state *s, struct rc_incident *inc, uint64_t id)
{
    inc->launch_next_ms = s->now_ms + rc_backoff_ms(s, id, inc->launch_retries++);
}

static void
launched(struct rc_state *s, struct rc_incident *inc, const struct rc_ev_completion *c)
{
    uint32_t slot = rc_instance_get(s, c->instance);

    if (!slot) {
        return; /* no room: the sweep finds it by its tags once there is */
    }
    rc_instance_describe(s, slot, &c->launched);
    uint32_t node = rc_instance_at(s, slot)->node;
    if (node && node != inc->node) {
        /* The token was used before, and what it launched has another name by now. */
        inc->flags |= RC_INC_MISMATCH;
        inc->sweep = s->sweep;
        return;
    }
    inc->new_instance = slot;
    inc->launch_retries = 0;
    inc->flags &= ~(uint32_t)RC_INC_NO_CAPACITY;
}

static void
complete_launch(struct rc_state *s, struct rc_incident *inc, const struct rc_ev_completion *c)
{
    uint32_t group = rc_node_at(s, inc->node)->group; /* 0 when it was taken out of them all */
    uint32_t options = group ? s->cluster.group[group - 1].option_count : 0;

    if (c->error == RC_OK) {
        launched(s, inc, c);
    } else if (c->error == RC_E_TOKEN_MISMATCH) {
        inc->flags |= RC_INC_MISMATCH;
        inc->sweep = s->sweep;
    } else if (rc_err_retry((enum rc_err)c->error) == RC_RETRY_ELSEWHERE) {
        if (inc->launch_counted) {
            inc->launch_counted = 0;
            rc_budget_refund(s, inc->node); /* nothing was launched */
        }
        if (++inc->option >= options) {
            inc->option = 0;
            inc->flags |= RC_INC_NO_CAPACITY;
            inc->launch_next_ms = s->now_ms + s->policy.timeouts.capacity_wait_ms;
        }
    } else {
        back_off_launch(s, inc, c->action); /* the same token again: what went through is found */
    }
}

/* Refusals that no repetition can change end this try of the rung. */
static bool
is_final(uint32_t error)
{
    enum rc_retry retry = rc_err_retry((enum rc_err)error);

    return (retry == RC_RETRY_NEVER && error != RC_E_CANCELLED && error != RC_E_NO_LEASE) ||
           retry == RC_RETRY_ELSEWHERE;
}

static void
complete_phase(struct rc_state *s, struct rc_incident *inc, enum rc_action_kind kind,
               const struct rc_ev_completion *c)
{
    bool power = kind == RC_ACT_REBOOT || kind == RC_ACT_STOP || kind == RC_ACT_START ||
                 kind == RC_ACT_GATE || kind == RC_ACT_GPU_RESET;

    if (c->error == RC_OK) {
        if (kind == RC_ACT_GPU_RESET) {
            rc_health_healed(s, inc->node); /* what is told from now on counts */
        }
        if (kind == RC_ACT_DRAIN) {
            inc->drain_ack_ms = s->now_ms;
            inc->drain_ack_at = s->folds;
        }
        if (kind != RC_ACT_DRAIN || inc->phase == RC_PHASE_PROTECT) {
            inc->flags |= RC_INC_ACCEPTED; /* of the phase: a drain set anew is no verdict */
            inc->accepted_ms = s->now_ms;
        }
    } else if (power && is_final(c->error)) {
        inc->flags |= RC_INC_FAILED;
    } else {
        /* Also where another's words stand on the node: whose they are is slurmctld's to show.
         * Written down here, it would stay for as long as its row does not change. */
        back_off(s, inc, c->action);
    }
}

static void
complete_terminate(struct rc_state *s, struct rc_incident *inc, const struct rc_ev_completion *c)
{
    if (c->error == RC_OK || c->error == RC_E_NOT_FOUND) {
        inc->flags |= RC_INC_ACCEPTED;
        inc->accepted_ms = s->now_ms;
    } else if (is_final(c->error)) {
        inc->flags |= RC_INC_FAILED;
    } else {
        back_off(s, inc, c->action);
    }
}

static void
complete_jobs(struct rc_state *s, struct rc_incident *inc, enum rc_action_kind kind,
              const struct rc_ev_completion *c)
{
    if (c->error == RC_OK) {
        inc->jobs_retries = 0;
        inc->flags |= kind == RC_ACT_JOBS_REQUEUE ? (uint32_t)RC_INC_REQUEUED : 0U;
        return;
    }
    inc->jobs_next_ms = s->now_ms + rc_backoff_ms(s, c->action, inc->jobs_retries++);
    if (kind == RC_ACT_JOBS_SIGNAL && !is_final(c->error)) {
        inc->flags &= ~(uint32_t)(RC_INC_SIGNALLED | RC_INC_SIGNALLED_LAST); /* once more */
    }
}

/* A spare that cannot be tagged for the node is left where it stands: the launch goes on
 * without it at its next try. */
static void
complete_assign(struct rc_state *s, struct rc_incident *inc, const struct rc_ev_completion *c)
{
    if (c->error == RC_OK) {
        rc_spare_assigned(s, inc);
        return;
    }
    back_off_launch(s, inc, c->action);
    if (is_final(c->error)) {
        rc_spare_release(s, inc);
        inc->new_instance = 0;
    }
}

static void
complete_hand(struct rc_state *s, uint32_t slot, enum rc_action_kind kind,
              const struct rc_ev_completion *c)
{
    struct rc_incident *inc = rc_incident_at(s, slot);

    if (!inc->node) {
        return;
    }
    if (inc->action == c->action) {
        inc->action = 0;
        complete_phase(s, inc, kind, c);
    } else if (inc->launch_action == c->action) {
        inc->launch_action = 0;
        if (kind == RC_ACT_ASSIGN) {
            complete_assign(s, inc, c);
        } else {
            complete_launch(s, inc, c);
        }
    } else if (inc->terminate_action == c->action) {
        inc->terminate_action = 0;
        if (inc->phase == RC_PHASE_RETIRE) {
            complete_terminate(s, inc, c);
        }
    } else if (inc->jobs_action == c->action) {
        inc->jobs_action = 0;
        complete_jobs(s, inc, kind, c);
    } else if (inc->evidence_action == c->action) {
        inc->evidence_action = 0; /* kept, or not to be had: the repair goes on */
    } else if (inc->look_action == c->action) {
        inc->look_action = 0;
        if (c->error == RC_OK && inc->looked) {
            rc_instance_at(s, inc->looked)->checked_ms = s->now_ms; /* nothing new is an answer */
        }
    }
}

static void
completion_apply(struct rc_state *s, const struct rc_event *ev)
{
    const struct rc_ev_completion *c = &ev->u.completion;
    uint32_t flight = rc_flight_find(s, c->action);

    if (!flight) {
        s->counters.late_completions += c->action != 0;
        return;
    }
    struct rc_flight f = *rc_flight_at(s, flight);
    rc_flight_free(s, flight);
    if (f.kind == RC_ACT_HISTORY_PUT) {
        rc_history_done(s, f.node, c->action, c->error);
        return;
    }
    uint32_t node = f.incident && rc_incident_at(s, f.incident)->id == f.incident_id
                        ? rc_incident_at(s, f.incident)->node
                        : 0;
    if ((node || f.kind == RC_ACT_INCIDENT_PUT) && f.deadline_ms <= s->now_ms) {
        /* Over for the live state as for one that is read back from the journal, whichever
         * of tick and answer came first. */
        s->counters.late_completions++;
        rc_touch(s, node);
        return;
    }
    if (rc_pair_complete(s, ev, f.kind)) {
        return;
    }
    if (f.kind == RC_ACT_MESSAGE_QUARANTINE) {
        complete_quarantine(s, &f, c);
        return;
    }
    if (f.kind == RC_ACT_JOB_HOLD) {
        rc_suspect_done(s, c->action, c->error);
        return;
    }
    if (f.kind == RC_ACT_JOBS_INCLUDE) {
        if (f.node && c->error == RC_OK) {
            rc_health_at(s, f.node)->exclude_until_ms = 0;
        }
        return;
    }
    if (!f.incident || rc_incident_at(s, f.incident)->id != f.incident_id) {
        return; /* the incident has ended meanwhile */
    }
    if (node && (f.kind == RC_ACT_GATE || f.kind == RC_ACT_FORENSICS)) {
        rc_lemon_serials(s, node, c->serials);
    }
    if (f.kind == RC_ACT_INCIDENT_PUT) {
        complete_item(s, f.incident, c);
    } else {
        complete_hand(s, f.incident, (enum rc_action_kind)f.kind, c);
    }
    rc_touch(s, f.incident && rc_incident_at(s, f.incident)->id == f.incident_id
                    ? rc_incident_at(s, f.incident)->node
                    : 0);
}

const struct rc_handler rc_handler_completion = {RC_EV_COMPLETION, completion_apply};
