/* policy.h - a loaded policy, as the rules read it.
 *
 * The file format is policies/README.md; the loader (policies/load.c) fills
 * this struct, the rules (policies/classify.c, ladder.c, limits.c) read it.
 * Plain value, zeroed first, no pointers. Durations in ms, shares in permille. */
#ifndef RC_POLICY_H
#define RC_POLICY_H

#include <stdint.h>

#include "reconciler/core/limits.h"
#include "reconciler/core/node_history.h"

/* What is wrong with a node, worst last within its group: a later fact of the
 * same incident may only raise it. X(enum, name, what it means) */
/* clang-format off */
#define RC_FAULTS(X) \
    X(RC_FAULT_NONE,               "none",               "nothing is wrong") \
    X(RC_FAULT_AGENT_DRAIN,        "agent-drain",        "drained by us, or by its agent, for something that does not stand any more") \
    X(RC_FAULT_ALARM,              "alarm",              "a CloudWatch alarm fires for the instance") \
    X(RC_FAULT_HEALTH_NOTICE,      "health-notice",      "AWS Health tells of an issue of the instance") \
    X(RC_FAULT_JOB_SUSPECT,        "job-suspect",        "what a program does wrong: the job is suspect, not the node") \
    X(RC_FAULT_CLOCK,              "clock",              "the node's clock is off") \
    X(RC_FAULT_THERMAL,            "thermal",            "a GPU or processor is slowed down by heat or power") \
    X(RC_FAULT_DISK,               "disk",               "a local disk is full, or an array has lost its redundancy") \
    X(RC_FAULT_EBS,                "ebs-impaired",       "an attached volume fails or its status check does") \
    X(RC_FAULT_FS_HANG,            "fs-hang",            "a network file system does not answer on the node") \
    X(RC_FAULT_NVME,               "nvme",               "an NVMe disk fails or is lost") \
    X(RC_FAULT_FILE_SYSTEM,        "file-system",        "a local file system is read-only, broken or stuck") \
    X(RC_FAULT_PCIE,               "pcie",               "PCIe errors, or a link narrower than it should be") \
    X(RC_FAULT_NETWORK,            "network",            "the Ethernet device fails again and again") \
    X(RC_FAULT_EFA,                "efa",                "an EFA device is missing or dead") \
    X(RC_FAULT_ROW_REMAP,          "row-remap",          "GPU memory rows wait for a reset to be remapped") \
    X(RC_FAULT_GPU_SUSPECT,        "gpu-suspect",        "the same program fault on one node under several jobs") \
    X(RC_FAULT_XID,                "xid",                "an Xid or SXid that the table does not know") \
    X(RC_FAULT_NVLINK,             "nvlink",             "NVLink or NVSwitch") \
    X(RC_FAULT_GPU,                "gpu",                "a GPU needs a reset") \
    X(RC_FAULT_MEMORY,             "memory",             "uncorrectable host memory or processor error") \
    X(RC_FAULT_KERNEL,             "kernel",             "the kernel is not to be trusted any more") \
    X(RC_FAULT_NODE_DOWN,          "node-down",          "slurmctld has no answer from slurmd") \
    X(RC_FAULT_GPU_LOST,           "gpu-lost",           "a GPU has fallen off the bus") \
    X(RC_FAULT_GPU_BROKEN,         "gpu-broken",         "a GPU that no reset mends") \
    X(RC_FAULT_KNOWN_BAD,          "known-bad",          "the host was bad before: the same GPUs are back") \
    X(RC_FAULT_SCHEDULED_REBOOT,   "scheduled-reboot",   "AWS will reboot the instance in place") \
    X(RC_FAULT_SCHEDULED_MAINTENANCE,"scheduled-maintenance","AWS will work on the host") \
    X(RC_FAULT_SCHEDULED_STOP,     "scheduled-stop",     "AWS will stop the instance") \
    X(RC_FAULT_RETIREMENT,         "retirement",         "AWS retires the instance") \
    X(RC_FAULT_CAPACITY_ENDING,    "capacity-ending",    "the reservation or Capacity Block ends") \
    X(RC_FAULT_INSTANCE_IMPAIRED,  "instance-impaired",  "the instance status check fails") \
    X(RC_FAULT_SYSTEM_IMPAIRED,    "system-impaired",    "the system status check fails: the host is bad") \
    X(RC_FAULT_INTERRUPTION,       "interruption",       "spot or reservation interruption, minutes away") \
    X(RC_FAULT_INSTANCE_STOPPED,   "instance-stopped",   "the instance stops or is stopped") \
    X(RC_FAULT_INSTANCE_GONE,      "instance-gone",      "the instance is terminated")
/* clang-format on */

enum rc_fault {
#define RC_FAULT_ENUM(fault, name, text) fault,
    RC_FAULTS(RC_FAULT_ENUM)
#undef RC_FAULT_ENUM
        RC_FAULT__MAX
};
const char *rc_fault_name(enum rc_fault f);
enum rc_fault rc_fault_from_name(const char *name); /* RC_FAULT__MAX when unknown */

enum rc_rung_kind {
    RC_RUNG_NONE,
    RC_RUNG_WATCH,       /* no repair: wait until the fault goes, then gate and return */
    RC_RUNG_GPU_RESET,   /* over ssh, when no process is on a GPU */
    RC_RUNG_REBOOT,      /* EC2 reboot, same host */
    RC_RUNG_POWER_CYCLE, /* EC2 stop, confirmed stopped, start: another host */
    RC_RUNG_REPLACE,     /* a new instance takes the name */
    RC_RUNG_QUARANTINE,  /* leave it drained and tell a person */
    RC_RUNG__MAX
};
const char *rc_rung_name(enum rc_rung_kind k); /* "power-cycle" */
enum rc_rung_kind rc_rung_from_name(const char *name);

struct rc_rung {
    uint32_t kind;     /* enum rc_rung_kind */
    uint32_t attempts; /* tries of this rung before the next one */
    int64_t
        timeout_ms; /* watch: how long; reboot, power-cycle: until it is back; 0 = timeouts.boot */
    int64_t pause_ms; /* before this rung is tried again */
};

enum rc_jobs_mode {
    RC_JOBS_WAIT,    /* wait for them to end */
    RC_JOBS_SIGNAL,  /* signal (checkpoint), then wait */
    RC_JOBS_REQUEUE, /* signal if signal is set, wait at most wait_ms, then requeue */
    RC_JOBS__MAX
};

struct rc_jobs_plan {
    uint32_t mode;   /* enum rc_jobs_mode */
    uint32_t signal; /* Linux signal number, 0 = none */
    int64_t wait_ms; /* then what the mode says; RC_JOBS_WAIT: then tell a person, never kill */
    int64_t before_deadline_ms; /* AWS's own deadline: requeue this long before it, 0 = do not */
    int64_t signal_before_ms;   /* the signal once more so long before the requeue, 0 = do not */
    int64_t exclude_ms;         /* what was requeued does not start here again for so long */
};

enum rc_launch_when {
    RC_LAUNCH_IDLE,        /* when the node's jobs have ended */
    RC_LAUNCH_AT_ONCE,     /* with the drain: AWS's deadline is near */
    RC_LAUNCH_BEFORE_DRAIN /* make before break: no drain before the replacement runs */
};

/* Which comes first in a replacement. */
enum rc_order {
    RC_ORDER_AUTO, /* by the group's capacity: open = launch first, else stop first */
    RC_ORDER_LAUNCH_FIRST,
    RC_ORDER_STOP_FIRST
};

/* Whose incidents a rule counts. */
enum rc_repeats_of {
    RC_REPEATS_OF_NODE,    /* the name's, whichever instance had it */
    RC_REPEATS_OF_INSTANCE /* those since this instance was launched, or started again */
};

/* A limit as an absolute count and a share; the larger of the two is allowed,
 * so that a share of a tiny pool never blocks everything nor allows everything. */
struct rc_limit {
    uint32_t count;
    uint32_t permille;
};

/* Rules are tried in order; the first whose conditions all hold is taken. */
struct rc_rule {
    char name[RC_RULE_LEN];
    uint64_t fault_mask; /* bit 1 << enum rc_fault; 0 = any */
    uint32_t
        repeats_min; /* incidents of this node in repeats_window_ms, this one included; 0 = any */
    uint32_t repeats_of; /* enum rc_repeats_of */
    int64_t repeats_window_ms;
    int64_t age_min_ms; /* generation age at least / at most; 0 = any */
    int64_t age_max_ms;
    /* What an agent only tells of (it did not drain for it): 1 = the rule takes nothing else. */
    uint32_t told;
    uint32_t per_hour;       /* told at least so often within the hour; 0 = any */
    struct rc_limit company; /* as many nodes show the same fault at once; 0 and 0 = any */
    char code[RC_CODE_LEN];  /* glob on the fault's code, "" = any */
    char type[RC_TYPE_LEN];  /* glob on instance type */
    char partition[RC_PARTITION_LEN];
    char node[RC_NODE_LEN]; /* glob on the node name */
    struct rc_jobs_plan jobs;
    uint32_t ignore;      /* 1 = no incident at all */
    uint32_t tell;        /* 1 = a person is told once a day of what is ignored */
    uint32_t forensics;   /* 1 = keep the evidence before the first rung */
    uint32_t approve;     /* 1 = a person must approve before the first destructive rung */
    uint32_t launch_when; /* enum rc_launch_when */
    uint32_t order;       /* enum rc_order */
    uint32_t rung_count;
    uint32_t pad_;
    int64_t lead_ms;    /* scheduled faults: start this long before the window opens */
    int64_t confirm_ms; /* the fault must stand this long before an incident is opened */
    struct rc_rung rung[RC_RUNGS_MAX];
};

enum rc_scope { RC_SCOPE_CLUSTER, RC_SCOPE_PARTITION, RC_SCOPE_ZONE, RC_SCOPE__MAX };

/* A node whose jobs have all lost a node to us already costs them nothing more. */
enum rc_same_job {
    RC_SAME_JOB_COUNTS, /* it stands in the budgets of nodes like any other */
    RC_SAME_JOB_FREE    /* it does not; out_of_job still holds */
};

struct rc_limits_policy {
    struct rc_limit out[RC_SCOPE__MAX]; /* nodes out of service by us at once */
    struct rc_limit out_of_job;         /* of them from one running job; share of its nodes */
    struct rc_limit jobs; /* running jobs cut short by us at once; share of the running jobs */
    uint32_t same_job;    /* enum rc_same_job */
    uint32_t pad3_;
    struct rc_limit quarantine; /* nodes in quarantine that leave their place in out to others */
    int64_t spacing_ms;         /* between two nodes that are taken out, 0 = none */
    struct rc_limit spares;     /* of each group of nodes, at most RC_SPARES_MAX; 0, 0 = none */
    /* Per hour and scope, 0 = no limit, at most 512 (the core remembers so many). */
    uint32_t launches_per_hour[RC_SCOPE__MAX];
    uint32_t destructive_per_hour[RC_SCOPE__MAX]; /* reboot, stop, terminate, requeue */
    uint32_t pad_[2];
    uint32_t attempts_max; /* repairs of one node in attempts_window_ms, then quarantine */
    uint32_t pad2_;
    int64_t attempts_window_ms;
    int64_t cooldown_ms;     /* between two repairs of one node */
    struct rc_limit breaker; /* new incidents in breaker_window_ms that open the breaker */
    int64_t breaker_window_ms;
    int64_t
        breaker_reset_ms;   /* closes itself after this long without new faults; 0 = by hand only */
    uint32_t breaker_off;   /* 1 = no breaker */
    uint32_t in_flight_max; /* actions in flight at once */
};

struct rc_timeouts_policy {
    int64_t drain_ms;    /* until a drain must be seen */
    int64_t launch_ms;   /* until RunInstances must answer */
    int64_t boot_ms;     /* from launch to running with an address */
    int64_t register_ms; /* until NodeAddr must be read back */
    int64_t join_ms;     /* from register to slurmd registered */
    int64_t gate_ms;
    int64_t return_ms;    /* until the node must be seen in service */
    int64_t stop_ms;      /* until stopped or terminated must be seen */
    int64_t retry_min_ms; /* back-off between tries, full jitter */
    int64_t retry_max_ms;
    int64_t missing_ms; /* an instance unseen this long, and its node not responding, is gone */
    int64_t capacity_wait_ms; /* pause after every launch option had no capacity */
};

/* What can be asked of a node over ssh. X(enum, name, what it proves) */
/* clang-format off */
#define RC_GATE_PROBES(X) \
    X(RC_GATE_PROBE_CHECK,    "check",    "nodewatch check finds nothing") \
    X(RC_GATE_PROBE_DCGM,     "dcgm",     "dcgmi diag passes at dcgm_level") \
    X(RC_GATE_PROBE_EFA,      "efa",      "every EFA device is there and opens") \
    X(RC_GATE_PROBE_PINGPONG, "pingpong", "fi_pingpong passes over each EFA device") \
    X(RC_GATE_PROBE_NCCL,     "nccl",     "an all-reduce over the node's GPUs is as fast as it should be") \
    X(RC_GATE_PROBE_PCIE,     "pcie",     "every GPU's link has its full width and speed") \
    X(RC_GATE_PROBE_ECC,      "ecc",      "no uncorrected memory error since the start, no remap waits")
/* clang-format on */
enum rc_gate_probe {
#define RC_GATE_PROBE_ENUM(probe, name, text) probe,
    RC_GATE_PROBES(RC_GATE_PROBE_ENUM)
#undef RC_GATE_PROBE_ENUM
        RC_GATE_PROBE__MAX
};
const char *rc_gate_probe_name(enum rc_gate_probe p);

/* Probes of the instance types that match; the first row that does counts. */
struct rc_gate_type {
    char type[RC_TYPE_LEN]; /* glob */
    uint64_t probes;        /* bits 1 << enum rc_gate_probe: to be run */
    uint64_t must;          /* of them: those whose "cannot tell" is not healthy */
    uint32_t dcgm_level;
    uint32_t pad_;
};

/* Hosts that fail again and again; scores are weighted marks (lemon.h). */
struct rc_lemon_policy {
    int64_t within_ms;
    uint32_t faster;     /* from this score of the host on: no rung that stays on it; 0 = never */
    uint32_t quarantine; /* from this score of the name on: a person; 0 = never */
    uint32_t weight[RC_MARK__MAX];
};

/* A power-cycle becomes a reboot where it would lose what is to be kept. */
struct rc_power_policy {
    uint32_t keep_slot;  /* 1 = unreserved capacity may not come back after a stop */
    uint32_t keep_disks; /* 1 = the data of the instance store */
};

/* Is it the job or the node? For faults that a program can cause. */
struct rc_suspect_policy {
    uint32_t nodes; /* of one job that show such a fault within within_ms: the job; 0 = never */
    uint32_t jobs;  /* on one device of a node within jobs_within_ms: the node; 0 = never */
    int64_t within_ms, jobs_within_ms;
    uint32_t hold; /* 1 = the job does not start again without a person */
    uint32_t pad_;
};

struct rc_gate_policy {
    uint32_t type_count;
    uint32_t pad_;
    struct rc_gate_type type[RC_GATE_TYPES_MAX];
    uint32_t cpus_min; /* 0 = as slurmctld configured it */
    uint32_t ssh;      /* 1 = one ssh probe with the host key pinned */
    char command[RC_TEXT_LEN];
};

/* Fail-over of slurmctld between the two controllers. */
struct rc_controllers_policy {
    uint32_t automatic;     /* 0 = only by hand */
    uint32_t failovers_max; /* in failovers_window_ms; then a person must look. In place restarts do
                               not count */
    int64_t failovers_window_ms;
    int64_t gone_ms;   /* the process is gone, or it says that it is standby: so long for systemd */
    int64_t silent_ms; /* it does not serve, whatever the reason */
    int64_t ailing_ms; /* it serves, but its host cannot write the state or sign messages */
    int64_t fence_ms;  /* for the proof by its own host; then its instance is stopped */
    int64_t takeover_ms;  /* until the new one must serve; then once more */
    int64_t grace_ms;     /* by hand and swap back: time to save its state and end by itself */
    int64_t lost_ms;      /* a lost one is left alone so long before its instance is touched */
    uint32_t restarts;    /* tries to bring it back (start, power-cycle) before it is replaced */
    uint32_t swap_back;   /* 1 = the first controller is made primary again */
    int64_t swap_back_ms; /* when it has been well so long */
};

struct rc_policy {
    char name[RC_RULE_LEN];
    uint64_t hash; /* of the policy text: stands in every report */
    uint32_t rule_count;
    uint32_t pad_;
    struct rc_limits_policy limits;
    struct rc_timeouts_policy timeouts;
    struct rc_gate_policy gate;
    struct rc_suspect_policy suspect;
    struct rc_lemon_policy lemon;
    struct rc_power_policy power_cycle;
    struct rc_controllers_policy controllers;
    struct rc_rule rule[RC_RULES_MAX];
};

#endif
