/* exec_controller.c - fence, start, take over: orders on the two controllers. The
 * executor has asked for the proof once more (core/last_look.c), for the order has waited
 * for the disk.
 *
 * Where the old primary's instance is off, this host first refuses packets to it, so that
 * slurmctld here does not wait for one that cannot answer. That failing is no failure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/core/controller.h"
#include "reconciler/io/daemon/controllers.h"
#include "reconciler/io/daemon/executor.h"

enum { REJECT_ANSWER_MS = 2000 };

static void
on_order_end(void *arg, const struct rc_error *e)
{
    struct rc_errand *errand = arg;
    struct rc_daemon *d = errand->d;
    bool fence = errand->action.kind == RC_ACT_FENCE;
    uint32_t index = errand->action.u.controller.index;

    rc_errand_end(errand, e);
    if (fence) {
        rc_controllers_look_again(d->controllers, index);
    }
}

static void
take_order(struct rc_errand *errand, enum rc_err err)
{
    struct rc_error e;

    if (err != RC_OK) {
        rc_fail(&e, err, "%s",
                err == RC_E_UNREACHABLE ? "the daemon of the other controller does not answer"
                                        : "the order was not taken");
        rc_errand_end(errand, &e);
    }
}

static int64_t
time_left(struct rc_daemon *d, const struct rc_action *a)
{
    int64_t left_ms = a->deadline_ms - rc_daemon_now_ms(d);

    return left_ms > 100 ? left_ms : 100;
}

void
rc_exec_fence(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = d->controllers ? rc_errand_new(d, a) : NULL;
    char words[64];

    (void)snprintf(words, sizeof words, "fence grace=%u", a->u.controller.grace_ms);
    if (errand) {
        take_order(errand, rc_controllers_order(d->controllers, a->u.controller.index, words,
                                                time_left(d, a), on_order_end, errand));
    }
}

static void
make_active(struct rc_errand *errand)
{
    struct rc_daemon *d = errand->d;
    const struct rc_action *a = &errand->action;
    uint32_t index = a->u.controller.index;
    char words[64];

    if (a->kind == RC_ACT_TAKEOVER) {
        take_order(errand, rc_controllers_takeover(d->controllers, index, time_left(d, a),
                                                   on_order_end, errand));
        return;
    }
    (void)snprintf(words, sizeof words, "start restart=%u", a->u.controller.restart);
    take_order(errand, rc_controllers_order(d->controllers, index, words, time_left(d, a),
                                            on_order_end, errand));
}

static void
on_rejected(void *arg, const struct rc_error *e)
{
    struct rc_errand *errand = arg;
    struct rc_daemon *d = errand->d;
    struct rc_error late;
    const char *why;

    if (e->code != RC_OK) {
        rc_log_failure(d->log, "failover", e, NULL);
    }
    enum rc_err err = rc_last_look(d->state, &errand->action, rc_daemon_now_ms(d), &why);
    if (err == RC_OK) {
        make_active(errand);
    } else { /* the proof did not outlast the question */
        rc_fail(&late, err, "%s", why);
        rc_errand_end(errand, &late);
    }
}

/* TAKEOVER and CONTROLLER_START. */
void
rc_exec_make_active(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = d->controllers ? rc_errand_new(d, a) : NULL;
    uint32_t index = a->u.controller.index;

    if (!errand) {
        return;
    }
    if (a->u.controller.proof != RC_PROOF_STOPPED ||
        rc_controllers_reject(d->controllers, 1 - index, REJECT_ANSWER_MS, on_rejected, errand) !=
            RC_OK) {
        make_active(errand);
    }
}

/* Nothing to carry out: the story for people. */
void
rc_exec_failover(struct rc_daemon *d, const struct rc_action *a)
{
    const struct rc_act_controller *c = &a->u.controller;
    char text[RC_PARAGRAPH_LEN];
    bool done = c->phase == RC_FO_WATCH && c->proof;

    if (c->phase != RC_FO_TAKEOVER && !done) {
        return;
    }
    rc_failover_paragraph(a, text, sizeof text);
    memcpy(d->last_move, text, sizeof d->last_move);
    d->last_move_wall_ms = rc_wall_ms();
    rc_log_event(d->log, RC_LOG_WARN, "failover", RC_LOG_DECISION, done ? "done" : "takeover",
                 RC_FIELDS(RC_TEXT("primary", a->node), RC_TEXT("old", c->from),
                           RC_ID("epoch", c->epoch), RC_INT("took_ms", c->took_ms)),
                 "%s", text);
}
