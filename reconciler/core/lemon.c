/* lemon.c - see lemon.h. */
#include "reconciler/core/lemon.h"

#include <string.h>

#include "reconciler/core/node_history.h"
#include "reconciler/core/serial.h"
#include "reconciler/core/text.h"
#include "reconciler/core/timers.h"

#define DAY_MS INT64_C(86400000)

enum { RATE_OF = 10, RUNS_MIN = 10 };

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static uint32_t
digit_value(char c)
{
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (uint32_t)(at - digits) : 0;
}

bool
rc_fault_is_hardware(uint32_t fault)
{
    return (fault >= RC_FAULT_THERMAL && fault <= RC_FAULT_KNOWN_BAD && fault != RC_FAULT_DISK) ||
           fault == RC_FAULT_INSTANCE_IMPAIRED || fault == RC_FAULT_SYSTEM_IMPAIRED;
}

/* The first digit is today's; older ones fall out at the end. */
static void
shift_days(struct rc_lemon *l, int64_t today)
{
    int64_t days = today - l->day;

    if (!l->day || days < 0 || days >= RC_LEMON_DAYS) {
        bool keep = l->day && days < 0; /* a clock that went back */
        for (uint32_t m = 0; !keep && m < RC_MARK__MAX; m++) {
            memset(l->mark[m], 0, sizeof l->mark[m]);
            memset(l->mark[m], '0', RC_LEMON_DAYS);
        }
        l->day = keep ? l->day : today;
        return;
    }
    for (uint32_t m = 0; days && m < RC_MARK__MAX; m++) {
        memmove(l->mark[m] + days, l->mark[m], (size_t)(RC_LEMON_DAYS - days));
        memset(l->mark[m], '0', (size_t)days);
    }
    l->day = today;
}

/* Jobs begin all day: the store is told of a day's first, with all of the day before, and at 8,
 * 16, 32 of them; of everything else at once. */
static bool
is_worth_writing(enum rc_mark mark, uint32_t value)
{
    return mark != RC_MARK_RUNS || value == 1 || (value >= 8 && (value & (value - 1)) == 0);
}

void
rc_lemon_mark(struct rc_state *s, uint32_t node, enum rc_mark mark)
{
    struct rc_lemon *l = &rc_health_at(s, node)->lemon;

    shift_days(l, s->now_wall_ms / DAY_MS);
    uint32_t value = digit_value(l->mark[mark][0]);
    value += value + 2 < sizeof digits;
    l->mark[mark][0] = digits[value];
    if (is_worth_writing(mark, value)) {
        rc_history_dirty(s, node);
    }
}

static uint32_t
marks_within(const struct rc_state *s, const struct rc_lemon *l, enum rc_mark mark)
{
    int64_t today = s->now_wall_ms / DAY_MS, window = s->policy.lemon.within_ms / DAY_MS;
    uint32_t sum = 0;

    for (int64_t i = 0; l->day && i < RC_LEMON_DAYS; i++) {
        bool in = today - (l->day - i) < window;
        sum += in ? digit_value(l->mark[mark][i]) : 0U;
    }
    return sum;
}

/* Tenths of the jobs on this node alone that it lost. One of one says little: at least so
 * many are taken to have run. */
static uint32_t
failure_rate(const struct rc_state *s, const struct rc_lemon *l)
{
    uint32_t lost = marks_within(s, l, RC_MARK_SINGLE), runs = marks_within(s, l, RC_MARK_RUNS);

    runs = runs > lost ? runs : lost;
    return RATE_OF * lost / (runs > RUNS_MIN ? runs : RUNS_MIN);
}

uint32_t
rc_lemon_score(const struct rc_state *s, uint32_t node, bool with_name)
{
    const struct rc_lemon *l = &rc_health_at(s, node)->lemon;
    uint32_t score = s->policy.lemon.weight[RC_MARK_RUNS] * failure_rate(s, l);

    for (uint32_t m = 0; m < RC_MARK__MAX; m++) {
        if (m != RC_MARK_RUNS && (with_name || m != RC_MARK_REPLACED)) {
            score += s->policy.lemon.weight[m] * marks_within(s, l, (enum rc_mark)m);
        }
    }
    return score;
}

void
rc_lemon_lost(struct rc_state *s, uint32_t node, const struct rc_node_job *jobs)
{
    for (uint32_t i = 0; i < RC_NODE_JOBS_MAX && jobs[i].id; i++) {
        rc_lemon_mark(s, node, jobs[i].nodes > 1 ? RC_MARK_MULTI : RC_MARK_SINGLE);
    }
}

void
rc_lemon_excluded(struct rc_state *s, uint32_t node, const uint32_t *jobs, bool count)
{
    struct rc_health *h = rc_health_at(s, node);
    const uint32_t room = sizeof h->excluder / sizeof h->excluder[0];

    for (uint32_t i = 0; i < RC_NODE_EXCLUDERS_MAX && jobs[i]; i++) {
        bool known = false;
        for (uint32_t k = 0; k < room; k++) {
            known |= h->excluder[k] == jobs[i];
        }
        if (known) {
            continue;
        }
        h->excluder[h->excluder_count++ % room] = jobs[i];
        if (count) {
            rc_lemon_mark(s, node, RC_MARK_EXCLUDED);
        }
    }
}

static bool
is_among(const struct rc_node_job *jobs, uint32_t id)
{
    for (uint32_t i = 0; i < RC_NODE_JOBS_MAX && jobs[i].id; i++) {
        if (jobs[i].id == id) {
            return true;
        }
    }
    return false;
}

void
rc_lemon_began(struct rc_state *s, uint32_t node, const struct rc_node_job *jobs,
               const struct rc_node_job *before)
{
    for (uint32_t i = 0; i < RC_NODE_JOBS_MAX && jobs[i].id; i++) {
        if (jobs[i].nodes == 1 && !is_among(before, jobs[i].id)) {
            rc_lemon_mark(s, node, RC_MARK_RUNS);
        }
    }
}

static void
remember_bad(struct rc_state *s, const struct rc_known_host *host)
{
    for (uint32_t i = 0; i < RC_BAD_HOSTS_MAX; i++) {
        if (strcmp(s->bad_host[i].serials, host->serials) == 0) {
            return;
        }
    }
    s->bad_host[s->bad_hosts++ % RC_BAD_HOSTS_MAX] = *host;
}

/* Its own earlier life under the same id (after a power-cycle) is the gate's to judge. */
static const struct rc_known_host *
known_bad(const struct rc_state *s, const char *serials, const char *instance)
{
    for (uint32_t i = 0; *serials && i < RC_BAD_HOSTS_MAX; i++) {
        const struct rc_known_host *b = &s->bad_host[i];
        if (*b->serials && strcmp(b->instance, instance) != 0 &&
            rc_serials_meet(b->serials, serials)) {
            return b;
        }
    }
    return NULL;
}

static void
begin_anew(struct rc_state *s, uint32_t node)
{
    struct rc_health *h = rc_health_at(s, node);

    for (uint32_t m = 0; m < RC_MARK__MAX; m++) {
        if (m != RC_MARK_REPLACED && h->lemon.day) {
            memset(h->lemon.mark[m], '0', RC_LEMON_DAYS);
        }
    }
    memset(h->lemon.serials, 0, sizeof h->lemon.serials);
    h->marked_wall_ms = 0;
    memset(h->same_as, 0, sizeof h->same_as);
    memset(h->suspect, 0, sizeof h->suspect);
    h->suspect_count = 0;
    rc_history_dirty(s, node);
}

void
rc_lemon_serials(struct rc_state *s, uint32_t node, const char *told)
{
    struct rc_health *h = rc_health_at(s, node);
    const struct rc_node *n = rc_node_at(s, node);
    const char *instance = n->instance ? rc_instance_at(s, n->instance)->id : "";
    char serials[RC_SERIALS_LEN];

    rc_serials_keep_real(serials, told);
    if (!*serials) {
        return;
    }
    if (*h->lemon.serials && !rc_serials_meet(h->lemon.serials, serials)) {
        begin_anew(s, node); /* stopped and started on another host */
    }
    if (strcmp(h->lemon.serials, serials) != 0) {
        rc_text_set(h->lemon.serials, sizeof h->lemon.serials, serials);
        rc_history_dirty(s, node);
    }
    /* Also when they are known: a successor has them from the store, not the judgement. */
    const struct rc_known_host *bad = known_bad(s, serials, instance);
    memset(h->same_as, 0, sizeof h->same_as);
    if (bad) {
        memcpy(h->same_as, bad->instance, sizeof h->same_as);
        rc_node_at(s, node)->unwell = 1;
    }
    rc_touch(s, node);
}

void
rc_lemon_another_host(struct rc_state *s, uint32_t node)
{
    const struct rc_node *n = rc_node_at(s, node);
    const struct rc_incident *inc = n->incident ? rc_incident_at(s, n->incident) : NULL;

    bool bad = inc && rc_fault_is_hardware(inc->fault);

    if (bad) {
        rc_lemon_bad_host(s, node, rc_instance_at(s, n->instance)->id);
    }
    begin_anew(s, node);
    if (bad) {
        rc_lemon_mark(s, node, RC_MARK_REPLACED);
    }
}

void
rc_lemon_bad_host(struct rc_state *s, uint32_t node, const char *instance)
{
    struct rc_lemon *l = &rc_health_at(s, node)->lemon;
    struct rc_known_host host;

    if (!*l->serials || strcmp(l->bad[0].serials, l->serials) == 0) {
        return;
    }
    memset(&host, 0, sizeof host);
    rc_text_set(host.instance, sizeof host.instance, instance);
    memcpy(host.serials, l->serials, sizeof host.serials);
    memmove(&l->bad[1], &l->bad[0], sizeof l->bad - sizeof l->bad[0]);
    l->bad[0] = host;
    remember_bad(s, &host);
    rc_history_dirty(s, node);
}

void
rc_lemon_take(struct rc_state *s, uint32_t node, const struct rc_lemon *past)
{
    struct rc_health *h = rc_health_at(s, node);

    h->lemon = *past;
    /* Written by a release that took "0" for a serial number: every host would be that bad one. */
    rc_serials_keep_real(h->lemon.serials, past->serials);
    for (uint32_t i = 0; i < RC_NODE_BAD_HOSTS; i++) {
        rc_serials_keep_real(h->lemon.bad[i].serials, past->bad[i].serials);
    }
    for (uint32_t m = 0; m < RC_MARK__MAX && h->lemon.day; m++) {
        if (!*past->mark[m]) { /* written by a release that did not count this */
            memset(h->lemon.mark[m], '0', RC_LEMON_DAYS);
        }
    }
    for (uint32_t i = RC_NODE_BAD_HOSTS; i-- > 0;) {
        if (*h->lemon.bad[i].serials) {
            remember_bad(s, &h->lemon.bad[i]);
        }
    }
}

/* ---- in a node's turn ---- */

void
rc_turn_case(struct rc_turn *t, const char *why)
{
    const struct rc_health *h = rc_health_at(t->s, t->node);
    struct rc_incident *inc = t->inc;
    struct rc_action a;
    struct rc_act_case *c = &a.u.support;

    if (inc->flags & RC_INC_CASE || inc->evidence_action) {
        return;
    }
    rc_act_init(t, &a, RC_ACT_SUPPORT_CASE, t->s->policy.timeouts.gate_ms);
    if (t->n->instance) {
        memcpy(a.instance, rc_instance_at(t->s, t->n->instance)->id, sizeof a.instance);
    }
    rc_put_text(a.text, sizeof a.text, why);
    c->first_wall_ms = inc->opened_wall_ms;
    c->fault = inc->fault;
    c->attempts = inc->attempt;
    memcpy(c->code, inc->code, sizeof c->code);
    memcpy(c->boot, h->boot, sizeof c->boot);
    memcpy(c->serials, h->lemon.serials, sizeof c->serials);
    memcpy(c->before, h->same_as, sizeof c->before);
    for (uint32_t i = 0; i < h->told_count; i++) {
        if (h->told[i].fault == inc->fault) {
            memcpy(c->device, h->told[i].f.device, sizeof c->device);
            break;
        }
    }
    rc_act_send(t->s, t->out, &a);
}

uint32_t
rc_turn_lemon_rung(const struct rc_turn *t)
{
    const struct rc_incident *inc = t->inc;
    uint32_t faster = t->s->policy.lemon.faster, at = inc->rung;
    const struct rc_rule *r = &inc->rule;
    bool stays = r->rung[at].kind == RC_RUNG_GPU_RESET || r->rung[at].kind == RC_RUNG_REBOOT;

    if (!faster || at >= r->rung_count || !stays || !rc_fault_is_hardware(inc->fault) ||
        rc_lemon_score(t->s, t->node, false) < faster) {
        return inc->rung;
    }
    while (at < r->rung_count &&
           (r->rung[at].kind == RC_RUNG_GPU_RESET || r->rung[at].kind == RC_RUNG_REBOOT)) {
        at++;
    }
    return at < r->rung_count ? at : inc->rung;
}
