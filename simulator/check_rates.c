/* check_rates.c - never: more launches, or more destructive actions, within an hour than the
 * policy allows the cluster, a partition or a zone. Part of the limits.
 *
 * Each is counted once: at the time at which it was first decided, by any leader (a launch that
 * was refused: decided again), and only when it was really sent (a launch: when it made an
 * instance). A leader answers for what it can know:
 * what it decided itself since it last lost its memory, and what the store was told after it was
 * decided. Times go from one controller to the other by their wall clocks: where those were set,
 * the hour is shorter by so much. */
#include <string.h>

#include "policies/rules.h"
#include "simulator/check.h"
#include "simulator/model/sim_hash.h"

enum { HOUR_MS = 3600 * 1000, RECORDS = RC_CHECK_ACTED_MAX };

static struct rc_check_acted *
record_at(struct rc_play *p, uint32_t n)
{
    return &p->acted[n % RECORDS];
}

static uint32_t
first_kept(const struct rc_play *p)
{
    return p->memory.rates.count > RECORDS ? p->memory.rates.count - RECORDS : 0;
}

static uint64_t
hash_of(const char *text)
{
    return rc_sim_hash_str(RC_SIM_HASH_SEED, text);
}

static struct rc_check_acted *
find_token(struct rc_play *p, const struct rc_action *a)
{
    uint64_t token = hash_of(a->u.launch.token);

    for (uint32_t n = p->memory.rates.count; n > first_kept(p); n--) {
        if (record_at(p, n - 1)->token == token) {
            return record_at(p, n - 1);
        }
    }
    return NULL;
}

/* The store and a successor know the newest ones of a node. */
static void
drop_older(struct rc_play *p, const struct rc_check_acted *newest)
{
    uint32_t same = 0;

    for (uint32_t n = p->memory.rates.count; n > first_kept(p); n--) {
        struct rc_check_acted *r = record_at(p, n - 1);
        if (r->node == newest->node && !r->token == !newest->token && ++same > RC_ATTEMPTS_MAX) {
            r->dropped = 1;
        }
    }
}

/* By name; 0 = this leader does not know it yet. */
static void
scopes_of(const struct rc_ctl *c, const char *node, uint64_t *ret)
{
    uint32_t slot = rc_node_find(c->s, node);
    const struct rc_node *n = slot ? rc_node_at(c->s, slot) : NULL;
    const uint32_t rows[RC_SCOPE__MAX] = {0, n ? n->partition_row : 0, n ? n->zone_row : 0};

    for (uint32_t i = 0; i < RC_SCOPE__MAX; i++) {
        ret[i] = rows[i] ? hash_of(rc_scope_at(c->s, rows[i])->name) : 0;
    }
}

static struct rc_check_acted *
new_record(struct rc_ctl *c, const struct rc_action *a, bool is_free)
{
    struct rc_check_acted *r = record_at(c->p, c->p->memory.rates.count++);

    memset(r, 0, sizeof *r);
    r->at_ms = r->last_ms = c->p->now_ms;
    r->by = c->index;
    r->is_free = is_free;
    r->node = hash_of(a->node);
    r->index = rc_play_node_index(c->p, a->node);
    r->token = a->kind == RC_ACT_LAUNCH ? hash_of(a->u.launch.token) : 0;
    scopes_of(c, a->node, r->scope);
    drop_older(c->p, r);
    return r;
}

void
rc_check_rates_decided(struct rc_ctl *c, const struct rc_action *a, bool is_free)
{
    struct rc_check_acted *r = a->kind == RC_ACT_LAUNCH ? find_token(c->p, a) : NULL;
    uint64_t now[RC_SCOPE__MAX];

    if (!r || r->refused) {
        r = new_record(c, a, is_free);
    }
    scopes_of(c, a->node, now);
    for (uint32_t i = 0; i < RC_SCOPE__MAX; i++) {
        r->scope[i] = now[i] == r->scope[i] ? now[i] : 0;
    }
    r->last_ms = r->unsure ? c->p->now_ms : r->last_ms;
    r->action[c->index] = a->id;
}

/* No capacity there: nothing was launched, and the leader has read so. An answer that it took for
 * late tells it nothing: the next try by the same token counts from the first one on. */
void
rc_check_rates_answered(struct rc_ctl *c, const struct rc_event *ev)
{
    bool late = c->s->counters.late_completions != c->p->memory.rates.late[c->index];
    bool elsewhere = rc_err_retry((enum rc_err)ev->u.completion.error) == RC_RETRY_ELSEWHERE;

    for (uint32_t n = c->p->memory.rates.count; elsewhere && n > first_kept(c->p); n--) {
        struct rc_check_acted *r = record_at(c->p, n - 1);
        if (r->token && r->action[c->index] == ev->u.completion.action) {
            r->refused = !late;
            r->unsure |= late;
            return;
        }
    }
}

/* Clocks that were set so far. */
int64_t
rc_check_clocks_set_ms(const struct rc_play *p)
{
    int64_t sum_ms = 0;

    for (uint32_t i = 0; i < p->rows_done; i++) {
        const struct rc_plan_row *row = &p->plan->row[i];
        sum_ms += row->ill != RC_ILL_CLOCK ? 0 : row->value < 0 ? -row->value : row->value;
    }
    return sum_ms;
}

/* What is read of a node counts in the zone that it is in by then, and when that was not known, in
 * that which it is found in. */
static bool
counts_in_zone(const struct rc_play *p, const struct rc_check_acted *other, uint32_t ctl)
{
    const struct rc_ctl *c = &p->ctl[ctl];
    uint64_t now[RC_SCOPE__MAX] = {0};

    if (c->up && other->index < p->plan->nodes) {
        scopes_of(c, p->conf[other->index].name, now);
    }
    uint64_t zone = other->told_zone[ctl] ? other->told_zone[ctl] : now[RC_SCOPE_ZONE];
    return zone && zone == other->scope[RC_SCOPE_ZONE];
}

void
rc_check_rates_told(struct rc_ctl *c, const char *node)
{
    uint64_t now[RC_SCOPE__MAX], hash = hash_of(node);

    scopes_of(c, node, now);
    for (uint32_t n = first_kept(c->p); n < c->p->memory.rates.count; n++) {
        struct rc_check_acted *r = record_at(c->p, n);
        if (r->node == hash && r->stored) {
            r->told_zone[c->index] = now[RC_SCOPE_ZONE];
            r->unfound[c->index] = !now[RC_SCOPE_ZONE];
        }
    }
}

/* A node that was told of before its zone was known counts in that which it is found in first,
 * wherever it goes from there. */
void
rc_check_rates_found(struct rc_ctl *c)
{
    struct rc_play *p = c->p;
    uint64_t now[RC_SCOPE__MAX];

    for (uint32_t n = first_kept(p); n < p->memory.rates.count; n++) {
        struct rc_check_acted *r = record_at(p, n);
        if (r->unfound[c->index] && r->index < p->plan->nodes) {
            scopes_of(c, p->conf[r->index].name, now);
            r->told_zone[c->index] = now[RC_SCOPE_ZONE];
            r->unfound[c->index] = !now[RC_SCOPE_ZONE];
        }
    }
}

static bool
counts_for(struct rc_play *p, const struct rc_check_acted *other, const struct rc_check_acted *r,
           uint32_t scope)
{
    bool own = other->action[r->by] != 0, told = other->stored && !other->dropped;

    return other != r && !other->token == !r->token && other->done && !other->is_free &&
           other->last_ms <= r->at_ms &&
           r->at_ms - other->at_ms < HOUR_MS - rc_check_clocks_set_ms(p) &&
           (!scope || other->scope[scope] == r->scope[scope]) &&
           (own || (told && (scope != RC_SCOPE_ZONE || counts_in_zone(p, other, r->by))));
}

static void
judge_rates(struct rc_play *p, const struct rc_check_acted *r)
{
    const struct rc_limits_policy *l = &p->policy.limits;
    const uint32_t *limits = r->token ? l->launches_per_hour : l->destructive_per_hour;
    static const char *const scopes[] = {"the cluster", "a partition", "a zone"};

    for (uint32_t scope = 0; !r->unsure && scope < RC_SCOPE__MAX; scope++) {
        uint32_t count = 0;
        if (!limits[scope] || (scope && !r->scope[scope])) {
            continue;
        }
        for (uint32_t n = first_kept(p); n < p->memory.rates.count; n++) {
            count += counts_for(p, record_at(p, n), r, scope);
        }
        if (count >= limits[scope]) {
            rc_play_fail(p, RC_FOUND_LIMITS, "head%u: more than %u %s within an hour in %s",
                         r->by + 1, limits[scope], r->token ? "launches" : "destructive actions",
                         scopes[scope]);
        }
    }
}

void
rc_check_rates_sent(struct rc_ctl *c, const struct rc_action *a)
{
    for (uint32_t n = c->p->memory.rates.count; n > first_kept(c->p); n--) {
        struct rc_check_acted *r = record_at(c->p, n - 1);
        if (!r->token && r->action[c->index] == a->id) {
            r->done = 1;
            if (!r->is_free) {
                judge_rates(c->p, r);
            }
            return;
        }
    }
}

/* A refusal, or the same token again, made nothing. */
void
rc_check_rates_launched(struct rc_play *p, const struct rc_action *a)
{
    struct rc_check_acted *r = find_token(p, a);

    if (r) {
        r->done = 1;
        judge_rates(p, r);
    }
}

/* The past of a node has reached the store, and with it what was decided before. */
void
rc_check_rates_stored(struct rc_play *p, const struct rc_action *a, uint32_t ctl)
{
    uint64_t node = hash_of(a->node);

    for (uint32_t n = first_kept(p); n < p->memory.rates.count; n++) {
        struct rc_check_acted *r = record_at(p, n);
        if (r->node == node && r->action[ctl] && r->action[ctl] < a->id) {
            r->stored = 1;
        }
    }
}

/* Also that a launch was refused: its journal may still say that it was sent. Then the next try
 * by the same token counts from the first one on. */
void
rc_check_rates_forget(struct rc_ctl *c)
{
    for (uint32_t n = first_kept(c->p); n < c->p->memory.rates.count; n++) {
        struct rc_check_acted *r = record_at(c->p, n);
        if (r->action[c->index] && r->refused) {
            r->refused = 0;
            r->unsure = 1;
        }
        r->action[c->index] = 0;
    }
}
