/* watch_clock.h - compares the node's clock with slurmctld's, through the helper.
 *
 * adjtimex tells whether anything keeps the clock; a server of time that is itself wrong, or one
 * that serves this node alone, shows only against another clock. slurmctld's is the one
 * that counts: munge refuses what is five minutes off. Its second is known, so
 * agreement within about two seconds is all that can be proved. */
#ifndef RC_WATCH_CLOCK_H
#define RC_WATCH_CLOCK_H

#include <stdint.h>

#include "reconciler/watch/watch_probes.h"

struct rc_helper;
struct rc_watch_clock;

/* period_ms: 0 = never, below 0 = as the table of probes says. Told is "clock:skew", when two
 * looks found it, and its end. node and writer are borrowed. NULL: never, or no memory. */
struct rc_watch_clock *rc_watch_clock_new(struct event_base *base, struct rc_helper *writer,
                                          const char *node, int64_t period_ms,
                                          const struct rc_watch_ears *ears);
/* Before the helper is freed or after. NULL is accepted. */
void rc_watch_clock_free(struct rc_watch_clock *c);

#endif
