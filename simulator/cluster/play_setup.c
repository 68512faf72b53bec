/* play_setup.c - the cluster of a schedule: account, nodes, controllers. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/cluster/play_private.h"
#include "simulator/model/model_launch.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, FOREIGN_INSTANCES = 2 };

static struct rc_sim_account
account_of(const struct rc_play *p)
{
    const struct rc_plan *plan = p->plan;
    struct rc_sim_account account = {.ec2 = {.seed = plan->seed,
                                             .instances_max = RC_PLAY_SLOTS,
                                             .tokens_max = 256,
                                             .delays = {.visible_ms = 2 * SECOND,
                                                        .launch_ms = 20 * SECOND,
                                                        .boot_ms = 60 * SECOND,
                                                        .initializing_ms = 90 * SECOND,
                                                        .stop_ms = 40 * SECOND,
                                                        .terminate_ms = 40 * SECOND,
                                                        .reboot_ms = 60 * SECOND,
                                                        .release_ms = 30 * SECOND,
                                                        .vanish_ms = 30 * MINUTE,
                                                        .jitter_permille = 1000}},
                                     .zone = {"us-east-1a", "us-east-1b", "us-east-1b"},
                                     .subnet_bits = 8,
                                     .subnet_size = 250};

    if (plan->reserved) { /* launch-first needs a free slot */
        account.reserved =
            (uint32_t)(plan->nodes + plan->spares) + (plan->order == RC_ORDER_LAUNCH_FIRST);
    }
    return account;
}

static void
place_node(struct rc_play *p, const char *cluster, const char *node, uint32_t subnet,
           struct rc_sim_node_row *row)
{
    /* controllers are on demand */
    struct rc_sim_instance *inst = rc_sim_account_place(
        p->ec2, rc_play_wall(p), cluster, node, subnet, row && row->cpus && p->plan->reserved);

    assert(inst);
    if (row) {
        rc_text_set(row->addr, sizeof row->addr, inst->addr);
    }
}

static void
make_nodes(struct rc_play *p)
{
    struct rc_sim_slurm_config config = {
        .seed = p->plan->seed,
        .nodes_max = RC_PLAN_NODES_MAX,
        .hosts_max = RC_PLAY_SLOTS,
        .jobs_max = 32,
        .register_ms = 20 * SECOND,
        .ping_ms = 30 * SECOND,
        .slurmd_timeout_ms = 150 * SECOND,
        .completing_ms = 5 * SECOND,
        .requeue_ms = 30 * SECOND,
        .return_to_service = 1,
    };

    p->slurm = rc_sim_slurm_new(&config);
    assert(p->slurm);
    for (uint32_t i = 0; i < p->plan->nodes; i++) {
        struct rc_sim_node_row *row = &p->conf[i];
        snprintf(row->name, sizeof row->name, "n%u", i + 1);
        memcpy(row->hostname, row->name, sizeof row->hostname);
        snprintf(row->partition, sizeof row->partition, "p%u",
                 (unsigned)(i % p->plan->partitions) + 1);
        row->cpus = 96;
        place_node(p, RC_PLAY_CLUSTER, row->name, p->plan->reserved ? 0 : i % RC_PLAN_SUBNETS, row);
    }
    for (uint32_t i = 0; i < FOREIGN_INSTANCES; i++) {
        place_node(p, "other", p->conf[0].name, i, NULL);
    }
    for (uint32_t i = 0; rc_play_has_pair(p) && i < RC_PLAY_CTLS; i++) {
        struct rc_sim_node_row row = {0};
        snprintf(row.name, sizeof row.name, "head%u", i + 1);
        place_node(p, RC_PLAY_CLUSTER, row.name, i, &row);
        memcpy(p->head[i].addr, row.addr, sizeof p->head[i].addr);
        p->head[i].host_up = p->head[i].allowed = 1;
        p->head[i].process = RC_PROC_RUNS;
        p->head[i].active = i == 0;
    }
    p->conf_version = 1;
    rc_play_changes(p);
    rc_sim_slurm_configure(p->slurm, rc_play_wall(p), p->conf, (uint32_t)p->plan->nodes);
    rc_sim_slurm_settle(p->slurm, rc_play_wall(p));
}

static void
make_queue(struct rc_play *p)
{
    struct rc_sim_sqs_config config = {
        .seed = p->plan->seed,
        .messages_max = 512,
        .in_flight_max = 120000,
        .visibility_ms = RC_PLAY_VISIBILITY_MS,
        .retention_ms = INT64_C(4) * 24 * 3600 * 1000,
        .duplicate_permille = (uint32_t)p->plan->doubled_permille / 2,
        .reorder_permille = (uint32_t)p->plan->late_permille / 2,
        .return_permille = (uint32_t)p->plan->doubled_permille / 8,
    };

    p->sqs = rc_sim_sqs_new(&config);
    assert(p->sqs);
}

static void
fill_cluster(struct rc_play *p)
{
    const struct rc_sim_account account = account_of(p);
    struct rc_cluster *c = &p->cluster;
    const size_t behind = offsetof(struct rc_cluster, controller_count);

    memset(c, 0, offsetof(struct rc_cluster, group[1]));
    memset((char *)c + behind, 0, sizeof *c - behind);
    rc_text_set(c->name, sizeof c->name, RC_PLAY_CLUSTER);
    rc_text_set(c->region, sizeof c->region, "us-east-1");
    c->nodes_max = 32;
    c->group_count = 1;
    c->lease_term_ms = RC_PLAY_LEASE_TERM_MS;
    c->lease_margin_ms = RC_PLAY_LEASE_MARGIN_MS;
    c->poll_instances_ms = RC_PLAY_SWEEP_MS;
    c->poll_slurm_ms = RC_PLAY_SLURM_MS;
    rc_sim_account_group(&account, (uint32_t)p->plan->nodes, &c->group[0]);
    c->controller_count = rc_play_has_pair(p) ? RC_PLAY_CTLS : 0;
    if (c->controller_count) {
        rc_text_set(c->controllers.template_id, RC_ID_LEN, "lt-1");
        c->controllers.template_version = 1;
        c->controllers.option_count =
            rc_sim_account_options(&account, false, c->controllers.option);
    }
    for (uint32_t i = 0; i < c->controller_count; i++) {
        snprintf(c->controller[i].host, sizeof c->controller[i].host, "head%u", i + 1);
    }
}

void
rc_play_setup(struct rc_play *p)
{
    const struct rc_sim_account account = account_of(p);

    p->ec2 = rc_sim_account_new(&account, rc_play_wall(p));
    assert(p->ec2);
    make_nodes(p);
    make_queue(p);
    fill_cluster(p);
    rc_play_policy(p);
    rc_play_task(p, p->quiet_ms, RC_TASK_QUIET, NULL, 0);
    for (uint32_t i = 0; i < p->plan->controllers; i++) {
        p->ctl[i].p = p;
        p->ctl[i].index = i;
        /* Who comes first leads: the primary's own daemon, or the other one. */
        uint32_t turn = p->plan->pair && p->plan->seed % 3 ? 1 - i : i;
        rc_play_task(p, (int64_t)turn * 500, RC_TASK_START, &p->ctl[i], 0);
    }
}

void
rc_play_done(struct rc_play *p)
{
    for (uint32_t i = 0; i < p->plan->controllers; i++) {
        rc_ctl_free(&p->ctl[i]);
    }
    for (uint32_t i = 0; i < p->request_room; i++) {
        free(p->request[i]->rows.row);
        free(p->request[i]);
    }
    free(p->request);
    free(p->task);
    rc_sim_ec2_free(p->ec2);
    rc_sim_slurm_free(p->slurm);
    rc_sim_sqs_free(p->sqs);
}
