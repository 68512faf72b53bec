/* slurm_poke.h - hints that Slurm's state may have changed.
 *
 * Sources: slurmctld's log file was written (inotify; survives rotation and a file
 * that does not exist yet), and any datagram on a Unix socket (trigger programs,
 * SlurmctldPrimaryOnProg and -OffProg send one byte). Pokes are never parsed; any
 * number within min_ms is one call. A lost poke costs latency only. */
#ifndef RC_SLURM_POKE_H
#define RC_SLURM_POKE_H

#include <stdint.h>

#include "reconciler/io/fail.h"

struct event_base;
struct rc_slurm_poke;

struct rc_slurm_poke_config {
    struct event_base *base; /* borrowed, outlives the object */
    const char *log_path;    /* slurmctld's log; NULL = do not watch; copied */
    const char *socket_path; /* datagram socket to make, mode 0660; NULL = none; copied */
    uint32_t min_ms;         /* between two calls; 0 = 1 s */
    void (*on_poke)(void *arg);
    void *arg;
};

/* NULL and *e when a given path cannot be watched or bound. A stale socket file of
 * an earlier run is replaced; any other file in its place is an error. */
struct rc_slurm_poke *rc_slurm_poke_new(const struct rc_slurm_poke_config *config,
                                        struct rc_error *e);
void rc_slurm_poke_free(struct rc_slurm_poke *p); /* removes the socket; NULL is accepted */

#endif
