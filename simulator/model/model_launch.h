/* model_launch.h - the account that the simulated clusters live in, and what the daemon's
 * requests for instances are there: launches with their tags, spares that get a name.
 *
 * One template "lt-1" of p4d.24xlarge, three subnets, and a reservation "cr-1" where all
 * nodes have one. Tags are those that reconciler/io/aws writes. */
#ifndef RC_MODEL_LAUNCH_H
#define RC_MODEL_LAUNCH_H

#include "reconciler/core/action.h"
#include "reconciler/core/cluster.h"
#include "simulator/model/model_ec2.h"

enum { RC_SIM_ACCOUNT_SUBNETS = 3 };

struct rc_sim_account {
    struct rc_sim_ec2_config ec2;
    const char *zone[RC_SIM_ACCOUNT_SUBNETS];
    uint32_t subnet_bits; /* distance of two subnets: 1 << bits */
    uint32_t subnet_size; /* addresses of each */
    uint32_t reserved;    /* instances in the reservation; 0 = none, capacity is open */
};

/* NULL: no memory. */
struct rc_sim_ec2 *rc_sim_account_new(const struct rc_sim_account *account, int64_t now_ms);
/* Launch options in each subnet, or in the reservation alone; returns how many. */
uint32_t rc_sim_account_options(const struct rc_sim_account *account, bool reserved,
                                struct rc_launch_option *ret);
/* The one group of nodes n1..n<nodes>, as a cluster file describes it. */
void rc_sim_account_group(const struct rc_sim_account *account, uint32_t nodes,
                          struct rc_group *ret);

/* An instance that serves a node from the start; NULL: no room. subnet: its number. */
struct rc_sim_instance *rc_sim_account_place(struct rc_sim_ec2 *m, int64_t now_ms,
                                             const char *cluster, const char *node, uint32_t subnet,
                                             bool reserved);

/* The RunInstances call of a launch action. */
void rc_sim_launch_of(const struct rc_action *a, const struct rc_group *g, const char *cluster,
                      struct rc_sim_launch *ret);
/* What its completion tells of the instance. */
void rc_sim_launch_told(const struct rc_action *a, const struct rc_sim_instance *inst,
                        int64_t now_ms, struct rc_ev_completion *ret);
/* The tags that give a spare its name. */
void rc_sim_assign(const struct rc_action *a, struct rc_sim_instance *inst);

#endif
