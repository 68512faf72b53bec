/* slurm_conf_text.h - the nodes and partitions of a slurm.conf, for the simulated
 * slurmctld only: it reads, it never writes.
 *
 * Understood: comments, continuation lines, Include (relative to the file), NodeName
 * with host ranges and NodeAddr, NodeHostname, CPUs, Sockets…, RealMemory,
 * NodeName=DEFAULT, PartitionName with Nodes. Other keys are skipped. */
#ifndef RC_SLURM_CONF_TEXT_H
#define RC_SLURM_CONF_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "simulator/model/model_slurm.h"

/* Fills rows (room of them); false: why[] says file, line and what was expected. */
bool rc_slurm_conf_read(const char *path, struct rc_sim_node_row *rows, uint32_t room,
                        uint32_t *ret_count, char *why, uint32_t why_room);

/* Calls each() with every name of "gpu-[1-3,07],x"; stops when it returns false. False: the
 * list is malformed or each() said so. */
typedef bool(rc_host_fn)(void *arg, uint32_t index, const char *name);
bool rc_hosts_each(const char *list, rc_host_fn *each, void *arg);

#endif
