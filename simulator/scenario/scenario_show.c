/* scenario_show.c - decisions as lines that a person reads. Left out: looks and
 * lease renewals (counted at the end), and what changes nothing to see. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "simulator/scenario/scenario_world.h"

void
rc_scen_say(struct rc_scen_run *r, char mark, const char *fmt, ...)
{
    char time[48] = "+";
    va_list ap;

    if (r->silent) {
        return;
    }
    rc_scen_duration_show(r->now_ms - r->begin_ms, time + 1, sizeof time - 1);
    fprintf(r->out_text, "%-14s %c ", time, mark);
    va_start(ap, fmt);
    vfprintf(r->out_text, fmt, ap);
    va_end(ap);
    fputc('\n', r->out_text);
}

static void
show_item(struct rc_scen_run *r, const struct rc_action *a)
{
    const struct rc_act_incident *item = &a->u.item;
    const char *phase = rc_phase_name((enum rc_phase)item->phase);

    if (strcmp(a->text, "hold or approval") == 0 || strcmp(a->text, "item not saved yet") == 0) {
        rc_scen_say(r, ' ', "%s: incident %u is written (%s)", a->node, a->incident, a->text);
    } else if (item->phase == RC_PHASE_OPEN) {
        rc_scen_say(r, ' ', "%s: incident %u opens: %s %s, rule %s", a->node, a->incident,
                    rc_fault_name((enum rc_fault)item->fault), item->code, item->rule);
    } else if (strcmp(a->text, "fault raised") == 0) {
        rc_scen_say(r, ' ', "%s: incident %u is worse: %s %s, rule %s (%s)", a->node, a->incident,
                    rc_fault_name((enum rc_fault)item->fault), item->code, item->rule, phase);
    } else if (!*a->node) {
        rc_scen_say(r, ' ', "incident %u: its item is deleted once more", a->incident);
    } else {
        rc_scen_say(r, ' ', "%s: %s (%s)", a->node, phase, a->text);
    }
}

static void
show_launch(struct rc_scen_run *r, const struct rc_action *a)
{
    const struct rc_group *g = rc_cluster_group(&r->story.cluster, a->u.launch.group);

    rc_scen_say(r, ' ', "%s: ec2.launch in %s, attempt %u", a->node,
                g->option[a->u.launch.option].subnet, a->u.launch.attempt);
}

/* With the paragraph that people are told, when it took over and when it serves. */
static void
show_failover(struct rc_scen_run *r, const struct rc_action *a)
{
    const struct rc_act_controller *c = &a->u.controller;
    char text[RC_PARAGRAPH_LEN];

    rc_scen_say(r, ' ', "%s: failover %s (%s)", a->node, rc_failover_phase_name(c->phase), a->text);
    if (c->phase == RC_FO_TAKEOVER || (c->phase == RC_FO_WATCH && c->proof)) {
        rc_failover_paragraph(a, text, sizeof text);
        rc_scen_say(r, ' ', "%s: %s", a->node, text);
    }
}

void
rc_scen_show_action(struct rc_scen_run *r, const struct rc_action *a)
{
    const char *name = rc_action_name((enum rc_action_kind)a->kind);

    switch ((enum rc_action_kind)a->kind) {
    case RC_ACT_INCIDENT_PUT:
        show_item(r, a);
        break;
    case RC_ACT_MESSAGE_DELETE:
    case RC_ACT_MESSAGE_QUARANTINE:
        rc_scen_say(r, ' ', "%s %llu", name, (unsigned long long)a->msg);
        break;
    case RC_ACT_DRAIN:
    case RC_ACT_DOWN:
        rc_scen_say(r, ' ', "%s: %s \"%s\"", a->node, name, a->text);
        break;
    case RC_ACT_JOBS_SIGNAL:
        rc_scen_say(r, ' ', "%s: %s %u", a->node, name, a->u.jobs.signal);
        break;
    case RC_ACT_LAUNCH:
        show_launch(r, a);
        break;
    case RC_ACT_TERMINATE:
        rc_scen_say(r, ' ', "%s: %s %s (%s)", a->node, name, a->instance, a->text);
        break;
    case RC_ACT_ASSIGN:
    case RC_ACT_STOP:
    case RC_ACT_START:
    case RC_ACT_REBOOT:
        rc_scen_say(r, ' ', "%s: %s %s", a->node, name, a->instance);
        break;
    case RC_ACT_REGISTER:
        rc_scen_say(r, ' ', "%s: %s %s at %s", a->node, name, a->instance, a->u.reg.addr);
        break;
    case RC_ACT_TELL:
        rc_scen_say(r, ' ', "%s: tell a person: %s", a->node, a->text);
        break;
    case RC_ACT_RESUME:
    case RC_ACT_JOBS_REQUEUE:
    case RC_ACT_GATE:
    case RC_ACT_FORENSICS:
    case RC_ACT_JOBS_INCLUDE:
    case RC_ACT_FENCE:
    case RC_ACT_CONTROLLER_START:
    case RC_ACT_TAKEOVER:
        rc_scen_say(r, ' ', "%s: %s", a->node, name);
        break;
    case RC_ACT_GPU_RESET:
        rc_scen_say(r, ' ', "%s: %s %s", a->node, name,
                    *a->u.host.device ? a->u.host.device : "all");
        break;
    case RC_ACT_SUPPORT_CASE:
        rc_scen_say(r, ' ', "%s: %s: %s", a->node, name, a->text);
        break;
    case RC_ACT_JOB_HOLD:
        rc_scen_say(r, ' ', "%s %u (%s)", name, a->u.jobs.job, a->text);
        break;
    case RC_ACT_FAILOVER:
        show_failover(r, a);
        break;
    case RC_ACT_NONE:
    case RC_ACT_LOOK:
    case RC_ACT_LEASE:
    case RC_ACT_HISTORY_PUT: /* bookkeeping of what was decided */
    case RC_ACTION__MAX:
        break;
    }
}

/* People are told by the alarm of its metric (deploy/terraform/modules/alarms), not by a TELL. */
static void
show_breaker(struct rc_scen_run *r)
{
    if (r->s->breaker_open != r->breaker_open) {
        rc_scen_say(r, ' ', "%s",
                    r->s->breaker_open
                        ? "the breaker is open: nothing destructive is done; alarm breaker-open"
                        : "the breaker is closed");
    }
    r->breaker_open = r->s->breaker_open;
}

/* What is not done, and why, is a decision too. */
void
rc_scen_show_blocks(struct rc_scen_run *r)
{
    show_breaker(r);
    for (uint32_t node = 1; node <= r->s->node_count && node <= SCEN_NODES_MAX; node++) {
        const struct rc_node *n = rc_node_at(r->s, node);
        uint32_t block = n->incident ? rc_incident_at(r->s, n->incident)->block : RC_BLOCK_NONE;

        if (block != r->block[node - 1] && block != RC_BLOCK_NONE) {
            rc_scen_say(r, ' ', "%s: held back: %s", n->name, rc_block_name((enum rc_block)block));
        }
        r->block[node - 1] = block;
    }
    if (r->s->pair.block == RC_FOB_NONE || r->s->pair.block == RC_FOB_WAIT) {
        return; /* between two tries: nothing that holds it back for long */
    }
    if (r->s->pair.block != r->pair_block) {
        rc_scen_say(r, ' ', "slurmctld: held back: %s", rc_failover_block_text(r->s->pair.block));
    }
    r->pair_block = r->s->pair.block;
}

static void
show_open(struct rc_scen_run *r)
{
    for (uint32_t node = 1; node <= r->s->node_count; node++) {
        const struct rc_node *n = rc_node_at(r->s, node);
        if (!n->incident) {
            continue;
        }
        const struct rc_incident *inc = rc_incident_at(r->s, n->incident);
        fprintf(r->out_text, "  open: %s, incident %u, %s, %s, waits for %s\n", n->name, inc->id,
                rc_fault_name((enum rc_fault)inc->fault), rc_phase_name((enum rc_phase)inc->phase),
                inc->block ? rc_block_name((enum rc_block)inc->block)
                           : rc_phase_waits_for((enum rc_phase)inc->phase));
    }
}

void
rc_scen_show_end(struct rc_scen_run *r)
{
    unsigned running = 0, waiting = 0;

    for (unsigned i = 0; i < r->instance_count; i++) {
        running +=
            r->instance[i].state == RC_INST_RUNNING || r->instance[i].state == RC_INST_PENDING;
    }
    for (unsigned i = 0; i < r->message_count; i++) {
        waiting += !r->message[i].deleted;
    }
    rc_scen_say(r, ' ', "the end");
    show_open(r);
    fprintf(
        r->out_text,
        "  nodes %u, instances running %u, incidents %llu opened, %llu closed\n"
        "  asked for: %u launches, %u terminates, %u reboots, %u stops, %u drains, %u requeues, "
        "%u looks\n"
        "  jobs killed by us %u, people told %u, messages left in the queue %u\n",
        r->node_count, running, (unsigned long long)r->s->counters.incidents_opened,
        (unsigned long long)r->s->counters.incidents_closed, r->count[RC_ACT_LAUNCH],
        r->count[RC_ACT_TERMINATE], r->count[RC_ACT_REBOOT], r->count[RC_ACT_STOP],
        r->count[RC_ACT_DRAIN], r->count[RC_ACT_JOBS_REQUEUE], r->count[RC_ACT_LOOK], r->killed,
        r->count[RC_ACT_TELL], waiting);
    rc_scen_heads_show_end(r);
}
