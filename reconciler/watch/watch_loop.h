/* watch_loop.h - "nodewatch watch": hears of faults when they happen, and tells Slurm.
 *
 * A node that is guilty is drained with a Reason that carries our marker; what makes
 * its job suspect goes into the node's Extra (watch_state.h has the words). Slurm's
 * calls are made by rc-slurm-helper, a process of its own, so that a slurmctld that is away
 * blocks nothing here; what could not be said is said again, also after a restart.
 *
 * Records of this boot that were there before the agent count too, but each once: the
 * number of the last one that told of a fault is in the state file. */
#ifndef RC_WATCH_LOOP_H
#define RC_WATCH_LOOP_H

#include "reconciler/watch/probe.h"

struct rc_watch_config {
    struct rc_probe_config probe;
    const char *node;   /* Slurm node name */
    const char *helper; /* path of rc-slurm-helper */
    const char *conf;   /* slurm.conf, or NULL */
    const char *state;  /* state file */
    bool no_probes;     /* the kernel log only */
    int64_t
        clock_ms; /* period of the comparison with slurmctld; 0 = never, below 0 = the table's */
};

/* Runs until SIGTERM or SIGINT. Exit status for main. */
int rc_watch_loop(const struct rc_watch_config *c);

#endif
