/* replay_world.h - the obliging world around replayed messages and faults: it does what is
 * asked, as EC2, slurmctld and the nodes would on a good day.
 *
 * Messages name instances and no nodes. An instance gets the next free node name of the
 * cluster file when it is first spoken of, and counts as having served it all along; when
 * no name is free, or it is only starting then, it stays a stranger. Nodes are idle: a recording
 * says nothing of jobs. What a message announces happens: the interrupted instance ends, the
 * retired one stops, a failed status check stays failed until a reboot or a replacement.
 *
 * Times are near to what is seen in practice (replay_world.c). No chance, no clock. */
#ifndef RC_REPLAY_WORLD_H
#define RC_REPLAY_WORLD_H

#include "reconciler/core/state.h"
#include "simulator/faults/fault_model.h"

struct rc_replay_world;

/* What the world tells the core goes through this: it stamps the event with the world's
 * time and steps the core. */
typedef void rc_replay_give(void *arg, struct rc_event *ev);

/* cluster must outlive the world; wall_ms is the wall clock at core time now_ms. NULL: no
 * memory, or a group's list of nodes is malformed. */
struct rc_replay_world *rc_replay_world_new(const struct rc_cluster *cluster, int64_t now_ms,
                                            int64_t wall_ms, rc_replay_give *give, void *arg);
void rc_replay_world_free(struct rc_replay_world *w); /* NULL is fine */

int64_t rc_replay_world_now_ms(const struct rc_replay_world *w);
int64_t rc_replay_world_wall_ms(const struct rc_replay_world *w);
/* When something is due next; RC_NEVER = nothing. */
int64_t rc_replay_world_next_ms(const struct rc_replay_world *w);
/* Time goes to now_ms and the first thing that is due then happens, if any is. */
void rc_replay_world_go(struct rc_replay_world *w, int64_t now_ms);

/* A decoded message speaks of this: gives what the daemon would have known of the
 * instance before, and remembers what follows from it. Before the core gets it. */
void rc_replay_world_hear(struct rc_replay_world *w, const struct rc_event *ev);
/* A fault of a recorded trace begins on node (0-based) of the cluster. */
void rc_replay_world_fault(struct rc_replay_world *w, const struct rc_fault_row *fault);
/* Carries an action out. */
void rc_replay_world_act(struct rc_replay_world *w, const struct rc_action *a);
/* Polls while incidents are open: call after each step. */
void rc_replay_world_watch(struct rc_replay_world *w, const struct rc_state *s);

#endif
