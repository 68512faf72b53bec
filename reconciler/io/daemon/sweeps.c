/* sweeps.c - see sweeps.h. */
#include "reconciler/io/daemon/sweeps.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/daemon/report.h"

enum { BUCKETS_FIRST = 1024, SOON_AGAIN_MS = 2000 };

/* What was last posted of an instance: the hashes of its two kinds of row. */
struct seen {
    char id[RC_ID_LEN];
    uint64_t hash[2]; /* described, status */
    uint32_t pass;    /* last DescribeInstances pass that showed it */
    uint32_t next;    /* chain, 1-based */
};

struct rc_sweeps {
    struct rc_daemon *d;
    struct event *instances_event, *status_event;
    struct rc_ec2_call *instances_call, *status_call;
    struct seen *rows;
    uint32_t row_count, row_room;
    uint32_t *buckets, bucket_count;
    uint32_t pass;
    uint32_t soon; /* passes over the instances that are wanted at once */
    struct rc_sweeps_stats stats;
    bool told_failure[RC_SWEEP__MAX];
};

static void
rehash(struct rc_sweeps *sw, uint32_t buckets)
{
    assert(buckets > 0);
    uint32_t *bigger = calloc(buckets, sizeof *bigger);

    if (!bigger) {
        return; /* longer chains are slower, not wrong */
    }
    free(sw->buckets);
    sw->buckets = bigger;
    sw->bucket_count = buckets;
    for (uint32_t i = 0; i < sw->row_count; i++) {
        uint32_t *b = &bigger[rc_hash_text(sw->rows[i].id) & (buckets - 1)];
        sw->rows[i].next = *b;
        *b = i + 1;
    }
}

static struct seen *
find_or_add(struct rc_sweeps *sw, const char *id)
{
    uint32_t at = sw->buckets[rc_hash_text(id) & (sw->bucket_count - 1)];

    while (at && strcmp(sw->rows[at - 1].id, id) != 0) {
        at = sw->rows[at - 1].next;
    }
    if (at) {
        return &sw->rows[at - 1];
    }
    if (sw->row_count == sw->row_room) {
        uint32_t room = sw->row_room ? sw->row_room * 2 : BUCKETS_FIRST;
        struct seen *bigger = realloc(sw->rows, room * sizeof *bigger);
        if (!bigger) {
            return NULL;
        }
        sw->rows = bigger;
        sw->row_room = room;
    }
    struct seen *row = &sw->rows[sw->row_count++];
    memset(row, 0, sizeof *row);
    rc_text_set(row->id, sizeof row->id, id);
    if (sw->row_count > sw->bucket_count) {
        rehash(sw, sw->bucket_count * 2);
    } else {
        uint32_t *b = &sw->buckets[rc_hash_text(id) & (sw->bucket_count - 1)];
        row->next = *b;
        *b = sw->row_count;
    }
    return row;
}

/* A message that came late may have told the core an older state since. */
static bool
core_disagrees(const struct rc_sweeps *sw, const struct rc_event *ev)
{
    uint32_t slot = rc_instance_find(sw->d->state, ev->instance);

    return ev->kind == RC_EV_INSTANCE &&
           (!slot || rc_instance_at(sw->d->state, slot)->state != ev->u.described.state ||
            rc_instance_at(sw->d->state, slot)->missing_since_ms);
}

void
rc_sweeps_row(struct rc_sweeps *sw, const struct rc_event *ev)
{
    struct seen *row = find_or_add(sw, ev->instance);
    unsigned kind = ev->kind == RC_EV_INSTANCE_STATUS;
    uint64_t hash = rc_hash_bytes(1, ev, rc_event_bytes(ev));

    sw->stats.rows++;
    if (row && !kind) {
        row->pass = sw->pass;
    }
    if (row && row->hash[kind] == hash && !core_disagrees(sw, ev)) {
        return;
    }
    if (kind && !rc_instance_find(sw->d->state, ev->instance)) {
        return; /* the region shows everybody's instances; only ours are known */
    }
    if (row) {
        row->hash[kind] = hash;
    }
    sw->stats.news++;
    rc_daemon_post(sw->d, ev);
}

static void
on_row(const struct rc_event *ev, void *arg)
{
    rc_sweeps_row(arg, ev);
}

/* Known to the core, ours, and not shown by the pass that just ended. */
static void
post_absent(struct rc_sweeps *sw)
{
    const struct rc_state *s = sw->d->state;

    for (uint32_t slot = 1; slot <= s->instance_used; slot++) {
        const struct rc_instance *i = rc_instance_at(s, slot);
        if (!i->used || !i->known || i->missing_since_ms) {
            continue;
        }
        struct seen *row = find_or_add(sw, i->id);
        if (row && row->pass == sw->pass) {
            continue;
        }
        struct rc_event ev;
        rc_event_init(&ev, RC_EV_INSTANCE);
        rc_text_set(ev.instance, sizeof ev.instance, i->id);
        ev.u.described.absent = 1;
        if (row) {
            row->hash[0] = 0; /* shown again: news */
        }
        rc_daemon_post(sw->d, &ev);
    }
}

static void
end_pass(struct rc_sweeps *sw, enum rc_sweep which, const struct rc_ec2_done *done)
{
    struct rc_event ev;

    sw->stats.passes++;
    sw->stats.failures += !done->complete;
    if (!done->complete && !sw->told_failure[which]) {
        rc_log_failure(sw->d->log, "ec2", &done->error, NULL);
    }
    sw->told_failure[which] = !done->complete;
    if (done->complete && which == RC_SWEEP_INSTANCES) {
        post_absent(sw);
    }
    rc_event_init(&ev, RC_EV_SWEEP);
    ev.u.sweep.which = (uint32_t)which;
    ev.u.sweep.complete = done->complete;
    ev.u.sweep.error = (uint32_t)done->error.code;
    ev.u.sweep.seen = done->rows;
    rc_daemon_post(sw->d, &ev);
}

static void
arm_sweep(struct event *event, int64_t period_ms)
{
    struct timeval tv = {.tv_sec = period_ms / 1000, .tv_usec = (period_ms % 1000) * 1000};

    event_add(event, &tv);
}

static void
on_instances_done(const struct rc_ec2_done *done, void *arg)
{
    struct rc_sweeps *sw = arg;

    int64_t period_ms = sw->d->config.poll.instances_ms;

    sw->instances_call = NULL;
    end_pass(sw, RC_SWEEP_INSTANCES, done);
    if (sw->soon && done->complete) {
        period_ms = --sw->soon ? 0 : period_ms;
    } else if (sw->soon) {
        period_ms = period_ms < SOON_AGAIN_MS ? period_ms : SOON_AGAIN_MS;
    }
    arm_sweep(sw->instances_event, period_ms);
}

static void
on_status_done(const struct rc_ec2_done *done, void *arg)
{
    struct rc_sweeps *sw = arg;

    sw->status_call = NULL;
    end_pass(sw, RC_SWEEP_STATUS, done);
    arm_sweep(sw->status_event, sw->d->config.poll.status_ms);
}

static void
on_instances_due(evutil_socket_t fd, short what, void *arg)
{
    struct rc_sweeps *sw = arg;
    struct rc_ec2_sink sink = {on_row, on_instances_done, sw};

    (void)fd;
    (void)what;
    sw->pass++;
    if (rc_ec2_describe_cluster(sw->d->aws, &sink, &sw->instances_call) != RC_OK) {
        arm_sweep(sw->instances_event, sw->d->config.poll.instances_ms);
    }
}

static void
on_status_due(evutil_socket_t fd, short what, void *arg)
{
    struct rc_sweeps *sw = arg;
    struct rc_ec2_sink sink = {on_row, on_status_done, sw};

    (void)fd;
    (void)what;
    if (rc_ec2_status_all(sw->d->aws, &sink, &sw->status_call) != RC_OK) {
        arm_sweep(sw->status_event, sw->d->config.poll.status_ms);
    }
}

void
rc_sweeps_start(struct rc_sweeps *sw)
{
    arm_sweep(sw->instances_event, 0);
    arm_sweep(sw->status_event, sw->d->config.poll.status_ms / 2 < 1000
                                    ? sw->d->config.poll.status_ms / 2
                                    : 1000); /* after the first instances are known */
}

void
rc_sweeps_now(struct rc_sweeps *sw)
{
    sw->soon = 2;
    if (!sw->instances_call) { /* one that is under way is the first of the two */
        arm_sweep(sw->instances_event, 0);
    }
}

void
rc_sweeps_stats(const struct rc_sweeps *sw, struct rc_sweeps_stats *ret)
{
    *ret = sw->stats;
}

struct rc_sweeps *
rc_sweeps_new(struct rc_daemon *d)
{
    struct rc_sweeps *sw = calloc(1, sizeof *sw);

    if (!sw) {
        return NULL;
    }
    sw->d = d;
    sw->pass = 1;
    rehash(sw, BUCKETS_FIRST);
    sw->instances_event = event_new(d->base, -1, 0, on_instances_due, sw);
    sw->status_event = event_new(d->base, -1, 0, on_status_due, sw);
    if (!sw->buckets || !sw->instances_event || !sw->status_event) {
        rc_sweeps_free(sw);
        return NULL;
    }
    return sw;
}

void
rc_sweeps_free(struct rc_sweeps *sw)
{
    if (!sw) {
        return;
    }
    rc_ec2_cancel(sw->instances_call);
    rc_ec2_cancel(sw->status_call);
    if (sw->instances_event) {
        event_free(sw->instances_event);
    }
    if (sw->status_event) {
        event_free(sw->status_event);
    }
    free(sw->rows);
    free(sw->buckets);
    free(sw);
}
