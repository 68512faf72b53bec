/* controller_note.c - folds what was asked for about a controller, and how it went. */
#include <assert.h>
#include <string.h>

#include "policies/rules.h"
#include "reconciler/core/controller.h"
#include "reconciler/core/fact.h"
#include "reconciler/core/node_history.h"

enum { RETRY_MIN_MS = 500, RETRY_MAX_MS = 15000, PATIENCE_DOUBLES = 5 };

static int64_t
pause_ms(uint32_t retries)
{
    int64_t ms = (int64_t)RETRY_MIN_MS << (retries < 8 ? retries : 8);

    return ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS;
}

static uint32_t
hash_of_id(const char *id)
{
    return (uint32_t)rc_hash_text(id) | 1;
}

/* Since when there is what this fail-over is about; 0 = a person's wish, or policy's. */
static int64_t
loss_since(const struct rc_pair *p, uint32_t cause)
{
    if (cause == RC_CAUSE_OPERATOR || cause == RC_CAUSE_SWAP_BACK || cause == RC_CAUSE_TWO) {
        return 0;
    }
    if (!p->primary) {
        return p->c[0].lost_ms > p->c[1].lost_ms ? p->c[0].lost_ms : p->c[1].lost_ms;
    }
    const struct rc_controller *c = &p->c[p->primary - 1];
    return cause == RC_CAUSE_AILING ? c->ailing_ms : c->lost_ms;
}

/* One loss is one fail-over, however often it has to begin anew, and whoever leads. */
static bool
is_counted(const struct rc_pair *p, int64_t since_ms)
{
    return since_ms && p->done_count &&
           p->done_ms[(p->done_count - 1) % RC_TAKEOVERS_MAX] >= since_ms;
}

static void
begin_failover(struct rc_state *s, const struct rc_act_controller *in, uint32_t to)
{
    struct rc_pair *p = &s->pair;
    bool by_hand = in->cause == RC_CAUSE_OPERATOR || in->cause == RC_CAUSE_SWAP_BACK;
    int64_t since_ms = loss_since(p, in->cause);

    p->begun_ms = since_ms && in->cause != RC_CAUSE_AILING ? since_ms : s->now_ms;
    p->proof = RC_PROOF_NONE;
    p->wanted = 0;
    p->asked = 0;
    p->patient_ms = 0;
    if (!by_hand && p->primary != to + 1 && in->cause != RC_CAUSE_TWO && !is_counted(p, since_ms)) {
        p->done_ms[p->done_count++ % RC_TAKEOVERS_MAX] = s->now_ms;
        p->untouched = 1;
        rc_history_dirty(s, 0); /* the other leader must know it too */
    }
}

/* One serves. If nothing was done on the way there, this one was none. */
static void
end_failover(struct rc_state *s)
{
    struct rc_pair *p = &s->pair;

    if (p->untouched && p->done_count) {
        p->done_ms[--p->done_count % RC_TAKEOVERS_MAX] = 0;
        rc_history_dirty(s, 0);
    }
    p->untouched = 0;
}

static void
note_phase(struct rc_state *s, const struct rc_action *a, uint32_t to)
{
    struct rc_pair *p = &s->pair;
    const struct rc_act_controller *in = &a->u.controller;

    assert(rc_failover_row((enum rc_failover_phase)p->phase, (enum rc_failover_phase)in->phase));
    if (in->phase == RC_FO_FENCE && p->phase <= RC_FO_SUSPECT) {
        begin_failover(s, in, to);
    }
    if (in->phase == RC_FO_WATCH) {
        end_failover(s);
    }
    if (in->phase == RC_FO_FENCE && p->phase > RC_FO_STOP) {
        p->proof = RC_PROOF_NONE; /* it did not hold */
    }
    if (in->phase == RC_FO_TAKEOVER && in->proof) {
        p->proof = in->proof;
        p->proof_ms = s->now_ms - in->proof_ms;
        p->proof_epoch = in->epoch;
    }
    if (in->phase == RC_FO_STOP) {
        p->dead_count = 0;
    }
    p->cause = in->cause;
    p->to = to + 1;
    p->from = rc_pair_find(p, in->from) + 1;
    if (in->phase <= RC_FO_SUSPECT) {
        p->proof = RC_PROOF_NONE;
        p->wanted = 0;
        p->told = 0;
    }
    p->phase = in->phase;
    p->phase_ms = s->now_ms;
    p->action = 0;
    p->retries = p->accepted = p->refused = 0;
    p->next_try_ms = 0;
}

/* What is done to a controller outside a fail-over is its recovery. */
static void
note_recovery(struct rc_state *s, const struct rc_action *a, uint32_t i)
{
    struct rc_controller *c = &s->pair.c[i];

    c->action = a->id;
    if (a->kind == RC_ACT_LOOK) {
        c->next_ms = s->now_ms + pause_ms(3);
        return;
    }
    bool long_pause = c->tries > s->policy.controllers.restarts * 2 || c->full;
    c->next_ms =
        s->now_ms + (long_pause ? s->policy.timeouts.capacity_wait_ms : pause_ms(c->tries));
    c->tries++;
}

void
rc_pair_note(struct rc_state *s, const struct rc_action *a)
{
    struct rc_pair *p = &s->pair;
    uint32_t i = rc_pair_find(p, a->node);

    if (i >= p->count || a->kind == RC_ACT_TERMINATE) {
        return;
    }
    if (a->kind == RC_ACT_FAILOVER) {
        note_phase(s, a, i);
    } else if (a->kind == RC_ACT_TELL) {
        if (p->phase == RC_FO_WATCH) {
            p->c[i].told = 1;
        } else {
            p->told |= 1U << p->phase;
        }
    } else if (p->phase == RC_FO_WATCH) {
        note_recovery(s, a, i);
    } else {
        p->action = a->id;
        p->action_kind = a->kind;
        p->looked = a->kind == RC_ACT_LOOK ? hash_of_id(a->instance) : 0;
        if (a->kind == RC_ACT_CONTROLLER_START || a->kind == RC_ACT_TAKEOVER) {
            uint32_t doubles = p->asked < PATIENCE_DOUBLES ? p->asked : PATIENCE_DOUBLES;
            p->patient_ms = s->now_ms + (s->policy.controllers.takeover_ms << doubles);
            p->asked++;
            p->accepted = 0; /* that of the start before a take-over is another one */
        }
    }
}

/* ---- how it went ---- */

static void
completed_fence(struct rc_state *s, const struct rc_ev_completion *done)
{
    struct rc_pair *p = &s->pair;
    struct rc_controller *c = &p->c[p->from - 1];

    if (done->error != RC_OK) {
        return;
    }
    p->proof = RC_PROOF_PROCESS;
    p->proof_ms = s->now_ms;
    p->proof_epoch = s->lease_epoch;
    c->process = RC_PROC_NONE;
    c->fenced = RC_TOLD_YES;
    /* What the eyes saw was before: they must look again. */
    rc_pair_see(s, p->from - 1, RC_EYE_OWN, RC_CTL_UNKNOWN, 0);
    rc_pair_see(s, p->from - 1, RC_EYE_PEER, RC_CTL_UNKNOWN, 0);
}

/* A look is believed by its own answer alone: notices come late and out of order. */
static void
completed_look(struct rc_state *s, const struct rc_ev_completion *done)
{
    struct rc_pair *p = &s->pair;
    uint32_t state = done->launched.state, slot = rc_instance_find(s, done->instance);
    bool off = state == RC_INST_STOPPED || state == RC_INST_TERMINATED;

    if (done->error == RC_E_NOT_FOUND && p->dead_count < RC_REMAINS_MAX &&
        p->looked == hash_of_id(p->c[p->from - 1].instance)) {
        memcpy(p->dead[p->dead_count++], p->c[p->from - 1].instance, RC_ID_LEN);
    }
    if (done->error != RC_OK || !*done->instance) {
        return;
    }
    for (uint32_t k = 0; k < p->dead_count; k++) {
        if (strcmp(p->dead[k], done->instance) == 0) {
            memmove(p->dead[k], p->dead[--p->dead_count], RC_ID_LEN);
            break;
        }
    }
    if (state == RC_INST_RUNNING || state == RC_INST_PENDING) {
        p->accepted = 0; /* it runs, or runs again: it must be stopped once more */
    }
    if (slot) { /* the sweeps tell of it only where it is another one than they told before */
        rc_instance_set_state(s, slot, (enum rc_instance_state)state, s->now_wall_ms);
    }
    if (off && p->dead_count < RC_REMAINS_MAX) {
        memcpy(p->dead[p->dead_count++], done->instance, RC_ID_LEN);
    }
}

static void
completed_step(struct rc_state *s, const struct rc_ev_completion *done)
{
    struct rc_pair *p = &s->pair;
    uint32_t kind = p->action_kind;

    p->action = 0;
    if (kind == RC_ACT_FENCE) {
        completed_fence(s, done);
    } else if (kind == RC_ACT_LOOK) {
        completed_look(s, done);
        p->next_try_ms = s->now_ms + RC_PAIR_LOOK_MS;
        return;
    }
    if (done->error == RC_OK) {
        p->untouched = 0;
        p->accepted = 1;
        p->retries = 0;
        p->refused = RC_OK;
        return;
    }
    if ((kind == RC_ACT_CONTROLLER_START || kind == RC_ACT_TAKEOVER) && p->asked) {
        p->asked--; /* nothing was begun that would need time */
        p->patient_ms = 0;
    }
    p->refused = done->error;
    p->next_try_ms = s->now_ms + pause_ms(p->retries++);
}

/* What the next launch is like; the store must have it before that one is sent. */
static void
completed_controller_launch(struct rc_state *s, uint32_t i, const struct rc_ev_completion *done)
{
    struct rc_launch_plan *plan = &s->pair.plan[i];
    uint32_t options = s->cluster.controllers.option_count;

    if (done->error == RC_OK) {
        uint32_t slot = rc_instance_get(s, done->instance);
        uint32_t state = done->launched.state;
        if (slot) {
            rc_instance_describe(s, slot, &done->launched);
        }
        s->pair.c[i].full = 0;
        if (state == RC_INST_TERMINATED || state == RC_INST_SHUTTING_DOWN) {
            /* The token of one that has ended meanwhile gives that one for ever. */
            plan->attempt = (plan->attempt ? plan->attempt : 1) + 1;
            rc_history_dirty(s, 0);
        }
    } else if (done->error == RC_E_TOKEN_MISMATCH) {
        /* What was launched by it shows in a complete pass, or nothing was. */
        plan->attempt = (plan->attempt ? plan->attempt : 1) + 1;
        rc_history_dirty(s, 0);
        s->pair.c[i].next_ms = s->now_ms + 2 * (int64_t)s->cluster.poll_instances_ms;
    } else if (options && rc_err_retry((enum rc_err)done->error) == RC_RETRY_ELSEWHERE) {
        plan->option = (plan->option % options + 1) % options;
        s->pair.c[i].full = 0; /* one that is off is tried first: a person may have started it */
        rc_history_dirty(s, 0);
    }
}

static void
completed_recovery(struct rc_state *s, uint32_t i, uint32_t kind,
                   const struct rc_ev_completion *done)
{
    struct rc_controller *c = &s->pair.c[i];

    c->action = 0;
    if (kind == RC_ACT_START) {
        c->full = rc_err_retry((enum rc_err)done->error) == RC_RETRY_ELSEWHERE;
        if (c->full) {
            c->next_ms = s->now_ms; /* now it is known to be off: in another zone, at once */
        }
    }
    if ((kind == RC_ACT_START || kind == RC_ACT_STOP) && done->error == RC_OK) {
        /* Accepted is not observed: a sweep must show it before more is asked for. */
        c->next_ms = s->now_ms + s->cluster.poll_instances_ms;
    }
    if (kind == RC_ACT_LAUNCH) {
        completed_controller_launch(s, i, done);
    }
}

bool
rc_pair_complete(struct rc_state *s, const struct rc_event *ev, uint32_t kind)
{
    struct rc_pair *p = &s->pair;
    const struct rc_ev_completion *done = &ev->u.completion;

    if (p->action && p->action == done->action) {
        completed_step(s, done);
        return true;
    }
    for (uint32_t i = 0; i < p->count; i++) {
        if (p->c[i].action && p->c[i].action == done->action) {
            completed_recovery(s, i, kind, done);
            return true;
        }
    }
    return kind == RC_ACT_FENCE || kind == RC_ACT_CONTROLLER_START || kind == RC_ACT_TAKEOVER;
}
