/* play_agent.c - the agents on the nodes: what they find, tell and drain for. A list is of
 * one boot; what a repair must do to mend the machine is known to the world alone. */
#include <stdio.h>
#include <string.h>

#include "simulator/check.h"
#include "simulator/cluster/play_private.h"

/* By what a find is mended. */
enum heals { BY_TIME, BY_RESET, BY_REBOOT, BY_REPLACEMENT };

static const struct find {
    const char *class_name, *device;
    enum heals heals;
} finds[] = {
    {"pcie:width", "0000:10:1c", BY_TIME},
    {"xid:63", "0000:10:1c", BY_RESET},
    {"xid:95", "0000:20:1c", BY_RESET},
    {"xid:119", "0000:20:1d", BY_REBOOT},
    {"xid:79", "0000:90:1c", BY_REBOOT},
    {"efa:admin-timeout", "0000:10:1b", BY_REBOOT},
    {"oops", "", BY_REBOOT},
    {"xid:64", "0000:a0:1c", BY_REPLACEMENT},
    {"edac:ue", "MC0", BY_REPLACEMENT},
};
_Static_assert(sizeof finds / sizeof finds[0] == RC_PLAY_FINDS, "as many as plan.c draws from");

const struct rc_sim_node *
rc_play_sim_node(const struct rc_play *p, uint32_t node)
{
    const struct rc_sim_node *n = rc_sim_slurm_node(p->slurm, node); /* as they were added */

    return n && strcmp(n->name, p->conf[node].name) == 0
               ? n
               : rc_sim_slurm_node(p->slurm, rc_sim_slurm_find(p->slurm, p->conf[node].name));
}

/* Of another boot: the agent begins anew. */
static struct rc_play_agent *
agent_now(struct rc_play *p, uint32_t node)
{
    struct rc_play_agent *g = &p->agent[node];
    const struct rc_sim_node *n = rc_play_sim_node(p, node);

    if (n && n->boot_ms != g->boot_ms) {
        memset(g, 0, sizeof *g);
        g->boot_ms = n->boot_ms;
        snprintf(g->list.boot, sizeof g->list.boot, "%08x", (uint32_t)(n->boot_ms / 1000));
    }
    return g;
}

static void
agent_adds(struct rc_play *p, uint32_t node, const char *class_name, const char *device,
           bool guilty)
{
    struct rc_play_agent *g = agent_now(p, node);
    struct rc_ev_node_faults *l = &g->list;
    const struct rc_sim_node *n = rc_play_sim_node(p, node);
    struct rc_node_fault f = {.last_wall_ms = rc_play_wall(p), .times = 1, .guilty = guilty};
    uint32_t at = 0;

    rc_text_set(f.class_name, sizeof f.class_name, class_name);
    rc_text_set(f.device, sizeof f.device, device);
    if (n && n->job != RC_SIM_NO_NODE) {
        f.job = rc_sim_slurm_job_at(p->slurm, n->job)->id;
    }
    while (at < l->count &&
           (strcmp(l->v[at].class_name, class_name) != 0 || strcmp(l->v[at].device, device) != 0)) {
        at++;
    }
    f.times += at < l->count ? l->v[at].times : 0;
    l->count += at == l->count && l->count < RC_NODE_FAULTS_MAX;
    at -= at == RC_NODE_FAULTS_MAX;
    memmove(&l->v[1], &l->v[0], at * sizeof l->v[0]);
    l->v[0] = f;
    p->agent_version++;
    /* The agent replaces neither a foreign reason nor one with an incident. */
    if (guilty && n && !(n->flags & RC_SN_DRAIN)) {
        char reason[RC_TEXT_LEN];
        snprintf(reason, sizeof reason, "rc:0 %s boot=%.8s", class_name, l->boot);
        (void)rc_sim_slurm_mark(p->slurm, rc_play_wall(p), p->conf[node].name, RC_SN_DRAIN, reason);
    }
}

static void
agent_drops(struct rc_play *p, uint32_t node, const char *class_name)
{
    struct rc_ev_node_faults *l = &agent_now(p, node)->list;
    uint32_t kept = 0, was = l->count;

    for (uint32_t i = 0; i < was; i++) {
        if (strcmp(l->v[i].class_name, class_name) != 0) {
            l->v[kept++] = l->v[i];
        }
    }
    memset(&l->v[kept], 0, (was - kept) * sizeof l->v[0]);
    l->count = kept;
    p->agent_version += kept != was;
}

static bool
has(struct rc_play *p, uint32_t node, const char *class_name)
{
    const struct rc_ev_node_faults *l = &agent_now(p, node)->list;
    uint32_t i = 0;

    while (i < l->count && strcmp(l->v[i].class_name, class_name) != 0) {
        i++;
    }
    return i < l->count;
}

static bool
is_up(struct rc_play *p, uint32_t node)
{
    const struct rc_sim_instance *inst = rc_play_instance(p, node);

    return inst && inst->state == RC_INST_RUNNING && inst->booted;
}

static void
befall_node(struct rc_play *p, const struct rc_plan_row *row, uint32_t node)
{
    const struct find *f = &finds[(uint64_t)row->value % RC_PLAY_FINDS];
    struct rc_play_agent *g = agent_now(p, node);

    agent_adds(p, node, f->class_name, f->device, true);
    g->sick = f->heals > g->sick ? (uint32_t)f->heals : g->sick;
    if (f->heals == BY_REPLACEMENT) {
        rc_play_lemon(p, node);
    }
}

/* All nodes of the job on this one: its program faults, or makes their GPUs hang. */
static void
storm(struct rc_play *p, const struct rc_plan_row *row, uint32_t node)
{
    const struct rc_sim_node *n = rc_play_sim_node(p, node);
    uint32_t job = n ? n->job : RC_SIM_NO_NODE;

    for (uint32_t i = 0; job != RC_SIM_NO_NODE && i < p->plan->nodes; i++) {
        if (rc_play_sim_node(p, i)->job == job && is_up(p, i)) {
            agent_adds(p, i, row->value & 1 ? "xid:109" : "xid:31", "0000:10:1c", row->value & 1);
        }
    }
}

void
rc_play_agent_row(struct rc_play *p, const struct rc_plan_row *row, bool end)
{
    uint32_t node = row->target % (uint32_t)p->plan->nodes;

    for (uint32_t i = 0; row->ill == RC_ILL_FILE_SERVER && i < p->plan->nodes; i++) {
        if (end) {
            agent_drops(p, i, "fs:stuck");
        } else if (is_up(p, i)) {
            agent_adds(p, i, "fs:stuck", "/shared", false);
        }
    }
    if (row->ill == RC_ILL_AGENT && !end && is_up(p, node)) {
        befall_node(p, row, node);
    } else if (row->ill == RC_ILL_AGENT &&
               finds[(uint64_t)row->value % RC_PLAY_FINDS].heals == BY_TIME) {
        agent_drops(p, node, finds[(uint64_t)row->value % RC_PLAY_FINDS].class_name);
    } else if (row->ill == RC_ILL_JOB_STORM && !end) {
        storm(p, row, node);
    }
}

/* What was proved a moment ago is broken again before the node serves. */
void
rc_play_agent_proved(struct rc_play *p, uint32_t node)
{
    enum { SOON_MS = 3000 };

    for (uint32_t i = 0; i < p->plan->count; i++) {
        const struct rc_plan_row *row = &p->plan->row[i];
        if (row->ill == RC_ILL_RELAPSE && row->target % p->plan->nodes == node &&
            row->at_ms <= p->now_ms && p->now_ms < row->at_ms + row->for_ms) {
            int64_t after_ms = (int64_t)(rc_play_mix(p, (uint64_t)p->now_ms, 41) % SOON_MS);
            rc_play_task(p, p->now_ms + after_ms, RC_TASK_RELAPSE, NULL, i);
        }
    }
}

void
rc_play_agent_relapse(struct rc_play *p, uint32_t row)
{
    uint32_t node = p->plan->row[row].target % (uint32_t)p->plan->nodes;

    if (!p->quiet && is_up(p, node)) {
        rc_play_trace(p, "## relapse of %s", p->conf[node].name);
        befall_node(p, &p->plan->row[row], node);
    }
}

/* What passes by itself has passed. */
void
rc_play_agent_quiet(struct rc_play *p)
{
    for (uint32_t node = 0; node < p->plan->nodes; node++) {
        agent_drops(p, node, "fs:stuck");
        agent_drops(p, node, "pcie:width");
    }
}

bool
rc_play_agent_well(struct rc_play *p, uint32_t node)
{
    return agent_now(p, node)->sick == BY_TIME && !has(p, node, "fs:stuck") &&
           !has(p, node, "pcie:width");
}

int64_t
rc_play_agent_guilty_ms(struct rc_play *p, uint32_t node)
{
    const struct rc_ev_node_faults *l = &agent_now(p, node)->list;
    int64_t since_ms = RC_SIM_NEVER;

    for (uint32_t i = 0; p->agent[node].sick != BY_TIME && i < l->count; i++) {
        int64_t at_ms = l->v[i].last_wall_ms - RC_PLAY_WALL_MS;
        since_ms =
            l->v[i].guilty && (since_ms == RC_SIM_NEVER || at_ms > since_ms) ? at_ms : since_ms;
    }
    return since_ms;
}

/* Under a fabric manager a reset is now and then refused. */
enum rc_err
rc_play_gpu_reset(struct rc_play *p, const struct rc_action *a)
{
    uint32_t node = rc_play_node_index(p, a->node);

    if (node >= p->plan->nodes || !is_up(p, node)) {
        return RC_E_UNREACHABLE;
    }
    rc_check_touched(p, a, rc_play_instance(p, node));
    if (rc_play_mix(p, a->id, 23) % 4 == 0) {
        return RC_E_STATE;
    }
    struct rc_play_agent *g = agent_now(p, node);
    g->sick = g->sick == BY_RESET ? (uint32_t)BY_TIME : g->sick;
    return RC_OK;
}

uint32_t
rc_play_stuck_nodes(struct rc_play *p)
{
    uint32_t stuck = 0;

    for (uint32_t node = 0; node < p->plan->nodes; node++) {
        stuck += p->agent[node].list.count && has(p, node, "fs:stuck");
    }
    return stuck;
}

/* Before the node's own row; only what is news to this controller. */
void
rc_poll_agent(struct rc_ctl *c, uint32_t at, bool anyhow)
{
    const struct rc_ev_node_faults *now = &agent_now(c->p, at)->list;
    struct rc_event ev;

    /* Zeroed first and copied whole, padding too. */
    /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): see above */
    if (anyhow || memcmp(&c->agent_list[at], now, sizeof *now) != 0) {
        memcpy(&c->agent_list[at], now, sizeof *now);
        rc_event_init(&ev, RC_EV_NODE_FAULTS);
        memcpy(ev.node, c->p->conf[at].name, sizeof ev.node);
        memcpy(&ev.u.faults, now, sizeof *now);
        rc_ctl_post(c, &ev);
    }
}
