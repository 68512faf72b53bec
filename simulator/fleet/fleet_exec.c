/* fleet_exec.c - the virtual executor: an action becomes a request that takes its time,
 * may get lost on the way there or back, and is answered once. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/core/step.h"
#include "reconciler/core/stored.h"
#include "simulator/fleet/fleet_private.h"

enum { LOST_ANSWER_MS = 30 * RC_FLEET_SECOND, SYNC_MS = 5 };

enum side { SIDE_NONE, SIDE_EC2, SIDE_SLURM, SIDE_STORE, SIDE_LEASE, SIDE_OTHER };

/* Kinds that are not named here (what later releases add) are answered at once. */
static const uint8_t side_of[RC_ACTION__MAX] = {
    [RC_ACT_LAUNCH] = SIDE_EC2,
    [RC_ACT_TERMINATE] = SIDE_EC2,
    [RC_ACT_ASSIGN] = SIDE_EC2,
    [RC_ACT_STOP] = SIDE_EC2,
    [RC_ACT_START] = SIDE_EC2,
    [RC_ACT_REBOOT] = SIDE_EC2,
    [RC_ACT_LOOK] = SIDE_EC2,
    [RC_ACT_DRAIN] = SIDE_SLURM,
    [RC_ACT_DOWN] = SIDE_SLURM,
    [RC_ACT_RESUME] = SIDE_SLURM,
    [RC_ACT_JOBS_SIGNAL] = SIDE_SLURM,
    [RC_ACT_JOBS_REQUEUE] = SIDE_SLURM,
    [RC_ACT_REGISTER] = SIDE_SLURM,
    [RC_ACT_GATE] = SIDE_SLURM,
    [RC_ACT_GPU_RESET] = SIDE_SLURM,
    [RC_ACT_INCIDENT_PUT] = SIDE_STORE,
    [RC_ACT_HISTORY_PUT] = SIDE_STORE,
    [RC_ACT_LEASE] = SIDE_LEASE,
    [RC_ACT_MESSAGE_QUARANTINE] = SIDE_OTHER,
};

/* Mean of the way there and back together. */
static const int64_t way_ms[RC_ACTION__MAX] = {
    [RC_ACT_ASSIGN] = 400,      [RC_ACT_LAUNCH] = 3000,     [RC_ACT_TERMINATE] = 800,
    [RC_ACT_STOP] = 800,        [RC_ACT_START] = 800,       [RC_ACT_REBOOT] = 800,
    [RC_ACT_LOOK] = 300,        [RC_ACT_DRAIN] = 60,        [RC_ACT_DOWN] = 60,
    [RC_ACT_RESUME] = 60,       [RC_ACT_JOBS_SIGNAL] = 100, [RC_ACT_JOBS_REQUEUE] = 100,
    [RC_ACT_REGISTER] = 8000,   [RC_ACT_GATE] = 40000,      [RC_ACT_GPU_RESET] = 30000,
    [RC_ACT_INCIDENT_PUT] = 12, [RC_ACT_HISTORY_PUT] = 12,  [RC_ACT_LEASE] = 12,
};

static struct rc_errand *
errand_new(struct rc_fleet *f, uint32_t *ret_index)
{
    uint32_t i = f->errand_free;

    if (i != RC_SIM_NO_NODE) {
        f->errand_free = f->errand[i]->next_free;
    } else {
        i = f->errand_room++;
        f->errand = realloc(f->errand, f->errand_room * sizeof(struct rc_errand *));
        assert(f->errand);
        f->errand[i] = malloc(sizeof **f->errand);
        assert(f->errand[i]);
    }
    struct rc_errand *r = f->errand[i];
    r->lost = 0;
    r->life = f->life;
    r->error = RC_OK;
    r->sent_ms = f->now_ms;
    *ret_index = i;
    return r;
}

static void
errand_free(struct rc_fleet *f, uint32_t index)
{
    f->errand[index]->next_free = f->errand_free;
    f->errand_free = index;
}

static void
answer_now(struct rc_fleet *f, const struct rc_action *a, enum rc_err error)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_COMPLETION);
    ev.u.completion.action = a->id;
    ev.u.completion.error = (uint32_t)error;
    rc_fleet_post(f, &ev);
}

static bool
by_ssh(uint32_t kind)
{
    return kind == RC_ACT_GATE || kind == RC_ACT_GPU_RESET;
}

/* Trouble on the way: the request is lost (no effect), or only its answer is. */
static void
meet_trouble(struct rc_fleet *f, struct rc_errand *r, enum side side)
{
    static const enum rc_err ec2_errors[] = {RC_E_THROTTLED, RC_E_SERVER, RC_E_TIMEOUT,
                                             RC_E_UNREACHABLE};
    uint64_t word = rc_sim_random_next(&f->latency);

    if (side == SIDE_EC2 && word % 1000 < rc_trouble_permille(f, RC_TROUBLE_EC2)) {
        r->error = ec2_errors[word >> 40 & 3];
        r->lost = r->error != RC_E_TIMEOUT || word >> 32 & 1;
        f->r.launch_lost += r->action.kind == RC_ACT_LAUNCH;
    } else if (side == SIDE_SLURM && rc_trouble_now(f, RC_TROUBLE_HELPER)) {
        r->error = RC_E_HELPER;
        r->lost = 1;
    } else if (side == SIDE_SLURM && !by_ssh(r->action.kind) &&
               rc_trouble_now(f, RC_TROUBLE_SLURM)) {
        r->error = RC_E_SLURM_DOWN;
        r->lost = 1;
        r->answer_ms = 5 * RC_FLEET_SECOND;
    } else if ((side == SIDE_STORE || side == SIDE_LEASE) && rc_trouble_now(f, RC_TROUBLE_STORE)) {
        r->error = RC_E_TIMEOUT;
        r->lost = word >> 32 & 1;
    }
    if (r->error == RC_E_TIMEOUT) {
        r->answer_ms = LOST_ANSWER_MS;
    }
}

static int64_t *
line_of(struct rc_fleet *f, enum side side, uint32_t kind)
{
    if (side == SIDE_STORE) {
        return &f->store_free_ms;
    }
    if (kind == RC_ACT_REGISTER) {
        return &f->registrar_free_ms;
    }
    return side == SIDE_SLURM && !by_ssh(kind) ? &f->writer_free_ms : NULL;
}

static void
set_out(struct rc_fleet *f, const struct rc_action *a, enum side side)
{
    uint32_t index;
    struct rc_errand *r = errand_new(f, &index);
    int64_t mean_ms = way_ms[a->kind] > 2 ? way_ms[a->kind] / 2 : 1;
    uint64_t word = rc_sim_random_next(&f->latency);
    int64_t there_ms = mean_ms / 2 + (int64_t)((word & UINT32_MAX) % (uint64_t)(mean_ms + 1));
    int64_t *free_ms = line_of(f, side, a->kind), at_ms = f->now_ms;

    rc_action_copy(&r->action, a);
    r->answer_ms = mean_ms / 2 + (int64_t)((word >> 32) % (uint64_t)(mean_ms + 1));
    meet_trouble(f, r, side);
    rc_event_init(&r->answer, a->kind == RC_ACT_LEASE ? RC_EV_LEASE : RC_EV_COMPLETION);
    if (a->kind != RC_ACT_LEASE) {
        r->answer.u.completion.action = a->id;
    }
    if (free_ms) {
        at_ms = *free_ms > at_ms ? *free_ms : at_ms;
        *free_ms = at_ms + there_ms + r->answer_ms;
    }
    rc_due_push(f, at_ms + there_ms, RC_DUE_EFFECT, index, 0);
}

static void
send_now(struct rc_fleet *f, const struct rc_action *a)
{
    enum side side = (enum side)side_of[a->kind];
    const char *why;
    enum rc_err err = rc_last_look(f->s, a, f->now_ms, &why);

    if (err != RC_OK) {
        if (a->kind != RC_ACT_MESSAGE_DELETE) {
            answer_now(f, a, err);
        }
        return;
    }
    rc_fleet_check_send(f, a);
    if (a->kind == RC_ACT_MESSAGE_DELETE) {
        rc_fleet_forget(f, a->msg);
    } else if (a->kind == RC_ACT_TELL) {
        rc_person_told(f, a);
    } else if (side == SIDE_NONE || side == SIDE_OTHER) {
        answer_now(f, a, RC_OK);
    } else {
        set_out(f, a, side);
    }
}

/* What cannot be taken back waits until the journal is synced. */
void
rc_errand_send(struct rc_fleet *f, const struct rc_action *a)
{
    uint32_t index;

    if (!rc_action_irreversible((enum rc_action_kind)a->kind)) {
        send_now(f, a);
        return;
    }
    struct rc_errand *r = errand_new(f, &index);
    bool slow = rc_trouble_now(f, RC_TROUBLE_DISK);
    rc_action_copy(&r->action, a);
    rc_due_push(f, slow ? f->until_ms[RC_TROUBLE_DISK] : f->now_ms + SYNC_MS, RC_DUE_WRITTEN, index,
                0);
}

/* It is in the journal. A process that went meanwhile sends nothing more. */
static void
is_written(struct rc_fleet *f, uint32_t index)
{
    struct rc_action a;
    bool gone = f->errand[index]->life != f->life || f->now_ms < f->away_until_ms;

    rc_action_copy(&a, &f->errand[index]->action);

    errand_free(f, index);
    if (!gone) {
        send_now(f, &a);
    }
}

/* ---- effects ---- */

static void
take_effect(struct rc_fleet *f, uint32_t index)
{
    struct rc_errand *r = f->errand[index];
    enum side side = (enum side)side_of[r->action.kind];
    enum rc_err trouble = r->error;

    r->error = RC_OK;
    if (r->lost) {
        /* nothing happens */
    } else if (r->action.kind == RC_ACT_LOOK) {
        rc_fleet_look(f, r);
    } else if (side == SIDE_EC2) {
        rc_errand_ec2(f, r);
    } else if (side == SIDE_SLURM) {
        rc_errand_slurm(f, r);
    } else if (side == SIDE_STORE) {
        rc_store_put(f, r);
    } else if (side == SIDE_LEASE) {
        rc_store_lease(f, r);
    }
    r->error = trouble != RC_OK ? trouble : r->error;
    rc_due_push(f, f->now_ms + r->answer_ms, RC_DUE_ANSWER, index, 0);
}

static void
bring_answer(struct rc_fleet *f, uint32_t index)
{
    struct rc_errand *r = f->errand[index];
    uint32_t node =
        side_of[r->action.kind] == SIDE_SLURM ? rc_fleet_node(f, r->action.node) : RC_SIM_NO_NODE;

    if (f->now_ms < f->away_until_ms || r->life != f->life) {
        /* Nobody is there to hear it: the deadline of the action speaks. */
    } else if (r->action.kind == RC_ACT_LEASE) {
        rc_store_answer_lease(f, r);
    } else {
        if (r->error == RC_E_CONDITION) { /* somebody else wrote: the lease is gone */
            struct rc_event lost;
            rc_stored_refused(&lost, &r->action);
            rc_fleet_post(f, &lost);
        }
        r->answer.u.completion.error = (uint32_t)r->error;
        if (node != RC_SIM_NO_NODE) { /* the writer reads back what it wrote */
            rc_fleet_show(f, node, r->action.kind == RC_ACT_GATE);
        }
        rc_fleet_post(f, &r->answer);
    }
    errand_free(f, index);
}

void
rc_errand_due(struct rc_fleet *f, const struct rc_due *d)
{
    if (d->kind == RC_DUE_WRITTEN) {
        is_written(f, d->index);
    } else if (d->kind == RC_DUE_EFFECT) {
        take_effect(f, d->index);
    } else {
        bring_answer(f, d->index);
    }
}
