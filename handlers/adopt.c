/* adopt.c - an open incident was found in the store: another controller, or
 * an earlier life without its journal, began it. It goes on from its phase with
 * its attempt count and approvals; what was in flight is asked about or sent
 * again with the same token. */
#include "handlers/table.h"

#include <string.h>

#include "reconciler/core/fact.h"
#include "reconciler/core/lemon.h"
#include "reconciler/core/stored.h"
#include "reconciler/core/timers.h"
#include "reconciler/core/turn.h"

static void
name_rule(const struct rc_state *s, struct rc_incident *inc, const char *name)
{
    const struct rc_rule *rule = rc_rule_named(s, name);

    rc_text_set(inc->rule.name, sizeof inc->rule.name, name);
    if (rule) {
        memcpy(&inc->rule, rule, sizeof inc->rule);
    }
}

/* The row must stay for as long as the incident points at it, also when EC2 shows no such
 * instance any more: a row that was given away would lend its place to a stranger. */
static uint32_t
refer(struct rc_state *s, const char *id, uint32_t node)
{
    uint32_t slot = *id ? rc_instance_get(s, id) : 0;

    if (slot && !rc_instance_at(s, slot)->known) {
        rc_instance_at(s, slot)->sweep = s->sweep;
        rc_instance_link(s, slot, node);
    }
    return slot;
}

static void
adopt(struct rc_state *s, uint32_t slot, uint32_t node, const struct rc_event *ev)
{
    const struct rc_ev_adopt *in = &ev->u.adopt;
    struct rc_incident *inc = rc_incident_at(s, slot);

    rc_node_at(s, node)->incident = slot;
    rc_node_at(s, node)->hold |= (in->flags & RC_ADOPT_HELD) != 0;
    inc->node = node;
    inc->fault = in->fault;
    inc->phase = in->phase;
    inc->rung = in->rung;
    inc->rung_tries = in->tries;
    inc->attempt = in->attempt;
    inc->sweep = s->sweep;
    inc->opened_wall_ms = in->opened_wall_ms;
    inc->opened_ms = inc->phase_ms = s->now_ms;
    inc->phase_at = s->folds; /* what an earlier life saw of the node proves nothing now */
    inc->phase_wall_ms = inc->rung_wall_ms = s->now_wall_ms;
    inc->flags = RC_INC_ADOPTED |
                 (in->fault != RC_FAULT_AGENT_DRAIN ? (uint32_t)RC_INC_IN_BREAKER : 0U) |
                 (in->flags & RC_ADOPT_APPROVED ? RC_INC_APPROVED : 0U) |
                 (in->flags & RC_ADOPT_WITH_JOB ? (uint32_t)RC_INC_WITH_JOB : 0U) |
                 (in->phase >= RC_PHASE_RESET && in->phase <= RC_PHASE_START
                      ? (uint32_t)RC_INC_BROKEN /* or about to be: its request may be under way */
                      : 0U) |
                 (in->phase >= RC_PHASE_PROTECT && in->phase != RC_PHASE_RETURN &&
                          rc_fault_is_hardware(in->fault)
                      ? (uint32_t)RC_INC_MARKED /* the node's history has it */
                      : 0U);
    inc->item_flags = in->flags;
    memcpy(inc->code, ev->code, sizeof inc->code);
    name_rule(s, inc, in->rule);
    inc->old_instance = refer(s, in->old_instance, node);
    inc->new_instance = refer(s, in->new_instance, node);
    if (inc->new_instance) {
        inc->rung_wall_ms = in->opened_wall_ms; /* its slurmd may have come up before this */
        if (!rc_node_at(s, node)
                 ->spare) { /* it may be a spare yet, whose place promises it nobody */
            rc_instance_at(s, inc->new_instance)->promised = inc->id;
        }
    }
    rc_node_bind(s, node);
    if (inc->phase > RC_PHASE_PROTECT) {
        /* The drain was accepted in that life; what is read from now on tells of it. */
        inc->flags |= in->flags & RC_ADOPT_OUR_DRAIN ? (uint32_t)RC_INC_DRAINED : 0U;
        inc->drain_ack_ms = s->now_ms;
        inc->drain_ack_at = s->folds;
    }
    if (inc->phase >= RC_PHASE_PROTECT && rc_fault_is_our_choice(inc->fault) &&
        !rc_node_at(s, node)->spare) {
        rc_budget_count(s, slot, true);
        rc_budget_aside(s, slot);
    }
}

/* True when the node's own incident stays as it is. */
static bool
keeps_own(struct rc_state *s, uint32_t slot, const struct rc_ev_adopt *in)
{
    const struct rc_incident *own = rc_incident_at(s, slot);
    bool same = own->id == in->incident;

    if (same && rc_stored_agrees(s, slot, in)) {
        rc_stored_told(s, slot);
        return true;
    }
    bool unsaved = !(own->flags & RC_INC_SAVED) && in->epoch <= s->lease_epoch;
    if (!same && (unsaved || own->told_after == s->lease_epoch + 1)) {
        return true; /* ours has not been written yet, or was named just now */
    }
    rc_stored_drop(s, slot); /* another controller has gone on with it, or past it */
    return false;
}

static void
adopt_apply(struct rc_state *s, const struct rc_event *ev)
{
    const struct rc_ev_adopt *in = &ev->u.adopt;
    uint32_t node = rc_node_get(s, ev->node), slot;

    if (!node || !in->incident || in->phase == RC_PHASE_NONE || in->phase >= RC_PHASE_CLOSED) {
        return; /* nothing to do */
    }
    slot = rc_node_at(s, node)->incident;
    if ((slot && keeps_own(s, slot, in)) || rc_incident_find(s, in->incident)) {
        return; /* known already (perhaps closed, its item not deleted yet), or nothing to do */
    }
    slot = rc_incident_new(s, in->incident);
    if (!slot) {
        return;
    }
    adopt(s, slot, node, ev);
    rc_stored_told(s, slot);
    for (uint32_t i = rc_node_at(s, node)->instances; i; i = rc_instance_at(s, i)->next_of_node) {
        rc_fact_adopt_launched(s, i); /* swept before: no news of it will come */
    }
    rc_fact_incident_seen(s, in->incident);
    rc_touch(s, node);
}

const struct rc_handler rc_handler_adopt = {RC_EV_ADOPT, adopt_apply};
