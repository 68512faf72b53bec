/* check_limits.c - never: a budget, a rate or the attempts are exceeded; an open
 * breaker lets a destructive action through. Counted anew from what was decided;
 * each controller answers for the time since it last lost its memory, and for what the
 * store had been told when it began to lead. */
#include <string.h>

#include "policies/rules.h"
#include "simulator/check.h"

static bool
counts_in_rate(uint32_t kind)
{
    return rc_action_irreversible((enum rc_action_kind)kind) && kind != RC_ACT_REGISTER &&
           kind != RC_ACT_START && kind != RC_ACT_ASSIGN;
}

bool
rc_check_is_cleanup(const struct rc_action *a)
{
    return a->kind == RC_ACT_TERMINATE && strstr(a->text, "before it served") != NULL;
}

static void
check_breaker(struct rc_ctl *c, const struct rc_action *a)
{
    int64_t tripped_ms = c->p->memory.limits.tripped_ms[c->index];

    if (tripped_ms && rc_action_irreversible((enum rc_action_kind)a->kind) &&
        !rc_check_is_cleanup(a)) {
        rc_play_fail(c->p, RC_FOUND_LIMITS, "head%u decides %s for %s under an open breaker",
                     c->index + 1, rc_action_name((enum rc_action_kind)a->kind), a->node);
    }
}

static void
note_opened(struct rc_ctl *c, uint64_t action)
{
    uint32_t *opened = &c->p->memory.limits.opened[c->index];
    int64_t *ring = c->p->memory.limits.opened_ms[c->index];
    const struct rc_plan *plan = c->p->plan;
    uint64_t share = plan->nodes * plan->breaker_share / 1000, recent = 0;
    uint64_t allowed = plan->breaker_max > share ? plan->breaker_max : share;

    ring[(*opened)++ % 64] = c->s->now_ms;
    for (uint32_t i = 0; i < 64 && i < *opened; i++) {
        recent += c->s->now_ms - ring[i] <= c->p->policy.limits.breaker_window_ms;
    }
    c->p->memory.limits.last_ms[c->index] = c->s->now_ms;
    if (recent > allowed && !c->p->memory.limits.tripped_ms[c->index]) {
        c->p->memory.limits.tripped_ms[c->index] = c->s->now_ms;
        c->p->memory.limits.tripped_action[c->index] = action;
    }
}

/* The cluster's past has reached the store, as this controller told it. */
void
rc_check_limits_stored(struct rc_play *p, const struct rc_action *a, uint32_t ctl)
{
    bool open = p->memory.limits.tripped_ms[ctl] && a->id > p->memory.limits.tripped_action[ctl];

    if (!*a->node) { /* world time: core times differ */
        p->memory.limits.stored_ms =
            open ? p->memory.limits.last_ms[ctl] - p->ctl[ctl].core_offset_ms : 0;
    }
}

/* A leader reads of an open breaker before it leads. */
static void
take_breaker(struct rc_ctl *c)
{
    int64_t last_ms = c->p->memory.limits.stored_ms + c->core_offset_ms;

    if (c->p->memory.limits.stored_ms && !c->p->memory.limits.tripped_ms[c->index]) {
        c->p->memory.limits.tripped_ms[c->index] = c->s->now_ms;
        c->p->memory.limits.tripped_action[c->index] = 0;
        c->p->memory.limits.last_ms[c->index] = last_ms;
    }
}

/* An agent's drain that is only to be proved is none, until it turns out worse. Numbers of
 * closed incidents come again: the other controller never heard of them. */
static bool
is_new_fault(struct rc_ctl *c, const struct rc_action *a, bool opens)
{
    uint32_t *pending = c->p->memory.limits.pending[c->index];
    uint32_t room = sizeof c->p->memory.limits.pending[0] / sizeof *pending, at = 0;
    bool proves = a->u.item.fault == RC_FAULT_AGENT_DRAIN && !a->u.item.close;

    while (at < room && pending[at] != a->incident) {
        at++;
    }
    bool known = at < room;
    if (known && !proves) {
        pending[at] = 0;
        return !a->u.item.close;
    }
    for (at = 0; opens && proves && !known && at + 1 < room && pending[at];) {
        at++;
    }
    if (opens && proves && !known) {
        pending[at] = a->incident;
    }
    return opens && !proves;
}

/* What turned out worse while the other controller led was that one's to count, at its time:
 * this one decides nothing when it writes the item again. */
static void
note_adopted(struct rc_ctl *c, const struct rc_event *ev)
{
    uint32_t *pending = c->p->memory.limits.pending[c->index];
    uint32_t room = sizeof c->p->memory.limits.pending[0] / sizeof *pending;

    for (uint32_t at = 0; at < room && ev->u.adopt.fault != RC_FAULT_AGENT_DRAIN; at++) {
        pending[at] = pending[at] == ev->u.adopt.incident ? 0 : pending[at];
    }
    if (ev->u.adopt.incident > c->p->memory.limits.newest[c->index]) {
        c->p->memory.limits.newest[c->index] = ev->u.adopt.incident;
    }
}

void
rc_check_limits_step(struct rc_ctl *c, const struct rc_event *ev)
{
    int64_t *tripped_ms = &c->p->memory.limits.tripped_ms[c->index];
    uint32_t *newest = &c->p->memory.limits.newest[c->index];

    if (ev->kind == RC_EV_ADOPT) {
        note_adopted(c, ev);
    }
    if (ev->kind == RC_EV_COMPLETION && ev->u.completion.error) {
        rc_check_rates_answered(c, ev);
    }
    rc_check_rates_found(c);
    if (ev->kind == RC_EV_HISTORY && *ev->node) {
        rc_check_rates_told(c, ev->node);
    } else if (ev->kind == RC_EV_HISTORY) {
        take_breaker(c);
    }
    /* What the store tells of the newest fault is told by a wall clock, which may have been set. */
    int64_t quiet_ms = c->s->now_ms - c->p->memory.limits.last_ms[c->index];
    if (*tripped_ms &&
        quiet_ms + rc_check_clocks_set_ms(c->p) >= c->p->policy.limits.breaker_reset_ms) {
        *tripped_ms = 0;
    }
    for (uint32_t i = 0; i < c->out.count; i++) {
        const struct rc_action *a = &c->out.v[i];
        if (a->kind == RC_ACT_INCIDENT_PUT) {
            rc_check_limits_out(c, a, ev->kind == RC_EV_ADOPT);
            bool opens = a->u.item.phase == RC_PHASE_OPEN && a->incident > *newest;
            *newest = opens ? a->incident : *newest;
            rc_check_cooldown(c, a, opens);
            bool place = strncmp(a->node, "spare/", 6) == 0; /* a place is no node that fails */
            if (!place && is_new_fault(c, a, opens)) {
                note_opened(c, a->id);
            }
            continue;
        }
        if (rc_head_named(c->p, a->node) < RC_PLAY_CTLS) {
            continue; /* budgets and breaker are about nodes; the pair has limits of its own */
        }
        check_breaker(c, a);
        if (counts_in_rate(a->kind)) {
            rc_check_rates_decided(c, a, rc_check_is_cleanup(a));
        }
    }
    c->p->memory.rates.late[c->index] = c->s->counters.late_completions;
    rc_check_limits_end(c);
}

void
rc_check_forget(struct rc_ctl *c, bool amnesia)
{
    if (!amnesia) {
        return;
    }
    for (uint32_t i = 0; i < RC_PLAY_ITEMS; i++) {
        c->p->item[i].action[c->index] = 0; /* its numbers may begin anew */
    }
    memset(&c->p->memory.out[c->index], 0, sizeof c->p->memory.out[c->index]);
    rc_check_rates_forget(c);
    rc_check_attempts_forget(c);
    rc_check_cooldown_forget(c);
    rc_check_orders_forget(c);
    rc_check_confirm_forget(c);
    rc_check_person_forget(c);
    rc_check_return_forget(c);
    c->p->memory.limits.opened[c->index] = 0;
    memset(c->p->memory.limits.pending[c->index], 0, sizeof c->p->memory.limits.pending[0]);
    c->p->memory.limits.newest[c->index] = 0;
    c->p->memory.limits.tripped_ms[c->index] = 0;
}
