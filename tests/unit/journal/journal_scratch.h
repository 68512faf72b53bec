/* journal_scratch.h - a folder that goes away, an event base, a syncer and a journal of
 * records that can be told from each other, for tests. */
#ifndef RC_TEST_JOURNAL_SCRATCH_H
#define RC_TEST_JOURNAL_SCRATCH_H

#include <event2/event.h>

#include "reconciler/io/journal/journal.h"

struct scratch {
    char dir[128]; /* the folder; in memory where /dev/shm is there */
    struct event_base *base;
    struct rc_syncer *syncer;
    int (*fdatasync_fn)(int fd); /* set before scratch_open() to inject a failing one */
};

void scratch_open(struct scratch *s);
void scratch_close(struct scratch *s); /* removes the folder with all that is in it */

/* "<dir>/<name>" in one of a few static buffers. */
const char *scratch_path(const struct scratch *s, const char *name);
void scratch_write(const struct scratch *s, const char *name, const void *data, size_t len);
/* Runs the loop until *done or for 5 s; fails the test when time runs out. */
void scratch_wait(struct scratch *s, const bool *done);
/* One turn of the loop for what is ready now. */
void scratch_turn(struct scratch *s);

/* Journal in <dir>/j of cluster "test", opened with these defaults. */
struct rc_journal_options scratch_journal_options(struct scratch *s);
struct rc_journal *scratch_journal(struct scratch *s, const struct rc_journal_options *options,
                                   struct rc_journal_opened *ret_opened);
/* Appends an EVENT record whose payload is a function of its number. */
enum rc_err scratch_append(struct rc_journal *j, struct rc_error *ret_err);
/* Is the payload the one that scratch_append() gives this number? */
bool scratch_is_genuine(const struct rc_journal_record *r);
/* Syncs and waits for the answer. */
enum rc_err scratch_sync(struct scratch *s, struct rc_journal *j, uint64_t *ret_durable);

#endif
