/* state_copy.c - a state into another block of the same limits, touching only what is used.
 *
 * A block is large because its tables are sized for bad days, and nearly all of it is zero.
 * Rows above a table's high-water mark were never written, so copying and clearing the rows
 * below it is the same as doing it to the whole block (tests/unit/core/test_state.c). The
 * loaders leave zero behind the last group and rule. */
#include "reconciler/core/state.h"

#include <assert.h>
#include <string.h>

enum { TABLES = 15, SPANS_MAX = 24 };

_Static_assert((offsetof(struct rc_state, cluster) - offsetof(struct rc_state, nodes)) /
                       sizeof(struct rc_table) ==
                   TABLES,
               "a table that comes or goes needs its line in spans_in_use() below");

struct span {
    size_t at, len;
};

static void
add_rows(struct span *v, uint32_t *count, const struct rc_table *t, uint32_t rows, size_t row)
{
    assert(*count < SPANS_MAX && rows <= t->room);
    v[(*count)++] = (struct span){(size_t)t->offset, rows * row};
}

/* The header less what cluster and policy have room for; they are most of it. */
static void
add_header(const struct rc_state *s, struct span *v, uint32_t *count)
{
    const size_t groups = offsetof(struct rc_state, cluster.group),
                 behind = offsetof(struct rc_state, cluster.controller_count),
                 rules = offsetof(struct rc_state, policy.rule);

    v[(*count)++] = (struct span){0, groups};
    v[(*count)++] = (struct span){groups, s->cluster.group_count * sizeof(struct rc_group)};
    v[(*count)++] = (struct span){behind, rules - behind};
    v[(*count)++] = (struct span){rules, s->policy.rule_count * sizeof(struct rc_rule)};
}

/* Everything that was ever written. */
static uint32_t
spans_in_use(const struct rc_state *s, struct span *v)
{
    const size_t u32 = sizeof(uint32_t);
    uint32_t n = 0;

    add_header(s, v, &n);
    add_rows(v, &n, &s->nodes, s->node_count, sizeof(struct rc_node));
    add_rows(v, &n, &s->healths, s->node_count, sizeof(struct rc_health));
    add_rows(v, &n, &s->node_buckets, s->node_buckets.room, u32);
    add_rows(v, &n, &s->instances, s->instance_used, sizeof(struct rc_instance));
    add_rows(v, &n, &s->instance_buckets, s->instance_buckets.room, u32);
    add_rows(v, &n, &s->incidents, s->incident_used, sizeof(struct rc_incident));
    add_rows(v, &n, &s->flights, s->flight_used, sizeof(struct rc_flight));
    add_rows(v, &n, &s->flight_buckets, s->flight_buckets.room, u32);
    add_rows(v, &n, &s->messages, s->messages.room, sizeof(struct rc_message));
    add_rows(v, &n, &s->message_buckets, s->message_buckets.room, u32);
    add_rows(v, &n, &s->heap, s->heap.room, u32);
    add_rows(v, &n, &s->touch, s->touch.room, u32);
    add_rows(v, &n, &s->scopes, s->partition_count, sizeof(struct rc_scope_row));
    add_rows(v, &n, &s->jobs, s->job_used, sizeof(struct rc_job_row));
    add_rows(v, &n, &s->job_buckets, s->job_buckets.room, u32);
    /* zones stand behind the room of the partitions */
    v[n].at = (size_t)s->scopes.offset + (1 + RC_PARTITIONS_MAX) * sizeof(struct rc_scope_row);
    v[n].len = s->zone_count * sizeof(struct rc_scope_row);
    return n + 1;
}

void
rc_state_clear(struct rc_state *s)
{
    struct span v[SPANS_MAX];
    uint32_t n = s->bytes ? spans_in_use(s, v) : 0;

    for (uint32_t i = 0; i < n; i++) {
        memset((char *)s + v[i].at, 0, v[i].len);
    }
}

/* Spans of one table begin at the same place in both. */
void
rc_state_copy(struct rc_state *to, const struct rc_state *from)
{
    struct span v[SPANS_MAX], old[SPANS_MAX] = {0};
    uint32_t n = spans_in_use(from, v);

    assert(!to->bytes || to->bytes == from->bytes);
    if (to->bytes) {
        spans_in_use(to, old);
    }
    for (uint32_t i = 0; i < n; i++) {
        size_t used = to->bytes ? old[i].len : 0;
        memcpy((char *)to + v[i].at, (const char *)from + v[i].at, v[i].len);
        if (used > v[i].len) {
            memset((char *)to + v[i].at + v[i].len, 0, used - v[i].len);
        }
    }
}
