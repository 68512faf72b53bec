/* exec_register.c - a node's new address: files written by the registrar helper,
 * then one reconfigure for all that were gathered, then the nodes are read again.
 *
 * Accepted means: the files are in place and slurmctld took the reconfigure. That
 * it serves the address is for the poll to see. While one batch runs, the next
 * gathers; a batch of one is the normal case. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/daemon/executor.h"

enum { BATCH_MAX = 64, REGISTRAR_TIMEOUT_MS = 30000 };

struct batch {
    struct rc_daemon *d;
    uint32_t count;
    bool alone; /* after a refusal: one node a request */
    struct rc_action action[BATCH_MAX];
};

/* One daemon a process; the registrar works on one batch at a time. */
static struct batch *gathering, *running;

static void send_batch(struct batch *b);

static void
end_batch(const struct rc_error *error)
{
    struct batch *b = running;

    running = NULL;
    for (uint32_t i = 0; i < b->count; i++) {
        rc_daemon_complete(b->d, b->action[i].id, error);
    }
    struct rc_daemon *d = b->d;
    free(b);
    rc_exec_register_flush(d);
}

static void
on_reconfigured(void *arg, const struct rc_slurm_result *r)
{
    struct batch *b = arg;
    struct rc_error e;

    rc_fail(&e, r->err, "%s", r->text);
    rc_slurm_poll(b->d->slurm, false);
    end_batch(&e);
}

/* One bad node refuses the whole request: its neighbours must not wait for it. */
static void
split_batch(struct batch *b)
{
    while (b->count > 1) {
        struct rc_action a = b->action[--b->count];
        rc_exec_register(b->d, &a);
        if (gathering) {
            gathering->alone = true;
        }
    }
}

static void
on_written(void *arg, const struct rc_line *ok, const struct rc_error *error)
{
    struct batch *b = arg;
    struct rc_slurm_call call = {.done = on_reconfigured, .arg = b};
    struct rc_error e;

    if (!ok && b->count > 1) {
        split_batch(b);
        send_batch(b);
        return;
    }
    if (!ok) {
        end_batch(error);
        return;
    }
    enum rc_err err = rc_slurm_reconfigure(b->d->slurm, &call);
    if (err != RC_OK) {
        rc_fail(&e, err, "the Slurm client did not take the reconfigure");
        end_batch(&e);
    }
}

static void
send_batch(struct batch *b)
{
    static char nodes[BATCH_MAX * (RC_NODE_LEN + 1)], addrs[BATCH_MAX * (RC_ADDR_LEN + 1)];
    struct rc_helper_call call = {.end = on_written, .arg = b, .timeout_ms = REGISTRAR_TIMEOUT_MS};
    size_t n = 0, a = 0;
    struct rc_error e;

    for (uint32_t i = 0; i < b->count; i++) {
        const char *comma = i ? "," : "";
        n += (size_t)snprintf(nodes + n, sizeof nodes - n, "%s%s", comma, b->action[i].node);
        a += (size_t)snprintf(addrs + a, sizeof addrs - a, "%s%s", comma, b->action[i].u.reg.addr);
    }
    struct rc_line_out *req = rc_helper_begin(b->d->registrar, "register");
    rc_line_put(req, "node", nodes);
    rc_line_put(req, "addr", addrs);
    enum rc_err err = rc_helper_send(b->d->registrar, &call, &e);
    if (err != RC_OK) {
        end_batch(&e);
    }
}

void
rc_exec_register(struct rc_daemon *d, const struct rc_action *a)
{
    if (!gathering) {
        gathering = calloc(1, sizeof *gathering);
        if (gathering) {
            gathering->d = d;
        }
    }
    if (!gathering || gathering->count == BATCH_MAX) {
        rc_daemon_complete_code(d, a->id, RC_E_FULL, "too many registrations wait");
        return;
    }
    rc_action_copy(&gathering->action[gathering->count++], a);
}

void
rc_exec_register_flush(struct rc_daemon *d)
{
    if (running || !gathering || gathering->d != d) {
        return;
    }
    running = gathering;
    gathering = NULL;
    if (running->alone && running->count > 1) {
        split_batch(running);
    }
    send_batch(running);
}
