/* classify.c - facts of a node -> the worst fault that they show -> the rule
 * that answers it.
 *
 * Unknown never reads as a fault: a check that was not told, an instance that
 * is not described, a node that was not polled give nothing to act on. */
#include <string.h>

#include "policies/rules.h"
#include "reconciler/core/spare.h"
#include "reconciler/core/text.h"

static bool
gone_from_ec2(const struct rc_state *s, const struct rc_instance *i, const struct rc_node *n)
{
    /* Terminated instances vanish from DescribeInstances within the hour; so a
     * long absence in complete sweeps is proof only together with a dead slurmd. One sweep and
     * silence of EC2 is none: what was launched a moment ago is shown late. */
    return i->missing_since_ms && (n->spare || n->flags & RC_SN_NOT_RESPONDING) &&
           s->ec2_pass_ms - i->missing_since_ms >= s->policy.timeouts.missing_ms;
}

bool
rc_instance_dead(const struct rc_state *s, uint32_t instance)
{
    if (!instance) {
        return false;
    }
    const struct rc_instance *i = rc_instance_at(s, instance);
    bool remembered = i->seen_ms < s->start_ms; /* an end is for ever; what stopped may run again */
    if (i->state == RC_INST_TERMINATED || (i->state == RC_INST_STOPPED && !remembered)) {
        return true;
    }
    return i->node && gone_from_ec2(s, i, rc_node_at(s, i->node));
}

static enum rc_fault
fault_of_schedule(uint32_t schedule)
{
    switch ((enum rc_schedule)schedule) {
    case RC_SCHED_REBOOT:
        return RC_FAULT_SCHEDULED_REBOOT;
    case RC_SCHED_MAINTENANCE:
    case RC_SCHED_OTHER:
        return RC_FAULT_SCHEDULED_MAINTENANCE;
    case RC_SCHED_STOP:
        return RC_FAULT_SCHEDULED_STOP;
    case RC_SCHED_RETIREMENT:
        return RC_FAULT_RETIREMENT;
    case RC_SCHED_NONE:
    case RC_SCHED__MAX:
        break;
    }
    return RC_FAULT_NONE;
}

/* The worst fault stands; the earliest deadline stands. */
static void
worsen(struct rc_finding *f, enum rc_fault fault, int64_t window, int64_t deadline,
       const char *code)
{
    if (fault > f->fault) {
        f->fault = fault;
        f->window_wall_ms = window;
        f->code = code;
    }
    if (deadline && (!f->deadline_wall_ms || deadline < f->deadline_wall_ms)) {
        f->deadline_wall_ms = deadline;
    }
}

static void
diagnose_state(const struct rc_instance *i, struct rc_finding *f)
{
    switch ((enum rc_instance_state)i->state) {
    case RC_INST_STOPPING:
        worsen(f, RC_FAULT_INSTANCE_STOPPED, 0, 0, "stopping");
        break;
    case RC_INST_STOPPED:
        worsen(f, RC_FAULT_INSTANCE_STOPPED, 0, 0, "stopped");
        break;
    case RC_INST_SHUTTING_DOWN:
        worsen(f, RC_FAULT_INSTANCE_GONE, 0, 0, "shutting-down");
        break;
    case RC_INST_TERMINATED:
        worsen(f, RC_FAULT_INSTANCE_GONE, 0, 0, "terminated");
        break;
    case RC_INST_UNKNOWN:
    case RC_INST_PENDING:
    case RC_INST_RUNNING:
    case RC_INST__MAX:
        break;
    }
}

static void
diagnose_instance(const struct rc_state *s, const struct rc_instance *i, const struct rc_node *n,
                  struct rc_finding *f)
{
    const struct rc_instance_faults *x = &i->faults;

    if (x->alarm == RC_ALARM_FIRING) {
        worsen(f, RC_FAULT_ALARM, 0, 0, x->code);
    }
    if (x->health_issue) {
        worsen(f, RC_FAULT_HEALTH_NOTICE, 0, 0, x->code);
    }
    if (x->ebs_failed || x->ebs == RC_CHECK_IMPAIRED) {
        worsen(f, RC_FAULT_EBS, 0, 0, x->ebs_failed ? x->code : "ebs-status");
    }
    if (x->schedule) {
        worsen(f, fault_of_schedule(x->schedule), x->not_before_wall_ms, x->not_before_wall_ms,
               x->code);
    }
    if (x->capacity_ending) {
        worsen(f, RC_FAULT_CAPACITY_ENDING, x->capacity_end_wall_ms, x->capacity_end_wall_ms,
               x->code);
    }
    if (x->instance == RC_CHECK_IMPAIRED) {
        worsen(f, RC_FAULT_INSTANCE_IMPAIRED, 0, 0, "instance-status");
    }
    if (x->system == RC_CHECK_IMPAIRED) {
        worsen(f, RC_FAULT_SYSTEM_IMPAIRED, 0, 0, "system-status");
    }
    if (x->interruption) {
        worsen(f, RC_FAULT_INTERRUPTION, 0, x->interruption_wall_ms, x->code);
    }
    diagnose_state(i, f);
    if (gone_from_ec2(s, i, n)) {
        worsen(f, RC_FAULT_INSTANCE_GONE, 0, 0, "missing");
    }
    f->dead = rc_instance_dead(s, n->instance);
}

/* Slurm's own way with a node must not be fought: reboots, power saving and
 * FUTURE nodes are down on purpose. */
static bool
down_by_itself(const struct rc_node *n)
{
    uint32_t meant =
        RC_SN_REBOOT | RC_SN_POWERING | RC_SN_POWERED_DOWN | RC_SN_FUTURE | RC_SN_MAINT;

    /* DOWN under our own reason is our doing; only silence counts then. */
    return n->down_since_ms && !(n->flags & meant) && n->owner != RC_OWNER_FOREIGN &&
           n->owner != RC_OWNER_UNKNOWN &&
           (n->owner != RC_OWNER_OURS || n->flags & RC_SN_NOT_RESPONDING);
}

bool
rc_finding_well(const struct rc_finding *f)
{
    return f->known && f->fault == RC_FAULT_NONE;
}

/* A place is empty once a complete pass has had the time to show what stands there. */
static struct rc_finding
diagnose_place(const struct rc_state *s, const struct rc_node *n)
{
    struct rc_finding f = {.code = ""};

    f.known = s->sweep >= s->sweep_floor;
    if (!n->instance && rc_spare_wanted(s, n)) {
        worsen(&f, RC_FAULT_INSTANCE_GONE, 0, 0, "empty");
        f.dead = true;
        return f;
    }
    const struct rc_instance *i = n->instance ? rc_instance_at(s, n->instance) : NULL;
    if (i && i->ours) {
        diagnose_instance(s, i, n, &f);
    }
    if (i && i->asked && !i->promised) { /* half given away: of no use to another */
        worsen(&f, RC_FAULT_INSTANCE_GONE, 0, 0, "spent");
    }
    return f;
}

/* A drain of ours that answers for nothing: the agent's, to be taken over, then proved or
 * repaired; or one that landed after its incident had closed, or whose leader fell before it
 * could write the incident down. (Nodes drained at once share one incident's reason, so only
 * a node without an incident shows the latter.) */
static void
diagnose_own_drain(const struct rc_node *n, struct rc_finding *f)
{
    if (!(n->flags & RC_SN_DRAIN) || n->owner != RC_OWNER_OURS) {
        return;
    }
    if (!n->reason_incident) {
        worsen(f, RC_FAULT_AGENT_DRAIN, 0, 0, "nodewatch");
    } else if (!n->incident) {
        worsen(f, RC_FAULT_AGENT_DRAIN, 0, 0, "left-behind");
    }
}

/* EC2 shows what carried the name, and it has ended: a leader that came too late to see which
 * address it had need not wait for what may only be late. */
static bool
all_ended(const struct rc_state *s, const struct rc_node *n)
{
    uint32_t slot = n->instances;

    while (slot && rc_instance_at(s, slot)->state == RC_INST_TERMINATED) {
        slot = rc_instance_at(s, slot)->next_of_node;
    }
    return n->instances && !slot;
}

struct rc_finding
rc_diagnose(const struct rc_state *s, uint32_t node)
{
    const struct rc_node *n = rc_node_at(s, node);
    struct rc_finding f = {.code = ""};

    if (n->spare) {
        return diagnose_place(s, n);
    }

    if (!n->instance && n->unbound_since_ms && n->flags & RC_SN_NOT_RESPONDING &&
        (all_ended(s, n) || s->now_ms - n->unbound_since_ms >= s->policy.timeouts.missing_ms)) {
        worsen(&f, RC_FAULT_INSTANCE_GONE, 0, 0, "missing");
        f.dead = f.known = true;
    }
    const struct rc_instance *i = n->instance ? rc_instance_at(s, n->instance) : NULL;
    if (i && !i->known && gone_from_ec2(s, i, n)) {
        /* Known by its id alone, from an item of the store, and no pass shows it any more. */
        worsen(&f, RC_FAULT_INSTANCE_GONE, 0, 0, "missing");
        f.dead = f.known = true;
    }
    if (!i || !i->ours) {
        return f; /* which instance is behind the name is not known */
    }
    f.known = true;
    diagnose_own_drain(n, &f);
    if (down_by_itself(n)) {
        worsen(&f, RC_FAULT_NODE_DOWN, 0, 0, "not-responding");
    }
    diagnose_instance(s, i, n, &f);
    if (n->unwell && *rc_health_at(s, node)->same_as) {
        worsen(&f, RC_FAULT_KNOWN_BAD, 0, 0, rc_health_at(s, node)->same_as);
    }
    rc_judge_told(s, node, &f);
    return f;
}

/* Core time since when the instance behind the name runs on its host. A bound time says more
 * only when a change was seen; else it tells when this process first looked. */
static int64_t
instance_since_ms(const struct rc_state *s, const struct rc_node *n)
{
    if (!n->instance) {
        return n->bound_ms;
    }
    int64_t age_ms = s->now_wall_ms - rc_instance_at(s, n->instance)->launched_wall_ms;
    int64_t since_ms = s->now_ms - age_ms;
    return n->generation > 1 && n->bound_ms > since_ms ? n->bound_ms : since_ms;
}

static uint32_t
incidents_since(const struct rc_state *s, const struct rc_node *n, const struct rc_rule *r)
{
    bool of_instance = r->repeats_of == RC_REPEATS_OF_INSTANCE;
    int64_t since_ms = of_instance ? instance_since_ms(s, n) : INT64_MIN;
    uint32_t known = n->opened_count < RC_ATTEMPTS_MAX ? n->opened_count : RC_ATTEMPTS_MAX;
    uint32_t count = 0;

    for (uint32_t i = 0; i < known; i++) {
        count += s->now_ms - n->opened_ms[i] <= r->repeats_window_ms && n->opened_ms[i] >= since_ms;
    }
    return count;
}

static bool
told_holds(const struct rc_state *s, const struct rc_rule *r, const struct rc_finding *f)
{
    uint32_t per_hour = f->fact ? f->fact->f.times - f->fact->hour_times : 0;

    return (!r->told || (f->fact && !f->fact->sure)) && per_hour >= r->per_hour &&
           ((!r->company.count && !r->company.permille) || rc_in_company(s, f->fault, &r->company));
}

static bool
rule_holds(const struct rc_state *s, const struct rc_rule *r, const struct rc_node *n,
           const struct rc_finding *f)
{
    const char *type = n->instance ? rc_instance_at(s, n->instance)->type : "";
    int64_t age_ms = s->now_ms - n->bound_ms;
    bool listed = n->incident != 0; /* then this incident stands in the ring already */

    return (!r->fault_mask || (r->fault_mask & (UINT64_C(1) << f->fault))) &&
           (!*r->code || rc_glob(r->code, f->code)) && (!*r->type || rc_glob(r->type, type)) &&
           (!*r->partition || rc_glob(r->partition, n->partition)) &&
           (!*r->node || rc_glob(r->node, n->name)) && told_holds(s, r, f) &&
           (!r->age_min_ms || age_ms >= r->age_min_ms) &&
           (!r->age_max_ms || age_ms <= r->age_max_ms) &&
           (!r->repeats_min || incidents_since(s, n, r) + !listed >= r->repeats_min);
}

const struct rc_rule *
rc_rule_named(const struct rc_state *s, const char *name)
{
    for (uint32_t i = 0; i < s->policy.rule_count; i++) {
        if (strcmp(s->policy.rule[i].name, name) == 0) {
            return &s->policy.rule[i];
        }
    }
    return strcmp(rc_spare_rule.name, name) == 0 ? &rc_spare_rule : NULL;
}

const struct rc_rule *
rc_policy_match(const struct rc_state *s, uint32_t node, const struct rc_finding *f)
{
    if (rc_node_at(s, node)->spare) {
        return &rc_spare_rule;
    }
    for (uint32_t i = 0; i < s->policy.rule_count; i++) {
        if (rule_holds(s, &s->policy.rule[i], rc_node_at(s, node), f)) {
            return &s->policy.rule[i];
        }
    }
    return NULL;
}
