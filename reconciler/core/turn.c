/* turn.c - the verbs in which the phases are written; see turn.h. */
#include "reconciler/core/turn.h"

#include <assert.h>
#include <string.h>

#include "reconciler/core/text.h"

void
rc_turn_wake(struct rc_turn *t, int64_t at_ms)
{
    if (at_ms < t->wake_ms) {
        t->wake_ms = at_ms;
    }
}

bool
rc_turn_block(struct rc_turn *t, enum rc_block block, int64_t wake_ms)
{
    t->inc->block = (uint32_t)block;
    rc_turn_wake(t, wake_ms);
    return false;
}

bool
rc_turn_ready(struct rc_turn *t)
{
    if (t->inc->action) {
        return false;
    }
    if (t->inc->next_try_ms > t->s->now_ms) {
        rc_turn_wake(t, t->inc->next_try_ms);
        return false;
    }
    return true;
}

/* A successor must find in the store what was begun: else it would begin it once more. */
bool
rc_turn_is_saved(struct rc_turn *t)
{
    if (!t->inc->unsaved) {
        return true;
    }
    if (t->inc->put_retries) {
        rc_turn_block(t, RC_BLOCK_NOT_SAVED, RC_NEVER);
    }
    return false; /* the store's answer wakes the node */
}

bool
rc_turn_may(struct rc_turn *t, enum rc_action_kind kind)
{
    int64_t wake_ms = RC_NEVER;

    if (!rc_turn_ready(t) || (rc_action_irreversible(kind) && !rc_turn_is_saved(t))) {
        return false;
    }
    enum rc_block block = rc_may_act(t->s, t->n, kind, &wake_ms);
    if (block != RC_BLOCK_NONE) {
        return rc_turn_block(t, block, wake_ms);
    }
    return true;
}

void
rc_act_init(const struct rc_turn *t, struct rc_action *a, enum rc_action_kind kind,
            int64_t timeout_ms)
{
    rc_action_init(a, kind);
    a->deadline_ms = t->s->now_ms + timeout_ms;
    memcpy(a->node, t->n->name, sizeof a->node);
    if (t->inc) {
        a->incident = t->inc->id;
        if (t->inc->old_instance) {
            memcpy(a->instance, rc_instance_at(t->s, t->inc->old_instance)->id, RC_ID_LEN);
        }
    }
}

void
rc_turn_host(const struct rc_turn *t, struct rc_action *a)
{
    const struct rc_health *h = rc_health_at(t->s, t->node);
    struct rc_act_host *host = &a->u.host;

    memcpy(host->addr, t->n->addr, sizeof host->addr);
    memcpy(host->boot, h->boot, sizeof host->boot);
    host->timeout_ms = (uint32_t)(a->deadline_ms - t->s->now_ms);
    for (uint32_t i = 0; i < h->told_count; i++) {
        if (h->told[i].fault == t->inc->fault) {
            memcpy(host->device, h->told[i].f.device, sizeof host->device);
            return;
        }
    }
}

static uint32_t
item_flags(const struct rc_turn *t)
{
    const struct rc_incident *inc = t->inc;

    return (inc->flags & RC_INC_APPROVED ? RC_ADOPT_APPROVED : 0U) |
           (inc->flags & RC_INC_DRAINED ? RC_ADOPT_OUR_DRAIN : 0U) |
           (inc->flags & RC_INC_YIELDED ? RC_ADOPT_YIELDED : 0U) |
           (inc->flags & RC_INC_WITH_JOB ? RC_ADOPT_WITH_JOB : 0U) |
           (t->n->hold ? RC_ADOPT_HELD : 0U);
}

/* What a person said must survive this controller. */
void
rc_turn_save_words(struct rc_turn *t)
{
    const uint32_t words = RC_ADOPT_HELD | RC_ADOPT_APPROVED;

    if ((item_flags(t) ^ t->inc->item_flags) & words) {
        rc_turn_save(t, "hold or approval");
    }
}

/* The item as it stands, to be changed by the caller before it is sent. */
static void
item_init(const struct rc_turn *t, struct rc_action *a, const char *why)
{
    const struct rc_incident *inc = t->inc;
    struct rc_act_incident *item = &a->u.item;

    rc_act_init(t, a, RC_ACT_INCIDENT_PUT, t->s->policy.timeouts.drain_ms);
    rc_put_text(a->text, sizeof a->text, why);
    item->opened_wall_ms = inc->opened_wall_ms;
    item->epoch = t->s->lease_epoch;
    item->fault = inc->fault;
    item->phase = inc->phase;
    item->rung = inc->rung;
    item->tries = inc->rung_tries;
    item->attempt = inc->attempt;
    item->flags = item_flags(t);
    memcpy(item->rule, inc->rule.name, sizeof item->rule);
    memcpy(item->code, inc->code, sizeof item->code);
    if (inc->old_instance) {
        memcpy(item->old_instance, rc_instance_at(t->s, inc->old_instance)->id, RC_ID_LEN);
    }
    if (inc->new_instance) {
        memcpy(item->new_instance, rc_instance_at(t->s, inc->new_instance)->id, RC_ID_LEN);
    }
}

bool
rc_turn_go(struct rc_turn *t, enum rc_phase to, const char *why)
{
    struct rc_action a;

    item_init(t, &a, why);
    a.u.item.phase = (uint32_t)to;
    a.u.item.close = to == RC_PHASE_CLOSED;
    t->inc->block = RC_BLOCK_NONE;
    rc_act_send(t->s, t->out, &a);
    return true;
}

bool
rc_turn_go_with(struct rc_turn *t, enum rc_phase to, uint32_t instance, const char *why)
{
    struct rc_action a;

    item_init(t, &a, why);
    a.u.item.phase = (uint32_t)to;
    memcpy(a.u.item.new_instance, rc_instance_at(t->s, instance)->id, RC_ID_LEN);
    t->inc->block = RC_BLOCK_NONE;
    rc_act_send(t->s, t->out, &a);
    return true;
}

bool
rc_turn_take_out(struct rc_turn *t, bool with_job)
{
    struct rc_action a;

    item_init(t, &a, t->inc->rule.name);
    a.u.item.phase = RC_PHASE_PROTECT;
    a.u.item.flags |= with_job ? RC_ADOPT_WITH_JOB : 0U;
    t->inc->block = RC_BLOCK_NONE;
    rc_act_send(t->s, t->out, &a);
    return true;
}

void
rc_turn_save(struct rc_turn *t, const char *why)
{
    struct rc_action a;

    item_init(t, &a, why);
    rc_act_send(t->s, t->out, &a);
}

void
rc_turn_name_new(struct rc_turn *t, const char *id, const char *why)
{
    struct rc_action a;

    item_init(t, &a, why);
    rc_text_set(a.u.item.new_instance, sizeof a.u.item.new_instance, id);
    rc_act_send(t->s, t->out, &a);
}

void
rc_turn_next_attempt(struct rc_turn *t, const char *why)
{
    struct rc_action a;

    item_init(t, &a, why);
    a.u.item.attempt = t->inc->attempt + 1;
    memset(a.u.item.new_instance, 0, RC_ID_LEN);
    rc_act_send(t->s, t->out, &a);
}

void
rc_turn_raise(struct rc_turn *t, const struct rc_rule *rule, bool restart_ladder, bool with_job)
{
    bool lesser = (uint32_t)t->finding.fault < t->inc->fault;
    struct rc_action a;

    item_init(t, &a, lesser ? "the worse fault is over" : "fault raised");
    a.u.item.fault = (uint32_t)t->finding.fault;
    a.u.item.flags |= with_job ? RC_ADOPT_WITH_JOB : 0U;
    rc_text_set(a.u.item.code, sizeof a.u.item.code, t->finding.code);
    memcpy(a.u.item.rule, rule->name, sizeof a.u.item.rule);
    if (restart_ladder && rule->rung[0].kind != RC_RUNG_REPLACE) {
        rc_turn_end_replacement(t); /* launched early, for a rung that is not the next any more */
        a.u.item.attempt = t->inc->attempt + 1;
        memset(a.u.item.new_instance, 0, RC_ID_LEN);
    }
    if (restart_ladder) {
        a.u.item.rung = 0;
        a.u.item.tries = 0;
        if (t->inc->phase > RC_PHASE_WAIT_IDLE && t->inc->phase < RC_PHASE_LAUNCH) {
            a.u.item.phase = RC_PHASE_WAIT_IDLE;
        }
    }
    rc_act_send(t->s, t->out, &a);
}

/* A replacement that never served is ours to end; its name has not been given to it. */
void
rc_turn_end_replacement(struct rc_turn *t)
{
    struct rc_action a;

    if (!t->inc->new_instance) {
        return;
    }
    const struct rc_instance *i = rc_instance_at(t->s, t->inc->new_instance);
    if (i->promised && i->node && i->node != t->node) {
        return; /* a spare that was only named: it stays one */
    }
    if (!i->ours || i->state == RC_INST_TERMINATED || i->state == RC_INST_SHUTTING_DOWN) {
        return;
    }
    if (i->parked) {
        return; /* it keeps its bad host away from the next launch; leftover.c ends it later */
    }
    bool named = t->n->instance == t->inc->new_instance || rc_node_is_stale(t->s, t->n);
    if (named && !rc_turn_idle(t)) {
        return; /* it may have the name, and jobs may be let in: leftover.c ends it later */
    }
    rc_act_init(t, &a, RC_ACT_TERMINATE, t->s->policy.timeouts.stop_ms);
    memcpy(a.instance, i->id, sizeof a.instance);
    rc_put_text(a.text, sizeof a.text, "replacement failed before it served");
    rc_act_send(t->s, t->out, &a);
}

bool
rc_turn_fail(struct rc_turn *t, const char *why)
{
    struct rc_action a;
    uint32_t rung, tries;
    bool more = rc_rung_next(t->inc, &rung, &tries) && !rc_attempts_used_up(t->s, t->n);
    enum rc_phase on = more ? RC_PHASE_WAIT_IDLE : RC_PHASE_QUARANTINE;

    rc_turn_end_replacement(t);
    item_init(t, &a, why);
    a.u.item.phase = t->inc->phase <= RC_PHASE_PROTECT ? t->inc->phase : on; /* not drained yet */
    a.u.item.rung = rung;
    a.u.item.tries = tries;
    a.u.item.attempt = t->inc->attempt + 1; /* a new try of any kind gets new tokens */
    memset(a.u.item.new_instance, 0, RC_ID_LEN);
    rc_act_send(t->s, t->out, &a);
    return true;
}

bool
rc_turn_to_rung(struct rc_turn *t, uint32_t rung, const char *why)
{
    struct rc_action a;

    item_init(t, &a, why);
    a.u.item.rung = rung;
    a.u.item.tries = 0;
    rc_act_send(t->s, t->out, &a);
    return true;
}

uint64_t
rc_node_fresh_at(const struct rc_state *s, const struct rc_node *n)
{
    return n->seen_at && s->slurm_fresh_at > n->seen_at ? s->slurm_fresh_at : n->seen_at;
}

bool
rc_node_is_stale(const struct rc_state *s, const struct rc_node *n)
{
    return rc_node_fresh_at(s, n) < s->led_at;
}

bool
rc_turn_busy_again(struct rc_turn *t)
{
    /* An old instance that was ended first leaves an idle node, not one in use. */
    return !rc_turn_idle(t) && !rc_turn_drained_idle(t) &&
           rc_turn_go(t, RC_PHASE_WAIT_IDLE, "the node is not idle any more");
}

bool
rc_turn_awaits(struct rc_turn *t, int64_t timeout_ms)
{
    int64_t end_ms = t->inc->accepted_ms + timeout_ms;

    if (!(t->inc->flags & RC_INC_ACCEPTED)) {
        return false;
    }
    if (t->s->now_ms < end_ms) {
        rc_turn_wake(t, end_ms);
        return true;
    }
    t->inc->flags &= ~(uint32_t)RC_INC_ACCEPTED;
    return false;
}

bool
rc_turn_phase_over(struct rc_turn *t, int64_t timeout_ms)
{
    int64_t end_ms = t->inc->phase_ms + timeout_ms;

    rc_turn_wake(t, end_ms > t->s->now_ms ? end_ms : RC_NEVER);
    return t->s->now_ms >= end_ms;
}

void
rc_turn_tell(struct rc_turn *t, enum rc_incident_flag once, const char *text)
{
    struct rc_action a;

    if (t->inc->flags & once) {
        return;
    }
    rc_act_init(t, &a, RC_ACT_TELL, 0);
    rc_put_text(a.text, sizeof a.text, text);
    t->inc->flags |= once;
    rc_act_send(t->s, t->out, &a);
}

void
rc_turn_look(struct rc_turn *t, uint32_t instance)
{
    struct rc_action a;

    if (t->inc->look_action || !instance) {
        return;
    }
    if (t->s->now_ms < t->inc->next_look_ms) {
        rc_turn_wake(t, t->inc->next_look_ms);
        return;
    }
    rc_act_init(t, &a, RC_ACT_LOOK, t->s->policy.timeouts.drain_ms);
    memcpy(a.instance, rc_instance_at(t->s, instance)->id, sizeof a.instance);
    t->inc->next_look_ms = t->s->now_ms + RC_LOOK_EVERY_MS;
    rc_turn_wake(t, t->inc->next_look_ms);
    rc_act_send(t->s, t->out, &a);
}
