/* cluster.h - what the core must know of the cluster file: who we are, which
 * nodes are ours, and where a replacement may be launched.
 *
 * The cluster file is the daemon's configuration (docs/configuration.md); its
 * loader fills this struct. Plain value, zeroed first, no pointers. */
#ifndef RC_CLUSTER_H
#define RC_CLUSTER_H

#include <stdint.h>

#include "reconciler/core/controller.h"
#include "reconciler/core/limits.h"

/* One place where an instance may be launched; the order in the file is the order of trial. */
struct rc_launch_option {
    char subnet[RC_ID_LEN];
    char az[RC_AZ_LEN];
    char type[RC_TYPE_LEN];      /* "" = as the launch template says */
    char reservation[RC_ID_LEN]; /* "" = none */
    uint32_t capacity_block;     /* 1 = MarketType=capacity-block */
    /* A template with network interfaces (EFA) names its subnet itself: EC2 refuses a
     * SubnetId beside it, so each subnet needs a template of its own. */
    uint32_t subnet_in_template;
    uint32_t template_version; /* 0 = the group's template */
    uint32_t pad_;
    char template_id[RC_ID_LEN];
};

enum rc_capacity { RC_CAPACITY_OPEN, RC_CAPACITY_RESERVED, RC_CAPACITY_BLOCK, RC_CAPACITY__MAX };

struct rc_group {
    char name[RC_GROUP_LEN];
    char nodes[RC_TEXT_LEN];          /* Slurm host list, such as gpu-[1-16],viz-1 */
    char template_id[RC_ID_LEN];      /* launch template */
    char placement[RC_PLACEMENT_LEN]; /* placement group, "" = none */
    uint32_t template_version;        /* pinned, never $Latest */
    uint32_t capacity;                /* enum rc_capacity */
    uint32_t option_count;
    uint32_t pad_;
    struct rc_launch_option option[RC_OPTIONS_MAX];
};

/* A controller of slurm.conf; its instances carry `host` as their node name. */
struct rc_controller_spec {
    char host[RC_NODE_LEN]; /* as in SlurmctldHost; also the lease's owner */
};

struct rc_cluster {
    char name[RC_CLUSTER_LEN];
    char region[RC_AZ_LEN];
    uint32_t nodes_max; /* room for nodes; default 16,384 */
    uint32_t group_count;
    int64_t lease_term_ms;     /* asked for; renewed at a third */
    int64_t lease_margin_ms;   /* no request is sent after expiry minus this */
    int64_t poll_instances_ms; /* expected period of the sweeps: staleness is judged by it */
    int64_t poll_slurm_ms;
    struct rc_group group[RC_GROUPS_MAX];
    uint32_t controller_count; /* 0: the fail-over of slurmctld is not ours; else 2 */
    uint32_t pad_;
    struct rc_controller_spec controller[RC_CONTROLLERS_MAX]; /* in the order of slurm.conf */
    struct rc_group controllers; /* where a lost one is launched; no template: by a person */
};

/* LAUNCH: the group of the controllers counts as one more. */
#define RC_GROUP_CONTROLLERS RC_GROUPS_MAX
static inline const struct rc_group *
rc_cluster_group(const struct rc_cluster *c, uint32_t group)
{
    return group == RC_GROUP_CONTROLLERS ? &c->controllers : &c->group[group];
}

/* Does a Slurm host list ("gpu-[1-3,7],viz-1") name this node? Pure, no expansion. */
int rc_hostlist_has(const char *list, const char *node);

#endif
