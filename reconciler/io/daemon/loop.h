/* loop.h - opening and closing of the queue and its turn; see loop.c. */
#ifndef RC_LOOP_H
#define RC_LOOP_H

#include "reconciler/io/daemon/daemon.h"

enum rc_err rc_loop_open(struct rc_daemon *d, struct rc_error *e);
void rc_loop_close(struct rc_daemon *d);
int64_t rc_boot_ms(void); /* CLOCK_BOOTTIME: the clock that leases use too */

#endif
