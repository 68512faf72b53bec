/* phase_return.c - the way back to service: join, gate, return, quarantine.
 *
 * Invariants: no return without the gate; the gate's verdict counts only while
 * no fault stands on the instance behind the name; only a drain of ours is undone. */
#include <string.h>

#include "reconciler/core/lemon.h"
#include "reconciler/core/spare.h"
#include "reconciler/core/text.h"
#include "reconciler/core/turn.h"

/* slurmd tells its start, and EC2 the launch, in seconds. */
enum { WHOLE_SECOND_MS = 1000 };

/* Launched since the incident was opened, as our own clock has it: no spare, which was there. */
static bool
is_launched_for_it(const struct rc_incident *inc, const struct rc_instance *i)
{
    return !(inc->flags & RC_INC_ADOPTED) && i->launched_ms >= inc->opened_ms;
}

/* slurmd came up on the new instance: a start before its launch is that of the one before, which
 * may have joined a moment ago. No clock of a node is so wrong that a boot would fit into the
 * difference; ours may be, and is asked only where no launch tells when the rung began: a spare
 * was launched long ago. */
static bool
slurmd_is_new(const struct rc_turn *t)
{
    const struct rc_incident *inc = t->inc;
    const struct rc_instance *i =
        inc->new_instance ? rc_instance_at(t->s, inc->new_instance) : NULL;
    int64_t launched_wall_ms = i ? i->launched_wall_ms : 0;

    return rc_node_joined(t->n,
                          i && is_launched_for_it(inc, i) ? launched_wall_ms : inc->rung_wall_ms) &&
           t->n->slurmd_start_wall_ms + WHOLE_SECOND_MS > launched_wall_ms;
}

/* Adopted, and no slurmctld was read since: which instance has the name, and what became of it,
 * is not known, however long that takes. */
static bool
waits_to_be_read(struct rc_turn *t)
{
    bool unread = rc_node_fresh_at(t->s, t->n) <= t->inc->phase_at;

    return unread && t->inc->flags & RC_INC_ADOPTED &&
           !rc_turn_block(t, RC_BLOCK_UNKNOWN, t->s->now_ms + RC_UNREAD_AGAIN_MS);
}

bool
rc_phase_join(struct rc_turn *t)
{
    bool lost =
        t->inc->new_instance && rc_instance_at(t->s, t->inc->new_instance)->state > RC_INST_RUNNING;

    if (lost) {
        return rc_turn_fail(t, "the replacement was lost before it joined");
    }
    bool bound = !t->inc->new_instance || t->n->instance == t->inc->new_instance;

    if (bound && slurmd_is_new(t)) {
        return rc_turn_go(t, RC_PHASE_GATE, "slurmd registered");
    }
    if (!rc_turn_phase_over(t, t->s->policy.timeouts.join_ms)) {
        return false;
    }
    return !waits_to_be_read(t) && rc_turn_fail(t, "slurmd did not register in time");
}

static void
choose_probes(const struct rc_turn *t, struct rc_act_gate *gate)
{
    const struct rc_gate_policy *p = &t->s->policy.gate;
    const char *type = t->n->instance ? rc_instance_at(t->s, t->n->instance)->type : "";

    /* A job that runs on (the fault went by itself) is not disturbed by what loads GPUs or NICs. */
    const uint32_t load =
        1U << RC_GATE_PROBE_DCGM | 1U << RC_GATE_PROBE_PINGPONG | 1U << RC_GATE_PROBE_NCCL;
    uint32_t allowed = t->n->flags & (RC_SN_ALLOCATED | RC_SN_COMPLETING) ? ~load : UINT32_MAX;

    for (uint32_t i = 0; i < p->type_count; i++) {
        if (rc_glob(p->type[i].type, type)) {
            gate->probes = (uint32_t)p->type[i].probes & allowed;
            gate->must = (uint32_t)p->type[i].must & allowed;
            gate->dcgm_level = p->type[i].dcgm_level;
            return;
        }
    }
}

static void
send_gate(struct rc_turn *t)
{
    struct rc_action a;

    rc_act_init(t, &a, RC_ACT_GATE, t->s->policy.timeouts.gate_ms);
    if (t->n->instance) {
        memcpy(a.instance, rc_instance_at(t->s, t->n->instance)->id, sizeof a.instance);
    }
    memcpy(a.u.gate.addr, t->n->addr, sizeof a.u.gate.addr);
    a.u.gate.timeout_ms = (uint32_t)t->s->policy.timeouts.gate_ms;
    a.u.gate.since_wall_ms = t->inc->phase_wall_ms;
    choose_probes(t, &a.u.gate);
    rc_act_send(t->s, t->out, &a);
}

/* EC2 gave us the host that was just thrown out. It is parked (kept, out of service) so that
 * the next launch gets another one; a full reservation has no other. */
static bool
same_bad_host(struct rc_turn *t)
{
    const char *why = "the same bad host again";

    rc_turn_case(t, why);
    if (t->s->cluster.group[t->n->group - 1].capacity != RC_CAPACITY_OPEN) {
        return rc_turn_go(t, RC_PHASE_QUARANTINE, why);
    }
    return rc_turn_fail(t, why);
}

bool
rc_phase_gate(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;
    bool faulty = t->finding.fault != RC_FAULT_NONE;

    if (t->finding.fault == RC_FAULT_KNOWN_BAD && inc->new_instance) {
        return same_bad_host(t);
    }
    if (inc->flags & RC_INC_FAILED) {
        return rc_turn_fail(t, "gate refused");
    }
    if (inc->flags & RC_INC_ACCEPTED && rc_finding_well(&t->finding)) {
        return rc_turn_go(t, RC_PHASE_RETURN, "health proved");
    }
    if (t->finding.company) {
        return rc_turn_block(t, RC_BLOCK_COMPANY, RC_NEVER); /* what is shared fails no node */
    }
    int64_t shared_ms = rc_health_at(t->s, t->node)->company_ms - inc->phase_ms;
    if (rc_turn_phase_over(t, t->s->policy.timeouts.gate_ms + (shared_ms > 0 ? shared_ms : 0))) {
        return !waits_to_be_read(t) &&
               rc_turn_fail(t, faulty ? "the fault stands in the gate" : "no verdict in time");
    }
    if (!(inc->flags & RC_INC_ACCEPTED) && !rc_turn_drain_again(t) && rc_turn_ready(t)) {
        send_gate(t);
    }
    return false;
}

static bool
in_service(struct rc_turn *t, const char *why)
{
    struct rc_incident *inc = t->inc;
    bool replaced = inc->new_instance && t->n->instance == inc->new_instance;
    bool retire = replaced && inc->old_instance &&
                  rc_instance_at(t->s, inc->old_instance)->state != RC_INST_TERMINATED;

    if (!replaced) {
        rc_turn_end_replacement(t); /* it was not needed after all */
    }
    return rc_turn_go(t, retire ? RC_PHASE_RETIRE : RC_PHASE_CLOSED, why);
}

bool
rc_phase_return(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;
    struct rc_action a;
    bool seen = rc_node_fresh_at(t->s, t->n) > inc->phase_at;
    bool silent = t->finding.fault == RC_FAULT_NODE_DOWN;

    /* RESUME leaves a node that was DOWN "not responding" until slurmctld's next ping
     * (NODE_STATE_NO_RESPOND, seen on 22.05): silence counts when the phase is over. */
    if (t->finding.fault != RC_FAULT_NONE &&
        (!silent || rc_turn_phase_over(t, t->s->policy.timeouts.return_ms))) {
        /* Jobs may be on it again: where its rule makes before it breaks, it does so here too. */
        return rc_turn_make_first(t) != RC_MAKE_WAITS &&
               rc_turn_go(t, RC_PHASE_PROTECT, "the fault is back");
    }
    if (t->n->owner == RC_OWNER_FOREIGN && t->n->flags & (RC_SN_DRAIN | RC_SN_DOWN)) {
        return in_service(t, "healthy; drained by somebody else, left to them");
    }
    if (seen && !silent && !(t->n->flags & (RC_SN_DRAIN | RC_SN_DOWN | RC_SN_FAIL))) {
        return in_service(t, "in service");
    }
    if (rc_turn_awaits(t, t->s->policy.timeouts.return_ms)) {
        return false;
    }
    if (rc_turn_phase_over(t, 2 * t->s->policy.timeouts.return_ms)) {
        rc_turn_tell(t, RC_INC_TOLD_STUCK, "slurmctld keeps the node out");
    }
    if (rc_node_is_stale(t->s, t->n) || !t->finding.known) {
        /* Proved by a leader before us: what befell it since is not known yet. */
        return rc_turn_block(t, RC_BLOCK_UNKNOWN, t->s->now_ms + RC_UNREAD_AGAIN_MS);
    }
    if (rc_turn_ready(t)) {
        rc_act_init(t, &a, RC_ACT_RESUME, t->s->policy.timeouts.drain_ms);
        rc_act_send(t->s, t->out, &a);
    }
    return false;
}

bool
rc_phase_quarantine(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;

    if (t->n->spare && !rc_spare_wanted(t->s, t->n)) {
        return rc_turn_go(t, RC_PHASE_CLOSED, "the place is not wanted any more");
    }
    rc_turn_tell(t, RC_INC_TOLD_STUCK, "quarantined: a person must look at this node");
    if (rc_fault_is_hardware(inc->fault) && inc->fault != RC_FAULT_NODE_DOWN &&
        inc->fault < RC_FAULT_SCHEDULED_REBOOT) {
        rc_turn_case(t, "quarantined after its repairs");
    }
    if (inc->flags & RC_INC_REOPENED) {
        inc->flags &= ~(uint32_t)RC_INC_REOPENED;
        inc->rung = inc->rung_tries = 0;
        return rc_turn_go(t, RC_PHASE_WAIT_IDLE, "a person approved another try");
    }
    if (rc_node_fresh_at(t->s, t->n) > inc->phase_at &&
        !(t->n->flags & (RC_SN_DRAIN | RC_SN_DOWN)) && t->n->owner != RC_OWNER_UNKNOWN) {
        inc->flags |= RC_INC_YIELDED;
        return rc_turn_go(t, RC_PHASE_CLOSED, "a person took the node back");
    }
    rc_turn_end_earlier(t); /* one that was not ended in its turn holds a slot, and costs */
    return false;
}
