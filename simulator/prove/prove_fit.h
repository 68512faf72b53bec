/* prove_fit.h - the bursty and lemon models fitted to a recorded trace. */
#ifndef RC_PROVE_FIT_H
#define RC_PROVE_FIT_H

#include "simulator/faults/fault_model.h"

/* Prints the fit: the trace's figures beside those of schedules drawn from the model.
 * RC_PROVE_HOLDS: the fitted figures lie where the model puts them, and the shipped
 * defaults of `bursty` and `lemon` are the fit. */
int rc_prove_fit(const struct rc_fault_schedule *recorded, int64_t span_ms);

#endif
