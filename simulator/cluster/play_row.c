/* play_row.c - what the schedule does to the world; see plan.h for the kinds. */
#include <stdio.h>
#include <string.h>

#include "policies/rules.h"
#include "simulator/check.h"
#include "simulator/cluster/play_private.h"

enum { OPERATOR_RETRY_MS = 60 * 1000 };

uint32_t
rc_play_node_index(const struct rc_play *p, const char *name)
{
    uint32_t i = 0;

    while (i < p->plan->nodes && strcmp(p->conf[i].name, name) != 0) {
        i++;
    }
    return i;
}

/* The living instance at the node's address. */
struct rc_sim_instance *
rc_play_instance(struct rc_play *p, uint32_t node)
{
    struct rc_sim_instance *found = NULL;

    for (uint32_t slot = 0; node < p->plan->nodes && slot < rc_sim_ec2_slots(p->ec2); slot++) {
        struct rc_sim_instance *inst = rc_sim_ec2_at(p->ec2, slot);
        if (inst && strcmp(inst->addr, p->conf[node].addr) == 0 &&
            (!found || inst->launched_ms > found->launched_ms)) {
            found = inst;
        }
    }
    return found;
}

static uint32_t
row_slot(struct rc_play *p, const struct rc_sim_instance *inst)
{
    uint32_t slot = 0;

    while (rc_sim_ec2_at(p->ec2, slot) != inst) {
        slot++;
    }
    return slot;
}

/* A spare knows no node name: no slurmd runs there, whatever address it was lent. */
bool
rc_play_is_spare(const struct rc_sim_instance *inst)
{
    const char *node = inst ? rc_sim_ec2_tag_value(inst, "slurm-on-aws:node") : NULL;

    return node && strncmp(node, "spare/", 6) == 0;
}

/* EC2's changes mean hosts that come and go, and notices. */
void
rc_play_changes(struct rc_play *p)
{
    struct rc_sim_change c;

    while (rc_sim_ec2_next_change(p->ec2, &c)) {
        struct rc_event ev;
        if (c.kind != RC_SIM_CHANGE_STATE) {
            if (c.kind == RC_SIM_CHANGE_UP) {
                rc_heads_power(p, c.addr, true);
                p->boot_ms[c.slot] = c.at_ms;
            }
            if (p->slurm && !rc_play_is_spare(rc_sim_ec2_at(p->ec2, c.slot))) {
                rc_sim_slurm_host(p->slurm, c.at_ms, c.addr, c.kind == RC_SIM_CHANGE_UP, c.at_ms);
            }
            continue;
        }
        if (c.state == RC_INST_STOPPED || c.state == RC_INST_TERMINATED) {
            rc_heads_power(p, c.addr, false); /* a controller may write until it is off */
        }
        rc_event_init(&ev, RC_EV_EC2_STATE_CHANGE);
        memcpy(ev.instance, c.id, sizeof ev.instance);
        ev.u.state_change.state = (uint32_t)c.state;
        ev.u.state_change.told_wall_ms = c.at_ms - c.at_ms % 1000;
        rc_play_notice(p, &ev, RC_VERDICT_EVENTS);
        rc_play_trace(p, "   %s is in state %d", c.id, (int)c.state);
    }
}

static void
tell(struct rc_play *p, enum rc_event_kind kind, const char *instance, const char *code,
     const void *payload, size_t len)
{
    struct rc_event ev;

    rc_event_init(&ev, kind);
    rc_text_set(ev.instance, sizeof ev.instance, instance);
    rc_text_set(ev.code, sizeof ev.code, code);
    memcpy(&ev.u, payload, len);
    rc_play_notice(p, &ev, RC_VERDICT_EVENTS);
}

static void
tell_health(struct rc_play *p, const struct rc_sim_instance *inst, enum rc_health_category category,
            enum rc_schedule schedule, enum rc_health_status status, int64_t start_ms)
{
    struct rc_ev_aws_health h = {.category = (uint32_t)category,
                                 .schedule = (uint32_t)schedule,
                                 .status = (uint32_t)status,
                                 .start_wall_ms = start_ms};

    tell(p, RC_EV_AWS_HEALTH, inst->id,
         category == RC_HEALTH_ISSUE ? "AWS_EC2_INSTANCE_ISSUE" : "AWS_EC2_SCHEDULED", &h,
         sizeof h);
}

static void
host_up(struct rc_play *p, struct rc_sim_instance *inst, bool up)
{
    rc_sim_slurm_host(p->slurm, rc_play_wall(p), inst->addr, up,
                      p->boot_ms[row_slot(p, inst)] > inst->running_ms
                          ? p->boot_ms[row_slot(p, inst)]
                          : inst->running_ms);
}

static void
schedule(struct rc_play *p, const struct rc_plan_row *row, struct rc_sim_instance *inst)
{
    enum rc_schedule kind = row->ill == RC_ILL_RETIRE ? RC_SCHED_RETIREMENT : RC_SCHED_REBOOT;
    int64_t at_ms = rc_play_wall(p) + row->for_ms;

    if (rc_sim_ec2_schedule(p->ec2, inst, kind, at_ms, at_ms + row->for_ms)) {
        tell_health(p, inst, RC_HEALTH_SCHEDULED_CHANGE, kind, RC_HSTAT_UPCOMING, at_ms);
    }
}

void
rc_play_lemon(struct rc_play *p, uint32_t node)
{
    const struct rc_sim_instance *inst = rc_play_instance(p, node);

    if (inst) {
        p->lemon[row_slot(p, inst)] = 1;
        memcpy(p->lemon_id[row_slot(p, inst)], inst->id, RC_ID_LEN);
    }
}

/* Rows that befall the instance behind a node. */
static void
befall(struct rc_play *p, const struct rc_plan_row *row, struct rc_sim_instance *inst)
{
    int64_t wall_ms = rc_play_wall(p);
    struct rc_ev_spot_interruption spot = {.deadline_wall_ms = wall_ms + row->for_ms,
                                           .action = RC_IACT_TERMINATE};
    struct rc_ev_cloudwatch_alarm alarm = {.state = RC_ALARM_FIRING};
    char nothing[1] = "";

    switch (row->ill) {
    case RC_ILL_KILL:
        rc_sim_ec2_kill(p->ec2, wall_ms, inst, "Server.InternalError");
        break;
    case RC_ILL_STOP:
        (void)rc_sim_ec2_do(p->ec2, wall_ms, inst, RC_SIM_STOP);
        break;
    case RC_ILL_SPOT:
        if (inst->state == RC_INST_RUNNING) {
            rc_sim_ec2_spot(p->ec2, inst, wall_ms + row->for_ms);
            tell(p, RC_EV_SPOT_INTERRUPTION, inst->id, "spot", &spot, sizeof spot);
        }
        break;
    case RC_ILL_RETIRE:
    case RC_ILL_REBOOT_EVENT:
        schedule(p, row, inst);
        break;
    case RC_ILL_SYSTEM:
        rc_sim_ec2_impair(inst, wall_ms, RC_SIM_CHECK_SYSTEM, RC_CHECK_IMPAIRED);
        break;
    case RC_ILL_KERNEL:
        rc_sim_ec2_impair(inst, wall_ms, RC_SIM_CHECK_INSTANCE, RC_CHECK_IMPAIRED);
        host_up(p, inst, false);
        break;
    case RC_ILL_EBS:
        rc_sim_ec2_impair(inst, wall_ms, RC_SIM_CHECK_EBS, RC_CHECK_IMPAIRED);
        break;
    case RC_ILL_HANG:
        if (inst->booted) {
            host_up(p, inst, false);
            p->hang_until_ms[row_slot(p, inst)] = p->now_ms + row->for_ms;
        }
        break;
    case RC_ILL_LEMON:
        rc_play_lemon(p, row->target % (uint32_t)p->plan->nodes);
        break;
    case RC_ILL_AGENT:
    case RC_ILL_FILE_SERVER:
    case RC_ILL_JOB_STORM:
        rc_play_agent_row(p, row, false);
        break;
    case RC_ILL_ALARM:
        tell(p, RC_EV_CLOUDWATCH_ALARM, inst->id, "alarm", &alarm, sizeof alarm);
        break;
    case RC_ILL_ISSUE:
        tell_health(p, inst, RC_HEALTH_ISSUE, RC_SCHED_NONE, RC_HSTAT_OPEN, wall_ms);
        break;
    case RC_ILL_REBALANCE:
        tell(p, RC_EV_REBALANCE_RECOMMENDATION, inst->id, "", nothing, 0);
        break;
    default:
        break;
    }
}

/* What for_ms ends. Alarms and issues are closed for every instance of the node: the
 * notice that closes one is as likely to get lost as any other, but the next comes. */
static void
relieve(struct rc_play *p, const struct rc_plan_row *row, struct rc_sim_instance *inst)
{
    struct rc_ev_cloudwatch_alarm alarm = {.state = RC_ALARM_OK};
    uint32_t slot = row_slot(p, inst);

    switch (row->ill) {
    case RC_ILL_SYSTEM:
        if (row->for_ms && inst->check[RC_SIM_CHECK_SYSTEM].status == RC_CHECK_IMPAIRED) {
            rc_sim_ec2_impair(inst, rc_play_wall(p), RC_SIM_CHECK_SYSTEM, RC_CHECK_OK);
        }
        break;
    case RC_ILL_EBS:
        rc_sim_ec2_impair(inst, rc_play_wall(p), RC_SIM_CHECK_EBS, RC_CHECK_OK);
        break;
    case RC_ILL_HANG:
        if (p->hang_until_ms[slot] && p->hang_until_ms[slot] <= p->now_ms && inst->booted) {
            host_up(p, inst, true);
        }
        break;
    case RC_ILL_ALARM:
        tell(p, RC_EV_CLOUDWATCH_ALARM, inst->id, "alarm", &alarm, sizeof alarm);
        break;
    case RC_ILL_ISSUE:
        tell_health(p, inst, RC_HEALTH_ISSUE, RC_SCHED_NONE, RC_HSTAT_CLOSED, rc_play_wall(p));
        break;
    case RC_ILL_AGENT:
    case RC_ILL_FILE_SERVER:
        rc_play_agent_row(p, row, true);
        break;
    default:
        break;
    }
}

/* A standby refuses a person's commands, so they are said to who leads. */
static void
command(struct rc_ctl *c, enum rc_operator_verb verb, const char *node, uint32_t incident)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_OPERATOR);
    rc_text_set(ev.node, sizeof ev.node, node);
    ev.u.operator_command.verb = (uint32_t)verb;
    ev.u.operator_command.incident = incident;
    rc_text_set(ev.u.operator_command.who, sizeof ev.u.operator_command.who, "ann");
    rc_ctl_post(c, &ev);
}

static struct rc_ctl *
leading_ctl(struct rc_play *p)
{
    for (uint32_t i = 0; i < p->plan->controllers; i++) {
        if (p->ctl[i].up && rc_ctl_runs(&p->ctl[i]) && rc_leads(p->ctl[i].s)) {
            return &p->ctl[i];
        }
    }
    return NULL;
}

/* A person sees in the status what is not as it should be, and says it; when nobody leads,
 * a minute later. */
void
rc_play_operator(struct rc_play *p)
{
    struct rc_ctl *c = leading_ctl(p);

    if (!c) {
        if (!p->quiet) {
            rc_play_task(p, p->now_ms + OPERATOR_RETRY_MS, RC_TASK_OPERATOR, NULL, 0);
        }
        return;
    }
    if (c->s->paused != p->wants_pause) {
        command(c, p->wants_pause ? RC_OP_PAUSE : RC_OP_RESUME, "", 0);
    }
    for (uint32_t i = 0; i < p->plan->nodes; i++) {
        uint32_t slot = rc_node_find(c->s, p->conf[i].name);
        uint32_t wants = p->wants_hold >> i & 1U;
        if (slot && rc_node_at(c->s, slot)->hold != wants) {
            command(c, wants ? RC_OP_HOLD : RC_OP_RELEASE, p->conf[i].name, 0);
        }
    }
}

static void
approve_all(struct rc_play *p)
{
    struct rc_ctl *c = leading_ctl(p);

    for (uint32_t i = 0; c && i < RC_PLAY_ITEMS; i++) {
        if (p->item[i].incident) {
            command(c, RC_OP_APPROVE, "", p->item[i].incident);
        }
    }
}

static bool
is_foreign(const struct rc_play *p, uint32_t node)
{
    const struct rc_sim_node *n = rc_sim_slurm_node(p->slurm, node);

    return n && n->flags & (RC_SN_DRAIN | RC_SN_DOWN) && strncmp(n->reason, "ann:", 4) == 0;
}

static void
operate(struct rc_play *p, const struct rc_plan_row *row, uint32_t node, bool end)
{
    const char *name = p->conf[node].name;

    switch (row->ill) {
    case RC_ILL_OP_DRAIN:
        if (!end) {
            (void)rc_sim_slurm_update(p->slurm, rc_play_wall(p), name, RC_SN_DRAIN, "ann: mine",
                                      1000);
        } else if (is_foreign(p, node)) {
            (void)rc_sim_slurm_resume(p->slurm, rc_play_wall(p), name);
        }
        break;
    case RC_ILL_OP_RESUME:
        rc_check_person_resumes(p, node);
        (void)rc_sim_slurm_resume(p->slurm, rc_play_wall(p), name);
        break;
    case RC_ILL_OP_HOLD:
        p->wants_hold = end ? p->wants_hold & ~(1U << node) : p->wants_hold | 1U << node;
        rc_play_operator(p);
        break;
    case RC_ILL_OP_MAINT:
        rc_sim_slurm_maint(p->slurm, rc_play_wall(p), name, !end);
        break;
    case RC_ILL_OP_PAUSE:
        p->wants_pause = !end;
        rc_play_operator(p);
        break;
    case RC_ILL_OP_APPROVE:
        approve_all(p);
        break;
    default:
        break;
    }
}

/* Rows about a controller. */
static void
trouble_ctl(struct rc_play *p, const struct rc_plan_row *row)
{
    struct rc_ctl *c = &p->ctl[row->target % p->plan->controllers];
    int64_t until_ms = p->now_ms + row->for_ms;

    switch (row->ill) {
    case RC_ILL_HELPER:
        c->helper_until_ms = until_ms;
        break;
    case RC_ILL_LEASE_LOST:
        c->lease_lost_until_ms = until_ms;
        break;
    case RC_ILL_DISK_SLOW:
        c->disk_slow_until_ms = until_ms;
        break;
    case RC_ILL_DISK_FULL:
        c->disk_full_until_ms = until_ms;
        break;
    case RC_ILL_CRASH:
        if (c->up) {
            rc_ctl_crash(c, row->value);
            rc_play_task(p, until_ms, RC_TASK_START, c, 0);
        }
        break;
    case RC_ILL_FREEZE:
        if (until_ms > c->frozen_until_ms) { /* what waits for the first one's end goes on then */
            c->frozen_until_ms = until_ms;
        }
        break;
    case RC_ILL_CLOCK:
        c->wall_skew_ms += row->value;
        break;
    default:
        break;
    }
}

static void
strange(struct rc_play *p, const struct rc_plan_row *row)
{
    struct rc_ev_ec2_state_change gone = {.state = RC_INST_TERMINATED};
    char id[RC_ID_LEN];

    if (row->ill == RC_ILL_GARBAGE) {
        rc_play_notice(p, NULL, RC_VERDICT_QUARANTINED);
    } else if (row->ill == RC_ILL_STRANGER) {
        snprintf(id, sizeof id, "i-0%016llx", (unsigned long long)rc_play_mix(p, row->target, 5));
        tell(p, RC_EV_EC2_STATE_CHANGE, id, "", &gone, sizeof gone);
    } else {
        struct rc_sim_launch like = {
            .template_id = "lt-1", .subnet = "subnet-b", .min = 1, .max = 1, .tag_count = 1};
        rc_text_set(like.tag[0].key, RC_SIM_TAG_KEY_LEN, "slurm-on-aws:node");
        rc_text_set(like.tag[0].value, RC_SIM_TAG_VALUE_LEN,
                    p->conf[row->target % p->plan->nodes].name);
        (void)rc_sim_ec2_place(p->ec2, rc_play_wall(p), &like, "");
    }
}

static void
open_window(struct rc_play *p, const struct rc_plan_row *row, bool end)
{
    int64_t until_ms = p->now_ms + row->for_ms;

    switch (row->ill) {
    case RC_ILL_CAPACITY:
        (void)rc_sim_ec2_set_capacity(
            p->ec2, rc_sim_ec2_subnet(p->ec2, row->target % RC_PLAN_SUBNETS)->id, "", end ? -1 : 0);
        break;
    case RC_ILL_EC2_ERRORS:
        p->ec2_errors_until_ms = until_ms;
        p->ec2_errors_permille = (uint32_t)row->value;
        break;
    case RC_ILL_SLURM_ERRORS:
        p->slurm_errors_until_ms = until_ms;
        p->slurm_errors_permille = (uint32_t)row->value;
        break;
    case RC_ILL_SLURM_DOWN:
        p->slurm_down_until_ms = until_ms;
        break;
    case RC_ILL_STORE_DOWN:
        p->store_until_ms = until_ms;
        break;
    default:
        break;
    }
}

static void
submit(struct rc_play *p, const struct rc_plan_row *row)
{
    struct rc_sim_job_order order = {
        .nodes =
            (uint32_t)row->value < p->plan->nodes ? (uint32_t)row->value : (uint32_t)p->plan->nodes,
        .run_ms = row->for_ms,
        .requeue = row->target & 1,
        .batch = true,
    };

    (void)rc_sim_slurm_submit(p->slurm, rc_play_wall(p), &order);
}

void
rc_play_row(struct rc_play *p, const struct rc_plan_row *row, bool end)
{
    uint32_t node = row->target % (uint32_t)p->plan->nodes;
    struct rc_sim_instance *inst = rc_play_instance(p, node);
    bool living = inst && inst->state <= RC_INST_RUNNING;
    char text[128];

    rc_plan_row_text(row, text, sizeof text);
    rc_play_trace(p, "## %s%s", end ? "end of " : "", text);
    if (row->ill <= RC_ILL_REBALANCE) {
        if (living && end) {
            relieve(p, row, inst);
        } else if (living) {
            befall(p, row, inst);
        }
    } else if (row->ill <= RC_ILL_SLURM_DOWN || row->ill == RC_ILL_STORE_DOWN) {
        open_window(p, row, end);
    } else if (row->ill <= RC_ILL_CLOCK) {
        trouble_ctl(p, row);
    } else if (row->ill <= RC_ILL_OP_APPROVE) {
        operate(p, row, node, end);
    } else if (row->ill <= RC_ILL_MISTAG) {
        strange(p, row);
    } else if (row->ill > RC_ILL_JOB) {
        if (!end) {
            rc_play_pair_row(p, row);
        }
    } else {
        submit(p, row);
    }
    rc_heads_changed(p);
    if (!end) {
        rc_heads_look_at_end(p, row->for_ms);
    }
    bool ends =
        row->ill <= RC_ILL_CAPACITY || (row->ill >= RC_ILL_OP_DRAIN && row->ill <= RC_ILL_OP_PAUSE);
    if (!end && ends && row->for_ms) {
        rc_play_task(p, p->now_ms + row->for_ms, RC_TASK_ROW_END, NULL,
                     (uint32_t)(row - p->plan->row));
    }
}

/* The faults are over: what a person would put right is put right, and AWS's notices
 * that close something come at last. What is broken in a node stays broken. */
void
rc_play_quiet(struct rc_play *p)
{
    p->quiet = 1;
    p->ec2_errors_until_ms = p->slurm_errors_until_ms = 0;
    p->slurm_down_until_ms = p->store_until_ms = 0;
    for (uint32_t i = 0; i < RC_PLAN_SUBNETS; i++) {
        (void)rc_sim_ec2_set_capacity(p->ec2, rc_sim_ec2_subnet(p->ec2, i)->id, "", -1);
    }
    for (uint32_t i = 0; i < p->plan->controllers; i++) {
        struct rc_ctl *c = &p->ctl[i];
        c->helper_until_ms = c->lease_lost_until_ms = 0;
        c->disk_full_until_ms = c->disk_slow_until_ms = c->frozen_until_ms = 0;
        if (c->up && c->syncing) {
            rc_play_task(p, p->now_ms, RC_TASK_SYNC, c, (uint32_t)c->record_last);
        } else if (!c->up) {
            rc_ctl_start(c);
        }
    }
    rc_heads_quiet(p);
    p->wants_pause = p->wants_hold = 0;
    rc_play_operator(p);
    rc_play_agent_quiet(p);
    for (uint32_t node = 0; node < p->plan->nodes; node++) {
        rc_sim_slurm_maint(p->slurm, rc_play_wall(p), p->conf[node].name, false);
        if (is_foreign(p, node)) {
            (void)rc_sim_slurm_resume(p->slurm, rc_play_wall(p), p->conf[node].name);
        }
    }
    for (uint32_t slot = 0; slot < rc_sim_ec2_slots(p->ec2); slot++) {
        struct rc_sim_instance *inst = rc_sim_ec2_at(p->ec2, slot);
        struct rc_ev_cloudwatch_alarm ok = {.state = RC_ALARM_OK};
        if (inst) {
            tell(p, RC_EV_CLOUDWATCH_ALARM, inst->id, "alarm", &ok, sizeof ok);
            tell_health(p, inst, RC_HEALTH_ISSUE, RC_SCHED_NONE, RC_HSTAT_CLOSED, rc_play_wall(p));
        }
    }
}
