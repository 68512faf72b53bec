/* play_exec.c - the virtual executor: an action becomes a request that takes its
 * time, may get lost on the way there or back, and is answered once. */
#include "reconciler/core/stored.h"
#include "simulator/check.h"
#include "simulator/cluster/play_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/rules.h"

enum { LOST_ANSWER_MS = 30 * 1000, SLURM_GIVES_UP_MS = 5000 };

struct rc_request *
rc_request_new(struct rc_ctl *c, uint32_t *ret_index)
{
    struct rc_play *p = c->p;
    uint32_t i = 0;

    while (i < p->request_room && p->request[i]->used) {
        i++;
    }
    if (i == p->request_room) {
        p->request = realloc(p->request, (i + 1) * sizeof(struct rc_request *));
        assert(p->request);
        p->request[i] = calloc(1, sizeof **p->request);
        assert(p->request[i]);
        p->request_room++;
    }
    struct rc_request *r = p->request[i];
    memset(r, 0, offsetof(struct rc_request, rows));
    r->rows.count = 0;
    r->action.kind = RC_ACT_NONE;
    r->used = 1;
    r->ctl = c->index;
    r->life = c->life;
    r->sent_ms = rc_ctl_core_ms(c);
    *ret_index = i;
    return r;
}

void
rc_request_free(struct rc_request *r)
{
    r->used = 0;
}

struct rc_event *
rc_request_row(struct rc_request *r)
{
    if (r->rows.count == r->rows.room) {
        r->rows.room = r->rows.room ? r->rows.room * 2 : 16;
        r->rows.row = realloc(r->rows.row, r->rows.room * sizeof *r->rows.row);
        assert(r->rows.row);
    }
    return &r->rows.row[r->rows.count++];
}

void
rc_exec_complete(struct rc_ctl *c, const struct rc_action *a, enum rc_err error, const char *text)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_COMPLETION);
    ev.u.completion.action = a->id;
    ev.u.completion.error = (uint32_t)error;
    rc_text_set(ev.u.completion.text, RC_TEXT_LEN, text);
    rc_ctl_post(c, &ev);
}

enum side { SIDE_NONE, SIDE_PAIR, SIDE_EC2, SIDE_SLURM, SIDE_STORE, SIDE_LEASE, SIDE_LOCAL };

static enum side
side_of(uint32_t kind)
{
    switch ((enum rc_action_kind)kind) {
    case RC_ACT_LAUNCH:
    case RC_ACT_ASSIGN:
    case RC_ACT_TERMINATE:
    case RC_ACT_STOP:
    case RC_ACT_START:
    case RC_ACT_REBOOT:
    case RC_ACT_LOOK:
        return SIDE_EC2;
    case RC_ACT_DRAIN:
    case RC_ACT_DOWN:
    case RC_ACT_RESUME:
    case RC_ACT_JOBS_SIGNAL:
    case RC_ACT_JOBS_REQUEUE:
    case RC_ACT_REGISTER:
    case RC_ACT_GATE:
    case RC_ACT_GPU_RESET:
    case RC_ACT_FORENSICS:
    case RC_ACT_JOB_HOLD:
    case RC_ACT_JOBS_INCLUDE:
        return SIDE_SLURM;
    case RC_ACT_INCIDENT_PUT:
    case RC_ACT_HISTORY_PUT:
        return SIDE_STORE;
    case RC_ACT_FENCE:
    case RC_ACT_CONTROLLER_START:
    case RC_ACT_TAKEOVER:
        return SIDE_PAIR;
    case RC_ACT_LEASE:
        return SIDE_LEASE;
    case RC_ACT_MESSAGE_QUARANTINE:
    case RC_ACT_SUPPORT_CASE:
        return SIDE_LOCAL;
    case RC_ACT_NONE:
    case RC_ACT_MESSAGE_DELETE:
    case RC_ACT_TELL:
    case RC_ACT_FAILOVER:
    case RC_ACTION__MAX:
        break;
    }
    return SIDE_NONE;
}

static enum rc_err
ec2_error(uint64_t mix)
{
    static const enum rc_err errors[] = {RC_E_THROTTLED, RC_E_SERVER, RC_E_TIMEOUT,
                                         RC_E_UNREACHABLE};

    return errors[mix % (sizeof errors / sizeof errors[0])];
}

/* Trouble on the way: the request is lost (no effect), or only its answer is. */
static void
draw_trouble(struct rc_play *p, const struct rc_ctl *c, struct rc_request *r, enum side side)
{
    uint64_t mix = rc_play_mix(p, r->action.id * 4 + c->index, 7);
    bool lost = mix >> 32 & 1;

    if (side == SIDE_EC2 && p->now_ms < p->ec2_errors_until_ms &&
        mix % 1000 < p->ec2_errors_permille) {
        r->error = ec2_error(mix >> 40);
        r->lost = lost || r->error != RC_E_TIMEOUT;
    } else if (side == SIDE_SLURM && p->now_ms < p->slurm_errors_until_ms &&
               mix % 1000 < p->slurm_errors_permille) {
        r->error = mix >> 41 & 1 ? RC_E_TIMEOUT : RC_E_HELPER;
        r->lost = lost;
    } else if (((side == SIDE_STORE || side == SIDE_LEASE) && p->now_ms < p->store_until_ms) ||
               (side == SIDE_LEASE && p->now_ms < c->lease_lost_until_ms)) {
        r->error = RC_E_TIMEOUT;
        r->lost = lost;
    }
    if (r->error == RC_E_TIMEOUT) {
        r->answer_ms = LOST_ANSWER_MS;
    }
}

static int64_t *
one_at_a_time(struct rc_ctl *c, enum side side, uint32_t kind)
{
    if (side == SIDE_STORE) {
        return &c->store_free_ms;
    }
    if (kind == RC_ACT_REGISTER) {
        return &c->registrar_free_ms;
    }
    return side == SIDE_SLURM && kind != RC_ACT_GATE ? &c->writer_free_ms : NULL;
}

/* What waited behind others until its deadline is not begun; the registrar's helper gets the end
 * of our lease with each request. */
static bool
waits_too_long(const struct rc_ctl *c, const struct rc_action *a, int64_t begins_ms)
{
    int64_t until_ms = a->kind == RC_ACT_REGISTER
                           ? c->s->lease_until_ms - c->s->cluster.lease_margin_ms
                           : a->deadline_ms;

    return begins_ms >= c->p->now_ms + until_ms - rc_ctl_core_ms(c);
}

/* One helper on each controller carries out what it is asked for in the order that it was sent: by
 * one connection, or our own. */
static int64_t
in_order(struct rc_ctl *c, const struct rc_action *a, int64_t effect_ms)
{
    if (a->kind != RC_ACT_FENCE && a->kind != RC_ACT_CONTROLLER_START) {
        return effect_ms;
    }
    int64_t *last_ms = &c->hand_ms[a->u.controller.index];
    *last_ms = *last_ms > effect_ms ? *last_ms : effect_ms;
    return *last_ms;
}

static void
send_errand(struct rc_ctl *c, const struct rc_action *a, enum side side)
{
    struct rc_play *p = c->p;
    uint32_t index;
    struct rc_request *r = rc_request_new(c, &index);
    int64_t there_ms = rc_play_latency(p, a->id * 2 + c->index, 1);
    int64_t *free_ms = one_at_a_time(c, side, a->kind);
    int64_t at_ms = p->now_ms;

    rc_action_copy(&r->action, a);
    r->answer_ms = rc_play_latency(p, a->id * 2 + c->index, 2);
    if (side == SIDE_LEASE) {
        c->lease_busy = 1;
        bool told = c->s->lease_held && rc_ctl_core_ms(c) < c->s->lease_until_ms;
        r->untold = !told && c->lease_got > c->s->lease_epoch;
        r->renewal = told || r->untold;
    }
    draw_trouble(p, c, r, side);
    if (side == SIDE_SLURM && p->now_ms < c->helper_until_ms) {
        r->error = RC_E_HELPER;
        r->lost = 1;
    }
    if (free_ms) {
        at_ms = *free_ms > at_ms ? *free_ms : at_ms;
        if (side == SIDE_SLURM && waits_too_long(c, a, at_ms)) {
            r->error = RC_E_CANCELLED;
            r->lost = 1;
            r->answer_ms = there_ms = 0;
        }
        *free_ms = at_ms + there_ms + r->answer_ms;
    }
    rc_event_init(&r->answer, a->kind == RC_ACT_LEASE ? RC_EV_LEASE : RC_EV_COMPLETION);
    if (a->kind != RC_ACT_LEASE) {
        r->answer.u.completion.action = a->id;
    }
    rc_play_task(p, in_order(c, a, at_ms + there_ms), RC_TASK_EFFECT, NULL, index);
}

/* The same last looks that the real executor takes. */
static bool
is_not_taken(struct rc_ctl *c, const struct rc_action *a)
{
    bool power = a->kind == RC_ACT_TERMINATE || a->kind == RC_ACT_STOP || a->kind == RC_ACT_START ||
                 a->kind == RC_ACT_REBOOT || a->kind == RC_ACT_ASSIGN;
    const char *why;
    enum rc_err err = rc_last_look(c->s, a, rc_ctl_core_ms(c), &why);

    if (err != RC_OK && a->kind == RC_ACT_MESSAGE_DELETE) {
        rc_intake_release(c, a->msg);
        return true;
    }
    if (err != RC_OK) {
        rc_exec_complete(c, a, err, why);
        return true;
    }
    if (power) {
        uint32_t slot = rc_instance_find(c->s, a->instance);
        if (!slot || !rc_instance_at(c->s, slot)->ours) {
            rc_exec_complete(c, a, RC_E_FOREIGN, "the instance does not carry our tag");
            return true;
        }
    }
    return false;
}

void
rc_exec_play(struct rc_ctl *c, const struct rc_action *a)
{
    enum side side = side_of(a->kind);

    if (is_not_taken(c, a)) {
        return;
    }
    rc_check_start(c, a);
    if (a->kind == RC_ACT_MESSAGE_DELETE) {
        rc_intake_forget(c, a);
    } else if (a->kind == RC_ACT_LEASE && c->lease_busy) {
        struct rc_event ev;
        rc_event_init(&ev, RC_EV_LEASE);
        ev.u.lease.error = RC_E_STATE; /* one call at a time */
        rc_ctl_post(c, &ev);
    } else if (a->kind == RC_ACT_FAILOVER) {
        rc_heads_ask_standby(c, a);
    } else if (side != SIDE_NONE) {
        send_errand(c, a, side);
    }
}

void
rc_exec_effect(struct rc_play *p, uint32_t index)
{
    struct rc_request *r = p->request[index];
    enum side side = side_of(r->action.kind);
    enum rc_err trouble = r->error;

    if (rc_lease_waits(p, r, index)) {
        return;
    }
    if (side == SIDE_SLURM && !r->lost &&
        (p->now_ms < p->slurm_down_until_ms || rc_heads_down(&p->ctl[r->ctl]))) {
        trouble = RC_E_SLURM_DOWN;
        r->lost = 1;
        r->answer_ms = SLURM_GIVES_UP_MS;
    }
    r->error = RC_OK;
    if (r->sweep || r->action.kind == RC_ACT_LOOK) {
        rc_sweep_snapshot(p, r, r->action.kind == RC_ACT_LOOK ? r->action.instance : NULL);
        for (uint32_t i = 0; r->action.kind == RC_ACT_LOOK && i < r->rows.count; i++) {
            if (r->rows.row[i].kind == RC_EV_INSTANCE) { /* the answer carries what was shown */
                memcpy(r->answer.u.completion.instance, r->action.instance, RC_ID_LEN);
                r->answer.u.completion.launched = r->rows.row[i].u.described;
            }
        }
    } else if (!r->lost) {
        if (side == SIDE_EC2) {
            rc_effect_ec2(p, r);
        } else if (side == SIDE_PAIR) {
            rc_effect_pair(p, r);
        } else if (side == SIDE_SLURM) {
            rc_effect_slurm(p, r);
        } else if (side == SIDE_STORE) {
            rc_effect_store(p, r);
        } else if (side == SIDE_LEASE) {
            rc_effect_lease(p, r);
        }
    }
    if (trouble != RC_OK) {
        r->error = trouble;
    }
    if (r->action.kind != RC_ACT_LEASE && !r->sweep) {
        rc_play_trace(p, "   head%u %llu %s %s %s%s%s", r->ctl + 1,
                      (unsigned long long)r->action.id,
                      rc_action_name((enum rc_action_kind)r->action.kind), r->action.node,
                      rc_err_name(r->error), r->lost ? " (no effect)" : "",
                      r->life == p->ctl[r->ctl].life ? "" : " (its sender is gone)");
    }
    rc_play_task(p, p->now_ms + r->answer_ms, RC_TASK_ANSWER, NULL, index);
}

/* A write pokes the poller, which reads at once, or within its second and after the answer. A
 * gate's answer comes with a look. */
static void
poke_poller(struct rc_ctl *c, const struct rc_request *r)
{
    enum { COALESCED_MS = 1000 };
    uint64_t mix = rc_play_mix(c->p, r->action.id, 43);
    uint32_t node = rc_play_node_index(c->p, r->action.node);

    if (r->action.kind == RC_ACT_GATE || node >= c->p->plan->nodes || mix & 1) {
        rc_poll_node(c, r->action.node, r->action.kind == RC_ACT_GATE);
    } else {
        rc_play_task(c->p, c->p->now_ms + 1 + (int64_t)((mix >> 8) % COALESCED_MS), RC_TASK_POKE, c,
                     node);
    }
}

void
rc_exec_answer(struct rc_play *p, uint32_t index)
{
    struct rc_request *r = p->request[index];
    struct rc_ctl *c = &p->ctl[r->ctl];

    if (r->life == c->life && c->up) {
        if (r->rows.count) {
            rc_sweep_post(c, r);
        }
        if (r->sweep) {
            rc_sweep_end(c, r);
        } else if (r->action.kind == RC_ACT_LEASE) {
            c->lease_busy = 0;
            rc_answer_lease(p, r);
        } else {
            r->answer.u.completion.error = (uint32_t)r->error;
            if (r->error == RC_E_CONDITION) {
                struct rc_event lost;
                rc_stored_refused(&lost, &r->action);
                rc_ctl_post(c, &lost);
            }
            if (side_of(r->action.kind) == SIDE_SLURM) {
                poke_poller(c, r);
            }
            rc_ctl_post(c, &r->answer);
            rc_heads_look_anew(c, &r->action);
        }
    }
    rc_request_free(r);
}
