/* instance_status.c - one row of DescribeInstanceStatus: the status checks
 * and what AWS has scheduled. Completed and cancelled events are left out by the
 * decoder, so an empty schedule takes back what this source had shown before. */
#include "handlers/table.h"

#include "reconciler/core/fact.h"

/* "Not told" does not make a known fault well. */
static void
set_check(uint32_t *check, uint32_t told)
{
    if (told != RC_CHECK_UNKNOWN) {
        *check = told;
    }
}

static void
set_schedule(struct rc_instance *i, const struct rc_event *ev)
{
    struct rc_instance_faults *f = &i->faults;

    if (ev->u.status.schedule != RC_SCHED_NONE) {
        f->schedule = ev->u.status.schedule;
        f->not_before_wall_ms = ev->u.status.not_before_wall_ms;
        f->not_after_wall_ms = ev->u.status.not_after_wall_ms;
        f->schedule_seen = 1;
        rc_text_set(f->code, sizeof f->code, ev->code);
    } else if (f->schedule_seen) {
        f->schedule = RC_SCHED_NONE;
        f->not_before_wall_ms = f->not_after_wall_ms = 0;
        f->schedule_seen = 0;
    }
}

static void
instance_status_apply(struct rc_state *s, const struct rc_event *ev)
{
    uint32_t slot = rc_fact_instance(s, ev);

    if (!slot) {
        return;
    }
    struct rc_instance *i = rc_instance_at(s, slot);
    const struct rc_ev_instance_status *st = &ev->u.status;
    i->checked_ms = s->now_ms;
    set_check(&i->faults.system, st->system);
    set_check(&i->faults.instance, st->instance);
    set_check(&i->faults.ebs, st->ebs);
    set_schedule(i, ev);
    if (st->state != RC_INST_UNKNOWN) {
        i->missing_since_ms = 0; /* it is there, whatever the last sweep had not shown yet */
        rc_instance_set_state(s, slot, (enum rc_instance_state)st->state, s->now_wall_ms);
    }
    rc_fact_touch(s, ev, slot);
}

const struct rc_handler rc_handler_instance_status = {RC_EV_INSTANCE_STATUS, instance_status_apply};
