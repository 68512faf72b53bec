/* bind_diff.c - two structs that were bound by one table, held against each other; see bind.h.
 *
 * Entries of a list whose first key is a name are paired by it, others by their place. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policies/bind.h"

enum { PATH_LEN = 256, VALUE_LEN = 256 };

struct walk {
    rc_bind_differs *fn;
    void *arg;
    char path[PATH_LEN];
};

static uint32_t
diff_u32(const char *at)
{
    uint32_t v;

    memcpy(&v, at, sizeof v);
    return v;
}

static uint64_t
diff_u64(const char *at)
{
    uint64_t v;

    memcpy(&v, at, sizeof v);
    return v;
}

static void
show_mask(const struct rc_bind_names *names, uint64_t mask, char *buf, size_t room)
{
    size_t used = 0;

    snprintf(buf, room, "nothing");
    for (uint32_t i = names->first; i < names->max && used < room; i++) {
        if (mask >> i & 1 && names->name(i)) {
            int n = snprintf(buf + used, room - used, "%s%s", used ? "," : "", names->name(i));
            used += n > 0 ? (size_t)n : 0;
        }
    }
}

/* As the file would say it, without quotes. at: the row's own place in its struct. */
static void
show_value(const struct rc_bind_row *row, const char *at, char *buf, size_t room)
{
    switch (row->type) {
    case RC_BIND_UINT32:
        snprintf(buf, room, "%" PRIu32, diff_u32(at));
        break;
    case RC_BIND_UINT64:
        snprintf(buf, room, "%" PRIu64, diff_u64(at));
        break;
    case RC_BIND_DURATION:
        rc_duration_show((int64_t)diff_u64(at), buf, room);
        break;
    case RC_BIND_BOOL:
        snprintf(buf, room, "%s", diff_u32(at) ? "true" : "false");
        break;
    case RC_BIND_SHARE:
        snprintf(buf, room, diff_u32(at) % 10 ? "%u.%u%%" : "%u%%", diff_u32(at) / 10,
                 diff_u32(at) % 10);
        break;
    case RC_BIND_MODE:
        snprintf(buf, room, "0%o", diff_u32(at));
        break;
    case RC_BIND_ENUM:
        snprintf(buf, room, "%s", row->names->name(diff_u32(at)));
        break;
    case RC_BIND_MASK:
        show_mask(row->names, diff_u64(at), buf, room);
        break;
    case RC_BIND_TEXT:
    case RC_BIND_NAME:
    case RC_BIND_PATH:
        snprintf(buf, room, "%s", *at ? at : "nothing");
        break;
    case RC_BIND_TEXTS:
    case RC_BIND_MAP:
    case RC_BIND_OBJECT:
    case RC_BIND_OBJECTS:
    case RC_BIND_IGNORED:
        snprintf(buf, room, "another list");
        break;
    }
}

static void
tell_key(struct walk *w, const char *a, const char *b)
{
    w->fn(w->arg, w->path, a, b);
}

static void diff_object(struct walk *w, const struct rc_bind_table *table, const char *a,
                        const char *b);

static void
push_name(struct walk *w, size_t used, const char *name)
{
    snprintf(w->path + used, sizeof w->path - used, "%s%s", used ? "." : "", name);
}

/* The entry of that name, or NULL. */
static const char *
find_entry(const struct rc_bind_row *row, const char *list, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        const char *entry = list + i * row->room;
        if (strcmp(entry + row->sub->rows[0].offset, name) == 0) {
            return entry;
        }
    }
    return NULL;
}

static void
diff_named(struct walk *w, const struct rc_bind_row *row, const char *a, const char *b)
{
    uint32_t count_a = diff_u32(a + row->count_offset), count_b = diff_u32(b + row->count_offset);
    size_t used = strlen(w->path), name_at = row->sub->rows[0].offset;

    for (uint32_t i = 0; i < count_a; i++) {
        const char *entry = a + row->offset + i * row->room;
        const char *other = find_entry(row, b + row->offset, count_b, entry + name_at);
        push_name(w, used, entry + name_at);
        if (other) {
            diff_object(w, row->sub, entry, other);
        } else {
            tell_key(w, "there", "gone");
        }
        w->path[used] = '\0';
    }
    for (uint32_t i = 0; i < count_b; i++) {
        const char *entry = b + row->offset + i * row->room;
        if (!find_entry(row, a + row->offset, count_a, entry + name_at)) {
            push_name(w, used, entry + name_at);
            tell_key(w, "not there", "new");
            w->path[used] = '\0';
        }
    }
}

static void
diff_list(struct walk *w, const struct rc_bind_row *row, const char *a, const char *b)
{
    uint32_t count_a = diff_u32(a + row->count_offset), count_b = diff_u32(b + row->count_offset);
    size_t used = strlen(w->path);
    char was[32], is[32];

    if (row->sub && row->sub->rows[0].type == RC_BIND_NAME) {
        diff_named(w, row, a, b);
        return;
    }
    if (count_a != count_b || !row->sub) {
        if (count_a != count_b ||
            memcmp(a + row->offset, b + row->offset, count_a * row->room) != 0) {
            snprintf(was, sizeof was, "%u entries", count_a);
            snprintf(is, sizeof is, "%u%s", count_b, count_a == count_b ? " others" : "");
            tell_key(w, was, is);
        }
        return;
    }
    for (uint32_t i = 0; i < count_a; i++) {
        snprintf(w->path + used, sizeof w->path - used, "[%u]", i);
        diff_object(w, row->sub, a + row->offset + i * row->room, b + row->offset + i * row->room);
        w->path[used] = '\0';
    }
}

static void
diff_scalar(struct walk *w, const struct rc_bind_row *row, const char *a, const char *b)
{
    char was[VALUE_LEN] = "", is[VALUE_LEN] = "";

    show_value(row, a + row->offset, was, sizeof was);
    show_value(row, b + row->offset, is, sizeof is);
    if (strcmp(was, is) != 0) {
        tell_key(w, was, is);
    }
}

static void
diff_object(struct walk *w, const struct rc_bind_table *table, const char *a, const char *b)
{
    size_t used = strlen(w->path);

    for (size_t i = 0; i < table->count; i++) {
        const struct rc_bind_row *row = &table->rows[i];
        push_name(w, used, row->key);
        if (row->type == RC_BIND_OBJECT) {
            diff_object(w, row->sub, a + row->offset, b + row->offset);
        } else if (row->type == RC_BIND_OBJECTS || row->type == RC_BIND_TEXTS ||
                   row->type == RC_BIND_MAP) {
            diff_list(w, row, a, b);
        } else if (row->type != RC_BIND_IGNORED) {
            diff_scalar(w, row, a, b);
        }
        w->path[used] = '\0';
    }
}

void
rc_bind_diff(const struct rc_bind_table *table, const void *a, const void *b, rc_bind_differs *fn,
             void *arg)
{
    struct walk w = {.fn = fn, .arg = arg};

    diff_object(&w, table, a, b);
    assert(w.path[0] == '\0');
}
