/* record_parse.c - text back into events and actions; see record.h and record.c.
 *
 * Strict: an unknown or repeated field, a number that does not fit, a text that
 * does not fit its room or a broken escape is an error at its offset. Order is
 * free, though in-order lines (all that record.c writes) need no searching. */
#include <string.h>

#include "reconciler/core/record.h"
#include "reconciler/core/record_fields.h"

struct reader {
    const char *at, *end;
};

/* The bytes up to a stop or the end; the reader stands on the stop. */
static size_t
record_take(struct reader *r, char stop, const char **ret)
{
    const char *found = memchr(r->at, stop, (size_t)(r->end - r->at));

    *ret = r->at;
    r->at = found ? found : r->end;
    return (size_t)(r->at - *ret);
}

static bool
record_is_word(const char *bytes, size_t len, const char *word)
{
    return strncmp(word, bytes, len) == 0 && word[len] == '\0';
}

static bool
record_read_number(const char *digits, size_t len, uint64_t most, uint64_t *ret)
{
    uint64_t value = 0;

    for (size_t i = 0; i < len; i++) {
        uint64_t digit = (uint64_t)(unsigned char)digits[i] - '0';

        if (digit > 9 || value > (most - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *ret = value;
    return len > 0;
}

static int
record_hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
record_read_text(const char *value, size_t len, char *dst, size_t room)
{
    size_t used = 0;

    for (size_t i = 0; i < len; i++) {
        char c = value[i];

        if (c == '%') {
            int high = i + 2 < len ? record_hex_digit(value[i + 1]) : -1;
            int low = i + 2 < len ? record_hex_digit(value[i + 2]) : -1;
            if (high < 0 || low < 0 || high + low == 0) {
                return false;
            }
            c = (char)(high * 16 + low);
            i += 2;
        } else if (!rc_record_is_plain((unsigned char)c)) {
            return false;
        }
        if (used + 1 >= room) {
            return false;
        }
        dst[used++] = c;
    }
    return true;
}

/* One word of an enum or of a set of flags; ret is its index. */
static bool
record_read_word(const struct rc_field *f, const char *word, size_t len, uint32_t *ret)
{
    for (uint32_t i = 0; i < f->word_count; i++) {
        if (record_is_word(word, len, f->words[i])) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static bool
record_read_words(const struct rc_field *f, const char *value, size_t len, uint64_t *ret)
{
    struct reader r = {value, value + len};
    uint32_t index;

    if (len > 0 && *value >= '0' && *value <= '9') {
        return record_read_number(value, len, UINT32_MAX, ret);
    }
    if (f->type == RC_FIELD_NAME) {
        bool known = record_read_word(f, value, len, &index);
        *ret = known ? index : 0;
        return known;
    }
    *ret = 0;
    for (;;) {
        const char *word;
        size_t word_len = record_take(&r, ',', &word);

        if (!record_read_word(f, word, word_len, &index)) {
            return false;
        }
        *ret |= 1U << index;
        if (r.at == r.end) {
            return true;
        }
        r.at++;
    }
}

static bool
record_read_signed(const char *value, size_t len, uint64_t *ret)
{
    bool negative = len > 0 && *value == '-';
    uint64_t most = (uint64_t)INT64_MAX + negative;

    if (!record_read_number(value + negative, len - negative, most, ret)) {
        return false;
    }
    *ret = negative ? 0 - *ret : *ret;
    return true;
}

static bool
record_read_field(const struct rc_field *f, const char *value, size_t len, char *record)
{
    char *dst = record + f->offset;
    uint64_t wide = 0;
    bool good = false;

    switch ((enum rc_field_type)f->type) {
    case RC_FIELD_I64:
        good = record_read_signed(value, len, &wide);
        break;
    case RC_FIELD_U64:
        good = record_read_number(value, len, UINT64_MAX, &wide);
        break;
    case RC_FIELD_U32:
        good = record_read_number(value, len, UINT32_MAX, &wide);
        break;
    case RC_FIELD_NAME:
    case RC_FIELD_FLAGS:
        good = record_read_words(f, value, len, &wide);
        break;
    case RC_FIELD_TEXT:
        return record_read_text(value, len, dst, f->size);
    }
    if (f->size == sizeof wide) {
        memcpy(dst, &wide, sizeof wide);
    } else {
        memcpy(dst, &(uint32_t){(uint32_t)wide}, sizeof(uint32_t));
    }
    return good;
}

/* All fields of a record in order, as one list. */
static const struct rc_field *
record_field_at(const struct rc_record_table *t, uint32_t kind, uint32_t i)
{
    return i < t->common.count ? &t->common.v[i] : &t->own[kind].v[i - t->common.count];
}

/* Index of the field with this name, looked for from *next on and round; or the count. */
static uint32_t
record_find_field(const struct rc_record_table *t, uint32_t kind, const char *name, size_t len,
                  uint32_t next)
{
    uint32_t count = t->common.count + t->own[kind].count;

    for (uint32_t tried = 0; tried < count; tried++, next++) {
        uint32_t i = next < count ? next : next - count;
        const struct rc_field *f = record_field_at(t, kind, i);

        if (f->name_len == len && memcmp(f->name, name, len) == 0) {
            return i;
        }
    }
    return count;
}

static bool
record_read_kind(const struct rc_record_table *t, struct reader *r, uint32_t *ret)
{
    struct reader ahead = *r;
    const char *word;
    size_t len = record_take(&ahead, ' ', &word);

    if (!record_is_word(word, len, t->word) || ahead.at == ahead.end) {
        return false;
    }
    r->at = ++ahead.at;
    len = record_take(&ahead, ' ', &word);
    for (uint32_t i = 0; i < t->kind_count; i++) {
        if (record_is_word(word, len, t->kind_names[i])) {
            *ret = i;
            r->at = ahead.at;
            return true;
        }
    }
    return false;
}

/* The fields that a line has had, and the one after the last of them: the likely next. */
struct fields_seen {
    uint64_t bits[RC_RECORD_FIELDS_MAX / 64];
    uint32_t next;
};

/* Stands on the blank before a field; on failure, on what is wrong. */
static bool
record_read_assignment(const struct rc_record_table *t, uint32_t kind, struct reader *r,
                       char *record, struct fields_seen *seen)
{
    struct reader ahead = {++r->at, r->end};
    const char *name, *value;
    size_t len = record_take(&ahead, '=', &name);
    uint32_t count = t->common.count + t->own[kind].count;
    uint32_t i = ahead.at < ahead.end
                     ? record_find_field(t, kind, name, len, seen->next % (count + 1))
                     : count;

    if (i == count || (seen->bits[i / 64] >> i % 64 & 1U)) {
        return false;
    }
    seen->bits[i / 64] |= 1ULL << i % 64;
    seen->next = i + 1;
    r->at = ++ahead.at;
    len = record_take(&ahead, ' ', &value);
    if (!record_read_field(record_field_at(t, kind, i), value, len, record)) {
        return false;
    }
    r->at = ahead.at;
    return true;
}

static enum rc_err
record_parse(const struct rc_record_table *t, const char *line, size_t len, void *record,
             size_t *ret_offset)
{
    struct reader r = {line, line + len};
    uint32_t kind = 0;
    struct fields_seen seen = {0};

    memset(record, 0, t->size);
    bool good = record_read_kind(t, &r, &kind);
    while (good && r.at < r.end) {
        good = record_read_assignment(t, kind, &r, record, &seen);
    }
    if (!good) {
        memset(record, 0, t->size);
        *ret_offset = (size_t)(r.at - line);
        return RC_E_PARSE;
    }
    memcpy((char *)record + t->kind_offset, &kind, sizeof kind);
    return RC_OK;
}

enum rc_err
rc_event_parse(const char *line, size_t len, struct rc_event *ret, size_t *ret_offset)
{
    return record_parse(&rc_record_events, line, len, ret, ret_offset);
}

enum rc_err
rc_action_parse(const char *line, size_t len, struct rc_action *ret, size_t *ret_offset)
{
    return record_parse(&rc_record_actions, line, len, ret, ret_offset);
}
