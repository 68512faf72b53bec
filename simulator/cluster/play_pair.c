/* play_pair.c - two hosts with a slurmctld each, as reconciler/io/daemon/controllers.c sees
 * them: processes that die, hang or cannot be killed, hosts that die, a link that breaks.
 *
 * The model's rules are those measured on real slurmctld: the first one is active whenever
 * it runs, and takes control from the other one when it reaches it, else after 30 s all the
 * same; the other one starts as standby and becomes active by a take-over request alone; a
 * hung one that wakes up goes on as what it was. */
#include <stdio.h>
#include <string.h>

#include "policies/rules.h"
#include "simulator/check.h"
#include "simulator/cluster/play_private.h"

enum {
    START_MS = 1000,
    TAKEOVER_MS = 2500,
    SLOW_TAKEOVER_MS = 8000,  /* twice its time-out, for an address that swallows the question */
    NO_ANSWER_MS = 30 * 1000, /* REQUEST_CONTROL to one that does not answer */
    LINK_MS = 3000
};

bool
rc_play_has_pair(const struct rc_play *p)
{
    return p->plan->pair && p->plan->controllers == RC_PLAY_CTLS;
}

bool
rc_head_may_write(const struct rc_play *p, uint32_t i)
{
    const struct rc_head *h = &p->head[i];

    return h->host_up && h->active && h->process != RC_PROC_NONE;
}

bool
rc_head_becomes(const struct rc_play *p, uint32_t i)
{
    const struct rc_head *h = &p->head[i];

    return h->host_up && h->active_at_ms && h->process != RC_PROC_NONE;
}

bool
rc_head_reaches(const struct rc_play *p, uint32_t from, uint32_t to)
{
    return from == to || (p->now_ms >= p->partition_until_ms && p->head[to].host_up);
}

/* Hosts change, so both daemons look: at once, and when a silence counts. */
void
rc_heads_changed(struct rc_play *p)
{
    static const int64_t after_ms[] = {RC_HEAD_SOON_MS, RC_HEAD_SILENT_MS + 300, LINK_MS + 400};

    for (uint32_t i = 0; rc_play_has_pair(p) && i < RC_PLAY_CTLS; i++) {
        for (size_t k = 0; k < sizeof after_ms / sizeof after_ms[0]; k++) {
            rc_play_task(p, p->now_ms + after_ms[k], RC_TASK_HEADS, &p->ctl[i], 0);
        }
    }
    if (rc_play_has_pair(p)) {
        rc_check_writers(p);
    }
}

/* ---- what happens to slurmctld ---- */

static void
become(struct rc_play *p, uint32_t i, bool active)
{
    struct rc_head *h = &p->head[i];

    if (h->active != active) {
        rc_play_trace(p, "   head%u's slurmctld is %s", i + 1, active ? "active" : "not active");
    }
    h->active = active;
    h->active_at_ms = 0;
}

static void
end_process(struct rc_play *p, uint32_t i)
{
    p->head[i].process = RC_PROC_NONE;
    p->head[i].hang_until_ms = 0;
    become(p, i, false);
}

/* As its unit starts it: admit first. */
static void
start_process(struct rc_play *p, uint32_t i)
{
    struct rc_head *h = &p->head[i], *other = &p->head[1 - i];

    if (!h->host_up || h->process != RC_PROC_NONE || h->fenced || (i == 0 && !h->allowed)) {
        return;
    }
    h->process = RC_PROC_RUNS;
    h->since_ms = p->now_ms;
    rc_play_trace(p, "   head%u's slurmctld starts", i + 1);
    if (i == 0) {
        bool silent = rc_head_may_write(p, 1) &&
                      (other->process != RC_PROC_RUNS || !rc_head_reaches(p, 0, 1));
        h->active_at_ms = p->now_ms + (silent ? NO_ANSWER_MS : START_MS);
    }
    rc_heads_changed(p);
}

/* The moment at which a slurmctld that was asked to be active is. */
static void
activate_due(struct rc_play *p, uint32_t i)
{
    struct rc_head *h = &p->head[i], *other = &p->head[1 - i];

    if (!h->active_at_ms || p->now_ms < h->active_at_ms || h->process != RC_PROC_RUNS) {
        return;
    }
    if (other->process == RC_PROC_RUNS && other->active && rc_head_reaches(p, i, 1 - i)) {
        if (i == 0) {
            become(p, 1, false); /* gives control back */
        } else {
            end_process(p, 0); /* told to shut down */
        }
    }
    become(p, i, true);
    rc_heads_changed(p);
}

static void press_button(struct rc_play *p, uint32_t i);

void
rc_heads_advance(struct rc_play *p)
{
    for (uint32_t i = 0; rc_play_has_pair(p) && i < RC_PLAY_CTLS; i++) {
        struct rc_head *h = &p->head[i];
        if (h->hang_until_ms && p->now_ms >= h->hang_until_ms && h->process != RC_PROC_NONE) {
            h->hang_until_ms = 0;
            h->process = RC_PROC_RUNS;
            rc_heads_changed(p);
        }
        activate_due(p, i);
        if (h->restart_ms && p->now_ms >= h->restart_ms) {
            h->restart_ms = 0;
            start_process(p, i);
        }
        if (h->button) {
            press_button(p, i);
        }
    }
}

int64_t
rc_heads_next_ms(const struct rc_play *p)
{
    int64_t next = RC_SIM_NEVER;

    for (uint32_t i = 0; rc_play_has_pair(p) && i < RC_PLAY_CTLS; i++) {
        const int64_t at[] = {p->head[i].hang_until_ms, p->head[i].active_at_ms,
                              p->head[i].restart_ms};
        for (size_t k = 0; k < sizeof at / sizeof at[0]; k++) {
            next = at[k] > p->now_ms && at[k] < next ? at[k] : next;
        }
    }
    return next;
}

/* ---- hosts ---- */

static void
head_dies(struct rc_play *p, uint32_t i)
{
    if (!p->head[i].host_up) {
        return;
    }
    rc_play_trace(p, "   head%u's host is dead", i + 1);
    end_process(p, i);
    p->head[i].host_up = 0;
    p->head[i].allowed = 0;
    p->head[i].restart_ms = 0;
    rc_ctl_crash(&p->ctl[i], 2);
    for (uint32_t k = 0; k < RC_PLAY_CTLS && p->quiet; k++) { /* nobody is left to do it */
        p->head[k].button |= !p->head[k].host_up && !rc_ctl_runs(&p->ctl[1 - k]);
    }
    rc_heads_changed(p);
}

static void
host_boots(struct rc_play *p, uint32_t i)
{
    if (p->head[i].host_up) {
        return;
    }
    rc_play_trace(p, "   head%u's host boots", i + 1);
    p->head[i].host_up = 1;
    if (!p->ctl[i].up) {
        rc_ctl_start(&p->ctl[i]);
    }
    start_process(p, i);
    rc_heads_changed(p);
}

/* EC2 says that a machine at this address has power, or has none any more. */
void
rc_heads_power(struct rc_play *p, const char *addr, bool up)
{
    for (uint32_t i = 0; rc_play_has_pair(p) && i < RC_PLAY_CTLS; i++) {
        if (strcmp(p->head[i].addr, addr) == 0) {
            if (up) {
                host_boots(p, i);
            } else {
                head_dies(p, i);
            }
        }
    }
}

/* A launched instance takes the name when it is registered. */
void
rc_head_address(struct rc_play *p, uint32_t i, const char *addr)
{
    struct rc_sim_instance *inst = NULL;

    rc_text_set(p->head[i].addr, RC_ADDR_LEN, addr);
    for (uint32_t slot = 0; slot < rc_sim_ec2_slots(p->ec2); slot++) {
        inst = rc_sim_ec2_at(p->ec2, slot);
        if (inst && strcmp(inst->addr, addr) == 0 && inst->booted) {
            host_boots(p, i);
        }
    }
}

uint32_t
rc_head_named(const struct rc_play *p, const char *name)
{
    if (!rc_play_has_pair(p) || strncmp(name, "head", 4) != 0 || !name[4] || name[5]) {
        return RC_PLAY_CTLS;
    }
    return (uint32_t)(name[4] - '1') < RC_PLAY_CTLS ? (uint32_t)(name[4] - '1') : RC_PLAY_CTLS;
}

struct rc_sim_instance *
rc_head_instance(const struct rc_play *p, uint32_t i)
{
    struct rc_sim_instance *found = NULL;

    for (uint32_t slot = 0; slot < rc_sim_ec2_slots(p->ec2); slot++) {
        struct rc_sim_instance *at = rc_sim_ec2_at(p->ec2, slot);
        found = at && strcmp(at->addr, p->head[i].addr) == 0 ? at : found;
    }
    return found;
}

/* ---- orders ---- */

/* The daemon there obeys the leader alone, and never an epoch that is over. */
static enum rc_err
obeys(const struct rc_play *p, const struct rc_request *r, uint32_t i)
{
    const struct rc_ctl *there = &p->ctl[i];

    if (i == r->ctl && p->head[i].host_up) {
        return RC_OK;
    }
    if (!rc_head_reaches(p, r->ctl, i) || !rc_ctl_runs(there)) {
        return RC_E_UNREACHABLE;
    }
    bool leads = there->s->lease_held && rc_ctl_core_ms(there) < there->s->lease_until_ms;
    return leads || r->action.u.controller.epoch < there->s->lease_epoch ? RC_E_NO_LEASE : RC_OK;
}

static void
fence_head(struct rc_play *p, struct rc_request *r, uint32_t i)
{
    struct rc_head *h = &p->head[i];

    h->fenced = 1;
    h->allowed = 0;
    h->restart_ms = 0;
    if (h->process == RC_PROC_STUCK) {
        r->error = RC_E_NOT_VERIFIED;
        return;
    }
    end_process(p, i);
    if (h->dir == RC_DIR_HANGS && p->now_ms < h->dir_until_ms) {
        r->error = RC_E_NOT_VERIFIED; /* what it wrote may still arrive */
    }
    rc_heads_changed(p);
}

void
rc_effect_pair(struct rc_play *p, struct rc_request *r)
{
    uint32_t i = r->action.u.controller.index;

    if (r->action.kind == RC_ACT_TAKEOVER) {
        r->error = rc_head_reaches(p, r->ctl, i) && p->head[i].process == RC_PROC_RUNS
                       ? RC_OK
                       : RC_E_SLURM_DOWN;
        if (r->error == RC_OK && !p->head[i].active) {
            rc_check_takeover(p, &r->action, i);
            p->head[i].active_at_ms =
                p->now_ms + (rc_head_reaches(p, i, 1 - i) ? TAKEOVER_MS : SLOW_TAKEOVER_MS);
        }
        return;
    }
    r->error = obeys(p, r, i);
    if (r->error != RC_OK) {
        return;
    }
    if (r->action.kind == RC_ACT_FENCE) {
        fence_head(p, r, i);
        return;
    }
    p->head[i].fenced = 0;
    p->head[i].allowed = 1;
    if (r->action.u.controller.restart && p->head[i].process != RC_PROC_STUCK) {
        end_process(p, i);
    }
    if (i == 0 && p->head[0].process == RC_PROC_NONE) {
        rc_check_takeover(p, &r->action, 0);
    }
    start_process(p, i);
}

/* ---- the schedule ---- */

static void
aws_ends_head(struct rc_play *p, uint32_t i)
{
    struct rc_sim_instance *inst = rc_head_instance(p, i), *other = rc_head_instance(p, 1 - i);

    /* Both lost for good is a matter for people. */
    if (inst && inst->state <= RC_INST_STOPPED && other && other->state <= RC_INST_RUNNING) {
        (void)rc_sim_ec2_do(p->ec2, rc_play_wall(p), inst, RC_SIM_TERMINATE);
        rc_play_changes(p);
    }
}

/* reconcilectl failover, on whichever controller leads; it asks first whether it may be. */
static void
order_failover(struct rc_play *p, uint32_t to)
{
    char why[RC_TEXT_LEN];
    struct rc_event ev;

    for (uint32_t i = 0; i < RC_PLAY_CTLS; i++) {
        struct rc_ctl *c = &p->ctl[i];
        if (!rc_ctl_runs(c) || !rc_pair_may(c->s, to, why, sizeof why)) {
            continue;
        }
        rc_event_init(&ev, RC_EV_OPERATOR);
        snprintf(ev.node, sizeof ev.node, "head%u", to + 1);
        ev.u.operator_command.verb = RC_OP_FAILOVER;
        rc_ctl_post(c, &ev);
    }
}

void
rc_play_pair_row(struct rc_play *p, const struct rc_plan_row *row)
{
    uint32_t i = row->target % RC_PLAY_CTLS;
    struct rc_head *h = &p->head[i];
    int64_t until_ms = p->now_ms + row->for_ms;

    if (!rc_play_has_pair(p)) {
        return;
    }
    switch (row->ill) {
    case RC_ILL_CTLD_KILL:
        if (h->process != RC_PROC_NONE && h->process != RC_PROC_STUCK) {
            end_process(p, i);
            h->restart_ms = row->value ? p->now_ms + 200 : 0;
        }
        break;
    case RC_ILL_CTLD_HANG:
    case RC_ILL_CTLD_STUCK:
        if (h->process == RC_PROC_RUNS) {
            h->process = row->ill == RC_ILL_CTLD_HANG ? RC_PROC_STOPPED : RC_PROC_STUCK;
            h->since_ms = p->now_ms;
            h->hang_until_ms = until_ms;
        }
        break;
    case RC_ILL_HEAD_DEATH:
        head_dies(p, i);
        break;
    case RC_ILL_HEAD_END:
        aws_ends_head(p, i);
        break;
    case RC_ILL_MUNGE:
        h->munge_until_ms = until_ms;
        break;
    case RC_ILL_OP_FAILOVER:
        order_failover(p, i);
        break;
    case RC_ILL_PARTITION:
        p->partition_until_ms = until_ms;
        rc_play_task(p, until_ms, RC_TASK_ROW_END, NULL, (uint32_t)(row - p->plan->row));
        break;
    case RC_ILL_UNFENCED:
        p->unfenced_until_ms = until_ms;
        break;
    case RC_ILL_STATE_DIR:
        h->dir = RC_DIR_FULL + (uint32_t)row->value;
        h->dir_until_ms = until_ms;
        break;
    default:
        break;
    }
}

/* A person switches a dead controller on, once; one that still stops when it has stopped. */
static void
press_button(struct rc_play *p, uint32_t i)
{
    struct rc_sim_instance *inst = rc_head_instance(p, i);

    p->head[i].button = inst && inst->state == RC_INST_STOPPING;
    if (inst && inst->state == RC_INST_RUNNING) {
        host_boots(p, i);
    } else if (inst && inst->state == RC_INST_STOPPED) {
        (void)rc_sim_ec2_do(p->ec2, rc_play_wall(p), inst, RC_SIM_START);
        memcpy(p->head[i].by_hand, inst->id, sizeof p->head[i].by_hand);
    }
}

void
rc_heads_quiet(struct rc_play *p)
{
    p->partition_until_ms = p->unfenced_until_ms = 0;
    for (uint32_t i = 0; rc_play_has_pair(p) && i < RC_PLAY_CTLS; i++) {
        p->head[i].dir_until_ms = p->head[i].munge_until_ms = 0;
        p->head[i].hang_until_ms = p->head[i].hang_until_ms ? p->now_ms + 1 : 0;
        if (!p->head[i].host_up) {
            press_button(p, i);
        }
    }
    rc_heads_changed(p);
}
