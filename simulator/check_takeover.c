/* check_takeover.c - never: a slurmctld is made active while the other one may still write, or
 * was asked to and will soon; two slurmctld that may write at once. Judged by the truth of the
 * hosts, whatever the leader believes. */
#include "simulator/check.h"

void
rc_check_takeover(struct rc_play *p, const struct rc_action *a, uint32_t to)
{
    if (rc_head_may_write(p, 1 - to) || rc_head_becomes(p, 1 - to)) {
        rc_play_fail(p, RC_FOUND_TAKEOVER, "%s for %s while head%u's slurmctld may still write",
                     rc_action_name((enum rc_action_kind)a->kind), a->node, 2 - to);
    }
}

void
rc_check_writers(struct rc_play *p)
{
    if (rc_head_may_write(p, 0) && rc_head_may_write(p, 1)) {
        rc_play_fail(p, RC_FOUND_TAKEOVER, "both slurmctld are active and may write");
    }
}

/* Nothing is left that could prove the old one dead: EC2 has forgotten its instance, and this
 * leader, who slept since, never heard its id. People were told. */
bool
rc_check_pair_is_for_people(const struct rc_ctl *c)
{
    const struct rc_pair *pair = &c->s->pair;
    uint32_t from = pair->from - 1;

    return pair->phase == RC_FO_STOP && pair->told && !*pair->c[from].instance &&
           !rc_pair_instances(c->s, from);
}

/* At rest: one is active, its daemon and the other one's run, and nothing is under way. */
bool
rc_check_pair_rests(const struct rc_play *p, const struct rc_ctl *c, char *why, size_t room)
{
    const struct rc_pair *pair = &c->s->pair;

    if (!rc_play_has_pair(p)) {
        return true;
    }
    if (!rc_head_may_write(p, 0) && !rc_head_may_write(p, 1)) {
        snprintf(why, room, "no slurmctld is active (fail-over: %s, %s)",
                 rc_failover_phase_name(pair->phase), rc_failover_block_text(pair->block));
        return false;
    }
    for (uint32_t i = 0; i < RC_PLAY_CTLS; i++) {
        if (!p->head[i].host_up || (i > 0 && p->head[i].process == RC_PROC_NONE)) {
            snprintf(why, room, "head%u is not back (%s)", i + 1,
                     p->head[i].host_up ? "its slurmctld is not started" : "its host is off");
            return false;
        }
    }
    return true;
}
