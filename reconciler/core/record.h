/* record.h - events and actions as one line of text, and back.
 *
 * "event spot-interruption at=120 wall=1700000000000 msg=4 instance=i-1 …":
 * the kind, then every field that is not zero, in the order of the field table,
 * values percent-escaped. The journal, the log, replay and scenario files all
 * use this one form, so equal events are equal bytes. START carries its seed;
 * CLUSTER and POLICY carry their source text, which the caller appends. */
#ifndef RC_RECORD_H
#define RC_RECORD_H

#include <stddef.h>

#include "reconciler/core/action.h"
#include "reconciler/core/event.h"

enum { RC_RECORD_MAX = 4096 };

/* Bytes written (without NUL) or 0 when room is too small. */
size_t rc_event_format(const struct rc_event *ev, char *buf, size_t room);
size_t rc_action_format(const struct rc_action *a, char *buf, size_t room);
/* RC_OK, or RC_E_PARSE with the offset of the fault in *ret_offset. */
enum rc_err rc_event_parse(const char *line, size_t len, struct rc_event *ret, size_t *ret_offset);
enum rc_err rc_action_parse(const char *line, size_t len, struct rc_action *ret,
                            size_t *ret_offset);

#endif
