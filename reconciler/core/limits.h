/* limits.h - sizes of the fixed strings and tables that the core holds.
 *
 * State and events hold no pointers, so every string has a fixed room. Each
 * *_LEN includes the closing NUL. Decoders refuse longer input; nothing is cut
 * silently. Sources: EC2 ids are "x-" + 17 hex digits (8 in old accounts);
 * RunInstances ClientToken is at most 64 ASCII characters; a Slurm node name
 * is a host name (63). */
#ifndef RC_LIMITS_H
#define RC_LIMITS_H

enum {
    RC_NODE_LEN = 64,      /* Slurm node name */
    RC_PARTITION_LEN = 32, /* Slurm partition */
    RC_ID_LEN = 32,        /* EC2 id: i-…, subnet-…, cr-…, lt-… */
    RC_ADDR_LEN = 48,      /* IPv4 or IPv6 address, text */
    RC_AZ_LEN = 24,        /* availability zone, such as us-east-1a */
    RC_TYPE_LEN = 32,      /* instance type, such as p4d.24xlarge */
    RC_GROUP_LEN = 32,     /* node group of the cluster file, placement group 64 */
    RC_PLACEMENT_LEN = 64,
    RC_CLUSTER_LEN = 40,  /* cluster name */
    RC_CODE_LEN = 64,     /* fault code, event type code, AWS error code */
    RC_TEXT_LEN = 128,    /* one line for people: evidence, reason, why */
    RC_TOKEN_LEN = 65,    /* RunInstances ClientToken */
    RC_RULE_LEN = 40,     /* name of a policy rule */
    RC_CLASS_LEN = 40,    /* class of a node's own fault, such as xid:79 */
    RC_DEVICE_LEN = 40,   /* its device: PCI address, mount point, NIC; longer ones are cut */
    RC_BOOT_LEN = 12,     /* first 8 hex digits of the kernel's boot id */
    RC_SERIALS_LEN = 160, /* serial numbers of a host's GPUs, commas between */

    RC_GROUPS_MAX = 32, /* node groups in the cluster file */
    RC_OPTIONS_MAX = 8, /* launch options (subnet, reservation, type) of a group */
    RC_RULES_MAX = 64,  /* rules in a policy */
    RC_RUNGS_MAX = 6,   /* rungs on a ladder */
    RC_PARTITIONS_MAX = 64,
    RC_ZONES_MAX = 16,
    RC_CONTROLLERS_MAX = 2,    /* SlurmctldHost lines that a fail-over of ours knows */
    RC_ATTEMPTS_MAX = 8,       /* remembered attempts of one node */
    RC_LEMON_DAYS = 28,        /* marks of a host are kept so long */
    RC_NODE_BAD_HOSTS = 2,     /* bad hosts that a node's history remembers */
    RC_NODE_FAULTS_MAX = 6,    /* faults that an agent's list may hold; the latest first */
    RC_GATE_TYPES_MAX = 8,     /* instance types with probes of their own */
    RC_SPARES_MAX = 32,        /* places for hot spares of a node group */
    RC_NODE_JOBS_MAX = 8,      /* jobs told of one node: one for each GPU of a p4d */
    RC_NODE_EXCLUDERS_MAX = 4, /* jobs told of that want to stay away from a node: the latest */
    RC_ACTIONS_MAX = 64        /* actions emitted by one step; the rest waits for the next */
};

/* An incident each second for thirty years: a higher number was written by hand. */
#define RC_INCIDENT_MAX 1000000000U

/* The own part of a kind in the tables of events and actions. */
#define RC_OWN(name) sizeof(struct rc_##name)

#endif
