/* pair_story.c - see pair_story.h. */
#include "tests/unit/core/pair_story.h"

#include <string.h>

static void
fill_controllers(struct story *st)
{
    struct rc_cluster *c = &st->cluster;
    struct rc_controllers_policy *p = &st->policy.controllers;
    struct rc_event ev;

    c->controller_count = 2;
    rc_text_set(c->controller[0].host, RC_NODE_LEN, "head1");
    rc_text_set(c->controller[1].host, RC_NODE_LEN, "head2");
    rc_text_set(c->controllers.template_id, RC_ID_LEN, "lt-head");
    c->controllers.template_version = 1;
    c->controllers.option_count = 2;
    rc_text_set(c->controllers.option[0].subnet, RC_ID_LEN, "subnet-a");
    rc_text_set(c->controllers.option[0].az, RC_AZ_LEN, "us-east-1a");
    rc_text_set(c->controllers.option[1].subnet, RC_ID_LEN, "subnet-b");
    rc_text_set(c->controllers.option[1].az, RC_AZ_LEN, "us-east-1b");
    *p = (struct rc_controllers_policy){.automatic = 1,
                                        .failovers_max = 2,
                                        .failovers_window_ms = 3600000,
                                        .gone_ms = 500,
                                        .silent_ms = 5000,
                                        .ailing_ms = 30000,
                                        .fence_ms = 5000,
                                        .takeover_ms = 20000,
                                        .grace_ms = 10000,
                                        .lost_ms = 60000,
                                        .restarts = 2,
                                        .swap_back_ms = 60000};
    rc_event_init(&ev, RC_EV_START);
    ev.u.start.seed = 1;
    rc_text_set(ev.u.start.host, RC_NODE_LEN, "head2");
    story_give(st, &ev);
    rc_event_init(&ev, RC_EV_CLUSTER);
    ev.u.cluster = &st->cluster;
    story_give(st, &ev);
    story_load(st);
}

void
pair_begin(struct story *st)
{
    story_begin(st, 2);
    fill_controllers(st);
    story_instance(st, "i-head1", "head1", "10.0.9.1", RC_INST_RUNNING);
    story_instance(st, "i-head2", "head2", "10.0.9.2", RC_INST_RUNNING);
    story_sweep(st);
    pair_host(st, "head1", RC_PROC_RUNS, RC_TOLD_NO);
    pair_host(st, "head2", RC_PROC_RUNS, RC_TOLD_NO);
    pair_probe(st, "head1", RC_CTL_PRIMARY, 0);
    pair_probe(st, "head2", RC_CTL_STANDBY, 0);
    story_wait(st, 1500); /* a leader looks first */
    story_clear(st);
}

void
pair_begin_alone(struct story *st)
{
    story_begin(st, 2);
    fill_controllers(st);
    story_instance(st, "i-head2", "head2", "10.0.9.2", RC_INST_RUNNING);
    story_sweep(st);
    pair_host(st, "head2", RC_PROC_RUNS, RC_TOLD_NO);
    story_clear(st);
}

void
pair_probe(struct story *st, const char *host, enum rc_ctl_mode mode, uint32_t by_peer)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_CONTROLLER_PROBE);
    rc_text_set(ev.node, sizeof ev.node, host);
    ev.u.probe.mode = (uint32_t)mode;
    ev.u.probe.by_peer = by_peer;
    rc_text_set(ev.u.probe.addr, RC_ADDR_LEN, strcmp(host, "head1") == 0 ? "10.0.9.1" : "10.0.9.2");
    story_give(st, &ev);
}

static void
host_event(struct story *st, const char *host, struct rc_ev_controller_host told)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_CONTROLLER_HOST);
    rc_text_set(ev.node, sizeof ev.node, host);
    rc_text_set(ev.instance, sizeof ev.instance,
                strcmp(host, "head1") == 0 ? "i-head1" : "i-head2");
    ev.u.controller = told;
    story_give(st, &ev);
}

void
pair_host(struct story *st, const char *host, enum rc_ctl_process process, enum rc_yes_no fenced)
{
    host_event(st, host,
               (struct rc_ev_controller_host){.link = process == RC_PROC_UNKNOWN ? RC_TOLD_NO
                                                                                 : RC_TOLD_YES,
                                              .process = (uint32_t)process,
                                              .fenced = (uint32_t)fenced,
                                              .dir = RC_DIR_OK,
                                              .munge = RC_TOLD_YES});
}

void
pair_cut_off(struct story *st)
{
    pair_host(st, "head1", RC_PROC_UNKNOWN, RC_TOLD_NOT);
    pair_probe(st, "head1", RC_CTL_UNREACHABLE, 0);
}

void
pair_ends(struct story *st, const char *host, enum rc_yes_no fenced)
{
    pair_host(st, host, RC_PROC_NONE, fenced);
    pair_probe(st, host, RC_CTL_REFUSED, 0);
}

void
pair_begin_in_place(struct story *st)
{
    pair_begin(st);
    st->policy.controllers.failovers_max = 1;
    story_load(st);
    st->s->pair.done_ms[0] = st->s->now_ms;
    st->s->pair.done_count = 1;
    pair_ends(st, "head1", RC_TOLD_NO);
    story_wait(st, 600);
}

void
pair_host_dir(struct story *st, const char *host, enum rc_ctl_dir dir)
{
    host_event(st, host,
               (struct rc_ev_controller_host){.link = RC_TOLD_YES,
                                              .process = RC_PROC_RUNS,
                                              .fenced = RC_TOLD_NO,
                                              .dir = (uint32_t)dir,
                                              .munge = RC_TOLD_YES});
}

void
pair_is_in_zone(struct story *st, const char *id, const char *az)
{
    const char *host = strcmp(id, "i-head1") == 0 ? "head1" : "head2";

    rc_text_set(rc_instance_at(st->s, rc_instance_find(st->s, id))->az, RC_AZ_LEN, az);
    memset(&st->s->pair.plan[rc_pair_find(&st->s->pair, host)], 0, sizeof st->s->pair.plan[0]);
    pair_host(st, host, RC_PROC_RUNS, RC_TOLD_NO);
}

void
pair_looked(struct story *st, const char *id, enum rc_instance_state state)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_COMPLETION);
    ev.u.completion.action = st->last[RC_ACT_LOOK].id;
    rc_text_set(ev.u.completion.instance, RC_ID_LEN, id);
    ev.u.completion.launched.state = (uint32_t)state;
    story_give(st, &ev);
}

void
pair_order(struct story *st, const char *host)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_OPERATOR);
    ev.u.operator_command.verb = RC_OP_FAILOVER;
    rc_text_set(ev.node, sizeof ev.node, host);
    story_give(st, &ev);
}

enum rc_failover_phase
pair_phase(const struct story *st)
{
    return (enum rc_failover_phase)st->s->pair.phase;
}
