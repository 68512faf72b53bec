/* fleet_ctl.c - the virtual daemon: event -> rc_step -> execute, as
 * reconciler/io/daemon/loop.c does it. While it is away its queue waits; core time goes
 * on by the time away, as after a restart from the journal. */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/fleet/fleet_private.h"
#include "simulator/model/sim_hash.h"

enum { QUEUE_FIRST = 1024, TICKS_MAX = 1000000 }; /* a power of two, as are all later rooms */

void
rc_fleet_post(struct rc_fleet *f, const struct rc_event *ev)
{
    if (f->queue_count == f->queue_room) {
        uint32_t room = f->queue_room ? f->queue_room * 2 : QUEUE_FIRST;
        struct rc_event *bigger = malloc(room * sizeof *bigger);
        assert(bigger);
        for (uint32_t i = 0; i < f->queue_count; i++) {
            rc_event_copy(&bigger[i], &f->queue[(f->queue_head + i) & (f->queue_room - 1)]);
        }
        free(f->queue);
        f->queue = bigger;
        f->queue_room = room;
        f->queue_head = 0;
    }
    rc_event_copy(&f->queue[(f->queue_head + f->queue_count++) & (f->queue_room - 1)], ev);
}

int64_t
rc_fleet_ctl_next_ms(const struct rc_fleet *f)
{
    if (f->c->daemon_off) {
        return RC_SIM_NEVER;
    }
    if (f->now_ms < f->away_until_ms) {
        return f->away_until_ms;
    }
    return f->queue_count ? f->now_ms : rc_next_deadline(f->s);
}

static struct rc_state *
new_state(const struct rc_capacity_limits *limits)
{
    void *mem = calloc(1, rc_state_size(limits));

    assert(mem);
    return rc_state_init(mem, limits);
}

static void
enlarge(struct rc_state **s, const struct rc_capacity_limits *limits)
{
    void *mem = calloc(1, rc_state_size(limits));

    assert(mem);
    struct rc_state *bigger = rc_state_grow(mem, limits, *s);
    free(*s);
    *s = bigger;
}

static void
hash_decisions(struct rc_fleet *f)
{
    for (uint32_t i = 0; i < f->out.count; i++) {
        const struct rc_action *a = &f->out.v[i];
        if (a->kind != RC_ACT_LEASE) {
            f->r.hash = rc_sim_hash_u64(f->r.hash, a->id);
            f->r.hash = rc_sim_hash_u64(f->r.hash, (uint64_t)a->kind << 32 | a->incident);
            f->r.hash = rc_sim_hash_u64(f->r.hash, (uint64_t)a->at_ms);
            f->r.hash = rc_sim_hash_str(f->r.hash, a->node);
        }
    }
}

static void
step_fleet(struct rc_fleet *f, struct rc_event *ev)
{
    struct rc_capacity_limits limits;

    ev->at_ms = f->now_ms > f->s->now_ms ? f->now_ms : f->s->now_ms;
    ev->wall_ms = rc_fleet_wall(f) + f->skew_ms;
    rc_step(f->s, ev, &f->out);
    if (f->twin) {
        rc_step(f->twin, ev, &f->twin_out);
        rc_fleet_check_step(f, ev);
    }
    f->r.core_events++;
    if (!f->out.count) {
        return;
    }
    f->r.core_actions += f->out.count;
    hash_decisions(f);
    for (uint32_t i = 0; i < f->out.count; i++) {
        rc_score_phase(f, &f->out.v[i]);
        rc_errand_send(f, &f->out.v[i]);
    }
    if (rc_state_wants_growth(f->s, &limits) && !f->s->touch_count) {
        enlarge(&f->s, &limits);
        if (f->twin) {
            enlarge(&f->twin, &limits);
        }
    }
}

static bool
is_wanted(const struct rc_fleet *f, const struct rc_event *ev)
{
    return ev->kind == RC_EV_MESSAGE || !ev->msg || rc_message_wants_parts(f->s, ev->msg);
}

/* Stepped where it lies: what the step posts goes behind it, and when the room grows the
 * event has been read. */
static void
step_queue(struct rc_fleet *f)
{
    while (f->queue_count) {
        struct rc_event *ev = &f->queue[f->queue_head];
        if (is_wanted(f, ev)) {
            step_fleet(f, ev);
        }
        f->queue_head = (f->queue_head + 1) & (f->queue_room - 1);
        f->queue_count--;
    }
    f->queue_head = 0; /* always the same few lines of the processor's cache */
}

void
rc_fleet_turn(struct rc_fleet *f)
{
    struct rc_event ev;

    if (f->now_ms < f->away_until_ms) {
        return;
    }
    for (uint32_t ticks = 0;; ticks++) {
        assert(ticks < TICKS_MAX); /* else something is busy for nothing, for ever */
        step_queue(f);
        if (rc_next_deadline(f->s) > f->now_ms) {
            return;
        }
        rc_event_init(&ev, RC_EV_TICK);
        step_fleet(f, &ev);
    }
}

static void
tell_controller(struct rc_fleet *f, const char *host)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_START);
    ev.u.start.seed = f->c->seed + f->life;
    rc_text_set(ev.u.start.host, sizeof ev.u.start.host, host);
    rc_fleet_post(f, &ev);
    rc_event_init(&ev, RC_EV_CLUSTER);
    ev.u.cluster = &f->cluster;
    rc_fleet_post(f, &ev);
    rc_event_init(&ev, RC_EV_POLICY);
    ev.u.policy = f->c->policy;
    rc_fleet_post(f, &ev);
}

static void
make_states(struct rc_fleet *f)
{
    struct rc_capacity_limits limits = {
        .nodes = f->c->nodes + 64, .incidents = 512, .messages = RC_FLEET_MESSAGES};

    free(f->s);
    free(f->twin);
    f->s = new_state(&limits);
    f->twin = f->c->checks ? new_state(&limits) : NULL;
    f->next_msg = 1;
}

void
rc_fleet_start(struct rc_fleet *f)
{
    make_states(f);
    rc_event_init(&f->row, RC_EV_SLURM_NODE);
    rc_text_set(f->row.u.slurm.partition, RC_PARTITION_LEN, RC_FLEET_PARTITION);
    tell_controller(f, "head1");
    rc_due_push(f, 0, RC_DUE_INSTANCES, 0, 0);
    rc_due_push(f, RC_FLEET_SECOND, RC_DUE_STATUS, 0, 0);
    rc_due_push(f, 0, RC_DUE_POLL, 0, 0);
    rc_due_push(f, 5 * RC_FLEET_SECOND, RC_DUE_EXTEND, 0, 0);
}

/* The other controller begins with nothing but what the world and the store tell. What the
 * one before had sent is on its way; its answers reach nobody. */
void
rc_fleet_take_over(struct rc_fleet *f)
{
    f->life++;
    f->queue_count = 0;
    rc_score_controller_ends(f);
    make_states(f);
    memset(f->letter, 0, sizeof f->letter);
    f->letters = f->receiving = 0;
    f->writer_free_ms = f->store_free_ms = f->registrar_free_ms = 0;
    for (uint32_t node = 0; node < f->c->nodes; node++) {
        f->node_shown[node] = 0;
        f->agent_shown[node] = UINT64_MAX; /* told anew, also that there is nothing */
        f->score[node].core = 0;
        rc_fleet_news(f, node);
    }
    for (uint32_t slot = 0; slot < f->hosts; slot++) {
        struct rc_host *h = &f->host[slot];
        memset(h->id, 0, sizeof h->id);
        h->shown[0] = h->shown[1] = 0;
        if (rc_sim_ec2_at(f->ec2, slot)) {
            rc_ills_news(f, slot);
        }
    }
    rc_fleet_check_forget(f);
    tell_controller(f, f->life % 2 ? "head2" : "head1");
}
