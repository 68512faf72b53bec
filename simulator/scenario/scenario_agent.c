/* scenario_agent.c - "agent …" lines: what nodewatch on a node finds. A fault of the node
 * drains it under our marker with incident 0; one of the job is only told. The list is of
 * one boot: a reboot, or another instance, begins it anew. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/classes.h"
#include "simulator/scenario/scenario_world.h"

static bool
reject_agent(char *why, size_t room, const char *expected, const char *got)
{
    snprintf(why, room, "expected %s, got \"%.40s\"", expected, got);
    return false;
}

static void
take_out(struct rc_scen_node *n, const char *class_name)
{
    struct rc_ev_node_faults *l = &n->agent;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < l->count; i++) {
        if (*class_name && strcmp(l->v[i].class_name, class_name) != 0) {
            l->v[kept++] = l->v[i];
        }
    }
    memset(&l->v[kept], 0, (l->count - kept) * sizeof l->v[0]);
    l->count = kept;
}

/* The latest first; the oldest falls out. */
static void
put_in(const struct rc_scen_run *r, struct rc_scen_node *n, const struct rc_node_fault *f)
{
    struct rc_ev_node_faults *l = &n->agent;
    uint32_t at = 0;

    while (at < l->count && (strcmp(l->v[at].class_name, f->class_name) != 0 ||
                             strcmp(l->v[at].device, f->device) != 0)) {
        at++;
    }
    uint32_t before = at < l->count ? l->v[at].times : 0;
    if (at == l->count && l->count < RC_NODE_FAULTS_MAX) {
        l->count++;
    }
    at -= at == RC_NODE_FAULTS_MAX;
    memmove(&l->v[1], &l->v[0], at * sizeof l->v[0]);
    l->v[0] = *f;
    l->v[0].times += before;
    l->v[0].last_wall_ms = rc_scen_wall_ms(r);
    l->v[0].job = n->job;
}

static void
drain(struct rc_scen_node *n, const struct rc_node_fault *f)
{
    char boot[RC_BOOT_LEN];

    if (n->drain && n->owner != RC_OWNER_NONE) {
        return; /* drained already, by whomever */
    }
    memcpy(boot, n->agent.boot, sizeof boot);
    n->drain = true;
    n->owner = RC_OWNER_OURS;
    snprintf(n->reason, sizeof n->reason, "rc:0 %s%s%s boot=%s", f->class_name,
             *f->device ? " " : "", f->device, boot);
}

void
rc_scen_agent_boots(struct rc_scen_node *n)
{
    n->boots++;
    memset(&n->agent, 0, sizeof n->agent);
    unsigned boots = n->boots;
    snprintf(n->agent.boot, sizeof n->agent.boot, "%08x", boots);
    n->agent_news = true;
}

/* What means nothing to the daemon is no reason for a drain: a name that was mistaken, and a
 * story of something else. New Xids come with drivers. */
static bool
is_drained_for(const char *class_name)
{
    return rc_class_of(class_name).fault != RC_FAULT_NONE || strncmp(class_name, "xid:", 4) == 0 ||
           strncmp(class_name, "sxid:", 5) == 0;
}

/* "agent gpu-[1-4] drains xid:79 0000:10:1c x3", "agent gpu-2 clears fs:stuck" */
bool
rc_scen_agent(struct rc_scen_run *r, char *const *v, unsigned count, char *why, size_t room)
{
    bool drains = strcmp(v[1], "drains") == 0, clears = strcmp(v[1], "clears") == 0;
    struct rc_node_fault f = {.times = 1, .guilty = drains};
    unsigned found = 0;

    if (!drains && !clears && strcmp(v[1], "tells") != 0) {
        return reject_agent(why, room, "drains, tells or clears", v[1]);
    }
    if ((!clears && count < 3) || (count > 2 && !rc_text_set(f.class_name, RC_CLASS_LEN, v[2]))) {
        return reject_agent(why, room, "a class such as xid:79", count > 2 ? v[2] : "");
    }
    if (drains && !is_drained_for(f.class_name)) {
        return reject_agent(why, room, "a class that nodewatch drains for, such as xid:79", v[2]);
    }
    if (*f.class_name && !rc_class_has_row(f.class_name)) {
        return reject_agent(
            why, room, "a class of those in docs/scenarios.md, such as xid:79 or fs:stuck", v[2]);
    }
    for (unsigned i = 3; i < count; i++) {
        char *end = NULL;
        unsigned long times = *v[i] == 'x' ? strtoul(v[i] + 1, &end, 10) : 0;
        if (end && !*end && times) {
            f.times = (uint32_t)times;
        } else if (!rc_text_set(f.device, RC_DEVICE_LEN, v[i])) {
            return reject_agent(why, room, "a device", v[i]);
        }
    }
    for (unsigned i = 0; i < r->node_count; i++) {
        struct rc_scen_node *n = &r->node[i];
        if (!rc_hostlist_has(v[0], n->name)) {
            continue;
        }
        found++;
        if (clears) {
            take_out(n, f.class_name);
        } else {
            put_in(r, n, &f);
        }
        if (drains) {
            drain(n, &f);
        }
        n->agent_news = true;
        rc_scen_show_node_later(r, n, SCEN_SLURM_SHOW_MS);
    }
    return found ? true : reject_agent(why, room, "nodes of the cluster", v[0]);
}

void
rc_scen_agent_show(struct rc_scen_run *r, struct rc_scen_node *n)
{
    struct rc_event ev;

    if (!n->agent_news) {
        return;
    }
    n->agent_news = false;
    rc_event_init(&ev, RC_EV_NODE_FAULTS);
    memcpy(ev.node, n->name, sizeof ev.node);
    ev.u.faults = n->agent;
    for (uint32_t i = 0; i < n->agent.count; i++) {
        const struct rc_node_fault *f = &n->agent.v[i];
        rc_scen_say(r, '~', "agent: %s %s %s%s%s x%u", n->name, f->guilty ? "drains for" : "tells",
                    f->class_name, *f->device ? " " : "", f->device, f->times);
    }
    rc_scen_give(r, &ev);
}
