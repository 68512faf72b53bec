/* slurm_fault.h - what a node's agent says in Reason and Extra, as an event.
 *
 * The words are those of reconciler/watch/README.md:
 *     Reason  rc:0 <class>[ <device>] boot=<8 hex>[ job=<id>][ +<others>]
 *     Extra   rc:0 boot=<8 hex> <class>[@<device>]*<times>:<last, Unix s>[/<job>][!] …
 * Extra is the agent's whole list of this boot ("!": it drained the node for this one); a
 * Reason is written first, so its fault is added while the list does not have it yet. Of two
 * boots the newer counts alone. Pure. */
#ifndef RC_SLURM_FAULT_H
#define RC_SLURM_FAULT_H

#include "reconciler/core/event.h"
#include "reconciler/io/helper/line.h"

/* Fills an RC_EV_NODE_FAULTS event from a helper's "node" row. Somebody else's words, and
 * words that cannot be read, give an empty list: they are nobody's fault. */
void rc_slurm_faults_decode(const struct rc_line *row, struct rc_event *ret);

#endif
