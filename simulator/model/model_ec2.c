/* model_ec2.c - tables of the EC2 model: setting up, finding, changes, hash.
 *
 * An instance id ends in its slot number (five hex digits) behind twelve random
 * ones, so finding it needs no index. Failure: a full table answers as EC2 does
 * at the account's instance limit. */
#include "simulator/model/model_ec2.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/model/ec2_table.h"
#include "simulator/model/sim_hash.h"

struct rc_sim_ec2 *
rc_sim_ec2_new(const struct rc_sim_ec2_config *config, int64_t now_ms)
{
    struct rc_sim_ec2 *m = calloc(1, sizeof(*m));

    assert(config->instances_max > 0 && config->instances_max <= 1U << 20);
    assert(config->tokens_max > 0);
    if (m == NULL)
        return NULL;
    m->config = *config;
    m->instance = malloc(config->instances_max * sizeof(*m->instance));
    m->change = malloc(RC_SIM_CHANGES_MAX * sizeof(*m->change));
    m->token = calloc(config->tokens_max, sizeof(*m->token));
    if (!rc_sim_heap_init(&m->due, config->instances_max) || m->instance == NULL ||
        m->change == NULL || m->token == NULL) {
        rc_sim_ec2_free(m);
        return NULL;
    }
    rc_sim_random_seed(&m->random, config->seed, 1);
    rc_sim_throttle_init(&m->throttle, config->throttle, now_ms);
    return m;
}

void
rc_sim_ec2_free(struct rc_sim_ec2 *m)
{
    if (m == NULL)
        return;
    rc_sim_heap_done(&m->due);
    free(m->instance);
    free(m->change);
    free(m->token);
    free(m);
}

struct rc_sim_ec2_delays *
rc_sim_ec2_delays(struct rc_sim_ec2 *m)
{
    return &m->config.delays;
}

struct rc_sim_throttle *
rc_sim_ec2_throttle(struct rc_sim_ec2 *m)
{
    return &m->throttle;
}

bool
rc_sim_ec2_add_subnet(struct rc_sim_ec2 *m, const struct rc_sim_subnet *subnet)
{
    uint32_t i = m->subnet_count;

    if (i == RC_SIM_SUBNETS_MAX || subnet->size < 16 || subnet->size > RC_SIM_SUBNET_SIZE ||
        rc_sim_ec2_subnet_index(m, subnet->id) >= 0)
        return false;
    m->subnet[i] = *subnet;
    m->used[i][0] = 0xfU; /* EC2 keeps the first four addresses and the last */
    m->used[i][(subnet->size - 1) / 64] |= 1ULL << ((subnet->size - 1) % 64);
    m->cursor[i] = 4;
    m->subnet_count++;
    return true;
}

bool
rc_sim_ec2_add_template(struct rc_sim_ec2 *m, const struct rc_sim_template *row)
{
    if (m->template_count == RC_SIM_TEMPLATES_MAX || row->version == 0)
        return false;
    for (uint32_t i = 0; i < m->template_count; i++) {
        struct rc_sim_template *t = &m->template[i];

        if (strcmp(t->id, row->id) != 0)
            continue;
        if (t->version == row->version)
            return false;
        t->latest = t->latest && !row->latest;
        t->by_default = t->by_default && !row->by_default;
    }
    m->template[m->template_count++] = *row;
    return true;
}

bool
rc_sim_ec2_add_reservation(struct rc_sim_ec2 *m, const struct rc_sim_reservation *row)
{
    if (m->reservation_count == RC_SIM_RESERVATIONS_MAX || row->used > row->total)
        return false;
    m->reservation[m->reservation_count++] = *row;
    return true;
}

bool
rc_sim_ec2_set_capacity(struct rc_sim_ec2 *m, const char *subnet, const char *type, int32_t left)
{
    struct rc_sim_pool *p = NULL;

    if (rc_sim_ec2_subnet_index(m, subnet) < 0 || strlen(type) >= RC_TYPE_LEN || left < -1)
        return false;
    for (uint32_t i = 0; i < m->pool_count && p == NULL; i++)
        if (strcmp(m->pool[i].subnet, subnet) == 0 && strcmp(m->pool[i].type, type) == 0)
            p = &m->pool[i];
    if (p == NULL && m->pool_count == RC_SIM_POOLS_MAX)
        return false;
    if (p == NULL)
        p = &m->pool[m->pool_count++];
    (void)rc_text_set(p->subnet, sizeof(p->subnet), subnet);
    (void)rc_text_set(p->type, sizeof(p->type), type);
    p->left = left;
    return true;
}

const struct rc_sim_subnet *
rc_sim_ec2_subnet(const struct rc_sim_ec2 *m, uint32_t i)
{
    return i < m->subnet_count ? &m->subnet[i] : NULL;
}

uint32_t
rc_sim_ec2_free_addresses(const struct rc_sim_ec2 *m, uint32_t subnet)
{
    uint32_t left = m->subnet[subnet].size;

    for (uint32_t i = 0; i < RC_SIM_SUBNET_SIZE / 64; i++)
        left -= (uint32_t)__builtin_popcountll(m->used[subnet][i]);
    return left;
}

const struct rc_sim_template *
rc_sim_ec2_template(const struct rc_sim_ec2 *m, uint32_t i)
{
    return i < m->template_count ? &m->template[i] : NULL;
}

const struct rc_sim_reservation *
rc_sim_ec2_reservation(const struct rc_sim_ec2 *m, uint32_t i)
{
    return i < m->reservation_count ? &m->reservation[i] : NULL;
}

int
rc_sim_ec2_subnet_index(const struct rc_sim_ec2 *m, const char *id)
{
    for (uint32_t i = 0; i < m->subnet_count; i++)
        if (strcmp(m->subnet[i].id, id) == 0)
            return (int)i;
    return -1;
}

uint32_t
rc_sim_ec2_slot(const struct rc_sim_ec2 *m, const struct rc_sim_instance *inst)
{
    assert(inst >= m->instance && inst < m->instance + m->config.instances_max);
    return (uint32_t)(inst - m->instance);
}

uint32_t
rc_sim_ec2_slots(const struct rc_sim_ec2 *m)
{
    return m->end;
}

struct rc_sim_instance *
rc_sim_ec2_at(struct rc_sim_ec2 *m, uint32_t slot)
{
    if (slot >= m->end || m->instance[slot].id[0] == '\0')
        return NULL;
    return &m->instance[slot];
}

/* The slot in the last five digits; anything that is not such an id gives none. */
static uint32_t
slot_of_id(const char *id)
{
    uint32_t slot = 0;

    if (strlen(id) != 19)
        return UINT32_MAX;
    for (int i = 14; i < 19; i++) {
        char c = id[i];

        if (c >= '0' && c <= '9')
            slot = slot * 16 + (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            slot = slot * 16 + (uint32_t)(c - 'a') + 10;
        else
            return UINT32_MAX;
    }
    return slot;
}

struct rc_sim_instance *
rc_sim_ec2_find(struct rc_sim_ec2 *m, int64_t now_ms, const char *id)
{
    struct rc_sim_instance *inst = rc_sim_ec2_at(m, slot_of_id(id));

    if (inst == NULL || strcmp(inst->id, id) != 0 || now_ms < inst->visible_ms)
        return NULL;
    return inst;
}

void
rc_sim_ec2_note(struct rc_sim_ec2 *m, int64_t at_ms, enum rc_sim_change_kind kind,
                const struct rc_sim_instance *inst)
{
    struct rc_sim_change *c = &m->change[m->change_end++ % RC_SIM_CHANGES_MAX];

    if (m->change_end - m->change_first > RC_SIM_CHANGES_MAX) {
        m->change_first++;
        m->changes_lost++;
    }
    c->at_ms = at_ms;
    c->kind = kind;
    c->state = inst->state;
    c->slot = rc_sim_ec2_slot(m, inst);
    (void)rc_text_set(c->id, sizeof(c->id), inst->id);
    (void)rc_text_set(c->addr, sizeof(c->addr), inst->addr);
}

bool
rc_sim_ec2_next_change(struct rc_sim_ec2 *m, struct rc_sim_change *ret)
{
    if (m->change_first == m->change_end)
        return false;
    *ret = m->change[m->change_first++ % RC_SIM_CHANGES_MAX];
    return true;
}

uint64_t
rc_sim_ec2_changes_lost(const struct rc_sim_ec2 *m)
{
    return m->changes_lost;
}

static uint64_t
hash_instance(uint64_t h, const struct rc_sim_instance *inst)
{
    h = rc_sim_hash_str(h, inst->id);
    h = rc_sim_hash_str(h, inst->addr);
    h = rc_sim_hash_str(h, inst->subnet);
    h = rc_sim_hash_str(h, inst->type);
    h = rc_sim_hash_str(h, inst->token);
    h = rc_sim_hash_u64(h, (uint64_t)inst->state << 4 | (uint64_t)inst->booted << 1 |
                               (uint64_t)inst->protect);
    h = rc_sim_hash_u64(h, inst->launch);
    h = rc_sim_hash_u64(h, (uint64_t)inst->launched_ms);
    h = rc_sim_hash_u64(h, (uint64_t)inst->changed_ms);
    h = rc_sim_hash_u64(h, (uint64_t)inst->step_ms);
    h = rc_sim_hash_u64(h, (uint64_t)inst->boot_ms);
    h = rc_sim_hash_u64(h, (uint64_t)inst->release_ms);
    h = rc_sim_hash_u64(h, (uint64_t)inst->spot_ms);
    for (int i = 0; i < RC_SIM_CHECKS; i++)
        h = rc_sim_hash_u64(h, inst->check[i].status);
    for (int i = 0; i < RC_SIM_SCHEDULED_MAX; i++)
        h = rc_sim_hash_u64(h, (uint64_t)inst->scheduled[i].state);
    for (uint32_t i = 0; i < inst->tag_count; i++) {
        h = rc_sim_hash_str(h, inst->tag[i].key);
        h = rc_sim_hash_str(h, inst->tag[i].value);
    }
    return h;
}

uint64_t
rc_sim_ec2_hash(const struct rc_sim_ec2 *m)
{
    uint64_t h = rc_sim_hash_u64(RC_SIM_HASH_SEED, m->random.state);

    h = rc_sim_hash_u64(h, m->launches);
    for (uint32_t i = 0; i < m->end; i++)
        if (m->instance[i].id[0] != '\0')
            h = hash_instance(rc_sim_hash_u64(h, i), &m->instance[i]);
    for (uint32_t i = 0; i < m->pool_count; i++)
        h = rc_sim_hash_u64(h, (uint64_t)m->pool[i].left);
    for (uint32_t i = 0; i < m->reservation_count; i++)
        h = rc_sim_hash_u64(h, m->reservation[i].used);
    return rc_sim_hash_u64(h, m->change_end);
}
