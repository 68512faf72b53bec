/* quarantine.h - messages that nobody can read, kept aside with their reason.
 *
 * `<path>` is JSON lines, oldest first:
 *   {"id":7,"time":"2026-11-23T06:40:00.123Z","message_id":"…","reason":"…","body":"…"}
 *   {"id":8,…,"body_base64":"…"}            the body is not UTF-8, or holds a NUL
 *   {"taken":7,"time":"…"}                  given back for replay
 * Ids only grow. Above max_bytes the file becomes `<path>.1` (the one before it
 * is dropped) and a new one begins. A torn last line is cut when it is opened.
 * One message of the queue stands there once while it is not taken. */
#ifndef RC_QUARANTINE_H
#define RC_QUARANTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#include "reconciler/io/fail.h"
#include "reconciler/io/journal/syncer.h"

struct rc_quarantine;

/* Strings are copied. base and syncer must outlive the quarantine. */
struct rc_quarantine_options {
    struct event_base *base;
    struct rc_syncer *syncer;
    const char *path;
    uint64_t max_bytes; /* of one file; 0 = 64 MiB */
};

/* One message. Borrowed where it is handed out. */
struct rc_quarantine_item {
    uint64_t id;
    int64_t time_ms;        /* Unix, when it was put here */
    const char *message_id; /* the queue's own id, "" = not known */
    const char *reason;
    const void *body; /* exactly as it came */
    size_t body_len;
    bool taken; /* replayed since */
};

enum rc_err rc_quarantine_open(const struct rc_quarantine_options *options,
                               struct rc_quarantine **ret_quarantine, struct rc_error *ret_err);
/* Calls back every waiter with RC_E_CANCELLED. NULL is fine. */
void rc_quarantine_close(struct rc_quarantine *q);

/* RC_OK: it is on the disk, the message may be deleted from its queue. err is borrowed.
 * Never called before rc_quarantine_put() returned. */
typedef void(rc_quarantine_fn)(void *arg, enum rc_err code, uint64_t id,
                               const struct rc_error *err);

/* id and taken of item are not read; it is borrowed for the call. Puts that come
 * together share one fdatasync. On an error that is returned, cb is not called
 * and nothing of the message stands in the file. A message that stands there
 * already, by message_id and body, is not written again: its id is answered,
 * after a sync too. */
enum rc_err rc_quarantine_put(struct rc_quarantine *q, const struct rc_quarantine_item *item,
                              rc_quarantine_fn *cb, void *arg, struct rc_error *ret_err);

/* Return false to stop. */
typedef bool(rc_quarantine_row_fn)(void *arg, const struct rc_quarantine_item *item);

/* Every message of both files, oldest first. A line that cannot be read is an
 * error that names file and line; the rows before it have been shown. */
enum rc_err rc_quarantine_list(struct rc_quarantine *q, rc_quarantine_row_fn *row, void *arg,
                               struct rc_error *ret_err);

/* Marks the message as taken and shows it to row once. RC_E_NOT_FOUND: no such id;
 * RC_E_STATE: taken before. */
enum rc_err rc_quarantine_take(struct rc_quarantine *q, uint64_t id, rc_quarantine_row_fn *row,
                               void *arg, struct rc_error *ret_err);

/* Messages that wait here, not taken. */
uint64_t rc_quarantine_count(const struct rc_quarantine *q);
/* Messages not taken that were dropped with an old file since it was opened. */
uint64_t rc_quarantine_dropped(const struct rc_quarantine *q);

#endif
