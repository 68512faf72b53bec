/* slurm_clock.c - the writer's verb that asks slurmctld what time it is.
 *
 * There is no call for that. An answer with nodes carries the second in which it was made
 * (pack_one_node in slurmctld), so one node is read, and the own clock just before and after. */
#define _GNU_SOURCE
#include <time.h>

#include "reconciler/io/slurm/slurm_helper.h"

static int64_t
real_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

enum rc_err
rc_slurm_verb_clock(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    struct name_set names = {0};
    node_info_msg_t *msg = NULL;
    enum rc_err err = rc_slurm_names_expand(rc_line_get(req, "name"), &names, e);

    (void)arg;
    if (err == RC_OK && names.count != 1) {
        err = rc_fail(e, RC_E_INVALID, "expected the name of one node");
    }
    int64_t before_us = real_us();
    if (err == RC_OK && slurm_load_node_single(&msg, names.name[0], SHOW_ALL) != SLURM_SUCCESS) {
        err = rc_slurm_fail(e, "asking for slurmctld's time");
    }
    int64_t after_us = real_us();
    if (err == RC_OK) {
        struct rc_line_out *out = rc_reply_begin(r, "ok");

        rc_line_put_i64(out, "server", msg->last_update);
        rc_line_put_i64(out, "before_us", before_us);
        rc_line_put_i64(out, "after_us", after_us);
        rc_reply_end(r);
        slurm_free_node_info_msg(msg);
    }
    rc_slurm_names_free(&names);
    return err;
}
