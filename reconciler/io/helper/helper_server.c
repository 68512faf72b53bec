/* helper_server.c - see helper_server.h.
 *
 * One input buffer of a line, one output buffer that always has room for one more
 * line. A reply line that does not fit RC_LINE_MAX is dropped and turns the
 * request's end into an error, never a cut line. */
#define _GNU_SOURCE
#include "reconciler/io/helper/helper_server.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { OUT_ROOM = 2 * RC_LINE_MAX };

struct rc_reply {
    int fd;
    bool write_failed;
    bool line_failed; /* a line of this request did not fit */
    bool ended;       /* its ok or err line is written */
    uint64_t seq;
    struct rc_line_out line;
    size_t len;
    char buf[OUT_ROOM];
};

struct server {
    const struct rc_helper_service *service;
    int in;
    size_t len; /* bytes in buf */
    struct rc_reply reply;
    char buf[RC_LINE_MAX + 1];
};

void
rc_helper_adopt_parent(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* The parent may have died before that call: EOF on stdin then ends the loop. */
}

void
rc_reply_flush(struct rc_reply *r)
{
    size_t done = 0;

    while (done < r->len && !r->write_failed) {
        ssize_t n = write(r->fd, r->buf + done, r->len - done);

        if (n > 0) {
            done += (size_t)n;
        } else if (n < 0 && errno != EINTR) {
            r->write_failed = true;
        }
    }
    r->len = 0;
}

static void
reply_line(struct rc_reply *r, uint64_t seq, const char *word)
{
    if (OUT_ROOM - r->len < RC_LINE_MAX) {
        rc_reply_flush(r);
    }
    rc_line_begin(&r->line, r->buf + r->len, RC_LINE_MAX, seq, word);
}

struct rc_line_out *
rc_reply_begin(struct rc_reply *r, const char *word)
{
    assert(!r->ended);
    r->ended = strcmp(word, "ok") == 0 || strcmp(word, "err") == 0;
    reply_line(r, r->seq, word);
    return &r->line;
}

void
rc_reply_end(struct rc_reply *r)
{
    size_t len = rc_line_end(&r->line);

    if (len == 0) {
        r->line_failed = true;
        r->ended = false;
    }
    r->len += len;
}

static void
reply_error(struct rc_reply *r, const struct rc_error *e)
{
    const char *number = e->service_code;
    bool numeric = number[0] && strspn(number, "0123456789") == strlen(number);
    struct rc_line_out *out = rc_reply_begin(r, "err");

    rc_line_put(out, "code", rc_err_name(e->code));
    rc_line_put(out, "errno", numeric ? number : "0");
    rc_line_put(out, "text", e->text);
    rc_reply_end(r);
}

static const struct rc_verb *
verb_find(const struct rc_helper_service *service, const char *name)
{
    for (const struct rc_verb *v = service->verbs; v->name; v++) {
        if (strcmp(v->name, name) == 0) {
            return v;
        }
    }
    return NULL;
}

/* The request waited here, or its sender stood still, until it may not be begun any more. */
static bool
is_past_until(const struct rc_line *req)
{
    const char *until = rc_line_get(req, "until");
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return until && *until &&
           (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 >= (int64_t)strtoll(until, NULL, 10);
}

static void
serve_request(struct server *s, const struct rc_line *req)
{
    const struct rc_verb *verb = verb_find(s->service, req->word);
    struct rc_reply *r = &s->reply;
    struct rc_error e = {.code = RC_OK};
    enum rc_err err;

    r->seq = req->seq;
    r->ended = r->line_failed = false;
    if (is_past_until(req)) {
        err = rc_fail(&e, RC_E_NO_LEASE, "the lease ran out before it was begun");
    } else if (verb) {
        if (s->service->before) {
            s->service->before(s->service->arg);
        }
        err = verb->run(s->service->arg, r, req, &e);
    } else {
        err = rc_fail(&e, RC_E_INVALID, "%s is no verb of role %s", req->word, s->service->role);
    }
    if (err == RC_OK && r->line_failed) {
        err = rc_fail(&e, RC_E_TOO_LARGE, "a line of the answer is over %d bytes", RC_LINE_MAX);
    }
    if (!r->ended && err != RC_OK) {
        e.code = err;
        reply_error(r, &e);
    } else if (!r->ended) {
        (void)rc_reply_begin(r, "ok");
        rc_reply_end(r);
    }
    rc_reply_flush(r);
}

/* Serves every whole line in the buffer; false ends the program. */
static bool
serve_buffer(struct server *s)
{
    char *line = s->buf;
    char *end = s->buf + s->len;
    char *lf;

    while ((lf = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        struct rc_line req;
        struct rc_error e;

        if (rc_line_parse(line, (size_t)(lf - line), &req, &e) != RC_OK || req.seq == 0) {
            (void)fprintf(stderr, "a request cannot be read: %s\n",
                          req.word && req.seq == 0 ? "hello is for helpers" : e.text);
            return false;
        }
        serve_request(s, &req);
        if (s->reply.write_failed) {
            return false;
        }
        line = lf + 1;
    }
    s->len = (size_t)(end - line);
    memmove(s->buf, line, s->len);
    if (s->len >= RC_LINE_MAX) {
        (void)fprintf(stderr, "a request is longer than %d bytes\n", RC_LINE_MAX);
        return false;
    }
    return true;
}

static void
say_hello(struct server *s)
{
    struct rc_reply *r = &s->reply;

    reply_line(r, 0, "hello");
    rc_line_put(&r->line, "role", s->service->role);
    if (s->service->product) {
        rc_line_put(&r->line, s->service->product, s->service->release);
    }
    rc_line_put_u64(&r->line, "pid", (uint64_t)getpid());
    rc_reply_end(r);
    rc_reply_flush(r);
}

int
rc_helper_serve(const struct rc_helper_service *service, int in, int out)
{
    struct server *s = calloc(1, sizeof *s);
    int status = 1;

    if (!s) {
        (void)fprintf(stderr, "no memory for the request buffer\n");
        return 1;
    }
    s->service = service;
    s->in = in;
    s->reply.fd = out;
    say_hello(s);
    while (!s->reply.write_failed) {
        ssize_t n = read(s->in, s->buf + s->len, RC_LINE_MAX - s->len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            status = n == 0 ? 0 : 1;
            break;
        }
        s->len += (size_t)n;
        if (!serve_buffer(s)) {
            break;
        }
    }
    free(s);
    return status;
}
