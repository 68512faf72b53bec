/* request_log.h - who asked for what, so that a test can look for duplicates.
 *
 * Two rings: calls that change instances or messages are kept longer than the others. Fixed memory;
 * the oldest rows are overwritten. */
#ifndef RC_REQUEST_LOG_H
#define RC_REQUEST_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "reconciler/core/limits.h"

enum { RC_LOG_CHANGES_MAX = 8192, RC_LOG_LOOKS_MAX = 2048, RC_LOG_ACTIONS_MAX = 64 };

struct rc_log_row {
    uint64_t seq; /* 0 = empty */
    int64_t time_ms;
    char service[12];
    char action[RC_GROUP_LEN];
    char token[RC_TOKEN_LEN];
    char subnet[RC_ID_LEN];
    char code[RC_CODE_LEN];      /* error code, "" = done */
    char instances[RC_TEXT_LEN]; /* ids, comma; cut with … when there are many */
    uint32_t status;             /* HTTP */
    bool lost;                   /* the answer was thrown away */
};

struct rc_log_count {
    char action[RC_GROUP_LEN];
    uint64_t calls, errors;
};

struct rc_request_log {
    uint64_t seq;
    uint64_t changes, looks;
    struct rc_log_row change[RC_LOG_CHANGES_MAX];
    struct rc_log_row look[RC_LOG_LOOKS_MAX];
    struct rc_log_count count[RC_LOG_ACTIONS_MAX];
};

/* Sets row->seq and keeps a copy. An action whose name begins with Describe, Get, List or
 * Receive only looks. */
void rc_request_log_add(struct rc_request_log *log, struct rc_log_row *row);
/* Appends an instance id to row->instances. */
void rc_log_row_instance(struct rc_log_row *row, const char *id);
/* The oldest kept row with a greater seq; NULL: none. */
const struct rc_log_row *rc_request_log_after(const struct rc_request_log *log, uint64_t seq);

#endif
