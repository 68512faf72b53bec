/* plan_text.c - a schedule as text and back; see plan.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/core/policy.h"
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

#define RC_PLAN_WRITE(key, min, max)                                                               \
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

#define RC_PLAN_HASH(key, min, max) h = rc_sim_hash_u64(h, plan->key);
    RC_PLAN_SHAPE(RC_PLAN_HASH)
#undef RC_PLAN_HASH
    return h;
}

/* What a row's value may be; of the kinds that are not here it is 0. */
static const struct {
    enum rc_ill ill;
    int64_t min, max;
} values[] = {
    {RC_ILL_AGENT, 0, RC_PLAY_FINDS - 1},
    {RC_ILL_JOB_STORM, 0, 1},
    {RC_ILL_RELAPSE, 0, RC_PLAY_FINDS - 1},
    {RC_ILL_EC2_ERRORS, 0, 1000},
    {RC_ILL_SLURM_ERRORS, 0, 1000},
    {RC_ILL_CRASH, 0, 2},
    {RC_ILL_CLOCK, -24 * 3600 * 1000, 24 * 3600 * 1000},
    {RC_ILL_JOB, 1, RC_PLAN_NODES_MAX},
    {RC_ILL_CTLD_KILL, 0, 1},
    {RC_ILL_STATE_DIR, 0, 2},
};

/* Where a text is wrong. */
struct place {
    const char *file;
    unsigned line;
    struct rc_error *e;
};

/* "key=NUMBER" and one space, or the end; the text goes on behind it. */
static enum rc_err
take_row_number(const struct place *at, const char **text, const char *key, int64_t min,
                int64_t max, int64_t *ret)
{
    size_t len = strlen(key);
    const char *number = *text + len + 1;
    char *end = NULL;

    if (strncmp(*text, key, len) != 0 || (*text)[len] != '=') {
        return rc_fail(at->e, RC_E_PARSE,
                       "%s: line %u: %s is not at its place; expected at=MS do=NAME target=N "
                       "for=MS value=N",
                       at->file, at->line, key);
    }
    errno = 0;
    *ret = strtoll(number, &end, 10);
    if (errno || end == number || *number == ' ' || *number == '+' || *ret < min || *ret > max ||
        (*end && *end != ' ')) {
        char wanted[64];
        if (min == max) {
            snprintf(wanted, sizeof wanted, "must be %" PRId64, min);
        } else {
            snprintf(wanted, sizeof wanted, "expected a number of %" PRId64 "..%" PRId64, min, max);
        }
        return rc_fail(at->e, RC_E_PARSE, "%s: line %u: %s=%.*s: %s", at->file, at->line, key,
                       (int)strcspn(number, " "), number, wanted);
    }
    *text = end + (*end == ' ');
    return RC_OK;
}

static enum rc_err
take_ill(const struct place *at, const char **text, struct rc_plan_row *row)
{
    size_t len = strcspn(*text, " ");
    char name[32];

    row->ill = RC_ILL__MAX;
    if (len > 3 && len - 3 < sizeof name && strncmp(*text, "do=", 3) == 0) {
        memcpy(name, *text + 3, len - 3);
        name[len - 3] = '\0';
        row->ill = ill_from_name(name);
    }
    if (row->ill == RC_ILL__MAX) {
        return rc_fail(at->e, RC_E_PARSE, "%s: line %u: %.*s: expected do= and what happens",
                       at->file, at->line, (int)len, *text);
    }
    *text += len + ((*text)[len] == ' ');
    return RC_OK;
}

static enum rc_err
parse_row(const struct place *at, const char *line, struct rc_plan_row *row)
{
    int64_t target = 0, min = 0, max = 0;
    enum rc_err err = take_row_number(at, &line, "at", 0, year_ms, &row->at_ms);

    err = err == RC_OK ? take_ill(at, &line, row) : err;
    err = err == RC_OK ? take_row_number(at, &line, "target", 0, UINT32_MAX, &target) : err;
    err = err == RC_OK ? take_row_number(at, &line, "for", 0, year_ms, &row->for_ms) : err;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (err == RC_OK && values[i].ill == row->ill) {
            min = values[i].min;
            max = values[i].max;
        }
    }
    err = err == RC_OK ? take_row_number(at, &line, "value", min, max, &row->value) : err;
    if (err == RC_OK && *line) {
        err = rc_fail(at->e, RC_E_PARSE, "%s: line %u: \"%s\" is too much behind value", at->file,
                      at->line, line);
    }
    row->target = (uint32_t)target;
    return err;
}

static enum rc_err
add_plan_row(const struct place *at, const char *line, struct rc_plan *plan)
{
    if (plan->count == RC_PLAN_ROWS_MAX) {
        return rc_fail(at->e, RC_E_PARSE, "%s: line %u: at: expected %d such lines at most",
                       at->file, at->line, RC_PLAN_ROWS_MAX);
    }
    struct rc_plan_row *row = &plan->row[plan->count];
    enum rc_err err = parse_row(at, line, row);
    if (err == RC_OK && plan->count && row->at_ms < row[-1].at_ms) {
        return rc_fail(at->e, RC_E_PARSE,
                       "%s: line %u: earlier than the row before it; expected at=%" PRId64
                       " or later",
                       at->file, at->line, row[-1].at_ms);
    }
    plan->count += err == RC_OK;
    return err;
}

/* One number of the shape, and the line that it was given in. */
struct shape {
    const char *key;
    uint64_t min, max;
    size_t offset;
    unsigned line;
};

static enum rc_err
parse_shape(const struct place *at, const char *line, struct shape *shape, struct rc_plan *plan)
{
    size_t len = strcspn(line, "=");
    const char *number = line + len + (line[len] == '=');
    char *end = NULL;

    while (shape->key && (strlen(shape->key) != len || strncmp(shape->key, line, len) != 0)) {
        shape++;
    }
    if (!shape->key || !line[len]) {
        return rc_fail(at->e, RC_E_PARSE, "%s: line %u: %.40s: expected KEY=NUMBER of a schedule",
                       at->file, at->line, line);
    }
    if (shape->line) {
        return rc_fail(at->e, RC_E_PARSE,
                       "%s: line %u: %s is given already in line %u; expected it once", at->file,
                       at->line, shape->key, shape->line);
    }
    shape->line = at->line;
    errno = 0;
    uint64_t value = strtoull(number, &end, 10);
    if (errno || *number < '0' || *number > '9' || *end || value < shape->min ||
        value > shape->max) {
        return rc_fail(at->e, RC_E_PARSE, "%s: line %u: %s=%s: expected %s=%" PRIu64 "..%" PRIu64,
                       at->file, at->line, shape->key, number, shape->key, shape->min, shape->max);
    }
    memcpy((char *)plan + shape->offset, &value, sizeof value);
    return RC_OK;
}

static enum rc_err
check_given(const char *file, const struct shape *shape, struct rc_error *e)
{
    for (; shape->key; shape++) {
        if (!shape->line && shape->min) {
            return rc_fail(e, RC_E_INVALID,
                           "%s: %s is not given: expected %s=%" PRIu64 "..%" PRIu64, file,
                           shape->key, shape->key, shape->min, shape->max);
        }
    }
    return RC_OK;
}

enum rc_err
rc_plan_parse(const char *file, const char *text, struct rc_plan *ret, struct rc_error *e)
{
    struct shape shape[] = {
#define RC_PLAN_READ(key, min, max) {#key, min, max, offsetof(struct rc_plan, key), 0},
        RC_PLAN_SHAPE(RC_PLAN_READ)
#undef RC_PLAN_READ
            {NULL, 0, 0, 0, 0}};
    struct place at = {file, 0, e};

    memset(ret, 0, sizeof *ret);
    while (*text) {
        size_t len = strcspn(text, "\n");
        char line[LINE_MAX_LEN];
        at.line++;
        if (len >= sizeof line) {
            return rc_fail(e, RC_E_PARSE, "%s: line %u: longer than %zu bytes", file, at.line,
                           sizeof line - 1);
        }
        memcpy(line, text, len);
        line[len] = '\0';
        text += len + (text[len] == '\n');
        if (*line == '\0' || *line == '#') {
            continue;
        }
        enum rc_err err = strncmp(line, "at=", 3) == 0 ? add_plan_row(&at, line, ret)
                                                       : parse_shape(&at, line, shape, ret);
        if (err != RC_OK) {
            return err;
        }
    }
    return check_given(file, shape, e);
}
