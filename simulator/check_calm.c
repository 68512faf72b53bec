/* check_calm.c - when the daemon owes something within a time. What must happen soon is only
 * judged where nothing stood in its way: no trouble of the network, the store, slurmctld, the
 * file server or a controller, and no word of a person, since long enough. */
#include <string.h>

#include "simulator/check.h"

enum { WORN_OFF_MS = 5 * 60 * 1000, SLACK_MS = 10 * 1000, ROUND_TRIPS = 8, SLOWEST = 8 };

/* A controller that was lost may take until a person has looked; the rest wears off. */
static bool
has_worn_off(const struct rc_plan_row *row, int64_t from_ms)
{
    return row->ill <= RC_ILL_OP_PAUSE && row->at_ms + row->for_ms + WORN_OFF_MS < from_ms;
}

static bool
is_trouble(uint32_t ill)
{
    return ill == RC_ILL_FILE_SERVER || (ill >= RC_ILL_EC2_ERRORS && ill <= RC_ILL_CLOCK) ||
           (ill >= RC_ILL_OP_DRAIN && ill <= RC_ILL_OP_PAUSE) || ill >= RC_ILL_CTLD_KILL;
}

bool
rc_check_calm(const struct rc_play *p, int64_t from_ms)
{
    for (uint32_t i = 0; i < p->plan->count; i++) {
        const struct rc_plan_row *row = &p->plan->row[i];
        if (row->at_ms <= p->now_ms && is_trouble(row->ill) && !has_worn_off(row, from_ms)) {
            return false;
        }
    }
    return from_ms > WORN_OFF_MS / 5;
}

/* What a few answers one after the other take at most, and the looks between them. */
int64_t
rc_check_soon_ms(const struct rc_play *p)
{
    return SLACK_MS + (int64_t)p->plan->latency_ms * SLOWEST * ROUND_TRIPS +
           rc_check_clocks_set_ms(p);
}

const struct rc_sim_node *
rc_check_sim_node(const struct rc_play *p, const char *name)
{
    uint32_t at = rc_sim_slurm_find(p->slurm, name);

    return at != RC_SIM_NO_NODE ? rc_sim_slurm_node(p->slurm, at) : NULL;
}

const struct rc_item *
rc_check_item(const struct rc_play *p, uint32_t incident)
{
    for (uint32_t i = 0; incident && i < RC_PLAY_ITEMS; i++) {
        if (p->item[i].incident == incident) {
            return &p->item[i];
        }
    }
    return NULL;
}

const struct rc_rule *
rc_check_rule(const struct rc_play *p, const char *name)
{
    for (uint32_t i = 0; i < p->policy.rule_count; i++) {
        if (strcmp(p->policy.rule[i].name, name) == 0) {
            return &p->policy.rule[i];
        }
    }
    return NULL;
}
