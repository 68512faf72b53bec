/* aws_health.c - AWS Health speaks of an instance: a scheduled change with its
 * window, or an issue. Without an instance it is news for people, not for a node.
 * Pages, and the copy from the backup region, are the same message again and are
 * known by its id. */
#include "handlers/table.h"

#include "reconciler/core/fact.h"

/* While DescribeInstanceStatus shows what is scheduled, it says when that is over too; a notice
 * that comes late adds nothing, and after it nobody else would take the event back. */
static void
take_health_schedule(struct rc_instance_faults *f, const struct rc_event *ev, bool over)
{
    if (f->schedule_seen) {
        return;
    }
    f->schedule = over ? (uint32_t)RC_SCHED_NONE : ev->u.health.schedule;
    f->not_before_wall_ms = over ? 0 : ev->u.health.start_wall_ms;
    f->not_after_wall_ms = over ? 0 : ev->u.health.end_wall_ms;
    rc_text_set(f->code, sizeof f->code, ev->code);
}

static void
aws_health_apply(struct rc_state *s, const struct rc_event *ev)
{
    uint32_t slot = rc_fact_instance(s, ev);

    if (!slot) {
        return;
    }
    struct rc_instance_faults *f = &rc_instance_at(s, slot)->faults;
    bool over = ev->u.health.status == RC_HSTAT_CLOSED;
    if (ev->u.health.category == RC_HEALTH_SCHEDULED_CHANGE) {
        take_health_schedule(f, ev, over);
    } else if (ev->u.health.category == RC_HEALTH_ISSUE) {
        f->health_issue = !over;
        rc_text_set(f->code, sizeof f->code, ev->code);
    }
    rc_fact_touch(s, ev, slot);
}

const struct rc_handler rc_handler_aws_health = {RC_EV_AWS_HEALTH, aws_health_apply};
