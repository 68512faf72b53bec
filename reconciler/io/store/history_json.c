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
_Static_assert(sizeof(struct rc_history) == 2 * 8 + 5 * RC_ATTEMPTS_MAX * 8 + 8 + 2 * 4 +
                                                sizeof(struct rc_lemon) +
                                                RC_CONTROLLERS_MAX * (RC_ID_LEN + 2 * 4),
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

static const char *const plan_names[RC_CONTROLLERS_MAX][3] = {
    {"controller1_instance", "controller1_attempt", "controller1_option"},
    {"controller2_instance", "controller2_attempt", "controller2_option"},
};

/* The cluster's row alone has them. */
static bool
add_plans(cJSON *o, const struct rc_launch_plan *plans)
{
    bool good = true;

    for (size_t i = 0; good && i < RC_CONTROLLERS_MAX; i++) {
        if (plans[i].attempt) {
            good = cJSON_AddStringToObject(o, plan_names[i][0], plans[i].instance) &&
                   cJSON_AddNumberToObject(o, plan_names[i][1], plans[i].attempt) &&
                   cJSON_AddNumberToObject(o, plan_names[i][2], plans[i].option);
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

    if (cJSON_AddNumberToObject(o, "writes", (double)h->writes) &&
        add_history_times(o, "opened", h->opened_wall_ms) &&
        add_history_times(o, "repairs", h->repair_wall_ms) &&
        add_history_times(o, "launches", h->launch_wall_ms) &&
        add_history_times(o, "destructive", h->destructive_wall_ms) &&
        (!h->failover_wall_ms[0] || add_history_times(o, "failovers", h->failover_wall_ms)) &&
        cJSON_AddNumberToObject(o, "cooldown_until", (double)cooldown_ms) &&
        cJSON_AddStringToObject(o, "yielded", rc_fault_name((enum rc_fault)h->yielded_fault)) &&
        rc_json_add_flags(o, "flags", flag_names, FLAG_COUNT, h->flags) &&
        add_lemon(o, &h->lemon) && add_plans(o, h->controller)) {
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

/* What an earlier release did not keep is empty, and counted for the log. */
static bool
is_absent(const struct rc_json_object *o, const char *key, uint32_t *absent)
{
    bool is = !o->failed && !cJSON_HasObjectItem(o->root, key);

    *absent += is;
    return is;
}

static void
read_optional_text(struct rc_json_object *o, const char *key, char *dst, size_t room,
                   uint32_t *absent)
{
    if (is_absent(o, key, absent)) {
        memset(dst, 0, room);
    } else {
        rc_json_text(o, key, dst, room);
    }
}

/* A digit of base 62 a day, or nothing at all. */
static void
read_mark(struct rc_json_object *o, const char *key, char *mark, size_t room, uint32_t *absent)
{
    read_optional_text(o, key, mark, room, absent);
    size_t digits = o->failed ? 0
                              : strspn(mark, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                             "abcdefghijklmnopqrstuvwxyz");
    if (!o->failed && (mark[digits] || (digits && digits != RC_LEMON_DAYS))) {
        rc_json_refuse(o, key, "28 digits, or none");
    }
}

static void
read_lemon(struct rc_json_object *o, struct rc_lemon *l, uint32_t *absent)
{
    if (!is_absent(o, "day", absent)) {
        l->day = (int64_t)rc_json_integer(o, "day", 0, 10000000);
    }
    read_optional_text(o, "serials", l->serials, sizeof l->serials, absent);
    for (size_t m = 0; m < RC_MARK__MAX; m++) {
        read_mark(o, mark_names[m], l->mark[m], sizeof l->mark[m], absent);
    }
    for (size_t i = 0; i < RC_NODE_BAD_HOSTS; i++) {
        read_optional_text(o, bad_names[i][0], l->bad[i].instance, sizeof l->bad[i].instance,
                           absent);
        read_optional_text(o, bad_names[i][1], l->bad[i].serials, sizeof l->bad[i].serials, absent);
    }
}

static void
read_plans(struct rc_json_object *o, struct rc_launch_plan *plans)
{
    for (size_t i = 0; i < RC_CONTROLLERS_MAX; i++) {
        if (o->failed || !cJSON_HasObjectItem(o->root, plan_names[i][0])) {
            continue;
        }
        rc_json_text(o, plan_names[i][0], plans[i].instance, sizeof plans[i].instance);
        plans[i].attempt = (uint32_t)rc_json_integer(o, plan_names[i][1], 1, UINT32_MAX);
        plans[i].option = (uint32_t)rc_json_integer(o, plan_names[i][2], 0, RC_OPTIONS_MAX - 1);
    }
}

enum rc_err
rc_history_json_parse(const char *what, const char *json, size_t len, struct rc_history *ret,
                      uint32_t *ret_absent, struct rc_error *ret_err)
{
    struct rc_json_object o;
    struct rc_history h;

    memset(&h, 0, sizeof h);
    *ret_absent = 0;
    rc_json_open(&o, what, json, len, ret_err);
    if (!is_absent(&o, "writes", ret_absent)) {
        h.writes = rc_json_integer(&o, "writes", 1, RC_HISTORY_WRITES_MAX);
    }
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
    read_lemon(&o, &h.lemon, ret_absent);
    read_plans(&o, h.controller);
    enum rc_err e = rc_json_close(&o);
    if (!e) {
        *ret = h;
    }
    return e;
}
