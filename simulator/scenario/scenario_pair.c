/* scenario_pair.c - the two controllers of a story: hosts with a slurmctld each, the link
 * between their daemons, and what the leading daemon sees of them.
 *
 * Truth and sight are kept apart: `head` is how it is, heads_look() tells the core what
 * changed, as late as a daemon would notice. Rules of slurmctld as measured: the first
 * controller is active whenever it runs; the other one starts as standby and becomes active
 * by a take-over request alone; a hung one that wakes up goes on as what it was.
 *
 * Invariant that the story shows: two that may write at once is a line with "!", and the
 * end counts the most writers that there ever were. */
#define _GNU_SOURCE
#include "simulator/scenario/scenario_world.h"

#include <stdio.h>
#include <string.h>

enum {
    LOOK_MS = 200,          /* a change is noticed */
    SILENT_MS = 2000,       /* a question without an answer counts */
    LINK_MS = 3000,         /* a daemon without a word */
    FIRST_ACTIVE_MS = 1000, /* the first controller, once started */
    NO_ANSWER_MS = 30000,   /* when it asks an active one that does not answer to step back */
    TAKEOVER_MS = 2500,
    ORDER_MS = 300, /* fence, start: by the daemon there */
    SAVE_MS = 2000, /* a slurmctld that was asked to end saves its state */
};

/* Which later look, or which activation, a row of the world's list is. */
enum { HEADS_LOOK, HEADS_ACTIVE, HEADS_LOOK_ANEW };

static const uint32_t no_view = RC_CTL__MAX;

static uint32_t
head_index(const struct rc_scen_run *r, const char *name)
{
    uint32_t i = 0;

    while (i < r->head_count && strcmp(r->head[i].name, name) != 0) {
        i++;
    }
    return i;
}

bool
rc_scen_is_head(const struct rc_scen_run *r, const char *name)
{
    return head_index(r, name) < r->head_count;
}

static bool
may_write(const struct rc_scen_head *h)
{
    return h->up && h->active && h->process != RC_PROC_NONE;
}

static bool
reaches_head(const struct rc_scen_run *r, uint32_t from, uint32_t to)
{
    return from == to || (!r->heads_cut && r->head[to].up);
}

/* The daemon played here reaches_head a slurmctld that serves. */
static bool
has_server(const struct rc_scen_run *r)
{
    for (uint32_t i = 0; i < r->head_count; i++) {
        if (may_write(&r->head[i]) && r->head[i].process == RC_PROC_RUNS &&
            reaches_head(r, r->self, i)) {
            return true;
        }
    }
    return !r->head_count;
}

/* Something is different: it is noticed at once, and when a silence counts. */
static void
heads_changed(struct rc_scen_run *r)
{
    static const int64_t after_ms[] = {LOOK_MS, SILENT_MS + LOOK_MS, LINK_MS + LOOK_MS};
    unsigned writers = 0;

    for (uint32_t i = 0; i < r->head_count; i++) {
        writers += may_write(&r->head[i]);
    }
    if (writers > 1 && r->writers_now < 2) {
        rc_scen_say(r, '!', "two slurmctld may write to the state directory");
    }
    r->writers_now = writers;
    r->writers_most = writers > r->writers_most ? writers : r->writers_most;
    for (size_t k = 0; k < sizeof after_ms / sizeof after_ms[0]; k++) {
        rc_scen_later_add(r, after_ms[k], SCEN_HEADS, 0, HEADS_LOOK);
    }
}

/* ---- slurmctld ---- */

static void
head_becomes(struct rc_scen_run *r, struct rc_scen_head *h, bool active)
{
    if (h->active != active) {
        rc_scen_say(r, '~', "%s: slurmctld is %s", h->name, active ? "active" : "not active");
    }
    h->active = active;
}

static void
end_slurmctld(struct rc_scen_run *r, struct rc_scen_head *h, const char *why)
{
    if (h->process != RC_PROC_NONE) {
        rc_scen_say(r, '~', "%s: slurmctld is gone (%s)", h->name, why);
    }
    h->process = RC_PROC_NONE;
    h->active = false;
    h->asked = 0;
}

/* As its unit starts it: only where it may. */
static void
start_slurmctld(struct rc_scen_run *r, uint32_t i)
{
    struct rc_scen_head *h = &r->head[i];

    if (!h->up || h->process != RC_PROC_NONE || h->fenced || (i == 0 && !h->allowed)) {
        return;
    }
    h->process = RC_PROC_RUNS;
    h->since_ms = r->now_ms;
    rc_scen_say(r, '~', "%s: slurmctld starts%s", h->name, i ? " as standby" : "");
    if (i == 0) {
        const struct rc_scen_head *other = &r->head[1];
        bool silent =
            may_write(other) && (other->process != RC_PROC_RUNS || !reaches_head(r, 0, 1));
        h->asked = ++r->head_asked;
        rc_scen_later_add(r, silent ? NO_ANSWER_MS : FIRST_ACTIVE_MS, SCEN_HEADS, h->asked,
                          HEADS_ACTIVE);
    }
    heads_changed(r);
}

/* The moment has come for the one that was asked to be active. */
static void
activate(struct rc_scen_run *r, uint32_t asked)
{
    for (uint32_t i = 0; i < r->head_count; i++) {
        struct rc_scen_head *h = &r->head[i], *other = &r->head[1 - i];

        if (h->asked != asked || h->process != RC_PROC_RUNS) {
            continue;
        }
        h->asked = 0;
        if (other->active && other->process == RC_PROC_RUNS && reaches_head(r, i, 1 - i)) {
            if (i == 0) {
                head_becomes(r, other, false);
            } else {
                end_slurmctld(r, other, "told to shut down");
            }
        }
        head_becomes(r, h, true);
        heads_changed(r);
    }
}

/* ---- hosts ---- */

static void
controller_dies(struct rc_scen_run *r, uint32_t i)
{
    struct rc_scen_head *h = &r->head[i];

    if (!h->up) {
        return;
    }
    rc_scen_say(r, '~', "%s: the host is dead", h->name);
    end_slurmctld(r, h, "with its host");
    h->up = h->allowed = false;
    h->down_ms = r->now_ms;
    heads_changed(r);
    if (i == r->self) {
        rc_scen_say(r, '~', "%s: the daemon there goes on when the lease has run out",
                    r->head[1 - i].name);
        rc_scen_daemon_end(r, false);
    }
}

static void
head_boots(struct rc_scen_run *r, uint32_t i)
{
    struct rc_scen_head *h = &r->head[i];

    if (h->up) {
        return;
    }
    rc_scen_say(r, '~', "%s: the host boots", h->name);
    h->up = true;
    start_slurmctld(r, i);
    heads_changed(r);
}

void
rc_scen_head_power(struct rc_scen_run *r, const struct rc_scen_instance *inst)
{
    uint32_t i = head_index(r, inst->node);

    if (i >= r->head_count || strcmp(r->head[i].addr, inst->addr) != 0) {
        return;
    }
    if (inst->state == RC_INST_RUNNING) {
        head_boots(r, i);
    } else if (inst->state > RC_INST_RUNNING) {
        controller_dies(r, i);
    }
}

/* slurm.conf names another address: whoever has it is that controller now. */
enum rc_err
rc_scen_head_address(struct rc_scen_run *r, const struct rc_action *a)
{
    struct rc_scen_head *h = &r->head[head_index(r, a->node)];
    struct rc_scen_instance *inst = rc_scen_instance_named(r, a->instance);

    if (!inst) {
        return RC_E_NOT_FOUND;
    }
    memcpy(h->addr, a->u.reg.addr, sizeof h->addr);
    memcpy(h->instance, a->instance, sizeof h->instance);
    h->dir = RC_DIR_OK; /* another machine, another mount */
    h->munge_dead = h->fenced = false;
    rc_scen_head_power(r, inst);
    heads_changed(r);
    return RC_OK;
}

/* ---- what the leading daemon sees ---- */

static uint32_t
seen_mode(const struct rc_scen_run *r, uint32_t eye, uint32_t i)
{
    const struct rc_scen_head *h = &r->head[i];

    if (!reaches_head(r, eye, i)) {
        return RC_CTL_UNREACHABLE;
    }
    if (h->process == RC_PROC_NONE) {
        return RC_CTL_REFUSED;
    }
    if (h->process != RC_PROC_RUNS || (i == 0 && !h->active)) {
        return r->now_ms - h->since_ms < SILENT_MS ? no_view : RC_CTL_SILENT;
    }
    return h->active ? RC_CTL_PRIMARY : RC_CTL_STANDBY;
}

static void
show_head_mode(struct rc_scen_run *r, uint32_t i, uint32_t mode, bool by_peer)
{
    struct rc_event ev;
    uint32_t *shown = &r->head_mode[by_peer][i];

    if (mode == no_view || *shown == mode + 1) {
        return;
    }
    *shown = mode + 1;
    rc_event_init(&ev, RC_EV_CONTROLLER_PROBE);
    memcpy(ev.node, r->head[i].name, sizeof ev.node);
    ev.u.probe.mode = mode;
    ev.u.probe.by_peer = by_peer;
    ev.u.probe.age_ms = mode == RC_CTL_SILENT ? SILENT_MS : 0;
    memcpy(ev.u.probe.addr, r->head[i].addr, sizeof ev.u.probe.addr);
    rc_scen_give(r, &ev);
}

static void
show_head_host(struct rc_scen_run *r, uint32_t i)
{
    const struct rc_scen_head *h = &r->head[i];
    bool there = reaches_head(r, r->self, i);
    int64_t gone_ms = h->up ? r->cut_ms : h->down_ms;
    struct rc_ev_controller_host told = {.link = RC_TOLD_NO};
    struct rc_event ev;

    if (!there && r->now_ms - gone_ms < LINK_MS) {
        return;
    }
    if (there) {
        told.link = RC_TOLD_YES;
        told.process = h->process;
        told.fenced = h->fenced ? RC_TOLD_YES : RC_TOLD_NO;
        told.dir = h->dir;
        told.munge = h->munge_dead ? RC_TOLD_NO : RC_TOLD_YES;
    }
    if (memcmp(&told, &r->head_host[i], sizeof told) == 0) {
        return;
    }
    r->head_host[i] = told;
    rc_event_init(&ev, RC_EV_CONTROLLER_HOST);
    memcpy(ev.node, h->name, sizeof ev.node);
    if (there) {
        memcpy(ev.instance, h->instance, sizeof ev.instance);
    } else {
        memset(r->head_mode[1], 0, sizeof r->head_mode[1]);
    }
    ev.u.controller = told;
    rc_scen_give(r, &ev);
}

static void
heads_look(struct rc_scen_run *r)
{
    uint32_t peer = 1 - r->self;

    if (r->heads_epoch != r->s->lease_epoch) { /* all is told anew */
        r->heads_epoch = r->s->lease_epoch;
        memset(r->head_mode, 0, sizeof r->head_mode);
    }
    for (uint32_t i = 0; i < r->head_count; i++) {
        show_head_host(r, i);
        show_head_mode(r, i, seen_mode(r, r->self, i), false);
    }
    for (uint32_t i = 0; i < r->head_count && reaches_head(r, r->self, peer); i++) {
        show_head_mode(r, i, seen_mode(r, peer, i), true);
    }
    if (r->slurm_away == has_server(r)) {
        rc_scen_slurm_away(r, !r->slurm_away);
    }
}

void
rc_scen_heads_show(struct rc_scen_run *r)
{
    memset(r->head_mode, 0, sizeof r->head_mode);
    memset(r->head_host, 0, sizeof r->head_host);
    if (r->head_count) {
        heads_look(r);
    }
}

void
rc_scen_heads_happen(struct rc_scen_run *r, const struct rc_scen_later *l)
{
    if (l->value == HEADS_ACTIVE) {
        activate(r, l->subject);
    } else {
        if (l->value == HEADS_LOOK_ANEW) { /* what was seen was before the fence */
            r->head_mode[0][l->subject] = r->head_mode[1][l->subject] = 0;
        }
        heads_look(r);
    }
}

/* ---- orders of the leader ---- */

static enum rc_err
fence(struct rc_scen_run *r, uint32_t i, uint32_t grace_ms, int64_t *ret_ms)
{
    struct rc_scen_head *h = &r->head[i];

    h->fenced = true;
    h->allowed = false;
    *ret_ms = grace_ms && h->process == RC_PROC_RUNS ? SAVE_MS : ORDER_MS;
    if (h->process == RC_PROC_STUCK) {
        heads_changed(r);
        return RC_E_NOT_VERIFIED;
    }
    end_slurmctld(r, h, "ended by the daemon there, and kept from starting");
    heads_changed(r);
    rc_scen_later_add(r, *ret_ms + LOOK_MS, SCEN_HEADS, i, HEADS_LOOK_ANEW);
    /* What it wrote and the file server did not take yet may still arrive. */
    return h->dir == RC_DIR_HANGS ? RC_E_NOT_VERIFIED : RC_OK;
}

/* A fence begins: a standby is asked, not pinged, and what it says is told once more. */
void
rc_scen_heads_ask_standby(struct rc_scen_run *r, const struct rc_action *a)
{
    uint32_t i = 1 - a->u.controller.index;

    if (a->u.controller.phase == RC_FO_FENCE && r->head_mode[0][i] == RC_CTL_STANDBY + 1) {
        r->head_mode[0][i] = 0;
        rc_scen_later_add(r, LOOK_MS, SCEN_HEADS, i, HEADS_LOOK);
    }
}

enum rc_err
rc_scen_head_act(struct rc_scen_run *r, const struct rc_action *a, int64_t *ret_ms)
{
    uint32_t i = head_index(r, a->node);
    struct rc_scen_head *h = &r->head[i];

    *ret_ms = ORDER_MS;
    if (i >= r->head_count) {
        return RC_E_NOT_FOUND;
    }
    if (!reaches_head(r, r->self, i)) {
        return RC_E_UNREACHABLE;
    }
    if (a->kind == RC_ACT_FENCE) {
        return fence(r, i, a->u.controller.grace_ms, ret_ms);
    }
    if (a->kind == RC_ACT_TAKEOVER) {
        *ret_ms = TAKEOVER_MS;
        if (h->process != RC_PROC_RUNS) {
            return RC_E_SLURM_DOWN;
        }
        h->asked = ++r->head_asked;
        rc_scen_later_add(r, TAKEOVER_MS, SCEN_HEADS, h->asked, HEADS_ACTIVE);
        return RC_OK;
    }
    h->fenced = false;
    h->allowed = true;
    if (a->u.controller.restart && h->process != RC_PROC_STUCK) {
        end_slurmctld(r, h, "ended to be started anew");
    }
    start_slurmctld(r, i);
    return RC_OK;
}

/* ---- the story's lines ---- */

static bool
tell_slurmctld(struct rc_scen_run *r, struct rc_scen_head *h, const char *what)
{
    if (strcmp(what, "killed") == 0) {
        end_slurmctld(r, h, "killed");
    } else if (strcmp(what, "started") == 0) { /* by hand, past the gate of its unit */
        h->allowed = true;
        h->fenced = false;
        start_slurmctld(r, (uint32_t)(h - r->head));
    } else if (strcmp(what, "restarted") == 0) {
        end_slurmctld(r, h, "killed");
        start_slurmctld(r, (uint32_t)(h - r->head));
    } else if (strcmp(what, "hangs") == 0 || strcmp(what, "stuck") == 0) {
        h->process = *what == 'h' ? RC_PROC_STOPPED : RC_PROC_STUCK;
        h->since_ms = r->now_ms;
    } else if (strcmp(what, "wakes") == 0) {
        bool there = h->process == RC_PROC_STOPPED || h->process == RC_PROC_STUCK;
        rc_scen_say(r, '~',
                    there ? "%s: slurmctld goes on where it was"
                          : "%s: there is no slurmctld that could wake up",
                    h->name);
        h->process = there ? (uint32_t)RC_PROC_RUNS : h->process;
    } else {
        return false;
    }
    return true;
}

static bool
tell_state_dir(struct rc_scen_head *h, const char *what)
{
    for (uint32_t dir = RC_DIR_OK; dir < RC_DIR__MAX; dir++) {
        if (strcmp(rc_ctl_dir_name(dir), what) == 0) {
            h->dir = dir;
            return true;
        }
    }
    return false;
}

bool
rc_scen_tell_head(struct rc_scen_run *r, char *const *v)
{
    struct rc_scen_head *h = &r->head[head_index(r, v[1])];
    bool good = false;

    if (!rc_scen_is_head(r, v[1])) {
        return false;
    }
    if (strcmp(v[0], "slurmctld") == 0) {
        good = tell_slurmctld(r, h, v[2]);
    } else if (strcmp(v[0], "state-dir") == 0) {
        good = tell_state_dir(h, v[2]);
    } else if (strcmp(v[0], "munge") == 0) {
        h->munge_dead = strcmp(v[2], "dead") == 0;
        good = h->munge_dead || strcmp(v[2], "back") == 0;
    } else if (strcmp(v[0], "host") == 0) {
        good = strcmp(v[2], "dies") == 0;
        if (good) {
            controller_dies(r, (uint32_t)(h - r->head));
        }
    }
    heads_changed(r);
    return good;
}

bool
rc_scen_tell_heads_cut(struct rc_scen_run *r, bool cut)
{
    r->heads_cut = cut;
    r->cut_ms = r->now_ms;
    heads_changed(r);
    return r->head_count > 0;
}

/* The same checks as reconcilectl's, before anything is begun. */
bool
rc_scen_tell_failover(struct rc_scen_run *r, const char *to)
{
    const struct rc_pair *p = &r->s->pair;
    uint32_t i = *to ? rc_pair_find(p, to) : p->primary ? 2 - p->primary : RC_CONTROLLERS_MAX;
    char why[RC_TEXT_LEN] = "no such controller";
    struct rc_event ev;

    if (i >= p->count || !rc_pair_may(r->s, i, why, sizeof why)) {
        rc_scen_say(r, ' ', "refused: %s", why);
        return r->head_count > 0;
    }
    rc_event_init(&ev, RC_EV_OPERATOR);
    ev.u.operator_command.verb = RC_OP_FAILOVER;
    memcpy(ev.node, r->head[i].name, sizeof ev.node);
    rc_text_set(ev.u.operator_command.who, sizeof ev.u.operator_command.who, "operator");
    rc_scen_give(r, &ev);
    return true;
}

/* ---- the beginning and the end ---- */

void
rc_scen_heads_begin(struct rc_scen_run *r)
{
    const struct rc_cluster *c = &r->story.cluster;

    r->head_count = c->controller_count;
    r->self = r->story.leader;
    for (uint32_t i = 0; i < r->head_count; i++) {
        struct rc_scen_head *h = &r->head[i];
        memcpy(h->name, c->controller[i].host, sizeof h->name);
        snprintf(h->addr, sizeof h->addr, "10.2.0.%u", i + 1);
        snprintf(h->instance, sizeof h->instance, "i-%.28s", h->name);
        h->up = h->allowed = true;
        h->active = i == 0;
        h->process = RC_PROC_RUNS;
        h->dir = RC_DIR_OK;
        rc_scen_instance_begin(r, h->instance, h->name, h->addr);
    }
    r->writers_now = r->writers_most = r->head_count > 0;
}

void
rc_scen_heads_show_end(struct rc_scen_run *r)
{
    const struct rc_pair *p = &r->s->pair;

    if (!r->head_count) {
        return;
    }
    fputs("  slurmctld:", r->out_text);
    for (uint32_t i = 0; i < r->head_count; i++) {
        const struct rc_scen_head *h = &r->head[i];
        fprintf(r->out_text, " %s %s%s%s,", h->name,
                !h->up                       ? "dead"
                : h->process == RC_PROC_NONE ? "not started"
                : h->process != RC_PROC_RUNS ? "hangs"
                : h->active                  ? "active"
                                             : "standby",
                h->fenced ? " and fenced" : "", i == r->self ? " (leads)" : "");
    }
    fprintf(r->out_text, " fail-overs begun by itself %u, most writers at once %u\n", p->done_count,
            r->writers_most);
    if (p->phase != RC_FO_WATCH) {
        fprintf(r->out_text, "  a fail-over is under way: %s, waits for %s\n",
                rc_failover_phase_name(p->phase),
                p->block ? rc_failover_block_text(p->block) : rc_failover_waits_for(p->phase));
    }
}
