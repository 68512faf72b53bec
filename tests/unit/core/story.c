/* story.c - see story.h. */
#include "tests/unit/core/story.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
fill_policy(struct rc_policy *p)
{
    struct rc_rule *r = &p->rule[0];

    rc_text_set(p->name, sizeof p->name, "story");
    p->rule_count = 1;
    rc_text_set(r->name, sizeof r->name, "replace-all");
    r->rung_count = 1;
    r->rung[0] = (struct rc_rung){.kind = RC_RUNG_REPLACE, .attempts = 2, .timeout_ms = 600000};
    r->jobs = (struct rc_jobs_plan){.mode = RC_JOBS_WAIT, .wait_ms = 600000};
    for (int i = 0; i < RC_SCOPE__MAX; i++) {
        p->limits.out[i] = (struct rc_limit){.count = 4};
    }
    p->limits.attempts_max = 3;
    p->limits.attempts_window_ms = 24 * 3600 * 1000LL;
    p->limits.breaker = (struct rc_limit){.count = 100};
    p->limits.breaker_window_ms = 300000;
    p->timeouts = (struct rc_timeouts_policy){.drain_ms = 20000,
                                              .launch_ms = 30000,
                                              .boot_ms = 300000,
                                              .register_ms = 30000,
                                              .join_ms = 300000,
                                              .gate_ms = 60000,
                                              .return_ms = 30000,
                                              .stop_ms = 300000,
                                              .retry_min_ms = 500,
                                              .retry_max_ms = 60000,
                                              .missing_ms = 180000,
                                              .capacity_wait_ms = 60000};
}

static void
fill_cluster(struct rc_cluster *c)
{
    static const char *const subnets[] = {"subnet-a", "subnet-b", "subnet-c"};
    struct rc_group *g = &c->group[0];

    rc_text_set(c->name, sizeof c->name, "story");
    c->group_count = 1;
    c->lease_term_ms = 30000;
    c->lease_margin_ms = 2000;
    c->poll_instances_ms = 30000;
    rc_text_set(g->name, sizeof g->name, "gpu");
    rc_text_set(g->nodes, sizeof g->nodes, "n[1-2000]");
    rc_text_set(g->template_id, sizeof g->template_id, "lt-1");
    g->template_version = 1;
    g->option_count = 3;
    for (unsigned i = 0; i < 3; i++) {
        rc_text_set(g->option[i].subnet, RC_ID_LEN, subnets[i]);
    }
}

static void
take_actions(struct story *st)
{
    for (uint32_t i = 0; i < st->out.count; i++) {
        const struct rc_action *a = &st->out.v[i];
        size_t len = strlen(st->trace);
        st->last[a->kind] = *a;
        st->count[a->kind]++;
        if (a->kind == RC_ACT_INCIDENT_PUT) {
            assert(st->put_count < sizeof st->put / sizeof st->put[0]);
            st->put[st->put_count++] = a->id;
            snprintf(st->trace + len, sizeof st->trace - len, "%s=%s;", a->node,
                     rc_phase_name((enum rc_phase)a->u.item.phase));
        } else if (a->kind != RC_ACT_LEASE && a->kind != RC_ACT_HISTORY_PUT) {
            snprintf(st->trace + len, sizeof st->trace - len, "%s;",
                     rc_action_name((enum rc_action_kind)a->kind));
        }
    }
}

static void
answer_histories(struct story *st)
{
    for (uint32_t slot = 1; slot <= st->s->flight_used; slot++) {
        const struct rc_flight *f = rc_flight_at(st->s, slot);
        if (f->id && f->kind == RC_ACT_HISTORY_PUT) {
            struct rc_event done;
            rc_event_init(&done, RC_EV_COMPLETION);
            done.u.completion.action = f->id;
            done.at_ms = st->at_ms;
            done.wall_ms = st->wall_ms;
            rc_step(st->s, &done, &st->out);
            take_actions(st);
        }
    }
}

void
story_give(struct story *st, struct rc_event *ev)
{
    st->at_ms += 10;
    st->wall_ms += 10;
    ev->at_ms = st->at_ms;
    ev->wall_ms = st->wall_ms;
    rc_step(st->s, ev, &st->out);
    take_actions(st);
    while (st->out.full) {
        struct rc_event tick;
        rc_event_init(&tick, RC_EV_TICK);
        tick.at_ms = st->at_ms;
        tick.wall_ms = st->wall_ms;
        rc_step(st->s, &tick, &st->out);
        take_actions(st);
    }
    /* The store always answers and the lease is always renewed, unless a test says otherwise. */
    for (unsigned i = 0; i < st->put_count; i++) { /* their answers may ask for more */
        struct rc_event done;
        rc_event_init(&done, RC_EV_COMPLETION);
        done.u.completion.action = st->put[i];
        done.at_ms = st->at_ms;
        done.wall_ms = st->wall_ms;
        rc_step(st->s, &done, &st->out);
        take_actions(st);
    }
    st->put_count = 0;
    answer_histories(st);
    if (st->s->lease_action) {
        story_take_lease(st, st->s->lease_epoch ? st->s->lease_epoch : 1);
    }
}

void
story_wait(struct story *st, int64_t ms)
{
    int64_t end_ms = st->at_ms + ms;
    struct rc_event tick;

    for (;;) {
        int64_t next_ms = rc_next_deadline(st->s);
        int64_t to_ms = next_ms < end_ms ? next_ms : end_ms;
        if (to_ms > st->at_ms) {
            st->wall_ms += to_ms - st->at_ms;
            st->at_ms = to_ms;
        }
        rc_event_init(&tick, RC_EV_TICK);
        story_give(st, &tick);
        if (st->at_ms >= end_ms) {
            return;
        }
    }
}

void
story_message(struct story *st, uint64_t id_hash, struct rc_event *ev)
{
    struct rc_event m;

    rc_event_init(&m, RC_EV_MESSAGE);
    m.msg = ++st->msg;
    m.u.message.id_hash = id_hash;
    m.u.message.parts = ev ? 1 : 0;
    m.u.message.verdict = ev ? RC_VERDICT_EVENTS : RC_VERDICT_IGNORED;
    story_give(st, &m);
    if (ev && rc_message_wants_parts(st->s, m.msg)) {
        ev->msg = m.msg;
        story_give(st, ev);
    }
}

void
story_state(struct story *st, const char *instance, enum rc_instance_state state)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_EC2_STATE_CHANGE);
    rc_text_set(ev.instance, sizeof ev.instance, instance);
    ev.u.state_change.state = (uint32_t)state;
    story_message(st, 0, &ev);
}

static void
give_node(struct story *st, const char *node, const char *addr, uint32_t flags, enum rc_owner owner,
          struct rc_node_job job)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_SLURM_NODE);
    ev.u.slurm.jobs = job.id != 0;
    ev.u.slurm.job[0] = job;
    rc_text_set(ev.node, sizeof ev.node, node);
    rc_text_set(ev.u.slurm.addr, RC_ADDR_LEN, addr);
    rc_text_set(ev.u.slurm.partition, RC_PARTITION_LEN, "gpu");
    ev.u.slurm.flags = flags;
    ev.u.slurm.owner = (uint32_t)owner;
    const struct rc_incident *inc = rc_node_find(st->s, node) ? story_incident(st, node) : NULL;
    if (owner == RC_OWNER_OURS) {
        ev.u.slurm.reason_incident = inc ? inc->id : 1; /* 0 would be an agent's drain */
    }
    ev.u.slurm.cpus = 96;
    ev.u.slurm.boot_wall_ms = st->wall_ms;
    ev.u.slurm.slurmd_start_wall_ms = st->wall_ms;
    story_give(st, &ev);
}

void
story_node(struct story *st, const char *node, const char *addr, uint32_t flags,
           enum rc_owner owner)
{
    give_node(st, node, addr, flags, owner, (struct rc_node_job){0});
}

void
story_job(struct story *st, const char *node, const char *addr, uint32_t flags, uint32_t job,
          uint32_t nodes)
{
    give_node(st, node, addr, flags | RC_SN_ALLOCATED,
              flags & RC_SN_DRAIN ? RC_OWNER_OURS : RC_OWNER_NONE,
              (struct rc_node_job){job, nodes});
}

void
story_instance(struct story *st, const char *id, const char *node, const char *addr,
               enum rc_instance_state state)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_INSTANCE);
    rc_text_set(ev.instance, sizeof ev.instance, id);
    rc_text_set(ev.u.described.node, RC_NODE_LEN, node);
    rc_text_set(ev.u.described.addr, RC_ADDR_LEN, addr);
    rc_text_set(ev.u.described.az, RC_AZ_LEN, "us-east-1a");
    rc_text_set(ev.u.described.type, RC_TYPE_LEN, "p4d.24xlarge");
    ev.u.described.state = (uint32_t)state;
    ev.u.described.ours = 1;
    ev.u.described.launched_wall_ms = st->wall_ms;
    story_give(st, &ev);
}

void
story_checks(struct story *st, const char *instance, enum rc_check system)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_INSTANCE_STATUS);
    rc_text_set(ev.instance, sizeof ev.instance, instance);
    ev.u.status.state = RC_INST_RUNNING;
    ev.u.status.system = (uint32_t)system;
    ev.u.status.instance = RC_CHECK_OK;
    story_give(st, &ev);
}

void
story_operate(struct story *st, enum rc_operator_verb verb, const char *node, uint32_t incident)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_OPERATOR);
    rc_text_set(ev.node, sizeof ev.node, node);
    ev.u.operator_command.verb = (uint32_t)verb;
    ev.u.operator_command.incident = incident;
    story_give(st, &ev);
}

void
story_sweep(struct story *st)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_SWEEP);
    ev.u.sweep.which = RC_SWEEP_INSTANCES;
    ev.u.sweep.complete = 1;
    story_give(st, &ev);
}

void
story_history(struct story *st, const char *node, const struct rc_history *h, uint64_t epoch)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_HISTORY);
    rc_text_set(ev.node, sizeof ev.node, node);
    ev.u.history = *h;
    ev.u.history.epoch = epoch;
    story_give(st, &ev);
}

void
story_lose_lease(struct story *st)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_LEASE);
    story_give(st, &ev);
}

void
story_take_lease(struct story *st, uint64_t epoch)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_LEASE);
    ev.u.lease.held = 1;
    ev.u.lease.epoch = epoch;
    ev.u.lease.until_ms = st->at_ms + st->cluster.lease_term_ms;
    story_give(st, &ev);
}

void
story_answer(struct story *st, enum rc_action_kind kind, enum rc_err error)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_COMPLETION);
    ev.u.completion.action = st->last[kind].id;
    ev.u.completion.error = (uint32_t)error;
    story_give(st, &ev);
}

void
story_launched(struct story *st, const char *id, const char *addr)
{
    const struct rc_action *a = &st->last[RC_ACT_LAUNCH];
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_COMPLETION);
    ev.u.completion.action = a->id;
    rc_text_set(ev.u.completion.instance, RC_ID_LEN, id);
    rc_text_set(ev.u.completion.launched.addr, RC_ADDR_LEN, addr);
    rc_text_set(ev.u.completion.launched.node, RC_NODE_LEN, a->node);
    ev.u.completion.launched.state = RC_INST_PENDING;
    ev.u.completion.launched.ours = 1;
    ev.u.completion.launched.tag_incident = a->incident;
    ev.u.completion.launched.tag_attempt = a->u.launch.attempt;
    ev.u.completion.launched.launched_wall_ms = st->wall_ms;
    story_give(st, &ev);
}

struct rc_incident *
story_incident(struct story *st, const char *node)
{
    uint32_t slot = rc_node_find(st->s, node);
    uint32_t inc = slot ? rc_node_at(st->s, slot)->incident : 0;

    return inc ? rc_incident_at(st->s, inc) : NULL;
}

void
story_load(struct story *st)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_POLICY);
    ev.u.policy = &st->policy;
    story_give(st, &ev);
}

void
story_begin(struct story *st, unsigned nodes)
{
    const struct rc_capacity_limits limits = {.nodes = nodes + 8, .incidents = 64, .messages = 256};
    struct rc_event ev;

    memset(st, 0, sizeof *st);
    st->wall_ms = 1700000000000;
    fill_cluster(&st->cluster);
    fill_policy(&st->policy);
    void *mem = calloc(1, rc_state_size(&limits));
    st->s = rc_state_init(mem, &limits);
    rc_event_init(&ev, RC_EV_START);
    ev.u.start.seed = 7;
    story_give(st, &ev);
    rc_event_init(&ev, RC_EV_CLUSTER);
    ev.u.cluster = &st->cluster;
    story_give(st, &ev);
    story_load(st);
    for (unsigned i = 1; i <= nodes; i++) {
        char name[16], id[16], addr[24];
        snprintf(name, sizeof name, "n%u", i);
        snprintf(id, sizeof id, "i-%u", i);
        snprintf(addr, sizeof addr, "10.0.%u.%u", i / 250, i % 250);
        story_instance(st, id, name, addr, RC_INST_RUNNING);
        story_node(st, name, addr, 0, RC_OWNER_NONE);
    }
    story_clear(st);
}

void
story_clear(struct story *st)
{
    st->trace[0] = '\0';
    memset(st->count, 0, sizeof st->count);
}

void
story_end(struct story *st)
{
    free(st->s);
    st->s = NULL;
}
