/* check_company.c - never: a node is drained for what many nodes show at once. When the file
 * server is ill, every node is stuck; each that is drained for it is one job's node less, and
 * none of them is the cause. */
#include <string.h>

#include "simulator/check.h"

enum { POLL_AND_WAY_MS = 45 * 1000 };

void
rc_check_company(struct rc_ctl *c, const struct rc_action *a)
{
    struct rc_play *p = c->p;
    uint32_t enough = p->plan->nodes < 3 ? 2 : 3;
    uint32_t node = a->kind == RC_ACT_DRAIN ? rc_node_find(c->s, a->node) : 0;
    uint32_t slot = node ? rc_node_at(c->s, node)->incident : 0;

    int64_t *since_ms = &p->memory.company[c->index].since_ms;

    if (rc_play_stuck_nodes(p) < enough || c->slurm_failed) {
        *since_ms = 0; /* agents speak through slurmctld: while it is away nobody hears them */
        return;
    }
    if (!*since_ms) {
        *since_ms = p->now_ms;
    }
    /* Half repaired, and let in by a person: out it goes again, whatever it was for. */
    bool broken = slot && rc_incident_at(c->s, slot)->flags & RC_INC_BROKEN;
    if (slot && rc_incident_at(c->s, slot)->fault == RC_FAULT_FS_HANG && !broken &&
        p->now_ms - *since_ms > POLL_AND_WAY_MS) {
        rc_play_fail(p, RC_FOUND_COMPANY, "head%u drains %s for its file system, like %u others",
                     c->index + 1, a->node, rc_play_stuck_nodes(p));
    }
}
