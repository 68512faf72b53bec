/* lease_record.c - see lease_record.h. */
#include "reconciler/io/store/lease_record.h"

#include <inttypes.h>
#include <string.h>

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
    /* One below the largest: the next epoch must be exact too. */
    r.epoch = rc_json_integer(&o, "epoch", 1, RC_JSON_INTEGER_MAX - 1);
    r.renewal = rc_json_integer(&o, "renewal", 1, RC_JSON_INTEGER_MAX - 1);
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
