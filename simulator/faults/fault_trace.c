/* fault_trace.c - see fault_trace.h. cJSON keeps no positions, so the array is walked here
 * and each record is given to cJSON by itself: every complaint knows its line.
 *
 * Times are whole milliseconds: event_time * 86,400,000, rounded down. */
#include "simulator/faults/fault_trace.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/jsonc.h"
#include "simulator/model/sim_hash.h"

enum { FILE_MAX = 256 * 1024 * 1024, DAYS_MAX = 36500 };

static const double day_ms = 24 * 3600.0 * 1000;

struct open_fault {
    uint64_t node, kind; /* hashes */
    uint32_t row;
    bool is_closed;
};

struct reader {
    const char *path;
    const char *at, *end;
    uint32_t line;
    struct rc_fault_trace *out;
    struct open_fault *open; /* one a row */
    uint64_t *node;          /* hash of each node's id */
    uint32_t rows_room, nodes_room;
    uint32_t oldest; /* rows before it are closed */
    struct rc_error *e;
};

static enum rc_err bad(struct reader *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static enum rc_err
bad(struct reader *r, const char *fmt, ...)
{
    char text[160];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return rc_fail(r->e, RC_E_PARSE, "%.80s:%u: %s", r->path, r->line, text);
}

static void
skip_space(struct reader *r)
{
    while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at) {
        r->line += *r->at == '\n';
        r->at++;
    }
}

/* The classes of InfiniteHBD. False: none of them, which is a slip of the pen. */
static bool
part_of(const char *level, const char *class, uint16_t *ret)
{
    enum { BY_LEVEL = RC_PART__MAX };
    static const struct {
        const char *class;
        uint16_t part;
    } known[] = {
        {"GPU", RC_PART_GPU},
        {"NIC", RC_PART_NETWORK},
        {"Parameter Plane Cable", RC_PART_NETWORK},
        {"CPU", RC_PART_HOST},
        {"Fan", RC_PART_HOST},
        {"Motherboard", RC_PART_HOST},
        {"Motherboard Battery", RC_PART_HOST},
        {"Power Supply", RC_PART_HOST},
        {"RAID Card", RC_PART_HOST},
        {"Riser Card", RC_PART_HOST},
        {"System Crash", RC_PART_HOST},
        {"File System", RC_PART_SOFTWARE},
        {"Firmware", RC_PART_SOFTWARE},
        {"Operating System", RC_PART_SOFTWARE},
        {"Software Tool", RC_PART_SOFTWARE},
        {"Change", RC_PART_MAINTENANCE},
        {"Test", RC_PART_MAINTENANCE},
        {"Stress Test Failure", RC_PART_VALIDATION},
        {"Training Task Troubleshooting", BY_LEVEL},
        {"Other Failures", BY_LEVEL},
        {"Unknown Error", BY_LEVEL},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(class, known[i].class) != 0) {
            continue;
        }
        *ret = known[i].part;
        if (*ret == BY_LEVEL) {
            *ret = strcmp(level, "Hardware Failure") == 0   ? RC_PART_HOST
                   : strcmp(level, "Software Failure") == 0 ? RC_PART_SOFTWARE
                                                            : RC_PART_UNKNOWN;
        }
        return true;
    }
    return false;
}

/* The node's number, by first appearance; UINT32_MAX: no memory. */
static uint32_t
trace_node_number(struct reader *r, uint64_t hash)
{
    for (uint32_t i = 0; i < r->out->faulty; i++) {
        if (r->node[i] == hash) {
            return i;
        }
    }
    if (r->out->faulty == r->nodes_room) {
        uint32_t room = r->nodes_room ? r->nodes_room * 2 : 256;
        uint64_t *grown = realloc(r->node, room * sizeof *grown);
        if (!grown) {
            return UINT32_MAX;
        }
        r->node = grown;
        r->nodes_room = room;
    }
    r->node[r->out->faulty] = hash;
    return r->out->faulty++;
}

static bool
room_for_row(struct reader *r)
{
    struct rc_fault_schedule *s = &r->out->schedule;
    uint32_t room = r->rows_room ? r->rows_room * 2 : 1024;

    if (s->count < r->rows_room) {
        return true;
    }
    struct rc_fault_row *rows = realloc(s->row, room * sizeof *rows);
    if (!rows) {
        return false;
    }
    s->row = rows;
    uint32_t *line = realloc(r->out->line, room * sizeof *line);
    if (!line) {
        return false;
    }
    r->out->line = line;
    struct open_fault *open = realloc(r->open, room * sizeof *open);
    if (!open) {
        return false;
    }
    r->open = open;
    r->rows_room = room;
    return true;
}

static enum rc_err
fault_starts(struct reader *r, uint64_t node, uint64_t kind, uint16_t part, int64_t at_ms)
{
    struct rc_fault_schedule *s = &r->out->schedule;
    uint32_t number = trace_node_number(r, node);

    if (!room_for_row(r)) {
        return rc_fail(r->e, RC_E_INTERNAL, "no memory for the faults of %s", r->path);
    }
    if (number >= RC_FAULT_NODES_MAX || s->count >= RC_FAULT_ROWS_MAX) {
        return rc_fail(r->e, RC_E_TOO_LARGE, "%s: over %d nodes or %d faults", r->path,
                       RC_FAULT_NODES_MAX, RC_FAULT_ROWS_MAX);
    }
    r->open[s->count] = (struct open_fault){.node = node, .kind = kind, .row = s->count};
    s->row[s->count] = (struct rc_fault_row){
        .at_ms = at_ms, .luck = rc_sim_hash_u64(node, s->count), .node = number, .part = part};
    r->out->line[s->count] = r->line;
    s->count++;
    r->out->open++;
    return RC_OK;
}

static enum rc_err
fault_ends(struct reader *r, uint64_t node, uint64_t kind, int64_t at_ms)
{
    struct rc_fault_schedule *s = &r->out->schedule;

    while (r->oldest < s->count && r->open[r->oldest].is_closed) {
        r->oldest++;
    }
    for (uint32_t i = r->oldest; i < s->count; i++) {
        struct open_fault *o = &r->open[i];
        if (!o->is_closed && o->node == node && o->kind == kind) {
            o->is_closed = true;
            r->out->open--;
            int64_t last = at_ms - s->row[i].at_ms;
            s->row[i].last_ms = last > 0 ? last : 1;
            return RC_OK;
        }
    }
    return bad(r, "fault_end of a fault that did not start on this node");
}

static const char *
fault_text(const cJSON *object, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsString(v) ? v->valuestring : NULL;
}

static enum rc_err
take_fault_record(struct reader *r, const cJSON *record)
{
    const char *node = fault_text(record, "node_id");
    const char *type = fault_text(record, "event_type");
    const cJSON *time = cJSON_GetObjectItemCaseSensitive(record, "event_time");
    const cJSON *kind = cJSON_GetObjectItemCaseSensitive(record, "fault_type");
    const char *level = fault_text(kind, "Level");
    const char *class = fault_text(kind, "Class");
    const char *desc = fault_text(kind, "Desc");

    if (!node || !*node || !type || !cJSON_IsNumber(time) || !level || !class) {
        return bad(r, "expected node_id, event_time (a number of days), event_type and fault_type "
                      "with Level and Class");
    }
    if (!(time->valuedouble >= 0 && time->valuedouble <= DAYS_MAX)) {
        return bad(r, "event_time %g: expected days from 0 to %d", time->valuedouble, DAYS_MAX);
    }
    int64_t at_ms = (int64_t)(time->valuedouble * day_ms);
    if (at_ms < r->out->schedule.span_ms) {
        return bad(r, "event_time %g: earlier than the record before it", time->valuedouble);
    }
    r->out->schedule.span_ms = at_ms;
    uint16_t part;
    if (!part_of(level, class, &part)) {
        return bad(
            r,
            "Class \"%.40s\": expected one of those in docs/simulation.md, such as GPU, NIC, "
            "Power Supply or Other Failures",
            class);
    }
    uint64_t node_hash = rc_sim_hash_str(RC_SIM_HASH_SEED, node);
    uint64_t hash = rc_sim_hash_str(rc_sim_hash_str(RC_SIM_HASH_SEED, level), class);
    hash = rc_sim_hash_str(hash, desc ? desc : "");
    if (strcmp(type, "fault_start") == 0) {
        return fault_starts(r, node_hash, hash, part, at_ms);
    }
    if (strcmp(type, "fault_end") == 0) {
        return fault_ends(r, node_hash, hash, at_ms);
    }
    return bad(r, "event_type \"%.40s\": expected fault_start or fault_end", type);
}

/* Does the object that begins here never end? A text that is not closed in its line is no cut
 * but a quote too few. */
static bool
is_cut_off(const struct reader *r)
{
    bool in_text = false;
    uint32_t depth = 0;

    for (const char *at = r->at; at < r->end; at++) {
        if (in_text && *at == '\n') {
            return false;
        }
        if (*at == '"') {
            in_text = !in_text;
        } else if (in_text) {
            at += *at == '\\';
        } else if (*at == '{') {
            depth++;
        } else if (*at == '}' && --depth == 0) {
            return false;
        }
    }
    return true;
}

/* No JSON from "after" on, which may be the whole record. */
static enum rc_err
no_record(struct reader *r, const char *after)
{
    uint32_t begin = r->line;

    if (r->at == r->end) {
        return bad(r, "the file ends too early");
    }
    if (*r->at != '{') {
        return bad(r, "expected a JSON object, got %.*s", (int)strcspn(r->at, "\r\n,]"), r->at);
    }
    if (is_cut_off(r)) {
        for (; r->at < r->end; r->at++) {
            r->line += *r->at == '\n';
        }
        return bad(r, "the file ends inside the record that begins in line %u", begin);
    }
    for (; r->at < after && r->at < r->end; r->at++) {
        r->line += *r->at == '\n';
    }
    return bad(r, "no JSON from here on: %.*s", (int)strcspn(r->at, "\r\n"), r->at);
}

static enum rc_err
next_fault_record(struct reader *r)
{
    const char *after = r->at;
    cJSON *record = NULL;

    if (r->at < r->end && *r->at == '{') {
        record = cJSON_ParseWithLengthOpts(r->at, (size_t)(r->end - r->at), &after, 0);
    }
    if (!record) {
        return no_record(r, after);
    }
    enum rc_err err = take_fault_record(r, record);
    cJSON_Delete(record);
    for (; err == RC_OK && r->at < after; r->at++) {
        r->line += *r->at == '\n';
    }
    return err;
}

static enum rc_err
read_array(struct reader *r)
{
    skip_space(r);
    if (r->at == r->end || *r->at != '[') {
        return bad(r, "expected a JSON array of fault records");
    }
    r->at++;
    skip_space(r);
    bool is_over = r->at < r->end && *r->at == ']';
    while (!is_over) {
        enum rc_err err = next_fault_record(r);
        if (err != RC_OK) {
            return err;
        }
        skip_space(r);
        if (r->at == r->end || (*r->at != ',' && *r->at != ']')) {
            return bad(r, r->at == r->end ? "the file ends too early" : "expected , or ]");
        }
        is_over = *r->at == ']';
        r->at += !is_over;
        skip_space(r);
    }
    r->at++;
    skip_space(r);
    return r->at == r->end ? RC_OK : bad(r, "text after the array");
}

static enum rc_err
read_whole(const char *path, char **ret_text, size_t *ret_len, struct rc_error *e)
{
    FILE *f = rc_load_open(path);

    if (!f) {
        return rc_fail(e, RC_E_IO, "%s: %s", path, strerror(errno));
    }
    long len = fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
    bool is_read = false;

    if (len > FILE_MAX) {
        fclose(f);
        return rc_fail(e, RC_E_TOO_LARGE, "%s: over 256 MiB", path);
    }
    char *text = len >= 0 ? malloc((size_t)len + 1) : NULL;
    if (text) {
        is_read = fseek(f, 0, SEEK_SET) == 0 && fread(text, 1, (size_t)len, f) == (size_t)len;
        text[len] = '\0';
    }
    fclose(f);
    if (!is_read) {
        free(text);
        return rc_fail(e, RC_E_IO, "%s: cannot be read as a plain file", path);
    }
    *ret_text = text;
    *ret_len = (size_t)len;
    return RC_OK;
}

enum rc_err
rc_fault_trace_read(const char *path, uint32_t nodes, struct rc_fault_trace *ret,
                    struct rc_error *e)
{
    struct rc_fault_trace out = {0};
    struct reader r = {.path = path, .line = 1, .out = &out, .e = e};
    size_t len = 0;
    char *text = NULL;
    enum rc_err read = read_whole(path, &text, &len, e);

    if (read != RC_OK) {
        return read;
    }
    r.at = text;
    r.end = text + len;
    enum rc_err err = read_array(&r);
    for (uint32_t i = 0; err == RC_OK && i < out.schedule.count; i++) {
        if (!r.open[i].is_closed) {
            int64_t last = out.schedule.span_ms - out.schedule.row[i].at_ms;
            out.schedule.row[i].last_ms = last > 0 ? last : 1;
        }
    }
    out.schedule.nodes = nodes ? nodes : out.faulty;
    if (err == RC_OK && out.faulty > out.schedule.nodes) {
        err = rc_fail(e, RC_E_INVALID, "%s: has %u nodes, more than the fleet of %u", path,
                      out.faulty, nodes);
    }
    free(text);
    free(r.open);
    free(r.node);
    if (err != RC_OK) {
        rc_fault_trace_free(&out);
        return err;
    }
    *ret = out;
    return RC_OK;
}

void
rc_fault_trace_free(struct rc_fault_trace *t)
{
    rc_fault_schedule_free(&t->schedule);
    free(t->line);
    memset(t, 0, sizeof *t);
}
