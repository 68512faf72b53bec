/* watch.h - which Slurm nodes are read each second: those with an open incident.
 * Derived from the state after each turn, so there is nothing to keep in step. */
#ifndef RC_WATCH_H
#define RC_WATCH_H

#include "reconciler/io/daemon/daemon.h"

enum rc_err rc_watch_open(struct rc_daemon *d, struct rc_error *e);
void rc_watch_close(struct rc_daemon *d);
/* After an action: the incident of its node was opened, changed or closed. */
void rc_watch_action(struct rc_daemon *d, const struct rc_action *a);

#endif
