/* lease_file.h - the lease as a file, for one machine (or one shared directory).
 *
 * `<path>` holds one JSON object; it is replaced by an atomic rename inside a
 * flock(2) on `<path>.lock`, which is held for that moment only. */
#ifndef RC_LEASE_FILE_H
#define RC_LEASE_FILE_H

#include <event2/event.h>

#include "reconciler/io/store/lease.h"

/* Strings are copied. base must outlive the lease. */
struct rc_lease_file_options {
    struct event_base *base;
    const char *path;
    const char *cluster; /* a record of another cluster is refused */
    const char *owner;   /* this controller, such as its host name; shorter than RC_NODE_LEN */
    int64_t term_ms;     /* > 0 */
    int64_t grace_ms;    /* the request time-out: a successor waits term + grace */
    /* What no other living process can be, such as the boot of this machine and a locked
     * folder (shorter than RC_LEASE_HOLDER_LEN): a lease of the same owner and holder is of a
     * former life and taken over at once. NULL: never. */
    const char *holder;
    int64_t (*now_ms)(void *arg); /* NULL = CLOCK_BOOTTIME, which counts through a suspend */
    void *now_arg;
};

/* On success *ret_lease is the caller's: rc_lease_free(). */
enum rc_err rc_lease_file_new(const struct rc_lease_file_options *options,
                              struct rc_lease **ret_lease, struct rc_error *ret_err);

#endif
