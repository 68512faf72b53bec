/* budget.c - what is counted: nodes out of service, actions of the last hour,
 * and the breaker's window of new incidents. */
#include <assert.h>

#include "reconciler/core/gang.h"
#include "reconciler/core/turn.h"

enum { COUNTED_MS = 30 * 60 * 1000 };

void
rc_rate_push(struct rc_rate *r, int64_t at_ms)
{
    r->at_ms[r->head] = at_ms;
    r->head = (r->head + 1) % RC_RATE_ROOM;
    r->count += r->count < RC_RATE_ROOM;
}

/* Keeps the order by time; what is older than all of a full row is left out. */
void
rc_rate_insert(struct rc_rate *r, int64_t at_ms)
{
    uint32_t newer = 0;

    while (newer < r->count &&
           r->at_ms[(r->head + RC_RATE_ROOM - 1 - newer) % RC_RATE_ROOM] > at_ms) {
        newer++;
    }
    if (newer == RC_RATE_ROOM) {
        return;
    }
    for (uint32_t i = 0; i < newer; i++) { /* the newer ones move on by one place */
        uint32_t to = (r->head + RC_RATE_ROOM - i) % RC_RATE_ROOM;
        r->at_ms[to] = r->at_ms[(to + RC_RATE_ROOM - 1) % RC_RATE_ROOM];
    }
    r->at_ms[(r->head + RC_RATE_ROOM - newer) % RC_RATE_ROOM] = at_ms;
    r->head = (r->head + 1) % RC_RATE_ROOM;
    r->count += r->count < RC_RATE_ROOM;
}

/* The one of exactly that time, if it stands there. */
void
rc_rate_remove(struct rc_rate *r, int64_t at_ms)
{
    uint32_t newer = 0;

    while (newer < r->count &&
           r->at_ms[(r->head + RC_RATE_ROOM - 1 - newer) % RC_RATE_ROOM] != at_ms) {
        newer++;
    }
    if (newer == r->count) {
        return;
    }
    for (uint32_t i = newer; i > 0; i--) { /* the newer ones move back by one place */
        uint32_t to = (r->head + RC_RATE_ROOM - 1 - i) % RC_RATE_ROOM;
        r->at_ms[to] = r->at_ms[(to + 1) % RC_RATE_ROOM];
    }
    r->head = (r->head + RC_RATE_ROOM - 1) % RC_RATE_ROOM;
    r->at_ms[r->head] = 0; /* equal states are equal bytes */
    r->count--;
}

/* What an open incident adds to a scope that its node enters or leaves. */
void
rc_budget_in_scope(struct rc_scope_row *r, const struct rc_incident *inc, bool in)
{
    bool out = inc->flags & RC_INC_COUNTED && !(inc->flags & RC_INC_WITH_JOB);
    bool aside = out && inc->flags & RC_INC_ASIDE;
    uint32_t one = in ? 1U : -1U;

    assert(in || (r->out >= out && r->quarantined >= aside));
    r->out += out ? one : 0;
    r->quarantined += aside ? one : 0;
}

static void
in_all_scopes(struct rc_state *s, const struct rc_incident *inc, bool in)
{
    const struct rc_node *n = rc_node_at(s, inc->node);
    const uint32_t rows[] = {0, n->partition_row, n->zone_row};

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!i || rows[i]) {
            rc_budget_in_scope(rc_scope_at(s, rows[i]), inc, in);
        }
    }
}

void
rc_budget_count(struct rc_state *s, uint32_t slot, bool out)
{
    struct rc_incident *inc = rc_incident_at(s, slot);

    if (out == !!(inc->flags & RC_INC_COUNTED)) {
        return;
    }
    if (out) {
        inc->flags |= RC_INC_COUNTED;
        rc_gang_take(s, inc);
        in_all_scopes(s, inc, true);
        return;
    }
    in_all_scopes(s, inc, false);
    rc_gang_give_back(s, inc);
    inc->flags &= ~(uint32_t)(RC_INC_COUNTED | RC_INC_ASIDE);
    s->recheck = 1;
}

void
rc_budget_aside(struct rc_state *s, uint32_t slot)
{
    struct rc_incident *inc = rc_incident_at(s, slot);
    bool aside = inc->phase == RC_PHASE_QUARANTINE && inc->flags & RC_INC_COUNTED;

    if (aside == !!(inc->flags & RC_INC_ASIDE)) {
        return;
    }
    in_all_scopes(s, inc, false);
    inc->flags ^= RC_INC_ASIDE;
    in_all_scopes(s, inc, true);
    s->recheck |= aside;
}

void
rc_budget_action(struct rc_state *s, uint32_t node, enum rc_action_kind kind)
{
    struct rc_node *n = rc_node_at(s, node);
    const uint32_t rows[] = {0, n->partition_row, n->zone_row};

    if (!rc_action_irreversible(kind) || kind == RC_ACT_REGISTER || kind == RC_ACT_START ||
        kind == RC_ACT_ASSIGN) {
        return;
    }
    if (kind == RC_ACT_LAUNCH) {
        n->launch_ms[n->launch_count++ % RC_ATTEMPTS_MAX] = s->now_ms;
    } else {
        n->destructive_ms[n->destructive_count++ % RC_ATTEMPTS_MAX] = s->now_ms;
    }
    rc_history_dirty(s, node);
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!i || rows[i]) {
            struct rc_scope_row *r = rc_scope_at(s, rows[i]);
            rc_rate_push(kind == RC_ACT_LAUNCH ? &r->launches : &r->destructive, s->now_ms);
        }
    }
}

/* The newest launch of the node is that of this try. It may be gone: the store knows that it was
 * refused, when the end of our journal was lost with the answer. */
bool
rc_budget_counted(const struct rc_state *s, const struct rc_incident *inc, uint32_t option)
{
    const struct rc_node *n = rc_node_at(s, inc->node);
    int64_t began_ms = inc->tried_ms > inc->opened_ms ? inc->tried_ms : inc->opened_ms;

    if (inc->launch_counted != option + 1 || !n->launch_count) {
        return false;
    }
    int64_t newest_ms = n->launch_ms[(n->launch_count - 1) % RC_ATTEMPTS_MAX];
    return newest_ms >= began_ms && s->now_ms - newest_ms < COUNTED_MS;
}

void
rc_budget_refund(struct rc_state *s, uint32_t node)
{
    struct rc_node *n = rc_node_at(s, node);
    const uint32_t rows[] = {0, n->partition_row, n->zone_row};

    if (!n->launch_count) {
        return;
    }
    int64_t at_ms = n->launch_ms[--n->launch_count % RC_ATTEMPTS_MAX];
    n->launch_ms[n->launch_count % RC_ATTEMPTS_MAX] = 0;
    rc_history_dirty(s, node);
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!i || rows[i]) {
            rc_rate_remove(&rc_scope_at(s, rows[i])->launches, at_ms);
        }
    }
    s->recheck = 1;
}

uint32_t
rc_breaker_count(const struct rc_state *s)
{
    const struct rc_rate *r = &s->breaker_rate;
    uint32_t count = 0;

    while (count < r->count) {
        uint32_t at = (r->head + RC_RATE_ROOM - 1 - count) % RC_RATE_ROOM;
        if (s->now_ms - r->at_ms[at] > s->policy.limits.breaker_window_ms) {
            break;
        }
        count++;
    }
    return count;
}

/* Called for each incident that opens. The threshold itself is still allowed. */
bool
rc_breaker_incident(struct rc_state *s)
{
    const struct rc_limits_policy *l = &s->policy.limits;

    rc_rate_push(&s->breaker_rate, s->now_ms);
    s->breaker_last_ms = s->now_ms;
    if (l->breaker_off || s->breaker_open) {
        return false;
    }
    uint32_t allowed = rc_limit_allows(&l->breaker, rc_scope_at(s, 0)->nodes);
    if (rc_breaker_count(s) > (allowed < RC_RATE_ROOM ? allowed : RC_RATE_ROOM - 1)) {
        s->breaker_open = 1;
        s->breaker_since_ms = s->now_ms;
        s->counters.breaker_trips++;
        return true;
    }
    return false;
}

/* When an open breaker closes by itself; RC_NEVER = by hand only, or closed, or not by us: who
 * does not lead, or whose lease has run out and who was not told so yet, does not hear of the
 * faults that hold it open. */
int64_t
rc_breaker_wake(const struct rc_state *s)
{
    return s->breaker_open && rc_leads(s) && s->policy.limits.breaker_reset_ms
               ? s->breaker_last_ms + s->policy.limits.breaker_reset_ms
               : RC_NEVER;
}
