/* scenario_world.c - what the friendly world does with an action, and what
 * happens by itself afterwards; see scenario_world.h.
 *
 * An effect comes at once or later, its answer after a fixed time; both may be told
 * apart by the story (an answer that is lost, an effect that fails). */
#define _GNU_SOURCE
#include "simulator/scenario/scenario_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t
rc_scen_wall_ms(const struct rc_scen_run *r)
{
    const int64_t first_ms = 1767225600000; /* 2026-01-01T00:00:00Z */

    return first_ms + r->now_ms - r->begin_ms;
}

void
rc_scen_later_add(struct rc_scen_run *r, int64_t in_ms, enum rc_scen_later_kind kind,
                  uint32_t subject, uint32_t value)
{
    if (r->later_count == SCEN_LATER_MAX) {
        rc_fail(&r->error, RC_E_FULL, "%s: too much is going on at once", r->story.file);
        return;
    }
    struct rc_scen_later *l = &r->later[r->later_count++];
    memset(l, 0, sizeof *l);
    l->at_ms = r->now_ms + in_ms;
    l->order = r->order++;
    l->kind = (uint32_t)kind;
    l->subject = subject;
    l->value = value;
}

struct rc_scen_node *
rc_scen_node_named(struct rc_scen_run *r, const char *name)
{
    for (unsigned i = 0; i < r->node_count; i++) {
        if (strcmp(r->node[i].name, name) == 0) {
            return &r->node[i];
        }
    }
    return NULL;
}

struct rc_scen_instance *
rc_scen_instance_named(struct rc_scen_run *r, const char *id)
{
    for (unsigned i = 0; i < r->instance_count; i++) {
        if (strcmp(r->instance[i].id, id) == 0) {
            return &r->instance[i];
        }
    }
    return NULL;
}

static uint32_t
node_index(const struct rc_scen_run *r, const struct rc_scen_node *n)
{
    return (uint32_t)(n - r->node);
}

static uint32_t
instance_index(const struct rc_scen_run *r, const struct rc_scen_instance *i)
{
    return (uint32_t)(i - r->instance);
}

/* The node whose NodeAddr is this instance's. */
static struct rc_scen_node *
served_by(struct rc_scen_run *r, const struct rc_scen_instance *i)
{
    struct rc_scen_node *n = rc_scen_node_named(r, i->node);

    return n && strcmp(n->addr, i->addr) == 0 ? n : NULL;
}

void
rc_scen_show_node_later(struct rc_scen_run *r, const struct rc_scen_node *n, int64_t in_ms)
{
    rc_scen_later_add(r, in_ms, SCEN_SHOW_NODE, node_index(r, n), 0);
}

void
rc_scen_slurmd_lost_later(struct rc_scen_run *r, struct rc_scen_node *n)
{
    rc_scen_later_add(r, SCEN_SLURMD_TIMEOUT_MS, SCEN_SLURMD_LOST, node_index(r, n), 0);
}

/* slurmd starts once the instance runs and slurm.conf names its address. */
static void
admit(struct rc_scen_run *r, struct rc_scen_instance *i)
{
    struct rc_scen_node *n = served_by(r, i);

    if (n && i->state == RC_INST_RUNNING && i->slurmd_takes_ms != RC_NEVER) {
        rc_scen_later_add(r, i->slurmd_takes_ms, SCEN_SLURMD_UP, instance_index(r, i), 0);
    }
}

void
rc_scen_instance_turn(struct rc_scen_run *r, struct rc_scen_instance *i,
                      enum rc_instance_state state)
{
    struct rc_scen_node *n = served_by(r, i);

    if (i->state == (uint32_t)state) {
        return;
    }
    i->state = (uint32_t)state;
    i->news = true;
    rc_scen_say(r, '~', "ec2: %s is %s", i->id,
                state == RC_INST_RUNNING         ? "running"
                : state == RC_INST_STOPPING      ? "stopping"
                : state == RC_INST_STOPPED       ? "stopped"
                : state == RC_INST_SHUTTING_DOWN ? "shutting-down"
                : state == RC_INST_TERMINATED    ? "terminated"
                                                 : "pending");
    if (state == RC_INST_TERMINATED) {
        i->ended_ms = rc_scen_wall_ms(r);
    }
    rc_scen_head_power(r, i);
    if (state == RC_INST_RUNNING) {
        admit(r, i);
    } else if (n && state > RC_INST_RUNNING) {
        rc_scen_slurmd_lost_later(r, n);
    }
}

void
rc_scen_job_end(struct rc_scen_run *r, unsigned job)
{
    for (unsigned i = 0; job && i < r->node_count; i++) {
        struct rc_scen_node *n = &r->node[i];
        if (n->job == job) {
            n->job = 0;
            n->completing = !n->silent && !n->down;
            if (n->completing) {
                rc_scen_later_add(r, SCEN_COMPLETING_MS, SCEN_COMPLETED, i, 0);
            }
            rc_scen_show_node_later(r, n, SCEN_SLURM_SHOW_MS);
        }
    }
}

/* ---- what is shown ---- */

static uint32_t
job_size(const struct rc_scen_run *r, unsigned job)
{
    uint32_t nodes = 0;

    for (unsigned i = 0; i < r->node_count; i++) {
        nodes += r->node[i].job == job;
    }
    return nodes;
}

static void
give_node(struct rc_scen_run *r, struct rc_scen_node *n)
{
    struct rc_event ev;
    char shown[sizeof n->shown];

    if (r->slurm_away) {
        return; /* shown when slurmctld is back */
    }
    rc_event_init(&ev, RC_EV_SLURM_NODE);
    memcpy(ev.node, n->name, sizeof ev.node);
    struct rc_ev_slurm_node *sn = &ev.u.slurm;
    sn->flags = (n->drain ? (uint32_t)RC_SN_DRAIN : 0U) | (n->down ? (uint32_t)RC_SN_DOWN : 0U) |
                (n->silent ? (uint32_t)RC_SN_NOT_RESPONDING : 0U) |
                (n->job ? (uint32_t)RC_SN_ALLOCATED : 0U) |
                (n->completing ? (uint32_t)RC_SN_COMPLETING : 0U) |
                (n->maint ? (uint32_t)RC_SN_MAINT : 0U);
    sn->owner = n->owner;
    if (n->owner == RC_OWNER_OURS) {
        sn->reason_incident = (uint32_t)strtoul(n->reason + 3, NULL, 10); /* "rc:12 …" */
    }
    sn->jobs = n->job ? 1 : 0;
    if (n->job) {
        sn->job[0] = (struct rc_node_job){n->job, job_size(r, n->job)};
    }
    memcpy(sn->excluder, n->excluder, sizeof sn->excluder);
    sn->cpus = 96;
    sn->boot_wall_ms = n->boot_ms;
    sn->slurmd_start_wall_ms = n->slurmd_ms;
    memcpy(sn->addr, n->addr, sizeof sn->addr);
    memcpy(sn->partition, r->story.partition, sizeof sn->partition);
    memcpy(sn->reason, n->reason, sizeof sn->reason);
    snprintf(shown, sizeof shown, "%s%s%s%s%s%s%s%s%s%s", n->drain ? "drain " : "",
             n->down ? "down " : "", n->silent ? "not-responding " : "", n->maint ? "maint " : "",
             n->job          ? "allocated"
             : n->completing ? "completing"
                             : "idle",
             *n->reason ? " \"" : "", n->reason, *n->reason ? "\"" : "",
             n->slurmd_ms == rc_scen_wall_ms(r) ? ", slurmd registered from " : "",
             n->slurmd_ms == rc_scen_wall_ms(r) ? n->addr : "");
    if (strcmp(shown, n->shown) != 0) {
        memcpy(n->shown, shown, sizeof n->shown);
        rc_scen_say(r, '~', "slurm: %s %s", n->name, shown);
    }
    rc_scen_agent_show(r, n);
    rc_scen_give(r, &ev);
}

static bool
core_differs(const struct rc_scen_run *r, const struct rc_scen_instance *i)
{
    uint32_t slot = rc_instance_find(r->s, i->id);

    return !slot || rc_instance_at(r->s, slot)->state != i->state;
}

static void
describe(const struct rc_scen_instance *i, struct rc_ev_instance *row)
{
    row->launched_wall_ms = i->launched_ms;
    row->state = i->state;
    row->ours = !i->foreign;
    row->tag_incident = i->incident;
    row->tag_attempt = i->attempt;
    memcpy(row->node, i->node, RC_NODE_LEN);
    if (i->state == RC_INST_PENDING || i->state == RC_INST_RUNNING) {
        memcpy(row->addr, i->addr, RC_ADDR_LEN);
    }
    memcpy(row->subnet, i->subnet, RC_ID_LEN);
    rc_text_set(row->az, RC_AZ_LEN, "us-east-1a");
    rc_text_set(row->type, RC_TYPE_LEN, "p4d.24xlarge");
}

static void
give_instance(struct rc_scen_run *r, struct rc_scen_instance *i, bool anyhow)
{
    struct rc_event ev;

    if (i->hidden || i->unlisted || !(anyhow || i->news || core_differs(r, i))) {
        return;
    }
    i->news = false;
    rc_event_init(&ev, RC_EV_INSTANCE);
    memcpy(ev.instance, i->id, sizeof ev.instance);
    describe(i, &ev.u.described);
    rc_scen_give(r, &ev);
}

static void
give_status(struct rc_scen_run *r, struct rc_scen_instance *i)
{
    struct rc_event ev;

    if (!i->status_news || i->state != RC_INST_RUNNING || i->hidden) {
        return;
    }
    i->status_news = false;
    rc_event_init(&ev, RC_EV_INSTANCE_STATUS);
    memcpy(ev.instance, i->id, sizeof ev.instance);
    ev.u.status.state = i->state;
    ev.u.status.system = i->check[0];
    ev.u.status.instance = i->check[1];
    ev.u.status.ebs = i->check[2];
    ev.u.status.schedule = i->schedule;
    ev.u.status.not_before_wall_ms = i->not_before_ms;
    rc_text_set(ev.code, sizeof ev.code, i->schedule ? "instance-status" : "");
    rc_scen_give(r, &ev);
}

static void
give_absent(struct rc_scen_run *r, struct rc_scen_instance *i)
{
    struct rc_event ev;
    uint32_t slot = rc_instance_find(r->s, i->id);

    if (!slot || rc_instance_at(r->s, slot)->missing_since_ms) {
        return;
    }
    rc_event_init(&ev, RC_EV_INSTANCE);
    memcpy(ev.instance, i->id, sizeof ev.instance);
    ev.u.described.absent = 1;
    i->news = true;
    rc_scen_give(r, &ev);
}

static void
sweep(struct rc_scen_run *r, enum rc_sweep which)
{
    struct rc_event ev;

    for (unsigned n = 0; n < r->instance_count && !r->ec2_away; n++) {
        struct rc_scen_instance *i = &r->instance[n];
        if (which == RC_SWEEP_STATUS) {
            give_status(r, i);
            continue;
        }
        i->unlisted |=
            i->state == RC_INST_TERMINATED && rc_scen_wall_ms(r) - i->ended_ms >= SCEN_LISTED_MS;
        if (i->hidden || i->unlisted) {
            give_absent(r, i);
        } else {
            give_instance(r, i, false);
        }
    }
    rc_event_init(&ev, RC_EV_SWEEP);
    ev.u.sweep.which = (uint32_t)which;
    ev.u.sweep.complete = !r->ec2_away;
    ev.u.sweep.error = r->ec2_away ? RC_E_UNREACHABLE : RC_OK;
    ev.u.sweep.seen = r->instance_count;
    rc_scen_give(r, &ev);
    rc_scen_later_add(r, which == RC_SWEEP_STATUS ? SCEN_STATUS_MS : SCEN_SWEEP_MS,
                      which == RC_SWEEP_STATUS ? SCEN_STATUS_SWEEP : SCEN_SWEEP, 0, 0);
}

void
rc_scen_world_show_all(struct rc_scen_run *r)
{
    for (unsigned i = 0; i < r->instance_count; i++) {
        r->instance[i].status_news = true;
        give_instance(r, &r->instance[i], true);
        give_status(r, &r->instance[i]);
    }
    for (unsigned i = 0; i < r->node_count; i++) {
        r->node[i].agent_news = r->node[i].agent.count > 0;
        give_node(r, &r->node[i]);
    }
    rc_scen_heads_show(r);
}

void
rc_scen_slurm_away(struct rc_scen_run *r, bool is_away)
{
    struct rc_event ev;

    r->slurm_away = is_away;
    rc_event_init(&ev, RC_EV_SWEEP);
    ev.u.sweep.which = RC_SWEEP_SLURM;
    ev.u.sweep.complete = !is_away;
    ev.u.sweep.error = is_away ? RC_E_SLURM_DOWN : RC_OK;
    rc_scen_give(r, &ev);
    for (unsigned i = 0; !is_away && i < r->node_count; i++) {
        rc_scen_show_node_later(r, &r->node[i], SCEN_SLURM_SHOW_MS);
    }
}

/* ---- what comes by itself ---- */

void
rc_scen_slurmd_up(struct rc_scen_run *r, struct rc_scen_node *n)
{
    n->silent = false;
    n->slurmd_ms = rc_scen_wall_ms(r);
    if (n->owner == RC_OWNER_SLURM) { /* ReturnToService: slurmctld's own DOWN ends */
        n->down = false;
        n->owner = RC_OWNER_NONE;
        n->reason[0] = '\0';
    }
    give_node(r, n);
}

static void
lose_slurmd(struct rc_scen_run *r, struct rc_scen_node *n)
{
    for (unsigned k = 0; k < r->instance_count; k++) {
        const struct rc_scen_instance *i = &r->instance[k];
        if (served_by(r, i) == n && i->state == RC_INST_RUNNING && !n->silent) {
            return; /* back before SlurmdTimeout */
        }
    }
    n->silent = true;
    n->down = true;
    if (n->owner == RC_OWNER_NONE) {
        n->owner = RC_OWNER_SLURM;
        rc_text_set(n->reason, sizeof n->reason, "Not responding");
    }
    rc_scen_job_end(r, n->job);
    give_node(r, n);
}

static void
rebooted(struct rc_scen_run *r, struct rc_scen_instance *i)
{
    struct rc_scen_node *n = served_by(r, i);

    if (n && i->state == RC_INST_RUNNING) {
        n->boot_ms = rc_scen_wall_ms(r);
        rc_scen_agent_boots(n);
        i->check[1] = RC_CHECK_OK;
        i->status_news = true;
        if (i->slurmd_takes_ms != RC_NEVER) {
            rc_scen_slurmd_up(r, n);
        }
    }
}

static void
reach_state(struct rc_scen_run *r, struct rc_scen_instance *i, enum rc_instance_state state)
{
    bool from_pending = state == RC_INST_RUNNING && i->state == RC_INST_PENDING;
    bool stops = state == RC_INST_STOPPED && i->state == RC_INST_STOPPING;
    bool ends = state == RC_INST_TERMINATED && i->state == RC_INST_SHUTTING_DOWN;

    if (from_pending || stops || ends) {
        rc_scen_instance_turn(r, i, state);
    }
}

void
rc_scen_world_happen(struct rc_scen_run *r, const struct rc_scen_later *l)
{
    struct rc_event ev = l->ev;

    switch ((enum rc_scen_later_kind)l->kind) {
    case SCEN_COMPLETE:
        rc_scen_give(r, &ev);
        break;
    case SCEN_SHOW_NODE:
        give_node(r, &r->node[l->subject]);
        break;
    case SCEN_INSTANCE_STATE:
        reach_state(r, &r->instance[l->subject], (enum rc_instance_state)l->value);
        break;
    case SCEN_SLURMD_UP: {
        struct rc_scen_instance *i = &r->instance[l->subject];
        struct rc_scen_node *n = served_by(r, i);
        if (n && i->state == RC_INST_RUNNING) {
            n->boot_ms = rc_scen_wall_ms(r) - i->slurmd_takes_ms;
            rc_scen_agent_boots(n);
            rc_scen_slurmd_up(r, n);
        }
        break;
    }
    case SCEN_SLURMD_LOST:
        lose_slurmd(r, &r->node[l->subject]);
        break;
    case SCEN_REBOOTED:
        rebooted(r, &r->instance[l->subject]);
        break;
    case SCEN_JOB_END:
        rc_scen_job_end(r, l->value);
        break;
    case SCEN_COMPLETED:
        r->node[l->subject].completing = false;
        give_node(r, &r->node[l->subject]);
        break;
    case SCEN_SWEEP:
        sweep(r, RC_SWEEP_INSTANCES);
        break;
    case SCEN_STATUS_SWEEP:
        sweep(r, RC_SWEEP_STATUS);
        break;
    case SCEN_REDELIVER:
        rc_scen_deliver_message(r, l->subject);
        break;
    case SCEN_LOOKED:
        if (!r->ec2_away) {
            give_instance(r, &r->instance[l->subject], false);
            give_status(r, &r->instance[l->subject]);
        }
        ev.u.completion.error = r->ec2_away ? RC_E_UNREACHABLE : RC_OK;
        if (!r->ec2_away) {
            memcpy(ev.u.completion.instance, r->instance[l->subject].id, RC_ID_LEN);
            describe(&r->instance[l->subject], &ev.u.completion.launched);
        }
        rc_scen_give(r, &ev);
        break;
    case SCEN_HEADS:
        rc_scen_heads_happen(r, l);
        break;
    }
}

/* ---- the beginning ---- */

struct rc_scen_instance *
rc_scen_instance_begin(struct rc_scen_run *r, const char *id, const char *node, const char *addr)
{
    struct rc_scen_instance *i = &r->instance[r->instance_count++];

    rc_text_set(i->id, sizeof i->id, id);
    memcpy(i->host, i->id, sizeof i->host);
    rc_text_set(i->node, sizeof i->node, node);
    rc_text_set(i->addr, sizeof i->addr, addr);
    memcpy(i->subnet, r->story.cluster.group[0].option[0].subnet, sizeof i->subnet);
    i->state = RC_INST_RUNNING;
    i->launched_ms = rc_scen_wall_ms(r) - 86400000;
    i->boot_takes_ms = SCEN_BOOT_MS;
    i->slurmd_takes_ms = SCEN_SLURMD_MS;
    i->check[0] = i->check[1] = i->check[2] = RC_CHECK_OK;
    return i;
}

static void
begin_node(struct rc_scen_run *r, const char *name, unsigned number)
{
    struct rc_scen_node *n = &r->node[r->node_count++];
    char id[RC_ID_LEN];

    rc_text_set(n->name, sizeof n->name, name);
    snprintf(n->addr, sizeof n->addr, "10.0.%u.%u", number / 250, number % 250);
    n->owner = RC_OWNER_NONE;
    n->boot_ms = n->slurmd_ms = rc_scen_wall_ms(r) - 86400000;
    rc_scen_agent_boots(n);
    n->agent_news = false;
    snprintf(id, sizeof id, "i-%.28s", name);
    rc_scen_instance_begin(r, id, n->name, n->addr);
}

void
rc_scen_world_begin(struct rc_scen_run *r)
{
    const char *list = r->story.nodes, *open = strchr(list, '[');
    unsigned first = 1, last = 1;
    char name[RC_NODE_LEN * 2];

    if (open && sscanf(open, "[%u-%u]", &first, &last) != 2) {
        last = 0;
    }
    if (!open || last < first || last - first >= SCEN_NODES_MAX / 2) {
        rc_fail(&r->error, RC_E_PARSE, "%s: nodes=%s: expected PREFIX[FIRST-LAST], at most %d",
                r->story.file, list, SCEN_NODES_MAX / 2);
        return;
    }
    for (unsigned i = first; i <= last; i++) {
        snprintf(name, sizeof name, "%.*s%u", (int)(open - list), list, i);
        begin_node(r, name, i);
    }
    rc_scen_heads_begin(r);
    rc_scen_later_add(r, SCEN_SWEEP_MS, SCEN_SWEEP, 0, 0);
    rc_scen_later_add(r, SCEN_STATUS_MS, SCEN_STATUS_SWEEP, 0, 0);
}
