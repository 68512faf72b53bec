/* sweeps.h - EC2 by polling: every instance of the cluster, and the status checks.
 *
 * EC2's events are best effort, so the sweeps are the truth. Only rows that
 * differ from what was last posted become events; a known instance that a
 * complete pass does not show becomes one absent row. A pass that failed posts
 * an incomplete SWEEP and proves nothing. The standby sweeps too: reading is safe. */
#ifndef RC_SWEEPS_H
#define RC_SWEEPS_H

#include "reconciler/io/daemon/daemon.h"

struct rc_sweeps *rc_sweeps_new(struct rc_daemon *d);
void rc_sweeps_free(struct rc_sweeps *sw);
void rc_sweeps_start(struct rc_sweeps *sw);
/* Two passes over the instances now, not in their turn: a new leader waits for one that began
 * after it was asked for, and one may be under way. */
void rc_sweeps_now(struct rc_sweeps *sw);
/* A row read by somebody (a look): posted if it is news. */
void rc_sweeps_row(struct rc_sweeps *sw, const struct rc_event *row);

struct rc_sweeps_stats {
    uint64_t passes, failures, rows, news;
};
void rc_sweeps_stats(const struct rc_sweeps *sw, struct rc_sweeps_stats *ret);

#endif
