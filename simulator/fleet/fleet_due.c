/* fleet_due.c - what is due next: a binary heap by (time, sequence), so that what is
 * due at the same time is done in the order in which it was asked for. */
#include <assert.h>
#include <stdlib.h>

#include "simulator/fleet/fleet_private.h"

enum { ROOM_FIRST = 4096 };

static bool
is_before(const struct rc_due *a, const struct rc_due *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->seq < b->seq;
}

void
rc_due_push(struct rc_fleet *f, int64_t at_ms, enum rc_due_kind kind, uint32_t index, uint32_t tag)
{
    struct rc_due d = {.at_ms = at_ms < f->now_ms ? f->now_ms : at_ms,
                       .seq = f->seq++,
                       .kind = (uint32_t)kind,
                       .index = index,
                       .tag = tag};
    uint32_t at = f->due_count++;

    if (at == f->due_room) {
        f->due_room = f->due_room ? f->due_room * 2 : ROOM_FIRST;
        f->due = realloc(f->due, f->due_room * sizeof *f->due);
        assert(f->due);
    }
    for (; at && is_before(&d, &f->due[(at - 1) / 2]); at = (at - 1) / 2) {
        f->due[at] = f->due[(at - 1) / 2];
    }
    f->due[at] = d;
}

int64_t
rc_due_next_ms(const struct rc_fleet *f)
{
    return f->due_count ? f->due[0].at_ms : RC_SIM_NEVER;
}

bool
rc_due_pop(struct rc_fleet *f, int64_t until_ms, struct rc_due *ret)
{
    if (!f->due_count || f->due[0].at_ms > until_ms) {
        return false;
    }
    *ret = f->due[0];
    struct rc_due last = f->due[--f->due_count];
    uint32_t at = 0;
    for (uint32_t child = 1; child < f->due_count; child = at * 2 + 1) {
        child += child + 1 < f->due_count && is_before(&f->due[child + 1], &f->due[child]);
        if (!is_before(&f->due[child], &last)) {
            break;
        }
        f->due[at] = f->due[child];
        at = child;
    }
    if (f->due_count) {
        f->due[at] = last;
    }
    return true;
}
