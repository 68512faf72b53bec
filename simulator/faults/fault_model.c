/* fault_model.c - a fault model from its text and back; see fault_model.h. */
#include "simulator/faults/fault_model.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rate: the reliability of Meta's RSC-1 (arXiv 2410.21680). Variation, lemons and
 * durations: fitted to the InfiniteHBD trace, as `simulate prove trace` shows. */
static const struct rc_fault_model plain = {
    .rate = 6.5, .variation = 1, .repair_h = 20.4, .repair_sigma = 1.94};
static const double bursty_variation = 1.76;
static const double lemon_shape = 0.9;

static const struct {
    const char *name;
    bool is_bursty, has_lemons;
} names[] = {
    {"exponential", false, false},
    {"bursty", true, false},
    {"lemon", false, true},
    {"bursty-lemon", true, true},
};

static const struct {
    const char *key;
    size_t at;
    double min, max;
} keys[] = {
    {"rate", offsetof(struct rc_fault_model, rate), 0.001, 10000},
    {"variation", offsetof(struct rc_fault_model, variation), 1, 100},
    {"lemon-shape", offsetof(struct rc_fault_model, lemon_shape), 0.05, 1000},
    {"repair-hours", offsetof(struct rc_fault_model, repair_h), 0.001, 10000},
    {"repair-sigma", offsetof(struct rc_fault_model, repair_sigma), 0, 5},
};

enum { KEYS = sizeof keys / sizeof keys[0], NAMES = sizeof names / sizeof names[0] };

const char *
rc_part_name(uint32_t part)
{
    static const char *const name[] = {
#define RC_PART_NAME(part, name, weight) name,
        RC_PARTS(RC_PART_NAME)
#undef RC_PART_NAME
    };

    return part < RC_PART__MAX ? name[part] : "?";
}

static bool
model_number(const char *text, double min, double max, double *ret)
{
    char *end;
    double x = strtod(text, &end);

    if (end == text || *end || !(x >= min && x <= max)) {
        return false;
    }
    *ret = x;
    return true;
}

static enum rc_err
set_model_key(struct rc_fault_model *m, const char *key, const char *value, struct rc_error *e)
{
    if (m->is_trace && strcmp(key, "nodes") == 0) {
        double nodes;
        if (!model_number(value, 1, RC_FAULT_NODES_MAX, &nodes) || nodes != (uint32_t)nodes) {
            return rc_fail(e, RC_E_INVALID, "nodes=%s: expected a whole number from 1 to %d", value,
                           RC_FAULT_NODES_MAX);
        }
        m->trace_nodes = (uint32_t)nodes;
        return RC_OK;
    }
    for (size_t i = 0; i < (m->is_trace ? 1 : KEYS); i++) {
        if (strcmp(key, keys[i].key) != 0) {
            continue;
        }
        if (!model_number(value, keys[i].min, keys[i].max,
                          (double *)(void *)((char *)m + keys[i].at))) {
            return rc_fail(e, RC_E_INVALID, "%s=%s: expected a number from %g to %g", key, value,
                           keys[i].min, keys[i].max);
        }
        return RC_OK;
    }
    return rc_fail(e, RC_E_INVALID, "unknown key %.40s; expected %s", key,
                   m->is_trace ? "rate or nodes"
                               : "rate, variation, lemon-shape, repair-hours or repair-sigma");
}

/* Does this key stand among the words before "upto" already? The first word is the name. */
static bool
is_key_given(const char *text, const char *upto, const char *key)
{
    size_t len = strlen(key);

    for (const char *at = strchr(text, ','); at && at + 1 < upto; at = strchr(at + 1, ',')) {
        if (strncmp(at + 1, key, len) == 0 && at[1 + len] == '=') {
            return true;
        }
    }
    return false;
}

static enum rc_err
set_model_name(struct rc_fault_model *m, const char *name, struct rc_error *e)
{
    if (strncmp(name, "trace:", 6) == 0) {
        m->is_trace = true;
        m->rate = 0;
        if (!name[6] || strlen(name + 6) >= sizeof m->trace_path) {
            return rc_fail(e, RC_E_INVALID, "expected trace:FILE with a path under %zu bytes",
                           sizeof m->trace_path);
        }
        memcpy(m->trace_path, name + 6, strlen(name + 6) + 1);
        return RC_OK;
    }
    for (size_t i = 0; i < NAMES; i++) {
        if (strcmp(name, names[i].name) == 0) {
            m->variation = names[i].is_bursty ? bursty_variation : 1;
            m->lemon_shape = names[i].has_lemons ? lemon_shape : 0;
            return RC_OK;
        }
    }
    return rc_fail(e, RC_E_INVALID,
                   "unknown fault model %.40s; expected exponential, bursty, lemon, bursty-lemon "
                   "or trace:FILE",
                   name);
}

enum rc_err
rc_fault_model_parse(const char *text, struct rc_fault_model *ret, struct rc_error *e)
{
    struct rc_fault_model m = plain;
    char word[sizeof m.trace_path + 8];
    bool is_first = true;

    for (const char *at = text;; is_first = false) {
        size_t len = strcspn(at, ",");
        if (len >= sizeof word) {
            return rc_fail(e, RC_E_INVALID, "fault model: a word of %zu bytes is too long", len);
        }
        memcpy(word, at, len);
        word[len] = '\0';
        char *equal = is_first ? NULL : strchr(word, '=');
        if (!is_first && !equal) {
            return rc_fail(e, RC_E_INVALID, "fault model: expected KEY=VALUE, got \"%.40s\"", word);
        }
        if (equal) {
            *equal = '\0';
        }
        if (equal && is_key_given(text, at, word)) {
            return rc_fail(e, RC_E_INVALID, "fault model: %.40s is given twice", word);
        }
        enum rc_err err =
            is_first ? set_model_name(&m, word, e) : set_model_key(&m, word, equal + 1, e);
        if (err != RC_OK) {
            return err;
        }
        if (!at[len]) {
            *ret = m;
            return RC_OK;
        }
        at += len + 1;
    }
}

void
rc_fault_model_text(const struct rc_fault_model *m, char *buf, uint32_t room)
{
    if (m->is_trace) {
        int used = snprintf(buf, room, "trace:%s", m->trace_path);
        if (m->rate > 0 && used > 0 && (uint32_t)used < room) {
            used += snprintf(buf + used, room - (uint32_t)used, ",rate=%g", m->rate);
        }
        if (m->trace_nodes && used > 0 && (uint32_t)used < room) {
            snprintf(buf + used, room - (uint32_t)used, ",nodes=%u", m->trace_nodes);
        }
        return;
    }
    const char *name = "exponential";
    for (size_t i = 0; i < NAMES; i++) {
        if (names[i].is_bursty == (m->variation > 1) &&
            names[i].has_lemons == (m->lemon_shape > 0)) {
            name = names[i].name;
        }
    }
    int n = snprintf(buf, room, "%s,rate=%g,variation=%g,repair-hours=%g,repair-sigma=%g", name,
                     m->rate, m->variation, m->repair_h, m->repair_sigma);
    if (m->lemon_shape > 0 && n > 0 && (uint32_t)n < room) {
        snprintf(buf + n, room - (uint32_t)n, ",lemon-shape=%g", m->lemon_shape);
    }
}
