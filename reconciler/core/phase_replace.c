/* phase_replace.c - a new instance takes the node's name: launch, boot,
 * register, retire.
 *
 * Invariants: one launch per attempt, because the token is derived from
 * (cluster, node, replaced instance, attempt, subnet) and a retry sends the
 * same one; the name is given (register) only after the node is idle or dead;
 * the old instance is terminated only after the new one serves, except where
 * the capacity is reserved and its slot must be freed first. */
#include <string.h>

#include "reconciler/core/fact.h"
#include "reconciler/core/spare.h"
#include "reconciler/core/text.h"
#include "reconciler/core/turn.h"

static void
write_token(const struct rc_turn *t, const struct rc_launch_option *option, char *token)
{
    const struct rc_state *s = t->s;
    const char *old = t->inc->old_instance ? rc_instance_at(s, t->inc->old_instance)->id : "";
    uint64_t a = rc_hash_text(s->cluster.name), b = ~a;
    const char *const parts[] = {t->n->name,          old,          option->subnet,
                                 option->reservation, option->type, option->template_id};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        a = rc_hash_bytes(a, parts[i], strlen(parts[i]) + 1);
        b = rc_hash_bytes(b ^ (i + 1), parts[i], strlen(parts[i]) + 1);
    }
    a = rc_hash_bytes(a, &t->inc->attempt, sizeof t->inc->attempt);
    b = rc_hash_bytes(b, &t->inc->attempt, sizeof t->inc->attempt);
    if (t->n->spare) { /* an empty place replaces nobody: the incident tells one filling from
                          another */
        a = rc_hash_bytes(a, &t->inc->id, sizeof t->inc->id);
        b = rc_hash_bytes(b, &t->inc->id, sizeof t->inc->id);
    }
    rc_put_text(token, RC_TOKEN_LEN, "rc-");
    rc_put_hex(token, RC_TOKEN_LEN, a);
    rc_put_hex(token, RC_TOKEN_LEN, b);
}

static void
send_launch(struct rc_turn *t)
{
    const struct rc_group *g = &t->s->cluster.group[t->n->group - 1];
    struct rc_action a;

    rc_act_init(t, &a, RC_ACT_LAUNCH, t->s->policy.timeouts.launch_ms);
    a.u.launch.group = t->n->group - 1;
    a.u.launch.option = t->inc->option;
    a.u.launch.attempt = t->inc->attempt;
    write_token(t, &g->option[t->inc->option], a.u.launch.token);
    rc_put_text(a.text, sizeof a.text, g->option[t->inc->option].subnet);
    rc_act_send(t->s, t->out, &a);
}

/* A refused token means that an earlier call with other parameters went through
 * once. What it did is looked for (tags) before a new token is tried. */
static bool
mismatch_is_open(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;

    if (!(inc->flags & RC_INC_MISMATCH)) {
        return false;
    }
    if (t->s->sweep < inc->sweep + 2) {
        rc_turn_wake(t, t->s->now_ms + t->s->cluster.poll_instances_ms);
        return true;
    }
    rc_turn_next_attempt(t, "token refused, nothing launched by it: new attempt");
    return false;
}

/* The life before may have launched by another option, with another token, or have given
 * spares away: what it left shows in the first complete passes. */
static bool
waits_for_sight(struct rc_turn *t)
{
    return (t->inc->flags & RC_INC_ADOPTED && t->s->sweep <= t->inc->sweep) ||
           rc_spare_unseen(t->s, t->n);
}

static enum rc_launch_step
watch_new_instance(struct rc_turn *t)
{
    const struct rc_instance *i = rc_instance_at(t->s, t->inc->new_instance);

    if (i->state == RC_INST_RUNNING && *i->addr) {
        return RC_LAUNCH_UP;
    }
    if (i->state > RC_INST_RUNNING || rc_instance_age_ms(t->s, i) > t->s->policy.timeouts.boot_ms) {
        return RC_LAUNCH_LOST;
    }
    rc_turn_look(t, t->inc->new_instance);
    return RC_LAUNCH_BUSY;
}

enum rc_launch_step
rc_turn_launch(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;
    const struct rc_group *g = &t->s->cluster.group[t->n->group - 1];
    int64_t wake_ms = RC_NEVER;

    if (!inc->new_instance && waits_for_sight(t)) {
        rc_turn_block(t, RC_BLOCK_UNKNOWN, RC_NEVER); /* the sweep wakes it */
        return RC_LAUNCH_BUSY;
    }
    if (rc_spare_take(t)) {
        return RC_LAUNCH_BUSY;
    }
    if (inc->new_instance) {
        return watch_new_instance(t);
    }
    if (inc->launch_action || mismatch_is_open(t)) {
        return RC_LAUNCH_BUSY;
    }
    if (inc->launch_next_ms > t->s->now_ms) {
        if (inc->flags & RC_INC_NO_CAPACITY) {
            inc->block = RC_BLOCK_CAPACITY;
        }
        rc_turn_wake(t, inc->launch_next_ms);
        return RC_LAUNCH_BUSY;
    }
    if (inc->option >= g->option_count) {
        rc_turn_tell(t, RC_INC_TOLD_STUCK, "the node's group has no launch option");
        rc_turn_block(t, RC_BLOCK_UNKNOWN, RC_NEVER);
        return RC_LAUNCH_BUSY;
    }
    if (!rc_turn_is_saved(t)) {
        return RC_LAUNCH_BUSY;
    }
    enum rc_block block = rc_may_act(t->s, t->n, RC_ACT_LAUNCH, &wake_ms);
    bool counted = rc_budget_counted(t->s, inc, inc->option);
    bool by_rate = block >= RC_BLOCK_RATE_CLUSTER && block <= RC_BLOCK_RATE_ZONE;
    if (block != RC_BLOCK_NONE && !(counted && by_rate)) {
        rc_turn_block(t, block, wake_ms);
        return RC_LAUNCH_BUSY;
    }
    send_launch(t);
    return RC_LAUNCH_BUSY;
}

static bool
old_is_ended(const struct rc_turn *t)
{
    const struct rc_instance *i = rc_instance_at(t->s, t->inc->old_instance);
    /* A spare that the leader before gave away while its place was thought unfit. */
    bool given_away = t->n->spare && (i->promised || (i->node && i->node != t->node));

    return i->state == RC_INST_TERMINATED || (i->known && !i->ours) || i->missing_since_ms ||
           given_away;
}

/* A spare was to spare us the end of the old instance, and it came to nothing. */
static bool
needs_slot_first(const struct rc_turn *t)
{
    const struct rc_incident *inc = t->inc;

    return !t->n->spare && rc_turn_stop_first(t) && rc_turn_old_lives(t) && !inc->new_instance &&
           !inc->launch_action && !old_is_ended(t);
}

/* A place in which a spare stands after all; a node that a person gave back while an
 * instance of an earlier try had its name, and it is well. */
static bool
is_served(const struct rc_turn *t)
{
    const struct rc_incident *inc = t->inc;
    uint32_t away = RC_SN_DOWN | RC_SN_DRAIN | RC_SN_FAIL | RC_SN_NOT_RESPONDING;

    if (inc->new_instance || inc->launch_action || !rc_finding_well(&t->finding)) {
        return false;
    }
    return t->n->spare ? t->n->instance != 0
                       : t->n->instance && t->n->instance != inc->old_instance &&
                             !(t->n->flags & away) && rc_node_fresh_at(t->s, t->n) > inc->phase_at;
}

/* A life whose journal was lost had replaced it for an earlier incident: what stands behind
 * the name is another generation. (What this incident launched was judged already.) */
bool
rc_turn_replaced_before(const struct rc_turn *t)
{
    const struct rc_incident *inc = t->inc;
    const struct rc_instance *i = t->n->instance ? rc_instance_at(t->s, t->n->instance) : NULL;

    return i && !t->n->spare && t->n->instance != inc->old_instance && !inc->launch_action &&
           i->tag_incident != inc->id && i->ours && !i->promised && !i->missing_since_ms &&
           i->state == RC_INST_RUNNING && t->finding.known;
}

/* A limit may hold the replacement back for hours, and the fault may be gone by then: nobody
 * wants a whole host thrown away. What an earlier life has begun shows only in time. */
static bool
healed_meanwhile(const struct rc_turn *t)
{
    const struct rc_incident *inc = t->inc;

    return !t->n->spare && !inc->new_instance && !inc->launch_action && !inc->launch_counted &&
           !inc->terminate_action &&
           !(inc->flags & (RC_INC_ACCEPTED | RC_INC_BROKEN | RC_INC_ADOPTED)) &&
           rc_finding_well(&t->finding);
}

bool
rc_phase_launch(struct rc_turn *t)
{
    const struct rc_incident *inc = t->inc;

    if (inc->new_instance) {
        return rc_turn_go(t, RC_PHASE_BOOT, "instance launched");
    }
    if (is_served(t)) {
        return rc_turn_go(t, RC_PHASE_CLOSED, "served already");
    }
    if (rc_turn_replaced_before(t) && !rc_finding_well(&t->finding)) {
        /* Not the fault that this one was opened for: what ails it now is judged anew. */
        return rc_turn_go(t, RC_PHASE_CLOSED, "replaced before");
    }
    if (rc_turn_replaced_before(t)) { /* well, and only to be proved */
        rc_turn_name_new(t, rc_instance_at(t->s, t->n->instance)->id, "replaced before");
        return true;
    }
    if (!t->n->spare && inc->flags & RC_INC_BROKEN && rc_turn_drain_again(t)) {
        return false; /* half repaired, and somebody let jobs in */
    }
    if (needs_slot_first(t)) {
        return !rc_spare_take(t) && rc_turn_go(t, RC_PHASE_WAIT_IDLE, "no spare: its slot first");
    }
    if (healed_meanwhile(t)) {
        return rc_turn_go(t, RC_PHASE_WAIT_IDLE, "the fault went before anything was launched");
    }
    rc_turn_end_earlier(t);
    rc_turn_launch(t);
    return false;
}

bool
rc_phase_boot(struct rc_turn *t)
{
    switch (rc_turn_launch(t)) {
    case RC_LAUNCH_UP:
        return t->n->spare ? rc_turn_go(t, RC_PHASE_CLOSED, "a spare stands ready")
                           : rc_turn_go(t, RC_PHASE_REGISTER, "running with an address");
    case RC_LAUNCH_LOST:
        return rc_turn_fail(t, "the replacement was lost while it booted");
    case RC_LAUNCH_BUSY:
        break;
    }
    return !t->inc->launch_action && rc_turn_phase_over(t, t->s->policy.timeouts.boot_ms) &&
           rc_turn_fail(t, "the replacement did not run in time");
}

bool
rc_phase_register(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;
    const struct rc_instance *i = rc_instance_at(t->s, inc->new_instance);
    struct rc_action a;

    if (i->state > RC_INST_RUNNING) {
        return rc_turn_fail(t, "the replacement was lost before it was registered");
    }
    if (t->n->instance == inc->new_instance && strcmp(t->n->addr, i->addr) == 0) {
        return rc_turn_go(t, RC_PHASE_JOIN, "NodeAddr read back");
    }
    /* A breaker or a limit may hold it back for hours: then slurmctld has nothing to show. */
    bool failed = inc->flags & RC_INC_ACCEPTED || inc->retries;
    if (rc_turn_awaits(t, t->s->policy.timeouts.register_ms)) {
        return false;
    }
    if (rc_turn_phase_over(t, 2 * t->s->policy.timeouts.register_ms) && failed) {
        rc_turn_tell(t, RC_INC_TOLD_STUCK, "slurmctld does not show the new NodeAddr");
    }
    if (!inc->action && rc_turn_busy_again(t)) {
        return true;
    }
    if (!*i->addr) {
        rc_turn_look(t, inc->new_instance); /* adopted by its id alone: not described yet */
        return false;
    }
    if (rc_turn_may(t, RC_ACT_REGISTER)) {
        rc_act_init(t, &a, RC_ACT_REGISTER, t->s->policy.timeouts.register_ms);
        memcpy(a.instance, i->id, sizeof a.instance);
        memcpy(a.u.reg.addr, i->addr, sizeof a.u.reg.addr);
        rc_act_send(t->s, t->out, &a);
    }
    return false;
}

static bool
retired(struct rc_turn *t, const char *why)
{
    if (t->inc->new_instance) {
        return rc_turn_go(t, RC_PHASE_CLOSED, why);
    }
    return rc_turn_go(t, RC_PHASE_LAUNCH, "slot free");
}

bool
rc_phase_retire(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;
    struct rc_action a;

    if (!inc->old_instance || old_is_ended(t)) {
        return retired(t, "old instance terminated");
    }
    if (!rc_instance_at(t->s, inc->old_instance)->known) {
        rc_turn_look(t, inc->old_instance); /* adopted by its id alone: not to be judged yet */
        return false;
    }
    if (inc->flags & RC_INC_FAILED) {
        rc_turn_tell(t, RC_INC_TOLD_STUCK, "the old instance cannot be terminated");
        return inc->new_instance ? rc_turn_go(t, RC_PHASE_CLOSED, "old instance left, told")
                                 : rc_turn_block(t, RC_BLOCK_UNKNOWN, RC_NEVER);
    }
    if (inc->flags & RC_INC_ACCEPTED) {
        rc_turn_look(t, inc->old_instance);
        if (rc_turn_awaits(t, t->s->policy.timeouts.stop_ms)) {
            return false;
        }
        rc_turn_tell(t, RC_INC_TOLD_STUCK, "the old instance does not end"); /* and ask again */
    }
    if (!inc->new_instance && !inc->terminate_action && rc_turn_busy_again(t)) {
        return true;
    }
    if (healed_meanwhile(t)) {
        return rc_turn_go(t, RC_PHASE_WAIT_IDLE, "the fault went before its slot was freed");
    }
    if (!inc->terminate_action && rc_turn_may(t, RC_ACT_TERMINATE)) {
        rc_act_init(t, &a, RC_ACT_TERMINATE, t->s->policy.timeouts.stop_ms);
        rc_put_text(a.text, sizeof a.text, inc->new_instance ? "replaced" : "frees its slot");
        rc_act_send(t->s, t->out, &a);
    }
    return false;
}
