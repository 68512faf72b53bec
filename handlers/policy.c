/* policy.c - a policy was loaded, at start or anew. Open incidents keep the
 * rule they were opened under; limits and time-outs hold from now on. */
#include "handlers/table.h"

#include <string.h>

#include "reconciler/core/fact.h"
#include "reconciler/core/spare.h"

static void
policy_apply(struct rc_state *s, const struct rc_event *ev)
{
    memcpy(&s->policy, ev->u.policy, sizeof s->policy);
    s->policy_loaded = 1;
    s->recheck = 1;
    rc_spare_places(s);
    rc_touch_all(s);
}

const struct rc_handler rc_handler_policy = {RC_EV_POLICY, policy_apply};
