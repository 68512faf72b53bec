/* message_line.h - one line {"arrival": UNIX-MS, "body": "TEXT"} without a heap.
 *
 * JSON as in RFC 8259; the body is unescaped in place, a body that is an object stands
 * for its own text. The arrival may be a date too ("2026-10-01T00:00:00Z", with any
 * offset). Other members are skipped. Refused, with what was expected: anything else, a
 * key given twice, an arrival that is neither whole Unix milliseconds nor a date between
 * 2000 and 2100, a body that is missing. */
#ifndef RC_MESSAGE_LINE_H
#define RC_MESSAGE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rc_message_line {
    int64_t arrival_ms;
    const char *body; /* inside the line */
    size_t len;
    char why[120]; /* where it is refused: what is wrong, with the key */
};

/* line[len] must be a byte that may be overwritten. False: ret->why says what is wrong. */
bool rc_message_line_parse(char *line, size_t len, struct rc_message_line *ret);

#endif
