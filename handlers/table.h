/* table.h - one event kind, one file, one row. To find what "spot-interruption"
 * does, open spot_interruption.c; to see what exists, read table.c. */
#ifndef RC_HANDLERS_TABLE_H
#define RC_HANDLERS_TABLE_H

#include "reconciler/core/state.h"

/* Folds one event into the state: facts only, no action, no failure. */
typedef void(rc_apply_fn)(struct rc_state *s, const struct rc_event *ev);

struct rc_handler {
    enum rc_event_kind kind;
    rc_apply_fn *apply;
};

extern const struct rc_handler *const rc_handlers[RC_EVENT__MAX];

#define RC_HANDLER_DECLARE(id, name, file, own) extern const struct rc_handler rc_handler_##file;
RC_EVENTS(RC_HANDLER_DECLARE)
#undef RC_HANDLER_DECLARE

#endif
