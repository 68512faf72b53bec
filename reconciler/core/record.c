/* record.c - events and actions into text; see record.h.
 *
 *     event spot-interruption at=120 instance=i-1 deadline=1700000120000
 *
 * One blank before each field, "name=value", zero and empty left out. In values
 * the bytes up to 0x20, from 0x7f, and '%' are written %XX. A number that has no
 * name in its enum is written as a number, so that formatting never loses one. */
#include "reconciler/core/record.h"

#include <string.h>

#include "reconciler/core/record_fields.h"

struct writer {
    char *at, *end;
    bool full;
};

static void
record_put(struct writer *w, const char *bytes, size_t len)
{
    if (len > (size_t)(w->end - w->at)) {
        w->full = true;
        return;
    }
    memcpy(w->at, bytes, len);
    w->at += len;
}

static void
record_put_text(struct writer *w, const char *text, size_t room)
{
    static const char hex[] = "0123456789ABCDEF";
    const char *nul = memchr(text, '\0', room);
    const char *end = nul ? nul : text + room;

    while (text < end) {
        const char *plain = text;

        while (text < end && rc_record_is_plain((unsigned char)*text)) {
            text++;
        }
        record_put(w, plain, (size_t)(text - plain));
        if (text < end) {
            unsigned char c = (unsigned char)*text++;
            record_put(w, (char[]){'%', hex[c >> 4], hex[c & 15]}, 3);
        }
    }
}

static void
record_put_number(struct writer *w, uint64_t value, bool negative)
{
    char digits[21];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    if (negative) {
        digits[--at] = '-';
    }
    record_put(w, digits + at, sizeof digits - at);
}

static void
record_put_words(struct writer *w, const struct rc_field *f, uint32_t value)
{
    if (f->type == RC_FIELD_NAME) {
        if (value < f->word_count) {
            record_put(w, f->words[value], strlen(f->words[value]));
        } else {
            record_put_number(w, value, false);
        }
        return;
    }
    if (value >> f->word_count) {
        record_put_number(w, value, false);
        return;
    }
    for (uint32_t bit = 0, any = 0; bit < f->word_count; bit++) {
        if (value >> bit & 1U) {
            record_put(w, ",", any);
            record_put(w, f->words[bit], strlen(f->words[bit]));
            any = 1;
        }
    }
}

/* Fields are copied out, never cast: the tables hold offsets, not types. */
static void
record_put_field(struct writer *w, const struct rc_field *f, const char *record)
{
    const char *at = record + f->offset;
    uint64_t wide = 0;
    uint32_t narrow = 0;

    if (f->type == RC_FIELD_TEXT) {
        if (!*at) {
            return;
        }
    } else if (f->size == sizeof wide) {
        memcpy(&wide, at, sizeof wide);
    } else {
        memcpy(&narrow, at, sizeof narrow);
        wide = narrow;
    }
    if (f->type != RC_FIELD_TEXT && wide == 0) {
        return;
    }
    record_put(w, " ", 1);
    record_put(w, f->name, f->name_len);
    record_put(w, "=", 1);
    switch ((enum rc_field_type)f->type) {
    case RC_FIELD_I64:
        record_put_number(w, wide >> 63 ? 0 - wide : wide, wide >> 63);
        return;
    case RC_FIELD_U64:
    case RC_FIELD_U32:
        record_put_number(w, wide, false);
        return;
    case RC_FIELD_NAME:
    case RC_FIELD_FLAGS:
        record_put_words(w, f, narrow);
        return;
    case RC_FIELD_TEXT:
        record_put_text(w, at, f->size);
        return;
    }
}

static size_t
record_format(const struct rc_record_table *t, const void *record, char *buf, size_t room)
{
    struct writer w = {.at = buf, .end = buf + room};
    uint32_t kind;

    memcpy(&kind, (const char *)record + t->kind_offset, sizeof kind);
    if (kind >= t->kind_count) {
        return 0;
    }
    record_put(&w, t->word, strlen(t->word));
    record_put(&w, " ", 1);
    record_put(&w, t->kind_names[kind], strlen(t->kind_names[kind]));
    for (uint32_t i = 0; i < t->common.count; i++) {
        record_put_field(&w, &t->common.v[i], record);
    }
    for (uint32_t i = 0; i < t->own[kind].count; i++) {
        record_put_field(&w, &t->own[kind].v[i], record);
    }
    return w.full ? 0 : (size_t)(w.at - buf);
}

size_t
rc_event_format(const struct rc_event *ev, char *buf, size_t room)
{
    return record_format(&rc_record_events, ev, buf, room);
}

size_t
rc_action_format(const struct rc_action *a, char *buf, size_t room)
{
    return record_format(&rc_record_actions, a, buf, room);
}
