/* replay_core.c - see replay_core.h. */
#include "simulator/replay/replay_core.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NODES_FIRST = 16384, INCIDENTS_FIRST = 2048, MESSAGES = 8192, KIB = 1024 };

static void *
zeroed(size_t size)
{
    void *mem = calloc(1, size); /* aligned to 16 bytes by every allocator of 64 bits */

    assert(mem);
    return mem;
}

void
rc_replay_begin(struct rc_replay *r)
{
    const struct rc_capacity_limits limits = {NODES_FIRST, INCIDENTS_FIRST, MESSAGES};

    r->state = rc_state_init(zeroed(rc_state_size(&limits)), &limits);
}

void
rc_replay_grow(struct rc_replay *r)
{
    struct rc_capacity_limits limits;
    struct rc_state *old = r->state;

    if (!old->touch_count && rc_state_wants_growth(old, &limits)) {
        r->state = rc_state_grow(zeroed(rc_state_size(&limits)), &limits, old);
        free(old);
    }
}

void
rc_replay_bar(struct rc_replay *r, const char *path, enum rc_replay_kind kind)
{
    r->total_bytes = r->options->quiet || !isatty(STDOUT_FILENO) ? rc_replay_size(path, kind) : 0;
    rc_progress_begin(&r->bar, r->total_bytes / KIB, "KiB");
}

void
rc_replay_read(struct rc_replay *r, size_t bytes)
{
    r->read_bytes += bytes;
    if (r->total_bytes && r->read_bytes / KIB != (r->read_bytes - bytes) / KIB) {
        rc_progress_show(&r->bar, r->read_bytes / KIB, "");
    }
}

static void
end_bar(struct rc_replay *r)
{
    if (r->total_bytes) {
        rc_progress_end(&r->bar);
        r->total_bytes = 0;
    }
}

void
rc_replay_sum(struct rc_replay *r)
{
    end_bar(r);
    r->result->state_hash = rc_state_hash(r->state);
    snprintf(r->result->policy, sizeof r->result->policy, "%s", r->state->policy.name);
    r->result->policy_hash = r->state->policy.hash;
}

void
rc_replay_end(struct rc_replay *r)
{
    end_bar(r);
    free(r->state);
    r->state = NULL;
}
