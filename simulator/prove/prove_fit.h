/* prove_fit.h - the bursty and lemon models fitted to a recorded trace. */
#ifndef RC_PROVE_FIT_H
#define RC_PROVE_FIT_H

#include "simulator/faults/fault_model.h"

/* Are there faults enough, and do they come in bursts? Where not, e says what was expected. */
bool rc_prove_can_fit(const struct rc_fault_schedule *recorded, struct rc_error *e);

/* Only what rc_prove_can_fit().
 *
 * Prints the fit: the trace's figures beside those of schedules drawn from the model.
 * RC_PROVE_HOLDS: the fitted figures lie where the model puts them, and the shipped
 * defaults of `bursty` and `lemon` are the fit. */
int rc_prove_fit(const struct rc_fault_schedule *recorded, int64_t span_ms);

#endif
