/* watch.c - see watch.h; and the hints that make the poller look sooner. */
#include "reconciler/io/daemon/watch.h"

#include <string.h>

#include "reconciler/io/daemon/report.h"

static void
on_hint(void *arg)
{
    struct rc_daemon *d = arg;

    rc_slurm_poll(d->slurm, false);
}

enum rc_err
rc_watch_open(struct rc_daemon *d, struct rc_error *e)
{
    struct rc_slurm_poke_config config = {
        .base = d->base,
        .log_path = *d->config.slurm.log ? d->config.slurm.log : NULL,
        .socket_path = *d->config.slurm.poke_socket ? d->config.slurm.poke_socket : NULL,
        .on_poke = on_hint,
        .arg = d,
    };

    for (uint32_t slot = 1; slot <= d->state->incident_used; slot++) {
        const struct rc_incident *inc = rc_incident_at(d->state, slot);
        if (inc->id && inc->node && !rc_node_at(d->state, inc->node)->spare) {
            (void)!rc_slurm_watch(d->slurm, rc_node_at(d->state, inc->node)->name, true);
        }
    }
    if (!config.log_path && !config.socket_path) {
        return RC_OK; /* polling alone is the truth anyway */
    }
    d->poke = rc_slurm_poke_new(&config, e);
    return d->poke ? RC_OK : e->code;
}

void
rc_watch_close(struct rc_daemon *d)
{
    rc_slurm_poke_free(d->poke);
    d->poke = NULL;
}

void
rc_watch_action(struct rc_daemon *d, const struct rc_action *a)
{
    bool slurms = *a->node && !strchr(a->node, '/'); /* a spare's place is not slurmctld's */

    if (a->kind == RC_ACT_INCIDENT_PUT && slurms) {
        (void)!rc_slurm_watch(d->slurm, a->node, !a->u.item.close);
    }
}
