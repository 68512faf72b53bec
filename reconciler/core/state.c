/* state.c - the block of state: layout, rows, growth, hash.
 *
 * Tables are laid out behind the header in a fixed order; buckets are chains of
 * slots, so look-ups never depend on addresses. Growth copies row by row into a
 * larger block and hangs the chains in anew. Failure mode: a full table gives
 * slot 0 and counts capacity_exceeded; nothing is overwritten. */
#include "reconciler/core/state.h"

#include <assert.h>
#include <string.h>

#include "reconciler/core/gang.h"
#include "reconciler/core/spare.h"

enum { STATE_VERSION = 18, ROWS_MAX = 1 << 24 };
static const uint64_t state_magic = 0x31657461747363ULL; /* "cstate1" */

static uint32_t
instances_room(const struct rc_capacity_limits *l)
{
    /* current, replacement and a dying one for some; strangers spoken of by messages */
    return l->nodes * 2 + 256;
}

static uint32_t
flights_room(const struct rc_capacity_limits *l)
{
    return l->incidents * 3 + 256;
}

static uint32_t
jobs_room(const struct rc_capacity_limits *l)
{
    return l->incidents * RC_NODE_JOBS_MAX; /* can never be full */
}

static uint32_t
power_of_two(uint32_t n)
{
    uint32_t p = 16;

    while (p < n) {
        p *= 2;
    }
    return p;
}

static size_t
place(struct rc_table *t, size_t at, uint32_t room, size_t row)
{
    at = (at + 63) & ~(size_t)63; /* a row's first line is whole where mem begins on one */
    if (t) {
        t->offset = at;
        t->room = room;
    }
    return at + room * row;
}

static size_t
lay_out(struct rc_state *s, const struct rc_capacity_limits *l)
{
    size_t at = sizeof *s;
    uint32_t instances = instances_room(l), flights = flights_room(l);

    at = place(s ? &s->nodes : NULL, at, l->nodes, sizeof(struct rc_node));
    at = place(s ? &s->healths : NULL, at, l->nodes, sizeof(struct rc_health));
    at = place(s ? &s->node_buckets : NULL, at, power_of_two(2 * l->nodes), sizeof(uint32_t));
    at = place(s ? &s->instances : NULL, at, instances, sizeof(struct rc_instance));
    at = place(s ? &s->instance_buckets : NULL, at, power_of_two(instances), sizeof(uint32_t));
    at = place(s ? &s->incidents : NULL, at, l->incidents, sizeof(struct rc_incident));
    at = place(s ? &s->flights : NULL, at, flights, sizeof(struct rc_flight));
    at = place(s ? &s->flight_buckets : NULL, at, power_of_two(flights), sizeof(uint32_t));
    at = place(s ? &s->messages : NULL, at, l->messages, sizeof(struct rc_message));
    at = place(s ? &s->message_buckets : NULL, at, power_of_two(l->messages), sizeof(uint32_t));
    at = place(s ? &s->heap : NULL, at, l->nodes + 1, sizeof(uint32_t));
    at = place(s ? &s->touch : NULL, at, l->nodes, sizeof(uint32_t));
    at = place(s ? &s->jobs : NULL, at, jobs_room(l), sizeof(struct rc_job_row));
    at = place(s ? &s->job_buckets : NULL, at, power_of_two(l->incidents), sizeof(uint32_t));
    return place(s ? &s->scopes : NULL, at, RC_SCOPE_ROWS, sizeof(struct rc_scope_row));
}

size_t
rc_state_size(const struct rc_capacity_limits *limits)
{
    return lay_out(NULL, limits);
}

struct rc_state *
rc_state_init(void *mem, const struct rc_capacity_limits *limits)
{
    struct rc_state *s = mem;

    assert(limits->nodes > 0 && limits->incidents > 0 && limits->messages > 0);
    assert(((uintptr_t)mem & 15) == 0);
    s->magic = state_magic;
    s->version = STATE_VERSION;
    s->limits = *limits;
    s->bytes = lay_out(s, limits);
    s->next_action = 1;
    s->next_incident = 1;
    s->lease_next_ms = 0;
    s->partition_count = 1; /* row 0 is the cluster */
    return s;
}

struct rc_state *
rc_state_check(void *mem, size_t size)
{
    struct rc_state *s = mem;

    if (size < sizeof *s || s->magic != state_magic || s->version != STATE_VERSION ||
        s->bytes != size) {
        return NULL;
    }
    const struct rc_capacity_limits *l = &s->limits;
    bool sane =
        l->nodes - 1 < ROWS_MAX && l->incidents - 1 < ROWS_MAX && l->messages - 1 < ROWS_MAX;
    return sane && rc_state_size(l) == size ? s : NULL;
}

/* ---- hashing ---- */

uint64_t
rc_hash_bytes(uint64_t h, const void *data, size_t len)
{
    const unsigned char *p = data;
    uint64_t word;

    for (; len >= 8; p += 8, len -= 8) {
        memcpy(&word, p, 8);
        h = (h ^ word) * 0x9fb21c651e98df25ULL;
        h ^= h >> 32;
    }
    for (; len; p++, len--) {
        h = (h ^ *p) * 0x100000001b3ULL;
    }
    return h ^ (h >> 29);
}

uint64_t
rc_hash_text(const char *text)
{
    return rc_hash_bytes(0xcbf29ce484222325ULL, text, strlen(text));
}

uint64_t
rc_state_hash(const struct rc_state *s)
{
    return rc_hash_bytes(0x51a7e, s, (size_t)s->bytes);
}

static uint32_t *
bucket_of(const struct rc_state *s, const struct rc_table *buckets, uint64_t hash)
{
    return &rc_table_u32(s, buckets)[hash & (buckets->room - 1)];
}

/* ---- nodes ---- */

uint32_t
rc_node_find(const struct rc_state *s, const char *name)
{
    uint32_t slot = *bucket_of(s, &s->node_buckets, rc_hash_text(name));

    while (slot && strcmp(rc_node_at(s, slot)->name, name) != 0) {
        slot = rc_node_at(s, slot)->next_in_bucket;
    }
    return slot;
}

static void
hang_node(struct rc_state *s, uint32_t slot)
{
    struct rc_node *n = rc_node_at(s, slot);
    uint32_t *bucket = bucket_of(s, &s->node_buckets, rc_hash_text(n->name));

    n->next_in_bucket = *bucket;
    *bucket = slot;
}

uint32_t
rc_node_get(struct rc_state *s, const char *name)
{
    uint32_t slot = rc_node_find(s, name);

    if (slot || !*name) {
        return slot;
    }
    if (s->node_count >= s->nodes.room) {
        s->counters.capacity_exceeded++;
        s->table_full = 1;
        return 0;
    }
    slot = ++s->node_count;
    struct rc_node *n = rc_node_at(s, slot);
    memset(n, 0, sizeof *n);
    rc_text_set(n->name, sizeof n->name, name);
    n->wake_ms = RC_NEVER;
    hang_node(s, slot);
    n->group = rc_spare_group(&s->cluster, name, &n->spare);
    s->unbound += n->group != 0;
    for (uint32_t g = 0; g < s->cluster.group_count && !n->group; g++) {
        if (rc_hostlist_has(s->cluster.group[g].nodes, name)) {
            n->group = g + 1;
            s->unbound++;
            s->group_nodes[g]++;
            rc_scope_at(s, 0)->nodes++;
        }
    }
    return slot;
}

/* ---- instances ---- */

uint32_t
rc_instance_find(const struct rc_state *s, const char *id)
{
    uint32_t slot = *bucket_of(s, &s->instance_buckets, rc_hash_text(id));

    while (slot && strcmp(rc_instance_at(s, slot)->id, id) != 0) {
        slot = rc_instance_at(s, slot)->next_in_bucket;
    }
    return slot;
}

static void
hang_instance(struct rc_state *s, uint32_t slot)
{
    struct rc_instance *i = rc_instance_at(s, slot);
    uint32_t *bucket = bucket_of(s, &s->instance_buckets, rc_hash_text(i->id));

    i->next_in_bucket = *bucket;
    *bucket = slot;
}

uint32_t
rc_instance_get(struct rc_state *s, const char *id)
{
    uint32_t slot = rc_instance_find(s, id);

    if (slot || !*id) {
        return slot;
    }
    if (s->instance_free) {
        slot = s->instance_free;
        s->instance_free = rc_instance_at(s, slot)->next_free;
    } else if (s->instance_used < s->instances.room) {
        slot = ++s->instance_used;
    } else {
        s->counters.capacity_exceeded++;
        s->table_full = 1;
        return 0;
    }
    struct rc_instance *i = rc_instance_at(s, slot);
    memset(i, 0, sizeof *i);
    i->used = 1;
    i->launched_ms = s->now_ms;
    s->strangers++;
    rc_text_set(i->id, sizeof i->id, id);
    hang_instance(s, slot);
    return slot;
}

void
rc_instance_free(struct rc_state *s, uint32_t slot)
{
    struct rc_instance *i = rc_instance_at(s, slot);
    uint32_t *at = bucket_of(s, &s->instance_buckets, rc_hash_text(i->id));

    assert(i->used && !i->node);
    while (*at != slot) {
        at = &rc_instance_at(s, *at)->next_in_bucket;
    }
    *at = i->next_in_bucket;
    s->strangers -= !i->known;
    memset(i, 0, sizeof *i);
    i->next_free = s->instance_free;
    s->instance_free = slot;
}

/* ---- incidents ---- */

uint32_t
rc_incident_find(const struct rc_state *s, uint32_t id)
{
    for (uint32_t slot = 1; id && slot <= s->incident_used; slot++) {
        if (rc_incident_at(s, slot)->id == id) {
            return slot;
        }
    }
    return 0;
}

uint32_t
rc_incident_new(struct rc_state *s, uint32_t id)
{
    uint32_t slot = s->incident_free;

    assert(id > 0);
    if (slot) {
        s->incident_free = rc_incident_at(s, slot)->next_free;
    } else if (s->incident_used < s->incidents.room) {
        slot = ++s->incident_used;
    } else {
        s->counters.capacity_exceeded++;
        s->table_full = 1;
        return 0;
    }
    struct rc_incident *i = rc_incident_at(s, slot);
    memset(i, 0, sizeof *i);
    i->id = id;
    s->open_incidents++;
    return slot;
}

void
rc_incident_free(struct rc_state *s, uint32_t slot)
{
    struct rc_incident *i = rc_incident_at(s, slot);

    assert(i->id && s->open_incidents > 0);
    memset(i, 0, sizeof *i);
    i->next_free = s->incident_free;
    s->incident_free = slot;
    s->open_incidents--;
}

/* ---- actions in flight ---- */

static uint32_t *
flight_bucket(const struct rc_state *s, uint64_t id)
{
    return bucket_of(s, &s->flight_buckets, id);
}

uint32_t
rc_flight_find(const struct rc_state *s, uint64_t id)
{
    uint32_t slot = id ? *flight_bucket(s, id) : 0;

    while (slot && rc_flight_at(s, slot)->id != id) {
        slot = rc_flight_at(s, slot)->next_in_bucket;
    }
    return slot;
}

uint32_t
rc_flight_new(struct rc_state *s, uint64_t id)
{
    uint32_t slot = s->flight_free, *bucket = flight_bucket(s, id);

    if (slot) {
        s->flight_free = rc_flight_at(s, slot)->next_free;
    } else if (s->flight_used < s->flights.room) {
        slot = ++s->flight_used;
    } else {
        s->counters.capacity_exceeded++;
        s->table_full = 1;
        return 0;
    }
    struct rc_flight *f = rc_flight_at(s, slot);
    memset(f, 0, sizeof *f);
    f->id = id;
    f->next_in_bucket = *bucket;
    *bucket = slot;
    s->flight_count++;
    return slot;
}

void
rc_flight_free(struct rc_state *s, uint32_t slot)
{
    struct rc_flight *f = rc_flight_at(s, slot);
    uint32_t *at = flight_bucket(s, f->id);

    while (*at != slot) {
        at = &rc_flight_at(s, *at)->next_in_bucket;
    }
    *at = f->next_in_bucket;
    memset(f, 0, sizeof *f);
    f->next_free = s->flight_free;
    s->flight_free = slot;
    s->flight_count--;
}

/* ---- scopes ---- */

static uint32_t
scope_row(struct rc_state *s, const char *name, uint32_t first, uint32_t *count, uint32_t room)
{
    for (uint32_t i = 0; i < *count; i++) {
        if (strcmp(rc_scope_at(s, first + i)->name, name) == 0) {
            return first + i;
        }
    }
    if (*count >= room || !*name) {
        return 0; /* an unnamed or overfull scope is judged by the cluster's own row */
    }
    uint32_t row = first + (*count)++;
    rc_text_set(rc_scope_at(s, row)->name, RC_PARTITION_LEN, name);
    return row;
}

uint32_t
rc_partition_row(struct rc_state *s, const char *name)
{
    uint32_t others = s->partition_count - 1;
    uint32_t row = scope_row(s, name, 1, &others, RC_PARTITIONS_MAX);

    s->partition_count = others + 1;
    return row;
}

uint32_t
rc_zone_row(struct rc_state *s, const char *name)
{
    return scope_row(s, name, 1 + RC_PARTITIONS_MAX, &s->zone_count, RC_ZONES_MAX);
}

/* ---- growth ---- */

int
rc_state_wants_growth(const struct rc_state *s, struct rc_capacity_limits *ret_limits)
{
    struct rc_capacity_limits l = s->limits;

    if (s->node_count + 64 > l.nodes || s->instance_used + 64 > s->instances.room) {
        l.nodes = l.nodes * 2 + 64;
    }
    if (s->open_incidents + 64 > l.incidents && l.incidents < l.nodes) {
        l.incidents = l.incidents * 2 + 64;
    }
    *ret_limits = l;
    return l.nodes != s->limits.nodes || l.incidents != s->limits.incidents;
}

static void
copy_rows(struct rc_state *to, const struct rc_table *t, const struct rc_state *from,
          const struct rc_table *f, uint32_t rows, size_t size)
{
    if (rows) {
        memcpy(rc_row_at(to, t, 0, size), rc_row_at(from, f, 0, size), rows * size);
    }
}

static void
hang_all(struct rc_state *s)
{
    for (uint32_t i = 1; i <= s->node_count; i++) {
        hang_node(s, i);
    }
    for (uint32_t i = 1; i <= s->instance_used; i++) {
        if (rc_instance_at(s, i)->used) {
            hang_instance(s, i);
        }
    }
    for (uint32_t i = 1; i <= s->flight_used; i++) {
        struct rc_flight *f = rc_flight_at(s, i);
        if (f->id) {
            f->next_in_bucket = *flight_bucket(s, f->id);
            *flight_bucket(s, f->id) = i;
        }
    }
    rc_gang_hang_all(s);
}

struct rc_state *
rc_state_grow(void *mem, const struct rc_capacity_limits *limits, const struct rc_state *from)
{
    struct rc_state *s = mem;

    assert(limits->nodes >= from->limits.nodes && limits->incidents >= from->limits.incidents);
    assert(limits->messages == from->limits.messages && from->touch_count == 0);
    *s = *from;
    s->limits = *limits;
    s->bytes = lay_out(s, limits);
    s->touch_head = 0;
    s->table_full = 0;
    copy_rows(s, &s->nodes, from, &from->nodes, from->node_count, sizeof(struct rc_node));
    copy_rows(s, &s->healths, from, &from->healths, from->node_count, sizeof(struct rc_health));
    copy_rows(s, &s->instances, from, &from->instances, from->instance_used,
              sizeof(struct rc_instance));
    copy_rows(s, &s->incidents, from, &from->incidents, from->incident_used,
              sizeof(struct rc_incident));
    copy_rows(s, &s->flights, from, &from->flights, from->flight_used, sizeof(struct rc_flight));
    copy_rows(s, &s->jobs, from, &from->jobs, from->job_used, sizeof(struct rc_job_row));
    copy_rows(s, &s->messages, from, &from->messages, from->messages.room,
              sizeof(struct rc_message));
    copy_rows(s, &s->message_buckets, from, &from->message_buckets, from->message_buckets.room,
              sizeof(uint32_t));
    copy_rows(s, &s->heap, from, &from->heap, from->heap_count + 1, sizeof(uint32_t));
    copy_rows(s, &s->scopes, from, &from->scopes, RC_SCOPE_ROWS, sizeof(struct rc_scope_row));
    hang_all(s);
    return s;
}
