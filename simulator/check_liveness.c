/* check_liveness.c - always: once the faults have stopped, every incident closes or
 * waits for a person, every node serves, no instance of ours runs for nobody, and
 * the queue is empty. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/check.h"

static const struct rc_ctl *
leader(const struct rc_play *p)
{
    for (uint32_t i = 0; i < p->plan->controllers; i++) {
        const struct rc_ctl *c = &p->ctl[i];
        if (c->up && p->lease.owner == i + 1 && c->s->lease_held &&
            c->s->lease_epoch == p->lease.epoch) {
            return c;
        }
    }
    return NULL;
}

/* A person took a node back with its fault: the machines beside it are his, and may hold the room
 * that a launch waits for. */
static bool
person_holds_room(const struct rc_ctl *c)
{
    for (uint32_t slot = 1; slot <= c->s->node_count; slot++) {
        if (rc_node_at(c->s, slot)->yielded_fault) {
            return true;
        }
    }
    return false;
}

static bool
needs_person(const struct rc_ctl *c, const struct rc_incident *inc)
{
    bool quarantined = false;

    for (uint32_t slot = 1; slot <= c->s->incident_used; slot++) {
        const struct rc_incident *other = rc_incident_at(c->s, slot);
        quarantined |=
            other->id && (other->phase == RC_PHASE_QUARANTINE || other->block == RC_BLOCK_APPROVAL);
    }
    return inc->phase == RC_PHASE_QUARANTINE || inc->block == RC_BLOCK_APPROVAL ||
           inc->block == RC_BLOCK_ATTEMPTS || /* of a place for a spare */
           inc->block == RC_BLOCK_HOLD || /* a release that was not saved before its leader went */
           /* nodes that wait for a person fill the reservation, and the budget */
           (inc->block == RC_BLOCK_CAPACITY &&
            (person_holds_room(c) || (quarantined && c->p->plan->reserved))) ||
           (quarantined && inc->block >= RC_BLOCK_BUDGET_CLUSTER &&
            inc->block <= RC_BLOCK_BUDGET_JOBS);
}

/* A person took it out of quarantine: nobody waits for him any more. */
static bool
is_back(const struct rc_ctl *c, const struct rc_incident *inc)
{
    const struct rc_sim_node *n = rc_check_sim_node(c->p, rc_node_at(c->s, inc->node)->name);

    return inc->phase == RC_PHASE_QUARANTINE && n && !(n->flags & (RC_SN_DRAIN | RC_SN_DOWN));
}

static bool
incidents_rest(const struct rc_ctl *c, char *why, size_t room)
{
    for (uint32_t slot = 1; slot <= c->s->incident_used; slot++) {
        const struct rc_incident *inc = rc_incident_at(c->s, slot);
        if (!inc->id || (inc->node && needs_person(c, inc) && !is_back(c, inc))) {
            continue;
        }
        snprintf(why, room, "incident %u of %s (%s, phase %s, block %s) stays open", inc->id,
                 inc->node ? rc_node_at(c->s, inc->node)->name : "a closed incident",
                 rc_fault_name((enum rc_fault)inc->fault), rc_phase_name((enum rc_phase)inc->phase),
                 rc_block_name((enum rc_block)inc->block));
        return false;
    }
    return true;
}

/* A person took the node back from a fault that still stands. */
static bool
is_given_way(const struct rc_ctl *c, const char *node)
{
    uint32_t slot = rc_node_find(c->s, node);

    return slot && rc_node_at(c->s, slot)->yielded_fault;
}

static bool
has_incident(const struct rc_ctl *c, const char *node)
{
    uint32_t slot = rc_node_find(c->s, node);

    return slot && rc_node_at(c->s, slot)->incident;
}

static bool
nodes_serve(struct rc_play *p, const struct rc_ctl *c, char *why, size_t room)
{
    uint32_t away = RC_SN_DOWN | RC_SN_DRAIN | RC_SN_FAIL | RC_SN_NOT_RESPONDING | RC_SN_UNKNOWN;

    for (uint32_t i = 0; i < p->plan->nodes; i++) {
        const struct rc_sim_node *n =
            rc_sim_slurm_node(p->slurm, rc_sim_slurm_find(p->slurm, p->conf[i].name));
        if (!has_incident(c, n->name) && !is_given_way(c, n->name) && n->flags & away) {
            snprintf(why, room, "%s is out of service (flags %#x, reason '%s') without an incident",
                     n->name, n->flags, n->reason);
            return false;
        }
    }
    return true;
}

/* A place that the policy wants filled; 0 = not one. */
static uint64_t
place_of(const struct rc_play *p, const struct rc_sim_instance *inst)
{
    const char *node = rc_sim_ec2_tag_value(inst, "slurm-on-aws:node");
    unsigned long place =
        node && strncmp(node, "spare/gpu/", 10) == 0 ? strtoul(node + 10, NULL, 10) : 0;

    return place <= p->plan->spares ? place : 0;
}

static bool
stands_alive(const struct rc_sim_instance *inst)
{
    return inst && (inst->state == RC_INST_PENDING || inst->state == RC_INST_RUNNING);
}

/* Each place holds one spare, or its incident waits for a person. */
static bool
spares_stand(struct rc_play *p, const struct rc_ctl *c, char *why, size_t room)
{
    for (uint64_t place = 1; place <= p->plan->spares; place++) {
        char name[32];
        unsigned found = 0;
        for (uint32_t slot = 0; slot < rc_sim_ec2_slots(p->ec2); slot++) {
            const struct rc_sim_instance *inst = rc_sim_ec2_at(p->ec2, slot);
            found += stands_alive(inst) && place_of(p, inst) == place;
        }
        snprintf(name, sizeof name, "spare/gpu/%u", (unsigned)place);
        if (found != 1 && !has_incident(c, name)) {
            snprintf(why, room, "%u instances stand in %s", found, name);
            return false;
        }
    }
    return true;
}

/* A person took the node back with its fault: what stands beside it is his. */
static bool
is_taken_back(const struct rc_ctl *c, const char *node)
{
    uint32_t slot = node ? rc_node_find(c->s, node) : 0;

    return slot && rc_node_at(c->s, slot)->yielded_fault;
}

/* Behind a node, or of a node whose incident waits for a person. */
static bool
is_used(const struct rc_play *p, const struct rc_ctl *c, const struct rc_sim_instance *inst)
{
    if (rc_head_named(p, rc_sim_ec2_tag_value(inst, "slurm-on-aws:node")) < RC_PLAY_CTLS) {
        return true; /* a controller's: the remains of a lost one are left to people */
    }
    for (uint32_t i = 0; i < p->plan->nodes; i++) {
        if (strcmp(p->conf[i].addr, inst->addr) == 0) {
            return true;
        }
    }
    return place_of(p, inst) || has_incident(c, rc_sim_ec2_tag_value(inst, "slurm-on-aws:node")) ||
           is_taken_back(c, rc_sim_ec2_tag_value(inst, "slurm-on-aws:node"));
}

static bool
no_orphans(struct rc_play *p, const struct rc_ctl *c, char *why, size_t room)
{
    for (uint32_t slot = 0; slot < rc_sim_ec2_slots(p->ec2); slot++) {
        const struct rc_sim_instance *inst = rc_sim_ec2_at(p->ec2, slot);
        const char *cluster = inst ? rc_sim_ec2_tag_value(inst, "slurm-on-aws:cluster") : NULL;
        if (cluster && strcmp(cluster, RC_PLAY_CLUSTER) == 0 && inst->state <= RC_INST_STOPPED &&
            inst->state != RC_INST_STOPPING && !is_used(p, c, inst)) {
            snprintf(why, room, "%s (%s of incident %s) runs for nobody", inst->id,
                     rc_sim_ec2_tag_value(inst, "slurm-on-aws:node"),
                     rc_sim_ec2_tag_value(inst, "slurm-on-aws:incident")
                         ? rc_sim_ec2_tag_value(inst, "slurm-on-aws:incident")
                         : "-");
            return false;
        }
    }
    return true;
}

bool
rc_check_rest(struct rc_play *p, char *why, size_t room)
{
    struct rc_sim_sqs_counts q = rc_sim_sqs_counts(p->sqs);
    const struct rc_ctl *c = leader(p);

    if (!c) {
        snprintf(why, room, "nobody leads");
        return false;
    }
    if (q.visible || q.in_flight || q.delayed) {
        snprintf(why, room, "%u messages stay in the queue", q.visible + q.in_flight + q.delayed);
        return false;
    }
    if (rc_play_has_pair(p) && rc_check_pair_is_for_people(c)) {
        return true;
    }
    return rc_check_pair_rests(p, c, why, room) && incidents_rest(c, why, room) &&
           nodes_serve(p, c, why, room) && no_orphans(p, c, why, room) &&
           spares_stand(p, c, why, room);
}
