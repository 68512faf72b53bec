/* action.h - everything that the core can ask for.
 *
 * An action is a plain value with an id minted by the core; ids only grow. The
 * executor starts it and later delivers RC_EV_COMPLETION with the same id.
 * "Accepted" is not "observed": the core keeps the action in flight until it
 * sees the effect or its deadline passes. Actions without completion (marked
 * below) are bookkeeping that the journal and the incident store must hold. */
#ifndef RC_ACTION_H
#define RC_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "reconciler/core/limits.h"
#include "reconciler/core/node_history.h"

/* X(enum, name, irreversible: journal synced before it starts; may lose work,
 *   bytes of its own part of the union; nothing behind them is read) */
/* clang-format off */
#define RC_ACTIONS(X) \
    X(RC_ACT_NONE,               "none",               0, 0)                       \
    X(RC_ACT_INCIDENT_PUT,       "incident.put",       0, RC_OWN(act_incident))    /* write the incident item (open, phase change, close) */ \
    X(RC_ACT_HISTORY_PUT,        "history.put",        0, RC_OWN(history))         /* write a node's history item; node "" = the cluster's */ \
    X(RC_ACT_MESSAGE_DELETE,     "message.delete",     0, 0)                       /* acknowledge; no completion */ \
    X(RC_ACT_MESSAGE_QUARANTINE, "message.quarantine", 0, 0)                       /* keep it aside with its reason */ \
    X(RC_ACT_DRAIN,              "slurm.drain",        0, 0)                       \
    X(RC_ACT_DOWN,               "slurm.down",         1, 0)                       /* the instance is proved dead: requeue its jobs now */ \
    X(RC_ACT_RESUME,             "slurm.resume",       0, 0)                       \
    X(RC_ACT_JOBS_SIGNAL,        "slurm.jobs-signal",  0, RC_OWN(act_jobs))        \
    X(RC_ACT_JOBS_REQUEUE,       "slurm.jobs-requeue", 1, RC_OWN(act_jobs))        \
    X(RC_ACT_LAUNCH,             "ec2.launch",         1, RC_OWN(act_launch))      \
    X(RC_ACT_ASSIGN,             "ec2.assign",         1, RC_OWN(act_launch))      /* tags a running spare for the node: it is its replacement */ \
    X(RC_ACT_TERMINATE,          "ec2.terminate",      1, 0)                       \
    X(RC_ACT_STOP,               "ec2.stop",           1, 0)                       \
    X(RC_ACT_START,              "ec2.start",          1, 0)                       \
    X(RC_ACT_REBOOT,             "ec2.reboot",         1, 0)                       \
    X(RC_ACT_LOOK,               "ec2.look",           0, 0)                       /* describe this instance and its status now */ \
    X(RC_ACT_REGISTER,           "register",           1, RC_OWN(act_register))    /* NodeAddr in slurm.conf, topology, hosts; reconfigure; read back */ \
    X(RC_ACT_GATE,               "gate",               0, RC_OWN(act_gate))        /* probe the node's health */ \
    X(RC_ACT_GPU_RESET,          "gpu.reset",          1, RC_OWN(act_host))        /* over ssh; refused (state) while a process holds a GPU */ \
    X(RC_ACT_FORENSICS,          "forensics",          0, RC_OWN(act_host))        /* one bundle an incident, before the evidence is lost */ \
    X(RC_ACT_SUPPORT_CASE,       "support-case",       0, RC_OWN(act_case))        /* the text that a person sends to AWS, as a file */ \
    X(RC_ACT_JOB_HOLD,           "slurm.job-hold",     0, RC_OWN(act_jobs))        /* must not start again without a person; running on is its right */ \
    X(RC_ACT_JOBS_INCLUDE,       "slurm.jobs-include", 0, 0)                       /* takes our exclusion of this node from the jobs that wait */ \
    X(RC_ACT_LEASE,              "lease",              0, 0)                       /* take or renew; answered by RC_EV_LEASE too */ \
    X(RC_ACT_TELL,               "tell",               0, 0)                       /* a person must know; no completion */ \
    X(RC_ACT_FAILOVER,           "failover",           0, RC_OWN(act_controller))  /* the fail-over of slurmctld goes to another phase; no completion */ \
    X(RC_ACT_FENCE,              "controller.fence",   1, RC_OWN(act_controller))  /* keep slurmctld away from that host and prove that it is gone */ \
    X(RC_ACT_CONTROLLER_START,   "controller.start",   1, RC_OWN(act_controller))  /* let slurmctld run on that host, and start it */ \
    X(RC_ACT_TAKEOVER,           "slurm.takeover",     1, RC_OWN(act_controller))  /* make a standby slurmctld active */
/* clang-format on */

enum rc_action_kind {
#define RC_ACTION_ENUM(kind, name, irreversible, own) kind,
    RC_ACTIONS(RC_ACTION_ENUM)
#undef RC_ACTION_ENUM
        RC_ACTION__MAX
};

enum {
    RC_ADOPT_HELD = 1U << 0,
    RC_ADOPT_APPROVED = 1U << 1,
    RC_ADOPT_OUR_DRAIN = 1U << 2,
    RC_ADOPT_YIELDED = 1U << 3, /* closed because an operator took the node back */
    RC_ADOPT_WITH_JOB = 1U << 4 /* its jobs had lost a node to us already: not in the budgets */
};

/* The incident item as the store must hold it: all that a successor needs. */
struct rc_act_incident {
    int64_t opened_wall_ms;
    uint64_t epoch; /* lease epoch: the write is conditional on it */
    uint32_t fault; /* enum rc_fault */
    uint32_t phase; /* enum rc_phase */
    uint32_t rung;
    uint32_t tries;   /* of this rung */
    uint32_t attempt; /* launches so far, in tokens and tags */
    uint32_t flags;   /* RC_ADOPT_* */
    uint32_t close;   /* 1 = delete the item */
    uint32_t pad_;
    char old_instance[RC_ID_LEN];
    char new_instance[RC_ID_LEN];
    char rule[RC_RULE_LEN];
    char code[RC_CODE_LEN];
};

struct rc_act_launch {
    uint32_t group;  /* index into the cluster file's node groups */
    uint32_t option; /* index into the group's launch options */
    uint32_t attempt;
    uint32_t pad_;
    char token[RC_TOKEN_LEN]; /* ClientToken, derived, same for every leader */
    char pad2_[7];
};

struct rc_act_register {
    char addr[RC_ADDR_LEN]; /* the address that NodeAddr must get */
};

struct rc_act_gate {
    int64_t since_wall_ms; /* kernel messages and counters before then do not count */
    char addr[RC_ADDR_LEN];
    uint32_t timeout_ms;
    uint32_t probes;     /* bits 1 << enum rc_gate_probe: to be run */
    uint32_t must;       /* bits of those whose "cannot tell" is not healthy */
    uint32_t dcgm_level; /* dcgmi diag -r */
};

struct rc_act_jobs {
    uint32_t signal;  /* Linux signal number for JOBS_SIGNAL */
    uint32_t exclude; /* JOBS_REQUEUE: 1 = the jobs must not start on this node again */
    uint32_t job;     /* JOB_HOLD: which */
    uint32_t pad_;
};

/* GPU_RESET, FORENSICS: what is to be done on the host. */
struct rc_act_host {
    char addr[RC_ADDR_LEN];
    char device[RC_DEVICE_LEN]; /* the faulty one, "" = not known, or all */
    char boot[RC_BOOT_LEN];     /* in which the fault was, "" = not told */
    uint32_t timeout_ms;
};

/* SUPPORT_CASE; ids and the one-line summary stand in the action itself. */
struct rc_act_case {
    int64_t first_wall_ms; /* of the incident */
    uint32_t fault;        /* enum rc_fault */
    uint32_t attempts;     /* repairs tried */
    char code[RC_CODE_LEN];
    char device[RC_DEVICE_LEN];
    char boot[RC_BOOT_LEN];
    uint32_t pad_;
    char serials[RC_SERIALS_LEN];
    char before[RC_ID_LEN]; /* the instance that had the same host, "" = none known */
};

/* FAILOVER, FENCE, CONTROLLER_START, TAKEOVER; node is the controller that it is done to
 * (FAILOVER: the one that is to be active). */
struct rc_act_controller {
    uint64_t epoch;         /* lease epoch of the decision: the peer refuses an older one */
    int64_t took_ms;        /* FAILOVER: since it began */
    int64_t proof_ms;       /* FAILOVER: age of the proof */
    uint32_t index;         /* of node, as slurm.conf counts */
    uint32_t grace_ms;      /* FENCE: it may end by itself so long before it is killed */
    uint32_t restart;       /* CONTROLLER_START: end a process that is there first */
    uint32_t phase;         /* enum rc_failover_phase */
    uint32_t cause;         /* enum rc_failover_cause */
    uint32_t proof;         /* enum rc_proof */
    char from[RC_NODE_LEN]; /* the controller that must be dead */
};

struct rc_action {
    uint64_t id;
    int64_t at_ms;       /* core time of the decision */
    int64_t deadline_ms; /* core time by which the effect must be seen */
    uint64_t msg;        /* MESSAGE_*: which message */
    uint32_t kind;       /* enum rc_action_kind */
    uint32_t incident;   /* 0 = none */
    char node[RC_NODE_LEN];
    char instance[RC_ID_LEN];
    char text[RC_TEXT_LEN]; /* Slurm reason for DRAIN and DOWN; why, otherwise */
    union {
        struct rc_act_incident item;
        struct rc_act_launch launch;
        struct rc_act_register reg;
        struct rc_act_gate gate;
        struct rc_act_jobs jobs;
        struct rc_act_host host;
        struct rc_act_case support;
        struct rc_history history;
        struct rc_act_controller controller;
    } u;
};

/* The step's output. Owned by the caller, overwritten by the next step. */
struct rc_actions {
    uint32_t count;
    uint32_t full; /* 1 = more to do: rc_next_deadline() is now */
    struct rc_action v[RC_ACTIONS_MAX];
};

extern const uint32_t rc_action_sizes[RC_ACTION__MAX]; /* common and own part of each kind */

static inline size_t
rc_action_bytes(const struct rc_action *a)
{
    return rc_action_sizes[a->kind];
}

static inline void
rc_action_copy(struct rc_action *to, const struct rc_action *from)
{
    memcpy(to, from, rc_action_bytes(from));
}

void rc_action_init(struct rc_action *a, enum rc_action_kind kind);
const char *rc_action_name(enum rc_action_kind kind); /* "ec2.launch" */
bool rc_action_irreversible(enum rc_action_kind kind);

#endif
