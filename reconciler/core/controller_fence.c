/* controller_fence.c - the phases in which the old primary is proved unable to write: by its
 * own host, or by EC2 (controller_stop.c). See controller_decide.c for the others. */
#include "policies/rules.h"
#include "reconciler/core/controller_steps.h"
#include "reconciler/core/text.h"
#include "reconciler/core/turn.h"

enum { LOOK_FOR_MS = 15 * 1000 /* then people are told that nothing is found */ };

/* Nobody's work was touched, and the reason for it is gone. */
static bool
is_over(const struct rc_pair *p)
{
    bool moves = p->cause == RC_CAUSE_OPERATOR || p->cause == RC_CAUSE_SWAP_BACK ||
                 p->cause == RC_CAUSE_AILING || p->cause == RC_CAUSE_TWO;

    return !moves && !p->proof && !p->action && !p->accepted && rc_pair_serves(p, p->from - 1);
}

static bool
is_wanted_gently(const struct rc_pair *p)
{
    return p->cause == RC_CAUSE_OPERATOR || p->cause == RC_CAUSE_SWAP_BACK;
}

static void
send_fence(struct rc_state *s, struct rc_actions *out)
{
    struct rc_pair *p = &s->pair;
    const struct rc_controllers_policy *policy = &s->policy.controllers;
    int64_t grace_ms = is_wanted_gently(p) ? policy->grace_ms : 0;
    struct rc_action a;

    rc_pair_act(s, &a, RC_ACT_FENCE, p->from - 1, policy->fence_ms + grace_ms);
    a.u.controller.grace_ms = (uint32_t)grace_ms;
    rc_put_text(a.text, sizeof a.text, rc_failover_cause_text(p->cause));
    rc_act_send(s, out, &a);
}

/* A fence that no repetition can bring about; "you do not lead" is not of these. */
static bool
fence_failed(const struct rc_pair *p)
{
    return p->refused == RC_E_NOT_VERIFIED || p->refused == RC_E_DENIED ||
           p->refused == RC_E_UNSUPPORTED || p->refused == RC_E_INVALID;
}

/* At rest a standby is only pinged, and one that became active answers that too: what counts
 * is what it was asked in this phase. Where nobody is known as primary that is no proof either:
 * one that the leader before us asked to be active says "standby" until it is. */
static bool
is_told_now(const struct rc_pair *p)
{
    return p->c[p->from - 1].mode_ms[RC_EYE_OWN] >= p->phase_ms;
}

bool
rc_pair_step_fence(struct rc_state *s, struct rc_actions *out)
{
    struct rc_pair *p = &s->pair;
    uint32_t from = p->from - 1, to = p->to - 1;
    int64_t grace_ms = is_wanted_gently(p) ? s->policy.controllers.grace_ms : 0;

    if (is_over(p)) {
        return rc_pair_step_to(s, out, RC_FO_WATCH, "it serves again, and nothing was done");
    }
    if (!rc_pair_usable(s, to) && !rc_pair_serves(p, to) && !p->action) {
        return rc_pair_step_to(s, out, RC_FO_SUSPECT, "the one that was to take over cannot");
    }
    if (rc_pair_proved(s)) {
        return rc_pair_step_to(s, out, RC_FO_TAKEOVER, "the other one is proved unable to write");
    }
    bool idle = p->cause != RC_CAUSE_NOBODY && rc_pair_is_idle(s, from) &&
                rc_pair_eye_agrees(p, from, RC_PROOF_STANDBY);
    if (idle && !is_told_now(p) && s->now_ms < p->phase_ms + RC_PAIR_EYES_MS) {
        rc_pair_wake_at(p, p->phase_ms + RC_PAIR_EYES_MS);
        return false;
    }
    if (idle && is_told_now(p)) {
        p->proof = RC_PROOF_STANDBY; /* told by the action, and noted from there */
        p->proof_ms = s->now_ms;
        p->proof_epoch = s->lease_epoch;
        return rc_pair_step_to(s, out, RC_FO_TAKEOVER, "the other one is standby");
    }
    bool late = rc_pair_phase_over(s, s->policy.controllers.fence_ms + grace_ms);
    bool mute = p->c[from].link != RC_TOLD_YES && !p->action && !p->proof;
    if ((late || mute || fence_failed(p)) && p->refused != RC_E_NO_LEASE) {
        return rc_pair_step_to(s, out, RC_FO_STOP, "its own host cannot prove it");
    }
    if (!p->proof && rc_pair_step_ready(s)) {
        send_fence(s, out);
    }
    return false;
}

/* Perhaps it serves, and there is nothing to do: the eyes get a moment to say so. */
static bool
answers_again(struct rc_state *s, struct rc_actions *out, int64_t at_ms)
{
    return rc_pair_is_time(s, at_ms) &&
           rc_pair_step_to(s, out, RC_FO_FENCE, "its host answers again");
}

/* Is every instance of that name known? The leader before us may have launched one that no pass
 * before this epoch could show. Our daemon makes the passes at once when it begins to lead. */
static bool
is_list_whole(struct rc_state *s, struct rc_actions *out)
{
    if (s->sweep >= s->sweep_floor) {
        return true;
    }
    if (rc_pair_phase_over(s, LOOK_FOR_MS)) {
        rc_pair_tell(s, out,
                     "not fenced: EC2 has not listed the instances since this daemon leads");
    }
    s->pair.block = RC_FOB_UNFENCED;
    return false;
}

/* EC2 shows every instance of the old one off. What the eye saw a moment ago is of the time
 * before, and goes by itself; who still answers there later is somebody else. */
static bool
is_off(struct rc_state *s, struct rc_actions *out)
{
    struct rc_pair *p = &s->pair;

    if (!rc_pair_eye_agrees(p, p->from - 1, RC_PROOF_STOPPED)) {
        if (rc_pair_phase_over(s, s->policy.timeouts.stop_ms)) {
            rc_pair_tell(s, out,
                         "not fenced: its instance is off for EC2, but its address answers");
        }
        p->block = RC_FOB_UNFENCED;
        return false;
    }
    p->proof = RC_PROOF_STOPPED; /* told by the action, and noted from there */
    p->proof_ms = s->now_ms;
    p->proof_epoch = s->lease_epoch;
    return rc_pair_step_to(s, out, RC_FO_TAKEOVER, "its instance is off");
}

bool
rc_pair_step_stop(struct rc_state *s, struct rc_actions *out)
{
    struct rc_pair *p = &s->pair;
    uint32_t all, living = rc_pair_next_living(s, &all);

    if (is_over(p)) {
        return rc_pair_step_to(s, out, RC_FO_WATCH, "it serves again, and nothing was done");
    }
    if (!rc_pair_usable(s, p->to - 1) && !p->action && !p->accepted) {
        return rc_pair_step_to(s, out, RC_FO_SUSPECT, "the one that was to take over cannot");
    }
    if (p->c[p->from - 1].link == RC_TOLD_YES && p->c[p->from - 1].link_ms > p->phase_ms &&
        !p->action && !p->accepted) {
        return answers_again(s, out, p->c[p->from - 1].link_ms + RC_PAIR_EYES_MS);
    }
    if (all && !living) {
        return is_list_whole(s, out) && is_off(s, out);
    }
    if (!all) {
        bool asks = !rc_pair_step_ready(s) || rc_pair_look_for(s, out);
        if (!asks || rc_pair_phase_over(s, LOOK_FOR_MS)) {
            rc_pair_tell(
                s, out,
                "the old slurmctld cannot be fenced: EC2 shows no instance of that controller");
        }
        p->block = RC_FOB_UNFENCED;
        return false;
    }
    if (p->refused) {
        p->block = RC_FOB_UNFENCED;
        if (p->retries >= 3) {
            rc_pair_tell(s, out,
                         "the old slurmctld cannot be fenced: EC2 refuses to stop its instance");
        }
    }
    if (rc_pair_phase_over(s, s->policy.timeouts.stop_ms)) {
        rc_pair_tell(s, out,
                     "the old slurmctld is not fenced: its instance does not reach stopped");
        p->block = RC_FOB_UNFENCED;
    }
    if (rc_pair_step_ready(s)) {
        rc_pair_force_off(s, out, living);
    }
    return false;
}
