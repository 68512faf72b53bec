/* text_buf.h - a string that grows.
 *
 * The programs that edit files are short or are started again by the daemon, so memory that
 * is refused ends them (abort); a file is only ever replaced as a whole. */
#ifndef RC_TEXT_BUF_H
#define RC_TEXT_BUF_H

#include <stddef.h>

/* Zeroed = empty. s is NULL or holds len bytes and a NUL; free(s) when done. */
struct rc_text {
    char *s;
    size_t len;
    size_t room;
};

void rc_text_add(struct rc_text *t, const char *bytes, size_t len);
void rc_text_puts(struct rc_text *t, const char *s);
void rc_text_printf(struct rc_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* realloc and strndup that never return NULL. count items of size bytes. */
void *rc_grow(void *old, size_t count, size_t size);
char *rc_copy(const char *s, size_t len);

#endif
