/* watchdog.h - tells systemd that the daemon is ready, that its loop turns, and that it ends.
 *
 * The protocol of sd_notify(3): datagrams of NAME=value lines to $NOTIFY_SOCKET. The watchdog
 * is fed from the loop alone: a loop that stands still is killed and started again after
 * WatchdogSec. Without systemd nothing is sent. */
#ifndef RC_WATCHDOG_H
#define RC_WATCHDOG_H

struct event_base;
struct rc_watchdog;

/* NULL: no memory. A socket that cannot be reached is no error: nobody listens. */
struct rc_watchdog *rc_watchdog_new(struct event_base *base);
void rc_watchdog_free(struct rc_watchdog *w);
void rc_watchdog_ready(struct rc_watchdog *w);
void rc_watchdog_stopping(struct rc_watchdog *w);
/* One line for `systemctl status`. */
void rc_watchdog_status(struct rc_watchdog *w, const char *text);

#endif
