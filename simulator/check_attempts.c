/* check_attempts.c - never: more repairs of a node within the policy's window than it allows,
 * before a person has looked at it. Part of the limits.
 *
 * A repair is a try of a rung, whatever it takes: several launches of one try are one. A leader
 * answers for those that it began itself since it last lost its memory, and for those that the
 * store was told of afterwards. */
#include "policies/rules.h"
#include "simulator/check.h"

static struct rc_check_try *
try_at(struct rc_play *p, uint32_t node, uint32_t n)
{
    return &p->tried[node][n % RC_CHECK_TRIES_MAX];
}

static uint32_t
kept(const struct rc_play *p, uint32_t node)
{
    uint32_t count = p->memory.attempts[node].count;

    return count < RC_CHECK_TRIES_MAX ? count : RC_CHECK_TRIES_MAX;
}

static struct rc_check_try *
find_try(struct rc_play *p, uint32_t node, const struct rc_incident *inc)
{
    for (uint32_t i = 0; i < kept(p, node); i++) {
        struct rc_check_try *t = try_at(p, node, i);
        if (t->incident == inc->id && t->rung == inc->rung && t->tries == inc->rung_tries) {
            return t;
        }
    }
    return NULL;
}

static uint32_t
known_tries(struct rc_ctl *c, uint32_t node)
{
    int64_t window_ms = c->p->policy.limits.attempts_window_ms - rc_check_clocks_set_ms(c->p);
    uint32_t known = 0;

    for (uint32_t i = 0; i < kept(c->p, node); i++) {
        const struct rc_check_try *t = try_at(c->p, node, i);
        known += t->incident && (t->action[c->index] || t->stored) &&
                 c->p->now_ms - t->at_ms <= window_ms;
    }
    return known;
}

static void
note_try(struct rc_ctl *c, const struct rc_action *a, uint32_t node, const struct rc_incident *inc)
{
    struct rc_check_try *t = find_try(c->p, node, inc);

    if (!t) {
        t = try_at(c->p, node, c->p->memory.attempts[node].count++);
        *t = (struct rc_check_try){.at_ms = c->p->now_ms,
                                   .incident = inc->id,
                                   .rung = inc->rung,
                                   .tries = inc->rung_tries};
        t->action[c->index] = a->id;
        uint32_t known = known_tries(c, node);
        if (known > c->p->policy.limits.attempts_max) {
            rc_play_fail(c->p, RC_FOUND_LIMITS,
                         "head%u repairs %s for the %uth time, %u are allowed", c->index + 1,
                         a->node, known, c->p->policy.limits.attempts_max);
        }
    }
    t->action[c->index] = a->id;
}

/* A person has looked at it: what was tried before does not count any more. */
static void
forgive(struct rc_ctl *c, uint32_t incident)
{
    uint32_t slot = rc_incident_find(c->s, incident);
    uint32_t row = slot ? rc_incident_at(c->s, slot)->node : 0;
    uint32_t node = row ? rc_play_node_index(c->p, rc_node_at(c->s, row)->name) : RC_PLAN_NODES_MAX;

    for (uint32_t i = 0; node < c->p->plan->nodes && i < kept(c->p, node); i++) {
        try_at(c->p, node, i)->incident = 0;
    }
}

void
rc_check_attempts_step(struct rc_ctl *c, const struct rc_event *ev)
{
    if (ev->kind == RC_EV_OPERATOR && ev->u.operator_command.verb == RC_OP_APPROVE) {
        forgive(c, ev->u.operator_command.incident);
    }
    for (uint32_t i = 0; i < c->out.count; i++) {
        const struct rc_action *a = &c->out.v[i];
        bool begins = a->kind == RC_ACT_LAUNCH || a->kind == RC_ACT_REBOOT ||
                      a->kind == RC_ACT_STOP || a->kind == RC_ACT_GPU_RESET;
        uint32_t node = begins ? rc_play_node_index(c->p, a->node) : RC_PLAN_NODES_MAX;
        uint32_t slot = node < c->p->plan->nodes ? rc_incident_find(c->s, a->incident) : 0;
        if (slot) {
            note_try(c, a, node, rc_incident_at(c->s, slot));
        }
    }
}

void
rc_check_attempts_stored(struct rc_play *p, const struct rc_action *a, uint32_t ctl)
{
    uint32_t node = rc_play_node_index(p, a->node);

    for (uint32_t i = 0; node < p->plan->nodes && i < kept(p, node); i++) {
        struct rc_check_try *t = try_at(p, node, i);
        t->stored |= t->action[ctl] && t->action[ctl] < a->id;
    }
}

void
rc_check_attempts_forget(struct rc_ctl *c)
{
    for (uint32_t node = 0; node < c->p->plan->nodes; node++) {
        for (uint32_t i = 0; i < kept(c->p, node); i++) {
            try_at(c->p, node, i)->action[c->index] = 0;
        }
    }
}
