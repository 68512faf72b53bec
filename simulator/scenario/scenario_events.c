/* scenario_events.c - "event …" and "message …" lines of a story, and the
 * queue's part: what was not deleted is delivered again.
 *
 * Fields are those of record.h. A value "@+2m" or "@-1h" is a moment on the wall
 * clock, seen from the line's own time. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/core/record.h"
#include "reconciler/core/record_fields.h"
#include "simulator/scenario/scenario_world.h"

/* "deadline=@+2m" -> "deadline=1767225720000" */
static bool
resolve_moment(const struct rc_scen_run *r, const char *word, char *buf, size_t room)
{
    const char *value = strchr(word, '=');
    int64_t ms;
    int n;

    if (!value || value[1] != '@') {
        n = snprintf(buf, room, " %s", word);
    } else if ((value[2] == '+' || value[2] == '-') && rc_scen_duration(value + 3, &ms)) {
        n = snprintf(buf, room, " %.*s=%lld", (int)(value - word), word,
                     (long long)(rc_scen_wall_ms(r) + (value[2] == '-' ? -ms : ms)));
    } else {
        return false;
    }
    return n > 0 && (size_t)n < room;
}

static const struct rc_field *
field_named(uint32_t kind, const char *name, size_t len)
{
    const struct rc_fields *const lists[] = {&rc_record_events.common, &rc_record_events.own[kind]};

    for (unsigned k = 0; k < 2; k++) {
        for (uint32_t i = 0; i < lists[k]->count; i++) {
            const struct rc_field *f = &lists[k]->v[i];
            if (f->name_len == len && strncmp(f->name, name, len) == 0) {
                return f;
            }
        }
    }
    return NULL;
}

/* ": instance, node, …"; as many as there is room for. */
static void
add_expected(char *why, size_t room, const char *word, const char *before)
{
    size_t used = strlen(why);

    snprintf(why + used, room - used, "%s%s", before, word);
}

static void
expected_value(const struct rc_field *f, const char *got, char *why, size_t room)
{
    snprintf(why, room, "%s=%.40s: expected ", f->name, got);
    if (f->type != RC_FIELD_NAME && f->type != RC_FIELD_FLAGS) {
        add_expected(why, room, f->type == RC_FIELD_TEXT ? "a shorter text" : "a number", "");
    }
    for (uint32_t i = 0; i < f->word_count; i++) {
        add_expected(why, room, f->words[i], !i ? "" : f->type == RC_FIELD_FLAGS ? "," : "|");
    }
}

static void
expected_field(uint32_t kind, const char *got, char *why, size_t room)
{
    const struct rc_fields *own = &rc_record_events.own[kind];

    snprintf(why, room, "%.40s: %s has instance=, node=, code=", got,
             rc_record_events.kind_names[kind]);
    for (uint32_t i = 0; i < own->count; i++) {
        add_expected(why, room, own->v[i].name, ", ");
        add_expected(why, room, "=", "");
    }
}

/* Which of the words is wrong, and what could stand there. */
static void
explain_event(char *const *v, unsigned count, char *why, size_t room)
{
    struct rc_event ev;
    uint32_t kind = 1;
    size_t at;

    while (kind < rc_record_events.kind_count &&
           strcmp(rc_record_events.kind_names[kind], v[0]) != 0) {
        kind++;
    }
    if (kind == rc_record_events.kind_count) {
        snprintf(why, room, "unknown kind %.40s; docs/scenarios.md lists those of messages", v[0]);
        return;
    }
    for (unsigned i = 1; i < count; i++) {
        char line[RC_RECORD_MAX];
        const char *equal = strchr(v[i], '=');
        size_t name_len = equal ? (size_t)(equal - v[i]) : 0;
        const struct rc_field *f = equal ? field_named(kind, v[i], name_len) : NULL;
        if (!f) {
            expected_field(kind, v[i], why, room);
            return;
        }
        for (unsigned k = 1; k < i; k++) {
            if (strncmp(v[k], v[i], name_len + 1) == 0) {
                snprintf(why, room, "%s is given twice", f->name);
                return;
            }
        }
        int len = snprintf(line, sizeof line, "event %s %s", v[0], v[i]);
        bool moment = equal[1] == '@'; /* a moment is read already */
        if (!moment && len > 0 && (size_t)len < sizeof line &&
            rc_event_parse(line, (size_t)len, &ev, &at) != RC_OK) {
            expected_value(f, equal + 1, why, room);
            return;
        }
    }
}

static bool
read_event(struct rc_scen_run *r, char *const *v, unsigned count, struct rc_event *ret, char *why,
           size_t room)
{
    char line[RC_RECORD_MAX] = "event";
    size_t used = strlen(line), at;

    for (unsigned i = 0; i < count; i++) {
        if (!resolve_moment(r, v[i], line + used, sizeof line - used)) {
            snprintf(why, room, "expected @+TIME or @-TIME in %.60s", v[i]);
            return false;
        }
        used += strlen(line + used);
    }
    if (rc_event_parse(line, used, ret, &at) != RC_OK) {
        snprintf(why, room, "not an event from here on: %.80s", line + at);
        explain_event(v, count, why, room);
        return false;
    }
    if (ret->kind == RC_EV_START || ret->kind == RC_EV_CLUSTER || ret->kind == RC_EV_POLICY) {
        snprintf(why, room, "this event is the runner's own; see daemon restarts");
        return false;
    }
    return true;
}

bool
rc_scen_line_event(struct rc_scen_run *r, const char *text, char *why, size_t room)
{
    struct rc_scen_words w;
    struct rc_event ev;

    if (!rc_scen_split(text, &w) || w.count < 2) {
        snprintf(why, room, "expected: event KIND FIELD=VALUE ...");
        return false;
    }
    if (!read_event(r, w.v + 1, w.count - 1, &ev, why, room)) {
        return false;
    }
    rc_scen_give(r, &ev);
    return true;
}

void
rc_scen_deliver_message(struct rc_scen_run *r, unsigned at)
{
    struct rc_scen_message *m = &r->message[at];
    struct rc_event ev;

    if (m->deleted) {
        return;
    }
    m->msg = ++r->msg;
    rc_event_init(&ev, RC_EV_MESSAGE);
    ev.msg = m->msg;
    ev.u.message.id_hash = m->id_hash;
    ev.u.message.verdict = m->verdict;
    ev.u.message.parts = m->verdict == RC_VERDICT_EVENTS;
    ev.u.message.receives = 1;
    ev.u.message.kind = m->ev.kind;
    rc_scen_give(r, &ev);
    if (m->verdict == RC_VERDICT_EVENTS && rc_message_wants_parts(r->s, m->msg)) {
        ev = m->ev;
        ev.msg = m->msg;
        rc_scen_give(r, &ev);
    }
}

/* "message [#ID] KIND FIELD=VALUE ...", "message [#ID] unreadable", "message [#ID] ignored" */
bool
rc_scen_line_message(struct rc_scen_run *r, const char *text, char *why, size_t room)
{
    struct rc_scen_words w;
    unsigned at = 1;

    if (!rc_scen_split(text, &w) || w.count < 2 || (*w.v[1] == '#' && w.count < 3)) {
        snprintf(why, room, "expected: message [#ID] KIND FIELD=VALUE ... | unreadable | ignored");
        return false;
    }
    if (r->message_count == SCEN_MESSAGES_MAX) {
        snprintf(why, room, "too many messages");
        return false;
    }
    struct rc_scen_message *m = &r->message[r->message_count];
    memset(m, 0, sizeof *m);
    m->id_hash = rc_hash_bytes(1, &r->message_count, sizeof r->message_count);
    if (*w.v[1] == '#') {
        m->id_hash = rc_hash_text(w.v[at++]);
    }
    m->verdict = RC_VERDICT_EVENTS;
    if (strcmp(w.v[at], "unreadable") == 0) {
        m->verdict = RC_VERDICT_QUARANTINED;
    } else if (strcmp(w.v[at], "ignored") == 0) {
        m->verdict = RC_VERDICT_IGNORED;
    } else if (!read_event(r, w.v + at, w.count - at, &m->ev, why, room)) {
        return false;
    }
    rc_scen_deliver_message(r, r->message_count++);
    return true;
}
