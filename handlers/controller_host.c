/* controller_host.c - what the daemon on a controller sees on its own host: the process
 * of slurmctld, whether it is kept from starting, the state directory, munge. For the
 * other controller this comes over the peer link. When the link is silent nothing is
 * known of that host any more; that its daemon is silent does not mean that it is dead. */
#include "handlers/table.h"

#include <string.h>

static void
controller_host_apply(struct rc_state *s, const struct rc_event *ev)
{
    uint32_t i = rc_pair_find(&s->pair, ev->node);
    const struct rc_ev_controller_host *host = &ev->u.controller;

    if (i >= s->pair.count) {
        return;
    }
    struct rc_controller *c = &s->pair.c[i];
    bool answers = host->link == RC_TOLD_YES;
    if (c->link != host->link) {
        c->link = host->link;
        c->link_ms = s->now_ms;
    }
    c->process = answers ? host->process : (uint32_t)RC_PROC_UNKNOWN;
    c->fenced = answers ? host->fenced : (uint32_t)RC_TOLD_NOT;
    c->dir = answers ? host->dir : (uint32_t)RC_DIR_UNKNOWN;
    c->munge = answers ? host->munge : (uint32_t)RC_TOLD_NOT;
    c->pid = answers ? host->pid : 0;
    if (answers && *ev->instance) {
        memcpy(c->instance, ev->instance, sizeof c->instance);
    }
    if (!answers && strcmp(s->host, ev->node) != 0) {
        /* What it saw of both went with it. */
        for (uint32_t k = 0; k < s->pair.count; k++) {
            rc_pair_see(s, k, RC_EYE_PEER, RC_CTL_UNKNOWN, 0);
            rc_pair_fold(s, k);
        }
    }
    rc_pair_fold(s, i);
}

const struct rc_handler rc_handler_controller_host = {RC_EV_CONTROLLER_HOST, controller_host_apply};
