/* controller_steps.h - what the phases of a fail-over share; inside controller_decide.c and
 * controller_fence.c. A phase returns true when it went to another one. */
#ifndef RC_CONTROLLER_STEPS_H
#define RC_CONTROLLER_STEPS_H

#include "reconciler/core/state.h"

enum { RC_PAIR_EYES_MS = 1000 }; /* within this the eyes have looked again */

bool rc_pair_step_fence(struct rc_state *s, struct rc_actions *out);
bool rc_pair_step_stop(struct rc_state *s, struct rc_actions *out);

/* To another phase; always true. */
bool rc_pair_step_to(struct rc_state *s, struct rc_actions *out, enum rc_failover_phase to,
                     const char *why);
/* True when the phase's next action may be sent now. */
bool rc_pair_step_ready(struct rc_state *s);
/* True when the phase has lasted so long; wakes then. */
bool rc_pair_phase_over(struct rc_state *s, int64_t timeout_ms);
/* It answers and says that it is not active: nobody will change that but us. */
bool rc_pair_is_idle(const struct rc_state *s, uint32_t i);
/* People are told, once a phase. */
void rc_pair_tell(struct rc_state *s, struct rc_actions *out, const char *text);

#endif
