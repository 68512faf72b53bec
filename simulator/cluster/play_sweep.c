/* play_sweep.c - what DescribeInstances and DescribeInstanceStatus bring, as
 * reconciler/io/daemon/sweeps.c posts it: only rows that changed, and a word for
 * those that a complete pass did not show. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/cluster/play_private.h"
#include "simulator/model/model_rows.h"

/* A cluster's sweep filters by its tag, where what stands between us and EC2 does not lose the
 * filter; a look asks for one id, whosever it is. */
void
rc_sweep_snapshot(struct rc_play *p, struct rc_request *r, const char *only)
{
    bool filtered = !only && rc_play_mix(p, 0, 47) % 4 != 0;

    if (r->lost || (!only && p->now_ms < p->ec2_errors_until_ms &&
                    rc_play_mix(p, (uint64_t)p->now_ms, r->ctl) % 1000 < p->ec2_errors_permille)) {
        r->error = RC_E_THROTTLED;
        return;
    }
    for (uint32_t slot = 0; slot < rc_sim_ec2_slots(p->ec2); slot++) {
        const struct rc_sim_instance *inst = rc_sim_ec2_at(p->ec2, slot);
        if (!inst || rc_play_wall(p) < inst->visible_ms || (only && strcmp(only, inst->id) != 0)) {
            continue;
        }
        if (only || r->sweep == RC_SWEEP_INSTANCES) {
            struct rc_event *row = rc_request_row(r);
            rc_sim_instance_row(inst, RC_PLAY_CLUSTER, row);
            r->rows.count -= filtered && !row->u.described.ours;
        }
        if (only || r->sweep == RC_SWEEP_STATUS) {
            if (inst->state != RC_INST_TERMINATED) {
                rc_sim_status_row(inst, rc_request_row(r));
            }
        }
    }
    if (only && !r->rows.count) {
        r->error = RC_E_NOT_FOUND;
    }
}

/* A pass shows its rows in the same order each time: looked for from behind the last one. */
static struct rc_seen_row *
seen_row(struct rc_ctl *c, const char *id)
{
    for (uint32_t k = 0, i = c->seen_at; k < c->seen_count; k++, i++) {
        i = i < c->seen_count ? i : 0;
        if (memcmp(c->seen[i].id, id, sizeof c->seen[i].id) == 0) {
            c->seen_at = i + 1;
            return &c->seen[i];
        }
    }
    assert(c->seen_count < sizeof c->seen / sizeof c->seen[0]);
    struct rc_seen_row *row = &c->seen[c->seen_count++];
    row->pass = row->told = row->told_status = 0;
    memcpy(row->id, id, sizeof row->id);
    return row;
}

/* Rows are zeroed before they are filled, padding too. True when it is news. */
static bool
shows_news(struct rc_seen_row *row, const struct rc_event *ev)
{
    if (ev->kind == RC_EV_INSTANCE_STATUS) {
        /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): see above */
        return !row->told_status || memcmp(&row->status, &ev->u.status, sizeof row->status) != 0;
    }
    /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): see above */
    return !row->told || memcmp(&row->row, &ev->u.described, sizeof row->row) != 0;
}

static void
keep_told(struct rc_seen_row *row, const struct rc_event *ev)
{
    if (ev->kind == RC_EV_INSTANCE_STATUS) {
        row->told_status = 1;
        row->status = ev->u.status;
    } else {
        row->told = 1;
        row->row = ev->u.described;
    }
}

static bool
core_lags(const struct rc_ctl *c, const struct rc_event *ev)
{
    uint32_t slot = rc_instance_find(c->s, ev->instance);

    return ev->kind == RC_EV_INSTANCE &&
           (!slot || rc_instance_at(c->s, slot)->state != ev->u.described.state ||
            rc_instance_at(c->s, slot)->missing_since_ms);
}

void
rc_sweep_post(struct rc_ctl *c, const struct rc_request *r)
{
    for (uint32_t i = 0; i < r->rows.count; i++) {
        const struct rc_event *ev = &r->rows.row[i];
        bool status = ev->kind == RC_EV_INSTANCE_STATUS;
        struct rc_seen_row *row = seen_row(c, ev->instance);
        if (!status) {
            row->pass = c->pass;
        }
        if ((!shows_news(row, ev) && !core_lags(c, ev)) ||
            (status && !rc_instance_find(c->s, ev->instance))) {
            continue;
        }
        keep_told(row, ev);
        rc_ctl_post(c, ev);
    }
}

static void
tell_absent(struct rc_ctl *c)
{
    for (uint32_t slot = 1; slot <= c->s->instance_used; slot++) {
        const struct rc_instance *i = rc_instance_at(c->s, slot);
        struct rc_event ev;
        if (!i->used || !i->known || i->missing_since_ms) {
            continue;
        }
        struct rc_seen_row *row = seen_row(c, i->id);
        if (row->pass == c->pass) {
            continue;
        }
        row->told = 0;
        rc_event_init(&ev, RC_EV_INSTANCE);
        memcpy(ev.instance, i->id, sizeof ev.instance);
        ev.u.described.absent = 1;
        rc_ctl_post(c, &ev);
    }
}

void
rc_sweep_begin(struct rc_ctl *c, enum rc_sweep which)
{
    uint32_t index;
    struct rc_request *r = rc_request_new(c, &index);

    r->sweep = (uint32_t)which;
    r->answer_ms = rc_play_latency(c->p, (uint64_t)c->p->now_ms, which);
    c->pass += which == RC_SWEEP_INSTANCES;
    rc_play_task(c->p, c->p->now_ms + r->answer_ms, RC_TASK_EFFECT, NULL, index);
}

void
rc_sweep_end(struct rc_ctl *c, const struct rc_request *r)
{
    bool instances = r->sweep == RC_SWEEP_INSTANCES;
    struct rc_event ev;

    if (instances && r->error == RC_OK) {
        tell_absent(c);
    }
    rc_event_init(&ev, RC_EV_SWEEP);
    ev.u.sweep.which = r->sweep;
    ev.u.sweep.complete = r->error == RC_OK;
    ev.u.sweep.error = (uint32_t)r->error;
    ev.u.sweep.seen = r->rows.count;
    rc_ctl_post(c, &ev);
    rc_play_task(c->p, c->p->now_ms + RC_PLAY_SWEEP_MS,
                 instances ? RC_TASK_INSTANCES : RC_TASK_STATUS, c, 0);
}
