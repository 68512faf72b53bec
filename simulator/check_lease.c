/* check_lease.c - never: a request is sent without a live lease; two leaders act in
 * one epoch. Questions (look, gate, the lease itself) change nothing and are free,
 * and what is put aside (quarantine) or only written down (failover) stays on this host. */
#include "simulator/check.h"

void
rc_check_epoch(struct rc_play *p, const struct rc_ctl *c)
{
    uint32_t *owner = &p->memory.lease.epoch_owner;

    if (p->memory.lease.epoch_owner_epoch == p->lease.epoch && *owner != c->index + 1) {
        rc_play_fail(p, RC_FOUND_LEASE, "head%u and head%u both lead epoch %llu", *owner,
                     c->index + 1, (unsigned long long)p->lease.epoch);
    }
    p->memory.lease.epoch_owner_epoch = p->lease.epoch;
    *owner = c->index + 1;
}

void
rc_check_lease_at_start(struct rc_ctl *c, const struct rc_action *a)
{
    const struct rc_lease_row *l = &c->p->lease;
    bool question = a->kind == RC_ACT_LEASE || a->kind == RC_ACT_LOOK || a->kind == RC_ACT_GATE ||
                    a->kind == RC_ACT_TELL || a->kind == RC_ACT_MESSAGE_QUARANTINE ||
                    a->kind == RC_ACT_FAILOVER;

    if (question) {
        return;
    }
    if (l->owner != c->index + 1 || l->epoch != c->s->lease_epoch) {
        rc_play_fail(c->p, RC_FOUND_LEASE, "head%u sends %s %s, but head%u holds the lease",
                     c->index + 1, rc_action_name((enum rc_action_kind)a->kind), a->node, l->owner);
    } else if (c->p->now_ms >= l->until_ms - RC_PLAY_LEASE_MARGIN_MS) {
        rc_play_fail(c->p, RC_FOUND_LEASE, "head%u sends %s %s %lld ms before its lease ends",
                     c->index + 1, rc_action_name((enum rc_action_kind)a->kind), a->node,
                     (long long)(l->until_ms - c->p->now_ms));
    }
}
