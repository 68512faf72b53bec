/* slurm_look.c - questions of the Slurm client that end with an answer: read one node
 * now, ping the controllers. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/slurm/slurm_client_private.h"

static void
slurm_look_done(struct slurm_look *look, enum rc_err err, const struct rc_error *e,
                const char *text)
{
    struct rc_slurm_result result = {
        .err = err,
        .node = look->node,
        .service_code = e ? e->service_code : "",
        .text = text,
        .batch = 1,
    };

    LIST_REMOVE(look, link);
    look->call.done(look->call.arg, &result);
    free(look);
}

static void
on_slurm_look_row(void *arg, const struct rc_line *row)
{
    struct slurm_look *look = arg;
    struct rc_event ev;
    int64_t foreign_time;

    if (rc_slurm_take_row(look->slurm, row, &ev, &foreign_time)) {
        look->seen = true;
        (void)rc_slurm_diff_news(look->slurm->diff, &ev, foreign_time);
        rc_slurm_show_faults(look->slurm, row);
        rc_slurm_show(look->slurm, &ev);
    }
}

static void
on_slurm_look_end(void *arg, const struct rc_line *ok, const struct rc_error *e)
{
    struct slurm_look *look = arg;

    (void)ok;
    if (e) {
        slurm_look_done(look, e->code, e, e->text);
    } else if (!look->seen) {
        slurm_look_done(look, RC_E_NOT_FOUND, NULL, "slurmctld shows no such node");
    } else {
        slurm_look_done(look, RC_OK, NULL, "");
    }
}

static void
on_slurm_ping_end(void *arg, const struct rc_line *ok, const struct rc_error *e)
{
    const char *primary = ok ? rc_line_text(ok, "primary", "-") : "-";

    if (e) {
        slurm_look_done(arg, e->code, e, e->text);
    } else if (strcmp(primary, "-") == 0) {
        slurm_look_done(arg, RC_E_SLURM_DOWN, NULL, "no slurmctld says that it is primary");
    } else {
        slurm_look_done(arg, RC_OK, NULL, primary);
    }
}

/* Sends the request that was begun; a look that is not taken gives its error and no callback. */
static enum rc_err
slurm_look_send(struct rc_slurm *s, const char *node, const struct rc_slurm_call *call,
                rc_helper_end_fn *end)
{
    struct slurm_look *look = calloc(1, sizeof *look);
    struct rc_helper_call request = {
        .row = on_slurm_look_row, .end = end, .arg = look, .timeout_ms = s->config.timeout_ms};
    enum rc_err err = look ? RC_OK : RC_E_FULL;

    if (look) {
        look->slurm = s;
        look->call = *call;
        err = rc_text_set(look->node, sizeof look->node, node) ? RC_OK : RC_E_INVALID;
    }
    err = err == RC_OK ? rc_helper_send(s->reader, &request, NULL) : err;
    if (err != RC_OK) {
        free(look);
        return err;
    }
    LIST_INSERT_HEAD(&s->looks, look, link);
    return RC_OK;
}

enum rc_err
rc_slurm_look(struct rc_slurm *s, const char *node, const struct rc_slurm_call *call)
{
    if (!*node) {
        return RC_E_INVALID;
    }
    s->stats.singles++;
    rc_line_put(rc_helper_begin(s->reader, "node"), "names", node);
    return slurm_look_send(s, node, call, on_slurm_look_end);
}

enum rc_err
rc_slurm_ping(struct rc_slurm *s, const struct rc_slurm_call *call)
{
    (void)rc_helper_begin(s->reader, "ping");
    return slurm_look_send(s, "", call, on_slurm_ping_end);
}

void
rc_slurm_looks_close(struct rc_slurm *s)
{
    struct slurm_look *look;

    while ((look = LIST_FIRST(&s->looks)) != NULL) {
        LIST_REMOVE(look, link);
        free(look);
    }
}
