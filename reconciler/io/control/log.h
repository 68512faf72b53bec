/* log.h - the daemon's log: one line, one JSON object.
 *
 *   {"time":"2026-01-31T08:15:30.123Z","level":"info","room":"executor",
 *    "decision":"ec2.launch","incident":12,"node":"gpu-7","text":"…"}
 *
 * The name stands under the key of its kind: event, decision, completion, or note for what
 * is none of these. Events, decisions and completions are always written; a note that comes
 * again with the same room, name, subject (fields node, instance and incident) and text (but
 * for its digits) is written RC_LOG_BURST times in RC_LOG_WINDOW_MS, then counted, and the count is
 * told ("repeated").
 *
 * Never blocks the daemon for a full disk: a line that cannot be written is counted, and the
 * first line that can be says how many were lost ("lost"). A line cut short by a full disk is
 * ended before the next. Secrets: fields whose key sounds like one are written as "(hidden)",
 * and so are the values of credential parameters (X-Amz-Signature=…) inside texts.
 * Lines are at most RC_LOG_LINE_MAX bytes; what does not fit is cut, the line stays JSON. */
#ifndef RC_LOG_H
#define RC_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "reconciler/io/fail.h"

enum rc_log_level { RC_LOG_DEBUG, RC_LOG_INFO, RC_LOG_WARN, RC_LOG_ERROR, RC_LOG__MAX };
const char *rc_log_level_name(enum rc_log_level level);
enum rc_log_level rc_log_level_from_name(const char *name); /* RC_LOG__MAX when unknown */

enum rc_log_kind { RC_LOG_NOTE, RC_LOG_EVENT, RC_LOG_DECISION, RC_LOG_COMPLETION };

enum { RC_LOG_LINE_MAX = 8192, RC_LOG_BURST = 5, RC_LOG_WINDOW_MS = 60000 };

/* One field of a line: made with RC_TEXT, RC_INT, RC_BOOL; a list ends with RC_FIELDS_END.
 * A text field that is NULL or "", and an integer field made with RC_ID that is 0, is left out. */
enum rc_log_field_type { RC_FIELD_END, RC_FIELD_TEXT, RC_FIELD_INT, RC_FIELD_ID, RC_FIELD_BOOL };
struct rc_log_field {
    const char *key;
    enum rc_log_field_type type;
    int64_t number;
    const char *text; /* borrowed for the call */
};
/* clang-format off */
#define RC_TEXT(k, v)  ((struct rc_log_field){.key = (k), .type = RC_FIELD_TEXT, .text = (v)})
#define RC_INT(k, v)   ((struct rc_log_field){.key = (k), .type = RC_FIELD_INT, .number = (int64_t)(v)})
#define RC_ID(k, v)    ((struct rc_log_field){.key = (k), .type = RC_FIELD_ID, .number = (int64_t)(v)})
#define RC_BOOL(k, v)  ((struct rc_log_field){.key = (k), .type = RC_FIELD_BOOL, .number = (v) ? 1 : 0})
#define RC_FIELDS_END  ((struct rc_log_field){.type = RC_FIELD_END})
/* RC_FIELDS(RC_ID("incident", 12), RC_TEXT("node", name)) */
#define RC_FIELDS(...) ((const struct rc_log_field[]){__VA_ARGS__, RC_FIELDS_END})
/* clang-format on */

struct rc_log;

/* Opens path for appending (mode 0640), or standard error for "". Times are read with
 * clock_gettime(); tests may give clock_ms (Unix ms, also used for the repeat window).
 * Errors: RC_E_IO, RC_E_DENIED, RC_E_INTERNAL. */
enum rc_err rc_log_open(const char *path, enum rc_log_level level, struct rc_log **ret,
                        struct rc_error *e);
void rc_log_set_clock(struct rc_log *log, int64_t (*clock_ms)(void *arg), void *arg);
void rc_log_set_level(struct rc_log *log, enum rc_log_level level);
bool rc_log_wants(const struct rc_log *log, enum rc_log_level level);
/* Opens the path again (after logrotate, on SIGHUP); the old file stays in use on error. */
enum rc_err rc_log_reopen(struct rc_log *log, struct rc_error *e);
void rc_log_close(struct rc_log *log); /* tells pending repeats first; NULL is fine */

/* One line. fields may be NULL. log may be NULL: nothing is written. */
void rc_log_event(struct rc_log *log, enum rc_log_level level, const char *room,
                  enum rc_log_kind kind, const char *name, const struct rc_log_field *fields,
                  const char *fmt, ...) __attribute__((format(printf, 7, 8)));
/* A note about an error that a function returned: name is the error's name. */
void rc_log_failure(struct rc_log *log, const char *room, const struct rc_error *failure,
                    const struct rc_log_field *fields);

/* Tells repeats whose window has passed; to be called about once a minute. */
void rc_log_tick(struct rc_log *log);
uint64_t rc_log_lost(const struct rc_log *log); /* lines that could not be written, ever */

#endif
