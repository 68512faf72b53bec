/* incident_item.c - see incident_item.h. */
#include "reconciler/io/store/incident_item.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/core/incident.h"
#include "reconciler/core/policy.h"
#include "reconciler/io/store/json_fields.h"

static const struct rc_json_flag flag_names[] = {
    {RC_ADOPT_HELD, "held"},           {RC_ADOPT_APPROVED, "approved"},
    {RC_ADOPT_OUR_DRAIN, "our-drain"}, {RC_ADOPT_YIELDED, "yielded"},
    {RC_ADOPT_WITH_JOB, "with-job"},
};
enum { FLAG_COUNT = sizeof flag_names / sizeof *flag_names };

/* A member that is added there must be written and read here. */
_Static_assert(sizeof(struct rc_act_incident) ==
                   16 + 8 * sizeof(uint32_t) + 2 * RC_ID_LEN + RC_RULE_LEN + RC_CODE_LEN,
               "every member of the item is stored");

static bool
is_node_name(const char *node)
{
    size_t len = strspn(node, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    return len > 0 && len < RC_NODE_LEN && !node[len] && node[0] != '.';
}

bool
rc_item_epoch_is_good(uint64_t epoch)
{
    return epoch > 0 && epoch <= RC_JSON_INTEGER_MAX;
}

bool
rc_incident_item_is_good(const struct rc_incident_item *item)
{
    return item->incident && is_node_name(item->node) && rc_item_epoch_is_good(item->item.epoch) &&
           item->item.fault < RC_FAULT__MAX && item->item.phase < RC_PHASE__MAX &&
           item->item.opened_wall_ms >= 0;
}

bool
rc_history_item_is_good(const struct rc_history_item *item)
{
    return (strcmp(item->node, RC_HISTORY_CLUSTER) == 0 || is_node_name(item->node)) &&
           rc_item_epoch_is_good(item->epoch);
}

/* --- to text -------------------------------------------------------------------- */

static cJSON *
new_object(const char *cluster, const char *node, uint64_t epoch)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddNumberToObject(o, "version", RC_ITEM_VERSION);
    cJSON_AddStringToObject(o, "cluster", cluster);
    cJSON_AddStringToObject(o, "node", node);
    cJSON_AddNumberToObject(o, "epoch", (double)epoch);
    return o;
}

/* Every member counts: one that memory ran out for must not be left out in silence. */
static char *
finish_item(cJSON *o, int members)
{
    char *text = o && cJSON_GetArraySize(o) == members ? cJSON_PrintUnformatted(o) : NULL;

    cJSON_Delete(o);
    return text;
}

char *
rc_incident_item_format(const char *cluster, const struct rc_incident_item *item)
{
    const struct rc_act_incident *i = &item->item;
    cJSON *o = new_object(cluster, item->node, i->epoch);

    cJSON_AddNumberToObject(o, "incident", item->incident);
    cJSON_AddNumberToObject(o, "opened_wall_ms", (double)i->opened_wall_ms);
    cJSON_AddStringToObject(o, "fault", rc_fault_name((enum rc_fault)i->fault));
    cJSON_AddStringToObject(o, "phase", rc_phase_name((enum rc_phase)i->phase));
    cJSON_AddNumberToObject(o, "rung", i->rung);
    cJSON_AddNumberToObject(o, "tries", i->tries);
    cJSON_AddNumberToObject(o, "attempt", i->attempt);
    cJSON_AddStringToObject(o, "old_instance", i->old_instance);
    cJSON_AddStringToObject(o, "new_instance", i->new_instance);
    cJSON_AddStringToObject(o, "rule", i->rule);
    cJSON_AddStringToObject(o, "code", i->code);
    if (!rc_json_add_flags(o, "flags", flag_names, FLAG_COUNT, i->flags)) {
        cJSON_Delete(o);
        return NULL;
    }
    return finish_item(o, 16);
}

char *
rc_history_item_format(const char *cluster, const struct rc_history_item *item)
{
    cJSON *o = new_object(cluster, item->node, item->epoch);

    cJSON_AddItemToObject(o, "history", cJSON_ParseWithLength(item->json, item->json_len));
    return finish_item(o, 5);
}

/* --- from text ------------------------------------------------------------------- */

static uint32_t
phase_member(struct rc_json_object *o)
{
    char name[32];

    rc_json_text(o, "phase", name, sizeof name);
    for (unsigned p = 0; p < RC_PHASE__MAX && !o->failed; p++) {
        if (strcmp(rc_phase_name((enum rc_phase)p), name) == 0) {
            return p;
        }
    }
    rc_json_refuse(o, "phase", "the name of a phase");
    return 0;
}

static void
read_node(struct rc_json_object *o, char node[RC_NODE_LEN])
{
    rc_json_text(o, "node", node, RC_NODE_LEN);
    if (!o->failed && !node[0]) {
        rc_json_refuse(o, "node", "a node name");
    }
}

enum rc_err
rc_incident_item_parse(const char *cluster, const char *text, size_t len,
                       struct rc_incident_item *ret_item, struct rc_error *ret_err)
{
    struct rc_incident_item r;
    struct rc_json_object o;

    memset(&r, 0, sizeof r);
    rc_json_open(&o, "incident item", text, len, ret_err);
    rc_json_expect(&o, RC_ITEM_VERSION, cluster);
    read_node(&o, r.node);
    r.incident = (uint32_t)rc_json_integer(&o, "incident", 1, RC_INCIDENT_MAX);
    r.item.epoch = rc_json_integer(&o, "epoch", 1, RC_JSON_INTEGER_MAX);
    r.item.opened_wall_ms = (int64_t)rc_json_integer(&o, "opened_wall_ms", 0, RC_JSON_INTEGER_MAX);
    r.item.fault = rc_json_fault(&o, "fault");
    r.item.phase = phase_member(&o);
    r.item.rung = (uint32_t)rc_json_integer(&o, "rung", 0, UINT32_MAX);
    r.item.tries = (uint32_t)rc_json_integer(&o, "tries", 0, UINT32_MAX);
    r.item.attempt = (uint32_t)rc_json_integer(&o, "attempt", 0, UINT32_MAX);
    r.item.flags = rc_json_flags(&o, "flags", flag_names, FLAG_COUNT,
                                 "a list of held, approved, our-drain, yielded, with-job");
    rc_json_text(&o, "old_instance", r.item.old_instance, sizeof r.item.old_instance);
    rc_json_text(&o, "new_instance", r.item.new_instance, sizeof r.item.new_instance);
    rc_json_text(&o, "rule", r.item.rule, sizeof r.item.rule);
    rc_json_text(&o, "code", r.item.code, sizeof r.item.code);
    enum rc_err e = rc_json_close(&o);
    if (!e) {
        *ret_item = r;
    }
    return e;
}

enum rc_err
rc_history_item_parse(const char *cluster, const char *text, size_t len,
                      struct rc_history_item *ret_item, char **ret_json, struct rc_error *ret_err)
{
    struct rc_history_item r;
    struct rc_json_object o;
    char *json = NULL;

    memset(&r, 0, sizeof r);
    rc_json_open(&o, "history item", text, len, ret_err);
    rc_json_expect(&o, RC_ITEM_VERSION, cluster);
    read_node(&o, r.node);
    r.epoch = rc_json_integer(&o, "epoch", 1, RC_JSON_INTEGER_MAX);
    const cJSON *history = rc_json_member(&o, "history", "an object");
    if (history && !cJSON_IsObject(history)) {
        rc_json_refuse(&o, "history", "an object");
    }
    if (!o.failed) {
        json = cJSON_PrintUnformatted(history);
        if (!json || strlen(json) > RC_HISTORY_MAX) {
            rc_json_refuse(&o, "history", "an object of at most 16384 bytes");
        }
    }
    enum rc_err e = rc_json_close(&o);
    if (e) {
        free(json);
        return e;
    }
    assert(json); /* rc_json_close() tells what was refused above */
    *ret_json = json;
    r.json = json;
    r.json_len = strlen(json);
    *ret_item = r;
    return RC_OK;
}
