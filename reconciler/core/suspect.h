/* suspect.h - is it the job, or the node? What a program can cause is judged by who has it:
 * the same job on many nodes at once is the job (its requeue is held, a person is told, the
 * nodes are innocent); several jobs on one node's device are the node. */
#ifndef RC_SUSPECT_H
#define RC_SUSPECT_H

#include "reconciler/core/state.h"

/* Whose fault is it? Where the agent knows no job (its steps may not have begun, or it is under
 * load), that of a fresh one is the only job on the node; 0 = not known. */
uint32_t rc_suspect_job(const struct rc_state *s, uint32_t node, const struct rc_node_fault *f);
/* News of a fault that a program can cause, under f's job, on a node. True when the node
 * itself is to blame for it: as many jobs as the policy says had it on the same device. */
bool rc_suspect_news(struct rc_state *s, uint32_t node, const struct rc_node_fault *f);
/* The job was judged: what it causes on its nodes is its own. */
bool rc_suspect_judged(const struct rc_state *s, uint32_t job);
/* Asks for what is still to be held; at most a few a step. */
void rc_suspect_decide(struct rc_state *s, struct rc_actions *out);
/* A JOB_HOLD was sent, or answered (error = enum rc_err). */
void rc_suspect_note(struct rc_state *s, const struct rc_action *a);
void rc_suspect_done(struct rc_state *s, uint64_t action, uint32_t error);
/* When rc_suspect_decide() must be called again; RC_NEVER = not. */
int64_t rc_suspect_wake(const struct rc_state *s);

#endif
