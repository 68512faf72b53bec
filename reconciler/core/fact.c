/* fact.c - see fact.h. The name -> instance binding is the generation: it
 * changes only when slurmctld serves another address, because slurm.conf is the
 * admission list. A fact about an instance that is not bound stays on that
 * instance's row and can never be taken for its successor's. */
#include "reconciler/core/fact.h"

#include <string.h>

#include "reconciler/core/lemon.h"
#include "reconciler/core/spare.h"
#include "reconciler/core/timers.h"
#include "reconciler/core/turn.h"

uint32_t
rc_fact_instance(struct rc_state *s, const struct rc_event *ev)
{
    uint32_t slot = *ev->instance ? rc_instance_get(s, ev->instance) : 0;

    if (!slot) {
        return 0;
    }
    struct rc_instance *i = rc_instance_at(s, slot);
    i->seen_ms = s->now_ms;
    if (!i->known) {
        s->counters.unknown_instances += ev->msg != 0;
        i->sweep = s->sweep; /* two complete sweeps without it and the row is free again */
    }
    return slot;
}

void
rc_fact_touch(struct rc_state *s, const struct rc_event *ev, uint32_t instance)
{
    uint32_t node = instance ? rc_instance_at(s, instance)->node : 0;

    if (!node) {
        return;
    }
    if (rc_node_at(s, node)->instance != instance && !rc_node_at(s, node)->incident) {
        s->counters.stale_facts++;
    }
    rc_touch(s, node);
    if (rc_node_at(s, node)->group) {
        rc_ack_effect(s, ev->msg);
    }
}

void
rc_fact_taken_back(struct rc_state *s, const struct rc_event *ev, int64_t deadline_wall_ms,
                   const char *code)
{
    enum { NOTICE_MS = 120000 };
    uint32_t slot = rc_fact_instance(s, ev);

    if (!slot) {
        return;
    }
    struct rc_instance_faults *f = &rc_instance_at(s, slot)->faults;
    f->interruption = 1;
    f->interruption_wall_ms = deadline_wall_ms ? deadline_wall_ms : ev->wall_ms + NOTICE_MS;
    rc_text_set(f->code, sizeof f->code, code);
    rc_fact_touch(s, ev, slot);
}

static void
in_scope(struct rc_state *s, const struct rc_node *n, uint32_t row, bool in)
{
    struct rc_scope_row *r = rc_scope_at(s, row);

    r->nodes += n->group && !n->spare ? (in ? 1U : -1U) : 0;
    if (n->incident) {
        rc_budget_in_scope(r, rc_incident_at(s, n->incident), in);
    }
}

static void
move_scope(struct rc_state *s, const struct rc_node *n, uint32_t from, uint32_t to)
{
    if (from) {
        in_scope(s, n, from, false);
    }
    if (to) {
        in_scope(s, n, to, true);
    }
}

void
rc_node_set_partition(struct rc_state *s, uint32_t node, const char *partition)
{
    struct rc_node *n = rc_node_at(s, node);

    if (strcmp(n->partition, partition) == 0) {
        return;
    }
    rc_text_set(n->partition, sizeof n->partition, partition);
    uint32_t row = rc_partition_row(s, partition);
    move_scope(s, n, n->partition_row, row);
    n->partition_row = row;
    rc_history_scope_known(s, n);
}

static void
set_zone(struct rc_state *s, uint32_t node, const char *az)
{
    struct rc_node *n = rc_node_at(s, node);
    uint32_t row = rc_zone_row(s, az);

    if (row != n->zone_row) {
        move_scope(s, n, n->zone_row, row);
        n->zone_row = row;
        rc_history_scope_known(s, n);
    }
}

static void
leave_chain(struct rc_state *s, uint32_t slot)
{
    struct rc_instance *i = rc_instance_at(s, slot);
    uint32_t *at = &rc_node_at(s, i->node)->instances;

    while (*at != slot) {
        at = &rc_instance_at(s, *at)->next_of_node;
    }
    *at = i->next_of_node;
    i->next_of_node = 0;
    i->node = 0;
}

void
rc_instance_link(struct rc_state *s, uint32_t slot, uint32_t node)
{
    struct rc_instance *i = rc_instance_at(s, slot);

    if (!i->node) {
        i->node = node;
        i->next_of_node = rc_node_at(s, node)->instances;
        rc_node_at(s, node)->instances = slot;
    }
}

/* An empty place is news; one whose spare was of use starts its count of fillings anew. */
static void
leave_place(struct rc_state *s, uint32_t place, bool used)
{
    struct rc_node *p = rc_node_at(s, place);

    if (used) {
        p->repair_count = 0;
        memset(p->repair_ms, 0, sizeof p->repair_ms);
    }
    rc_touch(s, place);
}

void
rc_instance_set_node(struct rc_state *s, uint32_t slot, const char *name)
{
    struct rc_instance *i = rc_instance_at(s, slot);
    uint32_t node = *name && i->ours ? rc_node_get(s, name) : 0, old = i->node;

    if (node == old) {
        return;
    }
    if (old) {
        leave_chain(s, slot);
        if (rc_node_at(s, old)->instance == slot) {
            rc_node_at(s, old)->instance = 0;
            s->unbound += rc_node_at(s, old)->group != 0;
        }
        rc_node_bind(s, old);
        if (rc_node_at(s, old)->spare) {
            leave_place(s, old, node != 0);
        }
    }
    if (node) {
        rc_instance_link(s, slot, node);
    }
}

/* A host name in NodeAddr tells nothing; a lone living instance does. */
static bool
serves_address(const struct rc_node *n)
{
    return strchr(n->addr, ':') || (*n->addr >= '0' && *n->addr <= '9');
}

static uint32_t
candidate(const struct rc_state *s, const struct rc_node *n)
{
    uint32_t living = 0, by_address = 0, last = 0;

    for (uint32_t slot = n->instances; slot; slot = rc_instance_at(s, slot)->next_of_node) {
        const struct rc_instance *i = rc_instance_at(s, slot);
        if (*n->addr && strcmp(i->addr, n->addr) == 0) {
            by_address = slot;
        }
        if (i->state == RC_INST_RUNNING || i->state == RC_INST_PENDING) {
            living++;
            last = slot;
        }
    }
    if (by_address) {
        return by_address;
    }
    if (n->spare) { /* slurmctld serves no address for a place: what stands there is its own */
        bool stands = n->instance && rc_instance_at(s, n->instance)->state <= RC_INST_RUNNING;
        return stands ? n->instance : last;
    }
    return living == 1 && *n->addr && !serves_address(n) ? last : 0;
}

/* slurmctld serves another address than this instance has: another leader may have given the name
 * to one that we have not been told of, and what is known of this one says nothing of the node. */
static bool
is_elsewhere(const struct rc_node *n, const struct rc_instance *i)
{
    return !n->spare && *i->addr && serves_address(n) && strcmp(i->addr, n->addr) != 0;
}

/* The dead are shown without their address; the incident knows whose place this was, until its
 * replacement has the name. */
static uint32_t
bound_by_incident(const struct rc_state *s, uint32_t node, const struct rc_node *n)
{
    const struct rc_incident *inc = rc_incident_at(s, n->incident);
    uint32_t old = inc->new_instance && inc->phase >= RC_PHASE_JOIN ? 0 : inc->old_instance;

    return old && rc_instance_at(s, old)->node == node && !is_elsewhere(n, rc_instance_at(s, old))
               ? old
               : 0;
}

void
rc_node_bind(struct rc_state *s, uint32_t node)
{
    struct rc_node *n = rc_node_at(s, node);
    uint32_t slot = candidate(s, n);

    if (!slot && n->instance && is_elsewhere(n, rc_instance_at(s, n->instance))) {
        rc_lemon_another_host(s, node);
        rc_instance_at(s, n->instance)->had_name = 1;
        n->instance = 0;
        s->unbound += n->group != 0;
    }
    if (!slot && !n->instance && n->incident) {
        slot = bound_by_incident(s, node, n);
    }
    if (!slot || slot == n->instance) {
        /* Terminated instances lose their address in EC2's replies: what was bound stays bound
         * until slurmctld serves another address. */
        if (slot) {
            n->unbound_since_ms = 0;
        }
        return;
    }
    s->unbound -= !n->instance && n->group;
    if (n->instance) {
        rc_lemon_another_host(s, node);
        rc_instance_at(s, n->instance)->had_name = 1;
    }
    rc_instance_at(s, slot)->had_name = 0;
    n->instance = slot;
    n->generation++;
    n->bound_ms = s->now_ms;
    n->unbound_since_ms = 0;
    memset(&n->standing, 0, sizeof n->standing);
    set_zone(s, node, rc_instance_at(s, slot)->az);
    rc_touch(s, node);
}

enum { NOTICE_CUT_MS = 999 }; /* EventBridge tells whole seconds, and cuts the rest off */

static int64_t
later_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void
rc_instance_started(struct rc_state *s, uint32_t slot)
{
    struct rc_instance *i = rc_instance_at(s, slot);

    i->started_wall_ms = later_of(i->started_wall_ms, s->now_wall_ms);
}

/* DescribeInstances is consistent only in the end, so "running" that it showed does not make a
 * stop that was told before untrue; a start does. Within one life states only go forward. */
bool
rc_instance_is_past(const struct rc_instance *i, enum rc_instance_state state, int64_t told_wall_ms)
{
    bool stop = state == RC_INST_STOPPING || state == RC_INST_STOPPED;

    if (!told_wall_ms || state > RC_INST_STOPPED) {
        return false; /* an end is never over */
    }
    if (stop && told_wall_ms < later_of(i->launched_wall_ms, i->started_wall_ms)) {
        return true; /* also of the same second: what starts does not stop at once */
    }
    return state < (enum rc_instance_state)i->state &&
           told_wall_ms + NOTICE_CUT_MS < i->state_wall_ms;
}

void
rc_instance_set_state(struct rc_state *s, uint32_t slot, enum rc_instance_state state,
                      int64_t wall_ms)
{
    struct rc_instance *i = rc_instance_at(s, slot);
    bool dying = i->state == RC_INST_SHUTTING_DOWN || i->state == RC_INST_TERMINATED;

    if (state == RC_INST_UNKNOWN || (dying && state < (enum rc_instance_state)i->state)) {
        return;
    }
    bool stops = i->state == RC_INST_STOPPING || i->state == RC_INST_STOPPED;
    if (stops && (state == RC_INST_PENDING || state == RC_INST_RUNNING)) {
        i->started_wall_ms = later_of(i->started_wall_ms, wall_ms);
    }
    if (i->state == RC_INST_STOPPED && state != RC_INST_STOPPED) {
        /* Started again on another host: what the checks said was about the old one. */
        i->faults.system = i->faults.instance = RC_CHECK_UNKNOWN;
        i->faults.schedule = RC_SCHED_NONE;
        i->faults.schedule_seen = 0;
    }
    if (i->state != (uint32_t)state) {
        i->state_wall_ms = wall_ms;
    }
    i->state = (uint32_t)state;
}

void
rc_fact_incident_seen(struct rc_state *s, uint32_t incident)
{
    if (incident >= s->next_incident && incident <= RC_INCIDENT_MAX) {
        s->next_incident = incident + 1;
    }
}

void
rc_fact_adopt_launched(struct rc_state *s, uint32_t slot)
{
    const struct rc_instance *i = rc_instance_at(s, slot);
    const struct rc_node *n = rc_node_at(s, i->node);
    struct rc_incident *inc = n->incident ? rc_incident_at(s, n->incident) : NULL;

    if (inc && !inc->new_instance && inc->old_instance != slot && i->tag_incident == inc->id &&
        i->tag_attempt == inc->attempt && i->state <= RC_INST_RUNNING) {
        inc->new_instance = slot;
    }
}

/* A spare that has a node's name never goes back: EC2 is consistent only in the end, and a
 * launch that is asked for again is answered by the instance that it once launched. */
static bool
tells_old_tags(const struct rc_state *s, const struct rc_instance *i, bool known,
               const struct rc_ev_instance *row)
{
    uint32_t place;

    return known && i->node && !rc_node_at(s, i->node)->spare &&
           rc_spare_group(&s->cluster, row->node, &place);
}

int64_t
rc_instance_age_ms(const struct rc_state *s, const struct rc_instance *i)
{
    return s->now_ms - i->launched_ms;
}

void
rc_instance_describe(struct rc_state *s, uint32_t slot, const struct rc_ev_instance *row)
{
    struct rc_instance *i = rc_instance_at(s, slot);

    bool known = i->known;
    s->strangers -= !known;
    i->known = 1;
    i->ours = row->ours;
    i->missing_since_ms = 0;
    if (row->launched_wall_ms > i->launched_wall_ms) {
        i->launched_ms = s->now_ms; /* new to us, or started again */
    }
    i->launched_wall_ms = row->launched_wall_ms;
    bool old_tags = tells_old_tags(s, i, known, row);
    if (!old_tags) {
        i->tag_incident = row->tag_incident;
        i->tag_attempt = row->tag_attempt;
    }
    if (*row->addr) {
        memcpy(i->addr, row->addr, sizeof i->addr); /* terminated ones are shown without */
    }
    memcpy(i->subnet, row->subnet, sizeof i->subnet);
    memcpy(i->az, row->az, sizeof i->az);
    memcpy(i->type, row->type, sizeof i->type);
    rc_instance_set_state(s, slot, (enum rc_instance_state)row->state, s->now_wall_ms);
    if (!old_tags) {
        rc_instance_set_node(s, slot, row->node);
    }
    if (i->ours) {
        rc_fact_incident_seen(s, row->tag_incident);
    }
    if (i->node) {
        rc_fact_adopt_launched(s, slot);
        rc_node_bind(s, i->node);
    }
}

static bool
is_referred_to(const struct rc_state *s, uint32_t slot)
{
    const struct rc_instance *i = rc_instance_at(s, slot);
    const struct rc_node *n = i->node ? rc_node_at(s, i->node) : NULL;

    if (!n) {
        return false;
    }
    const struct rc_incident *inc = n->incident ? rc_incident_at(s, n->incident) : NULL;
    return n->instance == slot || (inc && (inc->old_instance == slot || inc->new_instance == slot));
}

/* A controller launched a moment ago: the pass may have begun before, and EC2 shows it late.
 * Taken for lost, a second one would be launched; the next pass tells of it again. */
static bool
may_be_late(const struct rc_state *s, const struct rc_instance *i)
{
    return i->node && i->state <= RC_INST_RUNNING &&
           rc_pair_find(&s->pair, rc_node_at(s, i->node)->name) < s->pair.count &&
           rc_instance_age_ms(s, i) < s->policy.timeouts.missing_ms;
}

void
rc_instance_absent(struct rc_state *s, uint32_t slot)
{
    struct rc_instance *i = rc_instance_at(s, slot);

    if (may_be_late(s, i)) {
        return;
    }
    if (!i->missing_since_ms) {
        i->missing_since_ms = s->now_ms;
    }
    if (is_referred_to(s, slot)) {
        rc_touch(s, i->node);
        return;
    }
    rc_instance_set_node(s, slot, "");
    rc_instance_free(s, slot);
}

static uint32_t
group_of(const struct rc_state *s, const char *name)
{
    for (uint32_t g = 0; g < s->cluster.group_count; g++) {
        if (rc_hostlist_has(s->cluster.group[g].nodes, name)) {
            return g + 1;
        }
    }
    return 0;
}

static void
count_in_scopes(struct rc_state *s, const struct rc_node *n)
{
    const uint32_t rows[] = {0, n->partition_row, n->zone_row};

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!i || rows[i]) {
            in_scope(s, n, rows[i], true);
        }
    }
}

void
rc_nodes_regroup(struct rc_state *s)
{
    for (uint32_t row = 0; row < RC_SCOPE_ROWS; row++) {
        struct rc_scope_row *r = rc_scope_at(s, row);
        r->nodes = r->out = r->quarantined = 0;
    }
    s->unbound = 0;
    memset(s->group_nodes, 0, sizeof s->group_nodes);
    for (uint32_t node = 1; node <= s->node_count; node++) {
        struct rc_node *n = rc_node_at(s, node);
        uint32_t group = rc_spare_group(&s->cluster, n->name, &n->spare);
        group = group ? group : group_of(s, n->name);
        if (group || !n->incident || n->group > s->cluster.group_count) {
            n->group = group; /* else an open incident ends in the group it began in */
        }
        if (n->group && !n->spare) {
            s->group_nodes[n->group - 1]++;
        }
        count_in_scopes(s, n);
        s->unbound += n->group && !n->instance;
    }
}

void
rc_touch_all(struct rc_state *s)
{
    for (uint32_t node = 1; node <= s->node_count; node++) {
        rc_touch(s, node);
    }
}
