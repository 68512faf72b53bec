/* check_messages.c - never: a message is deleted before its event is safe. Safe is:
 * every write of an incident item that its events caused stands in the store, or a
 * newer one of the same incident does (of a later leader too), or the incident is closed
 * there, or has been read from there again and is remembered as it stands there. */
#include <string.h>

#include "simulator/check.h"

/* A step may also decide what waited for something else: only what is about the event's own
 * instance is its doing, where it speaks of one. */
static bool
is_caused(const struct rc_ctl *c, const struct rc_event *ev, const struct rc_action *a)
{
    uint32_t slot = *ev->instance ? rc_instance_find(c->s, ev->instance) : 0;
    uint32_t node = slot ? rc_instance_at(c->s, slot)->node : 0;

    if (a->kind != RC_ACT_INCIDENT_PUT || a->u.item.close || ev->kind == RC_EV_MESSAGE) {
        return false;
    }
    return !*ev->instance || (node && strcmp(rc_node_at(c->s, node)->name, a->node) == 0);
}

void
rc_check_messages_step(struct rc_ctl *c, const struct rc_event *ev)
{
    struct rc_held *h = ev->msg ? &c->held[ev->msg % RC_PLAY_MESSAGES] : NULL;

    for (uint32_t i = 0; h && h->msg == ev->msg && i < c->out.count; i++) {
        const struct rc_action *a = &c->out.v[i];
        if (is_caused(c, ev, a) && h->puts < sizeof h->put_action / sizeof h->put_action[0]) {
            h->put_incident[h->puts] = a->incident;
            h->put_epoch[h->puts] = a->u.item.epoch;
            h->put_action[h->puts++] = a->id;
        }
    }
}

static bool
is_as_stored(const struct rc_ctl *c, const struct rc_item *item)
{
    uint32_t slot = rc_incident_find(c->s, item->incident);
    const struct rc_incident *inc = slot ? rc_incident_at(c->s, slot) : NULL;

    return inc && inc->phase == item->item.phase && inc->fault == item->item.fault &&
           inc->rung == item->item.rung && inc->attempt == item->item.attempt;
}

static bool
is_saved(const struct rc_ctl *c, uint32_t incident, uint64_t action, uint64_t epoch)
{
    const struct rc_item *item = rc_check_item(c->p, incident);

    if (item) {
        return item->action[c->index] >= action || item->item.epoch > epoch ||
               is_as_stored(c, item);
    }
    return rc_incident_find(c->s, incident) == 0; /* closed, and its item is gone */
}

void
rc_check_delete(struct rc_ctl *c, const struct rc_held *h)
{
    for (uint32_t i = 0; i < h->puts; i++) {
        uint32_t slot = rc_incident_find(c->s, h->put_incident[i]);
        bool closing = slot && !rc_incident_at(c->s, slot)->node;
        if (!closing && !is_saved(c, h->put_incident[i], h->put_action[i], h->put_epoch[i])) {
            rc_play_fail(c->p, RC_FOUND_MESSAGES,
                         "head%u deletes message %llu, but write %llu of incident %u is not saved",
                         c->index + 1, (unsigned long long)h->msg,
                         (unsigned long long)h->put_action[i], h->put_incident[i]);
        }
    }
}
