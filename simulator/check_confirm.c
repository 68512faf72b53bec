/* check_confirm.c - never: an incident is opened, or raised, for a fault that has not stood as long
 * as its rule's confirm says; a rung is tried again before its pause is over. Part of the limits: a
 * policy's word is kept.
 *
 * A fault begins when the world says so, which is never later than when the daemon heard of it. */
#include <string.h>

#include "policies/rules.h"
#include "simulator/check.h"
#include "simulator/model/model_rows.h"

enum { SILENCE = RC_SIM_CHECKS };

/* One that heals and fails again between two passes over EC2 was never well to the daemon. */
static int64_t
unseen_ms(const struct rc_play *p)
{
    return 2 * RC_PLAY_SWEEP_MS + rc_check_soon_ms(p);
}

/* Something that fails behind the node, as it was and is. */
static void
note_failing(struct rc_play *p, uint32_t node, uint32_t kind, bool fails, int64_t from_ms)
{
    int64_t *since_ms = &p->memory.failing[node].since_ms[kind];
    int64_t *over_ms = &p->memory.failing[node].over_ms[kind];

    if (fails && (!*since_ms || (*over_ms && rc_play_wall(p) - *over_ms > unseen_ms(p)))) {
        *since_ms = from_ms;
    }
    *over_ms = fails ? 0 : *since_ms && !*over_ms ? rc_play_wall(p) : *over_ms;
}

/* By slurmctld itself, which leaves it so when its slurmd is back after an unforeseen reboot. */
static bool
is_set_down(const struct rc_sim_node *n)
{
    uint32_t incident = 0, owner = rc_sim_owner_of(n, &incident);

    return n->flags & RC_SN_DOWN && (owner == RC_OWNER_SLURM || owner == RC_OWNER_NONE);
}

/* The one behind the node. This is asked at every step: it is where it was, or looked for. */
static const struct rc_sim_instance *
checked_instance(struct rc_play *p, uint32_t node)
{
    uint32_t *slot = &p->memory.failing[node].slot;
    const struct rc_sim_instance *inst = rc_sim_ec2_at(p->ec2, *slot);

    if (!inst || strcmp(inst->addr, p->conf[node].addr) != 0) {
        inst = rc_play_instance(p, node);
        *slot = inst ? rc_sim_ec2_slot(p->ec2, inst) : 0;
    }
    return inst;
}

void
rc_check_confirm_world(struct rc_play *p)
{
    for (uint32_t node = 0; node < p->plan->nodes; node++) {
        const struct rc_sim_instance *inst = checked_instance(p, node);
        if (inst && inst->launch != p->memory.failing[node].launch) {
            memset(&p->memory.failing[node], 0, sizeof p->memory.failing[node]);
            p->memory.failing[node].launch = inst->launch;
        }
        for (uint32_t kind = 0; inst && kind < RC_SIM_CHECKS; kind++) {
            note_failing(p, node, kind, inst->check[kind].status == RC_CHECK_IMPAIRED,
                         inst->check[kind].impaired_since_ms);
        }
        const struct rc_sim_node *n = rc_play_sim_node(p, node);
        if (n) {
            bool silent = n->gone_ms != RC_SIM_NEVER;
            note_failing(p, node, SILENCE, silent || is_set_down(n),
                         silent ? n->gone_ms : rc_play_wall(p));
        }
    }
}

static int64_t
failing_since_ms(const struct rc_play *p, uint32_t node, uint32_t kind)
{
    int64_t since_ms = p->memory.failing[node].since_ms[kind];
    int64_t over_ms = p->memory.failing[node].over_ms[kind];
    bool unseen = over_ms && rc_play_wall(p) - over_ms > unseen_ms(p);

    return since_ms && !unseen ? since_ms : RC_SIM_NEVER;
}

static int64_t
sooner_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Wall time since when the world shows this fault, or a worse one; RC_SIM_NEVER = cannot tell. */
static int64_t
fault_since_ms(const struct rc_play *p, uint32_t node, uint32_t fault)
{
    int64_t system_ms = failing_since_ms(p, node, RC_SIM_CHECK_SYSTEM);
    int64_t host_ms = sooner_of(system_ms, failing_since_ms(p, node, RC_SIM_CHECK_INSTANCE));
    int64_t silent_ms = failing_since_ms(p, node, SILENCE);

    switch (fault) {
    case RC_FAULT_SYSTEM_IMPAIRED:
        return system_ms;
    case RC_FAULT_INSTANCE_IMPAIRED:
        return host_ms;
    case RC_FAULT_NODE_DOWN:
        return silent_ms != RC_SIM_NEVER ? sooner_of(host_ms, silent_ms) : RC_SIM_NEVER;
    default:
        return RC_SIM_NEVER;
    }
}

static void
check_confirmed(struct rc_ctl *c, const struct rc_action *a, uint32_t node)
{
    const struct rc_rule *rule = rc_check_rule(c->p, a->u.item.rule);
    int64_t since_ms =
        rule && rule->confirm_ms ? fault_since_ms(c->p, node, a->u.item.fault) : RC_SIM_NEVER;
    int64_t stood_ms = rc_play_wall(c->p) - since_ms;

    /* What healed while nobody could read so was never well to the daemon. */
    bool read = since_ms != RC_SIM_NEVER &&
                rc_check_calm(c->p, since_ms - RC_PLAY_WALL_MS - unseen_ms(c->p));
    if (read && stood_ms + rc_check_clocks_set_ms(c->p) < rule->confirm_ms) {
        rc_play_fail(c->p, RC_FOUND_LIMITS, "head%u answers to %s of %s after %lld of %lld ms",
                     c->index + 1, rc_fault_name((enum rc_fault)a->u.item.fault), a->node,
                     (long long)stood_ms, (long long)rule->confirm_ms);
    }
}

/* The next try has begun since, by a leader that did not know when the last one had failed; it is
 * gone on with, whoever leads. */
static bool
was_begun_by_another(const struct rc_ctl *c, const struct rc_ev_adopt *item)
{
    return item->epoch > c->s->lease_epoch && item->phase > RC_PHASE_WAIT_IDLE &&
           item->phase != RC_PHASE_QUARANTINE;
}

/* What the store tells of it was confirmed, and had failed, while another one led. */
static void
take_stored_rung(struct rc_ctl *c, const struct rc_event *ev)
{
    uint32_t node = rc_play_node_index(c->p, ev->node);

    if (node < c->p->plan->nodes) {
        struct rc_check_rung *r = &c->p->memory.rung[c->index][node];
        if (r->incident == ev->u.adopt.incident && r->attempt >= ev->u.adopt.attempt) {
            r->failed_ms = was_begun_by_another(c, &ev->u.adopt) ? 0 : r->failed_ms;
            return; /* its own words */
        }
        *r = (struct rc_check_rung){.incident = ev->u.adopt.incident,
                                    .attempt = ev->u.adopt.attempt,
                                    .rung = ev->u.adopt.rung,
                                    .tries = ev->u.adopt.tries};
        memcpy(r->rule, ev->u.adopt.rule, sizeof r->rule);
    }
}

/* Of this leader alone: another one does not know when the last try had failed. */
static void
note_ladder(struct rc_ctl *c, const struct rc_action *a, uint32_t node)
{
    struct rc_check_rung *r = &c->p->memory.rung[c->index][node];
    bool known = r->incident == a->incident, failed = known && r->attempt != a->u.item.attempt;

    if (!known) {
        memset(r, 0, sizeof *r);
    }
    if (strcmp(r->rule, a->u.item.rule) != 0) {
        check_confirmed(c, a, node);
        memcpy(r->rule, a->u.item.rule, sizeof r->rule);
    }
    r->failed_ms = !failed ? r->failed_ms : r->tries != a->u.item.tries ? c->p->now_ms : 0;
    r->incident = a->incident;
    r->attempt = a->u.item.attempt;
    r->rung = a->u.item.rung;
    r->tries = a->u.item.tries;
}

static void
check_pause(struct rc_ctl *c, const struct rc_action *a, uint32_t node)
{
    const struct rc_check_rung *r = &c->p->memory.rung[c->index][node];
    const struct rc_rule *rule = r->incident == a->incident ? rc_check_rule(c->p, r->rule) : NULL;
    int64_t pause_ms = rule && r->rung < rule->rung_count ? rule->rung[r->rung].pause_ms : 0;
    int64_t waited_ms = c->p->now_ms - r->failed_ms;

    if (r->tries && r->failed_ms && waited_ms + rc_check_clocks_set_ms(c->p) < pause_ms) {
        rc_play_fail(c->p, RC_FOUND_LIMITS,
                     "head%u tries rung %u for %s again after %lld of %lld ms", c->index + 1,
                     r->rung + 1, a->node, (long long)waited_ms, (long long)pause_ms);
    }
}

void
rc_check_confirm_step(struct rc_ctl *c, const struct rc_event *ev)
{
    if (ev->kind == RC_EV_ADOPT) {
        take_stored_rung(c, ev);
    }
    for (uint32_t i = 0; i < c->out.count; i++) {
        const struct rc_action *a = &c->out.v[i];
        uint32_t node = rc_play_node_index(c->p, a->node);
        if (node >= c->p->plan->nodes) {
            continue;
        }
        if (a->kind == RC_ACT_INCIDENT_PUT && !a->u.item.close) {
            note_ladder(c, a, node);
        } else if (a->kind == RC_ACT_LAUNCH || a->kind == RC_ACT_REBOOT) {
            check_pause(c, a, node);
        }
    }
}

void
rc_check_confirm_forget(struct rc_ctl *c)
{
    memset(c->p->memory.rung[c->index], 0, sizeof c->p->memory.rung[0]);
}
