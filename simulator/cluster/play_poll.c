/* play_poll.c - what slurmctld shows, as reconciler/io/slurm/slurm_poll.c posts it:
 * each 20 s, each second while incidents are open, only rows that changed. Polls that
 * would bring nothing are left out: the next one is planned when the table moves. */
#include <stdlib.h>
#include <string.h>

#include "simulator/check.h"
#include "simulator/cluster/play_private.h"
#include "simulator/model/model_rows.h"

enum { WATCH_MS = 1000 };

static void
set_job(const struct rc_play *p, const struct rc_sim_node *n, struct rc_ev_slurm_node *sn)
{
    const struct rc_sim_job *j =
        n->job != RC_SIM_NO_NODE ? rc_sim_slurm_job_at(p->slurm, n->job) : NULL;

    if (j && j->state == RC_SIM_JOB_RUNNING) {
        sn->job[0] = (struct rc_node_job){j->id, j->order.nodes};
    }
}

static uint32_t
jobs_running(const struct rc_play *p)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < rc_sim_slurm_jobs(p->slurm); i++) {
        const struct rc_sim_job *j = rc_sim_slurm_job_at(p->slurm, i);
        count += j && j->state == RC_SIM_JOB_RUNNING;
    }
    return count;
}

static void
node_event(const struct rc_play *p, const struct rc_sim_node *n, struct rc_event *ev)
{
    struct rc_ev_slurm_node *sn = &ev->u.slurm;

    rc_event_init(ev, RC_EV_SLURM_NODE);
    memcpy(ev->node, n->name, sizeof ev->node);
    sn->boot_wall_ms = n->boot_ms / 1000 * 1000; /* slurmd tells whole seconds */
    sn->slurmd_start_wall_ms = n->slurmd_start_ms / 1000 * 1000;
    sn->flags = n->flags;
    sn->owner = rc_sim_owner_of(n, &sn->reason_incident);
    sn->jobs = n->job != RC_SIM_NO_NODE;
    set_job(p, n, sn);
    sn->cpus = n->cpus;
    memcpy(sn->addr, n->addr, sizeof sn->addr);
    memcpy(sn->partition, n->partition, sizeof sn->partition);
    memcpy(sn->reason, n->reason, sizeof sn->reason);
}

static void
show(struct rc_ctl *c, uint32_t at, bool past_the_diff)
{
    const struct rc_sim_node *n = rc_sim_slurm_node(c->p->slurm, at);
    struct rc_event ev;

    if (!n || at >= RC_PLAN_NODES_MAX) {
        return;
    }
    bool known = c->node_row_known >> at & 1U;
    uint64_t version = n->version + c->p->agent_version;
    if (!past_the_diff && known && c->node_row_at[at] == version) {
        return;
    }
    c->node_row_at[at] = version;
    rc_poll_agent(c, at, !known);
    node_event(c->p, n, &ev);
    /* rc_event_init() clears the padding too, and memcpy() keeps it. */
    /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): see above */
    bool same = memcmp(&ev, &c->node_row[at], rc_event_bytes(&ev)) == 0;
    if (!past_the_diff && known && same) {
        return;
    }
    c->node_row_known |= 1U << at;
    rc_event_copy(&c->node_row[at], &ev);
    rc_ctl_post(c, &ev);
}

/* Grows with every change that a poll would show. */
static uint64_t
table_version(const struct rc_play *p)
{
    return rc_sim_slurm_version(p->slurm) + p->agent_version;
}

static bool
cannot_ask(const struct rc_ctl *c)
{
    return c->p->now_ms < c->p->slurm_down_until_ms || c->p->now_ms < c->helper_until_ms ||
           rc_heads_down(c);
}

void
rc_poll_node(struct rc_ctl *c, const char *node, bool past_the_diff)
{
    uint32_t at = rc_sim_slurm_find(c->p->slurm, node);

    if (at != RC_SIM_NO_NODE && !cannot_ask(c)) {
        show(c, at, past_the_diff);
        rc_check_return_read(c, at);
    }
}

static void
end_poll(struct rc_ctl *c, enum rc_err err)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_SWEEP);
    ev.u.sweep.which = RC_SWEEP_SLURM;
    ev.u.sweep.complete = err == RC_OK;
    ev.u.sweep.error = (uint32_t)err;
    ev.u.sweep.seen = (uint32_t)c->p->plan->nodes;
    ev.u.sweep.jobs = err == RC_OK ? c->slurm_jobs : 0;
    rc_ctl_post(c, &ev);
}

void
rc_poll_slurm(struct rc_ctl *c)
{
    c->slurm_poll_at_ms = 0;
    c->slurm_last_ms = c->p->now_ms;
    if (cannot_ask(c)) {
        c->slurm_failed = 1;
        c->slurm_version = 0;
        end_poll(c, RC_E_SLURM_DOWN);
        return;
    }
    c->slurm_failed = 0;
    rc_check_return_read(c, RC_PLAN_NODES_MAX);
    /* Most polls find the table as it was: no row, and no job, has come or gone. */
    if (c->slurm_version != table_version(c->p)) {
        c->slurm_version = table_version(c->p);
        c->slurm_jobs = jobs_running(c->p);
        for (uint32_t at = 0; at < rc_sim_slurm_nodes(c->p->slurm); at++) {
            show(c, at, false);
        }
    }
    end_poll(c, RC_OK);
}

void
rc_poll_plan(struct rc_ctl *c)
{
    bool news = c->slurm_version != table_version(c->p);
    /* A pass that began before the lease was got proves nothing to the new leader. */
    bool seen = c->s->slurm_fresh_at >= c->s->led_at;
    int64_t period_ms = c->s->open_incidents && news ? WATCH_MS : RC_PLAY_SLURM_MS;
    int64_t at_ms;

    if (c->slurm_poll_at_ms || (!c->slurm_failed && !c->s->open_incidents && !news && seen)) {
        return;
    }
    at_ms = c->slurm_last_ms + (c->slurm_failed ? RC_PLAY_SLURM_MS : period_ms);
    if (at_ms <= c->p->now_ms) { /* the grid of the poller's clock */
        at_ms += ((c->p->now_ms - at_ms) / period_ms + 1) * period_ms;
    }
    c->slurm_poll_at_ms = at_ms;
    rc_play_task(c->p, at_ms, RC_TASK_SLURM, c, 0);
}
