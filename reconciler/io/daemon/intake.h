/* intake.h - messages from SQS: received while we lead, decoded, numbered, kept
 * until the core says that they may go.
 *
 * Invariant: a receipt is held from the receive until the delete was accepted (or
 * the message's visibility ran out and the queue gives it again). Deletes leave
 * in batches; an entry that failed is deleted again with the next batch. */
#ifndef RC_INTAKE_H
#define RC_INTAKE_H

#include "reconciler/io/daemon/daemon.h"

struct rc_intake *rc_intake_new(struct rc_daemon *d);
void rc_intake_free(struct rc_intake *in);
/* Receives while the state says that we lead; ends the long polls when not. */
void rc_intake_follow(struct rc_intake *in);
void rc_intake_stop(struct rc_intake *in);

/* The core's word: this message may leave the queue. Batched until flush. */
void rc_intake_delete(struct rc_intake *in, uint64_t msg);
void rc_intake_flush(struct rc_intake *in);
/* Not deleted after all: the queue gives it again, and it is known then. */
void rc_intake_let_go(struct rc_intake *in, uint64_t msg);
/* Its body and queue id, for the quarantine; NULL when it is not held any more. */
struct rc_held_message {
    char *receipt;
    char *body;
    size_t body_len;
    char id[128];
    char reason[RC_TEXT_LEN];
    int64_t received_ms; /* core time */
    uint64_t msg;
    bool deleting;
};
const struct rc_held_message *rc_intake_held(const struct rc_intake *in, uint64_t msg);
/* A body as if it had come from the queue (quarantine replay). */
enum rc_err rc_intake_replay(struct rc_intake *in, const char *body, size_t len,
                             struct rc_error *e);

struct rc_intake_stats {
    uint64_t received, deleted, delete_failures, receive_failures;
    uint32_t held;
};
void rc_intake_stats(const struct rc_intake *in, struct rc_intake_stats *ret);

#endif
