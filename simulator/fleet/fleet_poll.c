/* fleet_poll.c - what slurmctld shows, as reconciler/io/slurm/slurm_poll.c posts it: a
 * whole pass each 10 s, nodes with an open incident each second, only rows that changed.
 * Rows in which nothing moved since the last pass are not even looked at: the model
 * tells which did. */
#include <stdlib.h>
#include <string.h>

#include "simulator/fleet/fleet_private.h"
#include "simulator/model/model_rows.h"
#include "simulator/model/sim_hash.h"

/* Names and addresses of this world are short: what lies behind so many bytes is zero in
 * every row, and need not be copied each time. */
enum { SHORT = 16 };

/* The template stays zero where nothing is written; the partition is that of all nodes. */
static void
fill_row(struct rc_fleet *f, const struct rc_sim_node *n, const struct rc_fleet_job *j)
{
    struct rc_event *ev = &f->row;
    struct rc_ev_slurm_node *sn = &ev->u.slurm;

    memcpy(ev->node, n->name, SHORT);
    sn->boot_wall_ms = n->boot_ms / 1000 * 1000; /* slurmd tells whole seconds */
    sn->slurmd_start_wall_ms = n->slurmd_start_ms / 1000 * 1000;
    sn->flags = n->flags;
    sn->reason_incident = 0;
    sn->owner = rc_sim_owner_of(n, &sn->reason_incident);
    sn->jobs = j != NULL;
    sn->job[0] = (struct rc_node_job){0, 0};
    if (j && j->state == RC_JOB_RUNS) {
        sn->job[0] = (struct rc_node_job){j->id, j->nodes};
    }
    sn->cpus = n->cpus;
    memcpy(sn->addr, n->addr, SHORT);
    if (*n->reason || *sn->reason) {
        memcpy(sn->reason, n->reason, sizeof sn->reason);
    }
}

/* Of what can change in a row; the name is its place, and the address changes with the
 * host that serves. */
static uint64_t
row_hash(const struct rc_fleet *f, uint32_t node, const struct rc_sim_node *n,
         const struct rc_fleet_job *j)
{
    uint64_t h = (uint64_t)n->flags << 32 | (j && j->state == RC_JOB_RUNS ? j->id : j != NULL);

    h = (h ^ (uint64_t)n->boot_ms / 1000) * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ h >> 29 ^ (uint64_t)n->slurmd_start_ms / 1000) * UINT64_C(0xbf58476d1ce4e5b9);
    h ^= h >> 32 ^ ((uint64_t)f->serving[node] << 32 | f->host[f->serving[node]].generation);
    return (*n->reason ? rc_sim_hash_str(h, n->reason) : h) | 1;
}

static bool
slurm_is_away(const struct rc_fleet *f)
{
    return rc_trouble_now(f, RC_TROUBLE_SLURM) || rc_trouble_now(f, RC_TROUBLE_HELPER);
}

void
rc_fleet_show(struct rc_fleet *f, uint32_t node, bool past_the_diff)
{
    const struct rc_sim_node *n = rc_sim_slurm_node(f->slurm, node);
    uint32_t holder = rc_sim_slurm_holder(f->slurm, node);
    const struct rc_fleet_job *j = holder != RC_SIM_NO_NODE ? &f->q.job[holder] : NULL;
    uint64_t hash = row_hash(f, node, n, j);

    if (slurm_is_away(f)) {
        return;
    }
    rc_agent_show(f, node); /* before the row, so that an incident opens with the class */
    if (past_the_diff || f->node_shown[node] != hash) {
        f->node_shown[node] = hash;
        fill_row(f, n, j);
        rc_fleet_post(f, &f->row);
    }
}

bool
rc_fleet_is_watched(struct rc_fleet *f, uint32_t node)
{
    uint32_t slot = rc_score_core(f, node);

    return slot && rc_node_at(f->s, slot)->incident;
}

/* Watched nodes with news; they stay news for the next whole pass, which finds nothing new. */
void
rc_fleet_watch(struct rc_fleet *f)
{
    f->watch_due = 0;
    for (uint32_t i = 0; f->now_ms >= f->away_until_ms && i < f->node_news_count; i++) {
        if (rc_fleet_is_watched(f, f->node_news[i])) {
            rc_fleet_show(f, f->node_news[i], false);
        }
    }
}

void
rc_fleet_poll(struct rc_fleet *f)
{
    bool away = f->now_ms < f->away_until_ms, failed = slurm_is_away(f);
    struct rc_event ev;

    rc_due_push(f, f->now_ms + RC_FLEET_POLL_SLURM_MS, RC_DUE_POLL, 0, 0);
    if (away) {
        return;
    }
    for (uint32_t i = 0; !failed && i < f->node_news_count; i++) {
        f->node_is_news[f->node_news[i]] = 0;
        rc_fleet_show(f, f->node_news[i], false);
    }
    f->node_news_count = failed ? f->node_news_count : 0;
    rc_event_init(&ev, RC_EV_SWEEP);
    ev.u.sweep.which = RC_SWEEP_SLURM;
    ev.u.sweep.complete = !failed;
    ev.u.sweep.error = failed ? RC_E_SLURM_DOWN : RC_OK;
    ev.u.sweep.seen = f->c->nodes;
    ev.u.sweep.jobs = failed ? 0 : f->q.runs;
    rc_fleet_post(f, &ev);
}
