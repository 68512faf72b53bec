/* recover.c - see recover.h. */
#include "reconciler/io/daemon/recover.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/load.h"
#include "reconciler/core/pack.h"
#include "reconciler/core/record.h"
#include "reconciler/io/daemon/loop.h"
#include "reconciler/io/daemon/state_memory.h"

enum { MESSAGES_REMEMBERED = 8192, INCIDENTS_MAX = 2048 };

static struct rc_state *
fresh_state(const struct rc_daemon *d)
{
    struct rc_capacity_limits limits = {
        .nodes = d->config.cluster.nodes_max,
        .incidents = d->config.cluster.nodes_max < INCIDENTS_MAX ? d->config.cluster.nodes_max
                                                                 : INCIDENTS_MAX,
        .messages = MESSAGES_REMEMBERED,
    };
    void *mem = rc_state_memory(rc_state_size(&limits));

    assert(mem);
    return rc_state_init(mem, &limits);
}

static bool
take_snapshot(struct rc_daemon *d, const struct rc_journal_record *r)
{
    size_t size = rc_state_unpacked_size(r->data, r->len);
    void *mem = size ? rc_state_memory(size) : NULL;
    struct rc_state *s = mem ? rc_state_unpack(r->data, r->len, mem) : NULL;

    if (!s) {
        if (mem) {
            rc_state_memory_drop(mem, size);
        }
        return false;
    }
    rc_state_memory_free(d->state);
    d->state = s;
    return true;
}

/* The source text that stands before a CLUSTER or POLICY event. */
struct source {
    char *text;
    uint32_t len;
};

static bool
give_payload(struct rc_event *ev, const struct source *src, struct rc_config *config,
             struct rc_policy *policy, struct rc_load_errors *errs)
{
    memset(errs, 0, sizeof *errs);
    if (!src->text) {
        return false;
    }
    if (ev->kind == RC_EV_CLUSTER) {
        ev->u.cluster = &config->cluster;
        return rc_config_load("journal", src->text, src->len, config, errs) == RC_OK;
    }
    ev->u.policy = policy;
    return rc_policy_load("journal", src->text, src->len, policy, errs) == RC_OK;
}

static enum rc_err
record_unread(const struct rc_journal_record *r, const char *what, size_t at, struct rc_error *e)
{
    return rc_fail(e, RC_E_PARSE,
                   "%s: record %llu: no %s is readable at byte %zu: was it written by a newer "
                   "release? Go forward to that, or move the folder of the journal away: the "
                   "store tells what is in flight",
                   r->file, (unsigned long long)r->number, what, at);
}

static enum rc_err
fold_event(struct rc_daemon *d, const struct rc_journal_record *r, const struct source *src,
           struct rc_error *e)
{
    static struct rc_config config;
    static struct rc_policy policy;
    static struct rc_load_errors errs;
    struct rc_event ev;
    size_t at;

    if (rc_event_parse((const char *)r->data, r->len, &ev, &at) != RC_OK) {
        return record_unread(r, "event", at, e);
    }
    if ((ev.kind == RC_EV_CLUSTER || ev.kind == RC_EV_POLICY) &&
        !give_payload(&ev, src, &config, &policy, &errs)) {
        return RC_OK; /* a key of another release: the files are loaded anew at start anyway */
    }
    rc_fold(d->state, &ev);
    return RC_OK;
}

static enum rc_err
fold_record(struct rc_daemon *d, const struct rc_journal_record *r, struct source *src,
            struct rc_error *e)
{
    struct rc_action a;
    size_t at;

    switch (r->type) {
    case RC_JOURNAL_EVENT:
        return fold_event(d, r, src, e);
    case RC_JOURNAL_ACTION:
        if (rc_action_parse((const char *)r->data, r->len, &a, &at) != RC_OK) {
            return record_unread(r, "action", at, e);
        }
        rc_note(d->state, &a);
        return RC_OK;
    case RC_JOURNAL_TEXT:
        free(src->text);
        src->text = malloc(r->len + 1);
        assert(src->text);
        memcpy(src->text, r->data, r->len);
        src->text[r->len] = '\0';
        src->len = r->len;
        return RC_OK;
    case RC_JOURNAL_NONE:
    case RC_JOURNAL_SNAPSHOT:
    case RC_JOURNAL_MARK:
    case RC_JOURNAL__MAX:
        break;
    }
    return RC_OK;
}

/* Stands the reader after the newest snapshot of this release (true), or at the oldest record. */
static bool
find_start(struct rc_daemon *d, struct rc_journal_reader *reader)
{
    struct rc_journal_record r;
    struct rc_error e;

    for (unsigned back = 0; rc_journal_reader_to_snapshot(reader, back, &e) == RC_OK; back++) {
        if (rc_journal_reader_next(reader, &r, &e) == RC_OK && take_snapshot(d, &r)) {
            return true;
        }
    }
    return false;
}

/* RC_E_UNSUPPORTED: the journal's beginning is gone, and what is left begins with a snapshot of
 * another release. Later records go on with incidents and phases that began in there, so they
 * can be folded into no other state. */
static enum rc_err
replay(struct rc_daemon *d, struct rc_journal_reader *reader, uint64_t *ret_records,
       struct rc_error *e)
{
    bool begun = find_start(d, reader);
    struct rc_journal_record r;
    struct source src = {NULL, 0};
    enum rc_err err;

    while ((err = rc_journal_reader_next(reader, &r, e)) == RC_OK) {
        err =
            begun || r.type != RC_JOURNAL_SNAPSHOT ? fold_record(d, &r, &src, e) : RC_E_UNSUPPORTED;
        begun = true;
        if (err != RC_OK) {
            break;
        }
        ++*ret_records;
    }
    free(src.text);
    return err == RC_E_NOT_FOUND ? RC_OK : err;
}

enum rc_err
rc_recover_restore(struct rc_daemon *d, struct rc_error *e)
{
    struct rc_journal_reader *reader;
    uint64_t records = 0;
    enum rc_err err =
        rc_journal_reader_open(d->config.journal.dir, d->config.cluster.name, &reader, e);

    if (err != RC_OK) {
        return err;
    }
    d->state = fresh_state(d);
    err = replay(d, reader, &records, e);
    rc_journal_reader_free(reader);
    if (err == RC_E_UNSUPPORTED) {
        rc_log_event(d->log, RC_LOG_WARN, "journal", RC_LOG_NOTE, "other-release", NULL,
                     "the journal begins with a snapshot of another release, so nothing is taken "
                     "from it: what is in flight is in the store");
        return RC_OK;
    }
    if (err != RC_OK) {
        return err;
    }
    d->restored = true;
    rc_log_event(
        d->log, RC_LOG_INFO, "journal", RC_LOG_NOTE, "restored",
        RC_FIELDS(RC_INT("records", records), RC_INT("open_incidents", d->state->open_incidents)),
        "state restored from the journal");
    return RC_OK;
}

/* Core time goes on where it stopped, and counts the time that the daemon was away. */
static void
set_clock(struct rc_daemon *d)
{
    int64_t away_ms = d->restored ? rc_wall_ms() - d->state->now_wall_ms : 0;
    int64_t from_ms = d->state->now_ms + (away_ms > 0 ? away_ms : 0);

    d->core_offset_ms = d->restored ? from_ms - rc_boot_ms() : 0;
}

enum rc_err
rc_recover_open(struct rc_daemon *d, struct rc_error *e)
{
    struct rc_journal_options options = {
        .dir = d->config.journal.dir,
        .cluster = d->config.cluster.name,
        .base = d->base,
        .syncer = d->syncer,
        .segment_bytes = d->config.journal.segment_bytes,
        .keep_segments = d->config.journal.keep_segments,
        .keep_bytes = d->config.journal.keep_bytes,
    };
    struct rc_journal_opened opened;
    enum rc_err err = rc_journal_open(&options, &d->journal, &opened, e);

    if (err != RC_OK) {
        return err;
    }
    if (opened.torn.bytes) {
        rc_log_event(d->log, RC_LOG_WARN, "journal", RC_LOG_NOTE, "torn-tail",
                     RC_FIELDS(RC_TEXT("file", opened.torn.file),
                               RC_INT("offset", opened.torn.offset),
                               RC_INT("bytes", opened.torn.bytes)),
                     "a record was cut short by a crash; kept aside as %s", opened.torn_file);
    }
    if (opened.last) {
        err = rc_recover_restore(d, e);
    } else {
        d->state = fresh_state(d);
    }
    set_clock(d);
    if (err == RC_OK && opened.last) {
        rc_recover_rotate(d);
    }
    return err;
}

void
rc_recover_rotate(struct rc_daemon *d)
{
    struct rc_error e;
    uint64_t number;

    size_t size = rc_state_pack(d->state, NULL, 0);
    void *packed = malloc(size);

    if (!packed) {
        return; /* the segment grows until there is memory again */
    }
    rc_state_pack(d->state, packed, size);
    if (rc_journal_rotate(d->journal, packed, size, &number, &e) != RC_OK) {
        rc_log_failure(d->log, "journal", &e, NULL);
    }
    free(packed);
}
