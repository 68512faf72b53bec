/* fault_trace.h - a recorded fault trace as it is.
 *
 * Format: a JSON array of records in order of time,
 *   {"node_id": "…", "event_time": DAYS, "event_type": "fault_start" | "fault_end",
 *    "fault_type": {"Level": "…", "Class": "…", "Desc": "…"}}
 * as published with InfiniteHBD (stepfun-ai/InfiniteHBD-Trace), with its classes. An end closes the
 * oldest open fault of the same node and fault type. A fault still open at the end of the file
 * lasts until the end of the span.
 *
 * Failures name file and line: text that is no such array, a key missing or of another
 * type, an unknown event_type or Class, a time that is negative, over 100 years or earlier than the
 * one before, an end of a fault that did not start. Nothing is returned then. */
#ifndef RC_FAULT_TRACE_H
#define RC_FAULT_TRACE_H

#include "simulator/faults/fault_model.h"

struct rc_fault_trace {
    struct rc_fault_schedule schedule; /* span_ms: the last record's time */
    uint32_t *line;                    /* of each row: where its record begins in the file */
    uint32_t faulty;                   /* nodes that ever had a fault: 0 .. faulty - 1 */
    uint32_t open;                     /* faults without an end */
};

/* nodes: of the fleet, 0 = those that stand in the trace. Nodes are numbered by their
 * first appearance. *ret is the caller's: rc_fault_trace_free(). */
enum rc_err rc_fault_trace_read(const char *path, uint32_t nodes, struct rc_fault_trace *ret,
                                struct rc_error *e);
void rc_fault_trace_free(struct rc_fault_trace *t);

#endif
