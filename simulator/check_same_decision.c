/* check_same_decision.c - never: the same journal gives another decision. A second
 * state steps the same events; a decision that depends on anything else differs. */
#include <string.h>

#include "simulator/check.h"

void
rc_check_same_decision(struct rc_ctl *c)
{
    size_t used = c->out.count * sizeof c->out.v[0];

    if (c->out.count != c->twin_out.count || memcmp(c->out.v, c->twin_out.v, used) != 0) {
        rc_play_fail(c->p, RC_FOUND_SAME_DECISION, "head%u decides %u actions, its twin %u",
                     c->index + 1, c->out.count, c->twin_out.count);
    }
}
