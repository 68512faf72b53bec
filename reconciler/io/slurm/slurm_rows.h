/* slurm_rows.h - what a Slurm helper's node row means as an event, and the diff that
 * makes an event only of what changed. */
#ifndef RC_SLURM_NODE_H
#define RC_SLURM_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "reconciler/core/event.h"
#include "reconciler/io/helper/line.h"
#include "reconciler/io/slurm/slurm_words.h"

/* Fills an RC_EV_SLURM_NODE event from a "node" row. Times stay 0 (the caller knows
 * the clock). Without jobs= in the row, jobs is 1 when the node is allocated or
 * completing (at least one job), else 0. The owner is NONE while the node is in service, whatever
 * reason stands there: 24.11 keeps a reason after RESUME. A name that does not fit, or an
 * unreadable field, is RC_E_PARSE; a reason that does not fit is cut, such an address is not told.
 * *ret_foreign_time (may be NULL): when the reason is foreign, the time it was set, else 0. */
enum rc_err rc_slurm_node_decode(const struct rc_line *row, uint32_t slurm_uid,
                                 struct rc_event *ret, int64_t *ret_foreign_time,
                                 struct rc_error *e);

/* The last shown state of every node, by name: tells which rows are news.
 * 104 bytes a node. */
struct rc_slurm_diff;
struct rc_slurm_diff *rc_slurm_diff_new(void); /* NULL: no memory */
void rc_slurm_diff_free(struct rc_slurm_diff *d);
/* Begins a full pass: nodes not shown until rc_slurm_diff_finish() have gone. */
void rc_slurm_diff_begin(struct rc_slurm_diff *d);
/* True when the event differs from what was last shown (or was never shown). No
 * memory for a new node counts as news, so nothing is lost. */
bool rc_slurm_diff_news(struct rc_slurm_diff *d, const struct rc_event *ev, int64_t foreign_time);
/* The same for what the node's agent says; call it after rc_slurm_diff_news() of the same row. */
bool rc_slurm_diff_faults(struct rc_slurm_diff *d, const struct rc_event *ev);
/* Nobody knows what was told before: every node's list is news, an empty one too. */
void rc_slurm_diff_forget_faults(struct rc_slurm_diff *d);
/* The time of a foreign reason that stood on the node while it was in service and has not
 * been set anew since: a leftover, nobody's drain. 0 = there is none. */
int64_t rc_slurm_diff_stale(const struct rc_slurm_diff *d, const char *node);
/* Ends a full pass: calls gone for each node that slurmctld no longer shows and
 * forgets it. */
void rc_slurm_diff_finish(struct rc_slurm_diff *d, void (*gone)(void *arg, const char *node),
                          void *arg);
/* Makes every row of the next pass news. Nodes that have gone by then, and leftovers,
 * are still known. */
void rc_slurm_diff_reset(struct rc_slurm_diff *d);
uint32_t rc_slurm_diff_count(const struct rc_slurm_diff *d);

#endif
