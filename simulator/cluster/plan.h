/* plan.h - a schedule: everything that will happen to a small cluster, drawn up
 * front from a seed.
 *
 * One seed splits into streams {shape, network, policy, faults, workload, world}, so
 * that a draw in one never shifts another. The schedule, not the seed, is what is
 * played, printed, shrunk and replayed: it survives changes of the drawing code.
 *
 * Text form, one schedule a file: "key=value" lines for the shape, then one line a
 * row, "at=MS do=NAME target=N for=MS value=N"; '#' begins a comment. Times are
 * milliseconds after the start. */
#ifndef RC_PLAN_H
#define RC_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "reconciler/io/fail.h"

/* X(enum, name, what happens; target, for_ms and value mean) */
/* clang-format off */
#define RC_ILLS(X) \
    X(RC_ILL_NONE,          "none",          "nothing") \
    X(RC_ILL_KILL,          "kill",          "AWS terminates the instance behind node target") \
    X(RC_ILL_STOP,          "stop",          "somebody stops it") \
    X(RC_ILL_SPOT,          "spot",          "interruption notice, taken away after for_ms") \
    X(RC_ILL_RETIRE,        "retire",        "retirement in for_ms, told by Health and by the status") \
    X(RC_ILL_REBOOT_EVENT,  "reboot-event",  "AWS reboots it in for_ms") \
    X(RC_ILL_SYSTEM,        "system",        "system status check fails, heals after for_ms (0 = only elsewhere)") \
    X(RC_ILL_KERNEL,        "kernel",        "instance status check fails, the host hangs; a reboot heals") \
    X(RC_ILL_EBS,           "ebs",           "volume status check fails for for_ms") \
    X(RC_ILL_HANG,          "hang",          "slurmd is silent for for_ms, EC2 sees nothing") \
    X(RC_ILL_LEMON,         "lemon",         "a GPU is gone: the gate refuses this instance") \
    X(RC_ILL_ALARM,         "alarm",         "an alarm fires for for_ms") \
    X(RC_ILL_ISSUE,         "issue",         "Health tells of an issue, closed after for_ms") \
    X(RC_ILL_AGENT,         "agent",         "its agent finds fault value and drains; some pass after for_ms, the others wait for their repair") \
    X(RC_ILL_FILE_SERVER,   "file-server",   "the file server hangs for for_ms: every agent tells so") \
    X(RC_ILL_JOB_STORM,     "job-storm",     "the job on node target faults on all its nodes; value 1 = so that their agents drain") \
    X(RC_ILL_REBALANCE,     "rebalance",     "rebalance recommendation") \
    X(RC_ILL_RELAPSE,       "relapse",       "within for_ms its agent finds fault value right after node target was proved well") \
    X(RC_ILL_SAME_HOST,     "same-host",     "for for_ms a launch for node target gets the host that was given back last") \
    X(RC_ILL_CAPACITY,      "capacity",      "subnet target has no capacity for for_ms") \
    X(RC_ILL_EC2_ERRORS,    "ec2-errors",    "value permille of the EC2 calls fail for for_ms") \
    X(RC_ILL_SLURM_ERRORS,  "slurm-errors",  "value permille of the Slurm writes fail for for_ms") \
    X(RC_ILL_SLURM_DOWN,    "slurm-down",    "slurmctld does not answer for for_ms") \
    X(RC_ILL_HELPER,        "helper-death",  "the Slurm helpers of controller target die, back after for_ms") \
    X(RC_ILL_STORE_DOWN,    "store-down",    "incident store and lease do not answer for for_ms") \
    X(RC_ILL_LEASE_LOST,    "lease-lost",    "renewals of controller target get lost for for_ms") \
    X(RC_ILL_DISK_SLOW,     "disk-slow",     "the journal of controller target is not synced for for_ms") \
    X(RC_ILL_DISK_FULL,     "disk-full",     "the journal of controller target takes nothing for for_ms") \
    X(RC_ILL_CRASH,         "crash",         "controller target dies, back after for_ms; value 1 = without its journal, 2 = without what was not synced") \
    X(RC_ILL_FREEZE,        "freeze",        "controller target is frozen for for_ms, then goes on as if nothing had been") \
    X(RC_ILL_CLOCK,         "clock",         "the wall clock of controller target steps by value ms for good") \
    X(RC_ILL_OP_DRAIN,      "op-drain",      "an operator drains node target for for_ms") \
    X(RC_ILL_OP_RESUME,     "op-resume",     "an operator resumes node target") \
    X(RC_ILL_OP_HOLD,       "op-hold",       "hold on node target for for_ms") \
    X(RC_ILL_OP_MAINT,      "op-maint",      "MAINT reservation on node target for for_ms") \
    X(RC_ILL_OP_PAUSE,      "op-pause",      "the daemon is paused for for_ms") \
    X(RC_ILL_OP_APPROVE,    "op-approve",    "every open incident is approved") \
    X(RC_ILL_GARBAGE,       "garbage",       "a message that cannot be read") \
    X(RC_ILL_STRANGER,      "stranger",      "a notice about an instance that is not ours") \
    X(RC_ILL_MISTAG,        "mistag",        "a foreign instance carries our node's name") \
    X(RC_ILL_JOB,           "job",           "a job of value nodes for for_ms; target bit 0 = may be requeued") \
    X(RC_ILL_CTLD_KILL,     "ctld-kill",     "slurmctld of controller target dies; value 1 = its unit restarts it") \
    X(RC_ILL_CTLD_HANG,     "ctld-hang",     "slurmctld of controller target hangs for for_ms, then goes on as it was") \
    X(RC_ILL_CTLD_STUCK,    "ctld-stuck",    "the same in the kernel: no signal ends it for for_ms") \
    X(RC_ILL_HEAD_DEATH,    "head-death",    "the host of controller target dies; EC2 shows it running") \
    X(RC_ILL_HEAD_END,      "head-end",      "AWS terminates the instance of controller target") \
    X(RC_ILL_MUNGE,         "munge",         "munged of controller target is dead for for_ms") \
    X(RC_ILL_OP_FAILOVER,   "op-failover",   "an operator wants controller target as primary") \
    X(RC_ILL_PARTITION,     "partition",     "the controllers do not reach each other for for_ms") \
    X(RC_ILL_UNFENCED,      "unfenced",      "EC2 refuses to stop a controller for for_ms") \
    X(RC_ILL_STATE_DIR,     "state-dir",     "the state directory of controller target is not well for for_ms; value 0 = full, 1 = read-only, 2 = hangs")
/* clang-format on */

enum rc_ill {
#define RC_ILL_ENUM(ill, name, text) ill,
    RC_ILLS(RC_ILL_ENUM)
#undef RC_ILL_ENUM
        RC_ILL__MAX
};

enum { RC_PLAY_FINDS = 9 }; /* faults that an agent may find: play_agent.c */
enum { RC_PLAN_ROWS_MAX = 96, RC_PLAN_NODES_MAX = 12, RC_PLAN_SUBNETS = 3 };

struct rc_plan_row {
    int64_t at_ms;
    int64_t for_ms;
    int64_t value;
    uint32_t ill; /* enum rc_ill */
    uint32_t target;
};

enum { RC_PLAN_WEEK_MS = 7 * 24 * 3600 * 1000 };

/* What launches_max and destructive_max are the rates of. */
enum rc_plan_rates {
    RC_PLAN_RATES_OF_ALL, /* the cluster, each partition and each zone alike */
    RC_PLAN_RATES_OF_PARTITION,
    RC_PLAN_RATES_OF_ZONE
};

/* The numbers of a schedule that are not rows; X(key, smallest, largest);
 * what the policy loader takes, where it is of the policy */
#define RC_PLAN_SHAPE(X)                                                                           \
    X(seed, 0, UINT64_MAX)                                                                         \
    X(nodes, 1, RC_PLAN_NODES_MAX)                                                                 \
    X(controllers, 1, 2)                                                                           \
    X(partitions, 1, 4)                                                                            \
    X(reserved, 0, 1)                                                                              \
    X(latency_ms, 0, 60000)                                                                        \
    X(lost_permille, 0, 1000)                                                                      \
    X(doubled_permille, 0, 1000)                                                                   \
    X(late_permille, 0, 1000)                                                                      \
    X(late_ms, 0, RC_PLAN_WEEK_MS)                                                                 \
    X(out_max, 0, 1000)                                                                            \
    X(launches_max, 0, 512)                                                                        \
    X(destructive_max, 0, 512)                                                                     \
    X(attempts_max, 1, RC_ATTEMPTS_MAX)                                                            \
    X(breaker_max, 0, 1000)                                                                        \
    X(job_wait_ms, 0, RC_PLAN_WEEK_MS)                                                             \
    X(approve, 0, 1)                                                                               \
    X(at_once, 0, 1)                                                                               \
    X(out_share, 0, 1000)            /* permille */                                                \
    X(breaker_share, 0, 1000)        /* permille */                                                \
    X(of_job_max, 0, 1000)           /* nodes of one job, 0 = no limit */                          \
    X(jobs_max, 0, 1000)             /* jobs cut short at once, 0 = no limit */                    \
    X(same_job, 0, RC_SAME_JOB_FREE) /* enum rc_same_job */                                        \
    X(quarantine_max, 0, 1000)       /* nodes in quarantine beside the budgets */                  \
    X(spacing_ms, 0, RC_PLAN_WEEK_MS)                                                              \
    X(before_drain, 0, 1)            /* 1 = scheduled faults: make before break */                 \
    X(order, 0, RC_ORDER_STOP_FIRST) /* enum rc_order, of every rule */                            \
    X(signal_before_ms, 0, RC_PLAN_WEEK_MS)                                                        \
    X(pause_ms, 0, RC_PLAN_WEEK_MS) /* before another replacement */                               \
    X(repeats, 0,                                                                                  \
      RC_ATTEMPTS_MAX) /* incidents after which a node is replaced at once, 0 = no such rule */    \
    X(spares, 0, RC_PLAN_NODES_MAX)          /* hot spares of the one group */                     \
    X(repeats_of, 0, RC_REPEATS_OF_INSTANCE) /* enum rc_repeats_of */                              \
    X(pair, 0, 1)                            /* 1 = the two controllers run a slurmctld each */    \
    X(rates_of, 0, RC_PLAN_RATES_OF_ZONE)    /* enum rc_plan_rates */                              \
    X(out_zone, 0, 1000)                     /* nodes out of one zone, 0 = as of a partition */    \
    X(gate_must, 0, 127)            /* bits 1 << enum rc_gate_probe that the gate must prove */    \
    X(quiet_ms, 1, RC_PLAN_WEEK_MS) /* faults end here */

struct rc_plan {
#define RC_PLAN_FIELD(key, min, max) uint64_t key;
    RC_PLAN_SHAPE(RC_PLAN_FIELD)
#undef RC_PLAN_FIELD
    uint32_t count;
    uint32_t pad_;
    struct rc_plan_row row[RC_PLAN_ROWS_MAX]; /* by at_ms */
};

void rc_plan_draw(struct rc_plan *plan, uint64_t seed);
/* Bytes written without NUL, 0 when room is too small. */
size_t rc_plan_format(const struct rc_plan *plan, char *buf, size_t room);
/* Nothing is cut to fit, no key counts twice. RC_E_PARSE with "line N: …"; RC_E_INVALID when a
 * key is not given. file is only for the message. */
enum rc_err rc_plan_parse(const char *file, const char *text, struct rc_plan *ret,
                          struct rc_error *e);
/* Of the numbers that make the schedule's policy (play_policy.c). */
uint64_t rc_plan_policy_hash(const struct rc_plan *plan);
const char *rc_ill_name(uint32_t ill);
/* One row as a person reads it. */
void rc_plan_row_text(const struct rc_plan_row *row, char *buf, size_t room);

#endif
