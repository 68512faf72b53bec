/* scratch.h - a folder for the tests of the file editors, removed by scratch_done(). */
#ifndef RC_TEST_SCRATCH_H
#define RC_TEST_SCRATCH_H

#include <stddef.h>

/* Makes the folder; aborts when it cannot. */
void scratch_init(void);
void scratch_done(void);
/* Path of a name in the folder; one of eight static buffers. */
const char *scratch_path(const char *name);
void scratch_write(const char *name, const char *text);
/* Whole file; free() it. "" when it cannot be read. */
char *scratch_read(const char *name);
/* Names in the folder, sorted, joined by blanks; free() it. */
char *scratch_list(void);

#endif
