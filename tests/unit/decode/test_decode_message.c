/* Limits, duplicates, lack of memory, and messages cut at every byte. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/decode/decode_internal.h"

enum { BIG = RC_DECODE_BODY_MAX + 64 };

static uint64_t
hash_of(const char *body)
{
    struct rc_decoded d;

    CU_ASSERT_EQUAL_FATAL(rc_decode_message(body, strlen(body), &d), RC_OK);
    uint64_t hash = d.id_hash;
    rc_decoded_done(&d);
    return hash;
}

/* The verdict; the reason is copied out. */
static enum rc_verdict
verdict_of(const char *body, size_t len, char text[RC_TEXT_LEN])
{
    struct rc_decoded d;

    CU_ASSERT_EQUAL_FATAL(rc_decode_message(body, len, &d), RC_OK);
    enum rc_verdict verdict = (enum rc_verdict)d.verdict;
    memcpy(text, d.text, RC_TEXT_LEN);
    rc_decoded_done(&d);
    return verdict;
}

/* A Health notice with what makes it itself. */
static const char *
health(const char *id, const char *region, const char *communication, const char *page,
       const char *backup)
{
    static char body[8][1024];
    static unsigned next;
    char *out = body[next++ % 8];

    snprintf(out, sizeof body[0],
             "{\"id\":\"%s\",\"detail-type\":\"AWS Health Event\",\"source\":\"aws.health\","
             "\"account\":\"111122223333\",\"time\":\"2026-03-01T00:00:00Z\",\"region\":\"%s\","
             "\"resources\":[],\"detail\":{\"eventArn\":\"arn:aws:health:eu-west-1::event/X\","
             "\"eventTypeCode\":\"AWS_EC2_INSTANCE_STOP_SCHEDULED\",%s\"page\":%s,"
             "\"backupEvent\":%s,\"statusCode\":\"open\",\"affectedAccount\":\"111122223333\"}}",
             id, region, communication, page, backup);
    return out;
}

static void
a_backup_copy_is_the_same_message_and_a_page_is_not(void)
{
    const char *first = "11111111-1111-4111-8111-111111111111";
    const char *other = "22222222-2222-4222-8222-222222222222";
    const char *talk = "\"communicationId\":\"abc-1\",";
    uint64_t hash = hash_of(health(first, "eu-west-1", talk, "\"1\"", "\"false\""));

    CU_ASSERT_EQUAL(hash, hash_of(health(other, "us-west-2", talk, "\"1\"", "\"true\"")));
    CU_ASSERT_EQUAL(hash, hash_of(health(other, "us-west-2", talk, "1", "true")));
    CU_ASSERT_NOT_EQUAL(hash, hash_of(health(first, "eu-west-1", talk, "\"2\"", "\"false\"")));
    CU_ASSERT_NOT_EQUAL(hash, hash_of(health(first, "eu-west-1", "\"communicationId\":\"abd-1\",",
                                             "\"1\"", "\"false\"")));
}

static void
without_a_communication_the_times_tell_notices_apart(void)
{
    const char *id = "11111111-1111-4111-8111-111111111111";
    uint64_t hash = hash_of(health(id, "r", "\"lastUpdatedTime\":\"a\",", "\"1\"", "\"false\""));

    CU_ASSERT_EQUAL(hash,
                    hash_of(health(id, "s", "\"lastUpdatedTime\":\"a\",", "\"1\"", "\"true\"")));
    CU_ASSERT_NOT_EQUAL(
        hash, hash_of(health(id, "r", "\"lastUpdatedTime\":\"b\",", "\"1\"", "\"false\"")));
}

static const char *
state_change(const char *id, const char *time, const char *state)
{
    static char body[8][512];
    static unsigned next;
    char *out = body[next++ % 8];

    snprintf(out, sizeof body[0],
             "{\"id\":\"%s\",\"detail-type\":\"EC2 Instance State-change Notification\","
             "\"time\":\"%s\",\"detail\":{\"instance-id\":\"i-12345678\",\"state\":\"%s\"}}",
             id, time, state);
    return out;
}

static void
an_envelope_id_identifies_and_a_placeholder_does_not(void)
{
    const char *id = "7bf73129-1428-4cd3-a780-95db273d1602";
    const char *none = "id-goes-here", *time = "2026-03-01T00:00:00Z";

    CU_ASSERT_EQUAL(hash_of(state_change(id, time, "stopped")),
                    hash_of(state_change(id, "2026-03-01T01:00:00+01:00", "stopped")));
    CU_ASSERT_NOT_EQUAL(
        hash_of(state_change(id, time, "stopped")),
        hash_of(state_change("7bf73129-1428-4cd3-a780-95db273d1603", time, "stopped")));
    CU_ASSERT_NOT_EQUAL(hash_of(state_change(none, time, "stopped")),
                        hash_of(state_change(none, time, "running")));
    CU_ASSERT_EQUAL(hash_of(state_change(none, time, "stopped")),
                    hash_of(state_change(none, time, "stopped")));
}

static void
a_wrapped_event_is_the_same_message_as_a_bare_one(void)
{
    const char *bare =
        state_change("7bf73129-1428-4cd3-a780-95db273d1602", "2026-03-01T00:00:00Z", "stopped");
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "Type", "Notification");
    cJSON_AddStringToObject(o, "TopicArn", "arn:aws:sns:eu-west-1:111122223333:t");
    cJSON_AddStringToObject(o, "Message", bare);
    char *wrapped = cJSON_PrintUnformatted(o);
    CU_ASSERT_PTR_NOT_NULL_FATAL(wrapped);
    CU_ASSERT_EQUAL(hash_of(bare), hash_of(wrapped));
    cJSON_free(wrapped);
    cJSON_Delete(o);
}

static void
a_body_is_read_up_to_the_limit_and_not_beyond(void)
{
    static const char head[] = "{\"detail-type\":\"x\",\"detail\":{},\"pad\":\"", tail[] = "\"}";
    char text[RC_TEXT_LEN];
    char *body = malloc(BIG);

    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    memset(body, 'a', BIG);
    memcpy(body, head, sizeof head - 1);
    memcpy(body + RC_DECODE_BODY_MAX - (sizeof tail - 1), tail, sizeof tail - 1);
    CU_ASSERT_EQUAL(verdict_of(body, RC_DECODE_BODY_MAX, text), RC_VERDICT_IGNORED);
    body[RC_DECODE_BODY_MAX] = ' ';
    CU_ASSERT_EQUAL(verdict_of(body, RC_DECODE_BODY_MAX + 1, text), RC_VERDICT_QUARANTINED);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "over the limit"));
    free(body);
}

/* head, then count times part with commas between, then tail. */
static char *
repeated(const char *head, const char *part, size_t count, const char *tail, size_t *ret_len)
{
    size_t part_len = strlen(part);
    char *body = malloc(strlen(head) + count * (part_len + 1) + strlen(tail) + 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    char *at = stpcpy(body, head);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            *at++ = ',';
        }
        memcpy(at, part, part_len);
        at += part_len;
    }
    *ret_len = (size_t)(stpcpy(at, tail) - body);
    return body;
}

static void
values_and_events_are_limited(void)
{
    static const char ebs[] = "{\"detail-type\":\"EBS Volume Notification\",\"detail\":{\"event\":"
                              "\"attachVolume\",\"result\":\"failed\"},\"resources\":[";
    char text[RC_TEXT_LEN];
    size_t len;
    char *body = repeated("{\"detail-type\":\"x\",\"detail\":{},\"n\":[", "0", RC_DECODE_VALUES_MAX,
                          "]}", &len);

    CU_ASSERT_EQUAL(verdict_of(body, len, text), RC_VERDICT_QUARANTINED);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "more than 65536 values"));
    free(body);
    /* 300 volumes on each of 300 instances would be 90,000 events. */
    body = repeated(ebs, "\"i-12345678\",\"vol-12345678\"", 300, "]}", &len);
    CU_ASSERT_EQUAL(verdict_of(body, len, text), RC_VERDICT_QUARANTINED);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "more than 8192"));
    free(body);
}

static void
metrics_of_an_alarm_are_limited(void)
{
    static const char head[] = "{\"detail-type\":\"CloudWatch Alarm State Change\",\"detail\":{"
                               "\"alarmName\":\"a\",\"state\":{\"value\":\"OK\"},"
                               "\"configuration\":{\"metrics\":[";
    char text[RC_TEXT_LEN];
    size_t len;
    char *body = repeated(head, "{}", 500, "]}}}", &len);

    CU_ASSERT_EQUAL(verdict_of(body, len, text), RC_VERDICT_EVENTS);
    free(body);
    body = repeated(head, "{}", 501, "]}}}", &len);
    CU_ASSERT_EQUAL(verdict_of(body, len, text), RC_VERDICT_QUARANTINED);
    free(body);
}

static void
depth_is_limited_also_inside_texts(void)
{
    static const char event[] = "{\"detail-type\":\"EC2 Fleet Error\",\"detail\":";
    char body[512], text[RC_TEXT_LEN];

    for (int depth = 25; depth < 40; depth++) {
        int len = snprintf(body, sizeof body, "%s{\"sub-type\":\"x\",\"d\":%.*s%.*s}}", event,
                           depth, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", depth,
                           "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
        CU_ASSERT_EQUAL(verdict_of(body, (size_t)len, text), depth + 2 <= RC_DECODE_DEPTH_MAX
                                                                 ? RC_VERDICT_EVENTS
                                                                 : RC_VERDICT_QUARANTINED);
        len = snprintf(body, sizeof body, "%s\"{\\\"sub-type\\\":\\\"x\\\",\\\"d\\\":%.*s%.*s}\"}",
                       event, depth, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", depth,
                       "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
        CU_ASSERT_EQUAL(verdict_of(body, (size_t)len, text), depth + 1 <= RC_DECODE_DEPTH_MAX
                                                                 ? RC_VERDICT_EVENTS
                                                                 : RC_VERDICT_QUARANTINED);
    }
}

static void
a_long_name_keeps_its_head_and_stays_different(void)
{
    char a[RC_CODE_LEN], b[RC_CODE_LEN], name[300];

    memset(name, 'n', sizeof name);
    name[RC_CODE_LEN - 1] = '\0';
    rc_decode_code(a, name);
    CU_ASSERT_STRING_EQUAL(a, name);
    name[RC_CODE_LEN - 1] = 'n';
    name[250] = '\0';
    rc_decode_code(a, name);
    name[249] = 'm';
    rc_decode_code(b, name);
    CU_ASSERT_EQUAL(strlen(a), RC_CODE_LEN - 1);
    CU_ASSERT_STRING_NOT_EQUAL(a, b);
    CU_ASSERT_EQUAL(strncmp(a, "nnnnnnnn", 8), 0);
    /* Two-byte characters are not cut in half. */
    for (size_t i = 0; i < 100; i++) {
        memcpy(name + 1 + 2 * i, "\xc3\xa9", 2);
    }
    name[201] = '\0';
    rc_decode_code(a, name);
    CU_ASSERT_EQUAL((unsigned char)strchr(a, '~')[-1], 0xa9);
}

static void
instance_ids_are_read_strictly(void)
{
    static const struct {
        const char *text, *id;
    } rows[] = {
        {"i-12345678", "i-12345678"},
        {" i-0123456789abcdef0\n", "i-0123456789abcdef0"},
        {"arn:aws:ec2:eu-west-1:111122223333:instance/i-12345678", "i-12345678"},
        {"arn:aws-cn:ec2:cn-north-1:111122223333:instance/ i-12345678 ", "i-12345678"},
        {"arn:aws:ec2:eu-west-1a:instance/i-12345678", "i-12345678"},
        {"", NULL},
        {"i-", NULL},
        {"i-1234567", NULL},
        {"i-0123456789abcdef01", NULL},
        {"i-1234567g", NULL},
        {"i-ABCDEF01", NULL},
        {"i-12345678/", NULL},
        {"x i-12345678", NULL},
        {"mi-0123456789abcdef0", NULL},
        {"[instance-id]", NULL},
        {"arn:aws:ec2:eu-west-1:111122223333:volume/i-12345678", NULL},
        {"arn:aws:ssm:eu-west-1:111122223333:instance/i-12345678", NULL},
        {"arn:aws:ec2:eu-west-1:111122223333:instance/", NULL},
        {"arn:aws:ec2", NULL},
        {"arn:", NULL},
    };
    char id[RC_ID_LEN];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool good = rc_decode_instance_id(rows[i].text, id);

        CU_ASSERT_EQUAL(good, rows[i].id != NULL);
        CU_ASSERT_STRING_EQUAL(id, rows[i].id ? rows[i].id : "");
    }
}

/* Runs visit(body, len) on each of our own messages. */
static void
each_message(void (*visit)(const char *body, size_t len))
{
    static const char dir[] = "tests/vectors/events";
    struct dirent **files = NULL;
    int count = scandir(dir, &files, NULL, alphasort);

    CU_ASSERT_FATAL(count > 40);
    for (int i = 0; i < count; i++) {
        char path[512];
        size_t len = 0;

        if (strstr(files[i]->d_name, ".json")) {
            snprintf(path, sizeof path, "%s/%s", dir, files[i]->d_name);
            char *body = rc_test_read_file(path, &len);
            CU_ASSERT_PTR_NOT_NULL_FATAL(body);
            visit(body, len);
            free(body);
        }
        free(files[i]);
    }
    free(files);
}

/* From a block of the exact size, so that a sanitizer sees one byte too many. */
static void
decode_exact(const char *body, size_t len)
{
    struct rc_decoded d;
    char *exact = malloc(len ? len : 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
    memcpy(exact, body, len);
    CU_ASSERT_EQUAL_FATAL(rc_decode_message(exact, len, &d), RC_OK);
    CU_ASSERT_FATAL(d.verdict != RC_VERDICT_UNKNOWN && *d.text);
    rc_decoded_done(&d);
    free(exact);
}

static void
cut_everywhere(const char *body, size_t len)
{
    for (size_t cut = 0; cut <= len; cut++) {
        decode_exact(body, cut);
    }
}

static void
damage_everywhere(const char *body, size_t len)
{
    static const char bytes[] = {'\0', '"', '\\', '{', (char)0xff};
    char *copy = malloc(len + 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, body, len);
    for (size_t at = 0; at < len; at++) {
        copy[at] = bytes[at % sizeof bytes];
        decode_exact(copy, len);
        copy[at] = body[at];
    }
    free(copy);
}

static void
a_message_cut_at_any_byte_gets_a_verdict(void)
{
    each_message(cut_everywhere);
}

static void
a_message_damaged_at_any_byte_gets_a_verdict(void)
{
    each_message(damage_everywhere);
}

static size_t allocations_left;

static void *
failing_malloc(size_t size)
{
    if (allocations_left == 0) {
        return NULL;
    }
    allocations_left--;
    return malloc(size);
}

/* Runs with 0, 1, 2, … allocations until the message is decoded. */
static void
starve(const char *body, size_t len)
{
    struct rc_decoded d;
    enum rc_err err = RC_E_FULL;

    for (size_t given = 0; err != RC_OK; given++) {
        allocations_left = given;
        err = rc_decode_message(body, len, &d);
        CU_ASSERT_FATAL(err == RC_OK || err == RC_E_FULL);
        CU_ASSERT_FATAL(err == RC_OK || (d.count == 0 && !d.events && d.verdict == 0));
        rc_decoded_done(&d);
    }
}

static void
short_memory_is_never_taken_for_a_bad_message(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){failing_malloc, free});
    each_message(starve);
    cJSON_InitHooks(NULL);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a backup copy is the same message and a page is not",
         a_backup_copy_is_the_same_message_and_a_page_is_not},
        {"without a communication the times tell notices apart",
         without_a_communication_the_times_tell_notices_apart},
        {"an envelope id identifies and a placeholder does not",
         an_envelope_id_identifies_and_a_placeholder_does_not},
        {"a wrapped event is the same message as a bare one",
         a_wrapped_event_is_the_same_message_as_a_bare_one},
        {"a body is read up to the limit and not beyond",
         a_body_is_read_up_to_the_limit_and_not_beyond},
        {"values and events are limited", values_and_events_are_limited},
        {"metrics of an alarm are limited", metrics_of_an_alarm_are_limited},
        {"depth is limited, also inside texts", depth_is_limited_also_inside_texts},
        {"a long name keeps its head and stays different",
         a_long_name_keeps_its_head_and_stays_different},
        {"instance ids are read strictly", instance_ids_are_read_strictly},
        {"a message cut at any byte gets a verdict", a_message_cut_at_any_byte_gets_a_verdict},
        {"a message damaged at any byte gets a verdict",
         a_message_damaged_at_any_byte_gets_a_verdict},
        {"short memory is never taken for a bad message",
         short_memory_is_never_taken_for_a_bad_message},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("decode-message", tests);
}
