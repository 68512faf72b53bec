/* check_same_decision.c - never: the same journal gives another decision. A second
 * state steps the same events; a decision that depends on anything else differs. */
#include <string.h>

#include "simulator/check.h"

void
rc_check_same_decision(struct rc_ctl *c)
{
    bool same = c->out.count == c->twin_out.count;

    for (uint32_t i = 0; same && i < c->out.count; i++) {
        /* Actions are zeroed before they are filled. */
        /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): see above */
        same = memcmp(&c->out.v[i], &c->twin_out.v[i], rc_action_bytes(&c->out.v[i])) == 0;
    }
    if (!same) {
        rc_play_fail(c->p, RC_FOUND_SAME_DECISION, "head%u decides %u actions, its twin %u",
                     c->index + 1, c->out.count, c->twin_out.count);
    }
}
