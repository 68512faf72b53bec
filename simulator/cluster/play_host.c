/* play_host.c - which machine EC2 gives, and what its GPUs are called. Mostly another one each
 * time; while a schedule says so, the one that the node's last instance was on. */
#include <stdio.h>
#include <string.h>

#include "simulator/cluster/play_private.h"

uint32_t
rc_play_host(struct rc_play *p, const struct rc_sim_instance *inst)
{
    struct rc_play_host *h = &p->host[rc_sim_ec2_slot(p->ec2, inst)];

    if (strcmp(h->id, inst->id) != 0) {
        memcpy(h->id, inst->id, sizeof h->id);
        h->number = ++p->hosts;
    }
    return h->number;
}

static bool
is_taken(const struct rc_play *p, uint32_t number)
{
    for (uint32_t slot = 0; slot < rc_sim_ec2_slots(p->ec2); slot++) {
        const struct rc_sim_instance *inst = rc_sim_ec2_at(p->ec2, slot);
        if (inst && p->host[slot].number == number && strcmp(p->host[slot].id, inst->id) == 0 &&
            inst->state != RC_INST_SHUTTING_DOWN && inst->state != RC_INST_TERMINATED) {
            return true;
        }
    }
    return false;
}

static bool
gets_same_host(const struct rc_play *p, uint32_t node)
{
    bool same = false;

    for (uint32_t i = 0; i < p->plan->count; i++) {
        const struct rc_plan_row *row = &p->plan->row[i];
        same |= row->ill == RC_ILL_SAME_HOST && row->target % p->plan->nodes == node &&
                row->at_ms <= p->now_ms && p->now_ms < row->at_ms + row->for_ms;
    }
    return same && !p->quiet;
}

void
rc_play_host_launched(struct rc_play *p, uint32_t node, const struct rc_sim_instance *inst)
{
    uint32_t slot = rc_sim_ec2_slot(p->ec2, inst);

    (void)rc_play_host(p, inst);
    if (node < p->plan->nodes && p->given_back[node].number &&
        !is_taken(p, p->given_back[node].number) && gets_same_host(p, node)) {
        p->host[slot].number = p->given_back[node].number;
        rc_play_trace(p, "   %s is on the host of %s", inst->id, p->given_back[node].id);
    }
}

void
rc_play_host_given_back(struct rc_play *p, uint32_t node, const struct rc_sim_instance *inst)
{
    if (node < p->plan->nodes) {
        p->given_back[node].number = rc_play_host(p, inst);
        memcpy(p->given_back[node].id, inst->id, RC_ID_LEN);
    }
}

void
rc_play_serials(struct rc_play *p, const struct rc_sim_instance *inst, char ret[RC_SERIALS_LEN])
{
    uint32_t number = rc_play_host(p, inst);

    snprintf(ret, RC_SERIALS_LEN, "16503%05u,16504%05u", number, number);
}
