/* early.c - replacements that do not wait for an idle node: launched with its drain, or
 * before it (make before break), and which of the two instances goes first.
 *
 * Invariants: never where the old instance must go first; never before the approval that
 * the rule asks for; a try that has begun is not cut off by the limit that it fills. */
#include "reconciler/core/turn.h"

bool
rc_turn_stop_first(const struct rc_turn *t)
{
    uint32_t order = t->inc->rule.order;

    return order == RC_ORDER_STOP_FIRST ||
           (order == RC_ORDER_AUTO &&
            t->s->cluster.group[t->n->group - 1].capacity != RC_CAPACITY_OPEN);
}

/* What stands behind the name now may be a replacement that failed: its death frees nothing. */
bool
rc_turn_old_lives(const struct rc_turn *t)
{
    const struct rc_node *n = t->n;
    bool on_old = !n->instance || n->instance == t->inc->old_instance;

    return t->inc->old_instance && !(t->finding.dead && on_old);
}

bool
rc_turn_old_serves(const struct rc_turn *t)
{
    return t->inc->old_instance && !t->finding.dead &&
           (!t->n->instance || t->n->instance == t->inc->old_instance);
}

/* A replacement is on its way already. */
static bool
has_begun(const struct rc_incident *inc)
{
    return inc->new_instance || inc->launch_action || inc->launch_counted;
}

bool
rc_turn_used_up(const struct rc_turn *t)
{
    return !has_begun(t->inc) && rc_attempts_used_up(t->s, t->n);
}

bool
rc_turn_pauses(struct rc_turn *t)
{
    int64_t until_ms = t->inc->tried_ms + rc_rung_now(t->inc)->pause_ms;

    if (!t->inc->rung_tries || has_begun(t->inc) || until_ms <= t->s->now_ms) {
        return false;
    }
    (void)rc_turn_block(t, RC_BLOCK_COOLDOWN, until_ms);
    return true;
}

static bool
wants_early(const struct rc_turn *t)
{
    return t->inc->rule.launch_when != RC_LAUNCH_IDLE &&
           rc_rung_now(t->inc)->kind == RC_RUNG_REPLACE && !rc_turn_stop_first(t);
}

static bool
is_approved(const struct rc_turn *t)
{
    return !t->inc->rule.approve || t->inc->flags & RC_INC_APPROVED;
}

bool
rc_turn_launch_early(struct rc_turn *t)
{
    return wants_early(t) && is_approved(t) && !rc_turn_used_up(t) && !rc_turn_pauses(t) &&
           rc_turn_launch(t) == RC_LAUNCH_LOST;
}

/* Jobs may still be let in, so there is something to keep. */
static bool
is_in_service(const struct rc_turn *t)
{
    return !t->finding.dead &&
           !(t->n->flags & (RC_SN_DOWN | RC_SN_DRAIN | RC_SN_FAIL | RC_SN_NOT_RESPONDING));
}

/* The drain must leave the jobs their time before AWS's own deadline. */
static bool
is_last_moment(struct rc_turn *t)
{
    const struct rc_jobs_plan *jobs = &t->inc->rule.jobs;
    int64_t deadline_ms = t->finding.deadline_wall_ms;

    if (!deadline_ms) {
        return false;
    }
    int64_t left_ms = deadline_ms - jobs->before_deadline_ms - jobs->wait_ms - t->s->now_wall_ms;
    if (left_ms > 0) {
        rc_turn_wake(t, t->s->now_ms + left_ms);
    }
    return left_ms <= 0;
}

enum rc_make_first
rc_turn_make_first(struct rc_turn *t)
{
    if (t->inc->rule.launch_when != RC_LAUNCH_BEFORE_DRAIN || !wants_early(t) ||
        rc_turn_used_up(t) || !is_in_service(t) || is_last_moment(t)) {
        return RC_MAKE_DONE;
    }
    if (!is_approved(t)) {
        (void)rc_turn_block(t, RC_BLOCK_APPROVAL, RC_NEVER);
        return RC_MAKE_WAITS;
    }
    if (rc_turn_pauses(t)) {
        return RC_MAKE_WAITS;
    }
    switch (rc_turn_launch(t)) {
    case RC_LAUNCH_UP:
        return RC_MAKE_DONE;
    case RC_LAUNCH_LOST:
        return RC_MAKE_LOST;
    case RC_LAUNCH_BUSY:
        break;
    }
    return RC_MAKE_WAITS;
}
