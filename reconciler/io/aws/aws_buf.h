/* aws_buf.h - a byte buffer that grows, with the encodings that requests need.
 *
 * Memory shortage is sticky: later calls do nothing, `failed` stays set and
 * rc_aws_buf_take gives NULL, so a request is built without a check per line.
 * The content is always NUL-terminated beyond len once anything was added. */
#ifndef RC_AWS_BUF_H
#define RC_AWS_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct rc_aws_buf {
    char *p;
    size_t len;
    size_t room;
    bool failed;
};

void rc_aws_buf_add(struct rc_aws_buf *b, const void *data, size_t len);
void rc_aws_buf_str(struct rc_aws_buf *b, const char *text);
void rc_aws_buf_printf(struct rc_aws_buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Percent-encodes all but A-Z a-z 0-9 - _ . ~ (RFC 3986), upper-case digits; keep_slash leaves '/'.
 */
void rc_aws_buf_uri(struct rc_aws_buf *b, const char *data, size_t len, bool keep_slash);
/* A JSON string with its quotes. */
void rc_aws_buf_json(struct rc_aws_buf *b, const char *text);
/* The content, owned by the caller, or NULL; *b is empty afterwards. */
char *rc_aws_buf_take(struct rc_aws_buf *b);
void rc_aws_buf_done(struct rc_aws_buf *b);

#endif
