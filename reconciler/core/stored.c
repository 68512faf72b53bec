/* stored.c - see stored.h. */
#include "reconciler/core/stored.h"

#include <string.h>

#include "reconciler/core/spare.h"
#include "reconciler/core/timers.h"
#include "reconciler/core/turn.h"

void
rc_stored_event(struct rc_event *ret, const char node[RC_NODE_LEN], uint32_t incident,
                const struct rc_act_incident *item)
{
    struct rc_ev_adopt *adopt = &ret->u.adopt;

    rc_event_init(ret, RC_EV_ADOPT);
    memcpy(ret->node, node, sizeof ret->node);
    memcpy(ret->code, item->code, sizeof ret->code);
    adopt->opened_wall_ms = item->opened_wall_ms;
    adopt->epoch = item->epoch;
    adopt->incident = incident;
    adopt->fault = item->fault;
    adopt->phase = item->phase;
    adopt->rung = item->rung;
    adopt->tries = item->tries;
    adopt->attempt = item->attempt;
    adopt->flags = item->flags;
    memcpy(adopt->old_instance, item->old_instance, sizeof adopt->old_instance);
    memcpy(adopt->new_instance, item->new_instance, sizeof adopt->new_instance);
    memcpy(adopt->rule, item->rule, sizeof adopt->rule);
}

void
rc_stored_refused(struct rc_event *ret, const struct rc_action *put)
{
    rc_event_init(ret, RC_EV_LEASE);
    ret->u.lease.epoch = put->kind == RC_ACT_HISTORY_PUT ? put->u.history.epoch : put->u.item.epoch;
}

void
rc_stored_told(struct rc_state *s, uint32_t slot)
{
    struct rc_incident *inc = rc_incident_at(s, slot);

    inc->told_after = s->lease_epoch + 1;
    inc->flags |= RC_INC_SAVED;
}

/* As far as we remember the node has not been out yet: what tells of a later phase is newer, also
 * in our own words. (A fault that is back after the return comes from a phase that was accepted.)
 */
static bool
is_further(const struct rc_incident *inc, const struct rc_ev_adopt *item)
{
    bool was_out = inc->accepted_ms && inc->accepted_ms < inc->phase_ms;

    return inc->phase <= RC_PHASE_PROTECT && !was_out && item->attempt == inc->attempt &&
           item->phase > inc->phase;
}

bool
rc_stored_agrees(const struct rc_state *s, uint32_t slot, const struct rc_ev_adopt *item)
{
    const struct rc_incident *inc = rc_incident_at(s, slot);

    if (item->epoch > s->lease_epoch) {
        return false; /* written after we had led: what we could not save is older */
    }
    if (item->attempt > inc->attempt || is_further(inc, item)) {
        return false; /* our own words, of which the journal's end was lost with our host */
    }
    return inc->unsaved ||
           (inc->phase == item->phase && inc->fault == item->fault && inc->rung == item->rung &&
            inc->rung_tries == item->tries && inc->attempt == item->attempt);
}

void
rc_stored_drop(struct rc_state *s, uint32_t slot)
{
    uint32_t node = rc_incident_at(s, slot)->node;

    rc_spare_release(s, rc_incident_at(s, slot));
    rc_budget_count(s, slot, false);
    if (rc_incident_at(s, slot)->unsaved) {
        rc_ack_anew(s, rc_incident_at(s, slot)->unsaved);
    }
    rc_unsaved_done(s, slot);
    rc_incident_free(s, slot);
    rc_node_at(s, node)->incident = 0;
    rc_touch(s, node);
}

void
rc_stored_listed(struct rc_state *s, uint64_t epoch)
{
    bool led_by_another = epoch > s->lease_epoch + 1;

    for (uint32_t slot = 1; slot <= s->incident_used; slot++) {
        const struct rc_incident *inc = rc_incident_at(s, slot);
        bool over = inc->flags & RC_INC_SAVED || led_by_another;
        if (inc->id && inc->node && over && inc->told_after != s->lease_epoch + 1) {
            rc_stored_drop(s, slot);
        }
    }
}
