/* check_person.c - never: a node that a person has taken back from us, before anything was done to
 * its machine, is drained again for the same fault. Part of "ours": what people do is not fought.
 *
 * The same incident has no reason to; another one has none while the very fault that he knew of
 * stands on. Who has learned from the store that he gave way to it is bound as well. */
#include <string.h>

#include "simulator/check.h"

/* He resumes it; called before slurmctld does. */
void
rc_check_person_resumes(struct rc_play *p, uint32_t node)
{
    const struct rc_sim_node *n = rc_play_sim_node(p, node);
    uint32_t incident = p->memory.jobs.incident[node];
    const struct rc_item *item = rc_check_item(p, incident);
    bool ours = n && n->flags & RC_SN_DRAIN && rc_sim_reason_ours(n->reason);

    memset(&p->memory.person[node].taken, 0, sizeof p->memory.person[node].taken);
    if (ours && item && item->item.phase == RC_PHASE_WAIT_IDLE &&
        p->memory.person[node].touched != incident) {
        p->memory.person[node].taken.incident = incident;
        p->memory.person[node].taken.fault = item->item.fault;
        p->memory.person[node].taken.at_ms = p->now_ms;
    }
}

/* Since before he came, and nothing else has happened to it. */
static bool
stands_on(struct rc_play *p, uint32_t node, uint32_t fault, int64_t since_ms)
{
    const struct rc_sim_instance *inst = rc_play_instance(p, node);
    enum rc_sim_check_kind kind = fault == RC_FAULT_SYSTEM_IMPAIRED     ? RC_SIM_CHECK_SYSTEM
                                  : fault == RC_FAULT_INSTANCE_IMPAIRED ? RC_SIM_CHECK_INSTANCE
                                                                        : RC_SIM_CHECK_EBS;

    if (!inst || inst->state != RC_INST_RUNNING ||
        (fault != RC_FAULT_SYSTEM_IMPAIRED && fault != RC_FAULT_INSTANCE_IMPAIRED &&
         fault != RC_FAULT_EBS)) {
        return false;
    }
    return inst->check[kind].status == RC_CHECK_IMPAIRED &&
           inst->check[kind].impaired_since_ms < RC_PLAY_WALL_MS + since_ms;
}

static void
check_drain(struct rc_ctl *c, const struct rc_action *a, uint32_t node)
{
    struct rc_play *p = c->p;
    const struct rc_sim_node *n = rc_play_sim_node(p, node);
    int64_t taken_ms = p->memory.person[node].taken.at_ms;
    int64_t yielded_ms = p->memory.person[node].yielded.at_ms;
    uint32_t slot = rc_incident_find(c->s, a->incident);
    uint32_t fault = slot ? rc_incident_at(c->s, slot)->fault : RC_FAULT_NONE;
    bool late = taken_ms && p->now_ms - taken_ms > rc_check_soon_ms(p);
    bool same = late && p->memory.person[node].taken.incident == a->incident;
    bool known = late && p->memory.person[node].taken.by == c->index + 1 &&
                 fault == p->memory.person[node].taken.fault && stands_on(p, node, fault, taken_ms);
    bool stored = fault && fault == p->memory.person[node].yielded.fault &&
                  stands_on(p, node, fault, yielded_ms);

    if (n && !(n->flags & (RC_SN_DOWN | RC_SN_DRAIN)) && (same || known || stored) &&
        p->memory.person[node].touched != a->incident) {
        rc_play_fail(p, RC_FOUND_OURS, "head%u drains %s for %s again, a person took it back",
                     c->index + 1, a->node, rc_fault_name((enum rc_fault)fault));
    }
}

/* It has gone down since, or its agent has drained it anew: that is another matter. */
void
rc_check_person_world(struct rc_play *p)
{
    for (uint32_t node = 0; node < p->plan->nodes; node++) {
        const struct rc_sim_node *n =
            p->memory.person[node].taken.at_ms ? rc_play_sim_node(p, node) : NULL;
        if (n && (n->flags & RC_SN_DOWN ||
                  (n->flags & RC_SN_DRAIN && strncmp(n->reason, "rc:0 ", 5) == 0))) {
            memset(&p->memory.person[node].taken, 0, sizeof p->memory.person[node].taken);
        }
    }
}

void
rc_check_person_stored(struct rc_play *p, const struct rc_action *a)
{
    uint32_t node = rc_play_node_index(p, a->node);

    if (node < p->plan->nodes &&
        p->memory.person[node].yielded.fault != a->u.history.yielded_fault) {
        p->memory.person[node].yielded.fault = a->u.history.yielded_fault;
        p->memory.person[node].yielded.at_ms = p->now_ms;
    }
}

void
rc_check_person_step(struct rc_ctl *c)
{
    for (uint32_t i = 0; i < c->out.count; i++) {
        const struct rc_action *a = &c->out.v[i];
        uint32_t node = rc_play_node_index(c->p, a->node);
        if (node >= c->p->plan->nodes || !a->incident) {
            continue;
        }
        if (a->kind == RC_ACT_INCIDENT_PUT && a->u.item.close &&
            c->p->memory.person[node].taken.incident == a->incident) {
            c->p->memory.person[node].taken.incident = 0; /* its number may come again */
            c->p->memory.person[node].taken.by = c->index + 1;
        } else if (a->kind == RC_ACT_DRAIN) {
            check_drain(c, a, node);
        } else if (a->kind == RC_ACT_REBOOT || a->kind == RC_ACT_STOP ||
                   a->kind == RC_ACT_TERMINATE || a->kind == RC_ACT_GPU_RESET ||
                   a->kind == RC_ACT_LAUNCH || a->kind == RC_ACT_ASSIGN) {
            c->p->memory.person[node].touched = a->incident;
        }
    }
}

void
rc_check_person_forget(struct rc_ctl *c)
{
    for (uint32_t node = 0; node < c->p->plan->nodes; node++) {
        if (c->p->memory.person[node].taken.by == c->index + 1) {
            c->p->memory.person[node].taken.by = 0;
        }
    }
}
