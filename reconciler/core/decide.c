/* decide.c - what is missing between desired and observed, for what was touched.
 *
 * The phases of a decision, in order: expire (timers) -> recheck (what was
 * blocked) -> each touched node: diagnose -> open or raise -> advance -> timer
 * -> acknowledge messages -> lease. Idempotent: with nothing changed, nothing
 * is emitted. A full output leaves the rest in the queue for the next step. */
#include <assert.h>
#include <string.h>

#include "reconciler/core/health.h"
#include "reconciler/core/standing.h"
#include "reconciler/core/suspect.h"
#include "reconciler/core/timers.h"
#include "reconciler/core/turn.h"

enum {
    ROOM_FOR_ONE_NODE = 17, /* the most that one node's turn emits */
    PHASES_PER_TURN = 6,
    LEASE_RETRY_MS = 1000,
    MISSING_AGAIN_MS = 10 * 1000,
    LEASE_TIMEOUT_MS = 60000 /* the lease always answers; asked twice, it would change epochs */
};

static rc_phase_fn *const phase_fns[] = {
    [RC_PHASE_OPEN] = rc_phase_open,
    [RC_PHASE_PROTECT] = rc_phase_protect,
    [RC_PHASE_WAIT_IDLE] = rc_phase_wait_idle,
    [RC_PHASE_RESET] = rc_phase_reset,
    [RC_PHASE_REBOOT] = rc_phase_reboot,
    [RC_PHASE_STOP] = rc_phase_stop,
    [RC_PHASE_START] = rc_phase_start,
    [RC_PHASE_LAUNCH] = rc_phase_launch,
    [RC_PHASE_BOOT] = rc_phase_boot,
    [RC_PHASE_REGISTER] = rc_phase_register,
    [RC_PHASE_JOIN] = rc_phase_join,
    [RC_PHASE_GATE] = rc_phase_gate,
    [RC_PHASE_RETURN] = rc_phase_return,
    [RC_PHASE_RETIRE] = rc_phase_retire,
    [RC_PHASE_QUARANTINE] = rc_phase_quarantine,
};

static void
open_incident(struct rc_turn *t, const struct rc_rule *rule)
{
    struct rc_action a;
    struct rc_act_incident *item = &a.u.item;

    rc_act_init(t, &a, RC_ACT_INCIDENT_PUT, t->s->policy.timeouts.drain_ms);
    a.incident = t->s->next_incident;
    rc_text_set(a.text, sizeof a.text, rc_fault_name(t->finding.fault));
    item->opened_wall_ms = t->s->now_wall_ms;
    item->epoch = t->s->lease_epoch;
    item->fault = (uint32_t)t->finding.fault;
    item->phase = RC_PHASE_OPEN;
    item->attempt = 1;
    item->flags = t->n->hold ? RC_ADOPT_HELD : 0U;
    rc_text_set(item->code, sizeof item->code, t->finding.code);
    memcpy(item->rule, rule->name, sizeof item->rule);
    if (t->n->instance) {
        const struct rc_instance *i = rc_instance_at(t->s, t->n->instance);
        memcpy(item->old_instance, i->id, sizeof item->old_instance);
        memcpy(a.instance, i->id, sizeof a.instance);
    }
    rc_act_send(t->s, t->out, &a);
    t->slot = t->n->incident;
    t->inc = rc_incident_at(t->s, t->slot);
}

static bool
incident_room(struct rc_state *s)
{
    if (s->incident_free || s->incident_used < s->incidents.room) {
        return true;
    }
    if (!s->table_full) {
        s->table_full = 1;
        s->counters.capacity_exceeded++;
    }
    return false;
}

/* An operator took the node back knowing of this fault, and of the hints beside it. Not
 * of one that came later, and nobody wants a node whose instance is proved dead. */
bool
rc_turn_is_yielded(const struct rc_turn *t)
{
    uint32_t fault = (uint32_t)t->finding.fault, known = t->n->yielded_fault;

    /* A drain of ours that stands is no knowledge of his: he has given the node back, and its
     * agent has found the fault anew. Nobody else would ever end that drain. (As read since we
     * lead: what we had read before he may have ended since.) */
    bool drained =
        t->n->flags & RC_SN_DRAIN && t->n->owner == RC_OWNER_OURS && !rc_node_is_stale(t->s, t->n);
    return fault && !t->finding.dead && !drained &&
           (fault == known || (fault < known && fault < RC_FAULT_NODE_DOWN));
}

/* The fault has stood as long as its rule wants. What its agent tells is looked at meanwhile: when
 * others are heard after it, nobody wakes it, and in company it does not stand. */
static bool
is_confirmed(struct rc_turn *t, const struct rc_rule *rule)
{
    int64_t since_ms = rc_standing_note(&t->n->standing, (uint32_t)t->finding.fault, t->s->now_ms);

    if (t->s->now_ms - since_ms >= rule->confirm_ms) {
        return true;
    }
    rc_turn_wake(t, since_ms + rule->confirm_ms);
    rc_turn_wake(t, t->finding.fact ? t->s->now_ms + RC_COMPANY_AGAIN_MS : RC_NEVER);
    return false;
}

/* The instance behind the remembered NodeAddr is gone and another one of that name runs: it may
 * have been given the name while we were away, and its healthy node would be drained. */
static bool
may_have_moved(const struct rc_turn *t)
{
    const struct rc_state *s = t->s;
    bool moved = false;

    if (rc_node_fresh_at(s, t->n) > s->start_at) {
        return false;
    }
    for (uint32_t i = t->n->instances; i; i = rc_instance_at(s, i)->next_of_node) {
        const struct rc_instance *other = rc_instance_at(s, i);
        moved |= i != t->n->instance && other->ours && other->state == RC_INST_RUNNING;
    }
    return moved;
}

/* The status checks of the instance were told in this life: what one before had read of them may
 * be lost with the end of its journal. */
static bool
is_checked(const struct rc_turn *t)
{
    const struct rc_instance *i = t->n->instance ? rc_instance_at(t->s, t->n->instance) : NULL;

    return i && i->checked_ms && i->checked_ms >= t->s->start_ms;
}

/* True when an incident was opened. */
static bool
consider_opening(struct rc_turn *t)
{
    struct rc_node *n = t->n;

    if (!t->finding.known) {
        return false;
    }
    if (t->finding.fault == RC_FAULT_NONE) {
        rc_standing_note(&n->standing, RC_FAULT_NONE, t->s->now_ms);
        if (n->yielded_fault && is_checked(t)) {
            n->yielded_fault = 0;
            rc_history_dirty(t->s, t->node);
        }
        return false;
    }
    if (rc_turn_is_yielded(t) || (t->finding.dead && may_have_moved(t))) {
        rc_standing_cut(&n->standing, (uint32_t)t->finding.fault - 1);
        return false; /* the first pass over Slurm's nodes touches it again */
    }
    if (!rc_leads(t->s) || t->s->paused) {
        rc_standing_cut(&n->standing, (uint32_t)t->finding.fault);
        return false; /* all nodes are looked at again when this changes */
    }
    const struct rc_rule *rule = rc_policy_match(t->s, t->node, &t->finding);
    if (!rule || rule->ignore) {
        return false;
    }
    if (!is_confirmed(t, rule)) {
        return false;
    }
    if (t->s->now_ms < n->cooldown_until_ms && !t->finding.dead) {
        rc_turn_wake(t, n->cooldown_until_ms);
        return false;
    }
    if (!incident_room(t->s)) {
        rc_turn_wake(t, t->s->now_ms + LEASE_RETRY_MS);
        return false;
    }
    open_incident(t, rule);
    return true;
}

/* A replacement on its way answers every fault of the instance that it replaces, and what
 * our own hand did is none. */
static bool
is_worse(const struct rc_turn *t)
{
    const struct rc_incident *inc = t->inc;
    bool replacing = rc_rung_now(inc)->kind == RC_RUNG_REPLACE && inc->phase > RC_PHASE_WAIT_IDLE;
    bool power_cycling = inc->phase == RC_PHASE_STOP || inc->phase == RC_PHASE_START;
    bool rebooting = inc->phase == RC_PHASE_REBOOT || inc->phase == RC_PHASE_JOIN;

    return (uint32_t)t->finding.fault > inc->fault && !replacing &&
           inc->phase != RC_PHASE_QUARANTINE && inc->old_instance == t->n->instance &&
           !(power_cycling && t->finding.fault == RC_FAULT_INSTANCE_STOPPED) &&
           !((power_cycling || rebooting) && t->finding.fault == RC_FAULT_NODE_DOWN);
}

/* An agent's drain went past the limits, because it was only to be proved: they are asked when
 * it turns out worse, with what the worse fault's rule does to the jobs. A node that counts
 * already (its fault went, and is back) is not asked for twice: it would stand in its own way. */
static struct rc_take
may_raise(const struct rc_turn *t, const struct rc_rule *rule)
{
    const struct rc_incident *inc = t->inc;
    struct rc_incident raised = *inc;

    if (inc->fault != RC_FAULT_AGENT_DRAIN || inc->phase < RC_PHASE_PROTECT ||
        inc->flags & RC_INC_COUNTED) {
        return (struct rc_take){RC_BLOCK_NONE, RC_NEVER, false};
    }
    memcpy(&raised.rule, rule, sizeof raised.rule);
    return rc_may_take_out(t->s, &raised, &t->finding);
}

/* What is worse has stood without a break, also while nothing may be decided. */
static void
note_standing(struct rc_turn *t)
{
    uint32_t found = (uint32_t)t->finding.fault, answered = t->inc->fault;

    if (!is_worse(t)) {
        rc_standing_note(&t->n->standing, found < answered ? found : answered, t->s->now_ms);
    }
}

/* A worse fact of the same generation changes what the incident answers to, once it has stood
 * as long as its rule wants: the answer to the lesser one goes on until then. */
static enum rc_block
consider_raising(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;

    if (t->finding.deadline_wall_ms) {
        inc->deadline_wall_ms = t->finding.deadline_wall_ms;
    }
    if (!is_worse(t) || (uint32_t)t->finding.fault == t->n->yielded_fault) {
        return RC_BLOCK_NONE;
    }
    const struct rc_rule *rule = rc_policy_match(t->s, t->node, &t->finding);
    if (!rule || rule->ignore || !is_confirmed(t, rule)) {
        return RC_BLOCK_NONE;
    }
    struct rc_take take = may_raise(t, rule);
    if (take.block != RC_BLOCK_NONE) {
        return take.block;
    }
    rc_turn_raise(t, rule, strcmp(rule->name, inc->rule.name) != 0, take.with_job);
    return RC_BLOCK_NONE;
}

/* An action whose deadline passed without a completion is over for us; a late
 * completion will be dropped by its id. */
static bool
expire_hand(struct rc_turn *t, uint64_t *hand)
{
    uint32_t slot = rc_flight_find(t->s, *hand);

    if (!*hand) {
        return false;
    }
    if (slot) {
        struct rc_flight *f = rc_flight_at(t->s, slot);
        if (f->deadline_ms > t->s->now_ms) {
            rc_turn_wake(t, f->deadline_ms);
            return false;
        }
        rc_flight_free(t->s, slot);
    }
    *hand = 0;
    return true;
}

static void
expire_flights(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;
    uint64_t action = inc->action, launch = inc->launch_action;

    if (expire_hand(t, &inc->action)) {
        inc->next_try_ms = t->s->now_ms + rc_backoff_ms(t->s, action, inc->retries++);
    }
    if (expire_hand(t, &inc->launch_action)) {
        inc->launch_next_ms = t->s->now_ms + rc_backoff_ms(t->s, launch, inc->launch_retries++);
    }
    expire_hand(t, &inc->jobs_action);
    expire_hand(t, &inc->look_action);
    expire_hand(t, &inc->terminate_action);
    expire_hand(t, &inc->evidence_action);
    uint64_t put = inc->put_action;
    if (expire_hand(t, &inc->put_action)) { /* a slow store gets no faster by being asked again */
        inc->put_retry_ms = t->s->now_ms + rc_backoff_ms(t->s, put, inc->put_retries++);
    }
}

/* An item that could not be written is written again, whatever the phase. */
static void
retry_item(struct rc_turn *t)
{
    if (!t->inc->put_retry_ms || t->inc->put_action) {
        return;
    }
    if (t->s->now_ms < t->inc->put_retry_ms) {
        rc_turn_wake(t, t->inc->put_retry_ms);
        return;
    }
    t->inc->put_retry_ms = 0;
    rc_turn_save(t, "item not saved yet");
}

/* An alarm on a status check is a hint; the check itself is the fact. */
static void
look_when_alarmed(struct rc_turn *t)
{
    const struct rc_instance *i = t->n->instance ? rc_instance_at(t->s, t->n->instance) : NULL;

    if (i && i->faults.alarm == RC_ALARM_FIRING && i->faults.alarm_status_check &&
        i->checked_ms <= i->faults.alarm_ms) {
        rc_turn_look(t, t->n->instance);
    }
}

static void
advance(struct rc_turn *t)
{
    for (unsigned i = 0; i < PHASES_PER_TURN && t->n->incident == t->slot; i++) {
        enum rc_block block = rc_may_touch(t->s, t->n);
        if (block != RC_BLOCK_NONE) {
            rc_turn_block(t, block, RC_NEVER);
            return;
        }
        assert(t->inc->phase < RC_PHASE_CLOSED && phase_fns[t->inc->phase]);
        if (!phase_fns[t->inc->phase](t)) {
            return;
        }
    }
    rc_turn_wake(t, t->s->now_ms); /* more to go: at once, in the next step */
}

/* A long absence becomes a fact by time alone, and by a pass that tells nothing new: no event of
 * the node will tell of it. */
static void
wake_when_missing(struct rc_turn *t)
{
    const struct rc_instance *i = t->n->instance ? rc_instance_at(t->s, t->n->instance) : NULL;
    int64_t since_ms = i ? i->missing_since_ms : t->n->unbound_since_ms;
    int64_t at_ms = since_ms + t->s->policy.timeouts.missing_ms;

    if (since_ms && t->n->down_since_ms && at_ms > t->s->now_ms) {
        rc_turn_wake(t, at_ms);
    } else if (i && since_ms && t->n->down_since_ms && t->s->ec2_pass_ms < at_ms) {
        rc_turn_wake(t, t->s->now_ms + MISSING_AGAIN_MS);
    }
}

/* What was told fades, or is not the node's own only while others show it too. */
static void
wake_when_told(struct rc_turn *t)
{
    if (!t->n->unwell) {
        return;
    }
    rc_turn_wake(t, rc_health_wake(t->s, t->node));
    if (t->finding.company) {
        rc_health_at(t->s, t->node)->company_ms = t->s->now_ms;
        rc_turn_wake(t, t->s->now_ms + RC_COMPANY_AGAIN_MS);
    }
}

static void
decide_node(struct rc_state *s, struct rc_actions *out, uint32_t node)
{
    struct rc_turn t = {.s = s, .out = out, .node = node, .n = rc_node_at(s, node)};
    enum rc_block held = RC_BLOCK_NONE;

    t.wake_ms = RC_NEVER;
    if (!t.n->group) {
        return;
    }
    rc_health_count(s, node);
    t.finding = rc_diagnose(s, node);
    wake_when_missing(&t);
    wake_when_told(&t);
    t.slot = t.n->incident;
    if (t.slot) {
        t.inc = rc_incident_at(s, t.slot);
        t.inc->block = RC_BLOCK_NONE;
        expire_flights(&t);
        note_standing(&t);
        if (rc_leads(s) && !s->paused) {
            retry_item(&t);
            rc_turn_save_words(&t);
            held = consider_raising(&t);
            look_when_alarmed(&t);
        }
        if (held == RC_BLOCK_NONE) {
            advance(&t);
        } else {
            rc_turn_block(&t, held, s->now_ms + RC_COMPANY_AGAIN_MS);
        }
    } else if (consider_opening(&t)) {
        advance(&t);
    } else {
        rc_turn_end_leftovers(&t);
    }
    rc_turn_aside(&t);
    rc_history_decide(&t);
    rc_timer_set(s, node, t.n->incident || t.wake_ms != RC_NEVER ? t.wake_ms : RC_NEVER);
}

static void
recheck_blocked(struct rc_state *s)
{
    s->recheck = 0;
    for (uint32_t slot = 1; slot <= s->incident_used; slot++) {
        const struct rc_incident *inc = rc_incident_at(s, slot);
        if (inc->id && inc->block) {
            rc_touch(s, inc->node);
        }
    }
}

static void
decide_lease(struct rc_state *s, struct rc_actions *out)
{
    struct rc_action a;

    if (!s->cluster_loaded || s->now_ms < s->lease_next_ms || out->count == RC_ACTIONS_MAX) {
        return;
    }
    rc_action_init(&a, RC_ACT_LEASE);
    a.deadline_ms = s->now_ms + LEASE_TIMEOUT_MS;
    rc_act_send(s, out, &a);
}

void
rc_decide(struct rc_state *s, struct rc_actions *out)
{
    rc_timers_expire(s);
    rc_pair_decide(s, out); /* first: without a slurmctld nothing else gets on */
    if (s->recheck) {
        recheck_blocked(s);
    }
    while (s->policy_loaded && out->count + ROOM_FOR_ONE_NODE <= RC_ACTIONS_MAX) {
        uint32_t node = rc_touch_pop(s);
        if (!node) {
            break;
        }
        decide_node(s, out, node);
    }
    rc_history_decide_cluster(s, out);
    rc_suspect_decide(s, out);
    rc_retry_closed(s, out);
    rc_ack_decide(s, out);
    decide_lease(s, out);
    out->full = s->touch_count > 0 && s->policy_loaded;
}
