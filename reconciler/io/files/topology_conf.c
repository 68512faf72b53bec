/* topology_conf.c - see topology_conf.h. */
#include "reconciler/io/files/topology_conf.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/io/files/conf_tree.h"
#include "reconciler/io/files/hostnames.h"

struct move {
    const char *node;
    const char *leaf;
};

/* A SwitchName line. */
struct switch_line {
    char *name;
    struct rc_hostnames nodes;
    size_t raw_start, raw_end; /* value of Nodes; equal = not a leaf switch */
    struct rc_text others;
};

static void
switch_line_done(struct switch_line *s)
{
    free(s->name);
    rc_hostnames_done(&s->nodes);
    free(s->others.s);
    memset(s, 0, sizeof *s);
}

/* Reads a line; s->name stays NULL when it is of another kind. */
static enum rc_err
read_switch(struct switch_line *s, const struct rc_conf_tree *t, const struct rc_conf_line *l,
            const struct rc_conf_text *text, struct rc_error *e)
{
    struct rc_conf_pair p;
    struct rc_error why;

    memset(s, 0, sizeof *s);
    if (!rc_conf_line_is(text, "SwitchName", &p)) {
        return RC_OK;
    }
    s->name = rc_copy(text->s + p.value, p.value_len);
    rc_text_puts(&s->others, "");
    for (size_t from = p.end; rc_conf_pair_next(text, from, &p); from = p.end) {
        if (!rc_conf_key_is(text, &p, "Nodes")) {
            rc_text_add(&s->others, text->s + p.key, p.end - p.key);
            rc_text_puts(&s->others, " ");
            continue;
        }
        if (s->raw_end > s->raw_start || p.value_len == 0) {
            return rc_conf_fail(t, l, RC_E_PARSE, e, "Nodes is empty or stands twice");
        }
        s->raw_start = text->at[p.value];
        s->raw_end = text->at[p.value + p.value_len - 1] + 1;
        char *list = rc_copy(text->s + p.value, p.value_len);
        enum rc_err err = rc_hostnames_expand(list, &s->nodes, &why);
        free(list);
        if (err) {
            return rc_conf_fail(t, l, err, e, "Nodes: %s", why.text);
        }
    }
    return RC_OK;
}

/* Takes the node out of another switch, or puts it into its own. Did that change the list? */
static bool
move_node(struct switch_line *s, const struct move *m)
{
    bool is_leaf = s->raw_end > s->raw_start && strcmp(s->name, m->leaf) == 0;
    size_t kept = 0, before = s->nodes.count;
    bool found = false;

    for (size_t i = 0; i < before; i++) {
        bool is_node = strcmp(s->nodes.name[i], m->node) == 0;
        if (is_node && (!is_leaf || found)) {
            free(s->nodes.name[i]);
        } else {
            s->nodes.name[kept++] = s->nodes.name[i];
        }
        found = found || is_node;
    }
    s->nodes.count = kept;
    if (is_leaf && !found) {
        /* The array has room for a power of two, which counting down has not kept. */
        s->nodes.name = rc_grow(s->nodes.name, before + 1, sizeof *s->nodes.name);
        s->nodes.name[s->nodes.count++] = rc_copy(m->node, strlen(m->node));
    }
    return s->nodes.count != before;
}

/* What to do with each SwitchName line of a tree. */
typedef enum rc_err(visit_fn)(void *arg, const struct rc_conf_tree *t, size_t line,
                              struct switch_line *s, struct rc_error *e);

/* Visits all lines; those that are no SwitchName line have name NULL. */
static enum rc_err
visit_switches(const struct rc_conf_tree *t, visit_fn *visit, void *arg, struct rc_error *e)
{
    struct rc_conf_text text = {0};
    enum rc_err err = RC_OK;

    for (size_t i = 0; i < t->line_count && !err; i++) {
        const struct rc_conf_line *l = &t->line[i];
        struct switch_line s;
        rc_conf_text_read(&text, t->file[l->file].bytes, l->end, l->start);
        err = read_switch(&s, t, l, &text, e);
        if (!err) {
            err = visit(arg, t, i, &s, e);
        }
        switch_line_done(&s);
    }
    rc_conf_text_done(&text);
    return err;
}

struct planning {
    const struct move *move;
    struct rc_conf_plan *plan;
    bool has_leaf;
};

static enum rc_err
plan_switch_line(void *arg, const struct rc_conf_tree *t, size_t line, struct switch_line *s,
                 struct rc_error *e)
{
    struct planning *p = arg;
    const struct rc_conf_line *l = &t->line[line];
    const char *raw = t->file[l->file].bytes;

    if (!s->name || s->raw_start == s->raw_end) {
        return RC_OK;
    }
    p->has_leaf = p->has_leaf || strcmp(s->name, p->move->leaf) == 0;
    if (!move_node(s, p->move)) {
        return RC_OK;
    }
    if (s->nodes.count == 0) {
        return rc_conf_fail(t, l, RC_E_STATE, e, "without %s, switch %s has no node left",
                            p->move->node, s->name);
    }
    struct rc_text out = {0};
    char *list = rc_hostnames_compress(s->nodes.name, s->nodes.count);
    rc_text_add(&out, raw + l->start, s->raw_start - l->start);
    rc_text_puts(&out, list);
    rc_text_add(&out, raw + s->raw_end, l->end - s->raw_end);
    free(list);
    rc_conf_plan_add(p->plan, line, out.s);
    return RC_OK;
}

static enum rc_err
plan_move(void *arg, const struct rc_conf_tree *t, struct rc_conf_plan *plan, struct rc_error *e)
{
    struct planning p = {.move = arg, .plan = plan};
    enum rc_err err = visit_switches(t, plan_switch_line, &p, e);

    if (!err && !p.has_leaf) {
        err = rc_fail(e, RC_E_NOT_FOUND, "%s has no leaf switch %.64s", t->name[0], p.move->leaf);
    }
    return err;
}

struct describing {
    const struct move *move; /* NULL = as it stands */
    struct rc_text *out;
};

static enum rc_err
describe_line(void *arg, const struct rc_conf_tree *t, size_t line, struct switch_line *s,
              struct rc_error *e)
{
    struct describing *d = arg;
    const struct rc_conf_line *l = &t->line[line];

    (void)e;
    if (!s->name) {
        rc_text_add(d->out, rc_conf_line_raw(t, l), l->end - l->start);
        return RC_OK;
    }
    if (d->move) {
        move_node(s, d->move);
    }
    rc_text_printf(d->out, "\n[switch %s] %s\n", s->name, s->others.s);
    for (size_t i = 0; i < s->nodes.count; i++) {
        rc_text_printf(d->out, "%s\n", s->nodes.name[i]);
    }
    return RC_OK;
}

static enum rc_err
meaning_of_switches(void *arg, const struct rc_conf_tree *t, bool edited, struct rc_text *ret,
                    struct rc_error *e)
{
    struct describing d = {edited ? arg : NULL, ret};

    return visit_switches(t, describe_line, &d, e);
}

enum rc_err
rc_topology_check(const char *path, struct rc_error *e)
{
    struct rc_conf_tree t;
    struct rc_text ignored = {0};
    enum rc_err err = rc_conf_tree_load(&t, path, NULL, e);

    if (!err) {
        err = meaning_of_switches(NULL, &t, false, &ignored, e);
    }
    free(ignored.s);
    rc_conf_tree_done(&t);
    return err;
}

enum rc_err
rc_topology_set_switch(const char *path, const char *node, const char *leaf,
                       rc_file_changed_fn *told, void *arg, struct rc_error *e)
{
    struct move m = {node, leaf};
    struct rc_hostnames one = {0};
    enum rc_err err = rc_hostnames_expand(node, &one, e);

    if (!err && (one.count != 1 || strcmp(one.name[0], node) != 0)) {
        err = rc_fail(e, RC_E_INVALID, "\"%.64s\" is not one node name", node);
    }
    rc_hostnames_done(&one);
    return err ? err
               : rc_conf_edit(path, &(struct rc_conf_editor){&m, plan_move, meaning_of_switches},
                              told, arg, e);
}
