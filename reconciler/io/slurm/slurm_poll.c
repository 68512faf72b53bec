/* slurm_poll.c - the reading half of the Slurm client.
 *
 * Invariants: at most one full poll and one read of watched nodes run at a time. A
 * poll's rows become events as they come; only its good end moves `since` on and lets
 * nodes go, so that a poll which broke off is repeated from where it began.
 *
 * slurmctld compares `since` with its own clock. A new primary whose clock is behind
 * could answer "unchanged" wrongly, hence the whole table is read each TABLE_US and
 * after every failed poll. */
#define _GNU_SOURCE
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/slurm/slurm_client_private.h"
#include "reconciler/io/slurm/slurm_fault.h"

#define TABLE_US (INT64_C(600) * 1000000)

enum {
    POKE_MIN_MS = 1000,  /* between two polls that pokes asked for */
    WAITS_MS = 1000,     /* a request that is so old waits for a slurmctld */
    REST_MAX_MS = 60000, /* however long the last one took: it may have waited for a restart */
    NAMES_ROOM = 128 * (RC_NODE_LEN + 1),
};

static void
timer_set_us(struct event *timer, int64_t us)
{
    struct timeval tv = {0};

    if (us > 0) {
        tv.tv_sec = us / 1000000;
        tv.tv_usec = us % 1000000;
    }
    (void)event_add(timer, &tv);
}

void
rc_slurm_show(struct rc_slurm *s, const struct rc_event *ev)
{
    s->stats.node_events++;
    s->config.on_event(s->config.arg, ev);
}

static void
log_poll_error(struct rc_slurm *s, const char *text)
{
    if (s->config.on_log) {
        s->config.on_log(s->config.arg, text);
    }
}

/* A "node" row: true when it is one and could be read. */
bool
rc_slurm_take_row(struct rc_slurm *s, const struct rc_line *row, struct rc_event *ret,
                  int64_t *ret_foreign_time)
{
    struct rc_error e;

    if (strcmp(row->word, "node") != 0) {
        return false;
    }
    if (rc_slurm_node_decode(row, s->slurm_uid, ret, ret_foreign_time, &e) != RC_OK) {
        log_poll_error(s, e.text);
        return false;
    }
    return true;
}

void
rc_slurm_show_faults(struct rc_slurm *s, const struct rc_line *row)
{
    struct rc_event ev;

    rc_slurm_faults_decode(row, &ev);
    if (rc_slurm_diff_faults(s->diff, &ev)) {
        rc_slurm_show(s, &ev);
    }
}

static void
on_node_row(void *arg, const struct rc_line *row)
{
    struct rc_slurm *s = arg;
    struct rc_event ev;
    int64_t foreign_time;

    if (!rc_slurm_take_row(s, row, &ev, &foreign_time)) {
        return;
    }
    bool news = rc_slurm_diff_news(s->diff, &ev, foreign_time);

    rc_slurm_show_faults(s, row); /* first, so that a drain is known with its cause */
    if (news) {
        rc_slurm_show(s, &ev);
    }
}

static void
show_gone_node(void *arg, const char *node)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_SLURM_NODE);
    (void)rc_text_set(ev.node, sizeof ev.node, node);
    ev.u.slurm.flags = RC_SN_UNKNOWN;
    (void)rc_text_set(ev.u.slurm.reason, sizeof ev.u.slurm.reason,
                      "no longer in slurmctld's node table");
    rc_slurm_show(arg, &ev);
}

static void
show_sweep(struct rc_slurm *s, enum rc_err err, uint32_t jobs)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_SWEEP);
    ev.u.sweep.which = RC_SWEEP_SLURM;
    ev.u.sweep.complete = err == RC_OK;
    ev.u.sweep.error = err;
    ev.u.sweep.seen = rc_slurm_diff_count(s->diff);
    ev.u.sweep.jobs = jobs;
    s->config.on_event(s->config.arg, &ev);
}

/* When the next poll may begin: duty times the length of the last one after its
 * beginning, and not before min_ms. */
static void
poll_schedule(struct rc_slurm *s, uint32_t min_ms)
{
    int64_t wait_us = (int64_t)s->stats.last_poll_us * s->config.duty;

    wait_us = wait_us < (int64_t)REST_MAX_MS * 1000 ? wait_us : (int64_t)REST_MAX_MS * 1000;
    wait_us = wait_us > (int64_t)min_ms * 1000 ? wait_us : (int64_t)min_ms * 1000;
    timer_set_us(s->poll_timer, s->poll_began_us + wait_us - rc_slurm_now_us());
}

static void
on_poll_end(void *arg, const struct rc_line *ok, const struct rc_error *e)
{
    struct rc_slurm *s = arg;
    enum rc_err err = e ? e->code : RC_OK;
    uint64_t time = 0;

    s->polling = false;
    s->stats.polls++;
    s->stats.last_poll_us = (uint32_t)(rc_slurm_now_us() - s->poll_began_us);
    s->stats.reader_error = err;
    if (err == RC_OK && !rc_line_u64(ok, "time", &time)) {
        err = s->stats.reader_error = RC_E_PARSE;
    }
    if (err != RC_OK) {
        s->stats.polls_failed++;
        s->since = 0;
        /* A failed poll's length is libslurm's patience, not slurmctld's time. */
        s->stats.last_poll_us = 0;
        s->waited = false;
        log_poll_error(s, e ? e->text : "a poll's end without time=");
    } else if (rc_line_get(ok, "unchanged")) {
        s->stats.polls_unchanged++;
    } else {
        rc_slurm_diff_finish(s->diff, show_gone_node, s);
        s->since = time;
    }
    if (s->waited) { /* begun under the primary before */
        s->stats.last_poll_us = 0;
        s->waited = false;
    }
    poll_schedule(s, s->poked ? POKE_MIN_MS : s->config.poll_ms);
    s->poked = false;
    show_sweep(s, err, err == RC_OK ? (uint32_t)rc_line_number(ok, "jobs", UINT32_MAX, 0) : 0);
}

static void
on_config_end(void *arg, const struct rc_line *ok, const struct rc_error *e)
{
    struct rc_slurm *s = arg;

    (void)e;
    if (ok) {
        s->slurm_uid = (uint32_t)rc_line_number(ok, "slurm_uid", UINT32_MAX, 0);
        s->knows_uid = true;
    }
}

/* Sends what rc_helper_begin() began; a request that is not taken ends at once. */
static void
ask_reader(struct rc_slurm *s, rc_helper_row_fn *row, rc_helper_end_fn *end, void *arg)
{
    struct rc_helper_call call = {
        .row = row, .end = end, .arg = arg, .timeout_ms = s->config.timeout_ms};
    struct rc_error e;

    if (rc_helper_send(s->reader, &call, &e) != RC_OK) {
        end(arg, NULL, &e);
    }
}

static void
poll_begin(struct rc_slurm *s)
{
    int64_t now_us = rc_slurm_now_us();

    if (s->polling) {
        s->poked = true;
        return;
    }
    s->polling = true;
    s->poll_began_us = now_us;
    if (s->full_wanted) {
        rc_slurm_diff_reset(s->diff);
        s->full_wanted = false;
        s->since = 0;
    }
    if (s->since == 0 || now_us - s->table_us >= TABLE_US) {
        s->table_us = now_us;
        s->since = 0;
    }
    if (!s->knows_uid) {
        (void)rc_helper_begin(s->reader, "config");
        ask_reader(s, NULL, on_config_end, s);
    }
    rc_slurm_diff_begin(s->diff);
    rc_line_put_u64(rc_helper_begin(s->reader, "nodes"), "since", s->since);
    ask_reader(s, on_node_row, on_poll_end, s);
}

static void
on_poll_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    poll_begin(arg);
}

void
rc_slurm_poll(struct rc_slurm *s, bool full)
{
    s->full_wanted = s->full_wanted || full;
    if (s->polling) {
        s->poked = true;
    } else if (s->started) {
        poll_schedule(s, POKE_MIN_MS);
    }
}

void
rc_slurm_primary_changed(struct rc_slurm *s)
{
    s->stats.last_poll_us = 0;
    s->waited = s->polling;
    /* libslurm that met a standby sleeps 30 s before it asks again. */
    rc_helper_give_up(s->reader, WAITS_MS);
    rc_helper_give_up(s->writer, WAITS_MS);
    rc_slurm_poll(s, true);
}

void
rc_slurm_start(struct rc_slurm *s)
{
    s->started = true;
    timer_set_us(s->poll_timer, 0);
    timer_set_us(s->watch_timer, (int64_t)s->config.watch_ms * 1000);
}

/* Takes n single reads out of the bucket; false: the cap is reached. */
static bool
take_single_tokens(struct rc_slurm *s, uint32_t n)
{
    int64_t now_us = rc_slurm_now_us();
    uint64_t full = (uint64_t)s->config.singles_per_s * 1000;
    uint64_t tokens =
        s->single_tokens + (uint64_t)(now_us - s->token_us) * s->config.singles_per_s / 1000;

    s->token_us = now_us;
    s->single_tokens = (uint32_t)(tokens < full ? tokens : full);
    if (s->single_tokens < (uint64_t)n * 1000) {
        return false;
    }
    s->single_tokens -= n * 1000;
    s->stats.singles += n;
    return true;
}

static void
on_watch_end(void *arg, const struct rc_line *ok, const struct rc_error *e)
{
    struct rc_slurm *s = arg;
    int64_t now_us = rc_slurm_now_us();
    int64_t wait_us;

    (void)ok;
    s->watching = false;
    s->watch_us = e ? 0 : (uint32_t)(now_us - s->watch_began_us);
    wait_us = (int64_t)s->watch_us * s->config.duty;
    if (wait_us < (int64_t)s->config.watch_ms * 1000) {
        wait_us = (int64_t)s->config.watch_ms * 1000;
    }
    timer_set_us(s->watch_timer, s->watch_began_us + wait_us - now_us);
}

static void
on_again_end(void *arg, const struct rc_line *ok, const struct rc_error *e)
{
    (void)arg;
    (void)ok;
    (void)e;
}

/* "a,b,c" of up to NAMES_ROOM bytes; false when they do not fit. */
static bool
join_names(char *buf, const char *const *nodes, uint32_t count)
{
    size_t len = 0;

    for (uint32_t i = 0; i < count; i++) {
        size_t name = strlen(nodes[i]);

        if (len + name + 2 > NAMES_ROOM) {
            return false;
        }
        if (i > 0) {
            buf[len++] = ',';
        }
        memcpy(buf + len, nodes[i], name);
        len += name;
    }
    buf[len] = '\0';
    return count > 0;
}

void
rc_slurm_poll_again(struct rc_slurm *s, const char *const *nodes, uint32_t count)
{
    char names[NAMES_ROOM];

    if (count <= s->config.singles_per_s && join_names(names, nodes, count) &&
        take_single_tokens(s, count)) {
        rc_line_put(rc_helper_begin(s->reader, "node"), "names", names);
        ask_reader(s, on_node_row, on_again_end, s);
    } else {
        rc_slurm_poll(s, false);
    }
}

static void
watch_begin(struct rc_slurm *s)
{
    const char *nodes[RC_NODE_LEN * 2];
    uint32_t most = sizeof nodes / sizeof *nodes;
    char names[NAMES_ROOM];

    s->watch_began_us = rc_slurm_now_us();
    for (uint32_t i = 0; i < s->watched_count && i < most; i++) {
        nodes[i] = s->watched[i];
    }
    if (s->watched_count == 0) {
        timer_set_us(s->watch_timer, (int64_t)s->config.watch_ms * 1000);
    } else if (s->watched_count <= most && join_names(names, nodes, s->watched_count) &&
               take_single_tokens(s, s->watched_count)) {
        s->watching = true;
        rc_line_put(rc_helper_begin(s->reader, "node"), "names", names);
        ask_reader(s, on_node_row, on_watch_end, s);
    } else {
        rc_slurm_poll(s, false);
        timer_set_us(s->watch_timer, (int64_t)s->config.watch_ms * 1000);
    }
}

static void
on_watch_timer(evutil_socket_t fd, short what, void *arg)
{
    struct rc_slurm *s = arg;

    (void)fd;
    (void)what;
    if (!s->watching) {
        watch_begin(s);
    }
}

void
rc_slurm_forget_faults(struct rc_slurm *s)
{
    rc_slurm_diff_forget_faults(s->diff);
}

enum rc_err
rc_slurm_watch(struct rc_slurm *s, const char *node, bool watched)
{
    uint32_t at = 0;

    while (at < s->watched_count && strcmp(s->watched[at], node) != 0) {
        at++;
    }
    if (!watched) {
        if (at < s->watched_count) {
            memmove(s->watched[at], s->watched[--s->watched_count], RC_NODE_LEN);
        }
        return RC_OK;
    }
    if (at < s->watched_count) {
        return RC_OK;
    }
    if (s->watched_count == SLURM_WATCH_MAX) {
        return RC_E_FULL;
    }
    if (s->watched_count == s->watched_room) {
        uint32_t room = s->watched_room ? s->watched_room * 2 : 16;
        void *grown = realloc(s->watched, room * sizeof *s->watched);

        if (!grown) {
            return RC_E_FULL;
        }
        s->watched = grown;
        s->watched_room = room;
    }
    if (!*node || !rc_text_set(s->watched[s->watched_count], RC_NODE_LEN, node)) {
        return RC_E_INVALID;
    }
    s->watched_count++;
    return RC_OK;
}

enum rc_err
rc_slurm_poll_open(struct rc_slurm *s)
{
    s->diff = rc_slurm_diff_new();
    s->poll_timer = evtimer_new(s->config.base, on_poll_timer, s);
    s->watch_timer = evtimer_new(s->config.base, on_watch_timer, s);
    s->token_us = rc_slurm_now_us();
    s->single_tokens = s->config.singles_per_s * 1000;
    return s->diff && s->poll_timer && s->watch_timer ? RC_OK : RC_E_FULL;
}

void
rc_slurm_poll_close(struct rc_slurm *s)
{
    rc_slurm_diff_free(s->diff);
    if (s->poll_timer) {
        event_free(s->poll_timer);
    }
    if (s->watch_timer) {
        event_free(s->watch_timer);
    }
    free(s->watched);
}
