/* admin_dynamo.c - /_world: what stands in a DynamoDB table, and items written by hand. */
#include <cjson/cJSON.h>
#include <string.h>

#include "simulator/world/admin.h"
#include "simulator/world/dynamo_call.h"
#include "simulator/world/world_http.h"

/* NULL: no such table. */
cJSON *
rc_admin_table_json(struct rc_call *call)
{
    const struct rc_dynamo_table *t =
        rc_dynamo_table(rc_world_http_dynamo(call->endpoint), rc_call_param(call, "name"));
    cJSON *list = t != NULL ? cJSON_CreateArray() : NULL;

    for (uint32_t i = 0; list != NULL && i < t->count; i++)
        (void)cJSON_AddItemToArray(list, cJSON_Duplicate(t->row[i].item, true));
    return list;
}

void
rc_admin_item(struct rc_call *call, const cJSON *in)
{
    struct rc_dynamo_table *t =
        rc_dynamo_table(rc_world_http_dynamo(call->endpoint), rc_dynamo_text(in, "table"));
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(in, "item");
    const cJSON *gone = cJSON_GetObjectItemCaseSensitive(in, "delete");
    const char *pk;
    const char *sk;
    const char *which;
    cJSON *json;

    if (t == NULL || !rc_dynamo_key(t, item != NULL ? item : gone, &pk, &sk, &which)) {
        rc_admin_error(call, "\"table\", and \"item\" or \"delete\" with its key, are expected");
        return;
    }
    if (item != NULL)
        (void)rc_dynamo_put(t, cJSON_Duplicate(item, true));
    else
        rc_dynamo_delete(t, pk, sk);
    json = cJSON_CreateObject();
    (void)cJSON_AddBoolToObject(json, "ok", true);
    rc_admin_answer(call, 200, json);
}
