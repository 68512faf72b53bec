/* model_slurm.c - nodes: configuration, hosts, registration, silence.
 *
 * A node is answered for by the host at its NodeAddr. While that host is up the
 * node counts as heard at every moment; when it goes, the silence starts there.
 * Failure: a configuration with too many nodes changes nothing; a host beyond
 * hosts_max is not seen (it never registers). */
#include "simulator/model/model_slurm.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/model/sim_hash.h"
#include "simulator/model/slurm_table.h"

struct rc_sim_slurm *
rc_sim_slurm_new(const struct rc_sim_slurm_config *config)
{
    struct rc_sim_slurm *m = calloc(1, sizeof(*m));
    uint32_t nodes = config->nodes_max;

    assert(nodes > 0 && config->hosts_max > 0 && config->jobs_max > 0);
    if (m == NULL)
        return NULL;
    m->config = *config;
    m->node = calloc(nodes, sizeof(*m->node));
    m->name_hash = calloc(nodes, sizeof(*m->name_hash));
    m->addr_hash = calloc(nodes, sizeof(*m->addr_hash));
    m->ready = calloc(nodes / 64 + 1, sizeof(*m->ready));
    m->host = calloc(config->hosts_max, sizeof(*m->host));
    m->job = calloc(config->jobs_max, sizeof(*m->job));
    if (m->node == NULL || m->name_hash == NULL || m->addr_hash == NULL || m->ready == NULL ||
        m->host == NULL || m->job == NULL || !rc_sim_heap_init(&m->node_due, nodes) ||
        !rc_sim_heap_init(&m->job_due, config->jobs_max)) {
        rc_sim_slurm_free(m);
        return NULL;
    }
    rc_sim_random_seed(&m->random, config->seed, 4);
    m->pending_head = m->pending_tail = RC_SIM_NO_NODE;
    return m;
}

void
rc_sim_slurm_free(struct rc_sim_slurm *m)
{
    if (m == NULL)
        return;
    rc_sim_heap_done(&m->node_due);
    rc_sim_heap_done(&m->job_due);
    free(m->node);
    free(m->name_hash);
    free(m->addr_hash);
    free(m->ready);
    free(m->host);
    free(m->job);
    rc_sim_slurm_outside_free(m->outside);
    free(m);
}

struct rc_sim_slurm_config *
rc_sim_slurm_config(struct rc_sim_slurm *m)
{
    return &m->config;
}

uint32_t
rc_sim_slurm_find(const struct rc_sim_slurm *m, const char *name)
{
    uint64_t hash = rc_sim_hash_str(RC_SIM_HASH_SEED, name);

    for (uint32_t i = 0; i < m->node_end; i++)
        if (m->name_hash[i] == hash && strcmp(m->node[i].name, name) == 0)
            return i;
    return RC_SIM_NO_NODE;
}

const struct rc_sim_node *
rc_sim_slurm_node(const struct rc_sim_slurm *m, uint32_t i)
{
    return i < m->node_end && m->node[i].name[0] != '\0' ? &m->node[i] : NULL;
}

uint32_t
rc_sim_slurm_nodes(const struct rc_sim_slurm *m)
{
    return m->node_end;
}

int64_t
rc_sim_slurm_changed_s(const struct rc_sim_slurm *m)
{
    return m->changed_s;
}

uint64_t
rc_sim_slurm_version(const struct rc_sim_slurm *m)
{
    return m->version;
}

static bool
node_ready(const struct rc_sim_node *n)
{
    uint32_t bars = RC_SN_DOWN | RC_SN_DRAIN | RC_SN_FAIL | RC_SN_NOT_RESPONDING | RC_SN_UNKNOWN |
                    RC_SN_COMPLETING | RC_SN_ALLOCATED | RC_SN_MAINT;

    return n->name[0] != '\0' && (n->flags & bars) == 0 && n->slurmd_start_ms > 0;
}

static int64_t
node_next_ms(const struct rc_sim_slurm *m, const struct rc_sim_node *n)
{
    int64_t next = n->register_ms;

    if (n->name[0] == '\0')
        return RC_SIM_NEVER;
    if (n->gone_ms == RC_SIM_NEVER)
        return next;
    if ((n->flags & RC_SN_NOT_RESPONDING) == 0 && n->gone_ms + m->config.ping_ms < next)
        next = n->gone_ms + m->config.ping_ms;
    if ((n->flags & RC_SN_DOWN) == 0 && m->config.slurmd_timeout_ms > 0 &&
        n->gone_ms + m->config.slurmd_timeout_ms < next)
        next = n->gone_ms + m->config.slurmd_timeout_ms;
    return next;
}

void
rc_sim_slurm_touch(struct rc_sim_slurm *m, int64_t now_ms, uint32_t at)
{
    uint64_t bit = 1ULL << (at % 64);
    bool was = (m->ready[at / 64] & bit) != 0;
    bool is = node_ready(&m->node[at]);

    if (is && !was)
        m->ready_count++;
    if (!is && was)
        m->ready_count--;
    m->ready[at / 64] = is ? m->ready[at / 64] | bit : m->ready[at / 64] & ~bit;
    rc_sim_heap_set(&m->node_due, at, node_next_ms(m, &m->node[at]));
    m->changed_s = now_ms / 1000;
    m->node[at].version = ++m->version;
    if (m->outside != NULL && !m->outside->is_changed[at]) {
        m->outside->is_changed[at] = 1;
        m->outside->changed[m->outside->changed_count++] = at;
    }
}

static struct rc_sim_host *
host_find(const struct rc_sim_slurm *m, const char *addr)
{
    uint64_t hash = rc_sim_hash_str(RC_SIM_HASH_SEED, addr);

    for (uint32_t i = 0; i < m->host_count; i++)
        if (m->host[i].hash == hash && strcmp(m->host[i].addr, addr) == 0)
            return &m->host[i];
    return NULL;
}

bool
rc_sim_slurm_host_boot(const struct rc_sim_slurm *m, const char *addr, int64_t *ret_boot_ms)
{
    const struct rc_sim_host *h = host_find(m, addr);

    if (h == NULL)
        return false;
    *ret_boot_ms = h->boot_ms;
    return true;
}

void
rc_sim_slurm_host_changed(struct rc_sim_slurm *m, int64_t now_ms, uint32_t at, bool up)
{
    struct rc_sim_node *n = &m->node[at];

    if (n->gone_ms == RC_SIM_NEVER && n->slurmd_start_ms > 0)
        n->response_ms = now_ms;
    if (n->gone_ms == RC_SIM_NEVER)
        n->gone_ms = now_ms;
    n->register_ms = up ? now_ms + m->config.register_ms : RC_SIM_NEVER;
    rc_sim_slurm_touch(m, now_ms, at);
}

void
rc_sim_slurm_host(struct rc_sim_slurm *m, int64_t now_ms, const char *addr, bool up,
                  int64_t boot_ms)
{
    uint64_t hash = rc_sim_hash_str(RC_SIM_HASH_SEED, addr);
    struct rc_sim_host *h = host_find(m, addr);

    if (!up && h == NULL)
        return;
    if (!up) {
        *h = m->host[--m->host_count];
    } else {
        if (h == NULL && m->host_count == m->config.hosts_max)
            return;
        if (h == NULL)
            h = &m->host[m->host_count++];
        h->hash = hash;
        h->boot_ms = boot_ms;
        (void)rc_text_set(h->addr, sizeof(h->addr), addr);
    }
    for (uint32_t i = 0; i < m->node_end; i++)
        if (m->addr_hash[i] == hash && strcmp(m->node[i].addr, addr) == 0)
            rc_sim_slurm_host_changed(m, now_ms, i, up);
}

/* slurmctld/node_mgr.c validate_node_specs(): what a registration does to the state. */
static void
node_register(struct rc_sim_slurm *m, int64_t at_ms, uint32_t at)
{
    struct rc_sim_node *n = &m->node[at];
    uint32_t back = m->config.return_to_service;
    int64_t boot_ms = 0;
    bool rebooted;

    n->register_ms = RC_SIM_NEVER;
    if (!rc_sim_slurm_host_boot(m, n->addr, &boot_ms)) {
        rc_sim_slurm_touch(m, at_ms, at);
        return;
    }
    rebooted = n->response_ms > 0 && boot_ms > n->response_ms;
    n->boot_ms = boot_ms;
    n->slurmd_start_ms = at_ms;
    n->response_ms = at_ms;
    n->gone_ms = RC_SIM_NEVER;
    n->flags &= ~(uint32_t)(RC_SN_NOT_RESPONDING | RC_SN_UNKNOWN);
    if ((n->flags & RC_SN_DOWN) != 0) {
        if (back == 2 || (back == 1 && strcmp(n->reason, "Not responding") == 0)) {
            n->flags &= ~(uint32_t)RC_SN_DOWN;
            if ((n->flags & RC_SN_DRAIN) == 0)
                n->reason[0] = '\0';
        }
    } else if (rebooted && back != 2) {
        rc_sim_slurm_down(m, at_ms, at, "Node unexpectedly rebooted");
    }
    rc_sim_slurm_touch(m, at_ms, at);
    rc_sim_slurm_schedule(m, at_ms);
}

void
rc_sim_slurm_down(struct rc_sim_slurm *m, int64_t now_ms, uint32_t at, const char *reason)
{
    struct rc_sim_node *n = &m->node[at];

    n->flags |= RC_SN_DOWN;
    if (n->reason[0] == '\0' && reason != NULL) {
        (void)rc_text_set(n->reason, sizeof(n->reason), reason);
        n->reason_ms = now_ms;
        n->reason_uid = 0;
    }
    rc_sim_slurm_touch(m, now_ms, at);
    rc_sim_slurm_job_lost(m, now_ms, at);
}

void
rc_sim_slurm_settle(struct rc_sim_slurm *m, int64_t now_ms)
{
    for (uint32_t i = 0; i < m->node_end; i++)
        if (m->node[i].name[0] != '\0' && m->node[i].register_ms != RC_SIM_NEVER)
            node_register(m, now_ms, i);
}

static void
node_due(struct rc_sim_slurm *m, int64_t at_ms, uint32_t at)
{
    struct rc_sim_node *n = &m->node[at];

    if (n->register_ms <= at_ms) {
        node_register(m, at_ms, at);
        return;
    }
    if (n->gone_ms + m->config.ping_ms <= at_ms)
        n->flags |= RC_SN_NOT_RESPONDING;
    if (m->config.slurmd_timeout_ms > 0 && (n->flags & RC_SN_DOWN) == 0 &&
        n->gone_ms + m->config.slurmd_timeout_ms <= at_ms)
        rc_sim_slurm_down(m, at_ms, at, "Not responding");
    rc_sim_slurm_touch(m, at_ms, at);
}

void
rc_sim_slurm_advance(struct rc_sim_slurm *m, int64_t now_ms)
{
    int64_t next;

    while ((next = rc_sim_slurm_next_ms(m)) <= now_ms) {
        if (rc_sim_heap_next_ms(&m->node_due) <= next)
            node_due(m, next, rc_sim_heap_first(&m->node_due));
        else
            rc_sim_slurm_jobs_due(m, next);
    }
}

int64_t
rc_sim_slurm_next_ms(const struct rc_sim_slurm *m)
{
    int64_t node = rc_sim_heap_next_ms(&m->node_due);
    int64_t job = rc_sim_heap_next_ms(&m->job_due);

    return node < job ? node : job;
}

static void
node_new(struct rc_sim_slurm *m, uint32_t at, const struct rc_sim_node_row *row)
{
    struct rc_sim_node *n = &m->node[at];

    *n = (struct rc_sim_node){.flags = RC_SN_UNKNOWN,
                              .gone_ms = RC_SIM_NEVER,
                              .register_ms = RC_SIM_NEVER,
                              .job = RC_SIM_NO_NODE,
                              .next = RC_SIM_NO_NODE};
    memcpy(n->name, row->name, sizeof(n->name));
    m->name_hash[at] = rc_sim_hash_str(RC_SIM_HASH_SEED, n->name);
    m->addr_hash[at] = 0;
    if (at == m->node_end)
        m->node_end++;
}

static void
node_configure(struct rc_sim_slurm *m, int64_t now_ms, uint32_t at,
               const struct rc_sim_node_row *row)
{
    struct rc_sim_node *n = &m->node[at];
    bool moved = strcmp(n->addr, row->addr) != 0;
    int64_t boot_ms;

    memcpy(n->addr, row->addr, sizeof(n->addr));
    memcpy(n->hostname, row->hostname, sizeof(n->hostname));
    memcpy(n->partition, row->partition, sizeof(n->partition));
    n->cpus = row->cpus;
    n->real_memory_mb = row->real_memory_mb;
    m->addr_hash[at] = rc_sim_hash_str(RC_SIM_HASH_SEED, n->addr);
    if (moved)
        rc_sim_slurm_host_changed(m, now_ms, at, rc_sim_slurm_host_boot(m, n->addr, &boot_ms));
    else
        rc_sim_slurm_touch(m, now_ms, at);
}

static void
node_remove(struct rc_sim_slurm *m, int64_t now_ms, uint32_t at)
{
    rc_sim_slurm_job_lost(m, now_ms, at);
    if (m->node[at].job != RC_SIM_NO_NODE) {
        m->node[at].flags |= RC_SN_DOWN; /* goes with the next reconfigure, without its job */
        rc_sim_slurm_touch(m, now_ms, at);
        return;
    }
    m->node[at].name[0] = '\0';
    m->name_hash[at] = m->addr_hash[at] = 0;
    rc_sim_slurm_touch(m, now_ms, at);
}

static bool
rows_name(const struct rc_sim_node_row *rows, uint32_t count, uint32_t hint, const char *name)
{
    if (hint < count && strcmp(rows[hint].name, name) == 0)
        return true; /* the usual case: same order as before */
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return true;
    return false;
}

bool
rc_sim_slurm_configure(struct rc_sim_slurm *m, int64_t now_ms, const struct rc_sim_node_row *rows,
                       uint32_t count)
{
    uint32_t hint = 0;

    if (count > m->config.nodes_max)
        return false;
    for (uint32_t i = 0; i < m->node_end; i++)
        if (m->node[i].name[0] != '\0' && !rows_name(rows, count, i, m->node[i].name))
            node_remove(m, now_ms, i);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = i < m->node_end && strcmp(m->node[i].name, rows[i].name) == 0
                          ? i
                          : rc_sim_slurm_find(m, rows[i].name);

        if (at == RC_SIM_NO_NODE) {
            while (hint < m->node_end && m->node[hint].name[0] != '\0')
                hint++;
            if (hint == m->config.nodes_max)
                return false;
            at = hint;
            node_new(m, at, &rows[i]);
        }
        node_configure(m, now_ms, at, &rows[i]);
    }
    rc_sim_slurm_schedule(m, now_ms);
    return true;
}

uint64_t
rc_sim_slurm_hash(const struct rc_sim_slurm *m)
{
    uint64_t h = rc_sim_hash_u64(RC_SIM_HASH_SEED, m->random.state);

    for (uint32_t i = 0; i < m->node_end; i++) {
        const struct rc_sim_node *n = &m->node[i];

        h = rc_sim_hash_str(h, n->name);
        h = rc_sim_hash_str(h, n->addr);
        h = rc_sim_hash_str(h, n->reason);
        h = rc_sim_hash_u64(h, (uint64_t)n->flags << 32 | n->job);
        h = rc_sim_hash_u64(h, (uint64_t)n->response_ms);
        h = rc_sim_hash_u64(h, (uint64_t)n->gone_ms);
        h = rc_sim_hash_u64(h, (uint64_t)n->register_ms);
    }
    return rc_sim_slurm_jobs_hash(m, rc_sim_hash_u64(h, m->host_count));
}
