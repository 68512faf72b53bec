/* check_table.c - which checker looks at what; see check.h. */
#include "simulator/check.h"

#include "simulator/model/sim_hash.h"

static uint64_t
hash_action(uint64_t h, const struct rc_action *a)
{
    h = rc_sim_hash_u64(h, a->id);
    h = rc_sim_hash_u64(h, (uint64_t)a->kind << 32 | a->incident);
    h = rc_sim_hash_u64(h, (uint64_t)a->deadline_ms);
    h = rc_sim_hash_str(h, a->node);
    return rc_sim_hash_str(h, a->instance);
}

static void
trace_decisions(struct rc_ctl *c)
{
    for (uint32_t i = 0; c->p->trace && i < c->out.count; i++) {
        const struct rc_action *a = &c->out.v[i];
        const char *phase =
            a->kind == RC_ACT_INCIDENT_PUT ? rc_phase_name((enum rc_phase)a->u.item.phase) : "";
        if (a->kind != RC_ACT_LEASE) {
            rc_play_trace(c->p, "head%u %llu %s incident %u %s %s %s (%s)", c->index + 1,
                          (unsigned long long)a->id, rc_action_name((enum rc_action_kind)a->kind),
                          a->incident, a->node, phase, a->instance, a->text);
        }
    }
}

static void
trace_event(struct rc_ctl *c, const struct rc_event *ev)
{
    if (!c->p->trace || ev->kind == RC_EV_TICK || ev->kind == RC_EV_SWEEP) {
        return;
    }
    const struct rc_ev_slurm_node *sn = &ev->u.slurm;
    if (ev->kind == RC_EV_SLURM_NODE) {
        rc_play_trace(c->p, "head%u < %s %s%s%s%s%s%s%s %s '%s'", c->index + 1, ev->node,
                      sn->flags & RC_SN_DOWN ? "down " : "",
                      sn->flags & RC_SN_DRAIN ? "drain " : "",
                      sn->flags & RC_SN_ALLOCATED ? "allocated " : "",
                      sn->flags & RC_SN_COMPLETING ? "completing " : "",
                      sn->flags & RC_SN_NOT_RESPONDING ? "silent " : "",
                      sn->flags & RC_SN_MAINT ? "maint " : "", "", sn->addr, sn->reason);
    } else if (ev->kind == RC_EV_LEASE) {
        uint64_t epoch = ev->u.lease.held ? ev->u.lease.epoch : 0;
        bool is_past = !epoch && ev->u.lease.epoch && ev->u.lease.epoch < c->s->lease_epoch;
        if (!ev->u.lease.error && !is_past && epoch != c->shown_epoch) {
            c->shown_epoch = epoch;
            rc_play_trace(c->p, "head%u < lease %s (epoch %llu)", c->index + 1,
                          epoch ? "held" : "lost", (unsigned long long)epoch);
        }
    } else if (ev->kind == RC_EV_COMPLETION) {
        rc_play_trace(c->p, "head%u < completion %llu %s", c->index + 1,
                      (unsigned long long)ev->u.completion.action,
                      rc_err_name((enum rc_err)ev->u.completion.error));
    } else {
        rc_play_trace(c->p, "head%u < %s %s %s msg=%llu state=%u", c->index + 1,
                      rc_event_name((enum rc_event_kind)ev->kind), ev->instance, ev->node,
                      (unsigned long long)ev->msg,
                      ev->kind == RC_EV_INSTANCE ? ev->u.described.state : 0);
    }
}

void
rc_check_step(struct rc_ctl *c, const struct rc_event *ev)
{
    for (uint32_t i = 0; i < c->out.count; i++) {
        c->p->hash = hash_action(c->p->hash, &c->out.v[i]);
    }
    trace_event(c, ev);
    trace_decisions(c);
    rc_check_limits_step(c, ev);
    if (c->out.count || ev->kind == RC_EV_OPERATOR) { /* most steps decide nothing */
        rc_check_attempts_step(c, ev);
        rc_check_jobs_step(c);
        rc_check_owed_step(c);
        rc_check_person_step(c);
        rc_check_return_step(c);
        rc_check_orders_step(c, ev);
    }
    if (c->out.count || ev->kind == RC_EV_ADOPT) {
        rc_check_confirm_step(c, ev);
    }
    rc_check_messages_step(c, ev);
}

void
rc_check_start(struct rc_ctl *c, const struct rc_action *a)
{
    rc_check_lease_at_start(c, a);
    rc_check_ours_at_start(c, a);
    rc_check_gate_at_start(c, a);
    rc_check_company(c, a);
    rc_check_rates_sent(c, a);
    rc_check_jobs_at_start(c, a);
    rc_check_running_job_at_start(c->p, a);
    rc_check_orders_at_start(c, a);
}

void
rc_check_touched(struct rc_play *p, const struct rc_action *a, const struct rc_sim_instance *inst)
{
    rc_check_ours_touched(p, a, inst);
    rc_check_running_job(p, a, inst);
    /* Its end, or a spare's new tags, say nothing about the one that serves. */
    if (a->kind != RC_ACT_TERMINATE && a->kind != RC_ACT_ASSIGN) {
        rc_check_gate_broken(p, a->node);
    }
}

void
rc_check_register(struct rc_play *p, const struct rc_action *a, uint32_t node)
{
    rc_check_files(p, a, node);
    rc_check_gate_broken(p, a->node);
}

void
rc_check_stored(struct rc_play *p, const struct rc_action *a, uint32_t ctl)
{
    rc_check_rates_stored(p, a, ctl);
    rc_check_limits_stored(p, a, ctl);
    rc_check_attempts_stored(p, a, ctl);
    rc_check_cooldown_stored(p, a, ctl);
    rc_check_orders_stored(p, a, ctl);
    rc_check_person_stored(p, a);
}

void
rc_check_world(struct rc_play *p)
{
    rc_check_admission_world(p);
    rc_check_confirm_world(p);
    rc_check_owed_world(p);
    rc_check_person_world(p);
}
