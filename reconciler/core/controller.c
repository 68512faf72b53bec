/* controller.c - what the facts say of the two controllers; see controller.h. Questions,
 * and the folding of facts; nothing here decides. */
#include "reconciler/core/controller.h"

#include <string.h>

#include "policies/rules.h"
#include "reconciler/core/text.h"

enum { PROOF_MS = 60 * 1000 };

uint32_t
rc_pair_find(const struct rc_pair *p, const char *host)
{
    for (uint32_t i = 0; i < p->count && *host; i++) {
        if (strcmp(p->c[i].host, host) == 0) {
            return i;
        }
    }
    return RC_CONTROLLERS_MAX;
}

/* Its own host says so; an eye that saw it serve was before. */
static bool
is_known_gone(const struct rc_pair *p, uint32_t i)
{
    return p->c[i].link == RC_TOLD_YES && p->c[i].process == RC_PROC_NONE;
}

bool
rc_pair_serves(const struct rc_pair *p, uint32_t i)
{
    if (is_known_gone(p, i)) {
        return false;
    }
    return p->c[i].mode[RC_EYE_OWN] == RC_CTL_PRIMARY ||
           p->c[i].mode[RC_EYE_PEER] == RC_CTL_PRIMARY;
}

/* Unknown is no silence: an eye that could not ask tells nothing. */
bool
rc_pair_is_silent(const struct rc_pair *p, uint32_t i)
{
    const uint32_t *mode = p->c[i].mode;

    return is_known_gone(p, i) ||
           (!rc_pair_serves(p, i) && (mode[RC_EYE_OWN] || mode[RC_EYE_PEER]));
}

static bool
is_standby(const struct rc_pair *p, uint32_t i)
{
    return !rc_pair_serves(p, i) && (p->c[i].mode[RC_EYE_OWN] == RC_CTL_STANDBY ||
                                     p->c[i].mode[RC_EYE_PEER] == RC_CTL_STANDBY);
}

bool
rc_pair_well(const struct rc_pair *p, uint32_t i)
{
    const struct rc_controller *c = &p->c[i];

    return (c->dir == RC_DIR_UNKNOWN || c->dir == RC_DIR_OK) && c->munge != RC_TOLD_NO;
}

uint32_t
rc_pair_instances(const struct rc_state *s, uint32_t i)
{
    uint32_t node = rc_node_find(s, s->pair.c[i].host);

    return node ? rc_node_at(s, node)->instances : 0;
}

/* EC2 turns it off, by our hand or somebody's: soon it serves nobody. */
static bool
is_ending(const struct rc_state *s, uint32_t i)
{
    uint32_t slot = rc_pair_instances(s, i);

    for (uint32_t at = slot; at; at = rc_instance_at(s, at)->next_of_node) {
        uint32_t state = rc_instance_at(s, at)->state;
        if (state == RC_INST_RUNNING || state == RC_INST_PENDING || state == RC_INST_UNKNOWN) {
            return false;
        }
    }
    return slot != 0;
}

/* The first one must be started, which only its daemon can do; a standby needs a request. */
bool
rc_pair_usable(const struct rc_state *s, uint32_t i)
{
    const struct rc_pair *p = &s->pair;
    const struct rc_controller *c = &p->c[i];
    bool can_start = c->link == RC_TOLD_YES && c->process != RC_PROC_UNKNOWN;

    return rc_pair_well(p, i) && !is_ending(s, i) && (can_start || (i > 0 && is_standby(p, i)));
}

const char *
rc_pair_unusable_text(const struct rc_state *s, uint32_t i)
{
    const struct rc_controller *c = &s->pair.c[i];

    if (rc_pair_usable(s, i)) {
        return NULL;
    }
    if (c->munge == RC_TOLD_NO) {
        return "its munged does not answer";
    }
    switch ((enum rc_ctl_dir)c->dir) {
    case RC_DIR_FULL:
        return "its state directory is full";
    case RC_DIR_READ_ONLY:
        return "its state directory takes no write";
    case RC_DIR_HANGS:
        return "its state directory hangs";
    case RC_DIR_MISSING:
        return "its state directory is not there, or not mounted";
    case RC_DIR_UNKNOWN:
    case RC_DIR_OK:
    case RC_DIR__MAX:
        break;
    }
    return is_ending(s, i) ? "its instance is off, or being turned off"
                           : "neither its daemon nor its slurmctld answers";
}

bool
rc_pair_idle(const struct rc_pair *p, uint32_t i)
{
    return p->c[i].mode[RC_EYE_OWN] == RC_CTL_STANDBY && p->c[i].mode_ms[RC_EYE_OWN] >= p->epoch_ms;
}

bool
rc_pair_eye_agrees(const struct rc_pair *p, uint32_t i, uint32_t proof)
{
    const struct rc_controller *c = &p->c[i];
    uint32_t own = c->mode[RC_EYE_OWN];

    if (c->mode[RC_EYE_PEER] == RC_CTL_PRIMARY) {
        return false;
    }
    switch ((enum rc_proof)proof) {
    case RC_PROOF_PROCESS:
        return own == RC_CTL_REFUSED || own == RC_CTL_UNREACHABLE;
    case RC_PROOF_STOPPED:
        return own == RC_CTL_REFUSED || own == RC_CTL_UNREACHABLE || own == RC_CTL_UNKNOWN;
    case RC_PROOF_STANDBY:
        return rc_pair_idle(p, i);
    case RC_PROOF_NONE:
    case RC_PROOF__MAX:
        break;
    }
    return false;
}

bool
rc_pair_proved(const struct rc_state *s)
{
    const struct rc_pair *p = &s->pair;

    return p->from && p->proof && p->proof_epoch == s->lease_epoch &&
           s->now_ms - p->proof_ms <= PROOF_MS && rc_pair_eye_agrees(p, p->from - 1, p->proof);
}

bool
rc_pair_flaps(const struct rc_state *s)
{
    const struct rc_pair *p = &s->pair;
    const struct rc_controllers_policy *c = &s->policy.controllers;
    uint32_t max = c->failovers_max < RC_TAKEOVERS_MAX ? c->failovers_max : RC_TAKEOVERS_MAX;

    if (!max || p->done_count < max) {
        return false;
    }
    int64_t oldest_ms = p->done_ms[(p->done_count - max) % RC_TAKEOVERS_MAX];
    return s->now_ms - oldest_ms < c->failovers_window_ms;
}

bool
rc_pair_may(const struct rc_state *s, uint32_t to, char *why, uint32_t room)
{
    const struct rc_pair *p = &s->pair;
    const char *reason = NULL;

    memset(why, 0, room);
    if (to >= p->count || p->count < 2) {
        reason = "no such controller, or fail-over is not configured";
    } else if (!rc_leads(s)) {
        reason = "this daemon does not lead";
    } else if (s->paused) {
        reason = "the daemon is paused";
    } else if (p->phase != RC_FO_WATCH) {
        reason = "a fail-over is under way already";
    } else if (rc_pair_serves(p, to)) {
        reason = "it is the primary already";
    } else if (!rc_pair_usable(s, to)) {
        reason = rc_pair_unusable_text(s, to);
    } else if (p->c[1 - to].link != RC_TOLD_YES) {
        reason = "the daemon of the present primary does not answer: it cannot be fenced";
    }
    rc_put_text(why, room, reason ? reason : "");
    return !reason;
}

/* ---- fold ---- */

void
rc_pair_configure(struct rc_state *s)
{
    struct rc_pair *p = &s->pair;
    uint32_t count = s->cluster.controller_count == RC_CONTROLLERS_MAX ? RC_CONTROLLERS_MAX : 0;
    bool same = p->count == count;

    for (uint32_t i = 0; i < count; i++) {
        same = same && strcmp(p->c[i].host, s->cluster.controller[i].host) == 0;
    }
    if (same) {
        return;
    }
    memset(p, 0, sizeof *p);
    p->count = count;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(p->c[i].host, s->cluster.controller[i].host, sizeof p->c[i].host);
    }
}

/* A fact that speaks against the proof voids it: whoever was dead is not. */
static void
doubt(struct rc_pair *p, uint32_t i)
{
    const struct rc_controller *c = &p->c[i];
    bool lives =
        c->process == RC_PROC_RUNS || c->process == RC_PROC_STOPPED || c->process == RC_PROC_STUCK;

    if (!p->proof || p->from != i + 1) {
        return;
    }
    if (rc_pair_serves(p, i) || (p->proof != RC_PROOF_STANDBY && lives) ||
        (p->proof == RC_PROOF_PROCESS && c->fenced == RC_TOLD_NO) ||
        (p->proof == RC_PROOF_STOPPED && c->link == RC_TOLD_YES)) {
        p->proof = RC_PROOF_NONE;
    }
}

void
rc_pair_see(struct rc_state *s, uint32_t i, uint32_t eye, uint32_t mode, int64_t age_ms)
{
    struct rc_controller *c = &s->pair.c[i];

    c->mode[eye] = mode;
    c->mode_ms[eye] = mode ? s->now_ms - (age_ms > 0 ? age_ms : 0) : 0;
}

/* Where the controller group launches in that zone; the first option when it does not. */
static uint32_t
option_of_zone(const struct rc_group *g, const char *az)
{
    for (uint32_t k = 0; k < g->option_count; k++) {
        if (strcmp(g->option[k].az, az) == 0) {
            return k;
        }
    }
    return 0;
}

void
rc_pair_plan(struct rc_state *s, uint32_t i)
{
    struct rc_launch_plan *plan = &s->pair.plan[i];
    const struct rc_controller *c = &s->pair.c[i];
    uint32_t slot = c->link == RC_TOLD_YES ? rc_instance_find(s, c->instance) : 0;

    if (!slot || !*rc_instance_at(s, slot)->az || strcmp(plan->instance, c->instance) == 0) {
        return;
    }
    memcpy(plan->instance, c->instance, sizeof plan->instance);
    plan->attempt = 1;
    plan->option = option_of_zone(&s->cluster.controllers, rc_instance_at(s, slot)->az);
    rc_history_dirty(s, 0); /* the other leader must know it too */
}

/* The last moment at which somebody may have seen it serve. */
static int64_t
lost_since(const struct rc_state *s, uint32_t i)
{
    const struct rc_controller *c = &s->pair.c[i];
    int64_t ms = c->mode_ms[RC_EYE_OWN] > c->mode_ms[RC_EYE_PEER] ? c->mode_ms[RC_EYE_OWN]
                                                                  : c->mode_ms[RC_EYE_PEER];

    return is_known_gone(&s->pair, i) || ms <= 0 ? s->now_ms : ms;
}

void
rc_pair_fold(struct rc_state *s, uint32_t i)
{
    struct rc_pair *p = &s->pair;
    struct rc_controller *c = &p->c[i];

    if (rc_pair_serves(p, i)) {
        c->lost_ms = 0;
        c->told = 0;
        if (p->primary != i + 1 && !(p->primary && rc_pair_serves(p, p->primary - 1))) {
            p->primary = i + 1;
            p->primary_ms = s->now_ms;
        }
    } else if (!c->lost_ms && rc_pair_is_silent(p, i)) {
        c->lost_ms = lost_since(s, i);
    }
    if (rc_pair_well(p, i)) {
        c->ailing_ms = 0;
    } else if (!c->ailing_ms) {
        c->ailing_ms = s->now_ms;
    }
    if (!rc_pair_usable(s, i) && !rc_pair_serves(p, i)) {
        c->fine_ms = 0;
    } else if (!c->fine_ms) {
        c->fine_ms = s->now_ms;
        c->tries = c->full = c->told = 0;
    }
    doubt(p, i);
    rc_pair_plan(s, i);
}

void
rc_pair_told_off(struct rc_state *s, uint32_t instance)
{
    struct rc_pair *p = &s->pair;
    uint32_t slot = p->phase == RC_FO_STOP && !p->refused ? rc_pair_instances(s, p->from - 1) : 0;

    while (slot && slot != instance) {
        slot = rc_instance_at(s, slot)->next_of_node;
    }
    if (slot) {
        p->next_try_ms = 0;
    }
}

void
rc_pair_forget_views(struct rc_state *s)
{
    struct rc_pair *p = &s->pair;

    for (uint32_t i = 0; i < p->count; i++) {
        struct rc_controller *c = &p->c[i];
        rc_pair_see(s, i, RC_EYE_OWN, RC_CTL_UNKNOWN, 0);
        rc_pair_see(s, i, RC_EYE_PEER, RC_CTL_UNKNOWN, 0);
        c->link = c->fenced = c->munge = RC_TOLD_NOT;
        c->process = RC_PROC_UNKNOWN;
        c->dir = RC_DIR_UNKNOWN;
        c->lost_ms = c->ailing_ms = c->fine_ms = c->link_ms = 0;
    }
    rc_pair_forget_work(s);
}

void
rc_pair_forget_work(struct rc_state *s)
{
    struct rc_pair *p = &s->pair;

    p->phase = RC_FO_WATCH;
    p->cause = p->from = p->to = p->proof = p->wanted = p->block = 0;
    p->action = 0;
    p->accepted = p->refused = p->retries = p->dead_count = 0;
    p->untouched = 0; /* what was asked for may have been done */
    p->phase_ms = s->now_ms;
    p->next_try_ms = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        p->c[i].action = 0;
        p->c[i].next_ms = 0;
    }
    /* Another leader may have moved it meanwhile: only what is seen now counts. */
    if (p->primary && !rc_pair_serves(p, p->primary - 1)) {
        p->primary = 0;
    }
}
