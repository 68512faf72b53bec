/* job_find.h - which Slurm job was on the node when something happened?
 *
 * By the process that a kernel message names, else the only job on the node; where there
 * are several, nobody is accused. Read from the control groups of slurmd (v1 and v2), and from the
 * titles of slurmstepd where Slurm runs without them. */
#ifndef RC_JOB_FIND_H
#define RC_JOB_FIND_H

#include <stdint.h>

/* The process in "…, pid=1234, name=…" or "task NAME:1234 blocked"; 0: none is named. */
uint32_t rc_job_pid_of_text(const char *text);
/* The job of a process, by its control group or the slurmstepd above it; 0: it is of none. */
uint32_t rc_job_of_pid(const char *proc, uint32_t pid);
/* The only job on this node; 0: none, or several. */
uint32_t rc_job_alone(const char *proc, const char *sys);

/* The one after the other. */
uint32_t rc_job_find(const char *proc, const char *sys, const char *text);

#endif
