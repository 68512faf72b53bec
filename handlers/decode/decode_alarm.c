/* decode_alarm.c - "CloudWatch Alarm State Change", and the same of a contributor.
 *
 * CloudWatch user guide, "Alarm events and EventBridge". The instance is the
 * InstanceId dimension of a metric, or the attribute of a contributor of an alarm
 * over many series; a composite alarm, and one on other metrics, names none. The
 * alarm's name is the event's code. Only AWS/EC2 instance ids must be readable:
 * other namespaces have an InstanceId of their own. */
#include <string.h>

#include "handlers/decode/decode_internal.h"

/* CloudWatch takes 10 metrics in an alarm today, 500 in its largest query; more
 * would only cost time: each is compared with all before it. */
enum { METRICS_MAX = 500 };

static const char status_check[] = "StatusCheckFailed";

static enum rc_err
alarm_read_state(struct rc_notice *n, enum rc_alarm_state *ret, const char **ret_name)
{
    struct rc_decode_shown shown;
    const cJSON *state;
    enum rc_err err = rc_decode_object(n, n->detail, "detail.state", true, &state);

    if (err == RC_OK) {
        err = rc_decode_string(n, state, "detail.state.value", true, ret_name);
    }
    if (err != RC_OK) {
        return err;
    }
    if (strcmp(*ret_name, "OK") == 0) {
        *ret = RC_ALARM_OK;
    } else if (strcmp(*ret_name, "ALARM") == 0) {
        *ret = RC_ALARM_FIRING;
    } else if (strcmp(*ret_name, "INSUFFICIENT_DATA") == 0) {
        *ret = RC_ALARM_UNKNOWN;
    } else {
        return rc_decode_bad(n,
                             "detail.state.value: expected OK, ALARM or INSUFFICIENT_DATA, "
                             "found %s",
                             rc_decode_show(*ret_name, &shown));
    }
    return RC_OK;
}

/* One event an instance, though several metrics may speak of it. */
static enum rc_err
alarm_add(struct rc_notice *n, const char *id, bool checks)
{
    struct rc_event *ev = NULL;
    enum rc_err err = RC_OK;

    for (uint32_t i = 0; i < n->out->count && !ev; i++) {
        if (strcmp(n->out->events[i].instance, id) == 0) {
            ev = &n->out->events[i];
        }
    }
    if (!ev) {
        err = rc_decode_add(n, id, &ev);
    }
    if (err == RC_OK) {
        ev->u.alarm.status_check |= checks;
    }
    return err;
}

/* text: what an InstanceId dimension or attribute says, "" = there is none. */
static enum rc_err
alarm_add_named(struct rc_notice *n, const char *text, bool must_be_ec2, bool checks)
{
    struct rc_decode_shown shown;
    char id[RC_ID_LEN];

    if (!*text) {
        return RC_OK;
    }
    if (rc_decode_instance_id(text, id)) {
        return alarm_add(n, id, checks);
    }
    return must_be_ec2 ? rc_decode_bad(n, "InstanceId: expected an instance id, found %s",
                                       rc_decode_show(text, &shown))
                       : RC_OK;
}

/* {"metricStat":{"metric":{"namespace":…,"name":…,"dimensions":{"InstanceId":…}}}}, or an
 * expression over others, which has no metricStat. */
static enum rc_err
alarm_read_metric(struct rc_notice *n, const cJSON *item, bool *checks)
{
    const cJSON *stat, *metric = NULL, *dimensions = NULL;
    const char *space = "", *name = "", *id = "";
    enum rc_err err = rc_decode_object(n, item, "metrics.metricStat", false, &stat);

    if (err == RC_OK && stat) {
        err = rc_decode_object(n, stat, "metricStat.metric", true, &metric);
    }
    if (err != RC_OK || !metric) {
        return err;
    }
    err = rc_decode_string(n, metric, "metric.namespace", false, &space);
    if (err == RC_OK) {
        err = rc_decode_string(n, metric, "metric.name", false, &name);
    }
    if (err == RC_OK) {
        err = rc_decode_object(n, metric, "metric.dimensions", false, &dimensions);
    }
    if (err == RC_OK && dimensions) {
        err = rc_decode_string(n, dimensions, "dimensions.InstanceId", false, &id);
    }
    if (err != RC_OK) {
        return err;
    }
    bool is_ec2 = strcmp(space, "AWS/EC2") == 0;
    bool is_check = is_ec2 && strncmp(name, status_check, sizeof status_check - 1) == 0;
    *checks |= is_check;
    return alarm_add_named(n, id, is_ec2, is_check);
}

static enum rc_err
alarm_read_metrics(struct rc_notice *n, bool *checks)
{
    const cJSON *configuration, *metrics = NULL, *item;
    enum rc_err err = rc_decode_object(n, n->detail, "detail.configuration", false, &configuration);

    if (err == RC_OK && configuration) {
        err = rc_decode_array(n, configuration, "configuration.metrics", false, &metrics);
    }
    if (cJSON_GetArraySize(metrics) > METRICS_MAX) {
        return rc_decode_bad(n, "configuration.metrics: more than %d", METRICS_MAX);
    }
    cJSON_ArrayForEach(item, metrics)
    {
        const char *query = "";

        if (!cJSON_IsObject(item)) {
            return rc_decode_bad(n, "configuration.metrics: expected a list of objects");
        }
        err = alarm_read_metric(n, item, checks);
        if (err == RC_OK) {
            err = rc_decode_string(n, item, "metrics.expression", false, &query);
        }
        if (err != RC_OK) {
            return err;
        }
        *checks |= strstr(query, "\"AWS/EC2\"") && strstr(query, status_check);
    }
    return err;
}

static enum rc_err
alarm_read_contributor(struct rc_notice *n, bool checks)
{
    const cJSON *contributor, *attributes = NULL;
    const char *id = "";
    enum rc_err err =
        rc_decode_object(n, n->detail, "detail.alarmContributor", false, &contributor);

    if (err == RC_OK && contributor) {
        err = rc_decode_object(n, contributor, "alarmContributor.attributes", false, &attributes);
    }
    if (err == RC_OK && attributes) {
        err = rc_decode_string(n, attributes, "attributes.InstanceId", false, &id);
    }
    return err == RC_OK ? alarm_add_named(n, id, false, checks) : err;
}

enum rc_err
rc_decode_alarm(struct rc_notice *n)
{
    enum rc_alarm_state state = RC_ALARM_UNKNOWN;
    const char *name, *value = "";
    bool checks = false;
    enum rc_err err = rc_decode_string(n, n->detail, "detail.alarmName", true, &name);

    if (err == RC_OK) {
        err = alarm_read_state(n, &state, &value);
    }
    if (err == RC_OK) {
        err = alarm_read_metrics(n, &checks);
    }
    if (err == RC_OK) {
        err = alarm_read_contributor(n, checks);
    }
    if (err == RC_OK && n->out->count == 0) {
        err = alarm_add(n, rc_decode_no_instance, checks);
    }
    for (uint32_t i = 0; err == RC_OK && i < n->out->count; i++) {
        n->out->events[i].u.alarm.state = (uint32_t)state;
        rc_decode_code(n->out->events[i].code, name);
    }
    if (err == RC_OK) {
        rc_decode_say(n, "%s %s%s", value, name, checks ? " (status check)" : "");
    }
    return err;
}
