/* conf_tree.h - a Slurm configuration file with all that it includes, as lines in the
 * order in which Slurm reads them; and a plan of edits that becomes new files.
 *
 * Include stands at the very start of a line; its path is relative to the including file,
 * and %c is the lower-case ClusterName that was read before it. Strict where Slurm only
 * grumbles: what Slurm would report as a parse error is an error here. */
#ifndef RC_CONF_TREE_H
#define RC_CONF_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "reconciler/io/files/conf_line.h"
#include "reconciler/io/files/file_replace.h"
#include "reconciler/io/files/slurm_conf.h"
#include "reconciler/io/files/text_buf.h"

/* One logical line: bytes [start, end) of a file, comment and line ends included. */
struct rc_conf_line {
    size_t file;
    unsigned number; /* first physical line, from 1 */
    size_t start;
    size_t end;
};

struct rc_conf_tree {
    struct rc_file *file;
    char **name; /* as opened: relative paths count from here, not from a link's target */
    size_t file_count;
    struct rc_conf_line *line;
    size_t line_count;
    char *cluster; /* lower-case ClusterName, NULL = not read yet */
};

/* Bytes that stand for those on disk: how an edit is read back before it is written. */
struct rc_conf_overlay {
    const struct rc_conf_tree *old;  /* same files, in the same order */
    const struct rc_text *new_bytes; /* one for each; s == NULL = unchanged */
};

/* Reads path and its includes (overlay may be NULL). rc_conf_tree_done() frees, also after an
 * error. */
enum rc_err rc_conf_tree_load(struct rc_conf_tree *t, const char *path,
                              const struct rc_conf_overlay *overlay, struct rc_error *e);
void rc_conf_tree_done(struct rc_conf_tree *t);

const char *rc_conf_line_raw(const struct rc_conf_tree *t, const struct rc_conf_line *l);
/* rc_fail() with "file:line: " in front. */
enum rc_err rc_conf_fail(const struct rc_conf_tree *t, const struct rc_conf_line *l,
                         enum rc_err code, struct rc_error *e, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* Is the line of this kind (its first key is key)? Then *ret is that pair. */
bool rc_conf_line_is(const struct rc_conf_text *text, const char *key, struct rc_conf_pair *ret);

/* One line gets other bytes. A plan lists edits in the order of the lines. */
struct rc_conf_edit {
    size_t line;
    char *bytes; /* owned by the plan */
};
struct rc_conf_plan {
    struct rc_conf_edit *edit;
    size_t count;
};
void rc_conf_plan_add(struct rc_conf_plan *plan, size_t line, char *bytes);
void rc_conf_plan_done(struct rc_conf_plan *plan);

/* One editor of one kind of file. */
struct rc_conf_editor {
    void *arg;
    /* Fills plan with what must change in t, or fails. */
    enum rc_err (*plan)(void *arg, const struct rc_conf_tree *t, struct rc_conf_plan *plan,
                        struct rc_error *e);
    /* What a reader of t would understand, as text, with the change of this editor made when
     * edited is set: the meaning of the old file edited must be the meaning of the new one. */
    enum rc_err (*meaning)(void *arg, const struct rc_conf_tree *t, bool edited,
                           struct rc_text *ret, struct rc_error *e);
};

/* Loads, plans, reads the result back, compares the meaning, replaces the files that change. Begins
 * again, a few times, when somebody else changes a file meanwhile. told may be NULL. */
enum rc_err rc_conf_edit(const char *path, const struct rc_conf_editor *editor,
                         rc_file_changed_fn *told, void *told_arg, struct rc_error *e);

#endif
