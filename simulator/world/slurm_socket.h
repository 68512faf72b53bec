/* slurm_socket.h - the simulated slurmctld behind a Unix socket.
 *
 * rc-slurm-sim connects, says its role ("hello 1 role=reader"), and sends the
 * requests of the helper line protocol (reconciler/io/helper/line.h); answers go
 * back in order. While slurmctld is set "down" each request gets an err line, and
 * while it is "hung" none gets anything until it is "up" again. */
#ifndef RC_SLURM_SOCKET_H
#define RC_SLURM_SOCKET_H

#include "simulator/world/world.h"
#include "simulator/world/world_http.h"

struct event_base;
struct rc_slurm_socket;

/* Listens at the setup's slurm_socket, or at a made-up path that it removes at the end. NULL:
 * why is on stderr. */
struct rc_slurm_socket *rc_slurm_socket_new(struct event_base *base, struct rc_world_http *e,
                                            struct rc_world *w);
void rc_slurm_socket_free(struct rc_slurm_socket *s);
const char *rc_slurm_socket_path(const struct rc_slurm_socket *s);

#endif
