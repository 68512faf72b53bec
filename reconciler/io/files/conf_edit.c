/* conf_edit.c - a plan becomes new files: see conf_tree.h.
 *
 * Invariant: nothing is written before the new bytes were read back (in memory) and mean
 * what the old ones mean with the wanted change. */
#include "reconciler/io/files/conf_tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES_MAX = 5 };

void
rc_conf_plan_add(struct rc_conf_plan *plan, size_t line, char *bytes)
{
    assert(plan->count == 0 || plan->edit[plan->count - 1].line < line);
    plan->edit = rc_grow(plan->edit, plan->count + 1, sizeof *plan->edit);
    plan->edit[plan->count++] = (struct rc_conf_edit){line, bytes};
}

void
rc_conf_plan_done(struct rc_conf_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->edit[i].bytes);
    }
    free(plan->edit);
    memset(plan, 0, sizeof *plan);
}

/* The new bytes of each file that changes; the others stay empty. */
static void
apply_plan(const struct rc_conf_tree *t, const struct rc_conf_plan *plan, struct rc_text *fresh)
{
    size_t *copied = rc_grow(NULL, t->file_count, sizeof *copied);

    memset(copied, 0, t->file_count * sizeof *copied);
    for (size_t i = 0; i < plan->count; i++) {
        const struct rc_conf_line *l = &t->line[plan->edit[i].line];
        struct rc_text *out = &fresh[l->file];
        rc_text_add(out, t->file[l->file].bytes + copied[l->file], l->start - copied[l->file]);
        rc_text_puts(out, plan->edit[i].bytes);
        copied[l->file] = l->end;
    }
    for (size_t i = 0; i < t->file_count; i++) {
        if (fresh[i].s) {
            rc_text_add(&fresh[i], t->file[i].bytes + copied[i], t->file[i].len - copied[i]);
        }
    }
    free(copied);
}

static enum rc_err
compare_meaning(const struct rc_conf_tree *old, const struct rc_conf_tree *now,
                const struct rc_conf_editor *editor, struct rc_error *e)
{
    struct rc_text want = {0}, got = {0};
    enum rc_err err = editor->meaning(editor->arg, old, true, &want, e);

    if (!err) {
        err = editor->meaning(editor->arg, now, false, &got, e);
    }
    if (!err && (want.len != got.len || memcmp(want.s, got.s, want.len) != 0)) {
        err = rc_fail(e, RC_E_INTERNAL, "the edited %s would not mean what was intended; refused",
                      old->file[0].path);
    }
    free(want.s);
    free(got.s);
    return err;
}

static enum rc_err
write_changed(const struct rc_conf_tree *t, const struct rc_text *fresh, bool *changed,
              struct rc_error *e)
{
    enum rc_err err = RC_OK;

    for (size_t i = 0; i < t->file_count && !err; i++) {
        if (fresh[i].s) {
            err = rc_file_replace(&t->file[i], fresh[i].s, fresh[i].len, e);
            changed[i] = changed[i] || !err;
        }
    }
    return err;
}

/* One try. changed[] remembers over tries which files were replaced. */
static enum rc_err
try_conf_edit(const struct rc_conf_tree *t, const char *path, const struct rc_conf_editor *editor,
              bool *changed, struct rc_error *e)
{
    struct rc_conf_plan plan = {0};
    struct rc_conf_tree now = {0};
    enum rc_err err = editor->plan(editor->arg, t, &plan, e);

    if (err || plan.count == 0) {
        rc_conf_plan_done(&plan);
        return err;
    }
    struct rc_text *fresh = rc_grow(NULL, t->file_count, sizeof *fresh);
    memset(fresh, 0, t->file_count * sizeof *fresh);
    apply_plan(t, &plan, fresh);
    err = rc_conf_tree_load(&now, path, &(struct rc_conf_overlay){t, fresh}, e);
    if (!err) {
        err = compare_meaning(t, &now, editor, e);
    }
    if (!err) {
        err = write_changed(t, fresh, changed, e);
    }
    for (size_t i = 0; i < t->file_count; i++) {
        free(fresh[i].s);
    }
    free(fresh);
    rc_conf_tree_done(&now);
    rc_conf_plan_done(&plan);
    return err;
}

enum rc_err
rc_conf_edit(const char *path, const struct rc_conf_editor *editor, rc_file_changed_fn *told,
             void *told_arg, struct rc_error *e)
{
    enum rc_err err = RC_E_CONDITION;
    bool *changed = NULL;
    size_t known = 0;

    for (int tries = 0; tries < TRIES_MAX && err == RC_E_CONDITION; tries++) {
        struct rc_conf_tree t;
        err = rc_conf_tree_load(&t, path, NULL, e);
        if (!err) {
            changed = rc_grow(changed, t.file_count + known, sizeof *changed);
            for (; known < t.file_count; known++) {
                changed[known] = false;
            }
            err = try_conf_edit(&t, path, editor, changed, e);
        }
        for (size_t i = 0; i < t.file_count && !err && told; i++) {
            told(told_arg, t.file[i].path, changed[i]);
        }
        rc_conf_tree_done(&t);
    }
    free(changed);
    return err;
}
