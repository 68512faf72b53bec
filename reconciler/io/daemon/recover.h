/* recover.h - the state across restarts: snapshot and journal.
 *
 * Start: the newest usable snapshot, then every later event is folded and every
 * later action noted (not decided anew: the rules may have changed), then a new
 * segment begins with a snapshot, so that a replay never crosses a restart. */
#ifndef RC_RECOVER_H
#define RC_RECOVER_H

#include "reconciler/io/daemon/daemon.h"

/* Opens the journal and builds d->state from it, or a fresh one. */
enum rc_err rc_recover_open(struct rc_daemon *d, struct rc_error *e);
/* The reading alone: d->state (which must be NULL) as the journal in the configured folder
 * tells it; nothing is written. A torn tail is passed over. */
enum rc_err rc_recover_restore(struct rc_daemon *d, struct rc_error *e);
/* Writes a snapshot into a new segment. Failure is logged; the old one stays in use. */
void rc_recover_rotate(struct rc_daemon *d);

#endif
