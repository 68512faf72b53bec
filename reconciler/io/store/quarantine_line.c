/* quarantine_line.c - see quarantine_line.h. */
#define _GNU_SOURCE
#include "reconciler/io/store/quarantine_line.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "reconciler/io/store/json_fields.h"

/* Length of the UTF-8 sequence at p, 0 when it is none (RFC 3629: no surrogates,
 * no overlong forms, nothing above U+10FFFF). */
static size_t
utf8_length(const unsigned char *p, size_t left)
{
    static const struct {
        unsigned char first_min, first_max, second_min, second_max;
        size_t len;
    } forms[] = {
        {0x01, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };

    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        if (*p < forms[f].first_min || *p > forms[f].first_max || left < forms[f].len) {
            continue;
        }
        size_t len = forms[f].len;
        if (len > 1 && (p[1] < forms[f].second_min || p[1] > forms[f].second_max)) {
            return 0;
        }
        for (size_t i = 2; i < len; i++) {
            if ((p[i] & 0xC0) != 0x80) {
                return 0;
            }
        }
        return len;
    }
    return 0;
}

static bool
is_text(const void *body, size_t len)
{
    const unsigned char *p = body;

    for (size_t at = 0, n; at < len; at += n) {
        n = utf8_length(p + at, len - at);
        if (!n) {
            return false;
        }
    }
    return true;
}

/* --- to text ------------------------------------------------------------------------ */

static bool
add_time(cJSON *o, int64_t time_ms)
{
    time_t seconds = (time_t)(time_ms / 1000);
    char text[40], whole[64];
    struct tm tm;

    if (!gmtime_r(&seconds, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm)) {
        return false;
    }
    snprintf(whole, sizeof whole, "%s.%03dZ", text, (int)(time_ms % 1000));
    return cJSON_AddStringToObject(o, "time", whole) != NULL;
}

/* Words for people: a byte that is not UTF-8 becomes '?'. */
static bool
add_words(cJSON *o, const char *key, const char *words)
{
    char *copy = strdup(words);
    size_t len = copy ? strlen(copy) : 0;

    for (size_t at = 0; at < len;) {
        size_t n = utf8_length((const unsigned char *)copy + at, len - at);
        if (!n) {
            copy[at] = '?';
        }
        at += n ? n : 1;
    }
    bool good = copy && cJSON_AddStringToObject(o, key, copy);
    free(copy);
    return good;
}

static bool
add_body(cJSON *o, const void *body, size_t len)
{
    bool is_plain = is_text(body, len);
    char *copy = malloc(is_plain ? len + 1 : 4 * ((len + 2) / 3) + 1);

    if (copy && is_plain) {
        if (len) {
            memcpy(copy, body, len);
        }
        copy[len] = '\0';
    } else if (copy) {
        EVP_EncodeBlock((unsigned char *)copy, body, (int)len);
    }
    bool good = copy && cJSON_AddStringToObject(o, is_plain ? "body" : "body_base64", copy);
    free(copy);
    return good;
}

static char *
finish_line(cJSON *o, bool good)
{
    char *text = good ? cJSON_PrintUnformatted(o) : NULL;
    char *line = NULL;

    cJSON_Delete(o);
    if (text && asprintf(&line, "%s\n", text) < 0) {
        line = NULL;
    }
    free(text);
    return line;
}

char *
rc_quarantine_line_format(const struct rc_quarantine_item *item)
{
    cJSON *o = cJSON_CreateObject();
    bool good = item->body_len <= INT_MAX / 2 &&
                cJSON_AddNumberToObject(o, "id", (double)item->id) && add_time(o, item->time_ms) &&
                add_words(o, "message_id", item->message_id) &&
                add_words(o, "reason", item->reason) && add_body(o, item->body, item->body_len);

    return finish_line(o, good);
}

char *
rc_quarantine_line_format_taken(uint64_t id, int64_t time_ms)
{
    cJSON *o = cJSON_CreateObject();
    bool good = cJSON_AddNumberToObject(o, "taken", (double)id) && add_time(o, time_ms);

    return finish_line(o, good);
}

/* --- from text ------------------------------------------------------------------------ */

static const char *
string_of(struct rc_json_object *o, const char *key)
{
    const cJSON *item = rc_json_member(o, key, "a string");

    if (cJSON_IsString(item)) {
        return item->valuestring;
    }
    if (item) {
        rc_json_refuse(o, key, "a string");
    }
    return "";
}

static int64_t
time_of(struct rc_json_object *o)
{
    const char *text = string_of(o, "time");
    struct tm tm;
    int ms = 0, used = 0;

    memset(&tm, 0, sizeof tm);
    const char *rest = o->failed ? NULL : strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!rest || sscanf(rest, ".%3dZ%n", &ms, &used) != 1 || used != 5 || rest[5]) {
        rc_json_refuse(o, "time", "a time such as 2026-01-31T23:59:59.000Z");
        return 0;
    }
    return (int64_t)timegm(&tm) * 1000 + ms;
}

static void
read_base64(struct rc_json_object *o, struct rc_quarantine_line *l)
{
    const char *text = string_of(o, "body_base64");
    size_t len = strlen(text);
    unsigned padding = 0;

    while (padding < 2 && padding < len && text[len - 1 - padding] == '=') {
        padding++;
    }
    l->decoded = malloc(len + 1);
    if (!l->decoded || len % 4 || len > INT_MAX ||
        EVP_DecodeBlock(l->decoded, (const unsigned char *)text, (int)len) < 0) {
        rc_json_refuse(o, "body_base64", "base64");
        return;
    }
    l->item.body = l->decoded;
    l->item.body_len = len / 4 * 3 - padding;
}

static void
read_message(struct rc_json_object *o, struct rc_quarantine_line *l)
{
    l->item.id = rc_json_integer(o, "id", 1, RC_JSON_INTEGER_MAX);
    l->item.message_id = string_of(o, "message_id");
    l->item.reason = string_of(o, "reason");
    if (!o->failed && cJSON_GetObjectItemCaseSensitive(o->root, "body_base64")) {
        read_base64(o, l);
    } else {
        l->item.body = string_of(o, "body");
        l->item.body_len = strlen(l->item.body);
    }
}

enum rc_err
rc_quarantine_line_parse(const char *text, size_t len, struct rc_quarantine_line *ret,
                         struct rc_error *ret_err)
{
    struct rc_quarantine_line l;
    struct rc_json_object o;

    memset(&l, 0, sizeof l);
    rc_json_open(&o, "line", text, len, ret_err);
    l.item.time_ms = time_of(&o);
    if (!o.failed && cJSON_GetObjectItemCaseSensitive(o.root, "taken")) {
        l.item.taken = true;
        l.item.id = rc_json_integer(&o, "taken", 1, RC_JSON_INTEGER_MAX);
    } else {
        read_message(&o, &l);
    }
    if (o.failed) {
        free(l.decoded);
        return rc_json_close(&o);
    }
    l.root = o.root;
    *ret = l;
    return RC_OK;
}

void
rc_quarantine_line_free(struct rc_quarantine_line *l)
{
    cJSON_Delete(l->root);
    free(l->decoded);
}
