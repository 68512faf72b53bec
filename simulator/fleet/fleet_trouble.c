/* fleet_trouble.c - what our own world does wrong, drawn from the seed: windows without
 * capacity, services that fail, messages that get lost, doubled or late, a slow disk, a
 * clock that steps, a daemon that is restarted or hands over. */
#include <stddef.h>
#include <string.h>

#include "simulator/fleet/fleet_private.h"
#include "simulator/model/sim_dist.h"

enum { LEASE_GRACE_MS = 10 * RC_FLEET_SECOND };

struct kind {
    uint32_t per_year; /* in a usual world; a hostile one has ten times as many */
    int64_t last_ms;   /* mean */
    uint32_t permille; /* of the calls that fail meanwhile */
};

static const struct kind kinds[RC_TROUBLE__MAX] = {
    /* p4d capacity: freed slots come back in minutes, shortages last for hours. */
    [RC_TROUBLE_CAPACITY_A] = {60, 3 * RC_FLEET_HOUR, 1000},
    [RC_TROUBLE_CAPACITY_B] = {60, 3 * RC_FLEET_HOUR, 1000},
    [RC_TROUBLE_CAPACITY_C] = {60, 3 * RC_FLEET_HOUR, 1000},
    [RC_TROUBLE_EC2] = {12, 10 * RC_FLEET_MINUTE, 300},
    [RC_TROUBLE_SLURM] = {24, 3 * RC_FLEET_MINUTE, 1000},
    [RC_TROUBLE_HELPER] = {50, 20 * RC_FLEET_SECOND, 1000},
    [RC_TROUBLE_STORE] = {12, 3 * RC_FLEET_MINUTE, 1000},
    [RC_TROUBLE_DISK] = {12, 5 * RC_FLEET_MINUTE, 1000},
    [RC_TROUBLE_CLOCK] = {6, 1, 1000},
    [RC_TROUBLE_DAEMON] = {26, 2 * RC_FLEET_MINUTE, 1000},
};

static const uint32_t times[RC_FLEET_WORLD__MAX] = {0, 1, 10};
/* Per thousand notices. */
static const uint32_t lost[RC_FLEET_WORLD__MAX] = {0, 5, 50};
static const uint32_t doubled[RC_FLEET_WORLD__MAX] = {0, 10, 50};
static const uint32_t late[RC_FLEET_WORLD__MAX] = {0, 10, 50};

static void
plan_next(struct rc_fleet *f, uint32_t kind)
{
    uint32_t per_year = kinds[kind].per_year * times[f->c->world];

    if (per_year) {
        double mean_ms = 365.0 * RC_FLEET_DAY / (double)per_year;
        rc_due_push(f, f->now_ms + 1 + (int64_t)rc_dist_exponential(&f->troubles, mean_ms),
                    RC_DUE_TROUBLE, 0, kind);
    }
}

void
rc_trouble_open(struct rc_fleet *f)
{
    rc_sim_random_seed(&f->troubles, f->c->seed, 25);
    for (uint32_t kind = 0; kind < RC_TROUBLE__MAX; kind++) {
        plan_next(f, kind);
    }
}

static void
set_capacity(struct rc_fleet *f, uint32_t subnet, int32_t left)
{
    (void)rc_sim_ec2_set_capacity(f->ec2, rc_sim_ec2_subnet(f->ec2, subnet)->id, "", left);
}

/* A restart comes back with its journal; the other controller may take the lease only when
 * it has run out, by its term and the request time-out. */
static void
daemon_goes(struct rc_fleet *f, bool for_good)
{
    int64_t free_ms = f->lease_until_ms + LEASE_GRACE_MS;

    f->away_until_ms = f->until_ms[RC_TROUBLE_DAEMON];
    if (for_good) {
        f->away_until_ms = free_ms > f->now_ms ? free_ms : f->now_ms;
        rc_fleet_take_over(f);
    }
}

/* The draws are made whatever is done with them: one order for every policy. */
void
rc_trouble_due(struct rc_fleet *f, const struct rc_due *d)
{
    uint32_t kind = d->tag;

    if (d->kind == RC_DUE_TROUBLE_END) {
        if (kind <= RC_TROUBLE_CAPACITY_C && f->now_ms >= f->until_ms[kind]) {
            set_capacity(f, kind - RC_TROUBLE_CAPACITY_A, -1);
        }
        return;
    }
    int64_t until_ms =
        f->now_ms + 1 + (int64_t)rc_dist_exponential(&f->troubles, (double)kinds[kind].last_ms);
    uint64_t word = rc_sim_random_next(&f->troubles);
    plan_next(f, kind);
    f->until_ms[kind] = until_ms > f->until_ms[kind] ? until_ms : f->until_ms[kind];
    rc_due_push(f, f->until_ms[kind], RC_DUE_TROUBLE_END, 0, kind);
    if (kind <= RC_TROUBLE_CAPACITY_C) {
        set_capacity(f, kind - RC_TROUBLE_CAPACITY_A, 0);
    } else if (kind == RC_TROUBLE_CLOCK) {
        f->skew_ms = (int64_t)(word % 4001) - 2000;
    } else if (kind == RC_TROUBLE_DAEMON) {
        daemon_goes(f, word & 1);
        rc_due_push(f, f->away_until_ms, RC_DUE_TURN, 0, 0);
    }
}

bool
rc_trouble_now(const struct rc_fleet *f, enum rc_trouble_kind kind)
{
    return f->now_ms < f->until_ms[kind];
}

uint32_t
rc_trouble_permille(const struct rc_fleet *f, enum rc_trouble_kind kind)
{
    return rc_trouble_now(f, kind) ? kinds[kind].permille : 0;
}

/* A notice leaves AWS: it may get lost, come twice, or come late. */
void
rc_trouble_notice(struct rc_fleet *f, const struct rc_event *ev)
{
    uint64_t word = rc_sim_random_next(&f->latency), id = rc_sim_random_next(&f->latency) | 1;
    unsigned copies = word % 1000 < doubled[f->c->world] ? 2 : 1;
    struct body {
        uint64_t id;
        struct rc_event part;
    } body;

    if (f->c->daemon_off || (word >> 10) % 1000 < lost[f->c->world]) {
        return;
    }
    body.id = id;
    rc_event_copy(&body.part, ev);
    size_t len = offsetof(struct body, part) + rc_event_bytes(ev);
    for (unsigned i = 0; i < copies; i++) {
        uint64_t draw = rc_sim_random_next(&f->latency);
        int64_t delay_ms = 200 + (int64_t)(draw % 2000);
        if ((draw >> 20) % 1000 < late[f->c->world]) {
            delay_ms += (int64_t)((draw >> 32) % (10 * RC_FLEET_MINUTE));
        }
        (void)rc_sim_sqs_send(f->sqs, rc_fleet_wall(f), (const char *)&body, len, delay_ms, NULL);
    }
}
