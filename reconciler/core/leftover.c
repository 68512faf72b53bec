/* leftover.c - instances that cost money and serve nobody: a launch whose answer was
 * lost until its incident had ended, a replacement that could not be ended then.
 *
 * Ended is only what carries our tag, was launched for an incident (its tag says so) or
 * was replaced by one that was, and does not have the name while another living
 * instance has it; and only while the node serves and no incident is open: whoever
 * could still want it has had its time. */
#include <string.h>

#include "reconciler/core/fact.h"
#include "reconciler/core/spare.h"
#include "reconciler/core/text.h"
#include "reconciler/core/turn.h"

enum { BLOCKED_AGAIN_MS = 60 * 1000 };

static bool
is_living(const struct rc_instance *i)
{
    return i->known && !i->missing_since_ms &&
           (i->state == RC_INST_RUNNING || i->state == RC_INST_PENDING ||
            i->state == RC_INST_STOPPED);
}

/* A start is a launch to EC2, and a spare may have stood for long: the times alone do not tell
 * which of the two came after the other. */
static bool
was_replaced(const struct rc_instance *i, const struct rc_instance *by)
{
    return by->tag_incident && (i->had_name || i->launched_wall_ms < by->launched_wall_ms);
}

static bool
is_leftover(const struct rc_instance *i, const struct rc_instance *serving)
{
    return i->ours && (i->tag_incident || was_replaced(i, serving)) && is_living(i);
}

/* Another controller may know of an incident that we do not, for as long as a
 * launch takes to show itself; then its item has been adopted. */
static int64_t
wanted_until_ms(const struct rc_turn *t, const struct rc_instance *i)
{
    const struct rc_timeouts_policy *p = &t->s->policy.timeouts;
    int64_t until_ms = t->s->now_ms + p->boot_ms + p->missing_ms - rc_instance_age_ms(t->s, i);

    return i->ending_ms > until_ms ? i->ending_ms : until_ms;
}

void
rc_turn_end_leftover(struct rc_turn *t, const struct rc_instance *i, const char *why)
{
    struct rc_action a;
    int64_t now_ms = t->s->now_ms, wake_ms = wanted_until_ms(t, i);

    if (wake_ms > now_ms) {
        rc_turn_wake(t, wake_ms);
        return;
    }
    if (rc_may_act(t->s, t->n, RC_ACT_TERMINATE, &wake_ms) != RC_BLOCK_NONE) {
        /* What is open or full does not say until when, and no incident is here to be
         * looked at when it is not any more. */
        rc_turn_wake(t, wake_ms > now_ms ? wake_ms : now_ms + BLOCKED_AGAIN_MS);
        return;
    }
    rc_act_init(t, &a, RC_ACT_TERMINATE, t->s->policy.timeouts.stop_ms);
    memcpy(a.instance, i->id, sizeof a.instance);
    rc_put_text(a.text, sizeof a.text, why);
    rc_act_send(t->s, t->out, &a);
    rc_turn_wake(t, i->ending_ms);
}

/* It came before the one that this incident is about: launched for an incident before, or
 * replaced by one that was. (A person took the node back before the old one had been ended.) */
static bool
is_of_before(const struct rc_turn *t, uint32_t slot)
{
    const struct rc_incident *inc = t->inc;
    const struct rc_instance *i = rc_instance_at(t->s, slot);
    const struct rc_instance *old =
        inc->old_instance ? rc_instance_at(t->s, inc->old_instance) : NULL;

    if (slot == inc->old_instance || slot == t->n->instance) {
        return false;
    }
    return i->tag_incident ? i->tag_incident < inc->id
                           : old && old->tag_incident < inc->id && was_replaced(i, old);
}

/* A replacement of an earlier try, or what an incident before this one left. */
static bool
is_earlier(struct rc_turn *t, uint32_t slot)
{
    const struct rc_incident *inc = t->inc;
    const struct rc_instance *i = rc_instance_at(t->s, slot);

    if (!i->ours || !is_living(i) || i->parked || slot == inc->new_instance) {
        return false;
    }
    if (i->tag_incident == inc->id) {
        return i->tag_attempt < inc->attempt && (slot != t->n->instance || rc_turn_idle(t));
    }
    int64_t until_ms = wanted_until_ms(t, i);
    bool before = is_of_before(t, slot);
    if (before && until_ms > t->s->now_ms) {
        rc_turn_wake(t, until_ms);
    }
    return before && until_ms <= t->s->now_ms;
}

/* One whose end was refused or got lost: it may hold the very slot that the next one needs. */
void
rc_turn_end_earlier(struct rc_turn *t)
{
    struct rc_action a;
    int64_t wake_ms = RC_NEVER;

    if (rc_node_is_stale(t->s, t->n)) {
        return; /* another one may serve under the name by now; the next pass touches the node */
    }
    for (uint32_t slot = t->n->instances; slot; slot = rc_instance_at(t->s, slot)->next_of_node) {
        const struct rc_instance *i = rc_instance_at(t->s, slot);
        if (!is_earlier(t, slot)) {
            continue;
        }
        if (i->ending_ms > t->s->now_ms) {
            rc_turn_wake(t, i->ending_ms);
        } else if (rc_may_act(t->s, t->n, RC_ACT_TERMINATE, &wake_ms) == RC_BLOCK_NONE) {
            rc_act_init(t, &a, RC_ACT_TERMINATE, t->s->policy.timeouts.stop_ms);
            memcpy(a.instance, i->id, sizeof a.instance);
            rc_put_text(a.text, sizeof a.text,
                        i->tag_incident ? "replacement failed before it served"
                                        : "replaced before it was ended");
            rc_act_send(t->s, t->out, &a);
            return;
        }
    }
}

void
rc_turn_end_leftovers(struct rc_turn *t)
{
    const struct rc_node *n = t->n;
    const struct rc_instance *serving = n->instance ? rc_instance_at(t->s, n->instance) : NULL;

    if (n->spare) {
        rc_spare_end_extra(t);
        return;
    }
    if (!serving || serving->state != RC_INST_RUNNING || t->finding.fault != RC_FAULT_NONE ||
        n->flags & (RC_SN_DOWN | RC_SN_NOT_RESPONDING) || rc_may_touch(t->s, n) != RC_BLOCK_NONE) {
        return;
    }
    for (uint32_t slot = n->instances; slot; slot = rc_instance_at(t->s, slot)->next_of_node) {
        const struct rc_instance *i = rc_instance_at(t->s, slot);
        if (slot == n->instance || !is_leftover(i, serving)) {
            continue;
        }
        if (rc_node_is_stale(t->s, n)) { /* it may serve under the name by now */
            rc_turn_wake(t, t->s->now_ms + BLOCKED_AGAIN_MS);
        } else {
            rc_turn_end_leftover(t, i, "left over: launched for a repair, serves nobody");
        }
        return; /* one at a time: each is news that brings the next turn */
    }
}
