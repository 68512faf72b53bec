/* ctl_main.h - reconcilectl without its main(), so that tests can call it. */
#ifndef RC_CTL_MAIN_H
#define RC_CTL_MAIN_H

#include <stdio.h>

enum { RC_CTL_OK = 0, RC_CTL_REFUSED = 1, RC_CTL_USAGE = 2, RC_CTL_NO_DAEMON = 3 };

/* Returns the exit status. `decode` writes to stdout itself. */
int rc_ctl_run(int argc, char **argv, FILE *out, FILE *err);

#endif
