/* play.h - one schedule played against the real core in a virtual world.
 *
 * The world owns the truth (models of EC2, SQS and Slurm, an incident store with its
 * lease); each controller is a daemon without I/O: the same core archive, a queue, a
 * journal, an executor, pollers. The core sees only what lossy, late and doubling
 * channels deliver. Nothing here reads a clock: equal schedules give equal bytes. */
#ifndef RC_PLAY_H
#define RC_PLAY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "simulator/cluster/plan.h"

/* X(enum, name, what must never happen) */
/* clang-format off */
#define RC_VERDICTS(X) \
    X(RC_FOUND_NOTHING,            "ok",            "nothing") \
    X(RC_FOUND_LEASE,         "lease",         "a request without a live lease, or two leaders in one epoch") \
    X(RC_FOUND_ADMISSION,     "admission",     "two instances under one name, or two launches for one attempt") \
    X(RC_FOUND_RUNNING_JOB,   "running-job",   "a node with a running job is rebooted, stopped or terminated") \
    X(RC_FOUND_JOBS,          "jobs",          "a job is requeued or signalled, and the policy does not say so") \
    X(RC_FOUND_COMPANY,       "company",       "a node is drained for what many nodes show at once") \
    X(RC_FOUND_GATE,          "gate",          "a return without the gate, or a foreign drain touched") \
    X(RC_FOUND_LIMITS,        "limits",        "a budget, rate, attempt limit, the breaker or the order of a repair is passed") \
    X(RC_FOUND_OURS,          "ours",          "an instance that is not ours, or a node that is held, is touched") \
    X(RC_FOUND_FILES,         "files",         "slurm.conf names an address that is not the node's own") \
    X(RC_FOUND_MESSAGES,     "messages",      "a message is deleted before its event is safe") \
    X(RC_FOUND_SAME_DECISION, "same-decision", "the same events give another decision") \
    X(RC_FOUND_TAKEOVER,      "takeover",      "a backup takes over while the old primary may still write") \
    X(RC_FOUND_LIVENESS,      "liveness",      "the cluster does not reach its desired state")
/* clang-format on */

enum rc_verdict_kind {
#define RC_VERDICT_ENUM(verdict, name, text) verdict,
    RC_VERDICTS(RC_VERDICT_ENUM)
#undef RC_VERDICT_ENUM
        RC_FOUND__MAX
};

struct rc_play_result {
    enum rc_verdict_kind verdict;
    int64_t at_ms;
    uint64_t steps;
    uint64_t hash;        /* of every action decided, and of the world at the end */
    uint64_t policy_hash; /* of the policy that the schedule makes */
    char text[512];
};

/* trace: NULL, or where each event, decision and effect is written as one line. */
void rc_play_run(const struct rc_plan *plan, FILE *trace, struct rc_play_result *ret);
const char *rc_verdict_kind_name(enum rc_verdict_kind v);

#endif
