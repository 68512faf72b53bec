/* slurm_job_edit.h - inside rc-slurm-helper: a job must not start again on a node. */
#ifndef RC_SLURM_JOB_EDIT_H
#define RC_SLURM_JOB_EDIT_H

#include "reconciler/io/slurm/slurm_helper.h"

/* Adds the node to the ExcNodeList of a pending job and marks that it was us; twice is no
 * error. job is as it was read last. */
enum rc_err rc_slurm_job_exclude(const slurm_job_info_t *job, const char *node, struct rc_error *e);

/* Did we exclude this node from the job, not its owner? */
bool rc_slurm_job_excluded_by_us(const slurm_job_info_t *job, const char *node);

#endif
