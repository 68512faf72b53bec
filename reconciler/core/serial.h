/* serial.h - serial numbers of a host's GPUs, by which a bad host is known again under any name.
 *
 * A board without one says "0", "[N/A]" or "Unknown Error". Two hosts that both say so must not
 * be taken for one, so only what looks like a number of one board is ever kept. Pure. */
#ifndef RC_SERIAL_H
#define RC_SERIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "reconciler/core/limits.h"

/* Does a word of `len` bytes name one board? Letters, digits and dashes; long enough, not too
 * long, some of it digits, not one character again and again. */
bool rc_serial_is_real(const char *word, size_t len);
/* Appends to a list with commas between, where it is real, not there yet and has room. */
void rc_serials_add(char list[RC_SERIALS_LEN], const char *word, size_t len);
/* Of a list with commas between, of any length, what is real. `list` may be `from`. */
void rc_serials_keep_real(char list[RC_SERIALS_LEN], const char *from);
/* Does any serial number stand in both lists? */
bool rc_serials_meet(const char *a, const char *b);

#endif
