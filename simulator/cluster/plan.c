/* plan.c - a schedule from a seed; see plan.h. Most seeds get few faults of few
 * kinds: a schedule in which everything fails at once hides more than it shows. */
#include "simulator/cluster/plan.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/core/policy.h"
#include "simulator/model/sim_random.h"

enum stream { SHAPE = 11, NETWORK, LIMITS, FAULTS, WORKLOAD, PAIR, PERSONS, AGAIN };

enum { MINUTE = 60 * 1000, FAULT_ROWS_MAX = 24, JOBS_MAX = 10 };

/* How often a kind is drawn, and the spans of its numbers. */
struct odds {
    enum rc_ill ill;
    uint32_t weight;
    int64_t for_min_ms, for_max_ms;
    int64_t value_min, value_max;
};

static const struct odds odds[] = {
    {RC_ILL_KILL, 10, 0, 0, 0, 0},
    {RC_ILL_STOP, 4, 0, 0, 0, 0},
    {RC_ILL_SPOT, 8, 60 * 1000, 120 * 1000, 0, 0},
    {RC_ILL_RETIRE, 6, 5 * MINUTE, 40 * MINUTE, 0, 0},
    {RC_ILL_REBOOT_EVENT, 4, 5 * MINUTE, 25 * MINUTE, 0, 0},
    {RC_ILL_SYSTEM, 6, 0, 20 * MINUTE, 0, 0},
    {RC_ILL_KERNEL, 6, 0, 0, 0, 0},
    {RC_ILL_EBS, 3, MINUTE, 30 * MINUTE, 0, 0},
    {RC_ILL_HANG, 6, MINUTE / 2, 30 * MINUTE, 0, 0},
    {RC_ILL_LEMON, 4, 0, 0, 0, 0},
    {RC_ILL_ALARM, 4, MINUTE, 20 * MINUTE, 0, 0},
    {RC_ILL_ISSUE, 3, MINUTE, 20 * MINUTE, 0, 0},
    {RC_ILL_REBALANCE, 2, 0, 0, 0, 0},
    {RC_ILL_CAPACITY, 4, MINUTE, 30 * MINUTE, 0, 0},
    {RC_ILL_EC2_ERRORS, 6, MINUTE, 15 * MINUTE, 100, 900},
    {RC_ILL_SLURM_ERRORS, 5, MINUTE, 10 * MINUTE, 100, 900},
    {RC_ILL_SLURM_DOWN, 4, MINUTE / 2, 10 * MINUTE, 0, 0},
    {RC_ILL_HELPER, 4, 1000, 2 * MINUTE, 0, 0},
    {RC_ILL_STORE_DOWN, 5, MINUTE / 2, 10 * MINUTE, 0, 0},
    {RC_ILL_LEASE_LOST, 5, MINUTE, 10 * MINUTE, 0, 0},
    {RC_ILL_DISK_SLOW, 5, MINUTE / 4, 15 * MINUTE, 0, 0},
    {RC_ILL_DISK_FULL, 3, MINUTE / 4, 10 * MINUTE, 0, 0},
    {RC_ILL_CRASH, 7, 1000, 20 * MINUTE, 0, 2},
    {RC_ILL_FREEZE, 5, MINUTE / 4, 10 * MINUTE, 0, 0},
    {RC_ILL_CLOCK, 3, 0, 0, -120 * 1000, 120 * 1000},
    {RC_ILL_OP_DRAIN, 5, MINUTE, 40 * MINUTE, 0, 0},
    {RC_ILL_OP_RESUME, 5, 0, 0, 0, 0},
    {RC_ILL_OP_HOLD, 4, MINUTE, 30 * MINUTE, 0, 0},
    {RC_ILL_OP_MAINT, 3, MINUTE, 30 * MINUTE, 0, 0},
    {RC_ILL_OP_PAUSE, 2, MINUTE, 15 * MINUTE, 0, 0},
    {RC_ILL_OP_APPROVE, 4, 0, 0, 0, 0},
    {RC_ILL_GARBAGE, 3, 0, 0, 0, 0},
    {RC_ILL_STRANGER, 3, 0, 0, 0, 0},
    {RC_ILL_MISTAG, 2, 0, 0, 0, 0},
    {RC_ILL_AGENT, 8, MINUTE, 30 * MINUTE, 0, RC_PLAY_FINDS - 1},
    {RC_ILL_FILE_SERVER, 4, MINUTE, 30 * MINUTE, 0, 0},
    {RC_ILL_JOB_STORM, 5, 0, 0, 0, 1},
};

static int64_t
between(struct rc_sim_random *r, int64_t min, int64_t max)
{
    return max > min ? min + (int64_t)rc_sim_random_below(r, (uint64_t)(max - min) + 1) : min;
}

static void
draw_shape(struct rc_plan *p)
{
    struct rc_sim_random r;

    rc_sim_random_seed(&r, p->seed, SHAPE);
    p->nodes = 1 + rc_sim_random_below(&r, 6);
    p->controllers = 1 + rc_sim_random_chance(&r, 500);
    p->partitions = 1 + rc_sim_random_below(&r, 2);
    p->reserved = rc_sim_random_chance(&r, 250);
    p->quiet_ms = (uint64_t)between(&r, 10, 40) * MINUTE;
}

static void
draw_network(struct rc_plan *p)
{
    struct rc_sim_random r;

    rc_sim_random_seed(&r, p->seed, NETWORK);
    p->latency_ms = (uint64_t)between(&r, 5, 2000);
    p->lost_permille = rc_sim_random_chance(&r, 500) ? rc_sim_random_below(&r, 400) : 0;
    p->doubled_permille = rc_sim_random_chance(&r, 500) ? rc_sim_random_below(&r, 400) : 0;
    p->late_permille = rc_sim_random_chance(&r, 500) ? rc_sim_random_below(&r, 400) : 0;
    p->late_ms = (uint64_t)between(&r, 1, 30) * MINUTE;
}

static void
draw_limits(struct rc_plan *p)
{
    struct rc_sim_random r;

    rc_sim_random_seed(&r, p->seed, LIMITS);
    p->out_max = 1 + rc_sim_random_below(&r, 4);
    p->launches_max = rc_sim_random_chance(&r, 300) ? 2 + rc_sim_random_below(&r, 4) : 0;
    p->destructive_max = rc_sim_random_chance(&r, 300) ? 2 + rc_sim_random_below(&r, 6) : 0;
    p->attempts_max = 2 + rc_sim_random_below(&r, 4);
    p->breaker_max = rc_sim_random_chance(&r, 300) ? 1 + rc_sim_random_below(&r, 4) : 100;
    p->job_wait_ms = (uint64_t)between(&r, 0, 10) * MINUTE;
    p->approve = rc_sim_random_chance(&r, 150);
    p->at_once = rc_sim_random_chance(&r, 500);
    p->out_share = rc_sim_random_chance(&r, 300) ? rc_sim_random_below(&r, 600) : 0;
    p->breaker_share = rc_sim_random_chance(&r, 300) ? rc_sim_random_below(&r, 900) : 0;
    p->of_job_max = rc_sim_random_chance(&r, 500) ? 1 + rc_sim_random_below(&r, 2) : 0;
    p->jobs_max = rc_sim_random_chance(&r, 500) ? 1 + rc_sim_random_below(&r, 2) : 0;
    p->same_job = rc_sim_random_chance(&r, 500);
    p->quarantine_max = rc_sim_random_chance(&r, 300) ? 1 + rc_sim_random_below(&r, 2) : 0;
    p->spacing_ms = rc_sim_random_chance(&r, 300) ? (uint64_t)between(&r, 1, 300) * 1000 : 0;
    p->before_drain = rc_sim_random_chance(&r, 500);
    p->order = rc_sim_random_chance(&r, 400) ? rc_sim_random_below(&r, 3) : RC_ORDER_AUTO;
    p->signal_before_ms = rc_sim_random_chance(&r, 300) ? (uint64_t)between(&r, 1, 300) * 1000 : 0;
    p->pause_ms = rc_sim_random_chance(&r, 300) ? (uint64_t)between(&r, 1, 15) * MINUTE : 0;
    p->repeats = rc_sim_random_chance(&r, 400) ? 2 + rc_sim_random_below(&r, 2) : 0;
    p->repeats_of = rc_sim_random_chance(&r, 500);
    p->spares = rc_sim_random_chance(&r, 350) ? 1 + rc_sim_random_below(&r, 2) : 0;
    p->rates_of = rc_sim_random_chance(&r, 500) ? 1 + rc_sim_random_below(&r, 2) : 0;
    p->out_zone = rc_sim_random_chance(&r, 300) ? 1 + rc_sim_random_below(&r, 2) : 0;
    p->gate_must = rc_sim_random_chance(&r, 300) ? 1 + rc_sim_random_below(&r, 127) : 0;
}

static const struct odds *
pick(struct rc_sim_random *r, const uint8_t *allowed)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < sizeof odds / sizeof odds[0]; i++) {
        sum += allowed[i] ? odds[i].weight : 0;
    }
    uint64_t at = rc_sim_random_below(r, sum);
    for (size_t i = 0;; i++) {
        uint32_t weight = allowed[i] ? odds[i].weight : 0;
        if (at < weight) {
            return &odds[i];
        }
        at -= weight;
    }
}

static void
plan_row(struct rc_plan *p, struct rc_plan_row row)
{
    if (p->count < RC_PLAN_ROWS_MAX) {
        p->row[p->count++] = row;
    }
}

static void
draw_faults(struct rc_plan *p)
{
    struct rc_sim_random r;
    uint8_t allowed[sizeof odds / sizeof odds[0]] = {0};

    rc_sim_random_seed(&r, p->seed, FAULTS);
    uint64_t kinds = 1 + rc_sim_random_below(&r, 10);
    for (uint64_t i = 0; i < kinds; i++) {
        allowed[rc_sim_random_below(&r, sizeof allowed)] = 1;
    }
    allowed[rc_sim_random_below(&r, 9)] = 1; /* something must be wrong with a node */
    uint64_t rows = 1 + rc_sim_random_below(&r, FAULT_ROWS_MAX);
    for (uint64_t i = 0; i < rows; i++) {
        const struct odds *o = pick(&r, allowed);
        struct rc_plan_row row = {
            .at_ms = between(&r, MINUTE, (int64_t)p->quiet_ms - MINUTE),
            .for_ms = between(&r, o->for_min_ms, o->for_max_ms),
            .value = between(&r, o->value_min, o->value_max),
            .ill = (uint32_t)o->ill,
            .target = (uint32_t)rc_sim_random_below(&r, 64),
        };
        plan_row(p, row);
    }
}

static void
draw_jobs(struct rc_plan *p)
{
    struct rc_sim_random r;

    rc_sim_random_seed(&r, p->seed, WORKLOAD);
    uint64_t jobs = rc_sim_random_below(&r, JOBS_MAX);
    for (uint64_t i = 0; i < jobs; i++) {
        struct rc_plan_row row = {
            .at_ms = between(&r, 0, (int64_t)p->quiet_ms),
            .for_ms = between(&r, 10 * 1000, 25 * MINUTE),
            .value = between(&r, 1, (int64_t)p->nodes),
            .ill = RC_ILL_JOB,
            .target = (uint32_t)rc_sim_random_below(&r, 4),
        };
        plan_row(p, row);
    }
}

/* Few at a time: it is the order of two or three that matters. */
static void
draw_pair(struct rc_plan *p)
{
    static const struct odds pair_odds[] = {
        {RC_ILL_CTLD_KILL, 6, 0, 0, 0, 1},
        {RC_ILL_CTLD_HANG, 6, 1000, 5 * MINUTE, 0, 0},
        {RC_ILL_CTLD_STUCK, 3, 1000, 5 * MINUTE, 0, 0},
        {RC_ILL_HEAD_DEATH, 5, 0, 0, 0, 0},
        {RC_ILL_HEAD_END, 3, 0, 0, 0, 0},
        {RC_ILL_MUNGE, 3, 1000, 5 * MINUTE, 0, 0},
        {RC_ILL_OP_FAILOVER, 3, 0, 0, 0, 0},
        {RC_ILL_PARTITION, 6, 2000, 10 * MINUTE, 0, 0},
        {RC_ILL_UNFENCED, 3, MINUTE, 10 * MINUTE, 0, 0},
        {RC_ILL_STATE_DIR, 3, MINUTE, 10 * MINUTE, 0, 2},
    };
    struct rc_sim_random r;

    rc_sim_random_seed(&r, p->seed, PAIR);
    if (p->controllers < 2 || !rc_sim_random_chance(&r, 600)) {
        return;
    }
    p->pair = 1;
    uint64_t rows = rc_sim_random_below(&r, 7);
    int64_t at_ms = between(&r, MINUTE, (int64_t)p->quiet_ms - MINUTE);
    for (uint64_t i = 0; i < rows; i++) {
        const struct odds *o =
            &pair_odds[rc_sim_random_below(&r, sizeof pair_odds / sizeof pair_odds[0])];
        /* Often right after the one before: that is where it goes wrong. */
        at_ms = rc_sim_random_chance(&r, 700) ? at_ms + between(&r, 0, 20 * 1000)
                                              : between(&r, MINUTE, (int64_t)p->quiet_ms - MINUTE);
        struct rc_plan_row row = {
            .at_ms = at_ms < (int64_t)p->quiet_ms ? at_ms : (int64_t)p->quiet_ms - 1,
            .for_ms = between(&r, o->for_min_ms, o->for_max_ms),
            .value = between(&r, o->value_min, o->value_max),
            .ill = (uint32_t)o->ill,
            .target = (uint32_t)rc_sim_random_below(&r, 2),
        };
        plan_row(p, row);
    }
}

static void
draw_one(struct rc_plan *p, struct rc_sim_random *r, const struct odds *o, int64_t at_ms,
         uint32_t target)
{
    /* One after the other: C leaves open which of an initializer's calls comes first. */
    int64_t for_ms = between(r, o->for_min_ms, o->for_max_ms);
    int64_t value = between(r, o->value_min, o->value_max);
    struct rc_plan_row row = {
        .at_ms = at_ms < (int64_t)p->quiet_ms ? at_ms : (int64_t)p->quiet_ms - 1,
        .for_ms = for_ms,
        .value = value,
        .ill = (uint32_t)o->ill,
        .target = target,
    };

    plan_row(p, row);
}

/* What people order must outlive the leader that they told: an order, a leader lost soon after,
 * and a fault on that node. And one node that nothing helps: its attempts are used up. */
static void
draw_persons(struct rc_plan *p)
{
    static const struct odds order[] = {{RC_ILL_OP_HOLD, 1, 10 * MINUTE, 30 * MINUTE, 0, 0},
                                        {RC_ILL_OP_PAUSE, 1, 10 * MINUTE, 30 * MINUTE, 0, 0}};
    static const struct odds loss[] = {{RC_ILL_CRASH, 1, 1000, 5 * MINUTE, 0, 2},
                                       {RC_ILL_CRASH, 1, 1000, MINUTE, 1, 1},
                                       {RC_ILL_LEASE_LOST, 1, 2 * MINUTE, 10 * MINUTE, 0, 0},
                                       {RC_ILL_FREEZE, 1, 2 * MINUTE, 10 * MINUTE, 0, 0}};
    static const struct odds fault[] = {{RC_ILL_KILL, 1, 0, 0, 0, 0},
                                        {RC_ILL_STOP, 1, 0, 0, 0, 0},
                                        {RC_ILL_KERNEL, 1, 0, 0, 0, 0},
                                        {RC_ILL_HANG, 1, 5 * MINUTE, 30 * MINUTE, 0, 0},
                                        {RC_ILL_SYSTEM, 1, 0, 0, 0, 0}};
    enum { FAULT_KINDS = sizeof fault / sizeof fault[0], UNLUCKY_MAX = 8 };
    struct rc_sim_random r;

    rc_sim_random_seed(&r, p->seed, PERSONS);
    uint32_t node = (uint32_t)rc_sim_random_below(&r, p->nodes);
    if (rc_sim_random_chance(&r, 200)) {
        int64_t at_ms = between(&r, MINUTE, (int64_t)p->quiet_ms - 2 * MINUTE);
        draw_one(p, &r, &order[rc_sim_random_below(&r, 2)], at_ms, node);
        at_ms += between(&r, 5 * 1000, 3 * MINUTE);
        uint32_t head = (uint32_t)rc_sim_random_below(&r, 2);
        draw_one(p, &r, &loss[rc_sim_random_below(&r, 4)], at_ms, head);
        at_ms += between(&r, -MINUTE, 5 * MINUTE);
        draw_one(p, &r, &fault[rc_sim_random_below(&r, FAULT_KINDS)], at_ms, node);
    }
    uint64_t unlucky = rc_sim_random_chance(&r, 100) ? 3 + rc_sim_random_below(&r, UNLUCKY_MAX) : 0;
    for (uint64_t i = 0; i < unlucky; i++) {
        int64_t at_ms = between(&r, MINUTE, (int64_t)p->quiet_ms);
        draw_one(p, &r, &fault[rc_sim_random_below(&r, FAULT_KINDS)], at_ms, node);
    }
}

/* What comes again: a fault right after the gate, a bad host as its own replacement, and a fault
 * that a person has taken his node back with, whose leader is lost. */
static void
draw_again(struct rc_plan *p)
{
    static const struct odds relapse = {RC_ILL_RELAPSE, 1, 5 * MINUTE,
                                        40 * MINUTE,    0, RC_PLAY_FINDS - 1};
    static const struct odds same_host = {RC_ILL_SAME_HOST, 1, 10 * MINUTE, 40 * MINUTE, 0, 0};
    static const struct odds find = {RC_ILL_AGENT, 1, MINUTE, 30 * MINUTE, 1, RC_PLAY_FINDS - 1};
    static const struct odds known[] = {{RC_ILL_SYSTEM, 1, 30 * MINUTE, 40 * MINUTE, 0, 0},
                                        {RC_ILL_EBS, 1, 30 * MINUTE, 40 * MINUTE, 0, 0}};
    static const struct odds resume = {RC_ILL_OP_RESUME, 1, 0, 0, 0, 0};
    static const struct odds loss = {RC_ILL_CRASH, 1, 1000, 3 * MINUTE, 0, 2};
    struct rc_sim_random r;

    rc_sim_random_seed(&r, p->seed, AGAIN);
    uint32_t node = (uint32_t)rc_sim_random_below(&r, p->nodes);
    if (rc_sim_random_chance(&r, 150)) {
        draw_one(p, &r, &relapse, between(&r, MINUTE, (int64_t)p->quiet_ms / 2), node);
    }
    if (rc_sim_random_chance(&r, 100)) {
        int64_t at_ms = between(&r, MINUTE, (int64_t)p->quiet_ms / 2);
        draw_one(p, &r, &same_host, at_ms, node);
        draw_one(p, &r, &find, at_ms, node);
        at_ms += between(&r, MINUTE, 10 * MINUTE);
        draw_one(p, &r, &find, at_ms, node);
    }
    if (rc_sim_random_chance(&r, 50)) {
        int64_t at_ms = between(&r, MINUTE, (int64_t)p->quiet_ms / 2);
        draw_one(p, &r, &known[rc_sim_random_below(&r, 2)], at_ms, node);
        at_ms += between(&r, 2 * MINUTE, 5 * MINUTE);
        draw_one(p, &r, &resume, at_ms, node);
        at_ms += between(&r, MINUTE / 2, 3 * MINUTE);
        uint32_t head = (uint32_t)rc_sim_random_below(&r, 2);
        draw_one(p, &r, &loss, at_ms, head);
    }
}

static int
by_time(const void *a, const void *b)
{
    const struct rc_plan_row *x = a, *y = b;

    if (x->at_ms != y->at_ms) {
        return x->at_ms < y->at_ms ? -1 : 1;
    }
    return x->ill < y->ill ? -1 : x->ill > y->ill;
}

void
rc_plan_draw(struct rc_plan *plan, uint64_t seed)
{
    memset(plan, 0, sizeof *plan);
    plan->seed = seed;
    draw_shape(plan);
    draw_network(plan);
    draw_limits(plan);
    draw_faults(plan);
    draw_jobs(plan);
    draw_pair(plan);
    draw_persons(plan);
    draw_again(plan);
    qsort(plan->row, plan->count, sizeof plan->row[0], by_time);
}
