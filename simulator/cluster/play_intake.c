/* play_intake.c - from the queue to the core and, when the core says so, out of the
 * queue, as reconciler/io/daemon/intake.c does it. Bodies are decoded events here. */
#include <string.h>

#include "policies/rules.h"
#include "simulator/check.h"
#include "simulator/cluster/play_private.h"

enum { RECEIVE_PAUSE_MS = 1000, EXTEND_EVERY_MS = 30000 };

struct body {
    uint64_t id_hash;
    uint32_t verdict;
    struct rc_event part;
};

void
rc_intake_start(struct rc_ctl *c)
{
    for (uint32_t i = 0; i < RC_PLAY_MESSAGES; i++) {
        c->held[i].msg = 0;
    }
    c->held_count = 0;
    c->intake_runs = c->receiving = c->extending = 0;
    c->next_msg = c->s->message_last + 1;
}

static void
intake_message(struct rc_ctl *c, const struct rc_sim_sqs_message *m)
{
    struct body body;
    struct rc_event ev;

    memcpy(&body, m->body, m->len);
    rc_event_init(&ev, RC_EV_MESSAGE);
    ev.msg = c->next_msg++;
    ev.u.message.id_hash = body.id_hash;
    ev.u.message.sent_ms = m->sent_ms;
    ev.u.message.receives = m->receives;
    ev.u.message.parts = body.verdict == RC_VERDICT_EVENTS;
    ev.u.message.verdict = body.verdict;
    ev.u.message.kind = ev.u.message.parts ? body.part.kind : 0;
    rc_ctl_post(c, &ev);
    if (ev.u.message.parts) {
        body.part.msg = ev.msg;
        rc_ctl_post(c, &body.part);
    }
    struct rc_held *h = &c->held[ev.msg % RC_PLAY_MESSAGES];
    c->held_count += !h->msg;
    memset(h, 0, sizeof *h);
    h->msg = ev.msg;
    h->received_ms = c->p->now_ms;
    rc_text_set(h->receipt, sizeof h->receipt, m->handle);
    if (!c->extending) {
        c->extending = 1;
        rc_play_task(c->p, c->p->now_ms + EXTEND_EVERY_MS, RC_TASK_EXTEND, c, 0);
    }
}

void
rc_intake_receive(struct rc_ctl *c)
{
    struct rc_sim_sqs_message m[RC_SIM_SQS_BATCH_MAX];

    c->receiving = 0;
    if (!c->intake_runs || c->stuck || c->held_count > RC_PLAY_MESSAGES / 2) {
        return;
    }
    uint32_t n = rc_sim_sqs_receive(c->p->sqs, rc_play_wall(c->p), RC_SIM_SQS_BATCH_MAX, -1, m);
    for (uint32_t i = 0; i < n; i++) {
        intake_message(c, &m[i]);
    }
}

/* Only the leader receives. */
void
rc_intake_play(struct rc_ctl *c)
{
    c->intake_runs = rc_leads(c->s) && c->s->lease_until_ms > rc_ctl_core_ms(c);
    if (c->intake_runs && !c->receiving && !c->stuck && c->held_count <= RC_PLAY_MESSAGES / 2 &&
        rc_sim_sqs_counts(c->p->sqs).visible) {
        c->receiving = 1;
        rc_play_task(c->p,
                     c->p->now_ms + 1 +
                         rc_play_latency(c->p, (uint64_t)c->p->now_ms, 3) % RECEIVE_PAUSE_MS,
                     RC_TASK_RECEIVE, c, 0);
    }
}

void
rc_intake_forget(struct rc_ctl *c, const struct rc_action *a)
{
    struct rc_held *h = &c->held[a->msg % RC_PLAY_MESSAGES];

    if (h->msg != a->msg) {
        return; /* of an earlier life: nothing is held for it */
    }
    rc_check_delete(c, h);
    (void)rc_sim_sqs_delete(c->p->sqs, rc_play_wall(c->p), h->receipt);
    memset(h, 0, sizeof *h);
    c->held_count--;
}

void
rc_intake_release(struct rc_ctl *c, uint64_t msg)
{
    struct rc_held *h = &c->held[msg % RC_PLAY_MESSAGES];

    if (h->msg == msg) {
        memset(h, 0, sizeof *h);
        c->held_count--;
    }
}

void
rc_intake_extend(struct rc_ctl *c)
{
    for (uint32_t i = 0; c->intake_runs && c->held_count && i < RC_PLAY_MESSAGES; i++) {
        struct rc_held *h = &c->held[i];
        if (h->msg && c->p->now_ms - h->received_ms > RC_PLAY_VISIBILITY_MS / 2) {
            h->received_ms = c->p->now_ms;
            (void)rc_sim_sqs_visibility(c->p->sqs, rc_play_wall(c->p), h->receipt,
                                        RC_PLAY_VISIBILITY_MS);
        }
    }
    c->extending = c->held_count > 0;
    if (c->extending) {
        rc_play_task(c->p, c->p->now_ms + EXTEND_EVERY_MS, RC_TASK_EXTEND, c, 0);
    }
}

/* A notice leaves AWS: while there are faults it may get lost, come twice, or come late. */
void
rc_play_notice(struct rc_play *p, const struct rc_event *ev, enum rc_verdict verdict)
{
    struct body body;
    uint64_t n = ++p->notices, mix = rc_play_mix(p, n, 11);
    size_t len = offsetof(struct body, part);
    unsigned copies = !p->quiet && mix % 1000 < p->plan->doubled_permille ? 2 : 1;

    body.id_hash = rc_play_mix(p, n, 12) | 1;
    body.verdict = (uint32_t)verdict;
    if (ev) {
        rc_event_copy(&body.part, ev);
        len += rc_event_bytes(ev);
    }
    if (!p->quiet && (mix >> 12) % 1000 < p->plan->lost_permille) {
        return;
    }
    for (unsigned i = 0; i < copies; i++) {
        uint64_t late = rc_play_mix(p, n, 13 + i);
        int64_t delay_ms = 200 + (int64_t)(late % 2000);
        if (!p->quiet && (late >> 20) % 1000 < p->plan->late_permille) {
            delay_ms += (int64_t)((late >> 32) % (p->plan->late_ms + 1));
        }
        (void)rc_sim_sqs_send(p->sqs, rc_play_wall(p), (const char *)&body, len, delay_ms, NULL);
    }
}
