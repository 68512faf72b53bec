/* check_regress.c - never: what the store tells of an incident goes back: fewer attempts, a rung or
 * a try of it once more, after another leader has taken over; a launch counts lower than the store.
 * Part of the limits: a repair that begins anew with each leader never ends. */
#include <string.h>

#include "simulator/check.h"

/* A person lets it out of quarantine to begin anew, and so does another fault or rule. */
static bool
begins_anew(const struct rc_act_incident *was, const struct rc_act_incident *now)
{
    return was->phase == RC_PHASE_QUARANTINE || was->fault != now->fault ||
           strcmp(was->rule, now->rule) != 0;
}

void
rc_check_regress(struct rc_play *p, const struct rc_item *row, const struct rc_action *a)
{
    const struct rc_act_incident *was = &row->item, *now = &a->u.item;
    bool lower = now->rung < was->rung || (now->rung == was->rung && now->tries < was->tries);

    if (now->attempt < was->attempt) {
        rc_play_fail(p, RC_FOUND_LIMITS, "incident %u of %s goes back from attempt %u to %u",
                     a->incident, a->node, was->attempt, now->attempt);
    } else if (lower && !begins_anew(was, now)) {
        rc_play_fail(p, RC_FOUND_LIMITS,
                     "incident %u of %s goes back from try %u of rung %u to try %u of rung %u",
                     a->incident, a->node, was->tries + 1, was->rung + 1, now->tries + 1,
                     now->rung + 1);
    }
}

void
rc_check_regress_launched(struct rc_play *p, const struct rc_action *a)
{
    const struct rc_item *row = rc_check_item(p, a->incident);

    if (row && a->u.launch.attempt < row->item.attempt) {
        rc_play_fail(p, RC_FOUND_LIMITS, "%s is launched for as attempt %u, the store has %u",
                     a->node, a->u.launch.attempt, row->item.attempt);
    }
}
