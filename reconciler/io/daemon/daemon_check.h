/* daemon_check.h - `reconcilerd --check`: is everything there that the daemon needs? */
#ifndef RC_DAEMON_CHECK_H
#define RC_DAEMON_CHECK_H

#include "reconciler/io/daemon/daemon.h"

/* Configuration and policy are loaded. Reads credentials, asks SQS and EC2 once,
 * looks at files and folders, starts the helpers; changes nothing. One line a
 * check on standard output; 0 = all well, 1 = something is wrong. */
int rc_check(struct rc_daemon *d);

#endif
