/* replay_world_act.c - the obliging world carries actions out; see replay_world.h. An
 * effect comes at once or later, its answer after a fixed time. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/replay/replay_world_private.h"

/* Nobody else wants it, and its renewals would be most of what happens in a year. */
enum { LEASE_MS = 24 * 3600 * 1000 };

static enum rc_err
mark_row(struct rc_replay_world *w, const struct rc_action *a)
{
    struct rw_node *n = rc_rw_node(w, a->node);

    if (!n) {
        return RC_E_NOT_FOUND;
    }
    if (a->kind == RC_ACT_RESUME) {
        n->drain = n->down = false;
        n->owner = RC_OWNER_NONE;
        n->reason[0] = '\0';
    } else {
        n->drain = true;
        n->down |= a->kind == RC_ACT_DOWN;
        n->owner = RC_OWNER_OURS;
        memcpy(n->reason, a->text, sizeof n->reason);
    }
    rc_rw_later(w, RW_SHOW_MS, RW_SHOW, (uint32_t)(n - w->node) + 1);
    return RC_OK;
}

static struct rw_instance *
launched_before(struct rc_replay_world *w, const char *token)
{
    for (uint32_t k = w->instance_count; k-- > 0;) {
        if (strcmp(w->instance[k].token, token) == 0) {
            return &w->instance[k];
        }
    }
    return NULL;
}

static enum rc_err
launch_obliging(struct rc_replay_world *w, const struct rc_action *a, struct rc_event *ev)
{
    const struct rw_node *n = rc_rw_node(w, a->node);
    const struct rc_launch_option *o =
        &rc_cluster_group(w->cluster, a->u.launch.group)->option[a->u.launch.option];
    struct rw_instance *i = launched_before(w, a->u.launch.token);
    bool spare = strncmp(a->node, "spare/", 6) == 0;
    char id[RC_ID_LEN];

    if (!n && !spare) {
        return RC_E_INVALID;
    }
    if (!i) {
        snprintf(id, sizeof id, "i-new-%u", ++w->launched);
        i = rc_rw_instance_add(w, id, n ? (uint32_t)(n - w->node) + 1 : 0);
        memcpy(i->tag, a->node, sizeof i->tag);
        i->was_spare = spare;
        memcpy(i->token, a->u.launch.token, sizeof i->token);
        memcpy(i->subnet, o->subnet, sizeof i->subnet);
        memcpy(i->az, o->az, sizeof i->az);
        i->state = RC_INST_PENDING;
        i->incident = a->incident;
        i->attempt = a->u.launch.attempt;
        rc_rw_later(w, RW_BOOT_MS, RW_STATE, rc_rw_number(w, i))->value = RC_INST_RUNNING;
    }
    struct rc_ev_completion *c = &ev->u.completion;
    memcpy(c->instance, i->id, sizeof c->instance);
    c->launched.launched_wall_ms = i->launched_wall_ms;
    c->launched.state = i->state;
    c->launched.ours = 1;
    c->launched.tag_incident = i->incident;
    c->launched.tag_attempt = i->attempt;
    memcpy(c->launched.node, i->tag, sizeof c->launched.node);
    memcpy(c->launched.addr, i->addr, sizeof c->launched.addr);
    memcpy(c->launched.subnet, i->subnet, sizeof c->launched.subnet);
    memcpy(c->launched.az, i->az, sizeof c->launched.az);
    rc_text_set(c->launched.type, RC_TYPE_LEN, "p4d.24xlarge");
    return RC_OK;
}

/* A spare gets its name by its tags. */
static enum rc_err
tag_spare(struct rc_replay_world *w, const struct rc_action *a)
{
    const struct rw_node *n = rc_rw_node(w, a->node);
    struct rw_instance *i = rc_rw_instance(w, a->instance);

    if (!n || !i || i->state > RC_INST_RUNNING) {
        return RC_E_NOT_FOUND;
    }
    i->node = (uint32_t)(n - w->node) + 1;
    memcpy(i->tag, n->name, sizeof i->tag);
    i->incident = a->incident;
    i->attempt = a->u.launch.attempt;
    i->news = true;
    return RC_OK;
}

static enum rc_err
turn_power(struct rc_replay_world *w, const struct rc_action *a)
{
    struct rw_instance *i = rc_rw_instance(w, a->instance);
    uint32_t number = i ? rc_rw_number(w, i) : 0;

    if (!i) {
        return RC_E_NOT_FOUND;
    }
    if (a->kind == RC_ACT_START) {
        if (i->state != RC_INST_STOPPED) {
            return RC_E_STATE;
        }
        rc_rw_turn(w, i, RC_INST_PENDING);
        i->system = i->instance = i->faults ? RC_CHECK_IMPAIRED : RC_CHECK_OK;
        i->status_news = true;
        rc_rw_later(w, RW_BOOT_MS, RW_STATE, number)->value = RC_INST_RUNNING;
    } else if (a->kind == RC_ACT_REBOOT) {
        rc_rw_later(w, RW_REBOOT_MS, RW_REBOOTED, number);
    } else if (a->kind == RC_ACT_STOP) {
        rc_rw_turn(w, i, RC_INST_STOPPING);
        rc_rw_later(w, RW_END_MS, RW_STATE, number)->value = RC_INST_STOPPED;
    } else if (i->state != RC_INST_TERMINATED) {
        rc_rw_turn(w, i, RC_INST_SHUTTING_DOWN);
        rc_rw_later(w, RW_END_MS, RW_STATE, number)->value = RC_INST_TERMINATED;
    }
    return RC_OK;
}

static enum rc_err
register_node(struct rc_replay_world *w, const struct rc_action *a)
{
    struct rw_node *n = rc_rw_node(w, a->node);
    const struct rw_instance *i = rc_rw_instance(w, a->instance);

    if (!n || !i) {
        return RC_E_NOT_FOUND;
    }
    memcpy(n->addr, a->u.reg.addr, sizeof n->addr);
    n->instance = rc_rw_number(w, i);
    n->silent = true;
    rc_rw_later(w, RW_REGISTER_MS + RW_SHOW_MS, RW_SHOW, (uint32_t)(n - w->node) + 1);
    if (i->state == RC_INST_RUNNING) {
        rc_rw_later(w, RW_REGISTER_MS + (i->was_spare ? RW_SPARE_SLURMD_MS : RW_SLURMD_MS),
                    RW_SLURMD, n->instance);
    }
    return RC_OK;
}

static enum rc_err
judge_instance(struct rc_replay_world *w, const struct rc_action *a)
{
    const struct rw_node *n = rc_rw_node(w, a->node);
    const struct rw_instance *i = n && n->instance ? &w->instance[n->instance - 1] : NULL;

    return i && i->faults ? RC_E_UNHEALTHY : RC_OK;
}

/* The effect; how long until its answer. */
static enum rc_err
oblige(struct rc_replay_world *w, const struct rc_action *a, struct rc_event *ev, int64_t *ret_ms)
{
    switch (a->kind) {
    case RC_ACT_DRAIN:
    case RC_ACT_DOWN:
    case RC_ACT_RESUME:
        *ret_ms = RW_SLURM_MS;
        return mark_row(w, a);
    case RC_ACT_LAUNCH:
        *ret_ms = RW_LAUNCH_MS;
        return launch_obliging(w, a, ev);
    case RC_ACT_ASSIGN:
        *ret_ms = RW_EC2_MS;
        return tag_spare(w, a);
    case RC_ACT_TERMINATE:
    case RC_ACT_STOP:
    case RC_ACT_START:
    case RC_ACT_REBOOT:
        *ret_ms = RW_EC2_MS;
        return turn_power(w, a);
    case RC_ACT_REGISTER:
        *ret_ms = RW_REGISTER_MS;
        return register_node(w, a);
    case RC_ACT_GATE:
        *ret_ms = RW_GATE_MS;
        return judge_instance(w, a);
    default: /* what has no effect here is answered well */
        *ret_ms = RW_STORE_MS;
        return RC_OK;
    }
}

static struct rc_event *
new_answer(enum rc_event_kind kind)
{
    struct rc_event *ev = malloc(sizeof *ev);

    assert(ev);
    rc_event_init(ev, kind);
    return ev;
}

static void
grant_lease(struct rc_replay_world *w)
{
    struct rc_event *ev = new_answer(RC_EV_LEASE);

    ev->u.lease.held = 1;
    ev->u.lease.epoch = 1;
    ev->u.lease.until_ms = w->now_ms + LEASE_MS;
    rc_rw_later(w, 0, RW_ANSWER, 0)->ev = ev;
}

void
rc_replay_world_act(struct rc_replay_world *w, const struct rc_action *a)
{
    int64_t in_ms;

    if (a->kind == RC_ACT_LEASE) {
        grant_lease(w);
        return;
    }
    if (a->kind == RC_ACT_TELL || a->kind == RC_ACT_MESSAGE_DELETE || a->kind == RC_ACT_FAILOVER) {
        return; /* no completion */
    }
    struct rc_event *ev = new_answer(RC_EV_COMPLETION);
    ev->u.completion.action = a->id;
    if (a->kind == RC_ACT_LOOK) {
        const struct rw_instance *i = rc_rw_instance(w, a->instance);
        ev->u.completion.error = i ? RC_OK : RC_E_NOT_FOUND;
        rc_rw_later(w, RW_EC2_MS, i ? RW_LOOKED : RW_ANSWER, i ? rc_rw_number(w, i) : 0)->ev = ev;
        return;
    }
    ev->u.completion.error = (uint32_t)oblige(w, a, ev, &in_ms);
    rc_rw_later(w, in_ms, RW_ANSWER, 0)->ev = ev;
}
