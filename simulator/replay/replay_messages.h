/* replay_messages.h - recorded messages, decoded anew, in the place of a journal's own.
 *
 * A journal holds what a message was decoded to; the messages themselves are kept
 * elsewhere. They belong together by the hash of what makes a message the same again. */
#ifndef RC_REPLAY_MESSAGES_H
#define RC_REPLAY_MESSAGES_H

#include <stdbool.h>

#include "reconciler/core/event.h"

#include "simulator/replay/replay.h"

struct rc_replay_messages;

/* Reads and decodes all of them. *ret is the caller's, to be freed. */
enum rc_err rc_replay_messages_read(const char *path, enum rc_replay_kind kind,
                                    struct rc_replay_messages **ret, struct rc_error *e);
void rc_replay_messages_free(struct rc_replay_messages *m); /* NULL is fine */
/* A journal's event: when it is a message, or part of one, that was read, *ev becomes what
 * it is decoded to now, at the recorded time. False: that is not what was recorded. */
bool rc_replay_messages_put(struct rc_replay_messages *m, struct rc_event *ev);
/* How many were found in both, and how many only in one. */
void rc_replay_messages_sum(const struct rc_replay_messages *m, struct rc_replay_result *ret);

#endif
