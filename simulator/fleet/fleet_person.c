/* fleet_person.c - people: somebody is told, comes after a while and puts right what is
 * quarantined: the host is mended or changed, the node given back by hand. Once a day
 * somebody looks at the rest, and at a breaker that does not close by itself. */
#include "simulator/fleet/fleet_private.h"

void
rc_person_told(struct rc_fleet *f, const struct rc_action *a)
{
    uint32_t node = rc_fleet_node(f, a->node);
    int64_t span_ms = f->c->person_ms;

    if (node != RC_SIM_NO_NODE && a->incident) {
        int64_t after_ms =
            span_ms / 2 + (int64_t)rc_sim_random_below(&f->latency, (uint64_t)span_ms);
        rc_due_push(f, f->now_ms + after_ms, RC_DUE_PERSON, node, a->incident);
    }
}

static void
approve_incident(struct rc_fleet *f, uint32_t node, uint32_t incident)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_OPERATOR);
    rc_text_set(ev.node, sizeof ev.node, rc_sim_slurm_node(f->slurm, node)->name);
    ev.u.operator_command.verb = RC_OP_APPROVE;
    ev.u.operator_command.incident = incident;
    rc_text_set(ev.u.operator_command.who, sizeof ev.u.operator_command.who, "ann");
    rc_fleet_post(f, &ev);
}

static void
reset_breaker(struct rc_fleet *f)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_OPERATOR);
    ev.u.operator_command.verb = RC_OP_BREAKER_RESET;
    rc_text_set(ev.u.operator_command.who, sizeof ev.u.operator_command.who, "ann");
    rc_fleet_post(f, &ev);
}

/* Once a day somebody goes through what is out and that no incident cares for. */
void
rc_person_round(struct rc_fleet *f)
{
    uint32_t away = RC_SN_DOWN | RC_SN_DRAIN | RC_SN_FAIL;

    if (f->s && f->s->breaker_open && !f->c->policy->limits.breaker_reset_ms) {
        reset_breaker(f);
    }
    for (uint32_t node = 0; node < f->c->nodes; node++) {
        const struct rc_sim_node *n = rc_sim_slurm_node(f->slurm, node);
        const struct rc_sim_instance *inst = rc_sim_ec2_at(f->ec2, f->serving[node]);
        uint32_t slot = rc_score_core(f, node);
        bool cared_for = slot && rc_node_at(f->s, slot)->incident;
        bool long_ago = rc_fleet_wall(f) - n->reason_ms > RC_FLEET_DAY;
        if (n->flags & away && !cared_for && long_ago && inst && inst->booted &&
            inst->state == RC_INST_RUNNING) {
            rc_ills_heal(f, f->serving[node]);
            (void)rc_sim_slurm_resume(f->slurm, rc_fleet_wall(f), n->name);
        }
    }
}

void
rc_person_due(struct rc_fleet *f, const struct rc_due *d)
{
    uint32_t slot = rc_score_core(f, d->index);
    const struct rc_node *n = slot ? rc_node_at(f->s, slot) : NULL;
    const struct rc_incident *inc = n && n->incident ? rc_incident_at(f->s, n->incident) : NULL;

    if (!inc || inc->id != d->tag) {
        return; /* it is over */
    }
    const struct rc_sim_instance *inst = rc_sim_ec2_at(f->ec2, f->serving[d->index]);
    const struct rc_host *h = &f->host[f->serving[d->index]];
    bool runs = inst && inst->state == RC_INST_RUNNING && inst->booted && h->node == d->index;
    if (inc->phase == RC_PHASE_QUARANTINE && runs) {
        rc_ills_heal(f, f->serving[d->index]);
        (void)rc_sim_slurm_resume(f->slurm, rc_fleet_wall(f), n->name);
    } else if (inc->phase == RC_PHASE_QUARANTINE || inc->block == RC_BLOCK_APPROVAL) {
        approve_incident(f, d->index, inc->id);
        rc_due_push(f, f->now_ms + f->c->person_ms, RC_DUE_PERSON, d->index, d->tag);
    }
}
