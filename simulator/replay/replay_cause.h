/* replay_cause.h - why a decision is not the recorded one: the rule or the limit, and the
 * keys in which the two policies differ there. Inner header of simulator/replay. */
#ifndef RC_REPLAY_CAUSE_H
#define RC_REPLAY_CAUSE_H

#include "simulator/replay/replay_core.h"

/* then of kind RC_ACT_NONE: nothing was decided; now NULL: nothing is decided now. As far as
 * action and state tell: what an earlier difference led to has that for its cause. */
void rc_replay_cause(const struct rc_replay *r, const struct rc_action *then,
                     const struct rc_action *now, char *text, size_t room);

#endif
