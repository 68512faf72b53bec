/* replay_world.c - see replay_world.h: tables, time, and what is shown. What is asked for
 * is in replay_world_act.c, what messages tell in replay_world_hear.c.
 *
 * Invariant: a later thing is done in order of (time, order of asking); an event given to
 * the core may ask for more, never for the past. */
#include "simulator/replay/replay_world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/replay/replay_world_private.h"
#include "simulator/world/slurm_conf_text.h"

enum { BUCKETS_FIRST = 1024 };

int64_t
rc_replay_world_now_ms(const struct rc_replay_world *w)
{
    return w->now_ms;
}

int64_t
rc_replay_world_wall_ms(const struct rc_replay_world *w)
{
    return w->now_ms + w->wall_offset_ms;
}

/* ---- what comes later ---- */

static bool
later_before(const struct rw_later *a, const struct rw_later *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

struct rw_later *
rc_rw_later(struct rc_replay_world *w, int64_t in_ms, enum rw_later_kind kind, uint32_t subject)
{
    struct rw_later l = {.at_ms = w->now_ms + (in_ms > 0 ? in_ms : 0),
                         .order = w->order++,
                         .kind = (uint32_t)kind,
                         .subject = subject};
    uint32_t at = w->later_count++;

    if (at == w->later_room) {
        w->later_room = w->later_room ? w->later_room * 2 : 256;
        w->later = realloc(w->later, w->later_room * sizeof *w->later);
        assert(w->later);
    }
    for (; at && later_before(&l, &w->later[(at - 1) / 2]); at = (at - 1) / 2) {
        w->later[at] = w->later[(at - 1) / 2];
    }
    w->later[at] = l;
    return &w->later[at];
}

static struct rw_later
later_pop(struct rc_replay_world *w)
{
    struct rw_later first = w->later[0], moved = w->later[--w->later_count];
    uint32_t at = 0;

    for (uint32_t child = 1; child < w->later_count; child = at * 2 + 1) {
        if (child + 1 < w->later_count && later_before(&w->later[child + 1], &w->later[child])) {
            child++;
        }
        if (!later_before(&w->later[child], &moved)) {
            break;
        }
        w->later[at] = w->later[child];
        at = child;
    }
    w->later[at] = moved;
    return first;
}

int64_t
rc_replay_world_next_ms(const struct rc_replay_world *w)
{
    return w->later_count ? w->later[0].at_ms : RC_NEVER;
}

/* ---- tables ---- */

static void
hang_id(struct rc_replay_world *w, uint32_t number)
{
    struct rw_instance *i = &w->instance[number - 1];
    uint32_t *bucket = &w->bucket[rc_hash_text(i->id) & (w->buckets - 1)];

    i->next = *bucket;
    *bucket = number;
}

static void
grow_buckets(struct rc_replay_world *w)
{
    w->buckets = w->buckets ? w->buckets * 2 : BUCKETS_FIRST;
    free(w->bucket);
    w->bucket = calloc(w->buckets, sizeof *w->bucket);
    assert(w->bucket);
    for (uint32_t n = 1; n <= w->instance_count; n++) {
        hang_id(w, n);
    }
}

struct rw_instance *
rc_rw_instance(struct rc_replay_world *w, const char *id)
{
    uint32_t n = w->bucket[rc_hash_text(id) & (w->buckets - 1)];

    while (n && strcmp(w->instance[n - 1].id, id) != 0) {
        n = w->instance[n - 1].next;
    }
    return n ? &w->instance[n - 1] : NULL;
}

uint32_t
rc_rw_number(const struct rc_replay_world *w, const struct rw_instance *i)
{
    return (uint32_t)(i - w->instance) + 1;
}

struct rw_instance *
rc_rw_instance_add(struct rc_replay_world *w, const char *id, uint32_t node)
{
    if (w->instance_count == w->instance_room) {
        w->instance_room = w->instance_room ? w->instance_room * 2 : 256;
        w->instance = realloc(w->instance, w->instance_room * sizeof *w->instance);
        assert(w->instance);
    }
    uint32_t number = ++w->instance_count;
    struct rw_instance *i = &w->instance[number - 1];
    memset(i, 0, sizeof *i);
    rc_text_set(i->id, sizeof i->id, id);
    snprintf(i->addr, sizeof i->addr, "10.%u.%u.%u", number >> 16 & 255, number >> 8 & 255,
             number & 255);
    i->node = node;
    if (node) {
        memcpy(i->tag, w->node[node - 1].name, sizeof i->tag);
    }
    i->system = i->instance = RC_CHECK_OK;
    i->launched_wall_ms = rc_replay_world_wall_ms(w);
    i->news = true;
    if (number > w->buckets) {
        grow_buckets(w);
    } else {
        hang_id(w, number);
    }
    return i;
}

struct rw_node *
rc_rw_node(struct rc_replay_world *w, const char *name)
{
    for (uint32_t n = 0; n < w->node_next; n++) {
        if (strcmp(w->node[n].name, name) == 0) {
            return &w->node[n];
        }
    }
    return NULL;
}

bool
rc_rw_serves(const struct rc_replay_world *w, const struct rw_instance *i)
{
    return i->node && strcmp(w->node[i->node - 1].addr, i->addr) == 0;
}

static bool
add_name(void *arg, uint32_t index, const char *name)
{
    struct rc_replay_world *w = arg;

    (void)index;
    if (w->node_count == w->node_room) {
        w->node_room = w->node_room ? w->node_room * 2 : 64;
        w->node = realloc(w->node, w->node_room * sizeof *w->node);
        assert(w->node);
    }
    memset(&w->node[w->node_count], 0, sizeof *w->node);
    return rc_text_set(w->node[w->node_count++].name, RC_NODE_LEN, name);
}

struct rc_replay_world *
rc_replay_world_new(const struct rc_cluster *cluster, int64_t now_ms, int64_t wall_ms,
                    rc_replay_give *give, void *arg)
{
    struct rc_replay_world *w = calloc(1, sizeof *w);

    assert(w);
    w->cluster = cluster;
    w->now_ms = now_ms;
    w->wall_offset_ms = wall_ms - now_ms;
    w->give = give;
    w->arg = arg;
    w->buckets = BUCKETS_FIRST;
    w->bucket = calloc(w->buckets, sizeof *w->bucket);
    assert(w->bucket);
    for (uint32_t g = 0; g < cluster->group_count; g++) {
        if (!rc_hosts_each(cluster->group[g].nodes, add_name, w)) {
            rc_replay_world_free(w);
            return NULL;
        }
    }
    return w;
}

void
rc_replay_world_free(struct rc_replay_world *w)
{
    if (!w) {
        return;
    }
    for (uint32_t i = 0; i < w->later_count; i++) {
        free(w->later[i].ev);
    }
    free(w->later);
    free(w->node);
    free(w->instance);
    free(w->bucket);
    free(w);
}

/* ---- what is shown ---- */

void
rc_rw_show_node(struct rc_replay_world *w, const struct rw_node *n)
{
    struct rc_event ev;
    struct rc_ev_slurm_node *sn = &ev.u.slurm;

    rc_event_init(&ev, RC_EV_SLURM_NODE);
    memcpy(ev.node, n->name, sizeof ev.node);
    sn->flags = (n->drain ? (uint32_t)RC_SN_DRAIN : 0U) | (n->down ? (uint32_t)RC_SN_DOWN : 0U) |
                (n->silent ? (uint32_t)RC_SN_NOT_RESPONDING : 0U);
    sn->owner = n->owner;
    if (n->owner == RC_OWNER_OURS) { /* "rc:12 …" */
        sn->reason_incident = (uint32_t)strtoul(n->reason + 3, NULL, 10);
    }
    sn->cpus = 96;
    sn->boot_wall_ms = n->boot_wall_ms;
    sn->slurmd_start_wall_ms = n->slurmd_wall_ms;
    memcpy(sn->addr, n->addr, sizeof sn->addr);
    rc_text_set(sn->partition, sizeof sn->partition, "gpu");
    memcpy(sn->reason, n->reason, sizeof sn->reason);
    w->give(w->arg, &ev);
}

void
rc_rw_show_instance(struct rc_replay_world *w, struct rw_instance *i)
{
    struct rc_event ev;
    struct rc_ev_instance *d = &ev.u.described;

    i->news = false;
    rc_event_init(&ev, RC_EV_INSTANCE);
    memcpy(ev.instance, i->id, sizeof ev.instance);
    d->launched_wall_ms = i->launched_wall_ms;
    d->state = i->state;
    d->ours = *i->tag != '\0';
    d->tag_incident = i->incident;
    d->tag_attempt = i->attempt;
    memcpy(d->node, i->tag, sizeof d->node);
    if (i->state == RC_INST_PENDING || i->state == RC_INST_RUNNING) {
        memcpy(d->addr, i->addr, sizeof d->addr);
    }
    memcpy(d->subnet, i->subnet, sizeof d->subnet);
    memcpy(d->az, i->az, sizeof d->az);
    rc_text_set(d->type, sizeof d->type, "p4d.24xlarge");
    w->give(w->arg, &ev);
}

void
rc_rw_show_status(struct rc_replay_world *w, struct rw_instance *i)
{
    struct rc_event ev;

    if (!i->status_news || i->state != RC_INST_RUNNING) {
        return;
    }
    i->status_news = false;
    rc_event_init(&ev, RC_EV_INSTANCE_STATUS);
    memcpy(ev.instance, i->id, sizeof ev.instance);
    ev.u.status.state = i->state;
    ev.u.status.system = i->system;
    ev.u.status.instance = i->instance;
    ev.u.status.ebs = RC_CHECK_OK;
    ev.u.status.schedule = i->schedule;
    ev.u.status.not_before_wall_ms = i->not_before_wall_ms;
    rc_text_set(ev.code, sizeof ev.code, i->schedule ? "instance-status" : "");
    w->give(w->arg, &ev);
}

static void
show_absent(struct rc_replay_world *w, struct rw_instance *i)
{
    struct rc_event ev;

    i->told_absent = true;
    rc_event_init(&ev, RC_EV_INSTANCE);
    memcpy(ev.instance, i->id, sizeof ev.instance);
    ev.u.described.absent = 1;
    w->give(w->arg, &ev);
}

static void
end_sweep(struct rc_replay_world *w, enum rc_sweep which)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_SWEEP);
    ev.u.sweep.which = (uint32_t)which;
    ev.u.sweep.complete = 1;
    ev.u.sweep.seen = w->instance_count;
    w->give(w->arg, &ev);
}

/* Instances may be added while the core is told of others: by number, not by pointer. */
static void
sweep_world(struct rc_replay_world *w)
{
    w->is_watching = false;
    for (uint32_t n = 0; n < w->instance_count; n++) {
        struct rw_instance *i = &w->instance[n];
        bool gone = i->state == RC_INST_TERMINATED &&
                    rc_replay_world_wall_ms(w) - i->ended_wall_ms >= RW_LISTED_MS;
        if (gone && !i->told_absent && *i->tag) {
            show_absent(w, i);
        } else if (!gone && i->news && *i->tag) {
            rc_rw_show_instance(w, i);
        }
        if (*w->instance[n].tag) {
            rc_rw_show_status(w, &w->instance[n]);
        }
    }
    end_sweep(w, RC_SWEEP_INSTANCES);
    end_sweep(w, RC_SWEEP_STATUS);
}

void
rc_replay_world_watch(struct rc_replay_world *w, const struct rc_state *s)
{
    if (s->open_incidents && !w->is_watching) {
        w->is_watching = true;
        rc_rw_later(w, RW_SWEEP_MS, RW_SWEEP, 0);
    }
}

/* ---- what happens ---- */

void
rc_rw_turn(struct rc_replay_world *w, struct rw_instance *i, enum rc_instance_state state)
{
    if (i->state == (uint32_t)state) {
        return;
    }
    i->state = (uint32_t)state;
    i->news = true;
    if (state == RC_INST_TERMINATED) {
        i->ended_wall_ms = rc_replay_world_wall_ms(w);
    }
    if (state == RC_INST_RUNNING && rc_rw_serves(w, i)) {
        rc_rw_later(w, RW_SLURMD_MS, RW_SLURMD, rc_rw_number(w, i));
    } else if (state > RC_INST_RUNNING && rc_rw_serves(w, i)) {
        rc_rw_later(w, RW_SILENT_MS, RW_LOST, i->node);
    }
}

static void
slurmd_up(struct rc_replay_world *w, struct rw_instance *i)
{
    struct rw_node *n = rc_rw_serves(w, i) ? &w->node[i->node - 1] : NULL;

    if (!n || i->state != RC_INST_RUNNING) {
        return;
    }
    n->silent = false;
    n->instance = rc_rw_number(w, i);
    n->slurmd_wall_ms = n->boot_wall_ms = rc_replay_world_wall_ms(w);
    if (n->owner == RC_OWNER_SLURM) { /* ReturnToService */
        n->down = false;
        n->owner = RC_OWNER_NONE;
        n->reason[0] = '\0';
    }
    rc_rw_show_node(w, n);
}

static void
slurmd_lost(struct rc_replay_world *w, uint32_t number)
{
    struct rw_node *n = &w->node[number - 1];
    const struct rw_instance *i = n->instance ? &w->instance[n->instance - 1] : NULL;

    if (i && rc_rw_serves(w, i) && i->state == RC_INST_RUNNING) {
        return; /* another one has come, or it is back */
    }
    n->silent = n->down = true;
    if (n->owner == RC_OWNER_NONE) {
        n->owner = RC_OWNER_SLURM;
        rc_text_set(n->reason, sizeof n->reason, "Not responding");
    }
    rc_rw_show_node(w, n);
}

static void
come_to_state(struct rc_replay_world *w, struct rw_instance *i, enum rc_instance_state state)
{
    bool from_pending = state == RC_INST_RUNNING && i->state == RC_INST_PENDING;
    bool stops = state == RC_INST_STOPPED && i->state == RC_INST_STOPPING;
    bool ends = state == RC_INST_TERMINATED && i->state == RC_INST_SHUTTING_DOWN;
    bool taken = (state == RC_INST_SHUTTING_DOWN || state == RC_INST_STOPPING) &&
                 (i->state == RC_INST_PENDING || i->state == RC_INST_RUNNING);

    if (from_pending || stops || ends || taken) {
        rc_rw_turn(w, i, state);
    }
    if (taken) {
        bool stop = state == RC_INST_STOPPING;
        rc_rw_later(w, RW_END_MS, RW_STATE, rc_rw_number(w, i))->value =
            stop ? RC_INST_STOPPED : RC_INST_TERMINATED;
    }
}

static void
mend(struct rw_instance *i)
{
    i->faults -= i->faults > 0;
    if (!i->faults) {
        i->system = i->instance = RC_CHECK_OK;
        i->status_news = true;
    }
}

static void
happen_to_instance(struct rc_replay_world *w, const struct rw_later *l)
{
    assert(l->subject > 0);
    struct rw_instance *i = &w->instance[l->subject - 1];

    switch ((enum rw_later_kind)l->kind) {
    case RW_LOOKED:
        rc_rw_show_instance(w, i);
        w->instance[l->subject - 1].status_news = true;
        rc_rw_show_status(w, &w->instance[l->subject - 1]);
        w->give(w->arg, l->ev);
        break;
    case RW_STATE:
        come_to_state(w, i, (enum rc_instance_state)l->value);
        break;
    case RW_SLURMD:
        slurmd_up(w, i);
        break;
    case RW_REBOOTED:
        i->instance = RC_CHECK_OK;
        i->status_news = true;
        slurmd_up(w, i);
        break;
    case RW_MEND:
        mend(i);
        break;
    case RW_ANSWER:
    case RW_SHOW:
    case RW_LOST:
    case RW_SWEEP:
        break;
    }
}

static void
happen(struct rc_replay_world *w, const struct rw_later *l)
{
    switch ((enum rw_later_kind)l->kind) {
    case RW_ANSWER:
        w->give(w->arg, l->ev);
        break;
    case RW_SHOW:
        rc_rw_show_node(w, &w->node[l->subject - 1]);
        break;
    case RW_LOST:
        slurmd_lost(w, l->subject);
        break;
    case RW_SWEEP:
        sweep_world(w);
        break;
    case RW_LOOKED:
    case RW_STATE:
    case RW_SLURMD:
    case RW_REBOOTED:
    case RW_MEND:
        happen_to_instance(w, l);
        break;
    }
}

void
rc_replay_world_go(struct rc_replay_world *w, int64_t now_ms)
{
    w->now_ms = now_ms > w->now_ms ? now_ms : w->now_ms;
    if (rc_replay_world_next_ms(w) <= w->now_ms) {
        struct rw_later l = later_pop(w);
        happen(w, &l);
        free(l.ev);
    }
}
