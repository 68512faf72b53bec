/* journal.h - the daemon's write-ahead journal: append, sync, rotate.
 *
 * The format and the reader are in journal_read.h. One writer at a time, held by
 * flock(2) on `journal.lock`. Appends go to the file with one pwrite(2) each,
 * so they survive the death of the process; rc_journal_sync() tells when they
 * survive the death of the machine too. The program must ignore SIGXFSZ, or a
 * file size limit kills it instead of being an error.
 *
 * Restart: rc_journal_open() (cuts a torn tail), then a reader from the newest
 * usable snapshot, then append. Both may be used at once. */
#ifndef RC_JOURNAL_H
#define RC_JOURNAL_H

#include <stdbool.h>
#include <sys/types.h>

#include "reconciler/io/journal/journal_read.h"
#include "reconciler/io/journal/syncer.h"

/* The calls that can fail on a bad disk; NULL members mean the real ones. */
struct rc_journal_ops {
    ssize_t (*pwrite)(int fd, const void *data, size_t len, off_t at);
    int (*ftruncate)(int fd, off_t len);
};

enum rc_journal_state {
    RC_JOURNAL_GOOD,
    RC_JOURNAL_WRITE_FAILED, /* the last append was refused and taken back: append again */
    RC_JOURNAL_SYNC_FAILED   /* written data may be lost: only rc_journal_rotate() helps */
};

struct rc_journal;

/* Told once at every change of state, never from inside a call of the journal. */
typedef void(rc_journal_state_fn)(void *arg, enum rc_journal_state state,
                                  const struct rc_error *why);

/* All pointers are borrowed during rc_journal_open() except base, syncer, ops
 * and on_state, which must outlive the journal. */
struct rc_journal_options {
    const char *dir;     /* made (0750) if missing; its parent must exist */
    const char *cluster; /* name in every header; another one in the directory is refused */
    struct event_base *base;
    struct rc_syncer *syncer;
    uint64_t segment_bytes;           /* rotation is wanted above this; 0 = 64 MiB */
    uint32_t keep_segments;           /* older ones are deleted; 0 = 8; at least 2 are kept */
    uint64_t keep_bytes;              /* and while all together are above this; 0 = 1 GiB */
    const struct rc_journal_ops *ops; /* NULL = the real ones */
    rc_journal_state_fn *on_state;    /* NULL = nobody wants to know */
    void *on_state_arg;
};

/* What rc_journal_open() found. */
struct rc_journal_opened {
    uint64_t first; /* oldest record number, 0 = the journal is new and empty */
    uint64_t last;  /* newest record number, 0 = none */
    uint32_t segments;
    bool torn_kept;                           /* the bytes stand in torn_file */
    struct rc_journal_tail torn;              /* what was cut; bytes=0: nothing */
    char torn_file[RC_JOURNAL_FILE_LEN + 32]; /* "<segment>.<offset>.torn" in the directory */
};

/* RC_E_STATE: another process writes there (its pid is in the text);
 * RC_E_FOREIGN: another cluster's; RC_E_PARSE: the newest segment is corrupt;
 * RC_E_DISK, RC_E_DENIED, …: the system's reason is in the text. */
enum rc_err rc_journal_open(const struct rc_journal_options *options,
                            struct rc_journal **ret_journal, struct rc_journal_opened *ret_opened,
                            struct rc_error *ret_err);
/* Calls back every waiter with RC_E_CANCELLED. Does not sync. */
void rc_journal_close(struct rc_journal *j);

struct rc_journal_item {
    enum rc_journal_type type; /* not SNAPSHOT */
    uint32_t len;
    const void *data;
};

/* Appends count records with one write(2): all of them or none. *ret_last is the
 * number of the last one. RC_E_DISK: refused (full, I/O error, file size limit);
 * nothing of it counts, the same call may be made again. RC_E_STATE: a sync
 * failed before, rotate first. */
enum rc_err rc_journal_append(struct rc_journal *j, const struct rc_journal_item *items,
                              unsigned count, uint64_t *ret_last, struct rc_error *ret_err);

/* durable: the highest record number that is on the disk, also on an error.
 * Never called before rc_journal_sync() returned. */
typedef void(rc_journal_sync_fn)(void *arg, enum rc_err code, uint64_t durable);

/* Asks that all records appended so far become durable. Requests that come while
 * one is under way share the next one: one fdatasync serves them all.
 * RC_E_DISK: the state is RC_JOURNAL_SYNC_FAILED. On an error that is returned,
 * cb is not called. */
enum rc_err rc_journal_sync(struct rc_journal *j, rc_journal_sync_fn *cb, void *arg,
                            struct rc_error *ret_err);

/* The segment is above its size, or the journal is in RC_JOURNAL_SYNC_FAILED:
 * the caller should rotate between two steps. */
bool rc_journal_wants_rotation(const struct rc_journal *j);

/* Begins a new segment with a snapshot of the state after all records appended
 * so far (snapshot is read during the call), makes it durable in the background
 * and deletes what is beyond the retention once it is. On an error the old segment
 * goes on in use. Also the way out of RC_JOURNAL_SYNC_FAILED: waiters that come
 * later are served by the new segment. *ret_number: the snapshot's record number. */
enum rc_err rc_journal_rotate(struct rc_journal *j, const void *snapshot, size_t len,
                              uint64_t *ret_number, struct rc_error *ret_err);

enum rc_journal_state rc_journal_state(const struct rc_journal *j);
uint64_t rc_journal_last(const struct rc_journal *j);    /* highest record number appended */
uint64_t rc_journal_durable(const struct rc_journal *j); /* highest known to be on the disk */
uint64_t rc_journal_size(const struct rc_journal *j);    /* bytes of the newest segment */

#endif
