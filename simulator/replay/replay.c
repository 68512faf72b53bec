/* replay.c - a journal, record by record, through the core; see replay.h. Its decisions
 * are held against its own records, or against another journal of the same events. */
#include "simulator/replay/replay.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/core/pack.h"
#include "reconciler/core/record.h"
#include "reconciler/core/state.h"
#include "reconciler/io/journal/journal_read.h"
#include "simulator/replay/replay_core.h"
#include "simulator/replay/replay_messages.h"
#include "simulator/replay/replay_print.h"

enum { RECORD_HEAD = 24 /* bytes around a record, about: for the bar */ };

static const char no_record[] = "holds no record";

struct replay {
    struct rc_replay core; /* first: config and policy are the last CLUSTER and POLICY */
    struct rc_replay_messages *messages; /* take the place of the journal's; NULL */
    struct rc_journal_reader *other;     /* whose decisions are compared; NULL = its own */
    struct rc_journal_record other_next; /* read ahead */
    uint64_t other_last;                 /* its last record that was read */
    bool is_other_over;
    bool is_other_left; /* for good: its events are others */
    char *text;         /* source text before a CLUSTER or POLICY event */
    uint32_t text_len;
    uint32_t compared;     /* so many of the last step's decisions were held against records */
    uint64_t event_record; /* the event that they answer */
    char event_file[RC_JOURNAL_FILE_LEN]; /* where that stands */
    bool is_event_last;                   /* nothing but its decisions was read since */
    struct rc_actions lost; /* of them, those for which no record came before a snapshot */
};

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
    free(r->core.state);
    r->core.state = s;
    r->core.now.count = r->compared = 0;
    return RC_OK;
}

static void
tell_more(struct replay *r, const struct rc_actions *now, uint32_t from)
{
    for (uint32_t i = from; i < now->count; i++) {
        rc_replay_print_other(&r->core, r->event_record, "", &now->v[i]);
    }
}

/* What the step decided beyond the record's own actions. */
static void
end_event(struct replay *r)
{
    tell_more(r, &r->core.now, r->compared);
    r->compared = r->core.now.count;
}

/* Decisions without a record, at a place where the daemon may have died before it wrote them. Where
 * something differs anyway, or another policy decides, the two cannot be told apart. */
static uint32_t
count_lost(const struct replay *r, bool is_event_last)
{
    const struct rc_replay_options *o = r->core.options;
    bool is_told =
        r->other || !is_event_last || o->policy || o->cluster || r->core.result->first_other;

    return is_told ? 0 : r->core.now.count - r->compared;
}

/* A snapshot follows: a restart wrote it, or the journal's next part begins with it. */
static void
leave_event(struct replay *r, bool is_event_last)
{
    r->lost.count = count_lost(r, is_event_last);
    memcpy(r->lost.v, r->core.now.v + r->compared, r->lost.count * sizeof r->lost.v[0]);
    r->compared += r->lost.count;
    end_event(r);
}

/* A start tells the one from the other. */
static void
end_lost(struct replay *r, bool is_restart)
{
    if (r->lost.count && is_restart) {
        rc_replay_print_lost(r->event_record, r->lost.count);
    } else {
        tell_more(r, &r->lost, 0);
    }
    r->lost.count = 0;
}

static void
compare_action(struct replay *r, const struct rc_journal_record *rec)
{
    char line[RC_RECORD_MAX] = "";
    size_t len = 0;

    r->core.result->decisions++;
    if (r->compared < r->core.now.count) {
        len = rc_action_format(&r->core.now.v[r->compared], line, sizeof line);
    }
    if (len == rec->len && memcmp(line, rec->data, len) == 0) {
        r->core.result->same++;
        r->compared++;
        return;
    }
    rc_replay_print_other(&r->core, rec->number, (const char *)rec->data,
                          r->compared < r->core.now.count ? &r->core.now.v[r->compared] : NULL);
    r->compared += r->compared < r->core.now.count;
}

/* What the differences are explained by; a recorded policy that does not load explains none. */
static void
keep_recorded_policy(struct replay *r)
{
    static struct rc_load_errors ignored;

    memset(&ignored, 0, sizeof ignored);
    r->core.has_recorded_policy =
        r->text && rc_policy_load("recorded policy", r->text, r->text_len, &r->core.recorded_policy,
                                  &ignored) == RC_OK;
}

static enum rc_err
load_payload(struct replay *r, struct rc_event *ev, struct rc_error *e)
{
    bool cluster = ev->kind == RC_EV_CLUSTER;
    const char *file = cluster ? r->core.options->cluster : r->core.options->policy;
    const char *name = file ? file : cluster ? "recorded cluster file" : "recorded policy";
    enum rc_err err;

    if (!file && !r->text) {
        return rc_fail(e, RC_E_PARSE, "a %s event without its source text before it",
                       rc_event_name((enum rc_event_kind)ev->kind));
    }
    if (cluster) {
        err = file ? rc_config_load_file(file, &r->core.config, r->core.errs)
                   : rc_config_load(name, r->text, r->text_len, &r->core.config, r->core.errs);
        ev->u.cluster = &r->core.config.cluster;
    } else {
        if (file) {
            keep_recorded_policy(r);
        }
        err = file ? rc_policy_load_file(file, &r->core.policy, r->core.errs)
                   : rc_policy_load(name, r->text, r->text_len, &r->core.policy, r->core.errs);
        ev->u.policy = &r->core.policy;
    }
    return err == RC_OK ? RC_OK : rc_fail(e, err, "%s: cannot be loaded", name);
}

static enum rc_err
refuse_tail(const struct replay *r, const struct rc_journal_tail *tail, const char *whose,
            struct rc_error *e)
{
    if (!tail->bytes || r->core.options->is_cut) {
        return RC_OK;
    }
    return rc_fail(e, RC_E_TRUNCATED,
                   "%s%s: ends inside a record at offset %" PRIu64 ", %" PRIu64
                   " bytes are left over: the file was cut, or its daemon died there; --cut "
                   "replays what stands before",
                   whose, tail->file, tail->offset, tail->bytes);
}

/* ---- another journal ---- */

static enum rc_err
read_other(struct replay *r, struct rc_error *e)
{
    enum rc_err err = rc_journal_reader_next(r->other, &r->other_next, e);

    r->is_other_over = err == RC_E_NOT_FOUND;
    if (r->is_other_over) {
        return refuse_tail(r, rc_journal_reader_tail(r->other), "the other journal: ", e);
    }
    if (err == RC_OK) {
        r->other_last = r->other_next.number;
    }
    return err;
}

/* One journal ends before the other: what is the same so far is not the whole. */
static void
note_end(struct replay *r, const char *how, uint64_t record)
{
    struct rc_replay_result *result = r->core.result;

    if (!*result->not_compared) {
        snprintf(result->not_compared, sizeof result->not_compared,
                 "the other journal %s at record %" PRIu64, how, record);
    }
}

static void
differ(struct replay *r, uint64_t record, const char *then, const char *now, const char *cause)
{
    r->core.result->other++;
    r->is_other_left = true; /* what follows answers other events: no word about it */
    if (!r->core.result->first_other) {
        r->core.result->first_other = record;
        snprintf(r->core.result->difference, sizeof r->core.result->difference,
                 "record %" PRIu64 ":\n  then: %.480s\n  now:  %.480s\n  cause: %s", record, then,
                 now, cause);
    }
}

/* Goes on to the other journal's next event, if there is one. */
static enum rc_err
seek_other_event(struct replay *r, struct rc_error *e)
{
    enum rc_err err = RC_OK;

    while (err == RC_OK && !r->is_other_over && r->other_next.type != RC_JOURNAL_EVENT) {
        err = read_other(r, e);
    }
    return err;
}

/* The other journal's next event must be this one; then its actions answer it. */
static enum rc_err
follow_other(struct replay *r, const struct rc_journal_record *rec, struct rc_error *e)
{
    enum rc_err err = seek_other_event(r, e);

    if (err != RC_OK) {
        return err;
    }
    if (r->is_other_over) {
        note_end(r, "ends", r->other_last);
        return RC_OK;
    }
    if (r->other_next.len != rec->len || memcmp(r->other_next.data, rec->data, rec->len) != 0) {
        differ(r, r->other_next.number, (const char *)r->other_next.data, (const char *)rec->data,
               "other events: the journals tell of different days");
        return RC_OK;
    }
    err = read_other(r, e);
    while (err == RC_OK && !r->is_other_over && r->other_next.type == RC_JOURNAL_ACTION) {
        compare_action(r, &r->other_next);
        err = read_other(r, e);
    }
    if (!r->is_other_over) {
        end_event(r);
    } else if (r->compared < r->core.now.count) {
        note_end(r, "ends", r->other_last);
    }
    return err;
}

static enum rc_err
follow_other_event(struct replay *r, const struct rc_journal_record *rec, struct rc_error *e)
{
    enum rc_err err = r->is_other_left ? RC_OK : follow_other(r, rec, e);

    r->compared = r->core.now.count; /* all that is to be said of them was said */
    return err;
}

static enum rc_err
end_other(struct replay *r, struct rc_error *e)
{
    enum rc_err err = r->is_other_left ? RC_OK : seek_other_event(r, e);

    if (err == RC_OK && !r->is_other_left && !r->is_other_over) {
        note_end(r, "goes on", r->other_next.number);
    }
    return err;
}

/* ---- record by record ---- */

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
    end_lost(r, ev.kind == RC_EV_START);
    if (r->messages && !rc_replay_messages_put(r->messages, &ev)) {
        char line[RC_RECORD_MAX] = "";
        rc_event_format(&ev, line, sizeof line - 1);
        differ(r, rec->number, (const char *)rec->data, line, "the message is decoded differently");
    }
    if (ev.kind == RC_EV_CLUSTER || ev.kind == RC_EV_POLICY) {
        enum rc_err err = load_payload(r, &ev, e);
        if (err != RC_OK) {
            return err;
        }
    }
    rc_replay_grow(&r->core);
    rc_step(r->core.state, &ev, &r->core.now);
    r->compared = 0;
    r->event_record = rec->number;
    snprintf(r->event_file, sizeof r->event_file, "%s", rec->file);
    r->core.result->events++;
    if (!r->core.options->quiet) {
        rc_replay_print_event(&ev);
        for (uint32_t i = 0; i < r->core.now.count; i++) {
            rc_replay_print_action(&r->core.now.v[i], ev.wall_ms);
        }
    }
    return r->other ? follow_other_event(r, rec, e) : RC_OK;
}

static enum rc_err
take_record(struct replay *r, const struct rc_journal_record *rec, struct rc_error *e)
{
    bool was_event_last = r->is_event_last;

    r->core.result->records++;
    r->is_event_last = rec->type == RC_JOURNAL_EVENT || rec->type == RC_JOURNAL_ACTION;
    switch (rec->type) {
    case RC_JOURNAL_SNAPSHOT:
        end_lost(r, false);
        leave_event(r, was_event_last);
        return restore_snapshot(r, rec, e);
    case RC_JOURNAL_EVENT:
        return step_event(r, rec, e);
    case RC_JOURNAL_ACTION:
        if (!r->other) {
            compare_action(r, rec);
        }
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

/* The last event's decisions without a record are no difference: the journal was cut, or its
 * daemon died, before they were written. */
static enum rc_err
end_last_event(struct replay *r, struct rc_error *e)
{
    uint32_t missing = count_lost(r, r->is_event_last);

    if (!missing) {
        end_lost(r, false);
        end_event(r);
        return RC_OK;
    }
    if (!r->core.options->is_cut) {
        return rc_fail(e, RC_E_TRUNCATED,
                       "%s: record %" PRIu64
                       ": an event whose decisions are missing is the last one: the file was cut, "
                       "or its daemon died there; --cut replays what stands before",
                       r->event_file, r->event_record);
    }
    rc_replay_print_missing(r->event_record, missing);
    return RC_OK;
}

static enum rc_err
end_records(struct replay *r, const struct rc_journal_tail *tail, struct rc_error *e)
{
    enum rc_err err = refuse_tail(r, tail, "", e);

    if (err == RC_OK && !r->core.result->records) {
        err = rc_fail(e, RC_E_TRUNCATED, "%s", no_record);
    }
    if (err != RC_OK) {
        return err;
    }
    rc_replay_sum(&r->core);
    err = end_last_event(r, e);
    if (err == RC_OK && r->other) {
        err = end_other(r, e);
    }
    if (err == RC_OK) {
        rc_replay_print_tail(tail);
    }
    return err;
}

static enum rc_err
play_records(struct replay *r, struct rc_journal_reader *reader, struct rc_error *e)
{
    struct rc_journal_record rec;
    enum rc_err err;

    rc_replay_begin(&r->core);
    while ((err = rc_journal_reader_next(reader, &rec, e)) == RC_OK) {
        rc_replay_read(&r->core, rec.len + RECORD_HEAD);
        err = take_record(r, &rec, e);
        if (err != RC_OK) {
            return err;
        }
    }
    return err == RC_E_NOT_FOUND ? end_records(r, rc_journal_reader_tail(reader), e) : err;
}

static enum rc_err
play_journal(struct replay *r, const char *journal, const char *other, struct rc_error *e)
{
    struct rc_journal_reader *reader = NULL;
    enum rc_err err = rc_replay_check_segments(journal, e);

    if (err == RC_OK) {
        err = rc_journal_reader_open(journal, NULL, &reader, e);
    }
    rc_replay_bar(&r->core, journal, RC_REPLAY_JOURNAL);
    if (err == RC_OK && other) {
        err = rc_replay_check_segments(other, e);
        if (err == RC_OK) {
            err = rc_journal_reader_open(other, NULL, &r->other, e);
        }
        if (err == RC_OK) {
            err = read_other(r, e);
        }
        if (err == RC_OK && r->is_other_over) {
            err = rc_fail(e, RC_E_TRUNCATED, "the other journal: %s", no_record);
        }
    }
    if (err == RC_OK) {
        err = play_records(r, reader, e);
    }
    rc_journal_reader_free(reader);
    rc_journal_reader_free(r->other);
    return err;
}

enum rc_err
rc_replay_journal(const struct rc_replay_options *options, enum rc_replay_kind kind,
                  struct rc_replay_result *ret, struct rc_load_errors *errs, struct rc_error *e)
{
    struct replay *r = calloc(1, sizeof *r);
    bool is_journal = kind == RC_REPLAY_JOURNAL;
    enum rc_err err = RC_OK;

    assert(r);
    memset(ret, 0, sizeof *ret);
    r->core.options = options;
    r->core.result = ret;
    r->core.errs = errs;
    r->core.e = e;
    if (!is_journal) {
        err = rc_replay_messages_read(options->path, kind, &r->messages, e);
    }
    if (err == RC_OK) {
        err = play_journal(r, is_journal ? options->path : options->against,
                           is_journal ? options->against : NULL, e);
    }
    if (r->messages) {
        rc_replay_messages_sum(r->messages, ret);
    }
    rc_replay_messages_free(r->messages);
    rc_replay_end(&r->core);
    free(r->text);
    free(r);
    return err;
}
