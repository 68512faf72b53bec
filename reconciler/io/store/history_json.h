/* history_json.h - struct rc_history as the JSON object of a history item, and back. */
#ifndef RC_HISTORY_JSON_H
#define RC_HISTORY_JSON_H

#include <stddef.h>

#include "reconciler/core/node_history.h"
#include "reconciler/io/fail.h"

/* malloc'd text without the epoch, which stands in the item; NULL when memory is out. */
char *rc_history_json_format(const struct rc_history *h);
/* what names it in messages. RC_E_PARSE: rubbish, *ret untouched. A member of a later
 * release is passed over; one that an earlier release did not write reads as empty, and
 * ret_absent counts these. */
enum rc_err rc_history_json_parse(const char *what, const char *json, size_t len,
                                  struct rc_history *ret, uint32_t *ret_absent,
                                  struct rc_error *ret_err);

#endif
