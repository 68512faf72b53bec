/* last_look.c - what was right when it was decided may be wrong when it is sent; see step.h.
 *
 * Invariant: nothing is sent without the lease; nothing that cannot be taken back is sent
 * after its deadline, for a node that people keep for themselves, or under a job that came
 * since, or of an instance that serves another name by now; no slurmctld is made active without a
 * proof that the other one is dead that holds now. What is refused here is completed as cancelled
 * and decided anew. */
#include "policies/rules.h"
#include "reconciler/core/state.h"
#include "reconciler/core/step.h"

#include <string.h>

static bool
is_question(uint32_t kind)
{
    return kind == RC_ACT_LEASE || kind == RC_ACT_LOOK || kind == RC_ACT_GATE ||
           kind == RC_ACT_TELL || kind == RC_ACT_MESSAGE_QUARANTINE || kind == RC_ACT_FAILOVER;
}

static bool
ends_jobs(uint32_t kind)
{
    return kind == RC_ACT_REBOOT || kind == RC_ACT_STOP || kind == RC_ACT_TERMINATE ||
           kind == RC_ACT_GPU_RESET;
}

/* The old instance of a node in service may go: its name and jobs are elsewhere. */
static bool
is_under_jobs(const struct rc_state *s, const struct rc_node *n, const struct rc_action *a)
{
    return ends_jobs(a->kind) && n->instance && n->flags & RC_SN_ALLOCATED &&
           strcmp(rc_instance_at(s, n->instance)->id, a->instance) == 0;
}

static bool
is_foreign_drained(const struct rc_node *n)
{
    return n->owner == RC_OWNER_FOREIGN && n->flags & (RC_SN_DRAIN | RC_SN_DOWN | RC_SN_FAIL);
}

/* A spare that was given away since: it is another node's now, whatever its place thinks. */
static bool
is_given_away(const struct rc_state *s, uint32_t node, const struct rc_action *a)
{
    uint32_t slot = ends_jobs(a->kind) ? rc_instance_find(s, a->instance) : 0;
    uint32_t other = slot ? rc_instance_at(s, slot)->node : 0;

    return node && other && other != node && rc_node_at(s, other)->instance == slot;
}

/* The first controller takes control whenever it starts, the other one when it is told to. */
static bool
makes_active(const struct rc_state *s, const struct rc_action *a)
{
    return a->kind == RC_ACT_TAKEOVER ||
           (a->kind == RC_ACT_CONTROLLER_START && a->u.controller.index == 0 &&
            !rc_pair_serves(&s->pair, 0));
}

enum rc_err
rc_last_look(const struct rc_state *s, const struct rc_action *a, int64_t now_ms,
             const char **ret_why)
{
    *ret_why = "";
    if (!is_question(a->kind) &&
        (!s->lease_held || now_ms >= s->lease_until_ms - s->cluster.lease_margin_ms)) {
        *ret_why = "the lease ran out before it was sent";
        return RC_E_NO_LEASE;
    }
    if (!rc_action_irreversible((enum rc_action_kind)a->kind)) {
        return RC_OK;
    }
    if (now_ms >= a->deadline_ms) {
        *ret_why = "its deadline passed before it was sent";
        return RC_E_CANCELLED;
    }
    if (makes_active(s, a) && !rc_pair_proved(s)) {
        *ret_why = "the proof that the old primary is dead does not hold any more";
        return RC_E_CANCELLED;
    }
    uint32_t slot = *a->node ? rc_node_find(s, a->node) : 0;
    const struct rc_node *n = slot ? rc_node_at(s, slot) : NULL;
    if (n && rc_may_touch(s, n) != RC_BLOCK_NONE) {
        *ret_why = "people keep the node for themselves since it was decided";
        return RC_E_CANCELLED;
    }
    if (n && is_under_jobs(s, n, a)) {
        *ret_why = "a job runs there since it was decided";
        return RC_E_CANCELLED;
    }
    if (n && a->kind == RC_ACT_DOWN && is_foreign_drained(n)) {
        *ret_why = "somebody else drained the node since it was decided";
        return RC_E_CANCELLED;
    }
    if (is_given_away(s, slot, a)) {
        *ret_why = "the instance serves another node since it was decided";
        return RC_E_CANCELLED;
    }
    return RC_OK;
}
