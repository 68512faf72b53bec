/* controller_decide.c - the fail-over of slurmctld: what is missing between "one serves"
 * and what the facts say. One short function a phase, in the order of controller_life.c;
 * those of the fence are in controller_fence.c.
 *
 * Invariant: slurm.takeover and controller.start are sent only while rc_pair_proved()
 * holds; the executor asks again right before. Failure modes: a fence that is refused
 * leaves everything as it is, tells a person once and tries again; it never goes on. */
#include <assert.h>
#include <string.h>

#include "policies/rules.h"
#include "reconciler/core/controller_steps.h"
#include "reconciler/core/text.h"
#include "reconciler/core/turn.h"

enum {
    ROOM_FOR_ONE_FAILOVER = 8,
    PHASES_PER_STEP = 5,
    WANTED_MS = 60 * 1000,
    PATIENT_ASKS = 3 /* so often, each time for longer, one that runs is left to load its state */
};

void
rc_pair_wake_at(struct rc_pair *p, int64_t at_ms)
{
    p->wake_ms = at_ms < p->wake_ms ? at_ms : p->wake_ms;
}

bool
rc_pair_is_time(struct rc_state *s, int64_t at_ms)
{
    if (s->now_ms < at_ms) {
        rc_pair_wake_at(&s->pair, at_ms);
        return false;
    }
    return true;
}

int64_t
rc_pair_wake(const struct rc_state *s)
{
    return s->pair.count && s->policy_loaded ? s->pair.wake_ms : RC_NEVER;
}

static bool
has_controller(uint32_t kind)
{
    return kind == RC_ACT_FAILOVER || kind == RC_ACT_FENCE || kind == RC_ACT_CONTROLLER_START ||
           kind == RC_ACT_TAKEOVER;
}

void
rc_pair_act(const struct rc_state *s, struct rc_action *a, uint32_t kind, uint32_t i,
            int64_t timeout_ms)
{
    rc_action_init(a, (enum rc_action_kind)kind);
    a->deadline_ms = s->now_ms + timeout_ms;
    memcpy(a->node, s->pair.c[i].host, sizeof a->node);
    if (has_controller(kind)) {
        a->u.controller.index = i;
        a->u.controller.epoch = s->lease_epoch;
    }
}

bool
rc_pair_step_to(struct rc_state *s, struct rc_actions *out, enum rc_failover_phase to,
                const char *why)
{
    const struct rc_pair *p = &s->pair;
    struct rc_action a;
    struct rc_act_controller *c = &a.u.controller;

    assert(p->to);
    rc_pair_act(s, &a, RC_ACT_FAILOVER, p->to - 1, 0);
    c->phase = (uint32_t)to;
    c->cause = p->cause;
    c->proof = p->proof;
    c->proof_ms = p->proof ? s->now_ms - p->proof_ms : 0;
    c->took_ms = s->now_ms - p->begun_ms;
    if (p->from) {
        memcpy(c->from, p->c[p->from - 1].host, sizeof c->from);
    }
    rc_put_text(a.text, sizeof a.text, why);
    rc_act_send(s, out, &a);
    return true;
}

/* The first step of one: who is to be active (0-based), and why. */
static bool
begin_with(struct rc_state *s, struct rc_actions *out, enum rc_failover_phase phase, uint32_t to,
           enum rc_failover_cause cause)
{
    struct rc_pair *p = &s->pair;
    struct rc_action a;
    struct rc_act_controller *c = &a.u.controller;

    rc_pair_act(s, &a, RC_ACT_FAILOVER, to, 0);
    c->phase = (uint32_t)phase;
    c->cause = (uint32_t)cause;
    memcpy(c->from, p->c[1 - to].host, sizeof c->from);
    rc_put_text(a.text, sizeof a.text, rc_failover_cause_text((uint32_t)cause));
    rc_act_send(s, out, &a);
    return true;
}

/* Remembers why nothing is done, for people; always false. */
static bool
step_block(struct rc_pair *p, enum rc_failover_block why, int64_t wake_ms)
{
    p->block = (uint32_t)why;
    rc_pair_wake_at(p, wake_ms);
    return false;
}

void
rc_pair_tell(struct rc_state *s, struct rc_actions *out, const char *text)
{
    struct rc_action a;

    if (s->pair.told & 1U << s->pair.phase) {
        return;
    }
    rc_pair_act(s, &a, RC_ACT_TELL, s->pair.to - 1, 0);
    rc_put_text(a.text, sizeof a.text, text);
    rc_act_send(s, out, &a);
}

bool
rc_pair_step_ready(struct rc_state *s)
{
    struct rc_pair *p = &s->pair;
    uint32_t slot = rc_flight_find(s, p->action);

    if (p->action && slot) {
        rc_pair_wake_at(p, rc_flight_at(s, slot)->deadline_ms);
        if (s->now_ms < rc_flight_at(s, slot)->deadline_ms) {
            return false;
        }
        rc_flight_free(s, slot);
    }
    p->action = 0;
    if (s->now_ms < p->next_try_ms) {
        return step_block(p, p->block ? (enum rc_failover_block)p->block : RC_FOB_WAIT,
                          p->next_try_ms);
    }
    return true;
}

bool
rc_pair_phase_over(struct rc_state *s, int64_t timeout_ms)
{
    int64_t end_ms = s->pair.phase_ms + timeout_ms;

    if (s->now_ms < end_ms) {
        rc_pair_wake_at(&s->pair, end_ms);
        return false;
    }
    return true;
}

/* ---- watch ---- */

/* It serves, but cannot keep what it promises. */
static bool
is_ailing(struct rc_state *s, uint32_t i)
{
    int64_t since_ms = s->pair.c[i].ailing_ms;

    return since_ms && rc_pair_is_time(s, since_ms + s->policy.controllers.ailing_ms);
}

/* Worth a move only to one that can. */
static bool
watch_ailing(struct rc_state *s, struct rc_actions *out, uint32_t i)
{
    struct rc_pair *p = &s->pair;

    if (rc_pair_flaps(s)) {
        rc_pair_tell_once(s, out, 1 - i,
                          "the state directory or munge of the primary is not well, and there "
                          "were too many fail-overs in a short time");
        return step_block(p, RC_FOB_LIMIT, RC_NEVER);
    }
    if (rc_pair_usable(s, 1 - i) && p->c[i].link == RC_TOLD_YES) {
        /* What ailed both gets well on one of them first: the other one has its time too. */
        return rc_pair_is_time(s, p->c[1 - i].fine_ms + s->policy.controllers.ailing_ms) &&
               begin_with(s, out, RC_FO_FENCE, 1 - i, RC_CAUSE_AILING);
    }
    rc_pair_tell_once(s, out, 1 - i,
                      "the state directory or munge of the primary is not well, and this "
                      "controller cannot take over");
    return step_block(p, RC_FOB_NO_BACKUP, RC_NEVER);
}

static bool
wants_back(struct rc_state *s)
{
    const struct rc_pair *p = &s->pair;
    char why[RC_TEXT_LEN];

    return s->policy.controllers.swap_back && p->primary == 2 && p->c[0].fine_ms &&
           rc_pair_may(s, 0, why, sizeof why) &&
           rc_pair_is_time(s, p->c[0].fine_ms + s->policy.controllers.swap_back_ms);
}

/* The one that serves is fine; is there any reason to move? */
static bool
watch_serving(struct rc_state *s, struct rc_actions *out, uint32_t i)
{
    struct rc_pair *p = &s->pair;
    char why[RC_TEXT_LEN];

    if (rc_pair_serves(p, 1 - i)) {
        return begin_with(s, out, RC_FO_FENCE, i, RC_CAUSE_TWO);
    }
    if (p->wanted && s->now_ms - p->wanted_ms < WANTED_MS && p->wanted != i + 1 &&
        rc_pair_may(s, p->wanted - 1, why, sizeof why)) {
        return begin_with(s, out, RC_FO_FENCE, p->wanted - 1, RC_CAUSE_OPERATOR);
    }
    if (!s->policy.controllers.automatic) {
        return false;
    }
    if (is_ailing(s, i)) {
        return watch_ailing(s, out, i);
    }
    return wants_back(s) && begin_with(s, out, RC_FO_FENCE, 0, RC_CAUSE_SWAP_BACK);
}

static bool
step_watch(struct rc_state *s, struct rc_actions *out)
{
    struct rc_pair *p = &s->pair;

    if (s->now_ms < p->epoch_ms + RC_PAIR_EYES_MS) { /* what was seen before we led may be over */
        rc_pair_wake_at(p, p->epoch_ms + RC_PAIR_EYES_MS);
        return false;
    }
    if (p->primary && rc_pair_serves(p, p->primary - 1)) {
        return watch_serving(s, out, p->primary - 1);
    }
    if (p->primary && p->c[p->primary - 1].lost_ms) {
        return begin_with(s, out, RC_FO_SUSPECT, 2 - p->primary, RC_CAUSE_SILENT);
    }
    if (!p->primary && p->c[0].lost_ms && p->c[1].lost_ms) {
        return begin_with(s, out, RC_FO_SUSPECT, 1, RC_CAUSE_NOBODY);
    }
    return false;
}

/* ---- suspect ---- */

static bool
is_gone(const struct rc_controller *c)
{
    return c->link == RC_TOLD_YES && c->process == RC_PROC_NONE;
}

bool
rc_pair_is_idle(const struct rc_state *s, uint32_t i)
{
    const struct rc_pair *p = &s->pair;

    return i && i < RC_CONTROLLERS_MAX && rc_pair_usable(s, i) && rc_pair_idle(p, i);
}

static int64_t
confirmed_at(const struct rc_state *s)
{
    const struct rc_pair *p = &s->pair;
    const struct rc_controllers_policy *policy = &s->policy.controllers;

    if (!p->primary) {
        int64_t a = p->c[0].lost_ms, b = p->c[1].lost_ms;
        return (a > b ? a : b) + policy->silent_ms;
    }
    const struct rc_controller *c = &p->c[p->primary - 1];
    bool sure = is_gone(c) || rc_pair_is_idle(s, p->primary - 1);
    return c->lost_ms + (sure ? policy->gone_ms : policy->silent_ms);
}

static enum rc_failover_cause
cause_of(const struct rc_pair *p)
{
    if (!p->primary) {
        return RC_CAUSE_NOBODY;
    }
    return is_gone(&p->c[p->primary - 1]) ? RC_CAUSE_GONE : RC_CAUSE_SILENT;
}

/* Who is to be active: one that is standby already, the other one, the same one again. */
static uint32_t
choose(const struct rc_state *s)
{
    const struct rc_pair *p = &s->pair;
    uint32_t old = p->primary ? p->primary - 1 : RC_CONTROLLERS_MAX;

    if (old < RC_CONTROLLERS_MAX && rc_pair_is_idle(s, old)) {
        return old;
    }
    if (old < RC_CONTROLLERS_MAX) {
        bool other = rc_pair_usable(s, 1 - old) && !rc_pair_flaps(s);
        bool same = rc_pair_usable(s, old) && p->c[old].link == RC_TOLD_YES;
        return other ? 1 - old : same ? old : RC_CONTROLLERS_MAX;
    }
    /* Perhaps the leader before us asked it already, so it is fenced before the first one starts;
     * where its own host cannot do that, it is made active rather than forced off. */
    if (rc_pair_is_idle(s, 1) && p->c[1].link != RC_TOLD_YES) {
        return 1;
    }
    return rc_pair_usable(s, 0) ? 0U : rc_pair_usable(s, 1) ? 1U : RC_CONTROLLERS_MAX;
}

static bool
step_suspect(struct rc_state *s, struct rc_actions *out)
{
    struct rc_pair *p = &s->pair;

    if (rc_pair_serves(p, 0) || rc_pair_serves(p, 1)) {
        return rc_pair_step_to(s, out, RC_FO_WATCH, "one serves");
    }
    if (!rc_pair_is_time(s, confirmed_at(s))) {
        return false;
    }
    if (!s->policy.controllers.automatic) {
        return step_block(p, RC_FOB_OFF, RC_NEVER);
    }
    uint32_t to = choose(s);
    if (to >= RC_CONTROLLERS_MAX) {
        bool limit = p->primary && rc_pair_usable(s, 2 - p->primary);
        rc_pair_tell(s, out,
                     limit ? "no slurmctld serves, and there were too many fail-overs"
                           : "no slurmctld serves, and none can be made active");
        return step_block(p, limit ? RC_FOB_LIMIT : RC_FOB_NO_BACKUP, RC_NEVER);
    }
    if (p->primary == to + 1 && rc_pair_flaps(s)) {
        rc_pair_tell(s, out, "too many fail-overs in a short time: slurmctld stays where it was");
    }
    return begin_with(s, out, RC_FO_FENCE, to, cause_of(p));
}

/* ---- take over, verify ---- */

static bool
is_standby_now(const struct rc_controller *c)
{
    return c->mode[RC_EYE_OWN] == RC_CTL_STANDBY || c->mode[RC_EYE_PEER] == RC_CTL_STANDBY;
}

/* It was asked already, runs, and says nothing: it loads its state, as far as can be known. */
static bool
is_loading(const struct rc_pair *p)
{
    const struct rc_controller *c = &p->c[p->to - 1];

    return p->asked && c->process == RC_PROC_RUNS && !is_standby_now(c);
}

/* One that hangs there is ended first; a standby that only starts is left alone, and so is one
 * that may only be slow: ended each time, it would never get there. */
static bool
must_end_first(const struct rc_state *s)
{
    const struct rc_pair *p = &s->pair;
    const struct rc_controller *c = &p->c[p->to - 1];

    return !is_standby_now(c) && c->process != RC_PROC_NONE &&
           c->lost_ms + s->policy.controllers.silent_ms <= s->now_ms &&
           !(is_loading(p) && p->asked < PATIENT_ASKS);
}

static void
send_takeover(struct rc_state *s, struct rc_actions *out)
{
    struct rc_pair *p = &s->pair;
    uint32_t to = p->to - 1;
    bool is_up = p->c[to].process != RC_PROC_NONE && to > 0;
    struct rc_action a;

    if (is_loading(p)) {
        rc_pair_tell(s, out,
                     "slurmctld runs there and does not serve: it may take long to load its "
                     "state, and is given more time; look at its log");
    }
    rc_pair_act(s, &a,
                is_up && is_standby_now(&p->c[to]) ? RC_ACT_TAKEOVER : RC_ACT_CONTROLLER_START, to,
                s->policy.controllers.takeover_ms);
    a.u.controller.restart = must_end_first(s);
    memcpy(a.u.controller.from, p->c[p->from - 1].host, RC_NODE_LEN);
    a.u.controller.proof = p->proof;
    rc_put_text(a.text, sizeof a.text, rc_proof_text(p->proof));
    rc_act_send(s, out, &a);
}

static bool
step_take_over(struct rc_state *s, struct rc_actions *out)
{
    struct rc_pair *p = &s->pair;

    if (rc_pair_serves(p, p->to - 1)) {
        return rc_pair_step_to(s, out, RC_FO_WATCH, "the new one serves");
    }
    if (!rc_pair_proved(s)) {
        return rc_pair_step_to(s, out, RC_FO_FENCE, "the proof does not hold any more");
    }
    if (!rc_pair_usable(s, p->to - 1) && !p->action) {
        return rc_pair_step_to(s, out, RC_FO_SUSPECT, "the one that was to take over cannot");
    }
    bool active = p->action_kind == RC_ACT_TAKEOVER || p->to == 1;
    bool waits = !p->action && is_loading(p) && s->now_ms < p->patient_ms;
    if ((p->accepted || waits) && active) {
        return rc_pair_step_to(s, out, RC_FO_VERIFY, "accepted");
    }
    if ((p->accepted || waits) && p->c[p->to - 1].mode[RC_EYE_OWN] != RC_CTL_STANDBY &&
        s->now_ms < p->patient_ms) {
        rc_pair_wake_at(p, p->patient_ms);
        return false; /* it starts; the request follows when it says that it is standby */
    }
    if (rc_pair_step_ready(s)) {
        send_takeover(s, out);
    }
    return false;
}

static bool
step_verify(struct rc_state *s, struct rc_actions *out)
{
    struct rc_pair *p = &s->pair;
    int64_t wait_ms =
        is_loading(p) ? p->patient_ms - p->phase_ms : s->policy.controllers.takeover_ms;

    if (rc_pair_serves(p, p->to - 1)) {
        return rc_pair_step_to(s, out, RC_FO_WATCH, "the new one serves");
    }
    if (!rc_pair_proved(s)) {
        return rc_pair_step_to(s, out, RC_FO_FENCE, "the proof does not hold any more");
    }
    return rc_pair_phase_over(s, wait_ms) &&
           rc_pair_step_to(s, out, RC_FO_TAKEOVER, "it does not serve in time: once more");
}

typedef bool(failover_phase_fn)(struct rc_state *s, struct rc_actions *out);
static failover_phase_fn *const failover_fns[RC_FO__MAX] = {
    [RC_FO_WATCH] = step_watch,         [RC_FO_SUSPECT] = step_suspect,
    [RC_FO_FENCE] = rc_pair_step_fence, [RC_FO_STOP] = rc_pair_step_stop,
    [RC_FO_TAKEOVER] = step_take_over,  [RC_FO_VERIFY] = step_verify,
};

void
rc_pair_decide(struct rc_state *s, struct rc_actions *out)
{
    struct rc_pair *p = &s->pair;

    if (p->count < RC_CONTROLLERS_MAX || !s->policy_loaded) {
        return;
    }
    p->wake_ms = RC_NEVER;
    p->block = RC_FOB_NONE;
    if (!rc_leads(s)) {
        return;
    }
    if (s->paused) {
        p->block = RC_FOB_PAUSED;
        return;
    }
    for (unsigned i = 0; i < PHASES_PER_STEP; i++) {
        if (out->count + ROOM_FOR_ONE_FAILOVER > RC_ACTIONS_MAX) {
            break;
        }
        if (!failover_fns[p->phase](s, out)) {
            if (p->phase == RC_FO_WATCH) {
                rc_pair_recover(s, out);
            }
            return;
        }
    }
    rc_pair_wake_at(p, s->now_ms); /* more to go: at once, in the next step */
}
