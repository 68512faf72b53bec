/* play_task.c - what is to happen when, in order of (time, sequence): the order is total,
 * and first come is first served at equal times. A line with the next one at its end: few
 * tasks wait at a time, and most come soon, so nearly nothing is moved. The rows of the
 * schedule, which are in order already and were there first, stand beside it. */
#include <assert.h>
#include <stdlib.h>

#include "simulator/cluster/play_private.h"

static bool
task_before(const struct rc_task *a, const struct rc_task *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->seq < b->seq;
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
    struct rc_task t = {
        .at_ms = at_ms > p->now_ms ? at_ms : p->now_ms,
        .seq = p->seq++,
        .kind = (uint32_t)kind,
        .ctl = c ? c->index : RC_PLAY_CTLS,
        .life = c ? c->life : 0,
        .index = index,
    };
    uint32_t at = p->task_count++;
    for (; at && task_before(&p->task[at - 1], &t); at--) {
        p->task[at] = p->task[at - 1];
    }
    p->task[at] = t;
}

static int64_t
next_row_ms(const struct rc_play *p)
{
    return p->rows_done < p->plan->count ? p->plan->row[p->rows_done].at_ms : RC_SIM_NEVER;
}

int64_t
rc_task_next_ms(const struct rc_play *p)
{
    int64_t row_ms = next_row_ms(p);
    int64_t task_ms = p->task_count ? p->task[p->task_count - 1].at_ms : RC_SIM_NEVER;

    return task_ms < row_ms ? task_ms : row_ms;
}

bool
rc_task_pop(struct rc_play *p, int64_t until_ms, struct rc_task *ret)
{
    int64_t next_ms = rc_task_next_ms(p);

    if (next_ms > until_ms || next_ms == RC_SIM_NEVER) {
        return false;
    }
    if (next_row_ms(p) == next_ms) {
        *ret = (struct rc_task){
            .at_ms = next_ms, .kind = RC_TASK_ROW, .ctl = RC_PLAY_CTLS, .index = p->rows_done++};
        return true;
    }
    *ret = p->task[--p->task_count];
    return true;
}
