/* lease_record.c - see lease_record.h. */
#define _GNU_SOURCE
#include "reconciler/io/store/lease_record.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "reconciler/core/event.h"
#include "reconciler/io/store/json_fields.h"

char *
rc_lease_record_format(const char *cluster, const struct rc_lease_record *r)
{
    cJSON *o = cJSON_CreateObject();
    char *text = NULL;

    if (cJSON_AddNumberToObject(o, "version", RC_LEASE_VERSION) &&
        cJSON_AddStringToObject(o, "cluster", cluster) &&
        cJSON_AddStringToObject(o, "owner", r->owner) &&
        cJSON_AddNumberToObject(o, "epoch", (double)r->epoch) &&
        cJSON_AddNumberToObject(o, "renewal", (double)r->renewal) &&
        cJSON_AddNumberToObject(o, "term_ms", (double)r->term_ms) &&
        cJSON_AddBoolToObject(o, "held", r->held) &&
        cJSON_AddNumberToObject(o, "since_ms", (double)r->since_wall_ms) &&
        cJSON_AddStringToObject(o, "holder", r->holder)) {
        text = cJSON_PrintUnformatted(o);
    }
    cJSON_Delete(o);
    return text;
}

enum rc_err
rc_lease_record_parse(const char *what, const char *cluster, const char *text, size_t len,
                      struct rc_lease_record *ret, struct rc_error *ret_err)
{
    struct rc_json_object o;
    struct rc_lease_record r;

    memset(&r, 0, sizeof r);
    rc_json_open(&o, what, text, len, ret_err);
    rc_json_expect(&o, RC_LEASE_VERSION, cluster);
    rc_json_text(&o, "owner", r.owner, sizeof r.owner);
    r.epoch = rc_json_integer(&o, "epoch", 1, RC_LEASE_EPOCH_MAX);
    r.renewal = rc_json_integer(&o, "renewal", 1, RC_JSON_INTEGER_MAX);
    r.term_ms = (int64_t)rc_json_integer(&o, "term_ms", 1, RC_LEASE_TERM_MS_MAX);
    r.held = rc_json_bool(&o, "held");
    if (!o.failed && cJSON_HasObjectItem(o.root, "since_ms")) { /* earlier releases had none */
        r.since_wall_ms = (int64_t)rc_json_integer(&o, "since_ms", 0, RC_JSON_INTEGER_MAX);
    }
    if (!o.failed && cJSON_HasObjectItem(o.root, "holder")) {
        rc_json_text(&o, "holder", r.holder, sizeof r.holder);
    }
    if (!o.failed && !r.owner[0]) {
        rc_json_refuse(&o, "owner", "a name");
    }
    enum rc_err e = rc_json_close(&o);
    if (!e) {
        *ret = r;
    }
    return e;
}

static bool
is_same(const struct rc_lease_record *a, const struct rc_lease_record *b)
{
    return a->epoch == b->epoch && a->renewal == b->renewal && a->held == b->held &&
           a->term_ms == b->term_ms && strcmp(a->owner, b->owner) == 0;
}

bool
rc_lease_record_stands(const struct rc_lease_record *mine, const struct rc_lease_record *r)
{
    return r->held && is_same(mine, r) && strcmp(mine->holder, r->holder) == 0;
}

/* A hand-over takes a good part of a second, a take-over the term. */
static bool
jumps(const struct rc_lease_watch *w, uint64_t epoch, int64_t now_ms)
{
    uint64_t seconds = now_ms > w->since_ms ? (uint64_t)(now_ms - w->since_ms) / 1000 : 0;

    return epoch > w->seen.epoch && epoch - w->seen.epoch > RC_LEASE_EPOCHS_AT_ONCE + 2 * seconds;
}

enum rc_err
rc_lease_watch_see(struct rc_lease_watch *w, const struct rc_lease_record *record, int64_t now_ms,
                   struct rc_error *ret_err)
{
    if (!record) {
        return w->has_seen ? rc_fail(ret_err, RC_E_INVALID,
                                     "the lease record is gone, its last epoch was %" PRIu64
                                     ": restore it, or start every controller again",
                                     w->seen.epoch)
                           : RC_OK;
    }
    if (w->has_seen && record->epoch < w->seen.epoch) {
        return rc_fail(ret_err, RC_E_INVALID,
                       "the lease went back from epoch %" PRIu64 " to %" PRIu64
                       ": restore it, or start every controller again",
                       w->seen.epoch, record->epoch);
    }
    if (w->has_seen && jumps(w, record->epoch, now_ms)) {
        return rc_fail(ret_err, RC_E_INVALID,
                       "the lease went from epoch %" PRIu64 " to %" PRIu64
                       " at once, as no take-over does: set it back, or stop every controller "
                       "before it is set",
                       w->seen.epoch, record->epoch);
    }
    if (!w->has_seen || !is_same(&w->seen, record)) {
        w->seen = *record;
        w->since_ms = now_ms;
        w->has_seen = true;
    }
    return RC_OK;
}

bool
rc_lease_record_is_of(const struct rc_lease_record *r, const char *owner, const char *holder)
{
    return *holder && strcmp(r->owner, owner) == 0 && strcmp(r->holder, holder) == 0;
}

int64_t
rc_lease_watch_takeable_at_ms(const struct rc_lease_watch *w, int64_t grace_ms)
{
    return w->seen.held ? w->since_ms + w->seen.term_ms + grace_ms : w->since_ms;
}

void
rc_lease_watch_tell(const struct rc_lease_watch *w, bool is_mine, int64_t until_ms,
                    int64_t grace_ms, struct rc_lease_info *ret)
{
    const struct rc_lease_record *r = &w->seen;

    memset(ret, 0, sizeof *ret);
    memcpy(ret->owner, r->owner, sizeof ret->owner);
    ret->epoch = r->epoch;
    ret->term_ms = r->term_ms;
    ret->since_wall_ms = r->since_wall_ms;
    ret->renewal = r->renewal;
    ret->held = r->held;
    ret->mine = is_mine;
    ret->until_ms = is_mine ? until_ms : 0;
    ret->takeable_at_ms = is_mine ? 0 : rc_lease_watch_takeable_at_ms(w, grace_ms);
}

enum rc_err
rc_lease_options_check(int64_t term_ms, int64_t grace_ms, const char *owner, const char *holder,
                       struct rc_error *ret_err)
{
    if (term_ms <= 0 || term_ms > RC_LEASE_TERM_MS_MAX || grace_ms < 0) {
        return rc_fail(ret_err, RC_E_INVALID,
                       "lease term: expected 1 ms to %d ms, grace not below 0",
                       RC_LEASE_TERM_MS_MAX);
    }
    if (!owner[0] || strlen(owner) >= RC_NODE_LEN) {
        return rc_fail(ret_err, RC_E_INVALID, "lease owner \"%s\": expected 1 to %d characters",
                       owner, RC_NODE_LEN - 1);
    }
    if (holder && strlen(holder) >= RC_LEASE_HOLDER_LEN) {
        return rc_fail(ret_err, RC_E_INVALID, "lease holder: expected at most %d characters",
                       RC_LEASE_HOLDER_LEN - 1);
    }
    return RC_OK;
}

static int64_t
clock_in_ms(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
rc_lease_boot_ms(void *unused)
{
    (void)unused;
    return clock_in_ms(CLOCK_BOOTTIME);
}

uint64_t
rc_lease_next_renewal(uint64_t renewal)
{
    return renewal < RC_JSON_INTEGER_MAX ? renewal + 1 : 1;
}

enum rc_err
rc_lease_record_take(struct rc_lease_record *r, const char *owner, const char *holder,
                     int64_t term_ms, struct rc_error *ret_err)
{
    if (r->epoch >= RC_LEASE_EPOCH_MAX) {
        return rc_fail(ret_err, RC_E_INVALID,
                       "the lease's epoch %" PRIu64
                       " is the last, as no take-over makes it: stop every controller, then set "
                       "it back to what it was",
                       r->epoch);
    }
    rc_text_set(r->owner, sizeof r->owner, owner);
    rc_text_set(r->holder, sizeof r->holder, holder);
    r->epoch++;
    r->renewal = rc_lease_next_renewal(r->renewal);
    r->term_ms = term_ms;
    r->since_wall_ms = clock_in_ms(CLOCK_REALTIME);
    r->held = true;
    return RC_OK;
}
