/* fleet_store.c - the incident store and the lease, as the daemon finds them when it comes
 * back: what is open in the store is told before a new lease is. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/core/stored.h"
#include "simulator/fleet/fleet_private.h"

static struct rc_store_row *
find_item_row(struct rc_fleet *f, uint32_t incident)
{
    for (uint32_t i = 0; i < f->store_count; i++) {
        if (f->store[i].incident == incident) {
            return &f->store[i];
        }
    }
    return NULL;
}

const struct rc_store_row *
rc_store_find(struct rc_fleet *f, uint32_t incident)
{
    return find_item_row(f, incident);
}

static struct rc_store_row *
new_item_row(struct rc_fleet *f)
{
    if (f->store_count == f->store_room) {
        f->store_room = f->store_room ? f->store_room * 2 : 64;
        f->store = realloc(f->store, f->store_room * sizeof *f->store);
        assert(f->store);
    }
    return &f->store[f->store_count++];
}

/* One row a node, and one of the cluster's own (node ""). */
static void
keep_past_row(struct rc_fleet *f, const struct rc_action *a)
{
    uint32_t node = rc_fleet_node(f, a->node);
    uint32_t *at = &f->past_of[node == RC_SIM_NO_NODE ? f->c->nodes : node];

    if (!*at) {
        if (f->past_count == f->past_room) {
            f->past_room = f->past_room ? f->past_room * 2 : 64;
            f->past = realloc(f->past, f->past_room * sizeof *f->past);
            assert(f->past);
        }
        *at = ++f->past_count;
    }
    struct rc_past_row *row = &f->past[*at - 1];
    memcpy(row->node, a->node, sizeof row->node);
    row->history = a->u.history;
}

void
rc_store_put(struct rc_fleet *f, struct rc_errand *r)
{
    const struct rc_action *a = &r->action;
    bool is_history = a->kind == RC_ACT_HISTORY_PUT;
    struct rc_store_row *row = find_item_row(f, a->incident);

    if ((is_history ? a->u.history.epoch : a->u.item.epoch) != f->lease_epoch) {
        r->error = RC_E_CONDITION;
        return;
    }
    if (is_history) {
        keep_past_row(f, a);
        return;
    }
    if (a->u.item.close) {
        if (row) {
            *row = f->store[--f->store_count];
        }
        return;
    }
    row = row ? row : new_item_row(f);
    row->incident = a->incident;
    row->action = a->id;
    memcpy(row->node, a->node, sizeof row->node);
    row->item = a->u.item;
}

static void
tell_open_item(struct rc_fleet *f, const struct rc_store_row *row)
{
    struct rc_event ev;

    rc_stored_event(&ev, row->node, row->incident, &row->item);
    rc_fleet_post(f, &ev);
}

static void
tell_past(struct rc_fleet *f, const struct rc_past_row *row)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_HISTORY);
    memcpy(ev.node, row->node, sizeof ev.node);
    ev.u.history = row->history;
    rc_fleet_post(f, &ev);
}

/* There is one controller: what ran out is taken anew, in a new epoch. */
void
rc_store_lease(struct rc_fleet *f, struct rc_errand *r)
{
    struct rc_ev_lease *told = &r->answer.u.lease;

    if (f->now_ms >= f->lease_until_ms) {
        f->lease_epoch++;
    }
    f->lease_until_ms = f->now_ms + RC_FLEET_LEASE_TERM_MS;
    told->held = 1;
    told->epoch = f->lease_epoch;
    told->until_ms = r->sent_ms + RC_FLEET_LEASE_TERM_MS;
}

void
rc_store_answer_lease(struct rc_fleet *f, struct rc_errand *r)
{
    struct rc_ev_lease *told = &r->answer.u.lease;

    if (r->error != RC_OK) {
        memset(told, 0, sizeof *told);
        told->error = (uint32_t)r->error;
    } else if (told->epoch != f->s->lease_epoch) {
        for (uint32_t i = 0; i < f->past_count; i++) {
            tell_past(f, &f->past[i]);
        }
        for (uint32_t i = 0; i < f->store_count; i++) {
            tell_open_item(f, &f->store[i]);
        }
    }
    rc_fleet_post(f, &r->answer);
}
