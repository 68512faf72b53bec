/* check_return.c - never: a node goes back to service with a fault that the daemon could have read
 * of, or before this leader has read the node at all; a gate is asked for before the machine has
 * booted again. Part of the gate. */
#include <string.h>

#include "reconciler/core/lemon.h"
#include "simulator/check.h"

enum { WHOLE_SECONDS_MS = 10 * 1000 /* slurmd reckons its boot in seconds, each time anew */ };

/* slurmctld was read: one node, or all of them (RC_PLAN_NODES_MAX). */
void
rc_check_return_read(struct rc_ctl *c, uint32_t node)
{
    for (uint32_t i = 0; i < c->p->plan->nodes; i++) {
        if (node == i || node == RC_PLAN_NODES_MAX) {
            c->p->memory.look[c->index].read_ms[i] = c->p->now_ms;
        }
    }
}

void
rc_check_return_led(struct rc_ctl *c)
{
    c->p->memory.look[c->index].led_ms = c->p->now_ms;
}

static int64_t
later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* World time since when what stands behind the node is not fit to serve, as anybody can read;
 * RC_SIM_NEVER = it is. */
static int64_t
unfit_since_ms(struct rc_play *p, uint32_t node)
{
    const struct rc_sim_instance *inst = rc_play_instance(p, node);
    int64_t since_ms = rc_play_agent_guilty_ms(p, node);

    if (!inst || inst->state != RC_INST_RUNNING) {
        return inst ? inst->changed_ms - RC_PLAY_WALL_MS : RC_SIM_NEVER;
    }
    for (uint32_t k = 0; k < RC_SIM_CHECKS; k++) {
        if (inst->check[k].status == RC_CHECK_IMPAIRED) {
            int64_t at_ms = later(inst->check[k].impaired_since_ms, inst->running_ms);
            at_ms -= RC_PLAY_WALL_MS;
            since_ms = at_ms < since_ms ? at_ms : since_ms;
        }
    }
    return since_ms;
}

void
rc_check_return_serials(struct rc_play *p, uint32_t node, uint32_t ctl)
{
    const struct rc_sim_instance *inst = rc_play_instance(p, node);

    if (inst) {
        p->memory.look[ctl].named[rc_play_host(p, inst) % RC_PLAY_HOSTS] = 1;
    }
}

/* The name has left its host for a fault of the hardware, and this leader had read its GPUs. */
static void
note_left(struct rc_ctl *c, const struct rc_action *a)
{
    struct rc_play *p = c->p;

    for (uint32_t slot = 0; slot < RC_PLAY_SLOTS; slot++) {
        uint32_t host = p->host[slot].number % RC_PLAY_HOSTS;
        if (*a->u.item.old_instance && strcmp(p->host[slot].id, a->u.item.old_instance) == 0) {
            p->memory.look[c->index].bad[host] |= p->memory.look[c->index].named[host];
        }
    }
}

void
rc_check_return_forget(struct rc_ctl *c)
{
    memset(c->p->memory.look[c->index].named, 0, sizeof c->p->memory.look[0].named);
    memset(c->p->memory.look[c->index].bad, 0, sizeof c->p->memory.look[0].bad);
}

static void
check_host(struct rc_ctl *c, const struct rc_action *a, uint32_t node)
{
    const struct rc_sim_instance *inst = rc_play_instance(c->p, node);

    if (inst && c->p->memory.look[c->index].bad[rc_play_host(c->p, inst) % RC_PLAY_HOSTS]) {
        rc_play_fail(c->p, RC_FOUND_GATE, "head%u resumes %s on a host that was thrown out before",
                     c->index + 1, a->node);
    }
}

static void
check_resume(struct rc_ctl *c, const struct rc_action *a, uint32_t node)
{
    struct rc_play *p = c->p;
    int64_t since_ms = unfit_since_ms(p, node);

    if (p->memory.look[c->index].read_ms[node] < p->memory.look[c->index].led_ms) {
        rc_play_fail(p, RC_FOUND_GATE, "head%u resumes %s, which it has not read since it leads",
                     c->index + 1, a->node);
    }
    if (since_ms != RC_SIM_NEVER && p->now_ms - since_ms > RC_PLAY_SWEEP_MS + rc_check_soon_ms(p) &&
        rc_check_calm(p, since_ms)) {
        rc_play_fail(p, RC_FOUND_GATE, "head%u resumes %s, which is not fit since %lld ms",
                     c->index + 1, a->node, (long long)(p->now_ms - since_ms));
    }
}

/* It was rebooted, by EC2's own word. */
void
rc_check_rebooted(struct rc_play *p, const struct rc_action *a, const struct rc_sim_instance *inst)
{
    uint32_t node = rc_play_node_index(p, a->node);

    if (node < p->plan->nodes) {
        p->memory.reboot[node].incident = a->incident;
        p->memory.reboot[node].at_ms = rc_play_wall(p);
        memcpy(p->memory.reboot[node].instance, inst->id, RC_ID_LEN);
    }
}

static void
check_booted(struct rc_ctl *c, const struct rc_action *a, uint32_t node)
{
    struct rc_play *p = c->p;
    const struct rc_sim_node *n = rc_check_sim_node(p, a->node);

    const struct rc_sim_instance *inst = rc_play_instance(p, node);

    if (n && p->memory.reboot[node].incident == a->incident && inst &&
        strcmp(p->memory.reboot[node].instance, inst->id) == 0 &&
        n->boot_ms + WHOLE_SECONDS_MS + rc_check_clocks_set_ms(p) < p->memory.reboot[node].at_ms) {
        rc_play_fail(p, RC_FOUND_GATE, "head%u asks %s for its health before it has booted again",
                     c->index + 1, a->node);
    }
}

/* Something else was done since: what it has booted for is another question. */
static void
note_other_rung(struct rc_play *p, uint32_t kind, uint32_t node)
{
    if (kind == RC_ACT_GPU_RESET || kind == RC_ACT_STOP || kind == RC_ACT_LAUNCH) {
        p->memory.reboot[node].incident = 0;
    }
}

/* What its agent drained it for stands, whatever job was there, and this controller was told. */
static bool
was_told(struct rc_ctl *c, uint32_t node, int64_t since_ms)
{
    const struct rc_ev_node_faults *l = &c->agent_list[node];
    bool told = false;

    for (uint32_t i = 0; since_ms != RC_SIM_NEVER && i < l->count; i++) {
        told |=
            l->v[i].guilty && !l->v[i].job && l->v[i].last_wall_ms == RC_PLAY_WALL_MS + since_ms;
    }
    return told;
}

/* From the way back to service the incident ends, or only its old instance is left to be ended. */
static void
check_ended(struct rc_ctl *c, const struct rc_action *a, uint32_t node)
{
    struct rc_play *p = c->p;
    uint32_t was = p->memory.look[c->index].phase[node], is = a->u.item.phase;
    int64_t since_ms = rc_play_agent_guilty_ms(p, node);

    p->memory.look[c->index].phase[node] = is;
    if (was == RC_PHASE_RETURN && (is == RC_PHASE_RETIRE || a->u.item.close) &&
        was_told(c, node, since_ms) && !rc_check_clocks_set_ms(p) && rc_check_calm(p, since_ms)) {
        rc_play_fail(p, RC_FOUND_GATE,
                     "head%u ends the repair of %s, whose agent has drained it for %lld ms",
                     c->index + 1, a->node, (long long)(p->now_ms - since_ms));
    }
}

void
rc_check_return_step(struct rc_ctl *c)
{
    for (uint32_t i = 0; i < c->out.count; i++) {
        const struct rc_action *a = &c->out.v[i];
        uint32_t node = rc_play_node_index(c->p, a->node);
        if (node >= c->p->plan->nodes) {
            continue;
        }
        note_other_rung(c->p, a->kind, node);
        if (a->kind == RC_ACT_RESUME) {
            check_resume(c, a, node);
            check_host(c, a, node);
        } else if (a->kind == RC_ACT_GATE) {
            check_booted(c, a, node);
        } else if (a->kind == RC_ACT_INCIDENT_PUT) {
            check_ended(c, a, node);
            if (a->u.item.phase == RC_PHASE_JOIN && *a->u.item.new_instance &&
                rc_fault_is_hardware(a->u.item.fault)) {
                note_left(c, a);
            }
        }
    }
}
