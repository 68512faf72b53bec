/* decode_field.c - keys of a message, and what is said about them.
 *
 * A key of the wrong type is never read as its default: the message is
 * quarantined with the key and what was expected. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "handlers/decode/decode_internal.h"

uint64_t
rc_decode_hash(uint64_t hash, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)data[i]) * 0x100000001b3ULL;
    }
    return (hash ^ 0xffU) * 0x100000001b3ULL; /* 0xff is in no UTF-8: a separator */
}

uint64_t
rc_decode_hash_string(uint64_t hash, const char *text)
{
    return rc_decode_hash(hash, text, strlen(text));
}

/* One printable line of ASCII; ends in ... when the whole did not fit. */
static void
field_set_line(char *dst, size_t room, const char *src)
{
    size_t len = 0;

    memset(dst, 0, room);
    for (; *src && len < room - 1; src++) {
        unsigned char c = (unsigned char)*src;
        dst[len++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
    }
    if (*src) {
        memcpy(dst + room - 4, "...", 3);
    }
}

static void field_say(struct rc_notice *n, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
field_say(struct rc_notice *n, const char *fmt, va_list ap)
{
    char line[512];

    vsnprintf(line, sizeof line, fmt, ap);
    field_set_line(n->out->text, sizeof n->out->text, line);
}

enum rc_err
rc_decode_bad(struct rc_notice *n, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    field_say(n, fmt, ap);
    va_end(ap);
    return RC_E_PARSE;
}

void
rc_decode_say(struct rc_notice *n, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    field_say(n, fmt, ap);
    va_end(ap);
}

const char *
rc_decode_show(const char *value, struct rc_decode_shown *buf)
{
    char line[RC_DECODE_SHOWN_LEN - 2];

    field_set_line(line, sizeof line, value);
    size_t len = strlen(line);
    memset(buf, 0, sizeof *buf);
    buf->text[0] = '"';
    memcpy(buf->text + 1, line, len);
    buf->text[len + 1] = '"';
    return buf->text;
}

void
rc_decode_code(char code[RC_CODE_LEN], const char *name)
{
    enum { HASH_LEN = 17 }; /* '~' and 16 hex digits */

    if (rc_text_set(code, RC_CODE_LEN, name)) {
        return;
    }
    size_t head = RC_CODE_LEN - 1 - HASH_LEN;
    while (head > 0 && ((unsigned char)name[head] & 0xc0) == 0x80) {
        head--; /* never half a character */
    }
    memcpy(code, name, head);
    snprintf(code + head, RC_CODE_LEN - head, "~%016llx",
             (unsigned long long)rc_decode_hash_string(RC_DECODE_HASH_SEED, name));
}

static const char *
field_type_name(const cJSON *value)
{
    if (cJSON_IsObject(value)) {
        return "an object";
    }
    if (cJSON_IsArray(value)) {
        return "a list";
    }
    if (cJSON_IsString(value)) {
        return "a string";
    }
    if (cJSON_IsNumber(value)) {
        return "a number";
    }
    return cJSON_IsNull(value) ? "null" : "true or false";
}

/* *ret is NULL when the key is not told. */
static enum rc_err
field_find(struct rc_notice *n, const cJSON *object, const char *path, bool required,
           const char *expected, const cJSON **ret)
{
    const char *dot = strrchr(path, '.');
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, dot ? dot + 1 : path);

    *ret = value && !cJSON_IsNull(value) ? value : NULL;
    if (required && !*ret) {
        return rc_decode_bad(n, "%s: %s, expected %s", path, value ? "null" : "missing", expected);
    }
    return RC_OK;
}

static enum rc_err
field_wrong_type(struct rc_notice *n, const cJSON *value, const char *path, const char *expected)
{
    return rc_decode_bad(n, "%s: expected %s, found %s", path, expected, field_type_name(value));
}

enum rc_err
rc_decode_string(struct rc_notice *n, const cJSON *object, const char *path, bool required,
                 const char **ret)
{
    const cJSON *value;
    enum rc_err err = field_find(n, object, path, required, "a string", &value);

    *ret = "";
    if (err != RC_OK || !value) {
        return err;
    }
    if (!cJSON_IsString(value)) {
        return field_wrong_type(n, value, path, "a string");
    }
    *ret = value->valuestring;
    return RC_OK;
}

enum rc_err
rc_decode_object(struct rc_notice *n, const cJSON *object, const char *path, bool required,
                 const cJSON **ret)
{
    enum rc_err err = field_find(n, object, path, required, "an object", ret);

    if (err == RC_OK && *ret && !cJSON_IsObject(*ret)) {
        err = field_wrong_type(n, *ret, path, "an object");
        *ret = NULL;
    }
    return err;
}

enum rc_err
rc_decode_array(struct rc_notice *n, const cJSON *object, const char *path, bool required,
                const cJSON **ret)
{
    enum rc_err err = field_find(n, object, path, required, "a list", ret);

    if (err == RC_OK && *ret && !cJSON_IsArray(*ret)) {
        err = field_wrong_type(n, *ret, path, "a list");
        *ret = NULL;
    }
    return err;
}
