/* controller_probe.c - a slurmctld was asked directly, by this daemon or by its peer:
 * does it serve? Only changes are told, so a view stands until the next one. */
#include "handlers/table.h"

#include <string.h>

static void
controller_probe_apply(struct rc_state *s, const struct rc_event *ev)
{
    uint32_t i = rc_pair_find(&s->pair, ev->node);
    const struct rc_ev_controller_probe *probe = &ev->u.probe;

    if (i >= s->pair.count) {
        return;
    }
    rc_pair_see(s, i, probe->by_peer ? RC_EYE_PEER : RC_EYE_OWN, probe->mode, probe->age_ms);
    if (*probe->addr) {
        memcpy(s->pair.c[i].addr, probe->addr, sizeof probe->addr);
    }
    rc_pair_fold(s, i);
}

const struct rc_handler rc_handler_controller_probe = {RC_EV_CONTROLLER_PROBE,
                                                       controller_probe_apply};
