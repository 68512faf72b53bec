/* json_fields.c - see json_fields.h. */
#include "reconciler/io/store/json_fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "reconciler/core/policy.h"

static void
fail_once(struct rc_json_object *o, enum rc_err code, const char *text)
{
    if (!o->failed) {
        o->failed = rc_fail(o->err, code, "%s: %s", o->what, text);
    }
}

void
rc_json_open(struct rc_json_object *o, const char *what, const char *text, size_t len,
             struct rc_error *ret_err)
{
    const char *end = NULL;

    *o = (struct rc_json_object){.what = what, .err = ret_err, .failed = RC_OK};
    o->root = cJSON_ParseWithLengthOpts(text, len, &end, 0);
    if (!o->root) {
        char place[80];
        snprintf(place, sizeof place, "not JSON at byte %td, expected an object",
                 end ? end - text : (ptrdiff_t)0);
        fail_once(o, RC_E_PARSE, place);
        return;
    }
    while (end < text + len && (*end == ' ' || *end == '\t' || *end == '\n' || *end == '\r')) {
        end++;
    }
    if (!cJSON_IsObject(o->root) || end != text + len) {
        fail_once(o, RC_E_PARSE, "expected one JSON object and nothing else");
    }
}

void
rc_json_expect(struct rc_json_object *o, uint64_t version, const char *cluster)
{
    char text[160], found[64];
    uint64_t v = rc_json_integer(o, "version", 0, RC_JSON_INTEGER_MAX);

    if (!o->failed && v != version) {
        snprintf(text, sizeof text, "version %" PRIu64 ", this release reads %" PRIu64, v, version);
        fail_once(o, RC_E_PARSE, text);
    }
    rc_json_text(o, "cluster", found, sizeof found);
    if (!o->failed && strcmp(found, cluster) != 0) {
        snprintf(text, sizeof text, "belongs to cluster \"%.48s\", not to \"%.48s\"", found,
                 cluster);
        fail_once(o, RC_E_FOREIGN, text);
    }
}

void
rc_json_refuse(struct rc_json_object *o, const char *key, const char *expected)
{
    char text[160];

    snprintf(text, sizeof text, "\"%s\" is missing or wrong, expected %s", key, expected);
    fail_once(o, RC_E_PARSE, text);
}

const cJSON *
rc_json_member(struct rc_json_object *o, const char *key, const char *expected)
{
    const cJSON *item = o->failed ? NULL : cJSON_GetObjectItemCaseSensitive(o->root, key);

    if (!item) {
        rc_json_refuse(o, key, expected);
    }
    return item;
}

uint64_t
rc_json_integer(struct rc_json_object *o, const char *key, uint64_t min, uint64_t max)
{
    char expected[80];

    snprintf(expected, sizeof expected, "a whole number from %" PRIu64 " to %" PRIu64, min, max);
    const cJSON *item = rc_json_member(o, key, expected);
    if (!item) {
        return 0;
    }
    double v = item->valuedouble;
    if (!cJSON_IsNumber(item) || !(v >= (double)min && v <= (double)max) ||
        (double)(uint64_t)v < v) {
        rc_json_refuse(o, key, expected);
        return 0;
    }
    return (uint64_t)v;
}

bool
rc_json_bool(struct rc_json_object *o, const char *key)
{
    const cJSON *item = rc_json_member(o, key, "true or false");

    if (item && !cJSON_IsBool(item)) {
        rc_json_refuse(o, key, "true or false");
    }
    return !o->failed && cJSON_IsTrue(item);
}

void
rc_json_text(struct rc_json_object *o, const char *key, char *dst, size_t room)
{
    char expected[80];

    snprintf(expected, sizeof expected, "a string of at most %zu bytes", room - 1);
    memset(dst, 0, room);
    const cJSON *item = rc_json_member(o, key, expected);
    if (!item) {
        return;
    }
    if (!cJSON_IsString(item) || strlen(item->valuestring) >= room) {
        rc_json_refuse(o, key, expected);
        return;
    }
    for (const char *p = item->valuestring; *p; p++) {
        if ((unsigned char)*p < 0x20) {
            rc_json_refuse(o, key, "no control characters");
            return;
        }
    }
    memcpy(dst, item->valuestring, strlen(item->valuestring));
}

uint32_t
rc_json_fault(struct rc_json_object *o, const char *key)
{
    char name[40];

    rc_json_text(o, key, name, sizeof name);
    enum rc_fault f = o->failed ? RC_FAULT_NONE : rc_fault_from_name(name);
    if (f == RC_FAULT__MAX) {
        rc_json_refuse(o, key, "the name of a fault");
        return RC_FAULT_NONE;
    }
    return f;
}

bool
rc_json_add_flags(cJSON *o, const char *key, const struct rc_json_flag *names, size_t count,
                  uint32_t flags)
{
    cJSON *list = cJSON_AddArrayToObject(o, key);
    bool good = list != NULL;

    for (size_t f = 0; good && f < count; f++) {
        if (flags & names[f].flag) {
            good = cJSON_AddItemToArray(list, cJSON_CreateString(names[f].name));
        }
    }
    return good;
}

uint32_t
rc_json_flags(struct rc_json_object *o, const char *key, const struct rc_json_flag *names,
              size_t count, const char *expected)
{
    const cJSON *list = rc_json_member(o, key, expected), *name;
    uint32_t flags = 0;

    if (list && !cJSON_IsArray(list)) {
        rc_json_refuse(o, key, expected);
        return 0;
    }
    cJSON_ArrayForEach(name, list)
    {
        size_t f = 0;
        while (f < count &&
               !(cJSON_IsString(name) && strcmp(name->valuestring, names[f].name) == 0)) {
            f++;
        }
        if (f == count) {
            rc_json_refuse(o, key, expected);
            return 0;
        }
        flags |= names[f].flag;
    }
    return flags;
}

enum rc_err
rc_json_close(struct rc_json_object *o)
{
    cJSON_Delete(o->root);
    o->root = NULL;
    return o->failed;
}
