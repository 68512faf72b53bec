/* replay.c - see replay.h. */
#include "simulator/replay/replay.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/core/pack.h"
#include "reconciler/core/record.h"
#include "reconciler/core/state.h"
#include "reconciler/io/config/config.h"
#include "reconciler/io/journal/journal_read.h"
#include "simulator/replay/replay_print.h"

enum { NODES_FIRST = 16384, INCIDENTS_FIRST = 2048, MESSAGES = 8192 };

struct replay {
    const struct rc_replay_options *options;
    struct rc_replay_result *result;
    struct rc_load_errors *errs;
    struct rc_state *state;
    struct rc_config config; /* last CLUSTER */
    struct rc_policy policy; /* last POLICY */
    char *text;              /* source text before such an event */
    uint32_t text_len;
    struct rc_actions now; /* decided by this step … */
    uint32_t compared;     /* … and so many held against the journal */
    uint64_t event_record; /* the event that they answer */
    int64_t event_wall_ms;
};

static void *
zeroed(size_t size)
{
    void *mem = aligned_alloc(16, (size + 15) & ~(size_t)15);

    assert(mem);
    return memset(mem, 0, size);
}

static void
begin_state(struct replay *r)
{
    const struct rc_capacity_limits limits = {NODES_FIRST, INCIDENTS_FIRST, MESSAGES};

    r->state = rc_state_init(zeroed(rc_state_size(&limits)), &limits);
}

static void
grow_state(struct replay *r)
{
    struct rc_capacity_limits limits;
    struct rc_state *old = r->state;

    if (!old->touch_count && rc_state_wants_growth(old, &limits)) {
        r->state = rc_state_grow(zeroed(rc_state_size(&limits)), &limits, old);
        free(old);
    }
}

static enum rc_err
restore_snapshot(struct replay *r, const struct rc_journal_record *rec, struct rc_error *e)
{
    size_t size = rc_state_unpacked_size(rec->data, rec->len);
    void *mem = size ? calloc(1, size) : NULL;
    struct rc_state *s = mem ? rc_state_unpack(rec->data, rec->len, mem) : NULL;

    if (!s) {
        free(mem);
        return rc_fail(e, RC_E_PARSE,
                       "%s: record %" PRIu64 ": a snapshot of another release; replay it with that",
                       rec->file, rec->number);
    }
    free(r->state);
    r->state = s;
    r->now.count = r->compared = 0;
    return RC_OK;
}

/* What the step decided beyond the record's own actions. */
static void
end_event(struct replay *r)
{
    while (r->compared < r->now.count) {
        rc_replay_print_other(r->result, r->event_record, "", &r->now.v[r->compared++], r->state);
    }
}

static enum rc_err
load_payload(struct replay *r, struct rc_event *ev, struct rc_error *e)
{
    bool cluster = ev->kind == RC_EV_CLUSTER;
    const char *file = cluster ? r->options->cluster : r->options->policy;
    const char *name = file ? file : cluster ? "recorded cluster file" : "recorded policy";
    enum rc_err err;

    if (!file && !r->text) {
        return rc_fail(e, RC_E_PARSE, "a %s event without its source text before it",
                       rc_event_name((enum rc_event_kind)ev->kind));
    }
    if (cluster) {
        err = file ? rc_config_load_file(file, &r->config, r->errs)
                   : rc_config_load(name, r->text, r->text_len, &r->config, r->errs);
        ev->u.cluster = &r->config.cluster;
    } else {
        err = file ? rc_policy_load_file(file, &r->policy, r->errs)
                   : rc_policy_load(name, r->text, r->text_len, &r->policy, r->errs);
        ev->u.policy = &r->policy;
    }
    return err == RC_OK ? RC_OK : rc_fail(e, err, "%s: cannot be loaded", name);
}

static enum rc_err
step_event(struct replay *r, const struct rc_journal_record *rec, struct rc_error *e)
{
    struct rc_event ev;
    size_t at;

    end_event(r);
    if (rc_event_parse((const char *)rec->data, rec->len, &ev, &at) != RC_OK) {
        return rc_fail(e, RC_E_PARSE, "%s: record %" PRIu64 ": no event is readable at byte %zu",
                       rec->file, rec->number, at);
    }
    if (ev.kind == RC_EV_CLUSTER || ev.kind == RC_EV_POLICY) {
        enum rc_err err = load_payload(r, &ev, e);
        if (err != RC_OK) {
            return err;
        }
    }
    grow_state(r);
    rc_step(r->state, &ev, &r->now);
    r->compared = 0;
    r->event_record = rec->number;
    r->event_wall_ms = ev.wall_ms;
    r->result->events++;
    if (!r->options->quiet) {
        rc_replay_print_event(&ev);
        for (uint32_t i = 0; i < r->now.count; i++) {
            rc_replay_print_action(&r->now.v[i], ev.wall_ms);
        }
    }
    return RC_OK;
}

static void
compare_action(struct replay *r, const struct rc_journal_record *rec)
{
    char line[RC_RECORD_MAX] = "";
    size_t len = 0;

    r->result->decisions++;
    if (r->compared < r->now.count) {
        len = rc_action_format(&r->now.v[r->compared], line, sizeof line);
    }
    if (len == rec->len && memcmp(line, rec->data, len) == 0) {
        r->result->same++;
        r->compared++;
        return;
    }
    rc_replay_print_other(r->result, rec->number, (const char *)rec->data,
                          r->compared < r->now.count ? &r->now.v[r->compared] : NULL, r->state);
    r->compared += r->compared < r->now.count;
}

static enum rc_err
take_record(struct replay *r, const struct rc_journal_record *rec, struct rc_error *e)
{
    r->result->records++;
    switch (rec->type) {
    case RC_JOURNAL_SNAPSHOT:
        end_event(r);
        return restore_snapshot(r, rec, e);
    case RC_JOURNAL_EVENT:
        return step_event(r, rec, e);
    case RC_JOURNAL_ACTION:
        compare_action(r, rec);
        return RC_OK;
    case RC_JOURNAL_TEXT:
        free(r->text);
        r->text = malloc(rec->len + 1);
        assert(r->text);
        memcpy(r->text, rec->data, rec->len);
        r->text[rec->len] = '\0';
        r->text_len = rec->len;
        return RC_OK;
    case RC_JOURNAL_NONE:
    case RC_JOURNAL_MARK:
    case RC_JOURNAL__MAX:
        break;
    }
    return RC_OK;
}

enum rc_err
rc_replay_journal(const struct rc_replay_options *options, struct rc_replay_result *ret,
                  struct rc_load_errors *errs, struct rc_error *e)
{
    struct rc_journal_reader *reader;
    struct rc_journal_record rec;
    struct replay *r = calloc(1, sizeof *r);
    enum rc_err err = rc_journal_reader_open(options->journal, NULL, &reader, e);

    assert(r);
    memset(ret, 0, sizeof *ret);
    if (err != RC_OK) {
        free(r);
        return err;
    }
    r->options = options;
    r->result = ret;
    r->errs = errs;
    begin_state(r);
    while ((err = rc_journal_reader_next(reader, &rec, e)) == RC_OK) {
        err = take_record(r, &rec, e);
        if (err != RC_OK) {
            break;
        }
    }
    if (err == RC_E_NOT_FOUND) {
        end_event(r);
        ret->state_hash = rc_state_hash(r->state);
        rc_replay_print_tail(rc_journal_reader_tail(reader));
        err = RC_OK;
    }
    rc_journal_reader_free(reader);
    free(r->state);
    free(r->text);
    free(r);
    return err;
}
