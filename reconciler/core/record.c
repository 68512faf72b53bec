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
put(struct writer *w, const char *bytes, size_t len)
{
    if (len > (size_t)(w->end - w->at)) {
        w->full = true;
        return;
    }
    memcpy(w->at, bytes, len);
    w->at += len;
}

static bool
is_plain(unsigned char c)
{
    return c > 0x20 && c < 0x7f && c != '%';
}

static void
put_text(struct writer *w, const char *text, size_t room)
{
    static const char hex[] = "0123456789ABCDEF";
    const char *nul = memchr(text, '\0', room);
    const char *end = nul ? nul : text + room;

    while (text < end) {
        const char *plain = text;

        while (text < end && is_plain((unsigned char)*text)) {
            text++;
        }
        put(w, plain, (size_t)(text - plain));
        if (text < end) {
            unsigned char c = (unsigned char)*text++;
            put(w, (char[]){'%', hex[c >> 4], hex[c & 15]}, 3);
        }
    }
}

static void
put_number(struct writer *w, uint64_t value, bool negative)
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
    put(w, digits + at, sizeof digits - at);
}

static void
put_words(struct writer *w, const struct rc_field *f, uint32_t value)
{
    if (f->type == RC_FIELD_NAME) {
        if (value < f->word_count) {
            put(w, f->words[value], strlen(f->words[value]));
        } else {
            put_number(w, value, false);
        }
        return;
    }
    if (value >> f->word_count) {
        put_number(w, value, false);
        return;
    }
    for (uint32_t bit = 0, any = 0; bit < f->word_count; bit++) {
        if (value >> bit & 1U) {
            put(w, ",", any);
            put(w, f->words[bit], strlen(f->words[bit]));
            any = 1;
        }
    }
}

/* Fields are copied out, never cast: the tables hold offsets, not types. */
static void
put_field(struct writer *w, const struct rc_field *f, const char *record)
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
    put(w, " ", 1);
    put(w, f->name, f->name_len);
    put(w, "=", 1);
    switch ((enum rc_field_type)f->type) {
    case RC_FIELD_I64:
        put_number(w, wide >> 63 ? 0 - wide : wide, wide >> 63);
        return;
    case RC_FIELD_U64:
    case RC_FIELD_U32:
        put_number(w, wide, false);
        return;
    case RC_FIELD_NAME:
    case RC_FIELD_FLAGS:
        put_words(w, f, narrow);
        return;
    case RC_FIELD_TEXT:
        put_text(w, at, f->size);
        return;
    }
}

static size_t
format_record(const struct rc_record_table *t, const void *record, char *buf, size_t room)
{
    struct writer w = {.at = buf, .end = buf + room};
    uint32_t kind;

    memcpy(&kind, (const char *)record + t->kind_offset, sizeof kind);
    if (kind >= t->kind_count) {
        return 0;
    }
    put(&w, t->word, strlen(t->word));
    put(&w, " ", 1);
    put(&w, t->kind_names[kind], strlen(t->kind_names[kind]));
    for (uint32_t i = 0; i < t->common.count; i++) {
        put_field(&w, &t->common.v[i], record);
    }
    for (uint32_t i = 0; i < t->own[kind].count; i++) {
        put_field(&w, &t->own[kind].v[i], record);
    }
    return w.full ? 0 : (size_t)(w.at - buf);
}

size_t
rc_event_format(const struct rc_event *ev, char *buf, size_t room)
{
    return format_record(&rc_record_events, ev, buf, room);
}

size_t
rc_action_format(const struct rc_action *a, char *buf, size_t room)
{
    return format_record(&rc_record_actions, a, buf, room);
}
