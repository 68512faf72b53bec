/* node_history.c - see node_history.h. Core time and wall time of one moment are both in every
 * event, so times are carried over by their distance from now. */
#include "reconciler/core/node_history.h"

#include <string.h>

#include "reconciler/core/fact.h"
#include "reconciler/core/lemon.h"
#include "reconciler/core/timers.h"
#include "reconciler/core/turn.h"

enum { PUT_TIMEOUT_MS = 30000, FULL_RETRY_MS = 1000, CLOCKS_DIFFER_MS = 1000 };

/* One row's bookkeeping; the cluster's own stands in the state's header. */
static struct rc_history_row *
history_row_of(struct rc_state *s, uint32_t node)
{
    return node ? &rc_node_at(s, node)->history : &s->history;
}

void
rc_history_dirty(struct rc_state *s, uint32_t node)
{
    history_row_of(s, node)->dirty = 1;
}

void
rc_history_said(struct rc_state *s, uint32_t node)
{
    rc_history_dirty(s, node);
    history_row_of(s, node)->word = RC_WORD_UNSAVED;
}

static int64_t
to_wall(const struct rc_state *s, int64_t core_ms)
{
    return core_ms ? s->now_wall_ms + core_ms - s->now_ms : 0;
}

/* Nothing of another controller lies in our future, whatever the clocks say. */
static int64_t
past_to_core(const struct rc_state *s, int64_t wall_ms)
{
    int64_t core_ms = s->now_ms + wall_ms - s->now_wall_ms;

    return core_ms > s->now_ms ? s->now_ms : core_ms ? core_ms : -1;
}

static void
ring_out(const struct rc_state *s, const int64_t *ring, uint32_t total, int64_t *out)
{
    uint32_t kept = total < RC_ATTEMPTS_MAX ? total : RC_ATTEMPTS_MAX;

    for (uint32_t i = 0; i < kept; i++) {
        out[i] = to_wall(s, ring[(total - kept + i) % RC_ATTEMPTS_MAX]);
    }
}

static uint32_t
ring_in(const struct rc_state *s, const int64_t *in, int64_t *ring)
{
    uint32_t total = 0;

    memset(ring, 0, RC_ATTEMPTS_MAX * sizeof *ring);
    for (uint32_t i = 0; i < RC_ATTEMPTS_MAX; i++) {
        if (in[i] > 0) {
            ring[total++] = past_to_core(s, in[i]);
        }
    }
    return total;
}

static void
history_of(const struct rc_state *s, const struct rc_node *n, struct rc_history *h)
{
    ring_out(s, n->opened_ms, n->opened_count, h->opened_wall_ms);
    ring_out(s, n->repair_ms, n->repair_count, h->repair_wall_ms);
    ring_out(s, n->launch_ms, n->launch_count, h->launch_wall_ms);
    ring_out(s, n->destructive_ms, n->destructive_count, h->destructive_wall_ms);
    if (n->cooldown_until_ms > s->now_ms) {
        h->cooldown_until_wall_ms = to_wall(s, n->cooldown_until_ms);
    }
    h->yielded_fault = n->yielded_fault;
    h->flags = n->hold ? RC_HISTORY_HELD : 0U;
}

static void
lemon_of(const struct rc_turn *t, struct rc_history *h)
{
    h->lemon = rc_health_at(t->s, t->node)->lemon;
}

static bool
is_due(const struct rc_state *s, const struct rc_history_row *row)
{
    /* Other actions need their rows of the table more: the rest is written after these. */
    return row->dirty && !row->action && rc_leads(s) && s->now_ms >= row->retry_ms &&
           s->flight_count < s->flights.room / 2;
}

/* An answer that never came: written again. */
static void
expire(struct rc_state *s, struct rc_history_row *row)
{
    uint32_t slot = rc_flight_find(s, row->action);

    if (!row->action || (slot && rc_flight_at(s, slot)->deadline_ms > s->now_ms)) {
        return;
    }
    if (slot) {
        rc_flight_free(s, slot);
    }
    /* A store that is slow must not be asked faster than it answers. */
    row->retry_ms = s->now_ms + rc_backoff_ms(s, row->action, row->retries++);
    row->action = 0;
    row->dirty = 1;
}

static void
put(struct rc_state *s, struct rc_actions *out, const char *node, const struct rc_history *h,
    const struct rc_history_row *row)
{
    struct rc_action a;

    rc_action_init(&a, RC_ACT_HISTORY_PUT);
    a.deadline_ms = s->now_ms + PUT_TIMEOUT_MS;
    memcpy(a.node, node, sizeof a.node);
    a.u.history = *h;
    a.u.history.epoch = s->lease_epoch;
    a.u.history.writes = row->writes + (row->writes < RC_HISTORY_WRITES_MAX);
    rc_act_send(s, out, &a);
}

void
rc_history_decide(struct rc_turn *t)
{
    struct rc_history_row *row = &t->n->history;
    struct rc_history h;

    expire(t->s, row);
    if (is_due(t->s, row)) {
        memset(&h, 0, sizeof h);
        history_of(t->s, t->n, &h);
        lemon_of(t, &h);
        put(t->s, t->out, t->n->name, &h, row);
    }
    if (row->action) {
        rc_turn_wake(t, rc_flight_at(t->s, rc_flight_find(t->s, row->action))->deadline_ms);
    } else if (row->dirty && rc_leads(t->s)) {
        rc_turn_wake(t,
                     row->retry_ms > t->s->now_ms ? row->retry_ms : t->s->now_ms + FULL_RETRY_MS);
    }
}

void
rc_history_decide_cluster(struct rc_state *s, struct rc_actions *out)
{
    static const char nobody[RC_NODE_LEN];
    struct rc_history_row *row = &s->history;
    struct rc_history h;

    expire(s, row);
    if (!is_due(s, row) || out->count == RC_ACTIONS_MAX) {
        return;
    }
    memset(&h, 0, sizeof h);
    ring_out(s, s->pair.done_ms, s->pair.done_count, h.failover_wall_ms);
    memcpy(h.controller, s->pair.plan, sizeof h.controller);
    h.flags =
        (s->paused ? RC_HISTORY_PAUSED : 0U) | (s->breaker_open ? RC_HISTORY_BREAKER_OPEN : 0U);
    put(s, out, nobody, &h, row);
}

bool
rc_history_is_stored(const struct rc_state *s)
{
    return !s->history.dirty && !s->history.action;
}

int64_t
rc_history_wake(const struct rc_state *s)
{
    const struct rc_history_row *row = &s->history;
    uint32_t slot = rc_flight_find(s, row->action);

    if (!rc_leads(s) || (!row->dirty && !row->action)) {
        return RC_NEVER;
    }
    if (row->action) {
        return slot ? rc_flight_at(s, slot)->deadline_ms : s->now_ms;
    }
    return row->retry_ms > s->now_ms ? row->retry_ms : s->now_ms + FULL_RETRY_MS;
}

void
rc_history_note(struct rc_state *s, const struct rc_action *a)
{
    struct rc_history_row *row = history_row_of(s, *a->node ? rc_node_find(s, a->node) : 0);

    row->action = a->id;
    row->epoch = a->u.history.epoch;
    row->writes = a->u.history.writes;
    row->dirty = 0;
    row->word = row->word ? RC_WORD_SENT : RC_WORD_STORED;
}

void
rc_history_done(struct rc_state *s, uint32_t node, uint64_t action, uint32_t error)
{
    struct rc_history_row *row = history_row_of(s, node);

    if (row->action != action) {
        return;
    }
    row->action = 0;
    if (error == RC_OK) {
        row->word = row->word == RC_WORD_SENT ? RC_WORD_STORED : row->word;
        row->retries = 0;
        row->retry_ms = 0;
    } else {
        row->dirty = 1;
        row->retry_ms = s->now_ms + rc_backoff_ms(s, action, row->retries++);
    }
    rc_touch(s, node);
}

static void
count_ring(struct rc_rate *r, const int64_t *ring, uint32_t total)
{
    for (uint32_t i = 0; i < total && i < RC_ATTEMPTS_MAX; i++) {
        rc_rate_insert(r, ring[i]);
    }
}

/* The other leader tells the same action at another time: by its own clock, or because it sent
 * it once more by the same token. So what stood here gives way to what is told. What is older
 * than a full ring may be in no ring any more, and still counts. */
static void
uncount_ring(struct rc_rate *r, const int64_t *ring, uint32_t total, const int64_t *told,
             uint32_t told_total)
{
    int64_t from_ms = told_total < RC_ATTEMPTS_MAX ? INT64_MIN : told[0] - CLOCKS_DIFFER_MS;

    for (uint32_t i = 0; i < total && i < RC_ATTEMPTS_MAX; i++) {
        if (ring[i] >= from_ms) {
            rc_rate_remove(r, ring[i]);
        }
    }
}

static void
recount_ring(struct rc_rate *r, const int64_t *ring, uint32_t total, const int64_t *told,
             uint32_t told_total)
{
    uncount_ring(r, ring, total, told, told_total);
    count_ring(r, told, told_total);
}

/* Into a list by time; of a full one the oldest goes. */
static uint32_t
insert_by_time(int64_t *list, uint32_t count, int64_t at_ms)
{
    uint32_t at = 0;

    if (count == RC_ATTEMPTS_MAX && at_ms <= list[0]) {
        return count;
    }
    if (count == RC_ATTEMPTS_MAX) {
        memmove(list, list + 1, --count * sizeof *list);
    }
    while (at < count && list[at] <= at_ms) {
        at++;
    }
    memmove(list + at + 1, list + at, (count - at) * sizeof *list);
    list[at] = at_ms;
    return count + 1;
}

/* The store never had our last words: what we did and it does not tell happened all the same. */
static uint32_t
keep_unsaved(const int64_t *ring, uint32_t total, int64_t *told, uint32_t told_total)
{
    for (uint32_t i = 0; i < total && i < RC_ATTEMPTS_MAX; i++) {
        bool known = false;
        for (uint32_t k = 0; k < told_total; k++) {
            int64_t apart_ms = told[k] - ring[i];
            known |= apart_ms >= -CLOCKS_DIFFER_MS && apart_ms <= CLOCKS_DIFFER_MS;
        }
        told_total = known ? told_total : insert_by_time(told, told_total, ring[i]);
    }
    return told_total;
}

/* What stands here is told back by the clock as it stood when it was written down, which may have
 * been set since: nothing moves into the past by that, nor before what it came after. The store
 * has it first and then what others did; of a full list the oldest may have gone. */
static void
keep_own_times(const int64_t *ring, uint32_t total, int64_t *told, uint32_t told_total)
{
    uint32_t kept = total < RC_ATTEMPTS_MAX ? total : RC_ATTEMPTS_MAX;
    uint32_t from = told_total == RC_ATTEMPTS_MAX ? RC_ATTEMPTS_MAX - kept : 0;
    int64_t least_ms = INT64_MIN;

    for (uint32_t i = 0; from + i < told_total; i++) {
        least_ms = i < kept ? ring[(total - kept + i) % RC_ATTEMPTS_MAX] : least_ms;
        told[from + i] = least_ms > told[from + i] ? least_ms : told[from + i];
    }
}

/* One ring of a node, and every rate that its entries stand in. */
static void
take_ring(struct rc_state *s, int64_t *ring, uint32_t *total, const int64_t *wall_ms, bool unsaved,
          struct rc_rate *const rates[RC_SCOPE__MAX])
{
    int64_t told[RC_ATTEMPTS_MAX];
    uint32_t told_total = ring_in(s, wall_ms, told);

    if (unsaved) {
        told_total = keep_unsaved(ring, *total, told, told_total);
    } else {
        keep_own_times(ring, *total, told, told_total);
    }
    for (unsigned i = 0; i < RC_SCOPE__MAX; i++) {
        if (rates[i]) {
            recount_ring(rates[i], ring, *total, told, told_total);
        }
    }
    memcpy(ring, told, sizeof told);
    *total = told_total;
}

static void
count_in_scope(struct rc_state *s, const struct rc_node *n, uint32_t row)
{
    struct rc_scope_row *r = rc_scope_at(s, row);

    count_ring(&r->launches, n->launch_ms, n->launch_count);
    count_ring(&r->destructive, n->destructive_ms, n->destructive_count);
}

void
rc_history_scope_known(struct rc_state *s, struct rc_node *n)
{
    if (n->history.partition_due && n->partition_row) {
        count_in_scope(s, n, n->partition_row);
        n->history.partition_due = 0;
    }
    if (n->history.zone_due && n->zone_row) {
        count_in_scope(s, n, n->zone_row);
        n->history.zone_due = 0;
    }
}

/* A person was told that it is held, or paused, and the store never heard so: that stands until
 * he takes it back. Of a word that set us free, what the store says is the safer. */
static uint32_t
keep_word(struct rc_history_row *row, uint32_t ours, bool told)
{
    bool kept = row->word != RC_WORD_STORED && ours && !told;

    row->dirty |= kept;
    row->word = kept ? RC_WORD_UNSAVED : RC_WORD_STORED;
    return told || kept;
}

static void
take_cluster_past(struct rc_state *s, const struct rc_history *h)
{
    s->paused = keep_word(&s->history, s->paused, h->flags & RC_HISTORY_PAUSED);
    s->pair.done_count = ring_in(s, h->failover_wall_ms, s->pair.done_ms);
    memcpy(s->pair.plan, h->controller, sizeof s->pair.plan);
    if (h->flags & RC_HISTORY_BREAKER_OPEN && !s->breaker_open) {
        s->breaker_open = 1;
        s->breaker_since_ms = s->breaker_last_ms = s->now_ms;
    } else if (!(h->flags & RC_HISTORY_BREAKER_OPEN)) {
        s->breaker_open = 0;
    }
    s->recheck = 1;
    rc_touch_all(s);
}

/* An open breaker stays open for so long after the newest fault, whoever saw it. */
static void
take_newest_fault(struct rc_state *s)
{
    const struct rc_rate *r = &s->breaker_rate;
    int64_t newest_ms = r->count ? r->at_ms[(r->head + RC_RATE_ROOM - 1) % RC_RATE_ROOM] : 0;

    s->breaker_last_ms = newest_ms > s->breaker_last_ms ? newest_ms : s->breaker_last_ms;
}

/* The node's part in its scopes, as the store tells it. */
static void
take_counts(struct rc_state *s, struct rc_node *n, const struct rc_history *h)
{
    bool unsaved = n->history.dirty || n->history.action;
    const uint32_t rows[RC_SCOPE__MAX] = {0, n->partition_row, n->zone_row};
    struct rc_rate *const opened[RC_SCOPE__MAX] = {&s->breaker_rate};
    struct rc_rate *const no_rates[RC_SCOPE__MAX] = {NULL};
    struct rc_rate *launches[RC_SCOPE__MAX], *destructive[RC_SCOPE__MAX];

    for (unsigned i = 0; i < RC_SCOPE__MAX; i++) {
        struct rc_scope_row *r = !i || rows[i] ? rc_scope_at(s, rows[i]) : NULL;
        launches[i] = r ? &r->launches : NULL;
        destructive[i] = r ? &r->destructive : NULL;
    }
    take_ring(s, n->opened_ms, &n->opened_count, h->opened_wall_ms, unsaved, opened);
    take_newest_fault(s);
    take_ring(s, n->launch_ms, &n->launch_count, h->launch_wall_ms, unsaved, launches);
    take_ring(s, n->destructive_ms, &n->destructive_count, h->destructive_wall_ms, unsaved,
              destructive);
    take_ring(s, n->repair_ms, &n->repair_count, h->repair_wall_ms, unsaved, no_rates);
}

static void
take_node_past(struct rc_state *s, struct rc_node *n, const struct rc_history *h)
{
    int64_t left_ms = h->cooldown_until_wall_ms - s->now_wall_ms;
    int64_t most_ms = s->policy.limits.cooldown_ms;

    take_counts(s, n, h);
    n->history.partition_due = !n->partition_row;
    n->history.zone_due = !n->zone_row;
    n->cooldown_until_ms = h->cooldown_until_wall_ms && left_ms > 0
                               ? s->now_ms + (left_ms < most_ms ? left_ms : most_ms)
                               : 0;
    n->yielded_fault = h->yielded_fault < RC_FAULT__MAX ? h->yielded_fault : RC_FAULT_NONE;
    n->hold = keep_word(&n->history, n->hold, h->flags & RC_HISTORY_HELD);
}

/* Not our own words, nor what stood there before a write of ours that got lost. Later words of our
 * own epoch are: a host that lost its power has lost the end of its journal too. */
static bool
is_newer(const struct rc_history_row *row, const struct rc_history *h)
{
    return !row->epoch || h->epoch > row->epoch ||
           (h->epoch == row->epoch && h->writes > row->writes);
}

void
rc_history_take(struct rc_state *s, uint32_t node, const struct rc_history *h)
{
    struct rc_history_row *row = history_row_of(s, node);

    if (!is_newer(row, h)) {
        return;
    }
    row->epoch = h->epoch;
    row->writes = h->writes;
    if (node) {
        take_node_past(s, rc_node_at(s, node), h);
        row->dirty = row->dirty || row->action; /* with what was kept of ours */
        rc_lemon_take(s, node, &h->lemon);
        rc_touch(s, node);
    } else {
        row->dirty = 0;
        take_cluster_past(s, h);
    }
}
