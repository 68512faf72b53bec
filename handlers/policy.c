/* policy.c - a policy was loaded, at start or anew. Open incidents keep the
 * rule they were opened under; limits and time-outs hold from now on. */
#include "handlers/table.h"

#include <string.h>

#include "reconciler/core/fact.h"
#include "reconciler/core/spare.h"

/* Behind the last rule there is room for many more, and zero. */
static void
use_policy(struct rc_policy *to, const struct rc_policy *from)
{
    uint32_t had = to->rule_count, has = from->rule_count;

    memcpy(to, from, offsetof(struct rc_policy, rule));
    memcpy(to->rule, from->rule, has * sizeof to->rule[0]);
    if (had > has) {
        memset(&to->rule[has], 0, (had - has) * sizeof to->rule[0]);
    }
}

static void
policy_apply(struct rc_state *s, const struct rc_event *ev)
{
    use_policy(&s->policy, ev->u.policy);
    s->policy_loaded = 1;
    s->recheck = 1;
    rc_spare_places(s);
    rc_touch_all(s);
}

const struct rc_handler rc_handler_policy = {RC_EV_POLICY, policy_apply};
