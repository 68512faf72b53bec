/* cloudwatch_alarm.c - an alarm fires for an instance, or is well again. An
 * alarm on a status check is a hint: DescribeInstanceStatus is asked before the
 * instance is judged. INSUFFICIENT_DATA says nothing and changes nothing. */
#include "handlers/table.h"

#include "reconciler/core/fact.h"

static void
cloudwatch_alarm_apply(struct rc_state *s, const struct rc_event *ev)
{
    uint32_t slot = rc_fact_instance(s, ev);

    if (!slot || ev->u.alarm.state == RC_ALARM_UNKNOWN) {
        return;
    }
    struct rc_instance_faults *f = &rc_instance_at(s, slot)->faults;
    if (f->alarm != ev->u.alarm.state) {
        f->alarm = ev->u.alarm.state;
        f->alarm_ms = s->now_ms;
    }
    f->alarm_status_check = ev->u.alarm.status_check;
    if (f->alarm == RC_ALARM_FIRING) {
        rc_text_set(f->code, sizeof f->code, ev->code);
    }
    rc_fact_touch(s, ev, slot);
}

const struct rc_handler rc_handler_cloudwatch_alarm = {RC_EV_CLOUDWATCH_ALARM,
                                                       cloudwatch_alarm_apply};
