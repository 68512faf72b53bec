/* controller_text.c - a fail-over in one paragraph, for the log, for people and for the
 * report of an incident: what was seen, what proved the old primary dead, how long. */
#include <string.h>

#include "reconciler/core/action.h"
#include "reconciler/core/controller.h"
#include "reconciler/core/text.h"

static void
put_seconds(char *buf, uint32_t room, int64_t ms)
{
    uint64_t tenth = ms > 0 ? (uint64_t)ms / 100 : 0;

    rc_put_number(buf, room, tenth / 10);
    rc_put_text(buf, room, ".");
    rc_put_number(buf, room, tenth % 10);
    rc_put_text(buf, room, " s");
}

static void
put_proof(const struct rc_act_controller *c, char *buf, uint32_t room)
{
    static const char *const said[] = {
        [RC_PROOF_NONE] = " was not proved dead",
        [RC_PROOF_PROCESS] =
            ("'s daemon ended every slurmctld process on that host, wrote back what "
             "it had left, keeps it from starting again, and nothing listens there "
             "any more"),
        [RC_PROOF_STOPPED] =
            ("'s host did not answer, so its instance was forced off, and EC2 showed "
             "every instance of that name stopped or terminated"),
        [RC_PROOF_STANDBY] = " answered itself that it is standby, which only a take-over ends",
    };

    rc_put_text(buf, room, "It was safe because ");
    rc_put_text(buf, room, c->from);
    rc_put_text(buf, room, c->proof < RC_PROOF__MAX ? said[c->proof] : "?");
    rc_put_text(buf, room, " (seen ");
    put_seconds(buf, room, c->proof_ms);
    rc_put_text(buf, room, " before, in lease epoch ");
    rc_put_number(buf, room, c->epoch);
    rc_put_text(buf, room, ").");
}

void
rc_failover_paragraph(const struct rc_action *a, char *buf, uint32_t room)
{
    const struct rc_act_controller *c = &a->u.controller;

    memset(buf, 0, room);
    rc_put_text(buf, room, "slurmctld on ");
    rc_put_text(buf, room, a->node);
    rc_put_text(buf, room, c->phase == RC_FO_WATCH ? " is primary now" : " is made primary");
    rc_put_text(buf, room, " instead of ");
    rc_put_text(buf, room, c->from);
    rc_put_text(buf, room, ": ");
    rc_put_text(buf, room, rc_failover_cause_text(c->cause));
    rc_put_text(buf, room, ". ");
    put_proof(c, buf, room);
    if (c->phase == RC_FO_WATCH) {
        rc_put_text(buf, room, " From the first sign to the first answer: ");
        put_seconds(buf, room, c->took_ms);
        rc_put_text(buf, room, ".");
    }
}
