/* ec2_status_wire.c - DescribeInstanceStatus: checks and scheduled events. */
#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

#include "simulator/world/ec2_instance_xml.h"
#include "simulator/world/ec2_select.h"
#include "simulator/world/wire.h"
#include "simulator/world/xml_out.h"

enum { FILTERS_MAX = 20 };

static const char *
check_text(enum rc_check status)
{
    switch (status) {
    case RC_CHECK_OK:
        return "ok";
    case RC_CHECK_IMPAIRED:
        return "impaired";
    case RC_CHECK_INITIALIZING:
        return "initializing";
    case RC_CHECK_UNKNOWN:
    case RC_CHECK__MAX:
        break;
    }
    return "insufficient-data";
}

static void
check_xml(struct evbuffer *out, const char *tag, const struct rc_sim_instance *inst,
          enum rc_sim_check_kind which)
{
    const struct rc_sim_check *c = &inst->check[which];
    bool running = inst->state == RC_INST_RUNNING;

    rc_xml_open(out, tag);
    rc_xml_text(out, "status", running ? check_text(c->status) : "not-applicable");
    if (running && c->status != RC_CHECK_UNKNOWN) {
        rc_xml_open(out, "details");
        rc_xml_open(out, "item");
        rc_xml_text(out, "name", "reachability");
        rc_xml_text(out, "status",
                    c->status == RC_CHECK_OK
                        ? "passed"
                        : (c->status == RC_CHECK_IMPAIRED ? "failed" : "initializing"));
        if (c->status == RC_CHECK_IMPAIRED)
            rc_xml_time(out, "impairedSince", c->impaired_since_ms);
        rc_xml_close(out, "item");
        rc_xml_close(out, "details");
    }
    rc_xml_close(out, tag);
}

static const char *
scheduled_code(enum rc_schedule kind)
{
    switch (kind) {
    case RC_SCHED_REBOOT:
        return "instance-reboot";
    case RC_SCHED_STOP:
        return "instance-stop";
    case RC_SCHED_RETIREMENT:
        return "instance-retirement";
    case RC_SCHED_MAINTENANCE:
    case RC_SCHED_OTHER:
    case RC_SCHED_NONE:
    case RC_SCHED__MAX:
        break;
    }
    return "system-maintenance";
}

static void
scheduled_xml(struct evbuffer *out, const struct rc_sim_scheduled *s)
{
    static const char *const begin[] = {"", "", "[Completed] ", "[Canceled] "};
    char text[128];

    (void)snprintf(text, sizeof(text), "%sThe instance is running on degraded hardware",
                   begin[s->state]);
    rc_xml_open(out, "item");
    rc_xml_text(out, "instanceEventId", s->id);
    rc_xml_text(out, "code", scheduled_code(s->kind));
    rc_xml_text(out, "description", text);
    rc_xml_time(out, "notBefore", s->not_before_ms);
    rc_xml_time(out, "notAfter", s->not_after_ms);
    rc_xml_close(out, "item");
}

static bool
has_scheduled(const struct rc_call *call, const struct rc_sim_instance *inst)
{
    bool wanted = false;

    for (unsigned f = 1; f <= FILTERS_MAX; f++)
        wanted |= strcmp(rc_call_item(call, "Filter.", f, ".Name"), "event.code") == 0;
    for (int i = 0; i < RC_SIM_SCHEDULED_MAX; i++) {
        if (inst->scheduled[i].state == RC_SIM_SCHEDULED_NONE)
            continue;
        for (unsigned f = 1; wanted && f <= FILTERS_MAX; f++)
            if (strcmp(rc_call_item(call, "Filter.", f, ".Name"), "event.code") == 0 &&
                strcmp(rc_call_item(call, "Filter.", f, ".Value.1"),
                       scheduled_code(inst->scheduled[i].kind)) == 0)
                return true;
    }
    return !wanted;
}

static void
status_xml(struct rc_call *call, const struct rc_sim_instance *inst)
{
    struct evbuffer *out = call->out;
    bool open = false;

    rc_xml_open(out, "item");
    rc_xml_text(out, "instanceId", inst->id);
    rc_xml_text(out, "availabilityZone", inst->az);
    rc_ec2_wire_state(out, "instanceState", inst->state);
    check_xml(out, "systemStatus", inst, RC_SIM_CHECK_SYSTEM);
    check_xml(out, "instanceStatus", inst, RC_SIM_CHECK_INSTANCE);
    check_xml(out, "attachedEbsStatus", inst, RC_SIM_CHECK_EBS);
    for (int i = 0; i < RC_SIM_SCHEDULED_MAX; i++) {
        if (inst->scheduled[i].state == RC_SIM_SCHEDULED_NONE)
            continue;
        if (!open)
            rc_xml_open(out, "eventsSet");
        open = true;
        scheduled_xml(out, &inst->scheduled[i]);
    }
    if (open)
        rc_xml_close(out, "eventsSet");
    rc_xml_close(out, "item");
}

void
rc_ec2_wire_describe_status(struct rc_call *call)
{
    bool all = strcmp(rc_call_param(call, "IncludeAllInstances"), "true") == 0;
    struct rc_sim_instance *inst;
    struct rc_ec2_selection s;
    uint32_t rows = 0;

    if (!rc_ec2_selection_read(call, &s, RC_EC2_STATUS_IDS_MAX))
        return;
    rc_ec2_wire_begin(call);
    rc_xml_open(call->out, "instanceStatusSet");
    while ((s.limit == 0 || rows < s.limit) && (inst = rc_ec2_selection_next(call, &s)) != NULL) {
        if ((!all && inst->state != RC_INST_RUNNING) || !has_scheduled(call, inst))
            continue;
        status_xml(call, inst);
        rows++;
    }
    rc_xml_close(call->out, "instanceStatusSet");
    rc_ec2_page_token(call, &s);
    rc_ec2_wire_end(call);
}
