/* notice.c - event texts. All values are ids, names and times that the models
 * made or checked themselves, so nothing needs JSON escapes. */
#include "simulator/world/notice.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "simulator/model/sim_time.h"

const char *
rc_instance_state_text(enum rc_instance_state state)
{
    static const char *const text[RC_INST__MAX] = {
        [RC_INST_UNKNOWN] = "unknown",       [RC_INST_PENDING] = "pending",
        [RC_INST_RUNNING] = "running",       [RC_INST_STOPPING] = "stopping",
        [RC_INST_STOPPED] = "stopped",       [RC_INST_SHUTTING_DOWN] = "shutting-down",
        [RC_INST_TERMINATED] = "terminated",
    };

    assert(state < RC_INST__MAX);
    return text[state];
}

static int
envelope(char out[RC_NOTICE_MAX], const struct rc_notice *n, const char *source, const char *type)
{
    char when[RC_SIM_TIME_LEN];

    rc_sim_time_second(when, n->at_ms);
    return snprintf(out, RC_NOTICE_MAX,
                    "{\"version\":\"0\",\"id\":\"%s\",\"detail-type\":\"%s\",\"source\":\"%s\","
                    "\"account\":\"%s\",\"time\":\"%s\",\"region\":\"%s\",",
                    n->event_id, type, source, n->identity->account, when, n->identity->region);
}

static void notice_add(char *out, int at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
notice_add(char *out, int at, const char *fmt, ...)
{
    va_list args;

    assert(at > 0 && at < RC_NOTICE_MAX);
    va_start(args, fmt);
    (void)vsnprintf(out + at, (size_t)(RC_NOTICE_MAX - at), fmt, args);
    va_end(args);
}

void
rc_notice_state(char out[RC_NOTICE_MAX], const struct rc_notice *n, const char *state)
{
    int at = envelope(out, n, "aws.ec2", "EC2 Instance State-change Notification");

    notice_add(out, at,
               "\"resources\":[\"arn:aws:ec2:%s:%s:instance/%s\"],"
               "\"detail\":{\"instance-id\":\"%s\",\"state\":\"%s\"}}",
               n->identity->region, n->identity->account, n->instance->id, n->instance->id, state);
}

/* The ARN of this one has the zone where others have the region, and no account. */
void
rc_notice_spot(char out[RC_NOTICE_MAX], const struct rc_notice *n)
{
    int at = envelope(out, n, "aws.ec2", "EC2 Spot Instance Interruption Warning");

    notice_add(out, at,
               "\"resources\":[\"arn:aws:ec2:%s:instance/%s\"],"
               "\"detail\":{\"instance-id\":\"%s\",\"instance-action\":\"terminate\"}}",
               n->instance->az, n->instance->id, n->instance->id);
}

void
rc_notice_rebalance(char out[RC_NOTICE_MAX], const struct rc_notice *n)
{
    int at = envelope(out, n, "aws.ec2", "EC2 Instance Rebalance Recommendation");

    notice_add(out, at,
               "\"resources\":[\"arn:aws:ec2:%s:%s:instance/%s\"],"
               "\"detail\":{\"instance-id\":\"%s\"}}",
               n->identity->region, n->identity->account, n->instance->id, n->instance->id);
}

void
rc_notice_retirement(char out[RC_NOTICE_MAX], const struct rc_notice *n, int64_t start_ms,
                     int64_t end_ms)
{
    int at = envelope(out, n, "aws.health", "AWS Health Event");
    const char *region = n->identity->region;
    const char *account = n->identity->account;
    char start[RC_SIM_TIME_LEN];
    char end[RC_SIM_TIME_LEN];
    char now[RC_SIM_TIME_LEN];

    rc_sim_time_mail(start, start_ms);
    rc_sim_time_mail(end, end_ms);
    rc_sim_time_mail(now, n->at_ms);
    notice_add(
        out, at,
        "\"resources\":[\"%s\"],\"detail\":{"
        "\"eventArn\":\"arn:aws:health:%s::event/EC2/AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED/"
        "AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED_%s\",\"service\":\"EC2\","
        "\"eventTypeCode\":\"AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED\","
        "\"eventTypeCategory\":\"scheduledChange\",\"eventScopeCode\":\"ACCOUNT_SPECIFIC\","
        "\"communicationId\":\"%s-1\",\"startTime\":\"%s\",\"endTime\":\"%s\","
        "\"lastUpdatedTime\":\"%s\",\"statusCode\":\"upcoming\",\"eventRegion\":\"%s\","
        "\"eventDescription\":[{\"language\":\"en_US\",\"latestDescription\":"
        "\"EC2 has detected degradation of the underlying hardware hosting your instance.\"}],"
        "\"affectedEntities\":[{\"entityValue\":\"arn:aws:ec2:%s:%s:instance/%s\","
        "\"lastUpdatedTime\":\"%s\",\"status\":\"PENDING\"}],\"affectedAccount\":\"%s\","
        "\"page\":\"1\",\"totalPages\":\"1\",\"backupEvent\":\"false\","
        "\"personas\":[\"OPERATIONS\"],\"actionability\":\"ACTION_REQUIRED\"}}",
        n->instance->id, region, n->event_id, n->event_id, start, end, now, region, region, account,
        n->instance->id, now, account);
}

void
rc_notice_alarm(char out[RC_NOTICE_MAX], const struct rc_notice *n, const char *check, bool firing)
{
    int at = envelope(out, n, "aws.cloudwatch", "CloudWatch Alarm State Change");
    const char *id = n->instance->id;
    char now[RC_SIM_TIME_LEN];

    rc_sim_time_iso(now, n->at_ms);
    now[23] = '\0'; /* CloudWatch writes +0000 where EC2 writes Z */
    notice_add(out, at,
               "\"resources\":[\"arn:aws:cloudwatch:%s:%s:alarm:status-check-%s\"],"
               "\"detail\":{\"alarmName\":\"status-check-%s\",\"configuration\":{"
               "\"description\":\"Status check of %s\",\"metrics\":[{\"id\":\"m1\","
               "\"metricStat\":{\"metric\":{\"dimensions\":{\"InstanceId\":\"%s\"},"
               "\"name\":\"StatusCheckFailed_%s\",\"namespace\":\"AWS/EC2\"},"
               "\"period\":60,\"stat\":\"Maximum\"},\"returnData\":true}]},"
               "\"previousState\":{\"reason\":\"Threshold Crossed\",\"timestamp\":\"%s+0000\","
               "\"value\":\"%s\"},\"state\":{\"reason\":\"Threshold Crossed: 1 datapoint\","
               "\"timestamp\":\"%s+0000\",\"value\":\"%s\"}}}",
               n->identity->region, n->identity->account, id, id, id, id, check, now,
               firing ? "OK" : "ALARM", now, firing ? "ALARM" : "OK");
}
