/* metrics_wire.c - CloudWatch's PutMetricData in its JSON 1.0 protocol; what was put is shown by
 * GET /_world/metrics, newest values last. */
#include <cjson/cJSON.h>
#include <string.h>

#include "simulator/world/wire.h"
#include "simulator/world/world_http.h"

enum { METRICS_KEPT = 500 };

static void
metrics_error(struct rc_call *call, const char *code, int status, const char *text)
{
    cJSON *json = cJSON_CreateObject();

    (void)cJSON_AddStringToObject(json, "__type", code);
    (void)cJSON_AddStringToObject(json, "message", text);
    (void)rc_text_set(call->log.code, sizeof(call->log.code), code);
    rc_call_answer_json(call, status, json);
}

static void
keep_metric(cJSON *kept, const char *space, const cJSON *datum)
{
    cJSON *copy = cJSON_Duplicate(datum, true);

    (void)cJSON_AddStringToObject(copy, "Namespace", space);
    (void)cJSON_AddItemToArray(kept, copy);
    while (cJSON_GetArraySize(kept) > METRICS_KEPT)
        cJSON_DeleteItemFromArray(kept, 0);
}

void
rc_metrics_wire(struct rc_call *call)
{
    cJSON *in = cJSON_ParseWithLength(call->body, call->body_len);
    const char *space = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(in, "Namespace"));
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(in, "MetricData");
    const cJSON *datum;
    bool good = space != NULL && *space != '\0' && cJSON_GetArraySize(data) > 0;

    cJSON_ArrayForEach(datum, data) good =
        good && cJSON_IsString(cJSON_GetObjectItemCaseSensitive(datum, "MetricName")) &&
        cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(datum, "Value"));
    if (rc_call_fault(call, call->log.action)) {
        metrics_error(call, call->fault.code, (int)call->fault.status,
                      "A fault that was asked for.");
    } else if (strcmp(call->log.action, "PutMetricData") != 0) {
        metrics_error(call, "UnknownOperationException", 400, "The operation is not known.");
    } else if (!good) {
        metrics_error(call, "InvalidParameterValueException", 400,
                      "Namespace, and MetricData with MetricName and Value, are expected.");
    } else {
        cJSON_ArrayForEach(datum, data)
        {
            keep_metric(rc_world_http_metrics(call->endpoint), space, datum);
        }
        rc_call_answer_json(call, 200, cJSON_CreateObject());
    }
    cJSON_Delete(in);
}

void
rc_metrics_refuse(struct rc_call *call, enum rc_sigv4_verdict verdict)
{
    (void)verdict;
    metrics_error(call, "SignatureDoesNotMatch", 403, "The signature is wrong or missing.");
}
