/* fault_model.h - which node breaks when, drawn up front.
 *
 * A model says how often faults come, how they cluster in time (variation) and on nodes
 * (lemons), and how long they last where nobody acts. From a model and a seed comes a
 * schedule: every fault of the whole fleet, in time order. The schedule depends on nothing
 * that happens later, so every policy meets the same faults (common random numbers).
 *
 * Arrivals of the fleet, the node hit, the part and the duration come from streams of
 * their own: another duration never moves an arrival.
 *
 * Sources of the defaults: rates, parts and durations of published fleets, named where
 * they stand. */
#ifndef RC_FAULT_MODEL_H
#define RC_FAULT_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "reconciler/io/fail.h"

/* What broke. X(enum, name, weight): the weights are the 419 unexpected interruptions of
 * Llama 3 (arXiv 2407.21783, table 5), summed up. */
/* clang-format off */
#define RC_PARTS(X) \
    X(RC_PART_UNKNOWN,     "unknown",       7) \
    X(RC_PART_GPU,         "gpu",         268) \
    X(RC_PART_NETWORK,     "network",      42) \
    X(RC_PART_HOST,        "host",         14) /* board, CPU, memory, power, fan, disk */ \
    X(RC_PART_SOFTWARE,    "software",     56) \
    X(RC_PART_MAINTENANCE, "maintenance",  32) \
    X(RC_PART_VALIDATION,  "validation",    0) /* a test found it; only in traces */
/* clang-format on */

enum rc_part {
#define RC_PART_ENUM(part, name, weight) part,
    RC_PARTS(RC_PART_ENUM)
#undef RC_PART_ENUM
        RC_PART__MAX
};

const char *rc_part_name(uint32_t part); /* "gpu" */

/* One fault of one node. Faults of a node may overlap: a node is whole when none is open. */
struct rc_fault_row {
    int64_t at_ms;   /* after the start */
    int64_t last_ms; /* how long it stays where nobody acts; > 0 */
    uint64_t luck;   /* 64 random bits: the same fault has the same luck under every policy */
    uint32_t node;   /* 0 .. nodes - 1 */
    uint16_t part;   /* enum rc_part */
    uint16_t lemon;  /* 1 = it comes of this very host being worse than others: a host that
                      * replaced it would not have had this fault */
};

struct rc_fault_schedule {
    struct rc_fault_row *row; /* by at_ms, then node, then order of drawing */
    uint32_t count;
    uint32_t nodes;
    int64_t span_ms; /* every at_ms lies before it */
};

/* Plain value. Times in hours where not said otherwise. */
struct rc_fault_model {
    double rate;          /* faults per 1,000 node-days */
    double variation;     /* of the fleet's times between faults: 1 = exponential, > 1 bursty */
    double lemon_shape;   /* gamma shape of the nodes' rates; 0 = all nodes alike */
    double repair_h;      /* median of the duration */
    double repair_sigma;  /* of its logarithm */
    bool is_trace;        /* re-drawn from the records of a trace instead; rate 0 = its own */
    uint32_t trace_nodes; /* nodes of the fleet that was recorded, 0 = those in the file */
    char trace_path[256];
};

enum { RC_FAULT_NODES_MAX = 100000, RC_FAULT_ROWS_MAX = 20000000 };

/* A model from its text, "NAME[,KEY=VALUE]…":
 *   exponential        Poisson arrivals, all nodes alike
 *   bursty             times between faults vary (variation=1.76)
 *   lemon              few nodes have most faults (lemon-shape=0.9)
 *   bursty-lemon       both
 *   trace:FILE         gaps, nodes, parts and durations of a recorded trace, re-drawn
 * Keys: rate, variation, lemon-shape, repair-hours, repair-sigma; trace: rate, nodes.
 * RC_E_INVALID: unknown name or key, a key given twice, or a number out of its range; e says
 * which. */
enum rc_err rc_fault_model_parse(const char *text, struct rc_fault_model *ret, struct rc_error *e);
/* The full text of a model: every key with its value, but what a trace says itself. For reports. */
void rc_fault_model_text(const struct rc_fault_model *m, char *buf, uint32_t room);

/* Draws a schedule. *ret is the caller's, to be freed with rc_fault_schedule_free().
 * RC_E_INVALID: no nodes or no span, or too many rows; RC_E_IO, RC_E_PARSE: the trace. */
enum rc_err rc_fault_draw(const struct rc_fault_model *m, uint64_t seed, uint32_t nodes,
                          int64_t span_ms, struct rc_fault_schedule *ret, struct rc_error *e);
void rc_fault_schedule_free(struct rc_fault_schedule *s); /* zeroed is fine */

#endif
