/* ec2_launch.c - RunInstances: template, zone, token, address, capacity.
 *
 * All or nothing below MinCount: what was taken for a launch that fails is given
 * back before the answer. A client token belongs to one zone: the same token in
 * another zone launches again (EC2 user guide, "Ensuring idempotency"). */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "simulator/model/ec2_table.h"
#include "simulator/model/sim_hash.h"

static uint64_t
launch_parameters(const struct rc_sim_launch *l)
{
    uint64_t h = rc_sim_hash_str(RC_SIM_HASH_SEED, l->template_id);

    h = rc_sim_hash_u64(h, (uint64_t)l->version);
    h = rc_sim_hash_str(h, l->type);
    h = rc_sim_hash_str(h, l->image);
    h = rc_sim_hash_str(h, l->subnet);
    h = rc_sim_hash_str(h, l->az);
    h = rc_sim_hash_str(h, l->placement);
    h = rc_sim_hash_str(h, l->reservation);
    h = rc_sim_hash_u64(h, (uint64_t)l->block << 2 | (uint64_t)l->spot << 1 | (uint64_t)l->protect);
    h = rc_sim_hash_u64(h, (uint64_t)l->min << 32 | l->max);
    for (uint32_t i = 0; i < l->tag_count; i++) {
        h = rc_sim_hash_str(h, l->tag[i].key);
        h = rc_sim_hash_str(h, l->tag[i].value);
    }
    return h;
}

static enum rc_sim_ec2_code
launch_error(struct rc_sim_launched *ret, enum rc_sim_ec2_code code, const char *about)
{
    (void)rc_text_set(ret->about, sizeof(ret->about), about);
    return code;
}

/* Fills what the template says and the caller does not. */
static enum rc_sim_ec2_code
launch_resolve(const struct rc_sim_ec2 *m, struct rc_sim_launch *l, struct rc_sim_launched *ret)
{
    const struct rc_sim_template *found = NULL;
    bool known = false;

    if (l->template_id[0] == '\0')
        return RC_SIM_EC2_OK;
    for (uint32_t i = 0; i < m->template_count && found == NULL; i++) {
        const struct rc_sim_template *t = &m->template[i];

        if (strcmp(t->id, l->template_id) != 0 && strcmp(t->name, l->template_id) != 0)
            continue;
        known = true;
        if (l->version > 0 ? t->version == (uint32_t)l->version
                           : (l->version < 0 ? t->latest : t->by_default))
            found = t;
    }
    if (found == NULL)
        return launch_error(ret, known ? RC_SIM_EC2_NO_VERSION : RC_SIM_EC2_NO_TEMPLATE,
                            l->template_id);
    (void)rc_text_set(l->template_id, sizeof(l->template_id), found->id);
    l->version = (int32_t)found->version;
    if (l->type[0] == '\0')
        (void)rc_text_set(l->type, sizeof(l->type), found->type);
    if (l->image[0] == '\0')
        (void)rc_text_set(l->image, sizeof(l->image), found->image);
    if (l->subnet[0] == '\0')
        (void)rc_text_set(l->subnet, sizeof(l->subnet), found->subnet);
    return RC_SIM_EC2_OK;
}

/* The subnet of the launch: as told, or the first one of the zone, or the first of all. */
static int
launch_subnet(const struct rc_sim_ec2 *m, const struct rc_sim_launch *l)
{
    if (l->subnet[0] != '\0')
        return rc_sim_ec2_subnet_index(m, l->subnet);
    for (uint32_t i = 0; i < m->subnet_count; i++)
        if (l->az[0] == '\0' || strcmp(m->subnet[i].az, l->az) == 0)
            return (int)i;
    return -1;
}

static uint64_t
token_hash(const char *token, const char *az)
{
    uint64_t h = rc_sim_hash_str(rc_sim_hash_str(RC_SIM_HASH_SEED, token), az);

    return h == 0 ? 1 : h;
}

static struct rc_sim_token *
token_find(struct rc_sim_ec2 *m, const char *token, const char *az)
{
    uint64_t hash = token_hash(token, az);

    for (uint32_t i = 0; i < m->config.tokens_max; i++) {
        struct rc_sim_token *t = &m->token[i];

        if (t->hash == hash && strcmp(t->text, token) == 0 && strcmp(t->az, az) == 0)
            return t;
    }
    return NULL;
}

static void
token_remember(struct rc_sim_ec2 *m, const struct rc_sim_launch *l, const char *az,
               uint64_t parameters)
{
    struct rc_sim_token *t = &m->token[m->token_at++ % m->config.tokens_max];

    t->hash = token_hash(l->token, az);
    t->parameters = parameters;
    t->launch = m->launches;
    (void)rc_text_set(t->text, sizeof(t->text), l->token);
    (void)rc_text_set(t->az, sizeof(t->az), az);
}

/* The instances of an earlier launch, as they are now. */
static uint32_t
launch_collect(struct rc_sim_ec2 *m, uint64_t launch, struct rc_sim_launched *ret)
{
    ret->launch = launch;
    for (uint32_t i = 0; i < m->end && ret->count < RC_SIM_LAUNCH_MAX; i++)
        if (m->instance[i].id[0] != '\0' && m->instance[i].launch == launch)
            ret->instance[ret->count++] = &m->instance[i];
    return ret->count;
}

static bool
address_take(struct rc_sim_ec2 *m, uint32_t subnet, uint32_t offset, char *out, uint32_t room)
{
    uint32_t addr = m->subnet[subnet].base + offset;

    if (offset >= m->subnet[subnet].size || (m->used[subnet][offset / 64] >> (offset % 64) & 1U))
        return false;
    m->used[subnet][offset / 64] |= 1ULL << (offset % 64);
    (void)snprintf(out, room, "%u.%u.%u.%u", addr >> 24, addr >> 16 & 255U, addr >> 8 & 255U,
                   addr & 255U);
    return true;
}

/* Round the subnet, so that an address just freed is not given out at once. */
static bool
address_next(struct rc_sim_ec2 *m, uint32_t subnet, char *out, uint32_t room)
{
    uint32_t size = m->subnet[subnet].size;

    for (uint32_t n = 0; n < size; n++) {
        uint32_t offset = (m->cursor[subnet] + n) % size;

        if (address_take(m, subnet, offset, out, room)) {
            m->cursor[subnet] = offset + 1;
            return true;
        }
    }
    return false;
}

static bool
address_parse(const char *text, uint32_t *ret)
{
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    int end = 0;

    if (sscanf(text, "%3u.%3u.%3u.%3u%n", &a, &b, &c, &d, &end) != 4 || text[end] != '\0' ||
        a > 255 || b > 255 || c > 255 || d > 255)
        return false;
    *ret = a << 24 | b << 16 | c << 8 | d;
    return true;
}

static void
address_free(struct rc_sim_ec2 *m, const struct rc_sim_instance *inst)
{
    int subnet = rc_sim_ec2_subnet_index(m, inst->subnet);
    uint32_t addr = 0;
    uint32_t offset;

    assert(subnet >= 0);
    if (inst->addr[0] == '\0' || !address_parse(inst->addr, &addr))
        return;
    offset = addr - m->subnet[subnet].base;
    assert(offset < m->subnet[subnet].size);
    m->used[subnet][offset / 64] &= ~(1ULL << (offset % 64));
}

static struct rc_sim_pool *
pool_of(struct rc_sim_ec2 *m, const char *subnet, const char *type)
{
    struct rc_sim_pool *any = NULL;

    for (uint32_t i = 0; i < m->pool_count; i++) {
        struct rc_sim_pool *p = &m->pool[i];

        if (strcmp(p->subnet, subnet) != 0)
            continue;
        if (strcmp(p->type, type) == 0)
            return p;
        if (p->type[0] == '\0')
            any = p;
    }
    return any;
}

static enum rc_sim_ec2_code
reservation_take(struct rc_sim_ec2 *m, struct rc_sim_instance *inst)
{
    for (uint32_t i = 0; i < m->reservation_count; i++) {
        struct rc_sim_reservation *r = &m->reservation[i];

        if (strcmp(r->id, inst->reservation) != 0)
            continue;
        if (r->end_ms != 0 && inst->launched_ms >= r->end_ms - RC_SIM_BLOCK_END_MS)
            return RC_SIM_EC2_NO_RESERVATION; /* no launches into what is being taken back */
        if (r->block && r->end_ms != 0)
            inst->spot_ms = r->end_ms - RC_SIM_BLOCK_END_MS;
        if (strcmp(r->type, inst->type) != 0 || strcmp(r->az, inst->az) != 0 || r->used >= r->total)
            return RC_SIM_EC2_RESERVATION_FULL;
        r->used++;
        inst->held = (int32_t)i;
        return RC_SIM_EC2_OK;
    }
    return RC_SIM_EC2_NO_RESERVATION;
}

enum rc_sim_ec2_code
rc_sim_ec2_take(struct rc_sim_ec2 *m, struct rc_sim_instance *inst)
{
    struct rc_sim_pool *p;

    assert(inst->pool < 0 && inst->held < 0);
    if (inst->reservation[0] != '\0')
        return reservation_take(m, inst);
    p = pool_of(m, inst->subnet, inst->type);
    if (p == NULL || p->left < 0)
        return RC_SIM_EC2_OK;
    if (p->left == 0)
        return RC_SIM_EC2_NO_CAPACITY;
    p->left--;
    inst->pool = (int32_t)(p - m->pool);
    return RC_SIM_EC2_OK;
}

void
rc_sim_ec2_give(struct rc_sim_ec2 *m, struct rc_sim_instance *inst)
{
    if (inst->held >= 0 && m->reservation[inst->held].used > 0)
        m->reservation[inst->held].used--;
    if (inst->pool >= 0 && m->pool[inst->pool].left >= 0)
        m->pool[inst->pool].left++;
    inst->held = -1;
    inst->pool = -1;
    inst->release_ms = RC_SIM_NEVER;
}

void
rc_sim_ec2_forget(struct rc_sim_ec2 *m, struct rc_sim_instance *inst)
{
    uint32_t slot = rc_sim_ec2_slot(m, inst);

    rc_sim_ec2_give(m, inst);
    address_free(m, inst);
    rc_sim_heap_set(&m->due, slot, RC_SIM_NEVER);
    *inst = (struct rc_sim_instance){0};
    if (slot < m->free_hint)
        m->free_hint = slot;
}

static struct rc_sim_instance *
slot_take(struct rc_sim_ec2 *m)
{
    for (uint32_t i = m->free_hint; i < m->config.instances_max; i++) {
        if (i == m->end)
            memset(&m->instance[m->end++], 0, sizeof(*m->instance));
        if (m->instance[i].id[0] != '\0')
            continue;
        m->free_hint = i + 1;
        return &m->instance[i];
    }
    return NULL;
}

/* Everything of an instance that does not depend on how it came to be. */
static void
instance_fill(struct rc_sim_ec2 *m, struct rc_sim_instance *inst, const struct rc_sim_launch *l,
              uint32_t subnet)
{
    uint64_t word = rc_sim_random_next(&m->random);

    (void)snprintf(inst->id, sizeof(inst->id), "i-0%011llx%05x",
                   (unsigned long long)(word & 0xfffffffffffULL), rc_sim_ec2_slot(m, inst));
    memcpy(inst->subnet, m->subnet[subnet].id, sizeof(inst->subnet));
    memcpy(inst->az, m->subnet[subnet].az, sizeof(inst->az));
    memcpy(inst->type, l->type, sizeof(inst->type));
    memcpy(inst->image, l->image, sizeof(inst->image));
    memcpy(inst->template_id, l->template_id, sizeof(inst->template_id));
    memcpy(inst->placement, l->placement, sizeof(inst->placement));
    memcpy(inst->reservation, l->reservation, sizeof(inst->reservation));
    memcpy(inst->token, l->token, sizeof(inst->token));
    memcpy(inst->tag, l->tag, sizeof(inst->tag));
    inst->tag_count = l->tag_count;
    inst->template_version = l->version > 0 ? (uint32_t)l->version : 0;
    inst->protect = l->protect;
    inst->spot = l->spot;
    inst->launch = m->launches;
    inst->pool = inst->held = -1;
    inst->step_ms = inst->boot_ms = inst->release_ms = inst->spot_ms = RC_SIM_NEVER;
}

static enum rc_sim_ec2_code
launch_one(struct rc_sim_ec2 *m, int64_t now_ms, const struct rc_sim_launch *l, uint32_t subnet,
           struct rc_sim_launched *ret)
{
    struct rc_sim_instance *inst = slot_take(m);
    enum rc_sim_ec2_code code;

    if (inst == NULL)
        return launch_error(ret, RC_SIM_EC2_LIMIT, l->type);
    instance_fill(m, inst, l, subnet);
    if (!address_next(m, subnet, inst->addr, sizeof(inst->addr))) {
        rc_sim_ec2_forget(m, inst);
        return launch_error(ret, RC_SIM_EC2_NO_ADDRESS, m->subnet[subnet].id);
    }
    inst->launched_ms = now_ms;
    code = rc_sim_ec2_take(m, inst);
    if (code != RC_SIM_EC2_OK) {
        (void)launch_error(ret, code, inst->reservation[0] != '\0' ? inst->reservation : inst->az);
        rc_sim_ec2_forget(m, inst);
        return code;
    }
    inst->launch_index = ret->count;
    inst->visible_ms =
        now_ms +
        (m->config.delays.visible_ms > 0 ? rc_sim_ec2_delay(m, m->config.delays.visible_ms) : 0);
    ret->instance[ret->count++] = inst;
    return RC_SIM_EC2_OK;
}

/* A Capacity Block wants its own market type, any other reservation does not. */
static bool
launch_market_fits(const struct rc_sim_ec2 *m, const struct rc_sim_launch *l)
{
    for (uint32_t i = 0; i < m->reservation_count; i++)
        if (strcmp(m->reservation[i].id, l->reservation) == 0)
            return m->reservation[i].block == l->block;
    return !l->block || l->reservation[0] != '\0';
}

static enum rc_sim_ec2_code
launch_check(const struct rc_sim_ec2 *m, const struct rc_sim_launch *l, struct rc_sim_launched *ret)
{
    if (l->min == 0 || l->max < l->min || l->max > RC_SIM_LAUNCH_MAX)
        return launch_error(ret, RC_SIM_EC2_BAD_VALUE, "MinCount and MaxCount");
    if (l->type[0] == '\0')
        return launch_error(ret, RC_SIM_EC2_MISSING, "InstanceType");
    if (l->image[0] == '\0')
        return launch_error(ret, RC_SIM_EC2_MISSING, "ImageId");
    if (!launch_market_fits(m, l))
        return launch_error(ret, RC_SIM_EC2_COMBINATION,
                            "MarketType capacity-block goes with a Capacity Block only");
    return RC_SIM_EC2_OK;
}

enum rc_sim_ec2_code
rc_sim_ec2_run(struct rc_sim_ec2 *m, int64_t now_ms, const struct rc_sim_launch *launch,
               struct rc_sim_launched *ret)
{
    struct rc_sim_launch l = *launch;
    uint64_t parameters = launch_parameters(launch);
    enum rc_sim_ec2_code code;
    struct rc_sim_token *t;
    int subnet;

    *ret = (struct rc_sim_launched){0};
    if ((code = launch_resolve(m, &l, ret)) != RC_SIM_EC2_OK ||
        (code = launch_check(m, &l, ret)) != RC_SIM_EC2_OK)
        return code;
    subnet = launch_subnet(m, &l);
    if (subnet < 0)
        return launch_error(ret, RC_SIM_EC2_NO_SUBNET, l.subnet);
    t = l.token[0] != '\0' ? token_find(m, l.token, m->subnet[subnet].az) : NULL;
    if (t != NULL && t->parameters != parameters)
        return launch_error(ret, RC_SIM_EC2_TOKEN_MISMATCH, l.token);
    if (t != NULL && launch_collect(m, t->launch, ret) > 0) {
        ret->again = true;
        return RC_SIM_EC2_OK;
    }
    ret->launch = ++m->launches;
    while (code == RC_SIM_EC2_OK && ret->count < l.max)
        code = launch_one(m, now_ms, &l, (uint32_t)subnet, ret);
    if (ret->count < l.min) {
        while (ret->count > 0)
            rc_sim_ec2_forget(m, ret->instance[--ret->count]);
        return code;
    }
    for (uint32_t i = 0; i < ret->count; i++)
        rc_sim_ec2_enter(m, now_ms, ret->instance[i], RC_INST_PENDING);
    if (t != NULL)
        t->launch = m->launches;
    else if (l.token[0] != '\0')
        token_remember(m, &l, m->subnet[subnet].az, parameters);
    return RC_SIM_EC2_OK;
}

struct rc_sim_instance *
rc_sim_ec2_place(struct rc_sim_ec2 *m, int64_t now_ms, const struct rc_sim_launch *like,
                 const char *addr)
{
    struct rc_sim_launched ret = {0};
    struct rc_sim_launch l = *like;
    struct rc_sim_instance *inst;
    uint32_t ip = 0;
    int subnet;

    if (launch_resolve(m, &l, &ret) != RC_SIM_EC2_OK || (subnet = launch_subnet(m, &l)) < 0 ||
        (addr[0] != '\0' && !address_parse(addr, &ip)) || (inst = slot_take(m)) == NULL)
        return NULL;
    ++m->launches;
    instance_fill(m, inst, &l, (uint32_t)subnet);
    if (!(addr[0] != '\0' ? address_take(m, (uint32_t)subnet, ip - m->subnet[subnet].base,
                                         inst->addr, sizeof(inst->addr))
                          : address_next(m, (uint32_t)subnet, inst->addr, sizeof(inst->addr))) ||
        (inst->reservation[0] != '\0' && reservation_take(m, inst) != RC_SIM_EC2_OK)) {
        rc_sim_ec2_forget(m, inst);
        return NULL;
    }
    inst->state = RC_INST_RUNNING;
    inst->booted = true;
    inst->boots = 1;
    inst->launched_ms = inst->running_ms = inst->visible_ms = inst->changed_ms =
        now_ms - m->config.delays.boot_ms - m->config.delays.initializing_ms - 60000;
    for (int i = 0; i < RC_SIM_CHECKS; i++)
        inst->check[i].status = RC_CHECK_OK;
    rc_sim_ec2_note(m, inst->running_ms, RC_SIM_CHANGE_UP, inst);
    return inst;
}
