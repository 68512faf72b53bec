/* replay_print.h - a replay as a time-line that a person can follow. */
#ifndef RC_REPLAY_PRINT_H
#define RC_REPLAY_PRINT_H

#include "handlers/decode/decode.h"
#include "reconciler/core/state.h"
#include "reconciler/io/journal/journal_read.h"
#include "simulator/faults/fault_model.h"
#include "simulator/replay/replay.h"
#include "simulator/replay/replay_core.h"

void rc_replay_print_event(const struct rc_event *ev);
/* A message as it was recorded, and what it is decoded to. */
void rc_replay_print_message(const struct rc_replay_message *m, const struct rc_decoded *d);
void rc_replay_print_fault(const struct rc_fault_row *fault, int64_t wall_ms);
void rc_replay_print_open(const struct rc_state *s); /* incidents that are left */
void rc_replay_print_action(const struct rc_action *a, int64_t wall_ms);
/* A decision that is not the recorded one: counts it, and keeps the first in words.
 * recorded "": nothing was decided then; now NULL: nothing is decided now. */
void rc_replay_print_other(const struct rc_replay *r, uint64_t record, const char *recorded,
                           const struct rc_action *now);
void rc_replay_print_tail(const struct rc_journal_tail *tail);
/* Decisions of the event in this record, after which the daemon died and was started again. */
void rc_replay_print_lost(uint64_t record, uint32_t count);
/* Decisions of the last event, in this record, that the journal ends before. */
void rc_replay_print_missing(uint64_t record, uint32_t count);

#endif
