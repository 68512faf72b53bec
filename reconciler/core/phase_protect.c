/* phase_protect.c - from a fault to an idle node: open, protect, wait-idle.
 *
 * Invariants: a foreign drain is never overwritten; idle is read after the
 * drain was accepted; jobs are requeued only where the policy or AWS's own
 * deadline says so; DOWN (which requeues at once) only when the instance is
 * proved dead. */
#include <string.h>

#include "policies/classes.h"
#include "reconciler/core/health.h"
#include "reconciler/core/lemon.h"
#include "reconciler/core/spare.h"
#include "reconciler/core/text.h"
#include "reconciler/core/turn.h"

enum { TELL_WAIT_AFTER_MS = 3600 * 1000, RECENT_POLLS = 3 };

/* Perhaps by an earlier leader that could not write it down: then it is to be undone. */
static bool
is_ours_drained(const struct rc_turn *t)
{
    return t->n->owner == RC_OWNER_OURS && t->n->flags & RC_SN_DRAIN;
}

/* What the incident answers to is not the node's own any more: its agent tells of it no
 * longer, or many nodes show it (the first of them were raised before the last were heard);
 * or the node is drained by its agent and nothing else stands. What is left is answered. */
static void
answer_what_is_left(struct rc_turn *t)
{
    uint32_t left = (uint32_t)t->finding.fault, was = t->inc->fault;
    bool over = rc_fault_is_told(was) && *rc_health_at(t->s, t->node)->boot;

    if (left == RC_FAULT_NONE || left >= was || !(over || left == RC_FAULT_AGENT_DRAIN)) {
        return;
    }
    const struct rc_rule *lesser = rc_policy_match(t->s, t->node, &t->finding);
    if (lesser && !lesser->ignore) {
        rc_turn_raise(t, lesser, true, false);
    }
}

/* What it was opened for others show too by now, and what else it shows is not sure yet. */
static bool
is_shared_by_now(const struct rc_turn *t)
{
    struct rc_finding told = {.known = t->finding.known};

    if (t->finding.fault == t->inc->fault) {
        return false;
    }
    rc_judge_told(t->s, t->node, &told);
    return told.company && told.fault != t->inc->fault;
}

bool
rc_phase_open(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;

    if (t->n->spare) {
        return rc_spare_open(t);
    }
    if (rc_finding_well(&t->finding) && !is_ours_drained(t)) {
        rc_turn_end_replacement(t);
        return rc_turn_go(t, RC_PHASE_CLOSED, "fault gone before anything was done");
    }
    if (rc_turn_is_yielded(t) && !is_ours_drained(t)) {
        return rc_turn_go(t, RC_PHASE_CLOSED, "what is left a person knew of");
    }
    if (t->finding.window_wall_ms) {
        int64_t early_ms = t->finding.window_wall_ms - inc->rule.lead_ms - t->s->now_wall_ms;
        if (early_ms > 0) {
            return rc_turn_block(t, RC_BLOCK_WINDOW, t->s->now_ms + early_ms);
        }
    }
    answer_what_is_left(t);
    if (is_shared_by_now(t)) {
        return rc_turn_block(t, RC_BLOCK_COMPANY, RC_NEVER);
    }
    struct rc_take take = rc_may_take_out(t->s, inc, &t->finding);
    if (take.block != RC_BLOCK_NONE) {
        rc_turn_end_earlier(t); /* who fills the budget may wait for the very slot that one holds */
        return rc_turn_block(t, take.block, take.wake_ms);
    }
    switch (rc_turn_make_first(t)) {
    case RC_MAKE_WAITS:
        return false;
    case RC_MAKE_LOST:
        return rc_turn_fail(t, "replacement lost before the drain");
    case RC_MAKE_DONE:
        break;
    }
    return rc_turn_take_out(t, take.with_job);
}

/* "rc:12 spot-interruption": what an operator reads in sinfo -R. */
static void
write_reason(const struct rc_turn *t, struct rc_action *a)
{
    rc_put_text(a->text, sizeof a->text, "rc:");
    rc_put_number(a->text, sizeof a->text, t->inc->id);
    rc_put_text(a->text, sizeof a->text, " ");
    rc_put_text(a->text, sizeof a->text, rc_fault_name((enum rc_fault)t->inc->fault));
    if (*t->inc->code) {
        rc_put_text(a->text, sizeof a->text, " ");
        rc_put_text(a->text, sizeof a->text, t->inc->code);
    }
    const struct rc_told *told = t->finding.fact;
    if (told && told->fault == t->inc->fault && *told->f.device) {
        rc_put_text(a->text, sizeof a->text, " ");
        rc_put_text(a->text, sizeof a->text, told->f.device);
    }
}

static void
send_drain(struct rc_turn *t, enum rc_action_kind kind)
{
    struct rc_action a;

    rc_act_init(t, &a, kind, t->s->policy.timeouts.drain_ms);
    write_reason(t, &a);
    rc_act_send(t->s, t->out, &a);
}

static bool
drain_is_foreign(const struct rc_turn *t)
{
    return t->n->owner == RC_OWNER_FOREIGN;
}

/* It is a person's node now: what was launched for it is of no use. */
static bool
leave_to_person(struct rc_turn *t)
{
    uint32_t launched = t->inc->new_instance;

    if (launched && launched != t->n->instance && !t->inc->launch_action) {
        rc_turn_end_replacement(t);
        rc_turn_next_attempt(t, "drained by a person: its replacement is ended");
    }
    return rc_turn_block(t, RC_BLOCK_FOREIGN, RC_NEVER);
}

bool
rc_phase_protect(struct rc_turn *t)
{
    bool drained = t->n->flags & RC_SN_DRAIN;

    if (drained && drain_is_foreign(t)) {
        return leave_to_person(t);
    }
    if (t->inc->drain_ack_at && drained && t->n->owner == RC_OWNER_OURS && t->n->reason_incident) {
        t->inc->flags |= RC_INC_DRAINED;
        return rc_turn_go(t, RC_PHASE_WAIT_IDLE, "drain seen");
    }
    if (!t->inc->drain_ack_at && !t->inc->action) {
        answer_what_is_left(t); /* a slurmctld that was away heard no drain meanwhile */
        if (is_shared_by_now(t) && !is_ours_drained(t)) {
            return rc_turn_block(t, RC_BLOCK_COMPANY, t->s->now_ms + RC_COMPANY_AGAIN_MS);
        }
    }
    if (rc_finding_well(&t->finding) && !t->inc->drain_ack_ms && !t->inc->action &&
        !is_ours_drained(t)) {
        rc_turn_end_replacement(t);
        return rc_turn_go(t, RC_PHASE_CLOSED, "fault gone, drain never set");
    }
    if (rc_turn_launch_early(t)) { /* with the drain, not after it: slurmctld may be away */
        return rc_turn_fail(t, "replacement lost before the drain was seen");
    }
    if (!rc_turn_awaits(t, t->s->policy.timeouts.drain_ms) && rc_turn_ready(t)) {
        send_drain(t, RC_ACT_DRAIN);
    }
    return false;
}

/* What the plan wants of the node's jobs now; RC_ACT_NONE = nothing. */
static enum rc_action_kind
jobs_want(struct rc_turn *t)
{
    const struct rc_incident *inc = t->inc;
    int64_t requeue_at = rc_jobs_requeue_at(t->s, inc), last_at = rc_jobs_last_signal_at(t->s, inc);
    uint32_t told = RC_INC_SIGNALLED | (last_at <= t->s->now_ms ? RC_INC_SIGNALLED_LAST : 0U);

    if (requeue_at <= t->s->now_ms) {
        return inc->flags & RC_INC_REQUEUED ? RC_ACT_NONE : RC_ACT_JOBS_REQUEUE;
    }
    rc_turn_wake(t, requeue_at);
    rc_turn_wake(t, last_at > t->s->now_ms ? last_at : RC_NEVER);
    return inc->rule.jobs.signal && (inc->flags & told) != told ? RC_ACT_JOBS_SIGNAL : RC_ACT_NONE;
}

static void
treat_jobs(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;
    enum rc_action_kind kind = jobs_want(t);
    struct rc_action a;
    int64_t wake_ms = RC_NEVER;

    if (inc->jobs_next_ms > t->s->now_ms) {
        rc_turn_wake(t, inc->jobs_next_ms);
        return;
    }
    if (inc->jobs_action || kind == RC_ACT_NONE ||
        (rc_action_irreversible(kind) && !rc_turn_is_saved(t))) {
        return;
    }
    enum rc_block block = rc_may_act(t->s, t->n, kind, &wake_ms);
    if (block != RC_BLOCK_NONE) {
        rc_turn_block(t, block, wake_ms);
        return;
    }
    rc_act_init(t, &a, kind, t->s->policy.timeouts.drain_ms);
    a.u.jobs.signal = kind == RC_ACT_JOBS_SIGNAL ? inc->rule.jobs.signal : 0;
    a.u.jobs.exclude = kind == RC_ACT_JOBS_REQUEUE && inc->rule.jobs.exclude_ms > 0;
    rc_put_text(a.text, sizeof a.text, rc_fault_name((enum rc_fault)inc->fault));
    rc_act_send(t->s, t->out, &a);
}

/* No rank lives on a dead instance: DOWN gives its jobs back to the queue now,
 * not after SlurmdTimeout. */
static void
put_down(struct rc_turn *t)
{
    if (!(t->n->flags & RC_SN_DOWN) && t->n->owner != RC_OWNER_FOREIGN &&
        !rc_turn_awaits(t, t->s->policy.timeouts.drain_ms) && rc_turn_may(t, RC_ACT_DOWN)) {
        send_drain(t, RC_ACT_DOWN);
    }
}

/* What was read long ago (this process frozen or restarted), or before a pass that failed
 * (slurmctld away), says nothing about now; nor does what was read before we led. */
static bool
is_recent(const struct rc_turn *t)
{
    int64_t read_ms = t->n->seen_ms > t->s->slurm_pass_ms ? t->n->seen_ms : t->s->slurm_pass_ms;

    return !t->s->slurm_pass_ms ||
           (t->s->slurm_ok && !rc_node_is_stale(t->s, t->n) &&
            t->s->now_ms - read_ms <= RECENT_POLLS * t->s->cluster.poll_slurm_ms);
}

bool
rc_turn_drained_idle(const struct rc_turn *t)
{
    uint32_t busy = RC_SN_ALLOCATED | RC_SN_COMPLETING;

    return is_recent(t) && t->inc->drain_ack_at &&
           rc_node_fresh_at(t->s, t->n) > t->inc->drain_ack_at && t->n->flags & RC_SN_DRAIN &&
           !(t->n->flags & busy);
}

bool
rc_turn_idle(const struct rc_turn *t)
{
    if (t->n->spare) {
        return true; /* no slurmd, no jobs */
    }
    if (t->finding.dead) {
        /* Not from what a journal remembers: another instance may serve under the name by now. */
        return is_recent(t) && t->n->flags & RC_SN_DOWN && !(t->n->flags & RC_SN_ALLOCATED);
    }
    return rc_turn_drained_idle(t);
}

/* An operator resumed it in the middle of a repair: no new job before it is whole. */
bool
rc_turn_drain_again(struct rc_turn *t)
{
    if (t->n->flags & RC_SN_DRAIN || t->n->owner == RC_OWNER_FOREIGN) {
        return false;
    }
    if (rc_node_fresh_at(t->s, t->n) > t->inc->drain_ack_at && rc_turn_ready(t)) {
        send_drain(t, RC_ACT_DRAIN);
    }
    return true;
}

/* The node was drained by us and is not any more, and not by our hand. */
static bool
operator_took_it_back(const struct rc_turn *t)
{
    return t->inc->flags & RC_INC_DRAINED && !(t->inc->flags & RC_INC_BROKEN) &&
           !(t->n->flags & (RC_SN_DRAIN | RC_SN_DOWN)) && !t->finding.dead &&
           rc_node_fresh_at(t->s, t->n) > t->inc->drain_ack_at;
}

/* A stop may lose the slot, and does lose the instance store: where they are to be kept, a
 * reboot is what is left, unless this ladder has had one. */
static bool
start_power_cycle(struct rc_turn *t)
{
    const struct rc_power_policy *p = &t->s->policy.power_cycle;
    const struct rc_rule *rule = &t->inc->rule;
    bool open = t->s->cluster.group[t->n->group - 1].capacity == RC_CAPACITY_OPEN, rebooted = false;

    if (!p->keep_disks && !(p->keep_slot && open)) {
        return rc_turn_go(t, RC_PHASE_STOP, "idle: power-cycle");
    }
    for (uint32_t i = 0; i < t->inc->rung && i < rule->rung_count; i++) {
        rebooted |= rule->rung[i].kind == RC_RUNG_REBOOT;
    }
    if (rebooted) {
        return rc_turn_to_rung(t, t->inc->rung + 1, "a stop would lose the slot or the disks");
    }
    return rc_turn_go(t, RC_PHASE_REBOOT, "idle: reboot, a stop would lose the slot or the disks");
}

/* The driver, or the catalogue, asks for a reboot of the node: its own word over the ladder's
 * gentlest rung. */
static bool
reset_is_not_enough(const struct rc_turn *t)
{
    const struct rc_health *h = rc_health_at(t->s, t->node);
    bool restart = rc_class_of(t->inc->code).restart;

    for (uint32_t i = 0; i < h->told_count; i++) {
        restart |= h->told[i].fault == t->inc->fault &&
                   rc_told_stands(t->s, t->node, &h->told[i]) &&
                   rc_class_of(h->told[i].f.class_name).restart;
    }
    return restart;
}

static bool
start_rung(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;
    const struct rc_rung *rung = rc_rung_now(inc);
    bool on_old = rung->kind == RC_RUNG_REBOOT || rung->kind == RC_RUNG_POWER_CYCLE ||
                  rung->kind == RC_RUNG_GPU_RESET;

    if (rc_turn_used_up(t) && rung->kind != RC_RUNG_WATCH) {
        return rc_turn_go(t, RC_PHASE_QUARANTINE, "attempts used up");
    }
    if (inc->rule.approve && !(inc->flags & RC_INC_APPROVED) && rung->kind != RC_RUNG_WATCH) {
        return rc_turn_block(t, RC_BLOCK_APPROVAL, RC_NEVER);
    }
    uint32_t score = rc_fault_is_hardware(inc->fault) ? rc_lemon_score(t->s, t->node, true) : 0;
    if (t->s->policy.lemon.quarantine && score >= t->s->policy.lemon.quarantine &&
        rung->kind != RC_RUNG_WATCH && !(inc->flags & RC_INC_APPROVED)) {
        return rc_turn_go(t, RC_PHASE_QUARANTINE, "a lemon: it fails again and again");
    }
    if (rc_turn_lemon_rung(t) != inc->rung) {
        return rc_turn_to_rung(t, rc_turn_lemon_rung(t), "this host has had its chances");
    }
    if (rung->kind == RC_RUNG_GPU_RESET && inc->rung + 1 < inc->rule.rung_count &&
        reset_is_not_enough(t)) {
        return rc_turn_to_rung(t, inc->rung + 1, "a GPU reset is not enough for this");
    }
    if (on_old && !rc_turn_old_serves(t)) {
        return rc_turn_fail(t, "the instance is gone: this rung cannot help");
    }
    if (rc_turn_pauses(t)) {
        return false;
    }
    if (rung->kind == RC_RUNG_REPLACE && !inc->new_instance && !inc->launch_action &&
        rc_spare_unseen(t->s, t->n)) {
        return rc_turn_block(t, RC_BLOCK_UNKNOWN, RC_NEVER); /* the sweep wakes it */
    }
    switch ((enum rc_rung_kind)rung->kind) {
    case RC_RUNG_GPU_RESET:
        return rc_turn_go(t, RC_PHASE_RESET, "idle: reset the GPUs");
    case RC_RUNG_REBOOT:
        return rc_turn_go(t, RC_PHASE_REBOOT, "idle: reboot");
    case RC_RUNG_POWER_CYCLE:
        return start_power_cycle(t);
    case RC_RUNG_REPLACE:
        if (rc_turn_stop_first(t) && rc_turn_old_lives(t) && !inc->new_instance &&
            !rc_spare_take(t)) {
            return rc_turn_go(t, RC_PHASE_RETIRE, "idle: free its slot first");
        }
        return rc_turn_go(t, RC_PHASE_LAUNCH, "idle: replace");
    case RC_RUNG_WATCH: /* until the fault goes, or for as long as the rung says */
        return rung->timeout_ms && rc_turn_phase_over(t, rung->timeout_ms) &&
               rc_turn_fail(t, "the fault does not go by itself");
    case RC_RUNG_QUARANTINE:
    case RC_RUNG_NONE:
    case RC_RUNG__MAX:
        break;
    }
    return rc_turn_go(t, RC_PHASE_QUARANTINE, "the ladder ends here");
}

/* A reboot or another host takes the evidence away. Asked for once; a node that does not
 * answer is not waited for longer than the time-out. */
static bool
evidence_is_kept(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;
    const struct rc_rung *rung = rc_rung_now(inc);
    struct rc_action a;

    if (!inc->rule.forensics || t->finding.dead || inc->flags & RC_INC_BROKEN ||
        rung->kind == RC_RUNG_WATCH) {
        return true;
    }
    if (!(inc->flags & RC_INC_EVIDENCE)) {
        rc_act_init(t, &a, RC_ACT_FORENSICS, t->s->policy.timeouts.gate_ms);
        rc_turn_host(t, &a);
        rc_put_text(a.text, sizeof a.text, rc_fault_name((enum rc_fault)inc->fault));
        rc_act_send(t->s, t->out, &a);
    }
    return inc->evidence_action == 0;
}

/* A person may have taken the node back while nobody led, or while slurmctld could not be asked:
 * its row was not read since. */
static bool
is_unread(const struct rc_turn *t)
{
    const struct rc_state *s = t->s;

    return rc_node_is_stale(s, t->n) ||
           (s->slurm_pass_ms && !s->slurm_ok && t->n->seen_at <= s->slurm_pass_at);
}

/* Nothing stands against the node any more. Where the replacement of a try that was given up
 * has its name, and came up late after all, it is the replacement: what it replaced is still
 * to be retired. */
static bool
go_and_prove(struct rc_turn *t)
{
    const struct rc_incident *inc = t->inc;
    uint32_t slot = t->n->instance;
    const struct rc_instance *i = slot ? rc_instance_at(t->s, slot) : NULL;

    if (is_unread(t)) {
        return rc_turn_block(t, RC_BLOCK_UNKNOWN, t->s->now_ms + RC_UNREAD_AGAIN_MS);
    }
    if (i && inc->old_instance && slot != inc->old_instance && i->ours && !i->parked &&
        i->tag_incident == inc->id && i->state == RC_INST_RUNNING) {
        return rc_turn_go_with(t, RC_PHASE_GATE, slot, "its replacement came late: prove health");
    }
    return rc_turn_go(t, RC_PHASE_GATE, "fault gone: prove health");
}

bool
rc_phase_wait_idle(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;

    if (t->n->spare) {
        return rc_spare_open(t);
    }
    if (operator_took_it_back(t)) {
        rc_turn_end_replacement(t);
        inc->flags |= RC_INC_YIELDED;
        return rc_turn_go(t, RC_PHASE_CLOSED, "an operator took the node back");
    }
    if (t->finding.company && !(inc->flags & RC_INC_BROKEN) && !inc->new_instance &&
        !inc->launch_action) {
        return rc_turn_block(t, RC_BLOCK_COMPANY, RC_NEVER); /* no proof of health yet either */
    }
    if (rc_finding_well(&t->finding) && !(inc->flags & RC_INC_BROKEN) && !inc->new_instance &&
        !inc->launch_action) {
        return go_and_prove(t);
    }
    if (rc_turn_replaced_before(t) && !rc_finding_well(&t->finding)) {
        return rc_turn_go(t, RC_PHASE_CLOSED, "replaced before"); /* what ails it now is its own */
    }
    if (rc_turn_launch_early(t)) {
        return rc_turn_fail(t, "replacement lost while jobs were awaited");
    }
    if (t->finding.dead && is_recent(t)) {
        put_down(t);
    }
    if (rc_turn_idle(t)) {
        return evidence_is_kept(t) && start_rung(t);
    }
    if (!t->finding.dead) {
        (void)rc_turn_drain_again(t);
        treat_jobs(t);
        int64_t tell_ms = rc_jobs_since(inc) + inc->rule.jobs.wait_ms + TELL_WAIT_AFTER_MS;
        rc_turn_wake(t, tell_ms > t->s->now_ms ? tell_ms : RC_NEVER);
        if (t->s->now_ms >= tell_ms) {
            rc_turn_tell(t, RC_INC_TOLD_WAIT, "jobs on the drained node do not end");
        }
    }
    return false;
}
