/* slurm_extra.c - the writer's verb on a node's Extra, a text that Slurm keeps and does not
 * read.
 *
 * Ours begins with "rc:". Anybody else's text stays as it is, and with only=ours an empty one
 * too; between our read and our write (about 1 ms) there is no lock, as with reasons. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/slurm/slurm_helper.h"

struct extra {
    const char *text;
    bool found;
    bool foreign;
    bool only_here, elsewhere;
    char stands[512];
};

static enum rc_err
read_extra(void *arg, const node_info_t *node, struct rc_error *e)
{
    struct extra *x = arg;
    const char *stands = node->extra ? node->extra : "";
    size_t len = strnlen(stands, sizeof x->stands - 1);

    (void)e;
    x->found = true;
    x->elsewhere = x->only_here && !rc_slurm_is_here(node);
    x->foreign = *stands && strncmp(stands, "rc:", 3) != 0;
    memcpy(x->stands, stands, len);
    x->stands[len] = '\0';
    return RC_OK;
}

static enum rc_err
write_extra(const char *name, const char *text, struct rc_error *e)
{
    update_node_msg_t msg;
    char *name_copy = strdup(name), *text_copy = strdup(text);
    enum rc_err err = RC_OK;

    slurm_init_update_node_msg(&msg);
    msg.node_names = name_copy;
    msg.extra = text_copy;
    if (!name_copy || !text_copy) {
        err = rc_fail(e, RC_E_FULL, "no memory for an update");
    } else if (slurm_update_node(&msg) != SLURM_SUCCESS) {
        err = rc_slurm_fail(e, "updating a node's extra");
    }
    free(name_copy);
    free(text_copy);
    return err;
}

static const char *
result_of(const struct extra *x)
{
    if (!x->found) {
        return "missing";
    }
    return x->elsewhere ? "elsewhere" : x->foreign ? "foreign" : "set";
}

enum rc_err
rc_slurm_verb_extra(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    struct extra x = {.text = rc_line_text(req, "text", ""),
                      .only_here = rc_line_get(req, "here") != NULL};
    struct name_set names = {0};
    enum rc_err err = rc_slurm_names_expand(rc_line_get(req, "name"), &names, e);

    (void)arg;
    if (err == RC_OK && (names.count != 1 || strncmp(x.text, "rc:", 3) != 0)) {
        err = rc_fail(e, RC_E_INVALID, "expected the name of one node, and a text with rc:");
    }
    err = err == RC_OK ? rc_slurm_nodes_read(&names, read_extra, &x, e) : err;
    if (strcmp(rc_line_text(req, "only", ""), "ours") == 0 && !*x.stands) {
        x.text = ""; /* there is nothing of ours to be replaced */
    }
    if (err == RC_OK && x.found && !x.foreign && !x.elsewhere && strcmp(x.stands, x.text) != 0) {
        err = write_extra(names.name[0], x.text, e);
    }
    if (err == RC_OK) {
        struct rc_line_out *out = rc_reply_begin(r, "node");

        rc_line_put(out, "name", names.name[0]);
        rc_line_put(out, "result", result_of(&x));
        rc_line_put(out, "extra", x.foreign || x.elsewhere ? x.stands : x.text);
        rc_reply_end(r);
    }
    rc_slurm_names_free(&names);
    return err;
}
