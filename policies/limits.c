/* limits.c - what holds an action back: lease, pause, holds, breaker, budgets, rates.
 *
 * A limit is a count and a share, the larger of both, so that a share of a tiny
 * or empty pool neither blocks all nor allows all. Rates look at the last hour,
 * sliding, never at clock hours. */
#include "policies/rules.h"

#include "reconciler/core/gang.h"

enum { HOUR_MS = 3600 * 1000, IN_FLIGHT_RETRY_MS = 1000, UNREAD_RETRY_MS = 5000 };

bool
rc_leads(const struct rc_state *s)
{
    return s->lease_held && s->now_ms < s->lease_until_ms - s->cluster.lease_margin_ms;
}

uint32_t
rc_limit_allows(const struct rc_limit *l, uint32_t total)
{
    uint32_t share = (uint32_t)((uint64_t)total * l->permille / 1000);

    return l->count > share ? l->count : share;
}

enum rc_block
rc_may_touch(const struct rc_state *s, const struct rc_node *n)
{
    if (!rc_leads(s)) {
        return RC_BLOCK_NO_LEASE;
    }
    if (s->paused) {
        return RC_BLOCK_PAUSED;
    }
    if (n->hold) {
        return RC_BLOCK_HOLD;
    }
    return n->flags & RC_SN_MAINT ? RC_BLOCK_MAINT : RC_BLOCK_NONE;
}

uint32_t
rc_out_of_scope(const struct rc_state *s, uint32_t row)
{
    const struct rc_scope_row *r = rc_scope_at(s, row);
    uint32_t aside = rc_limit_allows(&s->policy.limits.quarantine, r->nodes);

    return r->out - (r->quarantined < aside ? r->quarantined : aside);
}

static bool
out_is_full(const struct rc_state *s, uint32_t row, enum rc_scope scope)
{
    return rc_out_of_scope(s, row) >=
           rc_limit_allows(&s->policy.limits.out[scope], rc_scope_at(s, row)->nodes);
}

/* A lost instance is out already, and an interruption takes it out in minutes whatever
 * we do: to hold these back would only cost their jobs. What its agent drained for something
 * that is over is out too: to hold it back would only keep it so. */
bool
rc_fault_is_our_choice(uint32_t fault)
{
    return fault < RC_FAULT_INTERRUPTION && fault != RC_FAULT_CAPACITY_ENDING &&
           fault != RC_FAULT_AGENT_DRAIN;
}

static enum rc_block
scopes_block(const struct rc_state *s, const struct rc_node *n)
{
    if (out_is_full(s, 0, RC_SCOPE_CLUSTER)) {
        return RC_BLOCK_BUDGET_CLUSTER;
    }
    if (n->partition_row && out_is_full(s, n->partition_row, RC_SCOPE_PARTITION)) {
        return RC_BLOCK_BUDGET_PARTITION;
    }
    if (n->zone_row && out_is_full(s, n->zone_row, RC_SCOPE_ZONE)) {
        return RC_BLOCK_BUDGET_ZONE;
    }
    return RC_BLOCK_NONE;
}

/* What taking the node costs the jobs on it. */
struct job_price {
    uint32_t hit;   /* jobs that have lost a node to us already */
    uint32_t fresh; /* jobs that have not */
    bool full;      /* one of them has lost as many as one job may */
};

static struct job_price
price_of(const struct rc_state *s, const struct rc_node *n)
{
    const struct rc_limit *l = &s->policy.limits.out_of_job;
    struct job_price price = {0};

    for (uint32_t i = 0; i < RC_NODE_JOBS_MAX && n->job[i].id; i++) {
        uint32_t out = rc_gang_out(s, n->job[i].id);
        price.hit += out > 0;
        price.fresh += out == 0;
        price.full |= (l->count || l->permille) && out >= rc_limit_allows(l, n->job[i].nodes);
    }
    return price;
}

/* One node may always be taken, however many jobs share it. */
static bool
jobs_are_full(const struct rc_state *s, const struct rc_incident *inc, struct job_price price)
{
    const struct rc_limit *l = &s->policy.limits.jobs;

    return inc->rule.jobs.mode == RC_JOBS_REQUEUE && price.fresh && s->jobs_out &&
           (l->count || l->permille) &&
           s->jobs_out + price.fresh > rc_limit_allows(l, s->jobs_running);
}

struct rc_take
rc_may_take_out(const struct rc_state *s, const struct rc_incident *inc, const struct rc_finding *f)
{
    const struct rc_limits_policy *l = &s->policy.limits;
    const struct rc_node *n = rc_node_at(s, inc->node);
    struct rc_take take = {RC_BLOCK_NONE, RC_NEVER, false};

    if (n->owner == RC_OWNER_FOREIGN && (n->flags & (RC_SN_DRAIN | RC_SN_DOWN | RC_SN_FAIL))) {
        take.block = RC_BLOCK_FOREIGN;
        return take;
    }
    if (s->breaker_open && f->fault != RC_FAULT_AGENT_DRAIN) {
        take.block = RC_BLOCK_BREAKER;
        return take;
    }
    if (!rc_fault_is_our_choice((uint32_t)f->fault)) {
        return take;
    }
    struct job_price price = price_of(s, n);
    take.with_job = l->same_job == RC_SAME_JOB_FREE && price.hit && !price.fresh;
    if (price.full) {
        take.block = RC_BLOCK_BUDGET_OF_JOB;
    } else if (jobs_are_full(s, inc, price)) {
        take.block = RC_BLOCK_BUDGET_JOBS;
    } else if (!take.with_job) {
        take.block = scopes_block(s, n);
    }
    if (take.block == RC_BLOCK_NONE && s->taken_ms && s->now_ms < s->taken_ms + l->spacing_ms) {
        take.block = RC_BLOCK_SPACING;
        take.wake_ms = s->taken_ms + l->spacing_ms;
    }
    return take;
}

/* When the next action of this rate is allowed: now, or when the oldest that counts is an hour old.
 */
static int64_t
rate_free_at(const struct rc_state *s, const struct rc_rate *r, uint32_t per_hour)
{
    uint32_t limit = per_hour < RC_RATE_ROOM ? per_hour : RC_RATE_ROOM;

    if (!limit || r->count < limit) {
        return s->now_ms;
    }
    return r->at_ms[(r->head + RC_RATE_ROOM - limit) % RC_RATE_ROOM] + HOUR_MS;
}

/* A leader that has read no whole list yet knows the pasts of nodes, not which scopes they are in:
 * until then all that is counted may be of this one. */
static bool
is_scope_read(const struct rc_state *s, enum rc_scope scope)
{
    return scope == RC_SCOPE_CLUSTER ||
           (scope == RC_SCOPE_PARTITION ? s->slurm_wall_ms : s->ec2_wall_ms) != 0;
}

static enum rc_block
rate_block(const struct rc_state *s, const struct rc_node *n, bool launch, int64_t *ret_wake_ms)
{
    static const enum rc_block blocks[] = {RC_BLOCK_RATE_CLUSTER, RC_BLOCK_RATE_PARTITION,
                                           RC_BLOCK_RATE_ZONE};
    const uint32_t rows[] = {0, n->partition_row, n->zone_row};
    const uint32_t *limit =
        launch ? s->policy.limits.launches_per_hour : s->policy.limits.destructive_per_hour;

    for (uint32_t scope = 0; scope < RC_SCOPE__MAX; scope++) {
        bool is_read = is_scope_read(s, (enum rc_scope)scope);
        if (scope && is_read && !rows[scope]) {
            continue;
        }
        const struct rc_scope_row *r = rc_scope_at(s, is_read ? rows[scope] : 0);
        int64_t at = rate_free_at(s, launch ? &r->launches : &r->destructive, limit[scope]);
        if (at > s->now_ms) {
            bool soon = !is_read && at > s->now_ms + UNREAD_RETRY_MS;
            *ret_wake_ms = soon ? s->now_ms + UNREAD_RETRY_MS : at;
            return blocks[scope];
        }
    }
    return RC_BLOCK_NONE;
}

enum rc_block
rc_may_act(const struct rc_state *s, const struct rc_node *n, enum rc_action_kind kind,
           int64_t *ret_wake_ms)
{
    if (!rc_action_irreversible(kind)) {
        return RC_BLOCK_NONE;
    }
    if (s->breaker_open) {
        return RC_BLOCK_BREAKER;
    }
    if (s->table_full) {
        return RC_BLOCK_TABLE_FULL;
    }
    if (s->policy.limits.in_flight_max && s->flight_count >= s->policy.limits.in_flight_max) {
        *ret_wake_ms = s->now_ms + IN_FLIGHT_RETRY_MS;
        return RC_BLOCK_IN_FLIGHT;
    }
    if (kind == RC_ACT_REGISTER || kind == RC_ACT_START || kind == RC_ACT_ASSIGN) {
        return RC_BLOCK_NONE; /* the second half of something that was counted when it began */
    }
    return rate_block(s, n, kind == RC_ACT_LAUNCH, ret_wake_ms);
}

bool
rc_attempts_used_up(const struct rc_state *s, const struct rc_node *n)
{
    const struct rc_limits_policy *l = &s->policy.limits;
    uint32_t known = n->repair_count < RC_ATTEMPTS_MAX ? n->repair_count : RC_ATTEMPTS_MAX;
    uint32_t recent = 0;

    for (uint32_t i = 0; i < known; i++) {
        recent += s->now_ms - n->repair_ms[i] <= l->attempts_window_ms;
    }
    return l->attempts_max && recent >= l->attempts_max;
}
