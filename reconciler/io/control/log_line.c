/* log_line.c - see log_line.h. Texts are escaped as JSON, bytes that are not UTF-8 become
 * U+FFFD, and what looks like a credential is not written. */
#define _GNU_SOURCE
#include "reconciler/io/control/log_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "policies/utf8.h"

/* Kept free for the closing quote, brace and newline. */
enum { TAIL_ROOM = 8 };

/* Field keys whose value is nobody's business. */
static const char *const secret_keys[] = {"secret",    "token",         "password",
                                          "passwd",    "authorization", "credential",
                                          "signature", "private_key",   "session_key"};
/* Parameters inside texts (requests, command lines, error pages) whose value is masked. */
static const char *const secret_marks[] = {"X-Amz-Signature=",
                                           "X-Amz-Security-Token=",
                                           "X-Amz-Credential=",
                                           "Signature=",
                                           "Credential=",
                                           "SecretAccessKey=",
                                           "aws_secret_access_key=",
                                           "aws_session_token=",
                                           "Authorization:",
                                           "X-Amz-Security-Token:",
                                           "X-aws-ec2-metadata-token:",
                                           "\"SecretAccessKey\":",
                                           "\"Token\":",
                                           "password="};
static const char hidden[] = "(hidden)";

static size_t
room_of(const struct rc_log_line *line)
{
    size_t limit = sizeof line->data - TAIL_ROOM;

    return line->len < limit ? limit - line->len : 0;
}

/* All of it or nothing. */
static bool
put_raw(struct rc_log_line *line, const char *data, size_t len)
{
    if (len > room_of(line)) {
        return false;
    }
    memcpy(line->data + line->len, data, len);
    line->len += len;
    return true;
}

static bool
put_escaped(struct rc_log_line *line, const char *at, size_t len)
{
    static const char plain[] = "\"\\\n\t\r";
    static const char letter[] = "\"\\ntr";
    unsigned char c = (unsigned char)*at;
    const char *hit = c ? strchr(plain, c) : NULL;
    char buf[8];

    if (hit) {
        buf[0] = '\\';
        buf[1] = letter[hit - plain];
        return put_raw(line, buf, 2);
    }
    if (c < 0x20 || c == 0x7f) {
        snprintf(buf, sizeof buf, "\\u%04x", c);
        return put_raw(line, buf, 6);
    }
    return put_raw(line, at, len);
}

/* Length of the value behind a mark: up to a blank, quote, comma or &. A quoted value is
 * masked without its quotes. */
static size_t
secret_length(const char *at)
{
    size_t lead = strspn(at, " \"");
    size_t len = lead + strcspn(at + lead, " \"&,;\r\n");

    /* "Authorization: AWS4-HMAC-SHA256 Credential=…" goes on behind the scheme. */
    if (strncasecmp(at + lead, "Bearer ", 7) == 0) {
        len += 1 + strcspn(at + len + 1, " \"&,;\r\n");
    }
    return len;
}

static size_t
mark_at(const char *text)
{
    for (size_t i = 0; i < sizeof secret_marks / sizeof *secret_marks; i++) {
        size_t len = strlen(secret_marks[i]);
        if (strncasecmp(text, secret_marks[i], len) == 0) {
            return len;
        }
    }
    return 0;
}

static void
put_text(struct rc_log_line *line, const char *text)
{
    static const char unknown[] = "\xef\xbf\xbd";
    const char *end = text + strlen(text);

    if (!put_raw(line, "\"", 1)) {
        return;
    }
    while (text < end) {
        size_t mark = mark_at(text);
        size_t len = rc_utf8_length(text, (size_t)(end - text));
        if (mark) {
            for (const char *stop = text + mark; text < stop; text++) {
                put_escaped(line, text, 1);
            }
            put_raw(line, hidden, sizeof hidden - 1);
            text += secret_length(text);
        } else if (len ? !put_escaped(line, text, len) : !put_raw(line, unknown, 3)) {
            break;
        } else {
            text += len ? len : 1;
        }
    }
    line->data[line->len++] = '"';
}

static void
put_key(struct rc_log_line *line, const char *key)
{
    line->data[line->len++] = ',';
    put_text(line, key);
    line->data[line->len++] = ':';
}

static void
put_pair(struct rc_log_line *line, const char *key, const char *text)
{
    /* A key is only begun when a value of some size can follow. */
    if (room_of(line) < strlen(key) + 32) {
        return;
    }
    put_key(line, key);
    put_text(line, text);
}

static void
put_number(struct rc_log_line *line, const char *key, int64_t number, bool is_bool)
{
    char buf[24];
    int n = 0;

    if (room_of(line) < strlen(key) + 32) {
        return;
    }
    put_key(line, key);
    if (is_bool) {
        n = snprintf(buf, sizeof buf, "%s", number ? "true" : "false");
    } else {
        n = snprintf(buf, sizeof buf, "%" PRId64, number);
    }
    put_raw(line, buf, (size_t)n);
}

static bool
is_secret_key(const char *key)
{
    for (size_t i = 0; i < sizeof secret_keys / sizeof *secret_keys; i++) {
        if (strcasestr(key, secret_keys[i])) {
            return true;
        }
    }
    return false;
}

static void
put_field(struct rc_log_line *line, const struct rc_log_field *f)
{
    switch (f->type) {
    case RC_FIELD_TEXT:
        if (f->text && *f->text) {
            put_pair(line, f->key, is_secret_key(f->key) ? hidden : f->text);
        }
        break;
    case RC_FIELD_ID:
        if (f->number != 0) {
            put_number(line, f->key, f->number, false);
        }
        break;
    case RC_FIELD_INT:
    case RC_FIELD_BOOL:
        put_number(line, f->key, f->number, f->type == RC_FIELD_BOOL);
        break;
    case RC_FIELD_END:
        break;
    }
}

static void
put_time(struct rc_log_line *line, int64_t wall_ms)
{
    char buf[64];
    struct tm tm = {0};
    time_t seconds = (time_t)(wall_ms / 1000);
    size_t n = 0;

    gmtime_r(&seconds, &tm);
    n = strftime(buf, sizeof buf, "{\"time\":\"%Y-%m-%dT%H:%M:%S", &tm);
    n += (size_t)snprintf(buf + n, sizeof buf - n, ".%03dZ\"", (int)(wall_ms % 1000));
    put_raw(line, buf, n);
}

void
rc_log_line_make(struct rc_log_line *ret, const struct rc_log_head *head,
                 const struct rc_log_field *fields, const char *text)
{
    static const char *const kinds[] = {[RC_LOG_NOTE] = "note",
                                        [RC_LOG_EVENT] = "event",
                                        [RC_LOG_DECISION] = "decision",
                                        [RC_LOG_COMPLETION] = "completion"};

    ret->len = 0;
    put_time(ret, head->wall_ms);
    put_pair(ret, "level", rc_log_level_name(head->level));
    put_pair(ret, "room", head->room);
    put_pair(ret, kinds[head->kind], head->name);
    for (const struct rc_log_field *f = fields; f && f->type != RC_FIELD_END; f++) {
        put_field(ret, f);
    }
    if (*text) {
        put_pair(ret, "text", text);
    }
    ret->data[ret->len++] = '}';
    ret->data[ret->len++] = '\n';
}
