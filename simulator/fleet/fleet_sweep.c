/* fleet_sweep.c - what DescribeInstances and DescribeInstanceStatus bring, as
 * reconciler/io/daemon/sweeps.c posts it: only rows that changed, and a word for those
 * that a complete pass did not show. Slots in which nothing moved are not looked at. */
#include <stdlib.h>
#include <string.h>

#include "simulator/fleet/fleet_private.h"
#include "simulator/model/model_rows.h"

/* A message that came late may have told the core an older state since. */
static bool
core_knows_older(const struct rc_fleet *f, const struct rc_event *ev)
{
    uint32_t slot = rc_instance_find(f->s, ev->instance);

    return ev->kind == RC_EV_INSTANCE &&
           (!slot || rc_instance_at(f->s, slot)->state != ev->u.described.state ||
            rc_instance_at(f->s, slot)->missing_since_ms);
}

static void
post_row(struct rc_fleet *f, struct rc_host *h, const struct rc_event *ev)
{
    bool status = ev->kind == RC_EV_INSTANCE_STATUS;
    uint64_t hash = rc_hash_bytes(1, &ev->u, status ? sizeof ev->u.status : sizeof ev->u.described);

    if (status && !rc_instance_find(f->s, ev->instance)) {
        return; /* not known yet: the next pass over the instances tells of it first */
    }
    if (h->shown[status] != hash || core_knows_older(f, ev)) {
        h->shown[status] = hash;
        rc_fleet_post(f, ev);
    }
}

/* The instance that was shown from this slot is not shown any more. */
static void
tell_vanished(struct rc_fleet *f, struct rc_host *h)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_INSTANCE);
    memcpy(ev.instance, h->id, sizeof ev.instance);
    ev.u.described.absent = 1;
    rc_fleet_post(f, &ev);
    memset(h->id, 0, sizeof h->id);
    h->shown[0] = h->shown[1] = 0;
}

/* What still moves by itself stays news: it is not visible yet, its checks are not done, or
 * it will vanish. */
static bool
stays_news(const struct rc_fleet *f, const struct rc_sim_instance *inst)
{
    bool settled = inst->state == RC_INST_RUNNING || inst->state == RC_INST_STOPPED;

    return rc_fleet_wall(f) < inst->visible_ms || !settled || inst->step_ms != RC_SIM_NEVER;
}

/* True when the slot must be looked at again in the next pass. */
static bool
sweep_slot(struct rc_fleet *f, uint32_t slot, enum rc_sweep which)
{
    const struct rc_sim_instance *inst = rc_sim_ec2_at(f->ec2, slot);
    struct rc_host *h = &f->host[slot];
    struct rc_event ev;

    if (which == RC_SWEEP_INSTANCES && *h->id && (!inst || strcmp(inst->id, h->id) != 0)) {
        tell_vanished(f, h);
    }
    if (!inst || rc_fleet_wall(f) < inst->visible_ms) {
        return inst != NULL;
    }
    if (which == RC_SWEEP_INSTANCES) {
        memcpy(h->id, inst->id, sizeof h->id);
        rc_sim_instance_row(inst, RC_FLEET_NAME, &ev);
        post_row(f, h, &ev);
    } else if (inst->state != RC_INST_TERMINATED) {
        rc_sim_status_row(inst, &ev);
        post_row(f, h, &ev);
    }
    return stays_news(f, inst);
}

static void
sweep_all(struct rc_fleet *f, enum rc_sweep which)
{
    const uint32_t both = RC_NEWS_TOLD_INSTANCE | RC_NEWS_TOLD_STATUS;
    uint32_t bit = which == RC_SWEEP_INSTANCES ? RC_NEWS_TOLD_INSTANCE : RC_NEWS_TOLD_STATUS;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < f->news_count; i++) {
        uint32_t slot = f->news_host[i];
        struct rc_host *h = &f->host[slot];
        bool moves = sweep_slot(f, slot, which);
        h->news = moves ? RC_NEWS_LISTED : h->news | bit;
        if ((h->news & both) == both) {
            h->news = 0;
        } else {
            f->news_host[kept++] = slot;
        }
    }
    f->news_count = kept;
}

void
rc_fleet_sweep(struct rc_fleet *f, enum rc_sweep which)
{
    bool instances = which == RC_SWEEP_INSTANCES;
    enum rc_sim_ec2_action call = instances ? RC_SIM_DESCRIBE_INSTANCES : RC_SIM_DESCRIBE_STATUS;
    uint32_t permille = rc_trouble_permille(f, RC_TROUBLE_EC2);
    struct rc_event ev;

    rc_due_push(f, f->now_ms + (instances ? RC_FLEET_INSTANCES_MS : RC_FLEET_STATUS_MS),
                instances ? RC_DUE_INSTANCES : RC_DUE_STATUS, 0, 0);
    if (f->now_ms < f->away_until_ms) {
        return;
    }
    bool failed = rc_sim_random_chance(&f->latency, permille) ||
                  !rc_sim_throttle_admit(rc_sim_ec2_throttle(f->ec2), rc_fleet_wall(f), call, 0);
    if (!failed) {
        sweep_all(f, which);
    }
    rc_event_init(&ev, RC_EV_SWEEP);
    ev.u.sweep.which = (uint32_t)which;
    ev.u.sweep.complete = !failed;
    ev.u.sweep.error = failed ? RC_E_THROTTLED : RC_OK;
    ev.u.sweep.seen = f->c->nodes;
    rc_fleet_post(f, &ev);
}

/* One id, whatever was told of it before. */
void
rc_fleet_look(struct rc_fleet *f, struct rc_errand *r)
{
    struct rc_sim_instance *inst = rc_sim_ec2_find(f->ec2, rc_fleet_wall(f), r->action.instance);
    struct rc_event ev;

    if (!inst) {
        r->error = RC_E_NOT_FOUND;
        return;
    }
    struct rc_host *h = &f->host[rc_fleet_slot(f, inst)];
    memcpy(h->id, inst->id, sizeof h->id);
    rc_ills_news(f, rc_fleet_slot(f, inst));
    rc_sim_instance_row(inst, RC_FLEET_NAME, &ev);
    post_row(f, h, &ev);
    if (inst->state != RC_INST_TERMINATED) {
        rc_sim_status_row(inst, &ev);
        post_row(f, h, &ev);
    }
}
