/* fleet_score.c - what each node's time goes to, and how long repairs take.
 *
 * A node is always in one state; when anything about it changes the time since the last
 * change is booked on the old one. Repair time runs from the first moment at which the
 * node neither serves nor works to the moment at which it is whole and in service. */
#include <string.h>

#include "simulator/fleet/fleet_private.h"

void
rc_score_open(struct rc_fleet *f)
{
    for (uint32_t node = 0; node < f->c->nodes; node++) {
        f->score[node] = (struct rc_node_score){.broken_ms = -1, .loss = RC_LOSS__MAX};
    }
}

/* Rows of the core stay where they are, so the slot is looked up once. */
uint32_t
rc_score_core(struct rc_fleet *f, uint32_t node)
{
    if (!f->score[node].core && f->s) {
        f->score[node].core = rc_node_find(f->s, rc_sim_slurm_node(f->slurm, node)->name);
    }
    return f->score[node].core;
}

/* What is not named here waits. */
static const uint8_t loss_of_phase[RC_PHASE__MAX] = {
    [RC_PHASE_RESET] = RC_LOSS_REBOOT,   [RC_PHASE_REBOOT] = RC_LOSS_REBOOT,
    [RC_PHASE_STOP] = RC_LOSS_REBOOT,    [RC_PHASE_START] = RC_LOSS_REBOOT,
    [RC_PHASE_LAUNCH] = RC_LOSS_REPLACE, [RC_PHASE_BOOT] = RC_LOSS_REPLACE,
    [RC_PHASE_RETIRE] = RC_LOSS_REPLACE, [RC_PHASE_REGISTER] = RC_LOSS_RETURN,
    [RC_PHASE_JOIN] = RC_LOSS_RETURN,    [RC_PHASE_GATE] = RC_LOSS_RETURN,
    [RC_PHASE_RETURN] = RC_LOSS_RETURN,  [RC_PHASE_QUARANTINE] = RC_LOSS_QUARANTINE,
};

static uint32_t
loss_of(const struct rc_incident *inc)
{
    if (inc->phase == RC_PHASE_LAUNCH && inc->flags & RC_INC_NO_CAPACITY) {
        return RC_LOSS_CAPACITY;
    }
    return loss_of_phase[inc->phase] ? loss_of_phase[inc->phase] : RC_LOSS_WAIT;
}

static uint32_t
loss_now(struct rc_fleet *f, uint32_t node)
{
    const uint32_t away =
        RC_SN_DOWN | RC_SN_DRAIN | RC_SN_FAIL | RC_SN_NOT_RESPONDING | RC_SN_UNKNOWN;
    uint32_t flags = rc_sim_slurm_node(f->slurm, node)->flags, slot;
    bool serves = !(flags & away);

    if (flags & RC_SN_ALLOCATED || (serves && rc_ills_whole(f, node))) {
        return RC_LOSS__MAX;
    }
    slot = serves ? 0 : rc_score_core(f, node);
    if (slot && rc_node_at(f->s, slot)->incident) {
        return loss_of(rc_incident_at(f->s, rc_node_at(f->s, slot)->incident));
    }
    return serves ? RC_LOSS_UNSEEN : RC_LOSS_OUT;
}

static uint32_t
mode_of(uint32_t loss, bool stands)
{
    switch (loss) {
    case RC_LOSS__MAX:
        return stands ? RC_MODE_BROKEN : RC_MODE_SERVES;
    case RC_LOSS_UNSEEN:
        return RC_MODE_BROKEN;
    case RC_LOSS_WAIT:
        return RC_MODE_WAITS;
    case RC_LOSS_QUARANTINE:
        return RC_MODE_QUARANTINE;
    case RC_LOSS_OUT:
        return RC_MODE_OUT;
    default:
        return RC_MODE_REPAIR;
    }
}

static void
remember(struct rc_fleet *f, uint32_t node, uint32_t mode)
{
    struct rc_fleet_history *h = f->c->history;

    f->score[node].mode = mode;
    if (h && h->count < h->room) {
        h->span[h->count++] =
            (struct rc_fleet_span){.at_ms = f->now_ms, .node = node, .mode = mode};
    } else if (h) {
        h->cut = 1;
    }
}

static void
book(struct rc_fleet *f, struct rc_node_score *s)
{
    int64_t span_ms = f->now_ms - s->since_ms;

    if (s->loss < RC_LOSS__MAX) {
        f->r.lost_ms[s->loss] += span_ms;
    }
    s->since_ms = f->now_ms;
}

void
rc_score_judge(struct rc_fleet *f, uint32_t node)
{
    struct rc_node_score *s = &f->score[node];
    bool whole = rc_ills_whole(f, node);
    uint32_t loss = loss_now(f, node);
    bool out = loss != RC_LOSS__MAX || !whole;

    if (loss != s->loss) {
        book(f, s);
        s->loss = loss;
    }
    if (out && s->broken_ms < 0) {
        s->broken_ms = f->now_ms;
        s->by_fault = 0;
    }
    s->by_fault |= !whole || f->host[f->serving[node]].ail != RC_AIL_NONE;
    if (!out && s->broken_ms >= 0) {
        f->r.out_ms += f->now_ms - s->broken_ms;
        if (s->by_fault) {
            rc_fleet_hist_add(&f->r.repair, f->now_ms - s->broken_ms, false);
        }
        s->broken_ms = -1;
    }
    uint32_t mode = mode_of(loss, !whole);
    if (mode != s->mode) {
        remember(f, node, mode);
    }
}

/* A node is taken out for a reason when its host is ill, AWS has a plan for it, or the
 * instance has ended. */
static void
count_taken_out(struct rc_fleet *f, uint32_t node)
{
    const struct rc_host *h = &f->host[f->serving[node]];
    bool reason = h->ail != RC_AIL_NONE || h->planned || h->paid_from_ms < 0 || h->node != node;

    f->r.evictions++;
    f->r.false_evictions += !reason;
}

void
rc_score_phase(struct rc_fleet *f, const struct rc_action *a)
{
    uint32_t node = a->kind == RC_ACT_INCIDENT_PUT ? rc_fleet_node(f, a->node) : RC_SIM_NO_NODE;

    if (node == RC_SIM_NO_NODE) {
        return;
    }
    if (a->u.item.phase == RC_PHASE_PROTECT && a->text[0] && strcmp(a->text, a->u.item.rule) == 0) {
        count_taken_out(f, node);
    }
    f->r.quarantines += a->u.item.phase == RC_PHASE_QUARANTINE;
    rc_score_judge(f, node);
}

void
rc_score_finish(struct rc_fleet *f)
{
    for (uint32_t node = 0; node < f->c->nodes; node++) {
        struct rc_node_score *s = &f->score[node];
        book(f, s);
        f->r.out_ms += s->broken_ms >= 0 ? f->now_ms - s->broken_ms : 0;
        if (s->broken_ms >= 0 && s->by_fault) {
            rc_fleet_hist_add(&f->r.repair, f->now_ms - s->broken_ms, true);
        }
    }
    for (uint32_t slot = 0; slot < f->hosts; slot++) {
        if (f->host[slot].paid_from_ms >= 0) {
            f->r.instance_ms += f->now_ms - f->host[slot].paid_from_ms;
        }
    }
    f->r.node_ms = f->end_ms * f->c->nodes;
    f->r.used_ms = f->r.allocated_ms;
    f->r.end_ms = f->end_ms;
    rc_score_controller_ends(f);
    f->r.open_at_end = f->s ? f->s->open_incidents : 0;
}

/* What one controller has counted; the next begins at nought. */
void
rc_score_controller_ends(struct rc_fleet *f)
{
    if (f->s) {
        f->r.incidents += f->s->counters.incidents_opened;
        f->r.breaker_trips += f->s->counters.breaker_trips;
    }
}
