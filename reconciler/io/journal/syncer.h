/* syncer.h - fdatasync without blocking the loop.
 *
 * A small child process, forked when the syncer is made, gets duplicates of the
 * descriptors to sync over a socket pair (SCM_RIGHTS; they share the open file
 * description, so a write-back error is reported to exactly this request),
 * calls fdatasync on each and answers. It holds nothing between requests and
 * ends when the daemon does. Requests are served in order. */
#ifndef RC_SYNCER_H
#define RC_SYNCER_H

#include <event2/event.h>

#include "reconciler/io/fail.h"

enum { RC_SYNCER_FILES_MAX = 4 }; /* descriptors of one request */

struct rc_syncer;

/* Never called before rc_syncer_sync() returned. RC_OK; RC_E_DISK with errno's
 * text: what was not synced may be lost for good, a second fdatasync that
 * succeeds proves nothing; RC_E_HELPER: the child died, ask again;
 * RC_E_CANCELLED: the syncer was freed. err is borrowed. */
typedef void(rc_syncer_fn)(void *arg, enum rc_err code, const struct rc_error *err);

/* fdatasync_fn: NULL = fdatasync(2); tests put a failing one there. Must be made
 * early, while the process is small. base is borrowed for the syncer's life. */
enum rc_err rc_syncer_new(struct event_base *base, int (*fdatasync_fn)(int fd),
                          struct rc_syncer **ret_syncer, struct rc_error *ret_err);
/* Calls back every waiter with RC_E_CANCELLED, waits for the child to end. */
void rc_syncer_free(struct rc_syncer *s);

/* Syncs fds[0..count) in order and stops at the first failure; a directory is
 * synced like a file. The descriptors may be closed once this has returned.
 * On an error that is returned, cb is not called. */
enum rc_err rc_syncer_sync(struct rc_syncer *s, const int *fds, unsigned count, rc_syncer_fn *cb,
                           void *arg, struct rc_error *ret_err);

#endif
