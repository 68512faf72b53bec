/* play_policy.c - the policy of a schedule: every key that a schedule draws, and one rule a
 * kind of fault with short times, so that a whole repair fits many times into an hour. */
#include <string.h>

#include "simulator/cluster/play_private.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR_OF_WAIT_MS = 60 * MINUTE };

#define FAULT(name) (UINT64_C(1) << RC_FAULT_##name)

static struct rc_rule *
add_rule(struct rc_play *p, const char *name, uint64_t faults)
{
    struct rc_rule *r = &p->policy.rule[p->policy.rule_count++];

    memset(r, 0, sizeof *r);
    rc_text_set(r->name, sizeof r->name, name);
    r->fault_mask = faults;
    r->approve = p->plan->approve != 0;
    r->order = (uint32_t)p->plan->order;
    return r;
}

/* As the loader: what is stopped first is launched when it is gone. */
static uint32_t
launch_when(const struct rc_play *p, enum rc_launch_when wanted)
{
    return p->plan->order == RC_ORDER_STOP_FIRST ? RC_LAUNCH_IDLE : wanted;
}

static struct rc_jobs_plan
jobs(const struct rc_play *p, enum rc_jobs_mode mode, uint32_t signal, int64_t wait_ms,
     int64_t before_deadline_ms)
{
    return (struct rc_jobs_plan){.mode = (uint32_t)mode,
                                 .signal = signal,
                                 .wait_ms = wait_ms,
                                 .before_deadline_ms = before_deadline_ms,
                                 .signal_before_ms =
                                     signal ? (int64_t)p->plan->signal_before_ms : 0};
}

static void
add_rung(struct rc_rule *r, enum rc_rung_kind kind, uint32_t attempts, int64_t timeout_ms)
{
    r->rung[r->rung_count++] =
        (struct rc_rung){.kind = (uint32_t)kind, .attempts = attempts, .timeout_ms = timeout_ms};
}

static void
add_replace(const struct rc_play *p, struct rc_rule *r)
{
    r->rung[r->rung_count++] = (struct rc_rung){
        .kind = RC_RUNG_REPLACE, .attempts = 2, .pause_ms = (int64_t)p->plan->pause_ms};
}

/* What agents tell; see the shipped policy for why. */
static void
add_agent_rules(struct rc_play *p)
{
    struct rc_rule *r = add_rule(p, "file-server", FAULT(FS_HANG));
    r->company.count = 3;
    r->ignore = r->tell = 1;

    r = add_rule(p, "fs-hang", FAULT(FS_HANG));
    r->confirm_ms = 2 * MINUTE;
    r->jobs = jobs(p, RC_JOBS_REQUEUE, 0, (int64_t)p->plan->job_wait_ms, 0);
    add_rung(r, RC_RUNG_WATCH, 1, 5 * MINUTE);
    add_rung(r, RC_RUNG_REBOOT, 1, 10 * MINUTE);
    add_replace(p, r);

    r = add_rule(p, "job-suspect", FAULT(JOB_SUSPECT) | FAULT(XID));
    r->ignore = 1;

    r = add_rule(p, "gpu", FAULT(ROW_REMAP) | FAULT(GPU) | FAULT(NVLINK) | FAULT(GPU_SUSPECT));
    r->jobs = jobs(p, RC_JOBS_REQUEUE, 0, (int64_t)p->plan->job_wait_ms, 0);
    r->jobs.exclude_ms = 10 * MINUTE;
    r->forensics = 1;
    add_rung(r, RC_RUNG_GPU_RESET, 1, 10 * MINUTE);
    add_rung(r, RC_RUNG_REBOOT, 1, 10 * MINUTE);
    add_replace(p, r);

    r = add_rule(p, "gpu-lost", FAULT(GPU_LOST) | FAULT(KERNEL) | FAULT(EFA) | FAULT(PCIE));
    r->jobs = jobs(p, RC_JOBS_REQUEUE, 0, (int64_t)p->plan->job_wait_ms, 0);
    r->forensics = 1;
    add_rung(r, RC_RUNG_REBOOT, 1, 10 * MINUTE);
    add_replace(p, r);

    r = add_rule(p, "host-broken", FAULT(GPU_BROKEN) | FAULT(MEMORY) | FAULT(KNOWN_BAD));
    r->jobs = jobs(p, RC_JOBS_REQUEUE, 0, (int64_t)p->plan->job_wait_ms, 0);
    add_replace(p, r);

    r = add_rule(p, "agent-drain", FAULT(AGENT_DRAIN));
    r->jobs = jobs(p, RC_JOBS_REQUEUE, 0, (int64_t)p->plan->job_wait_ms, 0);
    add_rung(r, RC_RUNG_WATCH, 1, 5 * MINUTE);
    add_rung(r, RC_RUNG_REBOOT, 1, 10 * MINUTE);
    add_replace(p, r);
    p->policy.suspect = (struct rc_suspect_policy){.nodes = 3,
                                                   .jobs = 3,
                                                   .within_ms = 10 * MINUTE,
                                                   .jobs_within_ms = 24 * HOUR_OF_WAIT_MS,
                                                   .hold = 1};
}

static void
add_rules(struct rc_play *p)
{
    struct rc_rule *r =
        add_rule(p, "lost", FAULT(INSTANCE_GONE) | FAULT(INSTANCE_STOPPED) | FAULT(INTERRUPTION));
    r->jobs = jobs(p, RC_JOBS_REQUEUE, 18, 75 * SECOND, 45 * SECOND);
    r->launch_when = launch_when(p, p->plan->at_once ? RC_LAUNCH_AT_ONCE : RC_LAUNCH_IDLE);
    add_replace(p, r);

    r = add_rule(p, "scheduled",
                 FAULT(RETIREMENT) | FAULT(SCHEDULED_STOP) | FAULT(SCHEDULED_MAINTENANCE));
    r->jobs = jobs(p, RC_JOBS_SIGNAL, 18, 0, 2 * MINUTE);
    r->lead_ms = 30 * MINUTE;
    r->launch_when =
        launch_when(p, p->plan->before_drain ? RC_LAUNCH_BEFORE_DRAIN : RC_LAUNCH_IDLE);
    add_replace(p, r);

    r = add_rule(p, "reboot-event", FAULT(SCHEDULED_REBOOT));
    r->jobs = jobs(p, RC_JOBS_SIGNAL, 18, 0, 2 * MINUTE);
    r->lead_ms = 20 * MINUTE;
    add_rung(r, RC_RUNG_WATCH, 1, 90 * MINUTE);
    add_rung(r, RC_RUNG_REBOOT, 1, 10 * MINUTE);
    add_replace(p, r);

    r = add_rule(p, "host-bad", FAULT(SYSTEM_IMPAIRED));
    r->confirm_ms = MINUTE;
    r->jobs = jobs(p, RC_JOBS_REQUEUE, p->plan->signal_before_ms ? 18 : 0,
                   (int64_t)p->plan->job_wait_ms, 0);
    add_rung(r, p->plan->reserved ? RC_RUNG_REPLACE : RC_RUNG_POWER_CYCLE, 1, 10 * MINUTE);
    add_replace(p, r);

    if (p->plan->repeats) {
        r = add_rule(p, "bad-again", FAULT(INSTANCE_IMPAIRED) | FAULT(NODE_DOWN) | FAULT(EBS));
        r->repeats_min = (uint32_t)p->plan->repeats;
        r->repeats_window_ms = 2 * HOUR_OF_WAIT_MS;
        r->repeats_of = (uint32_t)p->plan->repeats_of;
        r->confirm_ms = MINUTE;
        r->jobs = jobs(p, RC_JOBS_REQUEUE, 0, (int64_t)p->plan->job_wait_ms, 0);
        add_replace(p, r);
    }

    r = add_rule(p, "node-bad", FAULT(INSTANCE_IMPAIRED) | FAULT(NODE_DOWN) | FAULT(EBS));
    r->confirm_ms = MINUTE;
    r->jobs = jobs(p, RC_JOBS_REQUEUE, p->plan->signal_before_ms ? 18 : 0,
                   (int64_t)p->plan->job_wait_ms, 0);
    add_rung(r, RC_RUNG_REBOOT, 1, 10 * MINUTE);
    add_replace(p, r);

    add_agent_rules(p);
    r = add_rule(p, "watch", 0);
    r->jobs = jobs(p, RC_JOBS_WAIT, 0, HOUR_OF_WAIT_MS, 0);
    add_rung(r, RC_RUNG_WATCH, 1, 2 * HOUR_OF_WAIT_MS);
}

static void
add_scopes(struct rc_play *p)
{
    struct rc_limits_policy *l = &p->policy.limits;
    const struct rc_plan *plan = p->plan;

    for (uint32_t i = 0; i < RC_SCOPE__MAX; i++) {
        bool rated =
            plan->rates_of == RC_PLAN_RATES_OF_ALL ||
            i == (plan->rates_of == RC_PLAN_RATES_OF_ZONE ? RC_SCOPE_ZONE : RC_SCOPE_PARTITION);
        l->out[i].count = (uint32_t)plan->out_max + (i == 0);
        l->out[i].permille = (uint32_t)plan->out_share;
        l->launches_per_hour[i] = rated ? (uint32_t)plan->launches_max : 0;
        l->destructive_per_hour[i] = rated ? (uint32_t)plan->destructive_max : 0;
    }
    if (plan->out_zone) {
        l->out[RC_SCOPE_ZONE].count = (uint32_t)plan->out_zone;
    }
}

static void
add_gate(struct rc_play *p)
{
    struct rc_gate_policy *gate = &p->policy.gate;

    gate->ssh = 1;
    if (p->plan->gate_must) {
        struct rc_gate_type *type = &gate->type[gate->type_count++];
        memset(type, 0, sizeof *type);
        rc_text_set(type->type, sizeof type->type, "*");
        type->probes = type->must = p->plan->gate_must;
        type->dcgm_level = 2;
    }
}

void
rc_play_policy(struct rc_play *p)
{
    struct rc_limits_policy *l = &p->policy.limits;
    const struct rc_plan *plan = p->plan;

    memset(&p->policy, 0, offsetof(struct rc_policy, rule));
    rc_text_set(p->policy.name, sizeof p->policy.name, "check");
    p->policy.hash = p->result->policy_hash = rc_plan_policy_hash(plan);
    add_scopes(p);
    l->attempts_max = (uint32_t)plan->attempts_max;
    l->attempts_window_ms = 12 * 60 * MINUTE;
    l->cooldown_ms = 2 * MINUTE;
    l->out_of_job.count = (uint32_t)plan->of_job_max;
    l->jobs.count = (uint32_t)plan->jobs_max;
    l->same_job = (uint32_t)plan->same_job;
    l->quarantine.count = (uint32_t)plan->quarantine_max;
    l->spares.count = (uint32_t)plan->spares;
    l->spacing_ms = (int64_t)plan->spacing_ms;
    l->breaker.count = (uint32_t)plan->breaker_max;
    l->breaker.permille = (uint32_t)plan->breaker_share;
    l->breaker_window_ms = 10 * MINUTE;
    l->breaker_reset_ms = 20 * MINUTE;
    l->in_flight_max = 16;
    p->policy.controllers = (struct rc_controllers_policy){.automatic = 1,
                                                           .failovers_max = 8,
                                                           .failovers_window_ms = 10 * MINUTE,
                                                           .gone_ms = 500,
                                                           .silent_ms = 5 * SECOND,
                                                           .ailing_ms = 30 * SECOND,
                                                           .fence_ms = 5 * SECOND,
                                                           .takeover_ms = 30 * SECOND,
                                                           .grace_ms = 10 * SECOND,
                                                           .lost_ms = 5 * MINUTE,
                                                           .restarts = 8,
                                                           .swap_back = p->plan->seed % 4 == 0,
                                                           .swap_back_ms = 5 * MINUTE};
    p->policy.timeouts = (struct rc_timeouts_policy){.drain_ms = 30 * SECOND,
                                                     .launch_ms = 30 * SECOND,
                                                     .boot_ms = 5 * MINUTE,
                                                     .register_ms = MINUTE,
                                                     .join_ms = 6 * MINUTE,
                                                     .gate_ms = 3 * MINUTE,
                                                     .return_ms = 90 * SECOND,
                                                     .stop_ms = 5 * MINUTE,
                                                     .retry_min_ms = SECOND,
                                                     .retry_max_ms = MINUTE,
                                                     .missing_ms = 4 * MINUTE,
                                                     .capacity_wait_ms = 3 * MINUTE};
    add_gate(p);
    add_rules(p);
}
