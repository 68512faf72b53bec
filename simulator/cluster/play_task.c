/* play_task.c - what is to happen when: a binary heap over (time, sequence), so that
 * the order is total and first come is first served at equal times. */
#include <assert.h>
#include <stdlib.h>

#include "simulator/cluster/play_private.h"

static bool
task_before(const struct rc_task *a, const struct rc_task *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->seq < b->seq;
}

static void
task_up(struct rc_task *t, uint32_t at)
{
    struct rc_task moved = t[at];

    while (at && task_before(&moved, &t[(at - 1) / 2])) {
        t[at] = t[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    t[at] = moved;
}

static void
task_down(struct rc_task *t, uint32_t count)
{
    struct rc_task moved = t[0];
    uint32_t at = 0;

    for (;;) {
        uint32_t child = at * 2 + 1;
        if (child >= count) {
            break;
        }
        if (child + 1 < count && task_before(&t[child + 1], &t[child])) {
            child++;
        }
        if (!task_before(&t[child], &moved)) {
            break;
        }
        t[at] = t[child];
        at = child;
    }
    t[at] = moved;
}

void
rc_play_task(struct rc_play *p, int64_t at_ms, enum rc_task_kind kind, const struct rc_ctl *c,
             uint32_t index)
{
    if (p->task_count == p->task_room) {
        p->task_room = p->task_room ? p->task_room * 2 : 256;
        p->task = realloc(p->task, p->task_room * sizeof *p->task);
        assert(p->task);
    }
    p->task[p->task_count] = (struct rc_task){
        .at_ms = at_ms > p->now_ms ? at_ms : p->now_ms,
        .seq = p->seq++,
        .kind = (uint32_t)kind,
        .ctl = c ? c->index : RC_PLAY_CTLS,
        .life = c ? c->life : 0,
        .index = index,
    };
    task_up(p->task, p->task_count++);
}

int64_t
rc_task_next_ms(const struct rc_play *p)
{
    return p->task_count ? p->task[0].at_ms : RC_SIM_NEVER;
}

bool
rc_task_pop(struct rc_play *p, int64_t until_ms, struct rc_task *ret)
{
    if (!p->task_count || p->task[0].at_ms > until_ms) {
        return false;
    }
    *ret = p->task[0];
    p->task[0] = p->task[--p->task_count];
    if (p->task_count) {
        task_down(p->task, p->task_count);
    }
    return true;
}
