/* fleet_clock.c - the clock of the large world: what is due next is done, then jobs, scores and
 * the daemon take their turns; see fleet.h. */
#include "simulator/fleet/fleet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/fleet/fleet_private.h"
#include "simulator/model/sim_hash.h"

int64_t
rc_fleet_wall(const struct rc_fleet *f)
{
    return RC_FLEET_WALL_MS + f->now_ms;
}

static int64_t
earlier_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t
next_moment_ms(const struct rc_fleet *f)
{
    int64_t models =
        earlier_of(rc_sim_ec2_next_ms(f->ec2),
                   earlier_of(rc_sim_slurm_next_ms(f->slurm), rc_sim_sqs_next_ms(f->sqs)));
    int64_t next = rc_due_next_ms(f);

    if (models != RC_SIM_NEVER) {
        next = earlier_of(next, models - RC_FLEET_WALL_MS);
    }
    next = earlier_of(next, rc_fleet_ctl_next_ms(f));
    return next > f->now_ms ? next : f->now_ms;
}

static void
do_due(struct rc_fleet *f, const struct rc_due *d)
{
    f->r.world_events++;
    switch ((enum rc_due_kind)d->kind) {
    case RC_DUE_ARRIVAL:
    case RC_DUE_JOB_END:
    case RC_DUE_JOB_DIES:
    case RC_DUE_JOB_FREE:
    case RC_DUE_JOB_AGAIN:
    case RC_DUE_BACKFILL:
        rc_queue_due(f, d);
        break;
    case RC_DUE_FAULT:
    case RC_DUE_FALSE:
    case RC_DUE_HEAL:
    case RC_DUE_SHOW:
    case RC_DUE_CALM:
        rc_ills_due(f, d);
        break;
    case RC_DUE_POLL:
        rc_fleet_poll(f);
        break;
    case RC_DUE_WATCH:
        rc_fleet_watch(f);
        break;
    case RC_DUE_INSTANCES:
        rc_fleet_sweep(f, RC_SWEEP_INSTANCES);
        break;
    case RC_DUE_STATUS:
        rc_fleet_sweep(f, RC_SWEEP_STATUS);
        break;
    case RC_DUE_WRITTEN:
    case RC_DUE_EFFECT:
    case RC_DUE_ANSWER:
        rc_errand_due(f, d);
        break;
    case RC_DUE_RECEIVE:
        rc_fleet_receive(f);
        break;
    case RC_DUE_EXTEND:
        rc_fleet_extend(f);
        break;
    case RC_DUE_PERSON:
        rc_person_due(f, d);
        break;
    case RC_DUE_TROUBLE:
    case RC_DUE_TROUBLE_END:
        rc_trouble_due(f, d);
        break;
    case RC_DUE_TURN:
        break; /* every turn looks at the daemon */
    case RC_DUE_DAY:
        if (f->c->tick) {
            f->c->tick(f->c->tick_arg, f->now_ms, f->end_ms);
        }
        if (!f->c->daemon_off) {
            rc_person_round(f);
        }
        rc_due_push(f, f->now_ms + RC_FLEET_DAY, RC_DUE_DAY, 0, 0);
        break;
    }
}

/* A node with an open incident is read each second, all others with the next whole pass. */
void
rc_fleet_news(struct rc_fleet *f, uint32_t node)
{
    if (!f->node_is_news[node]) {
        f->node_is_news[node] = 1;
        f->node_news[f->node_news_count++] = node;
    }
    if (!f->watch_due && f->s && f->s->open_incidents && rc_fleet_is_watched(f, node)) {
        f->watch_due = 1;
        rc_due_push(f, f->now_ms + RC_FLEET_WATCH_MS, RC_DUE_WATCH, 0, 0);
    }
}

/* Jobs that lost a node end; what changed is judged, and is news for the next poll. */
static void
settle_world(struct rc_fleet *f)
{
    uint32_t node;

    do {
        while (rc_sim_slurm_next_lost(f->slurm, &node)) {
            rc_queue_end_on(f, node, RC_CAUSE_FAULT);
        }
        if (f->q.wanted) {
            rc_plan_heads(f);
        }
        while (rc_sim_slurm_next_changed(f->slurm, &node)) {
            rc_score_judge(f, node);
            rc_fleet_news(f, node);
        }
    } while (f->q.wanted);
}

static void
run_clock(struct rc_fleet *f)
{
    struct rc_due d;

    for (;;) {
        int64_t next = next_moment_ms(f);
        if (next >= f->end_ms) {
            break;
        }
        f->now_ms = next;
        rc_sim_ec2_advance(f->ec2, rc_fleet_wall(f));
        rc_ills_changes(f);
        rc_sim_slurm_advance(f->slurm, rc_fleet_wall(f));
        rc_sim_sqs_advance(f->sqs, rc_fleet_wall(f));
        while (rc_due_pop(f, f->now_ms, &d)) {
            do_due(f, &d);
            settle_world(f);
        }
        rc_ills_changes(f);
        settle_world(f);
        if (!f->c->daemon_off) {
            rc_fleet_intake(f);
            rc_fleet_turn(f);
        }
    }
    f->now_ms = f->end_ms;
}

enum rc_err
rc_fleet_run(const struct rc_fleet_config *c, struct rc_fleet_result *ret, struct rc_error *e)
{
    enum rc_err err = rc_fleet_config_check(c, e);
    struct rc_fleet *f = err == RC_OK ? calloc(1, sizeof *f) : NULL;

    if (err != RC_OK) {
        return err;
    }
    if (!f) {
        return rc_fail(e, RC_E_FULL, "no memory");
    }
    f->c = c;
    f->r.hash = RC_SIM_HASH_SEED;
    err = rc_fleet_open(f, e);
    if (err == RC_OK) {
        run_clock(f);
        rc_queue_finish(f);
        rc_score_finish(f);
        rc_fleet_check_end(f);
        f->r.hash = rc_sim_hash_u64(f->r.hash, rc_sim_ec2_hash(f->ec2));
        f->r.hash = rc_sim_hash_u64(f->r.hash, rc_sim_slurm_hash(f->slurm));
        *ret = f->r;
    }
    rc_fleet_close(f);
    return err;
}
