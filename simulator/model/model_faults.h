/* model_faults.h - faults of the services that somebody asked for.
 *
 * A row says what happens to the next calls of one action (or "*"): an error
 * instead of the effect, the effect with its answer lost, or a late answer. */
#ifndef RC_MODEL_FAULTS_H
#define RC_MODEL_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "reconciler/core/limits.h"

enum { RC_SIM_FAULTS_MAX = 32 };

struct rc_sim_fault {
    char action[RC_CODE_LEN]; /* RunInstances, ReceiveMessage, …; "*" = any; "" = free row */
    char code[RC_CODE_LEN];   /* error code to answer, "" = none */
    uint32_t status;          /* HTTP status with the code */
    uint32_t left;            /* calls that it still hits */
    uint32_t skip;            /* calls that pass before it begins */
    uint32_t lost;            /* 1 = the effect happens, the connection is cut without an answer */
    int64_t late_ms;          /* the answer comes so much later */
};

struct rc_sim_faults {
    struct rc_sim_fault row[RC_SIM_FAULTS_MAX];
    uint64_t hits;
};

/* False when the table is full, or the row names no action or no calls. */
bool rc_sim_faults_add(struct rc_sim_faults *f, const struct rc_sim_fault *fault);
/* What hits this call, oldest row first; false: nothing. Counts the row down. */
bool rc_sim_faults_take(struct rc_sim_faults *f, const char *action, struct rc_sim_fault *ret);
void rc_sim_faults_clear(struct rc_sim_faults *f);

#endif
