/* step.h - the rule of the core: state + event -> actions.
 *
 *   rc_step = rc_fold (facts into state, emits nothing)
 *           + decide  (what is missing for what was touched)
 *           + rc_note (the intent of every emitted action, folded too)
 *
 * Pure: reads no clock, file, environment or random source; does not allocate,
 * log or fail. Restart folds the journal's events with rc_fold and its actions
 * with rc_note, so that work in flight survives even when the rules changed. */
#ifndef RC_STEP_H
#define RC_STEP_H

#include <stddef.h>
#include <stdint.h>

#include "reconciler/core/action.h"
#include "reconciler/core/event.h"

struct rc_state; /* one block without pointers; see state.h */

struct rc_capacity_limits {
    uint32_t nodes;     /* node rows */
    uint32_t incidents; /* open incidents */
    uint32_t messages;  /* messages not yet acknowledged, and those remembered as seen */
};

#define RC_NEVER INT64_MAX

/* Bytes that a state of these limits needs. */
size_t rc_state_size(const struct rc_capacity_limits *limits);
/* mem: zeroed, rc_state_size() bytes, 16-byte aligned (64 is quicker), owned by the caller. */
struct rc_state *rc_state_init(void *mem, const struct rc_capacity_limits *limits);
/* Copies a state into a larger block (same rules for mem). Between steps only. */
struct rc_state *rc_state_grow(void *mem, const struct rc_capacity_limits *limits,
                               const struct rc_state *from);
/* to = from, and zero again: for zeroed blocks or states of the same limits. */
void rc_state_copy(struct rc_state *to, const struct rc_state *from);
void rc_state_clear(struct rc_state *s);
/* True when a table is nearly full and the caller should grow it before the next step. */
int rc_state_wants_growth(const struct rc_state *s, struct rc_capacity_limits *ret_limits);
/* Checks a block read back from a snapshot: magic, version, size. */
struct rc_state *rc_state_check(void *mem, size_t size);

void rc_step(struct rc_state *s, const struct rc_event *ev, struct rc_actions *out);
void rc_fold(struct rc_state *s, const struct rc_event *ev);
void rc_note(struct rc_state *s, const struct rc_action *a);

/* Core time at which the caller must deliver RC_EV_TICK, or RC_NEVER. */
int64_t rc_next_deadline(const struct rc_state *s);

/* The last look before an action is sent: it may have waited for the disk, or the process
 * stood still, and meanwhile the lease ran out, a person held the node, or a job came.
 * RC_OK, or the error to complete it with; ret_why says it in words (static text). */
enum rc_err rc_last_look(const struct rc_state *s, const struct rc_action *a, int64_t now_ms,
                         const char **ret_why);

/* After a MESSAGE event: must its parts be delivered too? No when it was seen before. */
int rc_message_wants_parts(const struct rc_state *s, uint64_t msg);

uint64_t rc_state_hash(const struct rc_state *s);

#endif
