/* replay_feed.c - messages or the faults of a trace through decoders and core, in the
 * obliging world: what would this policy have done?
 *
 * Core time begins at BEGIN_MS at the first arrival; the wall clock is the recorded one.
 * After the last message time goes on for an hour, and then until every incident is closed,
 * for six hours at most. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/decode/decode.h"
#include "simulator/faults/fault_trace.h"
#include "simulator/replay/replay.h"
#include "simulator/replay/replay_core.h"
#include "simulator/replay/replay_print.h"
#include "simulator/replay/replay_source.h"
#include "simulator/replay/replay_world.h"
#include "simulator/report/shipped_policy.h"

enum {
    BEGIN_MS = 1000000,
    SETTLE_MS = 3600 * 1000, /* faults are confirmed, replacements watched for a while */
    REST_MS = 6 * 3600 * 1000,
    STEPS_AT_ONE_MOMENT = 100000, /* after one message or fault: a core that asks for ever … */
    STEPS_OF_A_NODE = 64,         /* … and no large cluster that answers all at once */
    SHOWN = 256                   /* instances whose last line is remembered, by their hash */
};

static const int64_t trace_wall_ms = 1767225600000; /* 2026-01-01: a trace has no calendar */

struct shown {
    char instance[RC_ID_LEN];
    uint32_t state;
};

struct feed {
    struct rc_replay r;
    struct rc_replay_world *world;
    uint64_t msg;
    const char *file; /* of the message or fault that was played last, NULL = none yet */
    uint32_t line;    /* 0 = the whole file */
    uint64_t steps_here;
    int64_t here_ms;
    enum rc_err failed;
    struct shown shown[SHOWN];
};

/* Messages are shown as they were recorded; a look that shows the same again is none. */
static bool
is_worth_a_line(struct feed *f, const struct rc_event *ev)
{
    if (ev->kind == RC_EV_MESSAGE) {
        return false;
    }
    if (ev->kind != RC_EV_INSTANCE) {
        return true;
    }
    struct shown *last = &f->shown[rc_hash_text(ev->instance) % SHOWN];
    bool same = strcmp(last->instance, ev->instance) == 0 && last->state == ev->u.described.state;
    memcpy(last->instance, ev->instance, sizeof last->instance);
    last->state = ev->u.described.state;
    return !same;
}

/* What follows is counted from here. */
static void
note_place(struct feed *f, const char *file, uint32_t line)
{
    f->file = file;
    f->line = line;
    f->steps_here = 0;
}

static void
check_rest(struct feed *f)
{
    uint64_t most = STEPS_AT_ONE_MOMENT + (uint64_t)STEPS_OF_A_NODE * f->r.state->node_count;
    char place[120] = "";

    if (f->steps_here <= most || f->failed != RC_OK) {
        return;
    }
    if (f->file && f->line) {
        snprintf(place, sizeof place, "%.80s:%u: after this ", f->file, f->line);
    } else if (f->file) {
        snprintf(place, sizeof place, "%.80s: after this ", f->file);
    }
    f->failed = rc_fail(f->r.e, RC_E_INTERNAL,
                        "%sthe core does not come to rest: over %" PRIu64 " steps at one moment",
                        place, most);
}

static void
give(void *arg, struct rc_event *ev)
{
    struct feed *f = arg;
    struct rc_replay *r = &f->r;

    ev->at_ms = rc_replay_world_now_ms(f->world);
    ev->wall_ms = rc_replay_world_wall_ms(f->world);
    f->steps_here = ev->at_ms == f->here_ms ? f->steps_here + 1 : 0;
    f->here_ms = ev->at_ms;
    check_rest(f);
    rc_replay_grow(r);
    rc_step(r->state, ev, &r->now);
    r->result->events++;
    if (!r->options->quiet && is_worth_a_line(f, ev)) {
        rc_replay_print_event(ev);
    }
    for (uint32_t i = 0; i < r->now.count; i++) {
        const struct rc_action *a = &r->now.v[i];
        r->result->asked[a->kind]++;
        r->result->decisions++;
        if (!r->options->quiet) {
            rc_replay_print_action(a, ev->wall_ms);
        }
        rc_replay_world_act(f->world, a);
    }
    rc_replay_world_watch(f->world, r->state);
}

/* Everything that is due before until_ms, then time stands there. */
static void
feed_until(struct feed *f, int64_t until_ms, bool to_rest)
{
    struct rc_event tick;

    while (f->failed == RC_OK) {
        int64_t world_ms = rc_replay_world_next_ms(f->world);
        int64_t core_ms = rc_next_deadline(f->r.state);
        int64_t next_ms = world_ms < core_ms ? world_ms : core_ms;
        if (next_ms > until_ms || (to_rest && !f->r.state->open_incidents)) {
            break;
        }
        if (world_ms <= core_ms) {
            rc_replay_world_go(f->world, world_ms);
            continue;
        }
        rc_replay_world_go(f->world, core_ms); /* nothing of the world is due by then */
        rc_event_init(&tick, RC_EV_TICK);
        give(f, &tick);
    }
    while (!to_rest && rc_replay_world_now_ms(f->world) < until_ms && f->failed == RC_OK) {
        rc_replay_world_go(f->world, until_ms);
    }
}

static void
start_core(struct feed *f)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_START);
    ev.u.start.seed = 7;
    rc_text_set(ev.u.start.host, sizeof ev.u.start.host, "replay");
    give(f, &ev);
    rc_event_init(&ev, RC_EV_CLUSTER);
    ev.u.cluster = &f->r.config.cluster;
    give(f, &ev);
    rc_event_init(&ev, RC_EV_POLICY);
    ev.u.policy = &f->r.policy;
    give(f, &ev);
    feed_until(f, BEGIN_MS, false);
}

static void
plain_cluster(struct rc_cluster *c, uint32_t nodes)
{
    struct rc_group *g = &c->group[0];

    rc_text_set(c->name, sizeof c->name, "replay");
    rc_text_set(c->region, sizeof c->region, "us-east-1");
    c->nodes_max = nodes;
    c->group_count = 1;
    c->lease_term_ms = 60000;
    c->lease_margin_ms = 5000;
    c->poll_instances_ms = 30000;
    c->poll_slurm_ms = 10000;
    rc_text_set(g->name, sizeof g->name, "gpu");
    snprintf(g->nodes, sizeof g->nodes, "node-[1-%u]", nodes);
    rc_text_set(g->template_id, sizeof g->template_id, "lt-1");
    g->template_version = 1;
    g->capacity = RC_CAPACITY_OPEN;
    g->option_count = 1;
    rc_text_set(g->option[0].subnet, RC_ID_LEN, "subnet-1");
    rc_text_set(g->option[0].az, RC_AZ_LEN, "us-east-1a");
}

static enum rc_err
load_feed_files(struct rc_replay *r, uint32_t nodes)
{
    const struct rc_replay_options *o = r->options;

    const char *name = o->policy ? o->policy : "the shipped p4d.json";
    enum rc_err err = o->policy ? rc_policy_load_file(o->policy, &r->policy, r->errs)
                                : rc_policy_load(name, rc_shipped_policy, rc_shipped_policy_len,
                                                 &r->policy, r->errs);
    if (err != RC_OK) {
        return rc_fail(r->e, err, "%s: cannot be loaded", name);
    }
    if (!o->cluster) {
        plain_cluster(&r->config.cluster, nodes);
        return RC_OK;
    }
    err = rc_config_load_file(o->cluster, &r->config, r->errs);
    return err == RC_OK ? RC_OK : rc_fail(r->e, err, "%s: cannot be loaded", o->cluster);
}

/* ---- messages ---- */

static void
give_message(struct feed *f, const struct rc_replay_message *m, struct rc_decoded *d)
{
    struct rc_event ev;

    for (uint32_t i = 0; i < d->count; i++) {
        rc_replay_world_hear(f->world, &d->events[i]);
    }
    rc_event_init(&ev, RC_EV_MESSAGE);
    ev.msg = ++f->msg;
    ev.u.message.id_hash = d->id_hash;
    ev.u.message.sent_ms = m->arrival_ms;
    ev.u.message.receives = 1;
    ev.u.message.parts = d->count;
    ev.u.message.verdict = d->verdict;
    ev.u.message.kind = d->kind;
    memcpy(ev.u.message.text, d->text, sizeof ev.u.message.text);
    give(f, &ev);
    bool wanted = !d->count || rc_message_wants_parts(f->r.state, f->msg);
    f->r.result->duplicates += !wanted;
    for (uint32_t i = 0; wanted && i < d->count; i++) {
        d->events[i].msg = f->msg;
        give(f, &d->events[i]);
    }
}

static enum rc_err
play_message(struct feed *f, const struct rc_replay_message *m)
{
    struct rc_decoded d;

    if (rc_decode_message(m->body, m->len, &d) != RC_OK) {
        return rc_fail(f->r.e, RC_E_FULL, "%s:%u: no memory to decode it", m->file, m->line);
    }
    note_place(f, m->file, m->line);
    f->r.result->messages++;
    rc_replay_read(&f->r, m->len);
    f->r.result->quarantined += d.verdict == RC_VERDICT_QUARANTINED;
    f->r.result->ignored += d.verdict == RC_VERDICT_IGNORED;
    if (!f->r.options->quiet) {
        rc_replay_print_message(m, &d);
    }
    give_message(f, m, &d);
    rc_decoded_done(&d);
    return f->failed;
}

static enum rc_err
begin_feed(struct feed *f, uint32_t nodes, int64_t wall_ms)
{
    enum rc_err err = load_feed_files(&f->r, nodes);

    if (err != RC_OK) {
        return err;
    }
    f->world = rc_replay_world_new(&f->r.config.cluster, BEGIN_MS, wall_ms, give, f);
    if (!f->world) {
        return rc_fail(f->r.e, RC_E_PARSE, "%s: a list of nodes cannot be read",
                       f->r.options->cluster);
    }
    rc_replay_begin(&f->r);
    start_core(f);
    return RC_OK;
}

static enum rc_err
play_messages(struct feed *f, struct rc_replay_source *s)
{
    struct rc_replay_message m;
    enum rc_err err;

    while ((err = rc_replay_source_next(s, &m, f->r.e)) == RC_OK) {
        if (!f->world) {
            err = begin_feed(f, RC_REPLAY_NODES, m.arrival_ms);
        }
        if (err == RC_OK) {
            int64_t at_ms =
                rc_replay_world_now_ms(f->world) + m.arrival_ms - rc_replay_world_wall_ms(f->world);
            feed_until(f, at_ms, false);
            err = play_message(f, &m);
        }
        if (err != RC_OK) {
            return err;
        }
    }
    return err == RC_E_NOT_FOUND ? RC_OK : err;
}

/* ---- a trace ---- */

static enum rc_err
play_trace(struct feed *f, const struct rc_fault_trace *t)
{
    const struct rc_fault_schedule *s = &t->schedule;

    if (!s->count) {
        return rc_fail(f->r.e, RC_E_NOT_FOUND, "%s: holds no fault", f->r.options->path);
    }
    enum rc_err err = begin_feed(f, s->nodes, trace_wall_ms);

    for (uint32_t i = 0; err == RC_OK && i < s->count; i++) {
        feed_until(f, BEGIN_MS + s->row[i].at_ms, false);
        note_place(f, f->r.options->path, t->line[i]);
        f->r.result->messages++;
        rc_replay_read(&f->r, f->r.total_bytes / s->count);
        if (!f->r.options->quiet) {
            rc_replay_print_fault(&s->row[i], rc_replay_world_wall_ms(f->world));
        }
        rc_replay_world_fault(f->world, &s->row[i]);
        err = f->failed;
    }
    return err;
}

/* ---- both ---- */

static enum rc_err
end_feed(struct feed *f, enum rc_err err)
{
    if (err == RC_OK && !f->world) {
        err = rc_fail(f->r.e, RC_E_NOT_FOUND, "no message stands there");
    }
    if (err == RC_OK) {
        feed_until(f, rc_replay_world_now_ms(f->world) + SETTLE_MS, false);
        feed_until(f, rc_replay_world_now_ms(f->world) + REST_MS, true);
        err = f->failed;
    }
    if (err == RC_OK) {
        rc_replay_sum(&f->r);
        f->r.result->opened = f->r.state->counters.incidents_opened;
        f->r.result->closed = f->r.state->counters.incidents_closed;
        f->r.result->unknown = f->r.state->counters.unknown_instances;
        rc_replay_print_open(f->r.state);
    }
    rc_replay_world_free(f->world);
    rc_replay_end(&f->r);
    free(f);
    return err;
}

static struct feed *
new_feed(const struct rc_replay_options *options, struct rc_replay_result *ret,
         struct rc_load_errors *errs, struct rc_error *e)
{
    struct feed *f = calloc(1, sizeof *f);

    assert(f);
    memset(ret, 0, sizeof *ret);
    f->r.options = options;
    f->r.result = ret;
    f->r.errs = errs;
    f->r.e = e;
    return f;
}

enum rc_err
rc_replay_queue(const struct rc_replay_options *options, enum rc_replay_kind kind,
                struct rc_replay_result *ret, struct rc_load_errors *errs, struct rc_error *e)
{
    struct feed *f = new_feed(options, ret, errs, e);
    struct rc_replay_source *s = NULL;
    enum rc_err err = rc_replay_source_open(options->path, kind, &s, e);

    rc_replay_bar(&f->r, options->path, kind);

    err = end_feed(f, err == RC_OK ? play_messages(f, s) : err);
    rc_replay_source_free(s);
    return err;
}

enum rc_err
rc_replay_trace(const struct rc_replay_options *options, struct rc_replay_result *ret,
                struct rc_load_errors *errs, struct rc_error *e)
{
    struct feed *f = new_feed(options, ret, errs, e);
    struct rc_fault_trace t = {0};
    enum rc_err err = rc_fault_trace_read(options->path, 0, &t, e);

    rc_replay_bar(&f->r, options->path, RC_REPLAY_TRACE);

    err = end_feed(f, err == RC_OK ? play_trace(f, &t) : err);
    rc_fault_trace_free(&t);
    return err;
}
