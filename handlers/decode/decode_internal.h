/* decode_internal.h - what the decoders of one source shape share.
 *
 * A decoder gets a notice (an EventBridge envelope that has been read) and adds
 * events to it. It returns RC_OK, RC_E_FULL when memory is short, or what
 * rc_decode_bad() returned: then the message is quarantined with that reason and
 * events added so far are dropped. Paths such as "detail.state" name a key for
 * people; the part after the last dot is the key itself.
 *
 * Strings reached from a notice belong to its JSON trees and live until the
 * message has been decoded. */
#ifndef RC_DECODE_INTERNAL_H
#define RC_DECODE_INTERNAL_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "handlers/decode/decode.h"

struct rc_decode_row;

/* An EventBridge envelope. */
struct rc_notice {
    const cJSON *detail;     /* always an object in a decoder */
    const cJSON *resources;  /* list of strings, or NULL */
    const char *detail_type; /* "" when not told, as all strings here */
    const char *source;
    const char *id;
    const char *account;
    int64_t time_wall_ms;            /* 0 = not told */
    const struct rc_decode_row *row; /* NULL: the type does not concern us */
    struct rc_decoded *out;
    uint32_t room; /* events allocated in out */
    uint32_t owned_count;
    cJSON *owned[4]; /* body, SNS message, detail given as text, resources given as one */
};

typedef enum rc_err(rc_decode_fn)(struct rc_notice *n);

/* One detail-type, or all that begin with a text. */
struct rc_decode_row {
    const char *detail_type; /* a final '*' stands for any rest */
    enum rc_event_kind kind;
    rc_decode_fn *decode;
};

/* decode_table.c; NULL when no row matches. */
const struct rc_decode_row *rc_decode_find(const char *detail_type);
/* The part of the detail-type that the row's '*' stands for, "" without one. */
const char *rc_decode_rest(const struct rc_notice *n);

/* One per source shape, each in its own file. */
rc_decode_fn rc_decode_ec2_state, rc_decode_spot, rc_decode_rebalance, rc_decode_health,
    rc_decode_alarm, rc_decode_capacity, rc_decode_fleet, rc_decode_ebs;
/* What makes a Health notice the same notice again (decode_health.c). */
uint64_t rc_decode_health_hash(const struct rc_notice *n);

/* decode_json.c: strict JSON (RFC 8259, valid UTF-8, no NUL, no duplicate keys,
 * limited depth and size). Returns RC_OK and a tree to cJSON_Delete(), RC_E_PARSE
 * with a reason in why, or RC_E_FULL. */
enum { RC_DECODE_WHY_LEN = 96 };
enum rc_err rc_decode_json(const char *text, size_t len, cJSON **ret, char why[RC_DECODE_WHY_LEN]);

/* decode_scan.c: the grammar alone; *ret_values is how many values the text has. */
bool rc_decode_scan(const char *text, size_t len, size_t *ret_values, char why[RC_DECODE_WHY_LEN]);

/* decode_field.c: the values of keys. A missing key, and null, is "not told":
 * *ret is "" or NULL, or the message is bad when the key is required. */
enum rc_err rc_decode_string(struct rc_notice *n, const cJSON *object, const char *path,
                             bool required, const char **ret);
enum rc_err rc_decode_object(struct rc_notice *n, const cJSON *object, const char *path,
                             bool required, const cJSON **ret);
enum rc_err rc_decode_array(struct rc_notice *n, const cJSON *object, const char *path,
                            bool required, const cJSON **ret);
/* Sets the reason; always returns RC_E_PARSE. */
enum rc_err rc_decode_bad(struct rc_notice *n, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Sets the detail for people. */
void rc_decode_say(struct rc_notice *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A foreign value for people: printable, quoted, marked with ... where it is shortened. */
enum { RC_DECODE_SHOWN_LEN = 48 };
struct rc_decode_shown {
    char text[RC_DECODE_SHOWN_LEN];
};
const char *rc_decode_show(const char *value, struct rc_decode_shown *buf);
/* A name in the room of a code: as it is when it fits, else its head, '~' and a
 * hash of the whole, so that two long names never become one. */
void rc_decode_code(char code[RC_CODE_LEN], const char *name);

/* decode_ids.c: ids, bare or in an ARN, blanks around them removed. */
bool rc_decode_instance_id(const char *text, char ret[RC_ID_LEN]);
/* The id in "arn:…:ec2:…:<type>/<prefix>…" or bare; prefix as in "vol-". */
bool rc_decode_resource_id(const char *text, const char *type, const char *prefix,
                           char ret[RC_ID_LEN]);
/* An id that names nothing, for rc_decode_add(). */
extern const char rc_decode_no_instance[RC_ID_LEN];
/* True for text that claims to be an instance ("i-…", "…:instance/…"), readable or not. */
bool rc_decode_claims_instance(const char *text);
/* One event of the row's kind about an instance ("" = none). *ret is valid until
 * the next one is added. RC_E_FULL, or bad when the message has too many. */
enum rc_err rc_decode_add(struct rc_notice *n, const char instance[RC_ID_LEN],
                          struct rc_event **ret);
/* One event per instance: of detail.instance-id, or else of the instance ARNs in
 * resources. None at all: bad when required, else one event without an instance. */
enum rc_err rc_decode_instances(struct rc_notice *n, bool required);
/* As above, from resources alone; none adds none. */
enum rc_err rc_decode_resource_instances(struct rc_notice *n);

/* decode_time.c: milliseconds since 1970 of an RFC 3339 or RFC 1123 date; 0 for
 * anything else, which includes placeholders, dates without a zone, days that the
 * calendar does not have and times before 2000 (a clock that was never set). */
int64_t rc_decode_time_ms(const char *text);
/* When an interrupted instance ends: detail.instance-termination-time, or two
 * minutes after the notice; 0 = not told. */
enum rc_err rc_decode_deadline(struct rc_notice *n, int64_t *ret_wall_ms);
/* "2026-08-27T13:19:03Z", or "not told" for 0; for people. */
const char *rc_decode_show_time(int64_t wall_ms, struct rc_decode_shown *buf);

/* FNV-1a over a string and a separator; start with RC_DECODE_HASH_SEED. */
#define RC_DECODE_HASH_SEED 0xcbf29ce484222325ULL
uint64_t rc_decode_hash(uint64_t hash, const char *data, size_t len);
uint64_t rc_decode_hash_string(uint64_t hash, const char *text);

#endif
