/* sweep_slurm.h - pieces of a sweep as one Slurm job array. */
#ifndef RC_SWEEP_SLURM_H
#define RC_SWEEP_SLURM_H

#include "simulator/report/study.h"

/* Is there a cluster to submit to? sbatch is found and slurmctld answers. */
bool rc_sweep_has_slurm(void);
/* Submits the pieces that are wanted and waits for the array to end, with a bar of the files
 * that appear in the folder. argv as the caller got it. 0 when every task ended well; what
 * sbatch says goes to stderr. */
int rc_sweep_submit(const struct rc_study *s, const bool *wanted, int argc, char **argv);

#endif
