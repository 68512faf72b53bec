/* slurm_outside.c - nodes for a queue that stands outside of this model; see
 * model_slurm.h. The model keeps what slurmctld shows of a node, the queue its jobs. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/model/sim_hash.h"
#include "simulator/model/slurm_table.h"

bool
rc_sim_slurm_follow(struct rc_sim_slurm *m)
{
    uint32_t nodes = m->config.nodes_max;
    struct rc_sim_outside *o = calloc(1, sizeof(*o));

    assert(m->outside == NULL);
    if (o == NULL)
        return false;
    m->outside = o;
    o->holder = malloc(nodes * sizeof(*o->holder));
    o->changed = malloc(nodes * sizeof(*o->changed));
    o->lost = malloc(nodes * sizeof(*o->lost));
    o->is_changed = calloc(nodes, sizeof(*o->is_changed));
    if (o->holder == NULL || o->changed == NULL || o->lost == NULL || o->is_changed == NULL)
        return false;
    for (uint32_t i = 0; i < nodes; i++)
        o->holder[i] = RC_SIM_NO_NODE;
    return true;
}

void
rc_sim_slurm_outside_free(struct rc_sim_outside *o)
{
    if (o == NULL)
        return;
    free(o->holder);
    free(o->changed);
    free(o->lost);
    free(o->is_changed);
    free(o);
}

const uint64_t *
rc_sim_slurm_ready(const struct rc_sim_slurm *m, uint32_t *ret_count)
{
    *ret_count = m->ready_count;
    return m->ready;
}

uint32_t
rc_sim_slurm_holder(const struct rc_sim_slurm *m, uint32_t at)
{
    return m->outside->holder[at];
}

void
rc_sim_slurm_take(struct rc_sim_slurm *m, int64_t now_ms, uint32_t at, uint32_t holder)
{
    assert(m->outside->holder[at] == RC_SIM_NO_NODE && m->ready[at / 64] >> (at % 64) & 1U);
    m->outside->holder[at] = holder;
    m->node[at].flags |= RC_SN_ALLOCATED;
    rc_sim_slurm_touch(m, now_ms, at);
}

void
rc_sim_slurm_clean(struct rc_sim_slurm *m, int64_t now_ms, uint32_t at)
{
    assert(m->outside->holder[at] != RC_SIM_NO_NODE);
    m->node[at].flags &= ~(uint32_t)RC_SN_ALLOCATED;
    m->node[at].flags |= RC_SN_COMPLETING;
    rc_sim_slurm_touch(m, now_ms, at);
}

void
rc_sim_slurm_give(struct rc_sim_slurm *m, int64_t now_ms, uint32_t at)
{
    m->outside->holder[at] = RC_SIM_NO_NODE;
    m->node[at].flags &= ~(uint32_t)(RC_SN_ALLOCATED | RC_SN_COMPLETING);
    rc_sim_slurm_touch(m, now_ms, at);
}

void
rc_sim_slurm_move(struct rc_sim_slurm *m, int64_t now_ms, uint32_t at, const char *addr)
{
    struct rc_sim_node *n = &m->node[at];
    int64_t boot_ms;

    if (strcmp(n->addr, addr) == 0)
        return;
    (void)rc_text_set(n->addr, sizeof(n->addr), addr);
    m->addr_hash[at] = rc_sim_hash_str(RC_SIM_HASH_SEED, n->addr);
    rc_sim_slurm_host_changed(m, now_ms, at, rc_sim_slurm_host_boot(m, n->addr, &boot_ms));
}

bool
rc_sim_slurm_next_changed(struct rc_sim_slurm *m, uint32_t *ret)
{
    struct rc_sim_outside *o = m->outside;

    if (o->changed_count == 0)
        return false;
    *ret = o->changed[--o->changed_count];
    o->is_changed[*ret] = 0;
    return true;
}

bool
rc_sim_slurm_next_lost(struct rc_sim_slurm *m, uint32_t *ret)
{
    struct rc_sim_outside *o = m->outside;

    if (o->lost_count == 0)
        return false;
    *ret = o->lost[--o->lost_count];
    return true;
}
