/* utf8.h - the little that the reader and the log need to know of UTF-8 (RFC 3629). */
#ifndef RC_UTF8_H
#define RC_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Length of the valid sequence at text (1 to 4), or 0 when it is not one. NUL is not. */
size_t rc_utf8_length(const char *text, size_t room);
/* Offset of the first byte that is not UTF-8 or is NUL; len when there is none. */
size_t rc_utf8_check(const char *text, size_t len);
/* Writes code (at most 0x10FFFF) in 1 to 4 bytes, without NUL; how many. */
size_t rc_utf8_put(char *out, uint32_t code);

#endif
