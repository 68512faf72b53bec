/* fleet_intake.c - from the queue to the core and, when the core says so, out of the
 * queue, as reconciler/io/daemon/intake.c does it. Bodies are decoded events here. */
#include <string.h>

#include "policies/rules.h"
#include "simulator/fleet/fleet_private.h"

enum { RECEIVE_PAUSE_MS = 500, EXTEND_EVERY_MS = 30 * RC_FLEET_SECOND };

struct body {
    uint64_t id;
    struct rc_event part;
};

static void
open_letter(struct rc_fleet *f, const struct rc_sim_sqs_message *m)
{
    struct body body;
    struct rc_event ev;
    struct rc_sim_instance *inst;

    memcpy(&body, m->body, m->len);
    inst = rc_sim_ec2_find(f->ec2, rc_fleet_wall(f), body.part.instance);
    if (inst) { /* it may be late: the next pass must compare again */
        rc_ills_news(f, rc_fleet_slot(f, inst));
    }
    rc_event_init(&ev, RC_EV_MESSAGE);
    ev.msg = f->next_msg++;
    ev.u.message.id_hash = body.id;
    ev.u.message.sent_ms = m->sent_ms;
    ev.u.message.receives = m->receives;
    ev.u.message.parts = 1;
    ev.u.message.verdict = RC_VERDICT_EVENTS;
    ev.u.message.kind = body.part.kind;
    rc_fleet_post(f, &ev);
    body.part.msg = ev.msg;
    rc_fleet_post(f, &body.part);
    struct rc_letter *l = &f->letter[ev.msg % RC_FLEET_MESSAGES];
    f->letters += !l->msg;
    memset(l, 0, sizeof *l);
    l->msg = ev.msg;
    l->received_ms = f->now_ms;
    rc_text_set(l->receipt, sizeof l->receipt, m->handle);
}

void
rc_fleet_receive(struct rc_fleet *f)
{
    struct rc_sim_sqs_message m[RC_SIM_SQS_BATCH_MAX];

    f->receiving = 0;
    if (f->now_ms < f->away_until_ms || !rc_leads(f->s) || f->letters > RC_FLEET_MESSAGES / 2) {
        return;
    }
    uint32_t n = rc_sim_sqs_receive(f->sqs, rc_fleet_wall(f), RC_SIM_SQS_BATCH_MAX, -1, m);
    for (uint32_t i = 0; i < n; i++) {
        open_letter(f, &m[i]);
    }
}

/* Only the leader receives. */
void
rc_fleet_intake(struct rc_fleet *f)
{
    if (f->receiving || f->now_ms < f->away_until_ms || f->letters > RC_FLEET_MESSAGES / 2 ||
        !rc_sim_sqs_counts(f->sqs).visible || !rc_leads(f->s)) {
        return;
    }
    f->receiving = 1;
    rc_due_push(f, f->now_ms + 1 + (int64_t)rc_sim_random_below(&f->latency, RECEIVE_PAUSE_MS),
                RC_DUE_RECEIVE, 0, 0);
}

void
rc_fleet_forget(struct rc_fleet *f, uint64_t msg)
{
    struct rc_letter *l = &f->letter[msg % RC_FLEET_MESSAGES];

    if (l->msg == msg) {
        rc_fleet_check_delete(f, l);
        (void)rc_sim_sqs_delete(f->sqs, rc_fleet_wall(f), l->receipt);
        memset(l, 0, sizeof *l);
        f->letters--;
    }
}

void
rc_fleet_extend(struct rc_fleet *f)
{
    for (uint32_t i = 0; f->letters && i < RC_FLEET_MESSAGES; i++) {
        struct rc_letter *l = &f->letter[i];
        if (l->msg && f->now_ms - l->received_ms > RC_FLEET_VISIBILITY_MS / 2) {
            l->received_ms = f->now_ms;
            (void)rc_sim_sqs_visibility(f->sqs, rc_fleet_wall(f), l->receipt,
                                        RC_FLEET_VISIBILITY_MS);
        }
    }
    rc_due_push(f, f->now_ms + EXTEND_EVERY_MS, RC_DUE_EXTEND, 0, 0);
}
