/* event.h - everything that the core can be told.
 *
 * An event is a plain value: no pointers except in START, CLUSTER and POLICY,
 * whose payloads are read during the step and copied into the state. Decoders
 * and adapters zero first what its kind has (rc_event_init), so that a record of
 * it is the same bytes wherever it is made; what lies behind that is read by nobody,
 * and not copied. Strings are NUL-terminated and fit (limits.h); "" means not told.
 *
 * Unknown is a third value: enums have an UNKNOWN member with value 0. */
#ifndef RC_EVENT_H
#define RC_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "reconciler/core/controller.h"
#include "reconciler/core/errors.h"
#include "reconciler/core/limits.h"
#include "reconciler/core/node_history.h"

struct rc_cluster;
struct rc_policy;

/* One kind = one file handlers/<name with _>.c = one row in handlers/table.c.
 * X(enum, name, label, bytes of its own part of the union; nothing behind them is read) */
/* clang-format off */
#define RC_EVENTS(X) \
    X(RC_EV_START,                    "start",                    start,                    RC_OWN(ev_start)) \
    X(RC_EV_CLUSTER,                  "cluster",                  cluster,                  sizeof(void *)) \
    X(RC_EV_POLICY,                   "policy",                   policy,                   sizeof(void *)) \
    X(RC_EV_TICK,                     "tick",                     tick,                     0) \
    X(RC_EV_MESSAGE,                  "message",                  message,                  RC_OWN(ev_message)) \
    X(RC_EV_EC2_STATE_CHANGE,         "ec2-state-change",         ec2_state_change,         RC_OWN(ev_ec2_state_change)) \
    X(RC_EV_SPOT_INTERRUPTION,        "spot-interruption",        spot_interruption,        RC_OWN(ev_spot_interruption)) \
    X(RC_EV_REBALANCE_RECOMMENDATION, "rebalance-recommendation", rebalance_recommendation, 0) \
    X(RC_EV_AWS_HEALTH,               "aws-health",               aws_health,               RC_OWN(ev_aws_health)) \
    X(RC_EV_CLOUDWATCH_ALARM,         "cloudwatch-alarm",         cloudwatch_alarm,         RC_OWN(ev_cloudwatch_alarm)) \
    X(RC_EV_CAPACITY_RESERVATION,     "capacity-reservation",     capacity_reservation,     RC_OWN(ev_capacity)) \
    X(RC_EV_CAPACITY_BLOCK,           "capacity-block",           capacity_block,           RC_OWN(ev_capacity)) \
    X(RC_EV_FLEET,                    "fleet",                    fleet,                    RC_OWN(ev_fleet)) \
    X(RC_EV_EBS_VOLUME,               "ebs-volume",               ebs_volume,               RC_OWN(ev_ebs_volume)) \
    X(RC_EV_INSTANCE,                 "instance",                 instance,                 RC_OWN(ev_instance)) \
    X(RC_EV_INSTANCE_STATUS,          "instance-status",          instance_status,          RC_OWN(ev_instance_status)) \
    X(RC_EV_SLURM_NODE,               "slurm-node",               slurm_node,               RC_OWN(ev_slurm_node)) \
    X(RC_EV_NODE_FAULTS,              "node-faults",              node_faults,              RC_OWN(ev_node_faults)) \
    X(RC_EV_SWEEP,                    "sweep",                    sweep,                    RC_OWN(ev_sweep)) \
    X(RC_EV_LEASE,                    "lease",                    lease,                    RC_OWN(ev_lease)) \
    X(RC_EV_COMPLETION,               "completion",               completion,               RC_OWN(ev_completion)) \
    X(RC_EV_OPERATOR,                 "operator",                 operator,                 RC_OWN(ev_operator)) \
    X(RC_EV_ADOPT,                    "adopt",                    adopt,                    RC_OWN(ev_adopt)) \
    X(RC_EV_HISTORY,                  "history",                  history,                  RC_OWN(history)) \
    X(RC_EV_CONTROLLER_PROBE,         "controller-probe",         controller_probe,         RC_OWN(ev_controller_probe)) \
    X(RC_EV_CONTROLLER_HOST,          "controller-host",          controller_host,          RC_OWN(ev_controller_host))
/* clang-format on */

enum rc_event_kind {
#define RC_EVENT_ENUM(kind, name, field, own) kind,
    RC_EVENTS(RC_EVENT_ENUM)
#undef RC_EVENT_ENUM
        RC_EVENT__MAX
};

/* EC2 instance states as DescribeInstances and EventBridge spell them. */
enum rc_instance_state {
    RC_INST_UNKNOWN,
    RC_INST_PENDING,
    RC_INST_RUNNING,
    RC_INST_STOPPING,
    RC_INST_STOPPED,
    RC_INST_SHUTTING_DOWN,
    RC_INST_TERMINATED,
    RC_INST__MAX
};

/* One status check of DescribeInstanceStatus. */
enum rc_check {
    RC_CHECK_UNKNOWN, /* insufficient-data, not told */
    RC_CHECK_OK,      /* ok, not-applicable */
    RC_CHECK_INITIALIZING,
    RC_CHECK_IMPAIRED,
    RC_CHECK__MAX
};

/* What AWS has scheduled for an instance, from Health or DescribeInstanceStatus. */
enum rc_schedule {
    RC_SCHED_NONE,
    RC_SCHED_REBOOT,      /* instance-reboot: in place */
    RC_SCHED_MAINTENANCE, /* system-reboot, system-maintenance, network, power */
    RC_SCHED_STOP,        /* instance-stop */
    RC_SCHED_RETIREMENT,  /* instance-retirement, termination scheduled */
    RC_SCHED_OTHER,       /* a code that this release does not know: careful default */
    RC_SCHED__MAX
};

enum rc_health_category {
    RC_HEALTH_UNKNOWN,
    RC_HEALTH_SCHEDULED_CHANGE,
    RC_HEALTH_ISSUE,
    RC_HEALTH_ACCOUNT_NOTIFICATION,
    RC_HEALTH_INVESTIGATION,
    RC_HEALTH__MAX
};

enum rc_health_status {
    RC_HSTAT_UNKNOWN,
    RC_HSTAT_OPEN,
    RC_HSTAT_UPCOMING,
    RC_HSTAT_CLOSED,
    RC_HSTAT__MAX
};

enum rc_alarm_state { RC_ALARM_UNKNOWN, RC_ALARM_OK, RC_ALARM_FIRING, RC_ALARM__MAX };

enum rc_instance_action {
    RC_IACT_UNKNOWN,
    RC_IACT_TERMINATE,
    RC_IACT_STOP,
    RC_IACT_HIBERNATE,
    RC_IACT__MAX
};

/* Slurm node state, one flag a fact; what slurmctld shows, not what we want. */
enum rc_slurm_flag {
    RC_SN_DOWN = 1U << 0,
    RC_SN_DRAIN = 1U << 1,
    RC_SN_FAIL = 1U << 2,
    RC_SN_ALLOCATED = 1U << 3, /* allocated or mixed: a job holds resources */
    RC_SN_COMPLETING = 1U << 4,
    RC_SN_NOT_RESPONDING = 1U << 5,
    RC_SN_MAINT = 1U << 6, /* in a MAINT reservation: hands off */
    RC_SN_RESERVED = 1U << 7,
    RC_SN_REBOOT = 1U << 8,   /* reboot requested or issued through Slurm */
    RC_SN_POWERING = 1U << 9, /* POWERING_UP, POWERING_DOWN, POWER_DOWN */
    RC_SN_POWERED_DOWN = 1U << 10,
    RC_SN_INVALID_REG = 1U << 11, /* registered with fewer resources than configured */
    RC_SN_FUTURE = 1U << 12,
    RC_SN_UNKNOWN = 1U << 13, /* slurmctld itself says UNKNOWN */
    RC_SN_DYNAMIC = 1U << 14,
    RC_SN_CLOUD = 1U << 15
};

/* Whose reason stands on a Slurm node. */
enum rc_owner {
    RC_OWNER_UNKNOWN, /* not read yet */
    RC_OWNER_NONE,    /* no reason */
    RC_OWNER_OURS,    /* carries our marker */
    RC_OWNER_SLURM,   /* slurmctld's own words, such as "Not responding" */
    RC_OWNER_FOREIGN, /* an operator or another tool: never overwritten */
    RC_OWNER__MAX
};

/* Which polling pass ended. */
enum rc_sweep {
    RC_SWEEP_UNKNOWN,
    RC_SWEEP_INSTANCES,
    RC_SWEEP_STATUS,
    RC_SWEEP_SLURM,
    RC_SWEEP__MAX
};

enum rc_verdict {
    RC_VERDICT_UNKNOWN,
    RC_VERDICT_EVENTS,      /* decoded into events that follow (parts) */
    RC_VERDICT_IGNORED,     /* well formed, does not concern us */
    RC_VERDICT_QUARANTINED, /* cannot be read: kept aside with its reason */
    RC_VERDICT__MAX
};

enum rc_operator_verb {
    RC_OP_UNKNOWN,
    RC_OP_HOLD, /* leave this node alone */
    RC_OP_RELEASE,
    RC_OP_APPROVE, /* let a waiting incident go on */
    RC_OP_PAUSE,   /* whole daemon: no new action */
    RC_OP_RESUME,
    RC_OP_BREAKER_RESET,
    RC_OP_FAILOVER, /* make the controller `node` primary; "" = the one that is not */
    RC_OP__MAX
};

struct rc_ev_start {
    uint64_t seed;
    char host[RC_NODE_LEN]; /* this controller */
};

/* A message left the queue. Its decoded events follow with the same msg number. */
struct rc_ev_message {
    uint64_t id_hash;       /* of what makes it the same message again; 0 = none */
    int64_t sent_ms;        /* SQS SentTimestamp, wall clock; 0 = not told */
    uint32_t parts;         /* events that follow */
    uint32_t receives;      /* ApproximateReceiveCount */
    uint32_t verdict;       /* enum rc_verdict */
    uint32_t kind;          /* enum rc_event_kind of the parts, 0 (start) when none */
    char text[RC_TEXT_LEN]; /* detail, or the reason of the verdict */
};

struct rc_ev_ec2_state_change {
    int64_t told_wall_ms; /* when AWS told it, to the second; 0 = not told */
    uint32_t state;       /* enum rc_instance_state */
    uint32_t pad_;
};

struct rc_ev_spot_interruption {
    int64_t deadline_wall_ms; /* notice time + 2 min; 0 = not told, take it from receipt */
    uint32_t action;          /* enum rc_instance_action */
    uint32_t pad_;
};

struct rc_ev_aws_health {
    int64_t start_wall_ms; /* 0 = not told */
    int64_t end_wall_ms;
    uint32_t category; /* enum rc_health_category */
    uint32_t schedule; /* enum rc_schedule, for scheduledChange */
    uint32_t status;   /* enum rc_health_status */
    uint32_t backup;   /* 1 = copy from the backup region */
};

struct rc_ev_cloudwatch_alarm {
    uint32_t state;        /* enum rc_alarm_state */
    uint32_t status_check; /* 1 = the metric is StatusCheckFailed* */
};

/* Interruption of an instance in a reservation, or a notice on the reservation. */
struct rc_ev_capacity {
    int64_t deadline_wall_ms; /* instance interrupted, or block ends; 0 = not told */
    char reservation[RC_ID_LEN];
};

struct rc_ev_fleet {
    uint32_t error; /* 1 = an error notice, 0 = an instance change */
    uint32_t pad_;
};

struct rc_ev_ebs_volume {
    char volume[RC_ID_LEN];
    uint32_t failed;
    uint32_t pad_;
};

/* One row of DescribeInstances (or the reply of RunInstances). The caller gives
 * only rows that changed, and one with absent=1 for a known instance that a
 * complete pass did not show. */
struct rc_ev_instance {
    int64_t launched_wall_ms;
    uint32_t state; /* enum rc_instance_state */
    uint32_t ours;  /* 1 = carries this cluster's tag */
    uint32_t tag_incident;
    uint32_t tag_attempt;
    uint32_t absent;
    uint32_t pad_;
    char node[RC_NODE_LEN]; /* node tag, "" = none */
    char addr[RC_ADDR_LEN];
    char subnet[RC_ID_LEN];
    char az[RC_AZ_LEN];
    char type[RC_TYPE_LEN];
};

/* One row of DescribeInstanceStatus. */
struct rc_ev_instance_status {
    int64_t not_before_wall_ms; /* of the scheduled event, 0 = none */
    int64_t not_after_wall_ms;
    uint32_t state;    /* enum rc_instance_state */
    uint32_t system;   /* enum rc_check */
    uint32_t instance; /* enum rc_check */
    uint32_t ebs;      /* enum rc_check */
    uint32_t schedule; /* enum rc_schedule; completed and cancelled ones are left out */
    uint32_t pad_;
};

/* A running job that holds a node, and the number of nodes that it stands on. */
struct rc_node_job {
    uint32_t id; /* 0 = none */
    uint32_t nodes;
};

struct rc_ev_slurm_node {
    int64_t boot_wall_ms;         /* BootTime */
    int64_t slurmd_start_wall_ms; /* SlurmdStartTime; 0 = never registered */
    uint32_t flags;               /* enum rc_slurm_flag */
    uint32_t owner;               /* enum rc_owner of the reason */
    uint32_t reason_incident;     /* from our marker, 0 = none */
    uint32_t jobs;                /* running or completing jobs seen on it */
    uint32_t cpus;                /* registered */
    uint32_t pad_;
    char addr[RC_ADDR_LEN]; /* NodeAddr */
    char partition[RC_PARTITION_LEN];
    char reason[RC_TEXT_LEN];
    /* Running or suspended jobs; of more than fit, those that stand on most nodes. */
    struct rc_node_job job[RC_NODE_JOBS_MAX];
    uint32_t excluder[RC_NODE_EXCLUDERS_MAX]; /* jobs whose owners excluded it; 0 = none more */
};

/* One fault that the agent on a node has told of (reconciler/watch/README.md). */
struct rc_node_fault {
    int64_t last_wall_ms; /* when it was seen last; of a Reason: when that was set */
    uint32_t times;       /* in this boot; 0 = it is over */
    uint32_t job;         /* Slurm job on the device or node at that moment, 0 = not told */
    uint32_t guilty;      /* 1 = it stands in the Reason: the agent drained the node for it */
    uint32_t pad_;
    char class_name[RC_CLASS_LEN]; /* "xid:79", "aer:fatal", "fs:stuck" */
    char device[RC_DEVICE_LEN];    /* "" = the node itself */
};

/* All that the agent says of a node right now: its Reason and Extra, read as one list.
 * What an earlier list had and this one has not is over. Told when the list changed, and
 * for every node after a take-over; an empty list takes all back. */
struct rc_ev_node_faults {
    uint32_t count;         /* entries of v in use, the latest first */
    uint32_t more;          /* faults that the agent knows beyond these */
    char boot[RC_BOOT_LEN]; /* boot id that they belong to, "" = not told */
    uint32_t pad_;
    struct rc_node_fault v[RC_NODE_FAULTS_MAX];
};

/* A polling pass ended. complete=0: it failed or was cut short; nothing may be
 * concluded from what it did not show. */
struct rc_ev_sweep {
    uint32_t which; /* enum rc_sweep */
    uint32_t complete;
    uint32_t error; /* enum rc_err when not complete */
    uint32_t seen;
    uint32_t jobs; /* Slurm: running jobs in all; 0 = none, or not told */
    uint32_t pad_;
};

struct rc_ev_lease {
    int64_t until_ms; /* core time: no request is sent after until_ms - margin */
    uint64_t epoch; /* not held: the one that is over, by the store's word; 0 = whichever it was */
    uint32_t held;  /* 0 = lost or not got */
    uint32_t error; /* enum rc_err when it could not be asked */
};

/* What became of an action. error=RC_OK means accepted by the service, which is
 * not yet observed. */
struct rc_ev_completion {
    uint64_t action; /* id minted by the core */
    uint32_t error;  /* enum rc_err */
    uint32_t pad_;
    char instance[RC_ID_LEN];       /* RunInstances only: what was launched */
    struct rc_ev_instance launched; /* and how it looks */
    char code[RC_CODE_LEN];         /* the service's own error code */
    char serials[RC_SERIALS_LEN];   /* GATE, FORENSICS: the GPUs' serial numbers; "" = not read */
    char text[RC_TEXT_LEN];         /* for people: probe output, error text */
};

struct rc_ev_operator {
    uint32_t verb; /* enum rc_operator_verb */
    uint32_t incident;
    char who[RC_NODE_LEN]; /* user name from the socket's peer credentials */
};

/* An incident item found in the store (take-over, or restart without journal);
 * the fault's code stands in the event's own. */
struct rc_ev_adopt {
    int64_t opened_wall_ms;
    uint64_t epoch; /* of the lease under which it was written; 0 = not told */
    uint32_t incident;
    uint32_t fault; /* enum rc_fault */
    uint32_t phase; /* enum rc_phase */
    uint32_t rung;
    uint32_t tries;
    uint32_t attempt;
    uint32_t flags; /* RC_ADOPT_*: held, approved */
    uint32_t pad_;
    char old_instance[RC_ID_LEN];
    char new_instance[RC_ID_LEN];
    char rule[RC_RULE_LEN];
};

/* A slurmctld was asked directly (node = its host). Told when the answer changes; one
 * that cannot be got any more is told as RC_CTL_UNKNOWN. */
struct rc_ev_controller_probe {
    int64_t age_ms;         /* the first question that was answered so was asked so long ago */
    uint32_t mode;          /* enum rc_ctl_mode */
    uint32_t by_peer;       /* 1 = the other controller's daemon asked, and told us */
    char addr[RC_ADDR_LEN]; /* as slurm.conf gives it, "" = not told */
};

/* What the daemon on a controller sees there (node = that host, instance = its id). For
 * the other controller it came over the peer link; link=RC_TOLD_NO: it does not come. */
struct rc_ev_controller_host {
    uint32_t link;    /* enum rc_yes_no */
    uint32_t process; /* enum rc_ctl_process */
    uint32_t fenced;  /* enum rc_yes_no */
    uint32_t dir;     /* enum rc_ctl_dir */
    uint32_t munge;   /* enum rc_yes_no */
    uint32_t pid;     /* of slurmctld */
};

struct rc_event {
    int64_t at_ms;   /* core time: monotonic, never goes back, survives restarts */
    int64_t wall_ms; /* wall clock of the same moment, Unix epoch */
    uint64_t msg;    /* message number (1..), 0 = not from a message */
    uint32_t kind;   /* enum rc_event_kind */
    uint32_t pad_;
    char instance[RC_ID_LEN]; /* the instance that it speaks of, "" = none */
    char node[RC_NODE_LEN];   /* the Slurm node that it speaks of, "" = none */
    char code[RC_CODE_LEN];   /* event type code, alarm name, … */
    union {
        struct rc_ev_start start;
        const struct rc_cluster *cluster; /* borrowed for the step */
        const struct rc_policy *policy;   /* borrowed for the step */
        struct rc_ev_message message;
        struct rc_ev_ec2_state_change state_change;
        struct rc_ev_spot_interruption spot;
        struct rc_ev_aws_health health;
        struct rc_ev_cloudwatch_alarm alarm;
        struct rc_ev_capacity capacity; /* CAPACITY_RESERVATION, CAPACITY_BLOCK */
        struct rc_ev_fleet fleet;
        struct rc_ev_ebs_volume ebs;
        struct rc_ev_instance described;
        struct rc_ev_instance_status status;
        struct rc_ev_slurm_node slurm;
        struct rc_ev_node_faults faults;
        struct rc_ev_sweep sweep;
        struct rc_ev_lease lease;
        struct rc_ev_completion completion;
        struct rc_ev_operator operator_command;
        struct rc_ev_adopt adopt;
        struct rc_history history;
        struct rc_ev_controller_probe probe;
        struct rc_ev_controller_host controller;
    } u;
};

extern const uint32_t rc_event_sizes[RC_EVENT__MAX]; /* common and own part of each kind */

static inline size_t
rc_event_bytes(const struct rc_event *ev)
{
    return rc_event_sizes[ev->kind];
}

static inline void
rc_event_copy(struct rc_event *to, const struct rc_event *from)
{
    memcpy(to, from, rc_event_bytes(from));
}

void rc_event_init(struct rc_event *ev, enum rc_event_kind kind);
const char *rc_event_name(enum rc_event_kind kind); /* "spot-interruption" */
/* Copies src into a fixed room; false (and "" in dst) when it does not fit. */
bool rc_text_set(char *dst, uint32_t room, const char *src);

#endif
