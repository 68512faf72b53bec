/* helper_stderr.h - what a helper says on stderr, line by line, into the debug log. */
#ifndef RC_HELPER_STDERR_H
#define RC_HELPER_STDERR_H

enum { RC_STDERR_LINE_MAX = 512 };

struct event_base;
struct rc_helper_stderr;

/* Takes fd (closes it at the end). on_line gets each line without LF, cut at
 * RC_STDERR_LINE_MAX, control bytes as '?'; a flood is dropped beyond some lines a turn. NULL: no
 * memory, fd is closed. */
struct rc_helper_stderr *rc_helper_stderr_open(struct event_base *base, int fd,
                                               void (*on_line)(void *arg, const char *text),
                                               void *arg);
/* Hands out what is still in the pipe, then frees. NULL is accepted. */
void rc_helper_stderr_close(struct rc_helper_stderr *s);

#endif
