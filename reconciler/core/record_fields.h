/* record_fields.h - which fields an event or action of a kind has in a record.
 *
 * The tables are the one list of names: the codec, and tests that want to fill
 * or compare any event, walk them. Padding is in no table. */
#ifndef RC_RECORD_FIELDS_H
#define RC_RECORD_FIELDS_H

#include <stdbool.h>

#include "reconciler/core/action.h"
#include "reconciler/core/event.h"

enum { RC_RECORD_FIELDS_MAX = 128 }; /* of one kind, the common ones included */

enum rc_field_type {
    RC_FIELD_I64,
    RC_FIELD_U64,
    RC_FIELD_U32,
    RC_FIELD_NAME,  /* uint32_t, an enum written by name */
    RC_FIELD_FLAGS, /* uint32_t, bits written by name with commas between */
    RC_FIELD_TEXT   /* char[size], NUL-terminated */
};

struct rc_field {
    const char *name;
    const char *const *words; /* NAME: by value; FLAGS: by bit */
    uint32_t word_count;
    uint16_t offset;
    uint16_t size;
    uint8_t type; /* enum rc_field_type */
    uint8_t name_len;
};

struct rc_fields {
    const struct rc_field *v;
    uint32_t count;
};

/* A record is one of these: what all kinds share, then what one kind has. */
struct rc_record_table {
    const char *word; /* "event" or "action" */
    uint32_t kind_count;
    uint32_t kind_offset; /* of the uint32_t that holds the kind */
    uint32_t size;        /* of the struct */
    const char *const *kind_names;
    struct rc_fields common;
    const struct rc_fields *own; /* by kind */
};

extern const struct rc_record_table rc_record_events;
extern const struct rc_record_table rc_record_actions;

/* Bytes of a value that are written as they are; all others become %XX. */
static inline bool
rc_record_is_plain(unsigned char c)
{
    return c > 0x20 && c < 0x7f && c != '%';
}

#endif
