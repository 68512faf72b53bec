/* prove.h - `simulate prove`: what the simulator rests on, shown with numbers.
 *
 *   streams  the random streams and distributions stand statistical tests
 *   ettr     known answers of renewal theory, inside the interval of the simulation
 *   trace    a recorded fault trace: as it was, under our policies, and what is fitted to it
 *
 * Every proof has fixed seeds, so it holds always or never; each prints what it compared. */
#ifndef RC_PROVE_H
#define RC_PROVE_H

#include <stdbool.h>

enum {
    RC_PROVE_HOLDS = 0,
    RC_PROVE_FAILS = 1,
    RC_PROVE_USAGE = 2,
    RC_PROVE_CANNOT = 3, /* an input cannot be read, or no memory */
    RC_PROVE_SKIPPED = 77
};

int rc_prove_streams(void);
int rc_prove_ettr(void);
int rc_prove_trace(void); /* RC_PROVE_SKIPPED without RC_TRACES in the environment */

/* simulate prove [ettr|trace|streams]; all of them without a word. Exit 0 only if all hold;
 * 77 when nothing failed and the trace was wanted but is not there. */
int rc_prove_command(int argc, char **argv);

/* Prints "ok" or "NOT OK" and the text; returns good. */
bool rc_prove_say(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
