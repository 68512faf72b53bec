/* fuzz_gate.c - libFuzzer target: any bytes as what a node answers to the gate's probes.
 *
 * The first two bytes say which probes were asked for and which must be able to tell. Beyond the
 * sanitizers it asserts what the gate stands on: well only when the script came to its end, nothing
 * that was asked for is bad, and nothing that must tell is silent. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/host/gate_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool condition)
{
    if (!condition) {
        abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[1 << 16];
    struct rc_gate_answer a;
    struct rc_error e = {.code = RC_OK};

    if (size < 2 || size - 2 >= sizeof text) {
        return 0;
    }
    uint32_t probes = data[0] & ((1U << RC_GATE_PROBE__MAX) - 1), demanded = data[1] & probes;
    memcpy(text, data + 2, size - 2);
    text[size - 2] = '\0';
    rc_gate_answer_read(text, &a);
    must(memchr(a.serials, '\0', sizeof a.serials) != NULL);
    enum rc_err err = rc_gate_answer_judge(&a, probes, demanded, &e);
    must(e.text[0] != '\0');
    for (uint32_t p = 0; p < RC_GATE_PROBE__MAX; p++) {
        must(memchr(a.text[p], '\0', sizeof a.text[p]) != NULL);
        if (err == RC_OK) {
            must(!(probes >> p & 1) || a.verdict[p] != RC_GATE_BAD);
            must(!(demanded >> p & 1) || a.verdict[p] == RC_GATE_WELL);
        }
    }
    must(err != RC_OK || a.ended);
    return 0;
}
