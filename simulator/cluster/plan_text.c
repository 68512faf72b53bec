/* plan_text.c - a schedule as text and back; see plan.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/cluster/plan.h"
#include "simulator/model/sim_hash.h"

enum { LINE_MAX_LEN = 256 };

static const int64_t year_ms = INT64_C(366) * 24 * 3600 * 1000; /* nothing lasts longer */

const char *
rc_ill_name(uint32_t ill)
{
    static const char *const name[] = {
#define RC_ILL_NAME(ill, name, text) name,
        RC_ILLS(RC_ILL_NAME)
#undef RC_ILL_NAME
    };

    return ill < RC_ILL__MAX ? name[ill] : "?";
}

static uint32_t
ill_from_name(const char *name)
{
    for (uint32_t i = 0; i < RC_ILL__MAX; i++) {
        if (strcmp(rc_ill_name(i), name) == 0) {
            return i;
        }
    }
    return RC_ILL__MAX;
}

void
rc_plan_row_text(const struct rc_plan_row *row, char *buf, size_t room)
{
    snprintf(buf, room, "at=%lld do=%s target=%u for=%lld value=%lld", (long long)row->at_ms,
             rc_ill_name(row->ill), row->target, (long long)row->for_ms, (long long)row->value);
}

size_t
rc_plan_format(const struct rc_plan *plan, char *buf, size_t room)
{
    size_t len = 0;
    char line[LINE_MAX_LEN];

#define RC_PLAN_WRITE(key)                                                                         \
    if (len < room) {                                                                              \
        len += (size_t)snprintf(buf + len, room - len, #key "=%llu\n",                             \
                                (unsigned long long)plan->key);                                    \
    }
    RC_PLAN_SHAPE(RC_PLAN_WRITE)
#undef RC_PLAN_WRITE
    for (uint32_t i = 0; i < plan->count && len < room; i++) {
        rc_plan_row_text(&plan->row[i], line, sizeof line);
        len += (size_t)snprintf(buf + len, room - len, "%s\n", line);
    }
    return len < room ? len : 0;
}

uint64_t
rc_plan_policy_hash(const struct rc_plan *plan)
{
    uint64_t h = RC_SIM_HASH_SEED;

#define RC_PLAN_HASH(key) h = rc_sim_hash_u64(h, plan->key);
    RC_PLAN_SHAPE(RC_PLAN_HASH)
#undef RC_PLAN_HASH
    return h;
}

static int
parse_row(const char *line, struct rc_plan_row *row)
{
    long long at_ms, for_ms, value;
    unsigned target;
    char name[32];
    int end = 0;

    if (sscanf(line, "at=%lld do=%31s target=%u for=%lld value=%lld %n", &at_ms, name, &target,
               &for_ms, &value, &end) != 5 ||
        line[end] != '\0') {
        return 0;
    }
    *row = (struct rc_plan_row){at_ms, for_ms, value, ill_from_name(name), target};
    return row->ill < RC_ILL__MAX && at_ms >= 0 && at_ms <= year_ms && for_ms >= 0 &&
           for_ms <= year_ms && value >= -year_ms && value <= year_ms;
}

static int
parse_shape(const char *line, struct rc_plan *plan)
{
    const char *equals = strchr(line, '=');
    char *end;

    if (!equals || equals[1] < '0' || equals[1] > '9') {
        return 0;
    }
    unsigned long long value = strtoull(equals + 1, &end, 10);
    size_t key_len = (size_t)(equals - line);
#define RC_PLAN_READ(key)                                                                          \
    if (strlen(#key) == key_len && strncmp(line, #key, key_len) == 0) {                            \
        plan->key = value;                                                                         \
        return *end == '\0';                                                                       \
    }
    RC_PLAN_SHAPE(RC_PLAN_READ)
#undef RC_PLAN_READ
    return 0;
}

static enum rc_err
check_shape(const char *file, const struct rc_plan *p, struct rc_error *e)
{
    if (p->nodes < 1 || p->nodes > RC_PLAN_NODES_MAX || p->controllers < 1 || p->controllers > 2 ||
        p->partitions < 1 || p->partitions > 4 || p->quiet_ms < 1 ||
        p->quiet_ms > 7ULL * 24 * 3600 * 1000 || p->attempts_max < 1 || p->latency_ms > 60000) {
        return rc_fail(
            e, RC_E_INVALID,
            "%s: out of range or not given: expected nodes=1..%d, controllers=1..2, partitions=1..4, "
            "attempts_max>=1, latency_ms<=60000 and quiet_ms of 1 ms to 7 days",
            file, RC_PLAN_NODES_MAX);
    }
    return RC_OK;
}

enum rc_err
rc_plan_parse(const char *file, const char *text, struct rc_plan *ret, struct rc_error *e)
{
    unsigned number = 0;

    memset(ret, 0, sizeof *ret);
    while (*text) {
        size_t len = strcspn(text, "\n");
        char line[LINE_MAX_LEN];
        number++;
        if (len >= sizeof line) {
            return rc_fail(e, RC_E_PARSE, "%s: line %u: longer than %zu bytes", file, number,
                           sizeof line - 1);
        }
        memcpy(line, text, len);
        line[len] = '\0';
        text += len + (text[len] == '\n');
        if (*line == '\0' || *line == '#') {
            continue;
        }
        if (strncmp(line, "at=", 3) == 0) {
            if (ret->count == RC_PLAN_ROWS_MAX || !parse_row(line, &ret->row[ret->count])) {
                return rc_fail(e, RC_E_PARSE,
                               "%s: line %u: expected at=MS do=NAME target=N for=MS value=N, "
                               "within a year, and %d such lines at most",
                               file, number, RC_PLAN_ROWS_MAX);
            }
            if (ret->count && ret->row[ret->count].at_ms < ret->row[ret->count - 1].at_ms) {
                return rc_fail(e, RC_E_PARSE, "%s: line %u: earlier than the row before it", file,
                               number);
            }
            ret->count++;
        } else if (!parse_shape(line, ret)) {
            return rc_fail(e, RC_E_PARSE, "%s: line %u: expected KEY=NUMBER of a schedule", file,
                           number);
        }
    }
    return check_shape(file, ret, e);
}
