/* decode_envelope.c - the message around an event.
 *
 * Unwraps an SNS notification, reads the EventBridge envelope, finds the decoder
 * of its detail-type and turns the outcome into a verdict. Real and documented
 * envelopes differ: version and id may be missing, the detail-type may be spelt
 * detail_type, resources may be one string, detail may be JSON inside a string.
 * All of these are taken; a key of another type than these is not.
 *
 * One event that AWS delivers twice, or copies to its backup region, hashes to
 * one id (rc_decoded.id_hash). A placeholder for an id (not a UUID) does not
 * identify anything: then the message text does. */
#include <stdlib.h>
#include <string.h>

#include "handlers/decode/decode_internal.h"

/* Parses text into a tree that lives as long as the notice. */
static enum rc_err
envelope_own_json(struct rc_notice *n, const char *what, const char *text, size_t len,
                  const cJSON **ret)
{
    char why[RC_DECODE_WHY_LEN];
    cJSON *root;
    enum rc_err err = rc_decode_json(text, len, &root, why);

    *ret = root;
    if (err == RC_OK) {
        n->owned[n->owned_count++] = root;
        return RC_OK;
    }
    return err == RC_E_PARSE ? rc_decode_bad(n, "%s: unreadable JSON, %s", what, why) : err;
}

static bool
envelope_has(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key) != NULL;
}

/* SNS: {"Type":"Notification","TopicArn":…,"Message":"<the event as text>"}.
 * Sets *ret_done for a confirmation, which carries no event. */
static enum rc_err
envelope_unwrap_sns(struct rc_notice *n, const cJSON **root, bool *ret_done)
{
    const char *type, *text;
    enum rc_err err;

    if (envelope_has(*root, "detail-type") || envelope_has(*root, "detail_type") ||
        !envelope_has(*root, "Type") || !envelope_has(*root, "TopicArn")) {
        return RC_OK;
    }
    err = rc_decode_string(n, *root, "Type", true, &type);
    if (err != RC_OK) {
        return err;
    }
    if (strcmp(type, "SubscriptionConfirmation") == 0 ||
        strcmp(type, "UnsubscribeConfirmation") == 0) {
        n->out->verdict = RC_VERDICT_IGNORED;
        rc_decode_say(n, "SNS %s", type);
        *ret_done = true;
        return RC_OK;
    }
    err = rc_decode_string(n, *root, "Message", true, &text);
    if (err == RC_OK) {
        err = envelope_own_json(n, "Message", text, strlen(text), root);
    }
    if (err == RC_OK && !cJSON_IsObject(*root)) {
        return rc_decode_bad(n, "Message: expected an EventBridge event (a JSON object)");
    }
    return err;
}

static enum rc_err
envelope_read_type(struct rc_notice *n, const cJSON *root)
{
    const char *other;
    enum rc_err err = rc_decode_string(n, root, "detail-type", false, &n->detail_type);

    if (err == RC_OK) {
        err = rc_decode_string(n, root, "detail_type", false, &other);
    }
    if (err != RC_OK) {
        return err;
    }
    if (*n->detail_type && *other && strcmp(n->detail_type, other) != 0) {
        return rc_decode_bad(n, "detail-type and detail_type differ");
    }
    if (!*n->detail_type) {
        n->detail_type = other;
    }
    return *n->detail_type
               ? RC_OK
               : rc_decode_bad(n, "detail-type: missing, expected an EventBridge event");
}

/* A list of strings; the interruption warning of a reservation is documented with one string. */
static enum rc_err
envelope_read_resources(struct rc_notice *n, const cJSON *root)
{
    const cJSON *given = cJSON_GetObjectItemCaseSensitive(root, "resources"), *item;

    if (cJSON_IsString(given)) {
        cJSON *list = cJSON_CreateArray();
        cJSON *copy = cJSON_CreateString(given->valuestring);

        if (!list || !cJSON_AddItemToArray(list, copy)) {
            cJSON_Delete(list);
            cJSON_Delete(copy);
            return RC_E_FULL;
        }
        n->owned[n->owned_count++] = list;
        n->resources = list;
        return RC_OK;
    }
    enum rc_err err = rc_decode_array(n, root, "resources", false, &n->resources);
    cJSON_ArrayForEach(item, n->resources)
    {
        if (!cJSON_IsString(item)) {
            return rc_decode_bad(n, "resources: expected a list of strings");
        }
    }
    return err;
}

/* An object, or the text of one (EventBridge Scheduler, PutEvents callers). */
static enum rc_err
envelope_read_detail(struct rc_notice *n, const cJSON *root)
{
    const cJSON *given = cJSON_GetObjectItemCaseSensitive(root, "detail");

    if (!cJSON_IsString(given)) {
        return rc_decode_object(n, root, "detail", true, &n->detail);
    }
    if (!n->row) {
        return RC_OK; /* nobody reads it */
    }
    const char *text = given->valuestring;
    enum rc_err err = envelope_own_json(n, "detail", text, strlen(text), &n->detail);
    if (err == RC_OK && !cJSON_IsObject(n->detail)) {
        return rc_decode_bad(n, "detail: expected an object or the text of one");
    }
    return err;
}

static enum rc_err
envelope_read(struct rc_notice *n, const cJSON *root)
{
    const struct {
        const char *key;
        const char **ret;
    } strings[] = {{"id", &n->id}, {"source", &n->source}, {"account", &n->account}};
    const char *time, *region;
    enum rc_err err = envelope_read_type(n, root);

    for (size_t i = 0; err == RC_OK && i < sizeof strings / sizeof strings[0]; i++) {
        err = rc_decode_string(n, root, strings[i].key, false, strings[i].ret);
    }
    if (err == RC_OK) {
        err = rc_decode_string(n, root, "region", false, &region);
    }
    if (err == RC_OK) {
        err = rc_decode_string(n, root, "time", false, &time);
    }
    if (err == RC_OK) {
        n->time_wall_ms = rc_decode_time_ms(time);
        n->row = rc_decode_find(n->detail_type);
        err = envelope_read_resources(n, root);
    }
    return err == RC_OK ? envelope_read_detail(n, root) : err;
}

/* 8-4-4-4-12 hex digits. */
static bool
envelope_is_uuid(const char *text)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    for (size_t i = 0; i < sizeof shape - 1; i++) {
        char c = text[i], low = (char)(c | 0x20);
        bool hex = (c >= '0' && c <= '9') || (low >= 'a' && low <= 'f');

        if (shape[i] == 'x' ? !hex : c != shape[i]) {
            return false;
        }
    }
    return text[sizeof shape - 1] == '\0';
}

/* Type and time are hashed too: examples in documentation share one id. */
static uint64_t
envelope_identity(const struct rc_notice *n)
{
    uint64_t hash = 0;

    if (n->row && n->row->kind == RC_EV_AWS_HEALTH) {
        hash = rc_decode_health_hash(n);
    }
    if (hash == 0 && envelope_is_uuid(n->id)) {
        hash = rc_decode_hash_string(RC_DECODE_HASH_SEED, n->id);
        hash = rc_decode_hash_string(hash, n->detail_type);
        hash = rc_decode_hash(hash, (const char *)&n->time_wall_ms, sizeof n->time_wall_ms);
    }
    return hash;
}

static int
envelope_by_instance(const void *a, const void *b)
{
    const struct rc_event *x = a, *y = b;
    int order = strcmp(x->instance, y->instance);

    return order ? order : memcmp(a, b, rc_event_bytes(x)); /* zeroed: no stray bytes */
}

/* Sorted by instance, what is told twice once: equal messages give equal events. */
static void
envelope_sort(struct rc_decoded *out)
{
    uint32_t kept = 0;

    qsort(out->events, out->count, sizeof *out->events, envelope_by_instance);
    for (uint32_t i = 0; i < out->count; i++) {
        if (kept == 0 || envelope_by_instance(&out->events[kept - 1], &out->events[i]) != 0) {
            out->events[kept++] = out->events[i];
        }
    }
    out->count = kept;
}

static enum rc_err
envelope_decode(struct rc_notice *n, const char *body, size_t len)
{
    const cJSON *root = NULL;
    bool done = false;

    if (len == 0) {
        return rc_decode_bad(n, "body: empty");
    }
    if (len > RC_DECODE_BODY_MAX) {
        return rc_decode_bad(n, "body: %zu bytes, over the limit of %d", len, RC_DECODE_BODY_MAX);
    }
    enum rc_err err = envelope_own_json(n, "body", body, len, &root);
    if (err != RC_OK) {
        return err;
    }
    if (!cJSON_IsObject(root)) {
        return rc_decode_bad(n, "body: expected an EventBridge event (a JSON object)");
    }
    err = envelope_unwrap_sns(n, &root, &done);
    if (err != RC_OK || done) {
        return err;
    }
    err = envelope_read(n, root);
    if (err != RC_OK) {
        return err;
    }
    n->out->id_hash = envelope_identity(n);
    if (!n->row) {
        n->out->verdict = RC_VERDICT_IGNORED;
        rc_decode_say(n, "%s from %s", n->detail_type,
                      *n->source ? n->source : "an unnamed source");
        return RC_OK;
    }
    n->out->verdict = RC_VERDICT_EVENTS;
    n->out->kind = (uint32_t)n->row->kind;
    return n->row->decode(n);
}

static void
envelope_drop_events(struct rc_decoded *d)
{
    free(d->events);
    d->events = NULL;
    d->count = 0;
    d->kind = 0;
}

enum rc_err
rc_decode_message(const char *body, size_t len, struct rc_decoded *ret)
{
    struct rc_notice n = {.detail_type = "", .source = "", .id = "", .account = "", .out = ret};

    memset(ret, 0, sizeof *ret);
    enum rc_err err = envelope_decode(&n, body, len);
    for (uint32_t i = 0; i < n.owned_count; i++) {
        cJSON_Delete(n.owned[i]);
    }
    if (err == RC_E_PARSE) {
        envelope_drop_events(ret);
        ret->verdict = RC_VERDICT_QUARANTINED;
    } else if (err != RC_OK) {
        rc_decoded_done(ret);
        return err;
    }
    if (ret->count > 1) {
        envelope_sort(ret);
    }
    if (ret->id_hash == 0) { /* nothing in it says which message it is: the whole does */
        ret->id_hash = rc_decode_hash(RC_DECODE_HASH_SEED, body, len);
    }
    ret->id_hash += ret->id_hash == 0; /* 0 means none */
    return RC_OK;
}

void
rc_decoded_done(struct rc_decoded *d)
{
    free(d->events);
    memset(d, 0, sizeof *d);
}
