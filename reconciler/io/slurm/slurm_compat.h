/* slurm_compat.h - what differs between the Slurm releases that this source
 * builds against (22.05 … 24.11). The only place that asks for the release. */
#ifndef RC_SLURM_COMPAT_H
#define RC_SLURM_COMPAT_H

#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>

/* The type that slurm_hostlist_create() returns: the typedef lost its star in 23.11. */
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(23, 11, 0)
typedef hostlist_t *rc_hostlist;
/* node_info_t got instance_id in 23.11. */
#    define RC_NODE_INSTANCE(node) ((node)->instance_id)
#else
typedef hostlist_t rc_hostlist;
#    define RC_NODE_INSTANCE(node) ((void)(node), (const char *)NULL)
#endif

/* Exported by every libslurm, declared by no installed header. */
extern char *slurm_job_state_string(uint32_t state);

#endif
