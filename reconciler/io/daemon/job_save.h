/* job_save.h - asks slurmctld to write down the jobs that have begun, so that its successor knows
 * them as running. */
#ifndef RC_JOB_SAVE_H
#define RC_JOB_SAVE_H

#include "reconciler/io/daemon/daemon.h"

/* NULL: no memory. */
struct rc_job_save *rc_job_save_new(struct rc_daemon *d);
void rc_job_save_free(struct rc_job_save *j);
/* What Slurm tells of a node, before it is folded: the leader asks when a job is new on it. NULL
 * (a daemon that only checks its configuration) does nothing. */
void rc_job_save_see(struct rc_job_save *j, const struct rc_event *ev);

#endif
