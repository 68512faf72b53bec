/* play_ctl.c - the virtual daemon: event -> rc_step -> journal -> execute, as
 * reconciler/io/daemon/loop.c does it.
 *
 * A process that died restarts from what it began with and its journal: events folded,
 * actions noted. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/check.h"
#include "simulator/cluster/play_private.h"

enum { QUEUE_FIRST = 64, JOURNAL_FIRST = 256 * 1024, SYNC_MS = 5, STEPS_MAX = 200 * 1000 };

static const struct rc_capacity_limits limits = {
    .nodes = 24, .incidents = 24, .messages = RC_PLAY_MESSAGES};

/* Blocks for states, kept from play to play: there are thousands of plays, and a fresh
 * block costs more than all that a play does with it. */
static struct rc_state *blocks[RC_PLAY_CTLS][3]; /* where a life began, now, its twin */

static struct rc_state *
block_of(uint32_t ctl, uint32_t which)
{
    struct rc_state **at = &blocks[ctl][which];

    if (!*at) {
        *at = calloc(1, rc_state_size(&limits));
        assert(*at);
    }
    return *at;
}

static struct rc_state *
empty_state(struct rc_state *block)
{
    rc_state_clear(block);
    return rc_state_init(block, &limits);
}

static void
begin_as(struct rc_state *block, const struct rc_state *base)
{
    if (base) {
        rc_state_copy(block, base);
    } else {
        empty_state(block);
    }
}

int64_t
rc_ctl_core_ms(const struct rc_ctl *c)
{
    return c->p->now_ms + c->core_offset_ms;
}

bool
rc_ctl_runs(const struct rc_ctl *c)
{
    return c->up && c->p->now_ms >= c->frozen_until_ms;
}

int64_t
rc_ctl_next_ms(const struct rc_ctl *c)
{
    if (!c->up) {
        return RC_SIM_NEVER;
    }
    if (c->p->now_ms < c->frozen_until_ms) {
        return c->frozen_until_ms;
    }
    if (c->stuck) {
        return c->disk_full_until_ms > c->p->now_ms ? c->disk_full_until_ms : c->p->now_ms;
    }
    if (c->queue_count) {
        return c->p->now_ms;
    }
    return c->deadline_ms == RC_NEVER ? RC_SIM_NEVER : c->deadline_ms - c->core_offset_ms;
}

void
rc_ctl_post(struct rc_ctl *c, const struct rc_event *ev)
{
    if (c->queue_count == c->queue_room) {
        uint32_t room = c->queue_room ? c->queue_room * 2 : QUEUE_FIRST;
        struct rc_event *bigger = malloc(room * sizeof *bigger);
        assert(bigger);
        for (uint32_t i = 0; i < c->queue_count; i++) {
            rc_event_copy(&bigger[i], &c->queue[(c->queue_head + i) % c->queue_room]);
        }
        free(c->queue);
        c->queue = bigger;
        c->queue_room = room;
        c->queue_head = 0;
    }
    rc_event_copy(&c->queue[(c->queue_head + c->queue_count++) % c->queue_room], ev);
}

/* ---- journal ---- */

/* Up to this record. */
static void
journal_synced(struct rc_ctl *c, uint64_t record)
{
    while (c->record_durable < record && c->durable_bytes < c->journal_bytes) {
        c->durable_bytes += rc_journal_at(c, c->durable_bytes)->bytes;
        c->record_durable++;
    }
}

/* Room for the largest row at the end; its bytes are told by journal_row_end(). */
static struct rc_journal_row *
journal_row_begin(struct rc_ctl *c)
{
    if (c->journal_room - c->journal_bytes < sizeof(struct rc_journal_row)) {
        c->journal_room = c->journal_room ? c->journal_room * 2 : JOURNAL_FIRST;
        c->journal = realloc(c->journal, c->journal_room);
        assert(c->journal);
    }
    return rc_journal_at(c, c->journal_bytes);
}

static void
journal_row_end(struct rc_ctl *c, size_t bytes)
{
    struct rc_journal_row *row = rc_journal_at(c, c->journal_bytes);

    row->bytes = (uint32_t)((offsetof(struct rc_journal_row, u) + bytes + 7) & ~(size_t)7);
    c->journal_bytes += row->bytes;
    c->record_last++;
}

static void
append_turn(struct rc_ctl *c, const struct rc_event *ev)
{
    if (c->record_last - c->record_durable + c->out.count + 1 > RC_PLAY_UNSYNCED) {
        journal_synced(c, c->record_last);
    }
    struct rc_journal_row *row = journal_row_begin(c);
    row->is_action = 0;
    rc_event_copy(&row->u.event, ev);
    journal_row_end(c, rc_event_bytes(ev));
    for (uint32_t i = 0; i < c->out.count; i++) {
        row = journal_row_begin(c);
        row->is_action = 1;
        rc_action_copy(&row->u.action, &c->out.v[i]);
        journal_row_end(c, rc_action_bytes(&c->out.v[i]));
    }
}

/* What a restart finds after these bytes of its journal: events folded, actions noted. */
static void
restart_from(struct rc_ctl *c, size_t bytes)
{
    if (!c->base) {
        c->base = empty_state(block_of(c->index, 0));
    }
    for (size_t at = 0; at < bytes; at += rc_journal_at(c, at)->bytes) {
        const struct rc_journal_row *row = rc_journal_at(c, at);
        if (row->is_action) {
            rc_note(c->base, &row->u.action);
        } else {
            rc_fold(c->base, &row->u.event);
        }
    }
}

static void
play_sync(struct rc_ctl *c)
{
    int64_t at_ms = c->p->now_ms + SYNC_MS;

    if (!c->line_count || c->syncing) {
        return;
    }
    c->syncing = 1;
    if (c->disk_slow_until_ms > at_ms) {
        at_ms = c->disk_slow_until_ms;
    }
    rc_play_task(c->p, at_ms, RC_TASK_SYNC, c, (uint32_t)c->record_last);
}

static void
journal_action(struct rc_ctl *c, const struct rc_action *a)
{
    if (c->line_count == c->line_room) {
        c->line_room = c->line_room ? c->line_room * 2 : 16;
        c->line = realloc(c->line, c->line_room * sizeof *c->line);
        assert(c->line);
    }
    c->line[c->line_count].record = c->record_last;
    rc_action_copy(&c->line[c->line_count++].action, a);
}

void
rc_ctl_synced(struct rc_ctl *c, uint64_t record)
{
    uint32_t done = 0;

    c->syncing = 0;
    journal_synced(c, record);
    while (done < c->line_count && c->line[done].record <= record && !c->p->over) {
        struct rc_action a;

        rc_action_copy(&a, &c->line[done++].action);
        rc_exec_play(c, &a);
    }
    c->line_count -= done;
    memmove(c->line, c->line + done, c->line_count * sizeof *c->line);
    play_sync(c);
}

/* ---- the turn ---- */

static void
execute_turn(struct rc_ctl *c)
{
    for (uint32_t i = 0; i < c->out.count && !c->p->over; i++) {
        const struct rc_action *a = &c->out.v[i];
        if (rc_action_irreversible((enum rc_action_kind)a->kind)) {
            journal_action(c, a);
        } else {
            rc_exec_play(c, a);
        }
    }
    play_sync(c);
}

static void
step(struct rc_ctl *c, struct rc_event *ev)
{
    struct rc_play *p = c->p;

    ev->at_ms = rc_ctl_core_ms(c);
    ev->wall_ms = rc_play_wall(p) + c->wall_skew_ms;
    if (ev->at_ms < c->s->now_ms) {
        ev->at_ms = c->s->now_ms;
    }
    rc_step(c->s, ev, &c->out);
    if (++p->result->steps > STEPS_MAX) {
        rc_play_fail(p, RC_FOUND_LIVENESS, "more than %d steps: something is busy for nothing",
                     STEPS_MAX);
    }
    rc_check_step(c, ev);
}

static void
queue_drop(struct rc_ctl *c)
{
    c->queue_count--;
    c->queue_head = c->queue_count ? (c->queue_head + 1) % c->queue_room : 0;
}

/* The first of the queue that the core wants; it stays where it is. */
static struct rc_event *
queue_first(struct rc_ctl *c)
{
    while (c->queue_count) {
        struct rc_event *ev = &c->queue[c->queue_head];
        if (ev->kind == RC_EV_MESSAGE || !ev->msg || rc_message_wants_parts(c->s, ev->msg)) {
            return ev;
        }
        queue_drop(c);
    }
    return NULL;
}

/* What was stepped is written and carried out. */
static void
write_turn(struct rc_ctl *c)
{
    append_turn(c, &c->queue[c->queue_head]);
    queue_drop(c);
    execute_turn(c);
}

/* False: the disk takes nothing, and the turn waits until it does. */
static bool
take_turn(struct rc_ctl *c, struct rc_event *ev)
{
    step(c, ev);
    c->stuck = c->disk_full_until_ms > c->p->now_ms;
    if (!c->stuck) {
        write_turn(c);
    }
    return !c->stuck;
}

void
rc_ctl_turn(struct rc_ctl *c)
{
    struct rc_event *ev, tick;

    if (!c->stuck && !c->queue_count && c->deadline_ms > rc_ctl_core_ms(c)) {
        return; /* as its last turn left it */
    }
    if (c->stuck) {
        if (c->disk_full_until_ms > c->p->now_ms) {
            return;
        }
        c->stuck = 0;
        write_turn(c);
    }
    for (;;) {
        while (!c->p->over && (ev = queue_first(c))) {
            if (!take_turn(c, ev)) {
                return;
            }
        }
        c->deadline_ms = rc_next_deadline(c->s);
        if (c->p->over || c->deadline_ms == RC_NEVER || c->deadline_ms > rc_ctl_core_ms(c)) {
            return;
        }
        rc_event_init(&tick, RC_EV_TICK);
        rc_ctl_post(c, &tick);
    }
}

/* ---- coming and going ---- */

static void
tell_start(struct rc_ctl *c)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_START);
    ev.u.start.seed = rc_play_mix(c->p, c->index, c->life);
    snprintf(ev.u.start.host, sizeof ev.u.start.host, "head%u", c->index + 1);
    rc_ctl_post(c, &ev);
    rc_event_init(&ev, RC_EV_CLUSTER);
    ev.u.cluster = &c->p->cluster;
    rc_ctl_post(c, &ev);
    rc_event_init(&ev, RC_EV_POLICY);
    ev.u.policy = &c->p->policy;
    rc_ctl_post(c, &ev);
}

/* Core time goes on where it stopped and counts the time away (by the wall clock). */
static void
begin_clock(struct rc_ctl *c, bool restored)
{
    int64_t away_ms = restored ? rc_play_wall(c->p) + c->wall_skew_ms - c->s->now_wall_ms : 0;

    c->core_offset_ms =
        restored ? c->s->now_ms + (away_ms > 0 ? away_ms : 0) - c->p->now_ms : 1000 - c->p->now_ms;
}

void
rc_ctl_start(struct rc_ctl *c)
{
    bool restored = c->base != NULL;

    if (rc_play_has_pair(c->p) && !c->p->head[c->index].host_up) {
        return; /* it starts with its host */
    }

    c->s = block_of(c->index, 1);
    begin_as(c->s, c->base);
    c->deadline_ms = rc_next_deadline(c->s);
    begin_clock(c, restored);
    c->up = 1;
    c->seen_count = c->seen_at = 0;
    c->pass = 1;
    c->node_row_known = 0;
    c->slurm_version = 0;
    c->slurm_poll_at_ms = 0;
    rc_intake_start(c);
    c->watch_renewal = 0;
    c->writer_free_ms = c->store_free_ms = c->registrar_free_ms = 0;
    memset(c->hand_ms, 0, sizeof c->hand_ms);
    rc_check_limits_start(c);
    rc_play_trace(c->p, "head%u starts%s", c->index + 1, restored ? " from its journal" : "");
    tell_start(c);
    rc_play_task(c->p, c->p->now_ms, RC_TASK_INSTANCES, c, 0);
    rc_play_task(c->p, c->p->now_ms + 1000, RC_TASK_STATUS, c, 0);
    rc_play_task(c->p, c->p->now_ms, RC_TASK_SLURM, c, 0);
    if (rc_play_has_pair(c->p)) {
        memset(c->head_mode, 0, sizeof c->head_mode);
        memset(c->head_host, 0, sizeof c->head_host);
        rc_play_task(c->p, c->p->now_ms + 100, RC_TASK_HEADS, c, 1);
        rc_heads_changed(c->p);
    }
}

static void
end_life(struct rc_ctl *c)
{
    struct rc_state *twin = block_of(c->index, 2);

    if (!c->p->over) {
        begin_as(twin, c->base);
        rc_check_same_decision(c, twin);
    }
}

/* how: 0 the process died, 1 its disk is gone too, 2 the power failed: what was not
 * synced is lost. */
void
rc_ctl_crash(struct rc_ctl *c, int64_t how)
{
    if (!c->up) {
        return;
    }
    end_life(c);
    bool forgets = how != 0 || c->stuck; /* a turn that was never written */
    if (how == 1) {
        c->base = NULL;
    } else {
        restart_from(c, how == 0 ? c->journal_bytes : c->durable_bytes);
    }
    c->journal_bytes = c->durable_bytes = 0;
    c->record_durable = c->record_last;
    c->up = 0;
    c->life++;
    c->queue_count = 0;
    c->line_count = 0;
    c->syncing = c->stuck = c->lease_busy = 0;
    c->lease_got = 0;
    c->frozen_until_ms = c->disk_full_until_ms = c->disk_slow_until_ms = 0;
    rc_check_forget(c, forgets);
}

void
rc_ctl_end(struct rc_ctl *c)
{
    if (c->up) {
        end_life(c);
    }
}

void
rc_ctl_free(struct rc_ctl *c)
{
    free(c->queue);
    free(c->journal);
    free(c->line);
}
