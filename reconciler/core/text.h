/* text.h - small text work for the core: globs, and building one line in a
 * fixed room. Too long is cut at the end: these lines are for people. */
#ifndef RC_TEXT_H
#define RC_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* '*' any run, '?' one character; the whole text must match. */
bool rc_glob(const char *pattern, const char *text);
/* Append to a NUL-terminated dst of `room` bytes. */
void rc_put_text(char *dst, uint32_t room, const char *src);
void rc_put_number(char *dst, uint32_t room, uint64_t value);
void rc_put_hex(char *dst, uint32_t room, uint64_t value); /* 16 digits */

/* In place: what is not printable ASCII becomes '?'. For words that others sent. */
void rc_text_printable(char *text);

#endif
