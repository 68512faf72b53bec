/* play_store.c - the incident store and the lease, as the two controllers share them.
 *
 * A successor may take the lease when it has seen the record unchanged for its term
 * and the request time-out; its own record of a former life it takes at once. */
#include <string.h>

#include "reconciler/core/stored.h"
#include "simulator/check.h"
#include "simulator/cluster/play_private.h"

enum {
    STANDBY_MS = 30 * 1000,
    STANDBY_ASKS_MS = 500,
    FREE_AFTER_MS = RC_PLAY_LEASE_TERM_MS + RC_PLAY_LEASE_GRACE_MS
};

static struct rc_item *
find_item(struct rc_play *p, uint32_t incident)
{
    for (uint32_t i = 0; i < RC_PLAY_ITEMS; i++) {
        if (p->item[i].incident == incident) {
            return &p->item[i];
        }
    }
    return NULL;
}

static void
keep_history(struct rc_play *p, struct rc_request *r)
{
    uint32_t at = 0, room = sizeof p->past / sizeof p->past[0];

    while (at < room && p->past[at].used && strcmp(p->past[at].node, r->action.node) != 0) {
        at++;
    }
    if (at == room) {
        r->error = RC_E_FULL;
        return;
    }
    p->past[at].used = 1;
    memcpy(p->past[at].node, r->action.node, sizeof p->past[at].node);
    p->past[at].history = r->action.u.history;
    rc_check_stored(p, &r->action, r->ctl);
}

void
rc_effect_store(struct rc_play *p, struct rc_request *r)
{
    const struct rc_action *a = &r->action;
    bool is_history = a->kind == RC_ACT_HISTORY_PUT;
    uint64_t epoch = is_history ? a->u.history.epoch : a->u.item.epoch;
    struct rc_item *item = find_item(p, a->incident);

    if (p->lease.epoch != epoch || p->lease.owner != r->ctl + 1) {
        r->error = RC_E_CONDITION;
        return;
    }
    if (is_history) {
        keep_history(p, r);
        return;
    }
    if (a->u.item.close) {
        rc_check_orders_closed(p, a->incident);
        if (item) {
            memset(item, 0, sizeof *item);
        }
        return;
    }
    if (item) {
        rc_check_regress(p, item, a);
    } else {
        item = find_item(p, 0);
    }
    if (!item) {
        r->error = RC_E_FULL;
        return;
    }
    item->incident = a->incident;
    item->action[r->ctl] = a->id;
    memcpy(item->node, a->node, sizeof item->node);
    item->item = a->u.item;
}

/* ---- the lease ---- */

static bool
may_take(const struct rc_play *p, struct rc_ctl *c)
{
    const struct rc_lease_row *l = &p->lease;

    if (!l->owner || (l->owner == c->index + 1 && l->life != c->life)) {
        return true;
    }
    if (c->watch_renewal != l->renewal) {
        c->watch_renewal = l->renewal;
        c->watch_since_ms = p->now_ms;
    }
    return p->now_ms - c->watch_since_ms >= FREE_AFTER_MS;
}

/* A standby asks twice a second, and nine of ten steps of a schedule would be its asking. One
 * that finds the lease held waits at the store instead: until it may take it or has waited
 * long. One that no longer runs would have asked no more. */
bool
rc_lease_waits(struct rc_play *p, struct rc_request *r, uint32_t index)
{
    struct rc_ctl *c = &p->ctl[r->ctl];
    const struct rc_lease_row *l = &p->lease;
    bool mine = l->owner == c->index + 1 && l->life == r->life;

    if (r->action.kind != RC_ACT_LEASE || r->renewal || r->lost || mine || r->life != c->life) {
        return false;
    }
    if (r->waits_until_ms && (!rc_ctl_runs(c) || c->stuck)) {
        r->lost = 1;
        return false;
    }
    if (may_take(p, c) || (r->waits_until_ms && p->now_ms >= r->waits_until_ms)) {
        return false;
    }
    if (!r->waits_until_ms) {
        r->waits_until_ms = p->now_ms + STANDBY_MS;
    }
    int64_t free_ms = c->watch_since_ms + FREE_AFTER_MS;
    rc_play_task(p, free_ms < r->waits_until_ms ? free_ms : r->waits_until_ms, RC_TASK_EFFECT, NULL,
                 index);
    return true;
}

/* The holder renewed: a standby that can ask sees it within half a second. */
static void
show_renewal(struct rc_play *p)
{
    for (uint32_t i = 0; i < p->plan->controllers; i++) {
        struct rc_ctl *c = &p->ctl[i];
        if (i + 1 != p->lease.owner && rc_ctl_runs(c) && p->now_ms >= p->store_until_ms &&
            p->now_ms >= c->lease_lost_until_ms) {
            c->watch_renewal = p->lease.renewal;
            c->watch_since_ms = p->now_ms + STANDBY_ASKS_MS;
        }
    }
}

void
rc_effect_lease(struct rc_play *p, struct rc_request *r)
{
    struct rc_ctl *c = &p->ctl[r->ctl];
    struct rc_lease_row *l = &p->lease;
    bool mine = l->owner == c->index + 1 && l->life == r->life;
    struct rc_ev_lease *told = &r->answer.u.lease;

    if (r->life != c->life) {
        return; /* its sender is gone */
    }
    uint64_t epoch = r->untold ? c->lease_got : c->s->lease_epoch;
    if (r->renewal && (!mine || l->epoch != epoch || (r->untold && p->now_ms >= l->until_ms))) {
        return; /* not ours any more: held stays 0 */
    }
    if (!r->renewal) {
        if (!mine && !may_take(p, c)) {
            return;
        }
        l->owner = c->index + 1;
        l->life = c->life;
        l->epoch++;
    }
    l->renewal++;
    l->until_ms = p->now_ms + RC_PLAY_LEASE_TERM_MS;
    show_renewal(p);
    told->held = 1;
    told->epoch = l->epoch;
    told->until_ms = r->sent_ms + RC_PLAY_LEASE_TERM_MS;
    rc_check_epoch(p, c);
}

static void
tell_adopted(struct rc_ctl *c, const struct rc_item *row)
{
    struct rc_event ev;

    rc_stored_event(&ev, row->node, row->incident, &row->item);
    rc_ctl_post(c, &ev);
}

static void
tell_pasts(struct rc_ctl *c, const struct rc_play *p)
{
    for (uint32_t i = 0; i < sizeof p->past / sizeof p->past[0]; i++) {
        struct rc_event ev;

        if (p->past[i].used) {
            rc_event_init(&ev, RC_EV_HISTORY);
            memcpy(ev.node, p->past[i].node, sizeof ev.node);
            ev.u.history = p->past[i].history;
            rc_ctl_post(c, &ev);
        }
    }
}

/* A new epoch: what is open in the store is told before the lease is. */
void
rc_answer_lease(struct rc_play *p, struct rc_request *r)
{
    struct rc_ctl *c = &p->ctl[r->ctl];
    struct rc_ev_lease *told = &r->answer.u.lease;

    if (r->error == RC_OK && (!r->renewal || !told->held)) {
        c->lease_got = told->held ? told->epoch : 0;
    }
    if (r->error != RC_OK) {
        memset(told, 0, sizeof *told);
        told->error = (uint32_t)r->error;
    } else if (told->held && (!r->renewal || r->untold)) {
        if (p->now_ms < p->store_until_ms) {
            told->held = 0;
            told->error = RC_E_TIMEOUT;
        } else {
            rc_check_return_led(c);
            tell_pasts(c, p);
            for (uint32_t i = 0; i < RC_PLAY_ITEMS; i++) {
                if (p->item[i].incident) {
                    tell_adopted(c, &p->item[i]);
                }
            }
        }
    }
    rc_ctl_post(c, &r->answer);
    if (told->held && !r->renewal) {
        rc_heads_look_soon(c); /* a new leader is told anew */
    }
}
