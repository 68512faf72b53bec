/* history_json.c - see history_json.h. */
#include "reconciler/io/store/history_json.h"

#include <string.h>

#include "reconciler/core/policy.h"
#include "reconciler/io/store/json_fields.h"

static const struct rc_json_flag flag_names[] = {
    {RC_HISTORY_HELD, "held"},
    {RC_HISTORY_PAUSED, "paused"},
    {RC_HISTORY_BREAKER_OPEN, "breaker-open"},
};
enum { FLAG_COUNT = sizeof flag_names / sizeof *flag_names };

/* A member that is added there must be written and read here. */
_Static_assert(sizeof(struct rc_history) ==
                   8 + 5 * RC_ATTEMPTS_MAX * 8 + 8 + 2 * 4 + sizeof(struct rc_lemon),
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

static const char *const mark_names[] = {
#define MARK_NAME(mark, name, weight) [mark] = name,
    RC_MARKS(MARK_NAME)
#undef MARK_NAME
};
static const char *const bad_names[RC_NODE_BAD_HOSTS][2] = {{"bad1_instance", "bad1_serials"},
                                                            {"bad2_instance", "bad2_serials"}};

static bool
add_lemon(cJSON *o, const struct rc_lemon *l)
{
    bool good = cJSON_AddNumberToObject(o, "day", l->day > 0 ? (double)l->day : 0) &&
                cJSON_AddStringToObject(o, "serials", l->serials);

    for (size_t m = 0; good && m < RC_MARK__MAX; m++) {
        good = cJSON_AddStringToObject(o, mark_names[m], l->mark[m]);
    }
    for (size_t i = 0; good && i < RC_NODE_BAD_HOSTS; i++) {
        good = cJSON_AddStringToObject(o, bad_names[i][0], l->bad[i].instance) &&
               cJSON_AddStringToObject(o, bad_names[i][1], l->bad[i].serials);
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
        (!h->failover_wall_ms[0] || add_history_times(o, "failovers", h->failover_wall_ms)) &&
        cJSON_AddNumberToObject(o, "cooldown_until", (double)cooldown_ms) &&
        cJSON_AddStringToObject(o, "yielded", rc_fault_name((enum rc_fault)h->yielded_fault)) &&
        rc_json_add_flags(o, "flags", flag_names, FLAG_COUNT, h->flags) &&
        add_lemon(o, &h->lemon)) {
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

/* A digit of base 62 a day, or nothing at all; a release before may not have had it. */
static void
read_mark(struct rc_json_object *o, const char *key, char *mark, size_t room)
{
    if (!o->failed && !cJSON_HasObjectItem(o->root, key)) {
        memset(mark, 0, room);
        return;
    }
    rc_json_text(o, key, mark, room);
    size_t digits = o->failed ? 0
                              : strspn(mark, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                             "abcdefghijklmnopqrstuvwxyz");
    if (!o->failed && (mark[digits] || (digits && digits != RC_LEMON_DAYS))) {
        rc_json_refuse(o, key, "28 digits, or none");
    }
}

static void
read_lemon(struct rc_json_object *o, struct rc_lemon *l)
{
    l->day = (int64_t)rc_json_integer(o, "day", 0, 10000000);
    rc_json_text(o, "serials", l->serials, sizeof l->serials);
    for (size_t m = 0; m < RC_MARK__MAX; m++) {
        read_mark(o, mark_names[m], l->mark[m], sizeof l->mark[m]);
    }
    for (size_t i = 0; i < RC_NODE_BAD_HOSTS; i++) {
        rc_json_text(o, bad_names[i][0], l->bad[i].instance, sizeof l->bad[i].instance);
        rc_json_text(o, bad_names[i][1], l->bad[i].serials, sizeof l->bad[i].serials);
    }
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
    if (!o.failed && cJSON_GetObjectItemCaseSensitive(o.root, "failovers")) {
        read_history_times(&o, "failovers", h.failover_wall_ms); /* the cluster's row alone */
    }
    h.cooldown_until_wall_ms =
        (int64_t)rc_json_integer(&o, "cooldown_until", 0, RC_JSON_INTEGER_MAX);
    h.yielded_fault = rc_json_fault(&o, "yielded");
    h.flags =
        rc_json_flags(&o, "flags", flag_names, FLAG_COUNT, "a list of held, paused, breaker-open");
    read_lemon(&o, &h.lemon);
    enum rc_err e = rc_json_close(&o);
    if (!e) {
        *ret = h;
    }
    return e;
}
