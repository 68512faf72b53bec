/* history_json.c - see history_json.h. */
#include "reconciler/io/store/history_json.h"

#include <string.h>

#include "reconciler/core/policy.h"
#include "reconciler/io/store/json_fields.h"

static const struct {
    uint32_t flag;
    const char *name;
} flag_names[] = {
    {RC_HISTORY_HELD, "held"},
    {RC_HISTORY_PAUSED, "paused"},
    {RC_HISTORY_BREAKER_OPEN, "breaker-open"},
};
enum { FLAG_COUNT = sizeof flag_names / sizeof *flag_names };

/* A member that is added there must be written and read here. */
_Static_assert(sizeof(struct rc_history) == 8 + 4 * RC_ATTEMPTS_MAX * 8 + 8 + 2 * 4,
               "every member of the history is stored");

/* --- to text -------------------------------------------------------------------- */

static bool
add_history_times(cJSON *o, const char *key, const int64_t *times)
{
    cJSON *list = cJSON_AddArrayToObject(o, key);
    bool good = list != NULL;

    for (unsigned i = 0; good && i < RC_ATTEMPTS_MAX; i++) {
        if (times[i] > 0) {
            good = cJSON_AddItemToArray(list, cJSON_CreateNumber((double)times[i]));
        }
    }
    return good;
}

static bool
add_history_flags(cJSON *o, uint32_t flags)
{
    cJSON *list = cJSON_AddArrayToObject(o, "flags");
    bool good = list != NULL;

    for (size_t f = 0; good && f < FLAG_COUNT; f++) {
        if (flags & flag_names[f].flag) {
            good = cJSON_AddItemToArray(list, cJSON_CreateString(flag_names[f].name));
        }
    }
    return good;
}

char *
rc_history_json_format(const struct rc_history *h)
{
    cJSON *o = cJSON_CreateObject();
    int64_t cooldown_ms = h->cooldown_until_wall_ms > 0 ? h->cooldown_until_wall_ms : 0;
    char *text = NULL;

    if (add_history_times(o, "opened", h->opened_wall_ms) &&
        add_history_times(o, "repairs", h->repair_wall_ms) &&
        add_history_times(o, "launches", h->launch_wall_ms) &&
        add_history_times(o, "destructive", h->destructive_wall_ms) &&
        cJSON_AddNumberToObject(o, "cooldown_until", (double)cooldown_ms) &&
        cJSON_AddStringToObject(o, "yielded", rc_fault_name((enum rc_fault)h->yielded_fault)) &&
        add_history_flags(o, h->flags)) {
        text = cJSON_PrintUnformatted(o);
    }
    cJSON_Delete(o);
    return text;
}

/* --- from text ------------------------------------------------------------------- */

static void
read_history_times(struct rc_json_object *o, const char *key, int64_t *times)
{
    const char *expected = "a list of at most 8 times, Unix ms";
    const cJSON *list = rc_json_member(o, key, expected), *item;
    unsigned count = 0;

    if (list && (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > RC_ATTEMPTS_MAX)) {
        rc_json_refuse(o, key, expected);
        return;
    }
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsNumber(item) || !(item->valuedouble >= 1) ||
            item->valuedouble > (double)RC_JSON_INTEGER_MAX) {
            rc_json_refuse(o, key, expected);
            return;
        }
        times[count++] = (int64_t)item->valuedouble;
    }
}

static uint32_t
read_history_flags(struct rc_json_object *o)
{
    const char *expected = "a list of held, paused, breaker-open";
    const cJSON *list = rc_json_member(o, "flags", expected), *name;
    uint32_t flags = 0;

    if (list && !cJSON_IsArray(list)) {
        rc_json_refuse(o, "flags", expected);
        return 0;
    }
    cJSON_ArrayForEach(name, list)
    {
        size_t f = 0;
        while (f < FLAG_COUNT &&
               !(cJSON_IsString(name) && strcmp(name->valuestring, flag_names[f].name) == 0)) {
            f++;
        }
        if (f == FLAG_COUNT) {
            rc_json_refuse(o, "flags", expected);
            return 0;
        }
        flags |= flag_names[f].flag;
    }
    return flags;
}

static uint32_t
read_yielded(struct rc_json_object *o)
{
    char name[40];

    rc_json_text(o, "yielded", name, sizeof name);
    enum rc_fault f = o->failed ? RC_FAULT_NONE : rc_fault_from_name(name);
    if (f == RC_FAULT__MAX) {
        rc_json_refuse(o, "yielded", "the name of a fault");
        return RC_FAULT_NONE;
    }
    return f;
}

enum rc_err
rc_history_json_parse(const char *what, const char *json, size_t len, struct rc_history *ret,
                      struct rc_error *ret_err)
{
    struct rc_json_object o;
    struct rc_history h;

    memset(&h, 0, sizeof h);
    rc_json_open(&o, what, json, len, ret_err);
    read_history_times(&o, "opened", h.opened_wall_ms);
    read_history_times(&o, "repairs", h.repair_wall_ms);
    read_history_times(&o, "launches", h.launch_wall_ms);
    read_history_times(&o, "destructive", h.destructive_wall_ms);
    h.cooldown_until_wall_ms =
        (int64_t)rc_json_integer(&o, "cooldown_until", 0, RC_JSON_INTEGER_MAX);
    h.yielded_fault = read_yielded(&o);
    h.flags = read_history_flags(&o);
    enum rc_err e = rc_json_close(&o);
    if (!e) {
        *ret = h;
    }
    return e;
}
