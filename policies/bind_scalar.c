/* bind_scalar.c - numbers, durations, shares, names and texts; see bind.h. */
#include "policies/bind_scalar.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int64_t ms;
} units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

static const int64_t duration_max_ms = INT64_C(3650) * 86400000;

bool
rc_duration_parse(const char *text, int64_t *ret_ms)
{
    size_t digits = strspn(text, "0123456789");
    int64_t value = 0;

    if (digits == 0 || digits > 12) {
        return false;
    }
    value = strtoll(text, NULL, 10);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(text + digits, units[i].name) == 0) {
            if (value > duration_max_ms / units[i].ms) {
                return false;
            }
            *ret_ms = value * units[i].ms;
            return true;
        }
    }
    return false;
}

void
rc_duration_show(int64_t ms, char *buf, size_t room)
{
    size_t i = 0;

    if (ms == 0) {
        snprintf(buf, room, "0s");
        return;
    }
    while (ms % units[i].ms != 0) {
        i++;
    }
    snprintf(buf, room, "%" PRId64 "%s", ms / units[i].ms, units[i].name);
}

/* "5%" or "0.5%": one digit behind the point is all that permille can hold. */
static bool
parse_share(const char *text, int64_t *ret_permille)
{
    size_t digits = strspn(text, "0123456789");
    const char *rest = text + digits;
    int64_t value = strtoll(text, NULL, 10) * 10;

    if (digits == 0 || digits > 3) {
        return false;
    }
    if (rest[0] == '.' && rest[1] >= '0' && rest[1] <= '9') {
        value += rest[1] - '0';
        rest += 2;
    }
    *ret_permille = value;
    return strcmp(rest, "%") == 0;
}

static bool
parse_mode(const char *text, int64_t *ret_mode)
{
    size_t len = strlen(text);

    if (len < 3 || len > 4 || strspn(text, "01234567") != len) {
        return false;
    }
    *ret_mode = strtoll(text, NULL, 8);
    return true;
}

static void
list_names(const struct rc_bind_names *names, char *buf, size_t room)
{
    size_t used = 0;

    for (uint32_t i = names->first; i < names->max && used < room; i++) {
        if (names->name(i)) {
            int n = snprintf(buf + used, room - used, "%s%s", used ? ", " : "", names->name(i));
            used += n > 0 ? (size_t)n : 0;
        }
    }
}

static void
what_range(const struct rc_bind_row *row, char *buf, size_t room)
{
    char low[32];
    char high[32];

    rc_duration_show(row->min, low, sizeof low);
    rc_duration_show(row->max, high, sizeof high);
    snprintf(buf, room, "a duration from %s to %s such as \"90s\", \"10m\" or \"2h\"", low, high);
}

int
rc_bind_length_min(const struct rc_bind_row *row)
{
    return row->min > 0 || !row->fallback;
}

void
rc_bind_what(const struct rc_bind_row *row, char *buf, size_t room)
{
    char names[RC_LOAD_ERROR_LEN - 64] = "";

    if (row->names) {
        list_names(row->names, names, sizeof names);
    }
    switch (row->type) {
    case RC_BIND_UINT32:
    case RC_BIND_UINT64:
        snprintf(buf, room, "a whole number from %" PRId64 " to %" PRId64, row->min, row->max);
        break;
    case RC_BIND_DURATION:
        what_range(row, buf, room);
        break;
    case RC_BIND_BOOL:
        snprintf(buf, room, "true or false");
        break;
    case RC_BIND_SHARE:
        snprintf(buf, room, "a share from 0%% to 100%% such as \"5%%\" or \"0.5%%\"");
        break;
    case RC_BIND_MODE:
        snprintf(buf, room, "permission bits in octal such as \"0660\"");
        break;
    case RC_BIND_TEXT:
    case RC_BIND_IGNORED:
        snprintf(buf, room, "a text of %s%zu bytes",
                 rc_bind_length_min(row) > 0 ? "1 to " : "at most ", row->room - 1);
        break;
    case RC_BIND_NAME:
        snprintf(buf, room, "a name of %s%zu letters, digits, \".\", \"_\" or \"-\"",
                 rc_bind_length_min(row) > 0 ? "1 to " : "at most ", row->room - 1);
        break;
    case RC_BIND_PATH:
        snprintf(buf, room, "a path of %s%zu bytes",
                 rc_bind_length_min(row) > 0 ? "1 to " : "at most ", row->room - 1);
        break;
    case RC_BIND_ENUM:
        snprintf(buf, room, "one of %s", names);
        break;
    case RC_BIND_MASK:
        snprintf(buf, room, "a list of %s", names);
        break;
    case RC_BIND_OBJECT:
        snprintf(buf, room, "an object {…}");
        break;
    case RC_BIND_OBJECTS:
    case RC_BIND_TEXTS:
        snprintf(buf, room, "a list of %" PRId64 " to %" PRId64 " %s", row->min, row->max,
                 row->type == RC_BIND_TEXTS ? "texts" : "objects");
        break;
    case RC_BIND_MAP:
        snprintf(buf, room, "an object of %" PRId64 " to %" PRId64 " texts", row->min, row->max);
        break;
    }
}

static void
refuse_value(struct rc_bind *b, const struct rc_bind_row *row, const struct rc_jsonc_value *v)
{
    char what[RC_LOAD_ERROR_LEN];

    rc_bind_what(row, what, sizeof what);
    rc_bind_expected(b, v, what);
}

static void
store32(char *at, int64_t value)
{
    uint32_t narrow = (uint32_t)value;

    memcpy(at, &narrow, sizeof narrow);
}

/* A number, or a text that stands for one; the row's limits hold for all of them. */
static bool
number_in_row(const struct rc_bind_row *row, const struct rc_jsonc_value *v, int64_t *ret)
{
    bool is_text = v->type == RC_JSONC_STRING;
    bool is_read = false;

    if (row->type == RC_BIND_UINT32 || row->type == RC_BIND_UINT64) {
        *ret = v->number;
        is_read = v->type == RC_JSONC_NUMBER;
    } else if (row->type == RC_BIND_DURATION) {
        is_read = is_text && rc_duration_parse(v->text, ret);
    } else if (row->type == RC_BIND_SHARE) {
        is_read = is_text && parse_share(v->text, ret);
    } else {
        is_read = is_text && parse_mode(v->text, ret);
    }
    return is_read && *ret >= row->min && *ret <= row->max;
}

static void
bind_number(struct rc_bind *b, const struct rc_bind_row *row, const struct rc_jsonc_value *v,
            char *at)
{
    int64_t value = 0;

    if (!number_in_row(row, v, &value)) {
        refuse_value(b, row, v);
    } else if (row->type == RC_BIND_UINT64 || row->type == RC_BIND_DURATION) {
        memcpy(at, &value, sizeof value);
    } else {
        store32(at, value);
    }
}

static bool
is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

static bool
is_text_ok(const struct rc_bind_row *row, const char *text)
{
    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f ||
            (row->type == RC_BIND_NAME && !is_name_byte(*p))) {
            return false;
        }
    }
    return rc_bind_length_min(row) == 0 || *text;
}

static void
bind_text(struct rc_bind *b, const struct rc_bind_row *row, const struct rc_jsonc_value *v,
          char *at)
{
    char what[RC_LOAD_ERROR_LEN];
    bool is_relative = false;
    size_t len = 0;

    if (v->type != RC_JSONC_STRING || !is_text_ok(row, v->text)) {
        refuse_value(b, row, v);
        return;
    }
    is_relative = row->type == RC_BIND_PATH && b->dir && *v->text && *v->text != '/';
    len = strlen(v->text) + (is_relative ? strlen(b->dir) + 1 : 0);
    if (len >= row->room) {
        rc_bind_what(row, what, sizeof what);
        rc_load_error(b->errs, b->file, v, "expected %s, got one of %zu", what, len);
        return;
    }
    snprintf(at, row->room, "%s%s%s", is_relative ? b->dir : "", is_relative ? "/" : "", v->text);
}

static bool
value_of_name(const struct rc_bind_names *names, const char *text, uint32_t *ret)
{
    for (uint32_t i = names->first; i < names->max; i++) {
        if (names->name(i) && strcmp(names->name(i), text) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static bool
bind_name(struct rc_bind *b, const struct rc_bind_row *row, const struct rc_jsonc_value *v,
          uint32_t *ret)
{
    struct rc_bind_row one = *row;
    char what[RC_LOAD_ERROR_LEN];
    char got[RC_JSONC_PATH_LEN];
    const char *all[64];
    const char *near = NULL;
    size_t count = 0;

    if (v->type == RC_JSONC_STRING && value_of_name(row->names, v->text, ret)) {
        return true;
    }
    for (uint32_t i = row->names->first; i < row->names->max && count < 64; i++) {
        if (row->names->name(i)) {
            all[count++] = row->names->name(i);
        }
    }
    near = v->type == RC_JSONC_STRING ? rc_bind_nearest(v->text, all, count) : NULL;
    one.type = RC_BIND_ENUM;
    rc_bind_what(&one, what, sizeof what);
    rc_jsonc_show(v, got, sizeof got);
    if (near) {
        rc_load_error(b->errs, b->file, v, "expected %s, got %s; did you mean \"%s\"?", what, got,
                      near);
    } else {
        rc_load_error(b->errs, b->file, v, "expected %s, got %s", what, got);
    }
    return false;
}

static void
bind_mask(struct rc_bind *b, const struct rc_bind_row *row, const struct rc_jsonc_value *v,
          char *at)
{
    uint64_t mask = 0;

    if (v->type != RC_JSONC_ARRAY || !v->first) {
        refuse_value(b, row, v);
        return;
    }
    for (const struct rc_jsonc_value *c = v->first; c; c = c->next) {
        uint32_t bit = 0;
        if (!bind_name(b, row, c, &bit)) {
            continue;
        }
        if (mask & (UINT64_C(1) << bit)) {
            rc_load_error(b->errs, b->file, c, "\"%s\" is listed twice", c->text);
        }
        mask |= UINT64_C(1) << bit;
    }
    memcpy(at, &mask, sizeof mask);
}

void
rc_bind_scalar(struct rc_bind *b, const struct rc_bind_row *row, const struct rc_jsonc_value *v,
               char *out)
{
    char *at = out + row->offset;
    uint32_t value = 0;

    if (row->type == RC_BIND_IGNORED) {
        if (v->type != RC_JSONC_STRING) {
            refuse_value(b, row, v);
        }
    } else if (row->type == RC_BIND_ENUM) {
        if (bind_name(b, row, v, &value)) {
            store32(at, value);
        }
    } else if (row->type == RC_BIND_MASK) {
        bind_mask(b, row, v, at);
    } else if (row->type == RC_BIND_TEXT || row->type == RC_BIND_NAME ||
               row->type == RC_BIND_PATH) {
        bind_text(b, row, v, at);
    } else if (row->type == RC_BIND_BOOL) {
        if (v->type == RC_JSONC_BOOL) {
            store32(at, v->number);
        } else {
            refuse_value(b, row, v);
        }
    } else {
        bind_number(b, row, v, at);
    }
}

void
rc_bind_default(struct rc_bind *b, const struct rc_bind_row *row, char *out)
{
    struct rc_jsonc_value v = {.type = RC_JSONC_STRING, .text = row->fallback};
    uint32_t errors_before = b->errs->count;

    /* An empty default stands for "not given": no text, no list, number 0. */
    if (!*row->fallback || row->type == RC_BIND_IGNORED) {
        return;
    }
    if (row->type == RC_BIND_UINT32 || row->type == RC_BIND_UINT64) {
        v.type = RC_JSONC_NUMBER;
        v.number = strtoll(row->fallback, NULL, 10);
    } else if (row->type == RC_BIND_BOOL) {
        v.type = RC_JSONC_BOOL;
        v.number = strcmp(row->fallback, "true") == 0;
    }
    rc_bind_scalar(b, row, &v, out);
    assert(b->errs->count == errors_before);
}
