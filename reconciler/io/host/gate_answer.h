/* gate_answer.h - what the node answered to the probes of the gate, and what that proves.
 *
 * Unknown is a third answer: a tool that is missing, or an answer that did not come, proves
 * nothing; the policy says of which probes that is not enough. Reads any bytes. */
#ifndef RC_GATE_ANSWER_H
#define RC_GATE_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "reconciler/core/policy.h"
#include "reconciler/io/fail.h"

enum rc_gate_verdict { RC_GATE_SILENT, RC_GATE_UNKNOWN, RC_GATE_WELL, RC_GATE_BAD };

enum { RC_GATE_TEXT_LEN = 96 };

struct rc_gate_answer {
    bool ended; /* the script said its last word */
    enum rc_gate_verdict verdict[RC_GATE_PROBE__MAX];
    char text[RC_GATE_PROBE__MAX][RC_GATE_TEXT_LEN];
    char serials[RC_SERIALS_LEN]; /* of the GPUs, commas between; "" = not told */
};

/* out: what gate.sh wrote. */
void rc_gate_answer_read(const char *out, struct rc_gate_answer *ret);
/* probes, must: bits 1 << enum rc_gate_probe. RC_OK: well, and e's text says what was asked;
 * RC_E_UNHEALTHY: one found something; RC_E_UNKNOWN: one that must be able to tell could not. */
enum rc_err rc_gate_answer_judge(const struct rc_gate_answer *a, uint32_t probes, uint32_t must,
                                 struct rc_error *e);

#endif
