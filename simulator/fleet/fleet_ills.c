/* fleet_ills.c - hosts: what befalls them, what heals them, what AWS and slurmctld see.
 *
 * A fault of the schedule strikes the host behind its node's name when that host runs and
 * is whole; what it does is drawn from the fault's own luck, so every policy meets the
 * same one. An ailment belongs to the host: another host is rid of it, unless AWS gives
 * the same bad one again. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/fleet/fleet_private.h"
#include "simulator/model/sim_dist.h"

enum {
    AGENT_PERIOD_MS = 5 * RC_FLEET_MINUTE, /* nodewatch's checks */
    STATUS_SHOWS_MS = 2 * RC_FLEET_MINUTE,
    STATUS_SEES_PERMILLE = 800,
    AWS_FINDS_PERMILLE = 700, /* of bad hosts that were given back */
    SELF_HEAL_PERMILLE = 500, /* of silences: over in minutes */
    WEEK_DAYS = 7
};

/* What a fault of a part turns out to be; weights per thousand of the part. */
enum outcome { GONE = RC_AIL__MAX, RETIREMENT, REBOOT_NOTICE };
static const struct {
    uint32_t part, permille, outcome;
} outcomes[] = {
    {RC_PART_GPU, 500, RC_AIL_GPU},
    {RC_PART_GPU, 250, RC_AIL_WORN},
    {RC_PART_GPU, 250, RC_AIL_HANG},
    {RC_PART_NETWORK, 600, RC_AIL_LINK},
    {RC_PART_NETWORK, 400, RC_AIL_SYSTEM},
    {RC_PART_HOST, 500, RC_AIL_SYSTEM},
    {RC_PART_HOST, 250, GONE},
    {RC_PART_HOST, 150, RC_AIL_HANG},
    {RC_PART_HOST, 100, RC_AIL_EBS},
    {RC_PART_SOFTWARE, 500, RC_AIL_HANG},
    {RC_PART_SOFTWARE, 500, RC_AIL_SILENT},
    {RC_PART_MAINTENANCE, 600, RETIREMENT},
    {RC_PART_MAINTENANCE, 400, REBOOT_NOTICE},
    {RC_PART_VALIDATION, 1000, RC_AIL_LINK},
    {RC_PART_UNKNOWN, 500, RC_AIL_HANG},
    {RC_PART_UNKNOWN, 500, RC_AIL_SILENT},
};

/* How often a reboot cures, per thousand, by part: about 73 % of failures need no more than a
 * restart and 37 % are hardware (Unicron, arXiv 2401.00134). */
static const uint32_t reboot_cures[RC_PART__MAX] = {
    [RC_PART_UNKNOWN] = 700,    [RC_PART_GPU] = 500,      [RC_PART_NETWORK] = 200,
    [RC_PART_HOST] = 300,       [RC_PART_SOFTWARE] = 950, [RC_PART_MAINTENANCE] = 500,
    [RC_PART_VALIDATION] = 200,
};

bool
rc_ail_stalls(uint32_t ail)
{
    static const bool stalls[] = {
#define RC_AIL_STALLS(ail, name, stalls, silent) stalls,
        RC_AILMENTS(RC_AIL_STALLS)
#undef RC_AIL_STALLS
    };

    return stalls[ail];
}

static bool
is_silent(uint32_t ail)
{
    static const bool silent[] = {
#define RC_AIL_SILENT_OF(ail, name, stalls, silent) silent,
        RC_AILMENTS(RC_AIL_SILENT_OF)
#undef RC_AIL_SILENT_OF
    };

    return silent[ail];
}

uint32_t
rc_fleet_slot(struct rc_fleet *f, const struct rc_sim_instance *inst)
{
    return rc_sim_ec2_slot(f->ec2, inst);
}

void
rc_ills_news(struct rc_fleet *f, uint32_t slot)
{
    if (!f->host[slot].news) {
        f->news_host[f->news_count++] = slot;
    }
    f->host[slot].news = RC_NEWS_LISTED;
}

static struct rc_sim_instance *
instance_of(struct rc_fleet *f, uint32_t slot)
{
    return rc_sim_ec2_at(f->ec2, slot);
}

static void
set_host(struct rc_fleet *f, const struct rc_sim_instance *inst, bool up, int64_t wall_ms)
{
    rc_sim_slurm_host(f->slurm, wall_ms, inst->addr, up, wall_ms);
}

bool
rc_ills_whole(const struct rc_fleet *f, uint32_t node)
{
    const struct rc_host *h = &f->host[f->serving[node]];
    uint32_t ail = h->ail;

    return h->paid_from_ms >= 0 && h->node == node && !rc_ail_stalls(ail) && !is_silent(ail);
}

/* ---- notices ---- */

static void
tell_fleet(struct rc_fleet *f, enum rc_event_kind kind, const char *instance, const char *code,
           const void *payload, size_t len)
{
    struct rc_event ev;

    rc_event_init(&ev, kind);
    rc_text_set(ev.instance, sizeof ev.instance, instance);
    rc_text_set(ev.code, sizeof ev.code, code);
    memcpy(&ev.u, payload, len);
    rc_trouble_notice(f, &ev);
}

static void
alarm_is(struct rc_fleet *f, uint32_t slot, bool firing)
{
    const struct rc_sim_instance *inst = instance_of(f, slot);
    struct rc_ev_cloudwatch_alarm alarm = {.state = firing ? RC_ALARM_FIRING : RC_ALARM_OK};

    f->host[slot].alarmed = firing;
    f->host[slot].alarms += firing;
    if (inst) {
        tell_fleet(f, RC_EV_CLOUDWATCH_ALARM, inst->id, "node-health", &alarm, sizeof alarm);
    }
}

static void
plan_of_aws(struct rc_fleet *f, uint32_t slot, enum rc_schedule kind, uint64_t luck)
{
    struct rc_sim_instance *inst = instance_of(f, slot);
    int64_t days = WEEK_DAYS + (int64_t)(luck % WEEK_DAYS);
    int64_t at_ms = rc_fleet_wall(f) + days * RC_FLEET_DAY;
    struct rc_ev_aws_health h = {.category = RC_HEALTH_SCHEDULED_CHANGE,
                                 .schedule = (uint32_t)kind,
                                 .status = RC_HSTAT_UPCOMING,
                                 .start_wall_ms = at_ms};

    if (rc_sim_ec2_schedule(f->ec2, inst, kind, at_ms, at_ms + 2 * RC_FLEET_HOUR)) {
        f->host[slot].planned = 1;
        tell_fleet(f, RC_EV_AWS_HEALTH, inst->id, "AWS_EC2_SCHEDULED", &h, sizeof h);
        rc_ills_news(f, slot);
    }
}

/* ---- falling ill and getting well ---- */

static bool
is_of_agent(uint32_t ail)
{
    return ail == RC_AIL_GPU || ail == RC_AIL_LINK || ail == RC_AIL_WORN;
}

static void
fall_ill(struct rc_fleet *f, uint32_t slot, enum rc_ailment ail, uint64_t luck, int64_t last_ms)
{
    struct rc_host *h = &f->host[slot];
    const struct rc_sim_instance *inst = instance_of(f, slot);
    bool agent = is_of_agent(ail);
    int64_t shows_ms = agent ? 1 + (int64_t)(luck >> 16) % AGENT_PERIOD_MS : STATUS_SHOWS_MS;

    h->ail = ail;
    h->luck = luck;
    h->illness++;
    h->heals_ms = f->now_ms + last_ms;
    rc_due_push(f, h->heals_ms, RC_DUE_HEAL, slot, h->illness);
    if (is_silent(ail) && inst->booted && h->node != RC_SIM_NO_NODE) {
        set_host(f, inst, false, rc_fleet_wall(f));
    }
    if (agent || ail == RC_AIL_EBS || (luck >> 24) % 1000 < STATUS_SEES_PERMILLE) {
        rc_due_push(f, f->now_ms + shows_ms, RC_DUE_SHOW, slot, h->illness);
    }
    if (rc_ail_stalls(ail) && h->node != RC_SIM_NO_NODE &&
        strcmp(rc_sim_slurm_node(f->slurm, h->node)->addr, inst->addr) == 0) {
        rc_queue_stall_on(f, h->node, luck);
    }
}

static void
show_ailment(struct rc_fleet *f, uint32_t slot)
{
    static const enum rc_sim_check_kind check[RC_AIL__MAX] = {[RC_AIL_HANG] = RC_SIM_CHECK_INSTANCE,
                                                              [RC_AIL_SYSTEM] = RC_SIM_CHECK_SYSTEM,
                                                              [RC_AIL_EBS] = RC_SIM_CHECK_EBS};
    struct rc_host *h = &f->host[slot];
    struct rc_sim_instance *inst = instance_of(f, slot);

    if (is_of_agent(h->ail)) {
        rc_agent_finds(f, slot);
    } else if (h->ail != RC_AIL_SILENT && inst->state == RC_INST_RUNNING) {
        rc_sim_ec2_impair(inst, rc_fleet_wall(f), check[h->ail], RC_CHECK_IMPAIRED);
        rc_ills_news(f, slot);
    }
}

void
rc_ills_heal(struct rc_fleet *f, uint32_t slot)
{
    struct rc_host *h = &f->host[slot];
    struct rc_sim_instance *inst = instance_of(f, slot);
    bool was_silent = is_silent(h->ail);

    if (h->ail == RC_AIL_NONE) {
        return;
    }
    h->ail = RC_AIL_NONE;
    h->illness++;
    rc_agent_forgets(f, slot);
    if (!inst || inst->state != RC_INST_RUNNING) {
        return;
    }
    for (int i = 0; i < RC_SIM_CHECKS; i++) {
        if (inst->check[i].status == RC_CHECK_IMPAIRED) {
            rc_sim_ec2_impair(inst, rc_fleet_wall(f), (enum rc_sim_check_kind)i, RC_CHECK_OK);
            rc_ills_news(f, slot);
        }
    }
    if (h->node == RC_SIM_NO_NODE) {
        return; /* a spare: no slurmd yet */
    }
    if (was_silent && inst->booted) {
        set_host(f, inst, true, inst->running_ms ? inst->running_ms : rc_fleet_wall(f));
    }
    rc_score_judge(f, h->node);
}

/* Half of what is only silent is a restart of slurmd, or memory that was full. */
static int64_t
lasts_ms(const struct rc_fault_row *row, uint32_t ail)
{
    if (ail == RC_AIL_SILENT && (row->luck >> 20) % 1000 < SELF_HEAL_PERMILLE) {
        return RC_FLEET_MINUTE + (int64_t)((row->luck >> 30) % (20 * RC_FLEET_MINUTE));
    }
    return row->last_ms;
}

static void
strike(struct rc_fleet *f, const struct rc_fault_row *row)
{
    uint32_t slot = f->serving[row->node], part = row->part, i = 0;
    struct rc_host *h = &f->host[slot];
    struct rc_sim_instance *inst = instance_of(f, slot);
    uint32_t draw = (uint32_t)(row->luck % 1000);

    f->r.faults++;
    if (!inst || h->node != row->node || inst->state != RC_INST_RUNNING || !inst->booted ||
        h->ail || (row->lemon && f->replaced[row->node])) {
        f->r.faults_void++;
        return;
    }
    if (f->c->daemon_off) {
        rc_queue_end_on(f, row->node, RC_CAUSE_FAULT);
        return;
    }
    while (outcomes[i].part != part || draw >= outcomes[i].permille) {
        draw -= outcomes[i].part == part ? outcomes[i].permille : 0;
        i++;
        assert(i < sizeof outcomes / sizeof outcomes[0]);
    }
    h->part = part;
    switch (outcomes[i].outcome) {
    case GONE:
        rc_sim_ec2_kill(f->ec2, rc_fleet_wall(f), inst, "Server.InternalError");
        rc_queue_stall_on(f, row->node, row->luck);
        break;
    case RETIREMENT:
        plan_of_aws(f, slot, RC_SCHED_RETIREMENT, row->luck >> 10);
        break;
    case REBOOT_NOTICE:
        plan_of_aws(f, slot, RC_SCHED_REBOOT, row->luck >> 10);
        break;
    default:
        fall_ill(f, slot, (enum rc_ailment)outcomes[i].outcome, row->luck,
                 lasts_ms(row, outcomes[i].outcome));
        break;
    }
    rc_score_judge(f, row->node);
}

/* ---- false alarms ---- */

enum { FALSE_ALARM, FALSE_SILENCE };

static void
false_alarm(struct rc_fleet *f)
{
    struct rc_sim_random *r = &f->false_alarms;
    uint32_t node = (uint32_t)rc_sim_random_below(r, f->c->nodes);
    uint64_t luck = rc_sim_random_next(r);
    double mean_ms = (double)RC_FLEET_DAY * 1e6 / (double)f->c->false_milli / (double)f->c->nodes;
    uint32_t kind = luck % 1000 < 600 ? FALSE_ALARM : FALSE_SILENCE, slot = f->serving[node];
    struct rc_host *h = &f->host[slot];
    const struct rc_sim_instance *inst = instance_of(f, slot);
    int64_t last_ms = kind == FALSE_ALARM ? 10 * RC_FLEET_MINUTE : RC_FLEET_MINUTE;

    rc_due_push(f, f->now_ms + 1 + (int64_t)rc_dist_exponential(r, mean_ms), RC_DUE_FALSE, 0, 0);
    if (!inst || inst->state != RC_INST_RUNNING || !inst->booted || h->ail || h->alarmed ||
        h->node != node) {
        return;
    }
    f->r.false_alarms++;
    last_ms += (int64_t)((luck >> 20) % (uint64_t)(5 * last_ms));
    if (kind == FALSE_ALARM) {
        alarm_is(f, slot, true);
        rc_due_push(f, f->now_ms + last_ms, RC_DUE_CALM, slot, h->alarms);
    } else {
        fall_ill(f, slot, RC_AIL_SILENT, luck, last_ms);
    }
    rc_score_judge(f, node);
}

/* ---- instances come and go ---- */

/* AWS looks after what it takes back; what it does not find it gives out again. */
static void
give_back(struct rc_fleet *f, struct rc_host *h)
{
    struct rc_bad_host bad = {h->ail, h->part, h->luck, h->heals_ms};

    if (h->ail && h->heals_ms > f->now_ms && (h->luck >> 34) % 1000 >= AWS_FINDS_PERMILLE &&
        f->bad_count < sizeof f->bad / sizeof f->bad[0]) {
        f->bad[f->bad_count++] = bad;
    }
    h->ail = RC_AIL_NONE;
    h->illness++;
    h->planned = h->alarmed = h->rebooting = 0;
    h->told_ms = 0;
}

/* A launch, or a start after a stop, is placed on some host. */
static void
place_on_host(struct rc_fleet *f, uint32_t slot)
{
    struct rc_host *h = &f->host[slot];

    while (f->bad_count && f->bad[f->bad_count - 1].heals_ms <= f->now_ms) {
        f->bad_count--;
    }
    if (!f->bad_count || !rc_sim_random_chance(&f->fault_world, f->c->same_host_permille)) {
        return;
    }
    struct rc_bad_host bad = f->bad[--f->bad_count];
    h->part = bad.part;
    fall_ill(f, slot, (enum rc_ailment)bad.ail, bad.luck, bad.heals_ms - f->now_ms);
}

void
rc_ills_launched(struct rc_fleet *f, uint32_t slot, uint32_t node)
{
    struct rc_host *h = &f->host[slot];
    uint32_t illness = h->illness + 1;

    h->ail = RC_AIL_NONE;
    h->illness = illness;
    h->node = node;
    h->planned = h->alarmed = h->rebooting = 0;
    h->generation = node == RC_SIM_NO_NODE ? 0 : ++f->replaced[node]; /* a spare has no name yet */
    h->paid_from_ms = f->now_ms;
    place_on_host(f, slot);
}

void
rc_ills_named(struct rc_fleet *f, uint32_t slot, uint32_t node)
{
    struct rc_host *h = &f->host[slot];
    const struct rc_sim_instance *inst = rc_sim_ec2_at(f->ec2, slot);

    if (h->node != RC_SIM_NO_NODE) {
        return; /* the same tags again */
    }
    h->node = node;
    h->generation = ++f->replaced[node];
    if (inst->booted && !is_silent(h->ail)) { /* its slurmd waits for its name only */
        rc_sim_slurm_host(f->slurm, rc_fleet_wall(f), inst->addr, true, inst->running_ms);
    }
}

/* Is a host well after its reboot? What a boot cannot change stays. */
static bool
reboot_helped(const struct rc_host *h)
{
    if (is_of_agent(h->ail)) {
        return rc_agent_cures(h, true);
    }
    return (h->ail == RC_AIL_HANG || h->ail == RC_AIL_SILENT) &&
           (h->luck >> 44) % 1000 < reboot_cures[h->part];
}

static void
came_up(struct rc_fleet *f, uint32_t slot, const struct rc_sim_change *c)
{
    struct rc_host *h = &f->host[slot];

    h->told_ms = 0; /* another boot: the agent begins anew */
    if (h->rebooting && reboot_helped(h)) {
        h->ail = RC_AIL_NONE;
        h->illness++;
    }
    h->rebooting = 0;
    if (!is_silent(h->ail) && h->node != RC_SIM_NO_NODE) {
        rc_sim_slurm_host(f->slurm, c->at_ms, c->addr, true, c->at_ms);
    }
    if (h->ail) {
        rc_due_push(f, f->now_ms + STATUS_SHOWS_MS, RC_DUE_SHOW, slot, h->illness);
    }
}

static void
state_moved(struct rc_fleet *f, uint32_t slot, const struct rc_sim_change *c)
{
    struct rc_host *h = &f->host[slot];
    struct rc_event ev;
    bool runs = c->state == RC_INST_PENDING || c->state == RC_INST_RUNNING;

    if (!runs && h->paid_from_ms >= 0) { /* paid until the shutdown begins */
        f->r.instance_ms += f->now_ms - h->paid_from_ms;
        h->paid_from_ms = -1;
        give_back(f, h);
        if (h->node != RC_SIM_NO_NODE && f->serving[h->node] == slot) {
            rc_queue_stall_on(f, h->node, h->luck);
        }
    } else if (c->state == RC_INST_PENDING && h->paid_from_ms < 0) {
        h->paid_from_ms = f->now_ms; /* started again, elsewhere */
        place_on_host(f, slot);
    }
    rc_ills_news(f, slot);
    rc_event_init(&ev, RC_EV_EC2_STATE_CHANGE);
    memcpy(ev.instance, c->id, sizeof ev.instance);
    ev.u.state_change.state = (uint32_t)c->state;
    ev.u.state_change.told_wall_ms = c->at_ms - c->at_ms % 1000;
    rc_trouble_notice(f, &ev);
}

void
rc_ills_changes(struct rc_fleet *f)
{
    struct rc_sim_change c;

    while (rc_sim_ec2_next_change(f->ec2, &c)) {
        struct rc_host *h = &f->host[c.slot];
        if (c.kind == RC_SIM_CHANGE_UP) {
            came_up(f, c.slot, &c);
        } else if (c.kind == RC_SIM_CHANGE_DOWN) {
            h->rebooting = 1;
            if (h->node != RC_SIM_NO_NODE) {
                rc_sim_slurm_host(f->slurm, c.at_ms, c.addr, false, c.at_ms);
            }
            if (h->node != RC_SIM_NO_NODE && f->serving[h->node] == c.slot) {
                rc_queue_stall_on(f, h->node, h->luck);
            }
        } else {
            state_moved(f, c.slot, &c);
        }
        if (h->node != RC_SIM_NO_NODE) {
            rc_score_judge(f, h->node);
        }
    }
}

void
rc_ills_due(struct rc_fleet *f, const struct rc_due *d)
{
    if (d->kind == RC_DUE_FAULT) {
        const struct rc_fault_row *row = &f->faults.row[f->next_fault++];
        if (f->next_fault < f->faults.count) {
            rc_due_push(f, f->faults.row[f->next_fault].at_ms, RC_DUE_FAULT, 0, 0);
        }
        strike(f, row);
        return;
    }
    if (d->kind == RC_DUE_FALSE) {
        false_alarm(f);
        return;
    }
    struct rc_host *h = &f->host[d->index];
    if (d->kind == RC_DUE_CALM) {
        if (h->alarmed && h->alarms == d->tag) {
            alarm_is(f, d->index, false);
        }
        return;
    }
    if (h->illness != d->tag) {
        return; /* over, or another host by now */
    }
    if (d->kind == RC_DUE_HEAL) {
        rc_ills_heal(f, d->index);
    } else if (d->kind == RC_DUE_SHOW && h->ail) {
        show_ailment(f, d->index);
    }
}
