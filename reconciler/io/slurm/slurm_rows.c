/* slurm_rows.c - see slurm_rows.h.
 *
 * The diff keeps a hash of what was last shown of each node, not the row itself: the
 * chance that a change keeps its 64-bit hash is nil, and 10,000 nodes stay below 1 MB. */
#include "reconciler/io/slurm/slurm_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct shown {
    char name[RC_NODE_LEN];
    uint64_t hash;
    uint64_t faults; /* of the agent's list, FAULTS_NONE or FAULTS_UNKNOWN */
    int64_t stale;   /* time of a foreign reason that stands on it in service, 0 = none */
    uint32_t pass;   /* the last one that showed it */
    uint32_t pad_;
};

/* Most nodes have no faults: an empty list is news only after another one, or where nobody
 * knows what was told before. */
enum { FAULTS_NONE = 0, FAULTS_UNKNOWN = 1 };

struct rc_slurm_diff {
    bool faults_unknown; /* of nodes that were not shown yet */
    struct shown *node;
    uint32_t *slot; /* open addressing: index + 1 into node, 0 = free */
    uint32_t count, room, slots;
    uint32_t pass;
};

static uint64_t
diff_hash(uint64_t hash, const void *bytes, size_t len)
{
    const unsigned char *c = bytes;

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ c[i]) * 0x100000001b3U; /* FNV-1a */
    }
    return hash;
}

static uint64_t
diff_hash_name(const char *name)
{
    return diff_hash(0xcbf29ce484222325U, name, strlen(name));
}

/* Seconds since the epoch as ms; slurmctld says 0 for "never". */
static bool
row_time(const struct rc_line *row, const char *key, int64_t *ret_ms)
{
    int64_t seconds = 0;

    if (rc_line_get(row, key) && !rc_line_i64(row, key, &seconds)) {
        return false;
    }
    *ret_ms = seconds > 0 && seconds < INT64_MAX / 1000 ? seconds * 1000 : 0;
    return true;
}

/* A reason may be longer than our room; its beginning tells owner and incident. */
static void
copy_cut_text(char *dst, uint32_t room, const char *src)
{
    size_t len = strlen(src);

    len = len < room ? len : room - 1;
    memcpy(dst, src, len);
    dst[len] = '\0';
}

/* A reason speaks only for a node that is out of service (or about to be rebooted). */
static void
set_reason_owner(const struct rc_line *row, uint32_t slurm_uid, struct rc_ev_slurm_node *n,
                 int64_t *ret_foreign_time)
{
    const char *reason = rc_line_text(row, "reason", "");
    uint32_t reason_uid = (uint32_t)rc_line_number(row, "reason_uid", UINT32_MAX, UINT32_MAX);
    enum rc_owner owner = rc_slurm_owner(reason, reason_uid, slurm_uid);
    int64_t time = 0;

    if (n->flags & (RC_SN_DRAIN | RC_SN_DOWN | RC_SN_FAIL | RC_SN_REBOOT)) {
        n->owner = owner;
        (void)rc_slurm_reason_ours(reason, &n->reason_incident, NULL);
    } else {
        n->owner = RC_OWNER_NONE;
    }
    if (owner == RC_OWNER_FOREIGN && !rc_line_i64(row, "reason_time", &time)) {
        time = 0;
    }
    if (ret_foreign_time) {
        *ret_foreign_time = time;
    }
}

/* "77:64,78:1": what cannot be read ends the list, for it only weighs the node. Without
 * jobs= the flags tell whether there is at least one. */
static void
set_jobs(const struct rc_line *row, struct rc_ev_slurm_node *n)
{
    bool busy = (n->flags & (RC_SN_ALLOCATED | RC_SN_COMPLETING)) != 0;
    const char *at = rc_line_text(row, "job", "");

    n->jobs = (uint32_t)rc_line_number(row, "jobs", UINT32_MAX, busy);
    n->jobs = busy && !n->jobs ? 1 : n->jobs; /* read before the job was */
    for (uint32_t i = 0; i < RC_NODE_JOBS_MAX && *at; i++) {
        char *end;
        unsigned long id = strtoul(at, &end, 10);
        unsigned long nodes = *end == ':' ? strtoul(end + 1, &end, 10) : 0;

        if (id == 0 || id > UINT32_MAX || nodes == 0 || nodes > UINT32_MAX ||
            (*end && *end != ',')) {
            return;
        }
        n->job[i] = (struct rc_node_job){(uint32_t)id, (uint32_t)nodes};
        at = end + (*end == ',');
    }
}

/* "77,78", in the same way. */
static void
set_excluders(const struct rc_line *row, struct rc_ev_slurm_node *n)
{
    const char *at = rc_line_text(row, "excluders", "");

    for (uint32_t i = 0; i < RC_NODE_EXCLUDERS_MAX && *at; i++) {
        char *end;
        unsigned long id = strtoul(at, &end, 10);

        if (id == 0 || id > UINT32_MAX || (*end && *end != ',')) {
            return;
        }
        n->excluder[i] = (uint32_t)id;
        at = end + (*end == ',');
    }
}

enum rc_err
rc_slurm_node_decode(const struct rc_line *row, uint32_t slurm_uid, struct rc_event *ret,
                     int64_t *ret_foreign_time, struct rc_error *e)
{
    struct rc_ev_slurm_node *n = &ret->u.slurm;
    const char *name = rc_line_text(row, "name", "");
    const char *reason = rc_line_text(row, "reason", "");

    rc_event_init(ret, RC_EV_SLURM_NODE);
    if (!*name || !rc_text_set(ret->node, sizeof ret->node, name)) {
        return rc_fail(e, RC_E_PARSE, "node row: name '%.80s' is empty or too long", name);
    }
    if (!rc_slurm_flags_parse(rc_line_text(row, "flags", ""), &n->flags)) {
        return rc_fail(e, RC_E_PARSE, "node %s: unknown flag in '%.80s'", name,
                       rc_line_text(row, "flags", ""));
    }
    if (!row_time(row, "boot", &n->boot_wall_ms) ||
        !row_time(row, "slurmd_start", &n->slurmd_start_wall_ms)) {
        return rc_fail(e, RC_E_PARSE, "node %s: a time is no number", name);
    }
    /* NodeAddr may be a long DNS name: then the address counts as not told. An id of
     * another shape, or a long partition name, only labels the node. */
    (void)rc_text_set(n->addr, sizeof n->addr, rc_line_text(row, "addr", ""));
    (void)rc_text_set(ret->instance, sizeof ret->instance, rc_line_text(row, "instance", ""));
    copy_cut_text(n->partition, sizeof n->partition, rc_line_text(row, "partition", ""));
    n->cpus = (uint32_t)rc_line_number(row, "cpus", UINT32_MAX, 0);
    set_jobs(row, n);
    set_excluders(row, n);
    set_reason_owner(row, slurm_uid, n, ret_foreign_time);
    copy_cut_text(n->reason, sizeof n->reason, reason);
    return RC_OK;
}

struct rc_slurm_diff *
rc_slurm_diff_new(void)
{
    return calloc(1, sizeof(struct rc_slurm_diff));
}

void
rc_slurm_diff_free(struct rc_slurm_diff *d)
{
    if (d) {
        free(d->node);
        free(d->slot);
        free(d);
    }
}

void
rc_slurm_diff_begin(struct rc_slurm_diff *d)
{
    d->pass++;
}

/* The slot that holds name, or the free one where it belongs. Needs slots > count. */
static uint32_t *
diff_slot(const struct rc_slurm_diff *d, const char *name)
{
    uint32_t at = (uint32_t)diff_hash_name(name) & (d->slots - 1);

    while (d->slot[at] && strcmp(d->node[d->slot[at] - 1].name, name) != 0) {
        at = (at + 1) & (d->slots - 1);
    }
    return &d->slot[at];
}

static void
diff_index(struct rc_slurm_diff *d)
{
    memset(d->slot, 0, d->slots * sizeof *d->slot);
    for (uint32_t i = 0; i < d->count; i++) {
        *diff_slot(d, d->node[i].name) = i + 1;
    }
}

static bool
diff_make_room(struct rc_slurm_diff *d)
{
    uint32_t room = d->room ? d->room * 2 : 64;
    struct shown *node;
    uint32_t *slot;

    if (d->count < d->room) {
        return true;
    }
    node = realloc(d->node, room * sizeof *node);
    if (!node) {
        return false;
    }
    d->node = node;
    slot = realloc(d->slot, (size_t)room * 2 * sizeof *slot);
    if (!slot) {
        return false;
    }
    d->slot = slot;
    d->slots = room * 2;
    d->room = room;
    diff_index(d);
    return true;
}

bool
rc_slurm_diff_news(struct rc_slurm_diff *d, const struct rc_event *ev, int64_t foreign_time)
{
    uint64_t hash = diff_hash(diff_hash_name(ev->instance), &ev->u.slurm, sizeof ev->u.slurm);
    struct shown *shown;
    uint32_t *slot;
    bool news;

    assert(ev->kind == RC_EV_SLURM_NODE);
    if (!diff_make_room(d)) {
        return true;
    }
    slot = diff_slot(d, ev->node);
    if (*slot == 0) {
        shown = &d->node[d->count++];
        memset(shown, 0, sizeof *shown);
        memcpy(shown->name, ev->node, sizeof shown->name);
        shown->faults = d->faults_unknown ? FAULTS_UNKNOWN : FAULTS_NONE;
        *slot = d->count;
        news = true;
    } else {
        shown = &d->node[*slot - 1];
        news = shown->hash != hash;
    }
    shown->hash = hash;
    /* Our own drain may have landed although its answer was lost: the leftover stays one
     * as long as its time says that nobody set it again (both releases stamp it anew). */
    if (ev->u.slurm.owner == RC_OWNER_NONE) {
        shown->stale = foreign_time;
    } else if (shown->stale != foreign_time) {
        shown->stale = 0;
    }
    shown->pass = d->pass;
    return news;
}

bool
rc_slurm_diff_faults(struct rc_slurm_diff *d, const struct rc_event *ev)
{
    uint32_t *slot = d->slots > 0 ? diff_slot(d, ev->node) : NULL;
    uint64_t hash = FAULTS_NONE;

    assert(ev->kind == RC_EV_NODE_FAULTS);
    if (ev->u.faults.count > 0) {
        hash = diff_hash(diff_hash_name(""), &ev->u.faults, sizeof ev->u.faults);
    }
    if (!slot || *slot == 0) {
        return hash != FAULTS_NONE; /* no memory for the node: nothing is lost */
    }
    struct shown *shown = &d->node[*slot - 1];
    bool news = shown->faults != hash;

    shown->faults = hash;
    return news;
}

void
rc_slurm_diff_forget_faults(struct rc_slurm_diff *d)
{
    d->faults_unknown = true;
    for (uint32_t i = 0; i < d->count; i++) {
        d->node[i].faults = FAULTS_UNKNOWN;
    }
}

int64_t
rc_slurm_diff_stale(const struct rc_slurm_diff *d, const char *node)
{
    const uint32_t *slot = d->slots > 0 ? diff_slot(d, node) : NULL;

    return slot && *slot ? d->node[*slot - 1].stale : 0;
}

void
rc_slurm_diff_finish(struct rc_slurm_diff *d, void (*gone)(void *arg, const char *node), void *arg)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < d->count; i++) {
        if (d->node[i].pass != d->pass) {
            gone(arg, d->node[i].name);
        } else if (kept++ != i) {
            d->node[kept - 1] = d->node[i];
        }
    }
    if (kept != d->count) {
        d->count = kept;
        diff_index(d);
    }
}

void
rc_slurm_diff_reset(struct rc_slurm_diff *d)
{
    for (uint32_t i = 0; i < d->count; i++) {
        d->node[i].hash = 0; /* no row has it, but for one chance in 2^64 */
        if (d->node[i].faults != FAULTS_NONE) {
            d->node[i].faults = FAULTS_UNKNOWN;
        }
    }
}

uint32_t
rc_slurm_diff_count(const struct rc_slurm_diff *d)
{
    return d->count;
}
