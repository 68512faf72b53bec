/* incident.h - the life of an incident: phases and the rows between them. */
#ifndef RC_INCIDENT_H
#define RC_INCIDENT_H

#include <stdint.h>

/* X(enum, name, what it waits for) */
/* clang-format off */
#define RC_PHASES(X) \
    X(RC_PHASE_NONE,        "none",        "no incident") \
    X(RC_PHASE_OPEN,        "open",        "limits, approval or the maintenance window") \
    X(RC_PHASE_PROTECT,     "protect",     "the drain to be seen in slurmctld") \
    X(RC_PHASE_WAIT_IDLE,   "wait-idle",   "the node's jobs to end") \
    X(RC_PHASE_RESET,       "reset",       "the GPUs to be reset") \
    X(RC_PHASE_REBOOT,      "reboot",      "the instance to come back from its reboot") \
    X(RC_PHASE_STOP,        "stop",        "the instance to be seen stopped") \
    X(RC_PHASE_START,       "start",       "the instance to be seen running again") \
    X(RC_PHASE_LAUNCH,      "launch",      "a replacement to be launched") \
    X(RC_PHASE_BOOT,        "boot",        "the replacement to run and have an address") \
    X(RC_PHASE_REGISTER,    "register",    "NodeAddr to be read back from slurmctld") \
    X(RC_PHASE_JOIN,        "join",        "slurmd to register under the new address") \
    X(RC_PHASE_GATE,        "gate",        "the health proof") \
    X(RC_PHASE_RETURN,      "return",      "the node to be seen in service") \
    X(RC_PHASE_RETIRE,      "retire",      "the old instance to be seen terminated") \
    X(RC_PHASE_QUARANTINE,  "quarantine",  "a person") \
    X(RC_PHASE_CLOSED,      "closed",      "nothing")
/* clang-format on */

enum rc_phase {
#define RC_PHASE_ENUM(phase, name, waits) phase,
    RC_PHASES(RC_PHASE_ENUM)
#undef RC_PHASE_ENUM
        RC_PHASE__MAX
};

const char *rc_phase_name(enum rc_phase p);
const char *rc_phase_waits_for(enum rc_phase p);

/* Why an incident does not go on right now; shown by `reconcilectl why`. */
/* clang-format off */
#define RC_BLOCKS(X) \
    X(RC_BLOCK_NONE,       "none") \
    X(RC_BLOCK_NO_LEASE,   "no-lease") \
    X(RC_BLOCK_PAUSED,     "paused") \
    X(RC_BLOCK_HOLD,       "operator-hold") \
    X(RC_BLOCK_MAINT,      "maintenance-reservation") \
    X(RC_BLOCK_APPROVAL,   "approval") \
    X(RC_BLOCK_BREAKER,    "breaker") \
    X(RC_BLOCK_BUDGET_CLUSTER,   "budget-cluster") \
    X(RC_BLOCK_BUDGET_PARTITION, "budget-partition") \
    X(RC_BLOCK_BUDGET_ZONE,      "budget-zone") \
    X(RC_BLOCK_BUDGET_OF_JOB,    "budget-of-job") \
    X(RC_BLOCK_BUDGET_JOBS,      "budget-jobs") \
    X(RC_BLOCK_SPACING,    "spacing") \
    X(RC_BLOCK_RATE_CLUSTER,     "rate-cluster") \
    X(RC_BLOCK_RATE_PARTITION,   "rate-partition") \
    X(RC_BLOCK_RATE_ZONE,        "rate-zone") \
    X(RC_BLOCK_COOLDOWN,   "cool-down") \
    X(RC_BLOCK_ATTEMPTS,   "attempts") \
    X(RC_BLOCK_WINDOW,     "maintenance-window") \
    X(RC_BLOCK_IN_FLIGHT,  "in-flight-limit") \
    X(RC_BLOCK_CAPACITY,   "no-capacity") \
    X(RC_BLOCK_FOREIGN,    "foreign-drain") \
    X(RC_BLOCK_COMPANY,    "many-nodes-at-once") \
    X(RC_BLOCK_UNKNOWN,    "missing-knowledge") \
    X(RC_BLOCK_TABLE_FULL, "capacity_exceeded") \
    X(RC_BLOCK_NOT_SAVED,  "item-not-saved")
/* clang-format on */

enum rc_block {
#define RC_BLOCK_ENUM(block, name) block,
    RC_BLOCKS(RC_BLOCK_ENUM)
#undef RC_BLOCK_ENUM
        RC_BLOCK__MAX
};
const char *rc_block_name(enum rc_block b);

#endif
