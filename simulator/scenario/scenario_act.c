/* scenario_act.c - the friendly world carries an action out: the effect, and
 * when the answer comes. Faults that the story asked for stand in front. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "simulator/scenario/scenario_world.h"

struct answer {
    enum rc_err error;
    int64_t in_ms;
    bool lost;
    struct rc_event ev;
};

static struct rc_scen_fault *
fault_for(struct rc_scen_run *r, uint32_t kind)
{
    for (unsigned i = 0; i < r->fault_count; i++) {
        if (r->fault[i].kind == kind && r->fault[i].times) {
            r->fault[i].times--;
            return &r->fault[i];
        }
    }
    return NULL;
}

/* The node's state as this instance or a person left it. */
static enum rc_err
write_slurm(struct rc_scen_run *r, const struct rc_action *a)
{
    struct rc_scen_node *n = rc_scen_node_named(r, a->node);

    if (!n) {
        return RC_E_NOT_FOUND;
    }
    rc_scen_show_node_later(r, n, SCEN_SLURM_SHOW_MS);
    if (a->kind == RC_ACT_RESUME) {
        if (n->owner == RC_OWNER_FOREIGN) {
            return RC_E_FOREIGN;
        }
        n->drain = n->down = false;
        n->owner = RC_OWNER_NONE;
        n->reason[0] = '\0';
        return RC_OK;
    }
    n->drain = true;
    if (n->owner == RC_OWNER_FOREIGN) {
        return RC_E_FOREIGN; /* drained now, but the words of another stay */
    }
    n->owner = RC_OWNER_OURS;
    memcpy(n->reason, a->text, sizeof n->reason);
    if (a->kind == RC_ACT_DOWN) {
        n->down = true;
        if (n->job) {
            rc_scen_say(r, '~', "slurm: the job on %s goes back to the queue", n->name);
        }
        rc_scen_job_end(r, n->job);
    }
    return RC_OK;
}

static enum rc_err
act_on_jobs(struct rc_scen_run *r, const struct rc_action *a)
{
    struct rc_scen_node *n = rc_scen_node_named(r, a->node);

    if (n && n->job && a->kind == RC_ACT_JOBS_REQUEUE) {
        rc_scen_say(r, '~', "slurm: the job on %s goes back to the queue", n->name);
        rc_scen_job_end(r, n->job);
    }
    return n ? RC_OK : RC_E_NOT_FOUND;
}

/* The same token gives the same instance again, even when it has ended meanwhile. */
static struct rc_scen_instance *
launch(struct rc_scen_run *r, const struct rc_action *a)
{
    for (unsigned k = 0; k < r->instance_count; k++) {
        if (strcmp(r->instance[k].token, a->u.launch.token) == 0) {
            rc_scen_say(r, '~', "ec2: the same token again, the answer is %s", r->instance[k].id);
            return &r->instance[k];
        }
    }
    if (r->instance_count == SCEN_INSTANCES_MAX) {
        return NULL;
    }
    struct rc_scen_instance *i = &r->instance[r->instance_count++];
    bool odd = r->next_launches > 0;
    r->next_launches -= odd;
    memset(i, 0, sizeof *i);
    snprintf(i->id, sizeof i->id, "i-new-%u", ++r->launched);
    snprintf(i->addr, sizeof i->addr, "10.1.0.%u", r->launched);
    memcpy(i->node, a->node, sizeof i->node);
    memcpy(
        i->subnet,
        rc_cluster_group(&r->story.cluster, a->u.launch.group)->option[a->u.launch.option].subnet,
        sizeof i->subnet);
    memcpy(i->token, a->u.launch.token, sizeof i->token);
    memcpy(i->host, *r->next_host ? r->next_host : i->id, sizeof i->host);
    memset(r->next_host, 0, sizeof r->next_host);
    i->state = RC_INST_PENDING;
    i->incident = a->incident;
    i->attempt = a->u.launch.attempt;
    i->launched_ms = rc_scen_wall_ms(r);
    i->check[0] = i->check[1] = i->check[2] = RC_CHECK_OK;
    i->slurmd_takes_ms = odd && r->next_slurmd_ms ? r->next_slurmd_ms : SCEN_SLURMD_MS;
    i->boot_takes_ms = odd && r->next_boot_ms ? r->next_boot_ms : SCEN_BOOT_MS;
    i->news = true;
    if (i->boot_takes_ms != RC_NEVER) {
        rc_scen_later_add(r, i->boot_takes_ms, SCEN_INSTANCE_STATE, r->instance_count - 1,
                          RC_INST_RUNNING);
    }
    return i;
}

static enum rc_err
run_launch(struct rc_scen_run *r, const struct rc_action *a, struct rc_event *ev)
{
    const struct rc_scen_instance *i = launch(r, a);

    if (!i) {
        return RC_E_QUOTA;
    }
    struct rc_ev_completion *c = &ev->u.completion;
    memcpy(c->instance, i->id, sizeof c->instance);
    c->launched.launched_wall_ms = i->launched_ms;
    c->launched.state = i->state;
    c->launched.ours = 1;
    c->launched.tag_incident = i->incident;
    c->launched.tag_attempt = i->attempt;
    memcpy(c->launched.node, i->node, sizeof c->launched.node);
    memcpy(c->launched.addr, i->addr, sizeof c->launched.addr);
    memcpy(c->launched.subnet, i->subnet, sizeof c->launched.subnet);
    rc_text_set(c->launched.az, RC_AZ_LEN, "us-east-1a");
    rc_text_set(c->launched.type, RC_TYPE_LEN, "p4d.24xlarge");
    return RC_OK;
}

/* A person reading the story must see it when a living job is killed by us. */
static void
note_killed(struct rc_scen_run *r, const struct rc_scen_instance *i, const char *how)
{
    struct rc_scen_node *n = rc_scen_node_named(r, i->node);

    if (n && n->job && strcmp(n->addr, i->addr) == 0 && i->state == RC_INST_RUNNING && !n->down) {
        r->killed++;
        rc_scen_say(r, '!', "the job on %s is killed by this %s", n->name, how);
        rc_scen_job_end(r, n->job);
    }
}

static enum rc_err
change_power(struct rc_scen_run *r, const struct rc_action *a)
{
    struct rc_scen_instance *i = rc_scen_instance_named(r, a->instance);

    if (!i || i->unlisted || i->hidden) {
        return RC_E_NOT_FOUND;
    }
    uint32_t at = (uint32_t)(i - r->instance);
    if (a->kind == RC_ACT_START) {
        if (i->state != RC_INST_STOPPED) {
            return RC_E_STATE;
        }
        rc_scen_instance_turn(r, i, RC_INST_PENDING);
        i->check[0] = i->check[1] = RC_CHECK_OK;
        i->status_news = true;
        rc_scen_later_add(r, SCEN_BOOT_MS, SCEN_INSTANCE_STATE, at, RC_INST_RUNNING);
        return RC_OK;
    }
    note_killed(r, i, rc_action_name((enum rc_action_kind)a->kind));
    if (a->kind == RC_ACT_REBOOT) {
        rc_scen_later_add(r, SCEN_REBOOT_MS, SCEN_REBOOTED, at, 0);
    } else if (a->kind == RC_ACT_STOP) {
        rc_scen_instance_turn(r, i, RC_INST_STOPPING);
        rc_scen_later_add(r, SCEN_END_MS, SCEN_INSTANCE_STATE, at, RC_INST_STOPPED);
    } else if (i->state != RC_INST_TERMINATED) {
        rc_scen_instance_turn(r, i, RC_INST_SHUTTING_DOWN);
        rc_scen_later_add(r, SCEN_END_MS, SCEN_INSTANCE_STATE, at, RC_INST_TERMINATED);
    }
    return RC_OK;
}

/* Its slurmd waits for its name only, so it is quick when slurm.conf names it. */
static enum rc_err
name_spare_instance(struct rc_scen_run *r, const struct rc_action *a)
{
    struct rc_scen_instance *i = rc_scen_instance_named(r, a->instance);

    if (!i || i->unlisted || i->hidden) {
        return RC_E_NOT_FOUND;
    }
    memcpy(i->node, a->node, sizeof i->node);
    i->incident = a->incident;
    i->attempt = a->u.launch.attempt;
    i->slurmd_takes_ms = SCEN_SPARE_SLURMD_MS;
    i->news = true;
    return RC_OK;
}

static enum rc_err
register_address(struct rc_scen_run *r, const struct rc_action *a)
{
    struct rc_scen_node *n = rc_scen_node_named(r, a->node);
    struct rc_scen_instance *i = rc_scen_instance_named(r, a->instance);

    if (rc_scen_is_head(r, a->node)) {
        return rc_scen_head_address(r, a);
    }
    if (!n || !i) {
        return RC_E_NOT_FOUND;
    }
    memcpy(n->addr, a->u.reg.addr, sizeof n->addr);
    n->silent = true;
    rc_scen_show_node_later(r, n, SCEN_REGISTER_MS + SCEN_SLURM_SHOW_MS);
    if (i->state == RC_INST_RUNNING && i->slurmd_takes_ms != RC_NEVER) {
        rc_scen_later_add(r, SCEN_REGISTER_MS + i->slurmd_takes_ms, SCEN_SLURMD_UP,
                          (uint32_t)(i - r->instance), 0);
    }
    return RC_OK;
}

static enum rc_err
keep_past(struct rc_scen_run *r, const struct rc_action *a)
{
    unsigned at = 0;

    while (at < r->past_count && strcmp(r->past[at].node, a->node) != 0) {
        at++;
    }
    if (at == sizeof r->past / sizeof r->past[0]) {
        return RC_E_FULL;
    }
    r->past_count += at == r->past_count;
    memcpy(r->past[at].node, a->node, sizeof a->node);
    r->past[at].history = a->u.history;
    return RC_OK;
}

static enum rc_err
keep_item(struct rc_scen_run *r, const struct rc_action *a)
{
    unsigned at = 0;

    while (at < r->item_count && r->item[at].incident != a->incident) {
        at++;
    }
    if (a->u.item.close) {
        if (at < r->item_count) {
            r->item[at] = r->item[--r->item_count];
        }
        return RC_OK;
    }
    if (at == SCEN_ITEMS_MAX) {
        return RC_E_FULL;
    }
    r->item_count += at == r->item_count;
    r->item[at].incident = a->incident;
    memcpy(r->item[at].node, a->node, sizeof a->node);
    r->item[at].item = a->u.item;
    return RC_OK;
}

/* The kinds that go through slurmctld, and those that go to EC2. */
static bool
needs_slurm(uint32_t kind)
{
    return kind == RC_ACT_DRAIN || kind == RC_ACT_DOWN || kind == RC_ACT_RESUME ||
           kind == RC_ACT_JOBS_SIGNAL || kind == RC_ACT_JOBS_REQUEUE || kind == RC_ACT_REGISTER ||
           kind == RC_ACT_JOB_HOLD || kind == RC_ACT_JOBS_INCLUDE;
}

static bool
needs_ec2(uint32_t kind)
{
    return kind == RC_ACT_LAUNCH || kind == RC_ACT_ASSIGN || kind == RC_ACT_TERMINATE ||
           kind == RC_ACT_STOP || kind == RC_ACT_START || kind == RC_ACT_REBOOT;
}

/* Of the machine at the node's address. */
static void
tell_serials(struct rc_scen_run *r, const struct rc_action *a, struct rc_ev_completion *c)
{
    const struct rc_scen_node *n = rc_scen_node_named(r, a->node);

    for (unsigned k = 0; n && k < r->instance_count; k++) {
        const struct rc_scen_instance *i = &r->instance[k];
        if (strcmp(i->addr, n->addr) == 0) {
            snprintf(c->serials, sizeof c->serials, "%.31s-1,%.31s-2", i->host, i->host);
        }
    }
}

/* To a controller. */
static bool
is_order(uint32_t kind)
{
    return kind == RC_ACT_FENCE || kind == RC_ACT_CONTROLLER_START || kind == RC_ACT_TAKEOVER;
}

static void
play_action(struct rc_scen_run *r, const struct rc_action *a, struct answer *ans)
{
    switch ((enum rc_action_kind)a->kind) {
    case RC_ACT_DRAIN:
    case RC_ACT_DOWN:
    case RC_ACT_RESUME:
        ans->in_ms = SCEN_SLURM_MS;
        ans->error = write_slurm(r, a);
        break;
    case RC_ACT_JOBS_SIGNAL:
    case RC_ACT_JOBS_REQUEUE:
        ans->in_ms = SCEN_SLURM_MS;
        ans->error = act_on_jobs(r, a);
        break;
    case RC_ACT_LAUNCH:
        ans->in_ms = SCEN_LAUNCH_MS;
        ans->error = run_launch(r, a, &ans->ev);
        break;
    case RC_ACT_ASSIGN:
        ans->in_ms = SCEN_EC2_MS;
        ans->error = name_spare_instance(r, a);
        break;
    case RC_ACT_TERMINATE:
    case RC_ACT_STOP:
    case RC_ACT_START:
    case RC_ACT_REBOOT:
        ans->in_ms = SCEN_EC2_MS;
        ans->error = change_power(r, a);
        break;
    case RC_ACT_REGISTER:
        ans->in_ms = SCEN_REGISTER_MS;
        ans->error = register_address(r, a);
        break;
    case RC_ACT_GATE:
    case RC_ACT_FORENSICS:
        tell_serials(r, a, &ans->ev.u.completion);
        ans->in_ms = SCEN_GATE_MS;
        break;
    case RC_ACT_GPU_RESET:
        ans->in_ms = SCEN_GATE_MS;
        break;
    case RC_ACT_JOB_HOLD:
    case RC_ACT_JOBS_INCLUDE:
        ans->in_ms = SCEN_SLURM_MS;
        break;
    case RC_ACT_SUPPORT_CASE:
    case RC_ACT_INCIDENT_PUT:
        ans->in_ms = SCEN_STORE_MS;
        ans->error = keep_item(r, a);
        break;
    case RC_ACT_HISTORY_PUT:
        ans->in_ms = SCEN_STORE_MS;
        ans->error = keep_past(r, a);
        break;
    case RC_ACT_MESSAGE_QUARANTINE:
        ans->in_ms = SCEN_STORE_MS;
        break;
    case RC_ACT_NONE:
    case RC_ACT_MESSAGE_DELETE:
    case RC_ACT_LOOK:
    case RC_ACT_LEASE:
    case RC_ACT_TELL:
    case RC_ACT_FAILOVER:
    case RC_ACT_FENCE:
    case RC_ACT_CONTROLLER_START:
    case RC_ACT_TAKEOVER:
    case RC_ACTION__MAX:
        break;
    }
}

static void
ask_lease(struct rc_scen_run *r)
{
    bool held = !r->lease_lost && r->now_ms >= r->lease_free_ms;

    rc_scen_later_add(r, 0, SCEN_COMPLETE, 0, 0);
    struct rc_event *ev = &r->later[r->later_count - 1].ev;
    rc_event_init(ev, RC_EV_LEASE);
    ev->u.lease.held = held;
    ev->u.lease.epoch = r->epoch;
    ev->u.lease.until_ms = held ? r->now_ms + r->story.cluster.lease_term_ms : 0;
}

static void
look_at_instance(struct rc_scen_run *r, const struct rc_action *a)
{
    const struct rc_scen_instance *i = rc_scen_instance_named(r, a->instance);

    rc_scen_later_add(r, SCEN_EC2_MS, i ? SCEN_LOOKED : SCEN_COMPLETE,
                      i ? (uint32_t)(i - r->instance) : 0, 0);
    struct rc_event *ev = &r->later[r->later_count - 1].ev;
    rc_event_init(ev, RC_EV_COMPLETION);
    ev->u.completion.action = a->id;
    ev->u.completion.error = i ? RC_OK : RC_E_NOT_FOUND;
}

static void
forget_message(struct rc_scen_run *r, uint64_t msg)
{
    for (unsigned i = 0; i < r->message_count; i++) {
        r->message[i].deleted |= r->message[i].msg == msg;
    }
}

void
rc_scen_world_act(struct rc_scen_run *r, const struct rc_action *a)
{
    struct answer ans = {.error = RC_OK};
    struct rc_scen_fault *f = fault_for(r, a->kind);

    r->count[a->kind]++;
    if (a->kind == RC_ACT_LEASE) {
        ask_lease(r);
        return;
    }
    if (a->kind == RC_ACT_LOOK) {
        look_at_instance(r, a);
        return;
    }
    if (a->kind == RC_ACT_MESSAGE_DELETE) {
        forget_message(r, a->msg);
    }
    if (a->kind == RC_ACT_FAILOVER) {
        rc_scen_heads_ask_standby(r, a);
    }
    if (a->kind == RC_ACT_TELL || a->kind == RC_ACT_MESSAGE_DELETE || a->kind == RC_ACT_FAILOVER) {
        return; /* no completion */
    }
    rc_event_init(&ans.ev, RC_EV_COMPLETION);
    if (needs_slurm(a->kind) && r->slurm_away) {
        ans.error = RC_E_SLURM_DOWN;
        ans.in_ms = SCEN_HELPER_TIMEOUT_MS;
    } else if (needs_ec2(a->kind) && r->ec2_away) {
        ans.error = RC_E_UNREACHABLE;
        ans.in_ms = SCEN_EC2_MS;
    } else if (f && f->error != RC_OK) {
        ans.error = (enum rc_err)f->error;
        ans.in_ms = SCEN_EC2_MS;
    } else if (is_order(a->kind)) {
        ans.error = rc_scen_head_act(r, a, &ans.in_ms);
    } else {
        play_action(r, a, &ans);
    }
    if (f && f->takes_ms) {
        ans.in_ms = f->takes_ms;
    }
    if (f && f->lost) {
        return;
    }
    rc_scen_later_add(r, ans.in_ms, SCEN_COMPLETE, 0, 0);
    struct rc_event *ev = &r->later[r->later_count - 1].ev;
    *ev = ans.ev;
    ev->u.completion.action = a->id;
    ev->u.completion.error = (uint32_t)ans.error;
}
