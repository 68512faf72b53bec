/* helper_server.h - the other end of the line protocol: a helper's main loop.
 *
 * A helper program lists its verbs and calls rc_helper_serve(), which writes
 * hello, reads requests from in, dispatches them one by one, and returns at EOF.
 * Blocking by design: a helper does one thing at a time. Replies are buffered and
 * leave at the end of a request, when the buffer is full, or at rc_reply_flush().
 *
 * A line that cannot be parsed has no seq to answer: the loop says why on stderr
 * and ends with 1, so that the client sees the helper die rather than wait.
 * A request whose until= (CLOCK_BOOTTIME, ms) has passed is answered with err code=no-lease.
 * An unknown verb is answered with err code=invalid-request. */
#ifndef RC_HELPER_SERVER_H
#define RC_HELPER_SERVER_H

#include <stdint.h>

#include "reconciler/io/fail.h"
#include "reconciler/io/helper/line.h"

struct rc_reply; /* the answer being written */

/* Carries out one request. Writes its rows; may write its own "ok" line as the last
 * one (rc_reply_begin(r, "ok")). RC_OK without one: the loop writes a plain ok. An
 * error: the loop writes err from *e (service_code becomes errno, when it is a
 * number). No row may follow "ok". arg is the helper's own. */
typedef enum rc_err(rc_verb_fn)(void *arg, struct rc_reply *r, const struct rc_line *req,
                                struct rc_error *e);

struct rc_verb {
    const char *name;
    rc_verb_fn *run;
};

struct rc_helper_service {
    const char *role;            /* hello's role= */
    const char *product;         /* key and value of one more hello field, such as "slurm", */
    const char *release;         /* "22.05.8"; NULL = none */
    const struct rc_verb *verbs; /* ended by a row whose name is NULL */
    void (*before)(void *arg);   /* called before each verb; NULL = nothing is */
    void *arg;
};

/* Called first by a helper's main: the kernel ends this process when its parent
 * dies, SIGPIPE is ignored (a gone client is seen by write). */
void rc_helper_adopt_parent(void);
/* Serves until EOF on in. Exit status for main: 0 at EOF, 1 after a broken line or
 * a failed write. */
int rc_helper_serve(const struct rc_helper_service *service, int in, int out);

/* One reply line: begin, put, end. The seq is the request's. */
struct rc_line_out *rc_reply_begin(struct rc_reply *r, const char *word);
void rc_reply_end(struct rc_reply *r);
void rc_reply_flush(struct rc_reply *r);

#endif
