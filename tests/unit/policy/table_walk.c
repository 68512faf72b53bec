/* table_walk.c - see table_walk.h. */
#include "tests/unit/policy/table_walk.h"

#include <stdio.h>
#include <string.h>

#include "tests/harness/harness.h"

enum { PATH_ROOM = 256, TEXT_ROOM = 1024 };

static void
walk(const struct rc_bind_table *table, const char *above, table_visit_fn *visit, void *arg)
{
    char path[PATH_ROOM];
    char inner[PATH_ROOM + 4];

    for (size_t i = 0; i < table->count; i++) {
        const struct rc_bind_row *row = &table->rows[i];
        snprintf(path, sizeof path, "%s%s%s", above, *above ? "." : "", row->key);
        visit(row, path, arg);
        if (row->type == RC_BIND_OBJECT) {
            walk(row->sub, path, visit, arg);
        } else if (row->type == RC_BIND_OBJECTS) {
            snprintf(inner, sizeof inner, "%s[0]", path);
            walk(row->sub, inner, visit, arg);
        }
    }
}

void
table_walk(const struct rc_bind_table *table, table_visit_fn *visit, void *arg)
{
    walk(table, "", visit, arg);
}

struct trial {
    const char *file;
    table_load_fn *load;
};

/* The path as a file that holds this one key: "a.b[0].c" -> {"a":{"b":[{"c":VALUE}]}}. */
static size_t
write_file(const char *path, const char *value, char *text)
{
    char close[PATH_ROOM] = "}";
    size_t used = 1;
    size_t depth = 1;
    size_t column = 0;

    snprintf(text, TEXT_ROOM, "{");
    while (*path) {
        size_t len = strcspn(path, ".[");
        used += (size_t)snprintf(text + used, TEXT_ROOM - used, "\"%.*s\":", (int)len, path);
        path += len;
        if (strncmp(path, "[0]", 3) == 0) {
            used += (size_t)snprintf(text + used, TEXT_ROOM - used, "[{");
            close[depth++] = ']';
            close[depth++] = '}';
            path += 3 + (path[3] == '.');
        } else if (*path == '.') {
            used += (size_t)snprintf(text + used, TEXT_ROOM - used, "{");
            close[depth++] = '}';
            path++;
        }
    }
    column = used + 1;
    used += (size_t)snprintf(text + used, TEXT_ROOM - used, "%s", value);
    while (depth > 0) {
        text[used++] = close[--depth];
    }
    text[used] = '\0';
    return column;
}

static void
try_wrong_value(const struct rc_bind_row *row, const char *path, void *arg)
{
    const struct trial *trial = arg;
    /* No key takes null, nor a list of null. */
    const char *wrong = row->type == RC_BIND_MASK || row->type == RC_BIND_TEXTS ? "[null]" : "null";
    static struct rc_load_errors errs;
    char text[TEXT_ROOM];
    char want[TEXT_ROOM];
    size_t column = write_file(path, wrong, text);
    bool is_list = *wrong == '[';
    bool is_found = false;

    memset(&errs, 0, sizeof errs);
    snprintf(want, sizeof want, "%s:1:%zu: %s%s: expected ", trial->file, column + is_list, path,
             is_list ? "[0]" : "");
    enum rc_err err = trial->load(text, strlen(text), &errs);
    for (uint32_t i = 0; i < errs.count && i < RC_LOAD_ERRORS_MAX; i++) {
        size_t len = strlen(errs.line[i]);
        is_found = is_found || (strncmp(errs.line[i], want, strlen(want)) == 0 &&
                                strcmp(errs.line[i] + len - 10, ", got null") == 0);
    }
    rc_case(err == RC_E_INVALID && is_found, path, "no line begins with %s; the first is %s", want,
            errs.line[0]);
}

void
table_try_wrong_values(const struct rc_bind_table *table, const char *file, table_load_fn *load)
{
    struct trial trial = {.file = file, .load = load};

    table_walk(table, try_wrong_value, &trial);
}
