/* replay_world_hear.c - what messages and traces tell the obliging world; see
 * replay_world.h. */
#include <stdio.h>
#include <string.h>

#include "simulator/replay/replay_world_private.h"

enum { DAY_MS = 24 * 3600 * 1000 };

/* Its node served long before; the core learns of both now. One that is only starting
 * serves no node yet: who launched it is not known here. */
static struct rw_instance *
meet(struct rc_replay_world *w, const char *id, bool is_starting)
{
    uint32_t node = !is_starting && w->node_next < w->node_count ? ++w->node_next : 0;
    struct rw_instance *i = rc_rw_instance_add(w, id, node);
    const struct rc_group *g = &w->cluster->group[0];

    i->state = RC_INST_RUNNING;
    i->launched_wall_ms -= DAY_MS;
    memcpy(i->subnet, g->option[0].subnet, sizeof i->subnet);
    memcpy(i->az, g->option[0].az, sizeof i->az);
    if (node) {
        struct rw_node *n = &w->node[node - 1];
        memcpy(n->addr, i->addr, sizeof n->addr);
        n->owner = RC_OWNER_NONE;
        n->instance = rc_rw_number(w, i);
        n->boot_wall_ms = n->slurmd_wall_ms = i->launched_wall_ms;
        uint32_t number = n->instance;
        rc_rw_show_instance(w, i);
        rc_rw_show_node(w, &w->node[node - 1]);
        i = &w->instance[number - 1];
    }
    return i;
}

static void
take_away(struct rc_replay_world *w, const struct rw_instance *i, int64_t deadline_wall_ms,
          enum rc_instance_state how)
{
    int64_t in_ms = deadline_wall_ms ? deadline_wall_ms - rc_replay_world_wall_ms(w) : RW_SPOT_MS;

    rc_rw_later(w, in_ms, RW_STATE, rc_rw_number(w, i))->value = how;
}

static void
hear_health(struct rc_replay_world *w, struct rw_instance *i, const struct rc_ev_aws_health *h)
{
    bool over = h->status == RC_HSTAT_CLOSED;

    if (h->category != RC_HEALTH_SCHEDULED_CHANGE) {
        return;
    }
    i->schedule = over ? (uint32_t)RC_SCHED_NONE : h->schedule;
    i->not_before_wall_ms = over ? 0 : h->start_wall_ms;
    i->status_news = true;
    if (!over && h->start_wall_ms > rc_replay_world_wall_ms(w) &&
        (h->schedule == RC_SCHED_STOP || h->schedule == RC_SCHED_RETIREMENT)) {
        take_away(w, i, h->start_wall_ms, RC_INST_STOPPING);
    }
}

void
rc_replay_world_hear(struct rc_replay_world *w, const struct rc_event *ev)
{
    struct rw_instance *i = *ev->instance ? rc_rw_instance(w, ev->instance) : NULL;

    if (!*ev->instance) {
        return;
    }
    if (!i) {
        i = meet(w, ev->instance,
                 ev->kind == RC_EV_EC2_STATE_CHANGE && ev->u.state_change.state == RC_INST_PENDING);
    }
    if (ev->kind == RC_EV_EC2_STATE_CHANGE) {
        if (ev->u.state_change.state != RC_INST_UNKNOWN) {
            rc_rw_turn(w, i, (enum rc_instance_state)ev->u.state_change.state);
        }
    } else if (ev->kind == RC_EV_SPOT_INTERRUPTION) {
        bool stop = ev->u.spot.action == RC_IACT_STOP || ev->u.spot.action == RC_IACT_HIBERNATE;
        take_away(w, i, ev->u.spot.deadline_wall_ms,
                  stop ? RC_INST_STOPPING : RC_INST_SHUTTING_DOWN);
    } else if (ev->kind == RC_EV_CAPACITY_RESERVATION || ev->kind == RC_EV_CAPACITY_BLOCK) {
        take_away(w, i, ev->u.capacity.deadline_wall_ms, RC_INST_SHUTTING_DOWN);
    } else if (ev->kind == RC_EV_AWS_HEALTH) {
        hear_health(w, i, &ev->u.health);
    } else if (ev->kind == RC_EV_CLOUDWATCH_ALARM && ev->u.alarm.status_check) {
        bool fires = ev->u.alarm.state == RC_ALARM_FIRING;
        i->instance = fires ? RC_CHECK_IMPAIRED : RC_CHECK_OK;
        i->status_news = true;
    }
}

void
rc_replay_world_fault(struct rc_replay_world *w, const struct rc_fault_row *fault)
{
    char id[RC_ID_LEN];

    while (w->node_next <= fault->node && w->node_next < w->node_count) {
        snprintf(id, sizeof id, "i-%017x", w->node_next + 1);
        meet(w, id, false);
    }
    if (fault->node >= w->node_next || !w->node[fault->node].instance) {
        return;
    }
    struct rw_instance *i = &w->instance[w->node[fault->node].instance - 1];
    if (i->state != RC_INST_RUNNING) {
        return; /* the machine that broke then is not there any more */
    }
    i->faults++;
    i->status_news = true;
    if (fault->part == RC_PART_SOFTWARE) {
        i->instance = RC_CHECK_IMPAIRED;
    } else {
        i->system = RC_CHECK_IMPAIRED;
    }
    rc_rw_later(w, fault->last_ms, RW_MEND, rc_rw_number(w, i));
    rc_rw_show_status(w, i);
}
