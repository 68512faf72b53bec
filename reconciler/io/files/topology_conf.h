/* topology_conf.h - which leaf switch of topology.conf holds a node.
 *
 * Node names do not change when an instance is replaced, so registration leaves
 * topology.conf alone unless it is told that the new instance hangs on
 * another switch. Same reading and the same promises as slurm_conf.h: lines that
 * need no change keep their bytes, the result is read back before it counts. */
#ifndef RC_TOPOLOGY_CONF_H
#define RC_TOPOLOGY_CONF_H

#include <stdbool.h>

#include "reconciler/io/fail.h"
#include "reconciler/io/files/slurm_conf.h"

/* Reads the file and reports what is wrong with it. */
enum rc_err rc_topology_check(const char *path, struct rc_error *e);

/* Moves node to the leaf switch. RC_E_NOT_FOUND: no such leaf switch (a line
 * with Nodes=); RC_E_STATE: the switch that the node leaves would have no node left, which
 * Slurm does not accept; RC_E_PARSE; otherwise as rc_file_replace(). A node that already hangs
 * there changes nothing. */
enum rc_err rc_topology_set_switch(const char *path, const char *node, const char *leaf,
                                   rc_file_changed_fn *told, void *arg, struct rc_error *e);

#endif
