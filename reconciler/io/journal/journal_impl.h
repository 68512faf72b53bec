/* journal_impl.h - what journal.c (append, sync), journal_rotate.c and
 * journal_open.c share. Nobody else includes it. */
#ifndef RC_JOURNAL_IMPL_H
#define RC_JOURNAL_IMPL_H

#include "reconciler/io/journal/journal.h"
#include "reconciler/io/journal/segment.h"

struct rc_journal_old {
    uint64_t first; /* record number in its name */
    uint64_t bytes;
};

struct rc_journal_waiter {
    struct rc_journal_waiter *next;
    rc_journal_sync_fn *cb;
    void *arg;
    uint64_t need; /* the record number that must become durable */
};

struct rc_journal {
    struct rc_journal_options o; /* defaults filled in; o.dir is dir */
    char *dir;
    char cluster[RC_CLUSTER_LEN];
    int dir_fd;
    int lock_fd;

    int fd;                     /* newest segment */
    int old_fd;                 /* the one before it while it may not be on the disk, or -1 */
    uint64_t segment;           /* number of the newest segment */
    uint64_t first;             /* its first record */
    uint64_t size;              /* end of its last whole record */
    uint64_t rotate_above;      /* size at which a new segment is wanted */
    bool is_tail_dirty;         /* bytes of a refused append may stand after size */
    struct rc_journal_old *old; /* the segments before it, oldest first */
    size_t old_count;

    uint64_t last;
    uint64_t durable;
    enum rc_journal_state state;

    bool is_closed; /* only the answer to the sync under way is awaited */
    bool is_syncing;
    uint64_t syncing_last;    /* what the request under way makes durable */
    uint64_t syncing_segment; /* and the newest segment that it covers */
    uint64_t synced_segment;  /* the newest segment whose name is on the disk */
    struct rc_journal_waiter *head, **tail;

    struct event *deferred; /* state to tell, waiters that are served already */
    bool must_tell;
    struct rc_error state_why;
    uint8_t *scratch;
    size_t scratch_room;
};

/* Writes all of it at offset at, or says why not. */
enum rc_err rc_journal_write_all(const struct rc_journal *j, int fd, const void *data, size_t len,
                                 uint64_t at, struct rc_error *ret_err);

/* Cuts off what a refused append may have left; until that works, nothing is written. */
enum rc_err rc_journal_clean_tail(struct rc_journal *j, struct rc_error *ret_err);

/* Sets it and has it told, if it is a change. */
void rc_journal_set_state(struct rc_journal *j, enum rc_journal_state state, const char *why);

/* Unless one is under way: oldest segment first, and the directory when the newest
 * segment's name is not safe yet. */
void rc_journal_start_sync(struct rc_journal *j);

/* Makes the segment that begins with record first, durable later: its fd and size
 * (header, and snapshot when there is one). An old file of that name is replaced. */
enum rc_err rc_journal_make_segment(const struct rc_journal *j, uint64_t first,
                                    const void *snapshot, size_t len, int *ret_fd,
                                    uint64_t *ret_size, struct rc_error *ret_err);

/* Deletes segments beyond the retention; none of the newest two. */
void rc_journal_apply_retention(struct rc_journal *j);

/* Closes and frees, calls nobody. */
void rc_journal_destroy(struct rc_journal *j);

/* libevent callback: tells the state, answers waiters that need nothing more. */
void rc_journal_on_deferred(evutil_socket_t fd, short what, void *arg);

#endif
