/* slurm_client.c - see slurm_client.h: the object, its two helpers, its figures. */
#define _GNU_SOURCE
#include "reconciler/io/slurm/slurm_client.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reconciler/io/slurm/slurm_client_private.h"

enum {
    POLL_MS = 10000,
    WATCH_MS = 1000,
    DUTY = 20,
    SINGLES_PER_S = 20,
    TIMEOUT_MS = 30000,
};

int64_t
rc_slurm_now_us(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
log_helper_state(struct rc_slurm *s, const char *who, const struct rc_line *hello,
                 const struct rc_error *e, uint32_t retry_ms)
{
    char text[400];

    if (!s->config.on_log) {
        return;
    }
    if (hello) {
        (void)snprintf(text, sizeof text, "slurm %s is up: Slurm %s, pid %s", who,
                       rc_line_text(hello, "slurm", "?"), rc_line_text(hello, "pid", "?"));
    } else {
        (void)snprintf(text, sizeof text, "%s; started again in %" PRIu32 " ms", e->text, retry_ms);
    }
    s->config.on_log(s->config.arg, text);
}

static void
on_reader_state(void *arg, const struct rc_line *hello, const struct rc_error *e, uint32_t retry_ms)
{
    struct rc_slurm *s = arg;

    log_helper_state(s, "reader", hello, e, retry_ms);
    if (hello) {
        (void)rc_text_set(s->stats.release, sizeof s->stats.release,
                          rc_line_text(hello, "slurm", ""));
        if (s->started) {
            rc_slurm_poll(s, false);
        }
    }
}

static void
on_writer_state(void *arg, const struct rc_line *hello, const struct rc_error *e, uint32_t retry_ms)
{
    log_helper_state(arg, "writer", hello, e, retry_ms);
}

static void
on_slurm_stderr(void *arg, const char *text)
{
    struct rc_slurm *s = arg;

    if (s->config.on_log) {
        s->config.on_log(s->config.arg, text);
    }
}

static struct rc_helper *
open_slurm_helper(struct rc_slurm *s, const char *name, const char *role, const char *const *argv,
                  struct rc_error *e)
{
    struct rc_helper_config config = {
        .base = s->config.base,
        .name = name,
        .argv = argv,
        .role = role,
        .on_state = strcmp(role, "reader") == 0 ? on_reader_state : on_writer_state,
        .until_ms = strcmp(role, "writer") == 0 ? s->config.until_ms : NULL,
        .until_arg = s->config.arg,
        .on_log = on_slurm_stderr,
        .arg = s,
    };

    return rc_helper_new(&config, e);
}

static uint32_t
slurm_default(uint32_t value, uint32_t fallback)
{
    return value ? value : fallback;
}

struct rc_slurm *
rc_slurm_new(const struct rc_slurm_config *config, struct rc_error *e)
{
    struct rc_slurm *s;

    if (!config->base || !config->on_event || !config->reader_argv || !config->writer_argv) {
        (void)rc_fail(e, RC_E_INVALID, "the Slurm client needs a loop, two helpers and a receiver");
        return NULL;
    }
    s = calloc(1, sizeof *s);
    if (!s) {
        (void)rc_fail(e, RC_E_FULL, "no memory for the Slurm client");
        return NULL;
    }
    s->config = *config;
    s->config.poll_ms = slurm_default(config->poll_ms, POLL_MS);
    s->config.watch_ms = slurm_default(config->watch_ms, WATCH_MS);
    s->config.duty = slurm_default(config->duty, DUTY);
    s->config.singles_per_s = slurm_default(config->singles_per_s, SINGLES_PER_S);
    s->config.timeout_ms = slurm_default(config->timeout_ms, TIMEOUT_MS);
    TAILQ_INIT(&s->waiting);
    LIST_INIT(&s->looks);
    if (rc_slurm_poll_open(s) != RC_OK || rc_slurm_calls_open(s) != RC_OK) {
        (void)rc_fail(e, RC_E_FULL, "no memory for the Slurm client");
        rc_slurm_free(s);
        return NULL;
    }
    s->reader = open_slurm_helper(s, "slurm reader", "reader", config->reader_argv, e);
    s->writer =
        s->reader ? open_slurm_helper(s, "slurm writer", "writer", config->writer_argv, e) : NULL;
    if (!s->writer) {
        rc_slurm_free(s);
        return NULL;
    }
    s->config.reader_argv = s->config.writer_argv = NULL; /* the helpers keep copies */
    return s;
}

void
rc_slurm_free(struct rc_slurm *s)
{
    if (!s) {
        return;
    }
    rc_helper_free(s->reader);
    rc_helper_free(s->writer);
    rc_slurm_calls_close(s);
    rc_slurm_looks_close(s);
    rc_slurm_poll_close(s);
    free(s);
}

void
rc_slurm_stats(const struct rc_slurm *s, struct rc_slurm_stats *ret)
{
    const struct slurm_op *op;

    *ret = s->stats;
    ret->nodes = rc_slurm_diff_count(s->diff);
    ret->reader_starts = rc_helper_starts(s->reader);
    ret->writer_starts = rc_helper_starts(s->writer);
    ret->reader_pid = rc_helper_pid(s->reader);
    ret->writer_pid = rc_helper_pid(s->writer);
    ret->writes_waiting = 0;
    TAILQ_FOREACH(op, &s->waiting, link)
    {
        ret->writes_waiting++;
    }
}
