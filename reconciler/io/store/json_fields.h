/* json_fields.h - strict reading of a small JSON object, member by member.
 *
 * Errors stick: after the first one every getter gives an empty value, and
 * rc_json_close() returns it, so a reader is a plain list of members. Messages
 * name the object, the member and what was expected. */
#ifndef RC_JSON_FIELDS_H
#define RC_JSON_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "reconciler/io/fail.h"

/* cJSON prints numbers with 15 digits: larger ones would not come back exactly. */
#define RC_JSON_INTEGER_MAX ((uint64_t)999999999999999)

struct rc_json_object {
    cJSON *root;
    const char *what; /* "lease record /x/y"; borrowed */
    struct rc_error *err;
    enum rc_err failed;
};

/* text must hold one JSON object and nothing else, with "version":version and
 * "cluster":cluster. */
void rc_json_open(struct rc_json_object *o, const char *what, const char *text, size_t len,
                  struct rc_error *ret_err);
void rc_json_expect(struct rc_json_object *o, uint64_t version, const char *cluster);

uint64_t rc_json_integer(struct rc_json_object *o, const char *key, uint64_t min, uint64_t max);
bool rc_json_bool(struct rc_json_object *o, const char *key);
/* dst gets the text, which must fit and hold no control character. */
void rc_json_text(struct rc_json_object *o, const char *key, char *dst, size_t room);
/* Name of a fault; RC_FAULT_NONE after an error. */
uint32_t rc_json_fault(struct rc_json_object *o, const char *key);
/* Set bits as a list of names, and back. expected: the names, for messages. */
struct rc_json_flag {
    uint32_t flag;
    const char *name;
};
bool rc_json_add_flags(cJSON *o, const char *key, const struct rc_json_flag *names, size_t count,
                       uint32_t flags);
uint32_t rc_json_flags(struct rc_json_object *o, const char *key, const struct rc_json_flag *names,
                       size_t count, const char *expected);
/* Member of any kind, or NULL (an error) when it is missing. */
const cJSON *rc_json_member(struct rc_json_object *o, const char *key, const char *expected);
/* Makes "<what>: <key> is wrong, expected <expected>" the error, if there is none yet. */
void rc_json_refuse(struct rc_json_object *o, const char *key, const char *expected);

/* Frees and returns RC_OK or the first error. */
enum rc_err rc_json_close(struct rc_json_object *o);

#endif
