/* watch_clock.c - see watch_clock.h.
 *
 * Failure modes: slurmctld or the helper is away: no answer, nothing is told, what was told
 * stands; the next period asks again. */
#define _GNU_SOURCE
#include "reconciler/watch/watch_clock.h"

#include <event2/event.h>
#include <event2/util.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/helper/helper_client.h"
#include "reconciler/watch/clock_skew.h"

enum {
    SKEW_MAX_MS = 2000,
    FIRST_MAX_MS = 30 * 1000, /* nodes that boot together do not ask together */
};
static const char skew_class[] = "clock:skew";

struct rc_watch_clock {
    struct event *turn;
    struct rc_helper *writer;
    struct rc_watch_ears ears;
    const struct rc_probe *probe;
    const char *node;
    int64_t period_ms;
    bool asked, suspect, told;
};

static const struct rc_probe *
clock_row(void)
{
    for (uint32_t i = 0; i < rc_probe_count; i++) {
        if (strcmp(rc_probes[i].name, "clock-skew") == 0) {
            return &rc_probes[i];
        }
    }
    return NULL;
}

static void
wait_ms(struct rc_watch_clock *c, int64_t ms)
{
    const struct timeval in = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    (void)event_add(c->turn, &in);
}

static void
judge_skew(struct rc_watch_clock *c, int64_t skew_ms)
{
    char text[80];
    bool off = skew_ms > SKEW_MAX_MS || skew_ms < -SKEW_MAX_MS;
    int64_t confirm_ms = c->probe->confirm_ms;

    if (off && !c->suspect && !c->told) {
        wait_ms(c, confirm_ms < c->period_ms ? confirm_ms : c->period_ms);
    } else if (off && !c->told) {
        (void)snprintf(text, sizeof text, "the clock is %" PRId64 " s %s slurmctld's",
                       (skew_ms < 0 ? -skew_ms : skew_ms) / 1000,
                       skew_ms < 0 ? "behind" : "ahead of");
        c->ears.on_fault(c->ears.arg, skew_class, "", text, 0);
        c->told = true;
    } else if (!off && c->told) {
        c->ears.on_over(c->ears.arg, skew_class, "");
        c->told = false;
    }
    c->suspect = off;
}

static void
on_clock_end(void *arg, const struct rc_line *ok, const struct rc_error *e)
{
    struct rc_watch_clock *c = arg;
    const char *server = ok ? rc_line_text(ok, "server", "") : "";

    (void)e;
    c->asked = false;
    if (*server) {
        judge_skew(c, rc_clock_skew_ms(strtoll(server, NULL, 10),
                                       strtoll(rc_line_text(ok, "before_us", ""), NULL, 10),
                                       strtoll(rc_line_text(ok, "after_us", ""), NULL, 10)));
    }
}

static void
ask_clock(evutil_socket_t fd, short what, void *arg)
{
    struct rc_watch_clock *c = arg;
    struct rc_error e;

    (void)fd;
    (void)what;
    wait_ms(c, c->period_ms);
    /* Behind a request that waits for slurmctld it would measure that wait, and a drain
     * that comes meanwhile would wait behind it. */
    if (c->asked || !rc_helper_is_up(c->writer) || rc_helper_pending(c->writer) > 0) {
        return;
    }
    rc_line_put(rc_helper_begin(c->writer, "clock"), "name", c->node);
    c->asked = rc_helper_send(c->writer,
                              &(struct rc_helper_call){NULL, on_clock_end, c, c->probe->timeout_ms},
                              &e) == RC_OK;
}

struct rc_watch_clock *
rc_watch_clock_new(struct event_base *base, struct rc_helper *writer, const char *node,
                   int64_t period_ms, const struct rc_watch_ears *ears)
{
    const struct rc_probe *probe = clock_row();
    struct rc_watch_clock *c = period_ms != 0 && probe ? calloc(1, sizeof *c) : NULL;
    uint32_t dice;

    if (!c) {
        return NULL;
    }
    *c = (struct rc_watch_clock){.writer = writer,
                                 .ears = *ears,
                                 .probe = probe,
                                 .node = node,
                                 .period_ms = period_ms > 0 ? period_ms : probe->period_ms};
    c->turn = evtimer_new(base, ask_clock, c);
    if (!c->turn) {
        free(c);
        return NULL;
    }
    evutil_secure_rng_get_bytes(&dice, sizeof dice);
    wait_ms(c, 1 + dice % (c->period_ms < FIRST_MAX_MS ? c->period_ms : FIRST_MAX_MS));
    return c;
}

void
rc_watch_clock_free(struct rc_watch_clock *c)
{
    if (c) {
        event_free(c->turn);
        free(c);
    }
}
