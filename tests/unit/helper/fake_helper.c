/* fake_helper.c - a helper program that behaves as its arguments and requests say:
 * well, or in every wrong way that the client must survive.
 *
 * fake_helper hello=<good|none|old|role|garbage> [exit] */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/io/helper/helper_server.h"

static enum rc_err
run_echo(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    struct rc_line_out *out = rc_reply_begin(r, "ok");

    (void)arg;
    (void)e;
    rc_line_put(out, "text", rc_line_text(req, "text", "none"));
    rc_reply_end(r);
    return RC_OK;
}

static enum rc_err
run_rows(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    (void)arg;
    (void)e;
    for (uint64_t i = 0; i < rc_line_number(req, "n", 1000000, 0); i++) {
        struct rc_line_out *out = rc_reply_begin(r, "row");

        rc_line_put_u64(out, "i", i);
        rc_reply_end(r);
    }
    return RC_OK;
}

static enum rc_err
run_fail(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    (void)arg;
    (void)r;
    (void)req;
    (void)rc_fail(e, RC_E_SLURM_DOWN, "slurmctld is not there");
    (void)snprintf(e->service_code, sizeof e->service_code, "1800");
    return e->code;
}

static enum rc_err
run_huge(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    static char text[RC_LINE_MAX];
    struct rc_line_out *out = rc_reply_begin(r, "row");

    (void)arg;
    (void)req;
    (void)e;
    memset(text, ' ', sizeof text - 1);
    rc_line_put(out, "text", text);
    rc_reply_end(r);
    return RC_OK;
}

static enum rc_err
run_sleep(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    (void)arg;
    (void)r;
    (void)e;
    (void)usleep((useconds_t)rc_line_number(req, "ms", 60000, 1) * 1000);
    return RC_OK;
}

/* Writes the given bytes as they are, past the protocol. */
static enum rc_err
run_raw(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    const char *text = rc_line_text(req, "text", "");

    (void)arg;
    (void)e;
    rc_reply_flush(r);
    if (write(1, text, strlen(text)) < 0) {
        return RC_E_IO;
    }
    return RC_OK;
}

static enum rc_err
run_stderr(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    (void)arg;
    (void)r;
    (void)e;
    (void)fprintf(stderr, "%s\n", rc_line_text(req, "text", ""));
    return RC_OK;
}

static enum rc_err
run_flood(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    static char junk[4096];

    (void)arg;
    (void)r;
    (void)req;
    (void)e;
    memset(junk, 'x', sizeof junk);
    for (;;) {
        if (write(1, junk, sizeof junk) < 0) {
            _exit(3);
        }
    }
}

static enum rc_err
run_die(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    (void)arg;
    (void)r;
    (void)e;
    if (rc_line_get(req, "signal")) {
        (void)raise(SIGKILL);
    }
    _exit(7);
}

int
main(int argc, char **argv)
{
    static const struct rc_verb verbs[] = {
        {"echo", run_echo},   {"rows", run_rows}, {"fail", run_fail},     {"huge", run_huge},
        {"sleep", run_sleep}, {"raw", run_raw},   {"stderr", run_stderr}, {"flood", run_flood},
        {"die", run_die},     {NULL, NULL},
    };
    const struct rc_helper_service service = {
        .role = "fake", .product = "fake", .release = "1.0", .verbs = verbs};
    const char *hello = argc > 1 ? argv[1] : "hello=good";

    rc_helper_adopt_parent();
    if (strcmp(hello, "hello=none") == 0) {
        (void)sleep(60);
    } else if (strcmp(hello, "hello=old") == 0) {
        (void)puts("hello 0 role=fake");
    } else if (strcmp(hello, "hello=role") == 0) {
        (void)puts("hello 1 role=other");
    } else if (strcmp(hello, "hello=garbage") == 0) {
        (void)puts("\x01\xff{}");
    } else if (strcmp(hello, "hello=early") == 0) {
        (void)puts("1 ok");
    } else if (strcmp(hello, "hello=exit") == 0) {
        return 1;
    }
    (void)fflush(stdout);
    return rc_helper_serve(&service, 0, 1);
}
