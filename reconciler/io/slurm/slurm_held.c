/* slurm_held.c - which jobs hold which node, and which want to stay away from it, for the node
 * rows.
 *
 * One table for a whole pass, by name: a job's node list is taken apart once. It is read
 * anew when slurmctld's job table has changed; where it cannot be read, the old one
 * stays, because which jobs stand on a node only weighs the node. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/slurm/slurm_helper.h"
#include "reconciler/io/slurm/slurm_job_edit.h"

struct slurm_hold {
    char *node; /* from libslurm: free() */
    uint32_t job, nodes;
    bool running; /* or suspended; else it is completing */
};

struct slurm_exclusion {
    char *node; /* from libslurm: free() */
    uint32_t job;
};

void
rc_slurm_held_free(struct slurm_held *h)
{
    for (size_t i = 0; i < h->count; i++) {
        free(h->hold[i].node);
    }
    free(h->hold);
    for (size_t i = 0; i < h->exclusion_count; i++) {
        free(h->exclusion[i].node);
    }
    free(h->exclusion);
    memset(h, 0, sizeof *h);
}

static bool
held_add(struct slurm_held *h, struct slurm_hold hold)
{
    if (h->count == h->room) {
        size_t room = h->room ? h->room * 2 : 256;
        void *grown = realloc(h->hold, room * sizeof *h->hold);

        if (!grown) {
            return false;
        }
        h->hold = grown;
        h->room = room;
    }
    h->hold[h->count++] = hold;
    return true;
}

static bool
exclusion_add(struct slurm_held *h, struct slurm_exclusion exclusion)
{
    if (h->exclusion_count == h->exclusion_room) {
        size_t room = h->exclusion_room ? h->exclusion_room * 2 : 64;
        void *grown = realloc(h->exclusion, room * sizeof *h->exclusion);

        if (!grown) {
            return false;
        }
        h->exclusion = grown;
        h->exclusion_room = room;
    }
    h->exclusion[h->exclusion_count++] = exclusion;
    return true;
}

static void
take_exclusions(struct slurm_held *h, const slurm_job_info_t *job)
{
    rc_hostlist names = slurm_hostlist_create(job->exc_nodes);

    if (!names) {
        return;
    }
    bool complains = slurm_hostlist_count(names) <= RC_SLURM_EXCLUDED_MAX;
    for (char *name = slurm_hostlist_shift(names); name; name = slurm_hostlist_shift(names)) {
        struct slurm_exclusion exclusion = {name, job->job_id};
        if (!complains || rc_slurm_job_excluded_by_us(job, name) || !exclusion_add(h, exclusion)) {
            free(name);
        }
    }
    slurm_hostlist_destroy(names);
}

static enum rc_err
held_take_job(void *arg, const slurm_job_info_t *job, struct rc_error *e)
{
    struct slurm_held *h = arg;
    uint32_t base = job->job_state & JOB_STATE_BASE;
    bool running =
        !(job->job_state & JOB_COMPLETING) && (base == JOB_RUNNING || base == JOB_SUSPENDED);
    bool holds = running || (job->job_state & JOB_COMPLETING) != 0;
    rc_hostlist names = holds ? slurm_hostlist_create(job->nodes) : NULL;

    (void)e;
    if ((running || base == JOB_PENDING) && job->exc_nodes && *job->exc_nodes) {
        take_exclusions(h, job);
    }
    if (!names) {
        return RC_OK;
    }
    uint32_t nodes = (uint32_t)slurm_hostlist_count(names);
    for (char *name = slurm_hostlist_shift(names); name; name = slurm_hostlist_shift(names)) {
        struct slurm_hold hold = {name, job->job_id, nodes, running};
        if (!held_add(h, hold)) {
            free(name);
        }
    }
    slurm_hostlist_destroy(names);
    h->jobs += running;
    return RC_OK;
}

/* By node; of one node the running ones first, then the largest job, then the oldest. */
static int
held_order(const void *a, const void *b)
{
    const struct slurm_hold *x = a, *y = b;
    int by_node = strcmp(x->node, y->node);

    if (by_node) {
        return by_node;
    }
    if (x->running != y->running) {
        return x->running ? -1 : 1;
    }
    if (x->nodes != y->nodes) {
        return x->nodes > y->nodes ? -1 : 1;
    }
    return x->job < y->job ? -1 : x->job > y->job;
}

static int
exclusion_order(const void *a, const void *b)
{
    const struct slurm_exclusion *x = a, *y = b;
    int by_node = strcmp(x->node, y->node);

    return by_node ? by_node : x->job > y->job ? -1 : x->job < y->job;
}

void
rc_slurm_held_refresh(struct slurm_held *h)
{
    struct slurm_held fresh = {.known = true, .read_s = h->read_s};
    struct rc_error e;

    if (rc_slurm_jobs_since(&fresh.read_s, held_take_job, &fresh, &e) != RC_OK) {
        rc_slurm_held_free(&fresh); /* nothing new, or slurmctld did not say */
        return;
    }
    if (fresh.count) {
        qsort(fresh.hold, fresh.count, sizeof *fresh.hold, held_order);
    }
    if (fresh.exclusion_count) {
        qsort(fresh.exclusion, fresh.exclusion_count, sizeof *fresh.exclusion, exclusion_order);
    }
    rc_slurm_held_free(h);
    *h = fresh;
}

static size_t
held_first(const struct slurm_held *h, const char *node)
{
    size_t low = 0, high = h->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(h->hold[middle].node, node) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

uint32_t
rc_slurm_held_text(const struct slurm_held *h, const char *node, char *buf, size_t room)
{
    size_t at = held_first(h, node), used = 0;
    uint32_t count = 0;

    *buf = '\0';
    for (; at < h->count && strcmp(h->hold[at].node, node) == 0; at++, count++) {
        const struct slurm_hold *hold = &h->hold[at];

        if (hold->running && count < RC_NODE_JOBS_MAX && used < room) {
            int more = snprintf(buf + used, room - used, "%s%u:%u", used ? "," : "", hold->job,
                                hold->nodes);
            used += more > 0 ? (size_t)more : 0;
        }
    }
    return count;
}

static size_t
exclusion_first(const struct slurm_held *h, const char *node)
{
    size_t low = 0, high = h->exclusion_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(h->exclusion[middle].node, node) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void
rc_slurm_excluders_text(const struct slurm_held *h, const char *node, char *buf, size_t room)
{
    size_t used = 0, count = 0;

    *buf = '\0';
    for (size_t at = exclusion_first(h, node);
         at < h->exclusion_count && strcmp(h->exclusion[at].node, node) == 0 &&
         count < RC_NODE_EXCLUDERS_MAX && used < room;
         at++, count++) {
        int more = snprintf(buf + used, room - used, "%s%u", used ? "," : "", h->exclusion[at].job);
        used += more > 0 ? (size_t)more : 0;
    }
}
