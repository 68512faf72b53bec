/* slurm_node.c - what slurmctld shows of a node. Polling is the truth about
 * Slurm: drains, idleness, addresses and registrations are believed only here. */
#include "handlers/table.h"

#include <string.h>

#include "reconciler/core/fact.h"
#include "reconciler/core/health.h"
#include "reconciler/core/lemon.h"
#include "reconciler/core/timers.h"

static void
set_down_since(const struct rc_state *s, struct rc_node *n)
{
    if (!(n->flags & (RC_SN_DOWN | RC_SN_NOT_RESPONDING))) {
        n->down_since_ms = 0;
    } else if (!n->down_since_ms) {
        n->down_since_ms = s->now_ms;
    }
}

/* Our drain is there when slurmctld shows it under our marker, after it was accepted. */
static void
see_drain(struct rc_state *s, const struct rc_node *n)
{
    struct rc_incident *inc = n->incident ? rc_incident_at(s, n->incident) : NULL;

    /* The agent's own drain (incident 0) has to be taken over first. */
    if (inc && n->flags & RC_SN_DRAIN && n->owner == RC_OWNER_OURS && n->reason_incident) {
        inc->flags |= RC_INC_DRAINED;
        if (!inc->drain_ack_ms) {
            inc->drain_ack_ms = s->now_ms; /* set by an earlier life of this daemon */
            inc->drain_ack_at = s->folds;
        }
    }
}

/* Jobs that slurmctld itself gave up with the node, and those that began on it. Not those of a
 * node that a person set down, nor what an incident of AWS's making took. */
static void
count_jobs(struct rc_state *s, uint32_t slot, const struct rc_ev_slurm_node *sn)
{
    const struct rc_node *n = rc_node_at(s, slot);
    struct rc_incident *inc = n->incident ? rc_incident_at(s, n->incident) : NULL;
    bool went_down = !(n->flags & RC_SN_DOWN) && sn->flags & RC_SN_DOWN &&
                     sn->owner != RC_OWNER_FOREIGN && sn->owner != RC_OWNER_UNKNOWN;

    rc_lemon_excluded(s, slot, sn->excluder, n->seen_ms != 0);
    if (!n->seen_ms) {
        return; /* what was there before us was counted by somebody else */
    }
    if (went_down && n->job[0].id &&
        (!inc || (rc_fault_is_hardware(inc->fault) && !(inc->flags & RC_INC_LOST_JOBS)))) {
        rc_lemon_lost(s, slot, n->job);
        if (inc) {
            inc->flags |= RC_INC_LOST_JOBS;
        }
    }
    rc_lemon_began(s, slot, sn->job, n->job);
}

/* A job came or went on a node that is well, and that is all: nothing is decided by that, and
 * most rows tell no more. */
static bool
is_work_alone(const struct rc_node *n, const struct rc_ev_slurm_node *sn)
{
    const uint32_t work = RC_SN_ALLOCATED | RC_SN_COMPLETING;

    return n->seen_ms && n->instance && !n->incident && !n->unwell &&
           !((n->flags ^ sn->flags) & ~work) && n->owner == RC_OWNER_NONE &&
           sn->owner == RC_OWNER_NONE && n->boot_wall_ms == sn->boot_wall_ms &&
           n->slurmd_start_wall_ms == sn->slurmd_start_wall_ms;
}

static void
slurm_node_apply(struct rc_state *s, const struct rc_event *ev)
{
    uint32_t slot = rc_node_get(s, ev->node);

    if (!slot) {
        return; /* no room: counted, and nothing destructive happens until there is */
    }
    struct rc_node *n = rc_node_at(s, slot);
    const struct rc_ev_slurm_node *sn = &ev->u.slurm;
    bool moved = strcmp(n->addr, sn->addr) != 0;
    bool work_alone = !moved && is_work_alone(n, sn);
    count_jobs(s, slot, sn);
    if (!n->seen_ms && n->incident) { /* adopted: what it waits for could not be seen before */
        rc_incident_at(s, n->incident)->phase_ms = s->now_ms;
    }
    n->seen_ms = s->now_ms;
    n->seen_at = s->folds;
    n->boot_wall_ms = sn->boot_wall_ms;
    n->slurmd_start_wall_ms = sn->slurmd_start_wall_ms;
    n->flags = sn->flags;
    n->owner = sn->owner;
    n->reason_incident = sn->reason_incident;
    n->jobs = sn->jobs;
    n->cpus = sn->cpus;
    memcpy(n->job, sn->job, sizeof n->job);
    memcpy(n->addr, sn->addr, sizeof n->addr);
    set_down_since(s, n);
    if (n->unwell) {
        rc_health_see_job(s, slot);
    }
    rc_health_count(s, slot);
    rc_node_set_partition(s, slot, sn->partition);
    if (moved || !n->instance) {
        rc_node_bind(s, slot);
    }
    see_drain(s, n);
    if (n->owner == RC_OWNER_OURS) {
        rc_fact_incident_seen(s, n->reason_incident);
    }
    if (!work_alone || n->history.dirty) {
        rc_touch(s, slot);
    }
}

const struct rc_handler rc_handler_slurm_node = {RC_EV_SLURM_NODE, slurm_node_apply};
