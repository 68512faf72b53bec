/* helper_client.h - a helper program as an object of the event loop.
 *
 * A helper does what would block or end the daemon (libslurm, file locks). It is
 * a child process that speaks line.h on a socket pair as its stdin and stdout;
 * its stderr goes, line by line, to the log hook. This client starts it, checks
 * its hello, pipelines requests, hands out rows, and starts it again with
 * back-off when it died, spoke nonsense or hung.
 *
 * Contract
 * - Every request that rc_helper_send() took gets exactly one end callback,
 *   never from inside rc_helper_send(); rows come before it, in order.
 * - The helper works on one request at a time, in order. A request's time-out
 *   runs from the moment that it is the oldest one (or from hello, while
 *   the helper is starting). When it passes, the helper is killed: that request
 *   ends with RC_E_TIMEOUT, those behind it with RC_E_HELPER. A request that was
 *   sent may have been carried out, whatever its end says.
 * - While the helper is down (back-off), requests end with RC_E_HELPER.
 * - Callbacks may call rc_helper_begin() and _send(), not rc_helper_free(). */
#ifndef RC_HELPER_CLIENT_H
#define RC_HELPER_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "reconciler/io/fail.h"
#include "reconciler/io/helper/line.h"

struct event_base;
struct rc_helper;

/* A row of the answer; borrowed for the call. */
typedef void(rc_helper_row_fn)(void *arg, const struct rc_line *row);
/* The end. RC_OK: ok is the "ok" line. Otherwise ok is NULL and e tells what went
 * wrong: the helper's own err line (e->service_code is its errno), or
 * RC_E_TIMEOUT, RC_E_HELPER. Both borrowed for the call. */
typedef void(rc_helper_end_fn)(void *arg, const struct rc_line *ok, const struct rc_error *e);
/* The helper came up (hello is its first line, e NULL) or went down (hello NULL, e
 * says why, retry_ms when it is started again). */
typedef void(rc_helper_state_fn)(void *arg, const struct rc_line *hello, const struct rc_error *e,
                                 uint32_t retry_ms);
/* One line of the helper's stderr, without LF, cut at 512 bytes; control bytes are '?'. */
typedef void(rc_helper_log_fn)(void *arg, const char *text);

struct rc_helper_config {
    struct event_base *base;   /* borrowed, outlives the helper object */
    const char *name;          /* for messages: "slurm reader"; copied */
    const char *const *argv;   /* program (a path) and arguments, NULL-ended; copied */
    const char *role;          /* what hello's role= must be; NULL = any; copied */
    uint32_t hello_timeout_ms; /* 0 = 15 s (libslurm may wait for its configuration) */
    uint32_t backoff_min_ms;   /* 0 = 100 ms; doubles up to … */
    uint32_t backoff_max_ms;   /* 0 = 10 s; back to min after a first good answer */
    /* CLOCK_BOOTTIME ms after which a request may not be begun, put into each: a helper that was
     * busy, or whose client stood still, refuses what is older (RC_E_NO_LEASE). NULL = never. */
    int64_t (*until_ms)(void *until_arg);
    void *until_arg;
    rc_helper_state_fn *on_state; /* may be NULL */
    rc_helper_log_fn *on_log;     /* may be NULL */
    void *arg;                    /* of both */
};

/* NULL and *e when the configuration is wrong or memory is short. A program that
 * cannot be started is no error here: on_state tells, and it is tried again. */
struct rc_helper *rc_helper_new(const struct rc_helper_config *config, struct rc_error *e);
/* What the helper waits for is gone: when it has worked on its oldest request for so long it is
 * killed, as if the request's time had passed (but RC_E_HELPER), in the loop's next turn. */
void rc_helper_give_up(struct rc_helper *h, uint32_t after_ms);
/* Kills the helper and reaps it. Pending requests get no callback. NULL is accepted. */
void rc_helper_free(struct rc_helper *h);

/* One request, begun by rc_helper_begin() and filled with rc_line_put*():
 *
 *     struct rc_line_out *req = rc_helper_begin(h, "nodes");
 *     rc_line_put_u64(req, "since", 0);
 *     err = rc_helper_send(h, &(struct rc_helper_call){row, end, arg, 12000}, &e);
 *
 * The buffer is the client's own; begin and send belong together. */
struct rc_helper_call {
    rc_helper_row_fn *row; /* may be NULL: rows are dropped */
    rc_helper_end_fn *end;
    void *arg;
    uint32_t timeout_ms; /* > 0 */
};
struct rc_line_out *rc_helper_begin(struct rc_helper *h, const char *verb);
/* RC_OK: taken, end will be called. RC_E_TOO_LARGE, RC_E_FULL: not taken, no callback. */
enum rc_err rc_helper_send(struct rc_helper *h, const struct rc_helper_call *call,
                           struct rc_error *e);

bool rc_helper_is_up(const struct rc_helper *h);      /* hello was seen */
pid_t rc_helper_pid(const struct rc_helper *h);       /* 0 while down; for reports and tests */
uint32_t rc_helper_starts(const struct rc_helper *h); /* how often it was started */
uint32_t rc_helper_pending(const struct rc_helper *h);

#endif
