/* quarantine_line.h - one line of the quarantine file, to text and back. The body
 * is kept byte for byte: as text where it is UTF-8 without NUL, else as base64. */
#ifndef RC_QUARANTINE_LINE_H
#define RC_QUARANTINE_LINE_H

#include <cjson/cJSON.h>

#include "reconciler/io/store/quarantine.h"

/* malloc'd, with a newline at its end, or NULL when memory is out. */
char *rc_quarantine_line_format(const struct rc_quarantine_item *item);
char *rc_quarantine_line_format_taken(uint64_t id, int64_t time_ms);

/* A line that was read. item.taken: it says that message item.id was taken. */
struct rc_quarantine_line {
    struct rc_quarantine_item item; /* points into the other two */
    cJSON *root;
    unsigned char *decoded;
};

/* Without its newline. Frees nothing on success: rc_quarantine_line_free(). */
enum rc_err rc_quarantine_line_parse(const char *text, size_t len, struct rc_quarantine_line *ret,
                                     struct rc_error *ret_err);
void rc_quarantine_line_free(struct rc_quarantine_line *l);

#endif
