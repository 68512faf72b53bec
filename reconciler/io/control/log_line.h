/* log_line.h - inside of the log: one line as JSON text. */
#ifndef RC_LOG_LINE_H
#define RC_LOG_LINE_H

#include <stddef.h>

#include "reconciler/io/control/log.h"

enum { RC_LOG_TEXT_MAX = 4096 };

struct rc_log_head {
    int64_t wall_ms;
    enum rc_log_level level;
    const char *room;
    enum rc_log_kind kind;
    const char *name;
};

struct rc_log_line {
    size_t len; /* with the newline, without a NUL */
    char data[RC_LOG_LINE_MAX];
};

/* fields may be NULL. What does not fit is left out or cut; the line is always one whole JSON
 * object and a newline. */
void rc_log_line_make(struct rc_log_line *ret, const struct rc_log_head *head,
                      const struct rc_log_field *fields, const char *text);

#endif
