/* decode_health.c - "AWS Health Event" and "AWS Health Abuse Event".
 *
 * AWS Health user guide, "Amazon EventBridge event schema for AWS Health". What
 * its samples and captured events show:
 * - affectedEntities and resources hold ids, ARNs or free text, are missing, or
 *   are a page of a longer list; other services' events have entities that are no
 *   instances. Each instance gives one event, none gives one event without. An
 *   unreadable id does not hold up the readable ones beside it.
 * - page, totalPages and backupEvent are strings (older: absent).
 * - every event of an account is copied to a backup region with another id; the
 *   event ARN, communication, page and affected account stay the same, and they
 *   are what makes it the same notice. The status is added, so that "closed" is
 *   never taken for a repeat, and times stand in where older events lack the
 *   communication.
 * - the envelope's time may be the start of the change: it is not read here.
 * - the set of event type codes is open: the code is only a hint at the schedule. */
#include <string.h>

#include "handlers/decode/decode_internal.h"

struct word {
    const char *name;
    uint32_t value;
};

static const struct word categories[] = {
    {"scheduledChange", RC_HEALTH_SCHEDULED_CHANGE},
    {"issue", RC_HEALTH_ISSUE},
    {"accountNotification", RC_HEALTH_ACCOUNT_NOTIFICATION},
    {"investigation", RC_HEALTH_INVESTIGATION},
    {NULL, RC_HEALTH_UNKNOWN},
};

static const struct word statuses[] = {
    {"open", RC_HSTAT_OPEN},
    {"upcoming", RC_HSTAT_UPCOMING},
    {"closed", RC_HSTAT_CLOSED},
    {NULL, RC_HSTAT_UNKNOWN},
};

/* Parts of event type codes; the first that is found counts. */
static const struct word schedules[] = {
    {"_RETIREMENT_", RC_SCHED_RETIREMENT},   {"_TERMINATION_", RC_SCHED_RETIREMENT},
    {"_INSTANCE_STOP_", RC_SCHED_STOP},      {"_INSTANCE_REBOOT_", RC_SCHED_REBOOT},
    {"_MAINTENANCE_", RC_SCHED_MAINTENANCE}, {NULL, RC_SCHED_OTHER},
};

static uint32_t
health_word(const struct word *words, const char *name)
{
    while (words->name && strcmp(words->name, name) != 0) {
        words++;
    }
    return words->value;
}

static uint32_t
health_schedule(uint32_t category, const char *code)
{
    const struct word *word = schedules;

    if (category != RC_HEALTH_SCHEDULED_CHANGE) {
        return RC_SCHED_NONE;
    }
    if (strncmp(code, "AWS_EC2_", 8) != 0) {
        return RC_SCHED_OTHER;
    }
    while (word->name && !strstr(code, word->name)) {
        word++;
    }
    return word->value;
}

/* A string that later releases may send as true, or as a number. */
static const char *
health_loose_text(const cJSON *object, const char *key, char number[8])
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);

    if (cJSON_IsString(value)) {
        return value->valuestring;
    }
    if (cJSON_IsTrue(value)) {
        return "true";
    }
    if (cJSON_IsNumber(value) && value->valuedouble >= 1 && value->valuedouble <= 99999) {
        int v = value->valueint, at = 7;

        number[at] = '\0';
        for (; v > 0; v /= 10) {
            number[--at] = (char)('0' + v % 10);
        }
        return number + at;
    }
    return "";
}

uint64_t
rc_decode_health_hash(const struct rc_notice *n)
{
    static const char *const instead[] = {"startTime", "endTime", "lastUpdatedTime"};
    const cJSON *d = n->detail;
    char number[8];
    const char *arn = health_loose_text(d, "eventArn", number);
    uint64_t hash = RC_DECODE_HASH_SEED;

    if (!*arn) {
        return 0;
    }
    hash = rc_decode_hash_string(hash, arn);
    const char *account = health_loose_text(d, "affectedAccount", number);
    hash = rc_decode_hash_string(hash, *account ? account : n->account);
    hash = rc_decode_hash_string(hash, health_loose_text(d, "statusCode", number));
    const char *communication = health_loose_text(d, "communicationId", number);
    hash = rc_decode_hash_string(hash, communication);
    for (size_t i = 0; !*communication && i < sizeof instead / sizeof instead[0]; i++) {
        hash = rc_decode_hash_string(hash, health_loose_text(d, instead[i], number));
    }
    const char *page = health_loose_text(d, "page", number);
    return rc_decode_hash_string(hash, *page ? page : "1");
}

/* The entity's own status closes it before the event is closed. */
static uint32_t
health_entity_status(uint32_t event_status, const char *entity)
{
    bool over = strcmp(entity, "RESOLVED") == 0 || strcmp(entity, "UNIMPAIRED") == 0;

    return over ? RC_HSTAT_CLOSED : event_status;
}

static enum rc_err
health_add_entity(struct rc_notice *n, const cJSON *entity, const struct rc_ev_aws_health *health,
                  uint32_t *unreadable)
{
    const char *value, *status;
    struct rc_event *ev;
    char id[RC_ID_LEN];

    if (!cJSON_IsObject(entity)) {
        return rc_decode_bad(n, "detail.affectedEntities: expected a list of objects");
    }
    enum rc_err err = rc_decode_string(n, entity, "affectedEntities.entityValue", false, &value);
    if (err == RC_OK) {
        err = rc_decode_string(n, entity, "affectedEntities.status", false, &status);
    }
    if (err != RC_OK || !rc_decode_instance_id(value, id)) {
        *unreadable += err == RC_OK && rc_decode_claims_instance(value);
        return err;
    }
    err = rc_decode_add(n, id, &ev);
    if (err == RC_OK) {
        ev->u.health = *health;
        ev->u.health.status = health_entity_status(health->status, status);
    }
    return err;
}

static enum rc_err
health_add_resource(struct rc_notice *n, const char *resource,
                    const struct rc_ev_aws_health *health)
{
    struct rc_event *ev;
    char id[RC_ID_LEN] = "";

    if (resource && !rc_decode_instance_id(resource, id)) {
        return RC_OK;
    }
    enum rc_err err = rc_decode_add(n, id, &ev);
    if (err == RC_OK) {
        ev->u.health = *health;
    }
    return err;
}

/* Entities, or resources when no entity is an instance, or neither. */
static enum rc_err
health_add_instances(struct rc_notice *n, const struct rc_ev_aws_health *health,
                     uint32_t *unreadable)
{
    const cJSON *list, *item;
    enum rc_err err = rc_decode_array(n, n->detail, "detail.affectedEntities", false, &list);

    cJSON_ArrayForEach(item, list)
    {
        err = health_add_entity(n, item, health, unreadable);
        if (err != RC_OK) {
            return err;
        }
    }
    list = err == RC_OK && n->out->count == 0 ? n->resources : NULL;
    cJSON_ArrayForEach(item, list)
    {
        err = health_add_resource(n, item->valuestring, health);
        if (err != RC_OK) {
            return err;
        }
    }
    return err == RC_OK && n->out->count == 0 ? health_add_resource(n, NULL, health) : err;
}

static enum rc_err
health_read_times(struct rc_notice *n, struct rc_ev_aws_health *health)
{
    const char *start, *end;
    enum rc_err err = rc_decode_string(n, n->detail, "detail.startTime", false, &start);

    if (err == RC_OK) {
        err = rc_decode_string(n, n->detail, "detail.endTime", false, &end);
    }
    if (err == RC_OK) {
        health->start_wall_ms = rc_decode_time_ms(start);
        health->end_wall_ms = rc_decode_time_ms(end);
    }
    return err;
}

enum rc_err
rc_decode_health(struct rc_notice *n)
{
    struct rc_ev_aws_health health = {0};
    struct rc_decode_shown shown;
    const char *code, *category, *status;
    char number[8];
    uint32_t unreadable = 0;
    enum rc_err err = rc_decode_string(n, n->detail, "detail.eventTypeCode", true, &code);

    if (err == RC_OK) {
        err = rc_decode_string(n, n->detail, "detail.eventTypeCategory", false, &category);
    }
    if (err == RC_OK) {
        err = rc_decode_string(n, n->detail, "detail.statusCode", false, &status);
    }
    if (err == RC_OK) {
        err = health_read_times(n, &health);
    }
    if (err != RC_OK) {
        return err;
    }
    health.category = health_word(categories, category);
    health.status = health_word(statuses, status);
    health.schedule = health_schedule(health.category, code);
    health.backup = strcmp(health_loose_text(n->detail, "backupEvent", number), "true") == 0;
    err = health_add_instances(n, &health, &unreadable);
    for (uint32_t i = 0; err == RC_OK && i < n->out->count; i++) {
        rc_decode_code(n->out->events[i].code, code);
    }
    if (err == RC_OK) {
        rc_decode_say(n, "%s %s start=%s%s%s", code, *status ? status : "no status",
                      rc_decode_show_time(health.start_wall_ms, &shown),
                      health.backup ? " backup copy" : "",
                      unreadable ? " (some instance ids are unreadable)" : "");
    }
    return err;
}
